/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/headroom/berths.h"

#include "model/base/sort.h"
#include "solver/headroom/berth_pool.h"
#include "solver/headroom/stand_in.h"
#include "solver/search/item_order.h"

#include <stdlib.h>
#include <string.h>

/* Rules that keep two sides on different hosts and are kept by pool: what is of
 * one side has berths only where nothing of the other is or could come. */
#define SEPARATE_MAX 32u
static const uint64_t side_a = UINT64_C(0x5555555555555555);

/* Items whose restarts reach the same hosts: of one reach class, hypervisor and
 * side of each such rule, or all of a host that goes as a whole. */
struct crowd {
    uint64_t *hosts; /* Bits. */
    uint64_t sides;  /* Two bits for each such rule. */
    uint32_t class, hypervisor;
    uint32_t host; /* That goes as a whole; DCP_IX_NONE: each by itself. */
    uint32_t weight, with; /* Items; the crowd that it joined. */
};

struct find {
    struct dcp_loss_play *g;
    struct dcp_state *s;
    const struct dcp_problem *p;
    struct dcp_arena *own; /* Until the search for berths ends. */
    enum dcp_loss_kind kind;
    uint32_t *object; /* By host. */
    uint32_t *turn; /* By host: place among all, those of an object together. */
    uint32_t n_objects;
    uint64_t *host_sides; /* By host: of all that may come. */
    uint32_t *separate;   /* By group: which such rule; DCP_IX_NONE: none. */
    uint32_t *crowd_of;   /* By item; DCP_IX_NONE: not to be placed. */
    uint32_t *placed, n_placed; /* Items that are to be. */
    struct crowd *crowds;
    uint32_t n_crowds, n_whole; /* Those of whole hosts first. */
    uint32_t *items, *rank; /* Of one pool; by item: place in order of size. */
    struct dcp_berth_room room;
    struct dcp_berth_pool *pools;
    uint32_t n_pools;
};

/* --- Who is lost with what ------------------------------------------------ */

static void
number_separates(struct find *f)
{
    uint32_t n = 0;

    for (uint32_t k = 0; k < f->p->n_groups; k++) {
        const struct dcp_rule *rule = f->p->groups[k].rule;

        f->separate[k] = DCP_IX_NONE;
        if (rule->kind == DCP_RULE_SEPARATE && rule->over == DCP_DOMAIN_HOST &&
            n < SEPARATE_MAX && dcp_rule_counts_after_loss(f->p->q, rule)) {
            f->separate[k] = n++;
        }
    }
}

/* The item's sides; *out_cares: some other rule that counts after a loss looks
 * at its company or place.  What is gathered on one host is one item. */
static uint64_t
find_sides(const struct find *f, uint32_t item, bool *out_cares)
{
    const struct dcp_problem *p = f->p;
    uint64_t sides = 0;

    *out_cares = p->chance != NULL;
    for (uint32_t k = p->group_first[item]; k < p->group_first[item + 1]; k++) {
        uint32_t g = p->group_of[k] & ~DCP_GROUP_OTHER;
        const struct dcp_rule *rule = p->groups[g].rule;
        bool other = p->group_of[k] & DCP_GROUP_OTHER;

        if (f->separate[g] != DCP_IX_NONE) {
            sides |= UINT64_C(1) << (2 * f->separate[g] + other);
        } else if (rule->kind != DCP_RULE_GATHER ||
                   rule->over != DCP_DOMAIN_HOST) {
            *out_cares |= dcp_rule_counts_after_loss(p->q, rule);
        }
    }
    return sides;
}

static bool
are_opposed(uint64_t a, uint64_t b)
{
    return (a & side_a & b >> 1) || (b & side_a & a >> 1);
}

/* --- Crowds --------------------------------------------------------------- */

static uint32_t
count_bits(const struct find *f, const uint64_t *bits)
{
    uint32_t n = 0;

    for (uint32_t w = 0; w < f->p->reach_words; w++) {
        n += (uint32_t)__builtin_popcountll(bits[w]);
    }
    return n;
}

static void
set_bit(uint64_t *bits, uint32_t h)
{
    bits[h / 64] |= UINT64_C(1) << (h % 64);
}

