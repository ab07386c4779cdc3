/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_LEG_TIMES_H
#define DCP_SOLVER_LEG_TIMES_H 1

/* How long a leg's steps take, in which order they are best listed, and how
 * long they take at least (solver/timetable.h).
 *
 * Executors start a step when what it waits for is done and the plan's limits
 * let it, in listed order; so the list is the priority.  Stocks are: moves out
 * of and into each host and both together (units_per_10gbit), hosts that go
 * off at once, bandwidth of uplinks and of links between sites, and CPU: a
 * migration takes policy.migration_cpu_overhead_frac of its VM's CPU on its
 * source, and its VM's CPU on its target, and waits until the source has that
 * to spare in every slot of the moves.  A source that never could spare it
 * lets one go at a time.  Where CPU would stop the order for good it is left
 * out.
 *
 * The bound holds for these moves in any order: it counts waits that no order
 * can do without (a VM's second move for its first, arrivals for their host's
 * boot, a host's shutdown for those who leave), memory as a reservoir, and the
 * stocks above. */

#include "solver/paths.h"
#include "solver/schedule.h"
#include "solver/state.h"

struct dcp_leg_times_request {
    const struct dcp_inventory *inventory;
    const struct dcp_state *start; /* As the leg begins. */
    const struct dcp_paths *paths; /* Of the same slots. */
    uint32_t n_slots;              /* Slots that the moves run in. */
    int64_t deadline_ms;           /* Of the search, as in timetable.h. */
};

struct dcp_leg_times {
    int64_t makespan_ms; /* As listed. */
    int64_t bound_ms;
    const char *bound_method; /* "path", "stock". */
    bool cpu_left_out;
};

/* Lists the steps from 'first' (0-based) on anew where that ends sooner and
 * 'may_reorder', numbers them anew (trunks too), and says how long they take.
 */
bool
dcp_leg_times_make(const struct dcp_leg_times_request *, struct dcp_step_list *,
                   uint32_t first, struct dcp_trunks *, bool may_reorder,
                   struct dcp_leg_times *out,
                   struct dcp_error *err) DCP_CHECKED;

#endif /* solver/leg_times.h */
