/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/rng.h"
#include "tests/unit/sim_fixture.h"

#include <math.h>

START_TEST(constant_demand_gives_exact_energy)
{
    struct dcp_sim_result r;

    /* Two VMs of 250 MHz on each host: half of 1000 MHz, 150 W. */
    constant_samples(12, 250);
    f.plan->before->on[2] = 0;
    for (uint32_t v = 2; v < 6; v += 3) {
        f.plan->before->host[v] = dcp_host_none();
    }
    simulate(NULL, &r);
    ck_assert_double_eq_tol(r.it_kwh, 2 * 0.150 + 0.010, 1e-12);
    ck_assert_double_eq_tol(r.meter_kwh, r.it_kwh, 1e-12);
    ck_assert_double_eq_tol(r.standby_kwh, 0.010, 1e-12);
    ck_assert_double_eq_tol(r.hosts_on_mean, 2, 1e-12);
    ck_assert_double_eq_tol(r.cpu_util_mean_frac, 0.5, 1e-12);
    ck_assert_double_eq_tol(r.requested_mhz_s, 4 * 250 * 3600.0, 1e-6);
    ck_assert_double_eq(r.overload_host_s, 0);
    ck_assert_double_eq(r.unmet_cpu_mhz_s, 0);
    ck_assert_uint_eq(r.vms_unplaced, 2);
    ck_assert_uint_eq(r.n_samples, 72);
    ck_assert_double_nan(r.mean_s_before_shutdown);
    ck_assert_uint_eq(r.host_slots, 24);
    dcp_sim_result_finish(&r);
}
END_TEST

START_TEST(overload_by_hand)
{
    struct dcp_sim_result r;

    constant_samples(12, 250);
    /* VM 0 and 3 are on host 0: 900 + 350 = 1250 MHz of 1000 in two of twelve
     * samples. */
    for (uint32_t t = 4; t < 6; t++) {
        samples.value[t * 6 + 0] = 900;
        samples.value[t * 6 + 3] = 350;
    }
    simulate(NULL, &r);
    ck_assert_double_eq_tol(r.overload_host_s, 600, 1e-9);
    ck_assert_double_eq_tol(r.unmet_cpu_mhz_s, 250 * 600.0, 1e-6);
    ck_assert_double_eq_tol(r.slatah_frac, 600 / (3 * 3600.0), 1e-12);
    ck_assert_double_eq_tol(r.average_slav, 0.2, 1e-12);
    ck_assert_double_eq_tol(r.hosts[0].overload_s, 600, 1e-9);
    ck_assert_double_eq_tol(r.vm_overload_s[0], 600, 1e-9);
    ck_assert_double_eq_tol(r.vm_overload_s[3], 600, 1e-9);
    ck_assert_double_eq(r.vm_overload_s[1], 0);
    ck_assert_double_eq_tol(r.tenants[0].overload_vm_s, 1200, 1e-9);
    ck_assert_double_eq_tol(r.tenants[0].unmet_mhz_s, 250 * 600.0, 1e-6);
    ck_assert_uint_eq(r.host_slots_overloaded, 2);
    ck_assert_uint_eq(r.host_slots, 36);
    ck_assert_double_eq(r.pdm_frac, 0);
    dcp_sim_result_finish(&r);
}
END_TEST

START_TEST(migration_counts_on_both_sides)
{
    struct dcp_sim_result r;
    uint32_t a = fixture_move(&f, 0, 0, 1, 100 * SECOND, 0);

    constant_samples(12, 200);
    f.inv->policy.migration_cpu_overhead_frac = 0.1;
    event(60 * SECOND, a, DCP_ACTION_STARTED);
    event(160 * SECOND, a, DCP_ACTION_DONE);
    simulate(NULL, &r);
    /* Each host asks 400 MHz (140 W).  For 100 s both carry 20 MHz more; then
     * host 0 has 200 MHz and host 1 600. */
    double joules = 3 * 140 * 3600.0 + 2 * 2 * 100.0 + (-20 + 20) * 3440.0;

    ck_assert_double_eq_tol(r.it_kwh, joules / 3.6e6, 1e-12);
    ck_assert_double_eq_tol(r.degraded_mhz_s, 20 * 100.0, 1e-9);
    ck_assert_double_eq_tol(r.pdm_frac, 2000 / (6 * 200 * 3600.0), 1e-15);
    ck_assert_uint_eq(r.migrations, 1);
    ck_assert_double_eq_tol(r.migration_mean_s, 100, 1e-9);
    ck_assert_double_eq_tol(r.mean_s_before_migration, 60, 1e-9);
    ck_assert_double_eq_tol(r.slices[0].migrating, 100 / 300.0, 1e-12);
    ck_assert_uint_eq(r.end->host[0].ix, 1);
    ck_assert_double_eq_tol(r.hosts[1].it_j,
                            140 * 60 + 142 * 100 + 160 * 3440.0, 1e-6);
    dcp_sim_result_finish(&r);
}
END_TEST

