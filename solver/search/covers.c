/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Packing to covers: hosts get what the program of search/covers.h wants, what
 * is where its cover is stays, and the rest is placed by ejection, dearest
 * covers first, each item only where its cover is; where that does not do, the
 * cheapest host for what is left is covered as well. */

#include "solver/search/covers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EJECTIONS      2000u /* And one for every item. */
#define WAKE_EJECTIONS 100u
#define FEW_HOSTS      160u /* On: packed with and without sets. */

/* --- Hosts -------------------------------------------------------------- */

/* How much of what the host holds needs just this cover; what must be on
 * comes first, then what is. */
static double
suits(const struct covers *c, uint32_t h, uint32_t cover)
{
    const struct dcp_state *s = c->x->s;
    double size = 0;

    for (uint32_t i = s->first[h]; i != DCP_IX_NONE; i = s->next[i]) {
        size += c->needs[i] == cover ? c->x->p->size[i] : 0;
    }
    return (c->x->p->use[h] == DCP_HOST_KEEP ? 1000 : 0) + (s->on[h] ? 1 : 0) +
           size;
}

/* Gives covers to hosts, those with the dearest cover first. */
static void
cover_hosts(struct covers *c)
{
    const struct search *x = c->x;
    struct dcp_ranked_host *ranks = c->ranks;
    const struct dcp_problem *p = x->p;
    uint32_t n_groups = x->bound->n_regions * c->n_types;

    for (uint32_t k = 0; k < n_groups * c->n_covers; k++) {
        /* Covers of more licences were listed later. */
        uint32_t cover = c->n_covers - 1 - k / n_groups, at = k % n_groups;
        uint32_t region = at / c->n_types, t = at % c->n_types, n = 0;
        double wanted = c->n_hosts[dcp_covers_quota(c, region, t, cover)];

        for (uint32_t h = 0; wanted > 0 && h < p->n_hosts; h++) {
            if (x->bound->region[h] == region && p->type_of_host[h] == t &&
                !c->chosen[h] && dcp_problem_may_hold(p, h) &&
                (x->s->on[h] || dcp_state_may_switch(x->s, h, true)) &&
                !(x->in.closed && x->in.closed[h])) {
                ranks[n++] =
                    (struct dcp_ranked_host){ h,
                                              -suits(c, h, c->cover[cover]) };
            }
        }
        dcp_search_sort_hosts(ranks, n);
        for (uint32_t j = 0; j < n && wanted > 0; j++, wanted--) {
            c->chosen[ranks[j].host] = 1;
            c->covered[ranks[j].host] = c->cover[cover];
        }
    }
}

/* Takes off what is not where its cover is, and switches hosts. */
static uint32_t
take_off(struct covers *c)
{
    struct search *x = c->x;
    uint32_t n = 0;

    for (uint32_t i = 0; i < x->p->n_items; i++) {
        uint32_t h = x->s->host[i];

        if (x->p->use[h] != DCP_HOST_AVOID &&
            !(c->chosen[h] && c->needs[i] == c->covered[h] &&
              !dcp_covers_is_set_host(c, h))) {
            c->items[n++] = i;
            dcp_insert_remove(&x->in, i);
        }
    }
    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        bool reserve = x->in.closed && x->in.closed[h];

        if (c->chosen[h] && !x->s->on[h]) {
            dcp_insert_power(&x->in, h, true);
        } else if (!c->chosen[h] && !reserve && !x->s->n_on_host[h] &&
                   dcp_search_may_switch_off(x, h)) {
            dcp_insert_power(&x->in, h, false);
        }
    }
    return n;
}

/* --- Filling ------------------------------------------------------------ */

/* Covers one more host for the item: the one that costs least for its memory;
 * false: there is none. */
