/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_POLICY_SOLVER_H
#define DCP_CLI_POLICY_SOLVER_H 1

/* The policy "solver": asked, it makes the plan that `consolidate` would make
 * then, in one leg, from samples of the store before then only, from where VMs
 * are in the replay, for policy.horizon, and all of that plan's rules, bounds
 * and checks with it.  Its time limit is the command's (--time-limit); results
 * are repeatable where that does not end it (--iterations).
 *
 * It is made here because sim/ knows of no solver. */

#include "cli/context.h"
#include "sim/policy/policy.h"

/* 'param': "4" moves at most in a plan; NULL: as many as it takes.  Both
 * contexts are borrowed. */
struct dcp_sim_policy *
dcp_policy_solver(const struct dcp_globals *, struct dcp_context *,
                  const char *param, struct dcp_error *err) DCP_CHECKED;

#endif /* cli/policy_solver.h */
