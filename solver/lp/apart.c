/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/lp/apart.h"

#include <stdlib.h>
#include <string.h>

struct question {
    struct dcp_lp *lp;
    struct dcp_lp_options options;
};

/* As one block, which the pipe carries. */
struct reply {
    struct dcp_lp_answer answer;
    double x[];
};

static bool
solve(const void *context, void *result, struct dcp_error *err)
{
    const struct question *q = context;
    struct reply *reply = result;

    return dcp_lp_solve(q->lp, &q->options, &reply->answer, reply->x, err);
}

bool
dcp_lp_solve_apart(struct dcp_lp *lp, const struct dcp_lp_options *options,
                   const struct dcp_worker_limits *limits,
                   struct dcp_lp_answer *out, double *x, struct dcp_error *err)
{
    uint32_t n = dcp_lp_n_cols(lp);
    size_t size = sizeof(struct reply) + n * sizeof(double);
    DCP_FREE struct reply *reply = calloc(1, size);
    struct question q = { lp, *options };
    double soft_s = 0.9 * limits->deadline_s;
    bool late;

    if (!reply) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a linear program");
    }
    if (!(q.options.time_limit_s > 0) || q.options.time_limit_s > soft_s) {
        q.options.time_limit_s = soft_s;
    }
    if (!dcp_worker_run(limits, solve, &q, reply, size, &late, err)) {
        return false;
    }
    *out = late ? (struct dcp_lp_answer){ .status = DCP_LP_UNKNOWN,
                                          .bound = -DCP_LP_INF }
                : reply->answer;
    if (x &&
        (out->status == DCP_LP_OPTIMAL || out->status == DCP_LP_FEASIBLE)) {
        memcpy(x, reply->x, n * sizeof *x);
    }
    return true;
}
