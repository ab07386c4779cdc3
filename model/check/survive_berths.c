/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Several lost at once, by berths: every protected VM is in one part of a
 * pool, all of a part are lost as one, and each berth of the pool is room kept
 * on a host, enough for any of its parts.
 *
 * Let the pool have B berths, and object o hold b(o) of them and p(o) parts.
 * When the objects of a set L are lost, B - sum of b over L berths are left for
 * sum of p over L parts.  So all of them find one, each its own, for every L of
 * up to k objects exactly if the k largest b(o) + p(o) add up to B at most.  No
 * set is looked at.
 *
 * Which part comes to which berth is open; so every VM of the pool must reach
 * all its hosts, hold rules on each in any company that it could have there,
 * and all that is kept on a host must have room beside what it holds. */

#include "model/check/stand_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct berth_work {
    struct dcp_survive_work *w;
    enum dcp_object_kind kind;
    uint32_t count;
    uint64_t *kept;   /* By host and cell: for all berths. */
    uint64_t *most;   /* By cell: the most that a part of the pool asks for. */
    uint64_t *sum;    /* By cell: of one part. */
    uint32_t *n_kept; /* By host: berths, of all pools. */
    uint32_t *n_of;   /* By object: its berths and parts in the pool. */
    uint32_t n_objects;
    uint32_t *pool; /* By VM: the pool of its part, counted from 1. */
    uint8_t *sides; /* By pool: VMs of which sides of a rule come from it. */
    uint8_t *is_by_host; /* By pool: each part is from one host. */
    uint32_t *part;      /* By VM: the part of the pool, counted from 1. */
};

bool
dcp_survive_is_by_berths(const struct dcp_survive_work *w,
                         enum dcp_object_kind kind)
{
    const struct dcp_plan *plan = w->j->plan;
    bool any = false;

    for (uint32_t i = 0; i < plan->n_berths && !any; i++) {
        any = plan->berths[i].leg == w->leg->index &&
              plan->berths[i].lose == kind;
    }
    return any;
}

static void
report(const struct berth_work *b, struct dcp_object object, double need,
       double have, const char *text)
{
    dcp_judge_report(b->w->j, 0, "n+k", object, need, have,
                     "leg %s, losing %u %ss: %s",
                     b->w->j->plan->legs[b->w->leg->index].name, b->count,
                     dcp_object_kind_name(b->kind), text);
}

/* The object that the host goes down with; DCP_IX_NONE: none. */
static uint32_t
object_of(const struct berth_work *b, uint32_t host)
{
    const struct dcp_inventory *inv = b->w->inv;
    dcp_rack_id rack = inv->hosts[host].rack;

    if (b->kind == DCP_OBJECT_HOST) {
        return host;
    }
    if (b->kind == DCP_OBJECT_RACK || dcp_rack_is_none(rack)) {
        return rack.ix;
    }
    return inv->racks[rack.ix].feeds.n == 1 ? inv->racks[rack.ix].feeds.ix[0]
                                            : DCP_IX_NONE;
}

/* One part at most comes there, and nobody else is there. */
static bool
is_kept_empty(const struct berth_work *b, uint32_t host)
{
    const struct dcp_survive_work *w = b->w;

    return w->first[host] == w->first[host + 1] && b->n_kept[host] == 1;
}

static uint64_t
times(uint64_t amount, uint32_t n)
{
    uint64_t most = UINT64_MAX / 4;

    return n && amount > most / n ? most : amount * n;
}

/* --- Parts ---------------------------------------------------------------- */

static uint32_t
host_of(const struct berth_work *b, uint32_t vm)
{
    return b->w->leg->end->host[vm].ix;
}

/* A part whose VMs run and go down together, and are in no other. */
static bool
judge_part(struct berth_work *b, const struct dcp_berths *pool, uint32_t i,
           uint32_t number)
{
    uint32_t object = DCP_IX_NONE;
    bool ok = true;

    for (uint32_t k = pool->first[i]; k < pool->first[i + 1]; k++) {
        uint32_t vm = pool->vms[k], host = host_of(b, vm);
        uint32_t its = host == DCP_IX_NONE ? DCP_IX_NONE : object_of(b, host);

        if (its == DCP_IX_NONE || (k > pool->first[i] && its != object)) {
            report(b, dcp_judge_vm(vm), DCP_NO_NUMBER, DCP_NO_NUMBER,
                   "is not lost as one with its part");
            ok = false;
        } else if (b->pool[vm]) {
            report(b, dcp_judge_vm(vm), 1, 2, "is in two parts");
            ok = false;
        }
        b->pool[vm] = number;
        b->part[vm] = i + 1;
        object = its;
    }
    if (ok && object != DCP_IX_NONE) {
        b->n_of[object]++;
    }
    return ok;
}

