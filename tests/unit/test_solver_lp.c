/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The door to GLPK: each kind of answer, its errors as errors, and that it can
 * be used again after one. */

#include "model/base/rng.h"
#include "solver/lp/lp.h"
#include "tests/unit/run_suite.h"

#include <stdlib.h>
#include <time.h>

static struct dcp_lp *
make(void)
{
    struct dcp_lp *lp = dcp_lp_create(NULL);

    ck_assert(lp != NULL);
    return lp;
}

/* min -x - y, x + 2 y <= 4.5, x <= 2: x 2, y 1.25; whole: y 1. */
static struct dcp_lp *
small(bool integer)
{
    struct dcp_lp *lp = make();

    ck_assert_uint_eq(dcp_lp_add_col(lp, 0, 2, -1, integer), 0);
    ck_assert_uint_eq(dcp_lp_add_col(lp, 0, DCP_LP_INF, -1, integer), 1);
    ck_assert_uint_eq(dcp_lp_add_row(lp, -DCP_LP_INF, 4.5), 0);
    ck_assert(dcp_lp_set(lp, 0, 0, 1));
    ck_assert(dcp_lp_set(lp, 0, 1, 2));
    return lp;
}

static struct dcp_lp_answer
solve(struct dcp_lp *lp, struct dcp_lp_options options, double *x)
{
    struct dcp_lp_answer answer;
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_lp_solve(lp, &options, &answer, x, &err), "%s",
                  err.message);
    return answer;
}

START_TEST(optimum_of_a_program)
{
    DCP_AUTO(dcp_lp) struct dcp_lp *lp = small(false);
    double x[2];
    struct dcp_lp_answer a = solve(lp, (struct dcp_lp_options){ 0 }, x);

    ck_assert_int_eq(a.status, DCP_LP_OPTIMAL);
    ck_assert_double_eq_tol(a.value, -3.25, 1e-9);
    ck_assert_double_eq_tol(a.bound, -3.25, 1e-9);
    ck_assert_double_eq_tol(x[1], 1.25, 1e-9);
}
END_TEST

START_TEST(optimum_of_a_whole_program)
{
    DCP_AUTO(dcp_lp) struct dcp_lp *lp = small(true);
    double x[2], start[2] = { 1, 1 };
    struct dcp_lp_answer a = solve(
        lp, (struct dcp_lp_options){ .integer = true, .start = start }, x);

    ck_assert_int_eq(a.status, DCP_LP_OPTIMAL);
    ck_assert_double_eq_tol(a.value, -3, 1e-9);
    ck_assert_double_eq_tol(x[0], 2, 1e-9);
    ck_assert_double_eq_tol(x[1], 1, 1e-9);
}
END_TEST

START_TEST(no_answer_is_told_apart)
{
    for (int integer = 0; integer < 2; integer++) {
        DCP_AUTO(dcp_lp) struct dcp_lp *none = make();
        DCP_AUTO(dcp_lp) struct dcp_lp *endless = make();
        struct dcp_lp_options options = { .integer = integer };

        (void)dcp_lp_add_col(none, 0, 1, 1, integer);
        (void)dcp_lp_add_row(none, 2, DCP_LP_INF);
        ck_assert(dcp_lp_set(none, 0, 0, 1));
        ck_assert_int_eq(solve(none, options, NULL).status, DCP_LP_INFEASIBLE);
        (void)dcp_lp_add_col(endless, 0, DCP_LP_INF, -1, integer);
        (void)dcp_lp_add_row(endless, 0, DCP_LP_INF);
        ck_assert(dcp_lp_set(endless, 0, 0, 1));
        struct dcp_lp_answer a = solve(endless, options, NULL);

        ck_assert_int_eq(a.status, DCP_LP_UNKNOWN);
        ck_assert_double_le(a.bound, -DCP_LP_INF);
    }
}
END_TEST

/* GLPK aborts the process by default on each of these. */
START_TEST(malformed_programs_are_errors_and_harm_nothing)
{
    struct dcp_lp_options options = { 0 };
    struct dcp_lp_answer a;
    double x[2];

    for (int round = 0; round < 3; round++) {
        DCP_AUTO(dcp_lp) struct dcp_lp *lp = small(false);
        DCP_AUTO(dcp_lp) struct dcp_lp *sound = small(false);
        struct dcp_error err = { 0 };

        ck_assert(dcp_lp_set(lp, 0, 1, 3)); /* That entry is there already. */
        ck_assert(!dcp_lp_solve(lp, &options, &a, x, &err));
        ck_assert_int_eq(err.code, DCP_E_BUG);
        ck_assert_double_eq_tol(solve(sound, options, x).value, -3.25, 1e-9);
    }
    DCP_AUTO(dcp_lp) struct dcp_lp *lp = small(false);

    ck_assert(!dcp_lp_set(lp, 1, 0, 1));
    ck_assert(!dcp_lp_set(lp, 0, 2, 1));
}
END_TEST

/* Market split: hard for branch and bound at any size (Cornuejols & Dawande,
 * IPCO 1998). */
