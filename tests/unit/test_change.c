/* SPDX-License-Identifier: GPL-3.0-or-later */

/* When change windows and freezes are open, and what the checker makes of
 * plans that do not keep to them. */

#include "model/change.h"
#include "tests/support/verdict.h"
#include "tests/unit/run_suite.h"

#define HOUR INT64_C(3600000)
#define DAY  (24 * HOUR)
/* 2013-08-22, a Thursday, 00:00 UTC. */
#define THURSDAY INT64_C(1377129600000)

static struct dcp_rule
nightly(uint32_t day_classes)
{
    return (struct dcp_rule){ .kind = DCP_RULE_CHANGE_WINDOW,
                              .name = "w",
                              .hours = { 22 * 60, 6 * 60 },
                              .has_hours = true,
                              .day_classes = day_classes };
}

START_TEST(a_window_is_open_in_its_hours)
{
    struct world w = world_make(1, 1);
    struct dcp_rule rule = nightly(0);
    static const struct {
        int64_t from_h, until_h;
        bool open;
    } cases[] = {
        { 22, 30, true },  { 23, 24, true },  { 25, 29, true },
        { 21, 23, false }, { 29, 31, false }, { 12, 13, false },
        { 22, 54, false }, { 30, 30, false }, { 22, 22, true },
        { -1, 5, true },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_msg(dcp_change_is_open(
                          w.inv, &rule, THURSDAY + cases[i].from_h * HOUR,
                          THURSDAY + cases[i].until_h * HOUR) == cases[i].open,
                      "case %zu", i);
    }
    rule.hours = (struct dcp_window){ 0, 24 * 60 }; /* Day after day. */
    ck_assert(dcp_change_is_open(w.inv, &rule, THURSDAY, THURSDAY + 9 * DAY));
    world_free(&w);
}
END_TEST

START_TEST(a_window_belongs_to_the_day_on_which_it_begins)
{
    struct world w = world_make(1, 1);
    struct dcp_rule rule = nightly(1u << DCP_DAY_WEEKEND);
    int64_t saturday = THURSDAY + 2 * DAY;

    ck_assert(!dcp_change_is_open(w.inv, &rule, THURSDAY + 23 * HOUR,
                                  THURSDAY + 24 * HOUR));
    ck_assert(!dcp_change_is_open(w.inv, &rule, saturday + 2 * HOUR,
                                  saturday + 3 * HOUR)); /* Friday's. */
    ck_assert(dcp_change_is_open(w.inv, &rule, saturday + 22 * HOUR,
                                 saturday + 30 * HOUR));
    ck_assert(
        dcp_change_is_open(w.inv, &rule, saturday + 2 * DAY + HOUR,
                           saturday + 2 * DAY + 2 * HOUR)); /* Sunday's. */
    ck_assert_int_eq(dcp_change_opens(w.inv, &rule, THURSDAY, HOUR),
                     saturday + 22 * HOUR);
    ck_assert_int_eq(dcp_change_opens(w.inv, &rule, THURSDAY, 9 * HOUR),
                     INT64_MAX);
    ck_assert_int_eq(dcp_change_opens(w.inv, &rule, saturday + 23 * HOUR, HOUR),
                     saturday + 23 * HOUR);
    char text[80];

    ck_assert_str_eq(dcp_change_print(w.inv, &rule, text, sizeof text),
                     "open 22:00-06:00 on weekend");
    world_free(&w);
}
END_TEST

START_TEST(a_freeze_is_closed_between_its_instants)
{
    struct world w = world_make(1, 1);
    struct dcp_rule rule = { .kind = DCP_RULE_FREEZE,
                             .name = "f",
                             .from_ms = THURSDAY,
                             .until_ms = THURSDAY + DAY };

    ck_assert(!dcp_change_is_open(w.inv, &rule, THURSDAY - HOUR, THURSDAY + 1));
    ck_assert(dcp_change_is_open(w.inv, &rule, THURSDAY - HOUR, THURSDAY));
    ck_assert(
        dcp_change_is_open(w.inv, &rule, THURSDAY + DAY, THURSDAY + 2 * DAY));
    ck_assert_int_eq(dcp_change_opens(w.inv, &rule, THURSDAY + 5, HOUR),
                     THURSDAY + DAY);
    world_free(&w);
}
END_TEST

