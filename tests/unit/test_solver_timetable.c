/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Times of tasks that share stocks, against every timetable there is. */

#include "model/base/rng.h"
#include "solver/schedule/timetable.h"
#include "tests/unit/run_suite.h"

#include <stdio.h>

enum { MOST_TASKS = 5, MOST_STOCKS = 3, MOST_EFFECTS = 12, MOST_TIME = 20 };

/* A timetable in the open, for the recount. */
struct puzzle {
    uint32_t n_tasks, n_stocks, n_effects, n_waits;
    int64_t duration[MOST_TASKS], release[MOST_TASKS];
    int64_t level[MOST_STOCKS], limit[MOST_STOCKS];
    struct {
        uint32_t task, stock;
        int64_t at_start, at_end;
    } effect[MOST_EFFECTS];
    struct {
        uint32_t task, before;
    } wait[MOST_TASKS];
};

static struct dcp_timetable *
seal(const struct puzzle *p)
{
    struct dcp_timetable *t = dcp_timetable_create();
    struct dcp_error err = { 0 };

    for (uint32_t s = 0; s < p->n_stocks; s++) {
        ck_assert_uint_eq(dcp_timetable_add_stock(t, p->level[s], p->limit[s]),
                          s);
    }
    for (uint32_t i = 0; i < p->n_tasks; i++) {
        ck_assert_uint_eq(
            dcp_timetable_add_task(t, p->duration[i], p->release[i], INT64_MAX),
            i);
    }
    for (uint32_t e = 0; e < p->n_effects; e++) {
        dcp_timetable_add_effect(t, p->effect[e].task, p->effect[e].stock,
                                 p->effect[e].at_start, p->effect[e].at_end);
    }
    for (uint32_t w = 0; w < p->n_waits; w++) {
        dcp_timetable_add_wait(t, p->wait[w].task, p->wait[w].before);
    }
    ck_assert_msg(dcp_timetable_seal(t, &err), "%s", err.message);
    return t;
}

/* Level of the stock just after everything at 'now' has happened. */
static int64_t
level_at(const struct puzzle *p, const int64_t start[], uint32_t s, int64_t now)
{
    int64_t level = p->level[s];

    for (uint32_t e = 0; e < p->n_effects; e++) {
        uint32_t i = p->effect[e].task;

        if (p->effect[e].stock != s || start[i] < 0) {
            continue;
        }
        level += start[i] <= now ? p->effect[e].at_start : 0;
        level += start[i] + p->duration[i] <= now ? p->effect[e].at_end : 0;
    }
    return level;
}

/* Whether the times are legal, by the words of the header. */
static bool
is_legal(const struct puzzle *p, const int64_t start[])
{
    for (uint32_t w = 0; w < p->n_waits; w++) {
        uint32_t i = p->wait[w].task, b = p->wait[w].before;

        if (start[i] >= 0 &&
            (start[b] < 0 || start[i] < start[b] + p->duration[b])) {
            return false;
        }
    }
    for (uint32_t e = 0; e < p->n_effects; e++) {
        uint32_t i = p->effect[e].task;

        if (start[i] < 0) {
            continue;
        }
        if (start[i] < p->release[i]) {
            return false;
        }
        if (p->effect[e].at_start > 0 &&
            level_at(p, start, p->effect[e].stock, start[i]) >
                p->limit[p->effect[e].stock]) {
            return false;
        }
    }
    return true;
}

/* The least makespan over all legal times; INT64_MAX: none. */
static int64_t
brute(const struct puzzle *p, int64_t start[], uint32_t i, int64_t best)
{
    if (i >= p->n_tasks || i >= MOST_TASKS) {
        int64_t end = 0;

        for (uint32_t k = 0; k < i && k < MOST_TASKS; k++) {
            int64_t e = start[k] + p->duration[k];

            end = e > end ? e : end;
        }
        return end < best && is_legal(p, start) ? end : best;
    }
    for (int64_t at = p->release[i];
         at + p->duration[i] <= MOST_TIME && at + p->duration[i] < best; at++) {
        start[i] = at;
        best = brute(p, start, i + 1, best);
    }
    start[i] = -1;
    return best;
}

static struct puzzle
random_puzzle(uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "puzzle", 0);
    struct puzzle p = {
        .n_tasks = 3 + (uint32_t)dcp_rng_below(&rng, MOST_TASKS - 2),
        .n_stocks = 1 + (uint32_t)dcp_rng_below(&rng, MOST_STOCKS),
    };

    for (uint32_t s = 0; s < p.n_stocks; s++) {
        p.limit[s] = 2 + (int64_t)dcp_rng_below(&rng, 6);
        p.level[s] = (int64_t)dcp_rng_below(&rng, (uint64_t)p.limit[s] + 1);
        /* Some stocks are held and given back only. */
        bool links = dcp_rng_below(&rng, 2) == 0;

        p.level[s] = links ? 0 : p.level[s];
        for (uint32_t i = 0; i < p.n_tasks; i++) {
            int64_t x = 1 + (int64_t)dcp_rng_below(&rng, 4);
            uint32_t e = p.n_effects;

            if (e == MOST_EFFECTS || dcp_rng_below(&rng, 3) == 0) {
                continue;
            }
            x = x > p.limit[s] ? p.limit[s] : x;
            bool leaves =
                !links && dcp_rng_below(&rng, 2) == 0 && p.level[s] >= x;
            p.effect[e].task = i;
            p.effect[e].stock = s;
            p.effect[e].at_start = leaves ? 0 : x;
            p.effect[e].at_end = links || leaves ? -x : 0;
            p.n_effects++;
        }
    }
    for (uint32_t i = 0; i < p.n_tasks; i++) {
        p.duration[i] = (int64_t)dcp_rng_below(&rng, 4) + (i > 0);
        p.release[i] = dcp_rng_below(&rng, 4) == 0 ? 2 : 0;
        if (i > 0 && dcp_rng_below(&rng, 4) == 0) {
            p.wait[p.n_waits].task = i;
            p.wait[p.n_waits++].before = (uint32_t)dcp_rng_below(&rng, i);
        }
    }
    return p;
}

