/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Energy at the meter by part: two sites, one with a plant, one with a PUE. */

#include "model/power.h"
#include "sim/sim.h"
#include "tests/unit/exec_fixture.h"
#include "tests/unit/run_suite.h"

#include <math.h>

#define MINUTE INT64_C(60000)

enum { N_TIMES = 24, N_HOSTS = 4, N_VMS = 8 };

static struct fixture f;
static struct dcp_samples samples;
static struct dcp_sim_event events[8];
static uint32_t n_events;
static struct dcp_site sites[2];
static struct dcp_plant plant;
static struct dcp_room rooms[2];
static struct dcp_rack racks[2];
static struct dcp_host hosts[N_HOSTS];
static struct dcp_array array;
static struct dcp_switch tor;

/* Hosts 0 and 2 stand in site 0 with an array of 90 W, 1 and 3 in site 1 with
 * a switch of 40 W; VM v uses 50 (v + 1) MHz, a little more each sample. */
static void
setup(void)
{
    fixture_init(&f, N_HOSTS, N_VMS);
    n_events = 0;
    memcpy(hosts, f.inv->hosts, sizeof hosts);
    for (uint32_t i = 0; i < 2; i++) {
        sites[i] = (struct dcp_site){ .name = i ? "b" : "a",
                                      .tariff = dcp_tariff_none(),
                                      .pue = 1.5,
                                      .pue_marginal = 1.2,
                                      .zone = &dcp_zone_utc };
        rooms[i] = (struct dcp_room){ .name = "r", .site = { i } };
        racks[i] = (struct dcp_rack){ .name = "k", .room = { i } };
    }
    for (uint32_t h = 0; h < N_HOSTS; h++) {
        hosts[h].rack = (dcp_rack_id){ h % 2 };
    }
    plant = (struct dcp_plant){
        .has_cooling = true,
        .cooling = { .supply_c = 20, .rise_k = 10, .cop = 4 },
        .fixed_w = 25,
        .outside_c = NAN,
    };
    dcp_chain_of_preset(DCP_CHAIN_AC_PDU, 600, 1, &plant.chain);
    sites[0].plant = &plant;
    array = (struct dcp_array){ .name = "san", .rack = { 0 }, .power_w = 90 };
    tor = (struct dcp_switch){ .name = "tor", .rack = { 1 }, .power_w = 40 };
    f.inv->sites = sites, f.inv->n_sites = 2;
    f.inv->rooms = rooms, f.inv->n_rooms = 2;
    f.inv->racks = racks, f.inv->n_racks = 2;
    f.inv->hosts = hosts;
    f.inv->arrays = &array, f.inv->n_arrays = 1;
    f.inv->switches = &tor, f.inv->n_switches = 1;
    samples = (struct dcp_samples){ .start_ms = FIXTURE_START_MS,
                                    .interval_ms = 5 * MINUTE,
                                    .n_times = N_TIMES,
                                    .n_vms = N_VMS };
    samples.value = malloc(sizeof *samples.value * N_TIMES * N_VMS);
    for (uint32_t i = 0; i < N_TIMES * N_VMS; i++) {
        samples.value[i] =
            (float)(50 * (i % N_VMS + 1) + i / N_VMS); /* VM, then time. */
    }
}

static void
teardown(void)
{
    free(samples.value);
    f.inv->n_sites = f.inv->n_rooms = f.inv->n_racks = 0;
    fixture_finish(&f);
}

static void
simulate(const struct dcp_sim_result *reference, struct dcp_sim_result *out)
{
    struct dcp_sim_input in = {
        .inventory = f.inv,
        .cpu = &samples,
        .start = f.plan->before,
        .from_ms = samples.start_ms,
        .to_ms = samples.start_ms + N_TIMES * samples.interval_ms,
        .events = events,
        .n_events = n_events,
        .reference = reference,
    };
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_simulate(&in, out, &err), "%s", err.message);
}

/* Host 'h' is emptied before the window and off from its start. */
static void
empty_and_off(uint32_t h, uint32_t onto)
{
    for (uint32_t v = 0; v < N_VMS; v++) {
        if (f.plan->before->host[v].ix == h) {
            f.plan->before->host[v].ix = onto;
        }
    }
    f.plan->before->on[h] = 0;
}

