/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SCHEDULE_TIMED_ORDER_H
#define DCP_SOLVER_SCHEDULE_TIMED_ORDER_H 1

/* Another order of moves: that in which they would start, were all begun as
 * early as room and the limits of moves at a host let them, largest first.
 * solver/schedule/move_order.h asks for room after moves that are done; here a
 * VM takes room on its source until its move ends, so the order follows how
 * long moves take, and hosts full of large VMs do not wait for each other one
 * by one.
 *
 * VMs that would wait in a circle for ever are told as soon as they are (by
 * carrying out all that can go), and one of them steps aside at once, beside
 * the moves that run: of the few that let most go, the one that leaves least
 * waiting.
 *
 * Moves are taken to run at their limit of bandwidth; the leg is rehearsed
 * afterwards.  A heuristic.  Not for legs in which watts count: there hosts
 * go on and off in between; nor with chance constraints. */

#include "solver/schedule/move_order.h"

/* From the state's placement to 'to', as dcp_move_order_make(); 'on': by host,
 * those that need not boot.  Where it comes to no
 * end, or the monotonic clock comes to 'deadline_ms' before (0: it may not),
 * stuck_vm is set, which proves nothing. */
bool
dcp_timed_order_make(const struct dcp_state *, const struct dcp_placement *to,
                     const uint8_t on[], int64_t deadline_ms,
                     struct dcp_move_order *out,
                     struct dcp_error *err) DCP_CHECKED;

#endif /* solver/schedule/timed_order.h */