START_TEST(times_are_legal_and_near_the_best)
{
    uint32_t n_solved = 0, n_best = 0, n_tight = 0;

    for (uint64_t seed = 0; seed < 240; seed++) {
        struct puzzle p = random_puzzle(seed);
        struct dcp_timetable *t = seal(&p);
        struct dcp_timetable_answer a;
        struct dcp_error err = { 0 };
        int64_t bound = -1, start[MOST_TASKS];
        const char *method;
        const struct dcp_timetable_options o = { .seed = 1, .iterations = 300 };

        ck_assert(dcp_timetable_solve(t, &o, &a, &err));
        ck_assert(dcp_timetable_bound(t, &bound, &method, &err));
        ck_assert(is_legal(&p, a.start));
        int64_t best = brute(&p, start, 0, INT64_MAX);

        if (a.n_stuck) {
            /* Some room is never there, or the order missed it. */
            n_solved += best == INT64_MAX;
            n_best += best == INT64_MAX;
        } else {
            ck_assert_int_ge(a.makespan, best);
            ck_assert_int_le(bound, best);
            n_solved++;
            n_best += a.makespan == best;
            n_tight += bound == best;
        }
        dcp_timetable_answer_finish(&a);
        dcp_timetable_destroy(t);
    }
    printf("240 puzzles: %u answered, %u of them at the optimum, %u bounds "
           "tight\n",
           n_solved, n_best, n_tight);
    ck_assert_uint_ge(n_solved, 237);
    ck_assert_uint_ge(n_best, 235);
    ck_assert_uint_ge(n_tight, 100);
}
END_TEST

START_TEST(same_seed_same_times)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct puzzle p = random_puzzle(seed);
        struct dcp_timetable *t = seal(&p);
        struct dcp_timetable_answer a, b;
        struct dcp_error err;
        const struct dcp_timetable_options o = { .seed = 5, .iterations = 99 };

        ck_assert(dcp_timetable_solve(t, &o, &a, &err));
        ck_assert(dcp_timetable_solve(t, &o, &b, &err));
        ck_assert_mem_eq(a.start, b.start, p.n_tasks * sizeof *a.start);
        ck_assert_str_eq(a.rule, b.rule);
        dcp_timetable_answer_finish(&a);
        dcp_timetable_answer_finish(&b);
        dcp_timetable_destroy(t);
    }
}
END_TEST

START_TEST(a_circle_of_waits_is_refused)
{
    struct dcp_timetable *t = dcp_timetable_create();
    struct dcp_error err;

    dcp_timetable_add_task(t, 1, 0, INT64_MAX);
    dcp_timetable_add_task(t, 1, 0, INT64_MAX);
    dcp_timetable_add_wait(t, 0, 1);
    dcp_timetable_add_wait(t, 1, 0);
    ck_assert(!dcp_timetable_seal(t, &err));
    ck_assert_int_eq(err.code, DCP_E_ARGUMENT);
    dcp_timetable_destroy(t);
}
END_TEST

/* Two full hosts that swap: each waits for the other's room. */
START_TEST(a_swap_without_room_is_stuck)
{
    struct puzzle p = {
        .n_tasks = 2,
        .n_stocks = 2,
        .n_effects = 4,
        .duration = { 3, 3 },
        .level = { 4, 4 },
        .limit = { 4, 4 },
        .effect = { { 0, 1, 4, 0 },
                    { 0, 0, 0, -4 },
                    { 1, 0, 4, 0 },
                    { 1, 1, 0, -4 } },
    };
    struct dcp_timetable *t = seal(&p);
    struct dcp_timetable_answer a;
    struct dcp_error err;
    const struct dcp_timetable_options o = { .iterations = 10 };

    ck_assert(dcp_timetable_solve(t, &o, &a, &err));
    ck_assert_uint_eq(a.n_stuck, 2);
    ck_assert_int_eq(a.start[0], -1);
    dcp_timetable_answer_finish(&a);
    dcp_timetable_destroy(t);
}
END_TEST

/* Three tasks of 3 on a link of 5: one after another, whatever the sum. */
START_TEST(the_bound_sees_pairs_that_do_not_fit)
{
    struct puzzle p = {
        .n_tasks = 3,
        .n_stocks = 1,
        .n_effects = 3,
        .duration = { 4, 5, 6 },
        .limit = { 5 },
        .effect = { { 0, 0, 3, -3 }, { 1, 0, 3, -3 }, { 2, 0, 3, -3 } },
    };
    struct dcp_timetable *t = seal(&p);
    struct dcp_error err;
    const char *method;
    int64_t bound;

    ck_assert(dcp_timetable_bound(t, &bound, &method, &err));
    ck_assert_int_eq(bound, 15);
    ck_assert_str_eq(method, "stock");
    dcp_timetable_destroy(t);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &times_are_legal_and_near_the_best, &same_seed_same_times,
        &a_circle_of_waits_is_refused,         &a_swap_without_room_is_stuck,
        &the_bound_sees_pairs_that_do_not_fit,
    };

    return RUN_TESTS("timetable", tests);
}
