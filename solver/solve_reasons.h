/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SOLVE_REASONS_H
#define DCP_SOLVER_SOLVE_REASONS_H 1

/* Why a question has no answer, in words and numbers; private to
 * solver/solve.c. */

#include "solver/repair/repair.h"
#include "solver/solver.h"

/* An item that no host could hold, that could not be protected, or a spread
 * rule with more VMs than places: each proves that there is no answer. */
bool
dcp_solve_find_impossible(const struct dcp_problem *p, struct dcp_because *out,
                          bool *out_found, struct dcp_error *err) DCP_CHECKED;
/* p->contradiction. */
void dcp_solve_explain_contradiction(const struct dcp_problem *p,
                                     struct dcp_because *out);
/* What the search did not reach; proves nothing. */
void dcp_solve_explain_incomplete(const struct dcp_problem *p,
                                  const struct dcp_search_result *r,
                                  struct dcp_because *out);
/* The program of a small problem has no answer. */
void dcp_solve_explain_no_placement(struct dcp_because *out);
/* Of a bound that a max_on rule does not allow. */
void dcp_solve_explain_max_on(const struct dcp_bound *, struct dcp_because *out);
/* A part of what is broken that no leaving ends. */
void dcp_solve_explain_need(const struct dcp_problem *p,
                            const struct dcp_repair_need *need,
                            struct dcp_because *out);
/* A repair moves more VMs than the question allows. */
void dcp_solve_explain_too_few(const struct dcp_question *q, uint32_t moves,
                               struct dcp_because *out);

#endif /* solver/solve_reasons.h */
