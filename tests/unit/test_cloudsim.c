/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The engine that does what CloudSim does, on cases counted by hand; whole
 * days are in tests/integration/cloudsim.test. */

#include "run_suite.h"
#include "sim/cloudsim/world.h"
#include "sim/spread.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_VMS = 64 };
static uint8_t percent[MOST_VMS][CS_SAMPLES];

static struct dcp_cloudsim_input
input(const char *policy, uint32_t n_vms)
{
    struct dcp_cloudsim_input in = { .n_vms = n_vms, .percent = percent[0] };

    ck_assert(dcp_cloudsim_policy_parse(policy, &in.policy, NULL));
    return in;
}

/* --- Detectors ---------------------------------------------------------- */

static bool
overloaded(enum dcp_cloudsim_detect kind, double parameter, double asked,
           const double history[], uint32_t n)
{
    struct dcp_cloudsim_detector d = { kind, parameter };

    return dcp_cloudsim_overloaded(
        &d, &(struct dcp_cloudsim_view){ asked, history, n });
}

START_TEST(spreads_by_hand)
{
    const double values[12] = { 12, 1, 11, 2, 10, 3, 9, 4, 8, 5, 7, 6 };
    const double flat[5] = { 0.5, 0.5, 0.5, 0.5, 0.5 };

    ck_assert_double_eq(dcp_cloudsim_iqr(values, 12), 10 - 3);
    ck_assert_double_eq(dcp_spread_mad(values, 12), 3);
    ck_assert_double_eq(dcp_cloudsim_iqr(flat, 5), 0);
    ck_assert_double_eq(dcp_spread_mad(flat, 5), 0);
}
END_TEST

START_TEST(trend_is_one_step_ahead)
{
    const double rising[10] = { 10, 9, 8, 7, 6, 5, 4, 3, 2, 1 };
    const double bend[10] = { 1, 0, 0, 0, 0, 0, 0, 0, 0, 0 };

    ck_assert_double_eq_tol(dcp_cloudsim_trend(rising), 11, 1e-12);
    ck_assert_double_eq_tol(dcp_cloudsim_trend(bend), 0.4, 1e-12);
}
END_TEST

START_TEST(zeros_at_the_old_end_do_not_count)
{
    const double h[5] = { 0, 0.2, 0, 0, 0 };

    ck_assert_uint_eq(dcp_cloudsim_length(h, 5), 2);
    ck_assert_uint_eq(dcp_cloudsim_length(h, 1), 0);
}
END_TEST

START_TEST(each_detector_has_its_limit)
{
    double h[30];

    ck_assert(!overloaded(DCP_CLOUDSIM_THR, 0.8, 0.8, NULL, 0));
    ck_assert(overloaded(DCP_CLOUDSIM_THR, 0.8, 0.8001, NULL, 0));
    for (int i = 0; i < 30; i++) {
        h[i] = i % 2 ? 0.4 : 0.6; /* IQR 0.2, MAD 0.1. */
    }
    ck_assert(!overloaded(DCP_CLOUDSIM_IQR, 1.5, 0.699, h, 30));
    ck_assert(overloaded(DCP_CLOUDSIM_IQR, 1.5, 0.701, h, 30));
    ck_assert(!overloaded(DCP_CLOUDSIM_MAD, 2.5, 0.749, h, 30));
    ck_assert(overloaded(DCP_CLOUDSIM_MAD, 2.5, 0.751, h, 30));
    for (int i = 0; i < 30; i++) {
        h[i] = 0.84;
    }
    ck_assert(overloaded(DCP_CLOUDSIM_LR, 1.2, 0, h, 10));
    h[0] = 0.7;
    ck_assert(!overloaded(DCP_CLOUDSIM_LR, 1.2, 0, h, 10));
}
END_TEST

START_TEST(short_histories_fall_back)
{
    const double h[30] = { 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1 };

    ck_assert(!overloaded(DCP_CLOUDSIM_IQR, 1.5, 0.7, h, 11));
    ck_assert(overloaded(DCP_CLOUDSIM_MAD, 2.5, 0.71, h, 11));
    ck_assert(!overloaded(DCP_CLOUDSIM_LR, 9, 0.7, h, 9));
}
END_TEST

