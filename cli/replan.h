/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_REPLAN_H
#define DCP_CLI_REPLAN_H 1

/* Makes a plan as `consolidate` does, for commands that need one for another
 * night: `simulate --backtest`, policies in closed loop. */

#include "cli/context.h"

struct dcp_replan_options {
    struct dcp_window window;
    bool has_window;          /* Else one leg, for policy.horizon. */
    int64_t after_ms;         /* The first window that begins after this. */
    int64_t history_from_ms;  /* INT64_MIN: all there is. */
    int64_t history_until_ms; /* Demand is fitted before this only. */
    const char *goals;        /* "cost", "hosts,moves"; NULL: the policy's. */
    double gap_frac;          /* Stop at this gap; 0: as good as possible. */
    double time_limit_s;      /* 0: 30 s. */
    bool expects;             /* The plan says what to expect of it. */
    uint64_t max_moves;       /* 0: no limit. */
    /* Demand of each VM is multiplied by exp(x), x uniform in
     * [-perturb, perturb]: for tests of stability. */
    double perturb_frac;
    /* Covers the plan's time; NULL: demand is learned anew. */
    const struct dcp_demand *learned;
};
void dcp_replan_options_default(struct dcp_replan_options *);

/* The plan from 'start' (NULL: the model's present placement).  *out is NULL
 * when there is nothing to do (then *out_status says "nothing_to_do") or no
 * answer ("infeasible", "timeout"). False: the question could not be
 * answered. */
bool dcp_replan(const struct dcp_globals *, struct dcp_context *,
                const struct dcp_placement *start,
                const struct dcp_replan_options *, struct dcp_plan **out,
                const char **out_status, struct dcp_error *err) DCP_CHECKED;

#endif /* cli/replan.h */
