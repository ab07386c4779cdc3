/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Rules after a loss.  Only restarts can break them: whatever else is where it
 * was has been judged with the leg's end. */

#include "model/check/survive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
dcp_survive_report(const struct dcp_survive_work *w,
                   const struct dcp_survive *s, struct dcp_object object,
                   double need, double have, const char *text)
{
    dcp_judge_report(w->j, 0, w->promise, object, need, have,
                     "leg %s, %s %s:%.40s: %s",
                     w->j->plan->legs[w->leg->index].name, w->event,
                     dcp_object_kind_name(s->lose.kind),
                     dcp_object_name(w->inv, s->lose), text);
}

bool
dcp_survive_rule_counts(const struct dcp_survive_work *w,
                        const struct dcp_rule *rule)
{
    /* A lost host cannot be stayed on, nor be counted with. */
    return !rule->soft && !dcp_rule_form(rule->kind)->loss_free &&
           !(w->inv->policy.relax_rules >> rule->kind & 1);
}

/* Rules about sums are not asked VM by VM. */
static bool
is_sum(const struct dcp_rule *rule)
{
    return rule->kind == DCP_RULE_CAPACITY ||
           rule->kind == DCP_RULE_RUNNING_CAPACITY;
}

static bool
is_everywhere(const struct dcp_rule *rule)
{
    return is_sum(rule) || rule->kind == DCP_RULE_LONELY ||
           rule->kind == DCP_RULE_QUARANTINE;
}

static uint32_t
n_members(const struct dcp_survive_work *w, const struct dcp_rule *rule)
{
    return dcp_survive_rule_counts(w, rule) && !is_everywhere(rule)
               ? dcp_rule_n_members(rule)
               : 0;
}

bool
dcp_survive_index_rules(struct dcp_survive_work *w)
{
    struct dcp_arena *arena = w->leg->arena;
    uint32_t n_vms = w->inv->n_vms;
    size_t total = 0;

    w->rule_first = dcp_arena_array(arena, uint32_t, n_vms + 2u);
    w->everywhere = dcp_arena_array(arena, uint32_t, w->inv->n_rules + 1u);
    if (!w->rule_first || !w->everywhere) {
        return dcp_judge_no_memory(w->j);
    }
    for (uint32_t r = 0; r < w->inv->n_rules; r++) {
        const struct dcp_rule *rule = &w->inv->rules[r];
        uint32_t n = n_members(w, rule);

        if (dcp_survive_rule_counts(w, rule) && is_everywhere(rule)) {
            w->everywhere[w->n_everywhere++] = r;
        }
        for (uint32_t i = 0; i < n; i++) {
            w->rule_first[dcp_rule_member(rule, i) + 2]++;
            total++;
        }
    }
    for (uint32_t v = 0; v < n_vms; v++) {
        w->rule_first[v + 2] += w->rule_first[v + 1];
    }
    w->rules = dcp_arena_array(arena, uint32_t, total + 1);
    if (!w->rules) {
        return dcp_judge_no_memory(w->j);
    }
    for (uint32_t r = 0; r < w->inv->n_rules; r++) {
        const struct dcp_rule *rule = &w->inv->rules[r];
        uint32_t n = n_members(w, rule);

        for (uint32_t i = 0; i < n; i++) {
            w->rules[w->rule_first[dcp_rule_member(rule, i) + 1]++] = r;
        }
    }
    return true;
}

/* The rule's place of a host: a set of among, else a domain. */
static uint32_t
place_of(const struct dcp_survive_work *w, const struct dcp_rule *rule,
         uint32_t host)
{
    for (uint32_t s = 0; s < rule->n_sets && rule->kind == DCP_RULE_AMONG;
         s++) {
        if (dcp_ids_contain(&rule->sets[s].ids, host)) {
            return s;
        }
    }
    return rule->kind == DCP_RULE_AMONG
               ? DCP_RULE_ALONE + host
               : dcp_check_rules_domain(w->inv, rule->over, host);
}

/* Were 'a' and 'b' in one domain, in the base or before the loss? */
static bool
were_together(const struct dcp_survive_work *w, const struct dcp_rule *rule,
              uint32_t a, uint32_t b)
{
    const struct dcp_placement *states[] = { w->j->base, w->leg->end };

    for (size_t i = 0; i < 2; i++) {
        dcp_host_id ha = states[i]->host[a], hb = states[i]->host[b];

        if (!dcp_host_is_none(ha) && !dcp_host_is_none(hb) &&
            place_of(w, rule, ha.ix) == place_of(w, rule, hb.ix)) {
            return true;
        }
    }
    return false;
}