static double
sum(const double part[DCP_ENERGY_PARTS])
{
    double all = 0;

    for (int k = 0; k < DCP_ENERGY_PARTS; k++) {
        all += part[k];
    }
    return all;
}

START_TEST(parts_by_hand)
{
    struct dcp_sim_result r;

    simulate(NULL, &r);
    for (uint32_t t = 0; t < N_TIMES; t++) {
        const struct dcp_sim_slice *s = &r.slices[t];
        /* VMs 0, 4 and 2, 6 in site 0: 300 and 500 MHz of 1000, 100 to 200 W;
         * the others in site 1: 400 and 600 MHz. */
        double a_w = 2 * 100 + (300 + 500 + 4 * t) / 10.0 + 90;
        double b_w = 2 * 100 + (400 + 600 + 4 * t) / 10.0 + 40;
        struct dcp_plant_power p = dcp_plant_power(&plant, a_w, NAN);

        ck_assert_double_eq_tol(s->it_w, a_w + b_w, 1e-9);
        ck_assert_double_eq_tol(s->meter_w, p.meter_w + 1.5 * b_w, 1e-9);
        ck_assert_double_eq_tol(s->part_w[DCP_ENERGY_SERVERS],
                                a_w - 90 + b_w - 40, 1e-9);
        ck_assert_double_eq(s->part_w[DCP_ENERGY_STORAGE], 90);
        ck_assert_double_eq(s->part_w[DCP_ENERGY_SWITCHES], 40);
        ck_assert_double_eq(s->part_w[DCP_ENERGY_STANDBY], 0);
        ck_assert_double_eq(s->part_w[DCP_ENERGY_FIXED], 25);
        ck_assert_double_eq_tol(s->part_w[DCP_ENERGY_OTHER], 0.5 * b_w, 1e-9);
        ck_assert_double_eq_tol(s->part_w[DCP_ENERGY_UPS],
                                p.chain.loss_w[DCP_STAGE_UPS], 1e-9);
        ck_assert_double_eq_tol(s->part_w[DCP_ENERGY_CHILLER],
                                p.chain.input_w / 4, 1e-9);
        ck_assert_double_eq_tol(
            s->pue, s->meter_w / (s->it_w + p.chain.loss_w[DCP_STAGE_PSU]),
            1e-12);
    }
    dcp_sim_result_finish(&r);
}
END_TEST

START_TEST(parts_sum_to_the_meter_in_every_slice)
{
    struct dcp_sim_result r;
    uint32_t off = fixture_step(&f, DCP_STEP_HOST_OFF, 3, 0, 0, 0, 0);

    empty_and_off(2, 0);
    events[n_events++] =
        (struct dcp_sim_event){ FIXTURE_START_MS + 7 * MINUTE,
                                &f.steps[off - 1], DCP_ACTION_STARTED };
    events[n_events++] =
        (struct dcp_sim_event){ FIXTURE_START_MS + 8 * MINUTE,
                                &f.steps[off - 1], DCP_ACTION_DONE };
    simulate(NULL, &r);
    double kwh = 0, machines_kwh = 0;

    for (uint32_t t = 0; t < N_TIMES; t++) {
        const struct dcp_sim_slice *s = &r.slices[t];

        ck_assert_double_eq_tol(sum(s->part_w), s->meter_w, 1e-9);
        ck_assert_double_ge(s->pue, r.pue_min);
        ck_assert_double_le(s->pue, r.pue_max);
        kwh += s->meter_w / 12 / 1000;
        machines_kwh += (s->it_w + s->part_w[DCP_ENERGY_PSU]) / 12 / 1000;
    }
    ck_assert_double_eq_tol(kwh, r.meter_kwh, 1e-12);
    ck_assert_double_eq_tol(sum(r.part_kwh), r.meter_kwh, 1e-12);
    ck_assert_double_eq_tol(r.part_kwh[DCP_ENERGY_STANDBY], r.standby_kwh,
                            1e-12);
    ck_assert_double_gt(r.standby_kwh, 0.02);
    ck_assert_double_eq_tol(r.pue_mean, kwh / machines_kwh, 1e-12);
    ck_assert_double_lt(r.pue_min, r.pue_mean);
    ck_assert_double_lt(r.pue_mean, r.pue_max);
    dcp_sim_result_finish(&r);
}
END_TEST

