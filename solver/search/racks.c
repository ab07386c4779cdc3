/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/search/racks.h"

#include "solver/headroom/loss_sums.h"
#include "solver/search/item_order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of those that are spare, used for what packing loses. */
#define PACKING_HOSTS 1.0

/* Its rack; hosts without one share a number. */
static uint32_t
rack_of(const struct search *x, uint32_t h)
{
    const struct dcp_inventory *inv = x->p->q->inventory;
    dcp_rack_id rack = inv->hosts[h].rack;

    return dcp_rack_is_none(rack) ? inv->n_racks : rack.ix;
}

/* --- Hosts to keep -------------------------------------------------------- */

/* Hosts of its type that the bound's program has on in a rack like that of
 * 'h'. */
static double
wanted(const struct search *x, uint32_t h)
{
    uint32_t g = x->bound->racks->of_host[h];

    if (g == DCP_IX_NONE) {
        return 0;
    }
    uint32_t n = x->bound->racks->group[g].n_racks;

    return x->bound
               ->group_on[(size_t)g * x->p->n_types + x->p->type_of_host[h]] /
           (n ? n : 1);
}

bool
dcp_search_rank_by_racks(const struct search *x, struct dcp_ranked_host *ranks,
                         uint32_t n)
{
    const struct dcp_problem *p = x->p;
    size_t n_cells = (size_t)(p->q->inventory->n_racks + 1u) * p->n_types;
    DCP_FREE uint32_t *n_before = calloc(n_cells + 1, sizeof *n_before);
    DCP_FREE uint8_t *ranked = calloc(p->n_hosts + 1u, 1);

    if (!n_before || !ranked) {
        return false;
    }
    for (uint32_t k = 0; k < n; k++) {
        ranked[ranks[k].host] = 1;
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (x->s->on[h] && !ranked[h]) {
            n_before[(size_t)rack_of(x, h) * p->n_types + p->type_of_host[h]]++;
        }
    }
    for (uint32_t k = 0; k < n; k++) {
        uint32_t h = ranks[k].host;
        size_t cell = (size_t)rack_of(x, h) * p->n_types + p->type_of_host[h];

        ranks[k].key = n_before[cell]++ - wanted(x, h);
    }
    dcp_search_sort_hosts(ranks, n);
    return true;
}

/* --- Reserves ------------------------------------------------------------- */

/* Of what the bound's program has on in the zone, hosts and what they hold of a
 * resource after a loss. */
static void
hosts_wanted(const struct search *x, uint32_t zone, uint32_t resource,
             double *out_hosts, double *out_full)
{
    const struct dcp_problem *p = x->p;

    *out_hosts = *out_full = 0;
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        uint32_t g = x->bound->racks->of_host[h];
        size_t cell = (size_t)g * p->n_types + p->type_of_host[h];

        if (g == DCP_IX_NONE || p->losses->zone_of_host[h] != zone) {
            continue;
        }
        double share = x->bound->group_on[cell] / x->bound->racks->n_max[cell];

        *out_hosts += share;
        *out_full += share * dcp_loss_sums_full(p, h, resource);
    }
}

static bool
may_lose_some(const struct dcp_problem *p, uint32_t zone)
{
    bool may = false;

    for (uint32_t k = 0; k < p->losses->n_kinds; k++) {
        for (uint32_t d = 0; !may && d < p->losses->kinds[k].n; d++) {
            may = p->losses->kinds[k].zone[d] == zone;
        }
    }
    return may;
}

/* Whole hosts of the zone that are spare in every resource; 0 where no rack or
 * feed takes any of its hosts. */
static double
spare_hosts(const struct search *x, uint32_t zone, double *out_hosts)
{
    const struct dcp_loss_sums *sums = x->s->loss_sums;
    double least = INFINITY;

    for (uint32_t r = 0; may_lose_some(x->p, zone) && r < sums->n_resources;
         r++) {
        double full, demand = dcp_loss_sums_demand(sums, zone, r);

        hosts_wanted(x, zone, r, out_hosts, &full);
        if (full > 0) {
            least = fmin(least, (full - demand) / full * *out_hosts);
        }
    }
    return isinf(least) ? 0 : floor(least - PACKING_HOSTS);
}

static bool
may_reserve(const struct search *x, uint32_t h, uint32_t zone,
            const uint8_t *closed)
{
    return x->s->on[h] && !closed[h] && x->p->use[h] == DCP_HOST_FREE &&
           x->p->losses->zone_of_host[h] == zone && wanted(x, h) > 0;
}

