/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_SUPPORT_BRUTE_FORCE_H
#define DCP_TESTS_SUPPORT_BRUTE_FORCE_H 1

/* Tiny random models, and the best answer to each by brute force: every
 * placement of every item, with every set of hosts on, and every way to
 * restart after each loss.  The rules are read a third time here, from their
 * definitions in docs/rules.md; nothing is shared with solver or checker. */

#include "model/capacity.h"
#include "solver/solver.h"
#include "tests/support/random_joint.h"

#include <math.h>

enum { HOSTS_MAX = 4, VMS_MAX = 7, SLOTS = WORLD_SLOTS };

/* --- Models ------------------------------------------------------------- */

struct tiny_model {
    struct world w;
    struct dcp_question q;
    struct dcp_placement *start;
    double on_value[HOSTS_MAX], slope[HOSTS_MAX];
};

static inline void
tiny_vms(struct world *w, const struct sample *s)
{
    for (uint32_t v = 0; v < s->n_vms; v++) {
        struct dcp_rng rng = dcp_rng_stream(s->seed, "vm", v);
        struct dcp_vm *vm = &w->vms[v];

        vm->vcpus = 1 + draw(&rng, 4);
        vm->mem_mib = 1000 * (1 + draw(&rng, 45));
        vm->tier.ix = draw(&rng, 2);
        vm->movable = !chance(&rng, 4);
        vm->host.ix = draw(&rng, s->n_hosts);
        w->hosts[vm->host.ix].state = DCP_HOST_UP;
        for (uint32_t t = 0; t < SLOTS; t++) {
            w->cpu_mhz[v * w->demand.stride + t] = 100 * (1 + draw(&rng, 55));
        }
    }
}

static inline struct tiny_model
make_tiny(const struct sample *s)
{
    struct tiny_model m = { .w = world_make(s->n_hosts, s->n_vms) };
    struct dcp_rng rng = dcp_rng_stream(s->seed, "world", 0);
    uint32_t kinds = 1 + draw(&rng, RANDOM_HARDWARE);

    random_hardware(&m.w);
    random_places(&m.w, &rng);
    for (uint32_t h = 0; h < s->n_hosts; h++) {
        m.w.hosts[h].hardware.ix = draw(&rng, kinds);
        m.w.hosts[h].rack.ix = draw(&rng, RANDOM_RACKS);
        m.w.hosts[h].power_off_allowed = !chance(&rng, 10);
        m.w.hosts[h].state = chance(&rng, 20) ? DCP_HOST_STANDBY : DCP_HOST_UP;
        m.on_value[h] = 100 + draw(&rng, 100);
        m.slope[h] = draw(&rng, 30) / 1000.0;
    }
    for (uint32_t r = 0; r < RANDOM_RACKS; r++) {
        m.w.racks[r].limit_w = 0;
    }
    for (uint32_t f = 0; f < RANDOM_FEEDS; f++) {
        m.w.feeds[f].limit_w = 0;
    }
    tiny_vms(&m.w, s);
    random_rules(&m.w, s);
    for (uint32_t r = 0; r < s->n_rules; r++) {
        m.w.rules[r].soft = false;
    }
    random_policy(&m.w, s);
    m.w.inv->policy.keep_on = 1;
    m.w.inv->policy.n_survive = m.w.inv->policy.survive[0].kind == DCP_LOSS_HOST
                                    ? m.w.inv->policy.n_survive > 0
                                    : 0;
    if (s->seed % 3 == 0) {
        random_joint(&m.w, s->seed);
    }
    m.start = dcp_placement_start(m.w.inv, NULL);
    return m;
}

/* The question; once the model is where it stays. */
static inline void
ask_of(struct tiny_model *m, bool by_value)
{
    m->q = (struct dcp_question){
        .inventory = m->w.inv,
        .demand = &m->w.demand,
        .last_slot = SLOTS,
        .start = m->start,
        .may_wake = true,
        .may_empty = true,
        .headroom = m->w.inv->policy.n_survive > 0,
        .host_on_value = by_value ? m->on_value : NULL,
        .mhz_slope = by_value ? m->slope : NULL,
    };
}

