/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_POLICY_RUN_H
#define DCP_CLI_POLICY_RUN_H 1

/* One policy in closed loop (sim/loop.h), by its name: beside a replay, or in
 * replications of one.  The reactive band (dpm) is in every comparison. */

#include "cli/replay.h"
#include "sim/loop.h"

#define DCP_BAND "dpm"

struct dcp_policy_run {
    const char *name;              /* As asked for; borrowed. */
    struct dcp_sim_result result;  /* Owned, as are the next two. */
    struct dcp_failure_run failed; /* Where anything can fail. */
    struct dcp_io_result storage;  /* Where storage is limited. */
    struct dcp_loop_report report;
};

struct dcp_policy_run_input { /* All borrowed. */
    const struct dcp_globals *globals;
    struct dcp_context *context;
    const char *policy;
    struct dcp_sim_input in; /* Window, samples, start and reference. */
    const struct dcp_failures *failures; /* NULL: nothing fails. */
    const struct dcp_samples *net;       /* n_times 0: not known. */
    const struct dcp_samples *drawn; /* In place of the store's; NULL: not. */
    const struct dcp_storage_use *storage; /* NULL: nobody counts. */
    int64_t every_ms;
    /* As in struct dcp_replay_options; NULL: nobody looks on. */
    bool (*prepare)(void *user, bool last, struct dcp_sim_input *in,
                    struct dcp_error *err);
    void *user;
};
/* Beside 'r', which has its samples of CPU: in its window, under its failures,
 * against its time without anything. */
struct dcp_policy_run_input
dcp_policy_run_beside(const struct dcp_globals *, struct dcp_context *,
                      const struct dcp_replay *r,
                      const struct dcp_placement *start, const char *policy,
                      int64_t every_ms);

bool dcp_policy_is_solver(const char *text);
/* By its name, solvers as well, which are told of drawn days; NULL:
 * DCP_E_USAGE. */
struct dcp_sim_policy *
dcp_policy_make(const struct dcp_globals *, struct dcp_context *,
                const char *text, const struct dcp_samples *drawn,
                struct dcp_error *err) DCP_CHECKED;
/* 'last': for 'prepare'. */
bool
dcp_policy_run(const struct dcp_policy_run_input *, bool last,
               struct dcp_policy_run *out, struct dcp_error *err) DCP_CHECKED;
void dcp_policy_run_finish(struct dcp_policy_run *);

/* Members "policy", those of the result, and "loop". */
bool
dcp_policy_run_json(struct dcp_json *, const struct dcp_inventory *,
                    const struct dcp_replay *, const struct dcp_policy_run *,
                    struct dcp_error *err) DCP_CHECKED;

#endif /* cli/policy_run.h */
