/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_MIGRATION_H
#define DCP_MODEL_MIGRATION_H 1

/* How a live migration goes: iterative pre-copy, as QEMU does it.
 *
 * V_0 = memory; T_i = V_i / R; V_(i+1) = min(D T_i, W), with dirty rate D,
 * bandwidth R, writable working set W (Clark et al., NSDI 2005; Akoush et al.,
 * MASCOTS 2010; Liu et al., HPDC 2011).  A round ends where all that was dirty
 * at its start is sent; then
 *
 * - if what became dirty can be sent within the downtime limit at the
 *   bandwidth of that moment, the VM stops for it, and resumes;
 * - else a round more.  With auto-converge, where at least a second has passed
 *   and more than half of what was sent became dirty again, for the second
 *   time, the guest's CPU is throttled: by 20 %, then by 10 % more each time,
 *   to 99 % (migration_trigger_throttle() and the parameters' defaults in
 *   QEMU).  D is taken to fall as the CPU does;
 * - whoever watches gives up after a time by memory: the VM stays where it is,
 *   or is stopped for all that is left.  OpenStack's and KubeVirt's default is
 *   800 s per GiB, of 2 GiB at least as OpenStack has it.
 *
 * Bandwidth may change at any time: a run is advanced piece by piece.  Without
 * limits by rounds, D < R and W = V, the closed form is V / (R - D) but for
 * the last stop.  Pure: thread-safe. */

#include <stdbool.h>
#include <stdint.h>

#define DCP_PRECOPY_DOWNTIME_MS 300 /* QEMU's default downtime-limit. */
#define DCP_PRECOPY_RESUME_MS   20
#define DCP_PRECOPY_TIMEOUT_MS  800000 /* Per GiB. */

enum dcp_precopy_timeout {
    DCP_PRECOPY_GIVE_UP, /* The VM stays where it is. */
    DCP_PRECOPY_PAUSE,   /* It stops for all that is left. */
};
struct dcp_precopy_rules {
    int64_t downtime_ms;        /* Limit; 0: DCP_PRECOPY_DOWNTIME_MS. */
    int64_t timeout_ms_per_gib; /* 0: DCP_PRECOPY_TIMEOUT_MS. */
    bool auto_converge;
    enum dcp_precopy_timeout at_timeout;
};

struct dcp_precopy {
    double mem_mib, dirty_mib_s, bandwidth_mib_s;
    double working_set_mib; /* 0: a tenth of the memory. */
    struct dcp_precopy_rules rules;
};
/* Of a VM, with the policy's rules; without a bandwidth.  Where its dirty rate
 * is not known, 10 MiB/s for each vCPU are assumed. */
struct dcp_inventory;
struct dcp_precopy dcp_precopy_of(const struct dcp_inventory *, uint32_t vm);

struct dcp_precopy_result {
    int64_t total_ms, downtime_ms; /* Up to its end or to when it was given up;
                                    * downtime is 0 then. */
    uint32_t rounds;
    double sent_mib;
    double throttle_frac; /* At the end. */
    double throttled_s;   /* CPU time that throttling took of each vCPU. */
    bool converged;       /* Downtime limit kept without a forced stop. */
    bool given_up;
};

/* At one bandwidth, taken as 0.001 MiB/s at least. */
struct dcp_precopy_result dcp_precopy_estimate(const struct dcp_precopy *);

/* --- Piece by piece ----------------------------------------------------- */

enum dcp_precopy_phase {
    DCP_PRECOPY_COPYING,
    DCP_PRECOPY_STOPPED, /* The VM stands still for the rest. */
    DCP_PRECOPY_DONE,
    DCP_PRECOPY_GIVEN_UP,
};

struct dcp_precopy_run { /* Plain data; a copy is a run of its own. */
    struct dcp_precopy_rules rules; /* With defaults filled in. */
    enum dcp_precopy_phase phase;
    double mem_mib, dirty_mib_s, working_set_mib;
    double timeout_s;
    double left_mib; /* Of this round, or of the stop. */
    double round_s;  /* Since the round began. */
    double copying_s, stopped_s, throttled_s;
    double resume_s; /* Left of resuming. */
    double sent_mib;
    double throttle_frac;
    double period_s, period_sent_mib, period_dirty_mib; /* Since throttling was
                                                         * thought about. */
    uint32_t high_periods, rounds;
    bool forced;
};

/* 'bandwidth_mib_s' is not looked at. */
void dcp_precopy_begin(struct dcp_precopy_run *, const struct dcp_precopy *);
/* 'seconds' pass at that bandwidth, which may be 0. */
void dcp_precopy_advance(struct dcp_precopy_run *, double seconds,
                         double bandwidth_mib_s);
/* The same up to the next thing that happens: a round ends, the throttle may
 * be another.  Returns the time that took; of a run that ended, 0. */
double dcp_precopy_advance_some(struct dcp_precopy_run *, double seconds,
                                double bandwidth_mib_s);
/* Of the whole, were the bandwidth to stay so; total_ms counts from its begin.
 * INT64_MAX: it never ends, because there is no bandwidth. */
struct dcp_precopy_result
dcp_precopy_ahead(const struct dcp_precopy_run *, double bandwidth_mib_s);
bool dcp_precopy_ended(const struct dcp_precopy_run *);
/* So far, or of the whole once it ended. */
struct dcp_precopy_result dcp_precopy_result(const struct dcp_precopy_run *);

/* --- At once ------------------------------------------------------------ */

/* How many migrations of and into a host may be under way together: so many
 * for each 10 Gbit/s of its fastest NIC, one at least.  UINT32_MAX: any number,
 * as 'per_10gbit' is 0 or it has no NIC. */
struct dcp_hardware;
uint32_t dcp_migration_units(const struct dcp_hardware *, uint32_t per_10gbit);

#endif /* model/migration.h */
