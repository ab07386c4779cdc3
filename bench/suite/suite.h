/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_BENCH_SUITE_H
#define DCP_BENCH_SUITE_H 1

/* dcplan-bench: the product's own solver on the public benchmarks of its
 * field.  One file per benchmark, cmd_<name>.c, listed in commands.c; readers
 * of the formats are read_<name>.c.  Options are parsed and explained by
 * cli/command.h.
 *
 * Every command ends on one line of JSON: instance, status, value,
 * lower_bound, seconds, cpu_seconds, peak_rss_mib, moves, solution.  'value'
 * is recounted from the solution that was written, not taken from the
 * search. */

#include "cli/command.h"

extern const struct dcp_command *const dcp_suite_commands[]; /* NULL-ended. */

/* What every benchmark takes besides the global options. */
struct dcp_suite_options {
    const char *output; /* -o SOLUTION; NULL: not written. */
    uint64_t max_moves; /* 0: no limit. */
};
#define DCP_SUITE_N_ROWS 2u
extern const struct dcp_opt dcp_suite_rows[DCP_SUITE_N_ROWS];

struct dcp_suite_result {
    const char *instance; /* The input's path. */
    const char *status;   /* "optimal" (proved), "feasible", "infeasible"
                           * (proved), "timeout". */
    double value;         /* NaN: no solution. */
    double lower_bound;   /* NaN: none known. */
    double moves;         /* NaN: does not apply. */
    const char *solution; /* The file that was written; NULL: none. */
};

/* Prints the last line; the exit status that design.md gives the status. */
int dcp_suite_end(const struct dcp_globals *, const struct dcp_suite_result *);

#endif /* bench/suite/suite.h */