/* One move, off h0; the leg is from its start to its deadline. */
START_TEST(steps_outside_are_refused)
{
    static const uint32_t zero[] = { 0 }, one[] = { 1 }, three[] = { 3 };
    static const struct {
        const uint32_t *vms, *hosts;
        bool open;
        const char *want;
    } cases[] = {
        { zero, NULL, false, "w" }, { NULL, zero, false, "w" },
        { NULL, one, false, "w" },  { zero, zero, true, "" },
        { NULL, three, false, "" }, { one, NULL, false, "" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w = one_move();
        const struct dcp_leg *leg;

        world_plan(&w, 1, 10);
        (void)world_move(&w, 0, 0, 0, 1);
        leg = &w.plan->legs[0];
        w.rules[0] = (struct dcp_rule){
            .kind = DCP_RULE_FREEZE,
            .name = "w",
            .hold = DCP_HOLD_ALWAYS,
            .vms = cases[i].vms,
            .n_vms = cases[i].vms != NULL,
            .hosts = cases[i].hosts,
            .n_hosts = cases[i].hosts != NULL,
            .from_ms = leg->deadline_ms - (cases[i].open ? 0 : 1),
            .until_ms = leg->deadline_ms + DAY,
        };
        w.inv->n_rules = 1;
        expect(&w, cases[i].want);
    }
}
END_TEST

/* As above, but the rule closes half way: the step's own times make it legal
 * where they keep it within, and only there. */
START_TEST(a_step_may_have_its_own_time)
{
    static const uint32_t zero[] = { 0 };
    static const struct {
        int64_t closed_from_s, closed_until_s; /* From the leg's start. */
        int64_t not_before_s, start_by_s;      /* 0: none. */
        const char *want;
    } cases[] = {
        { 300, 9000, 0, 0, "w" },       { 300, 9000, 0, 290, "" },
        { 300, 9000, 0, 291, "w" },     { -900, 300, 300, 0, "" },
        { -900, 300, 299, 0, "w" },     { 100, 200, 200, 0, "" },
        { 100, 200, 0, 90, "" },        { 100, 200, 50, 200, "w" },
        { 9000, 9900, 60, 30, "when" }, { 9000, 9900, 0, 3601, "when" },
        { 9000, 9900, -1, 0, "when" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w = one_move();

        world_plan(&w, 1, 10);
        struct dcp_step *s = &w.steps[world_move(&w, 0, 0, 0, 1) - 1];
        struct dcp_leg *leg = &w.plan->legs[0];

        leg->deadline_ms = leg->start_ms + HOUR;
        s->estimate_ms = 10000;
        s->not_before_ms = cases[i].not_before_s
                               ? leg->start_ms + 1000 * cases[i].not_before_s
                               : 0;
        s->start_by_ms = cases[i].start_by_s
                             ? leg->start_ms + 1000 * cases[i].start_by_s
                             : 0;
        w.rules[0] = (struct dcp_rule){
            .kind = DCP_RULE_FREEZE,
            .name = "w",
            .hold = DCP_HOLD_ALWAYS,
            .vms = zero,
            .n_vms = 1,
            .from_ms = leg->start_ms + 1000 * cases[i].closed_from_s,
            .until_ms = leg->start_ms + 1000 * cases[i].closed_until_s,
        };
        w.inv->n_rules = 1;
        expect(&w, cases[i].want);
    }
}
END_TEST

/* A chain that cannot be done by the start_by of its last step. */
START_TEST(what_it_waits_for_takes_too_long)
{
    for (int64_t late = 0; late < 2; late++) {
        struct world w = one_move();

        world_plan(&w, 1, 10);
        struct dcp_step *a = &w.steps[world_move(&w, 0, 0, 0, 1) - 1];
        int64_t start_ms = w.plan->legs[0].start_ms;

        a->not_before_ms = start_ms + 20000;
        a->estimate_ms = 10000;
        struct dcp_step *b = &w.steps[world_move(&w, 0, 1, 1, 0) - 1];
        uint32_t one = 1;

        b->after = &one;
        b->n_after = 1;
        b->start_by_ms = start_ms + 30000 - late;
        expect(&w, late ? "when" : "");
    }
}
END_TEST

START_TEST(spans_are_cut_to_what_is_asked)
{
    struct world w = world_make(1, 1);
    struct dcp_rule rule = nightly(0);
    int64_t a, b;

    ck_assert(dcp_change_span(w.inv, &rule, THURSDAY + 20 * HOUR,
                              THURSDAY + 25 * HOUR, HOUR, &a, &b));
    ck_assert_int_eq(a, THURSDAY + 22 * HOUR);
    ck_assert_int_eq(b, THURSDAY + 25 * HOUR);
    ck_assert(dcp_change_span(w.inv, &rule, THURSDAY + 29 * HOUR,
                              THURSDAY + 35 * HOUR, HOUR, &a, &b));
    ck_assert_int_eq(a, THURSDAY + 29 * HOUR);
    ck_assert_int_eq(b, THURSDAY + 30 * HOUR);
    ck_assert(!dcp_change_span(w.inv, &rule, THURSDAY + 29 * HOUR,
                               THURSDAY + 35 * HOUR, HOUR + 1, &a, &b));
    rule = (struct dcp_rule){ .kind = DCP_RULE_FREEZE,
                              .from_ms = THURSDAY + HOUR,
                              .until_ms = THURSDAY + 2 * HOUR };
    ck_assert(dcp_change_span(w.inv, &rule, THURSDAY, THURSDAY + 9 * HOUR, HOUR,
                              &a, &b));
    ck_assert_int_eq(b, THURSDAY + HOUR);
    ck_assert(dcp_change_span(w.inv, &rule, THURSDAY, THURSDAY + 9 * HOUR,
                              HOUR + 1, &a, &b));
    ck_assert_int_eq(a, THURSDAY + 2 * HOUR);
    ck_assert_int_eq(b, THURSDAY + 9 * HOUR);
    world_free(&w);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &a_window_is_open_in_its_hours,
        &a_window_belongs_to_the_day_on_which_it_begins,
        &a_freeze_is_closed_between_its_instants,
        &steps_outside_are_refused,
        &a_step_may_have_its_own_time,
        &what_it_waits_for_takes_too_long,
        &spans_are_cut_to_what_is_asked,
    };

    return RUN_TESTS("change", tests);
}
