/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/rng.h"
#include "model/base/units.h"
#include "model/capacity.h"
#include "model/cost.h"
#include "model/demand.h"
#include "tests/unit/ledger_fixture.h"

#include <math.h>
#include <stdlib.h>

static int
by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

START_TEST(percentile_is_nearest_rank)
{
    float v[20];

    for (int i = 0; i < 20; i++) {
        v[i] = (float)(20 - i);
    }
    ck_assert_float_eq(dcp_percentile(v, 20, 0.95), 19);
    ck_assert_float_eq(dcp_percentile(v, 20, 0.951), 20);
    ck_assert_float_eq(dcp_percentile(v, 20, 1), 20);
    ck_assert_float_eq(dcp_percentile(v, 20, 0.05), 1);
    ck_assert_float_eq(dcp_percentile(v, 20, 1e-12), 1);
    ck_assert_float_eq(dcp_percentile(v, 1, 0.5), v[0]);
}
END_TEST

START_TEST(percentile_agrees_with_sorting)
{
    struct dcp_rng rng = dcp_rng_stream(1, "percentile", 0);
    float v[300], sorted[300];

    for (int round = 0; round < 2000; round++) {
        uint32_t n = 1 + (uint32_t)dcp_rng_below(&rng, 300);
        uint32_t distinct = 1 + (uint32_t)dcp_rng_below(&rng, 400);
        double p = (1 + (double)dcp_rng_below(&rng, 100)) / 100;

        for (uint32_t i = 0; i < n; i++) {
            v[i] = sorted[i] = (float)dcp_rng_below(&rng, distinct);
        }
        qsort(sorted, n, sizeof *sorted, by_value);
        uint32_t rank = (uint32_t)ceil(p * n - 1e-9);

        ck_assert_float_eq(dcp_percentile(v, n, p), sorted[rank - 1]);
    }
}
END_TEST

START_TEST(no_history_is_allocation_or_profile)
{
    struct dcp_hardware hw[] = { fixture_hardware(2, 4) };
    DCP_AUTO(dcp_inventory)
    struct dcp_inventory *inv =
        fixture_create(hw, 1, (const uint32_t[]){ 2, 2, 4 }, 3);
    float shape[DCP_DAY_CLASSES_MAX * 24] = { 0 };
    struct dcp_profile profile = { "office", shape };
    struct dcp_slot slots[2];

    inv->zone = &brussels;
    inv->profiles = &profile;
    inv->n_profiles = 1;
    shape[DCP_DAY_WEEKDAY * 24 + 9] = 0.5f;
    shape[DCP_DAY_WEEKDAY * 24 + 10] = 0.25f;
    fixture_vm(inv, 1)->profile = (dcp_profile_id){ 0 };
    fixture_vm(inv, 2)->cpu_limit_mhz = 1500;

    int64_t from = dcp_zone_instant(&brussels, dcp_days_from_civil(2013, 8, 22),
                                    9 * DCP_HOUR_MS);
    ck_assert_uint_eq(dcp_slots_between(DCP_BUCKETS_HOUR_OF_DAY, &inv->calendar,
                                        &brussels, from, from + 2 * DCP_HOUR_MS,
                                        slots, 2),
                      2);
    DCP_AUTO(dcp_demand)
    struct dcp_demand *d = dcp_demand_from_model(inv, slots, 2, NULL);

    ck_assert_ptr_nonnull(d);
    ck_assert_uint_eq(d->stride, 8);
    ck_assert_uint_eq(d->cpu_mhz[0], 2000);
    ck_assert_uint_eq(d->cpu_mhz[8], 1100); /* 50 % of 2000, margin 10 %. */
    ck_assert_uint_eq(d->cpu_mhz[9], 550);
    ck_assert_uint_eq(d->cpu_mhz[10], 0); /* Padding. */
    ck_assert_uint_eq(d->cpu_mhz[16], 1500);
    ck_assert_uint_eq(d->source[0], DCP_DEMAND_ALLOCATION);
    ck_assert_uint_eq(d->source[1], DCP_DEMAND_PROFILE);
    ck_assert_uint_eq(d->n_by_source[DCP_DEMAND_ALLOCATION], 2);
    ck_assert_uint_eq(d->n_by_source[DCP_DEMAND_PROFILE], 1);
    ck_assert_ptr_null(d->net_kib_s);
}
END_TEST

/* A VM of eight cores' demand on hosts of two: planned at what the largest
 * host may carry, and counted; smaller ones are left alone. */
