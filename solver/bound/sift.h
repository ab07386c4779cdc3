/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_BOUND_SIFT_H
#define DCP_SOLVER_BOUND_SIFT_H 1

/* Prices for a node of the pricing problem (solver/bound/pattern.h) by linear
 * programs: fractions of items within the node's limits, the curve by its lower
 * convex envelope there.  Its duals are the best prices of load and room.  Of
 * thousands of items a host holds dozens, so a program has the few that look
 * best by the prices so far, and then those that its own prices have below
 * nothing as well (sifting: Bixby et al., *Very large-scale linear
 * programming*, Oper. Res. 40, 1992).  Subgradient steps, where thousands of
 * items hover around nothing, need hundreds of steps to come near.
 *
 * A guide only: what prices prove is computed from all items by the caller.
 * Private to solver/bound/. */

#include "solver/bound/pattern.h"

/* What a host of the node carries in each group and holds of each room. */
struct dcp_bound_box {
    const double *low, *high;      /* [group] */
    const double *room_low, *room; /* [room] */
};

/* Solves the program over 'items'.  Fills 'prices' [group, then room], 'load'
 * [group], what the best fractions carry, and *value, the least.  False: there
 * are none within the limits, or it could not be solved. */
bool
dcp_bound_sift_solve(const struct dcp_bound_pattern *,
                     const struct dcp_bound_box *, const uint32_t *items,
                     uint32_t n, double *prices, double *load, double *value);

/* The curve between two loads: its ends there and the corners between. */
struct dcp_bound_curve
dcp_bound_curve_within(const struct dcp_bound_curve *, double low, double high);
double dcp_bound_watts_at(const struct dcp_bound_curve *, double mhz);

#endif /* solver/bound/sift.h */
