/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/standing.h"
#include "tests/unit/ledger_fixture.h"

/* Hosts of 2, 8 and 4 cores of 1,000 MHz, of which half may be used. */
static struct dcp_inventory *
three_hosts(void)
{
    struct dcp_hardware hw[] = { fixture_hardware(1, 2), fixture_hardware(1, 8),
                                 fixture_hardware(1, 4) };
    struct dcp_inventory *inv =
        fixture_create(hw, 3, (const uint32_t[]){ 1, 1, 1, 1 }, 4);

    inv->policy.target_cpu_frac = 0.5;
    inv->policy.target_mem_frac = 1;
    return inv;
}

/* Three slots of four VMs. */
static const uint32_t mhz[4 * 8] = {
    100, 900,  100, 0, 0, 0, 0, 0, /* */
    200, 1000, 100, 0, 0, 0, 0, 0, /* */
    300, 1000, 100, 0, 0, 0, 0, 0, /* */
    400, 2000, 500, 0, 0, 0, 0, 0,
};
static const struct dcp_demand demand = {
    .n_vms = 4, .n_slots = 3, .stride = 8, .cpu_mhz = mhz
};

static struct dcp_placement *
placed(const struct dcp_inventory *inv)
{
    struct dcp_placement *p = dcp_placement_start(inv, NULL);

    ck_assert_ptr_nonnull(p);
    for (uint32_t v = 0; v < 4; v++) {
        p->host[v].ix = v % 3;
    }
    p->on[0] = p->on[1] = p->on[2] = 1;
    return p;
}

static struct dcp_standing
look(const struct dcp_inventory *inv, const struct dcp_placement *p,
     uint32_t first, uint32_t last)
{
    struct dcp_standing s;

    ck_assert(dcp_standing_look(
        inv, &demand, p, (struct dcp_standing_slots){ first, last, last }, &s,
        NULL));
    return s;
}

START_TEST(hosts_are_counted_beyond_what_comes_soon)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = three_hosts();
    DCP_AUTO(dcp_placement) struct dcp_placement *p = placed(inv);
    struct dcp_standing s;

    ck_assert(dcp_standing_look(
        inv, &demand, p, (struct dcp_standing_slots){ 0, 1, 3 }, &s, NULL));
    ck_assert_double_eq(s.fullest_frac, look(inv, p, 0, 1).fullest_frac);
    ck_assert_uint_eq(s.hosts_at_least, look(inv, p, 0, 3).hosts_at_least);
    ck_assert_uint_ne(s.hosts_at_least, look(inv, p, 0, 1).hosts_at_least);
}
END_TEST

START_TEST(the_fullest_host_in_its_fullest_slot)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = three_hosts();
    DCP_AUTO(dcp_placement) struct dcp_placement *p = placed(inv);

    /* VMs 0 and 3 on 1,000 MHz: 500 in the first slot, then 2,900, 600. */
    ck_assert_double_eq_tol(look(inv, p, 0, 3).fullest_frac, 2.9, 1e-12);
    ck_assert_double_eq_tol(look(inv, p, 0, 1).fullest_frac, 0.5, 1e-12);
    ck_assert_double_eq_tol(look(inv, p, 2, 3).fullest_frac, 0.6, 1e-12);
    p->on[0] = 0; /* Not there to be full. */
    ck_assert_double_eq_tol(look(inv, p, 0, 3).fullest_frac, 0.5, 1e-12);
    for (uint32_t v = 0; v < 4; v++) {
        p->host[v] = dcp_host_none();
    }
    ck_assert_double_eq(look(inv, p, 0, 3).fullest_frac, 0);
    ck_assert_uint_eq(look(inv, p, 0, 3).hosts_at_least, 0);
}
END_TEST

START_TEST(the_largest_hosts_that_would_do)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = three_hosts();
    DCP_AUTO(dcp_placement) struct dcp_placement *p = placed(inv);

    /* 1,000; 4,900; 800 MHz on 4,000, 2,000 and 1,000. */
    ck_assert_uint_eq(look(inv, p, 0, 1).hosts_at_least, 1);
    ck_assert_uint_eq(look(inv, p, 0, 3).hosts_at_least, 2);
    /* Four times 1,024 MiB, on hosts of 64 GiB; then of 1.5 GiB. */
    inv->policy.target_mem_frac = 1536.0 / 65536;
    ck_assert_uint_eq(look(inv, p, 0, 1).hosts_at_least, 3);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("standing");
    TCase *tc = tcase_create("standing");

    tcase_add_test(tc, the_fullest_host_in_its_fullest_slot);
    tcase_add_test(tc, hosts_are_counted_beyond_what_comes_soon);
    tcase_add_test(tc, the_largest_hosts_that_would_do);
    suite_add_tcase(suite, tc);
    return fixture_run(suite);
}
