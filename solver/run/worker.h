/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_RUN_WORKER_H
#define DCP_SOLVER_RUN_WORKER_H 1

/* Work that may hang, crash or eat memory, done in a child process: it ends at
 * its deadline, cannot take more memory than it may, and never takes us along.
 * Meant for GLPK, which aborts on its own errors and checks its time limit
 * only between steps that may be long; see solver/lp/apart.h.
 *
 * The child is a fork: it sees all data as they are now, changes nothing of
 * ours, and hands back one block of bytes over a pipe.  It dies with us
 * (PR_SET_PDEATHSIG), holds no file of ours but standard ones, and is waited
 * for before the call returns.
 *
 * Thread-safety: any number of threads may each run one at a time. */

#include "model/base/error.h"

#include <stddef.h>

struct dcp_worker_limits {
    double deadline_s;   /* Of wall time, from the call; then it is killed. */
    uint64_t memory_mib; /* More than it has at its start; 0: no cap. */
};

/* Runs in the child: fills 'result' from 'context', or fails. It must not
 * wait for a lock that another thread may have held at the fork. */
typedef bool
dcp_worker_fn(const void *context, void *result, struct dcp_error *err);

/* Runs 'work' apart and copies the 'size' bytes of its result.  '*late': the
 * deadline came first, and 'result' is as it was.  False: it failed (its own
 * error), died (DCP_E_LIMIT), or could not be started (DCP_E_IO). */
bool dcp_worker_run(const struct dcp_worker_limits *, dcp_worker_fn *work,
                    const void *context, void *result, size_t size, bool *late,
                    struct dcp_error *err) DCP_CHECKED;

#endif /* solver/run/worker.h */
