/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_SUPPORT_RANDOM_MODEL_H
#define DCP_TESTS_SUPPORT_RANDOM_MODEL_H 1

/* Random small datacenters, from a sample (tests/support/properties.h): each
 * thing is drawn from its own stream, so a sample with fewer VMs is the same
 * model without the last ones. */

#include "model/base/rng.h"
#include "tests/support/properties.h"
#include "tests/support/world.h"

#include <check.h>

enum {
    RANDOM_SLOTS = 6, /* Four of the night, two of the day. */
    RANDOM_NIGHT = 4,
    RANDOM_HARDWARE = 3,
    RANDOM_RACKS = 3,
    RANDOM_FEEDS = 4,
    RANDOM_POOLS = 2,
    RANDOM_RULES_MAX = 5,
};

static inline uint32_t
draw(struct dcp_rng *rng, uint32_t n)
{
    return (uint32_t)dcp_rng_below(rng, n);
}

static inline bool
chance(struct dcp_rng *rng, uint32_t percent)
{
    return dcp_rng_below(rng, 100) < percent;
}

static inline void
random_hardware(struct world *w)
{
    struct dcp_hardware *hw = WORLD_NEW(w, struct dcp_hardware, 3);

    for (uint32_t i = 0; i < RANDOM_HARDWARE; i++) {
        hw[i] = *w->hardware;
        hw[i].name = dcp_arena_printf(w->inv->arena, "m%u", i);
    }
    hw[1].cores_per_socket = 16;
    hw[1].mem_mib = 64000;
    hw[1].cpu_generation = "haswell";
    hw[2].sockets = 2;
    hw[2].cores_per_socket = 4;
    hw[2].numa_nodes = 2;
    hw[2].clock_mhz = 1500;
    hw[2].speed_factor = 1.2;
    hw[2].mem_mib = 128000;
    for (uint32_t k = 0; k < DCP_POWER_POINTS; k++) {
        hw[1].power_w[k] = 150 + 22 * k;
        hw[2].power_w[k] = 80 + 9 * k + (k > 6 ? 4 * (k - 6) : 0);
    }
    for (uint32_t i = 0; i < RANDOM_HARDWARE; i++) {
        hw[i].disk_mib = 500000;
        hw[i].boot_w = hw[i].shutdown_w = 75; /* More than idle:
                                               * tests/prop/test_watts.c */
    }
    w->hardware = hw;
    w->inv->hardware = hw;
    w->inv->n_hardware = RANDOM_HARDWARE;
}

/* Racks 0 and 1 have two feeds in one room; rack 2 is alone on one feed in
 * another. */
static inline void
random_places(struct world *w, struct dcp_rng *rng)
{
    static const uint32_t both[] = { 0, 1 }, one[] = { 2 }, two[] = { 2, 3 };
    struct dcp_room *rooms = WORLD_NEW(w, struct dcp_room, 2);
    bool watts = chance(rng, 25);

    rooms[0] = (struct dcp_room){ .name = "g0" };
    rooms[1] = (struct dcp_room){ .name = "g1" };
    w->feeds = WORLD_NEW(w, struct dcp_feed, RANDOM_FEEDS);
    for (uint32_t f = 0; f < RANDOM_FEEDS; f++) {
        w->feeds[f] = (struct dcp_feed){
            .name = dcp_arena_printf(w->inv->arena, "f%u", f),
            .room = { f / 2 },
            .side = f % 2 ? 'B' : 'A',
            .limit_w = watts && chance(rng, 50) ? 600 + draw(rng, 1500) : 0,
        };
    }
    w->racks = WORLD_NEW(w, struct dcp_rack, RANDOM_RACKS);
    for (uint32_t r = 0; r < RANDOM_RACKS; r++) {
        w->racks[r] = (struct dcp_rack){
            .name = dcp_arena_printf(w->inv->arena, "r%u", r),
            .room = { r / 2 },
            .height_u = 42,
            .limit_w = watts && chance(rng, 50) ? 500 + draw(rng, 1000) : 0,
            .feeds = r < 2 ? (struct dcp_ids){ world_ids(w, 2, both), 2 }
                     : chance(rng, 50)
                         ? (struct dcp_ids){ world_ids(w, 1, one), 1 }
                         : (struct dcp_ids){ world_ids(w, 2, two), 2 },
        };
    }
    for (uint32_t i = 0; watts && i < 2; i++) {
        rooms[i].cooling_w = chance(rng, 40) ? 900 + draw(rng, 2500) : 0;
    }
    w->inv->rooms = rooms;
    w->inv->n_rooms = 2;
    w->inv->feeds = w->feeds;
    w->inv->n_feeds = RANDOM_FEEDS;
    w->inv->racks = w->racks;
    w->inv->n_racks = RANDOM_RACKS;
}

