/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/search/islands.h"

#include "model/base/union_find.h"

#include <stdlib.h>
#include <string.h>

struct regions {
    const struct dcp_problem *p;
    const uint8_t *of_host;
    uint32_t n;
    uint32_t *parent; /* Sets of regions. */
};

static void
join_all(struct regions *x)
{
    for (uint32_t r = 1; r < x->n; r++) {
        dcp_sets_join(x->parent, 0, r);
    }
}

/* --- Restarts ----------------------------------------------------------- */

/* Hosts of each region as bits: [region * words + word]. */
static uint64_t *
hosts_as_bits(const struct regions *x)
{
    size_t words = x->p->reach_words;
    uint64_t *bits = calloc(x->n * words + 1, sizeof *bits);

    for (uint32_t h = 0; bits && h < x->p->n_hosts; h++) {
        bits[x->of_host[h] * words + h / 64] |= UINT64_C(1) << (h % 64);
    }
    return bits;
}

static bool
meet(const uint64_t *a, const uint64_t *b, uint32_t words)
{
    uint64_t both = 0;

    for (uint32_t w = 0; w < words && !both; w++) {
        both = a[w] & b[w];
    }
    return both != 0;
}

/* Regions that a class reaches, now and after a loss, are one. */
static bool
join_by_reach(struct regions *x)
{
    const struct dcp_problem *p = x->p;
    DCP_FREE uint64_t *bits = hosts_as_bits(x);

    for (uint32_t c = 0; bits && c < p->n_classes; c++) {
        const uint64_t *now = p->reach + (size_t)c * p->reach_words;
        const uint64_t *later = p->reach_restart + (size_t)c * p->reach_words;
        uint32_t first = UINT32_MAX;

        for (uint32_t r = 0; r < x->n; r++) {
            const uint64_t *hosts = bits + (size_t)r * p->reach_words;

            if (!meet(now, hosts, p->reach_words) &&
                !meet(later, hosts, p->reach_words)) {
                continue;
            }
            if (first == UINT32_MAX) {
                first = r;
            }
            dcp_sets_join(x->parent, first, r);
        }
    }
    return bits != NULL;
}

/* --- Rules -------------------------------------------------------------- */

/* Whether some domain of the group has hosts of two regions. */
static bool
share_a_domain(const struct regions *x, const struct dcp_group *g,
               uint32_t *region_of)
{
    bool shared = false;

    memset(region_of, 0xff, (g->n_domains + 1u) * sizeof *region_of);
    for (uint32_t h = 0; !shared && h < x->p->n_hosts; h++) {
        uint32_t d = g->domain_of_host[h];

        if (d < g->n_domains) {
            shared =
                region_of[d] != UINT32_MAX && region_of[d] != x->of_host[h];
            region_of[d] = x->of_host[h];
        }
    }
    return shared;
}

/* Whether what the rule says of items in different places follows from each
 * place alone. */
static bool
is_by_domain(const struct dcp_group *g)
{
    switch (g->rule->kind) {
    case DCP_RULE_SPREAD:
    case DCP_RULE_SEPARATE:
    case DCP_RULE_SPLIT:
    case DCP_RULE_LONELY:
        return !g->rule->soft;
    default:
        return false;
    }
}

/* Of the first host that it reaches; UINT32_MAX: it reaches none. */
static uint32_t
region_of_item(const struct regions *x, uint32_t item)
{
    const struct dcp_problem *p = x->p;
    const uint64_t *row =
        p->reach + (size_t)p->reach_class[item] * p->reach_words;

    for (uint32_t w = 0; w < p->reach_words; w++) {
        if (row[w]) {
            return x->of_host[64 * w + (uint32_t)__builtin_ctzll(row[w])];
        }
    }
    return UINT32_MAX;
}

static void
join_items(struct regions *x, const uint32_t *items, uint32_t n,
           uint32_t *first)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t r = region_of_item(x, items[i]);

        *first = *first == UINT32_MAX ? r : *first;
        if (r != UINT32_MAX) {
            dcp_sets_join(x->parent, *first, r);
        }
    }
}

static bool
join_by_rules(struct regions *x)
{
    const struct dcp_problem *p = x->p;
    uint8_t known[DCP_DOMAINS] = { 0 }; /* 1: shared, 2: not. */
    DCP_FREE uint32_t *region_of =
        malloc((p->n_hosts + 1u) * sizeof *region_of);

    for (uint32_t k = 0; region_of && k < p->n_groups; k++) {
        const struct dcp_group *g = &p->groups[k];
        uint32_t first = UINT32_MAX;

        if (is_by_domain(g) && g->rule->over == DCP_DOMAIN_HOST) {
            continue;
        }
        if (is_by_domain(g) && g->n_domains <= p->n_hosts) {
            uint8_t *shared = &known[g->rule->over];

            if (!*shared) {
                *shared = share_a_domain(x, g, region_of) ? 1 : 2;
            }
            if (*shared == 2) {
                continue;
            }
        }
        join_items(x, g->items, g->n_items, &first);
        join_items(x, g->others, g->n_others, &first);
    }
    return region_of != NULL;
}

/* --- All ---------------------------------------------------------------- */

static void
join_by_watts(struct regions *x)
{
    const struct dcp_watt_limits *w = x->p->watts;

    for (uint32_t k = 0; w && k < w->n; k++) {
        const struct dcp_watt_thing *t = &w->thing[k];

        for (uint32_t i = t->first_host; i < t->end_host; i++) {
            dcp_sets_join(x->parent, x->of_host[w->host[t->first_host]],
                          x->of_host[w->host[i]]);
        }
    }
}

bool
dcp_islands_find(const struct dcp_problem *p, const struct dcp_bound *bound,
                 struct dcp_islands *out, struct dcp_error *err)
{
    DCP_FREE uint32_t *parent = calloc(bound->n_regions + 1u, sizeof *parent);
    DCP_FREE uint32_t *number =
        malloc((bound->n_regions + 1u) * sizeof *number);
    struct regions x = { p, bound->region, bound->n_regions, parent };

    *out = (struct dcp_islands){
        .of_host = calloc(p->n_hosts + 1u, sizeof *out->of_host),
        .marked = calloc(bound->n_regions + 1u, 1),
    };
    bool ok = parent && number && out->of_host && out->marked;

    if (ok) {
        dcp_sets_init(parent, x.n);
        join_by_watts(&x);
    }
    if (ok && (p->n_power_rules || p->pools)) {
        join_all(&x);
    } else {
        ok = ok && join_by_reach(&x) && join_by_rules(&x);
    }
    if (!ok) {
        dcp_islands_finish(out);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    memset(number, 0xff, (x.n + 1u) * sizeof *number);
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        uint32_t *island = &number[dcp_sets_root(parent, x.of_host[h])];

        if (*island == UINT32_MAX) {
            *island = out->n++;
        }
        out->of_host[h] = *island;
    }
    return true;
}

void
dcp_islands_finish(struct dcp_islands *x)
{
    free(x->of_host);
    free(x->marked);
    *x = (struct dcp_islands){ 0 };
}