static inline void
free_tiny(struct tiny_model *m)
{
    dcp_placement_destroy(m->start);
    world_free(&m->w);
}

/* --- Brute force -------------------------------------------------------- */

struct brute {
    const struct tiny_model *m;
    const struct dcp_inventory *inv;
    uint32_t nh, nv, n_items;
    uint32_t item[VMS_MAX]; /* By VM: VMs gathered on one host are one. */
    uint32_t at[VMS_MAX];   /* By item; DCP_IX_NONE: not there. */
    bool protect[VMS_MAX];  /* By item. */
    double best, fewest;    /* INFINITY: no answer. */
};

static inline uint32_t
domain_of(const struct brute *b, enum dcp_domain over, uint32_t host)
{
    uint32_t rack = b->inv->hosts[host].rack.ix;

    switch (over) {
    case DCP_DOMAIN_SWITCH: /* No ports here: each is alone. */
    case DCP_DOMAIN_HOST:
        break;
    case DCP_DOMAIN_RACK:
        return rack;
    case DCP_DOMAIN_FEED: /* Racks 0 and 1 are on the same two. */
        return rack < 2 ? 0 : 1;
    case DCP_DOMAIN_ROOM:
        return b->inv->racks[rack].room.ix;
    case DCP_DOMAIN_SITE:
        return 0;
    }
    return host;
}

static inline void
tie_items(struct brute *b)
{
    for (uint32_t v = 0; v < b->nv; v++) {
        b->item[v] = v;
    }
    for (uint32_t round = 0; round < b->nv; round++) {
        for (uint32_t r = 0; r < b->inv->n_rules; r++) {
            const struct dcp_rule *rule = &b->inv->rules[r];

            for (uint32_t i = 1;
                 rule->kind == DCP_RULE_GATHER &&
                 rule->over == DCP_DOMAIN_HOST && i < rule->n_vms;
                 i++) {
                uint32_t *x = &b->item[rule->vms[i - 1]];
                uint32_t *y = &b->item[rule->vms[i]];

                *x = *y = *x < *y ? *x : *y;
            }
        }
    }
    uint32_t number[VMS_MAX] = { 0 };

    for (uint32_t v = 0; v < b->nv; v++) {
        number[v] = b->item[v] == v ? b->n_items++ : number[b->item[v]];
        b->item[v] = number[v];
        b->protect[b->item[v]] |=
            b->inv->policy.protect_tiers >> b->inv->vms[v].tier.ix & 1;
    }
}

static inline uint32_t
started(const struct brute *b, uint32_t v)
{
    return b->inv->vms[v].host.ix;
}

/* Do all of the rule's VMs start in one domain? */
static inline bool
gathered_at_start(const struct brute *b, const struct dcp_rule *rule)
{
    for (uint32_t i = 1; i < rule->n_vms; i++) {
        if (domain_of(b, rule->over, started(b, rule->vms[i])) !=
            domain_of(b, rule->over, started(b, rule->vms[0]))) {
            return false;
        }
    }
    return true;
}

