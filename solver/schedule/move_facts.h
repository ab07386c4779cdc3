/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SCHEDULE_MOVE_FACTS_H
#define DCP_SOLVER_SCHEDULE_MOVE_FACTS_H 1

/* What a move step says of itself: how long pre-copy would take if as many
 * moves ran at its hosts as may (the rehearsal of its leg says how long it
 * does), and why it is made, with numbers. */

#include "model/plan.h"
#include "solver/schedule/move_order.h"
#include "solver/schedule/paths.h"

/* Sums in 'bound' are the most that hosts may hold at once; the move runs in
 * the first 'n_slots' slots, with what production leaves of ports and paths in
 * them. */
void dcp_move_estimate(const struct dcp_state *bound, const struct dcp_paths *,
                       uint32_t n_slots, const struct dcp_move *,
                       struct dcp_step *step);
/* "empties h2; on h1 then at most memory 48 of 115 GiB usable, CPU 9100 of
 * 33280 MHz (weekday 23 h)", in the arena; NULL: no memory. */
const char *
dcp_move_text(const struct dcp_state *bound, const struct dcp_move *,
              enum dcp_reason reason, struct dcp_arena *arena);

#endif /* solver/schedule/move_facts.h */
