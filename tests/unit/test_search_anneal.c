/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Annealing of watts: what stays is legal, keeps headroom and costs less; the
 * same seed gives the same places; where moves have a price there are fewer;
 * where watts do not count nothing is done. */

#include "solver/search/parts.h"
#include "tests/support/asked.h"
#include "tests/unit/run_suite.h"

enum { SEEDS = 40 };

/* A question about energy, and what first fit makes of it. */
static void
ask(struct asked *a, uint64_t seed, enum dcp_goal goal)
{
    ask_at_random(a, seed);
    ask_for_goal(a, goal);
    pack_by_first_fit(a, seed);
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
    ck_assert_msg(dcp_search_anneal(&x, a->q.headroom, &result, &err), "%s",
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
        finish_question(&a);
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
        finish_question(&a);
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
    finish_question(&a);
    ask(&a, 0, DCP_GOAL_ENERGY);
    a.q.limits_moves = true;
    (void)anneal(&a, a.s, &rounds);
    ck_assert_uint_eq(rounds, 0);
    finish_question(&a);
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
