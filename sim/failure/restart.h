/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_FAILURE_RESTART_H
#define DCP_SIM_FAILURE_RESTART_H 1

/* High availability in virtual time: what outages of hosts do to VMs, and where
 * those are restarted.  It takes the events of plans or policies as they come,
 * and gives out the events that really happened, for the simulator.
 *
 * When a host goes down its VMs stop, migrations from and to it fail (a VM on
 * its way stays at its source), and steps at it fail.  After 'detect_ms' and
 * 'fence_ms' its VMs are restarted, by restart_priority, then the order in
 * which their application starts, then the model's order.  A VM is restarted
 * on the host with the largest share of its memory free that is on, reaches the
 * VM's disks and VLANs, and where no hard rule that policy wants kept after a
 * loss is broken; memory, reserved CPU, local disks, huge pages and extras are
 * hard, vCPU overcommit and CPU use are not.  A host starts at most 'at_once'
 * VMs at one time.  VMs without a home wait, and are tried again whenever
 * something changes.  Hosts that are off are not woken for them.
 *
 * A host that is mended boots, if it was on when it failed or should have come
 * on since, and does not get its VMs back by itself.  A VM with a disk on its
 * host's own disks waits for that host.
 *
 * Maintenance of a host: from its start the host takes no VMs, and those that
 * may move leave it live, to where a restart would go, as many at one time of
 * and into a host as policy.migration allows.  They share the network with each
 * other and with a plan's migrations, whose own times were set before and do
 * not change; what does not converge fails and is tried again.  Once empty the
 * host is switched off, and boots at the end, if no plan wanted it off since.
 * One with a VM that finds no place stays on: 'hosts_not_emptied' counts it; one
 * that fails meanwhile stays off until the end.
 *
 * What a plan wants is checked again: a step that an outage made impossible
 * (its VM is elsewhere, down or on its way, its target is off, full or
 * forbidden, its host not empty or too full for a larger VM) does not happen and
 * is counted.  Nor does maintenance move a VM that a plan is stopping or
 * resizing.
 *
 * Restarts are greedy: a VM without a home may have one in another assignment.
 * Not thread-safe. */

#include "sim/failure/failure.h"
#include "sim/failure/loss.h"
#include "sim/sim.h"

struct dcp_ha_options {
    int64_t detect_ms; /* Until a host is taken for dead; default 15 s. */
    int64_t fence_ms;  /* Until it surely is; default 60 s. */
    int64_t start_ms;  /* Of a VM and what runs in it; default 2 min. */
    uint32_t at_once;  /* Default 4. */
    /* Chances, of each wake of a host by a plan and of each migration. */
    double failed_boot_frac, failed_migration_frac;
    uint64_t seed;
};
void dcp_ha_options_default(struct dcp_ha_options *);

struct dcp_ha_input {
    const struct dcp_inventory *inventory;
    const struct dcp_placement *start; /* Copied; all else is borrowed. */
    const struct dcp_outages *hosts; /* As dcp_outages_of_hosts() gives them. */
    const struct dcp_outages *maintenance; /* Likewise; NULL: none. */
    struct dcp_ha_options options;
    /* KiB/s of VMs, which maintenance leaves what it takes of NICs; NULL: not
     * known, taken as none (model/transfers.h). */
    const struct dcp_samples *net;
};

struct dcp_ha;

struct dcp_ha *
dcp_ha_create(const struct dcp_ha_input *, struct dcp_error *err) DCP_CHECKED;
void dcp_ha_destroy(struct dcp_ha *);
DCP_DEFINE_AUTO(dcp_ha)

/* To 'until_ms': all up to and at it has happened.  Never back. */
bool dcp_ha_advance(struct dcp_ha *, int64_t until_ms,
                    struct dcp_error *err) DCP_CHECKED;
/* Advances to the event and takes it, if it can still happen; ascending.  Its
 * step is looked at until the step's end was taken. */
bool dcp_ha_take(struct dcp_ha *, const struct dcp_sim_event *,
                 struct dcp_error *err) DCP_CHECKED;

/* --- What happened so far; borrowed, until the next call ------------------ */

