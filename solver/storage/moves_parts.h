/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_STORAGE_MOVES_PARTS_H
#define DCP_SOLVER_STORAGE_MOVES_PARTS_H 1

/* What solver/storage/moves*.c share. */

#include "model/volume.h"
#include "solver/storage/moves.h"

typedef uint64_t dcp_amounts[DCP_POOL_RESOURCES];

struct dcp_volume_move {
    uint32_t volume, from, to;
    bool bypass;      /* It goes on from there later. */
    uint32_t earlier; /* Position of its first move; DCP_IX_NONE. */
};

struct dcp_move_work {
    const struct dcp_storage_moves_request *r;
    const struct dcp_inventory *inv;
    struct dcp_step_list *steps;
    uint32_t n_pools, n_volumes;
    dcp_amounts *asks;  /* [volume] */
    dcp_amounts *start; /* [pool], of volumes in use. */
    dcp_amounts *now;   /* Likewise, as the order goes on. */
    dcp_amounts *most;  /* [pool]: the limit, or the start where more. */
    struct dcp_volume_move *order;
    uint32_t n, room;
};

bool dcp_move_work_init(struct dcp_move_work *,
                        const struct dcp_storage_moves_request *,
                        struct dcp_error *err) DCP_CHECKED;
void dcp_move_work_finish(struct dcp_move_work *);
/* Fills 'order'; *out_stuck DCP_IX_NONE: all were ordered. */
bool
dcp_move_work_order(struct dcp_move_work *, uint32_t *out_stuck,
                    uint32_t *out_bypasses, struct dcp_error *err) DCP_CHECKED;
/* Appends steps with waits, estimates and reasons. */
bool
dcp_move_work_steps(struct dcp_move_work *, struct dcp_error *err) DCP_CHECKED;
/* Lists the steps from 'first' (0-based) on in the order that ends soonest. */
bool dcp_move_work_times(struct dcp_move_work *, uint32_t first,
                         struct dcp_storage_schedule *out,
                         struct dcp_error *err) DCP_CHECKED;
/* solver/storage/moves_facts.c */
int64_t dcp_volume_move_ms(const struct dcp_move_work *,
                           const struct dcp_volume_move *);
bool dcp_volume_move_reason(const struct dcp_move_work *,
                            const struct dcp_volume_move *, struct dcp_step *);

#endif /* solver/storage/moves_parts.h */
