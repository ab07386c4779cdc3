/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/cost.h"
#include "model/expect.h"
#include "model/power.h"
#include "tests/unit/report_fixture.h"
#include "tests/unit/run_suite.h"

enum { N_HOSTS = 12, N_VMS = 90, N_DAYS = 8 };

static struct fixture f;

/* Means are three quarters of what is planned. */
static void
set_up(void)
{
    struct dcp_demand_rows rows;
    struct dcp_slot *slots;

    fixture_make(&f, N_HOSTS, N_VMS, N_DAYS);
    ck_assert(dcp_demand_add_means(f.demand, &rows, NULL));
    for (uint32_t i = 0; i < N_VMS * f.demand->stride; i++) {
        rows.cpu_mean_mhz[i] = f.demand->cpu_mhz[i] * 3 / 4;
    }
    /* Of the same local hours as the samples. */
    slots = (struct dcp_slot *)(size_t)f.demand->slots;
    for (uint32_t s = 0; s < f.demand->n_slots; s++) {
        slots[s].bucket = dcp_bucket_at(f.inv->policy.buckets, &f.inv->calendar,
                                        f.inv->zone, slots[s].start_ms);
    }
}

static void
tear_down(void)
{
    fixture_finish(&f);
}

static struct dcp_plan_expectation
expect(const struct dcp_samples *cpu)
{
    struct dcp_plan_expectation e;
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_expect(f.inv, f.demand, f.plan, cpu, &e, &err), "%s",
                  err.message);
    return e;
}

/* Planned demand that is the means: what the ledger says of a placement. */
static struct dcp_energy_sum
ledger(const struct dcp_placement *p, uint32_t first, uint32_t last)
{
    struct dcp_demand mean = *f.demand;

    mean.cpu_mhz = mean.cpu_mean_mhz;
    return dcp_energy_planned(f.inv, &mean, p, first, last);
}

START_TEST(without_means_there_is_nothing_to_expect)
{
    f.demand->cpu_mean_mhz = NULL;
    ck_assert(isnan(expect(&f.samples).energy_kwh_before));
    ck_assert(isnan(expect(NULL).packing_cost));
}
END_TEST

START_TEST(without_samples_it_is_the_ledger_at_the_means)
{
    struct dcp_plan_expectation e = expect(NULL);
    struct dcp_energy_sum sum = ledger(f.plan->before, 0, FIXTURE_HOURS);

    ck_assert_double_eq_tol(e.energy_kwh_before, sum.meter_kwh, 1e-6);
    ck_assert_double_eq_tol(e.energy_cost_before, sum.cost, 1e-6);
    ck_assert_double_eq_tol(e.packing_kwh, 0, 1e-9); /* All come back. */
    ck_assert_double_eq_tol(e.packing_cost, 0, 1e-9);
}
END_TEST

/* The ledger lets hosts be off for all of the night; the time that legs take
 * is not saved. */
START_TEST(legs_take_their_time)
{
    struct dcp_plan_expectation e = expect(NULL);
    const struct dcp_placement *night = f.plan->legs[0].after;
    struct dcp_energy_sum was = ledger(f.plan->before, 0, 8);
    struct dcp_energy_sum is = ledger(night, 0, 8);
    double marginal = f.inv->sites[0].pue_marginal;
    double most = (was.it_kwh - is.it_kwh) * marginal;
    double saved = e.energy_kwh_before - e.energy_kwh_after;

    ck_assert_double_lt(saved, most);
    ck_assert_double_gt(saved, most * 6 / 8); /* Each leg is under an hour. */
}
END_TEST

/* A plan without a step: its first leg's end is what it begins with. */
START_TEST(no_steps_save_nothing)
{
    f.plan->n_steps = 0;

    struct dcp_plan_expectation e = expect(&f.samples);

    ck_assert_double_eq_tol(e.energy_kwh_before, e.energy_kwh_after, 1e-9);
    ck_assert_double_eq_tol(e.energy_cost_before, e.energy_cost_after, 1e-9);
}
END_TEST

