/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_SUPPORT_NIGHT_H
#define DCP_TESTS_SUPPORT_NIGHT_H 1

/* Random small datacenters by size, and the plan of a night and its day that is
 * asked for them. */

#include "solver/plan/planner.h"
#include "tests/support/random_model.h"

/* 3 hosts and up to 'more_hosts' - 1 more, one to four VMs a host, fewer than
 * 'rules' rules; drawn from the stream of that label. */
static inline struct sample
small_sample(uint64_t seed, const char *label, uint32_t more_hosts,
             uint32_t rules)
{
    struct dcp_rng rng = dcp_rng_stream(seed, label, 0);
    uint32_t n_hosts = 3 + draw(&rng, more_hosts);
    uint32_t n_vms = n_hosts + draw(&rng, 3 * n_hosts);

    return (struct sample){ .seed = seed,
                            .n_hosts = n_hosts,
                            .n_vms = n_vms,
                            .n_rules = draw(&rng, rules) };
}

/* A consolidation of two legs, of which the first is so many hours long. */
static inline struct dcp_plan_request
night_request(const struct world *w, const struct dcp_placement *start,
              uint32_t night_hours, enum dcp_goal goal)
{
    return (struct dcp_plan_request){
        .inventory = w->inv,
        .demand = &w->demand,
        .start = start,
        .job = DCP_JOB_CONSOLIDATE,
        .two_legs = true,
        .start_ms = WORLD_T0,
        .window_end_ms = WORLD_T0 + (int64_t)night_hours * DCP_HOUR_MS,
        .goals = dcp_goals_single(goal),
    };
}

#endif /* tests/support/night.h */
