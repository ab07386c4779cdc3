/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What a step needs of connect.yaml, kind by kind. */

#include "executors/reach.h"
#include "tests/unit/exec_fixture.h"
#include "tests/unit/run_suite.h"

static struct fixture f;
static struct dcp_connect_host hosts[3];
static struct dcp_connect_switch switches[1];
static struct dcp_connect_pool pools[1];
static struct dcp_connect connect;
static struct dcp_switch tor = { .name = "tor1" };
static struct dcp_pool pool = { .name = "bulk" };
static struct dcp_port port;
static char why[DCP_REACH_TEXT_SIZE];

static void
setup(void)
{
    fixture_init(&f, 3, 3);
    for (int h = 0; h < 3; h++) {
        hosts[h] = (struct dcp_connect_host){ .libvirt = "",
                                              .bmc.type = DCP_BMC_NONE };
    }
    switches[0] = (struct dcp_connect_switch){ .ovsdb = "", .bridge = "" };
    pools[0] = (struct dcp_connect_pool){ .path = "", .nbd = "", .iscsi = "" };
    connect = (struct dcp_connect){ .hosts = hosts,
                                    .switches = switches,
                                    .pools = pools };
    port = (struct dcp_port){ .nic = "eth1", .to = { 0 }, .port = "p1" };
    static struct dcp_host with_port[3];

    memcpy(with_port, f.inv->hosts, sizeof with_port);
    with_port[0].ports = &port;
    with_port[0].n_ports = 1;
    f.inv->hosts = with_port;
    f.inv->switches = &tor, f.inv->n_switches = 1;
    f.inv->pools = &pool, f.inv->n_pools = 1;
}

static void
teardown(void)
{
    fixture_finish(&f);
}

static bool
reaches(uint32_t id)
{
    return dcp_reach_step(f.inv, &connect, &f.steps[id - 1], why);
}

START_TEST(moves_need_both_hypervisors)
{
    uint32_t id = fixture_move(&f, 0, 0, 1, 1000, 0);

    ck_assert(!reaches(id));
    ck_assert_msg(strstr(why, "hypervisor of 'h1'") != NULL, "%s", why);
    hosts[0].libvirt = "qemu+tcp://a/system";
    ck_assert(!reaches(id));
    ck_assert_msg(strstr(why, "hypervisor of 'h2'") != NULL, "%s", why);
    hosts[1].libvirt = "qemu+tcp://b/system";
    ck_assert(reaches(id));
    ck_assert_str_eq(why, "");
}
END_TEST

START_TEST(power_needs_a_bmc_and_who_tells_of_guests)
{
    uint32_t on = fixture_step(&f, DCP_STEP_HOST_ON, 0, 0, 0, 1000, 0);
    uint32_t off = fixture_step(&f, DCP_STEP_HOST_OFF, 0, 0, 0, 1000, 0);
    static const char *const guard[] = { "guard" };

    ck_assert(!reaches(on));
    ck_assert_ptr_nonnull(strstr(why, "BMC of 'h1'"));
    ck_assert(!reaches(off));
    hosts[0].bmc.type = DCP_BMC_WAKE_ON_LAN;
    ck_assert(!reaches(on));
    ck_assert_ptr_nonnull(strstr(why, "hypervisor of 'h1'"));
    hosts[0].libvirt = "qemu+tcp://a/system";
    ck_assert(reaches(on));
    ck_assert(!reaches(off));
    ck_assert_ptr_nonnull(strstr(why, "only wakes"));
    hosts[0].guard = guard, hosts[0].n_guard = 1;
    ck_assert(reaches(off));
    hosts[0].n_guard = 0;
    hosts[0].bmc.type = DCP_BMC_IPMI;
    ck_assert(reaches(on) && reaches(off));
}
END_TEST

START_TEST(trunks_need_the_switches_of_the_host)
{
    uint32_t on_h1 = fixture_step(&f, DCP_STEP_VLAN_TRUNK, 0, 0, 1, 1000, 0);
    uint32_t on_h2 = fixture_step(&f, DCP_STEP_VLAN_UNTRUNK, 1, 0, 1, 1000, 0);

    ck_assert(reaches(on_h2)); /* It hangs on none. */
    ck_assert(!reaches(on_h1));
    ck_assert_ptr_nonnull(strstr(why, "'tor1'"));
    switches[0].ovsdb = "tcp:10.0.0.1:6640";
    ck_assert(reaches(on_h1));
    switches[0].ovsdb = "", switches[0].bridge = "br0";
    ck_assert(reaches(on_h1));
}
END_TEST

START_TEST(volumes_need_their_pool)
{
    struct dcp_step s = { .id = 1,
                          .kind = DCP_STEP_VOLUME_MOVE,
                          .to = { DCP_OBJECT_POOL, 0 } };

    ck_assert(!dcp_reach_step(f.inv, &connect, &s, why));
    ck_assert_ptr_nonnull(strstr(why, "'bulk'"));
    pools[0].nbd = "tcp:10.0.0.1:10809";
    ck_assert(dcp_reach_step(f.inv, &connect, &s, why));
    s.kind = DCP_STEP_SYNC;
    ck_assert(dcp_reach_step(f.inv, &connect, &s, why));
}
END_TEST

static const TTest *const *const tests[] = {
    &moves_need_both_hypervisors,
    &power_needs_a_bmc_and_who_tells_of_guests,
    &trunks_need_the_switches_of_the_host,
    &volumes_need_their_pool,
};

int
main(void)
{
    return run_tests_with("reach", tests, sizeof tests / sizeof tests[0], setup,
                          teardown);
}
