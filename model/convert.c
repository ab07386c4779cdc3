/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/convert.h"

const char *
dcp_capability_name(enum dcp_capability capability)
{
    static const char *const names[DCP_CAPABILITIES] = {
        [DCP_CAPABILITY_UEFI] = "uefi",
        [DCP_CAPABILITY_SECURE_BOOT] = "secure_boot",
        [DCP_CAPABILITY_VTPM] = "vtpm",
        [DCP_CAPABILITY_PASSTHROUGH] = "passthrough",
        [DCP_CAPABILITY_SRIOV] = "sriov",
        [DCP_CAPABILITY_VGPU] = "vgpu",
        [DCP_CAPABILITY_NESTED] = "nested",
        [DCP_CAPABILITY_CPU_HOTPLUG] = "cpu_hotplug",
        [DCP_CAPABILITY_MEMORY_HOTPLUG] = "memory_hotplug",
        [DCP_CAPABILITY_FAULT_TOLERANCE] = "fault_tolerance",
        [DCP_CAPABILITY_SNAPSHOTS] = "snapshots",
        [DCP_CAPABILITY_LIVE_MIGRATION] = "live_migration",
    };

    return names[capability];
}

uint32_t
dcp_capability_lacking(const struct dcp_inventory *inv, uint32_t vm,
                       dcp_hypervisor_id hypervisor)
{
    uint32_t needs = inv->vms[vm].needs, first = 0;

    if (!needs || dcp_hypervisor_is_none(hypervisor)) {
        return DCP_CAPABILITIES;
    }
    needs &= ~inv->hypervisors[hypervisor.ix].capabilities;
    while (first < DCP_CAPABILITIES && !(needs >> first & 1)) {
        first++;
    }
    return first;
}

const struct dcp_conversion *
dcp_conversion_of(const struct dcp_inventory *inv, uint32_t vm,
                  dcp_hypervisor_id from, dcp_hypervisor_id to)
{
    for (uint32_t i = 0; i < inv->n_conversions; i++) {
        const struct dcp_conversion *c = &inv->conversions[i];

        if (dcp_hypervisor_eq(c->from, from) && dcp_hypervisor_eq(c->to, to) &&
            dcp_ids_contain(&c->vms, vm)) {
            return c;
        }
    }
    return NULL;
}

bool
dcp_conversion_between(const struct dcp_inventory *inv, dcp_host_id from,
                       dcp_host_id to)
{
    return !dcp_host_is_none(from) && !dcp_host_is_none(to) &&
           !dcp_hypervisor_eq(inv->hosts[from.ix].hypervisor,
                              inv->hosts[to.ix].hypervisor);
}

int64_t
dcp_conversion_ms(const struct dcp_inventory *inv,
                  const struct dcp_conversion *c, uint32_t vm)
{
    const struct dcp_vm *v = &inv->vms[vm];
    double kib = 0;

    for (uint32_t i = 0; i < v->n_volumes; i++) {
        kib += (double)inv->volumes[v->first_volume + i].size_mib * 1024;
    }
    return c->fixed_ms +
           (int64_t)(c->rate_kib_s ? kib * 1000 / (double)c->rate_kib_s : 0);
}

double
dcp_conversion_cost(const struct dcp_conversion *c, int64_t horizon_ms)
{
    double share =
        c->payback_ms ? (double)horizon_ms / (double)c->payback_ms : 1;

    return c->cost * (share < 1 ? share : 1);
}

int64_t
dcp_conversion_open_ms(const struct dcp_inventory *inv,
                       const struct dcp_conversion *c, int64_t at_ms)
{
    int64_t end_ms = c->window.to_min * INT64_C(60000);

    if (!c->has_window) {
        return INT64_MAX;
    }
    struct dcp_local local = dcp_zone_local(inv->zone, at_ms);

    if (!dcp_window_contains(&c->window, local.ms_of_day)) {
        return 0;
    }
    return dcp_zone_instant(inv->zone,
                            local.day + (local.ms_of_day >= end_ms), end_ms) -
           at_ms;
}
