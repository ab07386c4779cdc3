/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/bound/clique.h"

#include "solver/bound/parts.h"
#include "solver/compile/pricing.h"
#include "solver/search/item_order.h"

#include <stdlib.h>
#include <string.h>

#define TYPES_MAX  64u /* Bits of a mask; with more there are no cliques. */
#define WORK_MAX   4000000u /* Pairs looked at for one clique. */
#define BEGINNINGS 6u       /* Rules to begin with. */
#define KINDS_MAX  48u      /* Of members; what is left is taken as one. */

/* --- Sizes ---------------------------------------------------------------- */

static uint32_t
n_resources(const struct dcp_problem *p)
{
    return p->n_scalars + p->n_slots * (p->net_kib_s ? 2 : 1);
}

static struct dcp_bound_resource
resource(const struct dcp_problem *p, uint32_t k)
{
    if (k < p->n_scalars) {
        return dcp_bound_scalar(p, k);
    }
    k -= p->n_scalars;
    return k < p->n_slots ? dcp_bound_cpu(p, k)
                          : dcp_bound_net(p, k - p->n_slots);
}

/* Whether the sum of both (of one alone: b == a) is above some capacity. */
static bool
too_large(const struct dcp_fold *f, uint32_t a, uint32_t b, uint32_t type)
{
    const struct dcp_problem *p = f->p;
    uint32_t host = f->example[type];
    uint64_t peak = p->cpu_peak_mhz[a];

    peak += b == a ? 0 : p->cpu_peak_mhz[b];
    bool cpu_fits = peak <= p->cap_cpu_mhz[host];

    for (uint32_t k = 0; k < n_resources(p); k++) {
        if (cpu_fits && k == p->n_scalars) { /* In every slot. */
            k += p->n_slots;
            if (k >= n_resources(p)) {
                break;
            }
        }
        struct dcp_bound_resource r = resource(p, k);
        uint64_t sum = r.size[a * r.step];

        sum += b == a ? 0 : r.size[b * r.step];
        if (sum > r.cap[host]) {
            return true;
        }
    }
    return false;
}

/* Types of hosts within reach of the class that may hold something. */
static uint64_t
types_of_class(const struct dcp_fold *f, uint32_t class)
{
    const struct dcp_problem *p = f->p;
    const uint64_t *row = p->reach + (size_t) class * p->reach_words;
    uint64_t mask = 0;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if ((row[h / 64] >> (h % 64) & 1) && p->use[h] != DCP_HOST_AVOID) {
            mask |= UINT64_C(1) << p->type_of_host[h];
        }
    }
    return mask;
}

/* Types that the item fits, alone. */
static uint64_t
types_of_item(const struct dcp_fold *f, uint32_t item)
{
    uint64_t mask = types_of_class(f, f->p->reach_class[item]);

    for (uint32_t t = 0; t < f->n_types; t++) {
        if ((mask >> t & 1) && too_large(f, item, item, t)) {
            mask &= ~(UINT64_C(1) << t);
        }
    }
    return mask;
}

/* --- Pairs ---------------------------------------------------------------- */

static bool
in_reach_of_both(const struct dcp_fold *f, uint32_t a, uint32_t b)
{
    const struct dcp_problem *p = f->p;
    const uint64_t *x = p->reach + (size_t)p->reach_class[a] * p->reach_words;
    const uint64_t *y = p->reach + (size_t)p->reach_class[b] * p->reach_words;

    if (f->item_region[a] != f->item_region[b]) {
        return false;
    }
    for (uint32_t w = 0; x != y && w < p->reach_words; w++) {
        if (x[w] & y[w]) {
            return true;
        }
    }
    return x == y;
}

/* Whether each host is in some domain, so that two members on a host are in one
 * domain. */
static bool
counts_on_every_host(const struct dcp_problem *p, const struct dcp_group *g)
{
    for (uint32_t h = 0; g->rule->over != DCP_DOMAIN_HOST && h < p->n_hosts;
         h++) {
        if (g->domain_of_host[h] >= g->n_domains) {
            return false;
        }
    }
    return true;
}

