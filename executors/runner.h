/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_RUNNER_H
#define DCP_EXECUTORS_RUNNER_H 1

/* Carries out one leg of a plan by an executor.
 *
 * Steps start as soon as all they wait for is done and the plan's limits
 * allow, lowest id first, and not before their own time (not_before_ms); one
 * that cannot start by start_by_ms fails as stale.  Limits: moves out of and into a host at once, moves
 * per 10 Gbit of a host's fastest NIC (at least one), hosts being switched off
 * at once; 0 is no limit.
 *
 * Per step: observe; done already: skip; not what the plan assumed: fail;
 * journal the intent; start; wait; observe; journal the outcome.  A step that
 * is late is unknown, and unknown is settled by observing again, never by a
 * second attempt; one that stays unknown keeps its place under the limits, so
 * steps may be left pending behind it.  A failed step stops those that wait for
 * it; all others go on.  Steps of earlier legs count as done: the caller has
 * compared serials.
 *
 * Pure but for the executor and the journal; never prints. */

#include "executors/executor.h"
#include "executors/journal.h"

struct dcp_run_options {
    uint32_t leg;
    /* Added to the plan's own instants, of steps and of the leg's deadline: a
     * rehearsal on another night. */
    int64_t shift_ms;
    /* NULL: nothing is written and nothing can be resumed; else its leg was
     * begun by the caller, and steps that it has as verified are done. */
    struct dcp_journal *journal;
    double timeout_factor;   /* A step is late after so many times its
                              * estimate ... */
    int64_t timeout_min_ms;  /* ... and at least this. */
    uint32_t max_extensions; /* Late steps are observed so many times more, one
                              * timeout apart, before they are given up. */
    /* Asked after each record and before each wait: 0 go on; 1 start nothing
     * more, let running steps end; 2 ask that they be given up, and stop at
     * once.  May be NULL. */
    uint32_t (*interrupts)(void *user);
    /* Told of each change of a step, in order.  May be NULL. */
    void (*progress)(void *user, const struct dcp_step *, enum dcp_step_phase,
                     int64_t at_ms, const char *text);
    void *user; /* For both. */
};
/* Three times the estimate, five minutes at least, two extensions. */
void dcp_run_options_default(struct dcp_run_options *out);

enum dcp_outcome {
    DCP_OUTCOME_PENDING, /* Not reached: interrupted, or no place under the
                          * limits came free. */
    DCP_OUTCOME_DONE,
    DCP_OUTCOME_ALREADY, /* Was so before; nothing was sent. */
    DCP_OUTCOME_FAILED,
    DCP_OUTCOME_SKIPPED, /* Waits for a step that failed. */
    DCP_OUTCOME_UNKNOWN,
    DCP_OUTCOME_OTHER_LEG,
};
const char *dcp_outcome_name(enum dcp_outcome); /* "done" ... */

struct dcp_run_step {
    enum dcp_outcome outcome;
    int64_t started_ms, ended_ms; /* 0: not. */
};

struct dcp_run_report {
    struct dcp_run_step *steps; /* By id - 1; owned. */
    uint32_t n_steps;           /* Of the leg. */
    uint32_t n_done, n_already, n_failed, n_skipped, n_unknown, n_pending;
    uint32_t n_stale;      /* Failed ones whose precondition did not hold. */
    uint32_t first_failed; /* Id; 0: none. */
    char first_failure[200];
    bool interrupted, aborted;
    bool late; /* Ended after the leg's deadline. */
    int64_t started_ms, ended_ms;
};

/* False only when the run itself could not go on (executor or journal broken,
 * out of memory, a kind of step that the executor cannot do); failed steps are
 * in the report.  The report is filled in either case. */
bool dcp_run_leg(const struct dcp_inventory *, const struct dcp_plan *,
                 struct dcp_executor *, const struct dcp_run_options *,
                 struct dcp_run_report *out, struct dcp_error *err) DCP_CHECKED;
void dcp_run_report_finish(struct dcp_run_report *);

/* All of the leg was carried out. */
static inline bool
dcp_run_complete(const struct dcp_run_report *r)
{
    return r->n_done + r->n_already == r->n_steps;
}

#endif /* executors/runner.h */
