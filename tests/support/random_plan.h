/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_RANDOM_PLAN_H
#define DCP_TESTS_RANDOM_PLAN_H 1

/* A night's question about a random small datacenter, and the independent
 * checker's verdict on the plan that answers it. */

#include "model/check/check.h"
#include "tests/support/night.h"
#include "tests/support/random_joint.h"

#include <stdio.h>

static inline struct sample
random_plan_sample(uint64_t seed)
{
    return small_sample(seed, "sample", 10, RANDOM_RULES_MAX + 1u);
}

/* Every third with a joint history and policy.overload. */
static inline struct world
random_plan_model(const struct sample *s)
{
    struct world w = random_model(s);

    if (s->seed % 3 == 1) {
        random_joint(&w, s->seed);
    }
    return w;
}

static inline struct dcp_plan_request
random_plan_request(const struct world *w, const struct dcp_placement *start,
                    uint64_t seed)
{
    static const enum dcp_goal goals[] = { DCP_GOAL_COST, DCP_GOAL_HOSTS,
                                           DCP_GOAL_ENERGY };

    struct dcp_plan_request r =
        night_request(w, start, RANDOM_NIGHT, goals[seed % 3]);

    r.two_legs = seed % 4 != 0;
    /* A gap that is met early: the exact solver would take long. */
    r.solve = (struct dcp_solve_options){ .seed = seed,
                                          .iterations = 40,
                                          .time_limit_s = 1,
                                          .gap_frac = seed % 5 ? 0.3 : 0.05 };
    return r;
}

static inline bool
random_plan_counts_watts(const struct world *w)
{
    bool any = false;

    for (uint32_t r = 0; r < w->inv->n_racks; r++) {
        any = any || w->inv->racks[r].limit_w;
    }
    for (uint32_t f = 0; f < w->inv->n_feeds; f++) {
        any = any || w->inv->feeds[f].limit_w;
    }
    return any;
}

/* The checker's verdict on the plan. */
static inline bool
random_plan_is_legal(const struct world *w, const struct dcp_plan *plan,
                     char why[WHY])
{
    struct dcp_check_result r;
    struct dcp_error err = { 0 };

    if (!dcp_check_plan(w->inv, &w->demand, plan, &r, &err)) {
        (void)snprintf(why, WHY, "checker: %s", err.message);
        return false;
    }
    bool ok = r.pass &&
              (r.proof == DCP_PROOF_ALL_ORDERS || random_plan_counts_watts(w));

    for (uint32_t l = 0; l < plan->n_legs; l++) {
        if (plan->legs[l].makespan_ms < plan->legs[l].makespan_bound_ms) {
            (void)snprintf(why, WHY, "leg %u is faster than its bound", l);
            dcp_check_result_finish(&r);
            return false;
        }
    }

    if (!r.pass) {
        const struct dcp_violation *v = &r.violations[0];

        (void)snprintf(why, WHY, "step %u, rule %s, %s: %s", v->step, v->rule,
                       v->object, v->text);
    } else if (!ok) {
        (void)snprintf(why, WHY, "legal in the listed order only");
    }
    dcp_check_result_finish(&r);
    return ok;
}

#endif /* tests/support/random_plan.h */