static uint32_t
part_in(const struct dcp_group *g, uint32_t item)
{
    for (uint32_t i = 0; i < g->n_items; i++) {
        if (g->items[i] == item) {
            return g->part[i];
        }
    }
    return UINT32_MAX;
}

static bool
said_apart(const struct dcp_group *g, uint32_t a, uint32_t b)
{
    struct dcp_ids members = { g->items, g->n_items };
    struct dcp_ids others = { g->others, g->n_others };
    bool in_a = dcp_ids_contain(&members, a),
         in_b = dcp_ids_contain(&members, b);

    switch (g->rule->kind) {
    case DCP_RULE_SPREAD:
        return in_a && in_b;
    case DCP_RULE_SEPARATE:
        return (in_a && dcp_ids_contain(&others, b)) ||
               (in_b && dcp_ids_contain(&others, a));
    case DCP_RULE_SPLIT:
        return in_a && in_b && part_in(g, a) != part_in(g, b);
    case DCP_RULE_LONELY:
        return in_a != in_b;
    default:
        return false;
    }
}

static bool
together_at_start(const struct dcp_problem *p, const struct dcp_group *g,
                  uint32_t a, uint32_t b)
{
    uint32_t x = p->start_host[a], y = p->start_host[b];

    return x != DCP_IX_NONE && y != DCP_IX_NONE &&
           (x == y || (g->rule->kind != DCP_RULE_LONELY &&
                       g->domain_of_host[x] == g->domain_of_host[y]));
}

/* By a rule that 'a' is in. */
static bool
apart_by_rule_of(const struct dcp_problem *p, uint32_t a, uint32_t b)
{
    for (uint32_t k = p->group_first[a]; k < p->group_first[a + 1]; k++) {
        const struct dcp_group *g =
            &p->groups[p->group_of[k] & ~DCP_GROUP_OTHER];

        if (!g->rule->soft && said_apart(g, a, b) &&
            !together_at_start(p, g, a, b) &&
            (g->rule->kind == DCP_RULE_LONELY || counts_on_every_host(p, g))) {
            return true;
        }
    }
    return false;
}

bool
dcp_clique_ruled_apart(const struct dcp_problem *p, uint32_t a, uint32_t b)
{
    return apart_by_rule_of(p, a, b) || apart_by_rule_of(p, b, a);
}

static bool
apart(const struct dcp_fold *f, uint32_t a, uint32_t b, uint64_t types)
{
    bool fit = false;

    for (uint32_t t = 0; !fit && t < f->n_types; t++) {
        fit = (types >> t & 1) && !too_large(f, a, b, t);
    }
    return !fit || !in_reach_of_both(f, a, b) ||
           dcp_clique_ruled_apart(f->p, a, b);
}

bool
dcp_clique_apart(const struct dcp_fold *f, uint32_t a, uint32_t b)
{
    return f->n_types <= TYPES_MAX &&
           apart(f, a, b, types_of_item(f, a) & types_of_item(f, b));
}

/* --- Growing -------------------------------------------------------------- */

struct grower {
    const struct dcp_fold *f;
    const uint64_t *types; /* By item, those that it fits. */
    const uint8_t *only;   /* Items that count; NULL: all. */
    const uint32_t *order;
    uint32_t *now, *best, n_now, n_best;
    uint32_t work;
};

static void
try_item(struct grower *g, uint32_t item)
{
    bool ok = g->types[item] && (!g->only || g->only[item]);

    for (uint32_t k = 0; ok && k < g->n_now; k++) {
        uint32_t other = g->now[k];

        g->work++;
        ok = other != item &&
             apart(g->f, item, other, g->types[item] & g->types[other]);
    }
    if (ok) {
        g->now[g->n_now++] = item;
    }
}

/* A clique that begins with members of 'rule' (NULL: with none). */
static void
grow(struct grower *g, const struct dcp_group *rule)
{
    g->n_now = 0;
    for (uint32_t i = 0; rule && i < rule->n_items; i++) {
        try_item(g, rule->items[i]);
    }
    for (uint32_t i = 0; i < g->f->p->n_items && g->work < WORK_MAX; i++) {
        try_item(g, g->order[i]);
    }
    if (g->n_now > g->n_best) {
        g->n_best = g->n_now;
        memcpy(g->best, g->now, g->n_now * sizeof *g->now);
    }
}

