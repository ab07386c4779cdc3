/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What a planning command makes small. */

#include "cli/planning.h"

bool
dcp_planning_goals(const struct dcp_inventory *inv, const char *text,
                   struct dcp_goals *out, struct dcp_error *err)
{
    struct dcp_goals goals;

    dcp_goals_of_policy(&inv->policy, &goals);
    if (text) {
        if (!dcp_goals_parse(text, &goals, err)) {
            return false;
        }
        goals.slack_frac = inv->policy.goal_slack_frac;
    } else if (!inv->policy.goal_given && !dcp_inventory_has_prices(inv)) {
        goals = dcp_goals_single(DCP_GOAL_HOSTS);
    }
    for (uint32_t k = 0; k < goals.n_levels; k++) {
        if (dcp_goal_level_has(&goals.level[k], DCP_GOAL_COST) &&
            !dcp_inventory_has_prices(inv)) {
            return dcp_fail(err, DCP_E_USAGE,
                            "goal 'cost' needs a tariff with prices at a "
                            "site; add one, or use --goal energy or hosts");
        }
    }
    const struct dcp_goal_level *first = &goals.level[0];

    if (!dcp_goal_level_has(first, DCP_GOAL_COST) &&
        !dcp_goal_level_has(first, DCP_GOAL_ENERGY) &&
        !dcp_goal_level_has(first, DCP_GOAL_HOSTS) &&
        !dcp_goal_level_has(first, DCP_GOAL_LICENCES)) {
        char name[64];

        dcp_goal_level_print(first, name, sizeof name);
        return dcp_fail(err, DCP_E_UNSUPPORTED,
                        "goal '%s' cannot come first; use cost, energy, hosts "
                        "or licences, alone or in a sum",
                        name);
    }
    *out = goals;
    return true;
}

/* Moves first; the policy's or those given follow, to be told of. */
static bool
repair_goals(const struct dcp_inventory *inv, const char *text,
             struct dcp_goals *out, struct dcp_error *err)
{
    struct dcp_goals rest;

    if (!dcp_planning_goals(inv, text, &rest, err)) {
        return false;
    }
    *out = dcp_goals_single(DCP_GOAL_MOVES);
    out->slack_frac = rest.slack_frac;
    for (uint32_t k = 0; k < rest.n_levels && out->n_levels < DCP_GOALS_MAX;
         k++) {
        enum dcp_goal goal;

        if (!dcp_goal_level_single(&rest.level[k], &goal) ||
            goal != DCP_GOAL_MOVES) {
            out->level[out->n_levels++] = rest.level[k];
        }
    }
    return true;
}

/* Balance first; others may follow to be told of. */
static bool
balance_goals(const struct dcp_inventory *inv, const char *text,
              struct dcp_goals *out, struct dcp_error *err)
{
    enum dcp_goal goal;

    *out = dcp_goals_single(DCP_GOAL_BALANCE);
    if (!text) {
        return true;
    }
    if (!dcp_goals_parse(text, out, err)) {
        return false;
    }
    out->slack_frac = inv->policy.goal_slack_frac;
    return (dcp_goal_level_single(&out->level[0], &goal) &&
            goal == DCP_GOAL_BALANCE) ||
           dcp_fail(err, DCP_E_USAGE,
                    "'balance' makes balance small before all else: --goal "
                    "begins with it, or is left out");
}

bool
dcp_planning_job_goals(const struct dcp_inventory *inv, enum dcp_job job,
                       const char *text, struct dcp_goals *out,
                       struct dcp_error *err)
{
    return job == DCP_JOB_BALANCE  ? balance_goals(inv, text, out, err)
           : job == DCP_JOB_REPAIR ? repair_goals(inv, text, out, err)
                                   : dcp_planning_goals(inv, text, out, err);
}
