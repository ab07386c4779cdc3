/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/stats/interval.h"

#include "model/base/rng.h"
#include "tests/unit/run_suite.h"

#include <math.h>

START_TEST(intervals_match_the_table)
{
    const double values[] = { 1, 2, 3, 4, 5 };
    struct dcp_interval i = dcp_interval_of_mean(values, 5, 0.8);

    /* t(0.9, 4) = 1.5332, standard error sqrt(2.5 / 5). */
    ck_assert_double_eq_tol(i.mean, 3, 1e-12);
    ck_assert_double_eq_tol(i.high, 3 + 1.533206 * sqrt(0.5), 1e-5);
    ck_assert_double_eq_tol(i.low, 3 - 1.533206 * sqrt(0.5), 1e-5);
    ck_assert_double_nan(dcp_interval_of_mean(values, 1, 0.8).low);
    ck_assert(dcp_interval_is_narrow(&i, 1.0842 / 3 + 1e-4));
    ck_assert(!dcp_interval_is_narrow(&i, 1.0842 / 3 - 1e-4));
    i = (struct dcp_interval){ 0, 0, 0 };
    ck_assert(!dcp_interval_is_narrow(&i, 0.5));
    i = dcp_interval_of_mean(values, 1, 0.8);
    ck_assert(!dcp_interval_is_narrow(&i, 0.5));
}
END_TEST

/* Each end is the chance for which so few, or so many, have the tail's
 * probability: summed here term by term. */
START_TEST(shares_are_as_sure_as_the_binomial_says)
{
    const uint32_t hits[] = { 0, 1, 3, 19, 20 };
    struct dcp_interval i = dcp_interval_of_share(0, 20, 0.95);

    /* 1 - 0.025 ^ (1 / 20). */
    ck_assert_double_eq(i.low, 0);
    ck_assert_double_eq_tol(i.high, 0.16843, 1e-5);
    for (size_t k = 0; k < sizeof hits / sizeof hits[0]; k++) {
        double at_most = 0, fewer = 0;

        i = dcp_interval_of_share(hits[k], 20, 0.95);
        ck_assert_double_eq_tol(i.mean, hits[k] / 20.0, 1e-15);
        for (uint32_t x = 0; x <= hits[k]; x++) {
            double ways = exp(lgamma(21) - lgamma(x + 1.0) - lgamma(21.0 - x));

            at_most += ways * pow(i.high, x) * pow(1 - i.high, 20.0 - x);
            if (x < hits[k]) {
                fewer += ways * pow(i.low, x) * pow(1 - i.low, 20.0 - x);
            }
        }
        if (hits[k] < 20) {
            ck_assert_double_eq_tol(at_most, 0.025, 1e-9);
        } else {
            ck_assert_double_eq(i.high, 1);
        }
        if (hits[k]) {
            ck_assert_double_eq_tol(1 - fewer, 0.025, 1e-9);
        }
    }
    /* Where GSL's inverse is on its limits: no abort, and in order. */
    i = dcp_interval_of_share(1, 1000000, 0.999);
    ck_assert(0 < i.low && i.low < 1e-6 && i.high > 1e-6 && i.high < 1.2e-5);
    i = dcp_interval_of_share(999999, 1000000, 0.999);
    ck_assert(i.low > 0.99998 && i.high < 1 && i.high > 0.999999);
    ck_assert_double_nan(dcp_interval_of_share(0, 0, 0.95).mean);
}
END_TEST

/* Of 2,000 samples of five exponential or uniform values, how many have their
 * mean in the interval: the t interval supposes a normal mean, which is nearly
 * right for the one and too short for the other. */
START_TEST(coverage_of_the_mean)
{
    uint32_t n_uniform = 0, n_skewed = 0, n = 2000;

    for (uint32_t k = 0; k < n; k++) {
        struct dcp_rng rng = dcp_rng_stream(5, "coverage", k);
        double uniform[5], skewed[5];

        for (int i = 0; i < 5; i++) {
            uniform[i] = dcp_rng_unit(&rng);
            skewed[i] = -log(1 - dcp_rng_unit(&rng));
        }
        struct dcp_interval a = dcp_interval_of_mean(uniform, 5, 0.8);
        struct dcp_interval b = dcp_interval_of_mean(skewed, 5, 0.8);

        n_uniform += a.low <= 0.5 && 0.5 <= a.high;
        n_skewed += b.low <= 1 && 1 <= b.high;
    }
    ck_assert_double_eq_tol((double)n_uniform / n, 0.8, 0.03);
    ck_assert(n_skewed < n_uniform);
    ck_assert_double_eq_tol((double)n_skewed / n, 0.76, 0.04);
}
END_TEST

/* Of normal values the interval of the next one covers what it says, with a few
 * values as with many. */
START_TEST(the_next_value)
{
    const double five[] = { 1, 2, 3, 4, 5 };
    struct dcp_interval i = dcp_interval_of_next(five, 5, 0.8);
    uint32_t n = 4000;

    /* t(0.9, 4) x sqrt(2.5 x (1 + 1/5)). */
    ck_assert_double_eq_tol(i.high - 3, 1.533206 * sqrt(3), 1e-5);
    ck_assert_double_eq_tol(3 - i.low, i.high - 3, 1e-12);
    ck_assert_double_nan(dcp_interval_of_next(five, 1, 0.8).low);
    for (uint32_t size = 3; size <= 12; size += 9) {
        uint32_t hits = 0;

        for (uint32_t k = 0; k < n; k++) {
            struct dcp_rng rng = dcp_rng_stream(size, "next", k);
            double values[13];

            for (uint32_t v = 0; v <= size; v++) {
                values[v] = dcp_rng_normal(&rng);
            }
            i = dcp_interval_of_next(values, size, 0.8);
            hits += i.low <= values[size] && values[size] <= i.high;
        }
        ck_assert_double_eq_tol((double)hits / n, 0.8, 0.02);
    }
}
END_TEST

START_TEST(quantiles_lie_between_values)
{
    double values[] = { 4, 1, 3, 2, 5 };

    dcp_values_sort(values, 5);
    ck_assert_double_eq(dcp_quantile(values, 5, 0), 1);
    ck_assert_double_eq_tol(dcp_quantile(values, 5, 0.1), 1.4, 1e-12);
    ck_assert_double_eq(dcp_quantile(values, 5, 0.5), 3);
    ck_assert_double_eq(dcp_quantile(values, 5, 1), 5);
    ck_assert_double_eq(dcp_quantile(values, 1, 0.3), 1);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &intervals_match_the_table,    &shares_are_as_sure_as_the_binomial_says,
        &coverage_of_the_mean,         &the_next_value,
        &quantiles_lie_between_values,
    };

    return RUN_TESTS("interval", tests);
}
