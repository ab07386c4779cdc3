/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/plan/day_first.h"

#include "solver/bound/bound.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WORTH_FRAC 0.002 /* Less is not worth the other way's moves. */
/* Of the time that is left: for packing, for what it is compared with. */
#define PACK_SHARE 0.7
#define KEEP_SHARE 0.5

/* --- By itself ------------------------------------------------------------ */

/* The day's placement: as it is where it is legal and nearly as good, else
 * packed; without a placement when there is no answer. */
static bool
pack_day(struct dcp_work *w, struct dcp_solution *out, struct dcp_error *err)
{
    double min_gain = w->r->inventory->policy.min_gain_frac;
    struct dcp_question q = dcp_work_question(w, w->r->start, w->n_slots);
    struct dcp_solution kept;

    q.bound_elsewhere = true;
    dcp_work_set_values(w, 0, w->n_slots);
    if (!dcp_work_solve(w, &q, PACK_SHARE, out, err)) {
        return false;
    }
    if (!out->placement) {
        return true;
    }
    q = dcp_work_question(w, w->r->start, w->n_slots);
    q.may_empty = false;
    q.gentle = true;
    q.bound_elsewhere = true;
    if (!dcp_work_solve(w, &q, KEEP_SHARE, &kept, err)) {
        return false;
    }
    bool keep = kept.placement &&
                out->value > kept.value - min_gain * fabs(kept.value);
    struct dcp_solution other = keep ? *out : kept;

    *out = keep ? kept : *out;
    dcp_solution_finish(&other);
    return true;
}

/* The day was packed as if it were all there is; now by what its own hours
 * cost, for the night will be another placement. */
static bool
refine_day(struct dcp_day_first *d, struct dcp_error *err)
{
    struct dcp_work *w = &d->w;
    struct dcp_question q = dcp_work_question(w, d->day.placement, w->n_slots);
    struct dcp_solution refined;

    q.gentle = true;
    q.bound_elsewhere = true;
    dcp_work_set_values(w, w->night_slots, w->n_slots);
    if (!dcp_work_solve(w, &q, KEEP_SHARE, &refined, err)) {
        return false;
    }
    if (refined.placement) {
        dcp_solution_finish(&d->day);
        d->day = refined;
        d->refined = true;
    } else {
        dcp_solution_finish(&refined);
    }
    return true;
}

static bool
empty_for_night(struct dcp_work *w, const struct dcp_placement *day,
                bool by_heat, struct dcp_solution *out, struct dcp_error *err)
{
    struct dcp_question q = dcp_work_question(w, day, w->night_slots);

    q.gentle = true;
    q.bound_elsewhere = true;
    q.by_heat = by_heat;
    dcp_work_set_values(w, 0, w->night_slots);
    return dcp_work_solve(w, &q, 1, out, err);
}

bool
dcp_day_first_begin(struct dcp_day_first *d, const struct dcp_work *w,
                    struct dcp_error *err)
{
    *d = (struct dcp_day_first){ .w = *w, .ok = true };
    d->w.outcome = NULL; /* Only what is weighed has one. */
    d->night = d->day = d->parted = (struct dcp_solution){ .bound_method = "" };
    d->w.night = d->w.day = (struct dcp_solution){ .bound_method = "" };
    d->w.home = NULL;
    d->w.searched_s = dcp_work_spent_s(w); /* What was, was not its own. */
    d->w.silent = true;
    d->w.on_value = calloc(w->n_hosts + 1u, sizeof *d->w.on_value);
    d->w.slope = calloc(w->n_hosts + 1u, sizeof *d->w.slope);
    d->w.weight = calloc(w->n_slots + 1u, sizeof *d->w.weight);
    if (!d->w.on_value || !d->w.slope || !d->w.weight) {
        d->ok = false;
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a plan");
    }
    return true;
}

void
dcp_day_first_solve(void *day_first)
{
    struct dcp_day_first *d = day_first;
    struct dcp_work *w = &d->w;
    struct dcp_error *err = &d->err;

    d->ok = pack_day(w, &d->day, err);
    if (d->ok && d->day.placement && dcp_work_by_value(w) &&
        dcp_work_has_time_again(w)) {
        d->ok = refine_day(d, err);
    }
    if (d->ok && d->day.placement && dcp_work_has_time_again(w)) {
        d->ok = empty_for_night(w, d->day.placement, false, &d->night, err);
    }
    if (d->ok && d->night.placement && dcp_work_by_value(w) &&
        w->n_hosts > DCP_BOUND_MIX_HOSTS && dcp_work_has_time_again(w)) {
        d->ok = empty_for_night(w, d->day.placement, true, &d->parted, err);
    }
}

void
dcp_day_first_end(struct dcp_day_first *d)
{
    dcp_solution_finish(&d->night);
    dcp_solution_finish(&d->parted);
    dcp_solution_finish(&d->day);
    free(d->w.on_value);
    free(d->w.slope);
    free(d->w.weight);
}