static inline bool
vm_may_run(const struct brute *b, const struct dcp_rule *rule, uint32_t v,
           uint32_t h, bool restart)
{
    bool listed =
        dcp_ids_contain(&(struct dcp_ids){ rule->hosts, rule->n_hosts }, h);

    switch (rule->kind) {
    case DCP_RULE_FENCE:
        return listed;
    case DCP_RULE_BAN:
        return !listed;
    case DCP_RULE_ROOT: /* The slots begin at 20:00; hours end then. */
        return restart || rule->has_hours || started(b, v) == h;
    case DCP_RULE_GATHER:
        return restart || rule->hold != DCP_HOLD_ALWAYS ||
               !gathered_at_start(b, rule) ||
               domain_of(b, rule->over, h) ==
                   domain_of(b, rule->over, started(b, v));
    case DCP_RULE_QUARANTINE:
        return started(b, v) == h ||
               (!listed &&
                (restart || !dcp_ids_contain(
                                &(struct dcp_ids){ rule->hosts, rule->n_hosts },
                                started(b, v))));
    case DCP_RULE_SPREAD:
    case DCP_RULE_SEPARATE:
    case DCP_RULE_AMONG: /* As a whole: brute_rule_holds(). */
    case DCP_RULE_SPLIT:
    case DCP_RULE_LONELY:
    case DCP_RULE_MAX_SKEW:
    case DCP_RULE_CAPACITY:
    case DCP_RULE_RUNNING_CAPACITY:
    case DCP_RULE_MAX_ON:
    case DCP_RULE_MIN_ON:
    case DCP_RULE_SEQUENCE:
        break;
    }
    return true;
}

/* Whether 'v' may be on 'h' beside 'w' on its host, by the rule. */
static inline bool
pair_may_be(const struct brute *b, const struct dcp_rule *rule, uint32_t v,
            uint32_t h, uint32_t w)
{
    struct dcp_ids side_a = { rule->vms, rule->n_vms };
    struct dcp_ids side_b = { rule->others, rule->n_others };
    bool tied = b->item[v] == b->item[w]; /* So 'w' comes to 'h' as well. */
    bool same = tied || domain_of(b, rule->over, h) ==
                            domain_of(b, rule->over, b->at[b->item[w]]);
    bool excused = tied && domain_of(b, rule->over, started(b, v)) ==
                               domain_of(b, rule->over, started(b, w));

    if (rule->kind == DCP_RULE_SPREAD || rule->kind == DCP_RULE_GATHER) {
        bool both = dcp_ids_contain(&side_a, v) && dcp_ids_contain(&side_a, w);

        return !both ||
               (rule->kind == DCP_RULE_GATHER ? same : !same || excused);
    }
    bool across =
        (dcp_ids_contain(&side_a, v) && dcp_ids_contain(&side_b, w)) ||
        (dcp_ids_contain(&side_b, v) && dcp_ids_contain(&side_a, w));

    return rule->kind != DCP_RULE_SEPARATE || !across || !same || excused;
}

static inline bool
rules_allow(const struct brute *b, uint32_t item, uint32_t h, bool restart)
{
    for (uint32_t r = 0; r < b->inv->n_rules; r++) {
        const struct dcp_rule *rule = &b->inv->rules[r];
        struct dcp_ids vms = { rule->vms, rule->n_vms };

        if (restart && b->inv->policy.relax_rules >> rule->kind & 1) {
            continue;
        }
        for (uint32_t v = 0; v < b->nv; v++) {
            if (b->item[v] != item) {
                continue;
            }
            if ((dcp_ids_contain(&vms, v) ||
                 rule->kind == DCP_RULE_QUARANTINE) &&
                !vm_may_run(b, rule, v, h, restart)) {
                return false;
            }
            for (uint32_t w = 0; w < b->nv; w++) {
                bool there =
                    b->item[w] == item || b->at[b->item[w]] != DCP_IX_NONE;

                if (w != v && there && !pair_may_be(b, rule, v, h, w)) {
                    return false;
                }
            }
        }
    }
    return true;
}

/* --- Rules about all VMs at once ----------------------------------------- */

static inline uint32_t
set_of(const struct dcp_rule *rule, uint32_t ix)
{
    for (uint32_t s = 0; s < rule->n_sets; s++) {
        if (dcp_ids_contain(&rule->sets[s].ids, ix)) {
            return s;
        }
    }
    return DCP_IX_NONE;
}

static inline uint32_t
host_now(const struct brute *b, uint32_t v)
{
    return b->at[b->item[v]];
}

