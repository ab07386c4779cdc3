/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What a planning command says of VMs that get another hypervisor. */

#include "cli/planning.h"
#include "cli/ui.h"
#include "model/base/units.h"

#include <stdio.h>
#include <string.h>

const char *
dcp_planning_why_none_converted(const struct dcp_inventory *inv,
                                const struct dcp_planning_options *o,
                                const struct dcp_planning_job *job,
                                const struct dcp_planning_answer *a)
{
    bool weighs =
        job->job == DCP_JOB_CONSOLIDATE || job->job == DCP_JOB_EVACUATE;

    if (!inv->n_conversions || a->outcome.conversions) {
        return NULL;
    }
    if (o->no_convert) {
        return "--no-convert";
    }
    if (job->has_window || job->bring_back) {
        return "VMs return, and licences count at the most of the horizon, the "
               "start included, so a conversion there and back saves none; "
               "consolidate without --window weighs conversions for good";
    }
    if (!dcp_job_may_convert(&inv->policy, job->job)) {
        return "policy.conversions_for does not name this kind of plan";
    }
    if (weighs && !strstr(a->outcome.goal, "cost")) {
        return "the goal counts no money; --goal cost weighs conversions";
    }
    return NULL;
}

void
dcp_planning_conversions_json(struct dcp_json *w,
                              const struct dcp_inventory *inv,
                              const struct dcp_planning_options *options,
                              const struct dcp_planning_job *job,
                              const struct dcp_planning_answer *a)
{
    const struct dcp_plan_outcome *o = &a->outcome;
    uint32_t n = a->plan ? o->conversions : 0;

    dcp_json_ku64(w, "conversions", n);
    if (!inv->n_conversions) {
        return;
    }
    dcp_json_kobject(w, "conversion");
    dcp_json_kdouble(w, "cost", n ? o->conversion_cost : 0);
    dcp_json_kdouble(w, "cost_counted", n ? o->conversion_cost_counted : 0);
    dcp_json_kdouble(w, "downtime_seconds",
                     n ? (double)o->downtime_ms / 1000 : 0);
    dcp_json_kdouble(w, "downtime_max_seconds",
                     n ? (double)o->downtime_most_ms / 1000 : 0);
    if (n && job->job == DCP_JOB_REPAIR) {
        dcp_json_ku64(w, "lower_bound", o->conversions_least);
    } else {
        dcp_json_knull(w, "lower_bound");
    }
    dcp_json_kstring(w, "why_none",
                     dcp_planning_why_none_converted(inv, options, job, a));
    dcp_json_end(w, '}');
}

void
dcp_planning_conversions_print(const struct dcp_inventory *inv,
                               const struct dcp_planning_options *options,
                               const struct dcp_planning_job *job,
                               const struct dcp_planning_answer *a)
{
    const struct dcp_plan_outcome *o = &a->outcome;
    const char *why = dcp_planning_why_none_converted(inv, options, job, a);
    char most[32], all[32];

    if (why) {
        printf("%-15s none: %s\n", "conversions", why);
    }
    if (o->conversions) {
        dcp_print_human(DCP_DIM_TIME, (double)o->downtime_most_ms, most,
                        sizeof most);
        dcp_print_human(DCP_DIM_TIME, (double)o->downtime_ms, all, sizeof all);
        printf("%-15s %u VMs get another hypervisor: %.2f %s, %.2f of it "
               "counted here; down %s at most, %s in all\n",
               "conversions", o->conversions, o->conversion_cost, inv->currency,
               o->conversion_cost_counted, most, all);
        if (job->job == DCP_JOB_REPAIR) {
            printf("%-15s at least %u must (gap %.1f %%)\n", "",
                   o->conversions_least,
                   100.0 * (o->conversions - o->conversions_least) /
                       o->conversions);
        }
    }
}
