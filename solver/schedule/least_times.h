/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SCHEDULE_LEAST_TIMES_H
#define DCP_SOLVER_SCHEDULE_LEAST_TIMES_H 1

/* How long steps take at least, whatever runs beside them, and how long the
 * network needs at least for all that a leg's migrations send.
 *
 * A migration that nothing can slow down takes what pre-copy takes at its
 * limit: as many as policy lets run at a host have room beside planned
 * production at its peak, and all of the leg that cross a link have room there
 * at once.  Any other sends its memory once at least, at its limit at most (a
 * slower one may be throttled and be done after fewer rounds, so the time at
 * the limit is no bound).  What leaves a host, comes to it or crosses a link
 * one way needs its sum over what there is without production. */

#include "solver/schedule/leg_times.h"

struct dcp_least_times {
    int64_t *ms;        /* By step from 'first' on; owned. */
    int64_t network_ms; /* Of all of them. */
};

bool dcp_least_times_init(struct dcp_least_times *,
                          const struct dcp_leg_times_request *,
                          const struct dcp_step_list *, uint32_t first,
                          struct dcp_error *err) DCP_CHECKED;
void dcp_least_times_finish(struct dcp_least_times *);

#endif /* solver/schedule/least_times.h */