static struct crowd *
new_crowd(struct find *f, uint32_t weight)
{
    struct crowd *c = &f->crowds[f->n_crowds];

    *c = (struct crowd){
        .hosts = dcp_arena_array(f->own, uint64_t, f->p->reach_words + 1u),
        .host = DCP_IX_NONE,
        .weight = weight,
        .with = f->n_crowds,
    };
    f->n_crowds += c->hosts != NULL;
    return c->hosts ? c : NULL;
}

/* All that is protected on the host, to be put on empty ones. */
static bool
add_whole_host(struct find *f, uint32_t host)
{
    struct dcp_state *s = f->s;
    struct crowd *c = new_crowd(f, 0);

    if (!c) {
        return false;
    }
    c->host = host;
    for (uint32_t i = s->first[host]; i != DCP_IX_NONE; i = s->next[i]) {
        if (f->p->protected_item[i]) {
            f->crowd_of[i] = f->n_crowds - 1;
            c->weight++;
        }
    }
    for (uint32_t k = 0; k < f->g->n_roomy; k++) {
        uint32_t h = f->g->roomy[k].host;

        if (h != host && s->first[h] == DCP_IX_NONE &&
            dcp_stands_in(s, h, host, f->g->items)) {
            set_bit(c->hosts, h);
        }
    }
    return true;
}

static bool
restarts_on(const struct find *f, uint32_t item, uint32_t h)
{
    const struct dcp_inventory *inv = f->p->q->inventory;

    return !(f->s->n_lonely && f->s->n_lonely[h]) &&
           dcp_hypervisor_eq(inv->hosts[h].hypervisor,
                             inv->hosts[f->s->host[item]].hypervisor) &&
           dcp_state_restarts(f->s, item, h);
}

/* The crowd of the item's reach class, hypervisor and sides. */
static bool
add_to_crowd(struct find *f, uint32_t item, uint64_t sides)
{
    uint32_t class = f->p->reach_class[item];
    uint32_t hv = f->p->q->inventory->hosts[f->s->host[item]].hypervisor.ix;
    uint32_t at = f->n_whole;

    while (at < f->n_crowds &&
           (f->crowds[at].class != class || f->crowds[at].hypervisor != hv ||
            f->crowds[at].sides != sides)) {
        at++;
    }
    f->crowd_of[item] = at;
    if (at < f->n_crowds) {
        f->crowds[at].weight++;
        return true;
    }
    struct crowd *c = new_crowd(f, 1);

    for (uint32_t k = 0; c && k < f->g->n_roomy; k++) {
        if (restarts_on(f, item, f->g->roomy[k].host)) {
            set_bit(c->hosts, f->g->roomy[k].host);
        }
    }
    if (c) {
        c->class = class;
        c->hypervisor = hv;
        c->sides = sides;
    }
    return c != NULL;
}

/* Protected, and lost with some object. */
static bool
is_to_be_placed(const struct find *f, uint32_t item)
{
    uint32_t h = f->s->host[item];

    return f->p->protected_item[item] && h != DCP_IX_NONE &&
           f->object[h] != DCP_IX_NONE && (!f->g->only || f->g->only[h]);
}

static bool
find_crowds(struct find *f)
{
    bool ok = true, cares;

    for (uint32_t i = 0; i < f->p->n_items; i++) {
        f->crowd_of[i] = DCP_IX_NONE;
        if (is_to_be_placed(f, i)) {
            f->placed[f->n_placed++] = i;
        }
    }
    for (uint32_t k = 0; ok && k < f->n_placed; k++) {
        uint32_t i = f->placed[k];

        if (f->crowd_of[i] == DCP_IX_NONE) {
            (void)find_sides(f, i, &cares);
            ok = !cares || add_whole_host(f, f->s->host[i]);
        }
    }
    f->n_whole = f->n_crowds;
    for (uint32_t k = 0; ok && k < f->n_placed; k++) {
        uint32_t i = f->placed[k];

        if (f->crowd_of[i] == DCP_IX_NONE) {
            ok = add_to_crowd(f, i, find_sides(f, i, &cares));
        }
    }
    return ok;
}

/* The largest crowd that is by itself takes in all that leave it three quarters
 * of its hosts; and so on with the others. */