/* One that was stopped in between stayed since it began again. */
START_TEST(a_vm_stays_since_it_began)
{
    struct dcp_sim_result r;
    uint32_t stop = fixture_step(&f, DCP_STEP_VM_STOP, 0, 0, 0, 0, 0);
    uint32_t start = fixture_step(&f, DCP_STEP_VM_START, 0, 0, 0, 0, 0);
    uint32_t move = fixture_move(&f, 0, 1, 2, 60 * SECOND, 0);

    f.steps[stop - 1].from = (struct dcp_object){ DCP_OBJECT_HOST, 0 };
    f.steps[start - 1].to = (struct dcp_object){ DCP_OBJECT_HOST, 1 };
    constant_samples(12, 200);
    event(10 * MINUTE, stop, DCP_ACTION_DONE);
    event(20 * MINUTE, start, DCP_ACTION_DONE);
    event(25 * MINUTE, move, DCP_ACTION_STARTED);
    event(26 * MINUTE, move, DCP_ACTION_DONE);
    simulate(NULL, &r);
    ck_assert_uint_eq(r.migrations, 1);
    ck_assert_double_eq_tol(r.mean_s_before_migration, 300, 1e-9);
    dcp_sim_result_finish(&r);
}
END_TEST

START_TEST(switching_takes_time_and_energy)
{
    struct dcp_sim_result r;
    uint32_t off = fixture_step(&f, DCP_STEP_HOST_OFF, 2, 0, 0, 60 * SECOND, 0);
    uint32_t on = fixture_step(&f, DCP_STEP_HOST_ON, 2, 0, 0, 120 * SECOND, 0);

    constant_samples(12, 0);
    event(10 * MINUTE, off, DCP_ACTION_STARTED);
    event(11 * MINUTE, off, DCP_ACTION_DONE);
    event(40 * MINUTE, on, DCP_ACTION_STARTED);
    event(42 * MINUTE, on, DCP_ACTION_DONE);
    simulate(NULL, &r);
    double joules = 2 * 100 * 3600.0 + 100 * (600 + 1080.0) + 50 * 60 +
                    10 * 29 * 60 + 150 * 120;

    ck_assert_double_eq_tol(r.it_kwh, joules / 3.6e6, 1e-12);
    ck_assert_double_eq_tol(r.boot_kwh, 150 * 120 / 3.6e6, 1e-12);
    ck_assert_double_eq_tol(r.shutdown_kwh, 50 * 60 / 3.6e6, 1e-12);
    ck_assert_uint_eq(r.host_shutdowns, 1);
    ck_assert_uint_eq(r.host_boots, 1);
    ck_assert_double_eq_tol(r.mean_s_before_shutdown, 600, 1e-9);
    for (uint32_t h = 0; h < 3; h++) {
        ck_assert_double_eq_tol(r.hosts[h].on_s + r.hosts[h].off_s +
                                    r.hosts[h].switching_s,
                                3600, 1e-9);
    }
    ck_assert_double_eq_tol(r.hosts_on_mean, 2 + 1680 / 3600.0, 1e-12);
    ck_assert_uint_eq(r.hosts_on_min, 2);
    dcp_sim_result_finish(&r);
}
END_TEST

