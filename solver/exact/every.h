/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_EXACT_EVERY_H
#define DCP_SOLVER_EXACT_EVERY_H 1

/* The fewest moves of a small repair by trying every placement: first those
 * that move as many VMs as the bound says at least, then one more, and so on
 * (iterative deepening, Korf 1985), each by depth-first search over items,
 * largest first, home first.
 *
 * It knows all that the state knows: rules, the joint history of loads, and
 * where VMs restart after each loss, which the whole-number program of
 * solver/exact/exact.h only has sums of.  What cuts branches only gets worse
 * with items that come later: load, company that rules forbid; so a number of
 * moves that was tried without an answer is below the optimum, and when all
 * were, there is none.  A loss whose restarts were not tried in every way (they
 * are where hosts and lost items are few, solver/headroom/loss_play.h) proves
 * nothing, and ends the search.
 *
 * Hosts that may be woken are on while it searches, for one more never takes
 * room away; of the answer those that are not needed sleep again. */

#include "solver/state.h"

struct dcp_every_limits {
    int64_t deadline_ms; /* Monotonic; INT64_MAX: none. */
    uint32_t placements; /* Tried, at most. */
};

struct dcp_every_answer {
    bool found;      /* 's' is this answer now. */
    bool infeasible; /* No placement is legal. */
    uint32_t least;  /* VMs that every legal placement moves. */
};

/* Whether the question is of that kind and small. */
bool dcp_every_is_small(const struct dcp_problem *);
/* Placements that move at least 'least' VMs and fewer than 'below'; 's' keeps
 * its places where there is no answer. */
bool
dcp_every_run(struct dcp_state *s, uint32_t least, uint32_t below,
              const struct dcp_every_limits *, struct dcp_every_answer *out,
              struct dcp_error *err) DCP_CHECKED;

#endif /* solver/exact/every.h */
