/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/planning.h"

struct options {
    struct dcp_planning_options planning;
    const char *window, *pareto;
    bool no_park, rightsize;
};

static const struct dcp_opt rows[] = {
    { "window", 0, DCP_OPT_TEXT, offsetof(struct options, window), "FROM-TO",
      NULL, NULL,
      "pack for this window of local time only, with a morning leg back" },
    { "no-park", 0, DCP_OPT_FLAG, offsetof(struct options, no_park), NULL, NULL,
      NULL, "park no VM, whatever policy.parking says" },
    { "rightsize", 0, DCP_OPT_FLAG, offsetof(struct options, rightsize), NULL,
      NULL, NULL,
      "resize VMs to what they use, by policy.rightsize, and say which are too "
      "large or too small" },
    { "pareto", 0, DCP_OPT_TEXT, offsetof(struct options, pareto), "K,K,...",
      NULL, NULL,
      "a plan for each of these numbers of moves; -o writes that of "
      "--max-moves, else the last" },
};

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    const struct options *o = options;
    struct dcp_planning_job job = { .job = DCP_JOB_CONSOLIDATE,
                                    .command = "consolidate",
                                    .window_text = o->window,
                                    .no_park = o->no_park,
                                    .rightsize = o->rightsize };
    struct dcp_context c;

    (void)n_args;
    (void)args;
    if (o->window) {
        job.has_window = dcp_window_parse(o->window, &job.window);
        if (!job.has_window) {
            (void)dcp_fail(err, DCP_E_USAGE,
                           "--window: '%.40s' is not a window such as "
                           "22:00-06:00",
                           o->window);
            return -1;
        }
    }
    if (!dcp_planning_read_pareto(o->pareto, &job, err) ||
        !dcp_context_open(g, o->planning.traces, &c, err)) {
        return -1;
    }
    int status = dcp_planning_run(g, &o->planning, &job, &c, err);

    dcp_context_close(&c);
    return status;
}

static const struct dcp_opt_group groups[] = {
    { rows, sizeof rows / sizeof rows[0], 0 },
    { dcp_planning_rows, DCP_N_PLANNING_ROWS,
      offsetof(struct options, planning) },
};

const struct dcp_command dcp_cmd_consolidate = {
    .name = "consolidate",
    .summary = "plan fewer hosts: for a night window, or for good",
    .synopsis =
        "[--window FROM-TO] [--until TIME] [--goal GOAL] [--max-moves N] "
        "[--rightsize] [-o PLAN]",
    .details =
        "Packs VMs on fewer hosts and switches the rest off.  With --window "
        "the plan has an\nevening leg and a morning leg that brings back what "
        "the day needs.  Changes nothing:\n'plan check', 'simulate' and "
        "'apply' come next.\n\nExamples:\n"
        "  dcplan consolidate --window 22:00-06:00 -o plan.json\n"
        "  dcplan consolidate --window 22:00-06:00 --until "
        "2013-08-22T00:00:00Z -o plan.json\n"
        "  dcplan consolidate --window 22:00-06:00 --rightsize -o plan.json\n"
        "  dcplan consolidate --goal hosts --gap 1% --json -o static.json\n",
    .groups = groups,
    .n_groups = 2,
    .options_size = sizeof(struct options),
    .max_args = 0,
    .run = run,
};
