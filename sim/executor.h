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
 * With failures (sim/failure/restart.h) the world is theirs as well: VMs are
 * lost and restarted, hosts are down, and a step that became impossible is
 * refused, or ends when an outage cuts it, so that the runner learns of it and
 * leaves out what waits for it, as it would with real hosts.
 *
 * `apply --executor sim` and `simulate PLAN` run plans through this. */

#include "executors/runner.h"
#include "model/transfers.h"
#include "sim/failure/restart.h"

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

/* Before the run: what happens in it meets 'ha', to whose events it adds those
 * of its steps, up to 'until_ms', after which nothing is told.  'ha' is
 * advanced to the start and then as the run's time passes; borrowed.  'start'
 * was its world when it had 'n_events' events. */
bool dcp_sim_executor_meet(struct dcp_sim_executor *, struct dcp_ha *ha,
                           uint32_t n_events, int64_t until_ms,
                           struct dcp_error *err) DCP_CHECKED;
/* After the run: adds what of it was lost; false where memory ran out on the
 * way. */
bool
dcp_sim_executor_lost(const struct dcp_sim_executor *,
                      const struct dcp_run_report *, struct dcp_lost_steps *sum,
                      struct dcp_error *err) DCP_CHECKED;

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
