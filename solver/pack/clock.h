/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_PACK_CLOCK_H
#define DCP_SOLVER_PACK_CLOCK_H 1

/* Deadlines, as seconds of the monotonic clock. */

#include <float.h>
#include <time.h>

#define DCP_PACK_NO_DEADLINE DBL_MAX

static inline double
dcp_pack_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#endif /* solver/pack/clock.h */
