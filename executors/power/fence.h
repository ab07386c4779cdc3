/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_POWER_FENCE_H
#define DCP_EXECUTORS_POWER_FENCE_H 1

/* Fencing: takes the power of a host away for certain, so that what it ran may
 * be started elsewhere.  It is for hosts that have failed and can no longer be
 * asked; no step of a plan does it.
 *
 * Levels are tried in turn.  A level is a set of devices that feed the host
 * together: its BMC; or all outlets of its power supplies, as far as those
 * speak IPMI or Redfish.  Each must say that it is whom it is taken for.  Only
 * "off" is asked for, never "cycle", which may report itself done before the
 * power was gone.  A level has fenced the host when all its devices were read
 * off twice, some time apart, and none said anything else between; what they
 * acknowledge proves nothing.
 *
 * The proof holds until somebody switches the host on: the caller sees to
 * that.  Without proof nothing may be restarted.
 *
 * Blocks, for as long as the levels' tries take; it forks.  One thread. */

#include "executors/power/bmc.h"

struct dcp_fence_device { /* Borrowed. */
    const struct dcp_bmc *bmc;
    const char *uuid; /* That it has to say. */
};

struct dcp_fence_level {
    const char *name; /* For people: "BMC", "outlets". */
    const struct dcp_fence_device *devices;
    uint32_t n_devices;
};

struct dcp_fence_options {
    const struct dcp_fence_level *levels;
    uint32_t n_levels;
    const char *ipmitool;
    int64_t look_ms, act_ms; /* What a call may take. */
    int64_t poll_ms;         /* Between looks. */
    int64_t off_gap_ms;      /* Between the two times that all are off. */
    int64_t try_ms;          /* From one "off" to the next. */
    uint32_t n_tries;        /* Of each level. */
};
/* No levels; looks a second apart, six between the two, three tries of 20 s. */
void dcp_fence_options_default(struct dcp_fence_options *out);

struct dcp_fence_report {
    bool fenced;
    uint32_t level;  /* That proved it. */
    uint32_t n_sent; /* Times that "off" was asked of a device. */
    int64_t off_ms;  /* First of the readings that prove it, and the last; by */
    int64_t proven_ms; /* dcp_boot_ms(). */
    char text[240];    /* Why not: the last trouble of the last level. */
};

/* False only when it could not be tried at all; that a host is not fenced is an
 * answer. */
bool dcp_fence(const struct dcp_fence_options *, struct dcp_fence_report *out,
               struct dcp_error *err) DCP_CHECKED;

#endif /* executors/power/fence.h */