/* A store that begins in the middle of a night: the plan began before it. */
START_TEST(what_happened_before_the_window_is_not_counted)
{
    struct dcp_sim_result r;
    uint32_t before = fixture_move(&f, 0, 0, 1, 100 * SECOND, 0);
    uint32_t across = fixture_move(&f, 1, 1, 0, 100 * SECOND, 0);
    uint32_t off = fixture_step(&f, DCP_STEP_HOST_OFF, 2, 0, 0, 60 * SECOND, 0);
    uint32_t on = fixture_step(&f, DCP_STEP_HOST_ON, 2, 0, 0, 120 * SECOND, 0);

    constant_samples(12, 0);
    event(-20 * MINUTE, before, DCP_ACTION_STARTED);
    event(-15 * MINUTE, before, DCP_ACTION_DONE);
    event(-10 * MINUTE, off, DCP_ACTION_STARTED);
    event(-9 * MINUTE, off, DCP_ACTION_DONE);
    event(-1 * MINUTE, across, DCP_ACTION_STARTED);
    event(1 * MINUTE, across, DCP_ACTION_DONE);
    event(10 * MINUTE, on, DCP_ACTION_STARTED);
    event(12 * MINUTE, on, DCP_ACTION_DONE);
    simulate(NULL, &r);
    ck_assert_uint_eq(r.end->host[0].ix, 1);
    ck_assert_uint_eq(r.migrations, 1);
    ck_assert_double_eq_tol(r.migration_mean_s, 120, 1e-9);
    ck_assert_double_eq_tol(r.mean_s_before_migration, 0, 1e-9);
    ck_assert_uint_eq(r.host_shutdowns, 0);
    ck_assert_double_nan(r.mean_s_before_shutdown);
    ck_assert_uint_eq(r.host_boots, 1);
    ck_assert_double_eq_tol(r.hosts[2].off_s, 600, 1e-9);
    dcp_sim_result_finish(&r);
}
END_TEST

START_TEST(marginal_pue_applies_to_the_difference)
{
    struct dcp_sim_result before, after;
    struct dcp_site site = { .name = "s",
                             .tariff = dcp_tariff_none(),
                             .pue = 1.6,
                             .pue_marginal = 1.2,
                             .zone = &dcp_zone_utc };
    uint32_t off;

    f.inv->sites = &site;
    f.inv->n_sites = 1;
    struct dcp_room room = { .name = "r", .site = { 0 } };
    struct dcp_rack rack = { .name = "k", .room = { 0 } };
    struct dcp_host *hosts = dcp_arena_array(f.inv->arena, struct dcp_host, 3);

    f.inv->rooms = &room;
    f.inv->n_rooms = 1;
    f.inv->racks = &rack;
    f.inv->n_racks = 1;
    for (uint32_t h = 0; h < 3; h++) {
        hosts[h] = f.inv->hosts[h];
        hosts[h].rack = (dcp_rack_id){ 0 };
    }
    f.inv->hosts = hosts;
    off = fixture_step(&f, DCP_STEP_HOST_OFF, 2, 0, 0, 0, 0);
    constant_samples(12, 0);
    simulate(NULL, &before);
    event(0, off, DCP_ACTION_STARTED);
    event(0, off, DCP_ACTION_DONE);
    simulate(&before, &after);
    ck_assert_double_eq_tol(before.meter_kwh, 0.3 * 1.6, 1e-12);
    ck_assert_double_eq_tol(after.it_kwh, 0.21, 1e-12);
    ck_assert_double_eq_tol(after.meter_kwh, 0.3 * 1.6 - 0.09 * 1.2, 1e-12);
    dcp_sim_result_finish(&before);
    dcp_sim_result_finish(&after);
}
END_TEST

/* The same replay, one second at a time and without any of its shortcuts. */
static double
by_seconds(const struct dcp_placement *start, double *out_unmet)
{
    double joules = 0, unmet = 0;
    uint32_t host[6], from[6] = { 0 }, to[6] = { 0 };
    bool moving[6] = { 0 };
    enum { OFF, BOOT, ON, STOP } power[3];
    static const double switch_w[] = { 10, 150, 0, 50 };

    for (uint32_t v = 0; v < 6; v++) {
        host[v] = start->host[v].ix;
    }
    for (uint32_t h = 0; h < 3; h++) {
        power[h] = start->on[h] ? ON : OFF;
    }
    uint32_t e = 0;

    for (int64_t s = 0; s < samples.n_times * 300; s++) {
        const float *row = samples.value + s / 300 * 6;

        for (; e < n_events && events[e].at_ms - FIXTURE_START_MS <= s * 1000;
             e++) {
            const struct dcp_step *step = events[e].step;
            uint32_t o = step->object.ix;
            bool begins = events[e].phase == DCP_ACTION_STARTED;

            if (step->kind == DCP_STEP_MIGRATE) {
                moving[o] = begins;
                from[o] = step->from.ix;
                to[o] = step->to.ix;
                host[o] = begins ? from[o] : to[o];
            } else if (step->kind == DCP_STEP_HOST_ON) {
                power[o] = begins ? BOOT : ON;
            } else {
                power[o] = begins ? STOP : OFF;
            }
        }
        for (uint32_t h = 0; h < 3; h++) {
            double own = 0, extra = 0;

            for (uint32_t v = 0; v < 6; v++) {
                own += host[v] == h ? row[v] : 0;
                extra += moving[v] && (from[v] == h || to[v] == h)
                             ? 0.1 * row[v]
                             : 0;
            }
            double u = fmin((own + extra) / 1000, 1);

            joules += power[h] == ON ? 100 + 100 * u : switch_w[power[h]];
            if (own + extra > 1000) {
                unmet += own * (1 - 1000 / (own + extra));
            }
        }
    }
    *out_unmet = unmet;
    return joules / 3.6e6;
}

