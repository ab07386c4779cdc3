/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/size.h"

#include "model/base/units.h"
#include "model/capacity.h"
#include "model/demand.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dcp_vm_size
dcp_vm_size_least(struct dcp_vm_size a, struct dcp_vm_size b)
{
    return (struct dcp_vm_size){ a.vcpus < b.vcpus ? a.vcpus : b.vcpus,
                                 a.mem_mib < b.mem_mib ? a.mem_mib
                                                       : b.mem_mib };
}

struct dcp_vm_size
dcp_vm_size_most(struct dcp_vm_size a, struct dcp_vm_size b)
{
    return (struct dcp_vm_size){ a.vcpus > b.vcpus ? a.vcpus : b.vcpus,
                                 a.mem_mib > b.mem_mib ? a.mem_mib
                                                       : b.mem_mib };
}

const char *
dcp_vm_size_print(struct dcp_vm_size s, char *out, size_t size)
{
    char mem[32];

    dcp_print_human(DCP_DIM_SIZE, (double)s.mem_mib, mem, sizeof mem);
    (void)snprintf(out, size, "%u vCPU%s, %s", s.vcpus, s.vcpus == 1 ? "" : "s",
                   mem);
    return out;
}

struct dcp_inventory *
dcp_inventory_with_sizes(const struct dcp_inventory *inv,
                         const struct dcp_vm_size sizes[],
                         struct dcp_error *err)
{
    size_t head = (sizeof *inv + 15) / 16 * 16;
    char *block = malloc(head + (inv->n_vms + 1u) * sizeof *inv->vms);

    if (!block) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for the sizes of %u VMs",
                       inv->n_vms);
        return NULL;
    }
    struct dcp_inventory *copy = (struct dcp_inventory *)(void *)block;
    struct dcp_vm *vms = (struct dcp_vm *)(void *)(block + head);

    *copy = *inv;
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        vms[v] = inv->vms[v];
        vms[v].vcpus = sizes[v].vcpus;
        vms[v].mem_mib = sizes[v].mem_mib;
    }
    copy->vms = vms;
    return copy;
}

/* --- Demand ------------------------------------------------------------- */

/* How many times its old ceiling a VM's new one is, at least 1. */
static double
growth(const struct dcp_inventory *was, const struct dcp_inventory *inv,
       uint32_t vm, double *out_at_limit_mhz)
{
    dcp_host_id host = was->vms[vm].host;
    double before = dcp_vm_ceiling_mhz(was, (dcp_vm_id){ vm }, host);
    double after = dcp_vm_ceiling_mhz(inv, (dcp_vm_id){ vm }, host);

    *out_at_limit_mhz = DCP_SIZE_AT_LIMIT_FRAC * before;
    return before > 0 && after > before ? after / before : 1;
}

static void
grow_row(uint32_t *row, uint32_t n, double factor, double at_limit_mhz)
{
    for (uint32_t i = 0; i < n; i++) {
        if (row[i] >= at_limit_mhz) {
            row[i] = (uint32_t)fmin(ceil(row[i] * factor), UINT32_MAX);
        }
    }
}

static struct dcp_demand *
copy_demand(const struct dcp_demand *was, uint32_t **out_row,
            uint32_t **out_samples, struct dcp_error *err)
{
    struct dcp_arena *arena = dcp_arena_create(0);
    struct dcp_demand *d =
        arena ? dcp_arena_new(arena, struct dcp_demand) : NULL;
    size_t n = (size_t)was->n_vms * was->stride;
    uint32_t *cpu = d ? dcp_arena_array(arena, uint32_t, n) : NULL;

    if (cpu) {
        *d = *was;
        d->arena = arena;
        memcpy(cpu, was->cpu_mhz, n * sizeof *cpu);
        d->cpu_mhz = *out_row = cpu;
        *out_samples = NULL;
        if (!was->scenarios) {
            return d;
        }
        const struct dcp_scenarios *s = was->scenarios;

        d->scenarios = NULL;
        if (dcp_scenarios_attach(d, s->first, s->count, s->n, out_samples,
                                 err)) {
            memcpy(*out_samples, s->cpu_mhz,
                   (size_t)was->n_vms * s->stride * sizeof **out_samples);
            return d;
        }
    }
    dcp_arena_destroy(arena);
    (void)dcp_fail(err, DCP_E_NOMEM, "no memory for the demand of %u VMs",
                   was->n_vms);
    return NULL;
}

bool
dcp_demand_with_sizes(const struct dcp_demand *was,
                      const struct dcp_inventory *inv_was,
                      const struct dcp_inventory *inv, struct dcp_demand **out,
                      struct dcp_error *err)
{
    uint32_t *cpu = NULL, *samples = NULL;

    *out = NULL;
    for (uint32_t v = 0; v < was->n_vms; v++) {
        double at_limit_mhz, factor = growth(inv_was, inv, v, &at_limit_mhz);

        if (factor <= 1) {
            continue;
        }
        if (!*out) {
            *out = copy_demand(was, &cpu, &samples, err);
        }
        if (!*out) {
            return false;
        }
        uint32_t *row = cpu + (size_t)v * was->stride;

        if (samples) {
            uint32_t *joint = samples + (size_t)v * was->scenarios->stride;

            grow_row(joint, was->scenarios->n, factor, at_limit_mhz);
            dcp_scenarios_means((*out)->scenarios, was->n_slots, joint, row);
        } else {
            grow_row(row, was->n_slots, factor, at_limit_mhz);
        }
    }
    if (*out) {
        dcp_demand_cap(*out, inv);
    }
    return true;
}
