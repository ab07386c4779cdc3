/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Covered VMs are counted per host in blocks of hosts on the stack: one pass
 * over the covered VMs per block, so that counting takes no memory and cannot
 * fail. */

#include "model/licence.h"

#include <math.h>

#define HOSTS_PER_BLOCK 1024
#define YEAR_MS         (365.25 * 86400000.0)

static double
max_of(double a, double b)
{
    return a > b ? a : b;
}

double
dcp_licence_vm_count(const struct dcp_inventory *inv,
                     const struct dcp_licence *licence, dcp_vm_id vm)
{
    switch (licence->metric) {
    case DCP_LICENCE_VM:
        return 1;
    case DCP_LICENCE_VCPU:
        return max_of(ceil(licence->minimum), inv->vms[vm.ix].vcpus);
    case DCP_LICENCE_HOST:
    case DCP_LICENCE_SOCKET:
    case DCP_LICENCE_SOCKET_PAIR:
    case DCP_LICENCE_CORE:
        break;
    }
    return 0;
}

bool
dcp_licence_counts_on(const struct dcp_inventory *inv,
                      const struct dcp_licence *licence, dcp_host_id host)
{
    return !licence->of_hypervisor ||
           dcp_hypervisor_eq(inv->hosts[host.ix].hypervisor,
                             licence->hypervisor);
}

double
dcp_licence_host_units(const struct dcp_inventory *inv,
                       const struct dcp_licence *licence, dcp_host_id host,
                       uint32_t n_vms, uint32_t n_vcpus)
{
    const struct dcp_hardware *hw =
        &inv->hardware[inv->hosts[host.ix].hardware.ix];
    double counted = 0, covers = 1;

    if (n_vms == 0 || !dcp_licence_counts_on(inv, licence, host)) {
        return 0;
    }
    switch (licence->metric) {
    case DCP_LICENCE_HOST:
        counted = 1;
        break;
    case DCP_LICENCE_SOCKET:
        counted = hw->sockets;
        break;
    case DCP_LICENCE_SOCKET_PAIR:
        counted = hw->sockets / 2 + hw->sockets % 2;
        break;
    case DCP_LICENCE_CORE:
        counted = hw->sockets *
                  max_of(licence->minimum_per_socket, hw->cores_per_socket);
        break;
    case DCP_LICENCE_VCPU:
        counted = n_vcpus;
        if (licence->guests_free_on_host) {
            counted = fmin(counted, (double)hw->sockets * hw->cores_per_socket);
        }
        return licence->factor * counted;
    case DCP_LICENCE_VM:
        return licence->factor * (licence->guests_free_on_host ? 1 : n_vms);
    }
    if (licence->guests_per_cover && !licence->guests_free_on_host) {
        covers = ceil((double)n_vms / licence->guests_per_cover);
    }
    return covers * max_of(licence->minimum, licence->factor * counted);
}

/* --- Counting ----------------------------------------------------------- */

struct block {
    uint32_t first_host, n_hosts;
    uint32_t n_vms[HOSTS_PER_BLOCK];
    uint32_t n_vcpus[HOSTS_PER_BLOCK];
};

static void
block_count(const struct dcp_inventory *inv, const struct dcp_licence *licence,
            const struct dcp_placement *placement, struct block *b)
{
    for (uint32_t i = 0; i < b->n_hosts; i++) {
        b->n_vms[i] = 0;
        b->n_vcpus[i] = 0;
    }
    for (uint32_t i = 0; i < licence->vms.n; i++) {
        dcp_vm_id vm = { licence->vms.ix[i] };
        /* Unplaced VMs are far above every block. */
        uint32_t at = placement->host[vm.ix].ix - b->first_host;

        if (at < b->n_hosts &&
            dcp_licence_counts_on(inv, licence, placement->host[vm.ix])) {
            b->n_vms[at]++;
            b->n_vcpus[at] += (uint32_t)dcp_licence_vm_count(inv, licence, vm);
        }
    }
}

static bool
pool_reaches(const struct dcp_pool *pool, dcp_host_id host)
{
    return pool->reach_all || dcp_ids_contain(&pool->reach, host.ix);
}

/* Hardware and storage let 'vm' run on 'host'. */
static bool
vm_reaches(const struct dcp_inventory *inv, dcp_vm_id id, dcp_host_id host)
{
    const struct dcp_vm *vm = &inv->vms[id.ix];
    dcp_hypervisor_id hv = inv->hosts[host.ix].hypervisor;

    if (vm->hypervisors.n && (dcp_hypervisor_is_none(hv) ||
                              !dcp_ids_contain(&vm->hypervisors, hv.ix))) {
        return false;
    }
    for (uint32_t i = 0; i < vm->n_volumes; i++) {
        dcp_pool_id pool = inv->volumes[vm->first_volume + i].pool;

        if (!dcp_pool_is_none(pool) &&
            !pool_reaches(&inv->pools[pool.ix], host)) {
            return false;
        }
    }
    return true;
}

bool
dcp_licence_reaches(const struct dcp_inventory *inv,
                    const struct dcp_licence *licence, dcp_host_id host)
{
    for (uint32_t i = 0;
         i < licence->vms.n && dcp_licence_counts_on(inv, licence, host); i++) {
        if (vm_reaches(inv, (dcp_vm_id){ licence->vms.ix[i] }, host)) {
            return true;
        }
    }
    return false;
}

