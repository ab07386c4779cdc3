/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_HOST_READY_H
#define DCP_SIM_HOST_READY_H 1

/* How the waiting of VMs for CPU is distributed over their samples: a count by
 * class for each VM that ever waited, for percentiles of any set of VMs.
 *
 * Classes are sixteen to a doubling, so a percentile is off by at most a
 * sixteenth, upwards: its class's upper end is given.  Below 1 in 4,096 all is
 * one class.  Samples in which a VM did not wait are not put in; their number
 * is given when asked.
 *
 * Different VMs may be added to by different threads at once. */

#include "model/base/arena.h"
#include "model/base/error.h"

#include <stdint.h>

enum { DCP_READY_OCTAVES = 12, DCP_READY_STEPS = 16 };
#define DCP_READY_CLASSES (DCP_READY_OCTAVES * DCP_READY_STEPS + 1)

struct dcp_ready_counts {
    uint64_t in[DCP_READY_CLASSES];
};

struct dcp_ready;

struct dcp_ready *
dcp_ready_create(uint32_t n_vms, struct dcp_error *err) DCP_CHECKED;
void dcp_ready_destroy(struct dcp_ready *); /* NULL is fine. */
DCP_DEFINE_AUTO(dcp_ready)

/* One sample in which the VM's vCPUs waited for 'frac' of the time, 0 to 1; 0
 * is not counted. */
bool dcp_ready_add(struct dcp_ready *, uint32_t vm, double frac,
                   struct dcp_error *err) DCP_CHECKED;

/* Adds the VM's counts to 'into'; false: it never waited. */
bool
dcp_ready_sum(const struct dcp_ready *, uint32_t vm, struct dcp_ready_counts *);

/* The nearest-rank percentile, 0 < p <= 1, of 'n_samples' of which those in
 * 'counts' are above 0.  0 where there are none. */
double dcp_ready_percentile(const struct dcp_ready_counts *, uint64_t n_samples,
                            double p);

#endif /* sim/host/ready.h */
