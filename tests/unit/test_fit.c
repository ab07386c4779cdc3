/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/units.h"
#include "tests/unit/fake_store.h"
#include "tests/unit/ledger_fixture.h"
#include "traces/fit.h"

enum { DAY = 288, HOUR = 12 };
static const char *const names[] = { "v0", "v1", "v2", "v3" };

/* One host of speed factor 'factor', VMs of 2 vCPUs of 1000 MHz on it, tier
 * p95 + 10 %. */
static struct dcp_inventory *
model(uint32_t n_vms, double factor)
{
    struct dcp_hardware hw = fixture_hardware(2, 8);

    hw.speed_factor = factor;
    struct dcp_inventory *inv =
        fixture_create(&hw, 1, (const uint32_t[]){ 2, 2, 2, 2 }, n_vms);

    for (uint32_t i = 0; i < n_vms; i++) {
        fixture_vm(inv, i)->host = (dcp_host_id){ 0 };
    }
    return inv;
}

static int64_t
utc(int64_t year, uint32_t month, uint32_t day)
{
    return dcp_days_from_civil(year, month, day) * DCP_DAY_MS;
}

static uint32_t
with_margin(double mhz)
{
    return (uint32_t)ceil(mhz * 1.1 - 1e-6);
}

/* Slots of 2013-08-29, a Thursday. */
static struct dcp_demand *
fit_day(struct dcp_store *store, const struct dcp_inventory *inv,
        int64_t from_ms, int64_t until_ms)
{
    struct dcp_slot slots[25];
    int64_t day = utc(2013, 8, 29);
    uint32_t n = dcp_slots_between(inv->policy.buckets, &inv->calendar,
                                   inv->zone, day, day + DCP_DAY_MS, slots, 25);
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(inv, NULL);
    struct dcp_error err = { 0 };
    struct dcp_demand *d =
        dcp_fit(store, inv, start, slots, n, from_ms, until_ms, &err);

    ck_assert_msg(d != NULL, "%s", err.message);
    return d;
}

/* Two weeks from Monday 2013-08-12: 100 + the hour on weekdays, 50 at
 * weekends. */
static struct dcp_store *
two_weeks(uint32_t n_vms)
{
    struct dcp_store *store =
        fake_store_create(n_vms, 14 * DAY, utc(2013, 8, 12), names);
    float *cpu = fake_store_metric(store, DCP_METRIC_CPU_MHZ);

    for (uint32_t vm = 0; vm < n_vms; vm++) {
        for (uint32_t c = 0; c < 14 * DAY; c++) {
            bool weekend = c / DAY % 7 >= 5;

            cpu[vm * 14 * DAY + c] =
                weekend ? 50 : (float)(100 + c % DAY / HOUR);
        }
    }
    return store;
}

START_TEST(slot_has_its_buckets_percentile_and_margin)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(2, 1);
    DCP_AUTO(dcp_store) struct dcp_store *store = two_weeks(2);
    float *cpu = store->metric[DCP_METRIC_CPU_MHZ];

    /* Weekday hour 3 has 10 days x 12 = 120 samples; p95 is the 114th: six
     * may stand out before it moves. */
    for (uint32_t i = 0; i < 6; i++) {
        cpu[3 * HOUR + i] = 900;
    }
    for (uint32_t i = 0; i < 7; i++) {
        cpu[14 * DAY + 3 * HOUR + i] = 900;
    }
    DCP_AUTO(dcp_demand)
    struct dcp_demand *d = fit_day(store, inv, INT64_MIN, utc(2013, 8, 26));

    for (uint32_t h = 0; h < 24; h++) {
        ck_assert_uint_eq(d->cpu_mhz[h], with_margin(100 + h));
    }
    ck_assert_uint_eq(d->cpu_mhz[d->stride + 3], 990);
    /* What to expect: the mean, without margin. */
    ck_assert_uint_eq(d->cpu_mean_mhz[4], 104);
    ck_assert_uint_eq(d->cpu_mean_mhz[3],
                      143); /* (6 x 900 + 114 x 103) / 120. */
    ck_assert_uint_eq(d->cpu_mean_mhz[d->stride + 3], 149); /* 149.49. */
    ck_assert_uint_eq(d->n_by_source[DCP_DEMAND_TRACE], 2);
    ck_assert_uint_eq(d->n_vms_partial, 0);
    ck_assert_uint_eq(d->n_class_fallback, 0);
    ck_assert_int_eq(d->from_ms, utc(2013, 8, 12));
    ck_assert_int_eq(d->until_ms, utc(2013, 8, 26));
    ck_assert_str_eq(d->traces_digest, "sha256:fake");
}
END_TEST

