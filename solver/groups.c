/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Rules that look at where other VMs are, over items. */

#include "solver/problem.h"

#include <stdlib.h>
#include <string.h>

uint32_t
dcp_domain_count(const struct dcp_inventory *inv, enum dcp_domain over)
{
    switch (over) {
    case DCP_DOMAIN_HOST:
        return inv->n_hosts;
    case DCP_DOMAIN_RACK:
    case DCP_DOMAIN_FEED: /* Named by the lowest rack on the same feeds. */
        return inv->n_racks;
    case DCP_DOMAIN_ROOM:
        return inv->n_rooms;
    case DCP_DOMAIN_SITE:
        return inv->n_sites;
    }
    return 0;
}

static bool
share_feed(const struct dcp_rack *a, const struct dcp_rack *b)
{
    for (uint32_t i = 0; i < a->feeds.n; i++) {
        if (dcp_ids_contain(&b->feeds, a->feeds.ix[i])) {
            return true;
        }
    }
    return false;
}

uint32_t
dcp_domain_of_host(const struct dcp_inventory *inv, enum dcp_domain over,
                   uint32_t host)
{
    dcp_rack_id rack = inv->hosts[host].rack;

    switch (over) {
    case DCP_DOMAIN_HOST:
        return host;
    case DCP_DOMAIN_RACK:
        return rack.ix;
    case DCP_DOMAIN_FEED:
        for (uint32_t r = 0; rack.ix != DCP_IX_NONE && r < rack.ix; r++) {
            if (share_feed(&inv->racks[r], &inv->racks[rack.ix])) {
                return r;
            }
        }
        return rack.ix;
    case DCP_DOMAIN_ROOM:
        return dcp_host_room(inv, (dcp_host_id){ host }).ix;
    case DCP_DOMAIN_SITE:
        return dcp_host_site(inv, (dcp_host_id){ host }).ix;
    }
    return DCP_IX_NONE;
}

static int
compare_u32(const void *pa, const void *pb)
{
    uint32_t a, b;

    memcpy(&a, pa, sizeof a);
    memcpy(&b, pb, sizeof b);
    return a < b ? -1 : a > b;
}

/* Items of the VMs, ascending, without repeats. */
static bool
items_of(const struct dcp_problem *p, const uint32_t *vms, uint32_t n,
         const uint32_t **out, uint32_t *out_n)
{
    uint32_t *items = dcp_arena_array(p->arena, uint32_t, n), k = 0;

    if (!items) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        items[i] = p->item_of_vm[vms[i]];
    }
    qsort(items, n, sizeof *items, compare_u32);
    for (uint32_t i = 0; i < n; i++) {
        if (!i || items[i] != items[i - 1]) {
            items[k++] = items[i];
        }
    }
    *out = items;
    *out_n = k;
    return true;
}

static bool
is_group(const struct dcp_rule *rule)
{
    return rule->kind == DCP_RULE_SPREAD || rule->kind == DCP_RULE_SEPARATE ||
           (rule->kind == DCP_RULE_GATHER && rule->over != DCP_DOMAIN_HOST);
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

/* Two VMs that one rule ties together and this one keeps apart. */
static void
find_contradiction(struct dcp_problem *p, const struct dcp_group *g)
{
    const struct dcp_rule *rule = g->rule;
    struct dcp_ids others =
        rule->kind == DCP_RULE_SPREAD
            ? (struct dcp_ids){ rule->vms, rule->n_vms }
            : (struct dcp_ids){ rule->others, rule->n_others };

    if (rule->kind == DCP_RULE_GATHER || (rule->soft && p->q->ignore_soft)) {
        return;
    }
    for (uint32_t i = 0; i < rule->n_vms; i++) {
        uint32_t a = rule->vms[i], item = p->item_of_vm[a];

        for (uint32_t k = p->vm_first[item]; k < p->vm_first[item + 1]; k++) {
            uint32_t b = p->vm[k];

            if (a != b && dcp_ids_contain(&others, b) &&
                !together_at_start(p, g, a, b)) {
                p->contradiction = rule;
                p->contradicting_item = item;
                return;
            }
        }
    }
}

static const uint32_t *
domain_column(const struct dcp_problem *p, enum dcp_domain over)
{
    uint32_t *column = dcp_arena_array(p->arena, uint32_t, p->n_hosts);

    for (uint32_t h = 0; column && h < p->n_hosts; h++) {
        column[h] = dcp_domain_of_host(p->q->inventory, over, h);
    }
    return column;
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
    DCP_FREE uint32_t *fill = malloc((p->n_items + 1u) * sizeof *fill);

    if (!of || !fill) {
        return false;
    }
    memcpy(fill, first, p->n_items * sizeof *fill);
    for (uint32_t g = 0; g < p->n_groups; g++) {
        const struct dcp_group *group = &p->groups[g];

        for (uint32_t i = 0; i < group->n_items; i++) {
            of[fill[group->items[i]]++] = g;
        }
        for (uint32_t i = 0; i < group->n_others; i++) {
            of[fill[group->others[i]]++] = g | DCP_GROUP_OTHER;
        }
    }
    p->group_first = first;
    p->group_of = of;
    return true;
}

bool
dcp_problem_compile_groups(struct dcp_problem *p, struct dcp_error *err)
{
    const struct dcp_inventory *inv = p->q->inventory;
    struct dcp_group *groups =
        dcp_arena_array(p->arena, struct dcp_group, inv->n_rules);
    const uint32_t *columns[DCP_DOMAIN_SITE + 1] = { 0 };
    bool ok = groups != NULL;

    for (uint32_t r = 0; ok && r < inv->n_rules; r++) {
        const struct dcp_rule *rule = &inv->rules[r];

        if (!is_group(rule)) {
            continue;
        }
        struct dcp_group *g = &groups[p->n_groups++];

        g->rule = rule;
        if (!columns[rule->over]) {
            columns[rule->over] = domain_column(p, rule->over);
        }
        g->domain_of_host = columns[rule->over];
        g->n_domains = dcp_domain_count(inv, rule->over);
        ok = g->domain_of_host &&
             items_of(p, rule->vms, rule->n_vms, &g->items, &g->n_items) &&
             items_of(p, rule->others, rule->n_others, &g->others,
                      &g->n_others);
        if (ok) {
            find_contradiction(p, g);
        }
    }
    p->groups = groups;
    return (ok && index_groups(p)) ||
           dcp_fail(err, DCP_E_NOMEM, "no memory for %u rules", inv->n_rules);
}