static bool
join_crowds(struct find *f)
{
    uint32_t words = f->p->reach_words;
    DCP_FREE uint8_t *done = calloc(f->n_crowds + 1u, 1);
    DCP_FREE uint64_t *both = calloc(words + 1u, sizeof *both);

    for (uint32_t n = 0; done && both && n < f->n_crowds; n++) {
        uint32_t best = DCP_IX_NONE;

        for (uint32_t i = 0; i < f->n_crowds; i++) {
            if (!done[i] && (best == DCP_IX_NONE ||
                             f->crowds[i].weight > f->crowds[best].weight)) {
                best = i;
            }
        }
        if (best == DCP_IX_NONE) {
            break;
        }
        struct crowd *c = &f->crowds[best];

        done[best] = 1;
        for (uint32_t i = 0; i < f->n_crowds; i++) {
            struct crowd *d = &f->crowds[i];

            if (done[i] || are_opposed(c->sides, d->sides) ||
                (c->host == DCP_IX_NONE) != (d->host == DCP_IX_NONE)) {
                continue;
            }
            for (uint32_t w = 0; w < words; w++) {
                both[w] = c->hosts[w] & d->hosts[w];
            }
            if (4 * count_bits(f, both) >= 3 * count_bits(f, c->hosts)) {
                memcpy(c->hosts, both, words * sizeof *both);
                c->sides |= d->sides;
                d->with = best;
                done[i] = 1;
            }
        }
    }
    return done && both;
}

/* --- Pools ---------------------------------------------------------------- */

/* Items of the crowds that joined this one: of each object (or host, where they
 * go as a whole) together, the largest first; how many in *out_n.  False: no
 * memory. */
static bool
list_items(struct find *f, uint32_t crowd, uint32_t *out_n)
{
    bool whole = f->crowds[crowd].host != DCP_IX_NONE;
    uint32_t n = 0;

    for (uint32_t k = 0; k < f->n_placed; k++) {
        if (f->crowds[f->crowd_of[f->placed[k]]].with == crowd) {
            f->items[n++] = f->placed[k];
        }
    }
    DCP_FREE uint32_t(*pairs)[2] = calloc(n + 1u, sizeof *pairs);

    if (!pairs) {
        return false;
    }
    dcp_items_by_size(f->p, f->items, n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t h = f->s->host[f->items[i]];

        pairs[i][0] = whole ? f->turn[h] : f->object[h];
        pairs[i][1] = i;
    }
    dcp_sort_u32_pairs(pairs, n);
    memcpy(f->rank, f->items, n * sizeof *f->rank);
    for (uint32_t i = 0; i < n; i++) {
        f->items[i] = f->rank[pairs[i][1]];
    }
    *out_n = n;
    return true;
}

/* The crowd to serve next: those that go as a whole, then who reaches fewest.
 */
static uint32_t
next_crowd(const struct find *f, const uint8_t *done)
{
    uint32_t best = DCP_IX_NONE, least = 0;

    for (uint32_t i = 0; i < f->n_crowds; i++) {
        uint32_t n = f->crowds[i].host == DCP_IX_NONE
                         ? f->p->n_hosts + count_bits(f, f->crowds[i].hosts)
                         : count_bits(f, f->crowds[i].hosts);

        if (!done[i] && f->crowds[i].with == i &&
            (best == DCP_IX_NONE || n < least)) {
            best = i;
            least = n;
        }
    }
    return best;
}

/* Only hosts that no pool has to itself, and to which nothing comes that the
 * crowd may not meet. */
static void
leave_out_hosts(const struct find *f, struct crowd *c, const uint64_t *taken)
{
    for (uint32_t w = 0; w < f->p->reach_words; w++) {
        c->hosts[w] &= ~taken[w];
    }
    for (uint32_t h = 0; h < f->p->n_hosts; h++) {
        if (are_opposed(c->sides, f->host_sides[h])) {
            c->hosts[h / 64] &= ~(UINT64_C(1) << (h % 64));
        }
    }
}

static bool
serve(struct find *f, uint32_t crowd, uint64_t *taken,
      struct dcp_berths_found *out)
{
    struct crowd *c = &f->crowds[crowd];
    struct dcp_berth_pool *pools = f->pools + f->n_pools;
    uint32_t n = 0, n_made = 0;
    bool made = false;

