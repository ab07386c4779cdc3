/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The packing engine's contract on hand-made problems. */

#include "solver/pack/pack.h"
#include "tests/unit/run_suite.h"

static struct dcp_pack_answer
solve(const struct dcp_pack_problem *p)
{
    struct dcp_pack_options o = { .iterations = 20, .seed = 1 };
    struct dcp_pack_answer a;
    struct dcp_error err = { 0 };
    uint64_t cost = 0;

    ck_assert_msg(dcp_pack_solve(p, &o, &a, &err), "%s", err.message);
    if (a.status <= DCP_PACK_FEASIBLE) {
        ck_assert_msg(dcp_pack_verify(p, &a.packing, &cost, &err), "%s",
                      err.message);
        ck_assert_uint_eq(cost, a.packing.cost);
        ck_assert_uint_ge(cost, a.bound);
    }
    return a;
}

START_TEST(fewest_bins)
{
    static const int32_t size[] = { 7, 6, 5, 4, 3, 5 }, capacity[] = { 10 };
    struct dcp_pack_problem p = { .n_dims = 1,
                                  .n_items = 6,
                                  .n_bins = 1,
                                  .size = size,
                                  .capacity = capacity };
    struct dcp_pack_answer a = solve(&p);

    ck_assert_int_eq(a.status, DCP_PACK_OPTIMAL);
    ck_assert_uint_eq(a.packing.cost, 3);
    dcp_pack_answer_finish(&a);
}
END_TEST

START_TEST(nothing_to_pack)
{
    static const int32_t capacity[] = { 10, 3 };
    struct dcp_pack_problem p = { .n_dims = 2,
                                  .n_bins = 1,
                                  .capacity = capacity };
    struct dcp_pack_answer a = solve(&p);

    ck_assert_int_eq(a.status, DCP_PACK_OPTIMAL);
    ck_assert_uint_eq(a.packing.n_bins, 0);
    dcp_pack_answer_finish(&a);
}
END_TEST

START_TEST(what_fits_nowhere_is_infeasible)
{
    static const int32_t size[] = { 3, 11 }, capacity[] = { 10, 10 };
    static const int32_t small[] = { 3, 3 };
    static const uint32_t demand[] = { 7 }, limit[] = { 2 };
    struct dcp_pack_problem too_large = { .n_dims = 2,
                                          .n_items = 1,
                                          .n_bins = 1,
                                          .size = size,
                                          .capacity = capacity };
    struct dcp_pack_problem too_many = { .n_dims = 2,
                                         .n_items = 1,
                                         .n_bins = 1,
                                         .size = small,
                                         .demand = demand,
                                         .capacity = capacity,
                                         .limit = limit };

    ck_assert_int_eq(solve(&too_large).status, DCP_PACK_INFEASIBLE);
    ck_assert_int_eq(solve(&too_many).status, DCP_PACK_INFEASIBLE);
}
END_TEST

/* Small bins cost less for each item, but only two exist. */
START_TEST(bins_of_several_types)
{
    static const int32_t size[] = { 4, 2 }, capacity[] = { 4, 2, 8, 9 };
    static const uint32_t demand[] = { 6 }, cost[] = { 3, 7 },
                          limit[] = { 2, 9 };
    struct dcp_pack_problem p = { .n_dims = 2,
                                  .n_items = 1,
                                  .n_bins = 2,
                                  .size = size,
                                  .demand = demand,
                                  .capacity = capacity,
                                  .cost = cost,
                                  .limit = limit };
    struct dcp_pack_answer a = solve(&p);

    ck_assert_uint_eq(a.packing.cost, 20);
    dcp_pack_answer_finish(&a);
}
END_TEST

START_TEST(items_only_where_they_may_be)
{
    static const int32_t size[] = { 1, 1 }, capacity[] = { 2, 2 };
    static const uint8_t allowed[] = { 1, 0, 0, 1 };
    struct dcp_pack_problem p = { .n_dims = 1,
                                  .n_items = 2,
                                  .n_bins = 2,
                                  .size = size,
                                  .capacity = capacity,
                                  .allowed = allowed };
    struct dcp_pack_answer a = solve(&p);

    ck_assert_uint_eq(a.packing.cost, 2);
    dcp_pack_answer_finish(&a);
}
END_TEST

START_TEST(contracts_are_checked)
{
    static const int32_t size[] = { 1 }, capacity[] = { -1 };
    static const int32_t good[] = { 1 };
    static const uint32_t free_of_charge[] = { 0 };
    struct dcp_pack_problem p = { .n_dims = 1,
                                  .n_items = 1,
                                  .n_bins = 1,
                                  .size = size,
                                  .capacity = capacity };
    struct dcp_pack_options o = { .iterations = 1 };
    struct dcp_pack_answer a;
    struct dcp_error err;

    ck_assert(!dcp_pack_solve(&p, &o, &a, &err));
    ck_assert_int_eq(err.code, DCP_E_ARGUMENT);
    p.capacity = good;
    p.cost = free_of_charge;
    ck_assert(!dcp_pack_solve(&p, &o, &a, &err));
    ck_assert_int_eq(err.code, DCP_E_ARGUMENT);
    p.cost = NULL;
    p.n_dims = 0;
    ck_assert(!dcp_pack_solve(&p, &o, &a, &err));
    ck_assert_int_eq(err.code, DCP_E_ARGUMENT);
}
END_TEST

START_TEST(a_wrong_packing_is_refused)
{
    static const int32_t size[] = { 6, 5 }, capacity[] = { 10 };
    struct dcp_pack_problem p = { .n_dims = 1,
                                  .n_items = 2,
                                  .n_bins = 1,
                                  .size = size,
                                  .capacity = capacity };
    uint32_t bin[] = { 0, 0 }, first[] = { 0, 2, 2 }, item[] = { 0, 1 };
    struct dcp_pack_packing q = {
        .n_bins = 1, .bin = bin, .first = first, .item = item
    };
    uint64_t cost;

    ck_assert(!dcp_pack_verify(&p, &q, &cost, NULL)); /* Overfull. */
    first[1] = 1;
    ck_assert(!dcp_pack_verify(&p, &q, &cost, NULL)); /* One is missing. */
    q.n_bins = 2;
    ck_assert(dcp_pack_verify(&p, &q, &cost, NULL));
    ck_assert_uint_eq(cost, 2);
    item[1] = 0;
    ck_assert(!dcp_pack_verify(&p, &q, &cost, NULL)); /* Twice the first. */
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &fewest_bins,
        &nothing_to_pack,
        &what_fits_nowhere_is_infeasible,
        &bins_of_several_types,
        &items_only_where_they_may_be,
        &contracts_are_checked,
        &a_wrong_packing_is_refused,
    };

    return RUN_TESTS("pack", tests);
}