static void
add_need(struct berth_work *b, const struct dcp_berths *pool, uint32_t i)
{
    const struct dcp_cells *c = &b->w->leg->cells;

    memset(b->sum, 0, c->n * sizeof *b->sum);
    for (uint32_t k = pool->first[i]; k < pool->first[i + 1]; k++) {
        dcp_cells_need(c, pool->vms[k], pool->hosts[0].ix, UINT32_MAX,
                       b->w->need);
        for (uint32_t cell = 0; cell < c->n; cell++) {
            b->sum[cell] += b->w->need[cell];
        }
    }
    for (uint32_t cell = 0; cell < c->n; cell++) {
        if (b->sum[cell] > b->most[cell]) {
            b->most[cell] = b->sum[cell];
        }
    }
}

/* --- Rules ---------------------------------------------------------------- */

/* Of the part, all that the rule gathers and that were on the VM's host. */
static bool
keeps_gathered(const struct berth_work *b, const struct dcp_rule *rule,
               uint32_t vm)
{
    bool ok = true;

    for (uint32_t i = 0; ok && i < rule->n_vms; i++) {
        uint32_t other = rule->vms[i];

        ok = host_of(b, other) != host_of(b, vm) ||
             !dcp_survive_is_protected(b->w, other) ||
             b->part[other] == b->part[vm];
    }
    return ok;
}

/* On a host of its own the part has no company but its own, which was on one
 * host with it. */
static bool
keeps_rules_alone(const struct berth_work *b, uint32_t vm, uint32_t host)
{
    const struct dcp_survive_work *w = b->w;
    bool ok = dcp_stand_in_keeps_rules(w, vm, host, host_of(b, vm));

    for (uint32_t i = w->rule_first[vm]; ok && i < w->rule_first[vm + 1]; i++) {
        const struct dcp_rule *rule = &w->inv->rules[w->rules[i]];

        ok = rule->kind != DCP_RULE_GATHER || rule->over != DCP_DOMAIN_HOST ||
             keeps_gathered(b, rule, vm);
    }
    return ok;
}

/* Nobody on the host is of a lonely rule, nor the VM itself. */
static bool
is_no_lonely(const struct berth_work *b, const struct dcp_rule *rule,
             uint32_t vm, uint32_t host)
{
    const struct dcp_survive_work *w = b->w;
    bool ok = !dcp_rule_lists_vm(rule, vm);

    for (uint32_t i = w->first[host]; ok && i < w->first[host + 1]; i++) {
        ok = !dcp_rule_lists_vm(rule, w->vms[i]);
    }
    return ok;
}

/* Whether that the VM comes to the host cannot break the rule, whoever else is
 * there.  Sides that are kept apart by host are judged for all at once. */
static bool
allows_in_company(const struct berth_work *b, const struct dcp_rule *rule,
                  uint32_t vm, uint32_t host)
{
    bool over_hosts = rule->over == DCP_DOMAIN_HOST;

    if (rule->kind == DCP_RULE_SEPARATE && over_hosts) {
        return true;
    }
    if (rule->kind == DCP_RULE_GATHER && over_hosts) {
        return keeps_gathered(b, rule, vm);
    }
    return !((rule->kind == DCP_RULE_SPREAD || rule->kind == DCP_RULE_SPLIT) &&
             over_hosts) &&
           dcp_stand_in_rule_allows(b->w, rule, host, host_of(b, vm));
}

/* In any company: no rule may care for that. */
static bool
keeps_rules_in_company(const struct berth_work *b, uint32_t vm, uint32_t host)
{
    const struct dcp_survive_work *w = b->w;
    bool ok = true;

    for (uint32_t i = w->rule_first[vm]; ok && i < w->rule_first[vm + 1]; i++) {
        ok = allows_in_company(b, &w->inv->rules[w->rules[i]], vm, host);
    }
    for (uint32_t i = 0; ok && i < w->n_everywhere; i++) {
        const struct dcp_rule *rule = &w->inv->rules[w->everywhere[i]];

        if (rule->kind == DCP_RULE_QUARANTINE) {
            ok = !dcp_rule_lists_host(rule, host);
        } else if (rule->kind == DCP_RULE_LONELY) {
            ok = is_no_lonely(b, rule, vm, host);
        } else { /* A sum. */
            ok = !dcp_rule_lists_vm(rule, vm);
        }
    }
    return ok;
}

