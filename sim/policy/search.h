/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_POLICY_SEARCH_H
#define DCP_SIM_POLICY_SEARCH_H 1

/* Searches in a fleet that several policies share.  All are greedy heuristics:
 * in a fixed order, the first by name of equals, nothing is proved.
 *
 * 'limit_mhz' (by host): the most that a target may carry; 'not_mark' (by host,
 * 1: left out; NULL: none). */

#include "sim/policy/fleet.h"

/* The host where the VM raises power least, of those that serve; n_hosts: none.
 * PABFD of Beloglazov and Buyya (CCPE 24(13), 2012). */
uint32_t dcp_fleet_best(const struct dcp_fleet *, uint32_t vm,
                        const double limit_mhz[], const uint8_t not_mark[]);
/* The same; where there is none, wishes that host on, of those on which the VM
 * fits, which has the most MHz per watt when full. *out_host n_hosts: none. */
bool
dcp_fleet_best_or_wake(struct dcp_fleet *, uint32_t vm,
                       const double limit_mhz[], const uint8_t not_mark[],
                       uint32_t *out_host, struct dcp_error *err) DCP_CHECKED;
/* The most demand first, equals by name. */
void dcp_fleet_sort(const struct dcp_fleet *, uint32_t vms[], uint32_t n);

/* Wishes all VMs of the host away, each by dcp_fleet_best(), and the host off;
 * or changes nothing: *out_done false. */
bool dcp_fleet_empty(struct dcp_fleet *, uint32_t host,
                     const double limit_mhz[], const uint8_t not_mark[],
                     bool *out_done, struct dcp_error *err) DCP_CHECKED;
/* From each host above its limit VMs go, the largest first, until it is not. */
bool dcp_fleet_relieve(struct dcp_fleet *, const double limit_mhz[],
                       struct dcp_error *err) DCP_CHECKED;
/* Empties hosts that have less than 'below_frac' of their capacity in use, the
 * least loaded first, each tried once; policy.keep_on stay. */
bool dcp_fleet_drain(struct dcp_fleet *, const double limit_mhz[],
                     const uint8_t not_mark[], double below_frac,
                     struct dcp_error *err) DCP_CHECKED;

#endif /* sim/policy/search.h */
