/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/io/hourly_file.h"
#include "model/io/zone.h"
#include "tests/unit/run_suite.h"

#include <stdlib.h>
#include <string.h>

#define H DCP_HOUR_MS

static const int64_t instants[] = { 10 * H, 11 * H, 13 * H };
static const double values[] = { 1, 3, -5 };

static struct dcp_hourly
three(void)
{
    return (struct dcp_hourly){
        .n = 3, .at_ms = instants, .value = values, .step_ms = H
    };
}

START_TEST(a_value_holds_for_its_step)
{
    struct dcp_hourly s = three();
    double v = 0;

    ck_assert(!dcp_hourly_at(&s, 10 * H - 1, &v));
    ck_assert(dcp_hourly_at(&s, 10 * H, &v));
    ck_assert_double_eq(v, 1);
    ck_assert(dcp_hourly_at(&s, 11 * H - 1, &v));
    ck_assert_double_eq(v, 1);
    ck_assert(!dcp_hourly_at(&s, 12 * H, &v)); /* A gap. */
    ck_assert(dcp_hourly_at(&s, 14 * H - 1, &v));
    ck_assert_double_eq(v, -5);
    ck_assert(!dcp_hourly_at(&s, 14 * H, &v));
    ck_assert_double_eq_tol(dcp_hourly_mean(&s), -1.0 / 3, 1e-12);
}
END_TEST

START_TEST(means_are_weighted_by_time)
{
    struct dcp_hourly s = three();

    ck_assert(dcp_hourly_is_constant(&s, 10 * H, 11 * H));
    ck_assert(!dcp_hourly_is_constant(&s, 10 * H, 11 * H + 1));
    ck_assert(!dcp_hourly_is_constant(&s, 11 * H, 13 * H)); /* Into the gap. */
    ck_assert_double_eq_tol(
        dcp_hourly_mean_between(&s, 10 * H + H / 2, 11 * H + H / 2, 9), 2,
        1e-12);
    ck_assert_double_eq_tol(dcp_hourly_mean_between(&s, 11 * H, 13 * H, 9), 6,
                            1e-12);
    ck_assert_double_eq(dcp_hourly_mean_between(&s, 20 * H, 22 * H, 9), 9);
}
END_TEST

START_TEST(years_repeat_by_52_weeks)
{
    int64_t at_ms[366];
    double value[366], v;
    struct dcp_hourly s = { .n = 366,
                            .at_ms = at_ms,
                            .value = value,
                            .step_ms = DCP_DAY_MS,
                            .repeats = true };

    for (int i = 0; i < 366; i++) {
        at_ms[i] = i * DCP_DAY_MS;
        value[i] = i;
    }
    ck_assert(dcp_hourly_at(&s, 5 * DCP_DAY_MS, &v));
    ck_assert_double_eq(v, 5);
    ck_assert(dcp_hourly_at(&s, 366 * DCP_DAY_MS, &v));
    ck_assert_double_eq(v, 2);
    ck_assert(dcp_hourly_at(&s, (5 + 364 * 7) * DCP_DAY_MS, &v));
    ck_assert_double_eq(v, 5);
    ck_assert(dcp_hourly_at(&s, -DCP_DAY_MS, &v));
    ck_assert_double_eq(v, 363);
    ck_assert(dcp_hourly_at(&s, (5 - 364 * 3) * DCP_DAY_MS - 1, &v));
    ck_assert_double_eq(v, 4);
}
END_TEST

/* --- Files -------------------------------------------------------------- */

static struct dcp_arena *arena;
static char currency[8];
static struct dcp_error err;

static void
setup(void)
{
    arena = dcp_arena_create(0);
    err = (struct dcp_error){ 0 };
}

static void
teardown(void)
{
    dcp_arena_destroy(arena);
}

static bool
parse(const char *text, enum dcp_hourly_figure figure,
      const struct dcp_zone *zone, struct dcp_hourly *out)
{
    char *copy = strdup(text);
    bool ok = dcp_hourly_parse("f.csv", copy, strlen(copy), figure, zone, arena,
                               out, currency, &err);

    free(copy);
    return ok;
}

