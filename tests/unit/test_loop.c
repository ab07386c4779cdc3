/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/rng.h"
#include "sim/loop.h"
#include "sim/policy/fleet.h"
#include "tests/unit/exec_fixture.h"

#define MINUTE (60 * INT64_C(1000))

static struct fixture f;
static struct dcp_samples samples;
static struct dcp_hardware hardware;
static struct dcp_vm vms[8];

static void
setup(void)
{
    fixture_init(&f, 4, 8); /* Two VMs on each host. */
    hardware = f.inv->hardware[0];
    memcpy(vms, f.inv->vms, sizeof vms);
    f.inv->hardware = &hardware;
    f.inv->vms = vms;
    f.inv->policy.target_cpu_frac = 0.8;
    f.inv->policy.target_mem_frac = 1;
    f.inv->policy.keep_on = 1;
    samples = (struct dcp_samples){
        .start_ms = FIXTURE_START_MS,
        .interval_ms = 5 * MINUTE,
        .n_times = 48,
        .n_vms = 8,
        .value = malloc(48 * 8 * sizeof *samples.value),
    };
    for (uint32_t i = 0; i < 48 * 8; i++) {
        samples.value[i] = 50;
    }
}

static void
teardown(void)
{
    free(samples.value);
    fixture_finish(&f);
}

static struct dcp_sim_input
input(void)
{
    return (struct dcp_sim_input){
        .inventory = f.inv,
        .cpu = &samples,
        .start = f.plan->before,
        .from_ms = FIXTURE_START_MS,
        .to_ms = FIXTURE_START_MS + 240 * MINUTE,
    };
}

static void
run(struct dcp_sim_policy *policy, struct dcp_sim_result *out,
    struct dcp_loop_report *report)
{
    struct dcp_sim_input in = input();
    struct dcp_loop_options o = { 30 * MINUTE, NULL, NULL };
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_loop_run(&in, policy, &o, out, report, &err), "%s",
                  err.message);
}

static void
run_named(const char *name, struct dcp_sim_result *out,
          struct dcp_loop_report *report)
{
    struct dcp_error err = { 0 };
    DCP_AUTO(dcp_sim_policy)
    struct dcp_sim_policy *p = dcp_sim_policy_named(name, 1, &err);

    ck_assert_msg(p != NULL, "%s: %s", name, err.message);
    run(p, out, report);
}

/* --- What the loop does with wishes ------------------------------------- */

struct scripted { /* Wishes the same at every question. */
    struct dcp_sim_policy base;
    const struct dcp_wish *wishes;
    uint32_t n, asked;
};

static bool
scripted_decide(struct dcp_sim_policy *policy, const struct dcp_sim *sim,
                struct dcp_wishes *out, struct dcp_error *err)
{
    struct scripted *s = (struct scripted *)policy;

    ck_assert_uint_gt(dcp_sim_view(sim).n_past, 0);
    s->asked++;
    for (uint32_t i = 0; i < s->n; i++) {
        ck_assert(dcp_wishes_add(out, s->wishes[i], err));
    }
    return true;
}

static void
scripted_destroy(struct dcp_sim_policy *policy)
{
    (void)policy;
}

static const struct dcp_sim_policy_ops scripted_ops = { "scripted", "",
                                                        scripted_decide,
                                                        scripted_destroy };

static void
run_script(const struct dcp_wish wishes[], uint32_t n,
           struct dcp_sim_result *out, struct dcp_loop_report *report)
{
    struct scripted s = { { .ops = &scripted_ops }, wishes, n, 0 };

    run(&s.base, out, report);
    ck_assert_uint_eq(s.asked, report->asked);
}

START_TEST(nothing_done_is_the_replay_to_the_byte)
{
    struct dcp_sim_input in = input();
    struct dcp_sim_result a, b;
    struct dcp_loop_report report;
    struct dcp_error err = { 0 };

    ck_assert(dcp_simulate(&in, &a, &err));
    run_named("none", &b, &report);
    ck_assert_mem_eq(&a, &b, offsetof(struct dcp_sim_result, slices));
    ck_assert_mem_eq(a.slices, b.slices, a.n_slices * sizeof *a.slices);
    /* Not at the start: no sample was over. */
    ck_assert_uint_eq(report.asked, 7);
    ck_assert_uint_eq(report.plans, 0);
    dcp_sim_result_finish(&a);
    dcp_sim_result_finish(&b);
}
END_TEST

