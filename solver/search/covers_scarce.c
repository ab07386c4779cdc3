/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Scarce licences have their hosts chosen by solver/search/scarce.h, before the
 * program for all covers is asked: it then has on just these hosts what they
 * cover, and they are filled as the packing says. */

#include "solver/search/covers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* So much harder to eject than what has just been placed. */
#define HARD_TO_EJECT 64u

/* --- Sets ----------------------------------------------------------------- */

static bool
is_in_a_set(const struct covers *c, uint32_t item)
{
    for (uint32_t k = 0; k < c->n_sets; k++) {
        if (c->needs[item] >> c->set[k].licence & 1 &&
            c->kind[c->kind_of[item]].region == c->set[k].region) {
            return true;
        }
    }
    return false;
}

/* Items of the region that need the licence; *out_needs: all that they need.
 * 0: too few or too many of them, or some are in another set. */
static uint32_t
list_items(const struct covers *c, uint32_t licence, uint32_t region,
           uint32_t *out, uint32_t *out_needs)
{
    const struct dcp_problem *p = c->x->p;
    uint32_t n = 0;

    *out_needs = 0;
    for (uint32_t i = 0; i < p->n_items; i++) {
        if (c->needs[i] >> licence & 1 &&
            c->kind[c->kind_of[i]].region == region) {
            if (n == DCP_SCARCE_ITEMS_MAX || is_in_a_set(c, i)) {
                return 0;
            }
            out[n++] = i;
            *out_needs |= c->needs[i];
        }
    }
    return n < 2 ? 0 : n;
}

/* --- Hosts and what they cost --------------------------------------------- */

/* Those that may hold the set, and how much of it they do. */
static void
mark_hosts(const struct covers *c, uint32_t region, uint32_t licence,
           uint8_t *usable, double *wanted)
{
    const struct search *x = c->x;
    const struct dcp_problem *p = x->p;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        wanted[h] = (p->use[h] == DCP_HOST_KEEP ? 1000 : 0) + x->s->on[h];
        usable[h] = x->bound->region[h] == region &&
                    dcp_problem_may_hold(p, h) &&
                    (x->s->on[h] || dcp_state_may_switch(x->s, h, true)) &&
                    !(x->in.closed && x->in.closed[h]);
        for (uint32_t i = x->s->first[h]; i != DCP_IX_NONE; i = x->s->next[i]) {
            wanted[h] += c->needs[i] >> licence & 1 ? p->size[i] : 0;
        }
    }
    for (uint32_t k = 0; k < c->n_sets; k++) {
        for (uint32_t b = 0; b < c->set[k].packing.n_hosts; b++) {
            usable[c->set[k].packing.host[b]] = 0;
        }
    }
}

/* By type: the licence, and what else the host costs above what its room costs
 * where that is cheapest, for others use what the set leaves. */
static void
price_types(const struct covers *c, uint32_t licence, uint32_t needs,
            double *cost)
{
    const struct dcp_problem *p = c->x->p;
    uint32_t one = UINT32_C(1) << licence;
    double rate = INFINITY;

    for (uint32_t t = 0; t < c->n_types; t++) {
        uint32_t h = c->example[t];

        cost[t] = p->on_value[h] + dcp_covers_price(c, h, needs & ~one);
        rate = fmin(rate, cost[t] / (dcp_search_capacity(c->x, h) + 1));
    }
    for (uint32_t t = 0; t < c->n_types; t++) {
        uint32_t h = c->example[t];

        cost[t] -= rate * (dcp_search_capacity(c->x, h) + 1);
        cost[t] = fmax(cost[t], 0) + dcp_covers_price(c, h, one);
    }
}

/* What one unit of memory costs at least: the dearest go first. */
static double
dearness(const struct covers *c, uint32_t licence)
{
    double least = INFINITY;

    for (uint32_t t = 0; t < c->n_types; t++) {
        uint32_t h = c->example[t];

        least = fmin(least, dcp_covers_price(c, h, UINT32_C(1) << licence) /
                                (dcp_search_capacity(c->x, h) + 1));
    }
    return least;
}

/* --- Packing -------------------------------------------------------------- */

static bool
pack_set(struct covers *c, uint32_t licence, uint32_t region, uint8_t *usable,
         double *wanted, struct dcp_error *err)
{
    uint32_t needs;
    double cost[DCP_COVER_TYPES_MAX];
    struct cover_set *set = &c->set[c->n_sets];
    bool found;

    *set = (struct cover_set){ .licence = licence, .region = region };
    set->item = calloc(DCP_SCARCE_ITEMS_MAX, sizeof *set->item);
    if (!set->item) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    set->n_items = list_items(c, licence, region, set->item, &needs);
    mark_hosts(c, region, licence, usable, wanted);
    price_types(c, licence, needs, cost);
    struct dcp_scarce q = { .p = c->x->p,
                            .item = set->item,
                            .n_items = set->n_items,
                            .usable = usable,
                            .wanted = wanted,
                            .cost = cost };

    found = false;
    bool ok = !set->n_items || dcp_scarce_pack(&q, c->x->options->seed,
                                               &set->packing, &found, err);

    if (ok && found) {
        c->n_sets++;
    } else {
        free(set->item);
    }
    return ok;
}

