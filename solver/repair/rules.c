/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Rows of rules, each only where the start breaks it.  Members are sorted by
 * the domain where they start; what is asked of a domain is asked of those that
 * stay in it. */

#include "solver/repair/parts.h"

#include "solver/lp/lp.h"

#include <stdlib.h>

struct member {
    uint32_t domain, part, item, weight;
};

struct members { /* Those with a domain at the start. */
    struct member *of;
    uint32_t n;
};

static int
by_domain(const void *pa, const void *pb)
{
    const struct member *a = pa, *b = pb;

    if (a->domain != b->domain) {
        return a->domain < b->domain ? -1 : 1;
    }
    if (a->part != b->part) {
        return a->part < b->part ? -1 : 1;
    }
    return a->item < b->item ? -1 : a->item > b->item;
}

/* An item of several parts (gathered across the rule) answers for none. */
static bool
is_of_several(const struct dcp_group *g, uint32_t k)
{
    uint32_t item = g->items[k];

    if (g->n_others) {
        return dcp_ids_contain(&(struct dcp_ids){ g->others, g->n_others },
                               item);
    }
    return (k && g->items[k - 1] == item) ||
           (k + 1 < g->n_items && g->items[k + 1] == item);
}

static void
take(const struct dcp_repair_program *r, const struct dcp_group *g,
     struct members *m, uint32_t item, uint32_t part, uint32_t weight)
{
    uint32_t h = r->s->host[item];

    if (h != DCP_IX_NONE && g->domain_of_host[h] < g->n_domains) {
        m->of[m->n++] =
            (struct member){ g->domain_of_host[h], part, item, weight };
    }
}

static bool
collect(struct dcp_repair_program *r, const struct dcp_group *g,
        struct members *m)
{
    m->n = 0;
    m->of = malloc((g->n_items + g->n_others + 1u) * sizeof *m->of);
    r->ok = r->ok && m->of;
    for (uint32_t k = 0; r->ok && k < g->n_items; k++) {
        if (g->n_parts == 1 || !is_of_several(g, k)) {
            take(r, g, m, g->items[k], g->part ? g->part[k] : 0, g->weight[k]);
        }
    }
    for (uint32_t k = 0; r->ok && k < g->n_others; k++) {
        if (!dcp_ids_contain(&(struct dcp_ids){ g->items, g->n_items },
                             g->others[k])) {
            take(r, g, m, g->others[k], 1, 1);
        }
    }
    if (r->ok) {
        qsort(m->of, m->n, sizeof *m->of, by_domain);
    }
    return r->ok;
}

static uint32_t
end_of_domain(const struct members *m, uint32_t from)
{
    uint32_t k = from;

    while (k < m->n && m->of[k].domain == m->of[from].domain) {
        k++;
    }
    return k;
}

/* Where 'may' is 0 the item leaves. */
static void
stays_only_if(struct dcp_repair_program *r, uint32_t item, uint32_t may)
{
    (void)dcp_repair_row(r, 1, DCP_LP_INF);
    dcp_repair_set(r, dcp_repair_item(r, item), 1);
    dcp_repair_set(r, may, 1);
}

/* All but one of a domain leave. */
static void
add_spread(struct dcp_repair_program *r, const struct members *m)
{
    for (uint32_t k = 0, end; r->ok && k < m->n; k = end) {
        end = end_of_domain(m, k);
        if (end - k > 1) {
            (void)dcp_repair_row(r, end - k - 1.0, DCP_LP_INF);
            for (uint32_t i = k; i < end; i++) {
                dcp_repair_set(r, dcp_repair_item(r, m->of[i].item), 1);
            }
        }
    }
}

/* One domain at most keeps members. */
static void
add_gather(struct dcp_repair_program *r, const struct members *m)
{
    uint32_t first = r->n_cols, n = 0;

    if (!m->n || end_of_domain(m, 0) == m->n) {
        return;
    }
    for (uint32_t k = 0; r->ok && k < m->n; k = end_of_domain(m, k)) {
        (void)dcp_repair_col(r, 0, 1, true);
        n++;
    }
    (void)dcp_repair_row(r, 0, 1);
    for (uint32_t d = 0; d < n; d++) {
        dcp_repair_set(r, first + d, 1);
    }
    for (uint32_t k = 0, end, d = 0; r->ok && k < m->n; k = end, d++) {
        end = end_of_domain(m, k);
        for (uint32_t i = k; i < end; i++) {
            stays_only_if(r, m->of[i].item, first + d);
        }
    }
}