/* Members that count. */
static uint32_t
counted(const struct grower *g, const struct dcp_group *rule)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < rule->n_items; i++) {
        n += !g->only || g->only[rule->items[i]];
    }
    return rule->rule->kind == DCP_RULE_SPREAD && !rule->rule->soft ? n : 0;
}

/* From nothing, and from the rules with most members. */
static void
grow_all(struct grower *g)
{
    const struct dcp_problem *p = g->f->p;
    const struct dcp_group *last = NULL;
    uint32_t n_last = UINT32_MAX;

    grow(g, NULL);
    for (uint32_t k = 0; k < BEGINNINGS && g->work < WORK_MAX; k++) {
        const struct dcp_group *next = NULL;
        uint32_t n_next = 1;

        for (uint32_t i = 0; i < p->n_groups; i++) {
            const struct dcp_group *rule = &p->groups[i];
            uint32_t n = counted(g, rule);
            bool before = n > n_last || (n == n_last && rule <= last);

            if (!before && n > n_next) {
                next = rule;
                n_next = n;
            }
        }
        if (!next) {
            break;
        }
        grow(g, next);
        last = next;
        n_last = n_next;
    }
}

static bool
fill_types(const struct dcp_fold *f, uint64_t *types)
{
    const struct dcp_problem *p = f->p;
    DCP_FREE uint64_t *of_class = calloc(p->n_classes + 1u, sizeof *of_class);

    for (uint32_t c = 0; of_class && c < p->n_classes; c++) {
        of_class[c] = types_of_class(f, c);
    }
    for (uint32_t i = 0; of_class && i < p->n_items; i++) {
        types[i] = of_class[p->reach_class[i]];
        for (uint32_t t = 0; t < f->n_types; t++) {
            if ((types[i] >> t & 1) && too_large(f, i, i, t)) {
                types[i] &= ~(UINT64_C(1) << t);
            }
        }
    }
    return of_class != NULL;
}

static void
mark_covered(const struct dcp_problem *p, uint32_t licence, uint8_t *only)
{
    const struct dcp_pricing *g = p->pricing;

    memset(only, 0, p->n_items);
    for (uint32_t i = 0; i < p->n_items; i++) {
        for (uint32_t j = g->first_of_item[i]; j < g->first_of_item[i + 1];
             j++) {
            only[i] |= g->of_item[j].slot == licence;
        }
    }
}

static bool
find(const struct dcp_fold *f, struct dcp_clique *list, uint32_t n_list)
{
    const struct dcp_problem *p = f->p;
    size_t n = p->n_items + 1u;
    DCP_FREE uint64_t *types = calloc(n, sizeof *types);
    DCP_FREE uint32_t *order = calloc(n, sizeof *order);
    DCP_FREE uint32_t *now = calloc(n, sizeof *now);
    DCP_FREE uint32_t *best = calloc(n, sizeof *best);
    DCP_FREE uint8_t *only = calloc(n, 1);
    bool ok = types && order && now && best && only && fill_types(f, types);

    for (uint32_t i = 0; ok && i < p->n_items; i++) {
        order[i] = i;
    }
    if (ok) {
        dcp_items_by_size(p, order, p->n_items);
    }
    for (uint32_t k = 0; ok && k < n_list; k++) {
        struct grower g = { .f = f,
                            .types = types,
                            .only = k ? only : NULL,
                            .order = order,
                            .now = now,
                            .best = best };

        if (k) {
            mark_covered(p, k - 1, only);
        }
        grow_all(&g);
        uint32_t *items = dcp_arena_array(p->arena, uint32_t, g.n_best);

        ok = items != NULL;
        if (ok && g.n_best) {
            memcpy(items, best, g.n_best * sizeof *items);
        }
        list[k] = (struct dcp_clique){ items, g.n_best };
    }
    return ok;
}

