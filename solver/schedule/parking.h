/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SCHEDULE_PARKING_H
#define DCP_SOLVER_SCHEDULE_PARKING_H 1

/* Parking (model/park.h) in plans: which VMs are away for a night, and what
 * their steps wait for. */

#include "model/park.h"
#include "model/placement.h"

/* Marks in 'out_absent' (by VM, zeroed) what is parked from 'from_ms' on and
 * back by 'until_ms': all that policy lets be parked, but a VM with a disk of
 * its own on its host, one that a hard rule roots or that a hard rule that
 * holds always counts (other than in pairs), one whose dependents stay up, and
 * one whose memory has no room in its pool.  Returns how many. */
uint32_t dcp_parking_choose(const struct dcp_inventory *, int64_t from_ms,
                            int64_t until_ms, uint8_t out_absent[]);

/* VMs that 'to' parks, in the order in which they go: 'out' has room for all
 * VMs.  Returns how many. */
uint32_t
dcp_parking_list(const struct dcp_inventory *, const struct dcp_placement *from,
                 const struct dcp_placement *to, uint32_t out[]);
/* Whether the VM comes back only after another of its application that is
 * still away. */
bool dcp_parking_comes_later(const struct dcp_inventory *,
                             const uint32_t *host_of_vm,
                             const struct dcp_placement *to, uint32_t vm);

/* What park and restore steps of one leg wait for: the one of the same
 * application before them, and the one that is so many back in the same pool
 * (or on the same host), so that no more run at one time. */
struct dcp_parking_waits {
    const struct dcp_inventory *inv;
    uint32_t at_once;
    uint32_t *ring;   /* [place * at_once]: the last step ids. */
    uint32_t *count;  /* By place: pools, then hosts. */
    uint32_t *of_app; /* By application: its last step. */
};
bool dcp_parking_waits_init(struct dcp_parking_waits *,
                            const struct dcp_inventory *);
void dcp_parking_waits_finish(struct dcp_parking_waits *);
/* Ids of steps, 0 where there is none. */
void dcp_parking_waits_get(const struct dcp_parking_waits *, uint32_t vm,
                           uint32_t host, uint32_t out[2]);
void dcp_parking_waits_add(struct dcp_parking_waits *, uint32_t vm,
                           uint32_t host, uint32_t step);

#endif /* solver/schedule/parking.h */
