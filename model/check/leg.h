/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_CHECK_LEG_H
#define DCP_MODEL_CHECK_LEG_H 1

/* One leg of a plan, turned round: which VM is on which host between which
 * steps, and what switches a host.  Internal to model/check/. */

#include "model/check/cells.h"
#include "model/check/order.h"

/* A VM on a host, from the start of step 'in' (0: since before the leg) to the
 * end of step 'out' (0: beyond the leg). */
struct dcp_stay {
    uint32_t vm, host, in, out;
};

/* A volume in a pool likewise; only of volumes that have steps. */
struct dcp_volume_stay {
    uint32_t volume, pool, in, out;
};

struct dcp_leg_view {
    const struct dcp_judge *j;
    struct dcp_check_order *order;
    uint32_t index;
    uint32_t first_id, end_id; /* Steps [first_id, end_id). */
    const struct dcp_placement *start;
    struct dcp_placement *end; /* What the steps give. Owned. */
    struct dcp_cells cells;

    struct dcp_arena *arena; /* Owns what follows. */
    struct dcp_stay *stays;  /* Of VMs that have steps: by VM, in time. */
    uint32_t n_stays;
    uint32_t *vm_stay;      /* By VM: its first stay, or UINT32_MAX. */
    uint32_t *host_first;   /* By host, into host_stays; n_hosts + 1. */
    uint32_t *host_stays;   /* Stays of each host, ascending. */
    uint32_t *switch_first; /* By host, into switch_ids; n_hosts + 1. */
    uint32_t *switch_ids;   /* HOST_ON and HOST_OFF, ascending. */
    uint32_t *n_fixed;      /* By host: VMs that are there all the leg. */
    struct dcp_volume_stay *volume_stays;
    uint32_t n_volume_stays;
    bool sound;             /* Every step starts from where its VM is. */
};

/* The steps' form: ids, waits, objects, legs' times, limits.  False in
 * '*out_sound': the steps cannot be followed, and nothing more is judged. */
bool dcp_structure_check(const struct dcp_judge *, bool *out_sound) DCP_CHECKED;

/* Follows the listed order from 'start', reporting steps that do not fit and
 * steps of one VM, or switches of one host, that are in no order. */
bool dcp_leg_init(struct dcp_leg_view *, const struct dcp_judge *,
                  struct dcp_check_order *, uint32_t index,
                  const struct dcp_placement *start) DCP_CHECKED;
void dcp_leg_finish(struct dcp_leg_view *);

static inline const struct dcp_step *
dcp_leg_step(const struct dcp_leg_view *leg, uint32_t id)
{
    return &leg->j->plan->steps[id - 1];
}

/* The parts of the judgement of one leg; each reports what it finds. */
bool dcp_capacity_check(struct dcp_leg_view *,
                        const struct dcp_placement *base) DCP_CHECKED;
bool dcp_switch_check(struct dcp_leg_view *) DCP_CHECKED;
bool dcp_vlan_check(struct dcp_leg_view *) DCP_CHECKED;
bool dcp_pools_check(struct dcp_leg_view *) DCP_CHECKED;
/* model/check/volumes_check.c: fills volume_stays and end->pool; then what the
 * leg says of volumes, and where they may be. 'from': where it was when
 * the plan was made, whose tier it keeps; 'step' 0: none. */
bool dcp_volumes_follow(struct dcp_leg_view *) DCP_CHECKED;
void dcp_volumes_compare_after(const struct dcp_leg_view *);
bool dcp_volumes_check(struct dcp_leg_view *,
                       const struct dcp_placement *base) DCP_CHECKED;
void dcp_volume_tier_check(const struct dcp_judge *, uint32_t volume,
                           dcp_pool_id from, dcp_pool_id pool, uint32_t step);
void dcp_moves_check(const struct dcp_leg_view *);
/* Migrations take the time that the network needs for them. */
bool dcp_network_check(const struct dcp_leg_view *) DCP_CHECKED;
/* Moves have the CPU that they take on both their hosts. */
bool dcp_move_cpu_check(struct dcp_leg_view *) DCP_CHECKED;
bool dcp_always_check(struct dcp_leg_view *) DCP_CHECKED;
/* Racks and feeds; 'peak_mhz' is the most load of each host in any state,
 * [host * n_slots + slot]. */
bool
dcp_watts_check(struct dcp_leg_view *, const uint64_t *peak_mhz) DCP_CHECKED;
/* One placement, on its own: every rack and feed with a limit. */
bool dcp_watts_placement(const struct dcp_cells *,
                         const struct dcp_placement *) DCP_CHECKED;
bool dcp_pools_placement(const struct dcp_judge *,
                         const struct dcp_placement *) DCP_CHECKED;
/* Units of licences at the leg's end, where policy.licences says owned. */
bool dcp_licences_check(const struct dcp_leg_view *) DCP_CHECKED;
bool dcp_licences_placement(const struct dcp_judge *,
                            const struct dcp_placement *) DCP_CHECKED;
bool dcp_survive_check(struct dcp_leg_view *) DCP_CHECKED;
/* Of the whole plan: fills 'resize' (by VM, zeroed) and judges what is resized,
 * and to what. */
void dcp_resize_check(const struct dcp_judge *, uint32_t resize[]);
/* VMs of one application, or that a hard spread rule keeps apart, restart one
 * after another. */
bool dcp_restarts_check(const struct dcp_judge *,
                        struct dcp_check_order *) DCP_CHECKED;
bool dcp_park_check(const struct dcp_judge *,
                    struct dcp_check_order *) DCP_CHECKED;
/* Of the whole plan: who gets another hypervisor does so by a conversion. */
bool dcp_conversions_check(const struct dcp_judge *) DCP_CHECKED;
bool dcp_no_boot_check(struct dcp_leg_view *) DCP_CHECKED;

/* The slots of the demand that overlap [start_ms, end_ms); false: they do not
 * cover it. */
bool dcp_leg_slots(const struct dcp_demand *, int64_t start_ms, int64_t end_ms,
                   uint32_t *out_first, uint32_t *out_last);

#endif /* model/check/leg.h */