/* --- One part on one host --------------------------------------------------
 */

static bool
is_from_one_host(const struct berth_work *b, const struct dcp_berths *pool,
                 uint32_t i)
{
    bool one = true;

    for (uint32_t k = pool->first[i] + 1; k < pool->first[i + 1]; k++) {
        one &= host_of(b, pool->vms[k]) == host_of(b, pool->vms[k - 1]);
    }
    return one;
}

/* Why a VM could not restart there; NULL: it could. */
static const char *
refusal(const struct berth_work *b, uint32_t vm, uint32_t host, bool alone)
{
    const struct dcp_survive_work *w = b->w;
    uint32_t home = host_of(b, vm);

    if (!dcp_hypervisor_eq(w->inv->hosts[home].hypervisor,
                           w->inv->hosts[host].hypervisor) ||
        !dcp_stand_in_is_reached(w, vm, host, true)) {
        return "cannot restart on";
    }
    if (!(alone ? keeps_rules_alone(b, vm, host)
                : keeps_rules_in_company(b, vm, host))) {
        return "could break a rule on";
    }
    return NULL;
}

static void
judge_place(struct berth_work *b, const struct dcp_berths *pool, uint32_t i,
            bool is_from_one, uint32_t host)
{
    const struct dcp_survive_work *w = b->w;
    bool empty = is_kept_empty(b, host);
    bool alone = empty && is_from_one;
    uint32_t first = pool->first[i], last = pool->first[i + 1];
    char text[120];

    if (first == last ||
        object_of(b, host_of(b, pool->vms[first])) == object_of(b, host)) {
        return; /* Lost with it: it never comes there. */
    }
    for (uint32_t k = first; k < last; k++) {
        const char *why = refusal(b, pool->vms[k], host, alone);

        if (why) {
            (void)snprintf(text, sizeof text, "%s %.60s, where it has a berth",
                           why, w->inv->hosts[host].name);
            report(b, dcp_judge_vm(pool->vms[k]), DCP_NO_NUMBER, DCP_NO_NUMBER,
                   text);
        }
    }
    struct dcp_survive part = { .vms = pool->vms + first, .n = last - first };

    if (w->overload &&
        !(empty && dcp_stand_in_keeps_overload(w, &part, host))) {
        report(b, dcp_judge_host(host), DCP_NO_NUMBER, DCP_NO_NUMBER,
               "with policy.overload a berth is an empty host, and not every "
               "part fits it");
    }
}

/* --- One pool ------------------------------------------------------------- */

static int
most_first(const void *pa, const void *pb)
{
    const uint32_t *a = pa, *b = pb;

    return *a > *b ? -1 : *a < *b;
}

/* Counts berths; false: they are not what can be judged. */
static bool
count_berths(struct berth_work *b, const struct dcp_berths *pool,
             uint64_t *out_n)
{
    const struct dcp_inventory *inv = b->w->inv;
    bool ok = true;

    for (uint32_t i = 0; i < pool->n_hosts; i++) {
        uint32_t host = pool->hosts[i].ix, object = object_of(b, host);

        if (!b->w->leg->end->on[host] || pool->n_at[i] > inv->n_vms ||
            !dcp_hypervisor_eq(inv->hosts[host].hypervisor,
                               inv->hosts[pool->hosts[0].ix].hypervisor)) {
            report(b, dcp_judge_host(host), DCP_NO_NUMBER, pool->n_at[i],
                   "is off, or not like the other hosts with berths");
            ok = false;
            continue;
        }
        *out_n += pool->n_at[i];
        if (object != DCP_IX_NONE) {
            b->n_of[object] += pool->n_at[i];
        }
    }
    return ok;
}

