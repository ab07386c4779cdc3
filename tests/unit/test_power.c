/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/units.h"
#include "model/power.h"
#include "tests/unit/ledger_fixture.h"

#include <math.h>

/* examples: m1 of the demo model. */
static const struct dcp_hardware m1 = {
    .power_w = { 62, 95, 110, 122, 135, 149, 165, 184, 205, 229, 256 },
};

START_TEST(curve_is_interpolated_between_its_points)
{
    ck_assert_double_eq(dcp_power_at(&m1, 0), 62);
    ck_assert_double_eq(dcp_power_at(&m1, 1), 256);
    ck_assert_double_eq_tol(dcp_power_at(&m1, 0.1), 95, 1e-9);
    ck_assert_double_eq_tol(dcp_power_at(&m1, 0.05), 78.5, 1e-9);
    ck_assert_double_eq_tol(dcp_power_at(&m1, 0.95), 242.5, 1e-9);
    ck_assert_double_eq_tol(dcp_power_at(&m1, 0.99999), 256, 0.01);
    ck_assert_double_eq(dcp_power_at(&m1, -1), 62);
    ck_assert_double_eq(dcp_power_at(&m1, 7), 256);
    ck_assert_double_eq(dcp_power_at(&m1, NAN), 62);
}
END_TEST

START_TEST(slope_is_the_steepest_line_under_the_curve)
{
    double slope = dcp_power_slope_w(&m1);
    bool touches = false;

    for (int i = 1; i < DCP_POWER_POINTS; i++) {
        double line = m1.power_w[0] + slope * i / 10;

        ck_assert_double_le(line, m1.power_w[i] + 1e-9);
        touches = touches || line > m1.power_w[i] - 1e-9;
    }
    ck_assert(touches);
    ck_assert_double_eq_tol(slope, (165 - 62) / 0.6, 1e-9);
}
END_TEST

/* 07:00-22:00 on weekdays 0.28, else 0.14: the demo's tariff; and a row of
 * nights on a user class. */
static struct dcp_inventory *
tariff_inventory(void)
{
    struct dcp_inventory *inv = fixture_create(NULL, 0, NULL, 0);
    struct dcp_tariff_row *rows =
        dcp_arena_array(inv->arena, struct dcp_tariff_row, 3);
    struct dcp_tariff *tariff = dcp_arena_new(inv->arena, struct dcp_tariff);
    struct dcp_site *site = dcp_arena_array(inv->arena, struct dcp_site, 2);

    rows[0] = (struct dcp_tariff_row){ .day_classes = 1u << DCP_DAY_WEEKEND,
                                       .has_hours = true,
                                       .hours = { 22 * 60, 90 },
                                       .price_per_kwh = 0.05,
                                       .carbon_g_per_kwh = 50 };
    rows[1] = (struct dcp_tariff_row){ .day_classes = 1u << DCP_DAY_WEEKDAY,
                                       .has_hours = true,
                                       .hours = { 7 * 60, 22 * 60 },
                                       .price_per_kwh = 0.28,
                                       .carbon_g_per_kwh = 210 };
    rows[2] = (struct dcp_tariff_row){ .price_per_kwh = 0.14,
                                       .carbon_g_per_kwh = 160 };
    *tariff = (struct dcp_tariff){ "day-night", rows, 3 };
    site[0] = (struct dcp_site){ "gent", { 0 }, 1.6, 1.2, &brussels, NULL };
    site[1] = (struct dcp_site){ "free", dcp_tariff_none(), 1, 1, &brussels, NULL };
    inv->tariffs = tariff;
    inv->n_tariffs = 1;
    inv->sites = site;
    inv->n_sites = 2;
    return inv;
}

static int64_t
brussels_at(int64_t year, uint32_t month, uint32_t day, int hour, int minute)
{
    return dcp_zone_instant(&brussels, dcp_days_from_civil(year, month, day),
                            hour * DCP_HOUR_MS + minute * 60000);
}

