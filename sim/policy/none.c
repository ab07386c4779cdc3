/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Policies that move nothing.
 *
 * none: all stays as it is, the yardstick of every comparison.
 * npa: as CloudSim's non-power-aware policy, all hosts are on; they draw what
 *   their curves say (CloudSim has them at full power; see --compat).
 * dvfs: as CloudSim's, hosts without VMs are off.  There such a host draws
 *   nothing at once; here it is shut down and draws its standby watts. */

#include "sim/policy/fleet.h"

#include <stdlib.h>
#include <string.h>

static bool
decide_none(struct dcp_sim_policy *policy, const struct dcp_sim *sim,
            struct dcp_wishes *out, struct dcp_error *err)
{
    (void)policy, (void)sim, (void)out, (void)err;
    return true;
}

static bool
decide_switch(const struct dcp_sim_policy *policy, const struct dcp_sim *sim,
              bool on, struct dcp_wishes *out, struct dcp_error *err)
{
    struct dcp_fleet f;

    if (!dcp_fleet_init(&f, policy->ground, sim, DCP_FLEET_LATEST, 0, out, err)) {
        return false;
    }
    bool ok = true;

    for (uint32_t i = 0; ok && i < f.inventory->n_hosts; i++) {
        uint32_t h = f.order[i];

        if (on && dcp_fleet_can_wake(&f, h)) {
            ok = dcp_fleet_wake(&f, h, err);
        } else if (!on && dcp_fleet_can_sleep(&f, h)) {
            ok = dcp_fleet_sleep(&f, h, err);
        }
    }
    dcp_fleet_finish(&f);
    return ok;
}

static bool
decide_npa(struct dcp_sim_policy *policy, const struct dcp_sim *sim,
           struct dcp_wishes *out, struct dcp_error *err)
{
    return decide_switch(policy, sim, true, out, err);
}

static bool
decide_dvfs(struct dcp_sim_policy *policy, const struct dcp_sim *sim,
            struct dcp_wishes *out, struct dcp_error *err)
{
    return decide_switch(policy, sim, false, out, err);
}

static void
destroy(struct dcp_sim_policy *policy)
{
    free(policy);
}

static const struct dcp_sim_policy_ops all[] = {
    { "none", "nothing is done", decide_none, destroy },
    { "npa", "nothing moves, all hosts on", decide_npa, destroy },
    { "dvfs", "nothing moves, hosts without VMs off", decide_dvfs, destroy },
};

struct dcp_sim_policy *
dcp_policy_none(const char *name, struct dcp_error *err)
{
    struct dcp_sim_policy *p = malloc(sizeof *p);

    if (!p) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a policy");
        return NULL;
    }
    *p = (struct dcp_sim_policy){ .ops = &all[0] };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (!strcmp(all[i].name, name)) {
            p->ops = &all[i];
        }
    }
    return p;
}
