/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/goals.h"

#include "model/base/units.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define WEIGHT_MAX 1e9

static const char *const accepted =
    "cost, hosts, energy, licences, moves, balance, room";

/* One term: "moves" or "0.02*moves", of 'length' characters. */
static bool
parse_term(const char *text, size_t length, struct dcp_goal_level *level,
           struct dcp_error *err)
{
    char term[64], *name = term, *star;
    double weight = 1;
    enum dcp_goal goal;

    (void)snprintf(term, sizeof term, "%.*s", (int)length, text);
    if ((star = strchr(term, '*'))) {
        *star = '\0';
        name = star + 1;

        const char *end = dcp_scan_double(term, &weight);

        if (!end || *end || !(weight > 0) || weight > WEIGHT_MAX) {
            return dcp_fail(err, DCP_E_USAGE,
                            "goal: '%.40s' is not a weight above 0", term);
        }
    }
    if (!dcp_goal_parse(name, &goal)) {
        return dcp_fail(err, DCP_E_USAGE, "goal: '%.40s' is not one of %s",
                        name, accepted);
    }
    if (level->weight[goal] > 0) {
        return dcp_fail(err, DCP_E_USAGE, "goal: '%s' is there twice",
                        dcp_goal_name(goal));
    }
    level->weight[goal] = weight;
    return true;
}

bool
dcp_goals_parse(const char *text, struct dcp_goals *out, struct dcp_error *err)
{
    struct dcp_goals goals = { .n_levels = 0 };

    for (const char *at = text;;) {
        size_t level_length = strcspn(at, ",");
        const char *level_end = at + level_length;

        if (goals.n_levels == DCP_GOALS_MAX) {
            return dcp_fail(err, DCP_E_USAGE,
                            "goal: at most %d, one after "
                            "another",
                            DCP_GOALS_MAX);
        }
        for (;;) {
            size_t n = strcspn(at, "+,");

            if (!parse_term(at, n, &goals.level[goals.n_levels], err)) {
                return false;
            }
            at += n;
            if (at == level_end) {
                break;
            }
            at++;
        }
        goals.n_levels++;
        if (!*at) {
            break;
        }
        at++;
    }
    *out = goals;
    return true;
}

void
dcp_goals_of_policy(const struct dcp_policy *policy, struct dcp_goals *out)
{
    *out = (struct dcp_goals){ .n_levels = policy->n_goals,
                               .slack_frac = policy->goal_slack_frac };
    memcpy(out->level, policy->goals, sizeof out->level);
}

struct dcp_goals
dcp_goals_single(enum dcp_goal goal)
{
    struct dcp_goals goals = { .n_levels = 1 };

    goals.level[0].weight[goal] = 1;
    return goals;
}

bool
dcp_goal_level_single(const struct dcp_goal_level *level, enum dcp_goal *out)
{
    uint32_t n = 0;

    for (uint32_t g = 0; g < DCP_GOAL_KINDS; g++) {
        if (level->weight[g] > 0) {
            *out = (enum dcp_goal)g;
            n++;
        }
    }
    return n == 1;
}

bool
dcp_goal_level_has(const struct dcp_goal_level *level, enum dcp_goal goal)
{
    return level->weight[goal] > 0;
}

void
dcp_goal_level_print(const struct dcp_goal_level *level, char *out, size_t size)
{
    size_t at = 0;

    out[0] = '\0';
    for (uint32_t g = 0; g < DCP_GOAL_KINDS && at < size; g++) {
        double w = level->weight[g];

        if (!(w > 0)) {
            continue;
        }
        int n = fabs(w - 1) < 1e-12
                    ? snprintf(out + at, size - at, "%s%s", at ? "+" : "",
                               dcp_goal_name((enum dcp_goal)g))
                    : snprintf(out + at, size - at, "%s%g*%s", at ? "+" : "", w,
                               dcp_goal_name((enum dcp_goal)g));

        at += n > 0 ? (size_t)n : 0;
    }
}
