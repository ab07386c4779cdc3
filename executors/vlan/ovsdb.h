/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_VLAN_OVSDB_H
#define DCP_EXECUTORS_VLAN_OVSDB_H 1

/* A client of one switch database: RFC 7047 ("The Open vSwitch Database
 * Management Protocol") with the table Open_vSwitch of ovs-vswitchd.conf.db(5).
 *
 * A transaction is sent and its reply taken later, so that several are under
 * way at once; dcp_ovsdb_transact() does both and waits.  Requests "echo" of
 * the server are answered whenever something is read.  The configuration's
 * number that ovs-vswitchd has applied (cur_cfg) is watched from the start.
 *
 * After a failure the session is broken: destroy it and open another.  That a
 * transaction was sent and its reply never came leaves open whether it took
 * place: look.
 *
 * No call but those with a timeout waits.  One session, one thread. */

#include "executors/vlan/wire.h"

#include <stdint.h>

struct json_t;
struct dcp_ovsdb;

#define DCP_OVSDB_DATABASE "Open_vSwitch"

/* Connects, and asks for cur_cfg; NULL when that is not answered in time. */
struct dcp_ovsdb *
dcp_ovsdb_open(const struct dcp_wire_peer *, int64_t timeout_ms,
               struct dcp_error *err) DCP_CHECKED;
void dcp_ovsdb_destroy(struct dcp_ovsdb *); /* NULL is fine. */

/* It is of no use any more. */
bool dcp_ovsdb_is_broken(const struct dcp_ovsdb *);

/* For poll() and epoll. */
int dcp_ovsdb_fd(const struct dcp_ovsdb *);
bool dcp_ovsdb_wants_to_write(const struct dcp_ovsdb *);

/* Sends a transaction: 'operations' is an array of RFC 7047 operations, taken
 * over in any case (NULL: out of memory). */
bool dcp_ovsdb_send(struct dcp_ovsdb *, struct json_t *operations,
                    uint32_t *out_id, struct dcp_error *err) DCP_CHECKED;
/* Sends and reads what can be now. */
bool dcp_ovsdb_pump(struct dcp_ovsdb *, struct dcp_error *err) DCP_CHECKED;
/* The result of a transaction, an array with one object for each operation, for
 * the caller to release; NULL with err->code DCP_OK: it has not come ('err' is
 * not optional here).  NULL else: the transaction did not take place.
 * DCP_E_STALE: a 'wait' in it did not find what it expects. */
struct json_t *dcp_ovsdb_take(struct dcp_ovsdb *, uint32_t id,
                              struct dcp_error *err) DCP_CHECKED;
/* The reply, should it come, is of no interest any more. */
void dcp_ovsdb_forget(struct dcp_ovsdb *, uint32_t id);

/* All three, and waits; err->code as above, DCP_E_LIMIT: no reply in time. */
struct json_t *
dcp_ovsdb_transact(struct dcp_ovsdb *, struct json_t *operations,
                   int64_t timeout_ms, struct dcp_error *err) DCP_CHECKED;
/* Until something can be read or written, or the time is over. */
bool dcp_ovsdb_wait(struct dcp_ovsdb *, int64_t timeout_ms,
                    struct dcp_error *err) DCP_CHECKED;

/* The number of the configuration that the switch works by, and of the one that
 * it was told last; as far as was read. */
int64_t dcp_ovsdb_cur_cfg(const struct dcp_ovsdb *);
int64_t dcp_ovsdb_next_cfg(const struct dcp_ovsdb *);

/* A reply of RFC 7047 section 4.1.3, judged: its result array (borrowed), or
 * NULL with the reason.  An "error" of null at the top does not mean success:
 * each result may be one. */
const struct json_t *
dcp_ovsdb_judge(const struct json_t *reply, size_t n_operations,
                struct dcp_error *err) DCP_CHECKED;

#endif /* executors/vlan/ovsdb.h */
