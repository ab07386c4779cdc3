/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_BENCH_PACKING_H
#define DCP_BENCH_PACKING_H 1

/* What the two packing benchmarks share: read, solve, write, recount. */

#include "bench/suite/read_vbp.h"
#include "bench/suite/suite.h"

struct dcp_packing_benchmark {
    bool (*read)(const char *path, const char *text, size_t length,
                 struct dcp_bench_packing *out, struct dcp_error *err);
    double time_limit_s; /* The default. */
};

/* The exit status, or -1 with 'err' filled. */
int
dcp_packing_run(const struct dcp_globals *, const struct dcp_suite_options *,
                const struct dcp_packing_benchmark *, const char *path,
                struct dcp_error *err);

extern const struct dcp_command dcp_suite_cmd_vbp, dcp_suite_cmd_bpp;

#endif /* bench/suite/packing.h */
