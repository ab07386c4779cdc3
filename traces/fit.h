/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_FIT_H
#define DCP_TRACES_FIT_H 1

/* Usage history -> planned demand (model/demand.h), by the rules stated
 * there.  Also the raw samples of the same VMs, because a percentile of a sum
 * is not the sum of percentiles. */

#include "model/demand.h"
#include "model/placement.h"
#include "model/samples.h"
#include "traces/store.h"

/* The planned demand of 'inv' in 'slots' (whose buckets are of the policy's
 * scheme in the model's zone), fitted on whole samples in [from_ms, until_ms)
 * only.  INT64_MIN: from the beginning.  With 'from_ms' given (perfect
 * foresight: the night's own bounds) policy.min_history_ms does not apply.
 * 'start' says which host a VM's samples were measured on.
 *
 * Per VM, for CPU:
 * - A sample at 98 % of the VM's limit or above it is a lower bound of what
 *   the VM wanted.  It is counted and raised by at_limit_raise_frac (10 %)
 *   before anything else.  The limit is the capacity that the store recorded,
 *   or what the model lets the VM use, whichever is lower.  As planned demand
 *   ends at the model's ceiling, this matters for VMs that were given more
 *   since, and makes those that were not ask for all they have.
 * - Under policy.min_history_ms of samples: the highest, in every slot.
 * - Else each slot has its bucket's percentile, or peak_factor x its peak.  A
 *   bucket without samples takes the highest of the VM's other classes at
 *   that hour, else its highest bucket; counted by class.
 * - A VM that appears over a day after the history begins, or is last seen
 *   over a day before it ends, is fitted on its own time, and counted.
 * - No sample at all: dcp_demand_row_from_model().
 * - Beside it the mean of each slot's bucket, for what is to be expected.
 * Network is fitted alike on the larger direction of each sample, without a
 * ceiling; 0 where it was not measured.  Active memory is the p95 of all
 * samples, at least the balloon floor and the reservation, at most what is
 * allocated; allocated where it was not measured.  Reads and writes together
 * are the tier's percentile of all samples, with its margin.
 *
 * O(samples), in memory for 256 VMs' samples beside the result. */
struct dcp_demand *dcp_fit(struct dcp_store *, const struct dcp_inventory *,
                           const struct dcp_placement *start,
                           const struct dcp_slot slots[], uint32_t n_slots,
                           int64_t from_ms, int64_t until_ms,
                           struct dcp_error *err) DCP_CHECKED;

/* Samples whose cell begins in [from_ms, to_ms), as far as the store has them;
 * CPU in reference MHz as above, nothing raised.  All NaN where the store has
 * no such metric. */
bool dcp_samples_load(struct dcp_store *, enum dcp_metric,
                      const struct dcp_inventory *,
                      const struct dcp_placement *start, int64_t from_ms,
                      int64_t to_ms, struct dcp_samples *out,
                      struct dcp_error *err) DCP_CHECKED;
/* Each of them becomes the larger of what it is and another metric's at the
 * time; where either is missing, the other. */
bool dcp_samples_raise(struct dcp_store *, enum dcp_metric,
                       const struct dcp_inventory *,
                       const struct dcp_placement *start, struct dcp_samples *,
                       struct dcp_error *err) DCP_CHECKED;
void dcp_samples_finish(struct dcp_samples *);

/* CPU of VMs that have no sample at all in 's': their last one before it, as
 * its first.  Looks back day by day, to the store's start at most. */
bool dcp_samples_look_back(struct dcp_store *, const struct dcp_inventory *,
                           const struct dcp_placement *start,
                           struct dcp_samples *s,
                           struct dcp_error *err) DCP_CHECKED;

#endif /* traces/fit.h */
