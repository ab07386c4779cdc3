/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Which VM leaves an overloaded host; of equal ones the first in its list. */

#include "sim/cloudsim/world.h"

#include <float.h>

static uint32_t
least_memory(const struct dcp_cs_world *w, const uint32_t list[], uint32_t n)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < n; i++) {
        if (w->vms[list[i]].ram_mib < w->vms[list[best]].ram_mib) {
            best = i;
        }
    }
    return best;
}

static uint32_t
least_used(const struct dcp_cs_world *w, const uint32_t list[], uint32_t n)
{
    double least = DBL_MAX;
    uint32_t best = 0;

    for (uint32_t i = 0; i < n; i++) {
        const struct dcp_cs_vm *vm = &w->vms[list[i]];
        double used = vm->asked_mips / vm->mips;

        if (used < least) {
            least = used;
            best = i;
        }
    }
    return best;
}

static uint32_t
most_correlated(const struct dcp_cs_world *w, const uint32_t list[], uint32_t n)
{
    const double *series[DCP_CLOUDSIM_HISTORY];
    uint32_t best;

    /* A row per interval, a column per other VM and one for the constant. */
    if (n < 2 || n > w->n_history) {
        return least_memory(w, list, n);
    }
    for (uint32_t i = 0; i < n; i++) {
        series[i] = dcp_cs_history(w, &w->vms[list[i]]);
    }
    return dcp_cs_most_correlated(series, n, w->n_history, &best)
               ? best
               : least_memory(w, list, n);
}

uint32_t
dcp_cs_select(struct dcp_cs_world *w, const uint32_t list[], uint32_t n)
{
    switch (w->in->policy.select) {
    case DCP_CLOUDSIM_MU:
        return least_used(w, list, n);
    case DCP_CLOUDSIM_MC:
        return most_correlated(w, list, n);
    case DCP_CLOUDSIM_RS:
        return (uint32_t)dcp_rng_below(&w->rng, n);
    case DCP_CLOUDSIM_MMT:
        break;
    }
    return least_memory(w, list, n);
}
