/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/rng.h"
#include "model/base/units.h"
#include "tests/unit/run_suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
expect(enum dcp_dimension dimension, const char *text, double want)
{
    struct dcp_error err = { 0 };
    double got = NAN;

    ck_assert_msg(dcp_parse_quantity(dimension, text, &got, &err), "%s",
                  err.message);
    ck_assert_msg(fabs(got - want) <= 1e-12 * fabs(want), "'%s' is %.17g", text,
                  got);
}

static void
refuse(enum dcp_dimension dimension, const char *text, const char *says)
{
    struct dcp_error err = { 0 };
    double got = -1;

    ck_assert_msg(!dcp_parse_quantity(dimension, text, &got, &err),
                  "'%s' was taken", text);
    ck_assert_double_eq(got, -1);
    ck_assert_msg(strstr(err.message, says) != NULL, "%s", err.message);
}

START_TEST(quantities_as_people_write_them)
{
    expect(DCP_DIM_CPU, "2.4GHz", 2400);
    expect(DCP_DIM_CPU, "2600 MHz", 2600);
    expect(DCP_DIM_SIZE, "64GiB", 65536);
    expect(DCP_DIM_SIZE, "2TiB", 2097152);
    expect(DCP_DIM_SIZE, "64GB", 64e9 / 1048576);
    expect(DCP_DIM_SIZE, "0", 0);
    expect(DCP_DIM_RATE, "40MiB/s", 40960);
    expect(DCP_DIM_RATE, "10Gbit", 1e10 / 8 / 1024);
    expect(DCP_DIM_TIME, "15min", 900000);
    expect(DCP_DIM_TIME, "2w", 14 * 86400000.0);
    expect(DCP_DIM_TIME, "250ms", 250);
    expect(DCP_DIM_POWER, "1.2kW", 1200);
    expect(DCP_DIM_SHARE, "80%", 0.8);
    expect(DCP_DIM_SHARE, "0.8", 0.8);
    expect(DCP_DIM_EMISSION, "210g/kWh", 210);
    expect(DCP_DIM_HEIGHT, "42U", 42);
    expect(DCP_DIM_TEMPERATURE, "22C", 22);
    expect(DCP_DIM_NUMBER, "-6.7108864E7", -67108864);
}
END_TEST

START_TEST(wrong_quantities_are_refused_with_an_example)
{
    refuse(DCP_DIM_SIZE, "64", "64GiB");
    refuse(DCP_DIM_SIZE, "64 gib", "64GiB");
    refuse(DCP_DIM_SIZE, "64GHz", "64GiB");
    refuse(DCP_DIM_CPU, "", "2.4GHz");
    refuse(DCP_DIM_CPU, "2,4GHz", "2.4GHz");
    refuse(DCP_DIM_TIME, "15 minutes", "15min");
    refuse(DCP_DIM_TIME, "0x10s", "15min");
    refuse(DCP_DIM_NUMBER, "nan", "number");
    refuse(DCP_DIM_NUMBER, "inf", "number");
    refuse(DCP_DIM_NUMBER, "1e999", "out of range");
    refuse(DCP_DIM_SIZE, "1e300TiB", "out of range");
    uint64_t amount;

    ck_assert(!dcp_parse_amount(DCP_DIM_SIZE, "-1GiB", &amount, NULL));
    ck_assert(!dcp_parse_amount(DCP_DIM_SIZE, "1e17MiB", &amount, NULL));
    ck_assert(dcp_parse_amount(DCP_DIM_SIZE, "1536KiB", &amount, NULL));
    ck_assert_uint_eq(amount, 2);
}
END_TEST

START_TEST(printed_quantities_read_back)
{
    struct dcp_rng rng = dcp_rng_stream(1, "units", 0);
    char text[64];

    dcp_print_quantity(DCP_DIM_SIZE, 65536, text, sizeof text);
    ck_assert_str_eq(text, "64GiB");
    dcp_print_quantity(DCP_DIM_TIME, 900000, text, sizeof text);
    ck_assert_str_eq(text, "15min");
    for (int i = 0; i < 20000; i++) {
        enum dcp_dimension dimension =
            (enum dcp_dimension)dcp_rng_below(&rng, DCP_DIM_NUMBER + 1);
        double value = dcp_rng_unit(&rng) < 0.5
                           ? (double)dcp_rng_below(&rng, 100000000)
                           : dcp_rng_unit(&rng) * 1e6;
        double again;

        dcp_print_quantity(dimension, value, text, sizeof text);
        ck_assert_msg(dcp_parse_quantity(dimension, text, &again, NULL), "'%s'",
                      text);
        ck_assert_msg(fabs(again - value) <= 1e-12 * value,
                      "%.17g as '%s' is %.17g", value, text, again);
    }
}
END_TEST

