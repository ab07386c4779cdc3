/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A policy in closed loop on one datacenter, told in two orders: hosts and VMs
 * from the first to the last, and backwards.  Everything is alike on purpose
 * (machines, sizes, demand in steps), so that ties are everywhere. */

#include "model/base/rng.h"
#include "sim/loop.h"
#include "tests/unit/exec_fixture.h"

#include <math.h>

#define MINUTE (60 * INT64_C(1000))

enum { HOSTS = 8, VMS = 24, TIMES = 60, SEEDS = 12 };

struct told {
    struct fixture f;
    struct dcp_hardware hardware;
    struct dcp_host hosts[HOSTS];
    struct dcp_vm vms[VMS];
    float values[TIMES * VMS];
    struct dcp_samples samples;
};

static void
tell(struct told *t, uint64_t seed, bool backwards)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "ties", 0);

    fixture_init(&t->f, HOSTS, VMS);
    t->hardware = t->f.inv->hardware[0];
    t->hardware.mem_mib = 7 * 1024;
    t->f.inv->hardware = &t->hardware;
    t->f.inv->policy.target_cpu_frac = 0.8;
    t->f.inv->policy.target_mem_frac = 1;
    t->f.inv->policy.keep_on = 1;
    for (uint32_t h = 0; h < HOSTS; h++) {
        t->hosts[backwards ? HOSTS - 1 - h : h] = t->f.inv->hosts[h];
    }
    for (uint32_t v = 0; v < VMS; v++) {
        uint32_t at = backwards ? VMS - 1 - v : v, host = v % HOSTS;

        t->vms[at] = t->f.inv->vms[v];
        t->f.plan->before->host[at].ix = backwards ? HOSTS - 1 - host : host;
        for (uint32_t i = 0; i < TIMES; i++) {
            uint32_t most = i / 20 % 2 ? 11 : 4;

            t->values[i * VMS + at] = (float)(50 * dcp_rng_below(&rng, most));
        }
    }
    t->f.inv->hosts = t->hosts;
    t->f.inv->vms = t->vms;
    t->samples = (struct dcp_samples){ .start_ms = FIXTURE_START_MS,
                                       .interval_ms = 5 * MINUTE,
                                       .n_times = TIMES,
                                       .n_vms = VMS,
                                       .value = t->values };
}

static void
run(struct told *t, const char *name, struct dcp_sim_result *out,
    struct dcp_loop_report *report)
{
    struct dcp_sim_input in = { .inventory = t->f.inv,
                                .cpu = &t->samples,
                                .start = t->f.plan->before,
                                .from_ms = FIXTURE_START_MS,
                                .to_ms =
                                    FIXTURE_START_MS + TIMES * 5 * MINUTE };
    struct dcp_loop_options o = { 15 * MINUTE, NULL, NULL };
    struct dcp_error err = { 0 };
    DCP_AUTO(dcp_sim_policy)
    struct dcp_sim_policy *p = dcp_sim_policy_named(name, 1, &err);

    ck_assert_msg(p && dcp_loop_run(&in, p, &o, out, report, &err), "%s: %s",
                  name, err.message);
}

static void
check_near(double is, double should)
{
    ck_assert_double_eq_tol(is, should, 1e-9 * fabs(should) + 1e-9);
}

static const char *const names[] = {
    "npa",     "dvfs",       "balance", "balance:0", "consolidate",
    "dpm",     "thr-mmt",    "thr-mu",  "thr-rs",    "iqr-mc",
    "mad-mmt", "lr-mmt:1.2", "lrr-rs",
};
#define N_NAMES ((int)(sizeof names / sizeof names[0]))

START_TEST(the_order_of_the_model_changes_nothing)
{
    uint32_t n_moves = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct told a, b;
        struct dcp_sim_result ra, rb;
        struct dcp_loop_report pa, pb;

        tell(&a, seed, false);
        tell(&b, seed, true);
        run(&a, names[_i], &ra, &pa);
        run(&b, names[_i], &rb, &pb);
        ck_assert_uint_eq(ra.migrations, rb.migrations);
        ck_assert_uint_eq(ra.host_shutdowns, rb.host_shutdowns);
        ck_assert_uint_eq(ra.host_boots, rb.host_boots);
        ck_assert_uint_eq(pa.wishes, pb.wishes);
        ck_assert_uint_eq(pa.refused_moves, pb.refused_moves);
        check_near(rb.it_kwh, ra.it_kwh);
        check_near(rb.overload_host_s, ra.overload_host_s);
        check_near(rb.unmet_cpu_mhz_s, ra.unmet_cpu_mhz_s);
        for (uint32_t v = 0; v < VMS; v++) {
            ck_assert_uint_eq(rb.end->host[VMS - 1 - v].ix,
                              HOSTS - 1 - ra.end->host[v].ix);
        }
        n_moves += ra.migrations;
        dcp_sim_result_finish(&ra);
        dcp_sim_result_finish(&rb);
        fixture_finish(&a.f);
        fixture_finish(&b.f);
    }
    ck_assert(_i < 2 || n_moves > 20);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("loop_metamorphic");
    TCase *tcase = tcase_create("loop_metamorphic");

    tcase_add_loop_test(tcase, the_order_of_the_model_changes_nothing, 0,
                        N_NAMES);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? 1 : 0;
}
