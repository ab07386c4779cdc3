/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/search/heat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of the memory of cold hosts, what whole items are expected to fill. */
#define FILL_FRAC 0.985
#define EJECTIONS 2000u /* And one for every fourth item. */

enum sort { SORT_OTHER, SORT_COLD, SORT_HOT };

struct parting {
    struct search *x;
    uint8_t *sort;                 /* By host, enum sort: what it is to hold. */
    uint8_t *cold;                 /* By item: goes to a cold host. */
    uint8_t *closed;               /* By host: scratch for the inserter. */
    double *heat;                  /* By item. */
    struct dcp_ranked_host *ranks; /* Of hosts, or of items. */
};

/* --- Hosts ---------------------------------------------------------------- */

static double
cost_of_load(const struct search *x, const uint32_t *mhz)
{
    const double *weight = x->p->q->slot_weight;
    double sum = 0;

    for (uint32_t t = 0; t < x->p->n_slots; t++) {
        sum += (weight ? weight[t] : 1) * mhz[t];
    }
    return sum;
}

static bool
is_reserve(const struct search *x, uint32_t h)
{
    return x->in.closed && x->in.closed[h];
}

/* Whether it is on, or may be woken. */
static bool
may_hold(const struct search *x, uint32_t h)
{
    const struct dcp_problem *p = x->p;

    return p->use[h] != DCP_HOST_AVOID &&
           (x->s->on[h] || (dcp_problem_may_hold(p, h) &&
                            dcp_state_may_switch(x->s, h, true)));
}

/* The kind's hosts of the region: those that must be on first, then the
 * fullest, then those that are off. */
static uint32_t
rank_kind(struct parting *o, uint32_t region, uint32_t type)
{
    const struct search *x = o->x;
    const struct dcp_problem *p = x->p;
    uint32_t n = 0;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (x->bound->region[h] == region && p->type_of_host[h] == type &&
            may_hold(x, h) && !is_reserve(x, h)) {
            double key = !x->s->on[h]                 ? 1
                         : p->use[h] == DCP_HOST_KEEP ? -INFINITY
                                                      : -dcp_search_fill(x, h);

            o->ranks[n++] = (struct dcp_ranked_host){ h, key };
        }
    }
    dcp_search_sort_hosts(o->ranks, n);
    return n;
}

/* The first 'n' of the ranks stay on, the least loaded of them as cold ones. */
static void
choose_cold(struct parting *o, uint32_t n, uint32_t n_cold)
{
    const struct search *x = o->x;

    for (uint32_t k = 0; k < n; k++) {
        uint32_t h = o->ranks[k].host;
        const uint32_t *mhz = x->s->cpu_mhz + (size_t)h * x->p->stride;

        o->ranks[k].key = x->s->on[h] ? cost_of_load(x, mhz) : -1;
        o->sort[h] = SORT_HOT;
    }
    dcp_search_sort_hosts(o->ranks, n);
    for (uint32_t k = 0; k < n && k < n_cold; k++) {
        o->sort[o->ranks[k].host] = SORT_COLD;
    }
}

static bool
choose_hosts(struct parting *o)
{
    const struct search *x = o->x;
    const struct dcp_problem *p = x->p;
    uint32_t n_cold = 0, n_hot = 0;

    for (uint32_t r = 0; r < x->bound->n_regions; r++) {
        for (uint32_t t = 0; t < p->n_types; t++) {
            double wanted = x->bound->type_on[(size_t)r * p->n_types + t];
            uint32_t quota = (uint32_t)ceil(wanted - 1e-6), n, must = 0;

            n = rank_kind(o, r, t);
            for (uint32_t h = 0; h < p->n_hosts; h++) {
                quota -= quota > 0 && is_reserve(x, h) &&
                         x->bound->region[h] == r && p->type_of_host[h] == t;
            }
            while (must < n && isinf(o->ranks[must].key)) {
                must++;
            }
            quota = quota < must ? must : quota;
            n = n < quota ? n : quota;
            choose_cold(o, n,
                        (uint32_t)lround(wanted * x->bound->cold_frac[t]));
        }
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        n_cold += o->sort[h] == SORT_COLD;
        n_hot += o->sort[h] == SORT_HOT;
    }
    return n_cold && n_hot;
}

/* --- Items ---------------------------------------------------------------- */

static bool
reaches_cold(const struct parting *o, uint32_t item)
{
    for (uint32_t h = 0; h < o->x->p->n_hosts; h++) {
        if (o->sort[h] == SORT_COLD && dcp_problem_reaches(o->x->p, item, h)) {
            return true;
        }
    }
    return false;
}

/* The coolest items of the region that fill its cold hosts; ranks all of the
 * region's, and says how many they are. */
static uint32_t
choose_items(struct parting *o, uint32_t region)
{
    const struct search *x = o->x;
    const struct dcp_problem *p = x->p;
    double room = 0;
    uint32_t n = 0;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        room += o->sort[h] == SORT_COLD && x->bound->region[h] == region
                    ? FILL_FRAC * p->cap[h]
                    : 0;
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        if (x->bound->region[x->s->host[i]] == region) {
            o->ranks[n++] = (struct dcp_ranked_host){ i, o->heat[i] };
        }
    }
    dcp_search_sort_hosts(o->ranks, n);
    for (uint32_t k = 0; k < n && room > 0; k++) {
        uint32_t item = o->ranks[k].host;

        if (reaches_cold(o, item)) {
            room -= p->request[(size_t)item * p->n_scalars];
            o->cold[item] = 1;
        }
    }
    return n;
}

