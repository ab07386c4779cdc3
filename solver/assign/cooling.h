/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_ASSIGN_COOLING_H
#define DCP_SOLVER_ASSIGN_COOLING_H 1

/* Which temperature when.  Temperatures are steps of equal ratio from 'hot' to
 * 'cold'; how long to stay in each is learnt from a short first pass: in
 * proportion to by how much the cost above the bound fell there (in
 * logarithms), because that is where order forms, and a floor for the rest. */

#include <stdint.h>

#define DCP_ASSIGN_STEPS 32u

struct dcp_assign_cooling {
    double hot, cold;
    double share[DCP_ASSIGN_STEPS]; /* Of the time; they add up to 1. */
};

/* Equal shares. */
void
dcp_assign_cooling_init(struct dcp_assign_cooling *, double hot, double cold);
/* Shares by 'above', the cost above the bound before each step and after the
 * last; 'least' is what is too little to matter. */
void dcp_assign_cooling_learn(struct dcp_assign_cooling *,
                              const double above[DCP_ASSIGN_STEPS + 1],
                              double least);
/* The temperature when 'done_frac' of the time is gone. */
double
dcp_assign_cooling_at(const struct dcp_assign_cooling *, double done_frac);

#endif /* solver/assign/cooling.h */
