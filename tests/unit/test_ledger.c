/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/ledger.h"
#include "tests/unit/ledger_fixture.h"
#include "tests/unit/run_suite.h"

enum {
    MEM = DCP_LEDGER_SCALAR + DCP_SCALAR_MEM,
    VCPU = DCP_LEDGER_SCALAR + DCP_SCALAR_VCPU,
};

/* 'n_hosts' hosts of 16 cores of 1000 MHz and 64 GiB, usable to 80 % and
 * 90 %; VMs of 2 vCPUs and 8 GiB, placed round robin; demand: all. */
static struct dcp_inventory *
model(uint32_t n_hosts, uint32_t n_vms)
{
    static struct dcp_hardware hw[8];
    static uint32_t vcpus[64];

    for (uint32_t i = 0; i < n_hosts; i++) {
        hw[i] = fixture_hardware(2, 8);
    }
    for (uint32_t i = 0; i < n_vms; i++) {
        vcpus[i] = 2;
    }
    struct dcp_inventory *inv = fixture_create(hw, n_hosts, vcpus, n_vms);

    for (uint32_t i = 0; i < n_vms; i++) {
        fixture_vm(inv, i)->host.ix = i % n_hosts;
        fixture_vm(inv, i)->mem_mib = 8192;
    }
    inv->policy.target_cpu_frac = 0.8;
    inv->policy.target_mem_frac = 0.9;
    inv->policy.n_survive = 0;
    return inv;
}

static struct dcp_ledger *
ledger(const struct dcp_inventory *inv, const struct dcp_slot *slots,
       uint32_t n_slots)
{
    static const struct dcp_slot hour = { 0, DCP_HOUR_MS, 0 };
    DCP_AUTO(dcp_placement)
    struct dcp_placement *p = dcp_placement_start(inv, NULL);
    DCP_AUTO(dcp_demand)
    struct dcp_demand *d = dcp_demand_from_model(inv, slots ? slots : &hour,
                                                 slots ? n_slots : 1, NULL);
    struct dcp_ledger *l = dcp_ledger_create(inv, d, p, dcp_site_none(), NULL);

    ck_assert_ptr_nonnull(l);
    return l;
}

START_TEST(sums_by_hand)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(4, 10);

    fixture_vm(inv, 3)->cpu_reservation_mhz = 500;
    fixture_vm(inv, 9)->host = dcp_host_none();
    DCP_AUTO(dcp_ledger) struct dcp_ledger *l = ledger(inv, NULL, 0);

    ck_assert_double_eq(l->installed[DCP_LEDGER_CPU], 64000);
    ck_assert_double_eq(l->usable[DCP_LEDGER_CPU], 51200);
    ck_assert_double_eq(l->usable[MEM], 4 * 58982.0);
    ck_assert_double_eq(l->after_loss[MEM], 4 * 58982.0);
    ck_assert_double_eq(l->used.allocated[MEM], 81920);
    ck_assert_double_eq(l->used.allocated[DCP_LEDGER_CPU], 20000);
    ck_assert_double_eq(l->used.expected[DCP_LEDGER_CPU], 18000);
    ck_assert_double_eq(l->used.reserved[DCP_LEDGER_CPU], 500);
    ck_assert_double_eq(l->used.allocated[VCPU], 10 * 500);
    ck_assert_uint_eq(l->used.n_vms, 10);
    ck_assert_uint_eq(l->used.n_vcpus, 20);
    ck_assert_double_eq(l->tiers[0].allocated[MEM], 81920);
    ck_assert_uint_eq(l->binding, DCP_LEDGER_CPU); /* 35 % against 35 %. */
    ck_assert_uint_eq(l->need_allocated.hosts, 2);
    ck_assert_uint_eq(l->need_active.hosts, 0);
}
END_TEST

