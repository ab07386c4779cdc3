/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/replay_page.h"

#include "cli/sim_report.h"

static void
add_run(struct dcp_sim_page *page, struct dcp_sim_page_run runs[],
        const char *name, const struct dcp_sim_result *result,
        const struct dcp_availability *availability)
{
    if (name) { /* Ended before the band: it has none. */
        runs[page->n_runs++] =
            (struct dcp_sim_page_run){ name, result, availability };
    }
}

bool
dcp_replay_page(const char *path, const struct dcp_inventory *inv,
                const struct dcp_replay *r, const struct dcp_policy_run *band,
                const struct dcp_replications *again,
                struct dcp_onlooker *onlooker, struct dcp_error *err)
{
    struct dcp_sim_page_run runs[3];
    struct dcp_sim_page_sure sure;
    struct dcp_sim_page page = { .inventory = inv,
                                 .runs = runs,
                                 .sure = &sure,
                                 .partial = r->partial,
                                 .in_sample = r->in_sample };
    bool fails = r->has_failures;

    dcp_replications_table(again, &sure);
    if (r->has_plan) {
        add_run(&page, runs, "Without the plan", &r->without,
                fails ? &r->failed_without.availability : NULL);
    }
    add_run(&page, runs, band->name, &band->result,
            fails ? &band->failed.availability : NULL);
    add_run(&page, runs, r->has_plan ? "With the plan" : "As it is",
            r->has_plan ? &r->with : &r->without,
            !fails        ? NULL
            : r->has_plan ? &r->failed_with.availability
                          : &r->failed_without.availability);
    return dcp_sim_report_write(path, &page, onlooker, err);
}
