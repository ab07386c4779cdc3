/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Purchases counted by hand: hosts of 10 cores and 100,000 MiB. */

#include "model/purchase.h"

#include "tests/support/world.h"
#include "tests/unit/run_suite.h"

static struct dcp_purchases
count(struct world *w)
{
    struct dcp_error err = { 0 };
    struct dcp_purchases p;
    DCP_AUTO(dcp_placement)
    struct dcp_placement *now = dcp_placement_start(w->inv, &err);

    ck_assert_ptr_nonnull(now);
    ck_assert_msg(dcp_purchases_count(w->inv, &w->demand, now, &p, &err), "%s",
                  err.message);
    return p;
}

START_TEST(memory_where_memory_binds)
{
    struct world w = world_make(2, 4);

    for (uint32_t v = 0; v < 4; v++) { /* Two on each host: 80,000 MiB. */
        w.vms[v].mem_mib = 40000;
        w.vms[v].host.ix = v % 2;
    }
    struct dcp_purchases p = count(&w);

    ck_assert_uint_eq(p.n, 2);
    /* A host takes two; twice the memory lets each of two hosts take
     * floor(120,000 / 40,000) = 3. */
    ck_assert_int_eq(p.item[0].kind, DCP_PURCHASE_MEMORY);
    ck_assert_int_eq(p.item[0].more, 6);
    ck_assert_uint_eq(p.item[0].mem_mib, 200000);
    ck_assert_double_eq(p.item[0].more_per_host, 3);
    ck_assert_int_eq(p.item[1].kind, DCP_PURCHASE_HOST);
    ck_assert_int_eq(p.item[1].more, 2);
    dcp_purchases_finish(&p);
    world_free(&w);
}
END_TEST

START_TEST(a_host_where_cpu_binds)
{
    struct world w = world_make(1, 2);

    for (uint32_t v = 0; v < 2; v++) {
        w.vms[v].mem_mib = 1000;
        w.vms[v].host.ix = 0;
        for (uint32_t t = 0; t < WORLD_SLOTS; t++) {
            w.cpu_mhz[v * w.demand.stride + t] = 5000;
        }
    }
    struct dcp_purchases p = count(&w);

    ck_assert_int_eq(p.item[0].kind, DCP_PURCHASE_HOST);
    ck_assert_int_eq(p.item[0].more, 2);
    ck_assert_int_eq(p.item[1].kind, DCP_PURCHASE_MEMORY);
    ck_assert_int_eq(p.item[1].more, 0);
    dcp_purchases_finish(&p);
    world_free(&w);
}
END_TEST

START_TEST(nothing_runs)
{
    struct world w = world_make(1, 0);
    struct dcp_purchases p = count(&w);

    ck_assert_uint_eq(p.n, 0);
    dcp_purchases_finish(&p);
    world_free(&w);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &memory_where_memory_binds,
        &a_host_where_cpu_binds,
        &nothing_runs,
    };

    return RUN_TESTS("purchase", tests);
}