/* Watts of all hosts, by what VMs used at one cell, or else their mean. */
static double
watts_at(uint32_t slot, uint32_t cell)
{
    double mhz[N_HOSTS] = { 0 }, watts = 0;

    for (uint32_t v = 0; v < N_VMS; v++) {
        float x = f.samples.value[(size_t)cell * N_VMS + v];

        mhz[f.plan->before->host[v].ix] +=
            isnan(x) ? f.demand->cpu_mean_mhz[v * f.demand->stride + slot] : x;
    }
    for (uint32_t h = 0; h < N_HOSTS; h++) {
        watts += dcp_power_at(
            &f.inv->hardware[f.inv->hosts[h].hardware.ix],
            mhz[h] / dcp_host_capacity(f.inv, (dcp_host_id){ h }).cpu_mhz);
    }
    return watts;
}

/* The mean of what hosts would have drawn at the instants of each hour, counted
 * again; watts at the mean of the same samples are more, for curves bend. */
START_TEST(samples_count_instant_by_instant)
{
    struct dcp_plan_expectation e = expect(&f.samples);
    double kwh = 0;

    for (uint32_t s = 0; s < FIXTURE_HOURS; s++) {
        double sum = 0;
        uint32_t n = 0;

        for (uint32_t t = 0; t < f.samples.n_times; t++) {
            int64_t at_ms = f.samples.start_ms + t * f.samples.interval_ms;

            if (dcp_bucket_at(f.inv->policy.buckets, &f.inv->calendar,
                              f.inv->zone,
                              at_ms) == f.demand->slots[s].bucket) {
                sum += watts_at(s, t);
                n++;
            }
        }
        ck_assert_uint_gt(n, 0);
        ck_assert_uint_le(n, 12 * N_DAYS);
        kwh += sum / n / 1000 * f.inv->sites[0].pue;
    }
    ck_assert_double_eq_tol(e.energy_kwh_before, kwh, 1e-6 * kwh);
    ck_assert_double_gt(e.energy_kwh_before - e.energy_kwh_after, 1);
}
END_TEST

/* Where every instant of the history is the same, nothing is lost by choosing
 * and by starting the plan's course anew for each. */
START_TEST(equal_instants_are_one)
{
    for (uint32_t t = 0; t < f.samples.n_times; t++) {
        for (uint32_t v = 0; v < N_VMS; v++) {
            f.samples.value[(size_t)t * N_VMS + v] =
                (float)
                    f.demand->cpu_mean_mhz[v * f.demand->stride + t / 12 % 24];
        }
    }
    struct dcp_plan_expectation many = expect(&f.samples);
    struct dcp_plan_expectation one = expect(NULL);

    ck_assert_double_eq_tol(many.energy_kwh_before, one.energy_kwh_before,
                            1e-4);
    ck_assert_double_eq_tol(many.energy_kwh_after, one.energy_kwh_after, 1e-4);
    ck_assert_double_eq_tol(many.energy_cost_after, one.energy_cost_after,
                            1e-4);
}
END_TEST

/* Held all along: the last leg's placement, from the first instant on. */
START_TEST(packing_is_the_last_placement_held)
{
    struct dcp_placement *home = f.plan->legs[1].after;
    const struct dcp_placement *night = f.plan->legs[0].after;

    f.plan->legs[1].after = f.plan->legs[0].after; /* Nothing comes back. */

    struct dcp_plan_expectation e = expect(NULL);

    f.plan->legs[1].after = home;

    struct dcp_energy_sum was = ledger(f.plan->before, 0, FIXTURE_HOURS);
    struct dcp_energy_sum is = ledger(night, 0, FIXTURE_HOURS);

    ck_assert_double_eq_tol(
        e.packing_kwh, (was.it_kwh - is.it_kwh) * f.inv->sites[0].pue_marginal,
        1e-6);
    ck_assert_double_gt(e.packing_cost, 0);
}
END_TEST

START_TEST(what_a_plan_says_it_saves)
{
    f.plan->predicted.energy_kwh_before = 30;
    f.plan->predicted.energy_kwh_after = 10;
    ck_assert_double_eq(dcp_plan_saves_kwh(f.plan), 20);
    f.plan->expected.energy_kwh_before = 20;
    f.plan->expected.energy_kwh_after = 12.5;
    ck_assert_double_eq(dcp_plan_saves_kwh(f.plan), 7.5);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &without_means_there_is_nothing_to_expect,
        &without_samples_it_is_the_ledger_at_the_means,
        &legs_take_their_time,
        &no_steps_save_nothing,
        &samples_count_instant_by_instant,
        &equal_instants_are_one,
        &packing_is_the_last_placement_held,
        &what_a_plan_says_it_saves,
    };

    return run_tests_with("expect", tests, sizeof tests / sizeof *tests, set_up,
                          tear_down);
}