static bool
cover_one_more(struct covers *c, uint32_t item)
{
    struct search *x = c->x;
    const struct dcp_problem *p = x->p;
    uint32_t best = DCP_IX_NONE;
    double least = INFINITY, wanted = 0;

    for (uint32_t k = 0; k < x->homeless.n; k++) {
        wanted += p->request[(size_t)x->homeless.item[k] * p->n_scalars];
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        uint32_t cover = c->covered[h] | c->needs[item];
        bool closed = x->in.closed && x->in.closed[h];

        if (closed || !dcp_problem_may_hold(p, h) ||
            (x->s->on[h] ? cover == c->covered[h]
                         : !dcp_state_may_switch(x->s, h, true)) ||
            !dcp_problem_reaches(p, item, h) ||
            !dcp_state_fits(x->s, item, h) ||
            !dcp_state_allowed(x->s, item, h)) {
            continue;
        }
        double price = dcp_covers_price(c, h, cover & ~c->covered[h]) +
                       (x->s->on[h] ? 0 : p->on_value[h]);
        double room =
            fmin(x->s->room[h] + (x->s->on[h] ? 0 : p->cap[h]), wanted);

        if (price / (room + 1) < least) {
            least = price / (room + 1);
            best = h;
        }
    }
    if (best != DCP_IX_NONE) {
        c->covered[best] |= c->needs[item];
        c->chosen[best] = 1;
        dcp_insert_power(&x->in, best, true);
    }
    return best != DCP_IX_NONE;
}

/* Dearest kinds first: what others leave serves the cheap ones. */
static uint32_t
next_kind(const struct covers *c, const uint8_t *done)
{
    uint32_t best = UINT32_MAX;

    for (uint32_t k = 0; k < c->n_kinds; k++) {
        if (!done[k] &&
            (best == UINT32_MAX || c->kind[k].price > c->kind[best].price)) {
            best = k;
        }
    }
    return best;
}

static bool
fill(struct covers *c, uint32_t n)
{
    struct search *x = c->x;
    const uint32_t *items = c->items;
    uint8_t done[DCP_COVER_KINDS_MAX] = { 0 };

    for (uint32_t step = 0; step < c->n_kinds; step++) {
        uint32_t kind = next_kind(c, done);
        uint64_t ejections = EJECTIONS;

        done[kind] = 1;
        for (uint32_t k = 0; k < n; k++) {
            if (c->kind_of[items[k]] == kind &&
                x->s->host[items[k]] == DCP_IX_NONE) {
                dcp_homeless_add(&x->homeless, items[k]);
                ejections++;
            }
        }
        while (!dcp_search_place(x, ejections)) {
            if (!cover_one_more(c, x->homeless.item[0])) {
                return false;
            }
            ejections = WAKE_EJECTIONS;
        }
    }
    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        bool reserve = x->in.closed && x->in.closed[h];

        if (!x->s->n_on_host[h] && !reserve &&
            dcp_search_may_switch_off(x, h)) {
            dcp_insert_power(&x->in, h, false);
        }
    }
    return true;
}

/* --- All ---------------------------------------------------------------- */

/* Packs to what the program wants at this fill; *out_done: that is done, else
 * the state is as before. */
static bool
attempt(struct covers *c, double fill_frac, bool *out_done,
        struct dcp_error *err)
{
    struct search *x = c->x;
    const struct dcp_problem *p = x->p;

    *out_done = false;
    c->fill_frac = fill_frac;
    memset(c->covered, 0, p->n_hosts * sizeof *c->covered);
    memset(c->chosen, 0, p->n_hosts);
    if (!dcp_covers_solve(c, out_done, err)) {
        return false;
    }
    if (!*out_done) {
        return true;
    }
    dcp_covers_cover_sets(c);
    cover_hosts(c);
    uint32_t n = take_off(c);

    dcp_covers_place_sets(c);

