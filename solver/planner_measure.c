/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What placements are worth: the objective with the true power curve, and the
 * ledgers over the whole horizon. */

#include "solver/planner_work.h"

#include "model/cost.h"
#include "model/licence.h"
#include "model/power.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- Measuring ---------------------------------------------------------- */

/* The objective's value of a placement over slots, with the true power curve
 * (the question's lines lie under it). */
static double
measure(const struct dcp_work *w, const struct dcp_placement *p,
        uint32_t first_slot, uint32_t last_slot, struct dcp_error *err)
{
    const struct dcp_inventory *inv = w->r->inventory;
    const struct dcp_demand *d = w->r->demand;
    DCP_FREE double *mhz = calloc(w->n_hosts + 1u, sizeof *mhz);
    double total = 0;

    if (!mhz) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to measure");
        return NAN;
    }
    for (uint32_t t = first_slot; t < last_slot; t++) {
        double hours = (double)(d->slots[t].end_ms - d->slots[t].start_ms) /
                       (double)DCP_HOUR_MS;

        memset(mhz, 0, w->n_hosts * sizeof *mhz);
        for (uint32_t v = 0; v < inv->n_vms; v++) {
            if (!dcp_host_is_none(p->host[v])) {
                mhz[p->host[v].ix] += d->cpu_mhz[(size_t)v * d->stride + t];
            }
        }
        for (uint32_t h = 0; h < w->n_hosts; h++) {
            const struct dcp_hardware *hw =
                &inv->hardware[inv->hosts[h].hardware.ix];
            dcp_site_id site = dcp_host_site(inv, (dcp_host_id){ h });
            double cap = dcp_host_capacity(inv, (dcp_host_id){ h }).cpu_mhz;

            if (!p->on[h] || (w->r->avoid && w->r->avoid[h])) {
                continue;
            }
            double watts =
                dcp_power_at(hw, cap > 0 ? mhz[h] / cap : 0) - hw->sleep_w;
            double price =
                w->r->goal == DCP_GOAL_COST
                    ? dcp_energy_price(inv, site, d->slots[t].start_ms)
                    : 1;

            total +=
                watts * dcp_site_pue_marginal(inv, site) * hours / 1000 * price;
        }
    }
    return total;
}

/* Energy and money of boots and shutdowns between two power states. */
static double
switching(const struct dcp_work *w, const struct dcp_placement *a,
          const struct dcp_placement *b, uint32_t slot, bool money)
{
    const struct dcp_inventory *inv = w->r->inventory;
    double sum = 0;

    for (uint32_t h = 0; h < w->n_hosts; h++) {
        const struct dcp_hardware *hw =
            &inv->hardware[inv->hosts[h].hardware.ix];
        dcp_site_id site = dcp_host_site(inv, (dcp_host_id){ h });
        double kwh = a->on[h] == b->on[h] ? 0
                     : b->on[h]           ? dcp_boot_kwh(hw)
                                          : dcp_shutdown_kwh(hw);

        sum += kwh * dcp_site_pue_marginal(inv, site) *
               (money ? dcp_energy_price(inv, site,
                                         w->r->demand->slots[slot].start_ms)
                      : 1);
    }
    return sum;
}

/* --- Judging ------------------------------------------------------------ */

static void
utilisation(const struct dcp_work *w, const struct dcp_placement *p,
            uint32_t last_slot)
{
    const struct dcp_inventory *inv = w->r->inventory;
    const struct dcp_demand *d = w->r->demand;
    double cpu = 0, mem = 0, cap_cpu = 0, cap_mem = 0;
    uint32_t request[DCP_SCALARS_MAX];

    for (uint32_t h = 0; h < w->n_hosts; h++) {
        struct dcp_capacity c = dcp_host_capacity(inv, (dcp_host_id){ h });

        cap_cpu += p->on[h] ? c.cpu_mhz : 0;
        cap_mem += p->on[h] ? c.scalar[DCP_SCALAR_MEM] : 0;
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        if (dcp_host_is_none(p->host[v])) {
            continue;
        }
        dcp_vm_request(inv, (dcp_vm_id){ v },
                       inv->hosts[p->host[v].ix].hypervisor, request);
        mem += request[DCP_SCALAR_MEM];
        for (uint32_t t = 0; t < last_slot; t++) {
            cpu += d->cpu_mhz[(size_t)v * d->stride + t];
        }
    }
    w->outcome->cpu_util_mean_frac =
        cap_cpu > 0 && last_slot ? cpu / last_slot / cap_cpu : 0;
    w->outcome->mem_alloc_mean_frac = cap_mem > 0 ? mem / cap_mem : 0;
}

