/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What of a limit is kept for what comes after the questions, and when there is
 * no use in asking: by what compiling one took, whatever the machine. */

#include "solver/plan/work.h"
#include "solver/run/progress.h"
#include "tests/unit/run_suite.h"

struct clocked {
    struct dcp_plan_request r;
    struct dcp_work w;
};

static void
begin(struct clocked *c, double limit_s, uint64_t iterations, bool two_legs,
      double made_s)
{
    *c = (struct clocked){ 0 };
    c->r.solve.time_limit_s = limit_s;
    c->r.solve.iterations = iterations;
    c->r.two_legs = two_legs;
    c->w.r = &c->r;
    c->w.started_ms = dcp_monotonic_ms();
    c->w.made_s = made_s;
}

START_TEST(what_is_kept_grows_with_the_model)
{
    struct clocked one, two;

    begin(&one, 100, 0, false, 0.5);
    begin(&two, 100, 0, true, 0.5);
    ck_assert_double_gt(dcp_work_after_s(&one.w), 0.5);
    ck_assert_double_gt(dcp_work_after_s(&two.w), dcp_work_after_s(&one.w));
    /* Once the night is answered one question less is to come. */
    double both = dcp_work_least_s(&two.w);
    struct dcp_placement night = { 0 };

    two.w.night.placement = &night;
    ck_assert_double_lt(dcp_work_least_s(&two.w), both);
    ck_assert_double_gt(dcp_work_least_s(&two.w), dcp_work_after_s(&two.w));
    begin(&one, 100, 0, false, 0);
    ck_assert_double_eq(dcp_work_least_s(&one.w), 0);
}
END_TEST

START_TEST(no_use_in_asking)
{
    struct clocked c;

    begin(&c, 100, 0, true, 1);
    ck_assert(!dcp_work_is_short(&c.w));
    ck_assert(!dcp_work_is_hopeless(&c.w));
    /* A bit late is better than nothing, and no time for a second try. */
    begin(&c, 35, 0, true, 1);
    ck_assert(dcp_work_is_short(&c.w));
    ck_assert(!dcp_work_is_hopeless(&c.w));
    begin(&c, 5, 0, true, 1);
    ck_assert(dcp_work_is_hopeless(&c.w));
    /* Small models are answered whatever the limit. */
    begin(&c, 0.001, 0, true, 0.001);
    ck_assert(!dcp_work_is_hopeless(&c.w));
    /* Without a limit no clock decides. */
    begin(&c, 0, 10, true, 1000);
    ck_assert(!dcp_work_is_short(&c.w));
    ck_assert(!dcp_work_is_hopeless(&c.w));
}
END_TEST

START_TEST(legs_leave_time_to_what_follows)
{
    struct clocked c;

    begin(&c, 100, 0, true, 1);
    int64_t whole = dcp_work_deadline_ms(&c.w);
    int64_t first = dcp_work_first_leg_deadline_ms(&c.w);

    ck_assert_int_eq(whole - c.w.started_ms, 100000);
    ck_assert_int_lt(first, whole);
    ck_assert_int_gt(first, whole - (int64_t)(1000 * dcp_work_after_s(&c.w)));
    begin(&c, 0, 10, true, 1);
    ck_assert_int_eq(dcp_work_first_leg_deadline_ms(&c.w), 0);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &what_is_kept_grows_with_the_model,
        &no_use_in_asking,
        &legs_leave_time_to_what_follows,
    };

    return RUN_TESTS("plan_clock", tests);
}
