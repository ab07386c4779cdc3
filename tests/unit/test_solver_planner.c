/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What the planner says of a job: legs and their times, nothing to do, why
 * not. */

#include "model/base/units.h"
#include "solver/plan/planner.h"
#include "solver/plan/work.h"
#include "tests/support/world.h"
#include "tests/unit/run_suite.h"

#include <math.h>

enum { HOSTS = 4, VMS = 4 };

/* One VM on each host; by night all fit on one, by day two at most. */
struct job {
    struct world w;
    struct dcp_placement *start;
    struct dcp_plan_request r;
    struct dcp_plan *plan;
    struct dcp_plan_outcome outcome;
};

static struct job
night(void)
{
    struct job j = { .w = world_make(HOSTS, VMS) };

    j.w.inv->policy.min_gain_frac = 0;
    for (uint32_t v = 0; v < VMS; v++) {
        j.w.vms[v].host.ix = v;
        world_need(&j.w, v, 1000);
        j.w.cpu_mhz[v * j.w.demand.stride + 2] = 6000;
    }
    j.start = dcp_placement_start(j.w.inv, NULL);
    return j;
}

static void
plan(struct job *j)
{
    struct dcp_error err = { 0 };

    j->r.inventory = j->w.inv;
    j->r.demand = &j->w.demand;
    j->r.start = j->start;
    if (!j->r.start_ms) {
        j->r.start_ms = j->w.demand.slots[0].start_ms;
    }
    j->r.goals = dcp_goals_single(DCP_GOAL_HOSTS);
    j->r.solve.time_limit_s = 5;
    ck_assert_msg(dcp_plan_make(&j->r, &j->plan, &j->outcome, &err), "%s",
                  err.message);
}

static void
finish(struct job *j)
{
    dcp_plan_destroy(j->plan);
    dcp_placement_destroy(j->start);
    world_free(&j->w);
}

START_TEST(a_night_has_two_legs)
{
    struct job j = night();

    j.r.two_legs = true;
    j.r.window_end_ms = j.w.demand.slots[2].start_ms;
    plan(&j);
    ck_assert_int_eq(j.outcome.status, DCP_STATUS_OPTIMAL);
    ck_assert_ptr_nonnull(j.plan);
    ck_assert_uint_eq(j.outcome.hosts_on_before, 4);
    ck_assert_uint_eq(j.outcome.hosts_on_after, 1);
    ck_assert_uint_eq(j.plan->n_legs, 2);
    const struct dcp_leg *evening = &j.plan->legs[0];
    const struct dcp_leg *morning = &j.plan->legs[1];

    ck_assert_str_eq(evening->name, "evening");
    ck_assert_str_eq(morning->name, "morning");
    ck_assert_int_eq(evening->start_ms, WORLD_T0);
    ck_assert_int_le(evening->start_ms + evening->makespan_ms,
                     evening->deadline_ms);
    ck_assert_int_le(evening->deadline_ms, morning->start_ms);
    ck_assert_int_le(morning->start_ms + morning->makespan_ms +
                         j.w.inv->policy.morning_lead_ms,
                     j.r.window_end_ms);
    ck_assert_int_eq(morning->deadline_ms, j.r.window_end_ms);
    ck_assert_int_eq(morning->start_ms % 300000, 0);
    ck_assert_uint_eq(dcp_placement_n_on(evening->after), 1);
    ck_assert_uint_eq(dcp_placement_n_on(morning->after), 4);
    finish(&j);
}
END_TEST

START_TEST(without_a_window_there_is_one_leg)
{
    struct job j = night();

    for (uint32_t v = 0; v < VMS; v++) {
        j.w.cpu_mhz[v * j.w.demand.stride + 2] = 4000;
    }
    plan(&j);
    ck_assert_int_eq(j.outcome.status, DCP_STATUS_OPTIMAL);
    ck_assert_uint_eq(j.plan->n_legs, 1);
    ck_assert_str_eq(j.plan->legs[0].name, "now");
    ck_assert_uint_eq(j.outcome.hosts_on_after, 2); /* By the day's demand. */
    finish(&j);
}
END_TEST

START_TEST(unpack_home_brings_all_back)
{
    struct job j = night();

    for (uint32_t v = 0; v < VMS; v++) { /* The day would not need it. */
        j.w.cpu_mhz[v * j.w.demand.stride + 2] = 1000;
    }
    j.r.two_legs = true;
    j.r.window_end_ms = j.w.demand.slots[2].start_ms;
    j.w.inv->policy.unpack = DCP_UNPACK_HOME;
    plan(&j);
    ck_assert_uint_eq(j.plan->n_legs, 2);
    ck_assert_uint_eq(dcp_placement_n_moved(j.plan->legs[1].after, j.start), 0);
    finish(&j);
}
END_TEST

