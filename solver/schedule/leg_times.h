/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SCHEDULE_LEG_TIMES_H
#define DCP_SOLVER_SCHEDULE_LEG_TIMES_H 1

/* How long a leg's steps take, in which order they are best listed, and how
 * long they take at least (solver/schedule/timetable.h).
 *
 * Executors start a step when what it waits for is done and the plan's limits
 * let it, in listed order; so the list is the priority.  Stocks are: moves out
 * of and into each host and both together (units_per_10gbit), hosts that go
 * off at once, and, while an order is sought, CPU: a migration takes
 * policy.migration_cpu_overhead_frac of its VM's CPU on its source, and its
 * VM's CPU on its target.  Where CPU would stop the order for good it is left
 * out.  What the steps then are told, by waits and by times of their own, so
 * that their hosts have that CPU to spare, is solver/schedule/move_cpu.h.
 *
 * No executor keeps bandwidth: migrations share it.  How long each takes is
 * therefore found by rehearsing the list (solver/schedule/rehearsal.h): as it
 * was made, for an order to be sought by these times, and as it is in the end,
 * which is what the plan says.
 *
 * Steps keep to change windows and freezes (solver/schedule/step_spans.h) where
 * the leg's start is known; one that cannot is late.
 *
 * The bound holds for these moves in any order: it counts waits that no order
 * can do without (a VM's second move for its first, arrivals for their host's
 * boot, a host's shutdown for those who leave), memory as a reservoir, the
 * stocks above, and what the network takes for all that is sent
 * (solver/schedule/least_times.h). */

#include "solver/schedule/paths.h"
#include "solver/schedule/schedule.h"
#include "solver/schedule/step_spans.h"
#include "solver/state.h"

struct dcp_leg_times_request {
    const struct dcp_inventory *inventory;
    const struct dcp_state *start; /* As the leg begins. */
    const struct dcp_paths *paths; /* Of the same slots. */
    uint32_t n_slots;              /* Slots that the moves run in. */
    uint32_t n_cpu_slots; /* No fewer: that they run in at all, whatever holds
                           * them up. */
    int64_t deadline_ms;  /* Of the search, as in timetable.h. */
    const struct dcp_step_spans *spans; /* From the leg's start on, to the
                                         * last that it may end; the same:
                                         * not known, no step has a time. */
    bool in_order; /* Only the listed order is proved: no step waits for a time
                    * of its own while those listed after it go on. */
    uint8_t *late; /* By VM: 1 = a late step is of it; NULL: not asked. */
};

struct dcp_leg_times {
    int64_t makespan_ms; /* As listed. */
    int64_t bound_ms;
    const char *bound_method; /* "path", "stock", "network". */
    bool cpu_left_out;
    uint32_t n_late; /* Steps outside their rules' times. */
    int64_t late_ms; /* The most that one is late, where it has a time. */
    const struct dcp_rule *late_rule; /* Of one of them; NULL: none. */
    struct dcp_object late_object;    /* What that step is about. */
};

/* Lists the steps from 'first' (0-based) on anew where that ends sooner and
 * 'may_reorder', numbers them anew (trunks too), and says how long they take.
 */
bool
dcp_leg_times_make(const struct dcp_leg_times_request *, struct dcp_step_list *,
                   uint32_t first, struct dcp_trunks *, bool may_reorder,
                   struct dcp_leg_times *out,
                   struct dcp_error *err) DCP_CHECKED;

#endif /* solver/schedule/leg_times.h */
