/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Neighbourhoods solved by programs: what stays is legal and cheaper, the same
 * seed gives the same places on one thread or two, and a worker that is killed
 * changes nothing. */

#include "solver/exact/parts.h"
#include "solver/search/parts.h"
#include "tests/support/asked.h"
#include "tests/unit/run_suite.h"

#include <string.h>

enum { SEEDS = 40 };

/* A question, and what first fit makes of it. */
static void
ask(struct asked *a, uint64_t seed)
{
    ask_at_random(a, seed);
    pack_by_first_fit(a, seed);
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
    ck_assert_msg(dcp_search_by_programs(&x, a->q.headroom, &result, &err), "%s",
                  err.message);
    ck_assert_uint_eq(x.in.trail.n, 0);
    ck_assert_uint_eq(x.homeless.n, 0);
    dcp_homeless_finish(&x.homeless);
    dcp_inserter_finish(&x.in);
    return result.programs;
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
        finish_question(&a);
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
        finish_question(&a);
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
        finish_question(&a);
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
    finish_question(&a);
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
