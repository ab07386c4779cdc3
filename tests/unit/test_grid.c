/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/rng.h"
#include "tests/unit/run_suite.h"
#include "traces/grid.h"

#include <math.h>
#include <stdlib.h>

enum { STEP = 300000 };

static void
add(struct dcp_rows *r, int64_t time_s, float value, uint32_t flags)
{
    ck_assert(dcp_rows_add(r, time_s * 1000, &value, value / 100, flags));
}

static struct dcp_vm_stats
settle(struct dcp_rows *r)
{
    struct dcp_vm_stats s;

    ck_assert(dcp_rows_settle(r, STEP, 0, UINT32_MAX, &s));
    return s;
}

/* The cells of 5 minutes from 0 on. */
static void
fill(const struct dcp_rows *r, uint32_t n, float out[])
{
    struct dcp_grid g = { 0, STEP, STEP, n };
    double weight[64];

    ck_assert_uint_le(n, 64);
    dcp_grid_fill(&g, r, 0, weight, out);
}

#define EXPECT(CELL, VALUE)                                                    \
    ck_assert_msg(fabsf((CELL) - (float)(VALUE)) < 1e-4f, #CELL " is %g",      \
                  (double)(CELL))

START_TEST(aligned_rows_pass_unchanged)
{
    struct dcp_rows r = { .n_columns = 1 };
    float out[3];

    add(&r, 0, 10, 0);
    add(&r, 300, 20, 0);
    add(&r, 600, 30, 0);
    (void)settle(&r);
    fill(&r, 3, out);
    EXPECT(out[0], 10);
    EXPECT(out[1], 20);
    EXPECT(out[2], 30);
    dcp_rows_finish(&r);
}
END_TEST

START_TEST(a_late_row_shares_its_cell_by_time)
{
    struct dcp_rows r = { .n_columns = 1 };
    float out[2];

    add(&r, 0, 10, 0);
    add(&r, 360, 40, 0); /* 60 s of cell 1 are still 10. */
    (void)settle(&r);
    fill(&r, 2, out);
    EXPECT(out[0], 10);
    EXPECT(out[1], (60 * 10 + 240 * 40) / 300.0);
    dcp_rows_finish(&r);
}
END_TEST

START_TEST(a_value_holds_one_step_and_a_half)
{
    struct dcp_rows r = { .n_columns = 1 };
    float out[4];

    add(&r, 0, 10, 0); /* Holds to 450 s: half of cell 1. */
    add(&r, 900, 40, 0);
    (void)settle(&r);
    fill(&r, 4, out);
    EXPECT(out[0], 10);
    EXPECT(out[1], 10);
    ck_assert(isnan(out[2]));
    EXPECT(out[3], 40);
    dcp_rows_finish(&r);

    r = (struct dcp_rows){ .n_columns = 1 };
    add(&r, 1, 10, 0); /* Holds to 451 s. */
    add(&r, 300 + 152, 20, 0);
    (void)settle(&r);
    fill(&r, 2, out);
    EXPECT(out[0], 10);
    EXPECT(out[1], (151 * 10 + 148 * 20) / 299.0);
    dcp_rows_finish(&r);
}
END_TEST

START_TEST(under_half_covered_is_missing)
{
    struct dcp_rows r = { .n_columns = 1 };
    float out[2];

    add(&r, 151, 10, 0); /* 149 s of cell 0. */
    (void)settle(&r);
    fill(&r, 2, out);
    ck_assert(isnan(out[0]));
    EXPECT(out[1], 10);
    dcp_rows_finish(&r);

    r = (struct dcp_rows){ .n_columns = 1 };
    add(&r, 150, 10, 0); /* 150 s: just enough. */
    (void)settle(&r);
    fill(&r, 2, out);
    EXPECT(out[0], 10);
    dcp_rows_finish(&r);
}
END_TEST