    if (!list_items(f, crowd, &n)) {
        return false;
    }
    leave_out_hosts(f, c, taken);
    if (c->host == DCP_IX_NONE) {
        if (!dcp_berth_pools_make(&f->room, f->items, n, c->hosts, pools,
                                  &n_made)) {
            return false;
        }
    } else {
        if (!dcp_berth_pool_whole(&f->room, f->items, n, c->hosts, pools,
                                  &made)) {
            return false;
        }
        n_made = made;
        for (uint32_t h = 0; made && h < f->p->n_hosts; h++) {
            if (pools->n_at[h]) {
                set_bit(taken, h);
            }
        }
    }
    for (uint32_t i = 0; i < n_made; i++) {
        for (uint32_t h = 0; h < f->p->n_hosts; h++) {
            f->host_sides[h] |= pools[i].n_at[h] ? c->sides : 0;
        }
    }
    f->n_pools += n_made;
    if (!n_made) {
        dcp_items_by_size(f->p, f->items, n);
        out->ok = false;
        out->failed_item = f->items[0];
        out->failed_whole = c->host != DCP_IX_NONE;
    }
    return true;
}

static bool
serve_all(struct find *f, struct dcp_berths_found *out)
{
    DCP_FREE uint8_t *done = calloc(f->n_crowds + 1u, 1);
    DCP_FREE uint64_t *taken = calloc(f->p->reach_words + 1u, sizeof *taken);
    uint32_t crowd;

    f->pools =
        dcp_arena_array(f->own, struct dcp_berth_pool, 2 * f->n_crowds + 2u);
    if (!done || !taken || !f->pools) {
        return false;
    }
    while (out->ok && (crowd = next_crowd(f, done)) != DCP_IX_NONE) {
        done[crowd] = 1;
        if (!serve(f, crowd, taken, out)) {
            return false;
        }
    }
    return true;
}

/* --- Written down --------------------------------------------------------- */

/* Parts in turn to berths that are not lost with them, for each object as if it
 * alone were lost. */
static void
place_parts(const struct find *f, const struct dcp_berth_pool *pool,
            uint32_t *to)
{
    uint32_t h = 0, used = 0;

    for (uint32_t i = 0; i < pool->n_parts; i++) {
        if (i && pool->object[i] != pool->object[i - 1]) {
            h = used = 0;
        }
        while (h < f->p->n_hosts &&
               (f->object[h] == pool->object[i] || used == pool->n_at[h])) {
            used = 0;
            h++;
        }
        used++;
        for (uint32_t k = pool->first[i]; k < pool->first[i + 1]; k++) {
            to[pool->items[k]] = h;
        }
    }
}

static bool
write_parts(const struct find *f, const struct dcp_berth_pool *pool,
            struct dcp_arena *arena, struct dcp_berth_answer *out)
{
    const struct dcp_problem *p = f->p;
    uint32_t n = 0, at = 0;

    for (uint32_t k = 0; k < pool->first[pool->n_parts]; k++) {
        n += p->vm_first[pool->items[k] + 1] - p->vm_first[pool->items[k]];
    }
    uint32_t *vms = dcp_arena_array(arena, uint32_t, n);
    uint32_t *first = dcp_arena_array(arena, uint32_t, pool->n_parts + 1u);

    if (!vms || !first) {
        return false;
    }
    for (uint32_t i = 0; i < pool->n_parts; i++) {
        for (uint32_t k = pool->first[i]; k < pool->first[i + 1]; k++) {
            uint32_t item = pool->items[k];

            for (uint32_t v = p->vm_first[item]; v < p->vm_first[item + 1];
                 v++) {
                vms[at++] = p->vm[v];
            }
        }
        first[i + 1] = at;
        dcp_sort_u32(vms + first[i], at - first[i]);
    }
    out->vms = vms;
    out->first = first;
    out->n_parts = pool->n_parts;
    return true;
}

static bool
write_pool(const struct find *f, const struct dcp_berth_pool *pool,
           struct dcp_arena *arena, struct dcp_berth_answer *out)
{
    uint32_t *hosts = dcp_arena_array(arena, uint32_t, f->p->n_hosts);
    uint32_t *n_at = dcp_arena_array(arena, uint32_t, f->p->n_hosts);