static void
find_heat(struct parting *o)
{
    const struct dcp_problem *p = o->x->p;

    for (uint32_t i = 0; i < p->n_items; i++) {
        o->heat[i] = cost_of_load(o->x, p->cpu_mhz + (size_t)i * p->stride) /
                     fmax(p->request[(size_t)i * p->n_scalars], 1);
    }
}

/* --- Placing -------------------------------------------------------------- */

/* Takes items off hosts that are not of their sort. */
static uint32_t
take_off(struct parting *o, uint32_t region)
{
    struct search *x = o->x;
    uint32_t n = 0;

    for (uint32_t i = 0; i < x->p->n_items; i++) {
        uint32_t h = x->s->host[i];

        if (h != DCP_IX_NONE && x->bound->region[h] == region &&
            o->sort[h] != (o->cold[i] ? SORT_COLD : SORT_HOT) &&
            x->p->use[h] != DCP_HOST_AVOID) {
            dcp_insert_remove(&x->in, i);
            n++;
        }
    }
    return n;
}

static void
switch_hosts(struct parting *o, uint32_t region)
{
    struct search *x = o->x;

    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        if (x->bound->region[h] == region && o->sort[h] != SORT_OTHER) {
            dcp_insert_power(&x->in, h, true);
        } else if (x->bound->region[h] == region && !is_reserve(x, h) &&
                   !x->s->n_on_host[h] && dcp_search_may_switch_off(x, h)) {
            dcp_insert_power(&x->in, h, false);
        }
    }
}

/* Takes items of the pool or of other hosts, the coolest first, into what room
 * the cold hosts have left. */
static void
fill_gaps(struct parting *o, uint32_t n)
{
    struct search *x = o->x;

    for (uint32_t k = 0; k < n; k++) {
        uint32_t item = o->ranks[k].host, from = x->s->host[item];

        if (from != DCP_IX_NONE &&
            (o->sort[from] == SORT_COLD || x->p->use[from] == DCP_HOST_AVOID)) {
            continue;
        }
        if (from != DCP_IX_NONE) {
            dcp_state_remove(x->s, item);
        }
        uint32_t to = dcp_insert_best_host(&x->in, item);

        if (from != DCP_IX_NONE) {
            dcp_state_place(x->s, item, from);
        }
        if (to != DCP_IX_NONE) {
            if (from != DCP_IX_NONE) {
                dcp_insert_remove(&x->in, item);
            }
            dcp_insert_at(&x->in, item, to);
        }
    }
}

/* All that has no place goes into the pool. */
static void
pool_all(struct parting *o, bool cold_alone)
{
    struct search *x = o->x;

    dcp_homeless_clear(&x->homeless);
    for (uint32_t i = 0; i < x->p->n_items; i++) {
        if (x->s->host[i] == DCP_IX_NONE && (o->cold[i] || !cold_alone)) {
            dcp_homeless_add(&x->homeless, i);
        }
    }
}

static bool
part_region(struct parting *o, uint32_t region)
{
    struct search *x = o->x;
    const uint8_t *reserve = x->in.closed;
    uint32_t n = choose_items(o, region), n_off = take_off(o, region);

    switch_hosts(o, region);
    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        o->closed[h] = o->sort[h] != SORT_COLD;
    }
    x->in.closed = o->closed;
    pool_all(o, true);
    (void)dcp_search_place(x, EJECTIONS + n_off / 4);
    fill_gaps(o, n);
    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        o->closed[h] =
            o->sort[h] == SORT_COLD || (reserve != NULL && reserve[h]);
    }
    pool_all(o, false);
    (void)dcp_search_place(x, EJECTIONS + n_off / 4);
    x->in.closed = reserve;
    pool_all(o, false);
    bool ok = dcp_search_place_or_wake(x, region, EJECTIONS);

    dcp_homeless_clear(&x->homeless);
    return ok;
}

bool
dcp_search_part_by_heat(struct search *x, bool *out_done, struct dcp_error *err)
{
    const struct dcp_problem *p = x->p;
    uint32_t n = p->n_hosts > p->n_items ? p->n_hosts : p->n_items;
    DCP_FREE uint8_t *sort = calloc(p->n_hosts + 1u, sizeof *sort);
    DCP_FREE uint8_t *cold = calloc(p->n_items + 1u, sizeof *cold);
    DCP_FREE uint8_t *closed = calloc(p->n_hosts + 1u, sizeof *closed);
    DCP_FREE double *heat = calloc(p->n_items + 1u, sizeof *heat);
    DCP_FREE struct dcp_ranked_host *ranks = calloc(n + 1u, sizeof *ranks);
    struct parting o = { .x = x,
                         .sort = sort,
                         .cold = cold,
                         .closed = closed,
                         .heat = heat,
                         .ranks = ranks };

    *out_done = false;
    if (!sort || !cold || !closed || !heat || !ranks) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    if (!x->bound->cold_frac) {
        return true;
    }
    if (p->q->headroom && !dcp_search_reserve(x, x->closed, err)) {
        return false;
    }
    x->in.closed = p->q->headroom ? x->closed : NULL;
    *out_done = choose_hosts(&o);
    find_heat(&o);
    dcp_inserter_set_weights(&x->in);
    x->in.may_wake = false;
    x->in.balance = true;
    for (uint32_t r = 0; *out_done && r < x->bound->n_regions; r++) {
        *out_done = part_region(&o, r);
    }
    x->in.balance = false;
    x->in.closed = NULL;
    if (!*out_done) {
        dcp_trail_undo(&x->in.trail, x->s);
    }
    x->in.trail.n = 0;
    return true;
}
