/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Rules that look at where other VMs are, over items; and those about hosts
 * that are on. */

#include "solver/rules/delta.h"
#include "solver/rules/tally.h"

#include <stdlib.h>
#include <string.h>

/* One member of a group, before they are sorted. */
struct member {
    uint32_t item, part, weight;
};

static int
compare_members(const void *pa, const void *pb)
{
    const struct member *a = pa, *b = pb;

    if (a->item != b->item) {
        return a->item < b->item ? -1 : 1;
    }
    return a->part < b->part ? -1 : a->part > b->part;
}

static uint32_t
weight_of(const struct dcp_problem *p, const struct dcp_rule *rule, uint32_t vm)
{
    const struct dcp_vm *v = &p->q->inventory->vms[vm];

    if (rule->kind != DCP_RULE_CAPACITY) {
        return 1;
    }
    return rule->resource == DCP_RULE_VCPUS ? v->vcpus
           : v->mem_mib < UINT32_MAX / 2    ? (uint32_t)v->mem_mib
                                            : UINT32_MAX / 2;
}

static uint32_t
part_of(const struct dcp_rule *rule, uint32_t vm)
{
    for (uint32_t s = 0; rule->kind == DCP_RULE_SPLIT && s < rule->n_sets;
         s++) {
        if (dcp_ids_contain(&rule->sets[s].ids, vm)) {
            return s;
        }
    }
    return 0;
}

/* Items of the VMs, ascending, each once per part. */
static bool
collect_items(const struct dcp_problem *p, struct dcp_group *g,
              const uint32_t *vms, uint32_t n, bool other)
{
    const struct dcp_rule *rule = g->rule;
    DCP_FREE struct member *m = malloc((n + 1u) * sizeof *m);
    uint32_t *items = dcp_arena_array(p->arena, uint32_t, n);
    uint32_t *part = dcp_arena_array(p->arena, uint32_t, n);
    uint32_t *weight = dcp_arena_array(p->arena, uint32_t, n), k = 0;

    if (!m || !items || !part || !weight) {
        return false;
    }
    uint32_t n_all = n;

    n = 0;
    for (uint32_t i = 0; i < n_all; i++) {
        if (p->item_of_vm[vms[i]] != DCP_IX_NONE) {
            m[n++] = (struct member){ p->item_of_vm[vms[i]],
                                      part_of(rule, vms[i]),
                                      weight_of(p, rule, vms[i]) };
        }
    }
    qsort(m, n, sizeof *m, compare_members);
    for (uint32_t i = 0; i < n; i++) {
        bool again = k && items[k - 1] == m[i].item && part[k - 1] == m[i].part;

        if (!again) {
            items[k] = m[i].item;
            part[k++] = m[i].part;
        }
        weight[k - 1] += m[i].weight;
        g->total += m[i].weight;
    }
    /* Lonely hosts are counted in items, as what is on a host is; two for an
     * item that brings a stranger along. */
    for (uint32_t i = 0; rule->kind == DCP_RULE_LONELY && i < k; i++) {
        uint32_t n_vms = p->vm_first[items[i] + 1] - p->vm_first[items[i]];

        weight[i] = weight[i] == n_vms ? 1 : 2;
    }
    if (other) {
        g->others = items;
        g->n_others = k;
        return true;
    }
    g->items = items;
    g->n_items = k;
    g->part = rule->kind == DCP_RULE_SPLIT ? part : NULL;
    g->weight = weight;
    return true;
}

/* Whether 'a' and 'b', of one item, share the domain at the start already. */
static bool
together_at_start(const struct dcp_problem *p, const struct dcp_group *g,
                  uint32_t a, uint32_t b)
{
    uint32_t ha = p->q->start->host[a].ix, hb = p->q->start->host[b].ix;

    return ha != DCP_IX_NONE && hb != DCP_IX_NONE &&
           g->domain_of_host[ha] == g->domain_of_host[hb];
}

