/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SCHEDULE_STEP_SPANS_H
#define DCP_SOLVER_SCHEDULE_STEP_SPANS_H 1

/* When change windows and freezes let a step run, within its leg.
 *
 * A step touches the VM or host that it is about and the hosts that it leads
 * from and to.  Its span is the first time within the leg in which all rules
 * about those are open, long enough for the step's estimate and a quarter
 * more.  Where they are open throughout the leg it has none to keep.
 *
 * Pure; thread-safe. */

#include "model/plan.h"

struct dcp_step_spans {
    const struct dcp_inventory *inventory;
    int64_t from_ms, until_ms;     /* The leg; equal: no rule is looked at. */
    const struct dcp_rule **rules; /* Not open all that time; owned. */
    uint32_t n_rules;
};

bool dcp_step_spans_init(struct dcp_step_spans *, const struct dcp_inventory *,
                         int64_t from_ms, int64_t until_ms,
                         struct dcp_error *err) DCP_CHECKED;
void dcp_step_spans_finish(struct dcp_step_spans *);

struct dcp_span {
    int64_t start_ms, end_ms;    /* 0: the leg's. */
    const struct dcp_rule *rule; /* One that it is for, or that forbids all. */
};

/* False: the step does not fit its rules within the leg. */
bool dcp_step_spans_of(const struct dcp_step_spans *, const struct dcp_step *,
                       struct dcp_span *out);

/* Gives the steps of leg 'leg' the times that they have to keep beside those
 * that they have; their text is from 'arena'.  A step that fits no time is left
 * alone: the caller judges the plan.  The spans are those of the leg's start
 * and deadline. */
bool dcp_step_spans_mark(const struct dcp_step_spans *, struct dcp_arena *,
                         struct dcp_step steps[], uint32_t n, uint32_t leg,
                         struct dcp_error *err) DCP_CHECKED;

/* Whether the rule is about what the step touches. */
bool dcp_step_is_touched_by(const struct dcp_step *, const struct dcp_rule *);

#endif /* solver/schedule/step_spans.h */
