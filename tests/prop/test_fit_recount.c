/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Random stores and policies against the plainest recount of the rule: per
 * slot, sort the samples whose hour and day class match, take the rank. */

#include "model/base/rng.h"
#include "model/base/units.h"
#include "model/capacity.h"
#include "tests/unit/fake_store.h"
#include "tests/unit/ledger_fixture.h"
#include "traces/fit.h"

#include <stdio.h>

enum { N_VMS = 300, N_HOSTS = 7 };

struct world {
    struct dcp_inventory *inv;
    struct dcp_store *store;
    struct dcp_placement *start;
    struct dcp_slot slots[30];
    uint32_t n_slots;
    int64_t from_ms, until_ms;
};

static void
world_store(struct world *w, struct dcp_rng *rng)
{
    static char text[N_VMS][8];
    static const char *names[N_VMS];
    uint32_t n_times = 1 + (uint32_t)dcp_rng_below(rng, 3000);

    for (uint32_t i = 0; i < N_VMS; i++) {
        (void)snprintf(text[i], sizeof text[i], "v%u", N_VMS - 1 - i);
        names[i] = text[i];
    }
    w->store = fake_store_create(
        N_VMS, n_times,
        INT64_C(1364342400000) + (int64_t)dcp_rng_below(rng, 86400000), names);
    float *cpu = fake_store_metric(w->store, DCP_METRIC_CPU_MHZ);

    for (uint32_t v = 0; v < N_VMS; v++) {
        uint32_t first = (uint32_t)dcp_rng_below(rng, 2 * n_times) / 2;
        double gap = dcp_rng_unit(rng) < 0.5 ? 0 : dcp_rng_unit(rng);
        bool late = dcp_rng_unit(rng) < 0.3;

        for (uint32_t c = late ? first : 0; c < n_times; c++) {
            if (dcp_rng_unit(rng) >= gap) {
                cpu[(size_t)v * n_times + c] = (float)dcp_rng_below(rng, 2200);
            }
        }
    }
}

static struct world
world_create(struct dcp_rng *rng)
{
    static struct dcp_hardware hw[N_HOSTS];
    static uint32_t vcpus[N_VMS];
    struct world w = { 0 };

    for (uint32_t i = 0; i < N_HOSTS; i++) {
        hw[i] = fixture_hardware(2, 8);
        hw[i].speed_factor = 0.5 + 0.25 * i;
    }
    for (uint32_t i = 0; i < N_VMS; i++) {
        vcpus[i] = 1 + i % 4;
    }
    w.inv = fixture_create(hw, N_HOSTS, vcpus, N_VMS);
    w.inv->zone = &brussels;
    w.inv->policy.buckets =
        (enum dcp_bucket_scheme)dcp_rng_below(rng, DCP_BUCKETS_ONE + 1);
    w.inv->policy.peak_factor = dcp_rng_unit(rng) < 0.5 ? 0 : 0.6;
    w.inv->policy.min_history_ms = DCP_DAY_MS;
    for (uint32_t i = 0; i < N_VMS; i++) {
        fixture_vm(w.inv, i)->host.ix = (uint32_t)dcp_rng_below(rng, N_HOSTS);
    }
    world_store(&w, rng);
    w.start = dcp_placement_start(w.inv, NULL);
    w.until_ms = dcp_store_start_ms(w.store) +
                 (int64_t)dcp_rng_below(rng, 12 * 86400000u);
    w.from_ms = dcp_rng_unit(rng) < 0.7
                    ? INT64_MIN
                    : w.until_ms - (int64_t)dcp_rng_below(rng, 86400000);
    w.n_slots =
        dcp_slots_between(w.inv->policy.buckets, &w.inv->calendar, &brussels,
                          w.until_ms, w.until_ms + DCP_DAY_MS, w.slots, 30);
    return w;
}

static int
by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

