/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_SUPPORT_WORLD_H
#define DCP_TESTS_SUPPORT_WORLD_H 1

/* Small models made in code, for tests that must not depend on the model
 * reader, the traces or the solver.  Every host has 10 cores of 1,000 MHz and
 * 100,000 MiB, all of it usable; hosts alternate between racks r0 and r1. VMs
 * named v0, v1 ... of one vCPU; demand is set per VM, the same in each slot.
 * Tests change the tables through the struct before they use them.  Memory
 * comes from the inventory's arena; failures end the test. */

#include "model/demand.h"
#include "model/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORLD_SLOTS = 3, WORLD_RACKS = 2, WORLD_VLANS = 2 };

struct world {
    struct dcp_inventory *inv;
    struct dcp_hardware *hardware;
    struct dcp_hypervisor *hypervisors; /* Two: "qemu", "xen". */
    struct dcp_rack *racks;
    struct dcp_feed *feeds; /* "fa", "fb", on both racks; no limit. */
    struct dcp_host *hosts;
    struct dcp_vm *vms;
    struct dcp_tier *tiers; /* "live", "test". */
    struct dcp_pool *pools; /* One: "gold". */
    struct dcp_rule *rules; /* Room for 8; raise inv->n_rules. */
    struct dcp_demand demand;
    uint32_t *cpu_mhz; /* [vm * stride + slot] */
    struct dcp_plan *plan;
    struct dcp_step *steps; /* Room for max_steps. */
    uint32_t max_steps;
};

#define WORLD_T0 INT64_C(1377892800000) /* 2013-08-30T20:00:00Z */

static inline void *
world_new(struct world *w, size_t n, size_t size)
{
    void *p = dcp_arena_calloc(w->inv->arena, n, size);

    if (!p) {
        abort();
    }
    return p;
}

#define WORLD_NEW(W, TYPE, N) ((TYPE *)world_new(W, (N), sizeof(TYPE)))

static inline const uint32_t *
world_ids(struct world *w, uint32_t n, const uint32_t *ids)
{
    uint32_t *copy = WORLD_NEW(w, uint32_t, n);

    memcpy(copy, ids, n * sizeof *copy);
    return copy;
}

static inline void
world_places(struct world *w)
{
    static const uint32_t both[2] = { 0, 1 };
    struct dcp_site *site = WORLD_NEW(w, struct dcp_site, 1);
    struct dcp_room *room = WORLD_NEW(w, struct dcp_room, 1);

    *site = (struct dcp_site){ .name = "gent",
                               .pue = 1,
                               .pue_marginal = 1,
                               .tariff = dcp_tariff_none(),
                               .zone = &dcp_zone_utc };
    *room = (struct dcp_room){ .name = "g1" };
    w->feeds = WORLD_NEW(w, struct dcp_feed, 2);
    w->feeds[0] = (struct dcp_feed){ .name = "fa", .side = 'A' };
    w->feeds[1] = (struct dcp_feed){ .name = "fb", .side = 'B' };
    w->racks = WORLD_NEW(w, struct dcp_rack, WORLD_RACKS);
    for (uint32_t i = 0; i < WORLD_RACKS; i++) {
        w->racks[i] = (struct dcp_rack){
            .name = dcp_arena_printf(w->inv->arena, "r%u", i),
            .height_u = 42,
            .feeds = { world_ids(w, 2, both), 2 },
        };
    }
    w->inv->sites = site;
    w->inv->n_sites = 1;
    w->inv->rooms = room;
    w->inv->n_rooms = 1;
    w->inv->feeds = w->feeds;
    w->inv->n_feeds = 2;
    w->inv->racks = w->racks;
    w->inv->n_racks = WORLD_RACKS;
}

