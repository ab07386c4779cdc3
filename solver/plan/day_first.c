/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The other way to a night plan: the day first.
 *
 * Packing the night from where VMs are and then bringing back what the day
 * needs can leave the day on more hosts than it had to be.  Here the day is
 * packed as if for good (or left as it is, where that would gain too little),
 * and the night only empties hosts of that, so neither is worse than the day's
 * packing kept around the clock.  It is taken where its day needs fewer hosts
 * and it is the better of the two. */

#include "solver/plan/work.h"

#include <math.h>
#include <string.h>

#define WORTH_FRAC 0.002 /* Less is not worth the other way's moves. */

/* The day's placement: as it is where it is legal and nearly as good, else
 * packed; without a placement when there is no answer. */
static bool
pack_day(struct dcp_work *w, struct dcp_solution *out, struct dcp_error *err)
{
    double min_gain = w->r->inventory->policy.min_gain_frac;
    struct dcp_question q = dcp_work_question(w, w->r->start, w->n_slots);
    struct dcp_solution kept;

    q.known_bound = w->night.bound + w->day.bound;
    dcp_work_set_values(w, 0, w->n_slots);
    if (!dcp_work_solve(w, &q, 0.5, out, err)) {
        return false;
    }
    if (!out->placement) {
        return true;
    }
    q = dcp_work_question(w, w->r->start, w->n_slots);
    q.may_empty = false;
    q.gentle = true;
    q.known_bound = out->bound;
    if (!dcp_work_solve(w, &q, 0.5, &kept, err)) {
        return false;
    }
    bool keep = kept.placement && out->value > kept.value * (1 - min_gain);
    struct dcp_solution other = keep ? *out : kept;

    *out = keep ? kept : *out;
    dcp_solution_finish(&other);
    return true;
}

static bool
empty_for_night(struct dcp_work *w, const struct dcp_placement *day,
                struct dcp_solution *out, struct dcp_error *err)
{
    struct dcp_question q = dcp_work_question(w, day, w->night_slots);

    q.gentle = true;
    q.known_bound = w->night.bound;
    dcp_work_set_values(w, 0, w->night_slots);
    return dcp_work_solve(w, &q, 1, out, err);
}

/* Hosts on, added up over the slots. */
static double
host_slots(const struct dcp_work *w)
{
    return (double)dcp_placement_n_on(w->first_end) * w->night_slots +
           (double)dcp_placement_n_on(w->second_end) *
               (w->n_slots - w->night_slots);
}

static bool
is_better(const struct dcp_work *w, const struct dcp_plan_outcome *was,
          double host_slots_was)
{
    if (dcp_work_by_value(w)) {
        return w->outcome->after < was->after * (1 - WORTH_FRAC);
    }
    return w->outcome->after <= was->after &&
           host_slots(w) < host_slots_was * (1 - WORTH_FRAC);
}

/* Weighs the other way; keeps it where it is better, else puts all back. */
static bool
compare(struct dcp_work *w, struct dcp_solution *night,
        struct dcp_solution *day, struct dcp_error *err)
{
    struct dcp_solution night_was = w->night, day_was = w->day;
    struct dcp_plan_outcome outcome_was = *w->outcome;
    double slots_was = host_slots(w);

    w->night = *night;
    w->day = *day;
    /* What no plan can do better stays what it was. */
    w->night.bound = night_was.bound;
    w->day.bound = day_was.bound;
    w->first_end = w->night.placement;
    w->second_end = w->day.placement;
    /* Else the night's side does what it is for, and over many nights it moves
     * and saves more than what a single evening can weigh. */
    bool fewer_by_day = dcp_placement_n_on(w->second_end) <
                        dcp_placement_n_on(day_was.placement);
    bool ok =
        dcp_work_allow_failed_boots(w, &w->night, err) &&
        dcp_work_weigh(w, w->first_end, w->second_end, err);

    if (ok && fewer_by_day && is_better(w, &outcome_was, slots_was)) {
        *night = night_was;
        *day = day_was;
        return true;
    }
    *night = w->night; /* It may own more by now. */
    w->night = night_was;
    w->day = day_was;
    w->first_end = w->night.placement;
    w->second_end = w->day.placement;
    *w->outcome = outcome_was;
    return ok;
}

bool
dcp_work_try_day_first(struct dcp_work *w, struct dcp_error *err)
{
    struct dcp_solution day = { 0 }, night = { 0 };
    bool ok = pack_day(w, &day, err);

    if (ok && day.placement) {
        ok = empty_for_night(w, day.placement, &night, err);
    }
    if (ok && day.placement && night.placement) {
        ok = compare(w, &night, &day, err);
    }
    dcp_solution_finish(&night);
    dcp_solution_finish(&day);
    return ok;
}
