/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Each loss is played on the state itself and taken back: the lost items are
 * removed, the protected ones placed largest first on the emptiest host that
 * takes them, and if one finds no room the loss is tried once more by best
 * fit. */

#define _GNU_SOURCE 1 /* qsort_r */

#include "solver/headroom.h"

#include <stdlib.h>
#include <string.h>

struct roomy_host {
    uint32_t host, room;
};

struct play {
    struct dcp_state *s;
    struct roomy_host *roomy;
    uint32_t n_roomy;
    uint32_t *lost_hosts;
    uint32_t n_lost_hosts;
    uint32_t *items, *from; /* Lost items and where they were. */
    uint32_t n_items;
    uint32_t *order; /* Protected ones, largest first. */
    uint32_t n_protected;
    struct dcp_weights weights;
};

static int
larger_first(const void *pa, const void *pb, void *arg)
{
    const struct dcp_problem *p = arg;
    uint32_t a, b;

    memcpy(&a, pa, sizeof a);
    memcpy(&b, pb, sizeof b);
    if (p->size[a] != p->size[b]) {
        return p->size[a] > p->size[b] ? -1 : 1;
    }
    return a < b ? -1 : a > b;
}

static uint32_t
find_first_fit(struct play *g, uint32_t item)
{
    struct dcp_state *s = g->s;

    for (uint32_t k = 0; k < g->n_roomy; k++) {
        uint32_t h = g->roomy[k].host;

        if (s->on[h] && dcp_state_fits_full(s, item, h) &&
            dcp_state_restarts(s, item, h)) {
            return h;
        }
    }
    return DCP_IX_NONE;
}

static int
by_room(const void *pa, const void *pb)
{
    const struct roomy_host *a = pa, *b = pb;

    if (a->room != b->room) {
        return a->room > b->room ? -1 : 1;
    }
    return a->host < b->host ? -1 : a->host > b->host;
}

/* Hosts that are on, the emptiest first: the order of first fit.  A loss is
 * taken back before the next, so the order stays right. */
static void
rank_hosts(struct play *g)
{
    const struct dcp_problem *p = g->s->p;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (g->s->on[h] && p->use[h] != DCP_HOST_AVOID) {
            uint32_t used = g->s->used[h], full = p->full[h];

            g->roomy[g->n_roomy++] =
                (struct roomy_host){ h, full > used ? full - used : 0 };
        }
    }
    qsort(g->roomy, g->n_roomy, sizeof *g->roomy, by_room);
}

