/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/headroom/proof.h"
#include "solver/plan/day_first.h"
#include "solver/plan/homecoming.h"
#include "solver/run/pair.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTLED_GAIN_FRAC 0.1

bool
dcp_work_by_value(const struct dcp_work *w)
{
    enum dcp_goal goal = DCP_GOAL_COST;

    return !dcp_goal_level_single(&w->r->goals.level[0], &goal) ||
           goal != DCP_GOAL_HOSTS;
}

enum dcp_goal
dcp_work_guide(const struct dcp_work *w)
{
    const struct dcp_goal_level *first = &w->r->goals.level[0];

    return dcp_goal_level_has(first, DCP_GOAL_COST)     ? DCP_GOAL_COST
           : dcp_goal_level_has(first, DCP_GOAL_ENERGY) ? DCP_GOAL_ENERGY
                                                        : DCP_GOAL_HOSTS;
}

bool
dcp_work_stays(const struct dcp_work *w)
{
    return !w->r->two_legs && !w->r->bring_back;
}

void
dcp_work_keep_bounds(struct dcp_solution *s, const struct dcp_solution *of)
{
    s->bound = of->bound;
    s->hosts_lower_bound = of->hosts_lower_bound;
    s->bound_method = of->bound_method;
    s->n_misplaced = of->n_misplaced;
}

/* --- Solving ------------------------------------------------------------ */

struct dcp_question
dcp_work_question(const struct dcp_work *w, const struct dcp_placement *start,
                  uint32_t last_slot)
{
    bool by_watts = dcp_work_guide(w) != DCP_GOAL_HOSTS;

    return (struct dcp_question){
        .inventory = w->r->inventory,
        .demand = w->r->demand,
        .first_slot = 0,
        .last_slot = last_slot,
        .start = start,
        .home = w->r->start,
        .absent = last_slot == w->night_slots ? w->absent : NULL,
        .may_convert = start == w->r->start ? w->may_convert : NULL,
        .host_use = w->use,
        .resting = w->change.n_held ? w->change.held : w->r->resting,
        .closed = dcp_work_closed(w, last_slot == w->night_slots &&
                                         start == w->r->start),
        .may_wake = !dcp_work_keeps_power(w),
        .may_empty = w->r->job == DCP_JOB_CONSOLIDATE && !w->r->settled,
        .headroom = w->r->inventory->policy.n_survive > 0,
        .gentle = w->r->job != DCP_JOB_CONSOLIDATE,
        .fewest_moves = w->r->job == DCP_JOB_REPAIR,
        .host_on_value = by_watts ? w->on_value : NULL,
        .mhz_slope = by_watts ? w->slope : NULL,
        .slot_weight = by_watts ? w->weight : NULL,
        .terms = &w->terms,
        .limits_moves = w->r->max_moves > 0,
        .max_moves = w->move_budget,
    };
}

static bool
has_answer(const struct dcp_solution *s)
{
    return s->placement != NULL;
}

static void
take_standing(struct dcp_work *w, const struct dcp_solution *s)
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

#define LEAST_S 0.02 /* To find some answer. */
/* An answer that no safe order of moves leads to is sought again elsewhere. */
#define ATTEMPTS_MAX      4
/* A budget of moves is cut so often before nothing is moved at all. */
#define BUDGET_CUTS       8u

/* What clashes in a question without an answer. */
#define CONFLICT_ITERATIONS 20 /* Of each question; some answer is enough. */
#define CONFLICT_S          10.0
#define CONFLICT_LONG_S     600.0 /* Where the same answer is asked for. */

