/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Rows against plain sums, of any length and place in memory. */

#include "solver/rows.h"

#include "model/base/rng.h"
#include "tests/unit/run_suite.h"

#include <string.h>

enum { LONGEST = 67, SKEW = 8 };

static uint32_t
highest(const uint32_t *x, uint32_t n)
{
    uint32_t most = 0;

    for (uint32_t k = 0; k < n; k++) {
        most = x[k] > most ? x[k] : most;
    }
    return most;
}

START_TEST(sums_and_peaks_are_those_of_plain_loops)
{
    struct dcp_rng rng = dcp_rng_stream(1, "rows", 0);

    for (uint32_t n = 0; n <= LONGEST; n++) {
        for (uint32_t skew = 0; skew < SKEW; skew++) {
            uint32_t sum[LONGEST + SKEW + 1], more[LONGEST + SKEW + 1];
            uint32_t was[LONGEST + SKEW + 1], want[LONGEST + SKEW + 1];

            for (uint32_t k = 0; k < LONGEST + SKEW + 1; k++) {
                /* Above INT32_MAX too, where signed vectors would err. */
                sum[k] = (uint32_t)dcp_rng_below(&rng, 3000000000u);
                more[k] = (uint32_t)dcp_rng_below(&rng, 1000000000u);
            }
            memcpy(was, sum, sizeof was);
            memcpy(want, sum, sizeof want);
            for (uint32_t k = skew; k < skew + n; k++) {
                want[k] += more[k];
            }
            ck_assert_uint_eq(dcp_row_add(sum + skew, more + skew, n),
                              highest(want + skew, n));
            ck_assert_mem_eq(sum, want, sizeof want);
            ck_assert_uint_eq(dcp_row_sub(sum + skew, more + skew, n),
                              highest(was + skew, n));
            ck_assert_mem_eq(sum, was, sizeof was);
        }
    }
}
END_TEST

/* Limits one below, at and one above the highest sum. */
START_TEST(what_fits_is_what_plain_sums_say)
{
    struct dcp_rng rng = dcp_rng_stream(2, "rows", 0);

    for (uint32_t n = 1; n <= LONGEST; n++) {
        uint32_t used[LONGEST], x[4][LONGEST], both[LONGEST], swap[LONGEST];
        uint32_t four[LONGEST];

        for (uint32_t k = 0; k < n; k++) {
            for (uint32_t i = 0; i < 4; i++) {
                x[i][k] = (uint32_t)dcp_rng_below(&rng, 500000000u);
            }
            used[k] = x[2][k] + x[3][k] +
                      (uint32_t)dcp_rng_below(&rng, 2000000000u);
            both[k] = used[k] + x[0][k];
            swap[k] = used[k] + x[0][k] - x[2][k];
            four[k] = swap[k] + x[1][k] - x[3][k];
        }
        const struct dcp_row_exchange exchange = { { x[0], x[1] },
                                                   { x[2], x[3] } };

        for (uint32_t above = 0; above < 3; above++) {
            bool want = above > 0;

            ck_assert(dcp_row_fits(used, x[0], highest(both, n) + above - 1,
                                   n) == want);
            ck_assert(dcp_row_swap_fits(used, x[0], x[2],
                                        highest(swap, n) + above - 1,
                                        n) == want);
            ck_assert(dcp_row_exchange_fits(used, &exchange,
                                            highest(four, n) + above - 1,
                                            n) == want);
        }
        ck_assert(dcp_row_swap_fits(used, x[0], x[2], UINT32_MAX, n));
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &sums_and_peaks_are_those_of_plain_loops,
        &what_fits_is_what_plain_sums_say,
    };

    return RUN_TESTS("rows", tests);
}
