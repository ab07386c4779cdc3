/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_STORAGE_STORAGE_H
#define DCP_SOLVER_STORAGE_STORAGE_H 1

/* Pools relieved and evened out: which volumes go where, with what is proved
 * of it.  docs/storage.md has the algorithms.
 *
 * RELIEVE counts MiB that move, once what is wrong has ended: volumes in pools
 * of another tier, that their host cannot open, or that are to be emptied;
 * pools above what they may hold; then pools above what policy.storage lets be
 * used, as far as there is room.  BALANCE counts the pressure (fill.h) and a
 * twentieth of the share of all space that moves. */

#include "solver/solver.h"
#include "solver/storage/search.h"

struct dcp_storage_answer {
    enum dcp_status status;
    const char *bound_method;   /* "spread of load", "least space", "mip". */
    struct dcp_because because; /* INFEASIBLE and TIMEOUT. */
    dcp_pool_id *pool;          /* By volume; owned; NULL: no answer. */
    uint64_t n_moves, moved_mib;
    double before, value, bound;    /* MiB, or pressure with moves. */
    uint32_t n_full_before, n_full; /* Pools above what policy lets be used. */
    uint32_t n_astray_before, n_astray; /* Volumes where they may not be, or
                                         * together and not to be. */
    uint64_t rounds;
};

bool dcp_storage_solve(const struct dcp_storage_question *,
                       const struct dcp_storage_options *,
                       struct dcp_storage_answer *out,
                       struct dcp_error *err) DCP_CHECKED;
void dcp_storage_answer_finish(struct dcp_storage_answer *);

#endif /* solver/storage/storage.h */
