/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_PARK_H
#define DCP_MODEL_PARK_H 1

/* Which VMs may be parked: saved to disk or shut down for the night, and
 * running again by a time of day.  Declared under policy.parking; the first
 * entry that selects a VM counts.
 *
 * A parked VM uses neither CPU nor memory; a saved one uses as much disk as it
 * has memory.  VMs of an application go down in reverse of its start order and
 * come up in that order, and one may be parked only if all that start after it
 * are parked with it: what runs keeps what it stands on. */

#include "model/inventory.h"

/* What policy says of the VM; NULL: it is never parked. */
const struct dcp_park *dcp_park_of(const struct dcp_inventory *, uint32_t vm);

/* Whether the VM may be parked from 'from_ms' on and be restored by
 * 'until_ms': its window is open at the first, and it need not run before the
 * second. */
bool dcp_park_allows(const struct dcp_inventory *, const struct dcp_park *,
                     int64_t from_ms, int64_t until_ms);

/* How long saving or stopping it takes, and bringing it back. */
int64_t dcp_park_ms(const struct dcp_park *, const struct dcp_vm *);
int64_t dcp_restore_ms(const struct dcp_park *, const struct dcp_vm *);

/* MiB that it takes on disk while it is parked. */
uint64_t dcp_park_disk_mib(const struct dcp_park *, const struct dcp_vm *);
/* The pool that it is saved to: that of its first volume; none: not
 * modelled. */
dcp_pool_id dcp_park_pool(const struct dcp_inventory *, uint32_t vm);

/* The VM's place in its application's start order; 0 where it has none. */
uint32_t dcp_park_rank(const struct dcp_inventory *, uint32_t vm);

#endif /* model/park.h */