/* Whether the rule keeps 'a', which it lists, from 'b'. */
static bool
keeps_apart(const struct dcp_rule *rule, uint32_t a, uint32_t b)
{
    struct dcp_ids vms = { rule->vms, rule->n_vms };
    struct dcp_ids others = { rule->others, rule->n_others };

    switch (rule->kind) {
    case DCP_RULE_SPREAD:
        return dcp_ids_contain(&vms, b);
    case DCP_RULE_SEPARATE:
        return dcp_ids_contain(&others, b);
    case DCP_RULE_SPLIT:
        return dcp_ids_contain(&vms, b) && part_of(rule, a) != part_of(rule, b);
    case DCP_RULE_LONELY:
        return !dcp_ids_contain(&vms, b);
    case DCP_RULE_GATHER:
    case DCP_RULE_FENCE:
    case DCP_RULE_BAN:
    case DCP_RULE_ROOT:
    case DCP_RULE_AMONG:
    case DCP_RULE_QUARANTINE:
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
    return false;
}

/* Two VMs that one rule ties together and this one keeps apart. */
static void
find_contradiction(struct dcp_problem *p, const struct dcp_group *g)
{
    const struct dcp_rule *rule = g->rule;

    if (!dcp_rule_is_hard(p->q, rule)) {
        return;
    }
    for (uint32_t i = 0; i < rule->n_vms; i++) {
        uint32_t a = rule->vms[i], item = p->item_of_vm[a];

        if (item == DCP_IX_NONE) {
            continue;
        }
        for (uint32_t k = p->vm_first[item]; k < p->vm_first[item + 1]; k++) {
            uint32_t b = p->vm[k];

            if (a != b && keeps_apart(rule, a, b) &&
                !together_at_start(p, g, a, b)) {
                p->contradiction = rule;
                p->contradicting_item = item;
                return;
            }
        }
    }
}

static bool
index_groups(struct dcp_problem *p)
{
    uint32_t *first = dcp_arena_array(p->arena, uint32_t, p->n_items + 1u);
    uint32_t total = 0;

    if (!first) {
        return false;
    }
    for (uint32_t g = 0; g < p->n_groups; g++) {
        const struct dcp_group *group = &p->groups[g];

        for (uint32_t i = 0; i < group->n_items; i++) {
            first[group->items[i] + 1]++;
        }
        for (uint32_t i = 0; i < group->n_others; i++) {
            first[group->others[i] + 1]++;
        }
        total += group->n_items + group->n_others;
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        first[i + 1] += first[i];
    }
    uint32_t *of = dcp_arena_array(p->arena, uint32_t, total);
    uint32_t *part = dcp_arena_array(p->arena, uint32_t, total);
    uint32_t *weight = dcp_arena_array(p->arena, uint32_t, total);
    DCP_FREE uint32_t *fill = malloc((p->n_items + 1u) * sizeof *fill);

    if (!of || !part || !weight || !fill) {
        return false;
    }
    memcpy(fill, first, p->n_items * sizeof *fill);
    for (uint32_t g = 0; g < p->n_groups; g++) {
        const struct dcp_group *group = &p->groups[g];

        for (uint32_t i = 0; i < group->n_items; i++) {
            uint32_t k = fill[group->items[i]]++;

            of[k] = g;
            part[k] = group->part ? group->part[i] : 0;
            weight[k] = group->weight[i];
        }
        for (uint32_t i = 0; i < group->n_others; i++) {
            uint32_t k = fill[group->others[i]]++;

            of[k] = g | DCP_GROUP_OTHER;
            part[k] = 1;
            weight[k] = 1;
        }
    }
    p->group_first = first;
    p->group_of = of;
    p->group_part = part;
    p->group_weight = weight;
    return true;
}

/* --- Domains ------------------------------------------------------------ */

struct columns { /* Made once for all rules. */
    const uint32_t *of[DCP_DOMAINS];
    uint32_t n[DCP_DOMAINS];
};

/* A column of its own: the sets of an among rule, or the hosts of a limit as
 * one domain and all others none. */
static uint32_t *
own_column(const struct dcp_problem *p, struct dcp_group *g)
{
    uint32_t *column = dcp_arena_array(p->arena, uint32_t, p->n_hosts);
    const struct dcp_rule *rule = g->rule;

    for (uint32_t h = 0; column && h < p->n_hosts; h++) {
        column[h] = DCP_IX_NONE;
    }
    g->n_domains = rule->kind == DCP_RULE_AMONG ? rule->n_sets : 1;
    for (uint32_t s = 0; column && s < rule->n_sets; s++) {
        for (uint32_t i = 0; i < rule->sets[s].ids.n; i++) {
            column[rule->sets[s].ids.ix[i]] = s;
        }
    }
    for (uint32_t i = 0; column && i < rule->n_hosts; i++) {
        column[rule->hosts[i]] = 0;
    }
    return column;
}

/* The domains of some hosts, numbered anew. */
static const uint32_t *
part_of_column(const struct dcp_problem *p, struct dcp_group *g,
               const uint32_t *all, uint32_t n)
{
    uint32_t *column = dcp_arena_array(p->arena, uint32_t, p->n_hosts);
    DCP_FREE uint32_t *number = malloc((n + 1u) * sizeof *number);

    if (!column || !number) {
        return NULL;
    }
    memset(number, 0xff, n * sizeof *number);
    memset(column, 0xff, p->n_hosts * sizeof *column);
    g->n_domains = 0;
    for (uint32_t i = 0; i < g->rule->n_hosts; i++) {
        uint32_t h = g->rule->hosts[i];

        if (number[all[h]] == UINT32_MAX) {
            number[all[h]] = g->n_domains++;
        }
        column[h] = number[all[h]];
    }
    return column;
}

static bool
find_domains(const struct dcp_problem *p, struct dcp_group *g,
             struct columns *columns)
{
    const struct dcp_rule *rule = g->rule;
    enum dcp_domain over = rule->over;

    if (rule->kind == DCP_RULE_AMONG || rule->kind == DCP_RULE_CAPACITY ||
        rule->kind == DCP_RULE_RUNNING_CAPACITY) {
        g->domain_of_host = own_column(p, g);
        return g->domain_of_host != NULL;
    }
    if (rule->kind == DCP_RULE_LONELY) {
        over = DCP_DOMAIN_HOST;
    }
    if (!columns->of[over]) {
        columns->of[over] = dcp_domain_column(p->q->inventory, p->arena, over,
                                              &columns->n[over]);
    }
    g->domain_of_host = columns->of[over];
    g->n_domains = columns->n[over];
    if (g->domain_of_host && rule->kind == DCP_RULE_MAX_SKEW &&
        rule->n_hosts < p->n_hosts) {
        g->domain_of_host =
            part_of_column(p, g, columns->of[over], columns->n[over]);
    }
    return g->domain_of_host != NULL;
}

static bool
compile_group(struct dcp_problem *p, struct dcp_group *g,
              const struct dcp_rule *rule, struct columns *columns)
{
    g->rule = rule;
    g->delta = dcp_rule_delta(rule->kind);
    g->n_parts = rule->kind == DCP_RULE_SPLIT      ? rule->n_sets
                 : rule->kind == DCP_RULE_SEPARATE ? 2
                                                   : 1;
    if (!find_domains(p, g, columns) ||
        !collect_items(p, g, rule->vms, rule->n_vms, false) ||
        !collect_items(p, g, rule->others, rule->n_others, true)) {
        return false;
    }
    uint64_t words = dcp_tally_words(g);

    g->n_words = (uint32_t)words;
    if (words > UINT32_MAX || g->total > UINT32_MAX) {
        return false;
    }
    find_contradiction(p, g);
    return true;
}

/* --- Power -------------------------------------------------------------- */

/* Whether a rule that holds always holds at the start. */
static bool
holds_at_start(const struct dcp_problem *p, const struct dcp_rule *rule)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < rule->n_hosts; i++) {
        n += p->q->start->on[rule->hosts[i]];
    }
    return rule->kind == DCP_RULE_MAX_ON ? n <= rule->limit : n >= rule->limit;
}

