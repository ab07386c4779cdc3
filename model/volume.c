/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/volume.h"

#include <math.h>

const char *
dcp_pool_resource_name(enum dcp_pool_resource r)
{
    return r == DCP_POOL_SPACE ? "space" : r < DCP_POOL_RATE ? "IOPS" : "rate";
}

const char *
dcp_pool_resource_unit(enum dcp_pool_resource r)
{
    return r == DCP_POOL_SPACE ? "MiB" : r < DCP_POOL_RATE ? "IO/s" : "KiB/s";
}

static uint32_t
part_of(enum dcp_pool_resource r)
{
    return ((uint32_t)r - DCP_POOL_IOPS) % DCP_DAY_PARTS;
}

const char *
dcp_pool_resource_hours(const struct dcp_demand *d, enum dcp_pool_resource r)
{
    static const char *const hours[DCP_DAY_PARTS] = { " from 00 to 06 h",
                                                      " from 06 to 12 h",
                                                      " from 12 to 18 h",
                                                      " from 18 to 24 h" };

    return r == DCP_POOL_SPACE || !d || !d->disk_part_kib_s ? ""
                                                            : hours[part_of(r)];
}

bool
dcp_pool_resource_counts(const struct dcp_demand *d, enum dcp_pool_resource r)
{
    return r == DCP_POOL_SPACE || !part_of(r) || (d && d->disk_part_kib_s);
}

enum dcp_pool_resource
dcp_pool_resource_peak(const uint64_t amounts[DCP_POOL_RESOURCES],
                       enum dcp_pool_resource of)
{
    uint32_t most = of;

    for (uint32_t k = 1; of != DCP_POOL_SPACE && k < DCP_DAY_PARTS; k++) {
        most = amounts[of + k] > amounts[most] ? of + k : most;
    }
    return (enum dcp_pool_resource)most;
}

/* Planned reads and writes of the VM; below 0: nothing was measured. */
static double
measured_kib_s(const struct dcp_demand *d, uint32_t vm)
{
    return d && d->disk_kib_s && d->disk_kib_s[vm] != UINT32_MAX
               ? (double)d->disk_kib_s[vm]
               : -1;
}

static double
measured_in_part(const struct dcp_demand *d, uint32_t vm, uint32_t part)
{
    uint32_t kib_s = d && d->disk_part_kib_s
                         ? d->disk_part_kib_s[(size_t)vm * DCP_DAY_PARTS + part]
                         : UINT32_MAX;

    return kib_s != UINT32_MAX ? (double)kib_s : measured_kib_s(d, vm);
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

/* What the volume asks where its VM is measured at 'kib_s' (below 0: is not).
 */
static void
ask_io(const struct dcp_inventory *inv, const struct dcp_volume *v,
       const struct declared *sum, double kib_s, uint64_t *out_iops,
       uint64_t *out_rate)
{
    double share = sum->kib_s > 0 ? (double)v->rate_kib_s / sum->kib_s
                   : sum->mib > 0 ? (double)v->size_mib / sum->mib
                                  : 0;

    *out_iops = v->iops;
    *out_rate = v->rate_kib_s;
    if (kib_s < 0) {
        return;
    }
    *out_rate = whole(kib_s * share);
    if (sum->iops <= 0 && inv->policy.storage.io_size_mib > 0) {
        *out_iops =
            whole(kib_s * share / (1024 * inv->policy.storage.io_size_mib));
    }
}

void
dcp_volume_request(const struct dcp_inventory *inv, const struct dcp_demand *d,
                   uint32_t ix, uint64_t out[DCP_POOL_RESOURCES])
{
    const struct dcp_volume *v = &inv->volumes[ix];
    struct declared sum = { 0 };

    if (!dcp_vm_is_none(v->vm)) {
        sum = declared_of(inv, &inv->vms[v->vm.ix]);
    }
    out[DCP_POOL_SPACE] = v->size_mib;
    for (uint32_t k = 0; k < DCP_DAY_PARTS; k++) {
        double kib_s =
            dcp_vm_is_none(v->vm) ? -1 : measured_in_part(d, v->vm.ix, k);

        ask_io(inv, v, &sum, kib_s, &out[DCP_POOL_IOPS + k],
               &out[DCP_POOL_RATE + k]);
    }
}

void
dcp_pool_limit(const struct dcp_pool *pool, uint64_t out[DCP_POOL_RESOURCES])
{
    out[DCP_POOL_SPACE] =
        pool->capacity_mib
            ? (uint64_t)((double)pool->capacity_mib * pool->thin_overcommit)
            : UINT64_MAX;
    for (uint32_t k = 0; k < DCP_DAY_PARTS; k++) {
        out[DCP_POOL_IOPS + k] = pool->iops ? pool->iops : UINT64_MAX;
        out[DCP_POOL_RATE + k] =
            pool->rate_kib_s ? pool->rate_kib_s : UINT64_MAX;
    }
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
    const struct declared sum = declared_of(inv, v);
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
        const struct dcp_volume *volume = &inv->volumes[v->first_volume + i];
        uint64_t own_iops, own_rate;

        if (!dcp_pool_is_none(volume->pool)) {
            ask_io(inv, volume, &sum, measured_kib_s(d, vm), &own_iops,
                   &own_rate);
            iops += (double)own_iops;
            kib_s += (double)own_rate;
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
