/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_BOUND_LOSS_H
#define DCP_SOLVER_BOUND_LOSS_H 1

/* How many hosts headroom alone needs: a counting bound.
 *
 * Let n hosts be on with capacity C in all, demand T, of which U is of items
 * without a promise.  When host h with capacity c_h and unpromised u_h is
 * lost, the others hold all but u_h: C - c_h >= T - u_h.  Summed over all h,
 *   (n - 1) C >= n T - U;
 * of k hosts lost at once, summed over all sets of k, of which each host is in
 * k out of n,
 *   (n - k) C >= n T - k U.
 * C is at most the sum of the n largest hosts; so the smallest n for which
 * that holds for every resource is a lower bound. */

#include "solver/problem.h"

/* How many hosts may be lost at once, whichever: 0 where that is not asked. */
uint32_t dcp_bound_losses(const struct dcp_problem *);
/* Whether the question asks that any one host may be lost. */
bool dcp_bound_survives_a_host(const struct dcp_problem *);

/* The bound for the hosts and items of one region (by host and by item); one
 * more than there are hosts where none suffices; UINT32_MAX: no memory. */
uint32_t dcp_bound_hosts_for_loss(const struct dcp_problem *,
                                  const uint8_t *region_of_host,
                                  const uint8_t *region_of_item,
                                  uint8_t region);

#endif /* solver/bound/loss.h */