/* Ascending by time; steps are the plan's own or belong to 'ha'. */
const struct dcp_sim_event *
dcp_ha_events(const struct dcp_ha *, uint32_t *out_n);

/* Why no host that is on takes a VM: the least that would have to change. */
enum dcp_homeless {
    DCP_HOMELESS_NOT,   /* It was never without a home. */
    DCP_HOMELESS_DISK,  /* Its disk is on its own host. */
    DCP_HOMELESS_REACH, /* Pools, VLANs, CPU, hypervisor. */
    DCP_HOMELESS_RULES, /* Some host reaches all; a hard rule forbids it. */
    DCP_HOMELESS_ROOM,  /* Some host may take it, and is too full. */
};
#define DCP_HOMELESS_KINDS (DCP_HOMELESS_ROOM + 1)
const char *dcp_homeless_name(enum dcp_homeless); /* "room" ...; "none". */

struct dcp_vm_outage {
    int64_t from_ms, until_ms; /* INT64_MAX: not over. */
    int64_t homeless_ms;       /* Of it, with no host that could take it. */
    uint32_t vm;
    uint32_t host;         /* That it was lost with. */
    uint32_t outage;       /* Of the input. */
    enum dcp_homeless why; /* When it last came to be without a home. */
};
const struct dcp_vm_outage *
dcp_ha_vm_outages(const struct dcp_ha *, uint32_t *out_n);

struct dcp_ha_counts {
    uint32_t host_failures; /* Of hosts that were on or switching. */
    uint32_t restarts;
    uint32_t vms_down_max, vms_homeless_max;
    uint32_t vms_down, vms_homeless; /* Now. */
    uint32_t migrations_cut;         /* By an outage of source or target. */
    uint32_t migrations_failed;      /* By chance. */
    uint32_t migrations_given_up;    /* Of maintenance: did not converge. */
    uint32_t boots_failed;
    uint32_t hosts_emptied, hosts_not_emptied; /* By maintenance. */
    uint32_t steps_prevented; /* Of plans, by outages and what followed. */
};
struct dcp_ha_counts dcp_ha_counts(const struct dcp_ha *);

/* Adds the guests that migrations of maintenance slowed down by now to '*list'
 * of '*n', which the caller owns, but for those that it gave before. */
bool
dcp_ha_add_slowdowns(struct dcp_ha *, struct dcp_slowdown **list, uint32_t *n,
                     struct dcp_error *err) DCP_CHECKED;

/* Steps of plans that were refused, cut, or failed by chance. */
struct dcp_ha_loss {
    const struct dcp_step *step; /* As taken. */
    enum dcp_step_loss why;
};
const struct dcp_ha_loss *dcp_ha_losses(const struct dcp_ha *, uint32_t *out_n);

/* --- For who runs a plan in it (sim/executor.h) -----------------------------
 */

/* Why the step cannot begin now; NONE: it can. */
enum dcp_step_loss dcp_ha_judge(const struct dcp_ha *, const struct dcp_step *);
/* What a plan wants of a host that is down, on or off, holds once it is mended,
 * and of one that is off under maintenance at its end; nothing of other steps.
 */
void dcp_ha_remember(struct dcp_ha *, const struct dcp_step *);
/* Whether what the step wants is so now, and will not be: a VM that it stops is
 * down and will be restarted, a host that it switches off is booting. */
bool dcp_ha_undoes(const struct dcp_ha *, const struct dcp_step *);
/* When something happens next by itself; INT64_MAX: nothing. */
int64_t dcp_ha_next_ms(const struct dcp_ha *);

/* By host: 1 where it is down or under maintenance, so that nobody should want
 * anything of it. */
void dcp_ha_unfit(const struct dcp_ha *, uint8_t out[]);

/* --- All at once -------------------------------------------------------- */

/* Takes all 'events' up to and at 'to_ms' and goes on to it. */
bool
dcp_ha_run(struct dcp_ha *, const struct dcp_sim_event events[],
           uint32_t n_events, int64_t to_ms, struct dcp_error *err) DCP_CHECKED;

#endif /* sim/failure/restart.h */
