/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/capacity.h"

#include <math.h>

/* Which limits of paths to storage any hardware states. */
static void
path_limits(const struct dcp_inventory *inv, bool *out_iops, bool *out_rate)
{
    *out_iops = *out_rate = false;
    for (uint32_t i = 0; i < inv->n_hardware; i++) {
        *out_iops |= inv->hardware[i].storage_iops != 0;
        *out_rate |= inv->hardware[i].storage_kib_s != 0;
    }
}

static uint32_t
clamp_u32(double value)
{
    return value <= 0 ? 0 : value >= 4294967295.0 ? UINT32_MAX
                                                  : (uint32_t)value;
}

double
dcp_host_speed_factor(const struct dcp_inventory *inv, dcp_host_id host)
{
    return inv->hardware[inv->hosts[host.ix].hardware.ix].speed_factor;
}

struct dcp_capacity
dcp_host_capacity(const struct dcp_inventory *inv, dcp_host_id id)
{
    const struct dcp_host *host = &inv->hosts[id.ix];
    const struct dcp_hardware *hw = &inv->hardware[host->hardware.ix];
    struct dcp_capacity c = { 0 };
    double cores = (double)hw->sockets * hw->cores_per_socket;
    double mem_mib = (double)hw->mem_mib - (double)hw->huge_pages_mib;
    double mhz = cores * hw->clock_mhz * hw->speed_factor;
    double net_kib_s = 0;

    if (!dcp_hypervisor_is_none(host->hypervisor)) {
        const struct dcp_hypervisor *hv =
            &inv->hypervisors[host->hypervisor.ix];

        mem_mib -= hv->host_overhead_mib;
        mhz -= hv->host_overhead_mhz * hw->speed_factor;
    }
    for (uint32_t i = 0; i < hw->n_nics; i++) {
        net_kib_s += (double)hw->nic_kib_s[i];
    }
    c.cpu_mhz = clamp_u32(mhz);
    c.net_kib_s = clamp_u32(net_kib_s);
    c.scalar[DCP_SCALAR_MEM] = clamp_u32(mem_mib);
    c.scalar[DCP_SCALAR_VCPU] = clamp_u32(cores * 1000);
    c.scalar[DCP_SCALAR_RESERVED] = c.cpu_mhz;
    c.scalar[DCP_SCALAR_DISK] = clamp_u32((double)hw->disk_mib);
    c.scalar[DCP_SCALAR_HUGE] = clamp_u32((double)hw->huge_pages_mib);
    bool iops, rate;

    path_limits(inv, &iops, &rate);
    if (iops) {
        c.scalar[DCP_SCALAR_IOPS] = hw->storage_iops
                                        ? clamp_u32((double)hw->storage_iops)
                                        : UINT32_MAX;
    }
    if (rate) {
        c.scalar[DCP_SCALAR_IO] = hw->storage_kib_s
                                      ? clamp_u32((double)hw->storage_kib_s)
                                      : UINT32_MAX;
    }
    for (uint32_t i = 0; i < inv->n_extras; i++) {
        c.scalar[DCP_SCALAR_EXTRA + i] = hw->extras[i];
    }
    return c;
}

struct dcp_capacity
dcp_host_usable(const struct dcp_inventory *inv, dcp_host_id id)
{
    struct dcp_capacity c = dcp_host_capacity(inv, id);
    const struct dcp_policy *policy = &inv->policy;

    c.cpu_mhz = clamp_u32(floor(c.cpu_mhz * policy->target_cpu_frac));
    c.net_kib_s = clamp_u32(floor(c.net_kib_s * policy->target_net_frac));
    c.scalar[DCP_SCALAR_MEM] =
        clamp_u32(floor(c.scalar[DCP_SCALAR_MEM] * policy->target_mem_frac));
    return c;
}

void
dcp_vm_request(const struct dcp_inventory *inv, dcp_vm_id id,
               dcp_hypervisor_id hypervisor, uint32_t out[DCP_SCALARS_MAX])
{
    dcp_vm_request_at(inv, id, dcp_vm_size(inv, id.ix), hypervisor, out);
}

