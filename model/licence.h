/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_LICENCE_H
#define DCP_MODEL_LICENCE_H 1

/* How many units of each licence a placement needs, by the product's own
 * counting rule (docs/formulas.md cites each vendor's page).  Pure. */

#include "model/placement.h"

struct dcp_licence_need {
    double units;      /* Required. */
    double owned;
    double short_units; /* max(0, units - owned). */
    uint32_t n_hosts, n_vms; /* Hosts that need it, covered VMs placed. */
};

/* Units that one host needs when it runs 'n_vms' covered VMs with 'n_vcpus'
 * in all; 0 where n_vms is 0 (unless scope makes it count: caller's call). */
double dcp_licence_host_units(const struct dcp_inventory *,
                              const struct dcp_licence *, dcp_host_id,
                              uint32_t n_vms, uint32_t n_vcpus);

/* The need of one licence over several placements that hold one after another
 * (a night and a day): by scope, placed = the largest of the placements,
 * ever_placed = every host that ran a covered VM in any of them, reachable =
 * every host in 'reachable' (by licence, NULL: all hosts). */
void dcp_licence_count(const struct dcp_inventory *, uint32_t licence,
                       const struct dcp_placement *const placements[],
                       uint32_t n_placements,
                       struct dcp_licence_need *out);

/* Money for all licences over 'horizon_ms', pro rata of a year of 365.25
 * days.  Owned units cost as well: they are compared, not bought. */
double dcp_licence_cost(const struct dcp_inventory *,
                        const struct dcp_placement *const placements[],
                        uint32_t n_placements, int64_t horizon_ms);

#endif /* model/licence.h */
