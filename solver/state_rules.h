/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_STATE_RULES_H
#define DCP_SOLVER_STATE_RULES_H 1

/* What a state keeps for rules; private to solver/state*.c.  Placing and
 * removing call these with everything else as it is while the item has no
 * place. */

#include "solver/state.h"

bool dcp_state_rules_init(struct dcp_state *); /* False: no memory. */
void dcp_state_rules_finish(struct dcp_state *);
void dcp_state_rules_assign(struct dcp_state *to, const struct dcp_state *from);
void dcp_state_rules_place(struct dcp_state *, uint32_t item, uint32_t host);
void dcp_state_rules_remove(struct dcp_state *, uint32_t item, uint32_t host);
/* Before s->on changes. */
void dcp_state_rules_power(struct dcp_state *, uint32_t host, bool on);

#endif /* solver/state_rules.h */
