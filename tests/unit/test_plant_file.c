/* SPDX-License-Identifier: GPL-3.0-or-later */

/* sites.plant and prices by the hour in dc.yaml: what arrives, what is
 * refused. */

#include "model/io/model_dir.h"
#include "model/power.h"
#include "tests/unit/run_suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char dir[64];

static void
set_up(void)
{
    (void)snprintf(dir, sizeof dir, "/tmp/dcp-test-plant-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void
tear_down(void)
{
    char command[128];

    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static void
write_file(const char *name, const char *text)
{
    char path[160];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

/* One site with that plant and tariff row, and ten hosts of 100 to 200 W. */
static bool
open_model(const char *plant, const char *row, struct dcp_model *model,
           struct dcp_diag *diag)
{
    char text[4096];
    struct dcp_error err = { 0 };

    (void)snprintf(
        text, sizeof text,
        "dcplan: model/1\n"
        "lineage: 6f1c0f6e-9a0e-4c51-8d34-0e5a4c1b7a10\n"
        "currency: EUR\n"
        "tariffs: {t: [%s]}\n"
        "sites: {gent: {tariff: t%s%s}}\n"
        "hardware: {m: {sockets: 2, cores_per_socket: 8, clock: 2GHz,\n"
        "  memory: 64GiB, nics: [10Gbit], speed_factor: 1,\n"
        "  power: [100W, 110W, 120W, 130W, 140W, 150W, 160W, 170W, 180W,\n"
        "  190W, 200W]}}\n"
        "hosts: {a: {hardware: m}, b: {hardware: m}}\n",
        row, *plant ? ", plant: " : "", plant);
    write_file("dc.yaml", text);
    return dcp_model_open(dir, NULL, diag, model, &err);
}

#define ROW "{price: 0.20/kWh, carbon: 100g/kWh}"

START_TEST(plant_arrives)
{
    struct dcp_model m = { 0 };
    struct dcp_diag diag = { 0 };

    write_file("w.csv", "time,temperature_c\n2023-01-01T00:00:00Z,-4\n"
                        "2023-01-01T01:00:00Z,20\n");
    ck_assert(open_model(
        "{stages: [{kind: ups, rated: 1kW, units: 2, fixed: 2%, linear: 1%},\n"
        "  {kind: psu, rated: 2kW, loads: [20%, 50%, 100%],\n"
        "   efficiency: [90%, 94%, 91%]}], psu_measured: 92%, fixed: 50W,\n"
        "  supply: 22C, rise: 10, approach: 4, cop: 4, outside: 8C,\n"
        "  weather: w.csv, fans: 10W, fans_at: 1kW, fans_minimum: 50%}",
        ROW, &m, &diag));
    const struct dcp_site *site = &m.inventory->sites[0];
    const struct dcp_plant *p = site->plant;
    const int64_t start_ms = INT64_C(1672531200000);

    ck_assert_ptr_nonnull(p);
    ck_assert_uint_eq(p->chain.n_stages, 2);
    ck_assert_uint_eq(p->chain.stages[0].kind, DCP_STAGE_UPS);
    ck_assert_uint_eq(p->chain.stages[0].units, 2);
    ck_assert_double_eq_tol(p->chain.stages[0].fixed_frac, 0.02, 1e-12);
    ck_assert_uint_eq(p->chain.stages[1].kind, DCP_STAGE_PSU);
    ck_assert_double_eq_tol(dcp_stage_loss_w(&p->chain.stages[1], 1000),
                            1000 / 0.94 - 1000, 1e-9);
    ck_assert_double_eq_tol(p->chain.psu_measured_frac, 0.92, 1e-12);
    ck_assert_double_eq(p->fixed_w, 50);
    ck_assert_double_eq(p->cooling.fan_flow_min_frac, 0.5);
    ck_assert_double_eq_tol(dcp_plant_outside_c(p, start_ms + DCP_HOUR_MS / 2,
                                                start_ms + 3 * DCP_HOUR_MS / 2),
                            8, 1e-9);
    ck_assert_double_eq(dcp_plant_outside_c(p, 0, DCP_HOUR_MS), 8);
    /* Its line goes through what two hosts at half load draw. */
    ck_assert_double_eq_tol(site->pue * 300, dcp_plant_power(p, 300, 8).meter_w,
                            1e-9);
    ck_assert_double_lt(site->pue_marginal, site->pue);
    dcp_model_finish(&m);
    dcp_diag_finish(&diag);
}
END_TEST

START_TEST(a_preset_takes_its_rating)
{
    struct dcp_model m = { 0 };
    struct dcp_diag diag = { 0 };

    ck_assert(open_model("{preset: dc-380, rated: 5kW, units: 2, "
                         "psu_measured: 90%}",
                         ROW, &m, &diag));
    const struct dcp_plant *p = m.inventory->sites[0].plant;

    ck_assert_uint_eq(p->chain.n_stages, 3);
    ck_assert_uint_eq(p->chain.stages[0].kind, DCP_STAGE_RECTIFIER);
    ck_assert_double_eq(p->chain.stages[2].rated_w, 5000);
    ck_assert_uint_eq(p->chain.stages[2].units, 2);
    ck_assert_double_eq(p->chain.psu_measured_frac, 0.9);
    ck_assert(!p->has_cooling);
    ck_assert(isnan(dcp_plant_outside_c(p, 0, 1)));
    dcp_model_finish(&m);
    dcp_diag_finish(&diag);
}
END_TEST

START_TEST(prices_by_the_hour)
{
    struct dcp_model m = { 0 };
    struct dcp_diag diag = { 0 };
    const dcp_site_id site = { 0 };
    const int64_t start_ms = INT64_C(1672531200000);
    double price, carbon_g;

    write_file("p.csv", "Datetime (UTC),Price (EUR/MWh)\n"
                        "2023-01-01 00:00:00,-20\n2023-01-01 01:00:00,100\n");
    ck_assert(open_model("",
                         "{price: 0.20/kWh, carbon: 100g/kWh, "
                         "price_file: p.csv}",
                         &m, &diag));
    const struct dcp_inventory *inv = m.inventory;

    /* Free for planning, as it is for what was. */
    ck_assert_double_eq(dcp_energy_price(inv, site, start_ms), 0);
    dcp_energy_price_mean(inv, site, start_ms, start_ms + DCP_HOUR_MS, &price,
                          &carbon_g);
    ck_assert_double_eq_tol(price, -0.02, 1e-12);
    ck_assert_double_eq(carbon_g, 100);
    dcp_energy_price_mean(inv, site, start_ms, start_ms + 4 * DCP_HOUR_MS,
                          &price, &carbon_g);
    ck_assert_double_eq_tol(price, (-0.02 + 0.1 + 2 * 0.2) / 4, 1e-12);
    ck_assert_double_eq(dcp_energy_price(inv, site, start_ms - 1), 0.2);
    dcp_model_finish(&m);
    dcp_diag_finish(&diag);
}
END_TEST

START_TEST(the_digest_covers_the_files)
{
    char before[sizeof((struct dcp_inventory *)0)->digest];
    const char *row = "{price: 0.20/kWh, price_file: p.csv}";

    for (int i = 0; i < 2; i++) {
        struct dcp_model m = { 0 };
        struct dcp_diag diag = { 0 };

        write_file("p.csv", i ? "time,price_per_kwh\n2023-01-01T00:00:00Z,1\n"
                              : "time,price_per_kwh\n2023-01-01T00:00:00Z,2\n");
        ck_assert(open_model("", row, &m, &diag));
        if (i) {
            ck_assert_str_ne(before, m.inventory->digest);
        }
        memcpy(before, m.inventory->digest, sizeof before);
        dcp_model_finish(&m);
        dcp_diag_finish(&diag);
    }
}
END_TEST

START_TEST(what_is_wrong_is_said)
{
    static const char *const bad[][3] = {
        { "{preset: ac-400}", ROW, "rated is missing" },
        { "{preset: ac-400, rated: 1kW, stages: [{kind: ups, rated: 1kW}]}",
          ROW, "preset is given as well" },
        { "{rated: 1kW}", ROW, "is of a preset" },
        { "{stages: [{kind: psu, rated: 1kW}, {kind: ups, rated: 1kW}]}", ROW,
          "comes last" },
        { "{stages: [{kind: ups}]}", ROW, "'rated' is missing" },
        { "{stages: [{kind: ups, rated: 1kW, loads: [50%, 20%],\n"
          "  efficiency: [90%, 90%]}]}",
          ROW, "not rising" },
        { "{stages: [{kind: ups, rated: 1kW, loads: [50%],\n"
          "  efficiency: [90%, 90%]}]}",
          ROW, "as many of each" },
        { "{stages: [{kind: ups, rated: 1kW, loads: [50%],\n"
          "  efficiency: [110%]}]}",
          ROW, "up to 100%" },
        { "{stages: [{kind: ups, rated: 1kW, fixed: 1%, loads: [50%],\n"
          "  efficiency: [90%]}]}",
          ROW, "keep one" },
        { "{fans: 1kW}", ROW, "fans_at is missing" },
        { "{weather: none.csv}", ROW, "none.csv" },
        { "{fixed: 1kW}, pue: 1.5", ROW, "pue is given as well" },
        { "", "{price: 1/kWh, price_file: /etc/p.csv}", "not a path relative" },
        { "", "{price: 1/kWh, price_file: short.csv, every_year: true}",
          "364 days" },
        { "", "{price: 1/kWh, carbon_file: short.csv}", "column with values" },
    };

    write_file("short.csv", "time,price_per_kwh\n2023-01-01T00:00:00Z,1\n");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct dcp_model m = { 0 };
        struct dcp_diag diag = { 0 };
        bool said = false;

        ck_assert_msg(!open_model(bad[i][0], bad[i][1], &m, &diag), "%s",
                      bad[i][2]);
        for (size_t k = 0; k < diag.n; k++) {
            said |= strstr(diag.items[k].message, bad[i][2]) != NULL;
        }
        ck_assert_msg(said, "'%s', not '%s'", diag.items[0].message, bad[i][2]);
        dcp_diag_finish(&diag);
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &plant_arrives,         &a_preset_takes_its_rating,
        &prices_by_the_hour,    &the_digest_covers_the_files,
        &what_is_wrong_is_said,
    };

    return run_tests_with("plant_file", tests, sizeof tests / sizeof tests[0],
                          set_up, tear_down);
}
