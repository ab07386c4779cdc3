/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The value is counted again from the text that was written, by the reader of
 * solutions, which knows nothing of the solver. */

#include "bench/suite/packing.h"

#include "model/base/text.h"
#include "model/io/file.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

enum { MAX_FILE_SIZE = 1 << 28 };

/* Numbers of items in file order, each demand expanded. */
static bool
print_bins(const struct dcp_bench_packing *b,
           const struct dcp_pack_packing *packing, struct dcp_text *out)
{
    uint32_t n = b->problem.n_items;
    DCP_FREE uint64_t *next = calloc(n + 1u, sizeof *next);

    if (!next) {
        return false;
    }
    next[0] = 1;
    for (uint32_t i = 0; i < n; i++) {
        next[i + 1] = next[i] + b->demand[i];
    }
    dcp_text_printf(out, "%u\n", packing->n_bins);
    for (uint32_t j = 0; j < packing->n_bins; j++) {
        uint32_t from = packing->first[j], to = packing->first[j + 1];

        dcp_text_printf(out, "%u", to - from);
        for (uint32_t e = from; e < to; e++) {
            dcp_text_printf(out, " %llu",
                            (unsigned long long)next[packing->item[e]]++);
        }
        dcp_text_puts(out, "\n");
    }
    return !out->failed;
}

/* Writes the solution, where one is wanted, and counts it. */
static bool
hand_over(const struct dcp_bench_packing *b,
          const struct dcp_pack_packing *packing, const char *output,
          uint64_t *out_bins, struct dcp_error *err)
{
    struct dcp_text text = { 0 };
    size_t length;
    bool ok = print_bins(b, packing, &text);

    if (!ok) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for the solution");
    } else if (!output) {
        ok = dcp_read_bins(NULL, dcp_text_get(&text), text.length, b, out_bins,
                           err);
    } else {
        ok = dcp_file_write(output, dcp_text_get(&text), text.length, err);
        if (ok) {
            DCP_FREE char *back =
                dcp_file_read(output, MAX_FILE_SIZE, &length, err);

            ok = back && dcp_read_bins(output, back, length, b, out_bins, err);
        }
    }
    dcp_text_finish(&text);
    return ok;
}

static double
seconds_since(int64_t started_ms)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9 -
           (double)started_ms / 1e3;
}

/* Reading counts; writing is left a little. */
static struct dcp_pack_options
options_of(const struct dcp_globals *g,
           const struct dcp_packing_benchmark *benchmark)
{
    double limit_s = g->time_limit_s > 0 ? g->time_limit_s
                     : g->iterations > 0 ? 0
                                         : benchmark->time_limit_s;
    struct dcp_pack_options o = {
        .iterations = g->iterations,
        .seed = g->seed,
        .threads = g->threads > 1 ? 2 : 1,
    };

    if (limit_s > 0) {
        o.time_limit_s =
            fmax(0.98 * limit_s - seconds_since(g->started_ms), 1e-3);
    }
    return o;
}

static int
solve(const struct dcp_globals *g, const struct dcp_suite_options *so,
      const struct dcp_packing_benchmark *benchmark,
      const struct dcp_bench_packing *b, const char *path,
      struct dcp_error *err)
{
    static const char *const names[] = {
        [DCP_PACK_OPTIMAL] = "optimal",
        [DCP_PACK_FEASIBLE] = "feasible",
        [DCP_PACK_INFEASIBLE] = "infeasible",
        [DCP_PACK_UNKNOWN] = "timeout",
    };
    struct dcp_pack_options o = options_of(g, benchmark);
    struct dcp_pack_answer a;
    uint64_t bins = 0;

    if (!dcp_pack_solve(&b->problem, &o, &a, err)) {
        return -1;
    }
    bool packed = a.status <= DCP_PACK_FEASIBLE;

    if (packed && !hand_over(b, &a.packing, so->output, &bins, err)) {
        dcp_pack_answer_finish(&a);
        return -1;
    }
    struct dcp_suite_result result = {
        .instance = path,
        .status = names[a.status],
        .value = packed ? (double)bins : NAN,
        .lower_bound = a.status == DCP_PACK_INFEASIBLE ? NAN : (double)a.bound,
        .moves = NAN,
        .solution = packed ? so->output : NULL,
    };

    dcp_pack_answer_finish(&a);
    return dcp_suite_end(g, &result);
}

int
dcp_packing_run(const struct dcp_globals *g, const struct dcp_suite_options *so,
                const struct dcp_packing_benchmark *benchmark, const char *path,
                struct dcp_error *err)
{
    struct dcp_bench_packing b;
    size_t length;
    DCP_FREE char *text = dcp_file_read(path, MAX_FILE_SIZE, &length, err);

    if (!text || !benchmark->read(path, text, length, &b, err)) {
        return -1;
    }
    int status = solve(g, so, benchmark, &b, path, err);

    dcp_bench_packing_finish(&b);
    return status;
}