/* The bounds that spare most sorting decide as the whole test does. */
START_TEST(shortcuts_decide_alike)
{
    struct dcp_rng rng = dcp_rng_stream(7, "detectors", (uint64_t)_i);

    for (int round = 0; round < 2000; round++) {
        uint32_t n = 12 + (uint32_t)dcp_rng_below(&rng, 19);
        double h[30], asked = 1.2 * dcp_rng_unit(&rng);

        for (uint32_t i = 0; i < n; i++) {
            h[i] = (double)dcp_rng_below(&rng, 101) / 100;
        }
        ck_assert_int_eq(overloaded(DCP_CLOUDSIM_IQR, 1.5, asked, h, n),
                         asked > 1 - 1.5 * dcp_cloudsim_iqr(h, n));
        ck_assert_int_eq(overloaded(DCP_CLOUDSIM_MAD, 2.5, asked, h, n),
                         asked > 1 - 2.5 * dcp_spread_mad(h, n));
        ck_assert_int_eq(overloaded(DCP_CLOUDSIM_LR, 1.2, asked, h, n),
                         dcp_cloudsim_trend(h) * 1.2 >= 1);
    }
}
END_TEST

/* --- Demand, power, sharing --------------------------------------------- */

START_TEST(demand_is_interpolated)
{
    uint8_t day[CS_SAMPLES] = { 10, 40 };

    day[CS_SAMPLES - 1] = 70;
    ck_assert_double_eq(dcp_cs_used_frac(day, 0), 0.1);
    ck_assert_double_eq(dcp_cs_used_frac(day, 300), 0.4);
    ck_assert_double_eq_tol(dcp_cs_used_frac(day, 100), 0.2, 1e-12);
    ck_assert_double_eq_tol(dcp_cs_used_frac(day, 287 * 300.0 + 200), 0.7,
                            1e-12);
}
END_TEST

/* Only these shares are multiples of the double 0.1, which CloudSim looks up
 * apart: the line through the table gives the same. */
START_TEST(power_is_straight_between_tenths)
{
    const struct dcp_cs_kind *g4 = &dcp_cs_kinds[0];

    ck_assert_double_eq(dcp_cs_watts(g4, 0), 86);
    ck_assert_double_eq(dcp_cs_watts(g4, 0.1), 89.4);
    ck_assert_double_eq(dcp_cs_watts(g4, 0.2), 92.6);
    ck_assert_double_eq(dcp_cs_watts(g4, 0.4), 99.5);
    ck_assert_double_eq(dcp_cs_watts(g4, 0.8), 112);
    ck_assert_double_eq(dcp_cs_watts(g4, 1), 117);
    ck_assert_double_eq_tol(dcp_cs_watts(g4, 0.95), 115.5, 1e-12);
}
END_TEST

/* Host 0 has two cores of 1860 MIPS. */
static void
share(struct dcp_cs_world *w, uint32_t n, const double asked[])
{
    for (uint32_t i = 0; i < n; i++) {
        w->vms[i].asked_mips = asked[i];
    }
    dcp_cs_share(w, &w->hosts[0]);
}

START_TEST(capacity_is_shared_by_scale)
{
    struct dcp_cloudsim_input in = input("thr-mmt", 4);
    struct dcp_cloudsim_result out = { 0 };
    struct dcp_cs_world w;

    ck_assert(dcp_cs_world_init(&w, &in, &out, NULL));
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert(dcp_cs_append(&w.hosts[0], i, NULL));
    }
    share(&w, 3, (double[]){ 2500, 1000, 500 });
    ck_assert_double_eq(w.vms[0].record.alloc_mips, 1860); /* One core. */
    ck_assert_double_eq(w.vms[2].record.alloc_mips, 500);
    ck_assert_double_eq(w.hosts[0].sums.free_mips, 360);

    share(&w, 3, (double[]){ 1860, 1860, 933 });
    double scale = 3720 / 4653.0;

    ck_assert_double_eq(w.vms[0].record.alloc_mips, floor(1860 * scale));
    ck_assert_double_eq(w.vms[2].record.alloc_mips, floor(933 * scale));
    ck_assert_double_eq(w.hosts[0].sums.free_mips, 0);

    /* One leaves and loses a tenth; another comes and is given a tenth. */
    w.vms[0].migrating = w.vms[3].migrating = true;
    ck_assert(dcp_cs_append(&w.hosts[0], 3 | CS_IN, NULL));
    share(&w, 4, (double[]){ 1000, 1000, 500, 1000 });
    ck_assert_double_eq(w.vms[0].record.alloc_mips, 1000 * 0.9);
    ck_assert_double_eq(w.hosts[0].used_mips, 900 / 0.9 + 1000 + 500 + 100);
    ck_assert_double_eq(w.hosts[0].record.asked_mips, 3500);
    ck_assert(!w.vms[3].record.any);

    dcp_cs_take_out(&w.hosts[0], 3);
    ck_assert_uint_eq(w.hosts[0].n, 4); /* On its way in, not there. */
    dcp_cs_take_out(&w.hosts[0], 1);
    ck_assert_uint_eq(w.hosts[0].list[1], 2);
    dcp_cs_world_finish(&w);
}
END_TEST