START_TEST(peak_factor_lifts_a_bucket)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(1, 1);
    DCP_AUTO(dcp_store) struct dcp_store *store = two_weeks(1);

    store->metric[DCP_METRIC_CPU_MHZ][3 * HOUR] = 900;
    inv->policy.peak_factor = 0.5;
    DCP_AUTO(dcp_demand)
    struct dcp_demand *d = fit_day(store, inv, INT64_MIN, utc(2013, 8, 26));

    ck_assert_uint_eq(d->cpu_mhz[3], 495);
    ck_assert_uint_eq(d->cpu_mhz[4], 115); /* 104 x 1.1. */
}
END_TEST

START_TEST(nothing_from_until_on_is_seen)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(1, 1);
    DCP_AUTO(dcp_store) struct dcp_store *store = two_weeks(1);
    DCP_AUTO(dcp_store) struct dcp_store *poisoned = two_weeks(1);
    /* In the middle of a cell: that cell is of the future as well. */
    int64_t until = utc(2013, 8, 22) + 7 * 300000 + 1;
    int64_t from = utc(2013, 8, 13) + 1;

    for (uint32_t c = 0; c < 14 * DAY; c++) {
        if (c >= 10 * DAY + 7 || c < DAY + 1) {
            poisoned->metric[DCP_METRIC_CPU_MHZ][c] = 1900;
        }
    }
    DCP_AUTO(dcp_demand)
    struct dcp_demand *a = fit_day(store, inv, from, until);
    DCP_AUTO(dcp_demand)
    struct dcp_demand *b = fit_day(poisoned, inv, from, until);

    ck_assert_mem_eq(a->cpu_mhz, b->cpu_mhz, a->stride * sizeof(uint32_t));
    ck_assert_int_eq(a->until_ms, utc(2013, 8, 22) + 7 * 300000);
    ck_assert_int_eq(a->from_ms, utc(2013, 8, 13) + 300000);
}
END_TEST

START_TEST(samples_at_the_limit_are_raised)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(3, 1);
    DCP_AUTO(dcp_store) struct dcp_store *store = two_weeks(3);
    float *cpu = store->metric[DCP_METRIC_CPU_MHZ];
    double capacity[] = { 0, 1000, 1000 };

    store->cpu_capacity_mhz = capacity;
    /* 98 % of 2000, the model's; above the recorded 1000; just below it. */
    for (uint32_t c = 0; c < 14 * DAY; c++) {
        if (c % DAY / HOUR == 5) {
            cpu[c] = 1960;
            cpu[14 * DAY + c] = 1001;
            cpu[28 * DAY + c] = 979;
        }
    }
    DCP_AUTO(dcp_demand)
    struct dcp_demand *d = fit_day(store, inv, INT64_MIN, utc(2013, 8, 26));

    ck_assert_uint_eq(d->cpu_mhz[5], 2200); /* All it has, and the margin. */
    ck_assert_uint_eq(d->cpu_mhz[d->stride + 5],
                      (uint32_t)ceil(1001 * 1.1 * 1.1));
    ck_assert_uint_eq(d->cpu_mhz[2 * d->stride + 5], (uint32_t)ceil(979 * 1.1));
    ck_assert_uint_eq(d->cpu_mean_mhz[5], 2000); /* No more than it may. */
    ck_assert_uint_eq(d->cpu_mean_mhz[d->stride + 5], 1101);
    ck_assert_uint_eq(d->n_vms_at_limit, 2);
    ck_assert_uint_eq(d->n_samples_at_limit, 2 * 14 * HOUR);
    ck_assert_double_eq(d->at_limit_raise_frac, 0.1);
}
END_TEST

