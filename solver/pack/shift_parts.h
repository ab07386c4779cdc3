/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_PACK_SHIFT_PARTS_H
#define DCP_SOLVER_PACK_SHIFT_PARTS_H 1

/* What shift.c and shift_repack.c share: items one by one, each in a bin or
 * out. */

#include "model/base/rng.h"
#include "solver/pack/instance.h"

struct dcp_pack_shift_state {
    const struct dcp_pack_instance *in;
    uint32_t w, n; /* Padded dimensions; items. */
    uint32_t most; /* Items in a bin. */
    uint32_t n_bins;
    uint32_t *type;  /* [n] */
    int64_t *weight; /* [n] at least 1 */
    uint64_t *tabu;  /* [n] may not leave its bin until this step. */
    uint32_t *count; /* [bins] */
    int32_t *room;   /* [bins * w] */
    uint32_t *item;  /* [bins * most] */
    int32_t *size;   /* [bins * most * w] */
    uint32_t *out;   /* [n_out] unplaced. */
    uint32_t n_out;
    int64_t out_weight, least_weight;
    uint64_t step;
    struct dcp_rng rng;
    uint32_t *pool, *fill, *fill_best; /* [n] scratch of repacking. */
};

void
dcp_pack_shift_put(struct dcp_pack_shift_state *, uint32_t bin, uint32_t item);
/* Takes place 'x' of 'bin' off; the item. */
uint32_t
dcp_pack_shift_pull(struct dcp_pack_shift_state *, uint32_t bin, uint32_t x);

/* Packs two or three bins and what is out anew, each in turn as full as branch
 * and bound gets it; the old way stays where that leaves more out. */
void dcp_pack_shift_repack(struct dcp_pack_shift_state *);

#endif /* solver/pack/shift_parts.h */