    dcp_inserter_set_weights(&x->in);
    x->in.may_wake = false;
    x->in.needs = c->needs;
    x->in.covered = c->covered;
    x->in.balance = true;
    *out_done = fill(c, n);
    x->in.balance = false;
    dcp_homeless_clear(&x->homeless);
    if (!*out_done) {
        dcp_trail_undo(&x->in.trail, x->s);
        return true;
    }
    x->in.trail.n = 0;
    for (uint32_t r = 0; r < x->bound->n_regions; r++) {
        if (!dcp_search_drop_hosts(x, r, false, DROP_EJECTIONS, DROP_FAILURES,
                                   err)) {
            return false;
        }
    }
    return true;
}

/* Fuller hosts are fewer, but more of what they should hold finds no place.
 * Then the same without the sets, where these were in the way of all, or trying
 * costs little. */
static bool
best_attempt(struct covers *c, bool *out_done, struct dcp_error *err)
{
    static const double fills[] = { 1, 0.995, 0.99, 0.985, 0.98 };
    const uint32_t n_fills = sizeof fills / sizeof *fills;
    struct search *x = c->x;
    size_t size = x->p->n_hosts * sizeof *c->covered;
    DCP_AUTO(dcp_state) struct dcp_state *start = dcp_state_create(x->p, err);
    DCP_AUTO(dcp_state) struct dcp_state *best = dcp_state_create(x->p, err);
    DCP_FREE uint32_t *covered = malloc(size + 1);
    double least = INFINITY;

    if (!start || !best || !covered) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    dcp_state_assign(start, x->s);
    for (uint32_t k = 0; k < 2 * n_fills && !dcp_search_time_is_up(x); k++) {
        if (k == n_fills) {
            if (!c->n_sets || (least < INFINITY && start->n_on > FEW_HOSTS)) {
                break;
            }
            dcp_covers_drop_sets(c);
        }
        bool done;

        dcp_state_assign(x->s, start);
        if (!attempt(c, fills[k % n_fills], &done, err)) {
            return false;
        }
        if (done && dcp_search_value(x->s) < least) {
            least = dcp_search_value(x->s);
            dcp_state_assign(best, x->s);
            memcpy(covered, c->covered, size);
        }
    }
    *out_done = least < INFINITY;
    dcp_state_assign(x->s, *out_done ? best : start);
    memcpy(c->covered, covered, *out_done ? size : 0);
    return true;
}

bool
dcp_search_cover_hosts(struct search *x, bool *out_done, struct dcp_error *err)
{
    const struct dcp_problem *p = x->p;
    size_t n_quotas =
        (size_t)x->bound->n_regions * p->n_types * DCP_COVERS_MAX + 1;
    DCP_FREE struct covers *c = calloc(1, sizeof *c);
    DCP_FREE uint32_t *kind_of = calloc(p->n_items + 1u, sizeof *kind_of);
    DCP_FREE uint32_t *items = calloc(p->n_items + 1u, sizeof *items);
    DCP_FREE uint8_t *chosen = calloc(p->n_hosts + 1u, 1);
    DCP_FREE double *n_hosts = calloc(n_quotas, sizeof *n_hosts);
    DCP_FREE double *mhz =
        calloc((size_t)DCP_COVER_KINDS_MAX * p->n_slots + 1, sizeof *mhz);
    DCP_FREE struct dcp_ranked_host *ranks =
        calloc(p->n_hosts + 1u, sizeof *ranks);
    bool ready = false;

    *out_done = false;
    if (!dcp_pricing_counts_licences(p, 0)) {
        return true;
    }
    if (!c || !kind_of || !items || !chosen || !n_hosts || !mhz || !ranks) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    c->x = x;
    c->needs = x->needs;
    c->covered = x->covered;
    c->kind_of = kind_of;
    c->chosen = chosen;
    c->n_hosts = n_hosts;
    c->mhz = mhz;
    c->items = items;
    c->ranks = ranks;
    bool ok = dcp_covers_prepare(c, &ready, err) &&
              (!ready || (dcp_covers_pack_sets(c, err) &&
                          best_attempt(c, out_done, err)));

    dcp_covers_drop_sets(c);
    if (!*out_done) {
        x->in.needs = x->in.covered = NULL;
    }
    return ok;
}
