/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The time of one plan: a limit for all of its questions together. */

#include "solver/plan/work.h"

#define DEFAULT_LIMIT_S 30.0
#define NO_LIMIT_S      1e6 /* Iterations limit instead, the same everywhere. */

double
dcp_work_limit_s(const struct dcp_work *w)
{
    const struct dcp_solve_options *o = &w->r->solve;

    return o->time_limit_s > 0 ? o->time_limit_s
           : o->iterations     ? NO_LIMIT_S
                               : DEFAULT_LIMIT_S;
}

int64_t
dcp_work_deadline_ms(const struct dcp_work *w)
{
    return dcp_work_limit_s(w) < NO_LIMIT_S
               ? w->started_ms + (int64_t)(dcp_work_limit_s(w) * 1000)
               : 0;
}

bool
dcp_work_time_is_up(const struct dcp_work *w)
{
    int64_t deadline_ms = dcp_work_deadline_ms(w);

    return deadline_ms && dcp_monotonic_ms() >= deadline_ms;
}

double
dcp_work_spent_s(const struct dcp_work *w)
{
    return (double)(dcp_monotonic_ms() - w->started_ms) / 1000;
}

bool
dcp_work_is_late(const struct dcp_work *w, double share)
{
    const struct dcp_solve_options *o = &w->r->solve;

    return (o->time_limit_s > 0 || !o->iterations) &&
           dcp_work_spent_s(w) > dcp_work_limit_s(w) * (1 + share);
}
