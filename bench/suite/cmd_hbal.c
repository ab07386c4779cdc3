/* SPDX-License-Identifier: GPL-3.0-or-later */

/* hbal's question: which instances to move, so that the cluster is even. */

#include "bench/suite/ganeti.h"
#include "bench/suite/suite.h"
#include "solver/balance/balance.h"

#include <math.h>
#include <stdio.h>

/* The score of what was written. */
static bool
score_of(const struct dcp_ganeti_text *written, double *out,
         struct dcp_error *err)
{
    struct dcp_balance_cluster *c = dcp_suite_cluster(written, err);

    if (!c) {
        return false;
    }
    *out = dcp_balance_score(c);
    dcp_balance_destroy(c);
    return true;
}

static bool
solve(const struct dcp_globals *g, const struct dcp_suite_options *o,
      struct dcp_ganeti_text *text, struct dcp_balance_cluster *c,
      struct dcp_suite_result *out, struct dcp_error *err)
{
    const struct dcp_balance_options options = {
        .seed = g->seed,
        .max_steps = o->max_moves < UINT32_MAX ? (uint32_t)o->max_moves : 0,
        .trials = g->iterations,
        /* Reading, the replay and writing come on top. */
        .time_limit_s = g->time_limit_s * 0.95,
    };
    struct dcp_balance_result result;
    struct dcp_ganeti_text written = { 0 };

    if (!dcp_balance_run(c, &options, &result, err)) {
        return false;
    }
    dcp_suite_move_instances(text, c);

    bool ok = dcp_suite_write_ganeti(text, o->output, &written, err) &&
              score_of(&written, &out->value, err);

    out->moves = result.n_steps;
    out->lower_bound = result.lower_bound;
    out->status =
        out->value <= out->lower_bound * (1 + 1e-9) ? "optimal" : "feasible";
    if (!g->quiet) {
        fprintf(stderr,
                "score %.8f -> %.8f in %u steps; at least %.8f; %llu trials\n",
                result.before, out->value, result.n_steps, result.lower_bound,
                (unsigned long long)result.trials);
    }
    dcp_balance_result_finish(&result);
    dcp_ganeti_finish(&written);
    return ok;
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    const struct dcp_suite_options *o = options;
    struct dcp_suite_result result = { .instance = args[0],
                                       .value = NAN,
                                       .lower_bound = NAN,
                                       .moves = NAN,
                                       .solution = o->output };
    struct dcp_ganeti_text text = { 0 };
    struct dcp_balance_cluster *c = NULL;
    bool ok = dcp_ganeti_read(args[0], &text, err) &&
              (c = dcp_suite_cluster(&text, err)) != NULL &&
              solve(g, o, &text, c, &result, err);

    (void)n_args;
    dcp_balance_destroy(c);
    dcp_ganeti_finish(&text);
    return ok ? dcp_suite_end(g, &result) : -1;
}

static const struct dcp_opt_group groups[] = {
    { dcp_suite_rows, DCP_SUITE_N_ROWS, 0 },
};

const struct dcp_command dcp_suite_cmd_hbal = {
    .name = "hbal",
    .summary = "even out a Ganeti cluster, by Ganeti's own score",
    .synopsis = "FILE [--max-moves K] [-o SOLUTION]",
    .details =
        "FILE is a cluster in the text format of Ganeti's htools (hbal -t).  "
        "The solution is\nthe same format with the new state; 'value' is its "
        "score as hbal counts it, and the\nbound is proved.  --max-moves "
        "counts steps of hbal.  --iterations is the number of\nmoves to weigh; "
        "without it and with --time-limit, an unlimited run uses the time.\n\n"
        "Examples:\n"
        "  dcplan-bench hbal cluster.data --max-moves 60 -o new.data\n"
        "  dcplan-bench hbal cluster.data --time-limit 3 -o new.data && hbal "
        "-t new.data -l 0 -vvv\n",
    .groups = groups,
    .n_groups = 1,
    .options_size = sizeof(struct dcp_suite_options),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
