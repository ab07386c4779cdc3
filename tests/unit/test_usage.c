/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What rightsizing goes by, on samples written here: two VMs of 2 vCPUs of
 * 1,000 MHz on a host of speed factor 1.5. */

#include "traces/usage.h"

#include "model/base/units.h"
#include "tests/unit/fake_store.h"
#include "tests/unit/ledger_fixture.h"
#include "tests/unit/run_suite.h"

enum { N = 400 };
static const char *const names[] = { "v0", "v1" };

static struct dcp_inventory *
model(void)
{
    struct dcp_hardware hw = fixture_hardware(2, 8);

    hw.speed_factor = 1.5;
    struct dcp_inventory *inv =
        fixture_create(&hw, 1, (const uint32_t[]){ 2, 2 }, 2);

    for (uint32_t i = 0; i < 2; i++) {
        fixture_vm(inv, i)->host = (dcp_host_id){ 0 };
        fixture_vm(inv, i)->mem_mib = 4096;
    }
    inv->rightsize.cpu_percentile = 0.995;
    inv->rightsize.mem_percentile = 1;
    return inv;
}

/* v0: 1 to 400 MHz, 1 to 400 MiB; v1: nothing but 10 samples at its limit and
 * 10 just below 98 % of it. */
static struct dcp_store *
store_of(void)
{
    struct dcp_store *store = fake_store_create(2, N, 0, names);
    float *cpu = fake_store_metric(store, DCP_METRIC_CPU_MHZ);
    float *mem = fake_store_metric(store, DCP_METRIC_MEM_MIB);

    store->mem_basis = "active";
    for (uint32_t c = 0; c < N; c++) {
        cpu[c] = mem[c] = (float)(N - c);
        cpu[N + c] = c < 10 ? 2000 : c < 20 ? 1959 : NAN;
        mem[N + c] = c < 20 ? 4096 : NAN;
    }
    return store;
}

static struct dcp_vm_usage *
measure(struct dcp_store *store, const struct dcp_inventory *inv,
        int64_t from_ms, int64_t until_ms)
{
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(inv, NULL);
    struct dcp_error err = { 0 };
    struct dcp_vm_usage *u =
        dcp_usage_measure(store, inv, start, from_ms, until_ms, &err);

    ck_assert_msg(u != NULL, "%s", err.message);
    return u;
}

START_TEST(percentiles_in_reference_mhz_and_the_share_at_the_limit)
{
    struct dcp_inventory *inv = model();
    struct dcp_store *store = store_of();
    int64_t step = dcp_store_interval_ms(store);
    DCP_FREE struct dcp_vm_usage *u = measure(store, inv, INT64_MIN, INT64_MAX);

    ck_assert_int_eq(u[0].cpu_history_ms, N * step);
    ck_assert_double_eq_tol(u[0].cpu_mhz, 398 * 1.5, 1e-3); /* Nearest rank. */
    ck_assert_double_eq_tol(u[0].cpu_peak_mhz, 600, 1e-3);
    ck_assert_double_eq_tol(u[0].cpu_at_limit_frac, 0, 1e-12);
    ck_assert_double_eq_tol(u[0].mem_mib, 400, 1e-3);
    ck_assert_int_eq(u[1].cpu_history_ms, 20 * step);
    ck_assert_double_eq_tol(u[1].cpu_at_limit_frac, 0.5, 1e-9);
    ck_assert_double_eq_tol(u[1].mem_at_limit_frac, 1, 1e-9);
    dcp_store_destroy(store);
    dcp_inventory_destroy(inv);
}
END_TEST

START_TEST(only_whole_samples_within_the_time)
{
    struct dcp_inventory *inv = model();
    struct dcp_store *store = store_of();
    int64_t step = dcp_store_interval_ms(store);
    /* From within the 100th sample to within the 300th. */
    DCP_FREE struct dcp_vm_usage *u =
        measure(store, inv, 99 * step + 1, 299 * step + 1);

    ck_assert_int_eq(u[0].cpu_history_ms, 199 * step);
    ck_assert_double_eq_tol(u[0].cpu_peak_mhz, 300 * 1.5, 1e-3);
    ck_assert_int_eq(u[1].cpu_history_ms, 0);
    dcp_store_destroy(store);
    dcp_inventory_destroy(inv);
}
END_TEST

START_TEST(allocated_memory_is_no_measure)
{
    struct dcp_inventory *inv = model();
    struct dcp_store *store = store_of();

    store->mem_basis = "allocated";
    DCP_FREE struct dcp_vm_usage *u = measure(store, inv, INT64_MIN, INT64_MAX);

    ck_assert_int_eq(u[0].mem_history_ms, 0);
    ck_assert_int_ne(u[0].cpu_history_ms, 0);
    dcp_store_destroy(store);
    dcp_inventory_destroy(inv);
}
END_TEST

/* What it was given since is not its limit then. */
START_TEST(a_vm_that_got_more_is_not_at_its_limit)
{
    struct dcp_inventory *inv = model();
    struct dcp_store *store = store_of();

    fixture_vm(inv, 1)->vcpus = 3;
    DCP_FREE struct dcp_vm_usage *u = measure(store, inv, INT64_MIN, INT64_MAX);

    ck_assert_double_eq_tol(u[1].cpu_at_limit_frac, 0, 1e-12);
    dcp_store_destroy(store);
    dcp_inventory_destroy(inv);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &percentiles_in_reference_mhz_and_the_share_at_the_limit,
        &only_whole_samples_within_the_time,
        &allocated_memory_is_no_measure,
        &a_vm_that_got_more_is_not_at_its_limit,
    };

    return run_tests("usage", tests, sizeof tests / sizeof tests[0]);
}
