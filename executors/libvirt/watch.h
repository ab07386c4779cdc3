/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_LIBVIRT_WATCH_H
#define DCP_EXECUTORS_LIBVIRT_WATCH_H 1

/* A worker for each host, kept for looking and for what takes no time.  All
 * that are asked are asked at once; who is late loses its worker, and is left
 * alone for some seconds, so that a dark host costs its time-out once and not
 * with every look.
 *
 * One thread. */

#include "executors/libvirt/look.h"
#include "executors/libvirt/worker.h"
#include "model/io/connect.h"

struct dcp_watch;

/* All is borrowed.  'is_off' as in executors/libvirt/libvirt.h. */
struct dcp_watch *
dcp_watch_create(const struct dcp_inventory *, const struct dcp_connect *,
                 bool (*is_off)(void *user, dcp_host_id), void *user,
                 struct dcp_error *err) DCP_CHECKED;
void dcp_watch_destroy(struct dcp_watch *); /* NULL is fine. */

/* Fills out[host] for all hosts of the inventory.  Those that connect.yaml does
 * not give are left as silent, but for a proof that they are off. */
void dcp_watch_look(struct dcp_watch *, dcp_vm_id, struct dcp_look_at out[]);
/* Asks one host, also one that was just silent; NULL: 'err'.  The caller
 * releases the answer, whose reference to 'question' is taken. */
json_t *dcp_watch_ask(struct dcp_watch *, uint32_t host, json_t *question,
                      int64_t timeout_ms, struct dcp_error *err) DCP_CHECKED;
/* It did not answer, and is not to be asked again just now. */
bool dcp_watch_is_silent(const struct dcp_watch *, uint32_t host);
/* Why the host was silent, the last time; "": it was not. */
const char *dcp_watch_trouble(const struct dcp_watch *, uint32_t host);

#endif /* executors/libvirt/watch.h */
