/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_BOUND_PARTS_H
#define DCP_SOLVER_BOUND_PARTS_H 1

/* What the parts of the lower bound share; private to solver/bound/. */

#include "solver/bound/energy.h"
#include "solver/bound/fold.h"
#include "solver/bound/host_rows.h"
#include "solver/lp/lp.h"

/* Of the simplex method, for each program at most: what ends one where no clock
 * does.  None was seen to take a tenth of it. */
#define DCP_BOUND_ITERATIONS 50000u

/* Seconds until then on the monotonic clock, at least a moment; of INT64_MAX,
 * no deadline, more than any program takes. */
double dcp_bound_left_s(int64_t deadline_ms);

/* A resource: its size by item and its capacities by host. */
struct dcp_bound_resource {
    const uint32_t *size; /* Of item i: size[i * step]. */
    size_t step;
    const uint32_t *cap, *full; /* By host: to plan with, and after a loss. */
};
struct dcp_bound_resource
dcp_bound_scalar(const struct dcp_problem *, uint32_t scalar);
struct dcp_bound_resource
dcp_bound_cpu(const struct dcp_problem *, uint32_t slot);
struct dcp_bound_resource
dcp_bound_net(const struct dcp_problem *, uint32_t slot);

/* The column of y: hosts of a type that are on, by region and side. */
uint32_t dcp_bound_column(const struct dcp_fold *, uint32_t region,
                          uint32_t side, uint32_t type);

/* A dual-feasible function: 'k' > 0: u^(k), else f0 with 'epsilon'. */
double dcp_bound_dual_feasible(double x, int k, double epsilon);

/* solver/bound/bound.c: the columns y and their rows; 'cost' by side and type
 * [side * n_types + type], NULL: 1 each.  False: no memory. */
bool dcp_bound_add_hosts(const struct dcp_fold *, struct dcp_lp *,
                         const double *cost) DCP_CHECKED;
/* Rows: capacity covers the demand of each part, and still does when the smallest
 * host is lost.  False: no memory. */
bool dcp_bound_add_cover(const struct dcp_fold *, struct dcp_host_rows *,
                         const struct dcp_bound_resource *) DCP_CHECKED;
/* solver/bound/chance.c: policy.overload, where it is asked for: finds the
 * scenarios that count, once; adds rows.  False: no memory. */
bool dcp_bound_trim(struct dcp_fold *) DCP_CHECKED;
bool dcp_bound_add_chance(const struct dcp_fold *,
                          struct dcp_host_rows *) DCP_CHECKED;
/* solver/bound/money.c: the first goal's columns and rows besides y's own and
 * the power curve's: licences, room.  False: no memory. */
bool dcp_bound_add_money(const struct dcp_fold *, struct dcp_lp *) DCP_CHECKED;
/* solver/bound/domains.c: items spread over racks and the like need so many of
 * them with a host on.  False: no memory. */
bool
dcp_bound_add_domains(const struct dcp_fold *, struct dcp_lp *) DCP_CHECKED;
/* solver/bound/largest.c: where all restarts within a part, what is on without
 * the largest of it holds the demand.  False: no memory. */
bool
dcp_bound_add_largest(const struct dcp_fold *, struct dcp_lp *) DCP_CHECKED;
/* solver/bound/domain_loss.c: what is on without a rack or feed that may be
 * lost holds the demand.  Columns: hosts on by group of racks and type, [group
 * * n_types + type], the first ones added; then others.  False: no memory. */
bool dcp_bound_add_domain_losses(const struct dcp_fold *,
                                 struct dcp_lp *) DCP_CHECKED;
/* What a host of the type costs when it is on and idle, besides watts. */
double dcp_bound_host_cost(const struct dcp_fold *, uint32_t type);

#endif /* solver/bound/parts.h */
