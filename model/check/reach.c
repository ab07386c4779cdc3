/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/check/reach.h"

#include "model/check/judge.h"
#include "model/convert.h"
#include "model/volume.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct dcp_hypervisor *
hypervisor_of(const struct dcp_inventory *inv, uint32_t host)
{
    dcp_hypervisor_id id = inv->hosts[host].hypervisor;

    return dcp_hypervisor_is_none(id) ? NULL : &inv->hypervisors[id.ix];
}

static bool
hypervisor_refuses(const struct dcp_inventory *inv, const struct dcp_vm *vm,
                   uint32_t host, char text[120])
{
    const struct dcp_hypervisor *hv = hypervisor_of(inv, host);

    if (vm->hypervisors.n &&
        (!hv ||
         !dcp_ids_contain(&vm->hypervisors, inv->hosts[host].hypervisor.ix))) {
        (void)snprintf(text, 120, "hypervisor %s is not one it may run on",
                       hv ? hv->name : "(none)");
        return true;
    }
    for (uint32_t k = 0; hv && k < DCP_CAPABILITIES; k++) {
        if (vm->needs >> k & 1 && !(hv->capabilities >> k & 1)) {
            (void)snprintf(text, 120, "hypervisor %.60s is not capable of %s",
                           hv->name, dcp_capability_name(k));
            return true;
        }
    }
    bool vt = inv->hardware[inv->hosts[host].hardware.ix].vt;

    if (vm->windows && ((hv && !hv->windows) || !vt)) {
        (void)snprintf(text, 120, "a Windows guest needs %s",
                       vt ? "another hypervisor" : "hardware virtualisation");
        return true;
    }
    if (hv && hv->needs_vt && !vt) {
        (void)snprintf(text, 120, "hypervisor %s needs hardware virtualisation",
                       hv->name);
        return true;
    }
    return false;
}

static bool
generation_refuses(const struct dcp_inventory *inv, const struct dcp_vm *vm,
                   const struct dcp_hardware *hw, char text[120])
{
    if (!vm->cpu_generation_min[0]) {
        return false;
    }
    uint32_t least = dcp_inventory_generation(inv, vm->cpu_generation_min);
    uint32_t have = dcp_inventory_generation(inv, hw->cpu_generation);

    if (have != UINT32_MAX && least != UINT32_MAX && have >= least) {
        return false;
    }
    (void)snprintf(text, 120,
                   "CPU generation %s is not known to be %s or later",
                   hw->cpu_generation[0] ? hw->cpu_generation : "(not given)",
                   vm->cpu_generation_min);
    return true;
}

static bool
numa_refuses(const struct dcp_vm *vm, const struct dcp_hardware *hw,
             char text[120])
{
    uint32_t nodes = hw->numa_nodes ? hw->numa_nodes : 1;
    uint64_t cores = (uint64_t)hw->sockets * hw->cores_per_socket / nodes;
    uint64_t mem_mib = hw->mem_mib / nodes;

    if (!vm->single_numa_node ||
        (vm->vcpus <= cores && vm->mem_mib <= mem_mib)) {
        return false;
    }
    (void)snprintf(text, 120,
                   "does not fit one NUMA node of %" PRIu64
                   " cores and %" PRIu64 " MiB",
                   cores, mem_mib);
    return true;
}

static bool
storage_refuses(const struct dcp_inventory *inv,
                const struct dcp_placement *volumes, const struct dcp_vm *vm,
                uint32_t host, char text[120])
{
    const struct dcp_hypervisor *hv = hypervisor_of(inv, host);

    for (uint32_t i = 0; i < vm->n_volumes; i++) {
        uint32_t ix = vm->first_volume + i;
        dcp_pool_id id = volumes ? dcp_placement_pool(volumes, inv, ix)
                                 : inv->volumes[ix].pool;

        if (dcp_pool_is_none(id)) {
            continue; /* On the host's own disks: a capacity. */
        }
        const struct dcp_pool *pool = &inv->pools[id.ix];

        if (!pool->reach_all && !dcp_ids_contain(&pool->reach, host)) {
            (void)snprintf(text, 120, "pool %s is not reachable", pool->name);
            return true;
        }
        if (hv && hv->transports && pool->transport &&
            !(hv->transports & pool->transport)) {
            (void)snprintf(text, 120,
                           "hypervisor %s cannot open the transport of pool %s",
                           hv->name, pool->name);
            return true;
        }
    }
    return false;
}

