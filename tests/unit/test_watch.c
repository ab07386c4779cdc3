/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/watch.h"
#include "tests/unit/exec_fixture.h"
#include "tests/unit/run_suite.h"

#include <math.h>

#define MINUTE INT64_C(60000)

enum { N_TIMES = 12, N_VMS = 6 };

static struct fixture f;
static float values[N_TIMES * N_VMS];
static struct dcp_samples samples;
static struct dcp_sim_event events[2];

struct seen { /* What a watch was told. */
    uint32_t n_events, n_slices, stop_after;
    double it_j;
    int64_t last_ms;
};

static void
setup(void)
{
    fixture_init(&f, 3, N_VMS);
    for (uint32_t i = 0; i < N_TIMES * N_VMS; i++) {
        values[i] = (float)(100 + 37 * i % 500);
    }
    samples = (struct dcp_samples){ FIXTURE_START_MS, 5 * MINUTE, N_TIMES,
                                    N_VMS, values };
    uint32_t id = fixture_move(&f, 0, 0, 1, MINUTE, 0);

    events[0] = (struct dcp_sim_event){ FIXTURE_START_MS + 7 * MINUTE,
                                        &f.steps[id - 1], DCP_ACTION_STARTED };
    events[1] = (struct dcp_sim_event){ FIXTURE_START_MS + 8 * MINUTE,
                                        &f.steps[id - 1], DCP_ACTION_DONE };
}

static void
teardown(void)
{
    fixture_finish(&f);
}

static bool
see_event(void *user, const struct dcp_sim_event *e, struct dcp_error *err)
{
    struct seen *seen = user;

    (void)err;
    ck_assert_int_ge(e->at_ms, seen->last_ms);
    seen->last_ms = e->at_ms;
    seen->n_events++;
    return true;
}

static bool
see_slice(void *user, const struct dcp_sim_result *r, uint32_t slice,
          bool *more, struct dcp_error *err)
{
    struct seen *seen = user;

    (void)err;
    ck_assert_uint_eq(slice, seen->n_slices);
    ck_assert_int_ge(r->slices[slice].start_ms, seen->last_ms - 5 * MINUTE);
    seen->last_ms = r->slices[slice].end_ms;
    seen->n_slices++;
    seen->it_j = 0;
    for (uint32_t h = 0; h < r->n_hosts; h++) {
        seen->it_j += r->hosts[h].it_j;
    }
    if (seen->n_slices == seen->stop_after) {
        *more = false;
    }
    return true;
}

static bool
refuse(void *user, const struct dcp_sim_result *r, uint32_t slice, bool *more,
       struct dcp_error *err)
{
    (void)user;
    (void)r;
    (void)more;
    return slice < 2 || dcp_fail(err, DCP_E_CANCELLED, "enough");
}

static struct dcp_sim_input
input(const struct dcp_sim_watch *const watches[], uint32_t n)
{
    return (struct dcp_sim_input){
        .inventory = f.inv,
        .cpu = &samples,
        .start = f.plan->before,
        .from_ms = FIXTURE_START_MS,
        .to_ms = FIXTURE_START_MS + N_TIMES * 5 * MINUTE,
        .events = events,
        .n_events = 2,
        .watches = watches,
        .n_watches = n,
    };
}

START_TEST(a_watch_sees_all_and_alters_nothing)
{
    struct seen seen = { 0 };
    struct dcp_sim_watch w = { see_event, see_slice, &seen };
    const struct dcp_sim_watch *const watches[] = { &w };
    struct dcp_sim_input with = input(watches, 1), without = input(NULL, 0);
    struct dcp_sim_result a, b;

    ck_assert(dcp_simulate(&without, &a, NULL));
    ck_assert(dcp_simulate(&with, &b, NULL));
    ck_assert_uint_eq(seen.n_events, 2);
    ck_assert_uint_eq(seen.n_slices, N_TIMES);
    ck_assert_double_eq_tol(seen.it_j / 3.6e6, b.it_kwh, 1e-12);
    ck_assert(a.it_kwh == b.it_kwh && a.unmet_cpu_mhz_s == b.unmet_cpu_mhz_s);
    ck_assert(!b.stopped);
    dcp_sim_result_finish(&a);
    dcp_sim_result_finish(&b);
}
END_TEST

