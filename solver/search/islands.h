/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SEARCH_ISLANDS_H
#define DCP_SOLVER_SEARCH_ISLANDS_H 1

/* Parts of a datacenter that have nothing to do with each other: what is done
 * in one changes neither what may be done in another nor what another survives.
 *
 * They are unions of the bound's regions, which no item leaves by a move.  Two
 * regions are of one island where an item of one may restart in the other after
 * a loss, where a rule counts items of both (or sets them against each other in
 * a place that both have hosts in), or where they share a rack, feed or room
 * whose watts count.  Rules about how many hosts are on, and licences of which
 * there are only so many, make one island of all.  What counts hosts in all,
 * policy.keep_on, is the caller's to heed.
 *
 * O(classes * regions * hosts / 64 + rules * members). */

#include "solver/bound/bound.h"

struct dcp_islands {
    uint32_t n;
    uint32_t *of_host; /* Island by host; owned. */
    uint8_t *marked;   /* By island: scratch, all 0 between uses; owned. */
};

bool dcp_islands_find(const struct dcp_problem *, const struct dcp_bound *,
                      struct dcp_islands *, struct dcp_error *err) DCP_CHECKED;
void dcp_islands_finish(struct dcp_islands *); /* All zeros is fine. */

#endif /* solver/search/islands.h */
