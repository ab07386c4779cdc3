/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SCHEDULE_OWN_TIMES_H
#define DCP_SOLVER_SCHEDULE_OWN_TIMES_H 1

/* When a leg's steps may start and should have ended for their own sake:
 * because of change windows and freezes (solver/schedule/step_spans.h) and of
 * the CPU that their hosts have to spare (solver/schedule/move_cpu.h).  Times
 * are from the leg's start on, in ms; of the steps from 'first' on, as they are
 * listed now.
 *
 * A step is late where its rules leave it no time within
 * policy.move_wait_ms, or where it ends after that time.  For
 * solver/schedule/leg_times.c alone. */

#include "solver/schedule/leg_times.h"
#include "solver/schedule/move_cpu.h"

struct dcp_own_times {
    int64_t *release, *due; /* INT64_MAX: none. */
    uint32_t *waits_for;    /* Host whose CPU a step waits for; DCP_IX_NONE:
                             * none. */
    struct dcp_move_cpu cpu;
};

/* Steps without any time of theirs are counted late in 'out'. */
bool
dcp_own_times_init(struct dcp_own_times *, const struct dcp_leg_times_request *,
                   const struct dcp_step_list *, uint32_t first,
                   struct dcp_leg_times *out,
                   struct dcp_error *err) DCP_CHECKED;
void dcp_own_times_finish(struct dcp_own_times *);

/* Once all waits are known: a step that others keep from its slot may have to
 * wait for the next one.  Where only the listed order is proved, all that are
 * listed after such a step wait with it. */
void dcp_own_times_settle(struct dcp_own_times *,
                          const struct dcp_leg_times_request *,
                          const struct dcp_step_list *, uint32_t first);

/* What a step with a due time waits for is due early enough for it. */
void dcp_own_times_hurry(const struct dcp_step_list *, uint32_t first,
                         int64_t due[]);
/* Summed over the steps, when they start then. */
int64_t dcp_own_times_lateness(const struct dcp_own_times *,
                               const struct dcp_step_list *, uint32_t first,
                               const int64_t start[]);
/* Counts those that end too late when they start then. */
void dcp_own_times_judge(const struct dcp_own_times *,
                         const struct dcp_leg_times_request *,
                         const struct dcp_step_list *, uint32_t first,
                         const int64_t start[], struct dcp_leg_times *out);
/* Gives the steps that wait for CPU their not_before; false: no memory. */
bool dcp_own_times_mark(const struct dcp_own_times *,
                        const struct dcp_leg_times_request *,
                        struct dcp_step_list *, uint32_t first) DCP_CHECKED;

#endif /* solver/schedule/own_times.h */
