/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_SIM_FIXTURE_H
#define DCP_TESTS_SIM_FIXTURE_H 1

/* Three hosts and six VMs with a plan, samples of their CPU, and what an
 * executor did; for tests of replays. */

#include "executors/runner.h"
#include "sim/executor.h"
#include "tests/unit/exec_fixture.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)

static struct fixture f;
static struct dcp_samples samples;
static struct dcp_sim_event events[4 * FIXTURE_STEPS_MAX];
static uint32_t n_events;

static inline void
setup(void)
{
    fixture_init(&f, 3, 6);
    samples = (struct dcp_samples){ 0 };
    n_events = 0;
}

static inline void
teardown(void)
{
    free(samples.value);
    fixture_finish(&f);
}

/* 'n_times' samples of five minutes, all 'mhz'. */
static inline void
constant_samples(uint32_t n_times, float mhz)
{
    samples = (struct dcp_samples){
        .start_ms = FIXTURE_START_MS,
        .interval_ms = 5 * MINUTE,
        .n_times = n_times,
        .n_vms = f.inv->n_vms,
    };
    size_t n = (size_t)n_times * samples.n_vms;

    samples.value = malloc((n + 1) * sizeof *samples.value);
    for (size_t i = 0; i < n; i++) {
        samples.value[i] = mhz;
    }
}

static inline void
simulate(const struct dcp_sim_result *reference, struct dcp_sim_result *out)
{
    struct dcp_sim_input in = {
        .inventory = f.inv,
        .cpu = &samples,
        .start = f.plan->before,
        .from_ms = samples.start_ms,
        .to_ms = samples.start_ms + samples.n_times * samples.interval_ms,
        .events = events,
        .n_events = n_events,
        .reference = reference,
    };
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_simulate(&in, out, &err), "%s", err.message);
}

static inline void
event(int64_t at_ms, uint32_t step, enum dcp_action_phase phase)
{
    events[n_events++] = (struct dcp_sim_event){ FIXTURE_START_MS + at_ms,
                                                 &f.steps[step - 1], phase };
}

/* Runs leg 0 by the simulator's executor and keeps its events. */
static inline void
run_plan(const struct dcp_samples *net, struct dcp_run_report *report)
{
    DCP_AUTO(dcp_sim_executor)
    struct dcp_sim_executor *x = dcp_sim_executor_create(
        f.inv, f.plan, 0, f.plan->before, FIXTURE_START_MS, net, NULL);
    struct dcp_run_options o;
    struct dcp_error err = { 0 };
    uint32_t n_log;

    ck_assert_ptr_nonnull(x);
    struct dcp_virtual *w = dcp_sim_executor_world(x);

    dcp_run_options_default(&o);
    ck_assert_msg(
        dcp_run_leg(f.inv, f.plan, dcp_virtual_executor(w), &o, report, &err),
        "%s", err.message);
    const struct dcp_action_record *log = dcp_virtual_log(w, &n_log);

    for (uint32_t i = 0; i < n_log; i++) {
        event(log[i].at_ms - FIXTURE_START_MS, log[i].step, log[i].phase);
    }
    if (dcp_run_complete(report)) {
        const struct dcp_placement *end = dcp_virtual_placement(w);

        ck_assert_uint_eq(dcp_placement_n_moved(end, f.plan->legs[0].after), 0);
        ck_assert_mem_eq(end->on, f.plan->legs[0].after->on, f.inv->n_hosts);
    }
}

#endif /* tests/unit/sim_fixture.h */