START_TEST(reserve_is_the_largest_loss)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(4, 4);

    inv->policy.survive[0] = (struct dcp_loss){ DCP_LOSS_HOST, 1 };
    inv->policy.n_survive = 1;
    DCP_AUTO(dcp_ledger) struct dcp_ledger *l = ledger(inv, NULL, 0);

    ck_assert_double_eq(l->after_loss[DCP_LEDGER_CPU], 38400);
    inv->policy.survive_to_capacity = true;
    DCP_AUTO(dcp_ledger) struct dcp_ledger *full = ledger(inv, NULL, 0);

    /* Three hosts to the brim hold 48,000, under the 51,200 usable. */
    ck_assert_double_eq(full->after_loss[DCP_LEDGER_CPU], 48000);
    inv->policy.survive[0].count = 9;
    DCP_AUTO(dcp_ledger) struct dcp_ledger *none = ledger(inv, NULL, 0);

    ck_assert_double_eq(none->after_loss[DCP_LEDGER_CPU], 0);
}
END_TEST

START_TEST(maintenance_is_installed_but_not_usable)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(4, 3);

    fixture_host(inv, 3)->state = DCP_HOST_MAINTENANCE;
    DCP_AUTO(dcp_ledger) struct dcp_ledger *l = ledger(inv, NULL, 0);

    ck_assert_double_eq(l->installed[DCP_LEDGER_CPU], 64000);
    ck_assert_double_eq(l->usable[DCP_LEDGER_CPU], 38400);
    ck_assert_uint_eq(l->n_maintenance, 1);
}
END_TEST

/* 6 VMs of 8 GiB and 2000 MHz a host: 12,000 of 12,800 MHz; 800 MHz hold no
 * typical VM, so 58982 - 49152 MiB are stranded by CPU. */
START_TEST(memory_is_stranded_where_cpu_is_full)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(2, 12);
    DCP_AUTO(dcp_ledger) struct dcp_ledger *l = ledger(inv, NULL, 0);

    ck_assert_double_eq(l->typical[DCP_LEDGER_CPU], 2000);
    ck_assert_double_eq(l->typical[MEM], 8192);
    ck_assert_uint_eq(l->n_limited[DCP_LEDGER_CPU], 2);
    ck_assert_double_eq(l->stranded[DCP_LEDGER_CPU][MEM],
                        2 * (58982.0 - 49152));
    ck_assert_double_eq(l->stranded[DCP_LEDGER_CPU][DCP_LEDGER_CPU], 0);
    ck_assert_uint_eq(l->n_shapes, 1);
    ck_assert_uint_eq(l->shapes[0].more, 0);
    ck_assert_uint_eq(l->shapes[0].resource, DCP_LEDGER_CPU);
}
END_TEST

START_TEST(shapes_count_what_fits)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(4, 9);

    fixture_host(inv, 3)->state = DCP_HOST_STANDBY;
    fixture_vm(inv, 3)->host.ix = 0;
    fixture_vm(inv, 7)->host.ix = 1;
    fixture_vm(inv, 8)->mem_mib = 16384;
    DCP_AUTO(dcp_ledger) struct dcp_ledger *l = ledger(inv, NULL, 0);

    /* Of the small shape, by CPU 6 a host: 24 less 9 that are there; by
     * memory 7 a host. */
    ck_assert_uint_eq(l->n_shapes, 2);
    ck_assert_uint_eq(l->shapes[0].n_vms, 8);
    ck_assert_uint_eq(l->shapes[0].more, 15);
    ck_assert_uint_eq(l->shapes[0].more_on, 9);
    ck_assert(!l->shapes[0].ended_by_reserve);
    ck_assert_uint_eq(l->shapes[1].n_vms, 1);
    ck_assert_uint_eq(l->shapes[1].mem_mib, 16384);

    inv->policy.survive[0] = (struct dcp_loss){ DCP_LOSS_HOST, 1 };
    inv->policy.n_survive = 1;
    DCP_AUTO(dcp_ledger) struct dcp_ledger *n1 = ledger(inv, NULL, 0);

    /* 38,400 MHz after a loss, 18,000 used: 10 of 2,000. */
    ck_assert_uint_eq(n1->shapes[0].more, 10);
    ck_assert(n1->shapes[0].ended_by_reserve);
}
END_TEST

