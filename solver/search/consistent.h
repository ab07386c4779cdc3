/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SEARCH_CONSISTENT_H
#define DCP_SOLVER_SEARCH_CONSISTENT_H 1

/* Items without a place, put on a given set of hosts by a search among partial
 * placements that are all legal (consistent neighbourhood search: Buljubasic &
 * Vasquez, *Consistent neighborhood search for one-dimensional bin packing and
 * two-dimensional vector packing*, Comput. Oper. Res. 76, 2016).
 *
 * A step exchanges, on one host, up to two of its items for up to two of the
 * pool, such that the worth of what is left in the pool becomes least; of the
 * steps that make it more the least one is taken as well.  What came may not
 * leave, and what left may not come back to the same host, for some steps.
 * The worth of an item is what it asks of each scalar and of CPU in each slot,
 * as shares of what the open hosts have, weighted by how scarce each is: so a
 * host that is full of memory gives up what needs much memory for what needs
 * CPU, where CPU is what lacks.
 *
 * Where solver/search/eject.h wants the next item placed whatever must leave,
 * this wants the hosts full: it finds the host fewer that takes nearly all that
 * there is, and is slower.
 *
 * Changes are on the inserter's trail; hosts are not switched.  A heuristic;
 * repeatable, as long as its deadline is not reached; not thread-safe. */

#include "solver/search/eject.h"

struct dcp_consistent_effort {
    uint64_t steps;       /* At most, */
    uint64_t stale_steps; /* and since the pool was worth least. */
    uint32_t hosts_each;  /* Looked at for a step. */
    int64_t deadline_ms;  /* On the monotonic clock; INT64_MAX: none. */
};

/* *out_placed: all of the pool; else some are left there.  *out_steps: made.
 * False: no memory, and nothing is changed. */
bool
dcp_consistent_place(struct dcp_homeless *, struct dcp_inserter *,
                     const struct dcp_consistent_effort *, bool *out_placed,
                     uint64_t *out_steps, struct dcp_error *err) DCP_CHECKED;

#endif /* solver/search/consistent.h */
