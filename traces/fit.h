/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_FIT_H
#define DCP_TRACES_FIT_H 1

/* Usage history -> planned demand (model/demand.h), by the rules stated
 * there.  Also the raw samples of the same VMs, because a percentile of a sum
 * is not the sum of percentiles. */

#include "model/demand.h"
#include "model/placement.h"
#include "traces/store.h"

/* Samples of all the model's VMs in one metric, time-major rows of VMs in
 * reference MHz for CPU: value[t * n_vms + vm]; NaN where missing or where the
 * VM has no trace. */
struct dcp_samples {
    int64_t start_ms, interval_ms;
    uint32_t n_times, n_vms;
    float *value; /* Owned. */
};

/* The planned demand of 'inv' in 'slots', fitted on the samples before
 * 'until_ms' only (and, for perfect foresight, from 'from_ms': pass the
 * night's own bounds; INT64_MIN: from the beginning).  'start' says which host
 * a VM's samples were measured on. */
struct dcp_demand *dcp_fit(struct dcp_store *, const struct dcp_inventory *,
                           const struct dcp_placement *start,
                           const struct dcp_slot slots[], uint32_t n_slots,
                           int64_t from_ms, int64_t until_ms,
                           struct dcp_error *err) DCP_CHECKED;

/* CPU samples of [from_ms, to_ms), converted as above. */
bool dcp_samples_load(struct dcp_store *, enum dcp_metric,
                      const struct dcp_inventory *,
                      const struct dcp_placement *start, int64_t from_ms,
                      int64_t to_ms, struct dcp_samples *out,
                      struct dcp_error *err) DCP_CHECKED;
void dcp_samples_finish(struct dcp_samples *);

#endif /* traces/fit.h */