/* Two ports, each with a random part of the VLANs; switch 0 can be changed. */
static inline void
random_ports(struct world *w, struct dcp_host *host, struct dcp_rng *rng)
{
    struct dcp_port *port = WORLD_NEW(w, struct dcp_port, 1);
    uint32_t vlans[WORLD_VLANS], n = 0;

    for (uint32_t v = 0; v < WORLD_VLANS; v++) {
        if (chance(rng, 60)) {
            vlans[n++] = v;
        }
    }
    *port = (struct dcp_port){ .nic = "eth1",
                               .to = { draw(rng, 2) },
                               .port = host->name,
                               .vlans = { world_ids(w, n, vlans), n } };
    host->ports = port;
    host->n_ports = 1;
}

static inline void
random_hosts(struct world *w, const struct sample *s)
{
    struct dcp_rng all = dcp_rng_stream(s->seed, "hosts", 0);
    bool ports = chance(&all, 40), two_kinds = chance(&all, 20);
    uint32_t kinds = 1 + draw(&all, RANDOM_HARDWARE);
    bool standby = chance(&all, 50);

    for (uint32_t h = 0; h < s->n_hosts; h++) {
        struct dcp_rng rng = dcp_rng_stream(s->seed, "host", h);
        struct dcp_host *host = &w->hosts[h];

        host->hardware.ix = draw(&rng, kinds);
        host->rack.ix = draw(&rng, RANDOM_RACKS);
        host->hypervisor.ix = two_kinds && h >= 2 && chance(&rng, 50);
        host->power_off_allowed = !chance(&rng, 8);
        if (standby && h >= 2 && chance(&rng, 25)) {
            host->state = DCP_HOST_STANDBY;
        }
        if (ports) {
            random_ports(w, host, &rng);
        }
    }
}

static inline void
random_pools(struct world *w, const struct sample *s)
{
    struct dcp_rng rng = dcp_rng_stream(s->seed, "pools", 0);
    uint32_t *reach = WORLD_NEW(w, uint32_t, s->n_hosts), n = 0;

    for (uint32_t h = 0; h < s->n_hosts; h++) {
        if (chance(&rng, 60)) {
            reach[n++] = h;
        }
    }
    w->pools = WORLD_NEW(w, struct dcp_pool, RANDOM_POOLS);
    for (uint32_t i = 0; i < RANDOM_POOLS; i++) {
        w->pools[i] = (struct dcp_pool){
            .name = i ? "bulk" : "gold",
            .capacity_mib = 100000000,
            .thin_overcommit = 1,
            .reach_all = i == 0,
            .reach = { reach, n },
            .driver = "",
            .array = dcp_array_none(),
        };
    }
    w->inv->pools = w->pools;
    w->inv->n_pools = RANDOM_POOLS;
}

/* In some of the models paths to pools have limits, and VMs that have no
 * volume get one in a pool that every host opens; drawn apart, so that all else
 * stays as it was. */
