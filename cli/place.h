/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_PLACE_H
#define DCP_CLI_PLACE_H 1

/* The three things that `dcplan place` does, each with its own output: ranking
 * hosts for VMs, counting how many more fit, and a first placement of all.
 * Demand is that of the coming week's buckets, as in `capacity`, so that an
 * answer holds at every hour of it. */

#include "cli/context.h"
#include "model/io/json_writer.h"
#include "solver/place/place.h"

struct dcp_place_args {
    const char *vm, *how_many; /* Sizes; NULL: not asked. */
    const char *tier, *tenant, *traces;
    int64_t until_ms;
    uint64_t top; /* Candidates shown. */
    bool all_hosts, all, spread, pack, wake, dry_run;
};

/* The model and the question about it. */
struct dcp_place_world {
    const struct dcp_globals *g;
    const struct dcp_place_args *args;
    struct dcp_context context;
    struct dcp_demand *demand; /* Owned. */
};

/* Each returns the exit status, or -1 with 'err' filled. */
int dcp_place_run_rank(struct dcp_place_world *, uint32_t n_words,
                       char *const words[], struct dcp_error *err);
int dcp_place_run_count(struct dcp_place_world *, struct dcp_error *err);
int dcp_place_run_all(struct dcp_place_world *, struct dcp_error *err);

/* A question about these things on all slots of the demand; nothing may be
 * moved for it but what 'movable' says by the VMs themselves. */
struct dcp_question
dcp_place_question(const struct dcp_inventory *, const struct dcp_demand *,
                   const struct dcp_placement *, bool wake);

/* Members of an open object: rule, need, have, text, remedy. */
void dcp_place_json_refusal(struct dcp_json *, const struct dcp_refusal *);

#endif /* cli/place.h */