/* What the ledgers say before and after, over the whole horizon. */
static void
predict(struct dcp_work *w, const struct dcp_placement *end1,
        const struct dcp_placement *end2)
{
    const struct dcp_inventory *inv = w->r->inventory;
    const struct dcp_demand *d = w->r->demand;
    struct dcp_plan_prediction *p = &w->outcome->predicted;
    struct dcp_energy_sum before =
        dcp_energy_planned(inv, d, w->r->start, 0, w->n_slots);
    struct dcp_energy_sum night =
        dcp_energy_planned(inv, d, end1, 0, w->night_slots);
    struct dcp_energy_sum day = { 0 };
    double horizon_ms =
        (double)(d->slots[w->n_slots - 1].end_ms - d->slots[0].start_ms);

    if (w->night_slots < w->n_slots) {
        day = dcp_energy_planned(inv, d, end2, w->night_slots, w->n_slots);
    }
    /* Only the marginal share of what is saved is saved at the meter. */
    double it_after = night.it_kwh + day.it_kwh;
    double ratio = before.it_kwh > 0 ? before.meter_kwh / before.it_kwh : 1;
    double marginal = inv->n_sites == 1
                          ? dcp_site_pue_marginal(inv, (dcp_site_id){ 0 })
                          : ratio;
    double share = ratio > 0 ? marginal / ratio : 1;
    double meter_after = night.meter_kwh + day.meter_kwh;
    double cost_after = night.cost + day.cost;

    p->energy_kwh_before = before.meter_kwh;
    p->energy_kwh_after =
        before.meter_kwh - (before.it_kwh - it_after) * marginal +
        (inv->n_sites == 1 ? 0 : meter_after - it_after * ratio) +
        switching(w, w->r->start, end1, 0, false) +
        switching(w, end1, end2, w->night_slots - 1, false);
    p->energy_cost_before = before.cost;
    p->energy_cost_after = before.cost - (before.cost - cost_after) * share +
                           switching(w, w->r->start, end1, 0, true) +
                           switching(w, end1, end2, w->night_slots - 1, true);

    const struct dcp_placement *first[] = { w->r->start };
    const struct dcp_placement *all[] = { w->r->start, end1, end2 };
    const struct dcp_placement *last[] = { end1 };
    /* A VM that returns saves no licence: the most over the horizon counts;
     * one that stays does. */
    bool stays = !w->r->two_legs && !w->r->bring_back;

    p->licence_cost_before =
        dcp_licence_cost(inv, first, 1, (int64_t)horizon_ms);
    p->licence_cost_after =
        stays ? dcp_licence_cost(inv, last, 1, (int64_t)horizon_ms)
              : dcp_licence_cost(inv, all, 3, (int64_t)horizon_ms);
    p->cost_before = p->energy_cost_before + p->licence_cost_before;
    p->cost_after = p->energy_cost_after + p->licence_cost_after;
}

/* The objective before, after and at least; 'end2' may be 'end1'. */
bool
dcp_work_weigh(struct dcp_work *w, const struct dcp_placement *end1,
               const struct dcp_placement *end2, struct dcp_error *err)
{
    struct dcp_plan_outcome *o = w->outcome;
    bool money = w->r->goal == DCP_GOAL_COST;

    o->hosts_on_before = dcp_placement_n_on(w->r->start);
    o->hosts_on_after = dcp_placement_n_on(end1);
    if (!dcp_work_by_value(w)) {
        o->before = o->hosts_on_before;
        o->after = o->hosts_on_after;
        o->lower_bound = o->hosts_lower_bound;
    } else {
        o->before = measure(w, w->r->start, 0, w->n_slots, err);
        o->after = measure(w, end1, 0, w->night_slots, err) +
                   measure(w, end2, w->night_slots, w->n_slots, err) +
                   switching(w, w->r->start, end1, 0, money) +
                   switching(w, end1, end2, w->night_slots - 1, money);
        double day_least = w->day.placement ? w->day.bound
                                            : measure(w, end2, w->night_slots,
                                                      w->n_slots, err);

        o->lower_bound =
            w->night.bound + (w->night_slots < w->n_slots ? day_least : 0);
        if (isnan(o->before) || isnan(o->after)) {
            return false;
        }
        o->lower_bound = fmin(o->lower_bound, o->after);
    }
    o->gap_frac = (o->after - o->lower_bound) / fmax(fabs(o->after), 1e-9);
    if (o->gap_frac < 0) {
        o->gap_frac = 0;
    }
    if (o->status == DCP_STATUS_OPTIMAL && o->gap_frac > 1e-6) {
        o->status = DCP_STATUS_FEASIBLE; /* The night is, the whole is not
                                          * proved. */
    }
    predict(w, end1, end2);
    utilisation(w, end1, w->night_slots);
    return true;
}