static inline void
random_paths(struct world *w, const struct sample *s, uint32_t percent)
{
    struct dcp_rng rng = dcp_rng_stream(s->seed, "paths", 0);
    struct dcp_volume *volumes = WORLD_NEW(w, struct dcp_volume, s->n_vms);
    bool iops = chance(&rng, 70);

    if (!chance(&rng, percent)) {
        return;
    }
    for (uint32_t i = 0; i < w->inv->n_hardware; i++) {
        struct dcp_hardware *hw = &w->hardware[i];

        hw->storage_iops =
            iops && !chance(&rng, 20) ? 1500 + draw(&rng, 3000) : 0;
        hw->storage_kib_s = iops ? 0 : 90000 + draw(&rng, 90000);
    }
    for (uint32_t v = 0; v < s->n_vms; v++) {
        struct dcp_vm *vm = &w->vms[v];

        volumes[v] = (struct dcp_volume){ .vm = { v }, .size_mib = 1000 };
        if (vm->n_volumes) {
            volumes[v] = w->inv->volumes[vm->first_volume];
        }
        vm->first_volume = v;
        vm->n_volumes = 1;
        volumes[v].iops = draw(&rng, 900);
        volumes[v].rate_kib_s = draw(&rng, 40000);
    }
    w->inv->volumes = volumes;
    w->inv->n_volumes = s->n_vms;
}

static inline bool
random_may_start(const struct world *w, const struct dcp_volume *volumes,
                 const struct dcp_vm *vm, uint32_t h)
{
    const struct dcp_host *host = &w->hosts[h];

    for (uint32_t i = 0; i < vm->vlans.n && host->n_ports; i++) {
        if (!dcp_ids_contain(&host->ports[0].vlans, vm->vlans.ix[i])) {
            return false;
        }
    }
    for (uint32_t i = 0; i < vm->n_volumes; i++) {
        dcp_pool_id pool = volumes[vm->first_volume + i].pool;

        if (!dcp_pool_is_none(pool) && !w->pools[pool.ix].reach_all &&
            !dcp_ids_contain(&w->pools[pool.ix].reach, h)) {
            return false;
        }
    }
    return host->state == DCP_HOST_UP &&
           (!vm->cpu_generation_min[0] || host->hardware.ix != 1);
}

/* Demand by slot: so much by day, a part of it by night. */
static inline uint32_t
random_demand(struct world *w, uint32_t *net, uint32_t v, uint32_t vcpus,
              struct dcp_rng *rng)
{
    uint32_t peak = 0, day = vcpus * (100 + draw(rng, 800));
    uint32_t night = 10 + draw(rng, 90);

    for (uint32_t t = 0; t < RANDOM_SLOTS; t++) {
        size_t at = (size_t)v * w->demand.stride + t;
        uint32_t mhz = t < RANDOM_NIGHT ? day * night / 100 : day;

        w->cpu_mhz[at] = mhz - draw(rng, mhz / 5 + 1);
        peak = w->cpu_mhz[at] > peak ? w->cpu_mhz[at] : peak;
        if (net) {
            net[at] = draw(rng, 60000);
        }
    }
    return peak;
}

/* A host with room that the VM may start on; it is made undemanding where
 * there is none. */
static inline void
random_start(struct world *w, const struct dcp_volume *volumes, uint32_t v,
             uint32_t peak, uint64_t *mhz, uint64_t *mib, struct dcp_rng *rng)
{
    struct dcp_vm *vm = &w->vms[v];
    uint32_t n = w->inv->n_hosts, h = 0;

    for (uint32_t i = 0; i < 4 * n; i++) {
        h = draw(rng, n);
        const struct dcp_hardware *hw = &w->hardware[w->hosts[h].hardware.ix];
        uint64_t cores = hw->sockets * hw->cores_per_socket;

        if (random_may_start(w, volumes, vm, h) &&
            (i >= 3 * n || (mhz[h] + peak <= cores * hw->clock_mhz * 7 / 10 &&
                            mib[h] + vm->mem_mib <= hw->mem_mib * 8 / 10))) {
            break;
        }
    }
    if (!random_may_start(w, volumes, vm, h)) {
        h = 0;
        vm->vlans.n = vm->n_volumes = 0;
        vm->cpu_generation_min = "";
    }
    vm->host.ix = h;
    mhz[h] += peak;
    mib[h] += vm->mem_mib;
}

