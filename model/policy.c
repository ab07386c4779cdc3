/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/policy.h"

#include <string.h>

static const char *const goal_names[] = {
    [DCP_GOAL_COST] = "cost",     [DCP_GOAL_HOSTS] = "hosts",
    [DCP_GOAL_ENERGY] = "energy", [DCP_GOAL_LICENCES] = "licences",
    [DCP_GOAL_MOVES] = "moves",   [DCP_GOAL_BALANCE] = "balance",
    [DCP_GOAL_ROOM] = "room",
};

void
dcp_policy_default(struct dcp_policy *policy)
{
    *policy = (struct dcp_policy){
        .buckets = DCP_BUCKETS_HOUR_OF_DAY,
        .target_cpu_frac = 0.8,
        .target_mem_frac = 0.9,
        .target_net_frac = 0.7,
        .predict_sigmas = 3,
        .predict_ratio_frac = 0.9,
        .overload_eps_frac = 0.01,
        .overload_samples = 120,
        .memory_basis = DCP_MEMORY_ALLOCATED,
        .keep_on = 1,
        .rest_ms = DCP_DAY_MS,
        .wake_proof_ms = 7 * DCP_DAY_MS,
        .horizon_ms = DCP_DAY_MS,
        .goals = { { .weight[DCP_GOAL_COST] = 1 } },
        .n_goals = 1,
        .min_gain_frac = 0.01,
        .unpack = DCP_UNPACK_NEEDED,
        .licences = DCP_LICENCES_PRICED,
        .out_per_host = 2,
        .in_per_host = 2,
        .units_per_10gbit = 8,
        .host_off_at_once = 0, /* Auto: see dcp_policy_host_off_at_once(). */
        .migration_kib_s = 488281, /* 4 Gbit. */
        .precopy = { .downtime_ms = DCP_PRECOPY_DOWNTIME_MS,
                     .timeout_ms_per_gib = DCP_PRECOPY_TIMEOUT_MS,
                     .auto_converge = true },
        .migration_cpu_overhead_frac = 0.1,
        .move_wait_ms = DCP_HOUR_MS,
        .cooldown_ms = 30 * INT64_C(60000),
        .parks_at_once = 4,
        .failed_boots_frac = 0.05,
        .morning_lead_ms = 15 * INT64_C(60000),
        .min_history_ms = 7 * DCP_DAY_MS,
        .storage = { .space_frac = 0.8,
                     .io_frac = 0.8,
                     .min_difference_frac = 0.05,
                     .moves_per_pool = 2,
                     .move_kib_s = 204800 },
        .warmup = { .cpu_frac = 0.5 },
    };
}

uint32_t
dcp_policy_host_off_at_once(const struct dcp_policy *policy, uint32_t n_hosts)
{
    if (policy->host_off_at_once) {
        return policy->host_off_at_once;
    }
    return n_hosts > 50 ? n_hosts / 50 : 1;
}

const char *
dcp_goal_name(enum dcp_goal goal)
{
    return goal_names[goal];
}

bool
dcp_goal_parse(const char *name, enum dcp_goal *out)
{
    for (unsigned i = 0; i < sizeof goal_names / sizeof goal_names[0]; i++) {
        if (!strcmp(goal_names[i], name)) {
            *out = (enum dcp_goal)i;
            return true;
        }
    }
    return false;
}
