/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/storage/volumes.h"

#include <stdlib.h>
#include <string.h>

typedef uint64_t amounts[DCP_POOL_RESOURCES];

struct build {
    struct dcp_volumes *v;
    const struct dcp_inventory *inv;
    amounts *limit, *usable, *fixed, *asks;
    uint32_t *first, *volume, *home, *family, *family_first, *family_item;
    uint64_t *may;
    uint64_t *opens;   /* [host * words]: pools that it can open. */
    uint64_t *wider;   /* [pool * words]: pools that every host opens which
                        * opens this one. */
    uint64_t *of_tier; /* [tier * words], without pools to be emptied. */
};

static bool
no_memory(struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_NOMEM, "no memory for volumes and pools");
}

void
dcp_volumes_destroy(struct dcp_volumes *v)
{
    if (v) {
        dcp_arena_destroy(v->arena);
    }
}

#define N_TIERS 3u

static bool
allocate(struct build *b, struct dcp_error *err)
{
    struct dcp_volumes *v = b->v;
    struct dcp_arena *a = v->arena;
    size_t n = b->inv->n_volumes, words = v->words;

    b->limit = dcp_arena_calloc(a, v->n_pools + 1u, sizeof *b->limit);
    b->usable = dcp_arena_calloc(a, v->n_pools + 1u, sizeof *b->usable);
    b->fixed = dcp_arena_calloc(a, v->n_pools + 1u, sizeof *b->fixed);
    b->asks = dcp_arena_calloc(a, n + 1, sizeof *b->asks);
    b->first = dcp_arena_array(a, uint32_t, n + 2);
    b->volume = dcp_arena_array(a, uint32_t, n + 1);
    b->home = dcp_arena_array(a, uint32_t, n + 1);
    b->family = dcp_arena_array(a, uint32_t, n + 1);
    b->may = dcp_arena_array(a, uint64_t, n * words + 1);
    b->opens = dcp_arena_array(a, uint64_t, b->inv->n_hosts * words + 1);
    b->of_tier = dcp_arena_array(a, uint64_t, N_TIERS * words + 1);
    b->wider = dcp_arena_array(a, uint64_t, v->n_pools * words + 1);
    return (b->limit && b->usable && b->fixed && b->asks && b->first &&
            b->volume && b->home && b->family && b->may && b->opens &&
            b->of_tier && b->wider) ||
           no_memory(err);
}

static void
compile_pools(struct build *b)
{
    const struct dcp_storage_question *q = b->v->q;
    uint32_t words = b->v->words;

    for (uint32_t p = 0; p < b->v->n_pools; p++) {
        const struct dcp_pool *pool = &b->inv->pools[p];

        dcp_pool_limit(pool, b->limit[p]);
        dcp_pool_usable(b->inv, pool, b->usable[p]);
        for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
            if (!dcp_pool_resource_counts(q->demand,
                                          (enum dcp_pool_resource)r)) {
                b->limit[p][r] = b->usable[p][r] = UINT64_MAX; /* Said. */
            }
        }
        if (!q->avoid || !q->avoid[p]) {
            b->of_tier[pool->tier * words + p / 64] |= UINT64_C(1) << (p % 64);
        }
        for (uint32_t h = 0; h < b->inv->n_hosts; h++) {
            if (dcp_pool_opens_on(b->inv, p, h)) {
                b->opens[(size_t)h * words + p / 64] |= UINT64_C(1) << (p % 64);
            }
        }
    }
}

static void
compile_wider(struct build *b)
{
    uint32_t words = b->v->words, n = b->v->n_pools;

    memset(b->wider, 0xff, (size_t)n * words * sizeof *b->wider);
    for (uint32_t h = 0; h < b->inv->n_hosts; h++) {
        const uint64_t *row = b->opens + (size_t)h * words;

        if (h && !memcmp(row, row - words, words * sizeof *row)) {
            continue; /* As the host before it. */
        }
        for (uint32_t p = 0; p < n; p++) {
            for (uint32_t w = 0; row[p / 64] >> (p % 64) & 1 && w < words;
                 w++) {
                b->wider[(size_t)p * words + w] &= row[w];
            }
        }
    }
}

/* Pools that the volume may end in.  With headroom a VM must be able to restart
 * where it could before. */
