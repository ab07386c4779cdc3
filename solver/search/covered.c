/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Few licensed hosts by packing: the VMs that one licence covers are an
 * instance of vector packing of their own, in bins that are hosts with what
 * their units cost (solver/pack/).  Where that takes less than they cost now,
 * the hosts of the packing are cleared, filled with it, and what was there and
 * needs no licence goes wherever there is room. */

#include "solver/pack/pack.h"
#include "solver/search/parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SET_MAX       2000u /* Covered items; larger sets are left alone. */
#define PASSES        2u
#define MEND_TRIES    40u /* For headroom after. */
#define COST_SCALE    1e5 /* Of the dearest host, in whole numbers. */
#define EJECTIONS     3000u
#define HARD_TO_EJECT 64u /* As a penalty. */

/* Covered items that may share hosts, and where they may go. */
struct covered_set {
    struct search *x;
    uint32_t licence, region, side;
    uint32_t *item, n;
    uint32_t *host;   /* By bin of a packing. */
    uint8_t *taken;   /* By host: it is one of them. */
    uint32_t *n_held; /* By host: of the set. */
};

/* --- Sets ----------------------------------------------------------------- */

static bool
is_covered_by(const struct dcp_problem *p, uint32_t item, uint32_t licence)
{
    const struct dcp_pricing *g = p->pricing;

    for (uint32_t j = g->first_of_item[item]; j < g->first_of_item[item + 1];
         j++) {
        if (g->of_item[j].slot == licence) {
            return true;
        }
    }
    return false;
}

/* The covered items of the region and side; 'side' by item. */
static void
list_set(struct covered_set *set, const uint8_t *side)
{
    const struct dcp_state *s = set->x->s;

    set->n = 0;
    for (uint32_t i = 0; i < s->p->n_items; i++) {
        if (s->host[i] != DCP_IX_NONE && side[i] == set->side &&
            set->x->bound->region[s->host[i]] == set->region &&
            is_covered_by(s->p, i, set->licence)) {
            set->item[set->n++] = i;
        }
    }
}

/* --- The packing ---------------------------------------------------------- */

struct columns {
    int32_t *size, *capacity;
    uint32_t *cost, *limit;
    uint8_t *allowed;
};

static void
columns_finish(struct columns *c)
{
    free(c->size);
    free(c->capacity);
    free(c->cost);
    free(c->limit);
    free(c->allowed);
}

static bool
may_hold(const struct covered_set *set, uint32_t h)
{
    const struct search *x = set->x;

    return x->s->on[h] && x->p->use[h] != DCP_HOST_AVOID &&
           x->bound->region[h] == set->region;
}

static double
money_of(const struct covered_set *set, uint32_t host)
{
    const struct dcp_problem *p = set->x->p;

    return dcp_pricing_units(p, &p->pricing->licence[set->licence], host, 1,
                             1) *
           p->pricing->licence[set->licence].unit_price;
}

static int32_t
whole(uint32_t x)
{
    return x < DCP_PACK_MAX_SIZE ? (int32_t)x : DCP_PACK_MAX_SIZE;
}

/* Fills types of hosts; what the dearest costs. */
static double
fill_types(const struct covered_set *set, uint32_t n_dims, struct columns *c)
{
    const struct dcp_problem *p = set->x->p;
    double most = 1e-9;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        most = may_hold(set, h) ? fmax(most, money_of(set, h)) : most;
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        uint32_t t = p->type_of_host[h];
        int32_t *cap = c->capacity + (size_t)t * n_dims;

        if (!may_hold(set, h)) {
            continue;
        }
        c->limit[t]++;
        c->cost[t] = (uint32_t)(money_of(set, h) / most * COST_SCALE) + 1;
        for (uint32_t d = 0; d < n_dims; d++) {
            uint32_t r = d - p->n_slots;

            cap[d] = whole(d < p->n_slots ? p->cap_cpu_mhz[h]
                                          : p->cap[(size_t)r * p->n_hosts + h]);
        }
        for (uint32_t k = 0; k < set->n; k++) {
            c->allowed[(size_t)t * set->n + k] |=
                dcp_problem_reaches(p, set->item[k], h);
        }
    }
    return most;
}

