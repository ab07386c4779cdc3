/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_SAMPLES_H
#define DCP_MODEL_SAMPLES_H 1

/* What VMs ask for over time, in one metric: measured (traces/fit.h) or
 * planned. */

#include <stdint.h>

/* Of all the model's VMs, time-major rows of VMs in reference MHz for CPU:
 * value[t * n_vms + vm]; NaN where missing or where the VM has no trace. */
struct dcp_samples {
    int64_t start_ms, interval_ms;
    uint32_t n_times, n_vms;
    float *value; /* Its maker's. */
};

/* The cell of a grid that begins at 'start_ms' in which 'at_ms' is; negative
 * before it.  'interval_ms' is positive. */
static inline int64_t
dcp_grid_cell(int64_t start_ms, int64_t interval_ms, int64_t at_ms)
{
    int64_t past_ms = at_ms - start_ms;

    return past_ms / interval_ms - (past_ms % interval_ms < 0);
}

static inline int64_t
dcp_samples_cell(const struct dcp_samples *s, int64_t at_ms)
{
    return dcp_grid_cell(s->start_ms, s->interval_ms, at_ms);
}

#endif /* model/samples.h */
