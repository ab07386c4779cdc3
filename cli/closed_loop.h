/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_CLOSED_LOOP_H
#define DCP_CLI_CLOSED_LOOP_H 1

/* `simulate --policy NAME[:PARAM]`: the policy in closed loop (sim/loop.h),
 * beside doing nothing and beside the reactive band (dpm) on the same window,
 * from the model's present placement. */

#include "cli/failures.h"
#include "cli/onlooker.h"
#include "cli/replications.h"

struct dcp_closed_loop_options {
    const char *policy;
    int64_t every_ms;
    int64_t from_ms, to_ms;        /* As for cli/replay.h without a plan. */
    struct dcp_onlooker *onlooker; /* Its files are about the policy. */
    const struct dcp_failure_options *failures; /* The same for each; NULL:
                                                 * nothing fails. */
    const struct dcp_replication_options
        *replications;                           /* Of policy and none. */
    const struct dcp_resample_options *resample; /* Of those. */
    const char *report; /* A page that compares them; NULL: none. */
    bool silent;        /* Standard output is a file's: no table. */
};

/* The exit status, or -1. */
int
dcp_closed_loop(const struct dcp_globals *, struct dcp_context *,
                const struct dcp_closed_loop_options *, struct dcp_error *err);

#endif /* cli/closed_loop.h */