/* The VM's raised samples of 'bucket' (UINT32_MAX: of all), sorted. */
static uint32_t
samples_of(const struct world *w, uint32_t vm, uint32_t bucket, float out[])
{
    const struct dcp_store *s = w->store;
    dcp_host_id host = w->start->host[vm];
    double ceiling = dcp_vm_ceiling_mhz(w->inv, (dcp_vm_id){ vm }, host);
    uint32_t column = N_VMS - 1 - vm, n = 0;

    for (uint32_t c = 0; c < s->n_times; c++) {
        int64_t at = s->start_ms + (int64_t)c * s->interval_ms;
        float x =
            s->metric[DCP_METRIC_CPU_MHZ][(size_t)column * s->n_times + c] *
            (float)dcp_host_speed_factor(w->inv, host);

        if (isnan(x) || at < w->from_ms || at + s->interval_ms > w->until_ms) {
            continue;
        }
        if (bucket != UINT32_MAX &&
            dcp_bucket_at(w->inv->policy.buckets, &w->inv->calendar, &brussels,
                          at) != bucket) {
            continue;
        }
        out[n++] = x >= (float)(0.98 * ceiling) ? x * 1.1f : x;
    }
    qsort(out, n, sizeof *out, by_value);
    return n;
}

/* -1: no sample of that bucket. */
static double
bucket_recount(const struct world *w, uint32_t vm, uint32_t bucket)
{
    static float x[3000];
    uint32_t n = samples_of(w, vm, bucket, x);

    if (n == 0) {
        return -1;
    }
    uint32_t rank = (uint32_t)ceil(0.95 * n - 1e-9);

    return fmax(x[rank - 1], w->inv->policy.peak_factor * x[n - 1]);
}

static double
slot_recount(const struct world *w, uint32_t vm, uint32_t slot)
{
    uint32_t bucket = w->slots[slot].bucket;
    uint32_t n = dcp_bucket_count(w->inv->policy.buckets, &w->inv->calendar);
    double most = bucket_recount(w, vm, bucket);

    if (most >= 0) {
        return most;
    }
    for (uint32_t b = bucket % 24; n > 24 && b < n; b += 24) {
        most = fmax(most, bucket_recount(w, vm, b));
    }
    for (uint32_t b = 0; most < 0 && b < n; b++) {
        double any = bucket_recount(w, vm, b);

        if (any >= 0) { /* The most of all, then. */
            for (uint32_t i = 0; i < n; i++) {
                most = fmax(most, bucket_recount(w, vm, i));
            }
        }
    }
    return most;
}

static void
compare_vm(const struct world *w, const struct dcp_demand *d, uint32_t vm)
{
    static float x[3000];
    uint32_t n = samples_of(w, vm, UINT32_MAX, x);
    int64_t least = w->from_ms == INT64_MIN ? w->inv->policy.min_history_ms : 0;
    double ceiling =
        dcp_vm_ceiling_mhz(w->inv, (dcp_vm_id){ vm }, w->start->host[vm]);

    if (n == 0) {
        ck_assert_uint_eq(d->source[vm], DCP_DEMAND_ALLOCATION);
        return;
    }
    bool is_short = n * w->store->interval_ms < least;
    double peak = x[n - 1];

    ck_assert_uint_eq(d->source[vm],
                      is_short ? DCP_DEMAND_SHORT : DCP_DEMAND_TRACE);
    for (uint32_t s = 0; s < w->n_slots; s++) {
        double want = is_short ? peak : slot_recount(w, vm, s);

        want = fmin(want * 1.1, ceiling * 1.1);
        ck_assert_uint_eq(d->cpu_mhz[(size_t)vm * d->stride + s],
                          (uint32_t)ceil(want - 1e-6));
    }
}

START_TEST(fit_agrees_with_a_recount)
{
    struct dcp_rng rng = dcp_rng_stream(1, "fit", (uint64_t)_i);
    struct world w = world_create(&rng);
    struct dcp_error err = { 0 };
    struct dcp_demand *d = dcp_fit(w.store, w.inv, w.start, w.slots, w.n_slots,
                                   w.from_ms, w.until_ms, &err);

    ck_assert_msg(d != NULL, "%s", err.message);
    ck_assert_uint_le(w.store->max_columns, 256);
    for (uint32_t i = 0; i < 12; i++) {
        compare_vm(&w, d, (uint32_t)dcp_rng_below(&rng, N_VMS));
    }
    dcp_demand_destroy(d);
    dcp_placement_destroy(w.start);
    dcp_store_destroy(w.store);
    dcp_inventory_destroy(w.inv);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("fit recount");
    TCase *tc = tcase_create("fit recount");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, fit_agrees_with_a_recount, 0, 30);
    suite_add_tcase(suite, tc);
    return fixture_run(suite);
}
