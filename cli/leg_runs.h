/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_LEG_RUNS_H
#define DCP_CLI_LEG_RUNS_H 1

/* The legs of a plan, carried out by the runner (executors/runner.h) in the
 * simulator's world: in one in which nothing fails, or in one with failures,
 * of which the runner learns. */

#include "cli/failures.h"
#include "executors/runner.h"
#include "model/transfers.h"
#include "sim/sim.h"

struct dcp_legs_input { /* All borrowed. */
    const struct dcp_inventory *inventory;
    const struct dcp_plan *plan;
    const int64_t *start_ms;       /* Of each leg. */
    const struct dcp_samples *net; /* NULL: not known. */
};

struct dcp_leg_runs {
    struct dcp_run_report legs[DCP_LEGS_MAX]; /* Owned, as is all. */
    struct dcp_transfer_totals transfers[DCP_LEGS_MAX];
    struct dcp_sim_event *events; /* They borrow the plan's steps. */
    uint32_t n_events;
    struct dcp_slowdown *slowdowns;
    uint32_t n_slowdowns;
};

/* Nothing fails. */
bool dcp_leg_runs_calm(const struct dcp_legs_input *, struct dcp_leg_runs *out,
                       struct dcp_error *err) DCP_CHECKED;
/* Under failures: 'in' gets what happened, which belongs to 'out_failed'.
 * 'calm' is what comes of it where nothing fails: where no step is lost that is
 * what happened (cheap), else all legs are run again, into 'out_legs', if that
 * is not NULL. */
bool
dcp_leg_runs_meet(const struct dcp_legs_input *,
                  const struct dcp_leg_runs *calm, const struct dcp_failures *,
                  struct dcp_sim_input *in, struct dcp_failure_run *out_failed,
                  struct dcp_leg_runs *out_legs,
                  struct dcp_error *err) DCP_CHECKED;
void dcp_leg_runs_give(const struct dcp_leg_runs *, struct dcp_sim_input *);
void dcp_leg_runs_finish(struct dcp_leg_runs *);

#endif /* cli/leg_runs.h */