static void
compile_may(struct build *b, uint32_t volume, uint32_t home, uint64_t out[])
{
    const struct dcp_storage_question *q = b->v->q;
    const struct dcp_volume *vol = &b->inv->volumes[volume];
    uint32_t words = b->v->words;
    enum dcp_pool_tier tier = dcp_volume_tier_in(b->inv, vol, home);
    uint32_t hosts[2] = { DCP_IX_NONE, DCP_IX_NONE };

    memcpy(out, b->of_tier + (size_t)tier * words, words * sizeof *out);
    if (!dcp_vm_is_none(vol->vm)) {
        hosts[0] = q->start->host[vol->vm.ix].ix;
        hosts[1] = q->end ? q->end->host[vol->vm.ix].ix : hosts[0];
    }
    for (uint32_t w = 0; b->inv->policy.n_survive && w < words; w++) {
        out[w] &= b->wider[(size_t)home * words + w];
    }
    for (int k = 0; k < 2; k++) {
        for (uint32_t w = 0; hosts[k] != DCP_IX_NONE && w < words; w++) {
            out[w] &= b->opens[(size_t)hosts[k] * words + w];
        }
    }
}

static void
add(amounts sum, const amounts more)
{
    for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
        sum[r] += more[r];
    }
}

/* The item of this VM, from 'first_item' on, that the volume belongs to. */
static uint32_t
item_of(const struct build *b, const struct dcp_vm *vm, uint32_t first_item,
        uint32_t volume, uint32_t pool)
{
    const struct dcp_volume *volumes = b->inv->volumes;

    for (uint32_t i = first_item;
         vm && vm->disks == DCP_DISKS_TOGETHER && i < b->v->n_items; i++) {
        if (b->home[i] == pool &&
            volumes[b->volume[b->first[i]]].tier == volumes[volume].tier) {
            return i;
        }
    }
    return b->v->n_items;
}

static bool
is_counted(const struct build *b, uint32_t volume, uint32_t *out_pool)
{
    const struct dcp_storage_question *q = b->v->q;
    const struct dcp_volume *vol = &b->inv->volumes[volume];
    dcp_pool_id pool = dcp_placement_pool(q->start, b->inv, volume);

    *out_pool = pool.ix;
    return !dcp_pool_is_none(pool) &&
           (dcp_vm_is_none(vol->vm) ||
            !dcp_host_is_none(q->start->host[vol->vm.ix]));
}

/* The volumes of one VM (or one volume of nobody), in two passes: items are
 * found first, so that each one's volumes lie together. */
static void
compile_run(struct build *b, const struct dcp_vm *vm, uint32_t first_volume,
            uint32_t n, uint32_t of[])
{
    struct dcp_volumes *v = b->v;
    uint32_t first_item = v->n_items, at = b->first[first_item];
    bool rests = vm && v->q->resting && v->q->resting[vm - b->inv->vms];

    for (uint32_t k = 0; k < n; k++) {
        uint32_t volume = first_volume + k, pool;
        amounts asks;

        of[k] = DCP_IX_NONE;
        if (!is_counted(b, volume, &pool)) {
            continue;
        }
        dcp_volume_request(b->inv, v->q->demand, volume, asks);
        add(v->total, asks);
        if (rests) {
            add(b->fixed[pool], asks);
            continue;
        }
        of[k] = item_of(b, vm, first_item, volume, pool);
        if (of[k] == v->n_items) {
            v->n_items++;
            b->home[of[k]] = pool;
            b->first[of[k]] = at; /* For item_of(); set anew below. */
            b->volume[at++] = volume;
            compile_may(b, volume, pool, b->may + (size_t)of[k] * v->words);
        }
        add(b->asks[of[k]], asks);
    }
    at = b->first[first_item];
    for (uint32_t i = first_item; i < v->n_items; i++) {
        b->first[i] = at;
        if (v->q->only_avoided && !v->q->avoid[b->home[i]]) {
            b->may[(size_t)i * v->words + b->home[i] / 64] |=
                UINT64_C(1) << (b->home[i] % 64);
        }
        for (uint32_t k = 0; k < n; k++) {
            if (of[k] == i) {
                b->volume[at++] = first_volume + k;
            }
        }
        b->family[i] =
            vm && vm->disks == DCP_DISKS_APART ? v->n_families : DCP_IX_NONE;
        v->n_astray += !(b->may[(size_t)i * v->words + b->home[i] / 64] >>
                             (b->home[i] % 64) &
                         1);
    }
    b->first[v->n_items] = at;
    v->n_families +=
        v->n_items > first_item && b->family[first_item] != DCP_IX_NONE;
}

