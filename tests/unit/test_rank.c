/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/stats/rank.h"

#include "model/base/rng.h"
#include "tests/unit/run_suite.h"

#include <math.h>

START_TEST(tau_by_hand)
{
    static const double a[] = { 1, 2, 3, 4 }, b[] = { 1, 2, 4, 3 };
    static const double reverse[] = { 9, 7, 5, 3 }, flat[] = { 2, 2, 2, 2 };
    struct dcp_rank_agreement r = dcp_kendall(a, b, 4);

    /* Five pairs alike, one not; of 24 orders 4 have a tau of 2/3 or more. */
    ck_assert_uint_eq(r.concordant, 5);
    ck_assert_uint_eq(r.discordant, 1);
    ck_assert_double_eq_tol(r.tau, 4.0 / 6, 1e-12);
    ck_assert_double_eq_tol(r.p_value, 8.0 / 24, 1e-12);
    r = dcp_kendall(a, a, 4);
    ck_assert_double_eq_tol(r.tau, 1, 1e-12);
    ck_assert_double_eq_tol(r.p_value, 2.0 / 24, 1e-12);
    r = dcp_kendall(a, reverse, 4);
    ck_assert_double_eq_tol(r.tau, -1, 1e-12);
    ck_assert_double_nan(dcp_kendall(a, flat, 4).tau);
    ck_assert_double_nan(dcp_kendall(a, flat, 4).p_value);
    ck_assert_double_nan(dcp_kendall(a, b, 1).tau);
}
END_TEST

START_TEST(ties_count_for_neither)
{
    static const double a[] = { 1, 1, 2, 3 }, b[] = { 1, 2, 3, 3 };
    struct dcp_rank_agreement r = dcp_kendall(a, b, 4);

    /* Pairs apart: five each; concordant: (1,3) (1,4) (2,3) (2,4). */
    ck_assert_uint_eq(r.concordant, 4);
    ck_assert_uint_eq(r.discordant, 0);
    ck_assert_double_eq_tol(r.tau, 4.0 / 5, 1e-12);
}
END_TEST

/* Beside each other where both are used: eight things exactly, nine by the
 * normal law.  Orders that have nothing in common are told alike as often as
 * the chance says. */
START_TEST(chance_is_what_it_says)
{
    for (uint32_t n = 8; n <= 9; n++) {
        uint32_t hits = 0, tries = n == 8 ? 150 : 3000;

        for (uint32_t k = 0; k < tries; k++) {
            struct dcp_rng rng = dcp_rng_stream(n, "orders", k);
            double a[9], b[9];

            for (uint32_t i = 0; i < n; i++) {
                a[i] = dcp_rng_unit(&rng);
                b[i] = dcp_rng_unit(&rng);
            }
            hits += dcp_kendall(a, b, n).p_value <= 0.1;
        }
        ck_assert_double_eq_tol((double)hits / tries, 0.1, 0.05);
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &tau_by_hand,
        &ties_count_for_neither,
        &chance_is_what_it_says,
    };

    return RUN_TESTS("rank", tests);
}