START_TEST(an_absent_row_ends_the_one_before)
{
    struct dcp_rows r = { .n_columns = 1 };
    float out[3];

    add(&r, 0, 10, 0);
    add(&r, 300, 0, DCP_ROW_ABSENT);
    add(&r, 600, 30, 0);
    struct dcp_vm_stats s = settle(&r);

    fill(&r, 3, out);
    EXPECT(out[0], 10);
    ck_assert(isnan(out[1]));
    EXPECT(out[2], 30);
    ck_assert_uint_eq(s.zero_capacity_rows, 1);
    dcp_rows_finish(&r);
}
END_TEST

START_TEST(the_first_of_a_repeated_timestamp_is_kept)
{
    struct dcp_rows r = { .n_columns = 1 };
    float out[2];

    add(&r, 0, 10, 0);
    add(&r, 0, 10, 0);
    add(&r, 300, 20, 0);
    add(&r, 300, 99, 0);
    struct dcp_vm_stats s = settle(&r);

    ck_assert_uint_eq(s.rows, 4);
    ck_assert_uint_eq(s.unique, 2);
    ck_assert_uint_eq(s.duplicate_rows, 2);
    ck_assert_uint_eq(s.conflicting_duplicates, 1);
    ck_assert(s.max_cpu_mhz == 20);
    fill(&r, 2, out);
    EXPECT(out[0], 10);
    EXPECT(out[1], 20);
    dcp_rows_finish(&r);
}
END_TEST

START_TEST(rows_are_sorted_and_ties_keep_their_order)
{
    struct dcp_rows r = { .n_columns = 1 };
    float out[2];

    add(&r, 300, 20, 0);
    add(&r, 0, 10, 0);
    add(&r, 300, 99, 0);
    struct dcp_vm_stats s = settle(&r);

    ck_assert_int_eq(s.first_ms, 0);
    ck_assert_int_eq(s.last_ms, 300000);
    fill(&r, 2, out);
    EXPECT(out[0], 10);
    EXPECT(out[1], 20);
    dcp_rows_finish(&r);
}
END_TEST

START_TEST(gaps_are_over_one_step_and_a_half)
{
    struct dcp_rows r = { .n_columns = 1 };

    add(&r, 0, 1, 0);
    add(&r, 450, 1, 0);  /* Just not a gap. */
    add(&r, 901, 1, 0);  /* 451 s. */
    add(&r, 1901, 1, 0); /* 1000 s. */
    struct dcp_vm_stats s = settle(&r);

    ck_assert_uint_eq(s.gaps, 2);
    ck_assert_int_eq(s.max_gap_ms, 1000000);
    dcp_rows_finish(&r);
}
END_TEST

START_TEST(p95_is_the_nearest_rank)
{
    struct dcp_rows r = { .n_columns = 1 };

    for (int i = 0; i < 20; i++) {
        add(&r, 300 * i, (float)(i + 1), 0);
    }
    struct dcp_vm_stats s = settle(&r);

    ck_assert(s.p95_cpu_mhz == 19); /* ceil(0.95 x 20) = 19th. */
    ck_assert(s.mean_cpu_mhz == 10.5);
    dcp_rows_finish(&r);
}
END_TEST

START_TEST(bursts_are_averaged_and_coarse_rows_repeat)
{
    struct dcp_rows r = { .n_columns = 1 };
    struct dcp_grid minute = { 0, 60000, STEP, 10 };
    double weight[10];
    float out[10];

    for (int i = 0; i < 10; i++) { /* 30 s apart. */
        add(&r, 30 * i, (float)i, 0);
    }
    (void)settle(&r);
    fill(&r, 1, out);
    EXPECT(out[0], 4.5);
    dcp_rows_finish(&r);

    r = (struct dcp_rows){ .n_columns = 1 };
    add(&r, 0, 7, 0);
    add(&r, 300, 8, 0);
    (void)settle(&r);
    dcp_grid_fill(&minute, &r, 0, weight, out);
    EXPECT(out[0], 7);
    EXPECT(out[4], 7);
    EXPECT(out[5], 8);
    EXPECT(out[9], 8);
    dcp_rows_finish(&r);
}
END_TEST