START_TEST(two_integrators_agree)
{
    struct dcp_rng rng = dcp_rng_stream(_i, "sim", 0);
    struct dcp_run_report report;
    struct dcp_sim_result r;
    uint32_t a, b, off;
    double unmet;

    f.inv->policy.migration_cpu_overhead_frac = 0.1;
    f.plan->limits.out_per_host = 1;
    a = fixture_move(&f, 2, 2, 0, 30 * SECOND, 0);
    b = fixture_move(&f, 5, 2, 1, 30 * SECOND, 0);
    off = fixture_step(&f, DCP_STEP_HOST_OFF, 2, 0, 0, 60 * SECOND, a);
    fixture_after(&f, off, b);
    constant_samples(24, 0);
    for (uint32_t i = 0; i < 24 * 6; i++) {
        samples.value[i] = (float)(dcp_rng_unit(&rng) * 600);
    }
    run_plan(NULL, &report);
    ck_assert(dcp_run_complete(&report));
    dcp_run_report_finish(&report);
    for (uint32_t i = 0; i < n_events; i++) { /* To whole seconds. */
        events[i].at_ms -= events[i].at_ms % 1000;
    }
    simulate(NULL, &r);
    ck_assert_double_eq_tol(r.it_kwh, by_seconds(f.plan->before, &unmet), 1e-9);
    ck_assert_double_eq_tol(r.unmet_cpu_mhz_s, unmet, 1e-3);
    ck_assert_double_gt(unmet, 0);
    dcp_sim_result_finish(&r);
}
END_TEST

START_TEST(twice_the_resolution_changes_nothing)
{
    struct dcp_rng rng = dcp_rng_stream(3, "sim", 1);
    struct dcp_sim_result once, twice;
    uint32_t a = fixture_move(&f, 0, 0, 1, 100 * SECOND, 0);

    constant_samples(24, 0);
    for (uint32_t i = 0; i < 24 * 6; i++) {
        samples.value[i] = (float)(dcp_rng_unit(&rng) * 700);
    }
    event(400 * SECOND, a, DCP_ACTION_STARTED);
    event(777 * SECOND, a, DCP_ACTION_DONE);
    simulate(NULL, &once);
    float *coarse = samples.value;

    samples.n_times = 48;
    samples.interval_ms /= 2;
    samples.value = malloc(48 * 6 * sizeof *samples.value);
    for (uint32_t t = 0; t < 48; t++) {
        memcpy(samples.value + t * 6, coarse + t / 2 * 6, 6 * sizeof *coarse);
    }
    free(coarse);
    simulate(NULL, &twice);
    ck_assert_double_eq_tol(once.it_kwh, twice.it_kwh, 1e-12);
    ck_assert_double_eq_tol(once.unmet_cpu_mhz_s, twice.unmet_cpu_mhz_s, 1e-6);
    ck_assert_double_eq_tol(once.overload_host_s, twice.overload_host_s, 1e-9);
    ck_assert_double_eq_tol(once.degraded_mhz_s, twice.degraded_mhz_s, 1e-6);
    ck_assert_double_eq_tol(once.hosts_on_mean, twice.hosts_on_mean, 1e-12);
    dcp_sim_result_finish(&once);
    dcp_sim_result_finish(&twice);
}
END_TEST

