/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/check/cells.h"

#include "model/volume.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A row of cells from a capacity.  Hosts whose NICs are not modelled have no
 * network limit. */
static void
spread_capacity(const struct dcp_cells *c, uint32_t host,
                const struct dcp_capacity *capacity, uint64_t out[])
{
    const struct dcp_inventory *inv = c->judge->inv;
    uint32_t n = 0;
    bool nics = inv->hardware[inv->hosts[host].hardware.ix].n_nics > 0;

    for (uint32_t s = 0; s < c->n_slots; s++) {
        out[n++] = capacity->cpu_mhz;
    }
    for (uint32_t s = 0; c->has_net && s < c->n_slots; s++) {
        out[n++] = nics ? capacity->net_kib_s : UINT64_MAX;
    }
    for (uint32_t s = 0; s < c->n_scalars; s++) {
        out[n++] = capacity->scalar[s];
    }
}

bool
dcp_cells_init(struct dcp_cells *c, const struct dcp_judge *j,
               uint32_t first_slot, uint32_t last_slot)
{
    uint32_t n_hosts = j->inv->n_hosts;

    *c = (struct dcp_cells){ .judge = j,
                             .first_slot = first_slot,
                             .n_slots = last_slot - first_slot,
                             .has_net = j->demand->net_kib_s != NULL,
                             .n_scalars = DCP_SCALAR_EXTRA + j->inv->n_extras };
    c->n = c->n_slots * (1u + c->has_net) + c->n_scalars;
    c->usable = calloc((size_t)n_hosts * c->n + 1, sizeof *c->usable);
    if (!c->usable) {
        return dcp_judge_no_memory(j);
    }
    for (uint32_t h = 0; h < n_hosts; h++) {
        struct dcp_capacity usable =
            dcp_host_usable(j->inv, (dcp_host_id){ h });

        spread_capacity(c, h, &usable, c->usable + (size_t)h * c->n);
    }
    return true;
}

void
dcp_cells_finish(struct dcp_cells *c)
{
    free(c->usable);
    *c = (struct dcp_cells){ 0 };
}

void
dcp_cells_capacity(const struct dcp_cells *c, uint32_t host, uint64_t out[])
{
    struct dcp_capacity all =
        dcp_host_capacity(c->judge->inv, (dcp_host_id){ host });

    spread_capacity(c, host, &all, out);
}

/* Where policy packs on active memory, what the VM is expected to touch counts
 * in place of what it was given, never below its floor and its reservation. */
static uint64_t
active_memory(const struct dcp_judge *j, const struct dcp_vm *v, uint32_t vm,
              uint32_t host, uint32_t allocated_request)
{
    double active = j->demand->mem_active_mib[vm], floor_mib = 0;
    double given = (double)v->mem_mib - (double)v->huge_pages_mib;
    double overcommit = j->inv->tiers[v->tier.ix].memory_overcommit;
    dcp_hypervisor_id hv = j->inv->hosts[host].hypervisor;

    if (active <= 0 || given <= 0) {
        return allocated_request;
    }
    if (!dcp_hypervisor_is_none(hv) && j->inv->hypervisors[hv.ix].dedicated) {
        return allocated_request;
    }
    floor_mib =
        fmax((double)v->balloon_floor_mib, (double)v->mem_reservation_mib);
    double saved = (given - fmin(given, fmax(active, floor_mib))) / overcommit;

    return (uint64_t)ceil(fmax(0, allocated_request - saved));
}

void
dcp_cells_need(const struct dcp_cells *c, uint32_t vm, uint32_t host,
               uint32_t id, uint64_t out[])
{
    const struct dcp_judge *j = c->judge;
    const struct dcp_inventory *inv = dcp_judge_at(j, vm, id);
    const struct dcp_demand *d = j->demand;
    const uint32_t *cpu = d->cpu_mhz + (size_t)vm * d->stride + c->first_slot;
    uint32_t request[DCP_SCALARS_MAX], n = 0;

    for (uint32_t s = 0; s < c->n_slots; s++) {
        out[n++] = cpu[s];
    }
    if (c->has_net) {
        const uint32_t *net =
            d->net_kib_s + (size_t)vm * d->stride + c->first_slot;

        for (uint32_t s = 0; s < c->n_slots; s++) {
            out[n++] = net[s];
        }
    }
    dcp_vm_request(inv, (dcp_vm_id){ vm }, inv->hosts[host].hypervisor,
                   request);
    dcp_volume_measured(j->inv, d, vm, request);
    for (uint32_t s = 0; s < c->n_scalars; s++) {
        out[n + s] = request[s];
    }
    if (j->inv->policy.memory_basis == DCP_MEMORY_ACTIVE && d->mem_active_mib) {
        out[n + DCP_SCALAR_MEM] =
            active_memory(j, &inv->vms[vm], vm, host, request[DCP_SCALAR_MEM]);
    }
}

uint64_t *
dcp_cells_load(const struct dcp_cells *c, const struct dcp_placement *p,
               uint32_t id)
{
    DCP_FREE uint64_t *need = calloc(c->n + 1u, sizeof *need);
    uint64_t *load = calloc((size_t)p->n_hosts * c->n + 1, sizeof *load);

    if (!need || !load) {
        free(load);
        return NULL;
    }
    for (uint32_t v = 0; v < p->n_vms; v++) {
        if (dcp_host_is_none(p->host[v])) {
            continue;
        }
        uint64_t *row = load + (size_t)p->host[v].ix * c->n;

        dcp_cells_need(c, v, p->host[v].ix, id, need);
        for (uint32_t i = 0; i < c->n; i++) {
            row[i] += need[i];
        }
    }
    return load;
}

uint32_t
dcp_cells_resource(const struct dcp_cells *c, uint32_t cell)
{
    if (cell < c->n_slots) {
        return 0;
    }
    cell -= c->n_slots;
    if (c->has_net && cell < c->n_slots) {
        return 1;
    }
    return 2 + cell - (c->has_net ? c->n_slots : 0);
}

const char *
dcp_cells_resource_name(const struct dcp_cells *c, uint32_t cell)
{
    uint32_t r = dcp_cells_resource(c, cell);

    return r == 0   ? "cpu"
           : r == 1 ? "net"
                    : dcp_scalar_name(c->judge->inv, r - 2);
}

const char *
dcp_cells_unit(const struct dcp_cells *c, uint32_t cell)
{
    uint32_t r = dcp_cells_resource(c, cell);

    return r == 0 ? "MHz" : r == 1 ? "KiB/s" : dcp_scalar_unit(r - 2);
}

const char *
dcp_cells_describe(const struct dcp_cells *c, uint32_t cell, char *out,
                   size_t size)
{
    const struct dcp_inventory *inv = c->judge->inv;
    const char *name = dcp_cells_resource_name(c, cell);
    char label[64];

    if (dcp_cells_resource(c, cell) > 1) {
        (void)snprintf(out, size, "%s", name);
        return out;
    }
    const struct dcp_slot *slot =
        &c->judge->demand->slots[c->first_slot + cell % c->n_slots];

    (void)snprintf(out, size, "%s at %s", name,
                   dcp_bucket_label(inv->policy.buckets, &inv->calendar,
                                    slot->bucket, label, sizeof label));
    return out;
}
