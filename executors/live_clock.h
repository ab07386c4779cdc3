/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_LIVE_CLOCK_H
#define DCP_EXECUTORS_LIVE_CLOCK_H 1

/* The clock of executors that act on real things: the system's, plus a constant
 * that is 0 but in rehearsals (--now), and never back.  One thread. */

#include <stdint.h>
#include <time.h>

struct dcp_live_clock {
    int64_t shift_ms; /* Added to the system's. */
    int64_t last_ms;  /* Told last. */
};

/* ms since 1970 UTC. */
static inline int64_t
dcp_live_clock_ms(struct dcp_live_clock *c)
{
    struct timespec t = { 0 };

    (void)clock_gettime(CLOCK_REALTIME, &t);
    int64_t now_ms =
        (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + c->shift_ms;

    c->last_ms = now_ms > c->last_ms ? now_ms : c->last_ms;
    return c->last_ms;
}

#endif /* executors/live_clock.h */