static bool
compile_power_rules(struct dcp_problem *p)
{
    const struct dcp_inventory *inv = p->q->inventory;
    struct dcp_power_rule *rules =
        dcp_arena_array(p->arena, struct dcp_power_rule, inv->n_rules);
    uint32_t *first = dcp_arena_array(p->arena, uint32_t, p->n_hosts + 2u);
    uint32_t total = 0;

    if (!rules || !first) {
        return false;
    }
    for (uint32_t r = 0; r < inv->n_rules; r++) {
        const struct dcp_rule *rule = &inv->rules[r];

        if ((rule->kind != DCP_RULE_MAX_ON && rule->kind != DCP_RULE_MIN_ON) ||
            (rule->soft && p->q->ignore_soft)) {
            continue;
        }
        rules[p->n_power_rules++] =
            (struct dcp_power_rule){ rule, rule->hold == DCP_HOLD_ALWAYS &&
                                               !rule->soft &&
                                               holds_at_start(p, rule) };
        for (uint32_t i = 0; i < rule->n_hosts; i++) {
            first[rule->hosts[i] + 2]++;
        }
        total += rule->n_hosts;
    }
    uint32_t *of = dcp_arena_array(p->arena, uint32_t, total);

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        first[h + 2] += first[h + 1];
    }
    for (uint32_t r = 0; of && r < p->n_power_rules; r++) {
        for (uint32_t i = 0; i < rules[r].rule->n_hosts; i++) {
            of[first[rules[r].rule->hosts[i] + 1]++] = r;
        }
    }
    p->power_rules = rules;
    p->power_first = first;
    p->power_of = of;
    return of != NULL;
}

