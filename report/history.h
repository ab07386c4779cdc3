/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_REPORT_HISTORY_H
#define DCP_REPORT_HISTORY_H 1

/* The measured history on two placements: as things are, and as the plan
 * would have them: in the local hours between the first leg's end and the last
 * leg's start the night's placement, else the last leg's.  Joint figures: the
 * sum over a host's VMs is taken sample by sample, so that peaks which do not
 * meet are not added.
 *
 * A VM that has no sample at all counts at its planned demand of the hour; a
 * missing sample of a VM that has others counts as 0 (the VM was not there).
 *
 * In-sample where the plan was fitted on this history: then it shows how well
 * the plan fits, not how well it will do. */

#include "report/timeline.h"

struct dcp_history_host {
    uint32_t host;
    double planned_frac;        /* Most planned load in the night's slots. */
    double p95_frac, peak_frac; /* Joint, of the night's samples. */
    double over_s;              /* Above capacity, all nights. */
};

struct dcp_history {
    bool present;
    bool in_sample;
    int64_t start_ms; /* First hour of the heat map. */
    uint32_t n_hours;
    uint8_t *heat[2];               /* [row * n_hours + hour] */
    struct dcp_history_host *hosts; /* On in the night; by inventory order. */
    uint32_t n_hosts;
    uint32_t n_nights, n_samples; /* Nights touched; night samples. */
    int64_t interval_ms;
    double over_host_s[2];  /* Above capacity in the night hours. */
    double night_host_s[2]; /* Host-seconds on in those hours. */
    double above_plan_frac; /* Host-samples above the host's planned load of
                             * that hour, of those compared. */
    uint32_t n_without_samples;
};

bool
dcp_history_make(const struct dcp_report_input *, const struct dcp_rows *,
                 const struct dcp_timeline *, struct dcp_arena *,
                 struct dcp_history *out, struct dcp_error *err) DCP_CHECKED;

#endif /* report/history.h */
