/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_SIZE_H
#define DCP_MODEL_SIZE_H 1

/* Sizes of VMs that a plan changes: how many vCPUs and how much memory a VM
 * was given, before and after a vm_resize step.
 *
 * All that counts sizes (capacity, licences, rules, reach) reads them from an
 * inventory.  So a plan that resizes has two: the one that it starts from and
 * the same with other sizes, dcp_inventory_with_sizes().  Nothing else differs
 * between them.
 *
 * Measured use does not shrink with a VM: taking idle vCPUs away frees no MHz,
 * only what was allocated.  A VM that gets more vCPUs may use them, so its
 * planned demand grows (dcp_demand_with_sizes()).
 *
 * Thread-safe: pure functions. */

#include "model/inventory.h"

struct dcp_demand;

struct dcp_vm_size {
    uint32_t vcpus;
    uint64_t mem_mib; /* As allocated. */
};

static inline struct dcp_vm_size
dcp_vm_size(const struct dcp_inventory *inv, uint32_t vm)
{
    return (struct dcp_vm_size){ inv->vms[vm].vcpus, inv->vms[vm].mem_mib };
}

static inline bool
dcp_vm_size_eq(struct dcp_vm_size a, struct dcp_vm_size b)
{
    return a.vcpus == b.vcpus && a.mem_mib == b.mem_mib;
}

/* The smaller, and the larger, of each resource. */
struct dcp_vm_size dcp_vm_size_least(struct dcp_vm_size, struct dcp_vm_size);
struct dcp_vm_size dcp_vm_size_most(struct dcp_vm_size, struct dcp_vm_size);

/* "8 vCPUs, 16 GiB"; returns 'out'. */
const char *dcp_vm_size_print(struct dcp_vm_size, char *out, size_t size);

/* The inventory with VMs of the sizes 'sizes' (by VM).  It borrows all else
 * from 'inv', which must outlive it; free() it when done.  NULL: out of
 * memory. */
struct dcp_inventory *
dcp_inventory_with_sizes(const struct dcp_inventory *inv,
                         const struct dcp_vm_size sizes[],
                         struct dcp_error *err) DCP_CHECKED;

/* A VM planned at this share of all it could use, or above, is at its limit:
 * nobody knows what more it wanted. */
#define DCP_SIZE_AT_LIMIT_FRAC 0.9

/* The demand of 'was', fitted with the VMs' old sizes, where they have those of
 * 'inv'.  A VM that has more vCPUs is planned, in the slots (and samples of the
 * joint history) in which it was at its limit, with as much more as its ceiling
 * is higher; all other demand is as it was.  '*out' borrows from 'was', which
 * must outlive it; NULL: no VM's ceiling is higher, 'was' serves as it is. */
bool
dcp_demand_with_sizes(const struct dcp_demand *was,
                      const struct dcp_inventory *inv_was,
                      const struct dcp_inventory *inv, struct dcp_demand **out,
                      struct dcp_error *err) DCP_CHECKED;

#endif /* model/size.h */
