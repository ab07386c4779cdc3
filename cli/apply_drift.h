/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_APPLY_DRIFT_H
#define DCP_CLI_APPLY_DRIFT_H 1

/* How the present differs from what a leg starts from: by the model's own book
 * (.dcplan), and by looking at the world through an executor. */

#include "cli/command.h"
#include "executors/executor.h"
#include "model/io/json_writer.h"

struct dcp_drift {                     /* One difference. */
    const char *kind, *name, *planned; /* Borrowed of the inventory. */
    char found[160];
    bool unseen; /* Could not be looked at: not known to differ. */
};

struct dcp_drifts {
    struct dcp_drift *items; /* Owned. */
    uint32_t n, capacity;
    uint32_t n_unseen; /* Of them. */
};
void dcp_drifts_finish(struct dcp_drifts *);

/* By the book: VMs on other hosts, hosts on or off. */
bool dcp_drift_of_model(const struct dcp_inventory *,
                        const struct dcp_placement *planned,
                        const struct dcp_placement *now, struct dcp_drifts *add,
                        struct dcp_error *err) DCP_CHECKED;

/* By observation of each VM and each host, through those kinds of steps that
 * the executor can do (vm_start, host_on, host_off; their id is 0, they are
 * none of the plan's and are only looked at).  A VM that the leg starts with
 * nowhere is not looked at. */
bool
dcp_drift_of_world(const struct dcp_inventory *,
                   const struct dcp_placement *planned, struct dcp_executor *,
                   struct dcp_drifts *add, struct dcp_error *err) DCP_CHECKED;

/* Steps of the leg that cannot be seen although the hosts that they need are
 * on from its start; each is one warning.  Returns how many. */
uint32_t
dcp_drift_unseen_steps(const struct dcp_globals *, const struct dcp_inventory *,
                       const struct dcp_plan *, uint32_t leg,
                       struct dcp_executor *);

/* As warnings; the first 'most' of them. */
void dcp_drift_warn(const struct dcp_globals *, const struct dcp_drifts *,
                    uint32_t most);
/* What `apply --drift` says: text or JSON on standard output; its exit
 * status. */
int
dcp_drift_tell(const struct dcp_globals *, const struct dcp_plan *,
               uint32_t leg, const struct dcp_drifts *, struct dcp_error *err);

#endif /* cli/apply_drift.h */