/* Do 'v' and 'w' share a domain that they may not share? */
static inline bool
meet(const struct brute *b, const struct dcp_rule *rule, uint32_t v, uint32_t w)
{
    enum dcp_domain over =
        rule->kind == DCP_RULE_LONELY ? DCP_DOMAIN_HOST : rule->over;
    uint32_t hv = host_now(b, v), hw = host_now(b, w);
    bool tied = b->item[v] == b->item[w];

    return hv != DCP_IX_NONE && hw != DCP_IX_NONE &&
           domain_of(b, over, hv) == domain_of(b, over, hw) &&
           !(tied && domain_of(b, over, started(b, v)) ==
                         domain_of(b, over, started(b, w)));
}

static inline bool
strangers_meet(const struct brute *b, const struct dcp_rule *rule)
{
    struct dcp_ids vms = { rule->vms, rule->n_vms };

    for (uint32_t v = 0; v < b->nv; v++) {
        for (uint32_t w = 0; w < b->nv; w++) {
            bool strange =
                rule->kind == DCP_RULE_LONELY
                    ? dcp_ids_contain(&vms, v) && !dcp_ids_contain(&vms, w)
                    : set_of(rule, v) != DCP_IX_NONE &&
                          set_of(rule, w) != DCP_IX_NONE &&
                          set_of(rule, v) != set_of(rule, w);

            if (strange && meet(b, rule, v, w)) {
                return true;
            }
        }
    }
    return false;
}

static inline bool
among_holds(const struct brute *b, const struct dcp_rule *rule, bool restart)
{
    uint32_t set = DCP_IX_NONE, began = DCP_IX_NONE;
    bool together = true;

    for (uint32_t i = 0; i < rule->n_vms; i++) {
        uint32_t h = host_now(b, rule->vms[i]);
        uint32_t was = set_of(rule, started(b, rule->vms[i]));

        together = together && was != DCP_IX_NONE && (!i || was == began);
        began = was;
        if (h == DCP_IX_NONE) {
            continue;
        }
        uint32_t is = set_of(rule, h);

        if (is == DCP_IX_NONE || (set != DCP_IX_NONE && is != set)) {
            return false;
        }
        set = is;
    }
    return restart || rule->hold != DCP_HOLD_ALWAYS || !together ||
           set == DCP_IX_NONE || set == began;
}

static inline bool
skew_holds(const struct brute *b, const struct dcp_rule *rule)
{
    uint32_t most = 0, least = UINT32_MAX;

    for (uint32_t k = 0; k < rule->n_hosts; k++) {
        uint32_t d = domain_of(b, rule->over, rule->hosts[k]), n = 0;

        for (uint32_t i = 0; i < rule->n_vms; i++) {
            uint32_t h = host_now(b, rule->vms[i]);

            n += h != DCP_IX_NONE && domain_of(b, rule->over, h) == d &&
                 dcp_ids_contain(
                     &(struct dcp_ids){ rule->hosts, rule->n_hosts }, h);
        }
        most = n > most ? n : most;
        least = n < least ? n : least;
    }
    return !rule->n_hosts || most - least <= rule->limit;
}

static inline uint64_t
sum_on_hosts(const struct brute *b, const struct dcp_rule *rule)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < rule->n_vms; i++) {
        const struct dcp_vm *vm = &b->inv->vms[rule->vms[i]];

        if (dcp_ids_contain(&(struct dcp_ids){ rule->hosts, rule->n_hosts },
                            host_now(b, rule->vms[i]))) {
            sum += rule->kind == DCP_RULE_RUNNING_CAPACITY ? 1
                   : rule->resource == DCP_RULE_VCPUS      ? vm->vcpus
                                                           : vm->mem_mib;
        }
    }
    return sum;
}

/* With hold: always, what is on at either end counts for max_on, what is on at
 * both for min_on, where the start keeps the rule. */
