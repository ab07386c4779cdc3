/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/run/progress.h"

#include <math.h>
#include <time.h>

int64_t
dcp_monotonic_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
dcp_observer_tell(const struct dcp_observer *o, struct dcp_progress p,
                  int64_t started_ms)
{
    if (!o->improved) {
        return;
    }
    p.part = o->part ? o->part : "";
    p.unit = o->unit ? o->unit : "";
    p.bound = fmin(p.bound, p.value);
    p.gap_frac = (p.value - p.bound) / fmax(fabs(p.value), 1e-9);
    p.seconds = (double)(dcp_monotonic_ms() - started_ms) / 1000;
    o->improved(&p, o->context);
}

double
dcp_thread_cpu_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
