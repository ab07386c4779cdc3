/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_HEADROOM_BERTH_POOL_H
#define DCP_SOLVER_HEADROOM_BERTH_POOL_H 1

/* One pool of berths: items that are lost with one object (a host, rack or
 * feed) are packed into parts of at most one size, and room for parts of that
 * size, the berths, is kept on hosts.  Any part may come to any berth.
 *
 * With B berths, of which object o has b(o), and p(o) parts of its own, any k
 * objects may be lost at once if the k largest b(o) + p(o) are at most B.  So
 * berths are spread: level by level up to which b(o) + p(o) is filled, and no
 * more than are needed are kept.
 *
 * Packing is first fit decreasing, and sizes are tried: a heuristic. */

#include "solver/headroom/loss_play.h"

struct dcp_berth_room { /* What pools share; made by dcp_berth_room_init(). */
    const struct dcp_state *s;
    struct dcp_arena *arena; /* Borrowed. */
    uint32_t n_cells;        /* CPU and network per slot, then scalars. */
    uint32_t *row;           /* By host: of those that are asked. */
    uint32_t *left;          /* [row * n_cells + cell]: not kept yet. */
    uint32_t n_rows;
    const uint32_t *object;  /* By host; DCP_IX_NONE: off, or lost with none. */
    uint32_t n_objects, at_once;
};

struct dcp_berth_pool {
    uint32_t *items; /* Of part i: [first[i], first[i + 1]). */
    uint32_t *first;
    uint32_t *object; /* Of part i. */
    uint32_t n_parts;
    uint32_t *n_at; /* Berths by host. */
};

/* Room on hosts of the play, no others are asked.  All limits are those after a
 * loss.  'object' and 'arena' are borrowed; false: no memory. */
bool dcp_berth_room_init(struct dcp_berth_room *, const struct dcp_loss_play *,
                         struct dcp_arena *, const uint32_t *object,
                         uint32_t n_objects, uint32_t at_once) DCP_CHECKED;

/* Makes a pool of 'items', each placed on a host that has an object, with
 * berths on 'hosts' (bits), and keeps the room; of larger and of smaller items
 * apart where that is better, so up to two pools, of which *out_n were made: 0
 * where there are not berths enough.  False: no memory. */
bool
dcp_berth_pools_make(struct dcp_berth_room *, const uint32_t *items, uint32_t n,
                     const uint64_t *hosts, struct dcp_berth_pool out[2],
                     uint32_t *out_n) DCP_CHECKED;

/* The same where each part is all the given items of one host, and each berth
 * an empty host of its own. */
bool
dcp_berth_pool_whole(struct dcp_berth_room *, const uint32_t *items, uint32_t n,
                     const uint64_t *hosts, struct dcp_berth_pool *out,
                     bool *out_made) DCP_CHECKED;

#endif /* solver/headroom/berth_pool.h */
