/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_REPLAY_H
#define DCP_CLI_REPLAY_H 1

/* Replays a plan on the usage of a night: loads the samples, runs each leg
 * through the runner with the simulator's executor, and simulates the window
 * with and without what it did.  For `simulate`, `--backtest` and reports. */

#include "cli/context.h"
#include "cli/leg_runs.h"
#include "cli/storage_use.h"
#include "model/io/json_writer.h"
#include "sim/sim.h"

struct dcp_replay_options {
    /* With a plan: 'from' moves the plan's clock times by whole local days so
     * that its first leg starts within a day of it; without 'to' the window is
     * from the first leg's start to the last leg's buckets_until, else exactly
     * from 'from' to 'to'.  Without a plan: the store's start and end.
     * DCP_INSTANT_NONE: not given. */
    int64_t from_ms, to_ms;
    const struct dcp_failure_options *failures; /* NULL: nothing fails. */
    uint64_t seed;                              /* Of failures. */
    /* Asked before each of the two simulations, the one without the plan
     * first, to set the watches of its input; NULL: nobody looks on.  'last':
     * it is the one that the result is about. */
    bool (*prepare)(void *user, bool last, struct dcp_sim_input *in,
                    struct dcp_error *err);
    void *user;
    uint32_t threads; /* 0: 1. */
};
#define DCP_REPLAY_DEFAULT                                                     \
    ((struct dcp_replay_options){ .from_ms = DCP_INSTANT_NONE,                 \
                                  .to_ms = DCP_INSTANT_NONE })

struct dcp_replay {
    struct dcp_samples cpu, net; /* net.n_times 0: not measured; cpu has no
                                  * values where they were swept. */
    struct dcp_samples mem;      /* n_times 0: not measured, or never short. */
    bool mem_is_active;          /* Else what VMs consume. */
    struct dcp_storage_use storage;
    struct dcp_sim_fill fill;
    struct dcp_sim_result without, with; /* 'with' only with a plan. */
    bool has_plan;
    bool partial;   /* The store covers only a part of the window, or: */
    bool stopped;   /* A watch ended the replay early, both at one time. */
    bool in_sample; /* The window overlaps the history that was fitted. */
    int64_t shift_days;
    int64_t leg_start_ms[DCP_LEGS_MAX]; /* As replayed. */
    uint32_t n_legs;
    struct dcp_leg_runs calm;    /* Where nothing fails. */
    struct dcp_leg_runs failing; /* Where steps were lost; else no events. */
    bool has_failures; /* Of what follows; 'with' only with a plan. */
    struct dcp_failures failures;
    struct dcp_failure_run failed_without, failed_with;
};

/* 'plan' NULL: only 'without', from the model's present placement.  Both must
 * outlive the replay. */
bool dcp_replay_run(struct dcp_context *, const struct dcp_plan *plan,
                    const struct dcp_replay_options *, struct dcp_replay *out,
                    struct dcp_error *err) DCP_CHECKED;
/* Loads the samples that the replay did without; not where it had a plan. */
bool dcp_replay_load_samples(struct dcp_context *, struct dcp_replay *,
                             struct dcp_error *err) DCP_CHECKED;
/* Whether it takes measured memory: where hosts promised more than they have.
 */
bool dcp_replay_wants_memory(const struct dcp_context *);
/* Lets another replay's input have the samples ... */
void dcp_replay_give_samples(const struct dcp_replay *, struct dcp_sim_input *);
/* ... and the plan's events with their slowdowns, as if nothing failed, or
 * none. */
void dcp_replay_give_events(const struct dcp_replay *, bool with_plan,
                            struct dcp_sim_input *);
/* The plan's legs, to be run again in its window; both are borrowed. */
struct dcp_legs_input
dcp_replay_legs(const struct dcp_inventory *, const struct dcp_plan *,
                const struct dcp_replay *);
/* As they were run. */
static inline const struct dcp_leg_runs *
dcp_replay_leg_runs(const struct dcp_replay *r)
{
    return r->failing.events ? &r->failing : &r->calm;
}
void dcp_replay_finish(struct dcp_replay *);

/* What VMs use of their memory, where they may have been given more than there
 * is; else, and where it was not measured, n_times 0. */
bool dcp_replay_memory(struct dcp_context *, int64_t from_ms, int64_t to_ms,
                       struct dcp_samples *out, bool *out_is_active,
                       struct dcp_error *err) DCP_CHECKED;

/* Network use of all VMs around [from_ms, to_ms), KiB/s, the larger direction;
 * n_times 0 where it was not measured. */
bool dcp_replay_net(struct dcp_context *, int64_t from_ms, int64_t to_ms,
                    struct dcp_samples *out, struct dcp_error *err) DCP_CHECKED;

/* The replay's figures by sample, as CSV; "-": to standard output. */
bool dcp_replay_series(const char *path, const struct dcp_replay *,
                       struct dcp_error *err) DCP_CHECKED;

struct dcp_replay_part { /* Borrowed. */
    const struct dcp_sim_result *result;
    const struct dcp_failure_run *failed; /* Where anything can fail. */
    const struct dcp_io_result *storage;
};
struct dcp_replay_part dcp_replay_without(const struct dcp_replay *);
struct dcp_replay_part dcp_replay_with(const struct dcp_replay *);

/* Member "saved" of a replay with a plan: what came true, and what was said. */
void dcp_replay_json_saved(struct dcp_json *, const struct dcp_plan *,
                           const struct dcp_replay *);
/* Members of a result object of `simulate` (design, section 5), up to and with
 * "digest", which is over all members before it, of a run in that window. */
bool dcp_replay_json(struct dcp_json *, const struct dcp_inventory *,
                     const struct dcp_replay *, struct dcp_replay_part,
                     struct dcp_error *err) DCP_CHECKED;

#endif /* cli/replay.h */
