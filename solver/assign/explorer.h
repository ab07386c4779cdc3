/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_ASSIGN_EXPLORER_H
#define DCP_SOLVER_ASSIGN_EXPLORER_H 1

/* One search from start to end, in phases:
 *
 *   survey   a fast anneal with relaxed capacities, which learns where the
 *            cost falls (cooling.h);
 *   roam     the long one, with what was learnt.  The price of what is above a
 *            capacity rises per resource while more hosts are over it than the
 *            phase allows, and falls while fewer are; none are allowed in its
 *            last part (strategic oscillation: Glover, Decision Sciences 8,
 *            1977);
 *   settle   from the best legal assignment, with hard capacities, to cold;
 *   resplit  pairs and triples of hosts shared out anew (resplit.h).
 *
 * Where items take large parts of hosts and hosts are full, legal assignments
 * are islands to single moves; roaming between them is what finds good ones. */

#include "solver/assign/anneal.h"
#include "solver/assign/resplit.h"

struct dcp_assign_explorer {
    struct dcp_assign_walk *strict, *relaxed;
    struct dcp_assign_columns *relaxed_columns; /* Its own: prices change. */
    struct dcp_assign_resplit *resplit;         /* On 'strict'. */
    struct dcp_assign_cooling cooling;
    double above[DCP_ASSIGN_STEPS + 1]; /* Of the survey. */
    int64_t bound, start_cost;
    double crowding; /* Share of hosts that may be over at first. */
};

/* In 'arena', but for its walks.  'index' names its random numbers. */
bool
dcp_assign_explorer_init(struct dcp_assign_explorer *, struct dcp_arena *arena,
                         const struct dcp_assign_columns *strict,
                         uint32_t max_moves, uint64_t seed, uint32_t index,
                         struct dcp_error *err) DCP_CHECKED;
void dcp_assign_explorer_finish(struct dcp_assign_explorer *);

/* The work is cut into so many shares, in order; share k is done when
 * dcp_assign_explorer_until(k) of all work is. */
#define DCP_ASSIGN_SHARES 160u
double dcp_assign_explorer_until(uint32_t share);
void dcp_assign_explorer_run(struct dcp_assign_explorer *, uint32_t share,
                             const struct dcp_assign_slice *);

/* The best legal assignment so far is strict->best.  Takes over one that
 * another found, if it is better and this one is settling. */
void dcp_assign_explorer_learn(struct dcp_assign_explorer *, uint32_t share,
                               const struct dcp_assign_walk *other);

#endif /* solver/assign/explorer.h */