/* --- Prices ------------------------------------------------------------- */

/* Rules that hosts alone decide and that may be broken for a price, by item. */
static bool
index_priced(struct dcp_problem *p)
{
    const struct dcp_inventory *inv = p->q->inventory;
    uint32_t *first = dcp_arena_array(p->arena, uint32_t, p->n_items + 2u);
    uint32_t *of = NULL, *vm = NULL;
    size_t total = 0;

    for (int pass = 0; first && pass < 2; pass++) {
        for (uint32_t r = 0; r < inv->n_rules; r++) {
            const struct dcp_rule *rule = &inv->rules[r];
            const struct dcp_rule_delta *delta = dcp_rule_delta(rule->kind);
            uint32_t n = delta->every_vm ? inv->n_vms : rule->n_vms;

            if (!dcp_rule_is_priced(p->q, rule)) {
                continue;
            }
            p->any_priced = true;
            for (uint32_t i = 0; dcp_rule_names_hosts(rule) && i < n; i++) {
                uint32_t v = delta->every_vm ? i : rule->vms[i];
                uint32_t item = p->item_of_vm[v];

                if (item == DCP_IX_NONE) {
                    continue;
                }
                if (pass == 0) {
                    first[item + 2]++;
                    total++;
                } else {
                    of[first[item + 1]] = r;
                    vm[first[item + 1]++] = v;
                }
            }
        }
        if (pass == 0) {
            for (uint32_t i = 0; i < p->n_items; i++) {
                first[i + 2] += first[i + 1];
            }
            of = dcp_arena_array(p->arena, uint32_t, total);
            vm = dcp_arena_array(p->arena, uint32_t, total);
            if (!of || !vm) {
                return false;
            }
        }
    }
    p->priced_first = first;
    p->priced_of = of;
    p->priced_vm = vm;
    return first != NULL;
}

bool
dcp_problem_compile_groups(struct dcp_problem *p, struct dcp_error *err)
{
    const struct dcp_inventory *inv = p->q->inventory;
    struct dcp_group *groups =
        dcp_arena_array(p->arena, struct dcp_group, inv->n_rules);
    uint32_t *lonely = dcp_arena_array(p->arena, uint32_t, inv->n_rules);
    struct columns columns = { 0 };
    bool ok = groups != NULL && lonely != NULL;

    for (uint32_t r = 0; ok && r < inv->n_rules; r++) {
        const struct dcp_rule *rule = &inv->rules[r];
        const struct dcp_rule_delta *delta = dcp_rule_delta(rule->kind);

        if (!delta->is_group || !delta->is_group(p->q, rule)) {
            continue;
        }
        if (rule->kind == DCP_RULE_LONELY) {
            lonely[p->n_lonely++] = p->n_groups;
        }
        ok = compile_group(p, &groups[p->n_groups++], rule, &columns);
    }
    p->groups = groups;
    p->lonely = lonely;
    return (ok && index_groups(p) && compile_power_rules(p) &&
            index_priced(p)) ||
           dcp_fail(err, DCP_E_NOMEM, "no memory for %u rules", inv->n_rules);
}

const struct dcp_group *
dcp_problem_separating_group(const struct dcp_problem *p)
{
    for (uint32_t g = 0; g < p->n_groups; g++) {
        const struct dcp_rule *rule = p->groups[g].rule;

        if (rule->kind == DCP_RULE_SEPARATE && rule->over == DCP_DOMAIN_HOST &&
            !rule->soft) {
            return &p->groups[g];
        }
    }
    return NULL;
}
