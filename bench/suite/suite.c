/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "bench/suite/suite.h"

#include "model/io/json_writer.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

const struct dcp_opt dcp_suite_rows[DCP_SUITE_N_ROWS] = {
    { "output", 'o', DCP_OPT_FILE, offsetof(struct dcp_suite_options, output),
      "SOLUTION", NULL, NULL, "Write the solution to this file." },
    { "max-moves", 0, DCP_OPT_UINT,
      offsetof(struct dcp_suite_options, max_moves), "K", NULL, "0",
      "Move at most so many; 0: no limit." },
};

static double
cpu_seconds(const struct rusage *u)
{
    return (double)u->ru_utime.tv_sec + (double)u->ru_utime.tv_usec / 1e6 +
           (double)u->ru_stime.tv_sec + (double)u->ru_stime.tv_usec / 1e6;
}

int
dcp_suite_end(const struct dcp_globals *g, const struct dcp_suite_result *r)
{
    struct rusage own, children;
    struct timespec now;
    struct dcp_json w;
    double ms;

    (void)getrusage(RUSAGE_SELF, &own);
    (void)getrusage(RUSAGE_CHILDREN, &children);
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    ms = (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;

    dcp_json_init(&w, false);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "instance", r->instance);
    dcp_json_kstring(&w, "status", r->status);
    dcp_json_kdouble(&w, "value", r->value);
    dcp_json_kdouble(&w, "lower_bound", r->lower_bound);
    dcp_json_kdouble(&w, "seconds", (ms - (double)g->started_ms) / 1e3);
    dcp_json_kdouble(&w, "cpu_seconds",
                     cpu_seconds(&own) + cpu_seconds(&children));
    dcp_json_kdouble(&w, "peak_rss_mib", (double)own.ru_maxrss / 1024.0);
    dcp_json_kdouble(&w, "moves", r->moves);
    dcp_json_kstring(&w, "solution", r->solution);
    dcp_json_end(&w, '}');

    const char *text = dcp_json_text(&w);

    if (text) {
        puts(text);
    }
    dcp_json_finish(&w);
    if (!text || !strcmp(r->status, "timeout")) {
        return 1;
    }
    return strcmp(r->status, "infeasible") ? 0 : 3;
}
