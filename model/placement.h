/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_PLACEMENT_H
#define DCP_MODEL_PLACEMENT_H 1

/* Which VM runs where, which hosts are on, and where a plan changes some, the
 * sizes of VMs and which volume is in which pool.  Plain columns, cheap to copy.
 * Totals per host are kept by those who need them (the solver's state,
 * the simulator); the checker recounts its own.
 *
 * Not thread-safe; distinct placements may be used by distinct threads. */

#include "model/size.h"

struct dcp_placement {
    uint32_t n_vms, n_hosts;
    dcp_host_id *host; /* By VM; none: not placed. Owned. */
    uint8_t *on;       /* By host: 1 on, 0 off or in maintenance. Owned. */
    struct dcp_vm_size *size; /* By VM; NULL: all as the inventory has them.
                               * Owned. */
    uint32_t n_volumes; /* Of 'pool'; 0 where it is NULL. */
    dcp_pool_id *pool;  /* By volume; NULL: as the inventory says. Owned. */
};

/* Every VM unplaced, every host that is 'up' on.  NULL: out of memory. */
struct dcp_placement *dcp_placement_create(const struct dcp_inventory *,
                                           struct dcp_error *err) DCP_CHECKED;
/* As the model states it: 'host:' of each VM. */
struct dcp_placement *dcp_placement_start(const struct dcp_inventory *,
                                          struct dcp_error *err) DCP_CHECKED;
struct dcp_placement *dcp_placement_copy(const struct dcp_placement *,
                                         struct dcp_error *err) DCP_CHECKED;
void dcp_placement_destroy(struct dcp_placement *);

/* The VM's size in this placement. */
struct dcp_vm_size dcp_placement_size(const struct dcp_inventory *,
                                      const struct dcp_placement *,
                                      uint32_t vm);
/* Gives one VM another size.  False: out of memory. */
bool dcp_placement_resize(struct dcp_placement *, const struct dcp_inventory *,
                          uint32_t vm, struct dcp_vm_size,
                          struct dcp_error *err) DCP_CHECKED;
/* Gives the placement a column of pools of its own, as the inventory says;
 * does nothing where it has one. */
bool dcp_placement_own_pools(struct dcp_placement *,
                             const struct dcp_inventory *,
                             struct dcp_error *err) DCP_CHECKED;
static inline dcp_pool_id
dcp_placement_pool(const struct dcp_placement *p,
                   const struct dcp_inventory *inv, uint32_t volume)
{
    return volume < p->n_volumes ? p->pool[volume] : inv->volumes[volume].pool;
}
/* Volumes whose pool differs. */
uint32_t dcp_placement_n_volumes_moved(const struct dcp_placement *from,
                                       const struct dcp_placement *to,
                                       const struct dcp_inventory *);

uint32_t dcp_placement_n_on(const struct dcp_placement *);
/* VMs whose host differs. */
uint32_t dcp_placement_n_moved(const struct dcp_placement *from,
                               const struct dcp_placement *to);

/* VMs by host in one pass: the VMs of host h are
 * vms[first[h]] .. vms[first[h + 1] - 1], ascending.  Both arrays are the
 * caller's: n_hosts + 1 and n_vms long. */
void dcp_placement_by_host(const struct dcp_placement *, uint32_t first[],
                           uint32_t vms[]);

DCP_DEFINE_AUTO(dcp_placement)

#endif /* model/placement.h */
