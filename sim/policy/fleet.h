/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_POLICY_FLEET_H
#define DCP_SIM_POLICY_FLEET_H 1

/* A working picture of all hosts for a policy: what they would carry if what
 * was wished so far came true.  And the one place that says whether a VM may
 * go to a host:
 *
 * - every scalar (memory first of all) fits what policy lets be used, in any
 *   order of moves: who leaves a host is still counted there;
 * - the host serves, or is wished on, is not in maintenance, nor known to be
 *   broken;
 * - reach: hypervisor, CPU generation, NUMA, storage, VLANs as they are now,
 *   live migration between the two.
 *
 * CPU is for policies to judge, by 'mhz'.  Declared rules are judged over all
 * wishes by the loop; a policy heeds most of them beforehand if it says so. Not
 * thread-safe. */

#include "model/capacity.h"
#include "sim/policy/heed.h"
#include "sim/policy/policy.h"

#include <string.h>

struct dcp_fleet_host {
    bool serves; /* Is on, or wished on, and not wished off. */
    bool was_on; /* Serves now. */
    bool stays;  /* May not be switched off, whatever runs on it. */
    bool unfit;  /* Down or under maintenance: takes nothing, is left alone. */
    double mhz;  /* Demand of the VMs that it would have. */
    double capacity_mhz, target_mhz;
    uint32_t n_vms;          /* That it would have. */
    uint32_t arriving;       /* Of those: wished to it. */
    const uint32_t *vms_now; /* That are there now; borrowed. */
    uint32_t n_vms_now;
    uint32_t usable[DCP_SCALARS_MAX], asked[DCP_SCALARS_MAX];
};

struct dcp_fleet {
    const struct dcp_inventory *inventory; /* Borrowed. */
    const struct dcp_placement *now;
    struct dcp_wishes *wishes;    /* Borrowed; what is wished here is added. */
    struct dcp_fleet_host *hosts; /* Owned, as those below. */
    float *vm_mhz;                /* Demand by VM. */
    dcp_host_id *at;              /* By VM: where it would be. */
    const uint32_t *order;        /* The ground's. */
    struct dcp_heed *heed; /* Rules that are heeded; owned; NULL: none. */
};

/* Of two VMs between which nothing else decides. */
static inline bool
dcp_fleet_vm_first(const struct dcp_fleet *f, uint32_t a, uint32_t b)
{
    return strcmp(f->inventory->vms[a].name, f->inventory->vms[b].name) < 0;
}

/* What of the past counts as a VM's demand. */
enum dcp_fleet_demand { DCP_FLEET_LATEST, DCP_FLEET_PEAK };

/* 'past_ms': how far PEAK looks back. */
bool dcp_fleet_init(struct dcp_fleet *, const struct dcp_ground *,
                    const struct dcp_sim *, enum dcp_fleet_demand,
                    int64_t past_ms, struct dcp_wishes *,
                    struct dcp_error *err) DCP_CHECKED;
void dcp_fleet_finish(struct dcp_fleet *);
/* The same for a policy: it heeds declared rules (sim/policy/heed.h). */
bool
dcp_fleet_init_heeding(struct dcp_fleet *, const struct dcp_ground *,
                       const struct dcp_sim *, enum dcp_fleet_demand,
                       int64_t past_ms, struct dcp_wishes *,
                       struct dcp_error *err) DCP_CHECKED;

/* A VM moves once; where it was wished away from, it does not come back. */
bool dcp_fleet_fits(const struct dcp_fleet *, uint32_t vm, uint32_t host);
/* The two halves of it, for whoever asks about one VM and many hosts: scalars,
 * which are the cheaper one, and all the rest. */
struct dcp_fleet_ask { /* All 0 but for the VM at first. */
    uint32_t vm;
    bool known;
    dcp_hypervisor_id hypervisor;
    uint32_t request[DCP_SCALARS_MAX]; /* Under that hypervisor. */
};
bool dcp_fleet_has_room(const struct dcp_fleet *, struct dcp_fleet_ask *,
                        uint32_t host);
bool dcp_fleet_may_move(const struct dcp_fleet *, uint32_t vm, uint32_t host);
/* A host that is off and may be woken. */
bool dcp_fleet_can_wake(const struct dcp_fleet *, uint32_t host);
/* A host that serves, would be empty, and may be off. */
bool dcp_fleet_can_sleep(const struct dcp_fleet *, uint32_t host);

/* Wishes; false: no memory. */
bool dcp_fleet_move(struct dcp_fleet *, uint32_t vm, uint32_t host,
                    struct dcp_error *err) DCP_CHECKED;
bool dcp_fleet_wake(struct dcp_fleet *, uint32_t host,
                    struct dcp_error *err) DCP_CHECKED;
bool dcp_fleet_sleep(struct dcp_fleet *, uint32_t host,
                     struct dcp_error *err) DCP_CHECKED;
/* Takes back all wishes after the first 'n'. */
void dcp_fleet_undo(struct dcp_fleet *, uint32_t n);

#endif /* sim/policy/fleet.h */