/* The host of the rack that holds least. */
static uint32_t
emptiest_of(const struct search *x, uint32_t rack, uint32_t zone,
            const uint8_t *closed)
{
    uint32_t best = DCP_IX_NONE;

    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        if (rack_of(x, h) == rack && may_reserve(x, h, zone, closed) &&
            (best == DCP_IX_NONE || x->s->used[h] < x->s->used[best])) {
            best = h;
        }
    }
    return best;
}

bool
dcp_search_reserve_in_racks(const struct search *x, uint8_t *closed)
{
    const struct dcp_problem *p = x->p;
    uint32_t n_racks = p->q->inventory->n_racks + 1;

    if (!x->s->loss_sums) {
        return true;
    }
    DCP_FREE double *share = calloc(n_racks, sizeof *share);

    for (uint32_t z = 0; share && z < p->losses->n_zones; z++) {
        double n_hosts = 0, due = 0;
        double spare = spare_hosts(x, z, &n_hosts);

        memset(share, 0, n_racks * sizeof *share);
        for (uint32_t h = 0; h < p->n_hosts; h++) {
            uint32_t g = x->bound->racks->of_host[h];
            size_t cell = (size_t)g * p->n_types + p->type_of_host[h];

            if (g != DCP_IX_NONE && p->losses->zone_of_host[h] == z) {
                share[rack_of(x, h)] +=
                    x->bound->group_on[cell] / x->bound->racks->n_max[cell];
            }
        }
        for (uint32_t r = 0; spare > 0 && r < n_racks; r++) {
            uint32_t h = 0;

            due += share[r] * spare / n_hosts;
            for (; due >= 1 - 1e-6 && h != DCP_IX_NONE; due--) {
                h = emptiest_of(x, r, z, closed);
                if (h != DCP_IX_NONE) {
                    closed[h] = 1;
                }
            }
        }
    }
    return share != NULL;
}

/* --- Sums ----------------------------------------------------------------- */

void
dcp_search_note_losses(struct search *x)
{
    if (x->s->loss_sums) {
        x->is_short = !dcp_loss_sums_hold(x->s->loss_sums);
        for (uint32_t z = 0; x->is_short && z < x->p->losses->n_zones; z++) {
            x->short_by[z] =
                fmax(0, dcp_loss_sums_short(x->s->loss_sums, z));
        }
    }
}

bool
dcp_search_losses_hold(const struct search *x)
{
    bool ok = !x->s->loss_sums || dcp_loss_sums_hold(x->s->loss_sums);

    if (ok || !x->is_short) {
        return ok;
    }
    ok = true;
    for (uint32_t z = 0; ok && z < x->p->losses->n_zones; z++) {
        ok = dcp_loss_sums_short(x->s->loss_sums, z) <= x->short_by[z];
    }
    return ok;
}

bool
dcp_search_losses_hold_without(struct search *x, uint32_t host)
{
    struct dcp_loss_sums *sums = x->s->loss_sums;
    bool ok = true;

    if (sums) {
        uint32_t zone = x->p->losses->zone_of_host[host];

        dcp_loss_sums_power(sums, host, false);
        ok = dcp_loss_sums_short(sums, zone) <=
             (x->is_short ? x->short_by[zone] : 0);
        dcp_loss_sums_power(sums, host, true);
    }
    return ok;
}

bool
dcp_search_may_expose(struct search *x, uint32_t host)
{
    struct dcp_loss_sums *sums = x->s->loss_sums;
    bool ok = true;

    if (!sums) {
        return true;
    }
    dcp_loss_sums_power(sums, host, true);
    for (uint32_t k = 0; ok && k < x->p->losses->n_kinds; k++) {
        uint32_t domain = x->p->losses->kinds[k].of_host[host];

        ok = domain == DCP_IX_NONE ||
             dcp_loss_sums_domain_short(sums, k, domain) <= 0;
    }
    dcp_loss_sums_power(sums, host, false);
    return ok;
}

static bool
may_wake(const struct search *x, uint32_t h)
{
    return !x->s->on[h] && x->p->use[h] == DCP_HOST_FREE &&
           (x->p->q->may_wake || x->p->q->start->on[h]) &&
           dcp_state_may_switch(x->s, h, true);
}

/* The host of the zone that makes it short by the least for what it costs; one
 * of each rack is looked at. */
