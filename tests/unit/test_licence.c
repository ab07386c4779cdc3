/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The worked examples are vendors' own; docs/formulas.md cites each. */

#include "model/licence.h"
#include "tests/unit/ledger_fixture.h"

static struct dcp_licence *
cover_all(struct dcp_inventory *inv, enum dcp_licence_metric metric)
{
    struct dcp_licence *licence = dcp_arena_new(inv->arena, struct dcp_licence);
    uint32_t *ix = dcp_arena_array(inv->arena, uint32_t, inv->n_vms);

    for (uint32_t i = 0; i < inv->n_vms; i++) {
        ix[i] = i;
    }
    *licence = (struct dcp_licence){
        .name = "p",
        .vms = { ix, inv->n_vms },
        .metric = metric,
        .factor = 1,
        .price_per_year = 365.25,
    };
    inv->licences = licence;
    inv->n_licences = 1;
    return licence;
}

static struct dcp_placement *
place(const struct dcp_inventory *inv, const uint32_t hosts[])
{
    struct dcp_placement *p = dcp_placement_create(inv, NULL);

    ck_assert_ptr_nonnull(p);
    for (uint32_t i = 0; i < inv->n_vms; i++) {
        p->host[i] = (dcp_host_id){ hosts[i] };
    }
    return p;
}

static struct dcp_licence_need
count(const struct dcp_inventory *inv, const uint32_t hosts[])
{
    DCP_AUTO(dcp_placement) struct dcp_placement *p = place(inv, hosts);
    struct dcp_licence_need need;

    dcp_licence_count(inv, 0, (const struct dcp_placement *const[]){ p }, 1,
                      &need);
    return need;
}

static double
one_host_units(struct dcp_hardware hw, struct dcp_licence licence,
               uint32_t n_vms)
{
    DCP_AUTO(dcp_inventory)
    struct dcp_inventory *inv = fixture_create(&hw, 1, NULL, 0);

    return dcp_licence_host_units(inv, &licence, (dcp_host_id){ 0 }, n_vms, 0);
}

START_TEST(windows_server_per_core)
{
    struct dcp_licence datacenter = { .metric = DCP_LICENCE_CORE,
                                      .minimum = 16,
                                      .minimum_per_socket = 8,
                                      .factor = 1,
                                      .guests_free_on_host = true };
    struct dcp_licence standard = datacenter;

    standard.guests_free_on_host = false;
    standard.guests_per_cover = 2;
    ck_assert_double_eq(one_host_units(fixture_hardware(2, 6), datacenter, 1),
                        16);
    ck_assert_double_eq(one_host_units(fixture_hardware(4, 4), datacenter, 1),
                        32);
    ck_assert_double_eq(one_host_units(fixture_hardware(1, 4), datacenter, 1),
                        16);
    ck_assert_double_eq(one_host_units(fixture_hardware(4, 8), datacenter, 10),
                        32);
    ck_assert_double_eq(one_host_units(fixture_hardware(4, 8), standard, 10),
                        160);
    ck_assert_double_eq(one_host_units(fixture_hardware(4, 8), standard, 9),
                        160);
    ck_assert_double_eq(one_host_units(fixture_hardware(4, 8), standard, 2),
                        32);
    ck_assert_double_eq(one_host_units(fixture_hardware(4, 8), standard, 0), 0);
}
END_TEST

START_TEST(vmware_cores_at_least_16_a_processor)
{
    struct dcp_licence vcf = { .metric = DCP_LICENCE_CORE,
                               .minimum_per_socket = 16,
                               .factor = 1 };

    ck_assert_double_eq(one_host_units(fixture_hardware(2, 8), vcf, 1), 32);
    ck_assert_double_eq(one_host_units(fixture_hardware(2, 24), vcf, 1), 48);
    ck_assert_double_eq(one_host_units(fixture_hardware(2, 20), vcf, 1), 40);

    /* Every host counts, idle or not: 3 hosts 1x8 -> 48. */
    struct dcp_hardware hw[] = { fixture_hardware(1, 8), fixture_hardware(1, 8),
                                 fixture_hardware(1, 8) };
    DCP_AUTO(dcp_inventory)
    struct dcp_inventory *inv =
        fixture_create(hw, 3, (const uint32_t[]){ 2 }, 1);
    struct dcp_licence *licence = cover_all(inv, DCP_LICENCE_CORE);

    licence->minimum_per_socket = 16;
    licence->scope = DCP_LICENCE_REACHABLE;
    ck_assert_double_eq(count(inv, (const uint32_t[]){ 1 }).units, 48);
    licence->scope = DCP_LICENCE_PLACED;
    ck_assert_double_eq(count(inv, (const uint32_t[]){ 1 }).units, 16);
}
END_TEST

/* 10 sockets with 20 VMs + 20 sockets with 60 VMs -> 15 virtual-datacentre
 * subscriptions; 10 VMs at half a server subscription each -> 5. */