/* The VM that 'vm', restarted on 'host', may not be (spread, separate, split)
 * or must be (gather, among) together with; UINT32_MAX: none. */
static uint32_t
conflict(const struct dcp_survive_work *w, const struct dcp_rule *rule,
         uint32_t vm, uint32_t host)
{
    uint32_t mine = place_of(w, rule, host);
    struct dcp_ids side_a = { rule->vms, rule->n_vms };
    struct dcp_ids side_b = { rule->others, rule->n_others };
    bool in_a = dcp_ids_contain(&side_a, vm);
    bool in_b = dcp_ids_contain(&side_b, vm);

    for (uint32_t i = 0; i < rule->n_vms + rule->n_others; i++) {
        uint32_t other = dcp_rule_member(rule, i);
        dcp_host_id h = w->after[other];

        if (other == vm || dcp_host_is_none(h)) {
            continue;
        }
        bool together = place_of(w, rule, h.ix) == mine;
        bool were = were_together(w, rule, vm, other);

        bool gather =
            rule->kind == DCP_RULE_GATHER || rule->kind == DCP_RULE_AMONG;

        if (gather ? !together && were : together && !were) {
            bool opposite = i < rule->n_vms ? in_b : in_a;

            if (rule->kind == DCP_RULE_SPLIT) {
                opposite =
                    dcp_rule_part(rule, vm) != dcp_rule_part(rule, other);
            }
            if (gather || rule->kind == DCP_RULE_SPREAD || opposite) {
                return other;
            }
        }
    }
    return UINT32_MAX;
}

static bool
are_strangers(const struct dcp_survive_work *w, const struct dcp_rule *rule,
              uint32_t a, uint32_t b)
{
    return a != b && dcp_rule_lists_vm(rule, a) != dcp_rule_lists_vm(rule, b) &&
           !were_together(w, rule, a, b);
}

const struct dcp_rule *
dcp_survive_parted(const struct dcp_survive_work *w, uint32_t a, uint32_t b)
{
    for (uint32_t i = 0; i < w->n_everywhere; i++) {
        const struct dcp_rule *rule = &w->inv->rules[w->everywhere[i]];

        if (rule->kind == DCP_RULE_LONELY && are_strangers(w, rule, a, b)) {
            return rule;
        }
    }
    return NULL;
}

/* Somebody on the host after the loss who is of the other kind for a lonely
 * rule; UINT32_MAX: nobody. */
static uint32_t
stranger_on(const struct dcp_survive_work *w, const struct dcp_survive *s,
            const struct dcp_rule *rule, uint32_t vm, uint32_t host)
{
    for (uint32_t i = w->first[host]; i < w->first[host + 1]; i++) {
        if (are_strangers(w, rule, vm, w->vms[i])) {
            return w->vms[i];
        }
    }
    for (uint32_t i = 0; i < s->n; i++) {
        if (s->to[i].ix == host && are_strangers(w, rule, vm, s->vms[i])) {
            return s->vms[i];
        }
    }
    return UINT32_MAX;
}

static void
judge_everywhere(const struct dcp_survive_work *w, const struct dcp_survive *s,
                 uint32_t vm, uint32_t host)
{
    char text[100];

    for (uint32_t i = 0; i < w->n_everywhere; i++) {
        const struct dcp_rule *rule = &w->inv->rules[w->everywhere[i]];

        if (rule->kind == DCP_RULE_QUARANTINE &&
            dcp_rule_lists_host(rule, host)) {
            (void)snprintf(text, sizeof text, "rule %.30s: not on %.40s",
                           rule->name, w->inv->hosts[host].name);
        } else if (rule->kind == DCP_RULE_LONELY) {
            uint32_t other = stranger_on(w, s, rule, vm, host);

            if (other == UINT32_MAX) {
                continue;
            }
            (void)snprintf(text, sizeof text, "rule %.30s: with %.30s",
                           rule->name, w->inv->vms[other].name);
        } else {
            continue;
        }
        dcp_survive_report(w, s, dcp_judge_vm(vm), DCP_NO_NUMBER, DCP_NO_NUMBER,
                           text);
    }
}