static void
judge_pool(struct berth_work *b, const struct dcp_berths *pool)
{
    const struct dcp_cells *c = &b->w->leg->cells;
    uint32_t ix = (uint32_t)(pool - b->w->j->plan->berths);
    uint64_t have = 0, need = 0;
    bool ok = true;

    memset(b->most, 0, c->n * sizeof *b->most);
    memset(b->n_of, 0, b->n_objects * sizeof *b->n_of);
    memset(b->part, 0, b->w->inv->n_vms * sizeof *b->part);
    b->is_by_host[ix] = 1;
    for (uint32_t i = 0; i < pool->n_parts; i++) {
        ok &= judge_part(b, pool, i, ix + 1);
        b->is_by_host[ix] &= is_from_one_host(b, pool, i);
    }
    if (!ok || !count_berths(b, pool, &have)) {
        return;
    }
    for (uint32_t i = 0; pool->n_hosts && i < pool->n_parts; i++) {
        bool is_from_one = is_from_one_host(b, pool, i);

        add_need(b, pool, i);
        for (uint32_t k = 0; k < pool->n_hosts; k++) {
            if (pool->n_at[k]) {
                judge_place(b, pool, i, is_from_one, pool->hosts[k].ix);
            }
        }
    }
    for (uint32_t k = 0; k < pool->n_hosts; k++) {
        uint64_t *kept = b->kept + (size_t)pool->hosts[k].ix * c->n;

        for (uint32_t cell = 0; cell < c->n; cell++) {
            uint64_t sum = kept[cell] + times(b->most[cell], pool->n_at[k]);

            kept[cell] = sum < UINT64_MAX / 4 ? sum : UINT64_MAX / 4;
        }
    }
    qsort(b->n_of, b->n_objects, sizeof *b->n_of, most_first);
    for (uint32_t k = 0; k < b->count && k < b->n_objects; k++) {
        need += b->n_of[k];
    }
    if (need > have) {
        report(b, (struct dcp_object){ DCP_OBJECT_NONE, 0 }, (double)need,
               (double)have, "too few berths for what may be lost at once");
    }
    b->w->j->result->states_checked++;
}

/* --- All pools ------------------------------------------------------------ */

/* What is kept on each host has room beside what it holds. */
static void
judge_kept(struct berth_work *b)
{
    struct dcp_survive_work *w = b->w;
    const struct dcp_cells *c = &w->leg->cells;

    for (uint32_t h = 0; h < w->inv->n_hosts; h++) {
        size_t at = (size_t)h * c->n;
        const uint64_t *limit = c->usable + at;
        bool told = false;

        if (b->n_kept[h] && w->inv->policy.survive_to_capacity) {
            dcp_cells_capacity(c, h, w->capacity);
            limit = w->capacity;
        }
        for (uint32_t i = 0; b->n_kept[h] && i < c->n && !told; i++) {
            uint64_t load = w->load[at + i], need = load + b->kept[at + i];
            uint64_t most = load > limit[i] ? load : limit[i];

            if (need > most) {
                char what[60], text[120];

                told = true;
                (void)snprintf(text, sizeof text, "its berths: %s",
                               dcp_cells_describe(c, i, what, sizeof what));
                report(b, dcp_judge_host(h), (double)need, (double)most, text);
            }
        }
    }
}

static void
judge_missing(const struct berth_work *b)
{
    const struct dcp_survive_work *w = b->w;

    for (uint32_t vm = 0; vm < w->inv->n_vms; vm++) {
        uint32_t host = host_of(b, vm);

        if (host != DCP_IX_NONE && object_of(b, host) != DCP_IX_NONE &&
            !b->pool[vm] && dcp_survive_is_protected(w, vm)) {
            report(b, dcp_judge_vm(vm), DCP_NO_NUMBER, DCP_NO_NUMBER,
                   "protected, but in no part with berths");
        }
    }
}

/* --- Two sides that a rule keeps on different hosts ------------------------
 */

enum { SIDE_A = 1, SIDE_B = 2 };

static uint8_t
side_of(const struct dcp_rule *rule, uint32_t i)
{
    return i < rule->n_vms ? SIDE_A : SIDE_B;
}

/* Who comes from each pool, and by host who is there or could come.  A host
 * with one berth and nothing else has one part at a time: if that is from one
 * host it is what was together there. */
static void
gather_sides(struct berth_work *b, const struct dcp_rule *rule, uint8_t *of)
{
    const struct dcp_survive_work *w = b->w;
    const struct dcp_plan *plan = w->j->plan;

    memset(b->sides, 0, plan->n_berths);
    memset(of, 0, w->inv->n_hosts);
    for (uint32_t i = 0; i < dcp_rule_n_members(rule); i++) {
        uint32_t vm = dcp_rule_member(rule, i), host = host_of(b, vm);

        if (host != DCP_IX_NONE) {
            of[host] |= side_of(rule, i);
        }
        if (b->pool[vm]) {
            b->sides[b->pool[vm] - 1] |= side_of(rule, i);
        }
    }
}