START_TEST(rhel_socket_pairs_and_pairs_of_vms)
{
    struct dcp_hardware hw[] = { fixture_hardware(10, 1),
                                 fixture_hardware(20, 1) };
    uint32_t vcpus[80], hosts[80];

    for (uint32_t i = 0; i < 80; i++) {
        vcpus[i] = 1;
        hosts[i] = i >= 20;
    }
    DCP_AUTO(dcp_inventory)
    struct dcp_inventory *inv = fixture_create(hw, 2, vcpus, 80);
    struct dcp_licence *licence = cover_all(inv, DCP_LICENCE_SOCKET_PAIR);

    licence->guests_free_on_host = true;
    licence->owned = 12;
    struct dcp_licence_need need = count(inv, hosts);

    ck_assert_double_eq(need.units, 15);
    ck_assert_double_eq(need.short_units, 3);
    ck_assert_uint_eq(need.n_hosts, 2);
    ck_assert_uint_eq(need.n_vms, 80);

    licence = cover_all(inv, DCP_LICENCE_VM);
    licence->factor = 0.5;
    licence->vms.n = 10;
    ck_assert_double_eq(count(inv, hosts).units, 5);
    licence->vms.n = 9;
    ck_assert_double_eq(count(inv, hosts).units, 5);
    /* A pair that is not full counts. */
    ck_assert_double_eq(
        one_host_units(fixture_hardware(3, 1),
                       (struct dcp_licence){ .metric = DCP_LICENCE_SOCKET_PAIR,
                                             .factor = 1 },
                       1),
        2);
}
END_TEST

/* Core factor 0.5, rounded up once after summing: 3 + 3 cores -> 3, not 4. */
START_TEST(oracle_rounds_the_total)
{
    struct dcp_hardware hw[] = { fixture_hardware(1, 3),
                                 fixture_hardware(1, 3) };
    DCP_AUTO(dcp_inventory)
    struct dcp_inventory *inv =
        fixture_create(hw, 2, (const uint32_t[]){ 1, 1 }, 2);
    struct dcp_licence *licence = cover_all(inv, DCP_LICENCE_CORE);

    licence->factor = 0.5;
    ck_assert_double_eq(count(inv, (const uint32_t[]){ 0, 1 }).units, 3);
    ck_assert_double_eq(count(inv, (const uint32_t[]){ 0, 0 }).units, 2);
}
END_TEST

/* SQL Server by VM: at least 4 cores a VM; IBM sub-capacity: vCPUs, but not
 * more than the host's cores. */
START_TEST(vcpus_by_vm)
{
    struct dcp_hardware hw[] = { fixture_hardware(2, 4) };
    DCP_AUTO(dcp_inventory)
    struct dcp_inventory *inv =
        fixture_create(hw, 1, (const uint32_t[]){ 2, 6, 4 }, 3);
    struct dcp_licence *licence = cover_all(inv, DCP_LICENCE_VCPU);

    licence->minimum = 4;
    ck_assert_double_eq(count(inv, (const uint32_t[]){ 0, 0, 0 }).units, 14);
    licence->minimum = 0;
    ck_assert_double_eq(count(inv, (const uint32_t[]){ 0, 0, 0 }).units, 12);
    licence->guests_free_on_host = true;
    licence->factor = 70; /* PVU per core. */
    ck_assert_double_eq(count(inv, (const uint32_t[]){ 0, 0, 0 }).units, 560);
    ck_assert_double_eq(
        count(inv, (const uint32_t[]){ 0, DCP_IX_NONE, DCP_IX_NONE }).units,
        140);
}
END_TEST

START_TEST(scope_over_a_night_and_a_day)
{
    struct dcp_hardware hw[] = { fixture_hardware(2, 8), fixture_hardware(2, 8),
                                 fixture_hardware(2, 8) };
    DCP_AUTO(dcp_inventory)
    struct dcp_inventory *inv =
        fixture_create(hw, 3, (const uint32_t[]){ 1, 1 }, 2);
    struct dcp_licence *licence = cover_all(inv, DCP_LICENCE_SOCKET);
    DCP_AUTO(dcp_placement)
    struct dcp_placement *night = place(inv, (const uint32_t[]){ 0, 0 });
    DCP_AUTO(dcp_placement)
    struct dcp_placement *day = place(inv, (const uint32_t[]){ 1, 2 });
    const struct dcp_placement *both[] = { night, day };
    struct dcp_licence_need need;

    dcp_licence_count(inv, 0, both, 2, &need);
    ck_assert_double_eq(need.units, 4); /* The day's two hosts. */
    licence->scope = DCP_LICENCE_EVER_PLACED;
    dcp_licence_count(inv, 0, both, 2, &need);
    ck_assert_double_eq(need.units, 6); /* All three. */
    ck_assert_uint_eq(need.n_vms, 2);
    ck_assert_uint_eq(need.n_hosts, 3);
    /* One unit costs 365.25 a year, so 1 a day. */
    ck_assert_double_eq_tol(dcp_licence_cost(inv, both, 2, DCP_DAY_MS), 6,
                            1e-9);
}
END_TEST

