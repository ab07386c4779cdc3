/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_JOINT_H
#define DCP_TRACES_JOINT_H 1

/* What hosts would have carried: the raw samples of the VMs placed on each,
 * added up instant by instant.  Beside the plan's sum of per-VM percentiles
 * this is what a host's load would have been, because VMs do not all peak
 * together.  In-sample where the samples are those the plan was fitted on. */

#include "model/placement.h"
#include "traces/fit.h"

struct dcp_joint {
    uint32_t n_hosts;
    uint32_t n_instants;  /* Sampled instants of the slots' buckets. */
    uint64_t n_missing;   /* VM samples that were missing: counted as 0. */
    float *p95_mhz, *peak_mhz; /* By host, reference MHz; owned. */
};

/* Loads of 'placement' at all instants of 'cpu' whose bucket is one of the
 * slots [first_slot, last_slot) of 'demand'. */
bool dcp_joint_compute(const struct dcp_inventory *, const struct dcp_demand *,
                       uint32_t first_slot, uint32_t last_slot,
                       const struct dcp_samples *cpu,
                       const struct dcp_placement *placement,
                       struct dcp_joint *out, struct dcp_error *err)
    DCP_CHECKED;
void dcp_joint_finish(struct dcp_joint *);

#endif /* traces/joint.h */
