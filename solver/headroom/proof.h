/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_HEADROOM_PROOF_H
#define DCP_SOLVER_HEADROOM_PROOF_H 1

/* What shows that a solution survives losses: lists of where VMs restart, and
 * berths, all in the solution's arena.  They are read as one, so they are
 * replaced as one. */

#include "solver/headroom/headroom.h"
#include "solver/solver.h"

/* Checks all losses of the problem's policy on the state; 'out' says whether
 * they are survived, without lists.  If so, the solution has these and berths,
 * in a new arena, and nothing that its old one had (what is left of a repair,
 * hosts kept for boots); else it is as before.  False: no memory. */
bool
dcp_solution_prove(struct dcp_solution *, struct dcp_state *,
                   struct dcp_headroom *out, struct dcp_error *err) DCP_CHECKED;
/* Takes proof and arena from 'from', which has none then; what the solution's
 * own arena had is gone. */
void dcp_solution_take_proof(struct dcp_solution *, struct dcp_solution *from);

#endif /* solver/headroom/proof.h */