START_TEST(migrations_share_the_nic)
{
    struct dcp_run_report r;
    const int64_t rate = 1220703; /* The NIC, KiB/s; 1 GiB at it: 859 ms. */

    f.inv->policy.migration_kib_s = (uint64_t)rate / 2;
    fixture_move(&f, 0, 0, 1, SECOND, 0);
    fixture_move(&f, 3, 0, 1, SECOND, 0);
    fixture_move(&f, 1, 1, 2, SECOND, 0); /* Full duplex: leaves freely. */
    fixture_move(&f, 2, 2, 1, SECOND, 0); /* The third that arrives there. */
    run_plan(NULL, &r);
    ck_assert(dcp_run_complete(&r));
    int64_t first = r.steps[0].ended_ms - r.steps[0].started_ms;
    int64_t second = r.steps[1].ended_ms - r.steps[1].started_ms;
    int64_t third = r.steps[2].ended_ms - r.steps[2].started_ms;
    int64_t fourth = r.steps[3].ended_ms - r.steps[3].started_ms;

    ck_assert_int_eq(first, 3 * 859 + 20);
    ck_assert_int_eq(second, first);
    ck_assert_int_eq(third, 2 * 859 + 20);
    ck_assert_int_eq(fourth, first);
    dcp_run_report_finish(&r);
}
END_TEST

START_TEST(production_takes_its_share_first)
{
    struct dcp_run_report idle, busy;
    float row[6] = { 1000000 };
    struct dcp_samples net = { FIXTURE_START_MS, 5 * MINUTE, 1, 6, row };

    f.inv->policy.migration_kib_s = 0;
    fixture_move(&f, 3, 0, 1, SECOND, 0);
    run_plan(NULL, &idle);
    run_plan(&net, &busy); /* VM 0, on the same host, uses 1000000 KiB/s. */
    ck_assert_int_eq(idle.ended_ms - idle.started_ms, 859 + 20);
    ck_assert_int_eq(busy.ended_ms - busy.started_ms, 4751 + 20);
    dcp_run_report_finish(&idle);
    dcp_run_report_finish(&busy);
}
END_TEST

START_TEST(missing_samples_are_filled_by_rule)
{
    struct dcp_sim_fill counts;

    constant_samples(4, NAN);
    samples.value[1 * 6 + 0] = 5; /* VM 0: only the second sample. */
    samples.value[0 * 6 + 1] = 7; /* VM 1: first and last. */
    samples.value[3 * 6 + 1] = 9;
    ck_assert(dcp_sim_fill(f.inv, &samples, &counts, NULL));
    for (uint32_t t = 0; t < 4; t++) {
        ck_assert_float_eq(samples.value[t * 6], 5);
        ck_assert_float_eq(samples.value[t * 6 + 1], t < 3 ? 7 : 9);
        ck_assert_float_eq(samples.value[t * 6 + 2], 1000); /* One vCPU. */
    }
    ck_assert_uint_eq(counts.n_missing, 3 + 2);
    ck_assert_uint_eq(counts.n_vms_no_trace, 4);
}
END_TEST

START_TEST(bad_windows_and_events_are_refused)
{
    struct dcp_sim_result r;
    struct dcp_error err = { 0 };
    struct dcp_sim_input in;

    constant_samples(2, 1);
    in = (struct dcp_sim_input){ .inventory = f.inv,
                                 .cpu = &samples,
                                 .start = f.plan->before,
                                 .from_ms = samples.start_ms,
                                 .to_ms = samples.start_ms + 11 * MINUTE };
    ck_assert(!dcp_simulate(&in, &r, &err));
    ck_assert_int_eq(err.code, DCP_E_ARGUMENT);
    uint32_t a = fixture_move(&f, 0, 0, 1, 100 * SECOND, 0);

    event(0, a, DCP_ACTION_DONE);
    in.to_ms = samples.start_ms + 10 * MINUTE;
    in.events = events;
    in.n_events = 1;
    ck_assert(!dcp_simulate(&in, &r, &err));
    ck_assert_ptr_nonnull(strstr(err.message, "did not start"));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("sim");
    TCase *tcase = tcase_create("sim");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, constant_demand_gives_exact_energy);
    tcase_add_test(tcase, overload_by_hand);
    tcase_add_test(tcase, migration_counts_on_both_sides);
    tcase_add_test(tcase, a_vm_stays_since_it_began);
    tcase_add_test(tcase, switching_takes_time_and_energy);
    tcase_add_test(tcase, what_happened_before_the_window_is_not_counted);
    tcase_add_test(tcase, marginal_pue_applies_to_the_difference);
    tcase_add_loop_test(tcase, two_integrators_agree, 0, 20);
    tcase_add_test(tcase, twice_the_resolution_changes_nothing);
    tcase_add_test(tcase, migrations_share_the_nic);
    tcase_add_test(tcase, production_takes_its_share_first);
    tcase_add_test(tcase, missing_samples_are_filled_by_rule);
    tcase_add_test(tcase, bad_windows_and_events_are_refused);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? 1 : 0;
}