    if (!hosts || !n_at) {
        return false;
    }
    *out = (struct dcp_berth_answer){ .kind = f->kind,
                                      .hosts = hosts,
                                      .n_at = n_at };
    for (uint32_t h = 0; h < f->p->n_hosts; h++) {
        if (pool->n_at[h]) {
            hosts[out->n_hosts] = h;
            n_at[out->n_hosts++] = pool->n_at[h];
        }
    }
    return write_parts(f, pool, arena, out);
}

/* A pool at least: that nobody is to be placed is said by one of nothing. */
static bool
write_all(const struct find *f, struct dcp_arena *arena,
          struct dcp_berths_found *out)
{
    uint32_t *none = dcp_arena_array(arena, uint32_t, 1);

    out->pools =
        dcp_arena_array(arena, struct dcp_berth_answer, f->n_pools + 1u);
    out->to = dcp_arena_array(arena, uint32_t, f->p->n_items + 1u);
    if (!none || !out->pools || !out->to) {
        return false;
    }
    for (uint32_t i = 0; i < f->p->n_items; i++) {
        out->to[i] = DCP_IX_NONE;
    }
    for (uint32_t i = 0; i < f->n_pools; i++) {
        if (!f->pools[i].n_parts) {
            continue;
        }
        place_parts(f, &f->pools[i], out->to);
        if (!write_pool(f, &f->pools[i], arena, &out->pools[out->n_pools++])) {
            return false;
        }
    }
    if (!out->n_pools) {
        out->pools[out->n_pools++] =
            (struct dcp_berth_answer){ .kind = f->kind, .first = none };
    }
    return true;
}

/* --- All of it ------------------------------------------------------------ */

static bool
take_turns(struct find *f)
{
    uint32_t n = f->p->n_hosts;
    DCP_FREE uint32_t(*pairs)[2] = calloc(n + 1u, sizeof *pairs);

    for (uint32_t h = 0; pairs && h < n; h++) {
        pairs[h][0] = f->object[h];
        pairs[h][1] = h;
    }
    if (pairs) {
        dcp_sort_u32_pairs(pairs, n);
    }
    for (uint32_t k = 0; pairs && k < n; k++) {
        f->turn[pairs[k][1]] = k;
    }
    return pairs != NULL;
}

static bool
open_find(struct find *f, uint32_t count)
{
    const struct dcp_problem *p = f->p;

    f->n_objects = dcp_loss_objects(p->q->inventory, f->kind);
    f->object = dcp_arena_array(f->own, uint32_t, p->n_hosts + 1u);
    f->turn = dcp_arena_array(f->own, uint32_t, p->n_hosts + 1u);
    f->crowd_of = dcp_arena_array(f->own, uint32_t, p->n_items + 1u);
    f->placed = dcp_arena_array(f->own, uint32_t, p->n_items + 1u);
    f->crowds = dcp_arena_array(f->own, struct crowd, p->n_items + 1u);
    f->separate = dcp_arena_array(f->own, uint32_t, p->n_groups + 1u);
    f->host_sides = dcp_arena_array(f->own, uint64_t, p->n_hosts + 1u);
    f->items = dcp_arena_array(f->own, uint32_t, p->n_items + 1u);
    f->rank = dcp_arena_array(f->own, uint32_t, p->n_items + 1u);
    if (!f->object || !f->turn || !f->crowd_of || !f->placed || !f->crowds ||
        !f->items || !f->rank || !f->separate || !f->host_sides) {
        return false;
    }
    number_separates(f);
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        f->object[h] = f->s->on[h]
                           ? dcp_loss_object_of(p->q->inventory, f->kind, h)
                           : DCP_IX_NONE;
    }
    return take_turns(f) && dcp_berth_room_init(&f->room, f->g, f->own,
                                                f->object, f->n_objects, count);
}

bool
dcp_berths_find(struct dcp_loss_play *g, enum dcp_loss_kind kind,
                uint32_t count, struct dcp_arena *arena,
                struct dcp_berths_found *out)
{
    struct find f = { .g = g, .s = g->s, .p = g->s->p, .kind = kind };

    *out = (struct dcp_berths_found){ .ok = true };
    f.own = dcp_arena_create(0);
    bool memory = f.own && open_find(&f, count) && find_crowds(&f) &&
                  join_crowds(&f) && serve_all(&f, out) &&
                  (!arena || !out->ok || write_all(&f, arena, out));

    dcp_arena_destroy(f.own);
    return memory;
}
