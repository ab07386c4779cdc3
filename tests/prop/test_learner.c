/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What is learned as time passes is what fitting all samples at once says, to
 * the last digit: random stores with gaps, predictors, percentiles, buckets. */

#include "model/base/rng.h"
#include "model/base/units.h"
#include "tests/unit/fake_store.h"
#include "tests/unit/ledger_fixture.h"
#include "traces/learner.h"

#include <stdio.h>

enum { N_VMS = 40, N_HOSTS = 3, WORLDS = 40 };

struct world {
    struct dcp_inventory *inv;
    struct dcp_store *store;
    struct dcp_placement *start;
};

static bool
chance(struct dcp_rng *rng, double share)
{
    return dcp_rng_unit(rng) < share;
}

static void
fill(struct world *w, enum dcp_metric metric, uint32_t most,
     struct dcp_rng *rng)
{
    float *value = fake_store_metric(w->store, metric);
    uint32_t n_times = w->store->n_times;

    for (uint32_t v = 0; v < N_VMS; v++) {
        double gap = chance(rng, 0.5) ? 0 : dcp_rng_unit(rng);
        uint32_t first =
            chance(rng, 0.3) ? (uint32_t)dcp_rng_below(rng, n_times) : 0;

        for (uint32_t c = first; c < n_times; c++) {
            if (!chance(rng, gap)) {
                value[(size_t)v * n_times + c] =
                    (float)dcp_rng_below(rng, most) / 4;
            }
        }
    }
}

static void
make(struct world *w, struct dcp_rng *rng)
{
    static char text[N_VMS][8];
    static const char *names[N_VMS];
    static struct dcp_hardware hw[N_HOSTS];
    static uint32_t vcpus[N_VMS];
    static const double percentiles[] = { 0.95, 0.5, 1, 0.01, 0.99 };

    for (uint32_t i = 0; i < N_HOSTS; i++) {
        hw[i] = fixture_hardware(2, 8);
        hw[i].speed_factor = 0.5 + 0.25 * i;
    }
    for (uint32_t i = 0; i < N_VMS; i++) {
        vcpus[i] = 1 + i % 4;
        (void)snprintf(text[i], sizeof text[i], "v%u", N_VMS - 1 - i);
        names[i] = text[i];
    }
    w->inv = fixture_create(hw, N_HOSTS, vcpus, N_VMS);
    w->inv->zone = &brussels;
    struct dcp_policy *policy = &w->inv->policy;

    policy->buckets =
        (enum dcp_bucket_scheme)dcp_rng_below(rng, DCP_BUCKETS_ONE + 1);
    policy->predictor =
        (enum dcp_predictor)dcp_rng_below(rng, DCP_PREDICT_MAX + 1);
    policy->peak_factor = chance(rng, 0.5) ? 0 : 0.6;
    policy->predict_sigmas = 2;
    policy->predict_ratio_frac = 0.5;
    policy->min_history_ms = DCP_DAY_MS;
    ((struct dcp_tier *)(uintptr_t)w->inv->tiers)->percentile =
        percentiles[dcp_rng_below(rng, 5)];
    for (uint32_t i = 0; i < N_VMS; i++) {
        fixture_vm(w->inv, i)->host.ix = (uint32_t)dcp_rng_below(rng, N_HOSTS);
        fixture_vm(w->inv, i)->mem_mib = 1024;
    }
    w->store = fake_store_create(
        N_VMS, 1 + (uint32_t)dcp_rng_below(rng, 3000),
        INT64_C(1364342400000) + (int64_t)dcp_rng_below(rng, 86400000), names);
    w->store->mem_basis = chance(rng, 0.8) ? "active" : "allocated";
    fill(w, DCP_METRIC_CPU_MHZ, 9000, rng);
    if (chance(rng, 0.7)) {
        fill(w, DCP_METRIC_NET_RX_KIB_S, 9000, rng);
        fill(w, DCP_METRIC_NET_TX_KIB_S, 9000, rng);
    }
    if (chance(rng, 0.7)) {
        fill(w, DCP_METRIC_MEM_MIB, 5000, rng);
    }
    w->start = dcp_placement_start(w->inv, NULL);
}

static void
same_rows(const uint32_t *a, const uint32_t *b, size_t n)
{
    ck_assert((a == NULL) == (b == NULL));
    if (a) {
        ck_assert_mem_eq(a, b, n * sizeof *a);
    }
}

static void
same(const struct dcp_demand *a, const struct dcp_demand *b)
{
    same_rows(a->cpu_mhz, b->cpu_mhz, (size_t)a->n_vms * a->stride);
    same_rows(a->net_kib_s, b->net_kib_s, (size_t)a->n_vms * a->stride);
    same_rows(a->mem_active_mib, b->mem_active_mib, a->n_vms);
    ck_assert_mem_eq(a->source, b->source, a->n_vms);
    ck_assert_mem_eq(a->n_by_source, b->n_by_source, sizeof a->n_by_source);
    ck_assert_uint_eq(a->n_vms_at_limit, b->n_vms_at_limit);
    ck_assert_uint_eq(a->n_samples_at_limit, b->n_samples_at_limit);
    ck_assert_uint_eq(a->n_vms_partial, b->n_vms_partial);
    ck_assert_uint_eq(a->n_class_fallback, b->n_class_fallback);
    ck_assert_int_eq(a->from_ms, b->from_ms);
    ck_assert_int_eq(a->until_ms, b->until_ms);
    ck_assert_str_eq(a->traces_digest, b->traces_digest);
}

