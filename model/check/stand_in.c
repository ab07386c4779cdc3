/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/check/stand_in.h"

#include <string.h>

bool
dcp_stand_in_is_reached(const struct dcp_survive_work *w, uint32_t vm,
                        uint32_t spare, bool restarts)
{
    const struct dcp_ids *vlans = &w->inv->vms[vm].vlans;
    dcp_host_id from = (restarts ? w->leg->end : w->leg->start)->host[vm];
    char why[120];
    bool ok =
        !dcp_check_reach_refusal(w->inv, w->leg->end, vm, spare, why) &&
        (dcp_host_is_none(from) || from.ix == spare ||
         !dcp_check_reach_move_refusal(w->inv, vm, from.ix, spare, restarts,
                                       why));

    for (uint32_t i = 0; ok && i < vlans->n; i++) {
        ok = dcp_check_reach_vlan_now(w->inv, spare, vlans->ix[i]) ||
             dcp_check_reach_vlan_driver(w->inv, spare);
    }
    return ok;
}

static bool
same_place(const struct dcp_survive_work *w, const struct dcp_rule *rule,
           uint32_t spare, uint32_t host)
{
    return rule->over == DCP_DOMAIN_HOST ||
           dcp_check_rules_domain(w->inv, rule->over, spare) ==
               dcp_check_rules_domain(w->inv, rule->over, host);
}

static bool
in_same_set(const struct dcp_rule *rule, uint32_t spare, uint32_t host)
{
    bool found = false;

    for (uint32_t k = 0; k < rule->n_sets; k++) {
        if (dcp_ids_contain(&rule->sets[k].ids, spare) !=
            dcp_ids_contain(&rule->sets[k].ids, host)) {
            return false;
        }
        found |= dcp_ids_contain(&rule->sets[k].ids, spare);
    }
    return found;
}

bool
dcp_stand_in_rule_allows(const struct dcp_survive_work *w,
                         const struct dcp_rule *rule, uint32_t spare,
                         uint32_t host)
{
    bool listed = dcp_rule_lists_host(rule, spare);

    switch (rule->kind) {
    case DCP_RULE_FENCE:
        return listed;
    case DCP_RULE_BAN:
    case DCP_RULE_QUARANTINE:
        return !listed;
    case DCP_RULE_AMONG:
        return in_same_set(rule, spare, host);
    case DCP_RULE_SPREAD:
    case DCP_RULE_GATHER:
    case DCP_RULE_SEPARATE:
    case DCP_RULE_SPLIT:
        return same_place(w, rule, spare, host);
    case DCP_RULE_CAPACITY:
    case DCP_RULE_RUNNING_CAPACITY:
        return listed == dcp_rule_lists_host(rule, host);
    case DCP_RULE_LONELY: /* The same company. */
    case DCP_RULE_ROOT:   /* The others are not asked after a loss. */
    case DCP_RULE_MAX_SKEW:
    case DCP_RULE_MAX_ON:
    case DCP_RULE_MIN_ON:
    case DCP_RULE_FREEZE:
    case DCP_RULE_CHANGE_WINDOW:
    case DCP_RULE_SEQUENCE:
        return true;
    }
    return false;
}

/* Sums are of the rule's own VMs; the other kinds kept apart ask for all. */
static bool
asks_for(const struct dcp_rule *rule, uint32_t vm)
{
    bool asked = rule->kind != DCP_RULE_CAPACITY &&
                 rule->kind != DCP_RULE_RUNNING_CAPACITY;

    for (uint32_t k = 0; !asked && k < rule->n_vms; k++) {
        asked = rule->vms[k] == vm;
    }
    return asked;
}