/* Of each domain that is mixed, one part stays. */
static void
add_apart(struct dcp_repair_program *r, const struct members *m)
{
    for (uint32_t k = 0, end; r->ok && k < m->n; k = end) {
        end = end_of_domain(m, k);
        if (m->of[k].part == m->of[end - 1].part) {
            continue;
        }
        uint32_t first = r->n_cols, n = 0;

        for (uint32_t i = k; i < end; i++) {
            if (i == k || m->of[i].part != m->of[i - 1].part) {
                (void)dcp_repair_col(r, 0, 1, true);
                n++;
            }
        }
        (void)dcp_repair_row(r, 0, 1);
        for (uint32_t d = 0; d < n; d++) {
            dcp_repair_set(r, first + d, 1);
        }
        for (uint32_t i = k, d = 0; r->ok && i < end; i++) {
            d += i > k && m->of[i].part != m->of[i - 1].part;
            stays_only_if(r, m->of[i].item, first + d);
        }
    }
}

/* A host keeps its members, or the others that are on it. */
static void
add_lonely(struct dcp_repair_program *r, const struct dcp_group *g,
           const struct members *m)
{
    for (uint32_t k = 0; k < g->n_items; k++) {
        r->mark[g->items[k]] = 1;
    }
    for (uint32_t k = 0, end; r->ok && k < m->n; k = end) {
        uint32_t h = r->s->host[m->of[k].item];
        bool mixed = false;

        end = end_of_domain(m, k);
        for (uint32_t i = r->s->first[h]; i != DCP_IX_NONE; i = r->s->next[i]) {
            mixed |= !r->mark[i];
        }
        if (!mixed) {
            continue;
        }
        uint32_t members = dcp_repair_col(r, 0, 1, true);
        uint32_t others = dcp_repair_col(r, 0, 1, true);

        (void)dcp_repair_row(r, 0, 1);
        dcp_repair_set(r, members, 1);
        dcp_repair_set(r, others, 1);
        for (uint32_t i = r->s->first[h]; r->ok && i != DCP_IX_NONE;
             i = r->s->next[i]) {
            stays_only_if(r, i, r->mark[i] ? members : others);
        }
    }
    for (uint32_t k = 0; k < g->n_items; k++) {
        r->mark[g->items[k]] = 0;
    }
}

static uint64_t
weight_of(const struct members *m, uint32_t from, uint32_t end)
{
    uint64_t sum = 0;

    for (uint32_t i = from; i < end; i++) {
        sum += m->of[i].weight;
    }
    return sum;
}

static void
add_limit(struct dcp_repair_program *r, const struct dcp_group *g,
          const struct members *m)
{
    uint64_t sum = weight_of(m, 0, m->n);

    if (sum > g->rule->limit) {
        (void)dcp_repair_row(r, (double)(sum - g->rule->limit), DCP_LP_INF);
        for (uint32_t i = 0; r->ok && i < m->n; i++) {
            dcp_repair_set(r, dcp_repair_item(r, m->of[i].item),
                           m->of[i].weight);
        }
    }
}

/* Whether the counts differ by more than the limit at the start. */
static bool
is_skewed(const struct dcp_group *g, const struct members *m)
{
    uint64_t least = UINT64_MAX, most = 0;
    uint32_t n = 0;

    for (uint32_t k = 0, end; k < m->n; k = end, n++) {
        end = end_of_domain(m, k);
        uint64_t w = weight_of(m, k, end);

        least = w < least ? w : least;
        most = w > most ? w : most;
    }
    return most - (n < g->n_domains ? 0 : least) > g->rule->limit;
}

/* n_d, the members in domain d at the end: no less than those that stay, no
 * more than those and all that move; within the limit of 'least'. */
