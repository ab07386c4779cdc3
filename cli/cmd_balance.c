/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/planning.h"

#include <string.h>

struct options {
    struct dcp_planning_options planning;
    const char *score, *pareto;
    bool storage, rightsize;
};

static const char *const scores[] = { "peak", "hours", "ganeti", NULL };

static const struct dcp_opt rows[] = {
    { "score", 0, DCP_OPT_CHOICE, offsetof(struct options, score), "SCORE",
      scores, "peak",
      "what even means: peak (CPU in each host's fullest slot, and memory), "
      "hours (CPU and network in each slot, and memory) or ganeti (as hbal "
      "scores nodes)" },
    { "rightsize", 0, DCP_OPT_FLAG, offsetof(struct options, rightsize), NULL,
      NULL, NULL,
      "resize VMs to what they use, by policy.rightsize, and say which are too "
      "large or too small" },
    { "pareto", 0, DCP_OPT_TEXT, offsetof(struct options, pareto), "K,K,...",
      NULL, NULL,
      "a plan for each of these numbers of moves; -o writes that of "
      "--max-moves, else the last" },
    { "storage", 0, DCP_OPT_FLAG, offsetof(struct options, storage), NULL, NULL,
      NULL,
      "even out storage pools instead of hosts: volumes move between the pools "
      "of a tier" },
};

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    const struct options *o = options;
    struct dcp_planning_options planning = o->planning;
    struct dcp_planning_job job = { .job = DCP_JOB_BALANCE,
                                    .command = "balance",
                                    .score = o->score,
                                    .rightsize = o->rightsize };
    struct dcp_context c;

    (void)n_args;
    (void)args;
    job.even_score = !strcmp(o->score, "hours")    ? DCP_EVEN_HOURS
                     : !strcmp(o->score, "ganeti") ? DCP_EVEN_GANETI
                                                   : DCP_EVEN_PEAK;
    if (o->storage && (o->pareto || o->rightsize)) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       o->pareto ? "--pareto is for hosts; with --storage use "
                                   "--max-moves"
                                 : "--rightsize is for hosts, not for storage");
        return -1;
    }
    if (o->storage) {
        job.job = DCP_JOB_STORAGE;
        job.storage.asked = true;
        job.storage.aim = DCP_STORAGE_BALANCE;
    }
    if (!dcp_planning_read_pareto(o->pareto, &job, err) ||
        !dcp_context_open(g, planning.traces, &c, err)) {
        return -1;
    }
    int status = dcp_planning_run(g, &planning, &job, &c, err);

    dcp_context_close(&c);
    return status;
}

static const struct dcp_opt_group groups[] = {
    { rows, sizeof rows / sizeof rows[0], 0 },
    { dcp_planning_rows, DCP_N_PLANNING_ROWS,
      offsetof(struct options, planning) },
};

const struct dcp_command dcp_cmd_balance = {
    .name = "balance",
    .summary = "plan to even out load over the hosts that are on",
    .synopsis = "[--storage] [--max-moves N] [--pareto K,K,...] [--score SCORE] "
                "[--rightsize] [-o PLAN]",
    .details =
        "Moves VMs between hosts that are on until they are about equally "
        "loaded, as far as\nthe moves are worth it (policy.min_gain: what one "
        "move on every tenth host would\nhave to gain together).  Rules, "
        "reach, headroom and limits are kept; violations are\nended first; "
        "no host is switched.  With --max-moves the best plan within so many\n"
        "moves is sought.  The bound says how even things could be at best.\n"
        "\nWith --storage VMs stay and their volumes move between pools of one "
        "tier until these\nare about equally full of space, IOPS and "
        "throughput; pools above what policy.storage\nlets be used come first "
        "(docs/storage.md).\n\nExamples:\n"
        "  dcplan balance --max-moves 20 -o plan.json\n"
        "  dcplan balance --pareto 5,10,20,40 --max-moves 10 -o plan.json\n"
        "  dcplan balance --score hours --json\n"
        "  dcplan balance --storage --max-moves 50 -o plan.json\n",
    .groups = groups,
    .n_groups = 2,
    .options_size = sizeof(struct options),
    .max_args = 0,
    .run = run,
};
