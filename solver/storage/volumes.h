/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_STORAGE_VOLUMES_H
#define DCP_SOLVER_STORAGE_VOLUMES_H 1

/* Which volume should be in which pool, compiled into columns.
 *
 * The unit of search is the *item*: one volume, or the volumes of one VM that
 * are in one pool now and need the same tier (unless the VM's 'disks' says
 * otherwise); they move together.  Where an item may be for reasons that no
 * move changes is a row of bits by pool: its tier, pools that are to be
 * emptied, what the hosts on which its VM runs, before the plan and after it,
 * can open, and, where policy asks for headroom, all that could open its pool
 * so far.  Volumes on hosts' own disks and of VMs that run nowhere are not
 * asked about.  The items of a VM with 'disks: apart' are a *family*: no two of
 * them share a pool.
 *
 * Amounts are by enum dcp_pool_resource: MiB, operations a second, KiB/s.
 *
 * Immutable once made; thread-safe to read. */

#include "model/placement.h"
#include "model/volume.h"

enum dcp_storage_aim {
    DCP_STORAGE_RELIEVE, /* End what is wrong, moving as little as may be. */
    DCP_STORAGE_BALANCE, /* And even out the pools of each tier. */
};

struct dcp_storage_question {
    const struct dcp_inventory *inventory; /* Borrowed, all of them. */
    const struct dcp_demand *demand;
    const struct dcp_placement *start;
    const struct dcp_placement *end; /* Where VMs are after the plan; NULL:
                                      * they stay. */
    const uint8_t *avoid;   /* By pool: 1 = must end empty; NULL: none. */
    bool only_avoided;      /* Other pools keep what they have, full or not. */
    const uint8_t *resting; /* By VM: 1 = its volumes stay; NULL: none. */
    enum dcp_storage_aim aim;
    uint64_t max_moves; /* Of volumes; 0: no limit. */
};

struct dcp_volumes {
    const struct dcp_storage_question *q;
    struct dcp_arena *arena;
    uint32_t n_pools, n_items, words;

    /* Pools: what they may hold, what policy lets be used (UINT64_MAX: not
     * stated), what is in them that is no item, [pool][resource]. */
    const uint64_t (*limit)[DCP_POOL_RESOURCES];
    const uint64_t (*usable)[DCP_POOL_RESOURCES];
    const uint64_t (*fixed)[DCP_POOL_RESOURCES];

    /* Items: item i has volumes volume[first[i]] .. volume[first[i + 1] - 1].
     */
    const uint32_t *first, *volume;
    const uint64_t (*asks)[DCP_POOL_RESOURCES]; /* [item] */
    const uint32_t *home;   /* [item]: the pool where it is. */
    const uint64_t *may;    /* [item * words]: bit per pool. */
    const uint32_t *family; /* [item]; DCP_IX_NONE: none. */
    const uint32_t *family_first, *family_item; /* Items of each family. */
    uint32_t n_families;
    uint64_t total[DCP_POOL_RESOURCES]; /* Of all that is counted. */
    uint32_t n_astray; /* Items that may not be where they are. */
};

struct dcp_volumes *dcp_volumes_create(const struct dcp_storage_question *,
                                       struct dcp_error *err) DCP_CHECKED;
void dcp_volumes_destroy(struct dcp_volumes *);
DCP_DEFINE_AUTO(dcp_volumes)

static inline bool
dcp_volumes_may(const struct dcp_volumes *v, uint32_t item, uint32_t pool)
{
    return v->may[(size_t)item * v->words + pool / 64] >> (pool % 64) & 1;
}

static inline uint32_t
dcp_volumes_n_of(const struct dcp_volumes *v, uint32_t item)
{
    return v->first[item + 1] - v->first[item];
}

#endif /* solver/storage/volumes.h */
