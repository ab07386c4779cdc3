/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Policies that keep hosts within limits of load.
 *
 * dpm: a reactive band, after VMware's Distributed Power Management ("VMware
 *   Distributed Power Management Concepts and Use", 2010): a host above 81 %
 *   of its CPU by the latest sample sheds VMs, on hosts woken for it if need
 *   be; where none is, hosts below 45 % are emptied and switched off, if what
 *   VMs used at most in the last 40 minutes keeps all others at 81 % or less.
 *   (63 % +- 18 %.)  DPM looks at memory in use as well, weighs costs against
 *   benefits of a switch, and takes the mean and two standard deviations of
 *   the 40 minutes; memory is hard here anyway.
 *
 * consolidate: the same with what VMs used at most in the last 24 hours
 *   against policy.target, and no lower limit: as few hosts as that greedy
 *   search finds.  Peaks of the past as sizes: Verma, Dasgupta, Nayak, De and
 *   Kothari, "Server workload analysis for power minimization using
 *   consolidation", USENIX ATC 2009, who find that the peak is what is safe. */

#include "model/base/arena.h"
#include "sim/policy/param.h"
#include "sim/policy/search.h"

#include <stdlib.h>
#include <string.h>

#define DPM_PAST_MS (40 * 60 * INT64_C(1000))

struct band {
    struct dcp_sim_policy base;
    double low_frac, high_frac; /* dpm. */
    int64_t past_ms;            /* consolidate. */
};

static double *
limits(const struct dcp_fleet *f, double frac, struct dcp_error *err)
{
    double *mhz = malloc(((size_t)f->inventory->n_hosts + 1) * sizeof *mhz);

    if (!mhz) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a policy");
        return NULL;
    }
    for (uint32_t h = 0; h < f->inventory->n_hosts; h++) {
        mhz[h] =
            frac > 0 ? frac * f->hosts[h].capacity_mhz : f->hosts[h].target_mhz;
    }
    return mhz;
}

static bool
decide_dpm(struct dcp_sim_policy *policy, const struct dcp_sim *sim,
           struct dcp_wishes *out, struct dcp_error *err)
{
    const struct band *band = (const struct band *)policy;
    struct dcp_fleet f;

    if (!dcp_fleet_init_heeding(&f, policy->ground, sim, DCP_FLEET_LATEST, 0, out, err)) {
        return false;
    }
    DCP_FREE double *limit = limits(&f, band->high_frac, err);
    bool ok = limit && dcp_fleet_relieve(&f, limit, err);

    dcp_fleet_finish(&f);
    if (!ok || out->n) {
        return ok;
    }
    if (!dcp_fleet_init_heeding(&f, policy->ground, sim, DCP_FLEET_PEAK, DPM_PAST_MS, out,
                                err)) {
        return false;
    }
    ok = dcp_fleet_drain(&f, limit, NULL, band->low_frac, err);
    dcp_fleet_finish(&f);
    return ok;
}

static bool
decide_consolidate(struct dcp_sim_policy *policy, const struct dcp_sim *sim,
                   struct dcp_wishes *out, struct dcp_error *err)
{
    const struct band *band = (const struct band *)policy;
    struct dcp_fleet f;

    if (!dcp_fleet_init_heeding(&f, policy->ground, sim, DCP_FLEET_PEAK, band->past_ms, out,
                                err)) {
        return false;
    }
    DCP_FREE double *limit = limits(&f, 0, err);
    bool ok = limit && dcp_fleet_relieve(&f, limit, err) &&
              dcp_fleet_drain(&f, limit, NULL, 1, err);

    dcp_fleet_finish(&f);
    return ok;
}

static void
destroy(struct dcp_sim_policy *policy)
{
    free(policy);
}

static const struct dcp_sim_policy_ops dpm_ops = { "dpm",
                                                   "reactive band of CPU load",
                                                   decide_dpm, destroy };
static const struct dcp_sim_policy_ops consolidate_ops = {
    "consolidate", "as few hosts as the last day's peaks need",
    decide_consolidate, destroy
};

static struct dcp_sim_policy *
create(struct band value, struct dcp_error *err)
{
    struct band *band = malloc(sizeof *band);

    if (!band) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a policy");
        return NULL;
    }
    *band = value;
    return &band->base;
}

struct dcp_sim_policy *
dcp_policy_dpm(const char *param, struct dcp_error *err)
{
    double low = 45, high = 81;
    const char *dash = param ? strchr(param, '-') : NULL;

    if (param &&
        (!dash || !dcp_policy_number(param, dash, 0, 100, &low) ||
         !dcp_policy_number(dash + 1, NULL, 0, 100, &high) || low >= high)) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "--policy dpm:%s: not a band in percent such as 45-81",
                       param);
        return NULL;
    }
    return create((struct band){ .base.ops = &dpm_ops,
                                 .low_frac = low / 100,
                                 .high_frac = high / 100 },
                  err);
}

struct dcp_sim_policy *
dcp_policy_consolidate(const char *param, struct dcp_error *err)
{
    double hours = 24;

    if (param && !dcp_policy_number(param, NULL, 0.01, 24 * 366, &hours)) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "--policy consolidate:%s: not a number of hours", param);
        return NULL;
    }
    return create((struct band){ .base.ops = &consolidate_ops,
                                 .past_ms = (int64_t)(hours * DCP_HOUR_MS) },
                  err);
}
