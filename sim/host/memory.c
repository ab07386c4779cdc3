/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/host/memory.h"

#include "model/capacity.h"

#include <math.h>
#include <stdlib.h>

/* --- Taking back -------------------------------------------------------- */

static double
idle_mib(const struct dcp_guest_memory *g)
{
    double kept = fmax(g->active_mib, fmax(g->floor_mib, g->reserved_mib));

    return g->balloons && g->consumed_mib > kept ? g->consumed_mib - kept : 0;
}

static double
swappable_mib(const struct dcp_guest_memory *g)
{
    double left = g->consumed_mib - g->balloon_mib;

    return left > g->reserved_mib ? left - g->reserved_mib : 0;
}

static double
least(double a, double b)
{
    return a < b ? a : b;
}

double
dcp_memory_reclaim(struct dcp_guest_memory g[], uint32_t n, double room_mib)
{
    double lacking = -room_mib, idle = 0, swappable = 0;

    for (uint32_t i = 0; i < n; i++) {
        g[i].balloon_mib = g[i].swap_mib = 0;
        g[i].hit_frac = g[i].stall_frac = 0;
        lacking += g[i].consumed_mib;
        idle += idle_mib(&g[i]);
    }
    if (!(lacking > 0)) {
        return 0;
    }
    double ballooned = least(lacking, idle);

    for (uint32_t i = 0; i < n && ballooned > 0; i++) {
        g[i].balloon_mib = ballooned * (idle_mib(&g[i]) / idle);
    }
    lacking -= ballooned;
    for (uint32_t i = 0; i < n; i++) {
        swappable += swappable_mib(&g[i]);
    }
    double swapped = least(lacking, swappable);

    for (uint32_t i = 0; i < n && swapped > 0; i++) {
        double left = g[i].consumed_mib - g[i].balloon_mib;

        g[i].swap_mib = swapped * (swappable_mib(&g[i]) / swappable);
        g[i].hit_frac = left > 0 ? least(g[i].swap_mib / left, 1) : 0;
        g[i].stall_frac = g[i].hit_frac;
    }
    return lacking - swapped;
}

/* --- Faults -------------------------------------------------------------- */

/* Per second, where each takes 'fault_s'. */
static double
faults_at(const struct dcp_guest_memory g[], const double busy_vcpus[],
          uint32_t n, double touches, double fault_s)
{
    double sum = 0;

    for (uint32_t i = 0; i < n; i++) {
        double rate = touches * g[i].hit_frac;

        sum += busy_vcpus[i] * rate / (1 + rate * fault_s);
    }
    return sum;
}

double
dcp_memory_stall(struct dcp_guest_memory g[], const double busy_vcpus[],
                 uint32_t n, const struct dcp_swap_policy *swap)
{
    double touches = swap->touches_per_s, iops = swap->iops;
    double low = 1 / iops, high = low;

    if (!(faults_at(g, busy_vcpus, n, touches, 0) > 0)) {
        for (uint32_t i = 0; i < n; i++) {
            g[i].stall_frac = 0; /* Nobody works. */
        }
        return 0;
    }
    /* T (iops - X(T)) - 1 is convex in T and below 0 at 1/iops: one root. */
    while (high * (iops - faults_at(g, busy_vcpus, n, touches, high)) < 1) {
        high *= 2;
    }
    for (int i = 0; i < 60 && low < high; i++) {
        double middle = (low + high) / 2;
        bool short_of =
            middle * (iops - faults_at(g, busy_vcpus, n, touches, middle)) < 1;

        *(short_of ? &low : &high) = middle;
    }
    for (uint32_t i = 0; i < n; i++) {
        double rate = touches * g[i].hit_frac;

        g[i].stall_frac = rate * high / (1 + rate * high);
    }
    return high;
}

/* --- The model's -------------------------------------------------------- */

static double
own_mib(const struct dcp_inventory *inv, uint32_t vm, struct dcp_vm_size size)
{
    double huge_mib = (double)inv->vms[vm].huge_pages_mib;
    double mib = (double)size.mem_mib - huge_mib;

    return mib > 0 ? mib : 0;
}

static const struct dcp_hypervisor *
hypervisor_of(const struct dcp_inventory *inv, uint32_t host)
{
    dcp_hypervisor_id id = inv->hosts[host].hypervisor;

    return dcp_hypervisor_is_none(id) ? NULL : &inv->hypervisors[id.ix];
}

struct dcp_guest_memory
dcp_memory_of(const struct dcp_inventory *inv, uint32_t vm, uint32_t host,
              struct dcp_vm_size size)
{
    const struct dcp_vm *v = &inv->vms[vm];
    const struct dcp_hypervisor *hv = hypervisor_of(inv, host);
    double mib = own_mib(inv, vm, size);

    return (struct dcp_guest_memory){
        .consumed_mib = mib,
        .active_mib = mib,
        .floor_mib = least(mib, (double)v->balloon_floor_mib),
        .reserved_mib = least(mib, (double)v->mem_reservation_mib),
        .balloons = hv && hv->ballooning,
    };
}

double
dcp_memory_overhead_mib(const struct dcp_inventory *inv, uint32_t host,
                        struct dcp_vm_size size)
{
    const struct dcp_hypervisor *hv = hypervisor_of(inv, host);

    return hv ? hv->vm_overhead_mib +
                    hv->vm_overhead_frac * (double)size.mem_mib
              : 0;
}

bool
dcp_memory_overcommits(const struct dcp_inventory *inv)
{
    bool any = inv->policy.memory_basis == DCP_MEMORY_ACTIVE;

    for (uint32_t i = 0; i < inv->n_tiers; i++) {
        any |= inv->tiers[i].memory_overcommit > 1;
    }
    return any;
}

bool
dcp_memory_short(const struct dcp_inventory *inv, const struct dcp_placement *p)
{
    DCP_FREE double *given_mib =
        calloc((size_t)inv->n_hosts + 1, sizeof *given_mib);
    bool any = !given_mib; /* Who cannot tell looks closer. */

    for (uint32_t v = 0; given_mib && v < inv->n_vms; v++) {
        if (!dcp_host_is_none(p->host[v])) {
            struct dcp_vm_size size = dcp_placement_size(inv, p, v);
            uint32_t host = p->host[v].ix;

            given_mib[host] += own_mib(inv, v, size) +
                               dcp_memory_overhead_mib(inv, host, size);
        }
    }
    for (uint32_t h = 0; given_mib && h < inv->n_hosts; h++) {
        struct dcp_capacity c = dcp_host_capacity(inv, (dcp_host_id){ h });

        any |= given_mib[h] > c.scalar[DCP_SCALAR_MEM];
    }
    return any;
}
