/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_RULES_WAITS_H
#define DCP_SOLVER_RULES_WAITS_H 1

/* Which earlier steps a move has to wait for so that rules that hold always
 * do so in every order, not only in the listed one.
 *
 * Rules about pairs (spread, separate, split, lonely): whoever may not be with
 * the VM and has been where it goes is gone first.  Rules about numbers
 * (max_skew, capacity, running_capacity): moves that change the number of one
 * rule go one after the other, so its states are those of the listed order.
 * Sequences: the VM before has made its last move.
 *
 * Called for the moves of one leg, in their order; not thread-safe. */

#include "solver/schedule/move_order.h"
#include "solver/schedule/sequence.h"

struct dcp_rule_waits;

/* 'from': the placement before the leg; 'order': its moves. Borrowed. */
struct dcp_rule_waits *dcp_rule_waits_create(const struct dcp_problem *,
                                             const struct dcp_placement *from,
                                             const struct dcp_move_order *,
                                             struct dcp_error *err) DCP_CHECKED;
void dcp_rule_waits_destroy(struct dcp_rule_waits *);
DCP_DEFINE_AUTO(dcp_rule_waits)

/* The steps that 'move' waits for (with repeats); valid until the next call.
 * False: out of memory. */
bool
dcp_rule_waits_list(struct dcp_rule_waits *, const struct dcp_move *,
                    const uint32_t **out_steps, uint32_t *out_n) DCP_CHECKED;
/* The move became this step. */
void dcp_rule_waits_note(struct dcp_rule_waits *, const struct dcp_move *,
                         uint32_t step);

#endif /* solver/rules/waits.h */
