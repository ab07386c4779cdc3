/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_PLAN_TIMES_H
#define DCP_MODEL_PLAN_TIMES_H 1

/* A plan on a clock: when each step runs, by the plan's own estimates.
 *
 * Steps start in the plan's order, each as soon as its leg has begun, what it
 * waits for is done, the time that it states has come, and both its hosts have
 * a free place (plan->limits).  That is serial schedule generation (Kolisch,
 * Serial and parallel resource-constrained project scheduling methods
 * revisited, EJOR 90, 1996).  What a leg really takes is for the simulator. */

#include "model/plan.h"

/* Start and end of each step, by its position, and of each leg the end of its
 * last step.  The arrays have room for plan->n_steps and plan->n_legs; 'arena'
 * is for scratch. */
bool dcp_plan_times(const struct dcp_inventory *, const struct dcp_plan *,
                    struct dcp_arena *, int64_t start_ms[], int64_t end_ms[],
                    int64_t leg_end_ms[], struct dcp_error *err) DCP_CHECKED;

struct dcp_plan_event {
    int64_t at_ms;
    bool is_end;   /* Ends come before starts of the same instant. */
    uint32_t step; /* Position. */
};
/* The starts and ends of all steps in the order of time: 2 x plan->n_steps of
 * them, in 'arena'.  NULL: out of memory. */
struct dcp_plan_event *
dcp_plan_events(const struct dcp_plan *, const int64_t start_ms[],
                const int64_t end_ms[], struct dcp_arena *arena);

#endif /* model/plan_times.h */