static void
judge_sides(struct berth_work *b, const struct dcp_rule *rule, uint8_t *of)
{
    const struct dcp_survive_work *w = b->w;
    const struct dcp_plan *plan = w->j->plan;
    char text[120];

    gather_sides(b, rule, of);
    for (uint32_t i = 0; i < plan->n_berths; i++) {
        const struct dcp_berths *pool = &plan->berths[i];

        for (uint32_t k = 0; b->sides[i] && k < pool->n_hosts; k++) {
            uint32_t h = pool->hosts[k].ix;

            if (!pool->n_at[k] || (b->is_by_host[i] && is_kept_empty(b, h))) {
                continue;
            }
            of[h] |= b->sides[i];
            if (of[h] == (SIDE_A | SIDE_B)) {
                (void)snprintf(text, sizeof text,
                               "rule %.60s: both sides could come", rule->name);
                report(b, dcp_judge_host(h), DCP_NO_NUMBER, DCP_NO_NUMBER,
                       text);
            }
        }
    }
}

static bool
judge_separates(struct berth_work *b)
{
    const struct dcp_inventory *inv = b->w->inv;
    DCP_FREE uint8_t *of = malloc(inv->n_hosts + 1u);

    for (uint32_t r = 0; of && r < inv->n_rules; r++) {
        const struct dcp_rule *rule = &inv->rules[r];

        if (rule->kind == DCP_RULE_SEPARATE && rule->over == DCP_DOMAIN_HOST &&
            dcp_survive_rule_counts(b->w, rule)) {
            judge_sides(b, rule, of);
        }
    }
    return of != NULL;
}

static bool
judge_all(struct berth_work *b)
{
    const struct dcp_plan *plan = b->w->j->plan;

    for (uint32_t i = 0; i < plan->n_berths; i++) {
        const struct dcp_berths *pool = &plan->berths[i];

        if (pool->leg != b->w->leg->index || pool->lose != b->kind) {
            continue;
        }
        for (uint32_t k = 0; k < pool->n_hosts; k++) {
            b->n_kept[pool->hosts[k].ix] +=
                pool->n_at[k] < 2 ? pool->n_at[k] : 2;
        }
    }
    for (uint32_t i = 0; i < plan->n_berths; i++) {
        if (plan->berths[i].leg == b->w->leg->index &&
            plan->berths[i].lose == b->kind) {
            judge_pool(b, &plan->berths[i]);
        }
    }
    judge_kept(b);
    judge_missing(b);
    return judge_separates(b);
}

bool
dcp_survive_judge_berths(struct dcp_survive_work *w, enum dcp_object_kind kind,
                         uint32_t count, uint32_t n_objects)
{
    const struct dcp_inventory *inv = w->inv;
    uint32_t n_cells = w->leg->cells.n;
    DCP_FREE uint64_t *kept =
        calloc((size_t)inv->n_hosts * n_cells + 1, sizeof *kept);
    DCP_FREE uint64_t *rows = calloc(2 * (size_t)n_cells + 1, sizeof *rows);
    DCP_FREE uint32_t *n_kept = calloc(inv->n_hosts + 1u, sizeof *n_kept);
    DCP_FREE uint32_t *n_of = calloc(n_objects + 1u, sizeof *n_of);
    DCP_FREE uint32_t *pool = calloc(inv->n_vms + 1u, sizeof *pool);
    DCP_FREE uint8_t *flags = calloc(2 * (size_t)w->j->plan->n_berths + 1, 1);
    DCP_FREE uint32_t *part = calloc(inv->n_vms + 1u, sizeof *part);

    if (!kept || !rows || !n_kept || !n_of || !pool || !flags || !part) {
        return dcp_judge_no_memory(w->j);
    }
    struct berth_work b = { .w = w,
                            .kind = kind,
                            .count = count,
                            .kept = kept,
                            .most = rows,
                            .sum = rows + n_cells,
                            .n_kept = n_kept,
                            .n_of = n_of,
                            .n_objects = n_objects,
                            .pool = pool,
                            .sides = flags,
                            .is_by_host = flags + w->j->plan->n_berths,
                            .part = part };

    return judge_all(&b) || dcp_judge_no_memory(w->j);
}
