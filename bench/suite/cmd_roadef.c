/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "bench/suite/read_roadef.h"
#include "bench/suite/suite.h"
#include "cli/ui.h"
#include "model/base/text.h"
#include "model/io/file.h"
#include "solver/assign/search.h"

#include <math.h>

#define DEFAULT_SECONDS 300.0 /* As in the challenge. */

static const struct dcp_opt_group groups[] = {
    { dcp_suite_rows, DCP_SUITE_N_ROWS, 0 },
};

static void
say_progress(void *context, const struct dcp_assign_progress *now)
{
    const struct dcp_globals *g = context;
    double gap = (double)(now->cost - now->lower_bound) /
                 fmax(fabs((double)now->cost), 1e-9);

    if (g->verbose) {
        dcp_ui_say(g, "%8.1f s  %lld  gap %.4f %%  %.1f M evaluations/s",
                   now->seconds, (long long)now->cost, 100 * gap,
                   (double)now->evaluations / 1e6 / fmax(now->seconds, 1e-3));
    }
}

static bool
write_solution(const char *path, const uint32_t at[], uint32_t n,
               struct dcp_error *err)
{
    struct dcp_text text = { 0 };
    bool ok = true;

    if (!path) {
        return true;
    }
    for (uint32_t i = 0; i < n; i++) {
        dcp_text_printf(&text, i ? " %u" : "%u", at[i]);
    }
    dcp_text_puts(&text, "\n");
    ok = text.failed
             ? dcp_fail(err, DCP_E_NOMEM, "no memory for the solution")
             : dcp_file_write(path, dcp_text_get(&text), text.length, err);
    dcp_text_finish(&text);
    return ok;
}

/* What is left of the limit after reading, less what writing takes. */
static double
seconds_left(const struct dcp_globals *g)
{
    double limit = g->time_limit_s;

    if (limit <= 0) {
        limit = g->iterations ? 0 : DEFAULT_SECONDS;
    }
    return limit > 0 ? fmax(limit * 0.99 - 0.05 - dcp_ui_wall_seconds(g), 1e-3)
                     : 0;
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    const struct dcp_suite_options *o = options;
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);
    struct dcp_assign_problem p;
    struct dcp_globals copy = *g;

    (void)n_args;
    if (!arena) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory");
        return -1;
    }
    if (!dcp_roadef_read(arena, args[0], args[1], &p, err)) {
        return -1;
    }
    uint32_t *at = dcp_arena_array(arena, uint32_t, p.n_items);
    struct dcp_assign_options so = {
        .seed = g->seed,
        .iterations = g->iterations,
        .time_limit_s = seconds_left(g),
        .threads = (uint32_t)(g->threads > 64 ? 64 : g->threads),
        .max_moves = o->max_moves && o->max_moves < UINT32_MAX
                         ? (uint32_t)o->max_moves
                         : UINT32_MAX,
        .progress = say_progress,
        .context = &copy,
    };
    struct dcp_assign_result found;
    struct dcp_assign_cost cost;

    if (!at) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for the solution");
        return -1;
    }
    if (!dcp_assign_search(&p, &so, at, &found, err) ||
        !dcp_assign_measure(&p, at, &cost, err) ||
        !write_solution(o->output, at, p.n_items, err)) {
        return -1;
    }
    return dcp_suite_end(
        g,
        &(struct dcp_suite_result){
            .instance = args[0],
            .status = cost.total <= found.lower_bound ? "optimal" : "feasible",
            .value = (double)cost.total,
            .lower_bound = (double)found.lower_bound,
            .moves = cost.n_moved,
            .solution = o->output,
        });
}

const struct dcp_command dcp_suite_cmd_roadef = {
    .name = "roadef",
    .summary = "machine reassignment of the ROADEF/EURO challenge 2012",
    .synopsis = "MODEL INITIAL [-o SOLUTION] [--max-moves K]",
    .details =
        "Moves processes between machines so that load above the safe "
        "capacities, imbalance\nand moves cost least; docs/reassignment.md.  "
        "Without a limit it takes 300 s, as in the\nchallenge.  An iteration "
        "is one candidate move or swap looked at.\n\n"
        "Examples:\n"
        "  dcplan-bench roadef model_a1_1.txt assignment_a1_1.txt -o new "
        "--threads 2\n"
        "  dcplan-bench roadef model_b_1.txt.gz assignment_b_1.txt -v "
        "--time-limit 60\n"
        "  dcplan-bench roadef model.txt initial.txt --iterations 20000000 "
        "--seed 7\n",
    .groups = groups,
    .n_groups = 1,
    .options_size = sizeof(struct dcp_suite_options),
    .min_args = 2,
    .max_args = 2,
    .run = run,
};