void
dcp_vm_request_at(const struct dcp_inventory *inv, dcp_vm_id id,
                  struct dcp_vm_size size, dcp_hypervisor_id hypervisor,
                  uint32_t out[DCP_SCALARS_MAX])
{
    const struct dcp_vm *vm = &inv->vms[id.ix];
    const struct dcp_tier *tier = &inv->tiers[vm->tier.ix];
    double mem_overcommit = tier->memory_overcommit;
    double cpu_overcommit = tier->cpu_overcommit;
    double mem_mib = (double)size.mem_mib - (double)vm->huge_pages_mib;
    double overhead_mib = 0, disk_mib = 0, iops = 0, io_kib_s = 0;
    bool limits_iops, limits_rate;

    if (!dcp_hypervisor_is_none(hypervisor)) {
        const struct dcp_hypervisor *hv = &inv->hypervisors[hypervisor.ix];

        overhead_mib = hv->vm_overhead_mib +
                       hv->vm_overhead_frac * (double)size.mem_mib;
        if (hv->dedicated) {
            mem_overcommit = 1;
            cpu_overcommit = 1;
        }
    }
    for (uint32_t i = 0; i < vm->n_volumes; i++) {
        const struct dcp_volume *v = &inv->volumes[vm->first_volume + i];

        if (dcp_pool_is_none(v->pool)) {
            disk_mib += (double)v->size_mib; /* On the host's own disks. */
        } else {
            iops += (double)v->iops;
            io_kib_s += (double)v->rate_kib_s;
        }
    }
    for (uint32_t i = 0; i < DCP_SCALARS_MAX; i++) {
        out[i] = 0;
    }
    out[DCP_SCALAR_MEM] =
        clamp_u32(ceil((mem_mib > 0 ? mem_mib : 0) / mem_overcommit +
                       overhead_mib));
    out[DCP_SCALAR_VCPU] = clamp_u32(ceil(size.vcpus * 1000 / cpu_overcommit));
    out[DCP_SCALAR_RESERVED] = vm->cpu_reservation_mhz;
    out[DCP_SCALAR_DISK] = clamp_u32(disk_mib);
    out[DCP_SCALAR_HUGE] = clamp_u32((double)vm->huge_pages_mib);
    path_limits(inv, &limits_iops, &limits_rate);
    out[DCP_SCALAR_IOPS] = limits_iops ? clamp_u32(iops) : 0;
    out[DCP_SCALAR_IO] = limits_rate ? clamp_u32(io_kib_s) : 0;
    for (uint32_t i = 0; i < inv->n_extras; i++) {
        out[DCP_SCALAR_EXTRA + i] = vm->extras[i];
    }
}

/* MHz of one vCPU on the host's clock, and reference MHz of one of these. */
static double
vcpu_clock_mhz(const struct dcp_inventory *inv, dcp_vm_id id, dcp_host_id host,
               double *out_factor)
{
    double clock_mhz = inv->vms[id.ix].vcpu_mhz;

    *out_factor = 1;
    if (!dcp_host_is_none(host)) {
        const struct dcp_hardware *hw =
            &inv->hardware[inv->hosts[host.ix].hardware.ix];

        *out_factor = hw->speed_factor;
        if (clock_mhz == 0) {
            clock_mhz = hw->clock_mhz;
        }
    }
    return clock_mhz == 0 ? 2000 : clock_mhz; /* Nothing says: a common clock. */
}

double
dcp_vm_vcpu_mhz(const struct dcp_inventory *inv, dcp_vm_id id, dcp_host_id host)
{
    double factor, clock_mhz = vcpu_clock_mhz(inv, id, host, &factor);

    return clock_mhz * factor;
}

uint32_t
dcp_vm_ceiling_mhz(const struct dcp_inventory *inv, dcp_vm_id id,
                   dcp_host_id host)
{
    const struct dcp_vm *vm = &inv->vms[id.ix];
    double factor, mhz = vm->vcpus * vcpu_clock_mhz(inv, id, host, &factor);

    if (vm->cpu_limit_mhz && vm->cpu_limit_mhz < mhz) {
        mhz = vm->cpu_limit_mhz;
    }
    return clamp_u32(ceil(mhz * factor));
}

const char *
dcp_scalar_name(const struct dcp_inventory *inv, uint32_t scalar)
{
    static const char *const names[] = {
        [DCP_SCALAR_MEM] = "memory",       [DCP_SCALAR_VCPU] = "vcpu",
        [DCP_SCALAR_RESERVED] = "reserved", [DCP_SCALAR_DISK] = "disk",
        [DCP_SCALAR_HUGE] = "huge_pages",  [DCP_SCALAR_IOPS] = "storage_iops",
        [DCP_SCALAR_IO] = "storage_rate",
    };

    if (scalar < DCP_SCALAR_EXTRA) {
        return names[scalar];
    }
    return scalar - DCP_SCALAR_EXTRA < inv->n_extras
               ? inv->extra_name[scalar - DCP_SCALAR_EXTRA]
               : "";
}

const char *
dcp_scalar_unit(uint32_t scalar)
{
    switch (scalar) {
    case DCP_SCALAR_MEM:
    case DCP_SCALAR_DISK:
    case DCP_SCALAR_HUGE:
        return "MiB";
    case DCP_SCALAR_VCPU:
        return "millicores";
    case DCP_SCALAR_RESERVED:
        return "MHz";
    case DCP_SCALAR_IOPS:
        return "IO/s";
    case DCP_SCALAR_IO:
        return "KiB/s";
    default:
        return "";
    }
}
