/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What the making of a plan starts from: what a request lets be done with each
 * host, what counts in which slots, who is parked. */

#include "model/duty.h"
#include "solver/plan/work.h"
#include "solver/schedule/parking.h"

#include <math.h>
#include <stdlib.h>

/* --- What counts -------------------------------------------------------- */

void
dcp_work_set_values(struct dcp_work *w, uint32_t first, uint32_t last)
{
    for (uint32_t t = 0; t < first; t++) {
        w->weight[t] = 0;
    }
    dcp_goal_values(w->r->inventory, w->r->demand, first, last,
                    dcp_work_guide(w), w->on_value, w->slope,
                    w->weight + first);

    const struct dcp_demand *d = w->r->demand;
    struct dcp_goal_terms *terms = &w->terms;

    *terms = (struct dcp_goal_terms){
        .goals = first ? &w->day_goals : &w->r->goals,
        .paid_from = first,
        .paid_to = last,
        .shapes = w->shapes,
        .n_shapes = w->n_shapes,
        .licence_ms = d->slots[w->n_slots - 1].end_ms - d->slots[0].start_ms,
    };
    if (!dcp_work_stays(w)) {
        terms->also[terms->n_also++] = w->r->start;
    }
    if (first && w->night.placement) {
        terms->also[terms->n_also++] = w->night.placement;
    }
}

/* The day is judged by its own costs; of a sum, hosts, balance and room are
 * those of the night's end. */
static void
set_day_goals(struct dcp_work *w)
{
    w->day_goals = w->r->goals;
    for (uint32_t k = 0; k < w->day_goals.n_levels; k++) {
        double *weight = w->day_goals.level[k].weight;
        enum dcp_goal alone;

        if (!dcp_goal_level_single(&w->day_goals.level[k], &alone)) {
            weight[DCP_GOAL_HOSTS] = 0;
            weight[DCP_GOAL_BALANCE] = 0;
            weight[DCP_GOAL_ROOM] = 0;
        }
    }
}

/* --- What may be done --------------------------------------------------- */

bool
dcp_work_keeps_power(const struct dcp_work *w)
{
    return w->r->job == DCP_JOB_EVACUATE || w->r->job == DCP_JOB_BALANCE ||
           w->r->job == DCP_JOB_STORAGE;
}

static void
set_use(struct dcp_work *w)
{
    const struct dcp_inventory *inv = w->r->inventory;

    for (uint32_t h = 0; h < w->n_hosts; h++) {
        bool off = !w->r->start->on[h];
        bool keep = dcp_host_duty(inv, (dcp_host_id){ h }, w->r->start_ms, NULL,
                                  0) != DCP_DUTY_NONE ||
                    w->r->job == DCP_JOB_BALANCE ||
                    (dcp_work_keeps_power(w) && off) ||
                    (w->r->stays_on && w->r->stays_on[h] && !off);

        w->use[h] = inv->hosts[h].state == DCP_HOST_MAINTENANCE ||
                            (w->r->avoid && w->r->avoid[h])
                        ? DCP_HOST_AVOID
                    : keep ? DCP_HOST_KEEP
                           : DCP_HOST_FREE;
    }
}

/* --- All of it ---------------------------------------------------------- */

static bool
counts_room(const struct dcp_goals *goals)
{
    bool counts = false;

    for (uint32_t k = 0; k < goals->n_levels; k++) {
        counts |= dcp_goal_level_has(&goals->level[k], DCP_GOAL_ROOM);
    }
    return counts;
}

bool
dcp_work_begin(struct dcp_work *w, const struct dcp_plan_request *r,
               struct dcp_plan_outcome *outcome, struct dcp_error *err)
{
    *w = (struct dcp_work){ .r = r,
                            .outcome = outcome,
                            .n_hosts = r->inventory->n_hosts,
                            .n_slots = r->demand->n_slots };
    *outcome = (struct dcp_plan_outcome){
        .status = DCP_STATUS_TIMEOUT,
        .unit = dcp_work_unit(w, 0),
        .bound_method = "",
        .because = { .need = NAN, .have = NAN },
        .window = { .fits = true },
    };
    dcp_goal_level_print(&r->goals.level[0], outcome->goal,
                         sizeof outcome->goal);
    set_day_goals(w);
    while (w->night_slots < w->n_slots &&
           (!r->two_legs ||
            r->demand->slots[w->night_slots].start_ms < r->window_end_ms)) {
        w->night_slots++;
    }
    w->on_value = calloc(w->n_hosts + 1u, sizeof(double));
    w->slope = calloc(w->n_hosts + 1u, sizeof(double));
    w->weight = calloc(w->n_slots + 1u, sizeof(double));
    w->use = calloc(w->n_hosts + 1u, 1);
    w->parked = calloc(r->inventory->n_vms + 1u, 1);
    w->convertible = calloc(r->inventory->n_vms + 1u, 1);
    w->converted = calloc(r->inventory->n_vms + 1u, 1);
    w->change.closed[0] = calloc(r->inventory->n_rules + 1u, 1);
    w->change.closed[1] = calloc(r->inventory->n_rules + 1u, 1);
    w->change.shut = calloc(r->inventory->n_rules + 1u, 1);
    w->change.held = calloc(r->inventory->n_vms + 1u, 1);
    w->change.late = calloc(r->inventory->n_vms + 1u, 1);
    if (!w->on_value || !w->slope || !w->weight || !w->use || !w->parked ||
        !w->convertible || !w->converted || !w->change.closed[0] ||
        !w->change.closed[1] || !w->change.shut || !w->change.held ||
        !w->change.late || !w->night_slots) {
        return dcp_fail(err, w->night_slots ? DCP_E_NOMEM : DCP_E_ARGUMENT,
                        "no memory, or no slots, for a plan");
    }
    if (r->two_legs && r->job == DCP_JOB_CONSOLIDATE && !r->no_park &&
        dcp_parking_choose(r->inventory, r->start_ms, r->window_end_ms,
                           w->parked)) {
        w->absent = w->parked;
    }
    w->started_ms = dcp_monotonic_ms();
    if (counts_room(&r->goals) && !dcp_work_choose_shapes(w, err)) {
        return false;
    }
    set_use(w);
    if (dcp_work_choose_convertible(w, w->convertible)) {
        w->may_convert = w->convertible;
        w->most_conversions = r->inventory->policy.conversions_per_plan;
    }
    return true;
}

void
dcp_work_end(struct dcp_work *w)
{
    free(w->on_value);
    free(w->slope);
    free(w->weight);
    free(w->use);
    free(w->parked);
    free(w->convertible);
    free(w->converted);
    free(w->change.closed[0]);
    free(w->change.closed[1]);
    free(w->change.shut);
    free(w->change.held);
    free(w->change.late);
}

bool
dcp_plan_weigh(const struct dcp_plan_request *r,
               const struct dcp_placement *end1,
               const struct dcp_placement *end2,
               struct dcp_plan_outcome *outcome, struct dcp_error *err)
{
    struct dcp_work w;
    bool ok = dcp_work_begin(&w, r, outcome, err);

    if (ok) {
        dcp_work_set_values(&w, 0, w.night_slots);
        w.first_end = end1;
        w.second_end = end2;
        ok = dcp_work_weigh(&w, end1, end2, err);
        outcome->lower_bound = outcome->gap_frac = NAN;
    }
    dcp_work_end(&w);
    return ok;
}
