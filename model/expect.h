/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_EXPECT_H
#define DCP_MODEL_EXPECT_H 1

/* What a plan is expected to save.
 *
 * A plan's own figures (struct dcp_plan_prediction) are at planned demand: a
 * high percentile of each VM with a margin, all at once, because that has to
 * fit.  What will be used is mostly less, and that is what the meter counts.
 * So the hours of the plan are played over the past: for each slot, the
 * instants of the history whose bucket is the slot's, each with what all VMs
 * used then, and the mean of what hosts would have drawn at them.  Watts bend
 * with load, so the mean of watts is not watts at the mean; nor do VMs peak
 * together.  Each instant counts alike; where they are too many, some are
 * chosen evenly in time.
 *
 * And by the plan's clock (model/plan_times.h): a host draws power until its
 * VMs are gone and it is down, and from the start of its boot, so the time
 * that legs take is not saved.  A VM counts at its new host from the end of
 * its move on.  At the meter: average PUE without the plan, marginal PUE on the
 * difference, by site; tariffs by slot.
 *
 * Not in it: CPU that moving takes, and steps that fail.  It is what to expect
 * of days like those of the history; docs/results/nights.md has what came of
 * it on days that plans had not seen.  Pure. */

#include "model/demand.h"
#include "model/plan.h"
#include "model/samples.h"

/* Instants of a slot at most. */
#define DCP_EXPECT_INSTANTS_MAX 480

/* Over the slots of 'demand', which begin with the plan.  'cpu': the history,
 * in reference MHz; a VM without a sample at an instant counts with its mean
 * in the slot (cpu_mean_mhz), and so do all VMs in a slot of which there is no
 * instant, or where 'cpu' is NULL.  All NaN where demand knows no means.
 * O(instants x (VMs + hosts)), and where steps run in a slot (steps x
 * instants). */
bool
dcp_expect(const struct dcp_inventory *, const struct dcp_demand *,
           const struct dcp_plan *, const struct dcp_samples *cpu,
           struct dcp_plan_expectation *out, struct dcp_error *err) DCP_CHECKED;

#endif /* model/expect.h */
