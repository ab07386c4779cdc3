/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Neighbourhoods solved by programs: what stays is legal and cheaper, the same
 * seed gives the same places on one thread or two, and a worker that is killed
 * changes nothing. */

#include "solver/exact/parts.h"
#include "solver/search/parts.h"
#include "tests/support/question.h"
#include "tests/support/random_model.h"
#include "tests/unit/run_suite.h"

#include <string.h>

enum { SEEDS = 40 };

struct asked {
    struct world w;
    struct dcp_placement *start;
    struct dcp_question q;
    struct dcp_problem *p;
    struct dcp_state *s;
    struct dcp_bound bound;
    bool complete, headroom;
};

/* A question and what first fit makes of it. */
static void
ask(struct asked *a, uint64_t seed)
{
    struct sample sample = { seed, 10, 60, seed % 6 };
    struct dcp_search_options options = { .strategy = DCP_STRATEGY_FFD,
                                          .seed = seed,
                                          .deadline_ms = INT64_MAX };
    struct dcp_search_result result;
    struct dcp_error err = { 0 };

    *a = (struct asked){ .w = random_model(&sample), .headroom = seed % 2 };
    a->start = dcp_placement_start(a->w.inv, NULL);
    a->q = question_of(&a->w, a->start);
    a->q.headroom = a->headroom;
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

static uint64_t
search(struct asked *a, struct dcp_state *s, uint32_t threads,
       int64_t deadline_ms)
{
    struct dcp_search_options options = { .seed = 7,
                                          .iterations = 400,
                                          .threads = threads,
                                          .deadline_ms = deadline_ms };
    struct dcp_search_result result = { 0 };
    struct search x = {
        .s = s, .p = a->p, .bound = &a->bound, .options = &options
    };
    struct dcp_error err = { 0 };

    ck_assert(dcp_inserter_init(&x.in, s, 1, &err) &&
              dcp_homeless_init(&x.homeless, a->p, &err));
    ck_assert_msg(dcp_search_by_programs(&x, a->headroom, &result, &err), "%s",
                  err.message);
    ck_assert_uint_eq(x.in.trail.n, 0);
    ck_assert_uint_eq(x.homeless.n, 0);
    dcp_homeless_finish(&x.homeless);
    dcp_inserter_finish(&x.in);
    return result.programs;
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
    uint32_t n_programs = 0, n_better = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct asked a;
        struct dcp_error err = { 0 };

        ask(&a, seed);
        DCP_AUTO(dcp_state)
        struct dcp_state *again = dcp_state_create(a.p, &err);

        if (a.complete) {
            double before = dcp_search_value(a.s);

            dcp_state_assign(again, a.s);
            uint64_t n = search(&a, a.s, 1, INT64_MAX);

            ck_assert_uint_eq(search(&a, again, 2, INT64_MAX), n);
            ck_assert_mem_eq(again->host, a.s->host,
                             a.p->n_items * sizeof *again->host);
            ck_assert_mem_eq(again->on, a.s->on, a.p->n_hosts);
            expect_legal(&a, a.s);
            ck_assert(dcp_search_value(a.s) <= before);
            ck_assert(dcp_search_value(a.s) == dcp_objective_measure(a.s, 0));
            n_programs += (uint32_t)n;
            n_better += dcp_search_value(a.s) < before;
        }
        dcp_state_destroy(again);
        again = NULL;
        finish(&a);
    }
    printf("%u programs; %u of %d models are cheaper for them\n", n_programs,
           n_better, SEEDS);
    ck_assert_uint_gt(n_programs, 15);
    ck_assert_uint_gt(n_better, 0);
}
END_TEST

/* The whole search, from the start. */
static void
run_whole(const struct asked *a, struct dcp_state *s, uint32_t threads,
          struct dcp_search_result *out)
{
    struct dcp_search_options options = { .seed = 5,
                                          .iterations = 60,
                                          .threads = threads,
                                          .deadline_ms = INT64_MAX };
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_search_run(s, &a->bound, &options, out, &err), "%s",
                  err.message);
}

START_TEST(two_threads_find_what_one_does)
{
    for (uint64_t seed = 0; seed < 12; seed++) {
        struct asked a;
        struct dcp_error err = { 0 };
        struct dcp_search_result r1, r2;

        ask(&a, seed);
        DCP_AUTO(dcp_state)
        struct dcp_state *one = dcp_state_create(a.p, &err);
        DCP_AUTO(dcp_state)
        struct dcp_state *two = dcp_state_create(a.p, &err);

        if (!a.bound.infeasible) {
            run_whole(&a, one, 1, &r1);
            run_whole(&a, two, 2, &r2);
            ck_assert_uint_eq(r1.complete, r2.complete);
            ck_assert_uint_eq(r1.rounds, r2.rounds);
            ck_assert_uint_eq(r1.programs, r2.programs);
            ck_assert_mem_eq(one->host, two->host,
                             a.p->n_items * sizeof *one->host);
            ck_assert_mem_eq(one->on, two->on, a.p->n_hosts);
        }
        dcp_state_destroy(one);
        dcp_state_destroy(two);
        one = two = NULL;
        finish(&a);
    }
}
END_TEST

START_TEST(a_deadline_leaves_a_legal_state)
{
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct asked a;

        ask(&a, seed);
        if (a.complete) {
            double before = dcp_search_value(a.s);

            (void)search(&a, a.s, 2, dcp_monotonic_ms() + 4);
            expect_legal(&a, a.s);
            ck_assert(dcp_search_value(a.s) <= before);
        }
        finish(&a);
    }
}
END_TEST

START_TEST(a_killed_worker_changes_nothing)
{
    struct asked a;
    struct dcp_error err = { 0 };
    uint32_t list[64];

    ask(&a, 0);
    ck_assert(a.complete);
    for (uint32_t i = 0; i < 64; i++) {
        list[i] = i;
    }
    DCP_AUTO(dcp_state) struct dcp_state *empty = dcp_state_create(a.p, &err);

    dcp_state_assign(empty, a.s);
    for (uint32_t i = 0; i < a.p->n_items; i++) {
        dcp_state_remove(empty, i);
    }
    struct dcp_exact m = { .p = a.p,
                           .s = empty,
                           .known_at = a.s->host,
                           .starts = true,
                           .member = list,
                           .first = list,
                           .host = list,
                           .n_kinds = a.p->n_items,
                           .n_hosts = a.p->n_hosts };
    struct dcp_lp_answer answer;

    ck_assert(dcp_exact_build(&m));
    DCP_FREE double *x = calloc(dcp_lp_n_cols(m.lp) + 1u, sizeof *x);

    ck_assert(dcp_exact_solve(&m, 1e-6, 0, &answer, x, &err));
    ck_assert_int_eq(answer.status, DCP_LP_UNKNOWN);
    ck_assert(answer.bound <= -DCP_LP_INF);
    expect_legal(&a, a.s);
    dcp_exact_finish(&m);
    dcp_state_destroy(empty);
    empty = NULL;
    finish(&a);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &answers_are_legal_cheaper_and_the_same_again,
        &two_threads_find_what_one_does,
        &a_deadline_leaves_a_legal_state,
        &a_killed_worker_changes_nothing,
    };

    return RUN_TESTS("search_program", tests);
}
