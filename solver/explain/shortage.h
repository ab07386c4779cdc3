/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_EXPLAIN_SHORTAGE_H
#define DCP_SOLVER_EXPLAIN_SHORTAGE_H 1

/* Why there is no placement at all, in sums: what is asked for and what there
 * is.  Pure; thread-safe. */

#include "solver/bound/bound.h"
#include "solver/solver.h"

/* To be asked only where 'b' proved that there is none.  Says, the first that
 * holds: all hosts together have too little of the resource that binds; the
 * hosts that some VMs are bound to have too little of a scalar; headroom; whole
 * VMs cannot be shared out. */
void dcp_shortage_explain(const struct dcp_problem *, const struct dcp_bound *b,
                          struct dcp_because *out);

#endif /* solver/explain/shortage.h */
