/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_BOUND_ENERGY_H
#define DCP_SOLVER_BOUND_ENERGY_H 1

/* What the paid slots cost in the lower bound's program.
 *
 * y hosts of one kind that carry D together draw at least y E(D / y), E being
 * the lower convex envelope of their curve: by Jensen's inequality no split of
 * D does better.  y E(D / y) is the least sum of lambda_j E(u_j) over points
 * u_j of the envelope with sum lambda_j = y and sum lambda_j u_j = D, so it is
 * linear in columns and exact for the envelope; SPECpower curves are neither
 * convex nor concave, and the envelope keeps what is convex of them.  Slots of
 * like demand are taken together at their mean demand, weighted by what a watt
 * costs in each: Jensen again.
 *
 * Hosts are taken together by *cell*: a side (solver/bound/fold.h; spares are
 * of none, they are idle) and a type.  Private to solver/bound/. */

#include "model/power.h"
#include "solver/bound/fold.h"
#include "solver/lp/lp.h"

/* Corners of a curve of watts over MHz from 0 to what a host may carry, lines
 * between them. */
struct dcp_bound_curve {
    double mhz[DCP_POWER_POINTS + 1], watts[DCP_POWER_POINTS + 1];
    uint32_t n;
};
/* Its lower convex envelope from corner 'first' to corner 'last' (Andrew's
 * monotone chain, lower half). */
struct dcp_bound_curve dcp_bound_curve_under(const struct dcp_bound_curve *,
                                             uint32_t first, uint32_t last);

struct dcp_bound_energy {
    const struct dcp_fold *f;
    uint32_t n_sides;  /* Of hosts that hold something: 1 or 2. */
    uint32_t n_cells;  /* Cell: side * n_types + type. */
    uint32_t n_groups; /* Of paid slots; 0: nothing is paid for. */
    bool single;       /* Each group is one slot. */
    double *price;     /* Of a watt: [type * n_groups + group]. */
    double *mhz;       /* Of an item: [item * n_groups + group]. */
    struct dcp_bound_curve *curve, *under; /* By type: as it is, and under. */
};

/* NULL: no memory. */
struct dcp_bound_energy *dcp_bound_energy_create(const struct dcp_fold *);
/* Of one group alone.  NULL: no memory. */
struct dcp_bound_energy *
dcp_bound_energy_of_group(const struct dcp_bound_energy *, uint32_t group);
void dcp_bound_energy_destroy(struct dcp_bound_energy *);
DCP_DEFINE_AUTO(dcp_bound_energy)

/* What a host of the type costs in all paid slots when idle. */
double dcp_bound_energy_idle(const struct dcp_bound_energy *, uint32_t type);
/* Whether the side's items are those of the part of that side. */
bool dcp_bound_energy_on_side(const struct dcp_bound_energy *, uint32_t item,
                              uint32_t side);

/* The columns and their rows; the hosts' own columns hold what is idle of
 * spares (dcp_bound_energy_idle).  False: no memory. */
bool dcp_bound_energy_add(const struct dcp_bound_energy *,
                          struct dcp_lp *) DCP_CHECKED;

#endif /* solver/bound/energy.h */
