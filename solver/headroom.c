/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Each loss is played on the state itself and taken back: the lost items are
 * removed, the protected ones placed largest first on the emptiest host that
 * takes them, and if one finds no room the loss is tried once more by best
 * fit. */

#include "solver/headroom.h"

#include "model/base/sort.h"
#include "solver/item_order.h"
#include "solver/stand_in.h"

#include <stdio.h>
#include <stdlib.h>

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
    dcp_items_by_size(s->p, g->order, g->n_protected);
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

/* --- What is lost -------------------------------------------------------- */

static bool
goes_down(const struct dcp_inventory *inv, enum dcp_loss_kind kind, uint32_t ix,
          uint32_t host)
{
    dcp_rack_id rack = inv->hosts[host].rack;

    switch (kind) {
    case DCP_LOSS_HOST:
        return host == ix;
    case DCP_LOSS_RACK:
        return rack.ix == ix;
    case DCP_LOSS_FEED:
        return !dcp_rack_is_none(rack) && inv->racks[rack.ix].feeds.n == 1 &&
               inv->racks[rack.ix].feeds.ix[0] == ix;
    }
    return false;
}

bool
dcp_headroom_loses(const struct dcp_inventory *inv,
                   const struct dcp_loss_set *set, uint32_t host)
{
    bool lost = false;

    for (uint32_t k = 0; k < set->n && !lost; k++) {
        lost = goes_down(inv, set->kind, set->ix[k], host);
    }
    return lost;
}

const char *
dcp_loss_set_print(const struct dcp_inventory *inv,
                   const struct dcp_loss_set *set, char *out, size_t size)
{
    static const char *const kinds[] = { "host", "rack", "feed" };
    size_t at = 0;

    out[0] = '\0';
    for (uint32_t k = 0; k < set->n && at < size; k++) {
        uint32_t ix = set->ix[k];
        const char *name = set->kind == DCP_LOSS_HOST   ? inv->hosts[ix].name
                           : set->kind == DCP_LOSS_RACK ? inv->racks[ix].name
                                                        : inv->feeds[ix].name;
        int n = snprintf(out + at, size - at, "%s%s '%.60s'", k ? " and " : "",
                         kinds[set->kind], name);

        at += n > 0 ? (size_t)n : 0;
    }
    return out;
}

