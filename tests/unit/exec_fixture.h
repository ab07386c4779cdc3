/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_EXEC_FIXTURE_H
#define DCP_TESTS_EXEC_FIXTURE_H 1

/* A small datacenter and plans for it, built in code, for the tests of the
 * executors and the simulator.  Hosts have 1000 MHz, a straight power curve
 * from 100 W to 200 W, 10 W asleep, one 10 Gbit NIC, boot in 120 s at 150 W
 * and shut down in 60 s at 50 W; VMs have 1 GiB. */

#include "model/plan.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIXTURE_STEPS_MAX 64
#define FIXTURE_START_MS  INT64_C(1377892800000) /* 2013-08-30T20:00:00Z */

struct fixture {
    struct dcp_inventory *inv;
    struct dcp_plan *plan;
    struct dcp_step steps[FIXTURE_STEPS_MAX];
    uint32_t afters[FIXTURE_STEPS_MAX][4];
};

static inline void
fixture_hardware(struct dcp_hardware *hw)
{
    static const uint64_t nics[] = { 1220703 };

    *hw = (struct dcp_hardware){
        .name = "m",
        .sockets = 1,
        .cores_per_socket = 1,
        .clock_mhz = 1000,
        .speed_factor = 1,
        .speed_factor_known = true,
        .mem_mib = 65536,
        .n_nics = 1,
        .nic_kib_s = nics,
        .cpu_generation = "",
        .cpu_arch = "x86_64",
        .vt = true,
        .numa_nodes = 1,
        .power_known = true,
        .sleep_w = 10,
        .boot_ms = 120000,
        .shutdown_ms = 60000,
        .boot_w = 150,
        .shutdown_w = 50,
    };
    for (int i = 0; i < DCP_POWER_POINTS; i++) {
        hw->power_w[i] = 100 + 10 * i;
    }
}

/* VM v starts on host v % n_hosts. */
static inline void
fixture_init(struct fixture *f, uint32_t n_hosts, uint32_t n_vms)
{
    memset(f, 0, sizeof *f);
    f->inv = dcp_inventory_create(NULL);
    f->plan = dcp_plan_create(NULL);
    ck_assert_ptr_nonnull(f->inv);
    ck_assert_ptr_nonnull(f->plan);
    struct dcp_arena *a = f->inv->arena;
    struct dcp_hardware *hw = dcp_arena_new(a, struct dcp_hardware);
    struct dcp_host *hosts = dcp_arena_array(a, struct dcp_host, n_hosts);
    struct dcp_vm *vms = dcp_arena_array(a, struct dcp_vm, n_vms);
    struct dcp_tier *tier = dcp_arena_new(a, struct dcp_tier);
    struct dcp_hypervisor *hv = dcp_arena_new(a, struct dcp_hypervisor);
    struct dcp_vlan *vlans = dcp_arena_array(a, struct dcp_vlan, 2);

    fixture_hardware(hw);
    *tier = (struct dcp_tier){ .name = "default",
                               .cpu_overcommit = 4,
                               .memory_overcommit = 1,
                               .percentile = 0.95 };
    *hv = (struct dcp_hypervisor){ .name = "plain", .live_migration = true };
    vlans[0] = (struct dcp_vlan){ .name = "front", .id = 100 };
    vlans[1] = (struct dcp_vlan){ .name = "data", .id = 200 };
    for (uint32_t h = 0; h < n_hosts; h++) {
        hosts[h] = (struct dcp_host){
            .name = dcp_arena_printf(a, "h%u", h + 1),
            .rack = dcp_rack_none(),
            .power_off_allowed = true,
        };
    }
    for (uint32_t v = 0; v < n_vms; v++) {
        vms[v] = (struct dcp_vm){
            .name = dcp_arena_printf(a, "v%u", v + 1),
            .host = { v % n_hosts },
            .tenant = dcp_tenant_none(),
            .application = dcp_application_none(),
            .profile = dcp_profile_none(),
            .vcpus = 1,
            .vcpu_mhz = 1000,
            .mem_mib = 1024,
            .dirty_kib_s = 1, /* Next to nothing; 0 is not known. */
            .movable = true,
            .os = "",
            .cpu_generation_min = "",
        };
        vms[v].trace = vms[v].name;
    }
    f->inv->hardware = hw, f->inv->n_hardware = 1;
    f->inv->hosts = hosts, f->inv->n_hosts = n_hosts;
    f->inv->vms = vms, f->inv->n_vms = n_vms;
    f->inv->tiers = tier, f->inv->n_tiers = 1;
    f->inv->hypervisors = hv, f->inv->n_hypervisors = 1;
    f->inv->vlans = vlans, f->inv->n_vlans = 2;
    f->plan->before = dcp_placement_start(f->inv, NULL);
    f->plan->steps = f->steps;
    f->plan->n_legs = 1;
    f->plan->legs[0] = (struct dcp_leg){
        .name = "evening",
        .start_ms = FIXTURE_START_MS,
        .deadline_ms = FIXTURE_START_MS + DCP_HOUR_MS,
        .buckets_until_ms = FIXTURE_START_MS + 8 * DCP_HOUR_MS,
        .after = dcp_placement_start(f->inv, NULL),
    };
    snprintf(f->plan->digest, sizeof f->plan->digest, "sha256:%064d", 7);
    snprintf(f->plan->uuid, sizeof f->plan->uuid, "u");
}