static inline bool
power_holds(const struct brute *b, const struct dcp_rule *rule, uint32_t on)
{
    uint64_t n = 0, was = 0, n_always = 0;
    bool most = rule->kind == DCP_RULE_MAX_ON;

    for (uint32_t i = 0; i < rule->n_hosts; i++) {
        bool is = on >> rule->hosts[i] & 1;
        bool before = b->m->start->on[rule->hosts[i]];

        n += is;
        was += before;
        n_always += most ? is || before : is && before;
    }
    if (rule->hold == DCP_HOLD_ALWAYS &&
        (most ? was <= rule->limit : was >= rule->limit)) {
        n = n_always;
    }
    return most ? n <= rule->limit : n >= rule->limit;
}

/* Rules that look at the state as a whole. */
static inline bool
brute_rule_holds(const struct brute *b, const struct dcp_rule *rule,
                 uint32_t on, bool restart)
{
    switch (rule->kind) {
    case DCP_RULE_AMONG:
        return among_holds(b, rule, restart);
    case DCP_RULE_SPLIT:
    case DCP_RULE_LONELY:
        return !strangers_meet(b, rule);
    case DCP_RULE_MAX_SKEW:
        return restart || skew_holds(b, rule);
    case DCP_RULE_CAPACITY:
    case DCP_RULE_RUNNING_CAPACITY:
        return sum_on_hosts(b, rule) <= rule->limit;
    case DCP_RULE_MAX_ON:
    case DCP_RULE_MIN_ON:
        return restart || power_holds(b, rule, on);
    case DCP_RULE_SPREAD: /* Pair by pair, above. */
    case DCP_RULE_GATHER:
    case DCP_RULE_FENCE:
    case DCP_RULE_BAN:
    case DCP_RULE_ROOT:
    case DCP_RULE_SEPARATE:
    case DCP_RULE_QUARANTINE:
    case DCP_RULE_SEQUENCE: /* Of plans. */
        break;
    }
    return true;
}

static inline bool
whole_rules_hold(const struct brute *b, uint32_t on, bool restart)
{
    for (uint32_t r = 0; r < b->inv->n_rules; r++) {
        const struct dcp_rule *rule = &b->inv->rules[r];

        if (!(restart && b->inv->policy.relax_rules >> rule->kind & 1) &&
            !brute_rule_holds(b, rule, on, restart)) {
            return false;
        }
    }
    return true;
}

static inline bool
can_move(const struct brute *b, uint32_t item, uint32_t h)
{
    for (uint32_t v = 0; v < b->nv; v++) {
        if (b->item[v] == item && !b->inv->vms[v].movable &&
            started(b, v) != h) {
            return false;
        }
    }
    return true;
}

static inline bool
holds(const struct brute *b, uint32_t h, bool full)
{
    struct dcp_capacity c = full ? dcp_host_capacity(b->inv, (dcp_host_id){ h })
                                 : dcp_host_usable(b->inv, (dcp_host_id){ h });
    uint64_t cpu[SLOTS] = { 0 }, scalar[DCP_SCALARS_MAX] = { 0 };
    uint32_t request[DCP_SCALARS_MAX];
    dcp_host_id at[VMS_MAX];

    for (uint32_t v = 0; v < b->nv; v++) {
        at[v].ix = b->at[b->item[v]];
        if (at[v].ix != h) {
            continue;
        }
        dcp_vm_request(b->inv, (dcp_vm_id){ v }, b->inv->hosts[h].hypervisor,
                       request);
        for (uint32_t r = 0; r < DCP_SCALARS_MAX; r++) {
            scalar[r] += request[r];
        }
        for (uint32_t t = 0; t < SLOTS; t++) {
            cpu[t] += b->m->w.cpu_mhz[v * b->m->w.demand.stride + t];
        }
    }
    for (uint32_t r = 0; r < DCP_SCALARS_MAX; r++) {
        if (scalar[r] > c.scalar[r]) {
            return false;
        }
    }
    for (uint32_t t = 0; t < SLOTS; t++) {
        if (cpu[t] > c.cpu_mhz) {
            return false;
        }
    }
    return joint_holds(&b->m->w, at, h, full);
}