START_TEST(short_partial_and_absent_histories)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(4, 1);
    DCP_AUTO(dcp_store) struct dcp_store *store = two_weeks(3);
    float *cpu = store->metric[DCP_METRIC_CPU_MHZ];

    /* v0 appears for the last 6 days: Tuesday to Sunday, peak 123. v1 is last
     * seen 3 days before the end.  v2 never.  v3 is not in the store. */
    for (uint32_t c = 0; c < 14 * DAY; c++) {
        if (c < 8 * DAY) {
            cpu[c] = NAN;
        }
        if (c >= 11 * DAY) {
            cpu[14 * DAY + c] = NAN;
        }
        cpu[28 * DAY + c] = NAN;
    }
    DCP_AUTO(dcp_demand)
    struct dcp_demand *d = fit_day(store, inv, INT64_MIN, utc(2013, 8, 26));

    for (uint32_t h = 0; h < 24; h++) {
        ck_assert_uint_eq(d->cpu_mhz[h], 136); /* 123 x 1.1. */
        ck_assert_uint_eq(d->cpu_mhz[d->stride + h], with_margin(100 + h));
        ck_assert_uint_eq(d->cpu_mhz[2 * d->stride + h], 2000);
        ck_assert_uint_eq(d->cpu_mhz[3 * d->stride + h], 2000);
        ck_assert_uint_eq(d->cpu_mean_mhz[h], 100 + h); /* Short: by hours. */
        ck_assert_uint_eq(d->cpu_mean_mhz[d->stride + h], 100 + h);
        ck_assert_uint_eq(d->cpu_mean_mhz[3 * d->stride + h], 2000);
    }
    ck_assert_uint_eq(d->source[0], DCP_DEMAND_SHORT);
    ck_assert_uint_eq(d->source[1], DCP_DEMAND_TRACE);
    ck_assert_uint_eq(d->n_by_source[DCP_DEMAND_SHORT], 1);
    ck_assert_uint_eq(d->n_by_source[DCP_DEMAND_TRACE], 1);
    ck_assert_uint_eq(d->n_by_source[DCP_DEMAND_ALLOCATION], 2);
    ck_assert_uint_eq(d->n_vms_partial, 2);

    /* Perfect foresight trusts a short history: it is the night itself. */
    DCP_AUTO(dcp_demand)
    struct dcp_demand *foresight =
        fit_day(store, inv, utc(2013, 8, 20), utc(2013, 8, 21));

    ck_assert_uint_eq(foresight->source[0], DCP_DEMAND_TRACE);
    ck_assert_uint_eq(foresight->cpu_mhz[5], 116);
}
END_TEST

START_TEST(class_without_history_takes_the_worst_known)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(1, 1);
    DCP_AUTO(dcp_store) struct dcp_store *store = two_weeks(1);
    int64_t holiday = utc(2013, 8, 29) / DCP_DAY_MS;

    inv->calendar.days[DCP_DAY_HOLIDAY] = &holiday;
    inv->calendar.n_days[DCP_DAY_HOLIDAY] = 1;
    for (uint32_t c = 0; c < 14 * DAY; c++) {
        if (c / DAY % 7 >= 5 && c % DAY / HOUR == 2) {
            store->metric[DCP_METRIC_CPU_MHZ][c] = 500; /* Backup. */
        }
    }
    DCP_AUTO(dcp_demand)
    struct dcp_demand *d = fit_day(store, inv, INT64_MIN, utc(2013, 8, 26));

    ck_assert_uint_eq(d->cpu_mhz[2], 550);
    ck_assert_uint_eq(d->cpu_mhz[3], 114); /* The weekday's 103. */
    ck_assert_uint_eq(d->cpu_mean_mhz[2], 301); /* Of 102 and 500. */
    ck_assert_uint_eq(d->n_class_fallback, 1);
}
END_TEST