static void
fill_items(const struct covered_set *set, uint32_t n_dims, struct columns *c)
{
    const struct dcp_problem *p = set->x->p;

    for (uint32_t k = 0; k < set->n; k++) {
        uint32_t i = set->item[k];

        for (uint32_t d = 0; d < n_dims; d++) {
            c->size[(size_t)k * n_dims + d] = whole(
                d < p->n_slots
                    ? p->cpu_mhz[(size_t)i * p->stride + d]
                    : p->request[(size_t)i * p->n_scalars + d - p->n_slots]);
        }
    }
}

/* What the hosts of the set cost now, in the packing's costs. */
static uint64_t
cost_now(const struct covered_set *set, const struct columns *c)
{
    const struct dcp_state *s = set->x->s;
    uint64_t cost = 0;

    memset(set->taken, 0, s->p->n_hosts);
    for (uint32_t k = 0; k < set->n; k++) {
        uint32_t h = s->host[set->item[k]];

        cost += set->taken[h] ? 0 : c->cost[s->p->type_of_host[h]];
        set->taken[h] = 1;
    }
    memset(set->taken, 0, s->p->n_hosts);
    return cost;
}

/* A packing that costs less than what is now; false where there is none. */
static bool
pack(const struct covered_set *set, struct dcp_pack_packing *out)
{
    const struct dcp_problem *p = set->x->p;
    uint32_t n_dims = p->n_slots + p->n_scalars, n_types = p->n_types;
    struct columns c = {
        .size = calloc((size_t)set->n * n_dims + 1, sizeof *c.size),
        .capacity = calloc((size_t)n_types * n_dims + 1, sizeof *c.capacity),
        .cost = calloc(n_types + 1u, sizeof *c.cost),
        .limit = calloc(n_types + 1u, sizeof *c.limit),
        .allowed = calloc((size_t)n_types * set->n + 1, 1),
    };
    bool better = false;

    *out = (struct dcp_pack_packing){ 0 };
    if (c.size && c.capacity && c.cost && c.limit && c.allowed) {
        struct dcp_pack_problem q = { .n_dims = n_dims,
                                      .n_items = set->n,
                                      .n_bins = n_types,
                                      .size = c.size,
                                      .capacity = c.capacity,
                                      .cost = c.cost,
                                      .limit = c.limit,
                                      .allowed = c.allowed };
        struct dcp_error err = { 0 };

        (void)fill_types(set, n_dims, &c);
        fill_items(set, n_dims, &c);
        for (uint32_t t = 0; t < n_types; t++) {
            c.cost[t] = c.cost[t] ? c.cost[t] : 1;
        }
        better = dcp_pack_construct(&q, out, &err) && out->n_bins &&
                 out->cost < cost_now(set, &c);
    }
    columns_finish(&c);
    return better;
}

/* --- Carrying it out ------------------------------------------------------ */

/* For each bin a host of its type, those first that hold most of the set.
 * False: there are not so many. */
static bool
choose_hosts(const struct covered_set *set,
             const struct dcp_pack_packing *packing)
{
    const struct dcp_state *s = set->x->s;
    uint32_t *n_held = set->n_held;

    memset(n_held, 0, s->p->n_hosts * sizeof *n_held);
    memset(set->taken, 0, s->p->n_hosts);
    for (uint32_t k = 0; k < set->n; k++) {
        n_held[s->host[set->item[k]]]++;
    }
    for (uint32_t b = 0; b < packing->n_bins; b++) {
        uint32_t best = DCP_IX_NONE;

        for (uint32_t h = 0; h < s->p->n_hosts; h++) {
            if (may_hold(set, h) && !set->taken[h] &&
                s->p->type_of_host[h] == packing->bin[b] &&
                (best == DCP_IX_NONE || n_held[h] > n_held[best])) {
                best = h;
            }
        }
        if (best == DCP_IX_NONE) {
            return false;
        }
        set->host[b] = best;
        set->taken[best] = 1;
    }
    return true;
}

static void
to_pool(struct search *x, uint32_t item)
{
    dcp_insert_remove(&x->in, item);
    dcp_homeless_add(&x->homeless, item);
}

