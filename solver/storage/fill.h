/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_STORAGE_FILL_H
#define DCP_SOLVER_STORAGE_FILL_H 1

/* What is in which pool, with sums and cost kept up to date by each move, and
 * the cost of a move without making it, in O(resources).
 *
 * The cost of a placement is a sum over pools and moved items:
 * - above what a pool may hold, or held at the start if that was more: the
 *   share that is above, times DCP_FILL_OVER;
 * - above what policy lets be used (or the start): likewise times
 *   DCP_FILL_FULL;
 * - an item where it may not be, or with another of its family: DCP_FILL_ASTRAY
 *   each;
 * - moved space, as a share of all: DCP_FILL_MOVE, and 0.05 as much when
 *   evening out, where it is weighed against
 * - the *pressure* (BALANCE): the mean, over all that is asked of a resource in
 *   the pools of a tier, of how full its own pool is: sum of load^2 / limit
 *   over the sum of loads; and of these the mean, in which the parts of the
 *   day of a resource together count as much as space.  It is least where the
 *   pools are equally full.  Only tiers count whose pools all state the
 * resource and differ by more than policy.storage.min_difference at the start.
 *
 * Not thread-safe on one fill. */

#include "solver/storage/volumes.h"

#define DCP_FILL_ASTRAY    1e7
#define DCP_FILL_OVER      1e6
#define DCP_FILL_FULL      1e3
#define DCP_FILL_MOVE      1.0
#define DCP_FILL_MOVE_EVEN 0.05

struct dcp_fill {
    const struct dcp_volumes *v;
    uint32_t *pool; /* [item]. Owned, as the columns below. */
    uint64_t (*load)[DCP_POOL_RESOURCES];
    uint64_t (*start)[DCP_POOL_RESOURCES];
    uint32_t **items;         /* [pool]: the items in it, in no order. */
    uint32_t *n_items, *room; /* Of 'items'. */
    uint32_t *at;             /* [item]: its place in its pool's. */
    double (*weight)[DCP_POOL_RESOURCES]; /* [pool]: of load^2 / limit; 0: not
                                           * evened. */
    double move_cost;                     /* Of a MiB. */
    uint64_t n_moved;                     /* Volumes away from home. */
    uint64_t moved_mib;
};

/* As at the start. */
struct dcp_fill *
dcp_fill_create(const struct dcp_volumes *, struct dcp_error *err) DCP_CHECKED;
void dcp_fill_destroy(struct dcp_fill *);
DCP_DEFINE_AUTO(dcp_fill)

/* False: out of memory. */
bool dcp_fill_move(struct dcp_fill *, uint32_t item, uint32_t to);
/* Cost afterwards less cost now. */
double dcp_fill_delta(const struct dcp_fill *, uint32_t item, uint32_t to);
double dcp_fill_cost(const struct dcp_fill *);
/* Of the loads in one pool alone. */
double dcp_fill_pool_cost(const struct dcp_fill *, uint32_t pool);
/* No pool is above what it may hold (or held), all items that were moved or
 * have to leave are where they may be. */
bool dcp_fill_is_legal(const struct dcp_fill *);
/* Another item of its family is in the pool. */
bool dcp_fill_clashes(const struct dcp_fill *, uint32_t item, uint32_t pool);
/* How full: 0.93; 0 where no limit is stated. */
double
dcp_fill_frac(const struct dcp_fill *, uint32_t pool, enum dcp_pool_resource);
/* 0 where nothing is to be evened out. */
double dcp_fill_pressure(const struct dcp_fill *);

#endif /* solver/storage/fill.h */