const struct dcp_clique *
dcp_cliques_find(const struct dcp_fold *f)
{
    uint32_t n = 1;

    if (f->p->pricing->level[0].licence > 0) {
        n += f->p->pricing->n_licences;
    }
    struct dcp_clique *list =
        dcp_arena_array(f->p->arena, struct dcp_clique, n);

    if (!list || f->n_types > TYPES_MAX) {
        return list;
    }
    return find(f, list, n) ? list : NULL;
}

/* --- Rows ----------------------------------------------------------------- */

struct kind { /* Members that are alike. */
    uint32_t region, side, n;
    uint64_t types;
};

/* Kinds of members; what is above KINDS_MAX is left out. */
static uint32_t
sort_kinds(const struct dcp_fold *f, const struct dcp_clique *c,
           struct kind out[KINDS_MAX])
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < c->n; i++) {
        uint32_t item = c->items[i], k = 0;
        struct kind of = { f->item_region[item], f->side[item], 1,
                           types_of_item(f, item) };

        while (k < n && (out[k].region != of.region || out[k].side != of.side ||
                         out[k].types != of.types)) {
            k++;
        }
        if (k < n) {
            out[k].n++;
        } else if (n < KINDS_MAX) {
            out[n++] = of;
        }
    }
    return n;
}

/* The members of one region and side (or any) that are on hosts of a type are
 * no more than its hosts that hold something. */
static bool
host_row(const struct dcp_fold *f, struct dcp_lp *lp, const struct kind *kinds,
         uint32_t n_kinds, const uint32_t *z, struct dcp_part part,
         uint32_t type, const uint32_t *col, uint32_t n_sides)
{
    uint32_t row = UINT32_MAX;
    bool ok = true;

    for (uint32_t q = 0; ok && q < n_kinds; q++) {
        uint32_t at = z[(size_t)q * f->n_types + type];

        if (at == UINT32_MAX || kinds[q].region != part.region ||
            (part.side != DCP_FOLD_ANY && kinds[q].side != part.side)) {
            continue;
        }
        if (row == UINT32_MAX) {
            row = dcp_lp_add_row(lp, -DCP_LP_INF, 0);
        }
        ok = row != UINT32_MAX && dcp_lp_set(lp, row, at, 1);
    }
    for (uint32_t k = 0; ok && row != UINT32_MAX && k < n_sides; k++) {
        if (part.side == DCP_FOLD_ANY || part.side == k) {
            ok = dcp_lp_set(
                lp, row,
                col[((size_t)part.region * n_sides + k) * f->n_types + type],
                -1);
        }
    }
    return ok;
}

bool
dcp_clique_add(const struct dcp_fold *f, struct dcp_lp *lp,
               const struct dcp_clique *c, const uint32_t *col,
               uint32_t n_sides)
{
    struct kind kinds[KINDS_MAX];
    uint32_t n = c->n > 1 ? sort_kinds(f, c, kinds) : 0;
    DCP_FREE uint32_t *z = calloc((size_t)n * f->n_types + 1, sizeof *z);
    bool ok = z != NULL;

    for (uint32_t q = 0; ok && q < n; q++) {
        uint32_t row = dcp_lp_add_row(lp, kinds[q].n, DCP_LP_INF);

        ok = row != UINT32_MAX;
        for (uint32_t t = 0; ok && t < f->n_types; t++) {
            bool fits = kinds[q].types >> t & 1;

            z[(size_t)q * f->n_types + t] =
                fits ? dcp_lp_add_col(lp, 0, kinds[q].n, 0, false) : UINT32_MAX;
            ok = !fits ||
                 (z[(size_t)q * f->n_types + t] != UINT32_MAX &&
                  dcp_lp_set(lp, row, z[(size_t)q * f->n_types + t], 1));
        }
    }
    for (uint32_t r = 0; ok && n && r < f->n_regions; r++) {
        for (uint32_t t = 0; ok && t < f->n_types; t++) {
            ok =
                host_row(f, lp, kinds, n, z,
                         (struct dcp_part){ r, DCP_FOLD_ANY }, t, col, n_sides);
            for (uint32_t k = 0; ok && n_sides > 1 && k < n_sides; k++) {
                ok = host_row(f, lp, kinds, n, z, (struct dcp_part){ r, k }, t,
                              col, n_sides);
            }
        }
    }
    return ok;
}
