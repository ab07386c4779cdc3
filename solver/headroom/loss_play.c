/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/headroom/loss_play.h"

#include "model/base/sort.h"
#include "solver/search/item_order.h"

#include <stdlib.h>

/* Every way is tried of so few items on so few hosts, and so many places. */
#define EVERY_HOSTS 16u
#define EVERY_ITEMS 12u
#define EVERY_TRIES 500u

static int
by_room(const void *pa, const void *pb)
{
    const struct dcp_roomy_host *a = pa, *b = pb;

    if (a->room != b->room) {
        return a->room > b->room ? -1 : 1;
    }
    return a->host < b->host ? -1 : a->host > b->host;
}

static bool
counts(const struct dcp_loss_play *g, uint32_t host)
{
    return !g->only || g->only[host];
}

static void
rank_hosts(struct dcp_loss_play *g)
{
    const struct dcp_problem *p = g->s->p;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (counts(g, h) && g->s->on[h] && p->use[h] != DCP_HOST_AVOID) {
            uint32_t used = g->s->used[h], full = p->full[h];

            g->roomy[g->n_roomy++] =
                (struct dcp_roomy_host){ h, full > used ? full - used : 0 };
        }
    }
    qsort(g->roomy, g->n_roomy, sizeof *g->roomy, by_room);
}

bool
dcp_loss_play_init(struct dcp_loss_play *g, struct dcp_state *s,
                   const uint8_t *only)
{
    size_t n_items = s->p->n_items + 1u, n_hosts = s->p->n_hosts + 1u;

    *g = (struct dcp_loss_play){
        .s = s,
        .only = only,
        .roomy = malloc(n_hosts * sizeof *g->roomy),
        .lost_hosts = malloc(n_hosts * sizeof *g->lost_hosts),
        .items = malloc(n_items * sizeof *g->items),
        .from = malloc(n_items * sizeof *g->from),
        .order = malloc(n_items * sizeof *g->order),
        .weights = { .cpu = 1 },
    };
    for (uint32_t r = 0; r < s->p->n_scalars; r++) {
        g->weights.scalar[r] = 1;
    }
    if (!g->roomy || !g->lost_hosts || !g->items || !g->from || !g->order) {
        return false;
    }
    rank_hosts(g);
    return true;
}

void
dcp_loss_play_finish(struct dcp_loss_play *g)
{
    free(g->roomy);
    free(g->lost_hosts);
    free(g->items);
    free(g->from);
    free(g->order);
}

uint32_t
dcp_loss_play_hosts(struct dcp_loss_play *g, const struct dcp_loss_set *set)
{
    const struct dcp_inventory *inv = g->s->p->q->inventory;

    g->n_lost_hosts = 0;
    for (uint32_t k = 0; set->kind == DCP_LOSS_HOST && k < set->n; k++) {
        if (counts(g, set->ix[k]) && g->s->on[set->ix[k]]) {
            g->lost_hosts[g->n_lost_hosts++] = set->ix[k];
        }
    }
    for (uint32_t h = 0; set->kind != DCP_LOSS_HOST && h < inv->n_hosts; h++) {
        if (counts(g, h) && g->s->on[h] && dcp_loss_set_has(inv, set, h)) {
            g->lost_hosts[g->n_lost_hosts++] = h;
        }
    }
    return g->n_lost_hosts;
}

void
dcp_loss_play_begin(struct dcp_loss_play *g)
{
    struct dcp_state *s = g->s;

    g->n_items = g->n_protected = 0;
    for (uint32_t i = 0; i < g->n_lost_hosts; i++) {
        uint32_t h = g->lost_hosts[i];

        while (s->first[h] != DCP_IX_NONE) {
            uint32_t item = s->first[h];

            g->items[g->n_items] = item;
            g->from[g->n_items++] = h;
            if (s->p->protected_item[item]) {
                g->order[g->n_protected++] = item;
            }
            dcp_state_remove(s, item);
        }
        dcp_state_power(s, h, false);
    }
    dcp_items_by_size(s->p, g->order, g->n_protected);
}

static bool
takes(const struct dcp_loss_play *g, uint32_t item, uint32_t h)
{
    return g->s->on[h] && dcp_problem_restarts_on(g->s->p, item, h) &&
           dcp_state_fits_full(g->s, item, h) &&
           dcp_state_restarts(g->s, item, h);
}

static uint32_t
find_first_fit(struct dcp_loss_play *g, uint32_t item)
{
    for (uint32_t k = 0; k < g->n_roomy; k++) {
        uint32_t h = g->roomy[k].host;

        if (takes(g, item, h)) {
            return h;
        }
    }
    return DCP_IX_NONE;
}

static uint32_t
find_best_fit(struct dcp_loss_play *g, uint32_t item)
{
    struct dcp_state *s = g->s;
    uint32_t best = DCP_IX_NONE;
    double least = 0;

    for (uint32_t h = 0; h < s->p->n_hosts; h++) {
        if (!counts(g, h) || s->p->use[h] == DCP_HOST_AVOID ||
            !takes(g, item, h)) {
            continue;
        }
        double room = dcp_state_room_left(s, &g->weights, item, h);

        if (best == DCP_IX_NONE || room < least) {
            best = h;
            least = room;
        }
    }
    return best;
}

