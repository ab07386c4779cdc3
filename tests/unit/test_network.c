/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Routes between hosts: two sites with two racks each, a site far away that
 * only the second reaches, and a direct link between two switches. */

#include "model/network.h"
#include "tests/unit/run_suite.h"

enum { A, B, FAR };              /* Sites. */
enum { A1, A2, B1, FAR1, N_SW }; /* Switches; A2's uplink has no limit. */
enum { A_B, B_FAR, DIRECT, N_LINKS };
#define LINK(L) (N_SW + (L))

static struct dcp_site sites[] = { { .name = "a" },
                                   { .name = "b" },
                                   { .name = "far" } };
static struct dcp_room rooms[] = { { .site = { A } },
                                   { .site = { B } },
                                   { .site = { FAR } } };
static struct dcp_rack racks[] = { { .room = { A } },
                                   { .room = { B } },
                                   { .room = { FAR } } };
static struct dcp_switch switches[N_SW];
static struct dcp_link links[N_LINKS];
static struct dcp_port ports[N_SW];
static struct dcp_host hosts[6];
static struct dcp_inventory inv;
static struct dcp_network *net;

static void
setup(void)
{
    static const uint32_t rack_of[N_SW] = { A, A, B, FAR };
    static const char *const names[N_SW] = { "a1", "a2", "b1", "far1" };

    for (uint32_t s = 0; s < N_SW; s++) {
        switches[s] = (struct dcp_switch){ .name = names[s],
                                           .rack = { rack_of[s] },
                                           .uplink_kib_s = 1000 + s };
        ports[s] = (struct dcp_port){ .to = { s } };
    }
    switches[A2].uplink_kib_s = 0;
    links[A_B] = (struct dcp_link){ "wan", { "a", "b" }, 500 };
    links[B_FAR] = (struct dcp_link){ "long", { "far", "b" }, 100 };
    links[DIRECT] = (struct dcp_link){ "cable", { "x", "x" }, 50 };
    for (uint32_t h = 0; h < 6; h++) {
        uint32_t s = h == 0 ? 0 : h - 1; /* The first switch has two. */

        hosts[h] = (struct dcp_host){ .rack = { h < 5 ? rack_of[s] : A },
                                      .ports = &ports[s],
                                      .n_ports = h < 5 };
    }
    inv = (struct dcp_inventory){
        .sites = sites,
        .n_sites = 3,
        .rooms = rooms,
        .n_rooms = 3,
        .racks = racks,
        .n_racks = 3,
        .switches = switches,
        .n_switches = N_SW,
        .links = links,
        .n_links = 2,
        .hosts = hosts,
        .n_hosts = 6,
    };
    net = NULL;
}

static void
teardown(void)
{
    dcp_network_destroy(net);
}

static void
make(void)
{
    dcp_network_destroy(net);
    net = dcp_network_create(&inv, NULL);
    ck_assert_ptr_nonnull(net);
}

static void
expect(uint32_t from, uint32_t to, uint32_t n, const struct dcp_hop wanted[])
{
    struct dcp_hop hop[DCP_ROUTE_MAX];

    ck_assert_uint_eq(dcp_network_route(net, from, to, hop), n);
    for (uint32_t i = 0; i < n; i++) {
        ck_assert_uint_eq(hop[i].link, wanted[i].link);
        ck_assert_int_eq(hop[i].back, wanted[i].back);
    }
}
#define EXPECT(FROM, TO, ...)                                                  \
    expect(FROM, TO,                                                           \
           sizeof((struct dcp_hop[]){ __VA_ARGS__ }) / sizeof(struct dcp_hop), \
           (struct dcp_hop[]){ __VA_ARGS__ })

START_TEST(routes)
{
    make();
    expect(0, 1, 0, NULL);       /* Behind one switch. */
    EXPECT(0, 2, { A1, false }); /* The other uplink has no limit. */
    EXPECT(2, 0, { A1, true });
    EXPECT(5, 0, { A1, true }); /* A host without ports is at its site. */
    EXPECT(0, 3, { A1, false }, { LINK(A_B), false }, { B1, true });
    EXPECT(3, 0, { B1, false }, { LINK(A_B), true }, { A1, true });
    EXPECT(1, 4, { A1, false }, { LINK(A_B), false }, { LINK(B_FAR), true },
           { FAR1, true });
    ck_assert_uint_eq(dcp_network_rate(net, LINK(B_FAR)), 100);
    ck_assert_uint_eq(dcp_network_rate(net, A1), 1000);
}
END_TEST

/* A cable between two switches is shorter than the way over their uplinks. */
START_TEST(switches_may_be_joined)
{
    inv.n_links = 3;
    links[DIRECT] = (struct dcp_link){ "cable", { "b1", "a1" }, 50 };
    make();
    EXPECT(0, 3, { LINK(DIRECT), true });
    EXPECT(0, 2, { A1, false });
    /* To the rest of that site, the fewest links. */
    EXPECT(2, 3, { LINK(A_B), false }, { B1, true });

    switches[A1].uplink_kib_s = 0; /* Then the cable is its only way. */
    make();
    EXPECT(0, 2, { LINK(DIRECT), true }, { B1, false }, { LINK(A_B), true });
}
END_TEST

START_TEST(without_limits_there_is_nothing_to_count)
{
    for (uint32_t s = 0; s < N_SW; s++) {
        switches[s].uplink_kib_s = 0;
    }
    inv.n_links = 0;
    make();
    ck_assert(!net->any);
    expect(0, 4, 0, NULL);
    switches[A1].uplink_kib_s = 7; /* No way is known to the other site. */
    make();
    EXPECT(0, 4, { A1, false });
}
END_TEST

START_TEST(production_on_links)
{
    static const double host_kib_s[] = { 10, 20, 5, 40, 8, 1 };
    double use[N_SW + N_LINKS];

    make();
    dcp_network_use(net, host_kib_s, use);
    ck_assert_double_eq(use[A1], 30);
    ck_assert_double_eq(use[B1], 40);
    ck_assert_double_eq(use[LINK(A_B)], (30 + 5 + 1 + 40) / 2.0);
    ck_assert_double_eq(use[LINK(B_FAR)], (40 + 8) / 2.0);
}
END_TEST

int
main(void)
{
    const TTest *const *const tests[] = {
        &routes,
        &switches_may_be_joined,
        &without_limits_there_is_nothing_to_count,
        &production_on_links,
    };

    return run_tests_with("network", tests, sizeof tests / sizeof *tests, setup,
                          teardown);
}
