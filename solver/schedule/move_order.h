/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SCHEDULE_MOVE_ORDER_H
#define DCP_SOLVER_SCHEDULE_MOVE_ORDER_H 1

/* The first half of scheduling: an order of moves in which each fits after
 * those before it, with circles broken through a bypass host. */

#include "solver/state.h"

struct dcp_move {
    uint32_t vm, from, to; /* from DCP_IX_NONE: a first placement. */
    bool bypass;           /* Steps aside; another move of it follows. */
    int64_t end_ms; /* When it is thought to end, from the first move's start
                     * on; 0: not known.  Of the VMs that leave a host those
                     * that end first are waited for first. */
};

struct dcp_move_order {
    struct dcp_move *moves; /* Owned. */
    uint32_t n, capacity;
    uint32_t stuck_vm; /* DCP_IX_NONE: all moves were ordered. */
};
void dcp_move_order_finish(struct dcp_move_order *);

/* From the state's placement (each VM an item of its own) to 'to'; leaves the
 * state there.  Hosts that are off and end on boot once a VM comes to them;
 * where watts count, hosts that end off go off once they are empty. 'dropped':
 * of rules of kind sequence, as in solver/schedule/sequence.h. */
bool dcp_move_order_make(struct dcp_state *, const struct dcp_placement *to,
                         const uint8_t dropped[], struct dcp_move_order *out,
                         struct dcp_error *err) DCP_CHECKED;

#endif /* solver/schedule/move_order.h */
