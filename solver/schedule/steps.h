/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SCHEDULE_STEPS_H
#define DCP_SOLVER_SCHEDULE_STEPS_H 1

/* Steps and waits from an order of moves; between solver/schedule/schedule.c
 * and solver/schedule/leg.c. */

#include "solver/schedule/move_order.h"
#include "solver/schedule/paths.h"
#include "solver/schedule/resizing.h"
#include "solver/schedule/schedule.h"

struct dcp_leg_room {
    struct dcp_state *most; /* As the leg begins; becomes the most that any
                             * order can reach. */
    const struct dcp_paths *paths;
    uint32_t n_slots; /* In which moves run, from the leg's first. */
    struct dcp_resizing *resizing;
};

bool dcp_schedule_make_steps(const struct dcp_leg_request *,
                             const struct dcp_leg_room *,
                             const struct dcp_move_order *,
                             struct dcp_step_list *, struct dcp_leg_answer *,
                             struct dcp_error *err) DCP_CHECKED;

#endif /* solver/schedule/steps.h */
