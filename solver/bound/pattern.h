/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_BOUND_PATTERN_H
#define DCP_SOLVER_BOUND_PATTERN_H 1

/* The pricing problem of the lower bound (solver/bound/prices.h): over sets of
 * items that one host may hold,
 *     least sum_g price_g W(z_g) - sum_i u_i x_i,    z_g = sum_i a_gi x_i,
 *     0 <= z_g <= cap,  sum_i b_ri x_i <= room_r,    x_i in {0, 1},
 * W being a curve of straight pieces that is neither convex nor concave.  What
 * is wanted is not the least set but a number that no set is below.
 *
 * For any prices p_g of load and q_r of room,
 *     sum_i min(0, p a_i + q b_i - u_i) + sum_g min_z (price_g W(z) - p_g z)
 *         - sum_r max(q_r low_r, q_r room_r)
 * is such a number (Lagrange), z within an interval for each g, and what is used
 * of room r between low_r (0 where nothing is known) and room_r.  Good p and q
 * are sought by subgradient steps.  What remains is closed by branching on an
 * interval at a corner of W, most urgent interval first: on each side the
 * least over z is higher, because less of the curve's envelope lies below the
 * curve.  Nodes with the lowest number first, so the lowest open number is
 * proved whenever the work ends. */

#include "solver/bound/energy.h"

/* How full a host is: its load in the group with most demand, or its first
 * room, whichever is the larger share.  Its share is between two neighbours of
 * these, and what it carries in other groups is then at least the least that
 * (fractions of) items carry there that fill so much here: a knapsack. */
enum { DCP_BOUND_LEVELS = 10 };
static inline double
dcp_bound_fill_share(uint32_t level)
{
    return (double)level / DCP_BOUND_LEVELS;
}
struct dcp_bound_fill {
    uint32_t peak; /* The group with most demand. */
    double *least; /* [(by * LEVELS + level) * n_groups + group], by load (0)
                    * or by room (1). */
};
struct dcp_bound_pattern {
    uint32_t n_items, n_groups, n_rooms;
    const double *load;  /* [group * n_items + item] */
    const double *need;  /* [room * n_items + item] */
    const double *u;     /* [item] */
    const double *price; /* [group] */
    const double *room;  /* [room] */
    const struct dcp_bound_curve *curve;
    const struct dcp_bound_fill *fill;
    const double *start; /* Prices to start from: [start * (n_groups +
                          * n_rooms)], of load, then of room. */
    uint32_t n_starts;
    uint64_t max_work; /* Items looked at, times groups and rooms; then no
                        * more is branched. */
    int64_t deadline_ms; /* Monotonic; INT64_MAX: none. */
};

/* Reads items, curve and rooms of the question.  False: no memory. */
bool dcp_bound_fill_find(const struct dcp_bound_pattern *,
                         struct dcp_bound_fill *out) DCP_CHECKED;
void dcp_bound_fill_finish(struct dcp_bound_fill *);

/* Fills *out with a number that no set of items is below; safe against
 * rounding.  False: no memory. */
bool dcp_bound_pattern_least(const struct dcp_bound_pattern *,
                             double *out) DCP_CHECKED;

#endif /* solver/bound/pattern.h */