static inline void
random_vms(struct world *w, const struct sample *s)
{
    static const uint32_t vlan_ids[] = { 0, 1 }, qemu[] = { 0 };
    struct dcp_rng all = dcp_rng_stream(s->seed, "vms", 0);
    struct dcp_volume *volumes = WORLD_NEW(w, struct dcp_volume, s->n_vms);
    uint64_t *mhz = WORLD_NEW(w, uint64_t, s->n_hosts);
    uint64_t *mib = WORLD_NEW(w, uint64_t, s->n_hosts);
    uint32_t *net = chance(&all, 25)
                        ? WORLD_NEW(w, uint32_t, s->n_vms * w->demand.stride)
                        : NULL;
    uint32_t largest = 4000 + draw(&all, 26000);

    for (uint32_t v = 0; v < s->n_vms; v++) {
        struct dcp_rng rng = dcp_rng_stream(s->seed, "vm", v);
        struct dcp_vm *vm = &w->vms[v];

        vm->vcpus = 1 + draw(&rng, 6);
        vm->mem_mib = 500 + draw(&rng, largest);
        vm->tier.ix = draw(&rng, 2);
        vm->movable = !chance(&rng, 4);
        vm->single_numa_node = chance(&rng, 4);
        vm->cpu_generation_min = chance(&rng, 10) ? "skylake" : "";
        if (chance(&rng, 30)) {
            vm->vlans = (struct dcp_ids){ vlan_ids + draw(&rng, 2), 1 };
        }
        if (chance(&rng, 8)) {
            vm->hypervisors = (struct dcp_ids){ qemu, 1 };
        }
        volumes[v] = (struct dcp_volume){ .vm = { v }, .size_mib = 1000 };
        if (chance(&rng, 25)) {
            vm->first_volume = v;
            vm->n_volumes = 1;
            volumes[v].pool.ix =
                chance(&rng, 10) ? DCP_IX_NONE : draw(&rng, RANDOM_POOLS);
        }
        uint32_t peak = random_demand(w, net, v, vm->vcpus, &rng);

        random_start(w, volumes, v, peak, mhz, mib, &rng);
    }
    w->inv->volumes = volumes;
    w->inv->n_volumes = s->n_vms;
    w->demand.net_kib_s = net;
}

static inline int
random_compare(const void *pa, const void *pb)
{
    uint32_t a, b;

    memcpy(&a, pa, sizeof a);
    memcpy(&b, pb, sizeof b);
    return a < b ? -1 : a > b;
}

/* Up to 'n' distinct ids below 'bound', ascending; returns how many. */
static inline uint32_t
random_subset(struct world *w, struct dcp_rng *rng, uint32_t n, uint32_t bound,
              const uint32_t **out)
{
    uint32_t *ids = WORLD_NEW(w, uint32_t, n), k = 0;

    for (uint32_t i = 0; i < n && k < bound; i++) {
        uint32_t id = draw(rng, bound);
        bool there = false;

        for (uint32_t j = 0; j < k; j++) {
            there = there || ids[j] == id;
        }
        if (!there) {
            ids[k++] = id;
        }
    }
    qsort(ids, k, sizeof *ids, random_compare);
    *out = ids;
    return k;
}