bool
dcp_check_volumes_open(const struct dcp_placement *p,
                       const struct dcp_inventory *inv, uint32_t vm,
                       uint32_t host, char text[120])
{
    const struct dcp_vm *v = &inv->vms[vm];

    for (uint32_t i = 0; p->pool && i < v->n_volumes; i++) {
        dcp_pool_id pool = dcp_placement_pool(p, inv, v->first_volume + i);

        if (!dcp_pool_is_none(pool) &&
            !dcp_pool_opens_on(inv, pool.ix, host)) {
            (void)snprintf(text, 120, "pool %s is not reachable",
                           inv->pools[pool.ix].name);
            return false;
        }
    }
    return true;
}

const char *
dcp_check_reach_refusal(const struct dcp_inventory *inv,
                        const struct dcp_placement *volumes, uint32_t vm,
                        uint32_t host, char text[120])
{
    const struct dcp_vm *v = &inv->vms[vm];
    const struct dcp_hardware *hw =
        &inv->hardware[inv->hosts[host].hardware.ix];

    return hypervisor_refuses(inv, v, host, text) ? "hypervisor"
           : generation_refuses(inv, v, hw, text) ? "cpu_generation"
           : numa_refuses(v, hw, text)            ? "numa"
           : storage_refuses(inv, volumes, v, host, text) ? "storage"
                                                          : NULL;
}

const char *
dcp_check_reach_move_refusal(const struct dcp_inventory *inv, uint32_t vm,
                             uint32_t from, uint32_t to, bool cold,
                             char text[120])
{
    const struct dcp_hypervisor *a = hypervisor_of(inv, from);
    const struct dcp_hypervisor *b = hypervisor_of(inv, to);
    const char *arch_a = inv->hardware[inv->hosts[from].hardware.ix].cpu_arch;
    const char *arch_b = inv->hardware[inv->hosts[to].hardware.ix].cpu_arch;

    if (strcmp(arch_a, arch_b) != 0) {
        (void)snprintf(text, 120, "from %.40s to %.40s", arch_a, arch_b);
        return "architecture";
    }
    if (cold) {
        return NULL;
    }
    if (!inv->vms[vm].movable) {
        (void)snprintf(text, 120, "the model says movable: false");
        return "movable";
    }
    if (a != b) {
        (void)snprintf(text, 120, "no live migration from %.40s to %.40s",
                       a ? a->name : "(none)", b ? b->name : "(none)");
        return "hypervisor";
    }
    if (a && !a->live_migration) {
        (void)snprintf(text, 120, "hypervisor %.60s has no live migration",
                       a->name);
        return "hypervisor";
    }
    return NULL;
}

bool
dcp_check_reach_vlan_now(const struct dcp_inventory *inv, uint32_t host,
                         uint32_t vlan)
{
    const struct dcp_host *h = &inv->hosts[host];

    for (uint32_t i = 0; i < h->n_ports; i++) {
        if (dcp_ids_contain(&h->ports[i].vlans, vlan)) {
            return true;
        }
    }
    return h->n_ports == 0;
}

bool
dcp_check_reach_vlan_driver(const struct dcp_inventory *inv, uint32_t host)
{
    const struct dcp_host *h = &inv->hosts[host];

    for (uint32_t i = 0; i < h->n_ports; i++) {
        if (!dcp_switch_is_none(h->ports[i].to) &&
            inv->switches[h->ports[i].to.ix].driver[0]) {
            return true;
        }
    }
    return false;
}

bool
dcp_check_may_move(const struct dcp_inventory *inv,
                   const struct dcp_placement *p, uint32_t vm, uint32_t from,
                   uint32_t to)
{
    const struct dcp_ids *vlans = &inv->vms[vm].vlans;
    char text[120];

    if (dcp_check_reach_refusal(inv, p, vm, to, text) ||
        dcp_check_reach_move_refusal(inv, vm, from, to, false, text) ||
        !dcp_check_volumes_open(p, inv, vm, to, text)) {
        return false;
    }
    for (uint32_t i = 0; i < vlans->n; i++) {
        if (!dcp_check_reach_vlan_now(inv, to, vlans->ix[i])) {
            return false;
        }
    }
    /* A disk of its own on the host stays there. */
    for (uint32_t i = 0; i < inv->vms[vm].n_volumes; i++) {
        if (dcp_pool_is_none(dcp_placement_pool(
                p, inv, inv->vms[vm].first_volume + i))) {
            return false;
        }
    }
    return true;
}