static bool
explain_failure(struct dcp_work *w, const struct dcp_question *q,
                const struct dcp_because *because, struct dcp_error *err)
{
    struct dcp_conflict_options o = {
        .solve = { .seed = w->r->solve.seed,
                   .iterations = CONFLICT_ITERATIONS },
        .time_limit_s = w->r->solve.iterations ? CONFLICT_LONG_S : CONFLICT_S,
        .because = because,
        .purchases = true,
        .start_ms = q->closed == dcp_work_closed(w, true) &&
                            !w->change.whole_legs
                        ? w->r->start_ms
                        : 0,
    };
    double left_s = dcp_work_limit_s(w) - dcp_work_spent_s(w);

    if (w->n_cuts || !strcmp(because->rule, DCP_WORK_TIME_LIMIT)) {
        return true; /* Nobody asked for so few moves; or nothing was asked. */
    }
    o.time_limit_s = fmax(fmin(o.time_limit_s, left_s), LEAST_S);

    return dcp_conflict_find(q, &o, &w->outcome->conflict, err);
}

static bool
same(const struct dcp_placement *a, const struct dcp_placement *b)
{
    return !dcp_placement_n_moved(a, b) && !memcmp(a->on, b->on, a->n_hosts);
}

/* The first of what a partial repair leaves as it was. */
static void
keep_left(struct dcp_work *w)
{
    struct dcp_plan_outcome *o = w->outcome;

    o->is_partial = true;
    o->n_left = w->night.n_left;
    for (uint32_t k = 0; k < o->n_left && k < DCP_LEFT_MAX; k++) {
        o->left[k] = (struct dcp_object){ w->night.left[k].is_host
                                              ? DCP_OBJECT_HOST
                                              : DCP_OBJECT_VM,
                                          w->night.left[k].ix };
    }
}

/* The same with conversions, where those leave less broken. */
static bool
convert_in_part(struct dcp_work *w, struct dcp_question *q,
                struct dcp_solution *part, struct dcp_error *err)
{
    struct dcp_solution whole = w->night;

    w->night = *part;
    bool ok = dcp_work_repair_by_converting(w, q, err);

    *part = w->night;
    w->night = whole;
    return ok;
}

