/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Power-aware best fit, which CloudSim calls PABFD: of the hosts with room
 * that the VM would not overload, the one whose power grows least.  Power now
 * is that of the last update, without VMs placed tentatively since, and a host
 * that is off counts its idle power. */

#include "sim/cloudsim/world.h"

#include <float.h>

static bool
suitable(const struct dcp_cs_host *h, const struct dcp_cs_vm *vm, double mips,
         bool memory)
{
    return h->kind->pe_mips >= mips && h->sums.free_mips >= mips &&
           (!memory || h->sums.ram_mib + vm->ram_mib <= CS_HOST_RAM_MIB);
}

static bool
would_overload(const struct dcp_cs_world *w, const struct dcp_cs_host *h,
               const struct dcp_cs_vm *vm, double mips)
{
    if (h->sums.alloc_mips == 0) {
        return false; /* Not asked of an idle host. */
    }
    struct dcp_cs_sums with = h->sums;

    dcp_cs_sum_add(w, h->kind, &with, vm, mips);
    return dcp_cs_overloaded(w, h->kind, &with);
}

struct best {
    double growth_w;
    uint32_t host;
};

static void
consider(struct dcp_cs_world *w, uint32_t host, const struct dcp_cs_vm *vm,
         double mips, bool memory, struct best *best)
{
    const struct dcp_cs_host *h = &w->hosts[host];

    if (h->no_target || !suitable(h, vm, mips, memory)) {
        return;
    }
    double used = (h->sums.alloc_mips + mips) / h->kind->total_mips;
    double growth_w = dcp_cs_watts(h->kind, used) - h->watts;

    /* Whether it would overload is the dear question: asked last. */
    if (used <= 1 &&
        (growth_w < best->growth_w ||
         (growth_w == best->growth_w && host < best->host)) &&
        !would_overload(w, h, vm, mips)) {
        *best = (struct best){ growth_w, host };
    }
}

/* The first host of the kind without VMs, CS_HOSTS: none. */
static uint32_t
first_empty(struct dcp_cs_world *w, uint32_t kind)
{
    uint32_t h = w->first_empty[kind];

    while (h < CS_HOSTS && (w->hosts[h].n > 0 || w->hosts[h].no_target)) {
        h += CS_KINDS;
    }
    w->first_empty[kind] = h;
    return h;
}

uint32_t
dcp_cs_find_host(struct dcp_cs_world *w, const struct dcp_cs_vm *vm,
                 double mips, bool empty_too, bool memory)
{
    struct best best = { DBL_MAX, CS_NONE };

    for (uint32_t i = 0; i < w->n_used; i++) {
        consider(w, w->used[i], vm, mips, memory, &best);
    }
    for (uint32_t kind = 0; empty_too && kind < CS_KINDS; kind++) {
        uint32_t h = first_empty(w, kind);

        if (h < CS_HOSTS) {
            consider(w, h, vm, mips, memory, &best);
        }
    }
    return best.host;
}

/* --- Creation ----------------------------------------------------------- */

static uint32_t
first_fit(const struct dcp_cs_world *w, const struct dcp_cs_vm *vm)
{
    for (uint32_t h = 0; h < CS_HOSTS; h++) {
        if (suitable(&w->hosts[h], vm, vm->mips, true)) {
            return h;
        }
    }
    return CS_NONE;
}

/* At creation a VM holds all that it may ever ask for, until the first update;
 * but as soon as it is created it asks for nothing, so that the detector sees
 * the newest one alone.  Bandwidth never binds: memory ends at six VMs. */
bool
dcp_cs_create_vms(struct dcp_cs_world *w, struct dcp_error *err)
{
    for (uint32_t kind = 0; kind < CS_KINDS; kind++) {
        w->first_empty[kind] = kind;
    }
    for (uint32_t i = 0; i < w->in->n_vms; i++) {
        struct dcp_cs_vm *vm = &w->vms[i];
        uint32_t host = w->in->policy.mode == DCP_CLOUDSIM_MOVE
                            ? dcp_cs_find_host(w, vm, vm->mips, true, true)
                            : first_fit(w, vm);

        if (host == CS_NONE) {
            return dcp_fail(err, DCP_E_ARGUMENT,
                            "VM %u of %u finds no place on the %d hosts", i,
                            w->in->n_vms, CS_HOSTS);
        }
        struct dcp_cs_host *h = &w->hosts[host];

        dcp_cs_sum_add(w, h->kind, &h->sums, vm, vm->mips);
        h->sums.asked_mips = 0;
        vm->host = host;
        if (!h->listed) {
            h->listed = true;
            w->used[w->n_used++] = host;
        }
        if (!dcp_cs_append(h, i, err)) {
            return false;
        }
    }
    return true;
}