/* One placement alone. */
static struct dcp_licence_need
need_placed(const struct dcp_inventory *inv, const struct dcp_licence *licence,
            const struct dcp_placement *placement)
{
    struct dcp_licence_need need = { 0 };
    struct block b;

    for (uint32_t h = 0; h < inv->n_hosts; h += HOSTS_PER_BLOCK) {
        b.first_host = h;
        b.n_hosts = inv->n_hosts - h < HOSTS_PER_BLOCK ? inv->n_hosts - h
                                                       : HOSTS_PER_BLOCK;
        block_count(inv, licence, placement, &b);
        for (uint32_t i = 0; i < b.n_hosts; i++) {
            need.units += dcp_licence_host_units(
                inv, licence, (dcp_host_id){ h + i }, b.n_vms[i], b.n_vcpus[i]);
            need.n_hosts += b.n_vms[i] > 0;
            need.n_vms += b.n_vms[i];
        }
    }
    return need;
}

/* Each host at its most over the placements; 'reachable' adds hosts that ran
 * none but could. */
static struct dcp_licence_need
need_by_host(const struct dcp_inventory *inv, const struct dcp_licence *licence,
             const struct dcp_placement *const placements[],
             uint32_t n_placements, bool reachable)
{
    bool of_hosts = licence->metric != DCP_LICENCE_VM &&
                    licence->metric != DCP_LICENCE_VCPU;
    struct dcp_licence_need need = { 0 };
    uint32_t most_vms[HOSTS_PER_BLOCK], most_vcpus[HOSTS_PER_BLOCK];
    struct block b;

    for (uint32_t h = 0; h < inv->n_hosts; h += HOSTS_PER_BLOCK) {
        b.first_host = h;
        b.n_hosts = inv->n_hosts - h < HOSTS_PER_BLOCK ? inv->n_hosts - h
                                                       : HOSTS_PER_BLOCK;
        for (uint32_t i = 0; i < b.n_hosts; i++) {
            dcp_host_id host = { h + i };

            most_vms[i] =
                reachable && of_hosts && dcp_licence_reaches(inv, licence, host);
            most_vcpus[i] = 0;
        }
        for (uint32_t p = 0; p < n_placements; p++) {
            block_count(inv, licence, placements[p], &b);
            for (uint32_t i = 0; i < b.n_hosts; i++) {
                if (b.n_vms[i] > most_vms[i]) {
                    most_vms[i] = b.n_vms[i];
                }
                if (b.n_vcpus[i] > most_vcpus[i]) {
                    most_vcpus[i] = b.n_vcpus[i];
                }
            }
        }
        for (uint32_t i = 0; i < b.n_hosts; i++) {
            need.units +=
                dcp_licence_host_units(inv, licence, (dcp_host_id){ h + i },
                                       most_vms[i], most_vcpus[i]);
            need.n_hosts += most_vms[i] > 0;
        }
    }
    return need;
}

static uint32_t
covered_ever_placed(const struct dcp_licence *licence,
                    const struct dcp_placement *const placements[],
                    uint32_t n_placements)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < licence->vms.n; i++) {
        for (uint32_t p = 0; p < n_placements; p++) {
            if (!dcp_host_is_none(placements[p]->host[licence->vms.ix[i]])) {
                n++;
                break;
            }
        }
    }
    return n;
}

void
dcp_licence_count(const struct dcp_inventory *inv, uint32_t licence_ix,
                  const struct dcp_placement *const placements[],
                  uint32_t n_placements, struct dcp_licence_need *out)
{
    const struct dcp_licence *licence = &inv->licences[licence_ix];
    struct dcp_licence_need need = { 0 };

    /* A VM licence moves with its VM: where it ran makes no difference. */
    bool by_vm = (licence->metric == DCP_LICENCE_VM ||
                  licence->metric == DCP_LICENCE_VCPU) &&
                 !licence->guests_free_on_host;

    if (licence->scope == DCP_LICENCE_PLACED || by_vm) {
        for (uint32_t p = 0; p < n_placements; p++) {
            struct dcp_licence_need n =
                need_placed(inv, licence, placements[p]);

            if (p == 0 || n.units > need.units) {
                need = n;
            }
        }
    } else {
        need = need_by_host(inv, licence, placements, n_placements,
                            licence->scope == DCP_LICENCE_REACHABLE);
        need.n_vms = covered_ever_placed(licence, placements, n_placements);
    }
    need.units = ceil(need.units - 1e-9);
    need.owned = licence->owned;
    need.short_units = max_of(0, need.units - need.owned);
    *out = need;
}

double
dcp_licence_cost(const struct dcp_inventory *inv,
                 const struct dcp_placement *const placements[],
                 uint32_t n_placements, int64_t horizon_ms)
{
    double per_year = 0;

    for (uint32_t i = 0; i < inv->n_licences; i++) {
        struct dcp_licence_need need;

        if (inv->licences[i].price_per_year > 0) {
            dcp_licence_count(inv, i, placements, n_placements, &need);
            per_year += need.units * inv->licences[i].price_per_year;
        }
    }
    return per_year * ((double)horizon_ms / YEAR_MS);
}
