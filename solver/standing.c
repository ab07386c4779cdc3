/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/standing.h"

#include "model/base/arena.h"
#include "model/capacity.h"

#include <stdlib.h>

struct look {
    const struct dcp_inventory *inv;
    const struct dcp_demand *demand;
    const struct dcp_placement *p;
    uint32_t first_slot, n_slots, n_soon;
    uint64_t *load_mhz;  /* [host][slot]; owned, as are those below. */
    uint64_t *asked_mhz; /* By slot, of all VMs. */
    uint64_t *cpu, *mem; /* By host: what it may carry. */
    uint64_t asked_mem_mib;
};

static void
add_vms(struct look *k)
{
    uint32_t request[DCP_SCALARS_MAX];

    for (uint32_t v = 0; v < k->inv->n_vms; v++) {
        const uint32_t *row =
            k->demand->cpu_mhz + (size_t)v * k->demand->stride + k->first_slot;
        dcp_host_id at = k->p->host[v];

        if (dcp_host_is_none(at)) {
            continue;
        }
        uint64_t *load = k->load_mhz + (size_t)at.ix * k->n_slots;

        for (uint32_t t = 0; t < k->n_slots; t++) {
            load[t] += row[t];
            k->asked_mhz[t] += row[t];
        }
        dcp_vm_request_at(k->inv, (dcp_vm_id){ v },
                          dcp_placement_size(k->inv, k->p, v),
                          k->inv->hosts[at.ix].hypervisor, request);
        k->asked_mem_mib += request[DCP_SCALAR_MEM];
    }
}

static double
fullest(const struct look *k)
{
    double most = 0;

    for (uint32_t h = 0; h < k->inv->n_hosts; h++) {
        for (uint32_t t = 0; k->p->on[h] && k->cpu[h] && t < k->n_soon; t++) {
            double frac = (double)k->load_mhz[(size_t)h * k->n_slots + t] /
                          (double)k->cpu[h];

            most = frac > most ? frac : most;
        }
    }
    return most;
}

static int
most_first(const void *pa, const void *pb)
{
    uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

    return a < b ? 1 : a > b ? -1 : 0;
}

/* 'has' is sorted on the way. */
static uint32_t
fewest(uint64_t has[], uint32_t n, uint64_t asked)
{
    uint32_t k = 0;
    uint64_t sum = 0;

    qsort(has, n, sizeof *has, most_first);
    while (k < n && sum < asked) {
        sum += has[k++];
    }
    return k;
}

static uint32_t
hosts_at_least(struct look *k)
{
    uint64_t peak_mhz = 0;

    for (uint32_t t = 0; t < k->n_slots; t++) {
        peak_mhz = k->asked_mhz[t] > peak_mhz ? k->asked_mhz[t] : peak_mhz;
    }
    uint32_t by_cpu = fewest(k->cpu, k->inv->n_hosts, peak_mhz);
    uint32_t by_mem = fewest(k->mem, k->inv->n_hosts, k->asked_mem_mib);

    return by_cpu > by_mem ? by_cpu : by_mem;
}

bool
dcp_standing_look(const struct dcp_inventory *inv,
                  const struct dcp_demand *demand,
                  const struct dcp_placement *p,
                  struct dcp_standing_slots slots, struct dcp_standing *out,
                  struct dcp_error *err)
{
    uint32_t n_slots = slots.last - slots.first;
    size_t cells = (size_t)inv->n_hosts * n_slots;
    DCP_FREE uint64_t *load = calloc(cells + 1, sizeof *load);
    DCP_FREE uint64_t *asked = calloc((size_t)n_slots + 1, sizeof *asked);
    DCP_FREE uint64_t *cpu = calloc((size_t)inv->n_hosts + 1, sizeof *cpu);
    DCP_FREE uint64_t *mem = calloc((size_t)inv->n_hosts + 1, sizeof *mem);
    struct look k = { .inv = inv,
                      .demand = demand,
                      .p = p,
                      .first_slot = slots.first,
                      .n_slots = n_slots,
                      .n_soon = slots.soon - slots.first,
                      .load_mhz = load,
                      .asked_mhz = asked,
                      .cpu = cpu,
                      .mem = mem };

    if (!load || !asked || !cpu || !mem) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to look at %u hosts",
                        inv->n_hosts);
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        struct dcp_capacity usable = dcp_host_usable(inv, (dcp_host_id){ h });

        cpu[h] = usable.cpu_mhz;
        mem[h] = usable.scalar[DCP_SCALAR_MEM];
    }
    add_vms(&k);
    out->fullest_frac = fullest(&k);
    out->hosts_at_least = hosts_at_least(&k);
    return true;
}