START_TEST(a_host_is_emptied_then_off)
{
    static const struct dcp_wish wishes[] = { { DCP_WISH_MOVE, 3, 0 },
                                              { DCP_WISH_MOVE, 7, 1 },
                                              { DCP_WISH_OFF, 0, 3 } };
    struct dcp_sim_result r;
    struct dcp_loop_report report;

    run_script(wishes, 3, &r, &report);
    ck_assert_uint_eq(r.migrations, 2);
    ck_assert_uint_eq(r.host_shutdowns, 1);
    ck_assert_uint_eq(r.end->host[3].ix, 0);
    ck_assert_uint_eq(r.end->host[7].ix, 1);
    ck_assert(!r.end->on[3]);
    ck_assert_uint_eq(report.plans, 1);
    ck_assert_uint_eq(report.steps, 3);
    ck_assert_uint_eq(report.steps_failed, 0);
    /* Asked again, it wishes the same; all of that is refused. */
    ck_assert_uint_eq(report.refused_moves, 2 * 6);
    ck_assert_uint_eq(report.refused_switches, 6);
    /* Off for the rest, at 10 W rather than 110 W. */
    ck_assert_double_gt(r.hosts[3].off_s, 200 * 60);
    dcp_sim_result_finish(&r);
}
END_TEST

START_TEST(memory_is_hard_and_nobody_leaves_in_vain)
{
    static const struct dcp_wish wishes[] = { { DCP_WISH_MOVE, 3, 0 },
                                              { DCP_WISH_MOVE, 7, 0 },
                                              { DCP_WISH_OFF, 0, 3 } };
    struct dcp_sim_result r;
    struct dcp_loop_report report;

    hardware.mem_mib = 3 * 1024; /* One more VM on each host. */
    run_script(wishes, 3, &r, &report);
    ck_assert_uint_eq(r.migrations, 0);
    ck_assert_uint_eq(report.plans, 0);
    ck_assert_uint_eq(report.refused_moves, 2 * 7);
    ck_assert_uint_eq(report.refused_switches, 7);
    dcp_sim_result_finish(&r);
}
END_TEST

START_TEST(who_leaves_still_counts)
{
    /* VM 4 could take the place of VM 3 only after that has gone. */
    static const struct dcp_wish wishes[] = { { DCP_WISH_MOVE, 3, 0 },
                                              { DCP_WISH_MOVE, 1, 3 },
                                              { DCP_WISH_MOVE, 2, 3 } };
    struct dcp_sim_result r;
    struct dcp_loop_report report;

    hardware.mem_mib = 3 * 1024;
    run_script(wishes, 3, &r, &report);
    ck_assert_uint_ge(report.refused_moves, 1);
    ck_assert_uint_eq(r.end->host[1].ix, 3);
    for (uint32_t h = 0; h < 4; h++) {
        uint32_t n = 0;

        for (uint32_t v = 0; v < 8; v++) {
            n += r.end->host[v].ix == h;
        }
        ck_assert_uint_le(n, 3);
    }
    dcp_sim_result_finish(&r);
}
END_TEST

START_TEST(what_may_not_be_is_refused)
{
    static const struct dcp_wish wishes[] = {
        { DCP_WISH_MOVE, 0, 0 },  { DCP_WISH_MOVE, 99, 1 },
        { DCP_WISH_MOVE, 0, 99 }, { DCP_WISH_ON, 0, 1 },
        { DCP_WISH_OFF, 0, 2 },   { DCP_WISH_OFF, 0, 99 },
        { DCP_WISH_MOVE, 5, 2 },
    };
    struct dcp_sim_result r;
    struct dcp_loop_report report;

    vms[5].movable = false;
    run_script(wishes, 7, &r, &report);
    ck_assert_uint_eq(report.plans, 0);
    ck_assert_uint_eq(report.refused_moves, 4 * 7);
    ck_assert_uint_eq(report.refused_switches, 3 * 7);
    dcp_sim_result_finish(&r);
}
END_TEST