START_TEST(a_plan_saves_the_marginal_share)
{
    struct dcp_sim_result without, with;

    simulate(NULL, &without);
    empty_and_off(2, 0);
    simulate(&without, &with);
    double it_kwh = without.it_kwh - with.it_kwh, expected_kwh = 0;

    for (uint32_t t = 0; t < N_TIMES; t++) {
        double a_w = 2 * 100 + (800 + 4 * t) / 10.0 + 90;

        /* One host off: 90 W less; its VMs are as much on the other, or less
         * where that is full. */
        double left_w =
            with.slices[t].it_w - (2 * 100 + (1000 + 4 * t) / 10.0 + 40);

        expected_kwh += (dcp_plant_power(&plant, a_w, NAN).meter_w -
                         dcp_plant_power(&plant, left_w, NAN).meter_w) /
                        12 / 1000;
    }
    ck_assert_double_eq_tol(without.meter_kwh - with.meter_kwh, expected_kwh,
                            1e-9);
    /* Less than by the average PUE, more than the machines alone. */
    double average = dcp_plant_power(&plant, 370, NAN).meter_w / 370;

    ck_assert_double_lt(expected_kwh, it_kwh * average);
    ck_assert_double_gt(expected_kwh, it_kwh);
    dcp_sim_result_finish(&without);
    dcp_sim_result_finish(&with);
}
END_TEST

START_TEST(weather_changes_the_pue_of_each_slice)
{
    static const int64_t at_ms[] = { FIXTURE_START_MS,
                                     FIXTURE_START_MS + DCP_HOUR_MS };
    static const double celsius[] = { 0, 35 };
    struct dcp_hourly weather = {
        .n = 2, .at_ms = at_ms, .value = celsius, .step_ms = DCP_HOUR_MS
    };
    struct dcp_sim_result r;

    plant.weather = &weather;
    simulate(NULL, &r);
    for (uint32_t t = 0; t < N_TIMES; t++) {
        double chiller_w = r.slices[t].part_w[DCP_ENERGY_CHILLER];

        if (t < 12) {
            ck_assert_double_eq(chiller_w, 0);
        } else {
            ck_assert_double_gt(chiller_w, 90);
            ck_assert_double_gt(r.slices[t].pue, r.slices[0].pue + 0.1);
        }
    }
    dcp_sim_result_finish(&r);
}
END_TEST

START_TEST(stages_above_their_rating_are_counted)
{
    struct dcp_sim_result r;

    simulate(NULL, &r);
    ck_assert_double_eq(r.over_rated_s, 0);
    dcp_sim_result_finish(&r);
    plant.chain.stages[0].rated_w = 350;
    simulate(NULL, &r);
    ck_assert_double_gt(r.over_rated_s, 0);
    dcp_sim_result_finish(&r);
}
END_TEST

START_TEST(without_machines_there_is_no_pue)
{
    struct dcp_sim_result r;

    f.inv->n_arrays = f.inv->n_switches = 0;
    ((struct dcp_hardware *)(uintptr_t)f.inv->hardware)->sleep_w = 0;
    for (uint32_t h = 0; h < N_HOSTS; h++) {
        f.plan->before->on[h] = 0;
    }
    for (uint32_t v = 0; v < N_VMS; v++) {
        f.plan->before->host[v] = dcp_host_none();
    }
    plant.chain.n_stages = 0;
    simulate(NULL, &r);
    ck_assert_double_nan(r.pue_mean);
    ck_assert_double_nan(r.pue_min);
    ck_assert_double_eq_tol(r.meter_kwh, 0.025 * 2, 1e-12);
    dcp_sim_result_finish(&r);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &parts_by_hand,
        &parts_sum_to_the_meter_in_every_slice,
        &a_plan_saves_the_marginal_share,
        &weather_changes_the_pue_of_each_slice,
        &stages_above_their_rating_are_counted,
        &without_machines_there_is_no_pue,
    };

    return run_tests_with("sim_energy", tests, sizeof tests / sizeof tests[0],
                          setup, teardown);
}