static void
add_skew(struct dcp_repair_program *r, const struct dcp_group *g,
         const struct members *m)
{
    if (!is_skewed(g, m)) {
        return;
    }
    double limit = (double)g->rule->limit, total = (double)g->total;
    uint32_t least = dcp_repair_col(r, 0, total, true);
    uint32_t moved = dcp_repair_col(r, 0, total, false);
    uint32_t first = r->n_cols;

    for (uint32_t d = 0; r->ok && d < g->n_domains; d++) {
        (void)dcp_repair_col(r, 0, total, true);
    }
    /* All that moves or had no place in a domain at the start. */
    (void)dcp_repair_row(r, total - (double)weight_of(m, 0, m->n),
                         total - (double)weight_of(m, 0, m->n));
    dcp_repair_set(r, moved, 1);
    for (uint32_t i = 0; r->ok && i < m->n; i++) {
        dcp_repair_set(r, dcp_repair_item(r, m->of[i].item),
                       -(double)m->of[i].weight);
    }
    (void)dcp_repair_row(r, 0, total);
    for (uint32_t d = 0; r->ok && d < g->n_domains; d++) {
        dcp_repair_set(r, first + d, 1);
    }
    for (uint32_t d = 0, k = 0; r->ok && d < g->n_domains; d++) {
        uint32_t end =
            k < m->n && m->of[k].domain == d ? end_of_domain(m, k) : k;
        double was = (double)weight_of(m, k, end);

        (void)dcp_repair_row(r, 0, limit);
        dcp_repair_set(r, first + d, 1);
        dcp_repair_set(r, least, -1);
        for (int side = 0; side < 2; side++) {
            (void)dcp_repair_row(r, side ? -DCP_LP_INF : was,
                                 side ? was : DCP_LP_INF);
            dcp_repair_set(r, first + d, 1);
            for (uint32_t i = k; r->ok && i < end; i++) {
                dcp_repair_set(r, dcp_repair_item(r, m->of[i].item),
                               m->of[i].weight);
            }
            if (side) {
                dcp_repair_set(r, moved, -1);
            }
        }
        k = end;
    }
}

static void
add_group(struct dcp_repair_program *r, const struct dcp_group *g)
{
    struct members m = { 0 };

    if (!collect(r, g, &m)) {
        free(m.of);
        return;
    }
    switch (g->rule->kind) {
    case DCP_RULE_SPREAD:
        add_spread(r, &m);
        break;
    case DCP_RULE_GATHER:
    case DCP_RULE_AMONG:
        add_gather(r, &m);
        break;
    case DCP_RULE_SEPARATE:
    case DCP_RULE_SPLIT:
        add_apart(r, &m);
        break;
    case DCP_RULE_LONELY:
        add_lonely(r, g, &m);
        break;
    case DCP_RULE_MAX_SKEW:
        add_skew(r, g, &m);
        break;
    case DCP_RULE_CAPACITY:
    case DCP_RULE_RUNNING_CAPACITY:
        add_limit(r, g, &m);
        break;
    case DCP_RULE_FENCE: /* By reach. */
    case DCP_RULE_BAN:
    case DCP_RULE_ROOT:
    case DCP_RULE_QUARANTINE:
    case DCP_RULE_MAX_ON:
    case DCP_RULE_MIN_ON:
    case DCP_RULE_FREEZE:
    case DCP_RULE_CHANGE_WINDOW:
    case DCP_RULE_SEQUENCE:
        break;
    }
    free(m.of);
}

/* So many of the hosts that are on go off, and what is on them leaves. */
static void
add_max_on(struct dcp_repair_program *r, const struct dcp_rule *rule)
{
    uint64_t on = 0;
    uint32_t first = r->n_cols, n = 0;

    for (uint32_t k = 0; k < rule->n_hosts; k++) {
        uint32_t h = rule->hosts[k];

        on += r->s->on[h];
        n += r->s->on[h] && r->p->use[h] == DCP_HOST_FREE;
    }
    if (on <= rule->limit) {
        return;
    }
    for (uint32_t k = 0; k < n; k++) {
        (void)dcp_repair_col(r, 0, 1, true);
    }
    (void)dcp_repair_row(r, (double)(on - rule->limit), DCP_LP_INF);
    for (uint32_t k = 0; r->ok && k < n; k++) {
        dcp_repair_set(r, first + k, 1);
    }
    for (uint32_t k = 0, c = first; r->ok && k < rule->n_hosts; k++) {
        uint32_t h = rule->hosts[k];

        if (!r->s->on[h] || r->p->use[h] != DCP_HOST_FREE) {
            continue;
        }
        for (uint32_t i = r->s->first[h]; r->ok && i != DCP_IX_NONE;
             i = r->s->next[i]) {
            (void)dcp_repair_row(r, 0, DCP_LP_INF);
            dcp_repair_set(r, dcp_repair_item(r, i), 1);
            dcp_repair_set(r, c, -1);
        }
        c++;
    }
}

void
dcp_repair_rules(struct dcp_repair_program *r)
{
    const struct dcp_problem *p = r->p;

    for (uint32_t k = 0; r->ok && k < p->n_groups; k++) {
        r->rule = p->groups[k].rule;
        if (dcp_rule_is_hard(p->q, r->rule)) {
            add_group(r, &p->groups[k]);
        }
    }
    for (uint32_t k = 0; r->ok && k < p->n_power_rules; k++) {
        r->rule = p->power_rules[k].rule;
        if (r->rule->kind == DCP_RULE_MAX_ON &&
            dcp_rule_is_hard(p->q, r->rule)) {
            add_max_on(r, r->rule);
        }
    }
    r->rule = NULL;
}