START_TEST(a_move_waits_for_its_host_to_boot)
{
    static const struct dcp_wish wishes[] = { { DCP_WISH_MOVE, 0, 3 },
                                              { DCP_WISH_ON, 0, 3 },
                                              { DCP_WISH_MOVE, 4, 3 } };
    struct dcp_sim_result r;
    struct dcp_loop_report report;

    f.plan->before->on[3] = 0;
    f.plan->before->host[3] = (dcp_host_id){ 2 };
    f.plan->before->host[7] = (dcp_host_id){ 2 };
    run_script(wishes, 3, &r, &report);
    ck_assert_uint_eq(r.host_boots, 1);
    ck_assert_uint_eq(report.steps_failed, 0);
    ck_assert_uint_eq(r.migrations, 2); /* VM 0 at the second question. */
    /* Nobody was on it while it booted. */
    ck_assert_double_eq(r.overload_host_s, 0);
    dcp_sim_result_finish(&r);
}
END_TEST

START_TEST(a_plan_under_way_is_waited_for)
{
    static const struct dcp_wish wishes[] = { { DCP_WISH_OFF, 0, 3 } };
    struct dcp_sim_result r;
    struct dcp_loop_report report;

    hardware.shutdown_ms = 70 * MINUTE;
    f.plan->before->host[3] = f.plan->before->host[7] = dcp_host_none();
    run_script(wishes, 1, &r, &report);
    ck_assert_uint_eq(report.plans, 1);
    ck_assert_uint_eq(report.waited, 2);
    ck_assert_uint_eq(report.asked, 5);
    dcp_sim_result_finish(&r);
}
END_TEST

/* --- Policies ----------------------------------------------------------- */

static const char *const names[] = {
    "none",        "npa",    "dvfs",       "balance", "balance:0",
    "consolidate", "dpm",    "dpm:30-70",  "thr-mmt", "thr-mu:0.7",
    "iqr-mc",      "mad-rs", "lr-mmt:1.2", "lrr-mu",
};
#define N_NAMES ((int)(sizeof names / sizeof names[0]))

static void
random_samples(uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "samples", 0);

    for (uint32_t t = 0; t < samples.n_times; t++) {
        double busy = t < 16 || t > 36 ? 150 : 500;

        for (uint32_t v = 0; v < 8; v++) {
            samples.value[t * 8 + v] = (float)(dcp_rng_unit(&rng) * busy);
        }
    }
}

START_TEST(a_policy_cannot_know_the_future)
{
    struct dcp_sim_result a, b;
    struct dcp_loop_report report;

    random_samples((uint64_t)_i);
    run_named(names[_i], &a, &report);
    /* Another future, from the middle on. */
    for (uint32_t i = 24 * 8; i < 48 * 8; i++) {
        samples.value[i] = 950 - samples.value[i];
    }
    run_named(names[_i], &b, &report);
    ck_assert_mem_eq(a.slices, b.slices, 24 * sizeof *a.slices);
    dcp_sim_result_finish(&a);
    dcp_sim_result_finish(&b);
}
END_TEST

START_TEST(every_vm_stays_on_one_host_that_is_on)
{
    struct dcp_sim_result a, b;
    struct dcp_loop_report report;

    random_samples(77 + (uint64_t)_i);
    hardware.mem_mib = 5 * 1024;
    run_named(names[_i], &a, &report);
    ck_assert_uint_eq(report.steps_failed, 0);
    for (uint32_t v = 0; v < 8; v++) {
        ck_assert(a.end->on[a.end->host[v].ix]);
    }
    for (uint32_t h = 0; h < 4; h++) {
        uint32_t n = 0;

        for (uint32_t v = 0; v < 8; v++) {
            n += a.end->host[v].ix == h;
        }
        ck_assert_uint_le(n, 5);
        ck_assert_double_eq_tol(a.hosts[h].on_s + a.hosts[h].off_s +
                                    a.hosts[h].switching_s,
                                240 * 60, 1e-6);
    }
    run_named(names[_i], &b, &report);
    ck_assert_mem_eq(&a, &b, offsetof(struct dcp_sim_result, slices));
    dcp_sim_result_finish(&a);
    dcp_sim_result_finish(&b);
}
END_TEST

