/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_PLAN_HOMECOMING_H
#define DCP_SOLVER_PLAN_HOMECOMING_H 1

/* Where an evacuation may end: all VMs back at 'home' where nothing was broken
 * there, else as many as may be, each legal where it is; who was misplaced at
 * home stays where the first leg put it. */

#include "solver/problem.h"

/* 'q' asks about the time after the return: its 'start' is the end of the
 * first leg and its 'home' where VMs were before.  '*out' is the caller's.
 * Says nothing of headroom. */
bool dcp_homecoming(const struct dcp_question *q, struct dcp_placement **out,
                    struct dcp_error *err) DCP_CHECKED;

#endif /* solver/plan/homecoming.h */