static uint32_t
host_for_zone(struct search *x, uint32_t zone)
{
    const struct dcp_problem *p = x->p;
    struct dcp_loss_sums *sums = x->s->loss_sums;
    double was = dcp_loss_sums_short(sums, zone), most = 1e-9;
    uint32_t best = DCP_IX_NONE, last = DCP_IX_NONE;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (p->losses->zone_of_host[h] != zone || !may_wake(x, h) ||
            (last != DCP_IX_NONE && rack_of(x, h) == rack_of(x, last) &&
             p->type_of_host[h] == p->type_of_host[last])) {
            continue;
        }
        last = h;
        dcp_loss_sums_power(sums, h, true);
        double gain =
            (was - dcp_loss_sums_short(sums, zone)) / (p->on_value[h] + 1e-12);

        dcp_loss_sums_power(sums, h, false);
        if (gain > most) {
            most = gain;
            best = h;
        }
    }
    return best;
}

void
dcp_search_wake_for_losses(struct search *x)
{
    for (uint32_t z = 0; x->s->loss_sums && z < x->p->losses->n_zones; z++) {
        while (dcp_loss_sums_short(x->s->loss_sums, z) > 0) {
            uint32_t h = host_for_zone(x, z);

            if (h == DCP_IX_NONE) {
                break;
            }
            dcp_insert_power(&x->in, h, true);
        }
    }
}

/* --- What has no promise -------------------------------------------------- */

static bool
is_short(const struct search *x, uint32_t h)
{
    bool is = false;

    for (uint32_t k = 0; !is && k < x->p->losses->n_kinds; k++) {
        uint32_t domain = x->p->losses->kinds[k].of_host[h];

        is = domain != DCP_IX_NONE &&
             dcp_loss_sums_domain_short(x->s->loss_sums, k, domain) > 0;
    }
    return is;
}

/* Hosts of racks that are short take items, others none. */
static bool
open_short_ones(const struct search *x, uint32_t region, uint8_t *closed)
{
    bool any = false;

    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        closed[h] = !x->s->on[h] || !dcp_search_in_region(x, h, region) ||
                    (x->in.closed && x->in.closed[h]) || !is_short(x, h);
        any |= !closed[h];
    }
    return any;
}

static bool
has_unpromised(const struct search *x, uint32_t region)
{
    bool any = false;

    for (uint32_t i = 0; !any && i < x->p->n_items; i++) {
        any = !x->p->protected_item[i] && x->s->host[i] != DCP_IX_NONE &&
              dcp_search_in_region(x, x->s->host[i], region);
    }
    return any;
}

static void
pool_region(struct search *x, uint32_t region)
{
    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        while (dcp_search_in_region(x, h, region) &&
               x->p->use[h] != DCP_HOST_AVOID &&
               x->s->first[h] != DCP_IX_NONE) {
            uint32_t item = x->s->first[h];

            dcp_insert_remove(&x->in, item);
            dcp_homeless_add(&x->homeless, item);
        }
    }
}

/* Of 'items', those without a promise go to racks that are short, the largest
 * first; the rest is in the pool again. */
static void
place_on_short_ones(struct search *x, uint32_t region, uint32_t *items,
                    uint32_t n, uint8_t *closed)
{
    const uint8_t *was_closed = x->in.closed;
    bool any = open_short_ones(x, region, closed);

    dcp_items_by_size(x->p, items, n);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t to = DCP_IX_NONE;

        if (any && !x->p->protected_item[items[k]]) {
            x->in.closed = closed;
            to = dcp_insert_best_host(&x->in, items[k]);
            x->in.closed = was_closed;
        }
        if (to == DCP_IX_NONE) {
            dcp_homeless_add(&x->homeless, items[k]);
            continue;
        }
        dcp_insert_at(&x->in, items[k], to);
        if (!is_short(x, to)) {
            any = open_short_ones(x, region, closed);
        }
    }
}

void
dcp_search_place_unpromised(struct search *x, uint32_t region)
{
    DCP_FREE uint8_t *closed = calloc(x->p->n_hosts + 1u, 1);
    DCP_FREE uint32_t *items = malloc((x->p->n_items + 1u) * sizeof *items);

    if (!x->s->loss_sums || !closed || !items ||
        !open_short_ones(x, region, closed)) {
        return;
    }
    if (has_unpromised(x, region)) {
        pool_region(x, region);
    }
    uint32_t n = x->homeless.n;

    memcpy(items, x->homeless.item, n * sizeof *items);
    dcp_homeless_clear(&x->homeless);
    place_on_short_ones(x, region, items, n, closed);
}
