/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_HEADROOM_SPARES_PARTS_H
#define DCP_SOLVER_HEADROOM_SPARES_PARTS_H 1

/* Private to solver/headroom/spares*.c: which spares can take a parcel. */

#include "solver/headroom/spares.h"

#define DCP_PARCELS_MAX 8u /* Of one host. */

static inline bool
dcp_spares_bit(const uint64_t *set, uint32_t k)
{
    return set[k / 64] >> (k % 64) & 1;
}

/* Adds an item's demand to cells, or with UINT32_MAX takes it off. */
void dcp_spares_add_cells(const struct dcp_spares *, uint32_t item,
                          uint32_t *cells, uint32_t sign);
/* Takes out of 'classes' those without room for so much. */
void dcp_spares_drop_full(const struct dcp_spares *, const uint32_t *cells,
                          uint64_t *classes);
/* Whether rules want none of the parcel's items elsewhere than on 'spare'
 * (solver/headroom/stand_in.h). */
bool dcp_spares_same_place(const struct dcp_spares *, const struct dcp_parcel *,
                           uint32_t spare);

/* Cuts the hosts of 'pool' into parcels that so many (by host) could take,
 * awake or not.  False: no memory. */
bool dcp_spares_cut(struct dcp_spares *, const uint32_t *pool, uint32_t n_pool,
                    const uint32_t *need);

#endif /* solver/headroom/spares_parts.h */
