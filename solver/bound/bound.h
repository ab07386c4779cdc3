/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_BOUND_BOUND_H
#define DCP_SOLVER_BOUND_BOUND_H 1

/* Lower bounds: no placement of the problem's items, under the same slots,
 * limits and headroom, costs less or needs fewer hosts.
 *
 * One small program over host types: y_t (whole) hosts of type t are on, z_ts
 * of slot s's demand is on them;
 *   min sum_t f_t y_t + sum_ts w_s m_t z_ts
 *   sum_t cap_rt y_t >= demand_r            for each scalar r,
 *   sum_t z_ts = demand_s, z_ts <= cap_t y_t for each slot s (CPU; network
 *                                            likewise without z),
 *   sum_t f(cap_t/C) y_t >= sum_i f(size_i/C) for dual-feasible functions f
 *                                            (Fekete & Schepers 2001), which
 *                                            see that large items do not pair,
 *   y_t between the hosts that must and the hosts that may be on.
 * The same holds for each region that no item's reach leaves, of its own hosts.
 * Power curves enter by their lower convex envelope, then by prices of items
 * (solver/bound/energy.h, solver/bound/prices.h).  Where a
 * hard rule separates two sets of items by host, hosts are counted by side and
 * each side's items need that side's capacity.  Where all that a host holds
 * restarts after its loss, capacity is asked for demand plus the smallest
 * host, because any one host may be lost, and for demand on all but the largest
 * that is on (solver/bound/largest.c); hosts that hold nothing count for the
 * losses of both sides.
 *
 * Items of which no two share a host ask for as many hosts that they fit
 * (solver/bound/clique.h), and so do those that need a licence.
 *
 * Headroom besides needs a number of hosts in each region
 * (solver/bound/loss.h), and what is on without a rack or feed that may be lost
 * holds the demand (solver/bound/domain_loss.c).
 *
 * Valid because each constraint holds for every legal placement; other rules
 * are left out, which can only lower it. */

#include "solver/bound/rack_groups.h"

/* With more hosts than that a question that another one bounds has kinds of
 * hosts by a mix (dcp_bound_prices_mix()). */
enum { DCP_BOUND_MIX_HOSTS = 160 };

struct dcp_bound {
    double value;          /* Of the goal; safe against rounding. */
    uint32_t hosts;        /* Fewest hosts on. */
    bool infeasible;       /* Proved: even this relaxation has no answer. */
    const struct dcp_rule *max_on; /* Then: this rule leaves too few hosts. */
    const char *method;            /* "host types", "item prices"
                                    * (solver/bound/prices.h), or "mip"
                                    * (solver/exact/exact.h). */
    /* What binds: the scalar (index), or n_scalars for CPU, n_scalars + 1 for
     * network, whose constraint alone needs the most hosts. */
    uint32_t binding;
    /* Hosts of each type that the program has on in each region,
     * [region * n_types + type], and the region of each host; in the problem's
     * arena. */
    const double *type_on;
    /* By type: the share of these that hold what asks for little CPU; NULL:
     * not asked for, or not found (dcp_bound_prices_mix()). */
    const double *cold_frac;
    const uint8_t *region;
    uint32_t n_regions;
    /* Where racks or feeds may be lost (else NULL): the racks by group
     * (solver/bound/rack_groups.h), and hosts of each type that the same
     * program has on in each, [group * n_types + type]. */
    const struct dcp_rack_groups *racks;
    const double *group_on;
};

/* The programs of the bound may take 'limit_s' together (at most 10 s each); a
 * bound that was stopped is lower and as valid.  INFINITY: counted work ends
 * them and no clock, so the bound is the same on every machine. */
bool
dcp_bound_compute(struct dcp_problem *, double limit_s, struct dcp_bound *out,
                  struct dcp_error *err) DCP_CHECKED;

/* "memory", "cpu", ... */
const char *dcp_bound_binding_name(const struct dcp_problem *,
                                   const struct dcp_bound *);

#endif /* solver/bound/bound.h */
