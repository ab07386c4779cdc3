/* SPDX-License-Identifier: GPL-3.0-or-later */

/* policy.licences: owned.  Units are counted anew, host by host, from the
 * vendor's rule (docs/formulas.md), and compared with what is owned or, where
 * that is more, with what the placement before the plan needs.  Ends of legs
 * alone are judged: a VM on its way is one VM. */

#include "model/check/leg.h"

#include <math.h>
#include <stdlib.h>

/* The placements that hold one after another, the last of them judged. */
struct times {
    const struct dcp_placement *at[DCP_LEGS_MAX + 1];
    uint32_t n;
};

struct tally { /* Of one host. */
    uint32_t vms;
    double vcpus;
};

static bool
is_by_vm(const struct dcp_licence *l)
{
    return l->metric == DCP_LICENCE_VM || l->metric == DCP_LICENCE_VCPU;
}

/* What one host needs for so much. */
static double
host_needs(const struct dcp_inventory *inv, const struct dcp_licence *l,
           uint32_t host, const struct tally *t)
{
    const struct dcp_hardware *hw =
        &inv->hardware[inv->hosts[host].hardware.ix];
    double cores = (double)hw->sockets * hw->cores_per_socket, things = 1;

    if (!t->vms || (l->of_hypervisor &&
                    inv->hosts[host].hypervisor.ix != l->hypervisor.ix)) {
        return 0;
    }
    if (l->metric == DCP_LICENCE_VM) {
        return l->guests_free_on_host ? l->factor : l->factor * t->vms;
    }
    if (l->metric == DCP_LICENCE_VCPU) {
        return l->factor *
               (l->guests_free_on_host && t->vcpus > cores ? cores : t->vcpus);
    }
    if (l->metric == DCP_LICENCE_SOCKET) {
        things = hw->sockets;
    } else if (l->metric == DCP_LICENCE_SOCKET_PAIR) {
        things = ceil(hw->sockets / 2.0);
    } else if (l->metric == DCP_LICENCE_CORE) {
        things = fmax(cores, hw->sockets * l->minimum_per_socket);
    }
    uint32_t per = l->guests_free_on_host ? 0 : l->guests_per_cover;
    uint32_t stacked = per ? (t->vms + per - 1) / per : 1;

    return stacked * fmax(l->minimum, l->factor * things);
}

static void
count(const struct dcp_inventory *inv, const struct dcp_licence *l,
      const struct dcp_placement *p, struct tally *out)
{
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        out[h] = (struct tally){ 0 };
    }
    for (uint32_t i = 0; i < l->vms.n; i++) {
        uint32_t vm = l->vms.ix[i], h = p->host[vm].ix;

        if (!dcp_host_is_none(p->host[vm])) {
            out[h].vms++;
            out[h].vcpus += fmax(inv->vms[vm].vcpus, ceil(l->minimum));
        }
    }
}

/* By what no rule changes: hypervisor and storage. */
static bool
could_run(const struct dcp_inventory *inv, const struct dcp_licence *l,
          uint32_t host)
{
    dcp_hypervisor_id hv = inv->hosts[host].hypervisor;

    if (l->of_hypervisor && hv.ix != l->hypervisor.ix) {
        return false;
    }
    for (uint32_t i = 0; i < l->vms.n; i++) {
        const struct dcp_vm *vm = &inv->vms[l->vms.ix[i]];
        bool ok =
            !vm->hypervisors.n || (!dcp_hypervisor_is_none(hv) &&
                                   dcp_ids_contain(&vm->hypervisors, hv.ix));

        for (uint32_t k = 0; ok && k < vm->n_volumes; k++) {
            dcp_pool_id id = inv->volumes[vm->first_volume + k].pool;

            ok = dcp_pool_is_none(id) || inv->pools[id.ix].reach_all ||
                 dcp_ids_contain(&inv->pools[id.ix].reach, host);
        }
        if (ok) {
            return true;
        }
    }
    return false;
}

/* Units over all the times, by scope; 'most' and 'now' are room by host. */
static double
needs(const struct dcp_inventory *inv, const struct dcp_licence *l,
      const struct times *times, struct tally *most, struct tally *now)
{
    bool one_by_one = l->scope == DCP_LICENCE_PLACED ||
                      (is_by_vm(l) && !l->guests_free_on_host);
    double units = 0;

    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        most[h] = (struct tally){ l->scope == DCP_LICENCE_REACHABLE &&
                                      !is_by_vm(l) && could_run(inv, l, h),
                                  0 };
    }
    /* The times before the last passed when they were judged. */
    for (uint32_t i = one_by_one ? times->n - 1 : 0; i < times->n; i++) {
        count(inv, l, times->at[i], now);
        for (uint32_t h = 0; h < inv->n_hosts; h++) {
            if (one_by_one || now[h].vms > most[h].vms) {
                most[h].vms = now[h].vms;
            }
            if (one_by_one || now[h].vcpus > most[h].vcpus) {
                most[h].vcpus = now[h].vcpus;
            }
        }
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        units += host_needs(inv, l, h, &most[h]);
    }
    return ceil(units - 1e-9);
}

/* 'base' NULL: nothing is excused. */
static bool
judge(const struct dcp_judge *j, const struct dcp_placement *base,
      const struct times *times, const char *when)
{
    const struct dcp_inventory *inv = j->inv;
    DCP_FREE struct tally *most = calloc(inv->n_hosts + 1u, sizeof *most);
    DCP_FREE struct tally *now = calloc(inv->n_hosts + 1u, sizeof *now);
    struct times first = { .at = { base }, .n = 1 };

    if (!most || !now) {
        return dcp_judge_no_memory(j);
    }
    for (uint32_t i = 0; i < inv->n_licences; i++) {
        const struct dcp_licence *l = &inv->licences[i];

        if (inv->policy.licences != DCP_LICENCES_OWNED || !(l->owned > 0)) {
            continue;
        }
        double units = needs(inv, l, times, most, now);

        if (units > l->owned &&
            !(base && units <= needs(j->was, l, &first, most, now))) {
            dcp_judge_report(
                j, 0, "licences", (struct dcp_object){ DCP_OBJECT_NONE, 0 },
                units, l->owned,
                "licence '%.50s': needs %.0f units, owns %g%s%.40s", l->name,
                units, l->owned, when[0] ? " at the end of leg " : "", when);
        }
    }
    return true;
}

bool
dcp_licences_check(const struct dcp_leg_view *leg)
{
    const struct dcp_plan *plan = leg->j->plan;
    struct times times = { .at = { plan->before }, .n = 1 };

    for (uint32_t i = 0; i < leg->index; i++) {
        times.at[times.n++] = plan->legs[i].after;
    }
    times.at[times.n++] = leg->end;
    return judge(leg->j, plan->before, &times, plan->legs[leg->index].name);
}

bool
dcp_licences_placement(const struct dcp_judge *j, const struct dcp_placement *p)
{
    struct times times = { .at = { p }, .n = 1 };

    return judge(j, j->base, &times, "");
}
