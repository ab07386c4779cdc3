/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SCHEDULE_MOVE_ORDER_PARTS_H
#define DCP_SOLVER_SCHEDULE_MOVE_ORDER_PARTS_H 1

/* What the two ways to order moves share: what may go when, and where a VM may
 * step aside to.  For solver/schedule/move_order.c and timed_order.c alone. */

#include "solver/schedule/move_order.h"
#include "solver/schedule/parking.h"
#include "solver/schedule/sequence.h"

/* How often one VM may step aside, so that ordering ends. */
#define DCP_BYPASSES_MAX 3

struct dcp_pending_move {
    uint32_t vm, from, to; /* 'from': where it is now. */
    double size;
    uint8_t n_bypasses;
};

/* False: out of memory. */
bool dcp_move_order_add(struct dcp_move_order *, struct dcp_move) DCP_CHECKED;

/* Whether the VM has room on the host as things are, and no rule that holds
 * always is in its way. */
bool dcp_move_may_go(struct dcp_state *, const struct dcp_placement *to,
                     uint32_t vm, uint32_t host);
/* Whether the VM can wait on the host on its way: one that is within its reach,
 * where 'pass' is false, else any that no rule with hold: always forbids. */
bool
dcp_move_may_wait(struct dcp_state *, const struct dcp_placement *to,
                  const struct dcp_pending_move *, uint32_t host, bool pass);
/* Where it may step aside to; DCP_IX_NONE: nowhere. */
uint32_t
dcp_move_bypass_host(struct dcp_state *, const struct dcp_placement *to,
                     const struct dcp_pending_move *);
/* A sequence has a VM before this one that is not where it goes yet.
 * 'waiting': by VM. */
bool dcp_move_waits(const struct dcp_sequences *, const uint8_t waiting[],
                    uint32_t vm);

#endif /* solver/schedule/move_order_parts.h */
