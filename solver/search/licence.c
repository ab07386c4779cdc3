/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Licences that are paid by host cost least where covered VMs share few hosts:
 * of a host that holds some, all are moved to hosts that are licensed anyway,
 * where others make room for them by going to any host that is on. */

#include "solver/search/parts.h"

#include "solver/search/item_order.h"

#include <math.h>
#include <stdlib.h>

/* Hosts looked at for one covered item, and VMs that make room for it. */
#define HOSTS_TRIED   12u
#define MAKE_ROOM_MAX 12u

/* Units that the host adds to what must be paid, in money. */
static double
host_money(const struct dcp_state *s, uint32_t h)
{
    const struct dcp_pricing *g = s->p->pricing;
    double money = 0;

    for (uint32_t k = 0; k < g->n_licences; k++) {
        money += g->licence[k].unit_price *
                 s->objective->units[(size_t)k * s->p->n_hosts + h];
    }
    return money;
}

/* Moves VMs without a licence off 'h', smallest first that is enough or the
 * largest, until 'item' has room there. */
static bool
make_room(struct search *x, uint32_t item, uint32_t h)
{
    struct dcp_state *s = x->s;
    uint32_t not_to = x->in.not_to;
    bool fits = false;

    x->in.not_to = h;
    for (uint32_t n = 0; n < MAKE_ROOM_MAX; n++) {
        uint32_t ends = DCP_IX_NONE, largest = DCP_IX_NONE;

        for (uint32_t i = s->first[h]; i != DCP_IX_NONE;) {
            uint32_t next = s->next[i];

            if (!dcp_pricing_item_is_covered(x->p, i)) {
                dcp_state_remove(s, i);
                if (dcp_state_fits(s, item, h) &&
                    (ends == DCP_IX_NONE || x->p->size[i] < x->p->size[ends])) {
                    ends = i;
                }
                dcp_state_place(s, i, h);
                if (largest == DCP_IX_NONE ||
                    x->p->size[i] > x->p->size[largest]) {
                    largest = i;
                }
            }
            i = next;
        }
        uint32_t gone = ends != DCP_IX_NONE ? ends : largest;

        if (gone == DCP_IX_NONE) {
            break;
        }
        dcp_insert_remove(&x->in, gone);
        x->in.not_to = h;
        if (!dcp_insert_one(&x->in, gone)) {
            break;
        }
        if (dcp_state_fits(s, item, h) && dcp_state_allowed(s, item, h)) {
            fits = true;
            break;
        }
    }
    x->in.not_to = not_to;
    return fits;
}

/* A licensed host for the item (not placed), its room made where needed. */
static bool
place_covered(struct search *x, uint32_t item, uint32_t not_to)
{
    struct dcp_state *s = x->s;
    const struct dcp_problem *p = x->p;
    uint32_t n = 0, h = (uint32_t)dcp_rng_below(&x->in.rng, p->n_hosts);
    uint32_t best = dcp_insert_best_host(&x->in, item);

    if (best != DCP_IX_NONE &&
        !(dcp_objective_licence_delta(s, item, best) > 0)) {
        dcp_insert_at(&x->in, item, best);
        return true;
    }
    for (uint32_t k = 0; k < p->n_hosts && n < HOSTS_TRIED; k++) {
        h = h + 1 < p->n_hosts ? h + 1 : 0;
        if (h == not_to || !s->on[h] || p->use[h] == DCP_HOST_AVOID ||
            dcp_objective_licence_delta(s, item, h) > 0 ||
            !dcp_state_allowed(s, item, h)) {
            continue;
        }
        n++;
        uint32_t mark = x->in.trail.n;

        if (make_room(x, item, h)) {
            dcp_insert_at(&x->in, item, h);
            return true;
        }
        dcp_trail_undo_to(&x->in.trail, s, mark);
    }
    return false;
}

/* Moves all covered items off 'h' to licensed hosts; false: not all could. */
static bool
free_of_licences(struct search *x, uint32_t h)
{
    struct dcp_state *s = x->s;
    uint32_t n = 0, *items = x->in.scratch;

    for (uint32_t i = s->first[h]; i != DCP_IX_NONE; i = s->next[i]) {
        if (dcp_pricing_item_is_covered(x->p, i)) {
            items[n++] = i;
        }
    }
    dcp_items_covered_first(x->p, items, n);
    for (uint32_t k = 0; k < n; k++) {
        dcp_insert_remove(&x->in, items[k]);
    }
    x->in.not_to = h;
    bool ok = n > 0;

    for (uint32_t k = 0; ok && k < n; k++) {
        ok = place_covered(x, items[k], h);
    }
    x->in.not_to = DCP_IX_NONE;
    return ok;
}

struct licensed {
    uint32_t host;
    double key;
};

static int
by_key(const void *pa, const void *pb)
{
    const struct licensed *a = pa, *b = pb;

    if (a->key != b->key) {
        return a->key < b->key ? -1 : 1;
    }
    return a->host < b->host ? -1 : a->host > b->host;
}

/* Licensed hosts, those with the least covered load per money first. */
static uint32_t
rank(struct search *x, struct licensed *out)
{
    struct dcp_state *s = x->s;
    uint32_t n = 0;

    (void)dcp_objective_value(s, 0);
    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        double money = s->on[h] ? host_money(s, h) : 0, size = 0;

        for (uint32_t i = s->first[h]; money > 0 && i != DCP_IX_NONE;
             i = s->next[i]) {
            size += dcp_pricing_item_is_covered(x->p, i) ? x->p->size[i] : 0;
        }
        if (money > 0) {
            out[n++] = (struct licensed){ h, size / money };
        }
    }
    qsort(out, n, sizeof *out, by_key);
    return n;
}

bool
dcp_search_drop_licences(struct search *x, uint32_t max_passes, bool check,
                         struct dcp_error *err)
{
    DCP_FREE struct licensed *list =
        malloc((x->p->n_hosts + 1u) * sizeof *list);

    if (!dcp_pricing_counts_licences(x->p, 0)) {
        return true;
    }
    if (!list) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    x->in.may_wake = true; /* A host may cost less than a licence. */
    x->in.swap_tries = 8;
    for (uint32_t pass = 0; pass < max_passes; pass++) {
        uint32_t n = rank(x, list), n_kept = 0;

        for (uint32_t k = 0; k < n && !dcp_search_is_over(x, check); k++) {
            double before = dcp_search_value(x->s);
            bool kept = false;

            if (free_of_licences(x, list[k].host) &&
                (!x->p->q->limits_moves ||
                 dcp_search_moves(x) <= x->p->q->max_moves) &&
                dcp_search_value(x->s) <
                    before - 1e-9 * fmax(fabs(before), 1) &&
                !dcp_search_settle(x, check, &kept, err)) {
                return false;
            }
            if (!kept) {
                dcp_trail_undo(&x->in.trail, x->s);
            }
            n_kept += kept;
        }
        if (!n_kept) {
            break;
        }
    }
    x->in.may_wake = false;
    return true;
}
