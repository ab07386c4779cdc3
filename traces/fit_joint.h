/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_FIT_JOINT_H
#define DCP_TRACES_FIT_JOINT_H 1

/* The joint history of a demand (model/scenarios.h) from the cells of a store:
 * the part of traces/fit.h that policy.overload asks for.
 *
 * Of each bucket that a slot asks for at most policy.overload.samples instants
 * are kept, evenly chosen in time: neighbours are alike, so leaving out every
 * other one loses little.  A bucket without history gets one scenario in which
 * every VM has its planned demand: there the sum of these must fit.
 *
 * What VMs want in one hour of one day is nearly one draw, however many samples
 * it has: after D days the next one is worse than all of them with a chance of
 * 1/(D + 1).  So a bucket that has samples of fewer days than policy.min_history
 * has gets one scenario as well, of every VM's highest sample in it. */

#include "traces/series.h"

struct dcp_joint_fit {
    uint32_t *cpu_mhz; /* The demand's rows, being filled. */
    uint32_t *cell;    /* By column; UINT32_MAX: no history. */
    uint8_t *few;      /* By slot: too few days, so the highest sample. */
};

/* Chooses the instants and attaches scenarios of zeros to 'demand'. */
bool dcp_joint_fit_init(struct dcp_joint_fit *, struct dcp_arena *scratch,
                        const struct dcp_series *, const struct dcp_policy *,
                        int64_t interval_ms, int64_t min_history_ms,
                        struct dcp_demand *, struct dcp_error *err) DCP_CHECKED;

/* The row of a VM whose samples are in 'series' and whose planned demand is in
 * 'mhz', which becomes the means of the row; samples are scaled by 'scale' and
 * end at 'most_mhz'. */
void dcp_joint_fit_vm(const struct dcp_joint_fit *, const struct dcp_series *,
                      const struct dcp_demand *, uint32_t vm, double scale,
                      double most_mhz, uint32_t mhz[]);

#endif /* traces/fit_joint.h */
