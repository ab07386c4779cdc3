/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_RUN_PROGRESS_H
#define DCP_SOLVER_RUN_PROGRESS_H 1

/* What a search has so far, told at each improvement.
 *
 * Told are legal answers only: everything is placed, headroom is kept where it
 * is asked for, rules about how many hosts are on hold.  Values fall from one
 * to the next within a question.  Whoever listens changes nothing: the answer
 * is the same with and without. */

#include <stdint.h>

struct dcp_progress {
    const char *part;    /* Of a plan: "night", "day"; else "". */
    const char *unit;    /* Of value and bound: "hosts", "EUR"; may be "". */
    double value, bound; /* Of the first goal, in the question's unit. */
    double gap_frac;     /* (value - bound) / |value|, at least 0. */
    uint32_t hosts_on, hosts_bound;
    double seconds; /* Since the question was asked. */
};

/* Called from the thread that solves, between two steps: it should be quick,
 * and must not call the solver. */
struct dcp_observer {
    void (*improved)(const struct dcp_progress *,
                     void *context); /* NULL:
                                      * nobody listens. */
    void *context;           /* The listener's own, handed back as it is. */
    const char *part, *unit; /* As in dcp_progress; NULL: "". */
};

/* Milliseconds of the monotonic clock. */
int64_t dcp_monotonic_ms(void);
/* CPU seconds of the calling thread, which no other program lengthens. */
double dcp_thread_cpu_s(void);

/* Tells; fills in the gap, and the seconds since 'started_ms'. */
void dcp_observer_tell(const struct dcp_observer *, struct dcp_progress,
                       int64_t started_ms);

#endif /* solver/run/progress.h */
