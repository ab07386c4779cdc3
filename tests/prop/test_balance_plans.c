/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Evening out random small datacenters: every plan is legal in every order by
 * the independent checker, within its moves and no worse than before; the value
 * that is kept by moves is the value counted anew; no bound is above what brute
 * force finds. */

#include "solver/balance/even.h"
#include "solver/objective.h"
#include "solver/plan/planner.h"
#include "tests/support/night.h"
#include "tests/support/random_joint.h"
#include "tests/support/verdict.h"
#include "tests/unit/run_suite.h"

#include <math.h>
#include <stdio.h>

#define NEAR 1e-7

static const enum dcp_even_score scores[] = { DCP_EVEN_PEAK, DCP_EVEN_HOURS,
                                              DCP_EVEN_GANETI };

static struct sample
small(uint64_t seed)
{
    return small_sample(seed, "sample", 10, RANDOM_RULES_MAX + 1u);
}

static struct sample
tiny(uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "tiny", 0);

    return (struct sample){ .seed = seed,
                            .n_hosts = 2 + draw(&rng, 2),
                            .n_vms = 3 + draw(&rng, 4) };
}

static bool
say(char why[WHY], const char *what, double a, double b)
{
    (void)snprintf(why, WHY, "%s: %.12g, %.12g", what, a, b);
    return false;
}

static uint32_t n_plans;

static bool
plan_is_legal(const struct sample *s, char why[WHY])
{
    struct world w = random_model(s);

    if (s->seed % 3 == 1) {
        random_joint(&w, s->seed);
    }
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(w.inv, NULL);
    const struct dcp_plan_request r = {
        .inventory = w.inv,
        .demand = &w.demand,
        .start = start,
        .job = DCP_JOB_BALANCE,
        .start_ms = WORLD_T0,
        .window_end_ms = WORLD_T0 + RANDOM_NIGHT * DCP_HOUR_MS,
        .goals = dcp_goals_single(DCP_GOAL_BALANCE),
        .even_score = scores[s->seed % 3],
        .max_moves = s->seed % 4 * 2,
        .solve = { .seed = s->seed, .iterations = 3000, .time_limit_s = 5 },
    };
    DCP_AUTO(dcp_plan) struct dcp_plan *plan = NULL;
    struct dcp_plan_outcome o;
    struct dcp_error err = { 0 };
    bool ok = dcp_plan_make(&r, &plan, &o, &err);

    if (!ok) {
        (void)snprintf(why, WHY, "planner: %s", err.message);
    }
    if (ok && plan) {
        n_plans++;
        ok = plan_passes(&w, plan, why, WHY);
        if (ok && r.max_moves && o.moves > r.max_moves) {
            ok = say(why, "moves", o.moves, (double)r.max_moves);
        }
        if (ok && o.after < o.lower_bound - NEAR) {
            ok = say(why, "bound", o.after, o.lower_bound);
        }
        for (uint32_t h = 0; ok && h < w.inv->n_hosts; h++) {
            ok = plan->legs[0].after->on[h] == start->on[h];
        }
    }
    world_free(&w);
    return ok;
}

START_TEST(plans_are_legal)
{
    try_samples(small, plan_is_legal, part_of(300));
    if (!getenv("DCP_PROP_SEED")) {
        ck_assert_uint_ge(n_plans, part_of(60));
    }
}
END_TEST

/* --- Values ------------------------------------------------------------- */

struct asked {
    struct world w;
    struct dcp_placement *start;
    struct dcp_goals goals;
    struct dcp_goal_terms terms;
    struct dcp_question q;
    struct dcp_problem *p;
    struct dcp_state *s;
};

static struct asked *
ask(const struct sample *sample)
{
    struct asked *a = calloc(1, sizeof *a);

    a->w = random_model(sample);
    a->start = dcp_placement_start(a->w.inv, NULL);
    a->goals = dcp_goals_single(DCP_GOAL_BALANCE);
    a->terms =
        (struct dcp_goal_terms){ .goals = &a->goals, .paid_to = RANDOM_NIGHT };
    a->q = (struct dcp_question){ .inventory = a->w.inv,
                                  .demand = &a->w.demand,
                                  .last_slot = RANDOM_NIGHT,
                                  .start = a->start,
                                  .gentle = true,
                                  .terms = &a->terms };
    a->p = dcp_problem_create(&a->q, NULL);
    a->s = dcp_state_create(a->p, NULL);
    ck_assert_ptr_nonnull(a->s);
    return a;
}