static inline void
world_machines(struct world *w, uint32_t n_hosts)
{
    static const char *const generations[] = { "haswell", "skylake" };
    static const uint64_t nic[] = { 1000000 };

    w->inv->generation_name = generations;
    w->inv->n_generations = 2;
    w->hardware = WORLD_NEW(w, struct dcp_hardware, 1);
    *w->hardware = (struct dcp_hardware){
        .name = "m1",
        .sockets = 1,
        .cores_per_socket = 10,
        .clock_mhz = 1000,
        .speed_factor = 1,
        .mem_mib = 100000,
        .n_nics = 1,
        .nic_kib_s = nic,
        .height_u = 1,
        .cpu_generation = "skylake",
        .cpu_arch = "x86_64",
        .vt = true,
        .numa_nodes = 1,
        .power_known = true,
        .sleep_w = 5,
        .boot_ms = 60000,
        .boot_w = 150,
        .shutdown_ms = 30000,
        .shutdown_w = 120,
    };
    for (uint32_t i = 0; i < DCP_POWER_POINTS; i++) {
        w->hardware->power_w[i] = 100 + 10 * i;
    }
    w->hypervisors = WORLD_NEW(w, struct dcp_hypervisor, 2);
    w->hypervisors[0] = (struct dcp_hypervisor){ .name = "qemu",
                                                 .windows = true,
                                                 .live_migration = true };
    w->hypervisors[1] = w->hypervisors[0];
    w->hypervisors[1].name = "xen";
    w->hosts = WORLD_NEW(w, struct dcp_host, n_hosts);
    for (uint32_t h = 0; h < n_hosts; h++) {
        w->hosts[h] = (struct dcp_host){
            .name = dcp_arena_printf(w->inv->arena, "h%u", h),
            .rack = { h % WORLD_RACKS },
            .state = DCP_HOST_UP,
            .power_off_allowed = true,
        };
        (void)dcp_strmap_add(&w->inv->host_by_name, w->hosts[h].name, h, NULL);
    }
    w->inv->hardware = w->hardware;
    w->inv->n_hardware = 1;
    w->inv->hypervisors = w->hypervisors;
    w->inv->n_hypervisors = 2;
    w->inv->hosts = w->hosts;
    w->inv->n_hosts = n_hosts;
}

static inline void
world_net(struct world *w)
{
    struct dcp_switch *sw = WORLD_NEW(w, struct dcp_switch, 2);
    struct dcp_vlan *vlans = WORLD_NEW(w, struct dcp_vlan, WORLD_VLANS);

    sw[0] =
        (struct dcp_switch){ .name = "tor0", .rack = { 0 }, .driver = "ovsdb" };
    sw[1] = (struct dcp_switch){ .name = "tor1", .rack = { 1 }, .driver = "" };
    for (uint32_t i = 0; i < WORLD_VLANS; i++) {
        vlans[i] = (struct dcp_vlan){ .name = dcp_arena_printf(w->inv->arena,
                                                               "net%u", i),
                                      .id = 100 + i,
                                      .subnet = "",
                                      .address_pool = "" };
    }
    w->inv->switches = sw;
    w->inv->n_switches = 2;
    w->inv->vlans = vlans;
    w->inv->n_vlans = WORLD_VLANS;
    w->pools = WORLD_NEW(w, struct dcp_pool, 1);
    *w->pools = (struct dcp_pool){ .name = "gold",
                                   .capacity_mib = 1000000,
                                   .thin_overcommit = 1,
                                   .reach_all = true,
                                   .driver = "",
                                   .array = dcp_array_none() };
    w->inv->pools = w->pools;
    w->inv->n_pools = 1;
}

static inline void
world_vms(struct world *w, uint32_t n_vms)
{
    w->tiers = WORLD_NEW(w, struct dcp_tier, 2);
    w->tiers[0] = (struct dcp_tier){ .name = "live",
                                     .cpu_overcommit = 10,
                                     .memory_overcommit = 1,
                                     .percentile = 0.95 };
    w->tiers[1] = w->tiers[0];
    w->tiers[1].name = "test";
    w->vms = WORLD_NEW(w, struct dcp_vm, n_vms);
    for (uint32_t v = 0; v < n_vms; v++) {
        w->vms[v] = (struct dcp_vm){
            .name = dcp_arena_printf(w->inv->arena, "v%u", v),
            .host = dcp_host_none(),
            .tenant = dcp_tenant_none(),
            .application = dcp_application_none(),
            .profile = dcp_profile_none(),
            .vcpus = 1,
            .mem_mib = 1000,
            .os = "",
            .movable = true,
            .cpu_generation_min = "",
        };
        w->vms[v].trace = w->vms[v].name;
        (void)dcp_strmap_add(&w->inv->vm_by_name, w->vms[v].name, v, NULL);
    }
    w->inv->tiers = w->tiers;
    w->inv->n_tiers = 2;
    w->inv->vms = w->vms;
    w->inv->n_vms = n_vms;
}