START_TEST(measured_mhz_become_reference_mhz)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(1, 1.5);
    DCP_AUTO(dcp_store) struct dcp_store *store = two_weeks(1);
    DCP_AUTO(dcp_demand)
    struct dcp_demand *d = fit_day(store, inv, INT64_MIN, utc(2013, 8, 26));
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(inv, NULL);
    struct dcp_samples s;

    ck_assert_uint_eq(d->cpu_mhz[10], (uint32_t)ceil(110 * 1.5 * 1.1));
    ck_assert(dcp_samples_load(store, DCP_METRIC_CPU_MHZ, inv, start,
                               utc(2013, 8, 12) + 1, utc(2013, 8, 13), &s,
                               NULL));
    ck_assert_uint_eq(s.n_times, DAY - 1);
    ck_assert_int_eq(s.start_ms, utc(2013, 8, 12) + 300000);
    ck_assert_float_eq(s.value[0], 150);
    ck_assert_float_eq(s.value[10 * HOUR], 165);
    dcp_samples_finish(&s);
    ck_assert(dcp_samples_load(store, DCP_METRIC_NET_RX_KIB_S, inv, start,
                               INT64_MIN, INT64_MAX, &s, NULL));
    ck_assert_uint_eq(s.n_times, 14 * DAY);
    ck_assert(isnan(s.value[7]));
    dcp_samples_finish(&s);
    ck_assert(dcp_samples_load(store, DCP_METRIC_CPU_MHZ, inv, start, 0, 1, &s,
                               NULL));
    ck_assert_uint_eq(s.n_times, 0);
    dcp_samples_finish(&s);
}
END_TEST

START_TEST(network_is_the_larger_direction)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(2, 2);
    DCP_AUTO(dcp_store) struct dcp_store *store = two_weeks(2);
    float *rx = fake_store_metric(store, DCP_METRIC_NET_RX_KIB_S);
    float *tx = fake_store_metric(store, DCP_METRIC_NET_TX_KIB_S);

    for (uint32_t c = 0; c < 14 * DAY; c++) {
        rx[c] = c % 2 ? 1000 : NAN;
        tx[c] = c % 2 ? 10 : 5000;
    }
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(inv, NULL);
    struct dcp_samples s;

    ck_assert(dcp_samples_load(store, DCP_METRIC_NET_RX_KIB_S, inv, start,
                               utc(2013, 8, 12), utc(2013, 8, 13), &s, NULL));
    ck_assert(dcp_samples_raise(store, DCP_METRIC_NET_TX_KIB_S, inv, start, &s,
                                NULL));
    ck_assert_float_eq(s.value[0], 5000);
    ck_assert_float_eq(s.value[s.n_vms], 1000);
    dcp_samples_finish(&s);
    DCP_AUTO(dcp_demand)
    struct dcp_demand *d = fit_day(store, inv, INT64_MIN, utc(2013, 8, 26));

    ck_assert_ptr_nonnull(d->net_kib_s);
    ck_assert_uint_eq(d->net_kib_s[0], 5500);
    ck_assert_uint_eq(d->net_kib_s[d->stride], 0);
    ck_assert_ptr_null(d->mem_active_mib);
}
END_TEST

/* Backups from 0 to 6 h, work by day; the second VM has no samples by day. */
START_TEST(disks_are_told_apart_by_part_of_the_day)
{
    static const struct dcp_pool pool = { .name = "p" };
    static const struct dcp_volume volume = { .vm = { 0 }, .pool = { 0 } };
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(2, 1);
    DCP_AUTO(dcp_store) struct dcp_store *store = two_weeks(2);
    float *reads = fake_store_metric(store, DCP_METRIC_DISK_READ_KIB_S);
    float *writes = fake_store_metric(store, DCP_METRIC_DISK_WRITE_KIB_S);

    inv->pools = &pool;
    inv->volumes = &volume;
    inv->n_pools = inv->n_volumes = 1;
    for (uint32_t c = 0; c < 14 * DAY; c++) {
        uint32_t hour = c % DAY / HOUR;

        reads[c] = hour < 6 ? 4000 : hour < 18 ? 300 : 100;
        writes[c] = hour < 6 ? NAN : 100;
        reads[14 * DAY + c] = hour < 6 ? 4000 : NAN;
        writes[14 * DAY + c] = NAN;
    }
    DCP_AUTO(dcp_demand)
    struct dcp_demand *d = fit_day(store, inv, INT64_MIN, utc(2013, 8, 26));

    ck_assert_ptr_nonnull(d->disk_part_kib_s);
    ck_assert_uint_eq(d->disk_kib_s[0], 4400); /* A quarter of all samples. */
    ck_assert_uint_eq(d->disk_part_kib_s[0], 4400);
    ck_assert_uint_eq(d->disk_part_kib_s[1], 440);
    ck_assert_uint_eq(d->disk_part_kib_s[2], 440);
    ck_assert_uint_eq(d->disk_part_kib_s[3], 220);
    ck_assert_uint_eq(d->disk_part_kib_s[DCP_DAY_PARTS], 4400);
    ck_assert_uint_eq(d->disk_part_kib_s[DCP_DAY_PARTS + 1], UINT32_MAX);
    inv->n_pools = inv->n_volumes = 0;
}
END_TEST