bool
dcp_stand_in_keeps_rules(const struct dcp_survive_work *w, uint32_t vm,
                         uint32_t spare, uint32_t host)
{
    bool ok = true;

    for (uint32_t i = w->rule_first[vm]; ok && i < w->rule_first[vm + 1]; i++) {
        ok = dcp_stand_in_rule_allows(w, &w->inv->rules[w->rules[i]], spare,
                                      host);
    }
    for (uint32_t i = 0; ok && i < w->n_everywhere; i++) {
        const struct dcp_rule *rule = &w->inv->rules[w->everywhere[i]];

        ok = !asks_for(rule, vm) ||
             dcp_stand_in_rule_allows(w, rule, spare, host);
    }
    return ok;
}

static bool
has_room(const struct dcp_survive_work *w, const struct dcp_survive *s,
         uint32_t spare)
{
    const struct dcp_cells *c = &w->leg->cells;
    const uint64_t *limit = c->usable + (size_t)spare * c->n;
    const uint64_t *load = w->load + (size_t)spare * c->n;
    bool ok = true;

    if (w->inv->policy.survive_to_capacity) {
        dcp_cells_capacity(c, spare, w->capacity);
        limit = w->capacity;
    }
    for (uint32_t k = 0; k < c->n; k++) {
        w->sum[k] = load[k];
    }
    for (uint32_t i = 0; i < s->n; i++) {
        dcp_cells_need(c, s->vms[i], spare, UINT32_MAX, w->need);
        for (uint32_t k = 0; k < c->n; k++) {
            w->sum[k] += w->need[k];
        }
    }
    for (uint32_t k = 0; ok && k < c->n; k++) {
        ok = w->sum[k] <= (load[k] > limit[k] ? load[k] : limit[k]);
    }
    return ok;
}

bool
dcp_stand_in_keeps_overload(const struct dcp_survive_work *w,
                            const struct dcp_survive *s, uint32_t spare)
{
    const struct dcp_overload *o = w->overload;
    uint64_t limit =
        dcp_scenarios_limit_mhz(w->inv, (dcp_host_id){ spare }, true);
    bool ok = true;

    memset(o->row[0], 0, o->n * sizeof *o->row[0]);
    for (uint32_t i = 0; i < s->n; i++) {
        dcp_overload_add(o, s->vms[i], o->row[0]);
    }
    for (uint32_t r = 0; ok && r < o->n_ranges; r++) {
        ok = dcp_overload_above(o, o->row[0], r, limit) <= o->allowed[r];
    }
    return ok;
}

bool
dcp_stands_in_for(const struct dcp_survive_work *w, const struct dcp_survive *s,
                  uint32_t spare, bool restarts)
{
    bool ok = spare != s->lose.ix && has_room(w, s, spare);

    for (uint32_t i = 0; ok && i < s->n; i++) {
        ok = dcp_stand_in_is_reached(w, s->vms[i], spare, restarts) &&
             dcp_stand_in_keeps_rules(w, s->vms[i], spare, s->lose.ix);
    }
    return ok && (!w->overload || dcp_stand_in_keeps_overload(w, s, spare));
}

static bool
ties(const struct dcp_survive_work *w, uint32_t rule, uint32_t vm)
{
    bool tied = false;

    for (uint32_t i = w->rule_first[vm]; i < w->rule_first[vm + 1]; i++) {
        tied |= w->rules[i] == rule;
    }
    return tied;
}

uint32_t
dcp_stand_in_parted(const struct dcp_survive_work *w,
                    const struct dcp_survive *s, uint32_t vm, uint32_t spare)
{
    for (uint32_t i = w->rule_first[vm]; i < w->rule_first[vm + 1]; i++) {
        const struct dcp_rule *rule = &w->inv->rules[w->rules[i]];

        for (uint32_t k = 0; rule->kind == DCP_RULE_GATHER &&
                             rule->over == DCP_DOMAIN_HOST && k < s->n;
             k++) {
            if (s->to[k].ix != spare && ties(w, w->rules[i], s->vms[k])) {
                return s->vms[k];
            }
        }
    }
    return DCP_IX_NONE;
}
