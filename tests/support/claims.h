/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_SUPPORT_CLAIMS_H
#define DCP_TESTS_SUPPORT_CLAIMS_H 1

/* What a solution says of itself, where brute force knows the best value;
 * INFINITY: there is no answer. */

#include "solver/solver.h"

#include <math.h>

static inline double
slack_of(double best)
{
    return 1e-6 * fmax(1, fabs(best));
}

/* Infeasible only where it is, no value below the best, no bound above it, and
 * optimal only with the best. */
static inline bool
claims_hold(const struct dcp_solution *s, double best)
{
    double slack = slack_of(best);

    if (s->status == DCP_STATUS_INFEASIBLE) {
        return isinf(best);
    }
    return !s->placement ||
           ((s->over_watts || s->value >= best - slack) && s->bound <= best + slack &&
            (s->status != DCP_STATUS_OPTIMAL || s->value <= best + slack));
}

static inline bool
has_best(const struct dcp_solution *s, double best)
{
    return s->placement && s->value <= best + slack_of(best);
}

#endif /* tests/support/claims.h */
