/* SPDX-License-Identifier: GPL-3.0-or-later */

/* VMs that begin work more for a time: the queue of ends, what they ask for,
 * and replays by hand. */

#include "sim/host/starts.h"
#include "sim/host/warmup.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/sim_fixture.h"

START_TEST(ends_come_in_order)
{
    DCP_AUTO(dcp_warmups) struct dcp_warmups *w = dcp_warmups_create(200, NULL);

    ck_assert(dcp_warmups_next_ms(w) == INT64_MAX);
    for (uint32_t v = 0; v < 200; v++) {
        ck_assert(dcp_warmups_begin(w, v, 1000 + v, NULL));
    }
    ck_assert(dcp_warmups_is_warming(w, 7));
    dcp_warmups_forget(w, 0);
    ck_assert(!dcp_warmups_is_warming(w, 0));
    /* Begins again: the first end does not count. */
    ck_assert(dcp_warmups_begin(w, 1, 5000, NULL));
    for (uint32_t v = 2; v < 200; v++) {
        ck_assert_int_eq(dcp_warmups_next_ms(w), 1000 + v);
        ck_assert_uint_eq(dcp_warmups_next_vm(w), v);
        dcp_warmups_forget(w, v);
    }
    ck_assert_int_eq(dcp_warmups_next_ms(w), 5000);
    dcp_warmups_forget(w, 1);
    ck_assert(dcp_warmups_next_ms(w) == INT64_MAX);
    ck_assert(dcp_warmups_begin(w, 3, 6000, NULL));
    ck_assert_int_eq(dcp_warmups_next_ms(w), 6000);
}
END_TEST

START_TEST(no_more_than_all_its_vcpus)
{
    struct dcp_warmup_policy p = { .cpu_frac = 0.5 };

    ck_assert_double_eq(dcp_warmup_mhz(&p, 2, 1000, 100), 1100);
    ck_assert_double_eq(dcp_warmup_mhz(&p, 2, 1000, 1500), 2000);
    ck_assert_double_eq(dcp_warmup_mhz(&p, 2, 1000, 2500), 2500);
}
END_TEST

/* VM 0 is restored on host 1 after 10 min and warms up for 8; it asks for 200
 * MHz, and 400 more of its 1000 while it does. */
static void
begin_vm_0(struct dcp_sim_result *out)
{
    uint32_t start = fixture_step(&f, DCP_STEP_VM_RESTORE, 0, 0, 0, 0, 0);
    struct dcp_policy *policy = &f.inv->policy;

    f.steps[start - 1].to = (struct dcp_object){ DCP_OBJECT_HOST, 1 };
    f.plan->before->host[0] = dcp_host_none();
    constant_samples(12, 200);
    policy->warmup.time_ms = 8 * MINUTE;
    policy->warmup.cpu_frac = 0.4;
    event(10 * MINUTE, start, DCP_ACTION_STARTED);
    event(10 * MINUTE, start, DCP_ACTION_DONE);
    simulate(NULL, out);
}

START_TEST(a_restored_vm_works_more)
{
    struct dcp_sim_result r;

    begin_vm_0(&r);
    ck_assert_uint_eq(r.warmups, 1);
    ck_assert_double_eq_tol(r.warmup_mhz_s, 400 * 480.0, 1e-6);
    ck_assert_double_eq_tol(r.hosts[1].requested_mhz_s,
                            400 * 3600.0 + 200 * 3000.0 + 400 * 480.0, 1e-6);
    /* 400 MHz (140 W), 1000 MHz (200 W), 600 MHz (160 W). */
    ck_assert_double_eq_tol(r.hosts[1].it_j,
                            140 * 600.0 + 200 * 480.0 + 160 * 2520.0, 1e-6);
    ck_assert_double_eq_tol(r.tenants[0].requested_mhz_s,
                            6 * 200 * 3600.0 + 400 * 480.0, 1e-6);
    ck_assert_double_eq(r.overload_host_s, 0);
    dcp_sim_result_finish(&r);
}
END_TEST

START_TEST(without_time_nothing_warms_up)
{
    struct dcp_sim_result r;

    begin_vm_0(&r);
    dcp_sim_result_finish(&r);
    f.inv->policy.warmup.time_ms = 0;
    simulate(NULL, &r);
    ck_assert_uint_eq(r.warmups, 0);
    ck_assert_double_eq(r.warmup_mhz_s, 0);
    dcp_sim_result_finish(&r);
}
END_TEST

