/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/planner.h"

#include "model/cost.h"
#include "model/licence.h"
#include "model/power.h"
#include "solver/schedule.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTLED_GAIN_FRAC 0.1
#define SLACK_FRAC 1.25
#define FIVE_MINUTES_MS INT64_C(300000)

/* One plan being made. */
struct work {
    const struct dcp_plan_request *r;
    struct dcp_plan_outcome *outcome;
    uint32_t n_hosts, n_slots, night_slots; /* Slots before the window's end. */
    double *on_value, *slope, *weight;      /* For questions; of one phase. */
    uint8_t *use;
    struct dcp_solution night, day;
    const struct dcp_placement *first_end, *second_end; /* Borrowed. */
};

static bool
by_value(const struct work *w)
{
    return w->r->goal == DCP_GOAL_COST || w->r->goal == DCP_GOAL_ENERGY;
}

/* --- Measuring ---------------------------------------------------------- */

/* The objective's value of a placement over slots, with the true power curve
 * (the question's lines lie under it). */
static double
measure(const struct work *w, const struct dcp_placement *p,
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
            double watts = dcp_power_at(hw, cap > 0 ? mhz[h] / cap : 0) -
                           hw->sleep_w;
            double price = w->r->goal == DCP_GOAL_COST
                               ? dcp_energy_price(inv, site,
                                                  d->slots[t].start_ms)
                               : 1;

            total += watts * dcp_site_pue_marginal(inv, site) * hours / 1000 *
                     price;
        }
    }
    return total;
}

