/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The engine driven in steps: the same bytes as in one go, and a view that
 * shows the past only. */

#include "model/base/rng.h"
#include "tests/unit/sim_fixture.h"

#include <math.h>

static void
assert_same_bytes(const struct dcp_sim_result *a,
                  const struct dcp_sim_result *b)
{
    size_t cells = (size_t)a->n_slices * a->n_site_columns;

    /* All before the pointers, then what they point to. */
    ck_assert_mem_eq(a, b, offsetof(struct dcp_sim_result, slices));
    ck_assert_mem_eq(a->slices, b->slices, a->n_slices * sizeof *a->slices);
    ck_assert_mem_eq(a->hosts, b->hosts, a->n_hosts * sizeof *a->hosts);
    ck_assert_mem_eq(a->vm_overload_s, b->vm_overload_s,
                     a->n_vms * sizeof *a->vm_overload_s);
    ck_assert_mem_eq(a->site_it_j, b->site_it_j, cells * sizeof *a->site_it_j);
    ck_assert_mem_eq(a->end->on, b->end->on, a->n_hosts);
}

static void
random_samples(uint32_t n_times, uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "samples", 0);

    constant_samples(n_times, 0);
    for (size_t i = 0; i < (size_t)n_times * samples.n_vms; i++) {
        samples.value[i] = (float)dcp_rng_unit(&rng) * 600;
    }
}

static void
some_events(void)
{
    fixture_move(&f, 0, 0, 1, 0, 0);
    fixture_step(&f, DCP_STEP_HOST_OFF, 2, 0, 0, 0, 0);
    event(-5 * SECOND, 1, DCP_ACTION_STARTED);
    event(7 * MINUTE + 1, 1, DCP_ACTION_DONE);
    event(10 * MINUTE, 2, DCP_ACTION_STARTED); /* At a slice's end. */
    event(11 * MINUTE, 2, DCP_ACTION_DONE);
    event(60 * MINUTE, 1, DCP_ACTION_STARTED); /* Not looked at. */
}

/* However one steps, and whether events come with the input or one by one. */
START_TEST(steps_change_no_byte)
{
    static const int64_t widths_ms[] = { 1700, 5 * MINUTE, 7 * MINUTE + 1,
                                         60 * MINUTE };
    size_t n_widths = sizeof widths_ms / sizeof *widths_ms;
    struct dcp_error err = { 0 };

    random_samples(12, 7);
    some_events();
    struct dcp_sim_input in = {
        .inventory = f.inv,
        .cpu = &samples,
        .start = f.plan->before,
        .from_ms = FIXTURE_START_MS + 1 * SECOND,
        .to_ms = FIXTURE_START_MS + 60 * MINUTE,
        .events = events,
        .n_events = n_events,
    };
    struct dcp_sim_result whole, stepped;

    ck_assert(dcp_simulate(&in, &whole, &err));
    for (size_t w = 0; w < 2 * n_widths; w++) {
        bool one_by_one = w >= n_widths;
        int64_t width_ms = widths_ms[w % n_widths];
        int64_t at_ms = in.from_ms;
        uint32_t e = 0;
        DCP_AUTO(dcp_sim) struct dcp_sim *sim = NULL;

        in.n_events = one_by_one ? 0 : n_events;
        ck_assert(dcp_sim_open(&in, &sim, &err));
        while (at_ms < in.to_ms) {
            int64_t next_ms = at_ms + width_ms;

            at_ms = next_ms < in.to_ms ? next_ms : in.to_ms;
            while (one_by_one && e < n_events && events[e].at_ms < at_ms) {
                ck_assert(dcp_sim_apply(sim, &events[e++], &err));
            }
            ck_assert_msg(dcp_sim_advance(sim, at_ms, &err), "%s", err.message);
        }
        ck_assert(dcp_sim_finish(sim, &stepped, &err));
        assert_same_bytes(&whole, &stepped);
        dcp_sim_result_finish(&stepped);
    }
    dcp_sim_result_finish(&whole);
}
END_TEST

START_TEST(a_view_shows_the_past_only)
{
    struct dcp_error err = { 0 };
    struct dcp_sim_result r;
    DCP_AUTO(dcp_sim) struct dcp_sim *sim = NULL;

    random_samples(12, 9);
    struct dcp_sim_input in = {
        .inventory = f.inv,
        .cpu = &samples,
        .start = f.plan->before,
        .from_ms = FIXTURE_START_MS + 10 * MINUTE,
        .to_ms = FIXTURE_START_MS + 60 * MINUTE,
    };
    const float *v = samples.value;

    ck_assert(dcp_sim_open(&in, &sim, &err));
    ck_assert_uint_eq(dcp_sim_view(sim).n_past, 2);
    ck_assert_uint_eq(dcp_sim_view(sim).n_host_past, 0);
    ck_assert_double_nan(dcp_sim_host_past_mhz(sim, 0, 0));
    ck_assert(dcp_sim_advance(sim, in.from_ms + 5 * MINUTE - 1, &err));
    ck_assert_uint_eq(dcp_sim_view(sim).n_past, 2);
    ck_assert(dcp_sim_advance(sim, in.from_ms + 10 * MINUTE, &err));
    ck_assert_uint_eq(dcp_sim_view(sim).n_past, 4);
    ck_assert_uint_eq(dcp_sim_view(sim).n_host_past, 2);
    /* VMs 0 and 3 are on host 0. */
    ck_assert_double_eq_tol(dcp_sim_host_past_mhz(sim, 0, 0), v[18] + v[21],
                            1e-3);
    ck_assert_double_eq_tol(dcp_sim_host_past_mhz(sim, 0, 1), v[12] + v[15],
                            1e-3);
    ck_assert_uint_eq(dcp_sim_host_now(sim, 0).n_vms, 2);
    ck_assert_int_eq(dcp_sim_host_now(sim, 0).power, DCP_SIM_ON);
    ck_assert(!dcp_sim_advance(sim, in.from_ms, &err));
    ck_assert(!dcp_sim_advance(sim, in.to_ms + 1, &err));

    /* Ended here, the window ends here. */
    ck_assert(dcp_sim_advance(sim, in.from_ms + 12 * MINUTE, &err));
    ck_assert(dcp_sim_finish(sim, &r, &err));
    ck_assert_int_eq(r.to_ms, in.from_ms + 12 * MINUTE);
    ck_assert_uint_eq(r.n_slices, 3);
    ck_assert_double_eq_tol(r.hosts_on_mean, 3, 1e-12);
    struct dcp_sim_result cut;

    in.to_ms = r.to_ms;
    ck_assert(dcp_simulate(&in, &cut, &err));
    assert_same_bytes(&r, &cut);
    dcp_sim_result_finish(&cut);
    dcp_sim_result_finish(&r);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("sim_steps");
    TCase *tcase = tcase_create("sim_steps");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, steps_change_no_byte);
    tcase_add_test(tcase, a_view_shows_the_past_only);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? 1 : 0;
}