static inline void
world_demand(struct world *w, uint32_t n_vms)
{
    enum { STRIDE = 8 };
    struct dcp_slot *slots = WORLD_NEW(w, struct dcp_slot, WORLD_SLOTS);

    for (uint32_t i = 0; i < WORLD_SLOTS; i++) {
        slots[i] = (struct dcp_slot){ WORLD_T0 + i * DCP_HOUR_MS,
                                      WORLD_T0 + (i + 1) * DCP_HOUR_MS, 0 };
    }
    w->cpu_mhz = WORLD_NEW(w, uint32_t, (size_t)n_vms * STRIDE);
    w->demand = (struct dcp_demand){ .n_vms = n_vms,
                                     .n_slots = WORLD_SLOTS,
                                     .stride = STRIDE,
                                     .slots = slots,
                                     .cpu_mhz = w->cpu_mhz,
                                     /* DCP_DEMAND_TRACE. */
                                     .source = WORLD_NEW(w, uint8_t, n_vms) };
}

/* The VM's demand, the same in every slot. */
static inline void
world_need(struct world *w, uint32_t vm, uint32_t mhz)
{
    for (uint32_t s = 0; s < w->demand.n_slots; s++) {
        w->cpu_mhz[(size_t)vm * w->demand.stride + s] = mhz;
    }
}

static inline struct world
world_make(uint32_t n_hosts, uint32_t n_vms)
{
    struct world w = { .inv = dcp_inventory_create(NULL) };

    if (!w.inv) {
        abort();
    }
    w.inv->lineage = "6f1c0f6e-9a0e-4c51-8d34-0e5a4c1b7a10";
    (void)snprintf(w.inv->digest, sizeof w.inv->digest, "sha256:%064d", 1);
    w.inv->policy.target_cpu_frac = 1;
    w.inv->policy.target_mem_frac = 1;
    w.inv->policy.target_net_frac = 1;
    w.inv->policy.failed_boots_frac = 0;
    world_places(&w);
    world_machines(&w, n_hosts);
    world_net(&w);
    world_vms(&w, n_vms);
    world_demand(&w, n_vms);
    w.rules = WORLD_NEW(&w, struct dcp_rule, 8);
    w.inv->rules = w.rules;
    return w;
}

static inline void
world_free(struct world *w)
{
    dcp_plan_destroy(w->plan);
    dcp_inventory_destroy(w->inv);
}

/* --- Plans -------------------------------------------------------------- */

/* A plan of 'n_legs' legs with no steps; 'before' is the model's. */
static inline void
world_plan(struct world *w, uint32_t n_legs, uint32_t max_steps)
{
    static const char *const names[] = { "evening", "morning" };
    struct dcp_plan *plan = dcp_plan_create(NULL);

    if (!plan) {
        abort();
    }
    w->plan = plan;
    w->max_steps = max_steps;
    w->steps = (struct dcp_step *)dcp_arena_calloc(plan->arena, max_steps + 1u,
                                                   sizeof *w->steps);
    plan->steps = w->steps;
    plan->lineage = w->inv->lineage;
    memcpy(plan->model_digest, w->inv->digest, sizeof plan->model_digest);
    plan->before = dcp_placement_start(w->inv, NULL);
    plan->limits = (struct dcp_plan_limits){ 2, 2, 8, 1, 0 };
    plan->n_legs = n_legs;
    for (uint32_t i = 0; i < n_legs; i++) {
        plan->legs[i] = (struct dcp_leg){
            .name = n_legs == 1 ? "now" : names[i],
            .start_ms = WORLD_T0 + i * DCP_HOUR_MS,
            .deadline_ms = WORLD_T0 + (i + 1) * DCP_HOUR_MS,
            .buckets_until_ms = WORLD_T0 + (i + 2) * DCP_HOUR_MS,
            .after = dcp_placement_start(w->inv, NULL),
        };
    }
    plan->not_before_ms = WORLD_T0;
    plan->not_after_ms = WORLD_T0 + 24 * DCP_HOUR_MS;
    plan->status = "feasible";
    plan->goal = "hosts";
}

