/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SCHEDULE_STEP_WAITS_H
#define DCP_SOLVER_SCHEDULE_STEP_WAITS_H 1

/* Ids being collected for one step's 'after'.  Starts zeroed; 'id' is freed by
 * its owner. */

#include "solver/schedule/schedule.h"
#include "solver/watts.h"

struct dcp_step_waits {
    uint32_t *id;
    uint32_t n, capacity;
};

/* 0 is no step.  False: out of memory. */
bool dcp_step_waits_add(struct dcp_step_waits *, uint32_t id);
/* Of step_of_host those of hosts that share a rack, feed or room with 'host'
 * whose watts count. */
bool
dcp_step_waits_add_near(struct dcp_step_waits *, const struct dcp_watt_limits *,
                        uint32_t host, const uint32_t step_of_host[]);
/* Hands the collected ids to the step, sorted, without repeats. */
bool dcp_step_waits_take(struct dcp_step_list *, struct dcp_step *,
                         struct dcp_step_waits *);

#endif /* solver/schedule/step_waits.h */
