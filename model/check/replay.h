/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_CHECK_REPLAY_H
#define DCP_MODEL_CHECK_REPLAY_H 1

/* When each step of a leg runs if its own estimates come true: a step starts
 * when all that it waits for is done, its not_before has come, and the plan's
 * limits let it; of several that may start at the same instant the one listed
 * first does.  That is what executors do, so no other times follow from the
 * plan.  Limits: moves out of and into a host, both together by its fastest
 * NIC (units_per_10gbit), moves of volumes at a pool, hosts that go off at
 * once; 0 is none.
 *
 * Steps of earlier legs are done.  O(n log n) for n steps where few wait for
 * the same host.  Internal to model/check/. */

#include "model/check/leg.h"

struct dcp_check_replay {
    /* By id less first_id, from the leg's start on; each step has both. */
    int64_t *start_ms, *end_ms;
    int64_t makespan_ms;
};

bool dcp_check_replay(const struct dcp_leg_view *,
                      struct dcp_check_replay *out) DCP_CHECKED;
void dcp_check_replay_finish(struct dcp_check_replay *);

#endif /* model/check/replay.h */