/* A VM whose volume is on a pool that only host 0 opens reaches only that. */
START_TEST(reach_is_by_storage_and_hypervisor)
{
    struct dcp_hardware hw[] = { fixture_hardware(1, 1),
                                 fixture_hardware(1, 1) };
    DCP_AUTO(dcp_inventory)
    struct dcp_inventory *inv =
        fixture_create(hw, 2, (const uint32_t[]){ 1 }, 1);
    struct dcp_licence *licence = cover_all(inv, DCP_LICENCE_HOST);
    static const uint32_t zero[] = { 0 };
    struct dcp_pool pool = { .name = "p", .reach = { zero, 1 } };
    struct dcp_volume volume = { .vm = { 0 }, .pool = { 0 }, .size_mib = 10 };

    licence->scope = DCP_LICENCE_REACHABLE;
    ck_assert_double_eq(count(inv, (const uint32_t[]){ 0 }).units, 2);
    inv->pools = &pool;
    inv->n_pools = 1;
    inv->volumes = &volume;
    inv->n_volumes = 1;
    fixture_vm(inv, 0)->n_volumes = 1;
    ck_assert_double_eq(count(inv, (const uint32_t[]){ 0 }).units, 1);
    pool.reach_all = true;
    ck_assert_double_eq(count(inv, (const uint32_t[]){ 0 }).units, 2);
    fixture_vm(inv, 0)->hypervisors = (struct dcp_ids){ zero, 1 };
    ck_assert_double_eq(count(inv, (const uint32_t[]){ DCP_IX_NONE }).units, 0);
    fixture_host(inv, 1)->hypervisor = (dcp_hypervisor_id){ 0 };
    ck_assert_double_eq(count(inv, (const uint32_t[]){ DCP_IX_NONE }).units, 1);
}
END_TEST

/* A hypervisor's own licence: hosts that run another one need none. */
START_TEST(licences_of_hypervisors)
{
    struct dcp_hardware hw[] = { fixture_hardware(2, 12),
                                 fixture_hardware(2, 12),
                                 fixture_hardware(2, 24) };
    DCP_AUTO(dcp_inventory)
    struct dcp_inventory *inv =
        fixture_create(hw, 3, (const uint32_t[]){ 2, 4, 8 }, 3);
    struct dcp_licence *licence = cover_all(inv, DCP_LICENCE_CORE);

    for (uint32_t h = 0; h < 3; h++) {
        fixture_host(inv, h)->hypervisor = (dcp_hypervisor_id){ h == 1 };
    }
    licence->minimum_per_socket = 16;
    licence->of_hypervisor = true;
    licence->hypervisor = (dcp_hypervisor_id){ 0 };
    ck_assert_double_eq(count(inv, (const uint32_t[]){ 0, 1, 2 }).units,
                        32 + 48);
    ck_assert_uint_eq(count(inv, (const uint32_t[]){ 0, 1, 2 }).n_hosts, 2);
    ck_assert_double_eq(count(inv, (const uint32_t[]){ 1, 1, 1 }).units, 0);
    ck_assert_uint_eq(count(inv, (const uint32_t[]){ 1, 1, 1 }).n_hosts, 0);
    licence->scope = DCP_LICENCE_REACHABLE;
    ck_assert_double_eq(count(inv, (const uint32_t[]){ 1, 1, 1 }).units,
                        32 + 48);
    licence->scope = DCP_LICENCE_PLACED;
    licence->metric = DCP_LICENCE_VCPU;
    ck_assert_double_eq(count(inv, (const uint32_t[]){ 0, 1, 2 }).units, 10);
    ck_assert_double_eq(count(inv, (const uint32_t[]){ 1, 1, 2 }).units, 8);
}
END_TEST

/* More hosts than one block of the counter holds. */
START_TEST(counts_beyond_one_block)
{
    enum { N = 2500 };
    static struct dcp_hardware hw[N];
    static uint32_t vcpus[N], hosts[N];

    for (uint32_t i = 0; i < N; i++) {
        hw[i] = fixture_hardware(2, 4);
        vcpus[i] = 1;
        hosts[i] = N - 1 - i;
    }
    DCP_AUTO(dcp_inventory)
    struct dcp_inventory *inv = fixture_create(hw, N, vcpus, N);

    cover_all(inv, DCP_LICENCE_SOCKET);
    ck_assert_double_eq(count(inv, hosts).units, 2 * N);
    ck_assert_uint_eq(count(inv, hosts).n_hosts, N);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("licence");
    TCase *tc = tcase_create("licence");

    tcase_add_test(tc, windows_server_per_core);
    tcase_add_test(tc, vmware_cores_at_least_16_a_processor);
    tcase_add_test(tc, rhel_socket_pairs_and_pairs_of_vms);
    tcase_add_test(tc, oracle_rounds_the_total);
    tcase_add_test(tc, vcpus_by_vm);
    tcase_add_test(tc, scope_over_a_night_and_a_day);
    tcase_add_test(tc, reach_is_by_storage_and_hypervisor);
    tcase_add_test(tc, licences_of_hypervisors);
    tcase_add_test(tc, counts_beyond_one_block);
    suite_add_tcase(suite, tc);
    return fixture_run(suite);
}
