/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_SUPPORT_BRUTE_RULES_H
#define DCP_TESTS_SUPPORT_BRUTE_RULES_H 1

/* Tiny random models, and every kind of rule read a third time, from
 * docs/rules.md: nothing is shared with solver or checker. */

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

/* Whether some of the sample's rules are soft, with a price. */
static inline bool
tiny_is_priced(const struct sample *s)
{
    return s->seed % 5 == 1 || s->seed % 5 == 2;
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
    random_paths(&m.w, s, 25);
    random_rules(&m.w, s);
    for (uint32_t r = 0; r < s->n_rules; r++) {
        struct dcp_rule *rule = &m.w.rules[r];

        rule->soft = tiny_is_priced(s) && chance(&rng, 50) &&
                     rule->kind != DCP_RULE_SEQUENCE;
        rule->soft_price = (1 + draw(&rng, 8)) * (s->seed % 2 ? 25 : 0.25);
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
        .price_soft = true,
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

/* --- Rules -------------------------------------------------------- */

struct brute {
    const struct tiny_model *m;
    const struct dcp_inventory *inv;
    uint32_t nh, nv, n_items;
    uint32_t item[VMS_MAX]; /* By VM: VMs gathered on one host are one. */
    uint32_t at[VMS_MAX];   /* By item; DCP_IX_NONE: not there. */
    bool protect[VMS_MAX];  /* By item. */
    double best, fewest;    /* INFINITY: no answer. */
    double fewest_moves;    /* Likewise: VMs that do not stay. */
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
                 rule->kind == DCP_RULE_GATHER && !rule->soft &&
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
    case DCP_RULE_FREEZE:
    case DCP_RULE_CHANGE_WINDOW:
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

        if (rule->soft ||
            (restart && b->inv->policy.relax_rules >> rule->kind & 1)) {
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
    case DCP_RULE_FREEZE:
    case DCP_RULE_CHANGE_WINDOW:
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

        if (!rule->soft &&
            !(restart && b->inv->policy.relax_rules >> rule->kind & 1) &&
            !brute_rule_holds(b, rule, on, restart)) {
            return false;
        }
    }
    return true;
}

/* --- Prices ------------------------------------------------------------- */

/* Domains with at least so many of the listed VMs; 'extra': VMs beyond one in
 * each instead. */
static inline uint32_t
count_domains(const struct brute *b, const struct dcp_rule *rule,
              uint32_t *out_extra)
{
    uint32_t n_domains = 0;

    *out_extra = 0;
    for (uint32_t i = 0; i < rule->n_vms; i++) {
        uint32_t d = domain_of(b, rule->over, host_now(b, rule->vms[i]));
        bool seen = false;

        for (uint32_t k = 0; k < i; k++) {
            seen |= domain_of(b, rule->over, host_now(b, rule->vms[k])) == d;
        }
        n_domains += !seen;
        *out_extra += seen;
    }
    return n_domains;
}

/* The side or set of a VM; UINT32_MAX: it is in none. */
static inline uint32_t
side_of(const struct dcp_rule *rule, uint32_t v)
{
    if (rule->kind == DCP_RULE_SPLIT) {
        return set_of(rule, v);
    }
    if (dcp_ids_contain(&(struct dcp_ids){ rule->vms, rule->n_vms }, v)) {
        return 0;
    }
    return rule->kind == DCP_RULE_LONELY ||
                   dcp_ids_contain(
                       &(struct dcp_ids){ rule->others, rule->n_others }, v)
               ? 1
               : UINT32_MAX;
}

static inline uint32_t
mixed_domains(const struct brute *b, const struct dcp_rule *rule)
{
    enum dcp_domain over =
        rule->kind == DCP_RULE_LONELY ? DCP_DOMAIN_HOST : rule->over;
    uint32_t n = 0;
    bool done[HOSTS_MAX] = { false };

    for (uint32_t v = 0; v < b->nv; v++) {
        uint32_t d = domain_of(b, over, host_now(b, v));

        for (uint32_t w = 0; w < b->nv && !done[d]; w++) {
            if (domain_of(b, over, host_now(b, w)) == d &&
                side_of(rule, v) != UINT32_MAX &&
                side_of(rule, w) != UINT32_MAX &&
                side_of(rule, v) != side_of(rule, w)) {
                done[d] = true;
                n++;
            }
        }
    }
    return n;
}

static inline uint32_t
misplaced(const struct brute *b, const struct dcp_rule *rule)
{
    uint32_t n = 0;

    for (uint32_t v = 0; v < b->nv; v++) {
        bool mine =
            rule->kind == DCP_RULE_QUARANTINE ||
            dcp_ids_contain(&(struct dcp_ids){ rule->vms, rule->n_vms }, v);

        n += mine && !(rule->kind == DCP_RULE_ROOT && rule->has_hours) &&
             !vm_may_run(b, rule, v, host_now(b, v), false);
    }
    return n;
}

static inline uint32_t
among_violations(const struct brute *b, const struct dcp_rule *rule)
{
    bool used[HOSTS_MAX] = { false };
    uint32_t n_out = 0, n_sets = 0;

    for (uint32_t i = 0; i < rule->n_vms; i++) {
        uint32_t set = set_of(rule, host_now(b, rule->vms[i]));

        if (set == DCP_IX_NONE) {
            n_out++;
        } else {
            n_sets += !used[set];
            used[set] = true;
        }
    }
    return n_out + (n_sets ? n_sets - 1 : 0);
}

static inline uint32_t
skew_excess(const struct brute *b, const struct dcp_rule *rule)
{
    struct dcp_rule looser = *rule;

    while (!skew_holds(b, &looser)) {
        looser.limit++;
    }
    return (uint32_t)(looser.limit - rule->limit);
}

static inline double
violations(const struct brute *b, const struct dcp_rule *rule, uint32_t on)
{
    uint32_t extra, n_on = 0;
    uint64_t sum;

    switch (rule->kind) {
    case DCP_RULE_SPREAD:
        (void)count_domains(b, rule, &extra);
        return extra;
    case DCP_RULE_GATHER:
        return count_domains(b, rule, &extra) - 1.0;
    case DCP_RULE_SEPARATE:
    case DCP_RULE_SPLIT:
    case DCP_RULE_LONELY:
        return mixed_domains(b, rule);
    case DCP_RULE_FENCE:
    case DCP_RULE_BAN:
    case DCP_RULE_ROOT:
    case DCP_RULE_QUARANTINE:
        return misplaced(b, rule);
    case DCP_RULE_AMONG:
        return among_violations(b, rule);
    case DCP_RULE_MAX_SKEW:
        return skew_excess(b, rule);
    case DCP_RULE_CAPACITY:
    case DCP_RULE_RUNNING_CAPACITY:
        sum = sum_on_hosts(b, rule);
        sum = sum > rule->limit ? sum - rule->limit : 0;
        return rule->kind == DCP_RULE_CAPACITY ? sum > 0 : (double)sum;
    case DCP_RULE_MAX_ON:
    case DCP_RULE_MIN_ON:
        for (uint32_t i = 0; i < rule->n_hosts; i++) {
            n_on += on >> rule->hosts[i] & 1;
        }
        return fmax(0, rule->kind == DCP_RULE_MAX_ON
                           ? (double)n_on - (double)rule->limit
                           : (double)rule->limit - n_on);
    case DCP_RULE_FREEZE:
    case DCP_RULE_CHANGE_WINDOW:
    case DCP_RULE_SEQUENCE:
        break;
    }
    return 0;
}

static inline double
brute_price(const struct brute *b, uint32_t on)
{
    double price = 0;

    for (uint32_t r = 0; r < b->inv->n_rules; r++) {
        const struct dcp_rule *rule = &b->inv->rules[r];

        price += rule->soft ? rule->soft_price * violations(b, rule, on) : 0;
    }
    return price;
}

#endif /* tests/support/brute_rules.h */
