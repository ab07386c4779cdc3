/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Medians and deviations of short histories, by hand. */

#include "sim/spread.h"
#include "tests/unit/run_suite.h"

START_TEST(sorting_keeps_all_values)
{
    const double values[] = { 3, 1, 2, 1, 5 }, want[] = { 1, 1, 2, 3, 5 };
    double sorted[5];

    dcp_spread_sort(sorted, values, 5);
    for (uint32_t i = 0; i < 5; i++) {
        ck_assert_double_eq(sorted[i], want[i]);
    }
}
END_TEST

START_TEST(the_median_is_the_middle)
{
    const double odd[] = { 1, 2, 9 }, even[] = { 1, 2, 4, 9 }, one[] = { 7 };

    ck_assert_double_eq(dcp_spread_median(odd, 3), 2);
    ck_assert_double_eq(dcp_spread_median(even, 4), 3);
    ck_assert_double_eq(dcp_spread_median(one, 1), 7);
}
END_TEST

START_TEST(the_deviation_takes_any_order)
{
    /* Median 4; away from it 3 2 0 5 1, of which 2 is the median. */
    const double values[] = { 1, 2, 4, 9, 5 };

    ck_assert_double_eq(dcp_spread_mad(values, 5), 2);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &sorting_keeps_all_values,
        &the_median_is_the_middle,
        &the_deviation_takes_any_order,
    };

    return RUN_TESTS("spread", tests);
}
