/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/planning.h"

struct options {
    struct dcp_planning_options planning;
    bool partial;
};

static const struct dcp_opt rows[] = {
    { "partial", 0, DCP_OPT_FLAG, offsetof(struct options, partial), NULL, NULL,
      NULL,
      "leave what cannot be repaired, or not within --max-moves, as it is where "
      "that is legal" },
};

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    const struct options *o = options;
    struct dcp_planning_job job = { .job = DCP_JOB_REPAIR,
                                    .command = "repair",
                                    .storage = { .asked = true },
                                    .partial = o->partial };
    struct dcp_context c;

    (void)n_args;
    (void)args;
    if (!dcp_context_open(g, o->planning.traces, &c, err)) {
        return -1;
    }
    int status = dcp_planning_run(g, &o->planning, &job, &c, err);

    dcp_context_close(&c);
    return status;
}

static const struct dcp_opt_group groups[] = {
    { dcp_planning_rows, DCP_N_PLANNING_ROWS,
      offsetof(struct options, planning) },
    { rows, sizeof rows / sizeof rows[0], 0 },
};

const struct dcp_command dcp_cmd_repair = {
    .name = "repair",
    .summary = "plan to end violations with the fewest moves",
    .synopsis = "[-o PLAN]",
    .details =
        "Moves VMs off hosts that are overloaded, in maintenance or forbidden "
        "by a rule or\nby reach, and wakes hosts where there is no room or no "
        "headroom otherwise.  Volumes leave\npools that are fuller or busier than "
        "policy.storage lets them be, of another tier\nthan they need, or out "
        "of reach of their host.  What is in order stays where it is.\nAs few "
        "VMs as can be are moved, and of equal answers the\none that wakes fewer "
        "hosts and moves less memory is taken; the answer says how many\nVMs "
        "must move at least, and is `optimal` where no fewer do.  Nothing to "
        "do is\nsuccess.\n\nExamples:\n"
        "  dcplan repair -o plan.json\n"
        "  dcplan repair --partial --max-moves 20 -o plan.json\n"
        "  dcplan repair --detailed-exitcode --json\n",
    .groups = groups,
    .n_groups = 2,
    .options_size = sizeof(struct options),
    .max_args = 0,
    .run = run,
};