START_TEST(active_memory_needs_fewer_hosts)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(8, 40);
    DCP_AUTO(dcp_placement)
    struct dcp_placement *p = dcp_placement_start(inv, NULL);
    struct dcp_slot slots[2] = { { 0, DCP_HOUR_MS, 0 },
                                 { DCP_HOUR_MS, 2 * DCP_HOUR_MS, 1 } };
    struct dcp_demand_rows rows;
    DCP_AUTO(dcp_demand)
    struct dcp_demand *d =
        dcp_demand_create(40, slots, 2, true, true, &rows, NULL);

    for (uint32_t i = 0; i < 40; i++) {
        rows.cpu_mhz[(size_t)i * d->stride] = 100;
        rows.cpu_mhz[(size_t)i * d->stride + 1] = i < 20 ? 900 : 0;
        rows.net_kib_s[(size_t)i * d->stride] = 7;
        rows.mem_active_mib[i] = 1024;
    }
    DCP_AUTO(dcp_ledger)
    struct dcp_ledger *l = dcp_ledger_create(inv, d, p, dcp_site_none(), NULL);

    ck_assert_uint_eq(l->worst_slot[0], 1);
    ck_assert_uint_eq(l->worst_slot[1], 0);
    ck_assert_double_eq(l->used.expected[DCP_LEDGER_CPU], 18000);
    ck_assert_double_eq(l->used.expected[MEM], 40960);
    ck_assert_uint_eq(l->need_allocated.hosts, 6); /* 320 GiB by 57.6. */
    ck_assert_uint_eq(l->need_allocated.resource, MEM);
    ck_assert_uint_eq(l->need_active.hosts, 2); /* 18,000 MHz by 12,800. */
    ck_assert_uint_eq(l->need_active.resource, DCP_LEDGER_CPU);
}
END_TEST

START_TEST(sites_share_out_the_whole)
{
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = model(4, 9);
    struct dcp_site sites[2] = {
        { "a", dcp_tariff_none(), 1, 1, &dcp_zone_utc, NULL },
        { "b", dcp_tariff_none(), 1, 1, &dcp_zone_utc, NULL },
    };
    struct dcp_room rooms[2] = { { .name = "ra", .site = { 0 } },
                                 { .name = "rb", .site = { 1 } } };
    struct dcp_rack racks[2] = { { .name = "a1", .room = { 0 } },
                                 { .name = "b1", .room = { 1 } } };
    DCP_AUTO(dcp_placement)
    struct dcp_placement *p = dcp_placement_start(inv, NULL);
    struct dcp_slot hour = { 0, DCP_HOUR_MS, 0 };
    DCP_AUTO(dcp_demand)
    struct dcp_demand *d = dcp_demand_from_model(inv, &hour, 1, NULL);

    inv->sites = sites;
    inv->n_sites = 2;
    inv->rooms = rooms;
    inv->n_rooms = 2;
    inv->racks = racks;
    inv->n_racks = 2;
    for (uint32_t i = 0; i < 4; i++) {
        fixture_host(inv, i)->rack.ix = i == 3;
    }
    DCP_AUTO(dcp_ledger)
    struct dcp_ledger *a =
        dcp_ledger_create(inv, d, p, (dcp_site_id){ 0 }, NULL);
    DCP_AUTO(dcp_ledger)
    struct dcp_ledger *b =
        dcp_ledger_create(inv, d, p, (dcp_site_id){ 1 }, NULL);

    ck_assert_uint_eq(a->n_hosts, 3);
    ck_assert_uint_eq(b->n_hosts, 1);
    ck_assert_uint_eq(a->used.n_vms + b->used.n_vms, 9);
    ck_assert_double_eq(b->used.allocated[MEM], 2 * 8192);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &sums_by_hand,
        &reserve_is_the_largest_loss,
        &maintenance_is_installed_but_not_usable,
        &memory_is_stranded_where_cpu_is_full,
        &shapes_count_what_fits,
        &active_memory_needs_fewer_hosts,
        &sites_share_out_the_whole,
    };

    return RUN_TESTS("ledger", tests);
}