START_TEST(figures_for_people)
{
    static const struct {
        enum dcp_dimension dimension;
        double value;
        const char *want;
    } cases[] = {
        { DCP_DIM_SIZE, 49356.8, "48.2 GiB" },
        { DCP_DIM_POWER, 1200, "1.20 kW" },
        { DCP_DIM_TIME, 6720000, "1 h 52 min" },
        { DCP_DIM_TIME, 81000, "81 s" },
        { DCP_DIM_TIME, 5, "5 ms" },
        { DCP_DIM_SHARE, 0.5, "50%" },
        { DCP_DIM_CPU, 0, "0 MHz" },
    };
    char text[64];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dcp_print_human(cases[i].dimension, cases[i].value, text, sizeof text);
        ck_assert_str_eq(text, cases[i].want);
    }
}
END_TEST

START_TEST(instants_are_rfc_3339)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "2013-08-22T00:00:00Z", INT64_C(1377129600000) },
        { "2013-08-22T02:00:00+02:00", INT64_C(1377129600000) },
        { "2013-08-22 00:00:00.25z", INT64_C(1377129600250) },
        { "1969-12-31T23:59:59.999Z", -1 },
        { "2016-02-29T12:00:00Z", INT64_C(1456747200000) },
    };
    static const char *const bad[] = {
        "",
        "2013-08-22",
        "2013-08-22T00:00:00",
        "2013-02-29T00:00:00Z",
        "2013-13-01T00:00:00Z",
        "2013-08-22T24:00:00Z",
        "2013-08-22T00:60:00Z",
        "2013-08-22T00:00:00.Z",
        "2013-08-22T00:00:00+2:00",
        "2013-08-22T00:00:00Z ",
        "+013-08-22T00:00:00Z",
    };
    int64_t ms;
    char text[32];

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert(dcp_parse_instant(good[i].text, &ms, NULL));
        ck_assert_int_eq(ms, good[i].ms);
        dcp_print_instant(ms, text);
        ck_assert(dcp_parse_instant(text, &ms, NULL));
        ck_assert_int_eq(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(!dcp_parse_instant(bad[i], &ms, NULL), "%s", bad[i]);
    }
    dcp_print_instant(INT64_C(1377129600000), text);
    ck_assert_str_eq(text, "2013-08-22T00:00:00Z");
    dcp_print_instant(-1, text);
    ck_assert_str_eq(text, "1969-12-31T23:59:59.999Z");
}
END_TEST

START_TEST(civil_days_count_every_day)
{
    int64_t year = 1899;
    uint32_t month = 12, day = 31;
    int64_t days = dcp_days_from_civil(1900, 1, 1);

    ck_assert_int_eq(dcp_days_from_civil(1970, 1, 1), 0);
    ck_assert_int_eq(dcp_days_from_civil(2000, 3, 1), 11017);
    for (; days < dcp_days_from_civil(2101, 1, 1); days++) {
        int64_t y;
        uint32_t m, d;

        dcp_civil_from_days(days, &y, &m, &d);
        /* Each day follows the last. */
        ck_assert((y == year && m == month && d == day + 1) ||
                  (y == year && m == month + 1 && d == 1 && day >= 28) ||
                  (y == year + 1 && m == 1 && d == 1 && month == 12));
        ck_assert_int_eq(dcp_days_from_civil(y, m, d), days);
        year = y;
        month = m;
        day = d;
    }
}
END_TEST

START_TEST(scanned_doubles_are_the_nearest)
{
    struct dcp_rng rng = dcp_rng_stream(2, "scan", 0);
    char text[64];
    double got;

    for (int i = 0; i < 20000; i++) {
        uint64_t bits = dcp_rng_u64(&rng);
        double value;

        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) {
            continue;
        }
        (void)snprintf(text, sizeof text, "%.17g,", value);
        const char *end = dcp_scan_double(text, &got);

        ck_assert_ptr_nonnull(end);
        ck_assert_int_eq(*end, ',');
        ck_assert_msg(got == value, "'%s' is %.17g", text, got);
        (void)snprintf(text, sizeof text, "%.3f", fmod(value, 1e9));
        ck_assert_ptr_nonnull(dcp_scan_double(text, &got));
        ck_assert_msg(got == strtod(text, NULL), "'%s' is %.17g", text, got);
    }
    ck_assert_ptr_null(dcp_scan_double("", &got));
    ck_assert_ptr_null(dcp_scan_double("-", &got));
    ck_assert_ptr_null(dcp_scan_double(".", &got));
    ck_assert_ptr_null(dcp_scan_double("x", &got));
    ck_assert_str_eq(dcp_scan_double("1.5e", &got), "e");
    ck_assert_double_eq(got, 1.5);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &quantities_as_people_write_them,
        &wrong_quantities_are_refused_with_an_example,
        &printed_quantities_read_back,
        &figures_for_people,
        &instants_are_rfc_3339,
        &civil_days_count_every_day,
        &scanned_doubles_are_the_nearest,
    };

    return RUN_TESTS("units", tests);
}
