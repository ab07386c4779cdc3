/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_EXACT_EXACT_H
#define DCP_SOLVER_EXACT_EXACT_H 1

/* Small problems as one mixed-integer program: a binary per item and host in
 * reach, a binary per host that may be on.  The busiest slots stand for all,
 * and headroom by sums stands for headroom by places, so the program is a
 * relaxation: its bound is valid, and its answer is taken only after the full
 * test.  When the answer passes, it is optimal. */

#include "solver/bound/bound.h"
#include "solver/state.h"

#define DCP_EXACT_MAX_BINARIES 6500u

bool dcp_exact_is_small(const struct dcp_problem *);

struct dcp_exact_limits {
    double time_s;
    uint32_t nodes; /* 0: none.  The same on every machine, as time is not. */
};

/* Starts from 's' (complete and legal where 'starts', else the search found no
 * answer), which is improved in place when the program finds better and that
 * passes: *out_complete.  Raises 'bound' where it can; sets *out_proved when
 * 's' is proved optimal.  bound->infeasible is set where the program has no
 * answer. */
bool dcp_exact_run(struct dcp_state *s, struct dcp_bound *bound,
                   const struct dcp_exact_limits *, bool starts,
                   bool *out_complete, bool *out_proved,
                   struct dcp_error *err) DCP_CHECKED;

#endif /* solver/exact/exact.h */
