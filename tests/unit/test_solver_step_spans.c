/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The time that change windows and freezes leave a step, and what it is told
 * of it. */

#include "solver/schedule/step_spans.h"
#include "tests/support/world.h"
#include "tests/unit/run_suite.h"

#define MINUTE INT64_C(60000)

static const uint32_t zero[] = { 0 };

static struct dcp_rule
freeze(int64_t from_min, int64_t until_min, bool host)
{
    return (struct dcp_rule){
        .kind = DCP_RULE_FREEZE,
        .name = "f",
        .vms = host ? NULL : zero,
        .n_vms = host ? 0 : 1,
        .hosts = host ? zero : NULL,
        .n_hosts = host ? 1 : 0,
        .from_ms = WORLD_T0 + from_min * MINUTE,
        .until_ms = WORLD_T0 + until_min * MINUTE,
    };
}

/* A step of four minutes in a leg of an hour, under up to two freezes. */
START_TEST(the_first_time_that_is_long_enough)
{
    static const struct {
        int64_t a_from, a_until, b_from, b_until; /* Minutes; 0, 0: none. */
        bool fits;
        int64_t start, end; /* 0: the leg's. */
    } cases[] = {
        { 0, 0, 0, 0, true, 0, 0 },
        { 90, 99, 0, 0, true, 0, 0 },
        { -9, 10, 0, 0, true, 10, 0 },
        { 20, 99, 0, 0, true, 0, 20 },
        { 5, 30, 0, 0, true, 0, 5 },
        { 4, 30, 0, 0, true, 30, 0 }, /* A quarter more does not fit. */
        { -9, 10, 14, 30, true, 30, 0 },
        { -9, 10, 15, 30, true, 10, 15 },
        { -9, 30, 29, 55, true, 55, 0 },
        { -9, 30, 29, 56, false, 0, 0 },
        { -9, 99, 0, 0, false, 0, 0 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w = world_make(2, 1);
        struct dcp_error err = { 0 };
        struct dcp_step_spans spans;
        struct dcp_span span;
        const struct dcp_step s = { .id = 1,
                                    .kind = DCP_STEP_MIGRATE,
                                    .object = { DCP_OBJECT_VM, 0 },
                                    .from = { DCP_OBJECT_HOST, 0 },
                                    .to = { DCP_OBJECT_HOST, 1 },
                                    .estimate_ms = 4 * MINUTE };

        w.rules[0] = freeze(cases[i].a_from, cases[i].a_until, false);
        w.rules[1] = freeze(cases[i].b_from, cases[i].b_until, true);
        w.inv->n_rules = (cases[i].a_until > 0) + (cases[i].b_until > 0);
        ck_assert(dcp_step_spans_init(&spans, w.inv, WORLD_T0,
                                      WORLD_T0 + DCP_HOUR_MS, &err));
        bool fits = dcp_step_spans_of(&spans, &s, &span);

        ck_assert_msg(fits == cases[i].fits, "case %zu", i);
        ck_assert_msg(
            !fits ||
                span.start_ms ==
                    (cases[i].start ? WORLD_T0 + cases[i].start * MINUTE : 0),
            "case %zu", i);
        ck_assert_msg(
            !fits || span.end_ms ==
                         (cases[i].end ? WORLD_T0 + cases[i].end * MINUTE : 0),
            "case %zu", i);
        dcp_step_spans_finish(&spans);
        world_free(&w);
    }
}
END_TEST

START_TEST(steps_are_told)
{
    struct world w = world_make(2, 2);
    struct dcp_error err = { 0 };
    struct dcp_step_spans spans;

    world_plan(&w, 1, 4);
    struct dcp_step *held = &w.steps[world_move(&w, 0, 0, 0, 1) - 1];
    struct dcp_step *free_one = &w.steps[world_move(&w, 0, 1, 1, 0) - 1];

    held->estimate_ms = free_one->estimate_ms = 4 * MINUTE;
    held->not_before_ms = WORLD_T0 + 11 * MINUTE;
    held->when_text = "h1 has the CPU";
    w.rules[0] = freeze(-9, 10, false);
    w.rules[1] = freeze(20, 99, false);
    w.inv->n_rules = 2;
    ck_assert(dcp_step_spans_init(&spans, w.inv, WORLD_T0,
                                  WORLD_T0 + DCP_HOUR_MS, &err));
    ck_assert(dcp_step_spans_mark(&spans, w.plan->arena, w.steps, 2, 0, &err));
    ck_assert_int_eq(held->not_before_ms, WORLD_T0 + 11 * MINUTE);
    ck_assert_int_eq(held->start_by_ms, WORLD_T0 + 15 * MINUTE);
    ck_assert_ptr_nonnull(strstr(held->when_text, "rule 'f' (frozen from "));
    ck_assert_ptr_nonnull(strstr(held->when_text, "; h1 has the CPU"));
    ck_assert_int_eq(free_one->not_before_ms, 0);
    ck_assert_int_eq(free_one->start_by_ms, 0);
    ck_assert_ptr_null(free_one->when_text);
    dcp_step_spans_finish(&spans);
    world_free(&w);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &the_first_time_that_is_long_enough,
        &steps_are_told,
    };

    return RUN_TESTS("solver_step_spans", tests);
}
