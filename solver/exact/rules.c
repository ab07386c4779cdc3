/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/exact/parts.h"

#include <stdlib.h>

uint32_t
dcp_exact_row(struct dcp_exact *m, double low, double high)
{
    uint32_t row = m->ok ? dcp_lp_add_row(m->lp, low, high) : UINT32_MAX;

    m->ok = row != UINT32_MAX;
    return row;
}

void
dcp_exact_set(struct dcp_exact *m, uint32_t row, uint32_t col, double value)
{
    if (m->ok && col != UINT32_MAX) {
        m->ok = dcp_lp_set(m->lp, row, col, value);
    }
}

/* sum over hosts of domain 'd' of x_ih, times 'sign', into 'row'. */
static void
add_domain(struct dcp_exact *m, uint32_t row, const struct dcp_group *g,
           uint32_t item, uint32_t d, double sign)
{
    for (uint32_t at = 0; m->ok && at < m->n_hosts; at++) {
        if (g->domain_of_host[m->host[at]] == d) {
            dcp_exact_set(m, row, dcp_exact_col(m, item, m->host[at]), sign);
        }
    }
}

/* Whether the item is no part of the program. */
static bool
stays(const struct dcp_exact *m, uint32_t item)
{
    return m->kind_of[item] == UINT32_MAX;
}

uint32_t
dcp_exact_aux(struct dcp_exact *m, double high, double cost, bool integer,
              double known)
{
    if (m->ok && m->n_aux == m->aux_capacity) {
        uint32_t capacity = m->aux_capacity ? 2 * m->aux_capacity : 64;
        struct aux *more = realloc(m->aux, capacity * sizeof *more);

        m->ok = more != NULL;
        m->aux = more ? more : m->aux;
        m->aux_capacity = more ? capacity : m->aux_capacity;
    }
    uint32_t col =
        m->ok ? dcp_lp_add_col(m->lp, 0, high, cost, integer) : UINT32_MAX;

    m->ok = m->ok && col != UINT32_MAX;
    if (m->ok) {
        m->aux[m->n_aux++] = (struct aux){ col, known };
    }
    return col;
}

static bool
in_domain(const struct dcp_exact *m, const struct dcp_group *g, uint32_t item,
          uint32_t d)
{
    uint32_t h = stays(m, item) ? m->s->host[item] : m->known_at[item];

    return h != DCP_IX_NONE && g->domain_of_host[h] == d;
}

/* The side that has the domain. */
static void
add_sides(struct dcp_exact *m, const struct dcp_group *g, uint32_t d)
{
    bool known = false;

    for (uint32_t k = 0; k < g->n_items; k++) {
        known |= in_domain(m, g, g->items[k], d);
    }
    uint32_t side = dcp_exact_aux(m, 1, 0, true, known);

    for (uint32_t k = 0; m->ok && k < g->n_items + g->n_others; k++) {
        bool other = k >= g->n_items;
        uint32_t item = other ? g->others[k - g->n_items] : g->items[k];

        if (stays(m, item)) {
            continue;
        }
        if (dcp_ids_contain(&(struct dcp_ids){ g->items, g->n_items }, item) &&
            dcp_ids_contain(&(struct dcp_ids){ g->others, g->n_others },
                            item)) {
            continue; /* Gathered across the rule since the start. */
        }
        uint32_t row = dcp_exact_row(m, -DCP_LP_INF, other ? 1 : 0);

        add_domain(m, row, g, item, d, 1);
        dcp_exact_set(m, row, side, other ? 1 : -1);
    }
}

/* The set that has the domain, of several: one at most. */
static void
add_sets(struct dcp_exact *m, const struct dcp_group *g, uint32_t d)
{
    uint32_t one = dcp_exact_row(m, -DCP_LP_INF, 1);

    for (uint32_t part = 0; m->ok && part < g->n_parts; part++) {
        bool known = false;

        for (uint32_t k = 0; k < g->n_items; k++) {
            known |= g->part[k] == part && in_domain(m, g, g->items[k], d);
        }
        uint32_t has = dcp_exact_aux(m, 1, 0, true, known);

        dcp_exact_set(m, one, has, 1);
        for (uint32_t k = 0; m->ok && k < g->n_items; k++) {
            bool twice = (k && g->items[k - 1] == g->items[k]) ||
                         (k + 1 < g->n_items && g->items[k + 1] == g->items[k]);

            if (g->part[k] == part && !twice && !stays(m, g->items[k])) {
                uint32_t row = dcp_exact_row(m, -DCP_LP_INF, 0);

                add_domain(m, row, g, g->items[k], d, 1);
                dcp_exact_set(m, row, has, -1);
            }
        }
    }
}

static void
add_weights(struct dcp_exact *m, const struct dcp_group *g, uint32_t row,
            uint32_t d, double sign)
{
    for (uint32_t k = 0; m->ok && k < g->n_items; k++) {
        add_domain(m, row, g, g->items[k], d, sign * g->weight[k]);
    }
}

/* What stays in a domain. */
static double
weight_there(const struct dcp_exact *m, const struct dcp_group *g, uint32_t d)
{
    double sum = 0;

    for (uint32_t k = 0; k < g->n_items; k++) {
        if (stays(m, g->items[k]) && in_domain(m, g, g->items[k], d)) {
            sum += g->weight[k];
        }
    }
    return sum;
}

