/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Annealing of watts: what stays is legal, keeps headroom and costs less; the
 * same seed gives the same places; where moves have a price there are fewer;
 * where watts do not count nothing is done. */

#include "solver/search/parts.h"
#include "tests/support/question.h"
#include "tests/support/random_model.h"
#include "tests/unit/run_suite.h"

enum { SEEDS = 40 };

struct asked {
    struct world w;
    struct dcp_placement *start;
    struct dcp_goals goals;
    struct dcp_goal_terms terms;
    struct dcp_question q;
    struct dcp_problem *p;
    struct dcp_state *s;
    struct dcp_bound bound;
    bool complete, headroom;
};

/* A question about energy, and what first fit makes of it. */
static void
ask(struct asked *a, uint64_t seed, enum dcp_goal goal)
{
    struct sample sample = { seed, 10, 60, seed % 6 };
    struct dcp_search_options options = { .strategy = DCP_STRATEGY_FFD,
                                          .seed = seed,
                                          .deadline_ms = INT64_MAX };
    struct dcp_search_result result;
    struct dcp_error err = { 0 };

    *a = (struct asked){ .w = random_model(&sample), .headroom = seed % 2 };
    a->start = dcp_placement_start(a->w.inv, NULL);
    a->goals = dcp_goals_single(goal);
    a->terms = (struct dcp_goal_terms){ .goals = &a->goals,
                                        .paid_to = a->w.demand.n_slots };
    a->q = question_of(&a->w, a->start);
    a->q.headroom = a->headroom;
    a->q.terms = &a->terms;
    a->p = problem_of(&a->q);
    a->s = state_of(a->p);
    ck_assert(dcp_bound_compute(a->p, 1, &a->bound, &err));
    a->bound.value = 0; /* Not to stop at it. */
    if (!a->bound.infeasible) {
        ck_assert(dcp_search_run(a->s, &a->bound, &options, &result, &err));
        a->complete = result.complete;
    }
}

static void
finish(struct asked *a)
{
    dcp_state_destroy(a->s);
    dcp_problem_destroy(a->p);
    dcp_placement_destroy(a->start);
    world_free(&a->w);
}

/* Returns the VMs away from their start. */
static uint32_t
anneal(struct asked *a, struct dcp_state *s, uint64_t *out_rounds)
{
    struct dcp_search_options options = { .seed = 7, .deadline_ms = INT64_MAX };
    struct dcp_search_result result = { 0 };
    struct dcp_error err = { 0 };
    struct search x;

    ck_assert(dcp_search_begin(&x, s, &a->bound, &options, 0, &err));
    ck_assert_msg(dcp_search_anneal(&x, a->headroom, &result, &err), "%s",
                  err.message);
    ck_assert_uint_eq(x.in.trail.n, 0);
    uint32_t moves = 0;

    for (uint32_t i = 0; i < a->p->n_items; i++) {
        moves += dcp_pricing_moves(a->p, i, s->host[i]);
    }
    dcp_search_end(&x);
    *out_rounds = result.rounds;
    return moves;
}

static void
expect_legal(struct asked *a, struct dcp_state *s)
{
    struct dcp_headroom headroom = { .ok = true };
    struct dcp_error err = { 0 };

    for (uint32_t i = 0; i < a->p->n_items; i++) {
        uint32_t h = s->host[i];

        ck_assert(h != DCP_IX_NONE && s->on[h]);
        dcp_state_remove(s, i);
        ck_assert(dcp_state_fits(s, i, h) && dcp_state_allowed(s, i, h));
        dcp_state_place(s, i, h);
    }
    ck_assert(!a->headroom ||
              dcp_headroom_check(s, NULL, NULL, &headroom, &err));
    ck_assert(headroom.ok && !dcp_state_broken_power_rule(s));
}

START_TEST(answers_are_legal_cheaper_and_the_same_again)
{
    uint32_t n_better = 0, n_complete = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct asked a;
        struct dcp_error err = { 0 };
        uint64_t rounds;

        ask(&a, seed, DCP_GOAL_ENERGY);
        DCP_AUTO(dcp_state)
        struct dcp_state *again = dcp_state_create(a.p, &err);

        if (a.complete) {
            double before = dcp_search_value(a.s);
            uint32_t on = a.s->n_on;

            dcp_state_assign(again, a.s);
            (void)anneal(&a, a.s, &rounds);
            (void)anneal(&a, again, &rounds);
            ck_assert_uint_eq(rounds, (uint64_t)a.p->n_items * 4000 / 2000);
            ck_assert_mem_eq(again->host, a.s->host,
                             a.p->n_items * sizeof *again->host);
            expect_legal(&a, a.s);
            ck_assert_uint_eq(a.s->n_on, on);
            ck_assert(dcp_search_value(a.s) <= before);
            ck_assert_double_eq_tol(dcp_search_value(a.s),
                                    dcp_objective_measure(a.s, 0), 1e-6);
            n_complete++;
            n_better += dcp_search_value(a.s) < before;
        }
        dcp_state_destroy(again);
        again = NULL;
        finish(&a);
    }
    printf("%u of %u models are cheaper for it\n", n_better, n_complete);
    ck_assert_uint_gt(n_better, n_complete / 2);
}
END_TEST

START_TEST(moves_have_a_price_in_gentle_questions)
{
    uint32_t free_moves = 0, priced_moves = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct asked a;
        struct dcp_error err = { 0 };
        uint64_t rounds;

        ask(&a, seed, DCP_GOAL_ENERGY);
        DCP_AUTO(dcp_state)
        struct dcp_state *gentle = dcp_state_create(a.p, &err);

        if (a.complete) {
            dcp_state_assign(gentle, a.s);
            free_moves += anneal(&a, a.s, &rounds);
            a.q.gentle = true;
            priced_moves += anneal(&a, gentle, &rounds);
            expect_legal(&a, gentle);
        }
        dcp_state_destroy(gentle);
        gentle = NULL;
        finish(&a);
    }
    ck_assert_uint_lt(priced_moves, free_moves);
}
END_TEST

START_TEST(nothing_is_done_without_watts_or_within_moves)
{
    struct asked a;
    uint64_t rounds;

    ask(&a, 0, DCP_GOAL_HOSTS);
    ck_assert(a.complete);
    (void)anneal(&a, a.s, &rounds);
    ck_assert_uint_eq(rounds, 0);
    finish(&a);
    ask(&a, 0, DCP_GOAL_ENERGY);
    a.q.limits_moves = true;
    (void)anneal(&a, a.s, &rounds);
    ck_assert_uint_eq(rounds, 0);
    finish(&a);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &answers_are_legal_cheaper_and_the_same_again,
        &moves_have_a_price_in_gentle_questions,
        &nothing_is_done_without_watts_or_within_moves,
    };

    return RUN_TESTS("search_anneal", tests);
}
