/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_PLAN_OPEN_H
#define DCP_CLI_PLAN_OPEN_H 1

/* What the `plan` commands start from: the model of -C and a plan for it. */

#include "cli/context.h"

struct dcp_plan_open {
    struct dcp_context context;
    struct dcp_plan *plan; /* Owned. */
};

/* Opens both.  A plan that was edited or names what is not in the model is
 * DCP_E_STALE; so is one of another lineage.  VMs that it has resized already
 * have the sizes that it found them with: the plan is judged, not what is. */
bool
dcp_plan_open(const struct dcp_globals *, const char *traces, const char *path,
              struct dcp_plan_open *out, struct dcp_error *err) DCP_CHECKED;
void dcp_plan_open_close(struct dcp_plan_open *);

/* Does the plan still start from how things are?  The model's text must be the
 * one planned for, and its serial the plan's, or that of a leg of this plan
 * that was carried out since ('*out_legs_done').  Else DCP_E_STALE. */
bool
dcp_plan_open_is_current(const struct dcp_plan_open *, uint32_t *out_legs_done,
                         struct dcp_error *err) DCP_CHECKED;

#endif /* cli/plan_open.h */