/* Energy and money of boots and shutdowns between two power states. */
static double
switching(const struct work *w, const struct dcp_placement *a,
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

/* --- Solving ------------------------------------------------------------ */

/* Values of one phase: what being on costs from 'first' to 'last', in a
 * question about the slots from 'question_first' on. */
static void
set_values(struct work *w, uint32_t question_first, uint32_t first,
           uint32_t last)
{
    for (uint32_t t = question_first; t < first; t++) {
        w->weight[t - question_first] = 0;
    }
    dcp_goal_values(w->r->inventory, w->r->demand, first, last, w->r->goal,
                    w->on_value, w->slope, w->weight + (first - question_first));
}

static void
set_use(struct work *w)
{
    const struct dcp_inventory *inv = w->r->inventory;

    for (uint32_t h = 0; h < w->n_hosts; h++) {
        bool off = !w->r->start->on[h];
        bool keep = !inv->hosts[h].power_off_allowed ||
                    (w->r->job == DCP_JOB_EVACUATE && off);

        w->use[h] = inv->hosts[h].state == DCP_HOST_MAINTENANCE ||
                            (w->r->avoid && w->r->avoid[h])
                        ? DCP_HOST_AVOID
                    : keep ? DCP_HOST_KEEP
                           : DCP_HOST_FREE;
    }
}

static struct dcp_question
question(const struct work *w, const struct dcp_placement *start,
         uint32_t last_slot)
{
    return (struct dcp_question){
        .inventory = w->r->inventory,
        .demand = w->r->demand,
        .first_slot = 0,
        .last_slot = last_slot,
        .start = start,
        .home = w->r->start,
        .host_use = w->use,
        .may_wake = w->r->job != DCP_JOB_EVACUATE,
        .may_empty = w->r->job == DCP_JOB_CONSOLIDATE && !w->r->settled,
        .headroom = w->r->inventory->policy.n_survive > 0,
        .gentle = w->r->job != DCP_JOB_CONSOLIDATE,
        .host_on_value = by_value(w) ? w->on_value : NULL,
        .mhz_slope = by_value(w) ? w->slope : NULL,
        .slot_weight = by_value(w) ? w->weight : NULL,
    };
}

static bool
has_answer(const struct dcp_solution *s)
{
    return s->placement != NULL;
}

static void
take_standing(struct work *w, const struct dcp_solution *s)
{
    struct dcp_plan_outcome *o = w->outcome;

    o->status = s->status;
    o->stopped_by = s->stopped_by;
    o->because = s->because;
    o->bound_method = s->bound_method;
    memcpy(o->binding, s->binding, sizeof o->binding);
    o->hosts_lower_bound = s->hosts_lower_bound;
    o->rounds += s->rounds;
}

/* Soft rules are kept as if hard where there is an answer that way. */
static bool
solve(const struct work *w, struct dcp_question *q, struct dcp_solution *out,
      struct dcp_error *err)
{
    bool soft = false;

    for (uint32_t r = 0; r < w->r->inventory->n_rules; r++) {
        soft |= w->r->inventory->rules[r].soft;
    }
    if (!dcp_solve(q, &w->r->solve, out, err)) {
        return false;
    }
    if (soft && !out->placement) {
        dcp_solution_finish(out);
        q->ignore_soft = true;
        return dcp_solve(q, &w->r->solve, out, err);
    }
    return true;
}

/* A settled night is repaired only, unless solving it afresh gains much. */
static bool
solve_night(struct work *w, struct dcp_error *err)
{
    struct dcp_question q = question(w, w->r->start, w->night_slots);

    set_values(w, 0, 0, w->night_slots);
    if (!solve(w, &q, &w->night, err)) {
        return false;
    }
    take_standing(w, &w->night);
    if (!has_answer(&w->night)) {
        return true;
    }
    double gap = (w->night.value - w->night.bound) /
                 fmax(fabs(w->night.value), 1e-9);

    if (w->r->settled && gap > SETTLED_GAIN_FRAC) {
        double settled = w->night.value;
        struct dcp_solution fresh;

        q.may_empty = true;
        if (!solve(w, &q, &fresh, err)) {
            return false;
        }
        bool better = has_answer(&fresh) &&
                      fresh.value < settled * (1 - SETTLED_GAIN_FRAC);
        struct dcp_solution worse = better ? w->night : fresh;

        if (better) {
            w->night = fresh;
            take_standing(w, &w->night);
        }
        dcp_solution_finish(&worse);
    }
    return true;
}

/* The day starts from the night's end; its hosts cost only after the window. */
static bool
solve_day(struct work *w, struct dcp_error *err)
{
    struct dcp_question q =
        question(w, w->night.placement, w->n_slots);

    q.gentle = true;
    q.may_empty = true;
    set_values(w, 0, w->night_slots, w->n_slots);
    return solve(w, &q, &w->day, err);
}

/* --- Judging ------------------------------------------------------------ */

static void
utilisation(const struct work *w, const struct dcp_placement *p,
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
predict(struct work *w, const struct dcp_placement *end1,
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
    double horizon_ms = (double)(d->slots[w->n_slots - 1].end_ms -
                                 d->slots[0].start_ms);

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
static bool
weigh(struct work *w, const struct dcp_placement *end1,
      const struct dcp_placement *end2, struct dcp_error *err)
{
    struct dcp_plan_outcome *o = w->outcome;
    bool money = w->r->goal == DCP_GOAL_COST;

    o->hosts_on_before = dcp_placement_n_on(w->r->start);
    o->hosts_on_after = dcp_placement_n_on(end1);
    if (!by_value(w)) {
        o->before = o->hosts_on_before;
        o->after = o->hosts_on_after;
        o->lower_bound = o->hosts_lower_bound;
    } else {
        o->before = measure(w, w->r->start, 0, w->n_slots, err);
        o->after = measure(w, end1, 0, w->night_slots, err) +
                   measure(w, end2, w->night_slots, w->n_slots, err) +
                   switching(w, w->r->start, end1, 0, money) +
                   switching(w, end1, end2, w->night_slots - 1, money);
        double day_least = w->r->inventory->policy.unpack == DCP_UNPACK_HOME
                               ? measure(w, end2, w->night_slots, w->n_slots,
                                         err)
                               : w->day.bound;

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

static bool
same(const struct dcp_placement *a, const struct dcp_placement *b)
{
    return !dcp_placement_n_moved(a, b) && !memcmp(a->on, b->on, a->n_hosts);
}

/* --- Legs --------------------------------------------------------------- */

static enum dcp_reason
first_reason(const struct dcp_plan_request *r)
{
    switch (r->job) {
    case DCP_JOB_CONSOLIDATE:
        return r->settled ? DCP_REASON_REPAIR : DCP_REASON_EMPTY_HOST;
    case DCP_JOB_EVACUATE:
        return DCP_REASON_EVACUATE;
    case DCP_JOB_REPAIR:
        return DCP_REASON_REPAIR;
    case DCP_JOB_PLACE_ALL:
        return DCP_REASON_PLACE;
    }
    return DCP_REASON_REPAIR;
}

static const char *
first_name(const struct dcp_plan_request *r)
{
    return r->two_legs ? "evening" : r->bring_back ? "out" : "now";
}

static int64_t
round_up(int64_t ms)
{
    return (ms + FIVE_MINUTES_MS - 1) / FIVE_MINUTES_MS * FIVE_MINUTES_MS;
}

static bool
too_tight(struct work *w, const char *what, int64_t need_ms, int64_t have_ms)
{
    struct dcp_because *b = &w->outcome->because;
    char need[32], have[32];

    w->outcome->status = DCP_STATUS_TIMEOUT;
    (void)snprintf(need, sizeof need, "%lld min",
                   (long long)(need_ms / 60000));
    (void)snprintf(have, sizeof have, "%lld min",
                   (long long)(have_ms / 60000));
    (void)snprintf(b->rule, sizeof b->rule, "window");
    (void)snprintf(b->object, sizeof b->object, "%s", what);
    (void)snprintf(b->text, sizeof b->text,
                   "the moves need %s and the window leaves %s; raise "
                   "policy.migration or lengthen the window",
                   need, have);
    b->need = (double)need_ms;
    b->have = (double)have_ms;
    return true;
}

static bool
no_order(struct work *w, const struct dcp_leg_answer *a)
{
    struct dcp_because *b = &w->outcome->because;

    w->outcome->status = DCP_STATUS_TIMEOUT;
    (void)snprintf(b->rule, sizeof b->rule, "order");
    (void)snprintf(b->object, sizeof b->object, "vm:%.80s",
                   w->r->inventory->vms[a->stuck_vm].name);
    (void)snprintf(b->text, sizeof b->text,
                   "no safe order of moves was found: it waits for room that "
                   "others hold, and no host is free to step aside to");
    b->need = b->have = NAN;
    return true;
}

/* The morning leg, begun early enough to end before the window does; its
 * states are judged from its own start, which its length decides, so it may
 * take two rounds. */
static bool
morning(struct work *w, struct dcp_plan *plan, struct dcp_step_list *steps,
        struct dcp_trunks *trunks, struct dcp_error *err)
{
    const struct dcp_plan_request *r = w->r;
    const struct dcp_demand *d = r->demand;
    struct dcp_leg *evening = &plan->legs[0], *leg = &plan->legs[1];
    uint32_t first = w->night_slots ? w->night_slots - 1 : 0;
    uint32_t n_before = steps->n;
    struct dcp_leg_answer a;

    for (;;) {
        struct dcp_leg_request request = {
            .inventory = r->inventory, .demand = d, .first_slot = first,
            .last_slot = w->n_slots, .from = w->first_end,
            .to = w->second_end, .leg = 1,
            .move_reason = DCP_REASON_UNPACK,
            .off_reason = DCP_REASON_NIGHT_OFF, .trunks = trunks,
        };

        steps->n = n_before;
        dcp_trunks_rewind(trunks, n_before + 1);
        if (!dcp_schedule_leg(&request, steps, &a, err)) {
            return false;
        }
        if (!a.ok) {
            return no_order(w, &a);
        }
        int64_t length = round_up((int64_t)(SLACK_FRAC *
                                            (double)a.makespan_ms)) +
                         r->inventory->policy.morning_lead_ms;

        leg->start_ms = (r->window_end_ms - length) / FIVE_MINUTES_MS *
                        FIVE_MINUTES_MS;
        if (leg->start_ms < evening->start_ms + evening->makespan_ms) {
            return too_tight(w, "morning", length + evening->makespan_ms,
                             r->window_end_ms - evening->start_ms);
        }
        if (d->slots[first].start_ms <= leg->start_ms) {
            break;
        }
        while (d->slots[first].start_ms > leg->start_ms) {
            first--;
        }
    }
    leg->name = "morning";
    leg->deadline_ms = r->window_end_ms;
    leg->buckets_until_ms = d->slots[w->n_slots - 1].end_ms;
    leg->makespan_ms = a.makespan_ms;
    w->outcome->moves += a.n_moves;
    w->outcome->moved_mib += a.moved_mib;
    if (evening->deadline_ms > leg->start_ms) {
        evening->deadline_ms = leg->start_ms;
    }
    plan->n_legs = 2;
    return true;
}

static bool
first_leg(struct work *w, struct dcp_plan *plan, struct dcp_step_list *steps,
          struct dcp_trunks *trunks, struct dcp_error *err)
{
    const struct dcp_plan_request *r = w->r;
    struct dcp_leg *leg = &plan->legs[0];
    struct dcp_leg_answer a;
    struct dcp_leg_request request = {
        .inventory = r->inventory, .demand = r->demand, .first_slot = 0,
        .last_slot = w->night_slots, .from = r->start, .to = w->first_end,
        .leg = 0, .move_reason = first_reason(r),
        .off_reason = DCP_REASON_NIGHT_OFF, .trunks = trunks,
    };

    if (!dcp_schedule_leg(&request, steps, &a, err)) {
        return false;
    }
    if (!a.ok) {
        return no_order(w, &a);
    }
    leg->name = first_name(r);
    leg->start_ms = r->start_ms;
    leg->makespan_ms = a.makespan_ms;
    leg->deadline_ms =
        r->start_ms +
        round_up((int64_t)(SLACK_FRAC * (double)a.makespan_ms)) +
        3 * FIVE_MINUTES_MS;
    leg->buckets_until_ms = r->demand->slots[w->night_slots - 1].end_ms;
    if (leg->deadline_ms > leg->buckets_until_ms) {
        return too_tight(w, leg->name, a.makespan_ms,
                         leg->buckets_until_ms - leg->start_ms);
    }
    w->outcome->moves += a.n_moves;
    w->outcome->moved_mib += a.moved_mib;
    plan->n_legs = 1;
    return true;
}

/* EVACUATE: the same moves back, any time before the horizon ends. */
static bool
return_leg(struct work *w, struct dcp_plan *plan, struct dcp_step_list *steps,
           struct dcp_trunks *trunks, struct dcp_error *err)
{
    const struct dcp_plan_request *r = w->r;
    struct dcp_leg *out = &plan->legs[0], *leg = &plan->legs[1];
    struct dcp_leg_answer a;
    struct dcp_leg_request request = {
        .inventory = r->inventory, .demand = r->demand, .first_slot = 0,
        .last_slot = w->n_slots, .from = w->first_end, .to = r->start,
        .leg = 1, .move_reason = DCP_REASON_RETURN,
        .off_reason = DCP_REASON_NIGHT_OFF, .trunks = trunks,
    };

    if (!dcp_schedule_leg(&request, steps, &a, err)) {
        return false;
    }
    if (!a.ok) {
        return no_order(w, &a);
    }
    leg->name = "return";
    leg->start_ms = out->deadline_ms;
    leg->deadline_ms = leg->buckets_until_ms =
        r->demand->slots[w->n_slots - 1].end_ms;
    leg->makespan_ms = a.makespan_ms;
    w->outcome->moves += a.n_moves;
    w->outcome->moved_mib += a.moved_mib;
    plan->n_legs = 2;
    return true;
}

/* --- The plan ----------------------------------------------------------- */

static bool
copy_losses(struct dcp_plan *plan, uint32_t leg,
            const struct dcp_solution *s, struct dcp_survive *out,
            uint32_t *n)
{
    static const enum dcp_object_kind kinds[] = {
        [DCP_LOSS_HOST] = DCP_OBJECT_HOST,
        [DCP_LOSS_RACK] = DCP_OBJECT_RACK,
        [DCP_LOSS_FEED] = DCP_OBJECT_FEED,
    };

    for (uint32_t i = 0; i < s->n_losses; i++) {
        const struct dcp_loss_answer *from = &s->losses[i];
        uint32_t *vms = dcp_arena_array(plan->arena, uint32_t, from->n);
        dcp_host_id *to = dcp_arena_array(plan->arena, dcp_host_id, from->n);
        uint32_t *rest = dcp_arena_array(plan->arena, uint32_t,
                                         from->n_not_protected);

        if (!vms || !to || !rest) {
            return false;
        }
        for (uint32_t k = 0; k < from->n; k++) {
            vms[k] = from->vms[k];
            to[k].ix = from->to[k];
        }
        for (uint32_t k = 0; k < from->n_not_protected; k++) {
            rest[k] = from->not_protected[k];
        }
        out[(*n)++] = (struct dcp_survive){
            .leg = leg,
            .lose = { kinds[from->lose.kind], from->lose.ix },
            .vms = vms, .to = to, .n = from->n,
            .not_protected = rest, .n_not_protected = from->n_not_protected,
        };
    }
    return true;
}

/* Headroom of a state that was not solved for: where it started. */
static bool
start_losses(const struct work *w, struct dcp_solution *out,
             struct dcp_error *err)
{
    struct dcp_question q = question(w, w->r->start, w->n_slots);
    struct dcp_headroom headroom;

    q.host_use = NULL; /* Evacuated hosts are hosts again. */
    *out = (struct dcp_solution){ .bound_method = "" };
    out->arena = dcp_arena_create(0);
    DCP_AUTO(dcp_problem) struct dcp_problem *p = dcp_problem_create(&q, err);
    DCP_AUTO(dcp_state) struct dcp_state *s =
        p ? dcp_state_create(p, err) : NULL;

    if (!s || !out->arena ||
        !dcp_headroom_check(s, out->arena, NULL, &headroom, err)) {
        return false;
    }
    out->losses = headroom.ok ? headroom.losses : NULL;
    out->n_losses = headroom.ok ? headroom.n_losses : 0;
    return true;
}

static bool
add_survive(struct work *w, struct dcp_plan *plan, struct dcp_error *err)
{
    struct dcp_solution second = { 0 };
    bool own = false, ok = true;
    uint32_t n = 0;

    if (!w->r->inventory->policy.n_survive) {
        return true;
    }
    if (plan->n_legs == 2 && w->second_end == w->day.placement) {
        second = w->day;
    } else if (plan->n_legs == 2) {
        own = true;
        ok = start_losses(w, &second, err);
    }
    struct dcp_survive *all =
        ok ? dcp_arena_array(plan->arena, struct dcp_survive,
                             w->night.n_losses + second.n_losses)
           : NULL;

    if (ok) {
        ok = all && copy_losses(plan, 0, &w->night, all, &n) &&
             copy_losses(plan, 1, &second, all, &n);
        if (!ok) {
            (void)dcp_fail(err, DCP_E_NOMEM, "no memory for survive lists");
        }
    }
    if (own) {
        dcp_solution_finish(&second);
    }
    plan->survive = all;
    plan->n_survive = n;
    return ok;
}

static bool
fill_plan(struct work *w, struct dcp_plan *plan, struct dcp_step_list *steps,
          struct dcp_error *err)
{
    const struct dcp_plan_request *r = w->r;
    const struct dcp_policy *policy = &r->inventory->policy;
    const struct dcp_plan_outcome *o = w->outcome;
    const struct dcp_leg *last = &plan->legs[plan->n_legs - 1];
    struct dcp_step *copy = dcp_arena_array(plan->arena, struct dcp_step,
                                            steps->n);

    plan->before = dcp_placement_copy(r->start, err);
    plan->legs[0].after = dcp_placement_copy(w->first_end, err);
    if (plan->n_legs == 2) {
        plan->legs[1].after = dcp_placement_copy(w->second_end, err);
    }
    if (!copy || !plan->before || !plan->legs[0].after ||
        (plan->n_legs == 2 && !plan->legs[1].after)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a plan");
    }
    if (steps->n) {
        memcpy(copy, steps->steps, steps->n * sizeof *copy);
    }
    plan->steps = copy;
    plan->n_steps = steps->n;
    plan->limits = (struct dcp_plan_limits){
        policy->out_per_host, policy->in_per_host, policy->units_per_10gbit,
        dcp_policy_host_off_at_once(policy, r->inventory->n_hosts)
    };
    plan->not_before_ms = plan->legs[0].start_ms;
    plan->not_after_ms = last->deadline_ms + DCP_HOUR_MS;
    plan->status = dcp_status_name(o->status);
    plan->goal = o->goal;
    plan->bound_method = dcp_arena_strdup(plan->arena, o->bound_method);
    plan->hosts_on_before = o->hosts_on_before;
    plan->hosts_on_after = o->hosts_on_after;
    plan->hosts_lower_bound = o->hosts_lower_bound;
    plan->gap_frac = o->gap_frac;
    plan->predicted = o->predicted;
    plan->currency = dcp_arena_strdup(plan->arena, r->inventory->currency);
    plan->traces_from_ms = r->demand->from_ms;
    plan->traces_until_ms = r->demand->until_ms;
    memcpy(plan->traces_digest, r->demand->traces_digest,
           sizeof plan->traces_digest);
    plan->vms_without_trace = r->demand->n_by_source[DCP_DEMAND_PROFILE] +
                              r->demand->n_by_source[DCP_DEMAND_ALLOCATION];
    return add_survive(w, plan, err);
}

/* Whether the plan changes so little that it is not worth its moves: nothing
 * was broken and the gain is below policy.min_gain_frac. */
static bool
not_worth_it(const struct work *w)
{
    const struct dcp_plan_outcome *o = w->outcome;
    double gain = (o->before - o->after) / fmax(fabs(o->before), 1e-9);

    return w->r->job == DCP_JOB_CONSOLIDATE && !w->night.n_misplaced &&
           !same(w->r->start, w->first_end) &&
           gain < w->r->inventory->policy.min_gain_frac;
}

/* The night's answer becomes: stay. */
static bool
stay(struct work *w, struct dcp_error *err)
{
    const struct dcp_placement *start = w->r->start;
    struct dcp_solution here = { 0 };

    if (w->r->inventory->policy.n_survive && !start_losses(w, &here, err)) {
        return false;
    }
    dcp_arena_destroy(w->night.arena);
    w->night.arena = here.arena;
    w->night.losses = here.losses;
    w->night.n_losses = here.n_losses;
    memcpy(w->night.placement->host, start->host,
           start->n_vms * sizeof *start->host);
    memcpy(w->night.placement->on, start->on, start->n_hosts);
    return true;
}

static bool
make(struct work *w, struct dcp_plan *plan, struct dcp_error *err)
{
    struct dcp_step_list steps = { .arena = plan->arena };
    struct dcp_trunks trunks = { 0 };
    bool ok = first_leg(w, plan, &steps, &trunks, err);

    if (ok && plan->n_legs && w->r->two_legs) {
        plan->n_legs = 0;
        ok = morning(w, plan, &steps, &trunks, err);
    } else if (ok && plan->n_legs && w->r->bring_back) {
        plan->n_legs = 0;
        ok = return_leg(w, plan, &steps, &trunks, err);
    }
    if (ok && plan->n_legs) {
        ok = fill_plan(w, plan, &steps, err);
    }
    dcp_trunks_finish(&trunks);
    dcp_step_list_finish(&steps);
    return ok;
}

/* The day after the night's answer, and what both are worth; second_end is
 * NULL when the day has no answer. */
static bool
settle_day(struct work *w, struct dcp_error *err)
{
    const struct dcp_plan_request *r = w->r;

    dcp_solution_finish(&w->day);
    w->first_end = w->second_end = w->night.placement;
    if (r->two_legs && r->inventory->policy.unpack == DCP_UNPACK_HOME) {
        w->second_end = r->start;
    } else if (r->two_legs) {
        if (!solve_day(w, err)) {
            return false;
        }
        if (!has_answer(&w->day)) {
            take_standing(w, &w->day);
            w->second_end = NULL;
            return true;
        }
        w->second_end = w->day.placement;
    } else if (r->bring_back) {
        w->second_end = r->start;
    }
    return weigh(w, w->first_end, w->second_end, err);
}

static bool
run(struct work *w, struct dcp_plan **out_plan, struct dcp_error *err)
{
    const struct dcp_plan_request *r = w->r;
    struct dcp_plan_outcome *o = w->outcome;

    if (!solve_night(w, err)) {
        return false;
    }
    if (!has_answer(&w->night)) {
        return true;
    }
    if (!settle_day(w, err)) {
        return false;
    }
    if (!w->second_end) {
        return true;
    }
    if (not_worth_it(w) && (!stay(w, err) || !settle_day(w, err))) {
        return false;
    }
    if (same(r->start, w->first_end) &&
        (r->settled || same(r->start, w->second_end))) {
        o->status = DCP_STATUS_NOTHING_TO_DO;
        o->hosts_on_after = o->hosts_on_before;
        o->after = o->before;
        return true;
    }
    DCP_AUTO(dcp_plan) struct dcp_plan *plan = dcp_plan_create(err);

    if (!plan || !make(w, plan, err)) {
        return false;
    }
    if (plan->n_legs && r->max_moves && o->moves > r->max_moves) {
        o->status = DCP_STATUS_TIMEOUT;
        (void)snprintf(o->because.rule, sizeof o->because.rule, "max-moves");
        (void)snprintf(o->because.text, sizeof o->because.text,
                       "the plan that was found has more moves than allowed");
        o->because.need = o->moves;
        o->because.have = (double)r->max_moves;
        return true;
    }
    if (plan->n_legs) {
        *out_plan = DCP_STEAL(plan);
    }
    return true;
}

bool
dcp_plan_make(const struct dcp_plan_request *r, struct dcp_plan **out_plan,
              struct dcp_plan_outcome *outcome, struct dcp_error *err)
{
    struct work w = { .r = r, .outcome = outcome,
                      .n_hosts = r->inventory->n_hosts,
                      .n_slots = r->demand->n_slots };
    static const char *const units[] = {
        [DCP_GOAL_COST] = "", [DCP_GOAL_HOSTS] = "hosts",
        [DCP_GOAL_ENERGY] = "kWh",
    };

    *out_plan = NULL;
    *outcome = (struct dcp_plan_outcome){
        .status = DCP_STATUS_TIMEOUT, .goal = dcp_goal_name(r->goal),
        .unit = r->goal == DCP_GOAL_COST ? r->inventory->currency
                                         : units[r->goal],
        .bound_method = "", .because = { .need = NAN, .have = NAN },
    };
    while (w.night_slots < w.n_slots &&
           (!r->two_legs ||
            r->demand->slots[w.night_slots].start_ms < r->window_end_ms)) {
        w.night_slots++;
    }
    DCP_FREE double *on_value = calloc(w.n_hosts + 1u, sizeof *on_value);
    DCP_FREE double *slope = calloc(w.n_hosts + 1u, sizeof *slope);
    DCP_FREE double *weight = calloc(w.n_slots + 1u, sizeof *weight);
    DCP_FREE uint8_t *use = calloc(w.n_hosts + 1u, 1);

    if (!on_value || !slope || !weight || !use || !w.night_slots) {
        return dcp_fail(err, w.night_slots ? DCP_E_NOMEM : DCP_E_ARGUMENT,
                        "no memory, or no slots, for a plan");
    }
    w.on_value = on_value;
    w.slope = slope;
    w.weight = weight;
    w.use = use;
    set_use(&w);
    bool ok = run(&w, out_plan, err);

    dcp_solution_finish(&w.night);
    dcp_solution_finish(&w.day);
    return ok;
}
