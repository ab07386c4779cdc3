/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/assign/cooling.h"

#include <math.h>

#define FLOOR 0.3 /* Of all time, shared equally. */

void
dcp_assign_cooling_init(struct dcp_assign_cooling *c, double hot, double cold)
{
    c->hot = hot;
    c->cold = cold;
    for (uint32_t k = 0; k < DCP_ASSIGN_STEPS; k++) {
        c->share[k] = 1.0 / DCP_ASSIGN_STEPS;
    }
}

void
dcp_assign_cooling_learn(struct dcp_assign_cooling *c,
                         const double above[DCP_ASSIGN_STEPS + 1], double least)
{
    double fell[DCP_ASSIGN_STEPS + 2] = { 0 }, total = 0;

    for (uint32_t k = 0; k < DCP_ASSIGN_STEPS; k++) {
        double from = fmax(above[k], 0) + least;
        double to = fmax(above[k + 1], 0) + least;

        fell[k + 1] = fmax(log(from / to), 0);
    }
    for (uint32_t k = 0; k < DCP_ASSIGN_STEPS; k++) {
        /* Smoothed: one step is a sample of one. */
        c->share[k] = fell[k] + 2 * fell[k + 1] + fell[k + 2];
        total += c->share[k];
    }
    for (uint32_t k = 0; k < DCP_ASSIGN_STEPS; k++) {
        c->share[k] = total > 0 ? FLOOR / DCP_ASSIGN_STEPS +
                                      (1 - FLOOR) * c->share[k] / total
                                : 1.0 / DCP_ASSIGN_STEPS;
    }
}

double
dcp_assign_cooling_at(const struct dcp_assign_cooling *c, double done_frac)
{
    double left = fmin(fmax(done_frac, 0), 1);
    uint32_t k = 0;

    while (k + 1 < DCP_ASSIGN_STEPS && left > c->share[k]) {
        left -= c->share[k++];
    }
    double step = k + fmin(left / c->share[k], 1);

    return c->hot * pow(c->cold / c->hot, step / DCP_ASSIGN_STEPS);
}