START_TEST(the_band_follows_the_load)
{
    struct dcp_sim_result r;
    struct dcp_loop_report report;

    /* Quiet, then busy: 400 MHz in all, then 2,800 of 4,000. */
    for (uint32_t i = 24 * 8; i < 48 * 8; i++) {
        samples.value[i] = 350;
    }
    run_named("dpm", &r, &report);
    /* Four vCPUs share a core at most: two hosts at least. */
    ck_assert_uint_eq(r.hosts_on_min, 2);
    ck_assert_uint_ge(r.host_boots, 2);
    ck_assert_double_eq_tol(r.slices[23].hosts_on, 2, 1e-9);
    ck_assert_double_eq_tol(r.slices[47].hosts_on, 4, 1e-9);
    ck_assert_double_eq(r.slices[47].overload_host_s, 0);
    dcp_sim_result_finish(&r);
}
END_TEST

START_TEST(balance_evens_out)
{
    struct dcp_sim_result r;
    struct dcp_loop_report report;

    for (uint32_t t = 0; t < 48; t++) { /* Both of host 0 are busy. */
        samples.value[t * 8] = samples.value[t * 8 + 4] = 600;
    }
    run_named("balance", &r, &report);
    ck_assert_uint_ne(r.end->host[0].ix, r.end->host[4].ix);
    ck_assert_uint_eq(r.host_shutdowns, 0);
    ck_assert_double_eq(r.slices[47].overload_host_s, 0);
    dcp_sim_result_finish(&r);
}
END_TEST

START_TEST(overload_is_detected_and_ends)
{
    static const char *const all[] = { "thr-mmt", "iqr-mmt", "mad-mmt",
                                       "lr-mmt", "lrr-mmt" };
    struct dcp_sim_result r;
    struct dcp_loop_report report;

    for (uint32_t t = 0; t < 48; t++) {
        samples.value[t * 8] = samples.value[t * 8 + 4] = 600;
    }
    run_named(all[_i], &r, &report);
    ck_assert_uint_ne(r.end->host[0].ix, r.end->host[4].ix);
    ck_assert_double_gt(r.slices[0].overload_host_s, 0);
    ck_assert_double_eq(r.slices[47].overload_host_s, 0);
    ck_assert_uint_ge(r.host_shutdowns, 1);
    dcp_sim_result_finish(&r);
}
END_TEST

/* --- With failures ------------------------------------------------------ */

/* The same, while hosts are down as 'list' says. */
static struct dcp_ha_counts
run_down(struct dcp_sim_policy *policy, struct dcp_outage list[], uint32_t n,
         struct dcp_sim_result *out, struct dcp_loop_report *report)
{
    struct dcp_sim_input in = input();
    struct dcp_outages hosts = { list, n, n };
    struct dcp_ha_input asked = { .inventory = f.inv,
                                  .start = in.start,
                                  .hosts = &hosts };
    struct dcp_error err = { 0 };

    dcp_ha_options_default(&asked.options);
    DCP_AUTO(dcp_ha) struct dcp_ha *ha = dcp_ha_create(&asked, &err);
    struct dcp_loop_options o = { 30 * MINUTE, NULL, ha };

    ck_assert(ha != NULL);
    ck_assert_msg(dcp_loop_run(&in, policy, &o, out, report, &err), "%s",
                  err.message);
    return dcp_ha_counts(ha);
}