static inline void
fixture_finish(struct fixture *f)
{
    dcp_plan_destroy(f->plan);
    dcp_inventory_destroy(f->inv);
}

/* Adds a step of leg 0; 'after' 0: waits for nothing.  Returns its id. */
static inline uint32_t
fixture_step(struct fixture *f, enum dcp_step_kind kind, uint32_t object,
             uint32_t from, uint32_t to, int64_t estimate_ms, uint32_t after)
{
    uint32_t i = f->plan->n_steps++;
    bool host = kind == DCP_STEP_HOST_ON || kind == DCP_STEP_HOST_OFF ||
                kind == DCP_STEP_VLAN_TRUNK || kind == DCP_STEP_VLAN_UNTRUNK;
    bool vlan = kind == DCP_STEP_VLAN_TRUNK || kind == DCP_STEP_VLAN_UNTRUNK;

    ck_assert_uint_lt(i, FIXTURE_STEPS_MAX);
    f->steps[i] = (struct dcp_step){
        .id = i + 1,
        .leg = 0,
        .kind = kind,
        .object = { host ? DCP_OBJECT_HOST : DCP_OBJECT_VM, object },
        .estimate_ms = estimate_ms,
        .reason_text = "",
    };
    if (kind == DCP_STEP_MIGRATE) {
        f->steps[i].from = (struct dcp_object){ DCP_OBJECT_HOST, from };
        f->steps[i].to = (struct dcp_object){ DCP_OBJECT_HOST, to };
        f->plan->legs[0].after->host[object].ix = to;
    } else if (vlan) {
        f->steps[i].to = (struct dcp_object){ DCP_OBJECT_VLAN, to };
    } else if (host) {
        f->plan->legs[0].after->on[object] = kind == DCP_STEP_HOST_ON;
    } else if (kind == DCP_STEP_SYNC) {
        f->steps[i].object.kind = DCP_OBJECT_NONE;
    }
    if (after) {
        f->afters[i][0] = after;
        f->steps[i].after = f->afters[i];
        f->steps[i].n_after = 1;
    }
    return i + 1;
}

static inline uint32_t
fixture_move(struct fixture *f, uint32_t vm, uint32_t from, uint32_t to,
             int64_t estimate_ms, uint32_t after)
{
    return fixture_step(f, DCP_STEP_MIGRATE, vm, from, to, estimate_ms, after);
}

/* Makes step 'id' wait for 'after' as well; in ascending order. */
static inline void
fixture_after(struct fixture *f, uint32_t id, uint32_t after)
{
    struct dcp_step *s = &f->steps[id - 1];

    ck_assert_uint_lt(s->n_after, 4);
    f->afters[id - 1][s->n_after++] = after;
    s->after = f->afters[id - 1];
}

#endif /* tests/unit/exec_fixture.h */