/* The first item without a place, or DCP_IX_NONE: all have one. */
static uint32_t
place_all(struct dcp_loss_play *g, bool best_fit)
{
    for (uint32_t i = 0; i < g->n_protected; i++) {
        uint32_t item = g->order[i];
        uint32_t h =
            best_fit ? find_best_fit(g, item) : find_first_fit(g, item);

        if (h == DCP_IX_NONE) {
            return item;
        }
        dcp_state_place(g->s, item, h);
    }
    return DCP_IX_NONE;
}

static void
unplace(struct dcp_loss_play *g)
{
    for (uint32_t i = 0; i < g->n_protected; i++) {
        if (g->s->host[g->order[i]] != DCP_IX_NONE) {
            dcp_state_remove(g->s, g->order[i]);
        }
    }
}

/* Places the protected items from the k-th on in every way until one works, or
 * so many places were tried. */
static bool
place_somehow(struct dcp_loss_play *g, uint32_t k, uint32_t *tries)
{
    if (k == g->n_protected) {
        return true;
    }
    uint32_t item = g->order[k];

    for (uint32_t r = 0; *tries && r < g->n_roomy; r++) {
        uint32_t h = g->roomy[r].host;

        if (!takes(g, item, h)) {
            continue;
        }
        --*tries;
        dcp_state_place(g->s, item, h);
        if (place_somehow(g, k + 1, tries)) {
            return true;
        }
        dcp_state_remove(g->s, item);
    }
    return false;
}

uint32_t
dcp_loss_play_restart(struct dcp_loss_play *g)
{
    uint32_t item = place_all(g, false), tries = EVERY_TRIES;

    if (item != DCP_IX_NONE) {
        unplace(g);
        item = place_all(g, true);
    }
    g->is_unsure = item != DCP_IX_NONE;
    if (item != DCP_IX_NONE && g->s->p->n_hosts <= EVERY_HOSTS &&
        g->n_protected <= EVERY_ITEMS) {
        unplace(g);
        item = place_somehow(g, 0, &tries) ? DCP_IX_NONE : item;
        g->is_unsure = item != DCP_IX_NONE && !tries;
    }
    return item;
}

void
dcp_loss_play_put(struct dcp_loss_play *g, uint32_t host)
{
    for (uint32_t i = 0; i < g->n_protected; i++) {
        dcp_state_place(g->s, g->order[i], host);
    }
}

void
dcp_loss_play_put_each(struct dcp_loss_play *g, const uint32_t *to)
{
    for (uint32_t i = 0; i < g->n_protected; i++) {
        dcp_state_place(g->s, g->order[i], to[g->order[i]]);
    }
}

void
dcp_loss_play_end(struct dcp_loss_play *g)
{
    unplace(g);
    for (uint32_t i = 0; i < g->n_lost_hosts; i++) {
        dcp_state_power(g->s, g->lost_hosts[i], true);
    }
    for (uint32_t i = g->n_items; i-- > 0;) {
        dcp_state_place(g->s, g->items[i], g->from[i]);
    }
}

/* --- Written down ----------------------------------------------------------
 */

static bool
write_also(struct dcp_arena *arena, const struct dcp_loss_set *set,
           struct dcp_loss_answer *out)
{
    uint32_t *also = dcp_arena_array(arena, uint32_t, set->n);

    *out = (struct dcp_loss_answer){ 0 }; /* One that was given up before. */
    out->lose = (struct dcp_object_ref){ set->kind, set->ix[0] };
    out->n_also = set->n - 1;
    out->also = also;
    for (uint32_t k = 1; also && k < set->n; k++) {
        also[k - 1] = set->ix[k];
    }
    return also != NULL;
}

/* Writes the places down, while the restarted items are where they went. */
static bool
write_places(const struct dcp_loss_play *g, struct dcp_arena *arena,
             struct dcp_loss_answer *out)
{
    const struct dcp_problem *p = g->s->p;
    uint32_t n_vms = 0;

    for (uint32_t i = 0; i < g->n_items; i++) {
        n_vms += p->vm_first[g->items[i] + 1] - p->vm_first[g->items[i]];
    }
    uint32_t *vms = dcp_arena_array(arena, uint32_t, n_vms);
    uint32_t *to = dcp_arena_array(arena, uint32_t, n_vms);
    uint32_t *rest = dcp_arena_array(arena, uint32_t, n_vms);
    DCP_FREE uint32_t(*pairs)[2] = calloc(n_vms + 1u, sizeof *pairs);

    if (!vms || !to || !rest || !pairs) {
        return false;
    }
    for (uint32_t i = 0; i < g->n_items; i++) {
        uint32_t item = g->items[i], h = g->s->host[item];

        for (uint32_t k = p->vm_first[item]; k < p->vm_first[item + 1]; k++) {
            if (h == DCP_IX_NONE) {
                rest[out->n_not_protected++] = p->vm[k];
            } else {
                pairs[out->n][0] = p->vm[k];
                pairs[out->n++][1] = h;
            }
        }
    }
    dcp_sort_u32_pairs(pairs, out->n);
    dcp_sort_u32(rest, out->n_not_protected);
    for (uint32_t i = 0; i < out->n; i++) {
        vms[i] = pairs[i][0];
        to[i] = pairs[i][1];
    }
    out->vms = vms;
    out->to = to;
    out->not_protected = rest;
    return true;
}

bool
dcp_loss_play_record(const struct dcp_loss_play *g,
                     const struct dcp_loss_set *set, struct dcp_arena *arena,
                     struct dcp_loss_answer *out)
{
    return write_also(arena, set, out) && write_places(g, arena, out);
}