START_TEST(without_outages_failures_change_no_byte)
{
    struct dcp_sim_result a, b;
    struct dcp_loop_report report;
    struct dcp_error err = { 0 };
    DCP_AUTO(dcp_sim_policy)
    struct dcp_sim_policy *p = dcp_sim_policy_named(names[_i], 1, &err);

    random_samples(5 + (uint64_t)_i);
    run_named(names[_i], &a, &report);
    (void)run_down(p, NULL, 0, &b, &report);
    ck_assert_mem_eq(&a, &b, offsetof(struct dcp_sim_result, slices));
    ck_assert_mem_eq(a.slices, b.slices, a.n_slices * sizeof *a.slices);
    dcp_sim_result_finish(&a);
    dcp_sim_result_finish(&b);
}
END_TEST

/* Maintenance of a busy guest's host in closed loop and in the replay of what
 * is known before: the same, to the byte. */
START_TEST(maintenance_slows_down_in_closed_loop_too)
{
    struct dcp_outage down = { FIXTURE_START_MS + 55 * MINUTE, INT64_MAX,
                               DCP_DOMAIN_HOST, 0 };
    struct dcp_outages none = { 0 }, maintenance = { &down, 1, 1 };
    struct dcp_sim_input in = input();
    struct dcp_ha_input asked = { .inventory = f.inv,
                                  .start = in.start,
                                  .hosts = &none,
                                  .maintenance = &maintenance };
    struct dcp_sim_result known, looped;
    struct dcp_loop_report report;
    struct dcp_slowdown *list = NULL;
    uint32_t n = 0;
    struct dcp_error err = { 0 };
    DCP_AUTO(dcp_sim_policy)
    struct dcp_sim_policy *none_policy = dcp_sim_policy_named("none", 1, &err);

    dcp_ha_options_default(&asked.options);
    f.inv->policy.precopy.auto_converge = true;
    f.inv->policy.migration_kib_s = 4096;
    vms[0].dirty_kib_s = 4000; /* Given up, again and again. */
    vms[0].working_set_mib = 900;
    random_samples(3);
    for (uint32_t i = 0; i < samples.n_times; i++) {
        samples.value[8 * i] = 1000;
    }
    DCP_AUTO(dcp_ha) struct dcp_ha *ha = dcp_ha_create(&asked, &err);
    DCP_AUTO(dcp_ha) struct dcp_ha *other = dcp_ha_create(&asked, &err);
    struct dcp_loop_options o = { 30 * MINUTE, NULL, other };

    ck_assert(ha && other);
    ck_assert(dcp_ha_run(ha, NULL, 0, in.to_ms, &err));
    ck_assert(dcp_ha_add_slowdowns(ha, &list, &n, &err));
    ck_assert_uint_ge(n, 2);
    ck_assert(dcp_loop_run(&in, none_policy, &o, &looped, &report, &err));
    in.events = dcp_ha_events(ha, &in.n_events);
    in.slowdowns = list;
    in.n_slowdowns = n;
    ck_assert(dcp_simulate(&in, &known, &err));
    ck_assert_double_gt(known.slowed_mhz_s, 0);
    ck_assert_mem_eq(&known, &looped, offsetof(struct dcp_sim_result, slices));
    dcp_sim_result_finish(&known);
    dcp_sim_result_finish(&looped);
    free(list);
}
END_TEST

START_TEST(nothing_is_wished_of_a_host_that_is_down)
{
    static const struct dcp_wish wishes[] = { { DCP_WISH_MOVE, 0, 1 } };
    /* Host 1 is down from the second question to after the fourth. */
    struct dcp_outage down = { FIXTURE_START_MS + 55 * MINUTE,
                               FIXTURE_START_MS + 125 * MINUTE, DCP_DOMAIN_HOST,
                               1 };
    struct scripted s = { { .ops = &scripted_ops }, wishes, 1, 0 };
    struct dcp_sim_result r;
    struct dcp_loop_report report;
    struct dcp_ha_counts n = run_down(&s.base, &down, 1, &r, &report);

    ck_assert_uint_eq(n.host_failures, 1);
    ck_assert_uint_eq(n.restarts, 3); /* VM 0 as well, which was on it. */
    ck_assert_uint_eq(n.steps_prevented, 0);
    for (uint32_t v = 0; v < 8; v++) {
        ck_assert(!dcp_host_is_none(r.end->host[v]));
        ck_assert(r.end->on[r.end->host[v].ix]);
    }
    /* Refused while it is down; made again once it is mended. */
    ck_assert_uint_ge(report.refused_moves, 2);
    ck_assert_uint_eq(r.end->host[0].ix, 1);
    ck_assert_uint_eq(r.migrations, 2);
    dcp_sim_result_finish(&r);
}
END_TEST