/* --- Correlation -------------------------------------------------------- */

START_TEST(the_one_that_others_explain)
{
    enum { N = 20 };
    struct dcp_rng rng = dcp_rng_stream(1, "correlation", 0);
    double a[N], b[N], noise[N], zero[N] = { 0 };
    const double *series[] = { noise, a, b }, *singular[] = { a, zero };
    uint32_t which;

    for (int i = 0; i < N; i++) {
        a[i] = dcp_rng_unit(&rng);
        noise[i] = dcp_rng_unit(&rng);
        b[i] = 0.5 * a[i] + 0.3 * noise[i] + 0.1 * dcp_rng_unit(&rng);
    }
    ck_assert(dcp_cs_most_correlated(series, 3, N, &which));
    ck_assert_uint_eq(which, 2);
    ck_assert(!dcp_cs_most_correlated(series, 1, N, &which));
    ck_assert(!dcp_cs_most_correlated(series, 3, 2, &which));
    ck_assert(!dcp_cs_most_correlated(singular, 2, N, &which));
}
END_TEST

/* --- Whole days --------------------------------------------------------- */

static struct dcp_cloudsim_result
run(const struct dcp_cloudsim_input *in)
{
    struct dcp_cloudsim_result out;
    struct dcp_error err;

    ck_assert_msg(dcp_cloudsim_run(in, &out, &err), "%s", err.message);
    return out;
}

/* A VM of 2500 MIPS fits only the cores of the second kind. */
START_TEST(one_vm_all_day)
{
    struct dcp_cloudsim_input in = input("dvfs", 1);

    memset(percent[0], 50, CS_SAMPLES);
    struct dcp_cloudsim_result r = run(&in);
    double frac = 1250 / 5320.0, watts = 101 + 4 * (frac - 0.2) * 10;

    /* The first 300 s and those after the last tick cost nothing. */
    ck_assert_double_eq_tol(r.energy_kwh, watts * 286 * 300 / 3.6e6, 1e-9);
    ck_assert_double_eq(r.slav, 0);
    ck_assert_uint_eq(r.host_shutdowns, 799);
    ck_assert_double_eq_tol(r.active_s, 286 * 300, 1e-6);
    ck_assert_double_nan(r.mean_s_before_migration);
    dcp_cloudsim_result_finish(&r);

    in = input("npa", 1);
    r = run(&in);
    ck_assert_double_eq_tol(r.energy_kwh, 100800 * 86100.1 / 3.6e6, 1e-9);
    dcp_cloudsim_result_finish(&r);
}
END_TEST

START_TEST(idle_vms_vanish_unless_kept)
{
    struct dcp_cloudsim_input in = input("lr-mmt", 8);

    memset(percent, 0, sizeof percent);
    memset(percent[3], 60, CS_SAMPLES);
    struct dcp_cloudsim_result r = run(&in);

    ck_assert_uint_eq(r.vms_destroyed, 7);
    dcp_cloudsim_result_finish(&r);
    in.keep_idle = true;
    r = run(&in);
    ck_assert_uint_eq(r.vms_destroyed, 0);
    dcp_cloudsim_result_finish(&r);
}
END_TEST

static void
draw_day(uint32_t n)
{
    struct dcp_rng rng = dcp_rng_stream(3, "day", 0);

    for (uint32_t i = 0; i < n; i++) {
        for (int k = 0; k < CS_SAMPLES; k++) {
            percent[i][k] = (uint8_t)(1 + dcp_rng_below(&rng, 99));
        }
    }
}

/* Whatever the policy: times do not go back, VMs leave from where they are,
 * and equal inputs give equal results. */
