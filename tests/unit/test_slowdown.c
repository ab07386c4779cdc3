/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Guests that migrations slow down, and ask for less: VMs of one vCPU of 1000
 * MHz, two on each of three hosts. */

#include "tests/unit/run_suite.h"
#include "tests/unit/sim_fixture.h"

static struct dcp_slowdown slowdowns[4];
static uint32_t n_slowdowns;

static void
slow_down(int64_t at_ms, uint32_t vm, uint32_t step, double stopped_frac)
{
    slowdowns[n_slowdowns++] = (struct dcp_slowdown){ FIXTURE_START_MS + at_ms,
                                                      vm, step, stopped_frac };
}

static void
replay(struct dcp_sim_result *out)
{
    struct dcp_sim_input in = {
        .inventory = f.inv,
        .cpu = &samples,
        .start = f.plan->before,
        .from_ms = samples.start_ms,
        .to_ms = samples.start_ms + samples.n_times * samples.interval_ms,
        .events = events,
        .n_events = n_events,
        .slowdowns = slowdowns,
        .n_slowdowns = n_slowdowns,
    };
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_simulate(&in, out, &err), "%s", err.message);
    n_slowdowns = 0;
}

/* From each to the next, and no longer than it is on its way. */
START_TEST(what_is_left_is_a_cap)
{
    struct dcp_sim_result r;
    uint32_t move = fixture_move(&f, 0, 0, 1, 0, 0);

    constant_samples(12, 450);
    event(60 * SECOND, move, DCP_ACTION_STARTED);
    event(160 * SECOND, move, DCP_ACTION_DONE);
    slow_down(150 * SECOND, 0, move, 0.7);
    slow_down(70 * SECOND, 0, move, 0.5); /* Asks for less than is left. */
    slow_down(100 * SECOND, 0, move, 0.6);
    slow_down(170 * SECOND, 0, move, 0.9);
    replay(&r);
    ck_assert_double_eq_tol(r.slowed_mhz_s, 50 * 50.0 + 150 * 10.0, 1e-6);
    ck_assert_double_eq_tol(r.hosts[0].slowed_mhz_s, r.slowed_mhz_s, 1e-9);
    ck_assert_double_eq_tol(r.requested_mhz_s, 6 * 450 * 3600.0, 1e-5);
    dcp_sim_result_finish(&r);
}
END_TEST

/* The plan's migration did not happen, as maintenance moved the VM: what it
 * would have done to the guest did not happen either. */
START_TEST(each_step_slows_its_own)
{
    struct dcp_sim_result r;
    uint32_t move = fixture_move(&f, 0, 0, 1, 0, 0);

    constant_samples(12, 450);
    f.steps[move - 1].id = 0;
    event(60 * SECOND, move, DCP_ACTION_STARTED);
    event(160 * SECOND, move, DCP_ACTION_DONE);
    slow_down(70 * SECOND, 0, 7, 0.9);
    slow_down(100 * SECOND, 0, 0, 0.6);
    slow_down(130 * SECOND, 0, 7, 0.2);
    replay(&r);
    ck_assert_double_eq_tol(r.slowed_mhz_s, 50 * 60.0, 1e-6);
    dcp_sim_result_finish(&r);
}
END_TEST

/* With twice the vCPUs twice as much is left, on both hosts at once. */
START_TEST(a_larger_guest_has_more_left)
{
    struct dcp_sim_result r;
    uint32_t move = fixture_move(&f, 0, 0, 1, 0, 0);
    uint32_t resize = fixture_step(&f, DCP_STEP_VM_RESIZE, 0, 0, 0, 0, 0);

    f.steps[resize - 1].from = (struct dcp_object){ DCP_OBJECT_HOST, 0 };
    f.steps[resize - 1].size_to =
        (struct dcp_vm_size){ .vcpus = 2, .mem_mib = 1024 };
    f.inv->policy.migration_cpu_overhead_frac = 0.1;
    constant_samples(12, 450);
    event(60 * SECOND, move, DCP_ACTION_STARTED);
    event(100 * SECOND, resize, DCP_ACTION_DONE);
    event(160 * SECOND, move, DCP_ACTION_DONE);
    slow_down(70 * SECOND, 0, move, 0.9);
    replay(&r);
    ck_assert_double_eq_tol(r.slowed_mhz_s, 30 * 350.0 + 60 * 250.0, 1e-6);
    double moved = 10 * 450.0 + 30 * 100 + 60 * 200;

    ck_assert_double_eq_tol(r.degraded_mhz_s, 0.1 * moved, 1e-6);
    /* 10 MHz more are a watt; with a third VM it is full. */
    ck_assert_double_eq_tol(r.hosts[1].it_j,
                            190 * 3600.0 + 0.01 * moved + 10 * 3440.0, 1e-6);
    ck_assert_double_eq_tol(r.requested_mhz_s, 6 * 450 * 3600.0, 1e-5);
    dcp_sim_result_finish(&r);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &what_is_left_is_a_cap,
        &each_step_slows_its_own,
        &a_larger_guest_has_more_left,
    };

    return run_tests_with("slowdown", tests, sizeof tests / sizeof tests[0],
                          setup, teardown);
}
