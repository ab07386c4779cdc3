/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SCHEDULE_REHEARSAL_H
#define DCP_SOLVER_SCHEDULE_REHEARSAL_H 1

/* A leg's steps carried out as listed, with migrations that share the network:
 * what each step takes is what it took there.
 *
 * Each migration is pre-copy at the rate that max-min sharing of NICs, uplinks
 * and links gives it beside those that run at the same time, after what
 * production is planned to take in each slot; the model of the simulator, on
 * planned instead of measured demand (model/transfers.h).  Where it is not
 * known when the leg begins, production is at its peak over the slots.  All
 * other steps, conversions, and migrations of hosts without NICs take what
 * they were estimated to take.
 *
 * Deterministic; a heuristic for a leg only in that real migrations differ
 * from planned ones. */

#include "solver/schedule/leg_times.h"
#include "solver/schedule/timetable.h"

struct dcp_rehearsal_times {
    int64_t *start, *end; /* [step]; -1: never begun, not ended.  Owned. */
    int64_t makespan_ms;
};

/* Of the steps from 'first' on, which are the tasks of the timetable, in their
 * order; migrations get their times, mean bandwidth and rounds from it. */
bool dcp_rehearsal_play(const struct dcp_leg_times_request *,
                        const struct dcp_timetable *, struct dcp_step_list *,
                        uint32_t first, struct dcp_rehearsal_times *out,
                        struct dcp_error *err) DCP_CHECKED;
void dcp_rehearsal_times_finish(struct dcp_rehearsal_times *);

/* Does the step share the network with others? */
bool
dcp_rehearsal_shares(const struct dcp_inventory *, const struct dcp_step *);

#endif /* solver/schedule/rehearsal.h */