/* The fence is widened by where its VMs start. */
static inline void
random_let_in(struct world *w, struct dcp_rule *rule)
{
    uint32_t *hosts = WORLD_NEW(w, uint32_t, w->inv->n_hosts), n = 0;

    for (uint32_t h = 0; h < w->inv->n_hosts; h++) {
        bool in =
            dcp_ids_contain(&(struct dcp_ids){ rule->hosts, rule->n_hosts }, h);

        for (uint32_t i = 0; i < rule->n_vms; i++) {
            in = in || w->vms[rule->vms[i]].host.ix == h;
        }
        if (in) {
            hosts[n++] = h;
        }
    }
    rule->hosts = hosts;
    rule->n_hosts = n;
}

static inline void
random_separate(struct world *w, struct dcp_rule *rule, uint32_t n_vms)
{
    uint32_t *a = WORLD_NEW(w, uint32_t, n_vms), n_a = 0;
    uint32_t *b = WORLD_NEW(w, uint32_t, n_vms), n_b = 0;

    for (uint32_t v = 0; v < n_vms; v++) { /* Some VMs are of neither side. */
        if (v % 3 == 0) {
            a[n_a++] = v;
        } else if (v % 3 == 1) {
            b[n_b++] = v;
        }
    }
    rule->vms = a;
    rule->n_vms = n_a;
    rule->others = b;
    rule->n_others = n_b;
}

/* Some ids in disjoint sets of up to 'n_sets'. */
static inline void
random_sets(struct world *w, struct dcp_rng *rng, struct dcp_rule *rule,
            uint32_t n_sets, uint32_t bound)
{
    struct dcp_rule_set *sets = WORLD_NEW(w, struct dcp_rule_set, n_sets);
    uint32_t *all = WORLD_NEW(w, uint32_t, bound + 1u), n = 0;

    for (uint32_t s = 0; s < n_sets; s++) {
        uint32_t *ids = WORLD_NEW(w, uint32_t, bound + 1u);

        sets[s] = (struct dcp_rule_set){
            dcp_arena_printf(w->inv->arena, "set%u", s), { ids, 0 }
        };
    }
    for (uint32_t i = 0; i < bound; i++) {
        uint32_t s = draw(rng, n_sets + 1);

        if (s < n_sets) {
            ((uint32_t *)(uintptr_t)sets[s].ids.ix)[sets[s].ids.n++] = i;
            all[n++] = i;
        }
    }
    rule->sets = sets;
    rule->n_sets = n_sets;
    if (rule->kind == DCP_RULE_SPLIT) {
        rule->vms = all;
        rule->n_vms = n;
    }
}

/* What rules of the newer kinds need beside two or three VMs. */
static inline void
random_counted(struct world *w, const struct sample *s, struct dcp_rng *rng,
               struct dcp_rule *rule)
{
    uint32_t n_hosts = 1 + draw(rng, s->n_hosts);
    uint64_t sum = 0;