/* At 10 MiB/s each VM takes minutes; the window ends after one. */
START_TEST(a_window_that_is_too_short_says_so)
{
    struct job j = night();

    j.w.inv->policy.migration_kib_s = 1024;
    for (uint32_t v = 0; v < VMS; v++) {
        j.w.vms[v].mem_mib = 20000;
    }
    j.r.two_legs = true;
    j.r.window_end_ms = j.w.demand.slots[2].start_ms;
    plan(&j);
    ck_assert_ptr_null(j.plan);
    ck_assert_int_eq(j.outcome.status, DCP_STATUS_TIMEOUT);
    ck_assert_str_eq(j.outcome.because.rule, "window");
    ck_assert_double_gt(j.outcome.because.need, j.outcome.because.have);
    finish(&j);
}
END_TEST

START_TEST(a_packed_start_is_nothing_to_do)
{
    struct job j = night();

    for (uint32_t v = 0; v < VMS; v++) {
        j.start->host[v].ix = 0;
        j.w.cpu_mhz[v * j.w.demand.stride + 2] = 1000;
    }
    for (uint32_t h = 1; h < HOSTS; h++) {
        j.start->on[h] = 0;
    }
    plan(&j);
    ck_assert_int_eq(j.outcome.status, DCP_STATUS_NOTHING_TO_DO);
    ck_assert_ptr_null(j.plan);
    ck_assert_uint_eq(j.outcome.moves, 0);
    ck_assert_double_eq(j.outcome.before, j.outcome.after);
    finish(&j);
}
END_TEST

START_TEST(a_settled_night_is_left_alone)
{
    struct job j = night();

    j.r.two_legs = true;
    j.r.window_end_ms = j.w.demand.slots[2].start_ms;
    plan(&j);
    dcp_placement_destroy(j.start);
    j.start = dcp_placement_copy(j.plan->legs[0].after, NULL);
    dcp_plan_destroy(j.plan);
    j.plan = NULL;
    j.r.settled = true;
    plan(&j);
    ck_assert_int_eq(j.outcome.status, DCP_STATUS_NOTHING_TO_DO);
    ck_assert_ptr_null(j.plan);
    finish(&j);
}
END_TEST

START_TEST(a_small_gain_is_not_worth_its_moves)
{
    for (int k = 0; k < 2; k++) {
        struct job j = night();

        /* Two of four hosts: a gain of a half. */
        for (uint32_t v = 0; v < VMS; v++) {
            j.w.cpu_mhz[v * j.w.demand.stride + 2] = 4000;
        }
        j.w.inv->policy.min_gain_frac = k ? 0.51 : 0.49;
        plan(&j);
        ck_assert_int_eq(j.plan == NULL, k);
        ck_assert(!k || j.outcome.status == DCP_STATUS_NOTHING_TO_DO);
        finish(&j);
    }
}
END_TEST

START_TEST(too_much_demand_is_infeasible_with_its_resource)
{
    struct job j = night();

    for (uint32_t v = 0; v < VMS; v++) {
        world_need(&j.w, v, v ? 9000 : 14000);
    }
    plan(&j);
    ck_assert_int_eq(j.outcome.status, DCP_STATUS_INFEASIBLE);
    ck_assert_str_eq(j.outcome.because.rule, "capacity");
    ck_assert_str_ne(j.outcome.because.object, "");
    ck_assert_ptr_null(j.plan);
    finish(&j);
}
END_TEST

START_TEST(rules_that_contradict_are_infeasible_by_name)
{
    static const uint32_t pair[] = { 0, 1 };
    struct job j = night();

    for (uint32_t r = 0; r < 2; r++) {
        j.w.rules[r] =
            (struct dcp_rule){ .kind = r ? DCP_RULE_SPREAD : DCP_RULE_GATHER,
                               .name = r ? "apart" : "together",
                               .vms = pair,
                               .n_vms = 2 };
    }
    j.w.inv->n_rules = 2;
    plan(&j);
    ck_assert_int_eq(j.outcome.status, DCP_STATUS_INFEASIBLE);
    ck_assert_str_eq(j.outcome.because.rule, "apart");
    finish(&j);
}
END_TEST

START_TEST(evacuation_empties_and_returns)
{
    static const uint8_t avoid[HOSTS] = { 0, 1, 0, 0 };
    struct job j = night();

    for (uint32_t v = 0; v < VMS; v++) {
        world_need(&j.w, v, 3000);
    }
    j.r.job = DCP_JOB_EVACUATE;
    j.r.avoid = avoid;
    j.r.bring_back = true;
    plan(&j);
    ck_assert_ptr_nonnull(j.plan);
    ck_assert_str_eq(j.plan->legs[0].name, "out");
    ck_assert_str_eq(j.plan->legs[1].name, "return");
    ck_assert_uint_eq(j.outcome.moves, 2); /* Once out, once back. */
    ck_assert_uint_ne(j.plan->legs[0].after->host[1].ix, 1);
    ck_assert_uint_eq(dcp_placement_n_moved(j.plan->legs[1].after, j.start), 0);
    finish(&j);
}
END_TEST

