/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_LIBVIRT_WORKER_H
#define DCP_EXECUTORS_LIBVIRT_WORKER_H 1

/* A child process that talks to one hypervisor.  Calls of libvirt may block for
 * ever (opening a connection has no time limit), so they happen here, where the
 * parent can end them by ending the child.
 *
 * Parent and child exchange JSON objects, one a line, over a pair of sockets:
 * a question, then its answer.  What a child was doing when it is killed either
 * goes on without it (peer-to-peer migrations do, by the source host) or is
 * taken back by the host (native ones are).  Children die with their parent.
 *
 * The parent must have one thread.  Not thread-safe. */

#include "model/base/error.h"

#include <jansson.h>
#include <stdint.h>

struct dcp_worker;

/* Forks; the child opens 'uri' with its first question.  'host_uuid' is what
 * the hypervisor must say of its machine; "": not compared. */
struct dcp_worker *dcp_worker_create(const char *uri, const char *host_uuid,
                                     struct dcp_error *err) DCP_CHECKED;
/* Kills the child, whatever it does.  NULL is fine. */
void dcp_worker_destroy(struct dcp_worker *);

/* Readable when there is an answer, or the child has died. */
int dcp_worker_fd(const struct dcp_worker *);

/* Sends a question, whose reference it takes.  One at a time. */
bool dcp_worker_send(struct dcp_worker *, json_t *question,
                     struct dcp_error *err) DCP_CHECKED;
/* The answer, which the caller releases; NULL with *out_dead false: not yet.
 * Does not block. */
json_t *dcp_worker_receive(struct dcp_worker *, bool *out_dead);
/* Waits for the answer until dcp_worker_clock_ms() is at 'until_ms'; NULL: it
 * died or is late, and is to be destroyed. */
json_t *dcp_worker_await(struct dcp_worker *, int64_t until_ms,
                         struct dcp_error *err);

/* CLOCK_BOOTTIME: goes on while the machine sleeps, is never set. */
int64_t dcp_worker_clock_ms(void);

/* "ok" of an answer; else its "text" goes to 'err'. */
bool dcp_worker_is_ok(const json_t *answer, struct dcp_error *err);

#endif /* executors/libvirt/worker.h */