/* What the pool could not place: on hosts that are woken for it. */
static bool
wake_for_the_rest(struct search *x)
{
    bool ok = true;

    x->in.may_wake = true;
    for (uint32_t k = 0; ok && k < x->homeless.n; k++) {
        ok = dcp_insert_one(&x->in, x->homeless.item[k]);
    }
    x->in.may_wake = false;
    return ok;
}

static bool
carry_out(const struct covered_set *set, const struct dcp_pack_packing *packing)
{
    struct search *x = set->x;
    const struct dcp_state *s = x->s;

    if (!choose_hosts(set, packing)) {
        return false;
    }
    dcp_homeless_clear(&x->homeless);
    for (uint32_t k = 0; k < set->n; k++) {
        dcp_insert_remove(&x->in, set->item[k]);
    }
    for (uint32_t b = 0; b < packing->n_bins; b++) {
        while (s->first[set->host[b]] != DCP_IX_NONE) {
            to_pool(x, s->first[set->host[b]]);
        }
    }
    for (uint32_t b = 0; b < packing->n_bins; b++) {
        for (uint32_t k = packing->first[b]; k < packing->first[b + 1]; k++) {
            uint32_t i = set->item[packing->item[k]];

            if (dcp_state_fits(x->s, i, set->host[b]) &&
                dcp_state_allowed(s, i, set->host[b])) {
                dcp_insert_at(&x->in, i, set->host[b]);
                dcp_homeless_set_penalty(&x->homeless, i, HARD_TO_EJECT);
            } else {
                dcp_homeless_add(&x->homeless, i);
            }
        }
    }
    x->in.balance = true;
    bool ok = dcp_search_place(x, EJECTIONS) || wake_for_the_rest(x);

    x->in.balance = false;
    dcp_homeless_clear(&x->homeless);
    return ok;
}

static bool
gather(struct covered_set *set, bool check, struct dcp_error *err)
{
    struct search *x = set->x;
    struct dcp_pack_packing packing;
    bool kept = false, better = pack(set, &packing);
    double before = dcp_search_value(x->s);

    better = better && carry_out(set, &packing);
    dcp_pack_packing_finish(&packing);
    if (better && check) {
        struct dcp_headroom h;

        if (!dcp_search_mend_headroom(x, false, true, MEND_TRIES, &h, err)) {
            return false;
        }
        better = h.ok;
    }
    better =
        better &&
        (!x->p->q->limits_moves || dcp_search_moves(x) <= x->p->q->max_moves) &&
        dcp_search_value(x->s) < before - 1e-9 * fmax(fabs(before), 1);
    if (better && !dcp_search_settle(x, check, &kept, err)) {
        return false;
    }
    if (!kept) {
        dcp_trail_undo(&x->in.trail, x->s);
    }
    return true;
}

bool
dcp_search_gather_covered(struct search *x, bool check, struct dcp_error *err)
{
    const struct dcp_problem *p = x->p;
    const struct dcp_group *g = dcp_problem_separating_group(p);
    DCP_FREE uint32_t *item = calloc(p->n_items + 1u, sizeof *item);
    DCP_FREE uint32_t *host = calloc(p->n_items + 1u, sizeof *host);
    DCP_FREE uint8_t *taken = calloc(p->n_hosts + 1u, 1);
    DCP_FREE uint32_t *n_held = calloc(p->n_hosts + 1u, sizeof *n_held);
    DCP_FREE uint8_t *side = calloc(p->n_items + 1u, 1);
    struct covered_set set = {
        .x = x, .item = item, .host = host, .taken = taken, .n_held = n_held
    };

    if (!dcp_pricing_counts_licences(p, 0) ||
        p->n_slots + p->n_scalars > DCP_PACK_MAX_DIMS) {
        return true;
    }
    if (!item || !host || !taken || !n_held || !side) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    for (uint32_t i = 0; g && i < g->n_items; i++) {
        side[g->items[i]] = 1;
    }
    for (uint32_t k = 0; k < PASSES * 2 * p->pricing->n_licences; k++) {
        set.licence = k / 2 % p->pricing->n_licences;
        set.side = k % 2;
        for (set.region = 0;
             set.region < x->bound->n_regions && !dcp_search_is_over(x, check);
             set.region++) {
            list_set(&set, side);
            if (set.n > 1 && set.n <= SET_MAX && !gather(&set, check, err)) {
                return false;
            }
        }
    }
    return true;
}
