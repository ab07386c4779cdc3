/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/volume.h"

#include <math.h>

const char *
dcp_pool_resource_name(enum dcp_pool_resource r)
{
    return r == DCP_POOL_SPACE ? "space" : r == DCP_POOL_IOPS ? "IOPS" : "rate";
}

const char *
dcp_pool_resource_unit(enum dcp_pool_resource r)
{
    return r == DCP_POOL_SPACE ? "MiB" : r == DCP_POOL_IOPS ? "IO/s" : "KiB/s";
}

/* Planned reads and writes of the VM; below 0: nothing was measured. */
static double
measured_kib_s(const struct dcp_demand *d, uint32_t vm)
{
    return d && d->disk_kib_s && d->disk_kib_s[vm] != UINT32_MAX
               ? (double)d->disk_kib_s[vm]
               : -1;
}

/* Declared by the VM's volumes together, on pools and on the host's own. */
struct declared {
    double iops, kib_s, mib;
};

static struct declared
declared_of(const struct dcp_inventory *inv, const struct dcp_vm *vm)
{
    struct declared sum = { 0 };

    for (uint32_t i = 0; i < vm->n_volumes; i++) {
        const struct dcp_volume *v = &inv->volumes[vm->first_volume + i];

        sum.iops += (double)v->iops;
        sum.kib_s += (double)v->rate_kib_s;
        sum.mib += (double)v->size_mib;
    }
    return sum;
}

static uint64_t
whole(double x)
{
    return x <= 0 ? 0 : (uint64_t)ceil(x - 1e-6);
}

void
dcp_volume_request(const struct dcp_inventory *inv, const struct dcp_demand *d,
                   uint32_t ix, uint64_t out[DCP_POOL_RESOURCES])
{
    const struct dcp_volume *v = &inv->volumes[ix];

    out[DCP_POOL_SPACE] = v->size_mib;
    out[DCP_POOL_IOPS] = v->iops;
    out[DCP_POOL_RATE] = v->rate_kib_s;
    if (dcp_vm_is_none(v->vm)) {
        return;
    }
    double kib_s = measured_kib_s(d, v->vm.ix);

    if (kib_s < 0) {
        return;
    }
    struct declared sum = declared_of(inv, &inv->vms[v->vm.ix]);
    double share = sum.kib_s > 0 ? (double)v->rate_kib_s / sum.kib_s
                   : sum.mib > 0 ? (double)v->size_mib / sum.mib
                                 : 0;

    out[DCP_POOL_RATE] = whole(kib_s * share);
    if (sum.iops <= 0 && inv->policy.storage.io_size_mib > 0) {
        out[DCP_POOL_IOPS] =
            whole(kib_s * share / (1024 * inv->policy.storage.io_size_mib));
    }
}

void
dcp_pool_limit(const struct dcp_pool *pool, uint64_t out[DCP_POOL_RESOURCES])
{
    out[DCP_POOL_SPACE] =
        pool->capacity_mib
            ? (uint64_t)((double)pool->capacity_mib * pool->thin_overcommit)
            : UINT64_MAX;
    out[DCP_POOL_IOPS] = pool->iops ? pool->iops : UINT64_MAX;
    out[DCP_POOL_RATE] = pool->rate_kib_s ? pool->rate_kib_s : UINT64_MAX;
}

void
dcp_pool_usable(const struct dcp_inventory *inv, const struct dcp_pool *pool,
                uint64_t out[DCP_POOL_RESOURCES])
{
    const struct dcp_storage_policy *policy = &inv->policy.storage;

    dcp_pool_limit(pool, out);
    for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
        double frac =
            r == DCP_POOL_SPACE ? policy->space_frac : policy->io_frac;

        if (out[r] != UINT64_MAX) {
            out[r] = (uint64_t)((double)out[r] * frac);
        }
    }
}

void
dcp_volume_measured(const struct dcp_inventory *inv, const struct dcp_demand *d,
                    uint32_t vm, uint32_t request[DCP_SCALARS_MAX])
{
    const struct dcp_vm *v = &inv->vms[vm];
    double iops = 0, kib_s = 0;
    bool limited = false;

    if (!v->n_volumes || measured_kib_s(d, vm) < 0) {
        return;
    }
    for (uint32_t i = 0; i < inv->n_hardware && !limited; i++) {
        limited =
            inv->hardware[i].storage_iops || inv->hardware[i].storage_kib_s;
    }
    for (uint32_t i = 0; limited && i < v->n_volumes; i++) {
        uint64_t asks[DCP_POOL_RESOURCES];

        if (!dcp_pool_is_none(inv->volumes[v->first_volume + i].pool)) {
            dcp_volume_request(inv, d, v->first_volume + i, asks);
            iops += (double)asks[DCP_POOL_IOPS];
            kib_s += (double)asks[DCP_POOL_RATE];
        }
    }
    for (uint32_t i = 0; i < inv->n_hardware; i++) {
        if (inv->hardware[i].storage_iops) {
            request[DCP_SCALAR_IOPS] =
                iops < 4294967295.0 ? (uint32_t)iops : UINT32_MAX;
        }
        if (inv->hardware[i].storage_kib_s) {
            request[DCP_SCALAR_IO] =
                kib_s < 4294967295.0 ? (uint32_t)kib_s : UINT32_MAX;
        }
    }
}

bool
dcp_pool_opens_on(const struct dcp_inventory *inv, uint32_t pool, uint32_t host)
{
    const struct dcp_pool *p = &inv->pools[pool];
    dcp_hypervisor_id id = inv->hosts[host].hypervisor;

    if (!p->reach_all && !dcp_ids_contain(&p->reach, host)) {
        return false;
    }
    uint32_t transports =
        dcp_hypervisor_is_none(id) ? 0 : inv->hypervisors[id.ix].transports;

    return !transports || !p->transport || transports & p->transport;
}

enum dcp_pool_tier
dcp_volume_tier_in(const struct dcp_inventory *inv, const struct dcp_volume *v,
                   uint32_t pool)
{
    return v->tier == DCP_VOLUME_ANY
               ? inv->pools[pool].tier
               : (enum dcp_pool_tier)(v->tier - DCP_VOLUME_ARCHIVE);
}
