/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_PACK_BOUND_H
#define DCP_SOLVER_PACK_BOUND_H 1

/* Lower bounds in microseconds to milliseconds, all in whole numbers.
 *
 * Sum (any bins): the cheapest bins, taken in fractions, whose capacity covers
 * one dimension's demand.
 *
 * The rest holds for one bin type:
 *   - dual-feasible functions of one dimension: f0 (which gives L2 of Martello
 *     & Toth, *Knapsack Problems*, 1990), u^(k) (Fekete & Schepers, Math.
 *     Program. 91, 2001), f_CCM,1 (Carlier, Clautiaux & Moukrim, Comput. Oper.
 *     Res. 34, 2007), each at many parameters.  Dimensions with a negative size
 *     are left out.
 *   - pairs: a set of items no two of which share a bin (a clique of the
 *     conflict graph, grown greedily). */

#include "solver/pack/instance.h"

/* 'out_infeasible': one item fits no bin, or all bins are not enough. */
uint64_t
dcp_pack_bound_sum(const struct dcp_pack_instance *, bool *out_infeasible);
bool dcp_pack_bound_cheap(const struct dcp_pack_instance *, uint64_t *out_bound,
                          enum dcp_pack_bound_kind *out_kind,
                          bool *out_infeasible) DCP_CHECKED;

#endif /* solver/pack/bound.h */
