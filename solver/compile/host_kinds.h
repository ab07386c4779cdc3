/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_COMPILE_HOST_KINDS_H
#define DCP_SOLVER_COMPILE_HOST_KINDS_H 1

/* Hosts that are the same to every VM that does not run there: of one
 * hypervisor and hardware model, on the same VLANs, in reach of the same pools.
 * What solver/compile/reach_parts.h says of one that a VM comes to it says of
 * all of its kind, so a VM asks once for each kind: at 10,000 hosts for dozens.
 *
 * By refining a partition, list after list: O(sum of what hosts have).  Exact,
 * no hashing.  Kinds are numbered in the order of their first hosts. */

#include "model/inventory.h"

struct dcp_host_kinds {
    uint32_t n;
    uint32_t *of_host; /* Kind by host. */
    uint32_t *example; /* By kind: its first host. */
};

bool dcp_host_kinds_make(const struct dcp_inventory *, struct dcp_host_kinds *,
                         struct dcp_error *err) DCP_CHECKED;
void dcp_host_kinds_finish(struct dcp_host_kinds *); /* All zeros is fine. */

#endif /* solver/compile/host_kinds.h */