START_TEST(learned_as_time_passes_is_fitted_at_once)
{
    struct dcp_rng rng = dcp_rng_stream(3, "learner", (uint64_t)_i);
    struct dcp_error err = { 0 };
    struct dcp_learner *l;
    struct dcp_slot slots[60];
    struct world w;

    make(&w, &rng);
    int64_t until_ms = w.store->start_ms - DCP_HOUR_MS;

    ck_assert(dcp_learner_create(w.store, w.inv, w.start, &l, &err));
    ck_assert_ptr_nonnull(l);
    for (int k = 0; k < 6; k++) {
        uint32_t n = dcp_slots_between(
            w.inv->policy.buckets, &w.inv->calendar, &brussels, until_ms,
            until_ms + (1 + k % 2) * DCP_DAY_MS, slots, 60);
        DCP_AUTO(dcp_demand)
        struct dcp_demand *fitted = dcp_fit(w.store, w.inv, w.start, slots, n,
                                            INT64_MIN, until_ms, &err);
        DCP_AUTO(dcp_demand)
        struct dcp_demand *learned =
            dcp_learner_demand(l, until_ms, slots, n, &err);

        ck_assert(fitted && learned);
        same(fitted, learned);
        until_ms += (int64_t)dcp_rng_below(&rng, 3 * DCP_DAY_MS);
    }
    dcp_learner_destroy(l);
    dcp_placement_destroy(w.start);
    dcp_store_destroy(w.store);
    dcp_inventory_destroy(w.inv);
}
END_TEST

/* What is seen counts, whatever the store has there. */
START_TEST(what_is_seen_takes_the_store_s_place)
{
    struct dcp_rng rng = dcp_rng_stream(5, "learner", (uint64_t)_i);
    struct dcp_error err = { 0 };
    struct dcp_learner *l;
    struct dcp_samples seen;
    struct dcp_slot slots[60];
    struct world w;

    make(&w, &rng);
    int64_t start_ms = w.store->start_ms;
    int64_t end_ms = start_ms + w.store->n_times * w.store->interval_ms;
    int64_t from_ms =
        start_ms + (int64_t)dcp_rng_below(&rng, (uint64_t)(end_ms - start_ms));
    uint32_t n =
        dcp_slots_between(w.inv->policy.buckets, &w.inv->calendar, &brussels,
                          end_ms, end_ms + DCP_DAY_MS, slots, 60);
    DCP_AUTO(dcp_demand)
    struct dcp_demand *fitted =
        dcp_fit(w.store, w.inv, w.start, slots, n, INT64_MIN, end_ms, &err);

    ck_assert(fitted);
    ck_assert(dcp_samples_load(w.store, DCP_METRIC_CPU_MHZ, w.inv, w.start,
                               from_ms, end_ms, &seen, &err));
    float *value = w.store->metric[DCP_METRIC_CPU_MHZ];

    for (uint32_t v = 0; v < N_VMS; v++) {
        for (uint32_t c = w.store->n_times - seen.n_times; c < w.store->n_times;
             c++) {
            value[(size_t)v * w.store->n_times + c] = 12345;
        }
    }
    ck_assert(dcp_learner_create(w.store, w.inv, w.start, &l, &err));
    dcp_learner_see(l, &seen);
    DCP_AUTO(dcp_demand)
    struct dcp_demand *learned = dcp_learner_demand(l, end_ms, slots, n, &err);

    ck_assert(learned);
    memcpy(learned->traces_digest, fitted->traces_digest,
           sizeof learned->traces_digest);
    same(fitted, learned);
    dcp_samples_finish(&seen);
    dcp_learner_destroy(l);
    dcp_placement_destroy(w.start);
    dcp_store_destroy(w.store);
    dcp_inventory_destroy(w.inv);
}
END_TEST

START_TEST(joint_samples_are_not_for_it)
{
    struct dcp_rng rng = dcp_rng_stream(4, "learner", 0);
    struct dcp_error err = { 0 };
    struct dcp_learner *l;
    struct world w;

    make(&w, &rng);
    w.inv->policy.overload = true;
    ck_assert(dcp_learner_create(w.store, w.inv, w.start, &l, &err));
    ck_assert_ptr_null(l);
    dcp_placement_destroy(w.start);
    dcp_store_destroy(w.store);
    dcp_inventory_destroy(w.inv);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("learner");
    TCase *tc = tcase_create("learner");

    tcase_add_loop_test(tc, learned_as_time_passes_is_fitted_at_once, 0,
                        WORLDS);
    tcase_add_loop_test(tc, what_is_seen_takes_the_store_s_place, 0, WORLDS);
    tcase_add_test(tc, joint_samples_are_not_for_it);
    suite_add_tcase(suite, tc);
    return fixture_run(suite);
}