/* A settled night is repaired only, unless solving it afresh gains much. */
static bool
solve_night(struct dcp_work *w, struct dcp_error *err)
{
    struct dcp_question q = dcp_work_question(w, w->r->start, w->night_slots);

    bool last = dcp_work_converts_last(w);

    w->outcome->conversions_least = 0;
    dcp_work_set_values(w, 0, w->night_slots);
    if (w->forced.begun) {
        if (!dcp_work_solve_forced(w, &q, err)) {
            return false;
        }
        take_standing(w, &w->night);
        return true;
    }
    q.may_convert = last ? NULL : q.may_convert;
    if (!dcp_work_solve(w, &q, w->r->two_legs || last ? 0.6 : 1, &w->night,
                        err) ||
        !(last ? dcp_work_repair_by_converting(w, &q, err)
               : dcp_work_keep_conversion_limit(w, &q, err))) {
        return false;
    }
    take_standing(w, &w->night);
    if (!has_answer(&w->night) && w->r->partial &&
        w->r->job == DCP_JOB_REPAIR) {
        struct dcp_solution part;

        q.partial = true;
        q.may_convert = NULL;
        if (!dcp_work_solve(w, &q, last ? 0.6 : 1, &part, err)) {
            return false;
        }
        if (last && !convert_in_part(w, &q, &part, err)) {
            dcp_solution_finish(&part);
            return false;
        }
        if (has_answer(&part) && !same(w->r->start, part.placement)) {
            dcp_solution_finish(&w->night);
            w->night = part;
            take_standing(w, &part);
            keep_left(w);
            return true;
        }
        dcp_solution_finish(&part);
    }
    if (!has_answer(&w->night)) {
        return explain_failure(w, &q, &w->night.because, err);
    }
    double gap =
        (w->night.value - w->night.bound) / fmax(fabs(w->night.value), 1e-9);

    if (w->r->settled && gap > SETTLED_GAIN_FRAC) {
        double settled = w->night.value;
        struct dcp_solution fresh;

        q.may_empty = true;
        if (!dcp_work_solve(w, &q, 0.6, &fresh, err)) {
            return false;
        }
        bool better = has_answer(&fresh) &&
                      fresh.value < settled - SETTLED_GAIN_FRAC * fabs(settled);
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
solve_day(struct dcp_work *w, struct dcp_error *err)
{
    struct dcp_question q =
        dcp_work_question(w, w->night.placement, w->n_slots);

    uint64_t moved = dcp_placement_n_moved(w->r->start, w->night.placement);

    q.gentle = true;
    q.may_empty = true;
    q.max_moves =
        (uint32_t)(w->r->max_moves > moved ? w->r->max_moves - moved : 0);
    dcp_work_set_values(w, w->night_slots, w->n_slots);
    return dcp_work_solve(w, &q, 1, &w->day, err) &&
           (has_answer(&w->day) || w->r->settled ||
            !strcmp(w->day.because.rule, "max-moves") ||
            explain_failure(w, &q, &w->day.because, err));
}

/* Whether the plan changes so little that it is not worth its moves: nothing
 * was broken and the gain is below policy.min_gain_frac. */
static bool
not_worth_it(const struct dcp_work *w)
{
    const struct dcp_plan_outcome *o = w->outcome;
    double gain = (o->before - o->after) / fmax(fabs(o->before), 1e-9);

    return (w->r->job == DCP_JOB_CONSOLIDATE || w->r->job == DCP_JOB_BALANCE) &&
           !w->night.n_misplaced && !same(w->r->start, w->first_end) &&
           gain < w->r->inventory->policy.min_gain_frac;
}

/* The night's answer becomes: stay; but not where that survives no loss. */
static bool
stay(struct dcp_work *w, struct dcp_error *err)
{
    const struct dcp_placement *start = w->r->start;
    struct dcp_solution here = { 0 };
    bool survives = true;

    if (w->r->inventory->policy.n_survive &&
        !dcp_work_losses(w, start, &here, &survives, err)) {
        dcp_solution_finish(&here);
        return false;
    }
    if (!survives) {
        dcp_solution_finish(&here);
        return true;
    }
    dcp_solution_take_proof(&w->night, &here);
    memcpy(w->night.placement->host, start->host,
           start->n_vms * sizeof *start->host);
    memcpy(w->night.placement->on, start->on, start->n_hosts);
    return true;
}

/* Whether a leg may end where VMs were at first: the start itself need not
 * survive what policy asks, the end of a leg must. */
static bool
may_go_home(struct dcp_work *w, bool *out_may, struct dcp_error *err)
{
    const struct dcp_plan_request *r = w->r;
    struct dcp_solution home = { 0 };
    bool ok = true;

    *out_may = true;
    dcp_placement_destroy(w->home);
    w->home = NULL;
    if (r->bring_back) {
        struct dcp_question q =
            dcp_work_question(w, w->night.placement, w->n_slots);

        q.host_use = NULL; /* Evacuated hosts are hosts again. */
        ok = dcp_homecoming(&q, &w->home, err);
    }
    if (ok && r->inventory->policy.n_survive) {
        ok = dcp_work_losses(w, w->home ? w->home : r->start, &home, out_may,
                             err);
        dcp_solution_finish(&home);
    }
    return ok;
}

static void
no_way_home(struct dcp_work *w)
{
    struct dcp_because *b = &w->outcome->because;

    w->outcome->status = DCP_STATUS_TIMEOUT;
    (void)snprintf(b->rule, sizeof b->rule, "n+1");
    (void)snprintf(b->object, sizeof b->object, "return");
    (void)snprintf(b->text, sizeof b->text,
                   "where VMs are now does not survive the loss that policy "
                   "names, so no leg may end there; repair it first, or do "
                   "not ask for the way back");
    b->need = b->have = NAN;
}

/* The day after the night's answer, and what both are worth; second_end is
 * NULL when the day has no answer. */
static bool
settle_day(struct dcp_work *w, struct dcp_error *err)
{
    const struct dcp_plan_request *r = w->r;
    bool home = r->bring_back ||
                (r->two_legs && r->inventory->policy.unpack == DCP_UNPACK_HOME);
    bool may = true;

    if (home && !may_go_home(w, &may, err)) {
        return false;
    }
    dcp_solution_finish(&w->day);
    w->first_end = w->second_end = w->night.placement;
    if (home && may) {
        w->second_end = w->home ? w->home : r->start;
    } else if (r->two_legs) { /* As near to home as may be. */
        if (!solve_day(w, err)) {
            return false;
        }
        if (!has_answer(&w->day) && r->settled &&
            same(r->start, w->night.placement)) {
            /* The morning is the settled plan's own. */
            return dcp_work_weigh(w, w->first_end, w->first_end, err);
        }
        if (!has_answer(&w->day)) {
            take_standing(w, &w->day);
            w->second_end = NULL;
            return true;
        }
        w->second_end = w->day.placement;
    } else if (r->bring_back) {
        no_way_home(w);
        w->second_end = NULL;
        return true;
    }
    return dcp_work_allow_failed_boots(w, &w->night, err) &&
           dcp_work_weigh(w, w->first_end, w->second_end, err);
}

/* Before is after.  Where a settled night's morning is still to come, that
 * morning is part of both: what was planned goes on. */
static void
nothing_to_do(struct dcp_work *w)
{
    struct dcp_plan_outcome *o = w->outcome;
    struct dcp_plan_prediction *p = &o->predicted;

    o->status = DCP_STATUS_NOTHING_TO_DO;
    o->hosts_on_after = o->hosts_on_before;
    if (same(w->r->start, w->second_end)) {
        o->after = o->before;
        return;
    }
    o->before = o->after;
    p->energy_kwh_before = p->energy_kwh_after;
    p->energy_cost_before = p->energy_cost_after;
    p->licence_cost_before = p->licence_cost_after;
    p->cost_before = p->cost_after;
}

/* Whether the night could also be planned from the day's side. */
static bool
has_other_way(const struct dcp_work *w)
{
    return w->r->two_legs && w->r->job == DCP_JOB_CONSOLIDATE &&
           !w->r->settled && !w->r->max_moves && !w->change.any &&
           w->n_slots > w->night_slots &&
           w->r->inventory->policy.unpack != DCP_UNPACK_HOME;
}

/* From the night's side: second_end is NULL where there is no answer. */
static bool
solve_first_way(struct dcp_work *w, struct dcp_error *err)
{
    w->second_end = NULL;
    return solve_night(w, err) &&
           (!has_answer(&w->night) || settle_day(w, err));
}

/* One of both, as a task of dcp_run_pair(). */
struct way {
    struct dcp_work *first;
    struct dcp_day_first *other; /* NULL: it is the first. */
    bool ok;
    struct dcp_error err;
};

static void
solve_way(void *task)
{
    struct way *way = task;

    if (way->other) {
        dcp_day_first_solve(way->other);
    } else {
        way->ok = solve_first_way(way->first, &way->err);
    }
}

/* Seconds for each VM: with less of a limit the first way gets both threads. */
#define SIDE_BY_SIDE_S 3e-4

static bool
has_time_for_both(const struct dcp_work *w)
{
    return !dcp_work_deadline_ms(w) ||
           dcp_work_limit_s(w) >= SIDE_BY_SIDE_S * w->r->inventory->n_vms;
}

/* Both, on two threads where there are and time is not short; else one after
 * the other, where there is time for it. */
static bool
solve_both_ways(struct dcp_work *w, struct dcp_error *err)
{
    bool two = w->r->solve.threads > 1 && has_time_for_both(w), ok = true;
    struct dcp_day_first other;
    struct way ways[2] = { { .first = w }, { .other = &other } };

    if (two && !dcp_day_first_begin(&other, w, err)) {
        dcp_day_first_end(&other);
        return false;
    }
    if (two) {
        w->side_by_side = other.w.side_by_side = true;
        dcp_run_pair(solve_way, &ways[0], &ways[1], true);
        w->side_by_side = false;
    } else {
        solve_way(&ways[0]);
    }
    if (!ways[0].ok) {
        ok = dcp_fail(err, ways[0].err.code, "%s", ways[0].err.message);
    }
    bool weighed = ok && w->second_end && (two || dcp_work_has_time_again(w));

    if (weighed && !two) {
        ok = dcp_day_first_begin(&other, w, err);
        if (ok) {
            dcp_day_first_solve(&other);
        }
    }
    ok = ok && (!weighed || dcp_day_first_weigh(&other, w, err));
    if (two || weighed) {
        dcp_day_first_end(&other);
    }
    return ok;
}

static void
too_many_moves(struct dcp_work *w, uint32_t moves)
{
    struct dcp_plan_outcome *o = w->outcome;

    o->status = DCP_STATUS_TIMEOUT;
    o->because =
        (struct dcp_because){ .need = moves, .have = (double)w->r->max_moves };
    (void)snprintf(o->because.rule, sizeof o->because.rule, "max-moves");
    (void)snprintf(o->because.text, sizeof o->because.text,
                   "the plan that was found has more moves than allowed");
}

/* A smaller budget for the night, where the last one led to too many moves in
 * all: its way back, and detours, count as well.  False: that is not why there
 * is no plan, or nothing is left to try. */
static bool
cut_budget(struct dcp_work *w)
{
    const struct dcp_because *b = &w->outcome->because;
    double share = b->need > 0 ? (double)w->r->max_moves / b->need : 0.5;

    if (!w->r->max_moves || w->r->job != DCP_JOB_CONSOLIDATE ||
        w->outcome->status != DCP_STATUS_TIMEOUT ||
        strcmp(b->rule, "max-moves") != 0 || !w->move_budget ||
        w->n_cuts++ == BUDGET_CUTS) {
        return false;
    }
    uint32_t budget = (uint32_t)(w->move_budget * fmin(share, 0.95));

    w->move_budget = w->n_cuts == BUDGET_CUTS ? 0 : budget;
    return true;
}

static bool
run(struct dcp_work *w, struct dcp_plan **out_plan, struct dcp_error *err)
{
    const struct dcp_plan_request *r = w->r;
    struct dcp_plan_outcome *o = w->outcome;

    bool balances = r->job == DCP_JOB_BALANCE, both = has_other_way(w);

    if (both                        ? !solve_both_ways(w, err)
        : r->job == DCP_JOB_STORAGE ? !dcp_work_stand_still(w, err)
                                    : !solve_night(w, err)) {
        return false;
    }
    if (!has_answer(&w->night)) {
        return true;
    }
    if ((balances && !dcp_work_balance(w, err)) ||
        (!both && !settle_day(w, err))) {
        return false;
    }
    if (balances) {
        dcp_work_judge_balance(w, false);
    }
    if (!w->second_end) {
        return true;
    }
    if (not_worth_it(w) && (!stay(w, err) || !settle_day(w, err))) {
        return false;
    }
    if (balances && same(r->start, w->first_end)) {
        dcp_work_judge_balance(w, true);
    }
    if (r->storage.asked && !dcp_work_storage(w, err)) {
        return false;
    }
    bool stuck = r->job == DCP_JOB_STORAGE && !w->storage.pool;

    if (stuck) {
        return true;
    }
    if (!r->advice && same(r->start, w->first_end) && !w->storage.n_moves &&
        (r->settled || same(r->start, w->second_end))) {
        nothing_to_do(w);
        return true;
    }
    DCP_AUTO(dcp_plan) struct dcp_plan *plan = dcp_plan_create(err);
    struct dcp_plan_outcome whole = *o;

    if (!plan || !dcp_work_make_plan(w, plan, err)) {
        return false;
    }
    bool again = !plan->n_legs;

    while (again) {
        if (!dcp_work_storage_cut(w, &again, err) ||
            (again && !dcp_work_make_plan(w, plan, err))) {
            return false;
        }
        again = again && !plan->n_legs;
    }
    if (!plan->n_legs && !strcmp(o->because.rule, "window")) {
        o->window.fits = false;
        if (r->two_legs && r->job == DCP_JOB_CONSOLIDATE && !r->settled) {
            return dcp_work_cut_to_window(w, &whole, out_plan, err);
        }
    }
    if (plan->n_legs && r->max_moves && o->moves > r->max_moves) {
        w->n_detours += o->moves - (uint32_t)r->max_moves;
        too_many_moves(w, o->moves);
        return true;
    }
    if (plan->n_legs) {
        *out_plan = DCP_STEAL(plan);
    }
    return true;
}

static bool
make(struct dcp_work *w, struct dcp_plan **out_plan, struct dcp_error *err)
{
    const struct dcp_plan_request *r = w->r;
    struct dcp_plan_outcome *outcome = w->outcome;
    bool ok = true, again = true;

    w->move_budget =
        (uint32_t)(r->max_moves < UINT32_MAX ? r->max_moves : UINT32_MAX);
    for (; ok && again && w->attempt < ATTEMPTS_MAX; w->attempt++) {
        outcome->moves = 0;
        outcome->moved_mib = 0;
        dcp_work_close_changes(w);
        ok = run(w, out_plan, err);
        bool cut = ok && !*out_plan &&
                   (cut_budget(w) || dcp_work_cut_conversions(w));

        again = cut || (!*out_plan && !dcp_work_time_is_up(w) &&
                        (!strcmp(outcome->because.rule, "order") ||
                         (w->n_detours > 0 && w->n_detours < r->max_moves &&
                          r->job == DCP_JOB_BALANCE)));
        if (ok && !*out_plan && !cut &&
            (w->forced.begun || w->attempt + 1 == ATTEMPTS_MAX)) {
            again = cut = dcp_work_convert_for_order(w);
        }
        w->attempt -= cut; /* The same random numbers. */
        dcp_solution_finish(&w->night);
        dcp_solution_finish(&w->day);
        dcp_placement_destroy(w->home);
        dcp_storage_answer_finish(&w->storage);
        w->home = NULL;
        if (ok && dcp_work_change_again(w, out_plan)) {
            w->attempt -= !cut;
            again = true;
        }
    }
    dcp_work_count_held(w);
    return ok;
}

bool
dcp_plan_make(const struct dcp_plan_request *r, struct dcp_plan **out_plan,
              struct dcp_plan_outcome *outcome, struct dcp_error *err)
{
    struct dcp_plan_request now = *r;
    struct dcp_inventory inv = *r->inventory;
    DCP_FREE struct dcp_volume *volumes = NULL;

    if (r->start->pool) { /* Volumes are where the start has them. */
        volumes = calloc(inv.n_volumes + 1u, sizeof *volumes);
        if (!volumes) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for %u volumes",
                            inv.n_volumes);
        }
        for (uint32_t i = 0; i < inv.n_volumes; i++) {
            volumes[i] = inv.volumes[i];
            volumes[i].pool = dcp_placement_pool(r->start, &inv, i);
        }
        inv.volumes = volumes;
        now.inventory = &inv;
    }
    return dcp_plan_make_as_is(&now, out_plan, outcome, err) &&
           dcp_plan_widen(&now, out_plan, outcome, err);
}

bool
dcp_plan_make_as_is(const struct dcp_plan_request *r,
                    struct dcp_plan **out_plan,
                    struct dcp_plan_outcome *outcome, struct dcp_error *err)
{
    struct dcp_work w;

    *out_plan = NULL;
    bool ok = dcp_work_begin(&w, r, outcome, err) && make(&w, out_plan, err);

    dcp_work_end(&w);
    return ok;
}
