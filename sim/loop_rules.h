/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_LOOP_RULES_H
#define DCP_SIM_LOOP_RULES_H 1

/* Which declared rules wishes can break: those that name a VM that is moved;
 * "lonely" and "quarantine", which concern all VMs, where any is; and those
 * about hosts that are on, where one is switched.  No other rule's state
 * changes, so no other is judged again (model/check/check.h).
 *
 * Internal to sim/; not thread-safe. */

#include "sim/policy/policy.h"

struct dcp_loop_rules {
    const struct dcp_inventory *inventory; /* Borrowed. */
    uint32_t *first, *of_vm; /* By VM: its rules; owned, as is the next. */
    uint8_t *asked;          /* By rule. */
};

bool dcp_loop_rules_init(struct dcp_loop_rules *, const struct dcp_inventory *,
                         struct dcp_error *err) DCP_CHECKED;
void dcp_loop_rules_finish(struct dcp_loop_rules *);

/* Marks in 'asked' what wishes from 'first' on can break; false: nothing. */
bool dcp_loop_rules_ask(struct dcp_loop_rules *, const struct dcp_wishes *,
                        uint32_t first);

#endif /* sim/loop_rules.h */