static void
done(struct asked *a)
{
    dcp_state_destroy(a->s);
    dcp_problem_destroy(a->p);
    dcp_placement_destroy(a->start);
    world_free(&a->w);
    free(a);
}

static bool
walk(struct asked *a, enum dcp_even_score score, struct dcp_rng *rng,
     char why[WHY])
{
    struct dcp_evenness e, again;
    bool ok = dcp_evenness_init(&e, a->s, score, NULL);

    for (uint32_t k = 0; ok && k < 40; k++) {
        uint32_t i = draw(rng, a->p->n_items), to = draw(rng, a->p->n_hosts);
        uint32_t j = draw(rng, 2) ? a->s->first[to] : DCP_IX_NONE;
        uint32_t from = a->s->host[i];

        if (!e.counts[to] || from == DCP_IX_NONE || from == to) {
            continue;
        }
        double tried = dcp_evenness_try(&e, i, to, j);

        dcp_state_remove(a->s, i);
        dcp_state_place(a->s, i, to);
        if (j != DCP_IX_NONE) {
            dcp_state_remove(a->s, j);
            dcp_state_place(a->s, j, from);
        }
        dcp_evenness_update(&e, from);
        dcp_evenness_update(&e, to);
        ok = dcp_evenness_init(&again, a->s, score, NULL);
        double fresh = dcp_evenness_value(&again);

        dcp_evenness_finish(&again);
        if (fabs(tried - fresh) > 1e-5 ||
            fabs(dcp_evenness_value(&e) - fresh) > 1e-5) {
            ok = say(why, "value", tried, fresh);
        }
        if (ok && score == DCP_EVEN_PEAK &&
            fabs(fresh - dcp_objective_measure(a->s, 0)) > 1e-5) {
            ok = say(why, "goal", fresh, dcp_objective_measure(a->s, 0));
        }
    }
    dcp_evenness_finish(&e);
    return ok;
}

static bool
values_agree(const struct sample *sample, char why[WHY])
{
    struct asked *a = ask(sample);
    struct dcp_rng rng = dcp_rng_stream(sample->seed, "walk", 0);
    bool ok = true;

    for (uint32_t k = 0; ok && k < 3; k++) {
        ok = walk(a, scores[k], &rng, why);
    }
    done(a);
    return ok;
}

START_TEST(values_are_kept_by_moves)
{
    try_samples(small, values_agree, part_of(150));
}
END_TEST

/* --- Bounds and the search ---------------------------------------------- */

/* The best value over all legal states with at most 'left' VMs moved. */
static double
brute(struct asked *a, enum dcp_even_score score, uint32_t item, uint32_t left)
{
    struct dcp_evenness e;

    if (item == a->p->n_items) {
        ck_assert(dcp_evenness_init(&e, a->s, score, NULL));
        double value = dcp_evenness_value(&e);

        dcp_evenness_finish(&e);
        return value;
    }
    uint32_t home = a->s->host[item];
    uint32_t n = a->p->vm_first[item + 1] - a->p->vm_first[item];
    double best = brute(a, score, item + 1, left);

    for (uint32_t h = 0; h < a->p->n_hosts && n <= left; h++) {
        if (h == home || !a->s->on[h] || a->p->use[h] == DCP_HOST_AVOID ||
            !dcp_problem_reaches(a->p, item, h)) {
            continue;
        }
        dcp_state_remove(a->s, item);
        dcp_state_place(a->s, item, h);
        best = fmin(best, brute(a, score, item + 1, left - n));
        dcp_state_remove(a->s, item);
        dcp_state_place(a->s, item, home);
    }
    return best;
}

static bool
bound_holds(const struct sample *sample, char why[WHY])
{
    struct asked *a = ask(sample);
    bool ok = true, placed = true;

    for (uint32_t i = 0; i < a->p->n_items; i++) {
        placed = placed && a->s->host[i] != DCP_IX_NONE;
    }
    for (uint32_t k = 0; ok && placed && k < 3; k++) {
        for (uint32_t limit = 0; ok && limit < 3; limit++) {
            double bound;
            double best = brute(a, scores[k], 0, limit ? limit : 100);

            ck_assert(dcp_even_bound(a->s, scores[k], limit, &bound, NULL));
            if (bound > best + 1e-9) {
                ok = say(why, "bound", bound, best);
            }
        }
    }
    done(a);
    return ok;
}

START_TEST(bounds_hold)
{
    try_samples(tiny, bound_holds, part_of(100));
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &plans_are_legal,
        &values_are_kept_by_moves,
        &bounds_hold,
    };

    return RUN_TESTS("balance_plans", tests);
}
