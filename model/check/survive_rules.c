/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Rules after a loss.  Only restarts can break them: whatever else is where it
 * was has been judged with the leg's end. */

#include "model/check/survive.h"

#include <stdio.h>

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

static bool
rule_counts(const struct dcp_survive_work *w, const struct dcp_rule *rule)
{
    /* A lost host cannot be stayed on. */
    return !rule->soft && rule->kind != DCP_RULE_ROOT &&
           !(w->inv->policy.relax_rules >> rule->kind & 1);
}

static uint32_t
member_of(const struct dcp_rule *rule, uint32_t i)
{
    return i < rule->n_vms ? rule->vms[i] : rule->others[i - rule->n_vms];
}

bool
dcp_survive_index_rules(struct dcp_survive_work *w)
{
    struct dcp_arena *arena = w->leg->arena;
    uint32_t n_vms = w->inv->n_vms;
    size_t total = 0;

    w->rule_first = dcp_arena_array(arena, uint32_t, n_vms + 2u);
    if (!w->rule_first) {
        return dcp_judge_no_memory(w->j);
    }
    for (uint32_t r = 0; r < w->inv->n_rules; r++) {
        const struct dcp_rule *rule = &w->inv->rules[r];

        for (uint32_t i = 0;
             rule_counts(w, rule) && i < rule->n_vms + rule->n_others; i++) {
            w->rule_first[member_of(rule, i) + 2]++;
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

        for (uint32_t i = 0;
             rule_counts(w, rule) && i < rule->n_vms + rule->n_others; i++) {
            w->rules[w->rule_first[member_of(rule, i) + 1]++] = r;
        }
    }
    return true;
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
            dcp_check_rules_domain(w->inv, rule->over, ha.ix) ==
                dcp_check_rules_domain(w->inv, rule->over, hb.ix)) {
            return true;
        }
    }
    return false;
}

/* The VM that 'vm', restarted on 'host', may not be (spread, separate) or must
 * be (gather) together with; UINT32_MAX: none. */
static uint32_t
conflict(const struct dcp_survive_work *w, const struct dcp_rule *rule,
         uint32_t vm, uint32_t host)
{
    uint32_t mine = dcp_check_rules_domain(w->inv, rule->over, host);
    struct dcp_ids side_a = { rule->vms, rule->n_vms };
    struct dcp_ids side_b = { rule->others, rule->n_others };
    bool in_a = dcp_ids_contain(&side_a, vm);
    bool in_b = dcp_ids_contain(&side_b, vm);

    for (uint32_t i = 0; i < rule->n_vms + rule->n_others; i++) {
        uint32_t other = member_of(rule, i);
        dcp_host_id h = w->after[other];

        if (other == vm || dcp_host_is_none(h)) {
            continue;
        }
        bool together =
            dcp_check_rules_domain(w->inv, rule->over, h.ix) == mine;
        bool were = were_together(w, rule, vm, other);

        if (rule->kind == DCP_RULE_GATHER ? !together && were
                                          : together && !were) {
            bool opposite = i < rule->n_vms ? in_b : in_a;

            if (rule->kind != DCP_RULE_SEPARATE || opposite) {
                return other;
            }
        }
    }
    return UINT32_MAX;
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
        case DCP_RULE_SPREAD:
        case DCP_RULE_GATHER:
        case DCP_RULE_SEPARATE:
            other = conflict(w, rule, vm, host);
            if (other == UINT32_MAX) {
                continue;
            }
            (void)snprintf(text, sizeof text, "rule %.30s: %s with %.30s",
                           rule->name,
                           rule->kind == DCP_RULE_GATHER ? "not in one place"
                                                         : "in one place",
                           w->inv->vms[other].name);
            break;
        case DCP_RULE_ROOT:
            continue;
        }
        dcp_survive_report(w, s, dcp_judge_vm(vm), DCP_NO_NUMBER, DCP_NO_NUMBER,
                           text);
    }
}
