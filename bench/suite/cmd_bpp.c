/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "bench/suite/packing.h"

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    static const struct dcp_packing_benchmark benchmark = {
        .read = dcp_read_bpp,
        .time_limit_s = 5,
    };

    (void)n_args;
    return dcp_packing_run(g, options, &benchmark, args[0], err);
}

static const struct dcp_opt_group groups[] = {
    { dcp_suite_rows, DCP_SUITE_N_ROWS, 0 },
};

const struct dcp_command dcp_suite_cmd_bpp = {
    .name = "bpp",
    .summary = "One-dimensional bin packing and cutting stock: fewest bins",
    .synopsis = "FILE [--time-limit S] [-o SOLUTION]",
    .details =
        "FILE: n; the capacity; n lines of a size and a demand (.gz allowed).\n"
        "SOLUTION: the number of bins B, then B lines 'k i1 .. ik': items from "
        "1 in\nfile order, each demand expanded.  5 seconds unless told "
        "otherwise.\n"
        "\n"
        "Examples:\n"
        "  dcplan-bench bpp FILE.txt -o packing\n"
        "  dcplan-bench --seed 3 bpp FILE.txt --iterations 200\n",
    .groups = groups,
    .n_groups = 1,
    .options_size = sizeof(struct dcp_suite_options),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