void
dcp_survive_judge_rules(const struct dcp_survive_work *w,
                        const struct dcp_survive *s, uint32_t vm, uint32_t host)
{
    char text[100];

    for (uint32_t i = w->rule_first[vm]; i < w->rule_first[vm + 1]; i++) {
        const struct dcp_rule *rule = &w->inv->rules[w->rules[i]];
        struct dcp_ids hosts = { rule->hosts, rule->n_hosts };
        uint32_t other = UINT32_MAX;

        switch (rule->kind) {
        case DCP_RULE_FENCE:
        case DCP_RULE_BAN:
            if (dcp_ids_contain(&hosts, host) ==
                (rule->kind == DCP_RULE_FENCE)) {
                continue;
            }
            (void)snprintf(text, sizeof text, "rule %.30s: not on %.40s",
                           rule->name, w->inv->hosts[host].name);
            break;
        case DCP_RULE_AMONG:
            if (place_of(w, rule, host) >= DCP_RULE_ALONE) {
                (void)snprintf(text, sizeof text,
                               "rule %.30s: %.30s is in no set", rule->name,
                               w->inv->hosts[host].name);
                break;
            }
            __attribute__((fallthrough));
        case DCP_RULE_SPREAD:
        case DCP_RULE_GATHER:
        case DCP_RULE_SEPARATE:
        case DCP_RULE_SPLIT:
            other = conflict(w, rule, vm, host);
            if (other == UINT32_MAX) {
                continue;
            }
            (void)snprintf(
                text, sizeof text, "rule %.30s: %s with %.30s", rule->name,
                rule->kind == DCP_RULE_GATHER || rule->kind == DCP_RULE_AMONG
                    ? "not in one place"
                    : "in one place",
                w->inv->vms[other].name);
            break;
        case DCP_RULE_LONELY: /* Asked apart, or not after a loss. */
        case DCP_RULE_QUARANTINE:
        case DCP_RULE_CAPACITY:
        case DCP_RULE_RUNNING_CAPACITY:
        case DCP_RULE_ROOT:
        case DCP_RULE_MAX_SKEW:
        case DCP_RULE_MAX_ON:
        case DCP_RULE_MIN_ON:
        case DCP_RULE_FREEZE:
        case DCP_RULE_CHANGE_WINDOW:
        case DCP_RULE_SEQUENCE:
            continue;
        }
        dcp_survive_report(w, s, dcp_judge_vm(vm), DCP_NO_NUMBER, DCP_NO_NUMBER,
                           text);
    }
    judge_everywhere(w, s, vm, host);
}

/* --- Sums --------------------------------------------------------------- */

static uint64_t
sum_in(const struct dcp_survive_work *w, const struct dcp_rule *rule,
       const dcp_host_id *at)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < rule->n_vms; i++) {
        dcp_host_id h = at[rule->vms[i]];

        if (!dcp_host_is_none(h) && dcp_rule_lists_host(rule, h.ix)) {
            sum += dcp_rule_weight(w->inv, rule, rule->vms[i]);
        }
    }
    return sum;
}

bool
dcp_survive_sum_up(struct dcp_survive_work *w)
{
    w->end_sum = dcp_arena_array(w->leg->arena, uint64_t, w->n_everywhere + 1u);
    w->sum_limit =
        dcp_arena_array(w->leg->arena, uint64_t, w->n_everywhere + 1u);
    if (!w->end_sum || !w->sum_limit) {
        return dcp_judge_no_memory(w->j);
    }
    for (uint32_t i = 0; i < w->n_everywhere; i++) {
        const struct dcp_rule *rule = &w->inv->rules[w->everywhere[i]];

        if (is_sum(rule)) {
            uint64_t base = sum_in(w, rule, w->j->base->host);
            uint64_t end = sum_in(w, rule, w->leg->end->host);
            uint64_t limit = base > rule->limit ? base : rule->limit;

            w->end_sum[i] = end;
            w->sum_limit[i] = end > limit ? end : limit;
        }
    }
    return true;
}