START_TEST(policies_live_with_failures)
{
    struct dcp_outage down[] = {
        { FIXTURE_START_MS + 31 * MINUTE, FIXTURE_START_MS + 95 * MINUTE,
          DCP_DOMAIN_HOST, 0 },
        { FIXTURE_START_MS + 62 * MINUTE, INT64_MAX, DCP_DOMAIN_HOST, 2 },
        { FIXTURE_START_MS + 120 * MINUTE, FIXTURE_START_MS + 121 * MINUTE,
          DCP_DOMAIN_HOST, 0 },
    };
    struct dcp_error err = { 0 };
    struct dcp_sim_result a, b;
    struct dcp_loop_report report;
    DCP_AUTO(dcp_sim_policy)
    struct dcp_sim_policy *p = dcp_sim_policy_named(names[_i], 1, &err);
    DCP_AUTO(dcp_sim_policy)
    struct dcp_sim_policy *again = dcp_sim_policy_named(names[_i], 1, &err);

    random_samples(99 + (uint64_t)_i);
    struct dcp_ha_counts n = run_down(p, down, 3, &a, &report);

    for (uint32_t v = 0; v < 8; v++) {
        dcp_host_id at = a.end->host[v];

        ck_assert(dcp_host_is_none(at) || (a.end->on[at.ix] && at.ix != 2));
    }
    ck_assert_uint_le(n.vms_down, 8);
    (void)run_down(again, down, 3, &b, &report);
    ck_assert_mem_eq(&a, &b, offsetof(struct dcp_sim_result, slices));
    dcp_sim_result_finish(&a);
    dcp_sim_result_finish(&b);
}
END_TEST

START_TEST(names_are_checked)
{
    static const char *const bad[] = {
        "",           "nothing",       "none:1",     "dpm:81-45", "dpm:x",
        "dpm:45-81x", "thr-",          "thr-xyz",    "abc-mmt",   "thr-mmt:0",
        "balance:-1", "consolidate:0", "thr-mmt:nan"
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct dcp_error err = { 0 };
        struct dcp_sim_policy *p = dcp_sim_policy_named(bad[i], 1, &err);

        ck_assert_msg(p == NULL, "'%s' was taken", bad[i]);
        ck_assert_int_eq(err.code, DCP_E_USAGE);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("loop");
    TCase *tcase = tcase_create("loop");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, nothing_done_is_the_replay_to_the_byte);
    tcase_add_test(tcase, a_host_is_emptied_then_off);
    tcase_add_test(tcase, memory_is_hard_and_nobody_leaves_in_vain);
    tcase_add_test(tcase, who_leaves_still_counts);
    tcase_add_test(tcase, what_may_not_be_is_refused);
    tcase_add_test(tcase, a_move_waits_for_its_host_to_boot);
    tcase_add_test(tcase, a_plan_under_way_is_waited_for);
    tcase_add_loop_test(tcase, a_policy_cannot_know_the_future, 0, N_NAMES);
    tcase_add_loop_test(tcase, every_vm_stays_on_one_host_that_is_on, 0,
                        N_NAMES);
    tcase_add_test(tcase, the_band_follows_the_load);
    tcase_add_test(tcase, balance_evens_out);
    tcase_add_loop_test(tcase, overload_is_detected_and_ends, 0, 5);
    tcase_add_loop_test(tcase, without_outages_failures_change_no_byte, 0,
                        N_NAMES);
    tcase_add_test(tcase, maintenance_slows_down_in_closed_loop_too);
    tcase_add_test(tcase, nothing_is_wished_of_a_host_that_is_down);
    tcase_add_loop_test(tcase, policies_live_with_failures, 0, N_NAMES);
    tcase_add_test(tcase, names_are_checked);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? 1 : 0;
}