/* --- Beside the first way ------------------------------------------------- */

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
        return w->outcome->after < was->after - WORTH_FRAC * fabs(was->after);
    }
    return w->outcome->after <= was->after &&
           host_slots(w) < host_slots_was * (1 - WORTH_FRAC);
}

/* Whether its day is the better one, by hosts or by what the day's hours
 * cost.  Else the night's side does what it is for, and over many nights it
 * moves and saves more than what a single evening can weigh.  Spares for boots
 * that fail are on in the first way's day only: they do not count. */
static bool
has_better_day(const struct dcp_day_first *d, const struct dcp_work *w)
{
    double was = w->day.value;

    return dcp_placement_n_on(d->day.placement) + w->outcome->hosts_spare <
               dcp_placement_n_on(w->day.placement) ||
           (d->refined && d->day.value < was - WORTH_FRAC * fabs(was));
}

/* What allowing for failed boots changes of a solution. */
struct before {
    uint8_t *on;
    struct dcp_loss_answer *losses;
    uint32_t n_losses;
    uint8_t *kept_for_boots;
};

static bool
remember(const struct dcp_solution *s, struct before *out)
{
    uint32_t n = s->placement->n_hosts;

    *out = (struct before){ malloc(n + 1u), s->losses, s->n_losses,
                            s->kept_for_boots };
    if (out->on && n) {
        memcpy(out->on, s->placement->on, n);
    }
    return out->on != NULL;
}

static void
take_back(struct dcp_solution *s, const struct before *b)
{
    memcpy(s->placement->on, b->on, s->placement->n_hosts);
    s->losses = b->losses;
    s->n_losses = b->n_losses;
    s->kept_for_boots = b->kept_for_boots;
}

/* Makes the night and the day that of the work, weighed. */
static bool
put(struct dcp_day_first *d, struct dcp_solution *night, struct dcp_work *w,
    const struct dcp_solution *night_was, const struct dcp_solution *day_was,
    struct dcp_error *err)
{
    w->night = *night;
    w->day = d->day;
    dcp_work_keep_bounds(&w->night, night_was);
    dcp_work_keep_bounds(&w->day, day_was);
    w->first_end = w->night.placement;
    w->second_end = w->day.placement;
    bool ok = dcp_work_allow_failed_boots(w, &w->night, err) &&
              dcp_work_weigh(w, w->first_end, w->second_end, err);

    *night = w->night; /* It may own more by now. */
    d->day = w->day;
    return ok;
}

/* What the plan is worth with that night; leaves all as it was. */
static bool
value_with(struct dcp_day_first *d, struct dcp_solution *night,
           struct dcp_work *w, double *out, struct dcp_error *err)
{
    struct dcp_solution night_was = w->night, day_was = w->day;
    struct dcp_plan_outcome outcome_was = *w->outcome;
    struct before of_night = { 0 }, of_day = { 0 };
    bool ok = remember(night, &of_night) && remember(&d->day, &of_day);

    if (!ok) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to weigh a night");
    }
    ok = ok && put(d, night, w, &night_was, &day_was, err);
    if (ok) {
        *out = w->outcome->after;
    }
    if (of_night.on && of_day.on) {
        take_back(night, &of_night);
        take_back(&d->day, &of_day);
    }
    w->night = night_was;
    w->day = day_was;
    w->first_end = w->night.placement;
    w->second_end = w->day.placement;
    *w->outcome = outcome_was;
    free(of_night.on);
    free(of_day.on);
    return ok;
}

/* On other hosts, where that is worth its moves. */
static bool
choose_night(struct dcp_day_first *d, struct dcp_work *w, struct dcp_error *err)
{
    double emptied, parted;

    if (!d->parted.placement) {
        return true;
    }
    if (!value_with(d, &d->night, w, &emptied, err) ||
        !value_with(d, &d->parted, w, &parted, err)) {
        return false;
    }
    if (parted < emptied - WORTH_FRAC * fabs(emptied)) {
        struct dcp_solution other = d->night;

        d->night = d->parted;
        d->parted = other;
    }
    return true;
}

bool
dcp_day_first_weigh(struct dcp_day_first *d, struct dcp_work *w,
                    struct dcp_error *err)
{
    if (!d->ok) {
        return dcp_fail(err, d->err.code, "%s", d->err.message);
    }
    /* The day's name the first way's night, which may go now. */
    dcp_work_set_values(w, 0, w->night_slots);
    if (!d->day.placement || !d->night.placement ||
        !has_better_day(d, w)) {
        return true;
    }
    if (!choose_night(d, w, err)) {
        return false;
    }
    struct dcp_solution night_was = w->night, day_was = w->day;
    struct dcp_plan_outcome outcome_was = *w->outcome;
    double slots_was = host_slots(w);
    bool ok = put(d, &d->night, w, &night_was, &day_was, err);

    if (ok && is_better(w, &outcome_was, slots_was)) {
        d->night = night_was;
        d->day = day_was;
        return true;
    }
    w->night = night_was;
    w->day = day_was;
    w->first_end = w->night.placement;
    w->second_end = w->day.placement;
    *w->outcome = outcome_was;
    return ok;
}