/* What the restarts bring to the rule's hosts. */
static uint64_t
come_sum(const struct dcp_survive_work *w, const struct dcp_survive *s,
         const struct dcp_rule *rule)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < s->n; i++) {
        if (dcp_rule_lists_vm(rule, s->vms[i]) &&
            dcp_rule_lists_host(rule, s->to[i].ix)) {
            sum += dcp_rule_weight(w->inv, rule, s->vms[i]);
        }
    }
    return sum;
}

/* What was on those of them that are lost. */
static uint64_t
lost_sum(const struct dcp_survive_work *w, const struct dcp_rule *rule)
{
    uint64_t sum = 0;

    for (uint32_t k = 0; k < rule->n_hosts; k++) {
        uint32_t h = rule->hosts[k];

        for (uint32_t i = w->host_lost[h] ? w->first[h] : w->first[h + 1];
             i < w->first[h + 1]; i++) {
            if (dcp_rule_lists_vm(rule, w->vms[i])) {
                sum += dcp_rule_weight(w->inv, rule, w->vms[i]);
            }
        }
    }
    return sum;
}

/* By how much the list changes what a rule adds up: what it brings to its
 * hosts, less what was on the lost one; 0 where the rule is no sum. */
static int64_t
sum_change(const struct dcp_survive_work *w, const struct dcp_survive *s,
           uint32_t i)
{
    const struct dcp_rule *rule = &w->inv->rules[w->everywhere[i]];
    int64_t change = is_sum(rule) ? (int64_t)come_sum(w, s, rule) : 0;

    for (uint32_t k = w->first[s->lose.ix];
         is_sum(rule) && dcp_rule_lists_host(rule, s->lose.ix) &&
         k < w->first[s->lose.ix + 1];
         k++) {
        if (dcp_rule_lists_vm(rule, w->vms[k])) {
            change -= (int64_t)dcp_rule_weight(w->inv, rule, w->vms[k]);
        }
    }
    return change;
}

static int
most_first(const void *pa, const void *pb)
{
    int64_t a, b;

    memcpy(&a, pa, sizeof a);
    memcpy(&b, pb, sizeof b);
    return a > b ? -1 : a < b;
}

/* (A spare counts for a rule as the host does that it stands in for.) */
bool
dcp_survive_judge_lists(struct dcp_survive_work *w,
                        const struct dcp_survive *const list[], uint32_t n,
                        uint32_t f)
{
    DCP_FREE int64_t *more = calloc(n + 1u, sizeof *more);

    if (!more || !dcp_survive_sum_up(w)) {
        return dcp_judge_no_memory(w->j);
    }
    for (uint32_t r = 0; n && r < w->n_everywhere; r++) {
        const struct dcp_rule *rule = &w->inv->rules[w->everywhere[r]];
        uint64_t need = w->end_sum[r], have = w->sum_limit[r];
        uint32_t worst = 0;
        int64_t most = 0;

        for (uint32_t i = 0; i < n; i++) {
            more[i] = sum_change(w, list[i], r);
            worst = more[i] > most ? i : worst;
            most = more[i] > most ? more[i] : most;
        }
        qsort(more, n, sizeof *more, most_first);
        for (uint32_t i = 0; i < n && i < f && more[i] > 0; i++) {
            need += (uint64_t)more[i];
        }
        if (most > 0 && need > have) {
            char text[100];

            (void)snprintf(text, sizeof text, "rule %.40s: its hosts hold more",
                           rule->name);
            dcp_survive_report(w, list[worst],
                               (struct dcp_object){ DCP_OBJECT_NONE, 0 },
                               (double)need, (double)have, text);
        }
    }
    return true;
}

void
dcp_survive_judge_sums(const struct dcp_survive_work *w,
                       const struct dcp_survive *s)
{
    for (uint32_t i = 0; i < w->n_everywhere; i++) {
        const struct dcp_rule *rule = &w->inv->rules[w->everywhere[i]];

        uint64_t come = is_sum(rule) ? come_sum(w, s, rule) : 0;

        if (!come) {
            continue;
        }
        uint64_t is = w->end_sum[i] + come - lost_sum(w, rule);
        uint64_t limit = w->sum_limit[i];

        if (is > limit) {
            char text[100];

            (void)snprintf(text, sizeof text, "rule %.40s: its hosts hold more",
                           rule->name);
            dcp_survive_report(w, s, (struct dcp_object){ DCP_OBJECT_NONE, 0 },
                               (double)is, (double)limit, text);
        }
    }
}