/* Places the lost items from 'k' on in every way until one works. */
static inline bool
restarts(struct brute *b, const uint32_t *lost, uint32_t n, uint32_t k,
         uint32_t on)
{
    bool full = b->inv->policy.survive_to_capacity;

    if (k == n) {
        return whole_rules_hold(b, on, true);
    }
    for (uint32_t h = 0; h < b->nh; h++) {
        if (!(on >> h & 1)) {
            continue;
        }
        b->at[lost[k]] = DCP_IX_NONE;
        if (!rules_allow(b, lost[k], h, true)) {
            continue;
        }
        b->at[lost[k]] = h;
        if (holds(b, h, full) && restarts(b, lost, n, k + 1, on)) {
            return true;
        }
    }
    b->at[lost[k]] = DCP_IX_NONE;
    return false;
}

static inline bool
survives(struct brute *b, uint32_t on)
{
    uint32_t kept[VMS_MAX], lost[VMS_MAX];

    memcpy(kept, b->at, sizeof kept);
    for (uint32_t h = 0; b->m->q.headroom && h < b->nh; h++) {
        uint32_t n = 0;

        for (uint32_t i = 0; i < b->n_items; i++) {
            if (kept[i] == h) {
                b->at[i] = DCP_IX_NONE;
                if (b->protect[i]) {
                    lost[n++] = i;
                }
            }
        }
        bool ok =
            !(on >> h & 1) || restarts(b, lost, n, 0, on & ~(UINT32_C(1) << h));

        memcpy(b->at, kept, sizeof kept);
        if (!ok) {
            return false;
        }
    }
    return true;
}

static inline double
value_of(const struct brute *b, uint32_t on)
{
    double value = 0;

    for (uint32_t h = 0; h < b->nh; h++) {
        value += on >> h & 1 ? b->m->on_value[h] : 0;
    }
    for (uint32_t v = 0; v < b->nv; v++) {
        for (uint32_t t = 0; t < SLOTS; t++) {
            value += b->m->slope[b->at[b->item[v]]] *
                     b->m->w.cpu_mhz[v * b->m->w.demand.stride + t];
        }
    }
    return value;
}

/* All sets of hosts that are on with this placement. */
static inline void
try_power(struct brute *b)
{
    uint32_t used = 0;

    for (uint32_t i = 0; i < b->n_items; i++) {
        used |= UINT32_C(1) << b->at[i];
    }
    for (uint32_t on = 0; on < UINT32_C(1) << b->nh; on++) {
        bool legal = (on & used) == used;

        for (uint32_t h = 0; h < b->nh; h++) {
            legal = legal && (b->inv->hosts[h].power_off_allowed ||
                              (on >> h & 1) == b->m->start->on[h]);
        }
        legal = legal && whole_rules_hold(b, on, false);
        double value = value_of(b, on);
        double n = (double)__builtin_popcount(on);

        if (legal && (value < b->best || n < b->fewest) && survives(b, on)) {
            b->best = fmin(b->best, value);
            b->fewest = fmin(b->fewest, n);
        }
    }
}

static inline void
try_items(struct brute *b, uint32_t item)
{
    if (item == b->n_items) {
        try_power(b);
        return;
    }
    for (uint32_t h = 0; h < b->nh; h++) {
        b->at[item] = DCP_IX_NONE;
        if (!can_move(b, item, h) || !rules_allow(b, item, h, false)) {
            continue;
        }
        b->at[item] = h;
        if (holds(b, h, false)) {
            try_items(b, item + 1);
        }
    }
    b->at[item] = DCP_IX_NONE;
}

static inline struct brute
brute_force(const struct tiny_model *m)
{
    struct brute b = { .m = m,
                       .inv = m->w.inv,
                       .nh = m->w.inv->n_hosts,
                       .nv = m->w.inv->n_vms,
                       .best = INFINITY,
                       .fewest = INFINITY };

    for (uint32_t i = 0; i < VMS_MAX; i++) {
        b.at[i] = DCP_IX_NONE;
    }
    tie_items(&b);
    try_items(&b, 0);
    return b;
}

#endif /* tests/support/brute_force.h */
