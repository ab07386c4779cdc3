/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_ASSIGN_ANNEAL_H
#define DCP_SOLVER_ASSIGN_ANNEAL_H 1

/* Simulated annealing over moves and swaps (Kirkpatrick, Gelatt, Vecchi,
 * *Optimization by simulated annealing*, Science 220, 1983): a candidate that
 * costs d more is taken with probability exp(-d / temperature), and the
 * temperature falls geometrically from 'hot' to 'cold' over the slice. */

#include "solver/assign/walk.h"

struct dcp_assign_anneal_options {
    double hot, cold; /* In units of cost. */
};

void dcp_assign_anneal(struct dcp_assign_walk *,
                       const struct dcp_assign_anneal_options *,
                       const struct dcp_assign_slice *);

#endif /* solver/assign/anneal.h */