START_TEST(migrations_are_consistent)
{
    static const char *const policies[] = { "thr-mmt", "iqr-mu", "mad-mc",
                                            "lr-rs", "lrr-mc:1.0" };
    struct dcp_cloudsim_input in = input(policies[_i], MOST_VMS);

    draw_day(MOST_VMS);
    struct dcp_cloudsim_result r = run(&in), again = run(&in);
    uint32_t at[MOST_VMS], next[MOST_VMS];

    ck_assert_uint_gt(r.n_migrations, 0);
    ck_assert_uint_eq(r.n_migrations, again.n_migrations);
    ck_assert(memcmp(&r.energy_kwh, &again.energy_kwh, sizeof(double)) == 0);
    memset(at, 0xff, sizeof at);
    memset(next, 0xff, sizeof next);
    for (uint32_t i = 0; i < r.n_migrations; i++) {
        const struct dcp_cloudsim_migration *m = &r.migrations[i];

        ck_assert(i == 0 || r.migrations[i - 1].at_s <= m->at_s);
        if (i > 0 && r.migrations[i - 1].at_s < m->at_s) {
            memcpy(at, next, sizeof at); /* All that were under way ended. */
        }
        ck_assert_uint_lt(m->to, CS_HOSTS);
        ck_assert(at[m->vm] == UINT32_MAX || at[m->vm] == m->from);
        ck_assert_uint_ne(m->from, m->to);
        next[m->vm] = m->to;
        ck_assert(memcmp(m, &again.migrations[i], sizeof m->at_s) == 0);
    }
    dcp_cloudsim_result_finish(&r);
    dcp_cloudsim_result_finish(&again);
}
END_TEST

START_TEST(memory_is_kept_where_asked)
{
    struct dcp_cloudsim_input in = input("lr-mmt", MOST_VMS);

    for (uint32_t i = 0; i < MOST_VMS; i++) {
        memset(percent[i], 5, CS_SAMPLES);
    }
    struct dcp_cloudsim_result r = run(&in);

    ck_assert_double_gt(r.memory_used_max_frac, 2);
    dcp_cloudsim_result_finish(&r);
    in.enforce_memory = true;
    r = run(&in);
    ck_assert_double_le(r.memory_used_max_frac, 1);
    dcp_cloudsim_result_finish(&r);
}
END_TEST

/* --- Bad input ---------------------------------------------------------- */

START_TEST(bad_policies_are_refused)
{
    static const char *const bad[] = { "",           "lr",         "lr-",
                                       "npa:1",      "lr-mmt:",    "lr-mmt:x",
                                       "lr-mmt:-1",  "xx-mmt",     "lr-xx:1",
                                       "lr:1.2-mmt", "lr-mmt:nan", "dvfs-mmt",
                                       "lr-mmt:1.2 " };
    struct dcp_cloudsim_policy p;
    struct dcp_error err;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(!dcp_cloudsim_policy_parse(bad[i], &p, &err), "%s",
                      bad[i]);
        ck_assert_int_eq(err.code, DCP_E_USAGE);
    }
    ck_assert(dcp_cloudsim_policy_parse("mad-mu", &p, &err));
    ck_assert_double_eq(p.detector.parameter, 2.5);
    ck_assert_int_eq(p.select, DCP_CLOUDSIM_MU);
    ck_assert(dcp_cloudsim_policy_parse("lrr-mc:1.3", &p, &err));
    ck_assert_int_eq(p.detector.kind, DCP_CLOUDSIM_LR);
    ck_assert_double_eq(p.detector.parameter, 1.3);
}
END_TEST

START_TEST(too_many_vms_are_refused)
{
    enum { N = 5000 };
    struct dcp_cloudsim_input in = input("dvfs", N);
    struct dcp_cloudsim_result out;
    struct dcp_error err;
    uint8_t *many = calloc(N, CS_SAMPLES);

    in.percent = many;
    ck_assert(!dcp_cloudsim_run(&in, &out, &err));
    ck_assert_int_eq(err.code, DCP_E_ARGUMENT);
    in.n_vms = 0;
    ck_assert(!dcp_cloudsim_run(&in, &out, &err));
    free(many);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("cloudsim");
    TCase *tcase = tcase_create("cloudsim");

    tcase_add_test(tcase, spreads_by_hand);
    tcase_add_test(tcase, trend_is_one_step_ahead);
    tcase_add_test(tcase, zeros_at_the_old_end_do_not_count);
    tcase_add_test(tcase, each_detector_has_its_limit);
    tcase_add_test(tcase, short_histories_fall_back);
    tcase_add_loop_test(tcase, shortcuts_decide_alike, 0, 5);
    tcase_add_test(tcase, demand_is_interpolated);
    tcase_add_test(tcase, power_is_straight_between_tenths);
    tcase_add_test(tcase, capacity_is_shared_by_scale);
    tcase_add_test(tcase, the_one_that_others_explain);
    tcase_add_test(tcase, one_vm_all_day);
    tcase_add_test(tcase, idle_vms_vanish_unless_kept);
    tcase_add_loop_test(tcase, migrations_are_consistent, 0, 5);
    tcase_add_test(tcase, memory_is_kept_where_asked);
    tcase_add_test(tcase, bad_policies_are_refused);
    tcase_add_test(tcase, too_many_vms_are_refused);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? 1 : 0;
}