    if (rule->kind == DCP_RULE_AMONG || rule->kind == DCP_RULE_SPLIT) {
        random_sets(w, rng, rule, 2 + draw(rng, 2),
                    rule->kind == DCP_RULE_AMONG ? s->n_hosts : s->n_vms);
        return;
    }
    if (rule->kind == DCP_RULE_SEQUENCE) {
        uint32_t *order = WORLD_NEW(w, uint32_t, rule->n_vms + 1u);

        for (uint32_t i = 0; i < rule->n_vms; i++) {
            order[i] = rule->vms[(i + s->seed) % rule->n_vms];
        }
        rule->order = order;
        rule->n_order = rule->n_vms;
        rule->soft = false;
        return;
    }
    if (rule->kind == DCP_RULE_LONELY) {
        rule->over = DCP_DOMAIN_HOST;
        return;
    }
    if (rule->kind == DCP_RULE_QUARANTINE) {
        n_hosts = 1;
    } else if (rule->kind == DCP_RULE_MAX_SKEW && chance(rng, 50)) {
        n_hosts = s->n_hosts;
    }
    rule->n_hosts = random_subset(w, rng, n_hosts, s->n_hosts, &rule->hosts);
    if (rule->kind == DCP_RULE_MAX_SKEW) {
        rule->limit = 1 + draw(rng, 2);
        rule->n_vms = random_subset(w, rng, 2 + draw(rng, 4), s->n_vms,
                                    &rule->vms);
        return;
    }
    if (rule->kind == DCP_RULE_MAX_ON || rule->kind == DCP_RULE_MIN_ON) {
        rule->n_vms = 0;
        rule->limit = rule->kind == DCP_RULE_MIN_ON
                          ? draw(rng, rule->n_hosts + 1u)
                          : 1 + draw(rng, rule->n_hosts);
        return;
    }
    if (rule->kind == DCP_RULE_QUARANTINE) {
        rule->n_vms = 0;
        return;
    }
    rule->n_vms = random_subset(w, rng, chance(rng, 50) ? s->n_vms : 4,
                                s->n_vms, &rule->vms);
    rule->resource = chance(rng, 50) ? DCP_RULE_MEMORY : DCP_RULE_VCPUS;
    for (uint32_t i = 0; i < rule->n_vms; i++) {
        const struct dcp_vm *vm = &w->vms[rule->vms[i]];

        sum += rule->kind == DCP_RULE_RUNNING_CAPACITY ? 1
               : rule->resource == DCP_RULE_MEMORY     ? vm->mem_mib
                                                       : vm->vcpus;
    }
    rule->limit = sum * (40 + draw(rng, 60)) / 100;
}

static inline void
random_rules(struct world *w, const struct sample *s)
{
    static const enum dcp_rule_kind kinds[] = {
        DCP_RULE_SPREAD, DCP_RULE_SPREAD, DCP_RULE_SPREAD,   DCP_RULE_GATHER,
        DCP_RULE_GATHER, DCP_RULE_FENCE,  DCP_RULE_FENCE,    DCP_RULE_BAN,
        DCP_RULE_BAN,    DCP_RULE_ROOT,   DCP_RULE_SEPARATE,
        DCP_RULE_AMONG,  DCP_RULE_SPLIT,  DCP_RULE_LONELY,
        DCP_RULE_QUARANTINE, DCP_RULE_MAX_SKEW, DCP_RULE_CAPACITY,
        DCP_RULE_RUNNING_CAPACITY, DCP_RULE_MAX_ON, DCP_RULE_MIN_ON,
        DCP_RULE_SEQUENCE,
    };
    static const enum dcp_domain overs[] = {
        DCP_DOMAIN_HOST, DCP_DOMAIN_HOST, DCP_DOMAIN_HOST, DCP_DOMAIN_RACK,
        DCP_DOMAIN_RACK, DCP_DOMAIN_FEED, DCP_DOMAIN_ROOM,
        DCP_DOMAIN_SWITCH,
    };
    struct dcp_rule *rules = WORLD_NEW(w, struct dcp_rule, s->n_rules + 1u);

    for (uint32_t r = 0; r < s->n_rules; r++) {
        struct dcp_rng rng = dcp_rng_stream(s->seed, "rule", r);
        struct dcp_rule *rule = &rules[r];
        uint32_t n_hosts = s->n_hosts > 1 ? s->n_hosts - 1 : 1;

        *rule = (struct dcp_rule){
            .kind = kinds[draw(&rng, sizeof kinds / sizeof kinds[0])],
            .name = dcp_arena_printf(w->inv->arena, "rule%u", r),
            .over = overs[draw(&rng, sizeof overs / sizeof overs[0])],
            .hold = chance(&rng, 50) ? DCP_HOLD_ALWAYS : DCP_HOLD_END,
            .soft = chance(&rng, 12),
            .soft_price = 1,
        };
        if (rule->kind == DCP_RULE_SEPARATE && chance(&rng, 80)) {
            rule->over = DCP_DOMAIN_HOST;
        }
        rule->n_vms = random_subset(
            w, &rng, rule->over > DCP_DOMAIN_RACK ? 2 : 2 + draw(&rng, 2),
            s->n_vms, &rule->vms);
        if (rule->kind == DCP_RULE_BAN) {
            n_hosts = 1 + draw(&rng, 2);
        }
        if (rule->kind == DCP_RULE_FENCE || rule->kind == DCP_RULE_BAN) {
            rule->n_hosts =
                random_subset(w, &rng, n_hosts, s->n_hosts, &rule->hosts);
            if (rule->kind == DCP_RULE_FENCE && chance(&rng, 80)) {
                random_let_in(w, rule);
            }
        } else if (rule->kind == DCP_RULE_SEPARATE) {
            random_separate(w, rule, s->n_vms);
        } else if (rule->kind == DCP_RULE_ROOT && chance(&rng, 60)) {
            rule->has_hours = true; /* The day: 00:00 is when it begins. */
            rule->hours = (struct dcp_window){ 0, 1200 };
        } else if (rule->kind >= DCP_RULE_AMONG) {
            random_counted(w, s, &rng, rule);
        }
    }
    w->rules = rules;
    w->inv->rules = rules;
    w->inv->n_rules = s->n_rules;
}