/* Stopped after a slice, it is as if the window had ended there. */
START_TEST(a_watch_can_end_the_window)
{
    for (uint32_t n = 1; n <= N_TIMES; n++) {
        struct seen seen = { .stop_after = n }, all = { 0 };
        struct dcp_sim_watch w = { NULL, see_slice, &seen };
        struct dcp_sim_watch other = { NULL, see_slice, &all };
        const struct dcp_sim_watch *const watches[] = { &w, &other };
        struct dcp_sim_input in = input(watches, 2), shorter = input(NULL, 0);
        struct dcp_sim_result whole, stopped, cut, part;

        shorter.events = NULL;
        shorter.n_events = 0;
        ck_assert(dcp_simulate(&shorter, &whole, NULL));
        in.reference = &whole;
        ck_assert(dcp_simulate(&in, &stopped, NULL));
        shorter.to_ms = FIXTURE_START_MS + n * 5 * MINUTE;
        ck_assert(dcp_simulate(&shorter, &cut, NULL));
        shorter.events = events;
        shorter.n_events = 2;
        shorter.reference = &cut;
        ck_assert(dcp_simulate(&shorter, &part, NULL));
        ck_assert(stopped.stopped == (n < N_TIMES));
        ck_assert_uint_eq(seen.n_slices, n);
        ck_assert_uint_eq(all.n_slices, n);
        ck_assert_uint_eq(stopped.n_slices, n);
        ck_assert_int_eq(stopped.to_ms, part.to_ms);
        ck_assert_uint_eq(stopped.n_samples, part.n_samples);
        ck_assert(stopped.it_kwh == part.it_kwh);
        ck_assert(stopped.meter_kwh == part.meter_kwh);
        ck_assert(stopped.hosts_on_mean == part.hosts_on_mean);
        ck_assert(stopped.unmet_cpu_mhz_s == part.unmet_cpu_mhz_s);
        ck_assert_uint_eq(stopped.migrations, part.migrations);
        dcp_sim_result_finish(&whole);
        dcp_sim_result_finish(&stopped);
        dcp_sim_result_finish(&cut);
        dcp_sim_result_finish(&part);
    }
}
END_TEST

START_TEST(a_watch_that_fails_fails_the_replay)
{
    struct dcp_sim_watch w = { .slice = refuse };
    const struct dcp_sim_watch *const watches[] = { &w };
    struct dcp_sim_input in = input(watches, 1);
    struct dcp_sim_result r;
    struct dcp_error err = { 0 };

    ck_assert(!dcp_simulate(&in, &r, &err));
    ck_assert_int_eq(err.code, DCP_E_CANCELLED);
    ck_assert_ptr_null(r.slices);
}
END_TEST

/* What each host and VM missed are two counts of one thing. */
START_TEST(unmet_demand_of_hosts_is_that_of_vms)
{
    struct dcp_sim_input in = input(NULL, 0);
    struct dcp_sim_result r;
    double vms = 0, hosts = 0, asked = 0;

    for (uint32_t i = 0; i < N_TIMES * N_VMS; i++) {
        values[i] *= 4;
    }
    ck_assert(dcp_simulate(&in, &r, NULL));
    for (uint32_t v = 0; v < r.n_vms; v++) {
        vms += r.vm_unmet_mhz_s[v];
    }
    for (uint32_t h = 0; h < r.n_hosts; h++) {
        hosts += r.hosts[h].unmet_mhz_s;
        asked += r.hosts[h].requested_mhz_s;
    }
    ck_assert_double_gt(vms, 1000);
    ck_assert_double_eq_tol(vms, hosts, 1e-9 * hosts);
    ck_assert_double_eq_tol(asked, r.requested_mhz_s, 1e-9 * asked);
    dcp_sim_result_finish(&r);
}
END_TEST

/* Of the window only. */
START_TEST(samples_that_are_no_demand_are_refused)
{
    static const float bad[] = { NAN, -1, INFINITY, -INFINITY };
    struct dcp_sim_input in = input(NULL, 0);
    struct dcp_sim_result r;
    struct dcp_error err = { 0 };

    in.from_ms += MINUTE;
    in.to_ms -= 6 * MINUTE;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        values[N_VMS + 3] = bad[i];
        ck_assert(!dcp_simulate(&in, &r, &err));
        ck_assert_int_eq(err.code, DCP_E_ARGUMENT);
        ck_assert_ptr_nonnull(strstr(err.message, "'v4'"));
        ck_assert_ptr_nonnull(strstr(err.message, "2013-08-30T20:05:00Z"));
    }
    values[N_VMS + 3] = 0;
    values[(N_TIMES - 1) * N_VMS] = NAN;
    ck_assert(dcp_simulate(&in, &r, &err));
    dcp_sim_result_finish(&r);
    f.inv->n_hosts = 0;
    ck_assert(!dcp_simulate(&in, &r, &err));
    ck_assert_ptr_nonnull(strstr(err.message, "no hosts"));
    f.inv->n_hosts = 3;
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &a_watch_sees_all_and_alters_nothing,
        &a_watch_can_end_the_window,
        &a_watch_that_fails_fails_the_replay,
        &unmet_demand_of_hosts_is_that_of_vms,
        &samples_that_are_no_demand_are_refused,
    };

    return run_tests_with("watch", tests, sizeof tests / sizeof tests[0], setup,
                          teardown);
}