/* The hosts that are on and go down with the set. */
static void
hosts_of_loss(struct play *g, const struct dcp_loss_set *set)
{
    const struct dcp_inventory *inv = g->s->p->q->inventory;

    g->n_lost_hosts = 0;
    for (uint32_t k = 0; set->kind == DCP_LOSS_HOST && k < set->n; k++) {
        if (g->s->on[set->ix[k]]) {
            g->lost_hosts[g->n_lost_hosts++] = set->ix[k];
        }
    }
    for (uint32_t h = 0; set->kind != DCP_LOSS_HOST && h < inv->n_hosts; h++) {
        if (g->s->on[h] && dcp_headroom_loses(inv, set, h)) {
            g->lost_hosts[g->n_lost_hosts++] = h;
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

/* Objects that take some host down, as things are; returns how many. */
static uint32_t
list_objects(struct play *g, enum dcp_loss_kind kind, uint32_t *out)
{
    const struct dcp_inventory *inv = g->s->p->q->inventory;
    uint32_t n = 0;

    for (uint32_t ix = 0; ix < count_of(inv, kind); ix++) {
        struct dcp_loss_set one = { .kind = kind, .n = 1, .ix = { ix } };

        hosts_of_loss(g, &one);
        if (g->n_lost_hosts) {
            out[n++] = ix;
        }
    }
    return n;
}

/* Sets of 1 to 'count' out of n, or more than any limit. */
static uint64_t
count_sets(uint32_t n, uint32_t count)
{
    uint64_t sets = 0, choose = 1;

    for (uint32_t k = 1; k <= count && k <= n; k++) {
        if (choose > UINT64_C(1) << 40) {
            return UINT64_MAX;
        }
        choose = choose * (n - k + 1) / k;
        sets += choose;
    }
    return sets;
}

/* The next set of as many places out of n; false: that was the last. */
static bool
next_places(uint32_t *place, uint32_t k, uint32_t n)
{
    uint32_t i = k;

    while (i > 0 && place[i - 1] == n - k + i - 1) {
        i--;
    }
    if (!i) {
        return false;
    }
    place[i - 1]++;
    for (; i < k; i++) {
        place[i] = place[i - 1] + 1;
    }
    return true;
}

/* --- Playing ------------------------------------------------------------ */

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

/* Plays one loss; out->ok, and where it fails why. */
static bool
play_loss(struct play *g, const struct dcp_loss_set *set,
          struct dcp_arena *arena, struct dcp_headroom *out)
{
    bool memory = true;

    hosts_of_loss(g, set);
    if (!g->n_lost_hosts) {
        return true;
    }
    lose(g);
    uint32_t item = restart(g, false);

    if (item != DCP_IX_NONE) {
        unplace(g);
        item = restart(g, true);
    }
    if (item == DCP_IX_NONE && arena) {
        struct dcp_loss_answer *answer = &out->losses[out->n_losses++];

        memory = write_also(arena, set, answer) && record(g, arena, answer);
    }
    unplace(g);
    restore(g);
    if (item != DCP_IX_NONE) {
        out->ok = false;
        out->failed_item = item;
        out->failed = *set;
    }
    return memory;
}

/* --- Stand-ins ------------------------------------------------------------ */

static bool
holds_protected(const struct dcp_state *s, uint32_t h, uint32_t *out_item)
{
    for (uint32_t i = s->first[h]; i != DCP_IX_NONE; i = s->next[i]) {
        if (s->p->protected_item[i] &&
            (*out_item == DCP_IX_NONE ||
             s->p->size[i] > s->p->size[*out_item])) {
            *out_item = i;
        }
    }
    return *out_item != DCP_IX_NONE;
}

/* The first 'count' hosts that stand in for 'host'; returns how many. */
static uint32_t
find_stand_ins(struct play *g, uint32_t host, uint32_t count, uint32_t *out)
{
    struct dcp_state *s = g->s;
    uint32_t n = 0;

    for (uint32_t k = 0; k < g->n_roomy && n < count; k++) {
        uint32_t h = g->roomy[k].host;

        if (h != host && s->on[h] && s->first[h] == DCP_IX_NONE &&
            dcp_stands_in(s, h, host, g->items)) {
            out[n++] = h;
        }
    }
    return n;
}

/* The single loss of 'host', whose VMs go to the first of its stand-ins. */
static bool
record_stand_ins(struct play *g, uint32_t host, const uint32_t *by, uint32_t n,
                 struct dcp_arena *arena, struct dcp_headroom *out)
{
    struct dcp_loss_set one = { .kind = DCP_LOSS_HOST, .n = 1, .ix = { host } };
    struct dcp_loss_answer *answer = &out->losses[out->n_losses++];
    uint32_t *stand_ins = dcp_arena_array(arena, uint32_t, n);
    bool memory = stand_ins && write_also(arena, &one, answer);

    hosts_of_loss(g, &one);
    lose(g);
    for (uint32_t i = 0; n && i < g->n_protected; i++) {
        dcp_state_place(g->s, g->order[i], by[0]);
    }
    memory = memory && record(g, arena, answer);
    unplace(g);
    restore(g);
    for (uint32_t i = 0; stand_ins && i < n; i++) {
        stand_ins[i] = by[i];
    }
    answer->stand_ins = stand_ins;
    answer->n_stand_ins = n;
    return memory;
}

/* Whether stand-ins show that any 'count' hosts may be lost; where a host has
 * too few, it is what fails.  False: no memory. */
static bool
by_stand_ins(struct play *g, uint32_t count, struct dcp_arena *arena,
             struct dcp_headroom *out)
{
    const struct dcp_state *s = g->s;
    uint32_t by[DCP_LOSS_AT_ONCE_MAX], n_before = out->n_losses;

    out->ok = true;
    for (uint32_t h = 0; h < s->p->n_hosts; h++) {
        uint32_t item = DCP_IX_NONE, n = 0;

        if (!s->on[h]) {
            continue;
        }
        if (holds_protected(s, h, &item)) {
            n = find_stand_ins(g, h, count, by);
            if (n < count) {
                out->ok = false;
                out->too_few_stand_ins = true;
                out->failed_item = item;
                out->failed = (struct dcp_loss_set){ .kind = DCP_LOSS_HOST,
                                                     .n = 1,
                                                     .ix = { h } };
                out->n_losses = n_before;
                return true;
            }
        }
        if (arena && !record_stand_ins(g, h, by, n, arena, out)) {
            return false;
        }
    }
    return true;
}

/* --- All losses ----------------------------------------------------------- */

/* Whether the set comes before the one at which an earlier check failed. */
static bool
was_passed(const struct dcp_loss_set *set, const struct dcp_loss_set *failed)
{
    if (!failed || !failed->n) {
        return false;
    }
    if (set->n != failed->n) {
        return set->n > failed->n; /* Large sets come first. */
    }
    for (uint32_t k = 0; k < set->n; k++) {
        if (set->ix[k] != failed->ix[k]) {
            return set->ix[k] < failed->ix[k];
        }
    }
    return false;
}

/* All sets of up to 'count' of the objects, large ones first. */
static bool
by_sets(struct play *g, enum dcp_loss_kind kind, uint32_t count,
        const uint32_t *objects, uint32_t n, const struct dcp_loss_set *passed,
        struct dcp_arena *arena, struct dcp_headroom *out)
{
    for (uint32_t k = count < n ? count : n; k > 0 && out->ok; k--) {
        uint32_t place[DCP_LOSS_AT_ONCE_MAX];

        for (uint32_t i = 0; i < k; i++) {
            place[i] = i;
        }
        do {
            struct dcp_loss_set set = { .kind = kind, .n = k };

            for (uint32_t i = 0; i < k; i++) {
                set.ix[i] = objects[place[i]];
            }
            if (!was_passed(&set, passed) && !play_loss(g, &set, arena, out)) {
                return false;
            }
        } while (out->ok && next_places(place, k, n));
    }
    return true;
}

/* The most at once that policy names of the kind of entry 'k'; 0: an earlier
 * entry is of that kind. */
static uint32_t
most_at_once(const struct dcp_policy *policy, uint32_t k)
{
    uint32_t most = 0;

    for (uint32_t i = 0; i < policy->n_survive; i++) {
        if (policy->survive[i].kind != policy->survive[k].kind) {
            continue;
        }
        if (i < k) {
            return 0;
        }
        if (policy->survive[i].count > most) {
            most = policy->survive[i].count;
        }
    }
    return most < DCP_LOSS_AT_ONCE_MAX ? most : DCP_LOSS_AT_ONCE_MAX;
}

/* Losses of one kind. */
static bool
check_kind(struct play *g, enum dcp_loss_kind kind, uint32_t count,
           uint32_t *objects, const struct dcp_loss_set *passed,
           struct dcp_arena *arena, struct dcp_headroom *out)
{
    uint32_t n = list_objects(g, kind, objects);
    uint64_t sets = count_sets(n, count);

    if (count > 1 && kind == DCP_LOSS_HOST) {
        if (!by_stand_ins(g, count, arena, out)) {
            return false;
        }
        if (out->ok || sets > DCP_LOSS_SETS_MAX) {
            return true;
        }
        out->ok = true;
        out->too_few_stand_ins = false;
    }
    if (count > 1 && sets > DCP_LOSS_SETS_MAX) {
        out->ok = false; /* Not shown: too many to play. */
        out->too_many_sets = true;
        out->failed =
            (struct dcp_loss_set){ .kind = kind, .n = 1, .ix = { objects[0] } };
        return true;
    }
    return by_sets(g, kind, count, objects, n, passed, arena, out);
}

static void
set_weights(struct play *g)
{
    g->weights.cpu = 1;
    for (uint32_t r = 0; r < g->s->p->n_scalars; r++) {
        g->weights.scalar[r] = 1;
    }
}

/* Answers that may be recorded. */
static uint64_t
count_answers(const struct dcp_inventory *inv)
{
    uint64_t n = 0;

    for (uint32_t k = 0; k < inv->policy.n_survive; k++) {
        uint32_t objects = count_of(inv, inv->policy.survive[k].kind);
        uint32_t count = most_at_once(&inv->policy, k);
        uint64_t sets = count_sets(objects, count);

        n += sets > DCP_LOSS_SETS_MAX && count > 1
                 ? (objects > DCP_LOSS_SETS_MAX ? objects : DCP_LOSS_SETS_MAX)
                 : sets;
    }
    return n;
}

bool
dcp_headroom_check(struct dcp_state *s, struct dcp_arena *arena,
                   const struct dcp_headroom *passed, struct dcp_headroom *out,
                   struct dcp_error *err)
{
    const struct dcp_inventory *inv = s->p->q->inventory;
    uint32_t first_kind = passed ? passed->failed_kind : 0;
    const struct dcp_policy *policy = &inv->policy;
    size_t ni = s->p->n_items + 1u;
    size_t n_objects = (size_t)inv->n_hosts + inv->n_racks + inv->n_feeds + 1;
    DCP_FREE uint32_t *hosts = malloc((inv->n_hosts + 1u) * sizeof *hosts);
    DCP_FREE uint32_t *items = malloc(ni * sizeof *items);
    DCP_FREE uint32_t *from = malloc(ni * sizeof *from);
    DCP_FREE uint32_t *order = malloc(ni * sizeof *order);
    DCP_FREE uint32_t *objects = malloc(n_objects * sizeof *objects);
    DCP_FREE struct roomy_host *roomy =
        malloc((inv->n_hosts + 1u) * sizeof *roomy);
    struct play g = { .s = s,
                      .lost_hosts = hosts,
                      .items = items,
                      .from = from,
                      .order = order,
                      .roomy = roomy };
    bool memory = hosts && items && from && order && objects && roomy;

    *out = (struct dcp_headroom){ .ok = true };
    if (memory && arena) {
        out->losses =
            dcp_arena_array(arena, struct dcp_loss_answer, count_answers(inv));
        memory = out->losses != NULL;
    }
    if (memory) {
        rank_hosts(&g);
    }
    set_weights(&g);
    for (uint32_t k = first_kind; memory && out->ok && k < policy->n_survive;
         k++) {
        uint32_t count = most_at_once(policy, k);

        if (count) {
            out->failed_kind = k;
            memory = check_kind(
                &g, policy->survive[k].kind, count, objects,
                k == first_kind && passed ? &passed->failed : NULL, arena, out);
        }
    }
    return memory || dcp_fail(err, DCP_E_NOMEM, "no memory for headroom");
}
