/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_CAPACITY_H
#define DCP_MODEL_CAPACITY_H 1

/* What a host offers and what a VM asks, in the resources that are packed.
 *
 * Two kinds of resource:
 * - *timed*: differs by slot and is planned from measured demand: CPU, and
 *   network where it was measured;
 * - *scalar*: one number whatever the hour: memory as allocated, vCPUs as
 *   allocated against the tier's overcommit, reserved CPU, local disk, huge
 *   pages, use of the paths to storage pools, named extras such as GPUs.
 *
 * CPU capacity = physical cores x clock x speed_factor, less the hypervisor's
 * own share.  Hyper-threads never count.  Demand is kept in the same unit,
 * "reference MHz": MHz measured on a host times that host's speed_factor, so
 * that demand seen on one generation is right on another.
 *
 * Pure functions: thread-safe. */

#include "model/size.h"

enum dcp_scalar {
    DCP_SCALAR_MEM,      /* MiB, as allocated, with the hypervisor's overhead,
                          * divided by the tier's memory_overcommit. */
    DCP_SCALAR_VCPU,     /* Thousandths of a core: vcpus / cpu_overcommit. */
    DCP_SCALAR_RESERVED, /* MHz guaranteed to VMs. */
    DCP_SCALAR_DISK,     /* MiB of the host's own disks. */
    DCP_SCALAR_HUGE,     /* MiB of huge pages. */
    DCP_SCALAR_IOPS,     /* Operations a second on volumes in pools, over the
                          * host's paths to storage. */
    DCP_SCALAR_IO,       /* KiB/s likewise. */
    DCP_SCALAR_EXTRA,    /* First of DCP_EXTRAS_MAX named resources. */
};
#define DCP_SCALARS_MAX (DCP_SCALAR_EXTRA + DCP_EXTRAS_MAX)

struct dcp_capacity {
    uint32_t cpu_mhz;   /* Reference MHz. */
    uint32_t net_kib_s; /* Sum of the host's NICs, one direction. */
    uint32_t scalar[DCP_SCALARS_MAX];
};

/* All that the host has for VMs: hypervisor overhead taken off. */
struct dcp_capacity dcp_host_capacity(const struct dcp_inventory *,
                                      dcp_host_id);
/* The share of it that placements may use: policy.target. */
struct dcp_capacity dcp_host_usable(const struct dcp_inventory *, dcp_host_id);

/* What 'vm' asks of a host under 'hypervisor' (none: no overhead), by enum
 * dcp_scalar.  Paths to storage are asked for as the model declares it, and
 * only where some hardware states what its paths carry; what was measured is
 * put in its place by model/volume.h.  Hardware that states nothing then has no
 * limit: UINT32_MAX. */
void dcp_vm_request(const struct dcp_inventory *, dcp_vm_id vm,
                    dcp_hypervisor_id hypervisor,
                    uint32_t out[DCP_SCALARS_MAX]);
/* The same at another size. */
void dcp_vm_request_at(const struct dcp_inventory *, dcp_vm_id vm,
                       struct dcp_vm_size, dcp_hypervisor_id hypervisor,
                       uint32_t out[DCP_SCALARS_MAX]);

/* Reference MHz of one MHz measured on the host. */
double dcp_host_speed_factor(const struct dcp_inventory *, dcp_host_id);
/* The most CPU the VM can use, in reference MHz of 'host' (none: factor 1):
 * vCPUs x clock, or its limit where that is lower. */
uint32_t dcp_vm_ceiling_mhz(const struct dcp_inventory *, dcp_vm_id vm,
                            dcp_host_id host);
/* One of its vCPUs, whatever its limit. */
double dcp_vm_vcpu_mhz(const struct dcp_inventory *, dcp_vm_id vm,
                       dcp_host_id host);

/* "memory", "vcpu", "gpu"; and the unit it is printed in. */
const char *dcp_scalar_name(const struct dcp_inventory *, uint32_t scalar);
const char *dcp_scalar_unit(uint32_t scalar);

#endif /* model/capacity.h */
