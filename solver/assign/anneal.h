/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_ASSIGN_ANNEAL_H
#define DCP_SOLVER_ASSIGN_ANNEAL_H 1

/* Simulated annealing over moves and swaps (Kirkpatrick, Gelatt, Vecchi,
 * *Optimization by simulated annealing*, Science 220, 1983): a candidate that
 * costs d more is taken with probability exp(-d / temperature). */

#include "solver/assign/cooling.h"
#include "solver/assign/walk.h"

/* The part of a cooling that a slice goes through. */
struct dcp_assign_stretch {
    const struct dcp_assign_cooling *cooling;
    double from_frac, to_frac;
};

void
dcp_assign_anneal(struct dcp_assign_walk *, const struct dcp_assign_stretch *,
                  const struct dcp_assign_slice *);

#endif /* solver/assign/anneal.h */