/* Brussels: clocks go from 2 h to 3 h on 2024-03-31 and from 3 h to 2 h on
 * 2024-10-27, both at 01:00 UTC: nights of 7 and of 9 hours. */
static void
plan_dst_night(const char *noon, uint32_t n_hours)
{
    static const int64_t from_s[] = { INT64_MIN, 1711846800, 1729990800 };
    static const int32_t offset_s[] = { 3600, 7200, 3600 };
    static const struct dcp_zone zone = { "test", 3, from_s, offset_s };
    struct dcp_slot slots[40];
    struct dcp_window window;
    struct job j = night();
    int64_t noon_ms, start_ms, end_ms;

    ck_assert(dcp_parse_instant(noon, &noon_ms, NULL));
    ck_assert(dcp_window_parse("22:00-06:00", &window));
    dcp_window_next(&window, &zone, noon_ms, &start_ms, &end_ms);
    ck_assert_int_eq(end_ms - start_ms, n_hours * DCP_HOUR_MS);
    uint32_t n =
        dcp_slots_between(DCP_BUCKETS_HOUR_OF_DAY, &j.w.inv->calendar, &zone,
                          start_ms, start_ms + DCP_DAY_MS, slots, 40);
    uint32_t *cpu = WORLD_NEW(&j.w, uint32_t, VMS * 40);

    for (uint32_t t = 0; t < n; t++) {
        for (uint32_t v = 0; v < VMS; v++) {
            cpu[v * 40 + t] = slots[t].start_ms < end_ms ? 1000 : 6000;
        }
    }
    j.w.demand.slots = slots;
    j.w.demand.n_slots = n;
    j.w.demand.stride = 40;
    j.w.demand.cpu_mhz = cpu;
    j.w.inv->zone = &zone;
    j.r.two_legs = true;
    j.r.start_ms = start_ms;
    j.r.window_end_ms = end_ms;
    plan(&j);
    ck_assert_ptr_nonnull(j.plan);
    ck_assert_int_eq(j.plan->legs[0].start_ms, start_ms);
    ck_assert_int_eq(j.plan->legs[0].buckets_until_ms, end_ms);
    ck_assert_int_eq(j.plan->legs[1].deadline_ms, end_ms);
    ck_assert_uint_eq(dcp_placement_n_on(j.plan->legs[0].after), 1);
    ck_assert_uint_eq(dcp_placement_n_on(j.plan->legs[1].after), 4);
    finish(&j);
}

START_TEST(nights_when_clocks_change)
{
    plan_dst_night("2024-03-30T12:00:00Z", 7);
    plan_dst_night("2024-10-26T12:00:00Z", 9);
    plan_dst_night("2024-06-01T12:00:00Z", 8);
}
END_TEST

/* Work under a limit of 100 s, begun so long ago. */
static bool
has_time_again(double spent_s, double searched_s, uint64_t iterations)
{
    struct dcp_plan_request r = {
        .solve = { .time_limit_s = iterations ? 0 : 100,
                   .iterations = iterations },
    };
    struct dcp_work w = { .r = &r,
                          .started_ms =
                              dcp_monotonic_ms() - (int64_t)(1000 * spent_s),
                          .searched_s = searched_s };

    return dcp_work_has_time_again(&w);
}

START_TEST(what_is_not_interrupted_must_fit_twice)
{
    /* 85 s are for questions; searches need a tenth of what they took. */
    ck_assert(has_time_again(60, 60, 0));
    ck_assert(has_time_again(38, 0, 0));
    ck_assert(!has_time_again(44, 0, 0));
    ck_assert(has_time_again(60, 50, 0));
    ck_assert(!has_time_again(60, 35, 0));
    ck_assert(has_time_again(1000, 0, 5)); /* No clock decides. */
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &a_night_has_two_legs,
        &without_a_window_there_is_one_leg,
        &unpack_home_brings_all_back,
        &a_window_that_is_too_short_says_so,
        &a_packed_start_is_nothing_to_do,
        &a_settled_night_is_left_alone,
        &a_small_gain_is_not_worth_its_moves,
        &too_much_demand_is_infeasible_with_its_resource,
        &rules_that_contradict_are_infeasible_by_name,
        &evacuation_empties_and_returns,
        &nights_when_clocks_change,
        &what_is_not_interrupted_must_fit_twice,
    };

    return RUN_TESTS("solver_planner", tests);
}