static inline void
random_policy(struct world *w, const struct sample *s)
{
    struct dcp_rng rng = dcp_rng_stream(s->seed, "policy", 0);
    struct dcp_policy *p = &w->inv->policy;

    if (chance(&rng, 50)) {
        p->target_cpu_frac = 0.8;
        p->target_mem_frac = 0.9;
    }
    p->keep_on = 1 + draw(&rng, 2);
    p->protect_tiers = 1 + 2 * draw(&rng, 2);
    if (chance(&rng, 55)) {
        p->survive[p->n_survive++] = (struct dcp_loss){ DCP_LOSS_HOST, 1 };
    }
    if (chance(&rng, 12)) {
        p->survive[p->n_survive++] =
            (struct dcp_loss){ chance(&rng, 50) ? DCP_LOSS_RACK : DCP_LOSS_FEED,
                               1 };
    }
    p->relax_rules = draw(&rng, UINT32_C(1) << DCP_RULE_KINDS);
    p->survive_to_capacity = chance(&rng, 50);
    p->min_gain_frac = 0;
    p->failed_boots_frac = chance(&rng, 60) ? 0.05 * draw(&rng, 20) : 0;
    p->unpack = chance(&rng, 30) ? DCP_UNPACK_HOME : DCP_UNPACK_NEEDED;
}

static inline void
random_slots(struct world *w)
{
    struct dcp_slot *slots = WORLD_NEW(w, struct dcp_slot, RANDOM_SLOTS);

    for (uint32_t t = 0; t < RANDOM_SLOTS; t++) {
        slots[t] = (struct dcp_slot){ WORLD_T0 + t * DCP_HOUR_MS,
                                      WORLD_T0 + (t + 1) * DCP_HOUR_MS, 0 };
    }
    w->demand.slots = slots;
    w->demand.n_slots = RANDOM_SLOTS;
}

/* The model of a sample; the caller frees it with world_free(). */
static inline struct world
random_model(const struct sample *s)
{
    struct world w = world_make(s->n_hosts, s->n_vms);
    struct dcp_rng rng = dcp_rng_stream(s->seed, "places", 0);

    random_slots(&w);
    random_hardware(&w);
    random_places(&w, &rng);
    random_hosts(&w, s);
    random_pools(&w, s);
    random_vms(&w, s);
    random_paths(&w, s, 8);
    random_rules(&w, s);
    random_policy(&w, s);
    w.inv->policy.storage.moves =
        s->seed % 4 == 3 ? DCP_STORAGE_MOVES_ALLOW : DCP_STORAGE_MOVES_DENY;
    return w;
}

#endif /* tests/support/random_model.h */
