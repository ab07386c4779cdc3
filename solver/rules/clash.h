/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_RULES_CLASH_H
#define DCP_SOLVER_RULES_CLASH_H 1

/* Rules about numbers that nothing can satisfy, proved by counting: hosts that
 * may or must be on, and VMs that reach no other hosts. */

#include "solver/solver.h"

/* True: there is no answer, and 'out' names the rule with its numbers.
 * O(rules x hosts), and for capacity rules O(classes x hosts / 64) each. */
bool dcp_rule_clash_find(const struct dcp_problem *, struct dcp_because *out,
                         bool *out_found, struct dcp_error *err) DCP_CHECKED;

#endif /* solver/rules/clash.h */