static bool
compile_items(struct build *b, struct dcp_error *err)
{
    const struct dcp_inventory *inv = b->inv;
    DCP_FREE uint32_t *of = calloc(inv->n_volumes + 1u, sizeof *of);

    if (!of) {
        return no_memory(err);
    }
    for (uint32_t i = 0; i < inv->n_volumes;) {
        dcp_vm_id id = inv->volumes[i].vm;
        const struct dcp_vm *vm = dcp_vm_is_none(id) ? NULL : &inv->vms[id.ix];
        uint32_t n = 1;

        while (vm && i + n < inv->n_volumes &&
               inv->volumes[i + n].vm.ix == id.ix) {
            n++;
        }
        compile_run(b, vm, i, n, of);
        i += n;
    }
    return true;
}

/* What pools have at the start is then no reason to move anything, even where
 * it is above what they may hold. */
static void
raise_usable(struct build *b)
{
    struct dcp_volumes *v = b->v;
    DCP_FREE amounts *start = calloc(v->n_pools + 1u, sizeof *start);

    for (uint32_t i = 0; start && i < v->n_items; i++) {
        add(start[b->home[i]], b->asks[i]);
    }
    for (uint32_t p = 0; start && p < v->n_pools; p++) {
        add(start[p], b->fixed[p]);
        for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
            uint64_t held = start[p][r];

            b->usable[p][r] = held > b->usable[p][r] ? held : b->usable[p][r];
            b->limit[p][r] = held > b->limit[p][r] ? held : b->limit[p][r];
        }
    }
}

static bool
compile_families(struct build *b, struct dcp_error *err)
{
    struct dcp_volumes *v = b->v;
    uint32_t n = 0;

    b->family_first = dcp_arena_array(v->arena, uint32_t, v->n_families + 2u);
    b->family_item = dcp_arena_array(v->arena, uint32_t, v->n_items + 1u);
    if (!b->family_first || !b->family_item) {
        return no_memory(err);
    }
    for (uint32_t i = 0, f = DCP_IX_NONE; i < v->n_items; i++) {
        if (b->family[i] == DCP_IX_NONE) {
            continue;
        }
        if (b->family[i] != f) { /* Families lie together, ascending. */
            f = b->family[i];
            b->family_first[f] = n;
        }
        b->family_item[n++] = i;
    }
    b->family_first[v->n_families] = n;
    return true;
}

struct dcp_volumes *
dcp_volumes_create(const struct dcp_storage_question *q, struct dcp_error *err)
{
    struct dcp_arena *arena = dcp_arena_create(0);
    struct dcp_volumes *v =
        arena ? dcp_arena_new(arena, struct dcp_volumes) : NULL;

    if (!v) {
        dcp_arena_destroy(arena);
        (void)no_memory(err);
        return NULL;
    }
    struct build b = { .v = v, .inv = q->inventory };

    *v = (struct dcp_volumes){ .q = q,
                               .arena = arena,
                               .n_pools = q->inventory->n_pools,
                               .words = (q->inventory->n_pools + 63) / 64 };
    if (!allocate(&b, err)) {
        dcp_volumes_destroy(v);
        return NULL;
    }
    compile_pools(&b);
    compile_wider(&b);
    if (!compile_items(&b, err) || !compile_families(&b, err)) {
        dcp_volumes_destroy(v);
        return NULL;
    }
    if (q->only_avoided) {
        raise_usable(&b);
    }
    v->limit = (const amounts *)b.limit;
    v->usable = (const amounts *)b.usable;
    v->fixed = (const amounts *)b.fixed;
    v->asks = (const amounts *)b.asks;
    v->first = b.first;
    v->volume = b.volume;
    v->home = b.home;
    v->may = b.may;
    v->family = b.family;
    v->family_first = b.family_first;
    v->family_item = b.family_item;
    return v;
}
