/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The time of one plan: a limit for all of its questions together. */

#include "solver/plan/work.h"

#define DEFAULT_LIMIT_S 30.0
#define NO_LIMIT_S      1e6 /* Iterations limit instead, the same everywhere. */
/* In units of what compiling a question took, as measured at 10,000 hosts x
 * 100,000 VMs: what comes after all questions of a night, or of one leg; and a
 * question at least. */
#define AFTER_NIGHT 20.0
#define AFTER_LEG   9.0
#define AFTER_EVENING                                                          \
    7.0 /* Of that, what comes after the first of two legs.                    \
         */
#define LEAST_ANSWER 8.0
/* Of the limit, and so much more: less is worth the wait. */
#define HOPELESS_FRAC 1.25
#define HOPELESS_S    0.2

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

int64_t
dcp_work_first_leg_deadline_ms(const struct dcp_work *w)
{
    int64_t deadline_ms = dcp_work_deadline_ms(w);
    double rest = w->r->two_legs ? AFTER_EVENING : AFTER_LEG / 2;

    return deadline_ms ? deadline_ms - (int64_t)(w->made_s * rest * 1000) : 0;
}

bool
dcp_work_time_is_up(const struct dcp_work *w)
{
    int64_t deadline_ms = dcp_work_deadline_ms(w);

    return deadline_ms && dcp_monotonic_ms() >= deadline_ms;
}

double
dcp_work_after_s(const struct dcp_work *w)
{
    return w->made_s * (w->r->two_legs ? AFTER_NIGHT : AFTER_LEG);
}

double
dcp_work_least_s(const struct dcp_work *w)
{
    bool day_too = w->r->two_legs && !w->night.placement;

    return dcp_work_after_s(w) + w->made_s * LEAST_ANSWER * (1 + day_too);
}

bool
dcp_work_is_hopeless(const struct dcp_work *w)
{
    return dcp_work_deadline_ms(w) &&
           dcp_work_spent_s(w) + dcp_work_least_s(w) >
               HOPELESS_FRAC * dcp_work_limit_s(w) + HOPELESS_S;
}

bool
dcp_work_is_short(const struct dcp_work *w)
{
    return dcp_work_deadline_ms(w) &&
           dcp_work_spent_s(w) + dcp_work_least_s(w) > dcp_work_limit_s(w);
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