START_TEST(spans_are_aligned_and_limited)
{
    struct dcp_grid g;
    struct dcp_error err = { 0 };

    /* 22:02:56 to 21:58:21: cells from 22:00 to 22:05. */
    ck_assert(dcp_grid_span(1375308176000, 1377899901000, INT64_MIN, STEP, STEP,
                            &g, &err));
    ck_assert_int_eq(g.start_ms, 1375308000000);
    ck_assert_uint_eq(g.n_times, 8641);
    /* A day of 288 readings is 288 cells. */
    ck_assert(dcp_grid_span(0, 86100000, INT64_MIN, STEP, STEP, &g, &err));
    ck_assert_uint_eq(g.n_times, 288);
    ck_assert(dcp_grid_span(-1, 0, INT64_MIN, STEP, STEP, &g, &err));
    ck_assert_int_eq(g.start_ms, -STEP);
    ck_assert(!dcp_grid_span(0, INT64_C(4000000000000), INT64_MIN, STEP, STEP,
                             &g, &err));
    ck_assert_int_eq(err.code, DCP_E_PARSE);
    ck_assert(!dcp_grid_span(0, 1000, 5000, STEP, STEP, &g, &err));
    ck_assert_int_eq(err.code, DCP_E_USAGE);
}
END_TEST

/* Second by second, from the words of the rule. */
static void
by_hand(const struct dcp_rows *r, uint32_t n, float out[])
{
    for (uint32_t c = 0; c < n; c++) {
        double sum = 0;
        uint32_t covered = 0;

        for (int64_t s = 300 * (int64_t)c; s < 300 * ((int64_t)c + 1); s++) {
            size_t last = SIZE_MAX;

            for (size_t i = 0; i < r->n; i++) {
                last = r->time_ms[i] <= s * 1000 ? i : last;
            }
            if (last != SIZE_MAX && s * 1000 - r->time_ms[last] < 450000 &&
                !(r->flags[last] & DCP_ROW_ABSENT)) {
                sum += (double)r->value[last];
                covered++;
            }
        }
        out[c] = covered < 150 ? NAN : (float)(sum / covered);
    }
}

START_TEST(any_rows_agree_with_the_rule_second_by_second)
{
    for (uint64_t k = 0; k < 300; k++) {
        struct dcp_rng rng = dcp_rng_stream(1, "grid", k);
        struct dcp_rows r = { .n_columns = 1 };
        int64_t at = (int64_t)dcp_rng_below(&rng, 400);
        float got[12], want[12];

        while (at < 3600) {
            add(&r, at, (float)dcp_rng_below(&rng, 1000),
                dcp_rng_below(&rng, 8) == 0 ? DCP_ROW_ABSENT : 0);
            at += (int64_t)(dcp_rng_below(&rng, 4) == 0
                                ? dcp_rng_below(&rng, 1200) + 1
                                : 290 + dcp_rng_below(&rng, 20));
        }
        (void)settle(&r);
        fill(&r, 12, got);
        by_hand(&r, 12, want);
        for (int c = 0; c < 12; c++) {
            ck_assert_msg((isnan(got[c]) && isnan(want[c])) ||
                              fabsf(got[c] - want[c]) < 0.01f,
                          "case %d cell %d: %g, by hand %g", (int)k, c,
                          (double)got[c], (double)want[c]);
        }
        dcp_rows_finish(&r);
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &aligned_rows_pass_unchanged,
        &a_late_row_shares_its_cell_by_time,
        &a_value_holds_one_step_and_a_half,
        &under_half_covered_is_missing,
        &an_absent_row_ends_the_one_before,
        &the_first_of_a_repeated_timestamp_is_kept,
        &rows_are_sorted_and_ties_keep_their_order,
        &gaps_are_over_one_step_and_a_half,
        &p95_is_the_nearest_rank,
        &bursts_are_averaged_and_coarse_rows_repeat,
        &spans_are_aligned_and_limited,
        &any_rows_agree_with_the_rule_second_by_second,
    };

    return RUN_TESTS("grid", tests);
}