START_TEST(first_row_that_matches_counts)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = tariff_inventory();
    dcp_site_id gent = { 0 };

    /* 2013-08-22 is a Thursday, -24 a Saturday. */
    ck_assert_double_eq(
        dcp_energy_price(inv, gent, brussels_at(2013, 8, 22, 7, 0)), 0.28);
    ck_assert_double_eq(
        dcp_energy_price(inv, gent, brussels_at(2013, 8, 22, 6, 59)), 0.14);
    ck_assert_double_eq(
        dcp_energy_price(inv, gent, brussels_at(2013, 8, 22, 22, 0)), 0.14);
    ck_assert_double_eq(
        dcp_energy_price(inv, gent, brussels_at(2013, 8, 24, 12, 0)), 0.14);
    ck_assert_double_eq(
        dcp_energy_price(inv, gent, brussels_at(2013, 8, 24, 23, 0)), 0.05);
    ck_assert_double_eq(
        dcp_energy_carbon_g(inv, gent, brussels_at(2013, 8, 24, 23, 0)), 50);
    ck_assert_double_eq(dcp_energy_price(inv, dcp_site_none(), 0), 0);
    ck_assert_double_eq(dcp_energy_price(inv, (dcp_site_id){ 1 }, 0), 0);
    ck_assert(dcp_inventory_has_prices(inv));
    inv->n_sites = 0;
    ck_assert(!dcp_inventory_has_prices(inv));
}
END_TEST

START_TEST(tariff_hours_are_local_across_dst)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = tariff_inventory();
    dcp_site_id gent = { 0 };

    /* Weekdays either side of both changes: 07:00 local is 06:00 UTC in
     * winter and 05:00 UTC in summer. */
    ck_assert_double_eq(dcp_energy_price(inv, gent, INT64_C(1364536800000)),
                        0.28);
    ck_assert_double_eq(/* 2013-03-29T05:59:59Z: winter, 06:59. */
                        dcp_energy_price(inv, gent, INT64_C(1364536799000)),
                        0.14);
    ck_assert_double_eq(/* 2013-04-01T05:00:00Z, a Monday in summer. */
                        dcp_energy_price(inv, gent, INT64_C(1364792400000)),
                        0.28);
    ck_assert_double_eq(dcp_energy_price(inv, gent, INT64_C(1364792399000)),
                        0.14);

    /* The night row of Sunday 2013-10-27 ends at 01:30 local, before clocks
     * go back; 24 h on the clock are 25 h. */
    int64_t midnight = brussels_at(2013, 10, 27, 0, 0);
    int64_t next = brussels_at(2013, 10, 28, 0, 0);
    double price, carbon_g;

    ck_assert_int_eq(next - midnight, 25 * DCP_HOUR_MS);
    dcp_energy_price_mean(inv, gent, midnight, next, &price, &carbon_g);
    /* 1.5 h + 2 h of night, 21.5 h of the rest. */
    ck_assert_double_eq_tol(price, (3.5 * 0.05 + 21.5 * 0.14) / 25, 1e-12);
    ck_assert_double_eq_tol(carbon_g, (3.5 * 50 + 21.5 * 160) / 25, 1e-9);
}
END_TEST

START_TEST(mean_price_counts_changes_inside_a_slot)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = tariff_inventory();
    int64_t from = brussels_at(2013, 8, 25, 1, 0); /* A Sunday. */
    double price, carbon_g;

    dcp_energy_price_mean(inv, (dcp_site_id){ 0 }, from, from + DCP_HOUR_MS,
                          &price, &carbon_g);
    ck_assert_double_eq_tol(price, (0.05 + 0.14) / 2, 1e-12);
    dcp_energy_price_mean(inv, dcp_site_none(), from, from + DCP_HOUR_MS,
                          &price, &carbon_g);
    ck_assert_double_eq(price, 0);
}
END_TEST

START_TEST(pue_defaults_to_one)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = tariff_inventory();

    ck_assert_double_eq(dcp_site_pue(inv, (dcp_site_id){ 0 }), 1.6);
    ck_assert_double_eq(dcp_site_pue_marginal(inv, (dcp_site_id){ 0 }), 1.2);
    ck_assert_double_eq(dcp_site_pue(inv, dcp_site_none()), 1);
    ck_assert_double_eq(dcp_site_pue_marginal(inv, dcp_site_none()), 1);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("power");
    TCase *tc = tcase_create("power");

    tcase_add_test(tc, curve_is_interpolated_between_its_points);
    tcase_add_test(tc, slope_is_the_steepest_line_under_the_curve);
    tcase_add_test(tc, first_row_that_matches_counts);
    tcase_add_test(tc, tariff_hours_are_local_across_dst);
    tcase_add_test(tc, mean_price_counts_changes_inside_a_slot);
    tcase_add_test(tc, pue_defaults_to_one);
    suite_add_tcase(suite, tc);
    return fixture_run(suite);
}
