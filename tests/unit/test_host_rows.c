/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Rows that follow from others change nothing when they are left out: the
 * program has the same least value with them and without. */

#include "model/base/rng.h"
#include "solver/bound/host_rows.h"
#include "tests/unit/run_suite.h"

#include <float.h>
#include <math.h>

enum { TYPES = 3, REGIONS = 2, ROWS = 40 };

struct drawn {
    struct dcp_part part;
    double low, coefficient[TYPES];
    bool with_spares;
};

static double
least(struct dcp_lp *lp)
{
    struct dcp_lp_options options = { .integer = false };
    struct dcp_lp_answer answer;
    struct dcp_error err = { 0 };
    double x[REGIONS * DCP_FOLD_SIDES * TYPES];

    ck_assert(dcp_lp_solve(lp, &options, &answer, x, &err));
    ck_assert_int_eq(answer.status, DCP_LP_OPTIMAL);
    return answer.value;
}

/* Columns of hosts, each with a cost. */
static struct dcp_lp *
columns(const struct dcp_fold *f, const double *cost)
{
    struct dcp_error err = { 0 };
    struct dcp_lp *lp = dcp_lp_create(&err);

    ck_assert(lp != NULL);
    for (uint32_t k = 0; k < f->n_regions * f->n_sides * f->n_types; k++) {
        ck_assert(dcp_lp_add_col(lp, 0, DCP_LP_INF, cost[k], false) !=
                  UINT32_MAX);
    }
    return lp;
}

static struct drawn
draw_row(const struct dcp_fold *f, struct dcp_rng *rng)
{
    uint32_t region = (uint32_t)dcp_rng_below(rng, REGIONS + 1);
    uint32_t side = (uint32_t)dcp_rng_below(rng, 3);
    struct drawn r = { .part = { region < REGIONS ? region : DCP_FOLD_ANY,
                                 side < 2 && f->n_sides > 1 ? side
                                                            : DCP_FOLD_ANY },
                       .low = (double)dcp_rng_below(rng, 8) - 1,
                       .with_spares = dcp_rng_below(rng, 2) };

    for (uint32_t t = 0; t < TYPES; t++) {
        r.coefficient[t] = 1 + (double)dcp_rng_below(rng, 4);
    }
    return r;
}

START_TEST(needless_rows_change_nothing)
{
    uint32_t n_left_out = 0;

    for (uint64_t seed = 0; seed < 200; seed++) {
        struct dcp_rng rng = dcp_rng_stream(seed, "test", 0);
        struct dcp_fold f = { .n_types = TYPES,
                              .n_regions = REGIONS,
                              .n_sides = seed % 2 ? DCP_FOLD_SIDES : 1 };
        struct dcp_host_rows all = { .f = &f };
        double cost[REGIONS * DCP_FOLD_SIDES * TYPES];

        for (uint32_t k = 0; k < REGIONS * DCP_FOLD_SIDES * TYPES; k++) {
            cost[k] = 1 + (double)dcp_rng_below(&rng, 9);
        }
        DCP_AUTO(dcp_lp) struct dcp_lp *whole = columns(&f, cost);
        DCP_AUTO(dcp_lp) struct dcp_lp *few = columns(&f, cost);

        for (uint32_t i = 0; i < ROWS; i++) {
            struct drawn r = draw_row(&f, &rng);
            struct dcp_host_rows one = { .f = &f };

            ck_assert(dcp_host_rows_add(&all, r.part, r.low, r.coefficient,
                                        r.with_spares));
            ck_assert(dcp_host_rows_add(&one, r.part, r.low, r.coefficient,
                                        r.with_spares));
            ck_assert(dcp_host_rows_emit(&one, whole));
            dcp_host_rows_finish(&one);
        }
        ck_assert(dcp_host_rows_emit(&all, few));
        dcp_host_rows_finish(&all);
        ck_assert_double_eq_tol(least(whole), least(few), 1e-6);
        n_left_out += dcp_lp_n_rows(whole) - dcp_lp_n_rows(few);
    }
    ck_assert_uint_gt(n_left_out, 200 * ROWS / 4);
}
END_TEST

/* Rows that differ by roundings alone: whatever seems to follow from what, the
 * part is still asked for its hosts. */
START_TEST(some_row_of_a_part_stays)
{
    for (uint64_t seed = 0; seed < 40000; seed++) {
        struct dcp_rng rng = dcp_rng_stream(seed, "roundings", 0);
        struct dcp_fold f = { .n_types = TYPES, .n_regions = 1, .n_sides = 1 };
        struct dcp_host_rows rows = { .f = &f };
        struct dcp_part part = { DCP_FOLD_ANY, DCP_FOLD_ANY };
        double cost[TYPES] = { 1, 1, 1 }, ratio[TYPES], value[TYPES];
        DCP_AUTO(dcp_lp) struct dcp_lp *lp = columns(&f, cost);

        for (uint32_t t = 0; t < TYPES; t++) {
            ratio[t] = 1 + dcp_rng_unit(&rng);
        }
        for (uint32_t i = 0; i < 3; i++) {
            double low = 1 + 7 * dcp_rng_unit(&rng);

            for (uint32_t t = 0; t < TYPES; t++) {
                value[t] =
                    low * ratio[t] *
                    (1 + ((double)dcp_rng_below(&rng, 3) - 1) * DBL_EPSILON);
            }
            ck_assert(dcp_host_rows_add(&rows, part, low, value, false));
        }
        ck_assert(dcp_host_rows_emit(&rows, lp));
        ck_assert_uint_gt(dcp_lp_n_rows(lp), 0);
        dcp_host_rows_finish(&rows);
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &needless_rows_change_nothing,
        &some_row_of_a_part_stays,
    };

    return RUN_TESTS("host_rows", tests);
}
