/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What placements are worth: the objective with the true power curve, and the
 * ledgers over the whole horizon. */

#include "solver/plan/work.h"

#include "model/convert.h"
#include "model/cost.h"
#include "model/licence.h"
#include "model/power.h"
#include "solver/state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define YEAR_MS (365.25 * 86400000.0)

/* --- Measuring ---------------------------------------------------------- */

const char *
dcp_work_unit(const struct dcp_work *w, uint32_t level)
{
    static const char *const units[] = {
        [DCP_GOAL_HOSTS] = "hosts", [DCP_GOAL_ENERGY] = "kWh",
        [DCP_GOAL_MOVES] = "moves", [DCP_GOAL_BALANCE] = "",
        [DCP_GOAL_ROOM] = "VMs",
    };
    const struct dcp_goal_level *l = &w->r->goals.level[level];
    enum dcp_goal goal;

    if (dcp_goal_level_has(l, DCP_GOAL_COST) ||
        dcp_goal_level_has(l, DCP_GOAL_LICENCES)) {
        return w->r->inventory->currency;
    }
    return dcp_goal_level_single(l, &goal) ? units[goal] : "";
}

const char *
dcp_work_guide_unit(const struct dcp_work *w)
{
    enum dcp_goal guide = dcp_work_guide(w);

    return guide == DCP_GOAL_HOSTS    ? "hosts"
           : guide == DCP_GOAL_ENERGY ? "kWh"
                                      : w->r->inventory->currency;
}

/* Energy of a placement over slots by the power curve, 'kwh' per kWh and
 * 'money' per unit of money. */
static double
measure_energy(const struct dcp_work *w, double kwh, double money,
               const struct dcp_placement *p, uint32_t first_slot,
               uint32_t last_slot, struct dcp_error *err)
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
                money > 0 ? dcp_energy_price(inv, site, d->slots[t].start_ms)
                          : 0;

            total += watts * dcp_site_pue_marginal(inv, site) * hours / 1000 *
                     (kwh + money * price);
        }
    }
    return total;
}

/* Licences that a placement can change: where VMs return, what is needed above
 * the start's. */
static double
measure_licences(const struct dcp_work *w, const struct dcp_placement *end1,
                 const struct dcp_placement *end2)
{
    const struct dcp_inventory *inv = w->r->inventory;
    const struct dcp_placement *start[] = { w->r->start };
    const struct dcp_placement *all[] = { w->r->start, end1, end2 };
    const struct dcp_placement *last[] = { end1 };
    bool stays = dcp_work_stays(w);
    double per_year = 0;

    for (uint32_t k = 0; k < inv->n_licences; k++) {
        const struct dcp_licence *l = &inv->licences[k];
        struct dcp_licence_need anyway = { 0 }, need;

        if (!dcp_pricing_depends_on_places(l)) {
            continue;
        }
        if (!stays) {
            dcp_licence_count(inv, k, start, 1, &anyway);
        }
        dcp_licence_count(inv, k, stays ? last : all, stays ? 1 : 3, &need);
        per_year += (need.units - anyway.units) * l->price_per_year;
    }
    return per_year * (double)w->terms.licence_ms / YEAR_MS;
}

/* Conversions of the first leg, the only ones, in the horizon's share. */
static double
measure_conversions(const struct dcp_work *w, const struct dcp_placement *end1)
{
    const struct dcp_inventory *inv = w->r->inventory;
    const struct dcp_placement *start = w->r->start;
    double sum = 0;

    for (uint32_t v = 0; inv->n_conversions && v < inv->n_vms; v++) {
        const struct dcp_conversion *c =
            dcp_conversion_between(inv, start->host[v], end1->host[v])
                ? dcp_conversion_of(inv, v,
                                    inv->hosts[start->host[v].ix].hypervisor,
                                    inv->hosts[end1->host[v].ix].hypervisor)
                : NULL;

        sum += c ? dcp_conversion_cost(c, w->terms.licence_ms) : 0;
    }
    return sum;
}

