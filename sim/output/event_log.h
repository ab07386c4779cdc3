/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_OUTPUT_EVENT_LOG_H
#define DCP_SIM_OUTPUT_EVENT_LOG_H 1

/* What happened in a replay, in a file of its own: 24 bytes an event.
 *
 * Layout, little-endian: 8 bytes "dcpevt\n" and the version, 1; u32 size of
 * the header; i64 from_ms, to_ms; for VM, host, VLAN, volume, pool, rack and
 * feed in this order, u32 how many and their names, each ended by a NUL; the
 * SHA-256 of all before it.  Then records: i64 at_ms; u32 object, from, to (the
 * kind of object in the upper 4 bits, its index in the lower 28); u8 kind of
 * step, u8 phase, u8 leg, u8 CRC-8 (polynomial 0x07, begun at 0x5a) of the 23
 * bytes before it.  Names stand in the file, so it can be read without the
 * model.
 *
 * Records are only ever appended: after a crash the file holds all that was
 * flushed, and the reader ends at the first record that is cut off or damaged
 * and says so.  The writer flushes every DCP_EVENT_LOG_FLUSH events and syncs
 * at its end.
 *
 * Not thread-safe on one log. */

#include "sim/watch.h"

#define DCP_EVENT_LOG_FLUSH 4096

struct dcp_logged_event { /* One record. */
    int64_t at_ms;
    enum dcp_step_kind kind;
    enum dcp_action_phase phase;
    uint32_t leg;
    struct dcp_object object, from, to;
};

/* --- Writing ------------------------------------------------------------ */

struct dcp_event_log;

/* Replaces what is at 'path'.  A table of 2^28 objects or more is
 * DCP_E_LIMIT. */
struct dcp_event_log *
dcp_event_log_create(const char *path, const struct dcp_inventory *,
                     int64_t from_ms, int64_t to_ms,
                     struct dcp_error *err) DCP_CHECKED;
bool dcp_event_log_add(struct dcp_event_log *, const struct dcp_logged_event *,
                       struct dcp_error *err) DCP_CHECKED;
/* Writes what is left and syncs. */
bool
dcp_event_log_flush(struct dcp_event_log *, struct dcp_error *err) DCP_CHECKED;
void dcp_event_log_destroy(struct dcp_event_log *); /* NULL is fine. */
DCP_DEFINE_AUTO(dcp_event_log)

/* Logs each event of a replay; borrows the log. */
struct dcp_sim_watch dcp_event_log_watch(struct dcp_event_log *);

/* --- Reading ------------------------------------------------------------ */

struct dcp_event_reader;

/* A file of another kind, version or with a damaged header is DCP_E_PARSE. */
struct dcp_event_reader *
dcp_event_reader_open(const char *path, struct dcp_error *err) DCP_CHECKED;
void dcp_event_reader_destroy(struct dcp_event_reader *); /* NULL is fine. */
DCP_DEFINE_AUTO(dcp_event_reader)

/* '*out_more' false: there are no more whole records. */
bool
dcp_event_reader_next(struct dcp_event_reader *, struct dcp_logged_event *out,
                      bool *out_more, struct dcp_error *err) DCP_CHECKED;
/* Once there are no more: whether something damaged followed. */
bool dcp_event_reader_is_damaged(const struct dcp_event_reader *);
/* "" for none, and for what the header does not name. */
const char *
dcp_event_reader_name(const struct dcp_event_reader *, struct dcp_object);
void dcp_event_reader_window(const struct dcp_event_reader *,
                             int64_t *out_from_ms, int64_t *out_to_ms);

const char *dcp_action_phase_name(enum dcp_action_phase); /* "started" ... */

#endif /* sim/output/event_log.h */