/* One that leaves while it warms up takes that along; one that stops does not.
 */
START_TEST(it_goes_with_the_vm)
{
    struct dcp_sim_result r;
    uint32_t move = fixture_move(&f, 0, 1, 2, 60 * SECOND, 0);

    begin_vm_0(&r);
    dcp_sim_result_finish(&r);
    f.inv->policy.migration_cpu_overhead_frac = 0;
    event(12 * MINUTE, move, DCP_ACTION_STARTED);
    event(14 * MINUTE, move, DCP_ACTION_DONE);
    simulate(NULL, &r);
    ck_assert_double_eq_tol(r.warmup_mhz_s, 400 * 480.0, 1e-6);
    ck_assert_double_eq_tol(r.hosts[2].requested_mhz_s,
                            400 * 3600.0 + 200 * 46 * 60.0 + 400 * 240.0, 1e-6);
    dcp_sim_result_finish(&r);
    uint32_t stop = fixture_step(&f, DCP_STEP_VM_STOP, 0, 0, 0, 0, 0);

    f.steps[stop - 1].from = (struct dcp_object){ DCP_OBJECT_HOST, 2 };
    event(15 * MINUTE, stop, DCP_ACTION_DONE);
    simulate(NULL, &r);
    ck_assert_double_eq_tol(r.warmup_mhz_s, 400 * 300.0, 1e-6);
    dcp_sim_result_finish(&r);
}
END_TEST

START_TEST(only_so_many_begin_at_once)
{
    DCP_AUTO(dcp_starts) struct dcp_starts *any = dcp_starts_create(2, 0, NULL);
    DCP_AUTO(dcp_starts) struct dcp_starts *two = dcp_starts_create(2, 2, NULL);

    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(dcp_starts_take(any, 0, 100, 30), 30);
    }
    ck_assert_int_eq(dcp_starts_take(two, 0, 100, 30), 30);
    ck_assert_int_eq(dcp_starts_take(two, 0, 100, 10), 10);
    ck_assert_int_eq(dcp_starts_take(two, 0, 100, 10), 20); /* After the 2nd. */
    ck_assert_int_eq(dcp_starts_take(two, 0, 115, 10), 15); /* At 120. */
    ck_assert_int_eq(dcp_starts_take(two, 0, 115, 10), 25); /* At 130. */
    ck_assert_int_eq(dcp_starts_take(two, 1, 115, 10), 10);
    ck_assert_int_eq(dcp_starts_take(two, 0, 200, 10), 10);
}
END_TEST

/* Four VMs are restored on host 1, a minute each, two at one time; one on host
 * 2 does not wait for them. */
START_TEST(a_woken_host_starts_some_at_a_time)
{
    static const int64_t ends_s[] = { 60, 60, 120, 120, 60 };
    struct dcp_run_report report;

    constant_samples(12, 100);
    f.inv->policy.warmup.at_once = 2;
    for (uint32_t v = 0; v < 5; v++) {
        uint32_t id = fixture_step(&f, DCP_STEP_VM_RESTORE, v, 0, 0, MINUTE, 0);
        uint32_t host = v < 4 ? 1 : 2;

        f.steps[id - 1].to = (struct dcp_object){ DCP_OBJECT_HOST, host };
        f.plan->before->host[v] = dcp_host_none();
        f.plan->legs[0].after->host[v].ix = host;
    }
    run_plan(NULL, &report);
    ck_assert(dcp_run_complete(&report));
    for (uint32_t i = 0; i < n_events; i++) {
        if (events[i].phase == DCP_ACTION_DONE) {
            ck_assert_int_eq(events[i].at_ms - FIXTURE_START_MS,
                             ends_s[events[i].step->id - 1] * SECOND);
        }
    }
    ck_assert_int_eq(report.ended_ms - report.started_ms, 2 * MINUTE);
    dcp_run_report_finish(&report);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &ends_come_in_order,
        &no_more_than_all_its_vcpus,
        &a_restored_vm_works_more,
        &without_time_nothing_warms_up,
        &it_goes_with_the_vm,
        &only_so_many_begin_at_once,
        &a_woken_host_starts_some_at_a_time,
    };

    return run_tests_with("warmup", tests, sizeof tests / sizeof tests[0],
                          setup, teardown);
}
