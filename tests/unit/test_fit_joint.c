/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The joint history that policy.overload asks for, and the predictors of
 * policy.demand. */

#include "model/base/units.h"
#include "model/capacity.h"
#include "tests/unit/fake_store.h"
#include "tests/unit/ledger_fixture.h"
#include "tests/unit/run_suite.h"
#include "traces/fit.h"

enum { DAY = 288, HOUR = 12, DAYS = 14 };
static const char *const names[] = { "v0", "v1", "v2" };

static struct dcp_inventory *
model(uint32_t n_vms)
{
    struct dcp_hardware hw = fixture_hardware(2, 8);
    struct dcp_inventory *inv =
        fixture_create(&hw, 1, (const uint32_t[]){ 2, 2, 2 }, n_vms);

    for (uint32_t i = 0; i < n_vms; i++) {
        fixture_vm(inv, i)->host = (dcp_host_id){ 0 };
    }
    inv->policy.overload = true;
    return inv;
}

/* From Monday 2013-08-12: v0 wants 1000 in even cells and 100 in odd ones, v1
 * the other way round; others have no samples. */
static struct dcp_store *
opposite(uint32_t n_vms)
{
    int64_t start = dcp_days_from_civil(2013, 8, 12) * DCP_DAY_MS;
    struct dcp_store *store =
        fake_store_create(n_vms, DAYS * DAY, start, names);
    float *cpu = fake_store_metric(store, DCP_METRIC_CPU_MHZ);

    for (uint32_t c = 0; c < DAYS * DAY; c++) {
        for (uint32_t vm = 0; vm < n_vms; vm++) {
            cpu[vm * DAYS * DAY + c] = vm > 1 ? NAN : c % 2 == vm ? 1000 : 100;
        }
    }
    return store;
}

/* Two slots: 2013-08-29 (a Thursday) 22:00 and 23:00. */
static struct dcp_demand *
fit(struct dcp_store *store, const struct dcp_inventory *inv)
{
    int64_t at =
        dcp_days_from_civil(2013, 8, 29) * DCP_DAY_MS + 22 * DCP_HOUR_MS;
    struct dcp_slot slots[3];
    uint32_t n =
        dcp_slots_between(inv->policy.buckets, &inv->calendar, inv->zone, at,
                          at + 2 * DCP_HOUR_MS, slots, 3);
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(inv, NULL);
    struct dcp_error err = { 0 };
    struct dcp_demand *d =
        dcp_fit(store, inv, start, slots, n, INT64_MIN, INT64_MAX, &err);

    ck_assert_msg(d != NULL, "%s", err.message);
    return d;
}

START_TEST(samples_of_one_instant_are_in_one_column)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(2);
    DCP_AUTO(dcp_store) struct dcp_store *store = opposite(2);

    inv->policy.overload_samples = 1000;
    DCP_AUTO(dcp_demand) struct dcp_demand *d = fit(store, inv);
    const struct dcp_scenarios *s = d->scenarios;

    ck_assert_ptr_nonnull(s);
    ck_assert_uint_eq(s->n, 240); /* Two hours of ten weekdays. */
    ck_assert_uint_eq(s->count[0], 120);
    ck_assert_uint_eq(s->first[1], 120);
    for (uint32_t k = 0; k < s->n; k++) {
        ck_assert_uint_eq(s->cpu_mhz[k] + s->cpu_mhz[s->stride + k], 1210);
    }
    ck_assert_uint_eq(d->cpu_mhz[0], 605); /* The mean, with the margin. */
    /* (k + 1) / (n + 1) is at most eps. */
    ck_assert_uint_eq(dcp_scenarios_allowed(&inv->policy, 120), 0);
    ck_assert_uint_eq(dcp_scenarios_allowed(&inv->policy, 198), 0);
    ck_assert_uint_eq(dcp_scenarios_allowed(&inv->policy, 199), 1);
    inv->policy.overload_eps_frac = 0.05;
    ck_assert_uint_eq(dcp_scenarios_allowed(&inv->policy, 120), 5);
    inv->policy.overload_eps_frac = 0;
    ck_assert_uint_eq(dcp_scenarios_allowed(&inv->policy, 120), 0);
}
END_TEST

/* Ten weekdays in the store, eleven asked for: peaks, whose sum must fit. */
START_TEST(few_days_are_planned_at_their_peaks)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(2);
    DCP_AUTO(dcp_store) struct dcp_store *store = opposite(2);

    inv->policy.min_history_ms = 11 * DCP_DAY_MS;
    DCP_AUTO(dcp_demand) struct dcp_demand *d = fit(store, inv);
    const struct dcp_scenarios *s = d->scenarios;

    ck_assert_uint_eq(s->count[0], 1);
    ck_assert_uint_eq(s->cpu_mhz[s->first[0]], 1100);
    ck_assert_uint_eq(s->cpu_mhz[s->stride + s->first[0]], 1100);
    ck_assert_uint_eq(d->cpu_mhz[0], 1100);
}
END_TEST

