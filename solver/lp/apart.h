/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_LP_APART_H
#define DCP_SOLVER_LP_APART_H 1

/* dcp_lp_solve() in a process of its own: the deadline and the memory cap
 * hold whatever GLPK does, and where it dies that is an error. For programs
 * that others build by the thousand, as large neighbourhood search does. */

#include "solver/lp/lp.h"
#include "solver/run/worker.h"

/* As dcp_lp_solve().  GLPK is asked to stop a little before the deadline, so
 * that what it has by then comes back; where it does not, it is killed and the
 * status is DCP_LP_UNKNOWN.  A time limit in the options may be shorter. */
bool
dcp_lp_solve_apart(struct dcp_lp *, const struct dcp_lp_options *,
                   const struct dcp_worker_limits *, struct dcp_lp_answer *out,
                   double *x, struct dcp_error *err) DCP_CHECKED;

#endif /* solver/lp/apart.h */