START_TEST(no_vm_is_planned_above_all_hosts)
{
    struct dcp_hardware hw[] = { fixture_hardware(1, 2) };
    DCP_AUTO(dcp_inventory)
    struct dcp_inventory *inv =
        fixture_create(hw, 1, (const uint32_t[]){ 1, 8 }, 2);
    struct dcp_slot slot = { 0, DCP_HOUR_MS, 0 };

    inv->policy.target_cpu_frac = 0.8;
    DCP_AUTO(dcp_demand)
    struct dcp_demand *d = dcp_demand_from_model(inv, &slot, 1, NULL);

    ck_assert_ptr_nonnull(d);
    uint32_t small = d->cpu_mhz[0];
    uint32_t most = dcp_host_usable(inv, (dcp_host_id){ 0 }).cpu_mhz;

    ck_assert_uint_gt(d->cpu_mhz[d->stride], most);
    dcp_demand_cap(d, inv);
    ck_assert_uint_eq(d->cpu_mhz[d->stride], most);
    ck_assert_uint_eq(d->cpu_mhz[0], small);
    ck_assert_uint_eq(d->n_vms_above_hosts, 1);
}
END_TEST

/* What is learned once for three hours is, in a part of the second and in the
 * third, what would be learned of those. */
START_TEST(a_part_is_as_if_learned_for_it)
{
    struct dcp_hardware hw[] = { fixture_hardware(1, 2) };
    DCP_AUTO(dcp_inventory)
    struct dcp_inventory *inv =
        fixture_create(hw, 1, (const uint32_t[]){ 1, 2 }, 2);
    float shape[DCP_DAY_CLASSES_MAX * 24] = { 0 };
    struct dcp_profile profile = { "office", shape };
    const struct dcp_slot slots[] = {
        { 9 * DCP_HOUR_MS, 10 * DCP_HOUR_MS, 9 },
        { 10 * DCP_HOUR_MS, 11 * DCP_HOUR_MS, 10 },
        { 11 * DCP_HOUR_MS, 12 * DCP_HOUR_MS, 11 },
    };
    struct dcp_slot late[2] = { slots[1], slots[2] };
    struct dcp_error err = { 0 };

    for (uint32_t i = 0; i < DCP_DAY_CLASSES_MAX * 24; i++) {
        shape[i] = (float)(i % 24) / 24;
    }
    inv->zone = &brussels;
    inv->profiles = &profile;
    inv->n_profiles = 1;
    fixture_vm(inv, 1)->profile = (dcp_profile_id){ 0 };
    late[0].start_ms += DCP_HOUR_MS / 4;
    DCP_AUTO(dcp_demand)
    struct dcp_demand *all = dcp_demand_from_model(inv, slots, 3, &err);
    DCP_AUTO(dcp_demand)
    struct dcp_demand *want = dcp_demand_from_model(inv, late, 2, &err);
    DCP_AUTO(dcp_demand)
    struct dcp_demand *part = dcp_demand_part(all, late, 2, &err);

    ck_assert_ptr_nonnull(part);
    ck_assert_uint_eq(part->stride, want->stride);
    ck_assert_mem_eq(part->cpu_mhz, want->cpu_mhz,
                     2 * part->stride * sizeof *part->cpu_mhz);
    ck_assert_mem_eq(part->slots, late, sizeof late);
    ck_assert_mem_eq(part->source, want->source, 2);
    ck_assert_uint_eq(part->n_by_source[DCP_DEMAND_PROFILE], 1);

    late[1].end_ms += 1; /* Beyond what was learned. */
    ck_assert_ptr_null(dcp_demand_part(all, late, 2, &err));
    late[1] = slots[2];
    late[1].bucket = 35; /* The hour of another class of day. */
    ck_assert_ptr_null(dcp_demand_part(all, late, 2, &err));
    ck_assert_int_eq(err.code, DCP_E_ARGUMENT);
}
END_TEST