static inline struct dcp_step *
world_step(struct world *w, uint32_t leg, enum dcp_step_kind kind,
           struct dcp_object object)
{
    if (w->plan->n_steps == w->max_steps) {
        abort();
    }
    struct dcp_step *s = &w->steps[w->plan->n_steps++];

    *s = (struct dcp_step){ .id = w->plan->n_steps,
                            .leg = leg,
                            .kind = kind,
                            .object = object,
                            .estimate_ms = 1000,
                            .reason_text = "a test" };
    return s;
}

/* Moves 'vm' and writes it into the after-states of this leg and later ones;
 * the id. */
static inline uint32_t
world_move(struct world *w, uint32_t leg, uint32_t vm, uint32_t from,
           uint32_t to)
{
    struct dcp_step *s = world_step(w, leg, DCP_STEP_MIGRATE,
                                    (struct dcp_object){ DCP_OBJECT_VM, vm });

    s->from = (struct dcp_object){ DCP_OBJECT_HOST, from };
    s->to = (struct dcp_object){ DCP_OBJECT_HOST, to };
    /* At 4 Gbit/s a MiB takes 2.1 ms. */
    s->estimate_ms = 5000 + 3 * (int64_t)w->vms[vm].mem_mib;
    for (uint32_t i = leg; i < w->plan->n_legs; i++) {
        w->plan->legs[i].after->host[vm].ix = to;
    }
    return s->id;
}

/* Resizes 'vm' where it is on 'host', in all after-states; the id.  With a
 * restart. */
static inline uint32_t
world_resize(struct world *w, uint32_t leg, uint32_t vm, uint32_t host,
             struct dcp_vm_size to)
{
    struct dcp_step *s = world_step(w, leg, DCP_STEP_VM_RESIZE,
                                    (struct dcp_object){ DCP_OBJECT_VM, vm });

    s->from = s->to = (struct dcp_object){ DCP_OBJECT_HOST, host };
    s->reason = DCP_REASON_RIGHTSIZE;
    s->cold = true;
    s->size_from = dcp_vm_size(w->inv, vm);
    s->size_to = to;
    for (uint32_t i = leg; i < w->plan->n_legs; i++) {
        if (!dcp_placement_resize(w->plan->legs[i].after, w->inv, vm, to,
                                  NULL)) {
            abort();
        }
    }
    return s->id;
}

static inline uint32_t
world_power(struct world *w, uint32_t leg, uint32_t host, bool on)
{
    for (uint32_t i = leg; i < w->plan->n_legs; i++) {
        w->plan->legs[i].after->on[host] = on;
    }
    return world_step(w, leg, on ? DCP_STEP_HOST_ON : DCP_STEP_HOST_OFF,
                      (struct dcp_object){ DCP_OBJECT_HOST, host })
        ->id;
}

static inline uint32_t
world_vlan(struct world *w, uint32_t leg, uint32_t host, uint32_t vlan,
           bool trunk)
{
    struct dcp_step *s =
        world_step(w, leg, trunk ? DCP_STEP_VLAN_TRUNK : DCP_STEP_VLAN_UNTRUNK,
                   (struct dcp_object){ DCP_OBJECT_HOST, host });

    s->to = (struct dcp_object){ DCP_OBJECT_VLAN, vlan };
    return s->id;
}

/* Step 'id' waits for 'other'; call with ascending 'other'. */
static inline void
world_wait(struct world *w, uint32_t id, uint32_t other)
{
    struct dcp_step *s = &w->steps[id - 1];
    uint32_t *after = (uint32_t *)dcp_arena_calloc(
        w->plan->arena, s->n_after + 1u, sizeof *after);

    if (s->n_after) {
        memcpy(after, s->after, s->n_after * sizeof *after);
    }
    after[s->n_after++] = other;
    s->after = after;
}

#endif /* tests/support/world.h */