static struct dcp_lp *
market_split(void)
{
    enum { ROWS = 4, COLS = 40 };
    struct dcp_lp *lp = make();
    struct dcp_rng rng = dcp_rng_stream(1, "market", 0);

    for (uint32_t j = 0; j < COLS; j++) {
        (void)dcp_lp_add_col(lp, 0, 1, 0, true);
    }
    for (uint32_t i = 0; i < ROWS; i++) {
        uint32_t value[COLS], sum = 0;

        for (uint32_t j = 0; j < COLS; j++) {
            value[j] = (uint32_t)dcp_rng_below(&rng, 100);
            sum += value[j];
        }
        uint32_t row = dcp_lp_add_row(lp, sum / 2, sum / 2);

        for (uint32_t j = 0; j < COLS; j++) {
            ck_assert(dcp_lp_set(lp, row, j, value[j]));
        }
        for (int side = -1; side <= 1; side += 2) { /* Slack, paid for. */
            uint32_t col = dcp_lp_add_col(lp, 0, DCP_LP_INF, 1, false);

            ck_assert(dcp_lp_set(lp, row, col, side));
        }
    }
    return lp;
}

START_TEST(limits_hold)
{
    DCP_AUTO(dcp_lp) struct dcp_lp *lp = market_split();
    double x[64];
    time_t before = time(NULL);
    struct dcp_lp_answer a = solve(
        lp, (struct dcp_lp_options){ .integer = true, .time_limit_s = 0.5 }, x);

    ck_assert_int_ne(a.status, DCP_LP_OPTIMAL);
    ck_assert_int_ne(a.status, DCP_LP_INFEASIBLE);
    ck_assert_int_le(time(NULL) - before, 20);
    ck_assert_double_gt(a.bound, -1e-9);
    struct dcp_lp_options nodes = { .integer = true, .node_limit = 50 };
    struct dcp_lp_answer b = solve(lp, nodes, x), c = solve(lp, nodes, x);

    ck_assert_int_eq(b.status, c.status);
    ck_assert_double_eq(b.bound, c.bound); /* Nodes, unlike time, repeat. */
}
END_TEST

/* min x0 + x1, x0 >= 2, x1 >= 3; then a column that serves both rows. */
START_TEST(a_loaded_program_grows)
{
    DCP_AUTO(dcp_lp) struct dcp_lp *start = make();
    struct dcp_lp_live_options o = { 0 };
    struct dcp_lp_answer a;
    uint32_t rows[] = { 0, 1 };
    double ones[] = { 1, 1 }, x[3], duals[2];

    (void)dcp_lp_add_row(start, 2, DCP_LP_INF);
    (void)dcp_lp_add_row(start, 3, DCP_LP_INF);
    DCP_AUTO(dcp_lp_live) struct dcp_lp_live *live =
        dcp_lp_live_create(start, NULL);

    ck_assert(live != NULL);
    for (uint32_t i = 0; i < 2; i++) {
        ck_assert(dcp_lp_live_add_col(live, 0, DCP_LP_INF, 1, 1, &rows[i], ones,
                                      NULL));
    }
    ck_assert(dcp_lp_live_solve(live, &o, &a, x, duals, NULL));
    ck_assert_int_eq(a.status, DCP_LP_OPTIMAL);
    ck_assert_double_eq_tol(a.value, 5, 1e-9);
    ck_assert_double_eq_tol(duals[0] + duals[1], 2, 1e-9);
    ck_assert(dcp_lp_live_add_col(live, 0, DCP_LP_INF, 1, 2, rows, ones, NULL));
    ck_assert(dcp_lp_live_solve(live, &o, &a, x, duals, NULL));
    ck_assert_double_eq_tol(a.value, 3, 1e-9);
    ck_assert_double_eq_tol(duals[0] + duals[1], 1, 1e-9);
    o.dual = true;
    ck_assert(dcp_lp_live_set_row(live, 0, 4, DCP_LP_INF, NULL));
    ck_assert(dcp_lp_live_set_col(live, 2, 0, 1, NULL));
    ck_assert(dcp_lp_live_solve(live, &o, &a, x, duals, NULL));
    ck_assert_double_eq_tol(a.value, 6, 1e-9);
    ck_assert_double_eq_tol(x[2], 1, 1e-9);
    ck_assert(dcp_lp_live_set_col(live, 0, 0, 0, NULL));
    ck_assert(dcp_lp_live_solve(live, &o, &a, x, duals, NULL));
    ck_assert_int_eq(a.status, DCP_LP_INFEASIBLE);
}
END_TEST

START_TEST(a_loaded_program_survives_misuse)
{
    DCP_AUTO(dcp_lp) struct dcp_lp *start = small(false);
    struct dcp_lp_live_options o = { 0 };
    struct dcp_lp_answer a;
    uint32_t rows[] = { 0, 0 };
    double ones[] = { 1, 1 };

    for (int round = 0; round < 3; round++) {
        DCP_AUTO(dcp_lp_live) struct dcp_lp_live *live =
            dcp_lp_live_create(start, NULL);

        ck_assert(live != NULL);
        ck_assert(!dcp_lp_live_add_col(live, 0, 1, 1, 2, rows, ones, NULL));
        rows[0] = 7;
        ck_assert(!dcp_lp_live_add_col(live, 0, 1, 1, 1, rows, ones, NULL));
        rows[0] = 0;
        if (round) {
            ck_assert(!dcp_lp_live_set_row(live, 7, 0, 1, NULL));
            ck_assert(!dcp_lp_live_solve(live, &o, &a, NULL, NULL, NULL));
        }
    }
    ck_assert_double_eq_tol(
        solve(start, (struct dcp_lp_options){ 0 }, (double[2]){ 0 }).value,
        -3.25, 1e-9);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &optimum_of_a_program,
        &optimum_of_a_whole_program,
        &no_answer_is_told_apart,
        &malformed_programs_are_errors_and_harm_nothing,
        &limits_hold,
        &a_loaded_program_grows,
        &a_loaded_program_survives_misuse,
    };

    return RUN_TESTS("solver_lp", tests);
}
