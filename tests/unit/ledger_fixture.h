/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_LEDGER_FIXTURE_H
#define DCP_TESTS_LEDGER_FIXTURE_H 1

/* A tiny inventory built by hand, for tests of the ledgers: the caller states
 * hardware, hosts and VMs; everything else is the plainest that is valid. */

#include "model/inventory.h"
#include "model/placement.h"

#include <check.h>

/* Brussels in 2013: summer time from 2013-03-31 to 2013-10-27, 01:00 UTC. */
static const int64_t brussels_from_s[] = { INT64_MIN, 1364691600, 1382835600 };
static const int32_t brussels_offset_s[] = { 3600, 7200, 3600 };
static const struct dcp_zone brussels = { "Europe/Brussels", 3, brussels_from_s,
                                          brussels_offset_s };

static inline struct dcp_hardware
fixture_hardware(uint32_t sockets, uint32_t cores_per_socket)
{
    struct dcp_hardware hw = {
        .name = "m",
        .sockets = sockets,
        .cores_per_socket = cores_per_socket,
        .clock_mhz = 1000,
        .speed_factor = 1,
        .mem_mib = 65536,
        .cpu_generation = "",
        .cpu_arch = "x86_64",
        .vt = true,
        .numa_nodes = sockets,
        .power_known = true,
        .sleep_w = 10,
        .boot_ms = 240000,
        .boot_w = 180,
        .shutdown_ms = 60000,
        .shutdown_w = 120,
    };
    for (uint32_t i = 0; i < DCP_POWER_POINTS; i++) {
        hw.power_w[i] = 100 + 10 * i;
    }
    return hw;
}

/* Host i has hardware i, and is up; VM i has vcpus[i] and no host. */
static inline struct dcp_inventory *
fixture_create(const struct dcp_hardware hardware[], uint32_t n_hosts,
               const uint32_t vcpus[], uint32_t n_vms)
{
    struct dcp_inventory *inv = dcp_inventory_create(NULL);

    ck_assert_ptr_nonnull(inv);
    struct dcp_hardware *hw =
        dcp_arena_array(inv->arena, struct dcp_hardware, n_hosts);
    struct dcp_host *hosts =
        dcp_arena_array(inv->arena, struct dcp_host, n_hosts);
    struct dcp_vm *vms = dcp_arena_array(inv->arena, struct dcp_vm, n_vms);
    struct dcp_tier *tier = dcp_arena_new(inv->arena, struct dcp_tier);

    ck_assert(hw && hosts && vms && tier);
    *tier = (struct dcp_tier){ "default", 4, 1, 0.95, 0.1, 0 };
    for (uint32_t i = 0; i < n_hosts; i++) {
        hw[i] = hardware[i];
        hosts[i] = (struct dcp_host){
            .name = dcp_arena_printf(inv->arena, "h%u", i),
            .hardware = { i },
            .rack = dcp_rack_none(),
            .hypervisor = dcp_hypervisor_none(),
            .state = DCP_HOST_UP,
            .power_off_allowed = true,
        };
    }
    for (uint32_t i = 0; i < n_vms; i++) {
        const char *name = dcp_arena_printf(inv->arena, "v%u", i);

        vms[i] = (struct dcp_vm){
            .name = name,
            .trace = name,
            .host = dcp_host_none(),
            .tier = { 0 },
            .tenant = dcp_tenant_none(),
            .application = dcp_application_none(),
            .profile = dcp_profile_none(),
            .vcpus = vcpus[i],
            .vcpu_mhz = 1000,
            .mem_mib = 1024,
            .os = "",
            .movable = true,
            .cpu_generation_min = "",
        };
    }
    inv->hardware = hw;
    inv->n_hardware = n_hosts;
    inv->hosts = hosts;
    inv->n_hosts = n_hosts;
    inv->vms = vms;
    inv->n_vms = n_vms;
    inv->tiers = tier;
    inv->n_tiers = 1;
    return inv;
}

/* The fixture's tables are its own arena's, so a test may change them. */
static inline struct dcp_vm *
fixture_vm(struct dcp_inventory *inv, uint32_t ix)
{
    return (struct dcp_vm *)(uintptr_t)&inv->vms[ix];
}

static inline struct dcp_host *
fixture_host(struct dcp_inventory *inv, uint32_t ix)
{
    return (struct dcp_host *)(uintptr_t)&inv->hosts[ix];
}

static inline int
fixture_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed != 0;
}

#endif /* tests/unit/ledger_fixture.h */
