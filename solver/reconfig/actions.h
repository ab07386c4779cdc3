/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_RECONFIG_ACTIONS_H
#define DCP_SOLVER_RECONFIG_ACTIONS_H 1

/* From places to actions, and from actions to a timetable. */

#include "solver/reconfig/places.h"
#include "solver/reconfig/reconfig.h"
#include "solver/schedule/timetable.h"

struct dcp_rc_actions {
    struct dcp_rc_action *list; /* Owned. */
    uint32_t *task;             /* [action]: in the timetable; owned. */
    uint32_t n;
    struct dcp_timetable *timetable; /* Owned. */
};

/* 'bypass': by VM, the node on which it stops over; DCP_RC_NONE: none. */
bool dcp_rc_actions_make(const struct dcp_rc_places *, const uint32_t bypass[],
                         struct dcp_rc_actions *out,
                         struct dcp_error *err) DCP_CHECKED;
void dcp_rc_actions_finish(struct dcp_rc_actions *);

#endif /* solver/reconfig/actions.h */