static uint32_t
find_best_fit(struct play *g, uint32_t item)
{
    struct dcp_state *s = g->s;
    uint32_t best = DCP_IX_NONE;
    double least = 0;

    for (uint32_t h = 0; h < s->p->n_hosts; h++) {
        if (!s->on[h] || s->p->use[h] == DCP_HOST_AVOID ||
            !dcp_state_fits_full(s, item, h) ||
            !dcp_state_restarts(s, item, h)) {
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

/* Takes the lost hosts' items off and their power away. */
static void
lose(struct play *g)
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
    qsort_r(g->order, g->n_protected, sizeof *g->order, larger_first,
            (void *)(size_t)s->p);
}

static void
unplace(struct play *g)
{
    for (uint32_t i = 0; i < g->n_protected; i++) {
        if (g->s->host[g->order[i]] != DCP_IX_NONE) {
            dcp_state_remove(g->s, g->order[i]);
        }
    }
}

static void
restore(struct play *g)
{
    for (uint32_t i = 0; i < g->n_lost_hosts; i++) {
        dcp_state_power(g->s, g->lost_hosts[i], true);
    }
    for (uint32_t i = g->n_items; i-- > 0;) {
        dcp_state_place(g->s, g->items[i], g->from[i]);
    }
}

/* The first item without a place, or DCP_IX_NONE: all have one. */
static uint32_t
restart(struct play *g, bool best_fit)
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

static int
compare_u32(const void *pa, const void *pb)
{
    uint32_t a, b;

    memcpy(&a, pa, sizeof a);
    memcpy(&b, pb, sizeof b);
    return a < b ? -1 : a > b;
}

static int
compare_pairs(const void *pa, const void *pb)
{
    return compare_u32(pa, pb); /* Pairs (vm, host) by VM. */
}

/* Writes the places down, while the restarted items are where they went. */
static bool
record(const struct play *g, struct dcp_arena *arena,
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
    qsort(pairs, out->n, sizeof *pairs, compare_pairs);
    qsort(rest, out->n_not_protected, sizeof *rest, compare_u32);
    for (uint32_t i = 0; i < out->n; i++) {
        vms[i] = pairs[i][0];
        to[i] = pairs[i][1];
    }
    out->vms = vms;
    out->to = to;
    out->not_protected = rest;
    return true;
}

/* The hosts that are on and go down with object 'ix'. */
static void
hosts_of_loss(struct play *g, enum dcp_loss_kind kind, uint32_t ix)
{
    const struct dcp_inventory *inv = g->s->p->q->inventory;

    g->n_lost_hosts = 0;
    for (uint32_t h = kind == DCP_LOSS_HOST ? ix : 0; h < inv->n_hosts; h++) {
        dcp_rack_id rack = inv->hosts[h].rack;
        bool hit = false;

        switch (kind) {
        case DCP_LOSS_HOST:
            hit = h == ix;
            break;
        case DCP_LOSS_RACK:
            hit = rack.ix == ix;
            break;
        case DCP_LOSS_FEED:
            hit = !dcp_rack_is_none(rack) && inv->racks[rack.ix].feeds.n == 1 &&
                  inv->racks[rack.ix].feeds.ix[0] == ix;
            break;
        }
        if (hit && g->s->on[h]) {
            g->lost_hosts[g->n_lost_hosts++] = h;
        }
        if (kind == DCP_LOSS_HOST) {
            break;
        }
    }
}

static uint32_t
count_of(const struct dcp_inventory *inv, enum dcp_loss_kind kind)
{
    switch (kind) {
    case DCP_LOSS_HOST:
        return inv->n_hosts;
    case DCP_LOSS_RACK:
        return inv->n_racks;
    case DCP_LOSS_FEED:
        return inv->n_feeds;
    }
    return 0;
}

static bool
play_loss(struct play *g, struct dcp_arena *arena, struct dcp_headroom *out,
          bool *out_memory)
{
    lose(g);
    uint32_t item = restart(g, false);

    if (item != DCP_IX_NONE) {
        unplace(g);
        item = restart(g, true);
    }
    if (item == DCP_IX_NONE && arena) {
        *out_memory = record(g, arena, &out->losses[out->n_losses++]);
    }
    unplace(g);
    restore(g);
    if (item != DCP_IX_NONE) {
        out->failed_item = item;
    }
    return item == DCP_IX_NONE && *out_memory;
}

static void
set_weights(struct play *g)
{
    g->weights.cpu = 1;
    for (uint32_t r = 0; r < g->s->p->n_scalars; r++) {
        g->weights.scalar[r] = 1;
    }
}

bool
dcp_headroom_check(struct dcp_state *s, struct dcp_arena *arena,
                   const struct dcp_headroom *passed, struct dcp_headroom *out,
                   struct dcp_error *err)
{
    const struct dcp_inventory *inv = s->p->q->inventory;
    uint32_t first_kind = passed ? passed->failed_kind : 0;
    uint32_t first_ix = passed ? passed->failed.ix : 0;
    const struct dcp_policy *policy = &inv->policy;
    size_t ni = s->p->n_items + 1u;
    DCP_FREE uint32_t *hosts = malloc((inv->n_hosts + 1u) * sizeof *hosts);
    DCP_FREE uint32_t *items = malloc(ni * sizeof *items);
    DCP_FREE uint32_t *from = malloc(ni * sizeof *from);
    DCP_FREE uint32_t *order = malloc(ni * sizeof *order);
    DCP_FREE struct roomy_host *roomy =
        malloc((inv->n_hosts + 1u) * sizeof *roomy);
    struct play g = { .s = s,
                      .lost_hosts = hosts,
                      .items = items,
                      .from = from,
                      .order = order,
                      .roomy = roomy };
    uint32_t n = 0;
    bool memory = hosts && items && from && order && roomy;

    *out = (struct dcp_headroom){ .ok = true };
    for (uint32_t k = 0; k < policy->n_survive; k++) {
        n += count_of(inv, policy->survive[k].kind);
    }
    if (memory && arena) {
        out->losses = dcp_arena_array(arena, struct dcp_loss_answer, n);
        memory = out->losses != NULL;
    }
    if (memory) {
        rank_hosts(&g);
    }
    set_weights(&g);
    for (uint32_t k = first_kind; memory && out->ok && k < policy->n_survive;
         k++) {
        enum dcp_loss_kind kind = policy->survive[k].kind;

        for (uint32_t ix = k == first_kind ? first_ix : 0;
             out->ok && ix < count_of(inv, kind); ix++) {
            hosts_of_loss(&g, kind, ix);
            if (!g.n_lost_hosts) {
                continue;
            }
            if (arena) {
                out->losses[out->n_losses].lose =
                    (struct dcp_object_ref){ kind, ix };
            }
            out->ok = play_loss(&g, arena, out, &memory);
            out->failed = (struct dcp_object_ref){ kind, ix };
            out->failed_kind = k;
        }
    }
    return memory || dcp_fail(err, DCP_E_NOMEM, "no memory for headroom");
}