/* The licence that is dearest of those not done; UINT32_MAX: all are. */
static uint32_t
next_licence(const struct covers *c, const uint8_t *done)
{
    uint32_t best = UINT32_MAX;
    double most = 0;

    for (uint32_t k = 0; k < c->n_licences; k++) {
        uint32_t l = c->licence[k];

        if (!done[k] && c->x->p->pricing->licence[l].floor_units <= 0 &&
            dearness(c, l) > most) {
            most = dearness(c, l);
            best = k;
        }
    }
    return best;
}

bool
dcp_covers_pack_sets(struct covers *c, struct dcp_error *err)
{
    const struct dcp_problem *p = c->x->p;
    DCP_FREE uint8_t *usable = calloc(p->n_hosts + 1u, 1);
    DCP_FREE double *wanted = calloc(p->n_hosts + 1u, sizeof *wanted);
    uint8_t done[DCP_COVER_LICENCES_MAX] = { 0 };

    if (!usable || !wanted) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    for (uint32_t k = next_licence(c, done); k != UINT32_MAX;
         k = next_licence(c, done)) {
        done[k] = 1;
        for (uint32_t r = 0;
             r < c->x->bound->n_regions && c->n_sets < DCP_COVER_SETS_MAX &&
             !dcp_search_time_is_up(c->x);
             r++) {
            if (!pack_set(c, c->licence[k], r, usable, wanted, err)) {
                return false;
            }
        }
    }
    return true;
}

void
dcp_covers_drop_sets(struct covers *c)
{
    for (uint32_t k = 0; k < c->n_sets; k++) {
        free(c->set[k].item);
        dcp_scarce_packing_finish(&c->set[k].packing);
    }
    c->n_sets = 0;
}

/* --- In the program ------------------------------------------------------- */

const struct cover_set *
dcp_covers_set_of(const struct covers *c, uint32_t region, uint32_t cover)
{
    for (uint32_t k = 0; k < c->n_sets; k++) {
        if (c->set[k].region == region && cover >> c->set[k].licence & 1) {
            return &c->set[k];
        }
    }
    return NULL;
}

uint32_t
dcp_covers_set_hosts(const struct covers *c, const struct cover_set *set,
                     uint32_t type)
{
    uint32_t n = 0;

    for (uint32_t b = 0; b < set->packing.n_hosts; b++) {
        n += c->x->p->type_of_host[set->packing.host[b]] == type;
    }
    return n;
}

/* --- Carrying it out ------------------------------------------------------ */

/* Of the covers that the program wants on such hosts, the widest that is left
 * and holds what the host's items need. */
static void
cover_host(struct covers *c, const struct cover_set *set, uint32_t b)
{
    uint32_t h = set->packing.host[b], needs = UINT32_C(1) << set->licence;
    uint32_t type = c->x->p->type_of_host[h];

    for (uint32_t i = 0; i < set->n_items; i++) {
        needs |= set->packing.at[i] == b ? c->needs[set->item[i]] : 0;
    }
    c->chosen[h] = 1;
    c->covered[h] = needs;
    for (uint32_t k = c->n_covers; k-- > 0;) {
        double *left = &c->n_hosts[dcp_covers_quota(c, set->region, type, k)];

        if (*left > 0 && !(needs & ~c->cover[k])) {
            *left -= 1;
            c->covered[h] = c->cover[k];
            return;
        }
    }
}

void
dcp_covers_cover_sets(struct covers *c)
{
    for (uint32_t k = 0; k < c->n_sets; k++) {
        for (uint32_t b = 0; b < c->set[k].packing.n_hosts; b++) {
            cover_host(c, &c->set[k], b);
        }
        /* What is left of such covers has no hosts. */
        for (uint32_t q = 0; q < c->n_types * c->n_covers; q++) {
            uint32_t cover = q % c->n_covers;

            if (c->cover[cover] >> c->set[k].licence & 1) {
                c->n_hosts[dcp_covers_quota(c, c->set[k].region,
                                            q / c->n_covers, cover)] = 0;
            }
        }
    }
}

bool
dcp_covers_is_set_host(const struct covers *c, uint32_t host)
{
    for (uint32_t k = 0; k < c->n_sets; k++) {
        for (uint32_t b = 0; b < c->set[k].packing.n_hosts; b++) {
            if (c->set[k].packing.host[b] == host) {
                return true;
            }
        }
    }
    return false;
}

void
dcp_covers_place_sets(struct covers *c)
{
    struct search *x = c->x;

    for (uint32_t k = 0; k < c->n_sets; k++) {
        const struct cover_set *set = &c->set[k];

        for (uint32_t i = 0; i < set->n_items; i++) {
            uint32_t item = set->item[i];
            uint32_t h = set->packing.host[set->packing.at[i]];

            if (x->s->host[item] == DCP_IX_NONE &&
                dcp_problem_reaches(x->p, item, h) &&
                dcp_state_fits(x->s, item, h) &&
                dcp_state_allowed(x->s, item, h)) {
                dcp_insert_at(&x->in, item, h);
                dcp_homeless_set_penalty(&x->homeless, item, HARD_TO_EJECT);
            }
        }
    }
}
