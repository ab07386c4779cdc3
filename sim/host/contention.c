/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/host/contention.h"

#include "model/capacity.h"

#include <math.h>

/* --- Sharing ------------------------------------------------------------ */

/* More is reserved than there is, or just so much. */
static void
cut_floors(struct dcp_contender c[], uint32_t n, double part)
{
    for (uint32_t i = 0; i < n; i++) {
        c[i].got_mhz = c[i].floor_mhz * part;
    }
}

/* What those that are not settled miss of their floors at level L, and have
 * above what they want. */
static double
balance_at(const struct dcp_contender c[], uint32_t n, double level)
{
    double below = 0, above = 0;

    for (uint32_t i = 0; i < n; i++) {
        double at = level * c[i].weight;

        if (c[i].got_mhz >= 0) {
            continue;
        }
        below += at < c[i].floor_mhz ? c[i].floor_mhz - at : 0;
        above += at > c[i].want_mhz ? at - c[i].want_mhz : 0;
    }
    return above - below;
}

/* Settles those at the bound that more is to be had from: a level that is too
 * low for the rest lets nobody go above what it wants later, and the other way
 * round.  False: none was beyond a bound. */
static bool
settle(struct dcp_contender c[], uint32_t n, double level, double *left_mhz,
       double *weight)
{
    double balance = balance_at(c, n, level);
    bool any = false;

    for (uint32_t i = 0; i < n; i++) {
        double at = level * c[i].weight;

        if (c[i].got_mhz >= 0) {
            continue;
        }
        if (balance >= 0 && at >= c[i].want_mhz) {
            c[i].got_mhz = c[i].want_mhz;
        } else if (balance <= 0 && at <= c[i].floor_mhz) {
            c[i].got_mhz = c[i].floor_mhz;
        } else {
            continue;
        }
        *left_mhz -= c[i].got_mhz;
        *weight -= c[i].weight;
        any = true;
    }
    return any;
}

static void
share_by_level(struct dcp_contender c[], uint32_t n, double capacity_mhz)
{
    double left_mhz = capacity_mhz, weight = 0, level = 0;

    for (uint32_t i = 0; i < n; i++) {
        c[i].got_mhz = -1; /* Not settled. */
        weight += c[i].weight;
    }
    do {
        level = weight > 0 ? fmax(left_mhz, 0) / weight : 0;
    } while (settle(c, n, level, &left_mhz, &weight));
    for (uint32_t i = 0; i < n; i++) {
        if (c[i].got_mhz < 0) {
            c[i].got_mhz =
                fmin(c[i].want_mhz, fmax(c[i].floor_mhz, level * c[i].weight));
        }
    }
}

void
dcp_contention_share(struct dcp_contender c[], uint32_t n, double capacity_mhz)
{
    double wanted = 0, reserved = 0;

    for (uint32_t i = 0; i < n; i++) {
        wanted += c[i].want_mhz;
        reserved += c[i].floor_mhz;
    }
    if (wanted <= capacity_mhz) {
        for (uint32_t i = 0; i < n; i++) {
            c[i].got_mhz = c[i].want_mhz;
        }
    } else if (reserved >= capacity_mhz) {
        cut_floors(c, n, reserved > 0 ? capacity_mhz / reserved : 0);
    } else {
        share_by_level(c, n, capacity_mhz);
    }
}

/* --- The model's -------------------------------------------------------- */

bool
dcp_contention_enforced(const struct dcp_inventory *inv, uint32_t host)
{
    dcp_hypervisor_id hypervisor = inv->hosts[host].hypervisor;

    return dcp_hypervisor_is_none(hypervisor) ||
           inv->hypervisors[hypervisor.ix].shares;
}

bool
dcp_contention_applies(const struct dcp_vm *vm)
{
    return vm->cpu_shares || vm->cpu_limit_mhz || vm->cpu_reservation_mhz;
}

struct dcp_contention_terms
dcp_contention_terms_of(const struct dcp_inventory *inv, uint32_t vm,
                        uint32_t host, uint32_t vcpus)
{
    const struct dcp_vm *v = &inv->vms[vm];
    double factor = dcp_host_speed_factor(inv, (dcp_host_id){ host });

    return (struct dcp_contention_terms){
        .limit_mhz = v->cpu_limit_mhz ? v->cpu_limit_mhz * factor : INFINITY,
        .reserved_mhz = v->cpu_reservation_mhz * factor,
        .weight = v->cpu_shares ? v->cpu_shares
                                : (double)DCP_CONTENTION_SHARES_PER_VCPU *
                                      (vcpus ? vcpus : 1),
    };
}