START_TEST(columns_of_published_files)
{
    struct dcp_hourly s;
    double v;
    const int64_t start_ms = INT64_C(1672531200000); /* 2023-01-01. */

    ck_assert(parse("Datetime (UTC),Datetime (Local),Price (USD/MWh)\n"
                    "2023-01-01 00:00:00+00:00,2023-01-01 01:00:00+01:00,-3.5\n"
                    "2023-01-01 01:00:00+00:00,2023-01-01 02:00:00+01:00,10\n",
                    DCP_HOURLY_PRICE, &dcp_zone_utc, &s));
    ck_assert_str_eq(currency, "USD");
    ck_assert_int_eq(s.at_ms[0], start_ms);
    ck_assert_int_eq(s.step_ms, H);
    ck_assert_double_eq_tol(s.value[0], -0.0035, 1e-15);

    ck_assert(parse("Datetime (UTC),Zone,Carbon Intensity gCO₂eq/kWh (direct),"
                    "Carbon Intensity gCO₂eq/kWh (LCA)\n"
                    "2023-01-01 00:00:00,\"a, b\",140.5,185.8\n",
                    DCP_HOURLY_CARBON, &dcp_zone_utc, &s));
    ck_assert(dcp_hourly_at(&s, start_ms, &v));
    ck_assert_double_eq(v, 185.8);

    ck_assert(parse("timestamp,carbon_intensity\n"
                    "2022-01-01T00:00:00.000Z,164.5\n"
                    "2022-01-01T00:15:00.000Z,\n"
                    "2022-01-01T00:30:00.000Z,162\n",
                    DCP_HOURLY_CARBON, &dcp_zone_utc, &s));
    ck_assert_uint_eq(s.n, 2);
    ck_assert_int_eq(s.step_ms, H / 2);

    ck_assert(parse("time,temperature_c\n2023-01-01T00:00:00Z,-4.5\n",
                    DCP_HOURLY_WEATHER, &dcp_zone_utc, &s));
    ck_assert_double_eq(s.value[0], -4.5);
    ck_assert_str_eq(currency, "");
}
END_TEST

START_TEST(local_clocks_change_twice_a_year)
{
    const struct dcp_zone *zone = dcp_zone_load(arena, "Europe/Brussels", &err);
    struct dcp_hourly s;
    double v;

    ck_assert_ptr_nonnull(zone);
    /* 2023-03-26 has no 2 h, yet there is a row for it. */
    ck_assert_msg(parse("Datetime,Price (EUR/MWh)\n"
                        "2023-03-26 01:00:00,1000\n"
                        "2023-03-26 02:00:00,2000\n"
                        "2023-03-26 03:00:00,3000\n",
                        DCP_HOURLY_PRICE, zone, &s),
                  "%s", err.message);
    ck_assert_uint_eq(s.n, 2);
    ck_assert_int_eq(s.at_ms[1] - s.at_ms[0], H);
    ck_assert_double_eq(s.value[1], 3);
    /* 2023-10-29 has 2 h twice, and one row for both. */
    ck_assert(parse("Datetime,Price (EUR/MWh)\n"
                    "2023-10-29 01:00:00,1000\n"
                    "2023-10-29 02:00:00,2000\n"
                    "2023-10-29 03:00:00,3000\n",
                    DCP_HOURLY_PRICE, zone, &s));
    ck_assert_uint_eq(s.n, 4);
    for (int i = 1; i < 4; i++) {
        ck_assert(dcp_hourly_at(&s, s.at_ms[0] + i * H, &v));
        ck_assert_double_eq(v, i == 3 ? 3 : 2);
    }
}
END_TEST

START_TEST(bad_files_are_named)
{
    static const char *const bad[][2] = {
        { "", "header" },
        { "time,price_per_kwh\n", "no rows" },
        { "when,price_per_kwh\n2023-01-01T00:00:00Z,1\n", "column of time" },
        { "time,cost\n2023-01-01T00:00:00Z,1\n", "column with values" },
        { "time,price_per_kwh\n2023-01-01T00:00:30Z,1\n", "whole minute" },
        { "time,price_per_kwh\nyesterday,1\n", "whole minute" },
        { "time,price_per_kwh\n2023-01-01T00:00:00Z,nan\n", "not a number" },
        { "time,price_per_kwh\n2023-01-01T00:00:00Z,1x\n", "not a number" },
        { "time,price_per_kwh\n2023-01-01T01:00:00Z,1\n"
          "2023-01-01T01:00:00Z,1\n",
          "f.csv:3: not after" },
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct dcp_hourly s;

        ck_assert(!parse(bad[i][0], DCP_HOURLY_PRICE, &dcp_zone_utc, &s));
        ck_assert_msg(strstr(err.message, bad[i][1]), "%s", err.message);
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &a_value_holds_for_its_step,       &means_are_weighted_by_time,
        &years_repeat_by_52_weeks,         &columns_of_published_files,
        &local_clocks_change_twice_a_year, &bad_files_are_named,
    };

    return run_tests_with("hourly", tests, sizeof tests / sizeof tests[0],
                          setup, teardown);
}
