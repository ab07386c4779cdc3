/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Checks of where dc.yaml says that VMs start.  What cannot be (a Windows
 * guest without VT) is an error; what should not be, but may well be found in
 * a running datacenter (a host that is overfull), is a warning: it is what
 * `dcplan repair` is for. */

#include "model/capacity.h"
#include "model/io/model_reader.h"

#include <stdlib.h>
#include <string.h>

static bool
may_run_windows(const struct dcp_inventory *inv, const struct dcp_host *h)
{
    return !dcp_hardware_is_none(h->hardware) &&
           inv->hardware[h->hardware.ix].vt &&
           (dcp_hypervisor_is_none(h->hypervisor) ||
            inv->hypervisors[h->hypervisor.ix].windows);
}

static void
check_guest(struct dcp_reader *r, const struct dcp_vm *vm,
            const struct dcp_host *host)
{
    const struct dcp_inventory *inv = r->inv;

    if (vm->windows && !may_run_windows(inv, host)) {
        dcp_reader_error(r, vm->pos,
                         "a Windows guest cannot run on host '%.60s': its CPU "
                         "has no VT or its hypervisor cannot",
                         host->name);
    }
    if (!dcp_hypervisor_is_none(host->hypervisor) &&
        vm->needs & ~inv->hypervisors[host->hypervisor.ix].capabilities) {
        dcp_reader_warn(r, vm->pos,
                        "runs on host '%.60s' under '%.40s', which is not "
                        "capable of all that it needs",
                        host->name, inv->hypervisors[host->hypervisor.ix].name);
    }
    if (vm->hypervisors.n && !dcp_hypervisor_is_none(host->hypervisor) &&
        !dcp_ids_contain(&vm->hypervisors, host->hypervisor.ix)) {
        dcp_reader_warn(r, vm->pos,
                        "runs on host '%.60s' under '%.40s', which its "
                        "hypervisors do not list",
                        host->name, inv->hypervisors[host->hypervisor.ix].name);
    }
    if (*vm->cpu_generation_min && !dcp_hardware_is_none(host->hardware)) {
        uint32_t need = dcp_inventory_generation(inv, vm->cpu_generation_min);
        uint32_t have = dcp_inventory_generation(
            inv, inv->hardware[host->hardware.ix].cpu_generation);

        if (need != UINT32_MAX && (have == UINT32_MAX || have < need)) {
            dcp_reader_warn(r, vm->pos,
                            "needs CPU generation '%.40s', which host '%.60s' "
                            "does not have",
                            vm->cpu_generation_min, host->name);
        }
    }
}

static bool
is_trunked(const struct dcp_host *host, uint32_t vlan)
{
    for (uint32_t p = 0; p < host->n_ports; p++) {
        if (dcp_ids_contain(&host->ports[p].vlans, vlan)) {
            return true;
        }
    }
    return false;
}

static void
check_reach(struct dcp_reader *r, const struct dcp_vm *vm,
            const struct dcp_host *host)
{
    const struct dcp_inventory *inv = r->inv;

    for (uint32_t i = 0; host->n_ports && i < vm->vlans.n; i++) {
        if (!is_trunked(host, vm->vlans.ix[i])) {
            dcp_reader_warn(r, vm->pos,
                            "VLAN '%.40s' is not trunked to its host '%.60s'",
                            inv->vlans[vm->vlans.ix[i]].name, host->name);
        }
    }
    for (uint32_t i = 0; i < vm->n_volumes; i++) {
        dcp_pool_id id = inv->volumes[vm->first_volume + i].pool;

        if (dcp_pool_is_none(id)) {
            continue;
        }
        const struct dcp_pool *pool = &inv->pools[id.ix];

        if (!pool->reach_all && !dcp_ids_contain(&pool->reach, vm->host.ix)) {
            dcp_reader_warn(r, vm->pos,
                            "pool '%.40s' is out of reach of its host '%.60s'",
                            pool->name, host->name);
        }
    }
}

static void
check_fill(struct dcp_reader *r, const uint64_t used[][DCP_SCALARS_MAX])
{
    const struct dcp_inventory *inv = r->inv;

    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        const struct dcp_host *host = &inv->hosts[h];

        if (dcp_hardware_is_none(host->hardware)) {
            continue;
        }
        struct dcp_capacity c = dcp_host_capacity(inv, (dcp_host_id){ h });

        dcp_reader_object(r, "host", host->name);
        for (uint32_t s = 0; s < DCP_SCALAR_EXTRA + inv->n_extras; s++) {
            if (used[h][s] > c.scalar[s]) {
                dcp_reader_warn(r, host->pos,
                                "its VMs ask for %llu %s of %s at the start, "
                                "above its %u",
                                (unsigned long long)used[h][s],
                                dcp_scalar_unit(s), dcp_scalar_name(inv, s),
                                c.scalar[s]);
            }
        }
    }
}

void
dcp_check_start(struct dcp_reader *r)
{
    const struct dcp_inventory *inv = r->inv;
    uint64_t(*used)[DCP_SCALARS_MAX] =
        dcp_arena_calloc(r->scratch, inv->n_hosts, sizeof *used);

    if (!used) {
        r->no_memory = true;
        return;
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        const struct dcp_vm *vm = &inv->vms[v];
        uint32_t asked[DCP_SCALARS_MAX];

        if (dcp_host_is_none(vm->host)) {
            continue;
        }
        const struct dcp_host *host = &inv->hosts[vm->host.ix];

        dcp_reader_object(r, "vm", vm->name);
        if (host->state != DCP_HOST_UP) {
            dcp_reader_warn(r, vm->pos, "starts on host '%.60s', which is %s",
                            host->name,
                            host->state == DCP_HOST_STANDBY ? "switched off"
                                                            : "in maintenance");
        }
        check_guest(r, vm, host);
        check_reach(r, vm, host);
        dcp_vm_request(inv, (dcp_vm_id){ v }, host->hypervisor, asked);
        for (uint32_t s = 0; s < DCP_SCALARS_MAX; s++) {
            used[vm->host.ix][s] += asked[s];
        }
    }
    check_fill(r, (const uint64_t(*)[DCP_SCALARS_MAX])used);
    dcp_reader_object(r, NULL, NULL);
}
