/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_STORAGE_SEARCH_H
#define DCP_SOLVER_STORAGE_SEARCH_H 1

/* Cheaper placements of volumes, from one that is given.
 *
 * Descent: pools by price (what a little more load in them costs), dearest
 * first; of each the best move of one of its items to one of the cheapest pools
 * that may have it.  With a limit of moves the best move of all pools is made
 * each time, so that the first moves are those that matter most.
 * Then, round by round: swaps between a dear and a cheap pool; and kicks: a few
 * items are moved elsewhere (or one that was moved goes home, and may not leave
 * again), descent follows, and what is not cheaper is taken back.
 *
 * A heuristic.  Deterministic by seed and rounds. */

#include "solver/storage/fill.h"

struct dcp_storage_options {
    uint64_t seed;
    uint64_t iterations; /* Rounds; 0: by size. */
    int64_t deadline_ms; /* On the monotonic clock, of the rounds; 0: none.
                          * The first descent is always finished. */
};

bool
dcp_storage_search(struct dcp_fill *, const struct dcp_storage_options *,
                   uint64_t *out_rounds, struct dcp_error *err) DCP_CHECKED;

#endif /* solver/storage/search.h */