START_TEST(energy_of_a_placement_by_hand)
{
    struct dcp_hardware hw[] = { fixture_hardware(2, 4),
                                 fixture_hardware(2, 4) };
    DCP_AUTO(dcp_inventory)
    struct dcp_inventory *inv =
        fixture_create(hw, 2, (const uint32_t[]){ 4 }, 1);
    struct dcp_tariff_row row = { .price_per_kwh = 0.25,
                                  .carbon_g_per_kwh = 200 };
    struct dcp_tariff tariff = { "flat", &row, 1 };
    struct dcp_site site = { "s", { 0 }, 1.5, 1.2, &dcp_zone_utc, NULL };
    struct dcp_switch sw = { .name = "tor",
                             .rack = dcp_rack_none(),
                             .power_w = 50 };
    struct dcp_slot slots[2] = { { 0, DCP_HOUR_MS, 0 },
                                 { DCP_HOUR_MS, DCP_HOUR_MS * 3 / 2, 1 } };

    inv->tariffs = &tariff;
    inv->n_tariffs = 1;
    inv->sites = &site;
    inv->n_sites = 1;
    inv->switches = &sw;
    inv->n_switches = 1;
    fixture_vm(inv, 0)->host = (dcp_host_id){ 0 };
    DCP_AUTO(dcp_placement)
    struct dcp_placement *p = dcp_placement_start(inv, NULL);
    DCP_AUTO(dcp_demand)
    struct dcp_demand *d = dcp_demand_from_model(inv, slots, 2, NULL);

    p->on[1] = 0;
    struct dcp_energy_sum e = dcp_energy_planned(inv, d, p, 0, 2);

    /* h0 at half load 150 W, h1 asleep 10 W, the switch 50 W: 210 W, 1.5 h. */
    ck_assert_double_eq_tol(e.it_kwh, 0.315, 1e-12);
    ck_assert_double_eq_tol(e.meter_kwh, 0.4725, 1e-12);
    ck_assert_double_eq_tol(e.cost, 0.118125, 1e-12);
    ck_assert_double_eq_tol(e.carbon_kg, 0.0945, 1e-12);
    ck_assert_double_eq_tol(e.host_on_seconds, 5400, 1e-9);
    e = dcp_energy_planned(inv, d, p, 1, 2);
    ck_assert_double_eq_tol(e.it_kwh, 0.105, 1e-12);
    ck_assert_double_eq_tol(dcp_boot_kwh(&hw[0]), 0.012, 1e-12);
    ck_assert_double_eq_tol(dcp_shutdown_kwh(&hw[0]), 0.002, 1e-12);
}
END_TEST

/* More hosts and slots than one tile: a plain recount agrees. */
START_TEST(energy_beyond_one_tile)
{
    enum { N_HOSTS = 1500, N_VMS = 3000, N_SLOTS = 7 };
    static struct dcp_hardware hw[N_HOSTS];
    static uint32_t vcpus[N_VMS];
    struct dcp_slot slots[N_SLOTS];
    struct dcp_rng rng = dcp_rng_stream(2, "tiles", 0);

    for (uint32_t i = 0; i < N_HOSTS; i++) {
        hw[i] = fixture_hardware(2, 8);
    }
    for (uint32_t i = 0; i < N_VMS; i++) {
        vcpus[i] = 1 + i % 8;
    }
    for (uint32_t s = 0; s < N_SLOTS; s++) {
        slots[s] =
            (struct dcp_slot){ s * DCP_HOUR_MS, (s + 1) * DCP_HOUR_MS, s };
    }
    DCP_AUTO(dcp_inventory)
    struct dcp_inventory *inv = fixture_create(hw, N_HOSTS, vcpus, N_VMS);
    DCP_AUTO(dcp_placement)
    struct dcp_placement *p = dcp_placement_create(inv, NULL);
    DCP_AUTO(dcp_demand)
    struct dcp_demand *d = dcp_demand_from_model(inv, slots, N_SLOTS, NULL);
    static double mhz[N_HOSTS];
    double kwh = 0;

    for (uint32_t i = 0; i < N_VMS; i++) {
        if (i % 10) {
            p->host[i].ix = (uint32_t)dcp_rng_below(&rng, N_HOSTS);
            mhz[p->host[i].ix] += vcpus[i] * 1000;
        }
    }
    for (uint32_t i = 0; i < N_HOSTS; i++) {
        double load = fmin(mhz[i] / 16000, 1);

        kwh += (100 + 100 * load) * N_SLOTS / 1000;
    }
    struct dcp_energy_sum e = dcp_energy_planned(inv, d, p, 0, N_SLOTS);

    ck_assert_double_eq_tol(e.it_kwh, kwh, 1e-6);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("demand");
    TCase *tc = tcase_create("demand");

    tcase_add_test(tc, percentile_is_nearest_rank);
    tcase_add_test(tc, percentile_agrees_with_sorting);
    tcase_add_test(tc, no_history_is_allocation_or_profile);
    tcase_add_test(tc, no_vm_is_planned_above_all_hosts);
    tcase_add_test(tc, a_part_is_as_if_learned_for_it);
    tcase_add_test(tc, energy_of_a_placement_by_hand);
    tcase_add_test(tc, energy_beyond_one_tile);
    suite_add_tcase(suite, tc);
    return fixture_run(suite);
}