/* Balance or room of a placement in the night's slots. */
static double
measure_state(const struct dcp_work *w, const struct dcp_placement *p,
              enum dcp_goal goal, struct dcp_error *err)
{
    struct dcp_goals goals = dcp_goals_single(goal);
    struct dcp_goal_terms terms = w->terms;
    struct dcp_question q = dcp_work_question(w, p, w->night_slots);

    terms.goals = &goals;
    terms.licence_ms = 0;
    q.terms = &terms;
    DCP_AUTO(dcp_problem)
    struct dcp_problem *problem = dcp_problem_create(&q, err);
    DCP_AUTO(dcp_state)
    struct dcp_state *s = problem ? dcp_state_create(problem, err) : NULL;

    return s ? dcp_objective_measure(s, 0) : NAN;
}

static void
put_state(struct dcp_state *s, const struct dcp_placement *p)
{
    const struct dcp_problem *problem = s->p;

    for (uint32_t h = 0; h < problem->n_hosts; h++) {
        dcp_state_power(s, h, p->on[h]);
    }
    for (uint32_t i = 0; i < problem->n_items; i++) {
        uint32_t to = p->host[problem->vm[problem->vm_first[i]]].ix;

        if (s->host[i] != DCP_IX_NONE && s->host[i] != to) {
            dcp_state_remove(s, i);
        }
        if (s->host[i] == DCP_IX_NONE && to != DCP_IX_NONE) {
            dcp_state_place(s, i, to);
        }
    }
}

/* What soft rules that are broken cost, at the end of each leg. */
static double
measure_soft(const struct dcp_work *w, const struct dcp_placement *end1,
             const struct dcp_placement *end2, struct dcp_error *err)
{
    bool two = w->second_end && w->second_end != w->first_end;
    double price = 0;

    /* A repair counts moves; what soft rules cost is told beside that. */
    if (!dcp_work_has_soft_rules(w) || w->r->job == DCP_JOB_REPAIR) {
        return 0;
    }
    struct dcp_question q = dcp_work_question(w, w->r->start, w->night_slots);

    q.price_soft = true;
    q.vms_apart = true; /* Each is where the placement has it. */
    DCP_AUTO(dcp_problem)
    struct dcp_problem *problem = dcp_problem_create(&q, err);
    DCP_AUTO(dcp_state)
    struct dcp_state *s = problem ? dcp_state_create(problem, err) : NULL;

    if (!s) {
        return NAN;
    }
    put_state(s, end1);
    price = dcp_state_soft_price(s);
    if (two) {
        put_state(s, end2);
        price += dcp_state_soft_price(s);
    }
    return price;
}

/* Energy and money of boots and shutdowns between two power states. */
static double
switching(const struct dcp_work *w, double in_kwh, double in_money,
          const struct dcp_placement *a, const struct dcp_placement *b,
          uint32_t slot)
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
               (in_kwh +
                in_money * dcp_energy_price(
                               inv, site, w->r->demand->slots[slot].start_ms));
    }
    return sum;
}

/* The value of one level when legs end in 'end1' and 'end2'. */
static double
measure(const struct dcp_work *w, uint32_t level,
        const struct dcp_placement *end1, const struct dcp_placement *end2,
        struct dcp_error *err)
{
    const double *weight = w->r->goals.level[level].weight;
    double kwh = weight[DCP_GOAL_ENERGY], money = weight[DCP_GOAL_COST];
    const struct dcp_placement *start = w->r->start;
    double value =
        weight[DCP_GOAL_HOSTS] * dcp_placement_n_on(end1) +
        weight[DCP_GOAL_MOVES] * (dcp_placement_n_moved(start, end1) +
                                  (double)dcp_placement_n_moved(end1, end2));

