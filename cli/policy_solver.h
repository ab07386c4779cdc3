/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_POLICY_SOLVER_H
#define DCP_CLI_POLICY_SOLVER_H 1

/* The policy "solver": asked, it makes the plan that `consolidate` would make
 * then, in one leg, from samples of the store before then only, from where VMs
 * are in the replay, for policy.horizon, and all of that plan's rules, bounds
 * and checks with it.  Its time limit is the command's (--time-limit); results
 * are repeatable where that does not end it (--iterations).
 *
 * A plan is for a day at least, and most questions come long before its end.
 * "solver" learns demand every day (traces/learner.h), and gives no answer
 * while its last one stands. That no longer stands
 * - after a day, once the history is a tenth longer;
 * - when planned demand of the next quarter of the horizon makes a host fuller
 *   than policy's target, and fuller than at the last answer: what comes later
 *   can wait, and the next plan is for the whole horizon;
 * - when policy.min_gain fewer hosts could carry that demand than could at the
 *   last answer (solver/standing.h, a hint);
 * - when a host had more than policy's target on the mean of the samples since
 *   the last question: then demand is learned again at once.
 * "solver-anew" learns and plans anew at every question, as does "solver" where
 * policy.overload asks for joint samples.  Neither plans while a VM is down,
 * nor for hosts that are down or under maintenance.
 *
 * It is made here because sim/ knows of no solver. */

#include "cli/context.h"
#include "sim/policy/policy.h"

/* 'text': "solver", "solver-anew", with ":4": moves at most in a plan, else as
 * many as it takes.  'drawn' (NULL: none): CPU of the window in place of the
 * store's, which the learning one alone can take (DCP_E_USAGE).  Both contexts
 * and 'drawn' are borrowed. */
struct dcp_sim_policy *
dcp_policy_solver(const struct dcp_globals *, struct dcp_context *,
                  const char *text, const struct dcp_samples *drawn,
                  struct dcp_error *err) DCP_CHECKED;

#endif /* cli/policy_solver.h */
