/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_STANDING_H
#define DCP_SOLVER_STANDING_H 1

/* A cheap look at whether it is worth to ask the solver again: how full planned
 * demand makes the fullest host where VMs are, and about how few hosts could
 * carry it.  For whoever asks often, as a policy in closed loop does.
 *
 * Both are hints, not proofs: CPU by slot and memory as allocated are looked
 * at, nothing else; rules, reach and headroom are not. The count of hosts is
 * the least k for which the k largest hosts have as much as all VMs ask for, in
 * the worst slot.  Answers mostly need more; they may do with fewer where VMs
 * are parked, get another hypervisor, or are judged by their joint history.
 *
 * O(VMs x slots + hosts log hosts). Pure; thread-safe. */

#include "model/demand.h"
#include "model/placement.h"

struct dcp_standing {
    /* Planned CPU over what policy lets a host carry, of the fullest host that
     * is on in its fullest slot of those that come soon; 0: no VM runs. */
    double fullest_frac;
    uint32_t hosts_at_least; /* All hosts, where even those do not do. */
};

/* Slots of the demand: [first, last) for how many hosts, [first, soon) for how
 * full they are. */
struct dcp_standing_slots {
    uint32_t first, soon, last;
};

/* False: no memory. */
bool
dcp_standing_look(const struct dcp_inventory *, const struct dcp_demand *,
                  const struct dcp_placement *, struct dcp_standing_slots,
                  struct dcp_standing *out, struct dcp_error *err) DCP_CHECKED;

#endif /* solver/standing.h */
