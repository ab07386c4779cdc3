/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_FAILURE_AVAILABILITY_H
#define DCP_SIM_FAILURE_AVAILABILITY_H 1

/* What interruptions of VMs come to: time down by VM, availability of tiers and
 * applications against what was promised, how long recovery takes.  Pure.
 *
 * Availability is time up over the window.  VMs that were not running at its
 * start are not counted.  A tier's is the mean of its VMs', and what it
 * promised is promised to each of them.  An application is up while so many of
 * its VMs are as it needs, or all that are counted; planned absences are not
 * downtime.
 *
 * Recovery times are the lengths of interruptions, from the failure to the VM's
 * being up again.  Those that are not over by the end are longer than any that
 * is: a quantile that falls on one is NaN.  They are also counted in bins: each
 * takes those up to its limit that the one before did not take, the last those
 * above all limits; those that are not over are in none. */

#include "sim/failure/restart.h"

#include <stddef.h>

struct dcp_availability_of { /* A tier or an application. */
    uint32_t n_vms;          /* Counted. */
    double down_s;           /* Tier: mean of its VMs; application: any down. */
    double availability_frac; /* NaN: no VM counted. */
    double promised_frac;     /* 0: nothing. */
    uint32_t n_broken; /* Tier: VMs with less than promised in this window;
                        * application: 1 if that is so. */
};

#define DCP_RECOVERY_BINS 7
extern const double dcp_recovery_limits_s[DCP_RECOVERY_BINS - 1];

struct dcp_availability {
    double horizon_s;
    uint32_t n_vms;                   /* Counted. */
    double availability_frac;         /* Mean of VMs; NaN: none. */
    double down_vm_s, homeless_vm_s;  /* Sums over VMs. */
    uint32_t n_interruptions, n_open; /* Open: not over by the end. */
    uint32_t n_vms_hit;
    double recovery_p50_s, recovery_p90_s, recovery_p99_s, recovery_max_s;
    uint32_t recoveries[DCP_RECOVERY_BINS];

    double *vm_down_s; /* By VM. Owned, as are those below. */
    uint32_t n_tiers, n_applications;
    struct dcp_availability_of *tiers, *applications;
};

/* 'outages' of VMs as dcp_ha_vm_outages() gives them. */
bool
dcp_availability(const struct dcp_inventory *,
                 const struct dcp_placement *start,
                 const struct dcp_vm_outage outages[], uint32_t n_outages,
                 int64_t from_ms, int64_t to_ms, struct dcp_availability *out,
                 struct dcp_error *err) DCP_CHECKED;
void dcp_availability_finish(struct dcp_availability *);

struct dcp_span {
    int64_t from_ms, until_ms;
};
/* Milliseconds in [from_ms, to_ms) in which more than 'spare' of the spans are
 * under way: the downtime of a service that needs all but 'spare' of its
 * parts.  Sorts nothing of the caller's.  Negative: out of memory. */
int64_t dcp_time_below(const struct dcp_span spans[], uint32_t n,
                       uint32_t spare, int64_t from_ms, int64_t to_ms);

#endif /* sim/failure/availability.h */
