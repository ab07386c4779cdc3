/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_STORAGE_BOUND_H
#define DCP_SOLVER_STORAGE_BOUND_H 1

/* What no placement of volumes can do better than.  Proved; rounded down by
 * 1e-9 of itself.
 *
 * Pools that an item may move between are one *region*, and so on: what a
 * region holds stays within it.
 *
 * - Evening out: with loads that may be divided at will, sum of load^2 / limit
 *   over a region is least where the pools are filled to one level, like
 *   vessels that communicate; pools that hold more than that which cannot move
 *   stay above it.  One resource at a time.
 * - Relieving: what may not stay moves, and so does, from each pool, the least
 *   space whose leaving brings each resource down to what is allowed: items in
 *   the order of space per unit, the last one divided (the relaxed knapsack).
 * - No answer: a region's pools together hold less than its items ask. */

#include "solver/storage/fill.h"

/* Of the pressure (BALANCE), in the weights of the fill. */
bool dcp_storage_bound_pressure(const struct dcp_fill *start, double *out,
                                struct dcp_error *err) DCP_CHECKED;
/* Of the MiB that move so that pools hold no more than policy lets be used
 * ('to_usable'), or than they can. */
bool
dcp_storage_bound_moved(const struct dcp_fill *start, bool to_usable,
                        double *out_mib, struct dcp_error *err) DCP_CHECKED;

struct dcp_storage_shortage {
    bool found;
    enum dcp_pool_resource resource;
    uint32_t pool; /* One of the region. */
    double need, have;
};
bool dcp_storage_shortage(const struct dcp_fill *start,
                          struct dcp_storage_shortage *out,
                          struct dcp_error *err) DCP_CHECKED;

#endif /* solver/storage/bound.h */