    if (kwh > 0 || money > 0) {
        value += measure_energy(w, kwh, money, end1, 0, w->night_slots, err) +
                 measure_energy(w, kwh, money, end2, w->night_slots, w->n_slots,
                                err) +
                 switching(w, kwh, money, start, end1, 0) +
                 switching(w, kwh, money, end1, end2, w->night_slots - 1);
    }
    if (money > 0 || weight[DCP_GOAL_LICENCES] > 0) {
        value += (money + weight[DCP_GOAL_LICENCES]) *
                 measure_licences(w, end1, end2);
    }
    if (money > 0) {
        value += money * measure_conversions(w, end1);
    }
    for (int k = 0; k < 2; k++) {
        enum dcp_goal goal = k ? DCP_GOAL_ROOM : DCP_GOAL_BALANCE;

        if (weight[goal] > 0) {
            value += weight[goal] * measure_state(w, end1, goal, err);
        }
    }
    return level ? value : value + measure_soft(w, end1, end2, err);
}

/* What the day costs at least by the first level where it was not solved: what
 * is there. */
static double
day_as_it_is(const struct dcp_work *w, const struct dcp_placement *end2,
             struct dcp_error *err)
{
    const double *weight = w->r->goals.level[0].weight;

    return measure_energy(w, weight[DCP_GOAL_ENERGY], weight[DCP_GOAL_COST],
                          end2, w->night_slots, w->n_slots, err);
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
        switching(w, 1, 0, w->r->start, end1, 0) +
        switching(w, 1, 0, end1, end2, w->night_slots - 1);
    p->energy_cost_before = before.cost;
    p->energy_cost_after = before.cost - (before.cost - cost_after) * share +
                           switching(w, 0, 1, w->r->start, end1, 0) +
                           switching(w, 0, 1, end1, end2, w->night_slots - 1);

    const struct dcp_placement *first[] = { w->r->start };
    const struct dcp_placement *all[] = { w->r->start, end1, end2 };
    const struct dcp_placement *last[] = { end1 };
    /* A VM that returns saves no licence: the most over the horizon counts;
     * one that stays does. */
    bool stays = dcp_work_stays(w);

    /* Resizes are for good: what is needed at the new sizes counts. */
    p->licence_cost_before = dcp_licence_cost(w->r->was ? w->r->was : inv,
                                              first, 1, (int64_t)horizon_ms);
    p->licence_cost_after =
        stays ? dcp_licence_cost(inv, last, 1, (int64_t)horizon_ms)
              : dcp_licence_cost(inv, all, 3, (int64_t)horizon_ms);
    p->cost_before = p->energy_cost_before + p->licence_cost_before;
    p->cost_after = p->energy_cost_after + p->licence_cost_after +
                    w->outcome->conversion_cost_counted;
}

/* The objective before, after and at least; 'end2' may be 'end1'. */
bool
dcp_work_weigh(struct dcp_work *w, const struct dcp_placement *end1,
               const struct dcp_placement *end2, struct dcp_error *err)
{
    struct dcp_plan_outcome *o = w->outcome;

    o->hosts_on_before = dcp_placement_n_on(w->r->start);
    o->hosts_on_after = dcp_placement_n_on(end1);
    o->n_objectives = w->r->goals.n_levels;
    for (uint32_t k = 0; k < o->n_objectives; k++) {
        struct dcp_plan_objective *of = &o->objectives[k];

        dcp_goal_level_print(&w->r->goals.level[k], of->goal, sizeof of->goal);
        of->unit = dcp_work_unit(w, k);
        of->before = measure(w, k, w->r->start, w->r->start, err);
        of->after = measure(w, k, end1, end2, err);
        if (isnan(of->before) || isnan(of->after)) {
            return false;
        }
    }
    o->before = o->objectives[0].before;
    o->after = o->objectives[0].after;
    o->lower_bound = o->hosts_lower_bound;
    if (dcp_work_by_value(w)) {
        double day_least =
            w->day.placement ? w->day.bound : day_as_it_is(w, end2, err);

        o->lower_bound =
            w->night.bound + (w->night_slots < w->n_slots ? day_least : 0);
        if (isnan(o->lower_bound)) {
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
    if (o->stopped_by == DCP_STOPPED_PROOF && o->gap_frac > 1e-6) {
        o->stopped_by = DCP_STOPPED_ITERATIONS; /* So was the night's search. */
    }
    dcp_work_weigh_conversions(w, end1);
    predict(w, end1, end2);
    utilisation(w, end1, w->night_slots);
    return true;
}
