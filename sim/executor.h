/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_EXECUTOR_H
#define DCP_SIM_EXECUTOR_H 1

/* The simulator as an executor: a virtual world (executors/virtual.h) in which
 * steps take as long as its models say.
 *
 * - migration: pre-copy at the bandwidth that the network's links give it,
 *   which changes as others begin and end (model/transfers.h); one that
 *   does not converge in its time fails;
 * - host_on, host_off: the hardware's boot and shutdown times;
 * - VMs that begin: the plan's estimate, so many on a host at one time
 *   (sim/host/starts.h);
 * - all else: the plan's estimate.
 *
 * `apply --executor sim` and `simulate PLAN` run plans through this. */

#include "model/transfers.h"
#include "sim/sim.h"

struct dcp_sim_executor;

/* 'net': KiB/s of each VM, the larger direction, for production's share of the
 * NICs; NULL: not known, taken as none.  All is borrowed but 'start', which is
 * copied. */
struct dcp_sim_executor *
dcp_sim_executor_create(const struct dcp_inventory *, const struct dcp_plan *,
                        uint32_t leg, const struct dcp_placement *start,
                        int64_t start_ms, const struct dcp_samples *net,
                        struct dcp_error *err) DCP_CHECKED;
void dcp_sim_executor_destroy(struct dcp_sim_executor *);
DCP_DEFINE_AUTO(dcp_sim_executor)

/* The world, for its executor, log and placement; belongs to this. */
struct dcp_virtual *dcp_sim_executor_world(struct dcp_sim_executor *);
/* Of the migrations so far. */
struct dcp_transfer_totals
dcp_sim_executor_transfers(const struct dcp_sim_executor *);
/* Adds the guests that they slowed down to '*list' of '*n', which the caller
 * owns, but for those that it gave before. */
bool dcp_sim_executor_slowdowns(struct dcp_sim_executor *,
                                struct dcp_slowdown **list, uint32_t *n,
                                struct dcp_error *err) DCP_CHECKED;

#endif /* sim/executor.h */