/* All of the program are where its first is: with others, reach or the state
 * says where that is. */
static void
add_together(struct dcp_exact *m, const struct dcp_group *g, uint32_t d)
{
    uint32_t one = UINT32_MAX;

    for (uint32_t k = 0; m->ok && k < g->n_items; k++) {
        if (stays(m, g->items[k])) {
            continue;
        }
        if (one != UINT32_MAX) {
            uint32_t row = dcp_exact_row(m, 0, 0);

            add_domain(m, row, g, g->items[one], d, 1);
            add_domain(m, row, g, g->items[k], d, -1);
        }
        one = one == UINT32_MAX ? k : one;
    }
}

#define SKEW_DOMAINS_MAX                                                       \
    8u /* Rows grow with the square; leaving them out                          \
        * makes the bound weaker, not wrong. */

static void
add_group_domain(struct dcp_exact *m, const struct dcp_group *g, uint32_t d)
{
    uint32_t row;

    switch (g->rule->kind) {
    case DCP_RULE_SPREAD:
        row = dcp_exact_row(m, -DCP_LP_INF, 1);
        for (uint32_t k = 0; m->ok && k < g->n_items; k++) {
            add_domain(m, row, g, g->items[k], d, 1);
        }
        break;
    case DCP_RULE_GATHER:
    case DCP_RULE_AMONG:
        add_together(m, g, d);
        break;
    case DCP_RULE_SEPARATE:
        add_sides(m, g, d);
        break;
    case DCP_RULE_SPLIT:
        add_sets(m, g, d);
        break;
    case DCP_RULE_MAX_SKEW:
        for (uint32_t e = 0;
             g->n_domains <= SKEW_DOMAINS_MAX && e < g->n_domains; e++) {
            if (e != d) {
                row = dcp_exact_row(m, -DCP_LP_INF,
                                    (double)g->rule->limit -
                                        weight_there(m, g, d) +
                                        weight_there(m, g, e));
                add_weights(m, g, row, d, 1);
                add_weights(m, g, row, e, -1);
            }
        }
        break;
    case DCP_RULE_CAPACITY:
    case DCP_RULE_RUNNING_CAPACITY:
        row = dcp_exact_row(m, -DCP_LP_INF,
                            (double)g->rule->limit - weight_there(m, g, d));
        add_weights(m, g, row, d, 1);
        break;
    case DCP_RULE_LONELY: /* Left to the test of the answer. */
    case DCP_RULE_FENCE:
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
}

/* UINT32_MAX: none. */
static uint32_t
power_col(const struct dcp_exact *m, uint32_t host)
{
    uint32_t at = m->host_at[host];

    return at == UINT32_MAX ? UINT32_MAX : m->on_col[at];
}

/* Hosts of a max_on or min_on rule; those without a column stay as they are. */
static void
add_power_rule(struct dcp_exact *m, const struct dcp_rule *rule)
{
    double fixed = 0, limit = (double)rule->limit;

    for (uint32_t i = 0; i < rule->n_hosts; i++) {
        uint32_t h = rule->hosts[i];

        fixed += power_col(m, h) == UINT32_MAX && m->s->on[h];
    }
    uint32_t row = rule->kind == DCP_RULE_MAX_ON
                       ? dcp_exact_row(m, -DCP_LP_INF, limit - fixed)
                       : dcp_exact_row(m, limit - fixed, DCP_LP_INF);

    for (uint32_t i = 0; m->ok && i < rule->n_hosts; i++) {
        dcp_exact_set(m, row, power_col(m, rule->hosts[i]), 1);
    }
}

static bool
has_member(const struct dcp_exact *m, const struct dcp_group *g)
{
    bool has = false;

    for (uint32_t k = 0; !has && k < g->n_items; k++) {
        has = !stays(m, g->items[k]);
    }
    for (uint32_t k = 0; !has && k < g->n_others; k++) {
        has = !stays(m, g->others[k]);
    }
    return has;
}

/* Rows of each domain that a host of the program is in. */
static void
add_group(struct dcp_exact *m, const struct dcp_group *g)
{
    DCP_FREE uint8_t *done = calloc(g->n_domains + 1u, 1);

    m->ok = m->ok && done;
    for (uint32_t at = 0; m->ok && at < m->n_hosts; at++) {
        uint32_t d = g->domain_of_host[m->host[at]];

        if (d != UINT32_MAX && !done[d]) {
            done[d] = 1;
            add_group_domain(m, g, d);
        }
    }
}

void
dcp_exact_rules(struct dcp_exact *m)
{
    for (uint32_t k = 0; k < m->p->n_groups; k++) {
        const struct dcp_group *g = &m->p->groups[k];

        if (dcp_rule_is_hard(m->p->q, g->rule) && has_member(m, g)) {
            add_group(m, g);
        }
    }
    for (uint32_t k = 0; m->ok && k < m->p->n_power_rules; k++) {
        if (dcp_rule_is_hard(m->p->q, m->p->power_rules[k].rule)) {
            add_power_rule(m, m->p->power_rules[k].rule);
        }
    }
}
