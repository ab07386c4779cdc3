/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_STORAGE_WHY_NOT_H
#define DCP_SOLVER_STORAGE_WHY_NOT_H 1

/* What stands against a volume being in a pool, where VMs and volumes are as a
 * placement has them; the volumes of its VM that go along count with it.  In
 * this order: its tier, the host of its VM, hosts where the VM could restart
 * (with headroom), disks that are to be apart, what the pool may hold, and what
 * policy lets be used of it.  Pure; thread-safe. */

#include "model/placement.h"
#include "model/volume.h"

struct dcp_volume_refusal {
    bool refused;
    bool by_policy; /* Only policy.storage stands against it. */
    char rule[32];  /* "pool_tier", "storage", "disks", "capacity", "space",
                     * "io". */
    char text[200];
    char remedy[200];  /* The least that would allow it. */
    double need, have; /* NaN: does not apply. */
    uint32_t n_along;  /* Volumes that move, itself among them. */
};

void dcp_volume_why_not(const struct dcp_inventory *, const struct dcp_demand *,
                        const struct dcp_placement *, uint32_t volume,
                        uint32_t pool, struct dcp_volume_refusal *out);

#endif /* solver/storage/why_not.h */
