/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_VOLUME_H
#define DCP_MODEL_VOLUME_H 1

/* What volumes ask of the pools that they are in, and VMs of their hosts'
 * paths to them: space as provisioned, operations a second, and throughput.
 *
 * Throughput is what was measured of the VM (planned reads and writes,
 * model/demand.h), shared out over its volumes as they declare it, by size
 * where none does; what it declares where nothing was measured.  Operations are
 * as declared; of a VM that declares none its throughput by
 * policy.storage.io_size, where that is given.
 *
 * Of pools both are counted apart for each part of the day (DCP_DAY_PARTS), so
 * that backups at night are told from the work of the day; what is declared,
 * and what a VM without samples in a part asks at all, counts in each.
 *
 * Pure functions: thread-safe. */

#include "model/capacity.h"
#include "model/demand.h"

enum dcp_pool_resource {
    DCP_POOL_SPACE,                                /* MiB. */
    DCP_POOL_IOPS,                                 /* First of its parts. */
    DCP_POOL_RATE = DCP_POOL_IOPS + DCP_DAY_PARTS, /* Likewise; KiB/s. */
};
#define DCP_POOL_RESOURCES (1 + 2 * DCP_DAY_PARTS)

const char *dcp_pool_resource_name(enum dcp_pool_resource); /* "space" ... */
const char *dcp_pool_resource_unit(enum dcp_pool_resource); /* "MiB" ... */
/* " from 06 to 12 h", where demand tells parts of the day apart; else "". */
const char *dcp_pool_resource_hours(const struct dcp_demand *,
                                    enum dcp_pool_resource);
/* Whether it is counted: without demand by parts of the day the first part of
 * each says all. */
bool dcp_pool_resource_counts(const struct dcp_demand *,
                              enum dcp_pool_resource);
/* The part of DCP_POOL_IOPS or DCP_POOL_RATE with most in 'amounts'. */
enum dcp_pool_resource
dcp_pool_resource_peak(const uint64_t amounts[DCP_POOL_RESOURCES],
                       enum dcp_pool_resource of);

/* What volume 'ix' asks, by enum dcp_pool_resource. */
void dcp_volume_request(const struct dcp_inventory *, const struct dcp_demand *,
                        uint32_t ix, uint64_t out[DCP_POOL_RESOURCES]);

/* What the pool may hold at most (space: capacity x thin_overcommit);
 * UINT64_MAX where nothing is stated. */
void dcp_pool_limit(const struct dcp_pool *, uint64_t out[DCP_POOL_RESOURCES]);

/* The same, of what policy.storage lets be used. */
void dcp_pool_usable(const struct dcp_inventory *, const struct dcp_pool *,
                     uint64_t out[DCP_POOL_RESOURCES]);

/* A row of dcp_vm_request(), with what was measured on the VM's paths. */
void
dcp_volume_measured(const struct dcp_inventory *, const struct dcp_demand *,
                    uint32_t vm, uint32_t request[DCP_SCALARS_MAX]);

/* Whether a host can open a pool: within its reach, by a transport that its
 * hypervisor has. */
bool
dcp_pool_opens_on(const struct dcp_inventory *, uint32_t pool, uint32_t host);

/* The tier of pools that the volume may be in, when it is in 'pool'. */
enum dcp_pool_tier dcp_volume_tier_in(const struct dcp_inventory *,
                                      const struct dcp_volume *, uint32_t pool);

#endif /* model/volume.h */