START_TEST(few_samples_are_spread_over_the_history)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(2);
    DCP_AUTO(dcp_store) struct dcp_store *store = opposite(2);

    inv->policy.overload_samples = 7;
    for (uint32_t c = 0; c < 7 * DAY; c++) { /* The first week: idle. */
        store->metric[DCP_METRIC_CPU_MHZ][c] = 10;
    }
    DCP_AUTO(dcp_demand) struct dcp_demand *d = fit(store, inv);
    uint32_t n_idle = 0;

    ck_assert_uint_eq(d->scenarios->count[0], 7);
    for (uint32_t k = 0; k < 7; k++) {
        n_idle += d->scenarios->cpu_mhz[k] == 11;
    }
    ck_assert_uint_ge(n_idle, 3);
    ck_assert_uint_le(n_idle, 4);
}
END_TEST

START_TEST(no_sample_is_what_is_planned)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(3);
    DCP_AUTO(dcp_store) struct dcp_store *store = opposite(3);
    float *cpu = store->metric[DCP_METRIC_CPU_MHZ];
    uint32_t at = 22 * HOUR; /* Monday 22:00: the first column. */

    inv->policy.overload_samples = 1000;
    cpu[at] = NAN;
    DCP_AUTO(dcp_demand) struct dcp_demand *d = fit(store, inv);
    const struct dcp_scenarios *s = d->scenarios;

    ck_assert_uint_eq(s->cpu_mhz[0], 1100); /* v0's p95. */
    for (uint32_t k = 0; k < s->n; k++) {   /* v2 has none at all. */
        ck_assert_uint_eq(s->cpu_mhz[2 * s->stride + k],
                          d->cpu_mhz[2 * d->stride]);
    }
}
END_TEST

START_TEST(not_asked_for_is_not_there)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(2);
    DCP_AUTO(dcp_store) struct dcp_store *store = opposite(2);

    inv->policy.overload = false;
    DCP_AUTO(dcp_demand) struct dcp_demand *d = fit(store, inv);

    ck_assert_ptr_null(d->scenarios);
    ck_assert_uint_eq(d->cpu_mhz[0], 1100);
}
END_TEST

START_TEST(no_more_than_the_largest_host_in_any_sample)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(2);
    DCP_AUTO(dcp_store) struct dcp_store *store = opposite(2);

    inv->policy.target_cpu_frac =
        500.0 / dcp_host_capacity(inv, (dcp_host_id){ 0 }).cpu_mhz;
    DCP_AUTO(dcp_demand) struct dcp_demand *d = fit(store, inv);

    dcp_demand_cap(d, inv);
    uint32_t most = dcp_host_usable(inv, (dcp_host_id){ 0 }).cpu_mhz;

    ck_assert_uint_eq(d->n_vms_above_hosts, 2);
    for (uint32_t k = 0; k < d->scenarios->n; k++) {
        ck_assert_uint_le(d->scenarios->cpu_mhz[k], most);
    }
    ck_assert_uint_eq(d->cpu_mhz[0], (most + 110) / 2);
}
END_TEST

START_TEST(each_predictor_plans_what_it_says)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(1);
    DCP_AUTO(dcp_store) struct dcp_store *store = opposite(1);
    float *cpu = store->metric[DCP_METRIC_CPU_MHZ];

    inv->policy.overload = false;
    for (uint32_t c = 0; c < DAYS * DAY; c++) { /* Mean 200, sigma 100. */
        cpu[c] = c % 2 ? 100 : 300;
    }
    cpu[22 * HOUR] = 1500;
    const struct {
        enum dcp_predictor predictor;
        double low, high;
    } cases[] = {
        { DCP_PREDICT_PERCENTILE, 330, 330 },
        { DCP_PREDICT_PEAK, 1650, 1650 },
        /* 120 samples: 210 + 2 x 154 and a tenth. */
        { DCP_PREDICT_NSIGMA, 1.1 * (210 + 2 * 150), 1.1 * (210 + 2 * 160) },
        { DCP_PREDICT_RATIO, 0.9 * 2000 * 1.1, 0.9 * 2000 * 1.1 },
        { DCP_PREDICT_MAX, 1.1 * (210 + 2 * 150), 1.1 * (210 + 2 * 160) },
    };

    inv->policy.predict_sigmas = 2;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        inv->policy.predictor = cases[i].predictor;
        DCP_AUTO(dcp_demand) struct dcp_demand *d = fit(store, inv);

        ck_assert_double_ge(d->cpu_mhz[0], cases[i].low - 1);
        ck_assert_double_le(d->cpu_mhz[0], cases[i].high + 1);
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &samples_of_one_instant_are_in_one_column,
        &few_samples_are_spread_over_the_history,
        &few_days_are_planned_at_their_peaks,
        &no_sample_is_what_is_planned,
        &not_asked_for_is_not_there,
        &no_more_than_the_largest_host_in_any_sample,
        &each_predictor_plans_what_it_says,
    };

    return RUN_TESTS("fit_joint", tests);
}
