/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_COMPILE_OVERLAY_H
#define DCP_SOLVER_COMPILE_OVERLAY_H 1

/* An inventory with a few more VMs in it: what a question about VMs that do
 * not exist yet is asked of.  All else is borrowed from the model, which must
 * outlive the overlay.
 *
 * A new VM obeys the rules that hold for every VM of its tier, of its tenant
 * or of one of its tags, because such a rule selects them and would select it;
 * gather rules excepted (nothing says with whom it would be).  A spread rule
 * counts so only where it lists two VMs or more.
 *
 * Immutable once made; thread-safe to read. */

#include "model/demand.h"
#include "model/placement.h"

struct dcp_overlay {
    struct dcp_arena *arena;        /* Owns what follows but the placement. */
    struct dcp_inventory inventory; /* Never destroyed: mostly borrowed. Its
                                     * maps by name do not know the copies. */
    struct dcp_demand demand;
    struct dcp_placement *placement; /* Owned; copies are not placed. */
    uint32_t first_vm, n_copies;     /* The copies' ids. */
};

/* 'n_copies' VMs like 'vm' (its name, volumes and host are not read), each
 * with 'volumes'.  Their demand is the model's rule for VMs without a trace.
 * 'vm' must name things of 'inventory'. */
bool
dcp_overlay_create(const struct dcp_inventory *inventory,
                   const struct dcp_demand *, const struct dcp_placement *,
                   const struct dcp_vm *vm, const struct dcp_volume volumes[],
                   uint32_t n_volumes, uint32_t n_copies,
                   struct dcp_overlay *out, struct dcp_error *err) DCP_CHECKED;
void dcp_overlay_finish(struct dcp_overlay *);

#endif /* solver/compile/overlay.h */