START_TEST(active_memory_has_a_floor_and_a_ceiling)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(4, 1);
    DCP_AUTO(dcp_store) struct dcp_store *store = two_weeks(4);
    float *mem = fake_store_metric(store, DCP_METRIC_MEM_MIB);

    fixture_vm(inv, 1)->balloon_floor_mib = 512;
    for (uint32_t c = 0; c < 14 * DAY; c++) {
        mem[c] = c % 100 < 5 ? 900 : 300;
        mem[14 * DAY + c] = 100;
        mem[28 * DAY + c] = 5000;
    }
    DCP_AUTO(dcp_demand)
    struct dcp_demand *d = fit_day(store, inv, INT64_MIN, utc(2013, 8, 26));

    ck_assert_uint_eq(d->mem_active_mib[0], 900); /* 205 of 4032: over 5 %. */
    ck_assert_uint_eq(d->mem_active_mib[1], 512);
    ck_assert_uint_eq(d->mem_active_mib[2], 1024);
    ck_assert_uint_eq(d->mem_active_mib[3], 1024); /* Not measured. */
    store->mem_basis = "allocated";
    DCP_AUTO(dcp_demand)
    struct dcp_demand *allocated =
        fit_day(store, inv, INT64_MIN, utc(2013, 8, 26));

    ck_assert_ptr_null(allocated->mem_active_mib);
}
END_TEST

START_TEST(two_vms_may_share_a_trace)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(4, 1);
    DCP_AUTO(dcp_store) struct dcp_store *store = two_weeks(2);

    store->metric[DCP_METRIC_CPU_MHZ][14 * DAY] = 7; /* v1 alone. */
    fixture_vm(inv, 3)->trace = "v0";
    fixture_vm(inv, 2)->trace = "v1";
    DCP_AUTO(dcp_demand)
    struct dcp_demand *d = fit_day(store, inv, INT64_MIN, utc(2013, 8, 26));

    ck_assert_uint_eq(d->n_by_source[DCP_DEMAND_TRACE], 4);
    ck_assert_mem_eq(d->cpu_mhz, d->cpu_mhz + 3 * d->stride,
                     d->stride * sizeof(uint32_t));
    ck_assert_uint_eq(store->max_columns, 2);
}
END_TEST

START_TEST(a_bucket_of_another_scheme_is_refused)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(1, 1);
    DCP_AUTO(dcp_store) struct dcp_store *store = two_weeks(1);
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(inv, NULL);
    struct dcp_slot slot = { 0, DCP_HOUR_MS, 9999 };
    struct dcp_error err = { 0 };

    ck_assert_ptr_null(
        dcp_fit(store, inv, start, &slot, 1, INT64_MIN, INT64_MAX, &err));
    ck_assert_int_eq(err.code, DCP_E_ARGUMENT);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("fit");
    TCase *tc = tcase_create("fit");

    tcase_add_test(tc, slot_has_its_buckets_percentile_and_margin);
    tcase_add_test(tc, peak_factor_lifts_a_bucket);
    tcase_add_test(tc, nothing_from_until_on_is_seen);
    tcase_add_test(tc, samples_at_the_limit_are_raised);
    tcase_add_test(tc, short_partial_and_absent_histories);
    tcase_add_test(tc, class_without_history_takes_the_worst_known);
    tcase_add_test(tc, measured_mhz_become_reference_mhz);
    tcase_add_test(tc, network_is_the_larger_direction);
    tcase_add_test(tc, disks_are_told_apart_by_part_of_the_day);
    tcase_add_test(tc, active_memory_has_a_floor_and_a_ceiling);
    tcase_add_test(tc, two_vms_may_share_a_trace);
    tcase_add_test(tc, a_bucket_of_another_scheme_is_refused);
    suite_add_tcase(suite, tc);
    return fixture_run(suite);
}
