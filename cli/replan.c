/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/planning.h"

void
dcp_replan_options_default(struct dcp_replan_options *o)
{
    *o = (struct dcp_replan_options){ .history_from_ms = INT64_MIN,
                                      .history_until_ms = INT64_MAX };
}

bool
dcp_replan(const struct dcp_globals *g, struct dcp_context *c,
           const struct dcp_placement *start,
           const struct dcp_replan_options *o, struct dcp_plan **out,
           const char **out_status, struct dcp_error *err)
{
    struct dcp_globals own = *g;
    struct dcp_planning_options options = {
        .goals = o->goals,
        .gap_frac = o->gap_frac,
        .from_ms = o->history_from_ms,
        .until_ms = o->history_until_ms,
        .max_moves = o->max_moves,
        .perturb_frac = o->perturb_frac,
        .learned = o->learned,
        .brief = true,
        .expects = o->expects,
    };
    struct dcp_planning_job job = { .job = DCP_JOB_CONSOLIDATE,
                                    .command = "consolidate",
                                    .has_window = o->has_window,
                                    .window = o->window };
    struct dcp_planning_answer a;

    own.time_limit_s = o->time_limit_s;
    own.verbose = 0; /* One of many plans: their caller speaks. */
    own.progress = false;
    if (!dcp_planning_make(&own, c, start, &options, &job, o->after_ms, &a,
                           err)) {
        return false;
    }
    *out_status = dcp_status_name(a.outcome.status);
    *out = a.plan;
    a.plan = NULL;
    dcp_planning_answer_finish(&a);
    return true;
}
