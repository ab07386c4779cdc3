/* SPDX-License-Identifier: GPL-3.0-or-later */

/* How few hosts would do for what VMs ask for, by bounds. */

#include "cli/planning.h"

#include "solver/bound/bound.h"

#include <math.h>

bool
dcp_planning_hosts_needed(const struct dcp_globals *g,
                          const struct dcp_inventory *of,
                          const struct dcp_placement *start,
                          struct dcp_planning_answer *a, struct dcp_error *err)
{
    struct dcp_inventory inv = *of;
    struct dcp_question q = {
        .inventory = &inv,
        .demand = a->demand,
        .start = start,
        .last_slot = a->demand->n_slots,
        .may_wake = true,
        .may_empty = true,
    };

    while (q.last_slot &&
           a->demand->slots[q.last_slot - 1].start_ms >= a->window_end_ms) {
        q.last_slot--;
    }
    double limit_s = g->time_limit_s > 0 ? 0.05 * g->time_limit_s
                     : g->iterations     ? INFINITY
                                         : 20;

    for (int k = 0; k < 2; k++) {
        struct dcp_bound bound;

        inv.policy.memory_basis = k ? DCP_MEMORY_ACTIVE : DCP_MEMORY_ALLOCATED;
        if (k && !a->demand->mem_active_mib) {
            break;
        }
        DCP_AUTO(dcp_problem)
        struct dcp_problem *p = dcp_problem_create(&q, err);

        if (!p || !dcp_bound_compute(p, limit_s, &bound, err)) {
            return false;
        }
        *(k ? &a->hosts_needed_active : &a->hosts_needed_allocated) =
            bound.infeasible ? 0 : bound.hosts;
    }
    return true;
}
