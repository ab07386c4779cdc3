/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/solve_reasons.h"

#include "model/power.h"
#include "solver/exact/every.h"
#include "solver/exact/exact.h"
#include "solver/explain/shortage.h"
#include "solver/headroom/proof.h"
#include "solver/repair/repair.h"
#include "solver/rules/clash.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOUND_SHARE 0.6 /* Of the time, at most; the search has the rest. */
/* Of the exact program, where iterations are limited instead of time. */
#define EXACT_NODES 20u
#define EXACT_REPAIR_NODES 2000u /* Of the fewest moves. */
#define EXACT_FIRST_NODES  200u  /* Of a first answer. */
#define EVERY_PLACEMENTS   300000u /* Of a small repair: a second or so. */
#define EXACT_S     10.0 /* Or a third of a long limit. */

const char *
dcp_status_name(enum dcp_status status)
{
    static const char *const names[] = { "optimal", "feasible", "infeasible",
                                         "timeout", "nothing_to_do" };

    return names[status];
}

void
dcp_goal_values(const struct dcp_inventory *inv, const struct dcp_demand *d,
                uint32_t first_slot, uint32_t last_slot, enum dcp_goal goal,
                double on_value[], double mhz_slope[], double slot_weight[])
{
    /* kWh of one watt in each slot; in money, at the first host's tariff where
     * sites differ each host's own price is in its value instead. */
    for (uint32_t t = first_slot; t < last_slot; t++) {
        double hours = (double)(d->slots[t].end_ms - d->slots[t].start_ms) /
                       (double)DCP_HOUR_MS;

        slot_weight[t - first_slot] = hours / 1000;
        if (goal == DCP_GOAL_COST && inv->n_sites <= 1) {
            slot_weight[t - first_slot] *= dcp_energy_price(
                inv, inv->n_sites ? (dcp_site_id){ 0 } : dcp_site_none(),
                d->slots[t].start_ms);
        }
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        dcp_site_id site = dcp_host_site(inv, (dcp_host_id){ h });
        const struct dcp_hardware *hw =
            &inv->hardware[inv->hosts[h].hardware.ix];
        double pue = dcp_site_pue_marginal(inv, site), factor = 0, kwh = 0;
        double cap = dcp_host_capacity(inv, (dcp_host_id){ h }).cpu_mhz;

        for (uint32_t t = first_slot; t < last_slot; t++) {
            double w = slot_weight[t - first_slot];
            double price =
                goal == DCP_GOAL_COST && inv->n_sites > 1
                    ? dcp_energy_price(inv, site, d->slots[t].start_ms)
                    : 1;

            factor += w * price;
            kwh += w;
        }
        on_value[h] = factor * pue * (dcp_power_at(hw, 0) - hw->sleep_w);
        mhz_slope[h] = cap > 0 && kwh > 0
                           ? dcp_power_slope_w(hw) / cap * pue * factor / kwh
                           : 0;
    }
}

/* --- Solving ------------------------------------------------------------ */

/* What cannot be shown to survive what policy asks is no answer. */
static bool
read_answer(struct dcp_state *s, struct dcp_search_result *result,
            struct dcp_solution *out, struct dcp_error *err)
{
    const struct dcp_problem *p = s->p;

    result->headroom.ok = true;
    if (p->q->headroom && !dcp_solution_prove(out, s, &result->headroom, err)) {
        return false;
    }
    if (!result->headroom.ok) {
        out->status = DCP_STATUS_TIMEOUT;
        dcp_solve_explain_incomplete(p, result, &out->because);
        return true;
    }
    out->placement = dcp_placement_copy(p->q->start, err);
    if (!out->placement) {
        return false;
    }
    for (uint32_t v = 0; p->q->absent && v < out->placement->n_vms; v++) {
        if (p->q->absent[v]) {
            out->placement->host[v] = dcp_host_none();
        }
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        for (uint32_t k = p->vm_first[i]; k < p->vm_first[i + 1]; k++) {
            out->placement->host[p->vm[k]].ix = s->host[i];
        }
    }
    memcpy(out->placement->on, s->on, p->n_hosts);
    return true;
}

/* Without a limit iterations and counted work end it, the same everywhere. */
static double
limit_of(const struct dcp_solve_options *o)
{
    return o->time_limit_s > 0 ? o->time_limit_s
           : o->iterations     ? INFINITY
                               : 30;
}

/* What is left of the time limit; at least a moment. */
static double
left_s(int64_t start, double limit_s)
{
    return fmax(limit_s - (double)(dcp_monotonic_ms() - start) / 1000, 0.02);
}

static void
tell(struct dcp_state *s, const struct dcp_bound *bound,
     const struct dcp_solve_options *options, int64_t start)
{
    dcp_observer_tell(&options->observer,
                      (struct dcp_progress){ .value = dcp_search_value(s),
                                             .bound = bound->value,
                                             .hosts_on = s->n_on,
                                             .hosts_bound = bound->hosts },
                      start);
}

/* Whether the exact program may improve the answer, or find the first. */
static bool
may_be_exact(const struct dcp_problem *p,
             const struct dcp_search_result *result,
             const struct dcp_repair_need *need,
             const struct dcp_solve_options *options)
{
    if (options->strategy != DCP_STRATEGY_FULL ||
        (result->complete && result->stopped_by == DCP_STOPPED_GAP) ||
        !dcp_exact_is_small(p)) {
        return false;
    }
    return need || !result->complete || (p->q->may_empty && !p->q->gentle);
}

static bool
run_exact(struct dcp_state *s, struct dcp_bound *bound,
          struct dcp_search_result *result,
          const struct dcp_solve_options *options, int64_t start,
          double limit_s, bool *out_proved, struct dcp_error *err)
{
    bool fewest = s->p->q->fewest_moves, complete;
    double value = result->complete ? dcp_search_value(s) : INFINITY;
    double least = bound->value;
    struct dcp_exact_limits limits = {
        fmin(left_s(start, limit_s), fmax(EXACT_S, limit_s / 3)), 0
    };

    if (options->iterations) { /* Repeatable: no clock decides. */
        limits = (struct dcp_exact_limits){
            600, fewest              ? EXACT_REPAIR_NODES
                 : !result->complete ? EXACT_FIRST_NODES
                                     : EXACT_NODES
        };
    } else if (!result->complete && !fewest) {
        limits.nodes = EXACT_FIRST_NODES;
    }
    if (!dcp_exact_run(s, bound, &limits, result->complete, &complete,
                       out_proved, err)) {
        return false;
    }
    result->complete = complete;
    if (complete &&
        (dcp_search_value(s) < value || bound->value > least)) {
        tell(s, bound, options, start);
    }
    return true;
}

/* The fewest moves of a small repair that is still open, by trying every
 * placement. */
static bool
run_every(struct dcp_state *s, struct dcp_bound *bound,
          struct dcp_search_result *result,
          const struct dcp_solve_options *options, int64_t deadline_ms,
          bool *out_proved, struct dcp_error *err)
{
    uint32_t below = result->complete ? dcp_repair_cost_of(s).moves : UINT32_MAX;
    struct dcp_every_limits limits = { deadline_ms, EVERY_PLACEMENTS };
    struct dcp_every_answer a;

    if (*out_proved || bound->infeasible ||
        (result->complete && result->stopped_by == DCP_STOPPED_GAP) ||
        options->strategy != DCP_STRATEGY_FULL || !dcp_every_is_small(s->p)) {
        return true;
    }
    if (!dcp_every_run(s, (uint32_t)ceil(bound->value - 1e-6), below, &limits,
                       &a, err)) {
        return false;
    }
    if (a.least > bound->value && !a.infeasible) {
        bound->value = a.least;
        bound->method = "every placement";
    }
    result->complete |= a.found;
    bound->infeasible = a.infeasible && !result->complete;
    *out_proved =
        result->complete && dcp_search_value(s) <= bound->value + 1e-6;
    return true;
}

/* What may not stay, or is above its limits, in the answer. */
static bool
list_left(const struct dcp_state *s, struct dcp_solution *out,
          struct dcp_error *err)
{
    const struct dcp_problem *p = s->p;

    out->arena = out->arena ? out->arena : dcp_arena_create(0);
    out->left = out->arena ? dcp_arena_array(out->arena, struct dcp_left,
                                             (size_t)p->n_hosts + p->n_items)
                           : NULL;
    if (!out->left) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a repair");
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (dcp_state_overloaded(s, h) && p->use[h] != DCP_HOST_AVOID) {
            out->left[out->n_left++] = (struct dcp_left){ true, h };
        }
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        if (p->use[s->host[i]] == DCP_HOST_AVOID) {
            out->left[out->n_left++] =
                (struct dcp_left){ false, p->vm[p->vm_first[i]] };
        }
    }
    return true;
}

/* No bound: another choice of what is left may move less. */
static bool
take_partial(struct dcp_state *s, struct dcp_search_result *result,
             struct dcp_solution *out, struct dcp_error *err)
{
    if (!result->complete) {
        out->status = DCP_STATUS_TIMEOUT;
        dcp_solve_explain_incomplete(s->p, result, &out->because);
        return true;
    }
    out->status = DCP_STATUS_FEASIBLE;
    out->is_partial = true;
    out->value = dcp_search_value(s);
    out->checks = s->n_checks;
    return read_answer(s, result, out, err) &&
           (!out->placement || list_left(s, out, err));
}

static bool
search(struct dcp_problem *p, struct dcp_bound *bound,
       const struct dcp_repair_need *need,
       const struct dcp_solve_options *options, int64_t start, double limit_s,
       struct dcp_solution *out, struct dcp_error *err)
{
    struct dcp_search_options search_options = {
        .strategy = options->strategy,
        .seed = options->seed,
        .iterations = options->iterations,
        .threads = options->threads,
        .deadline_ms =
            isinf(limit_s) ? INT64_MAX : start + (int64_t)(limit_s * 1000),
        .gap_frac = options->gap_frac,
        .observer = options->observer,
        .started_ms = start,
        .need = need,
    };
    struct dcp_search_result result;
    DCP_AUTO(dcp_state) struct dcp_state *s = dcp_state_create(p, err);
    bool proved = false;

    if (!s || !dcp_search_run(s, bound, &search_options, &result, err)) {
        return false;
    }
    out->stopped_by = result.stopped_by;
    out->rounds = result.rounds;
    out->n_misplaced = result.n_misplaced;
    if (p->q->partial) {
        return take_partial(s, &result, out, err);
    }
    proved = result.stopped_by == DCP_STOPPED_PROOF;
    if (may_be_exact(p, &result, need, options) && !(result.complete && proved) &&
        !run_exact(s, bound, &result, options, start, limit_s, &proved, err)) {
        return false;
    }
    if (need && !run_every(s, bound, &result, options,
                           search_options.deadline_ms, &proved, err)) {
        return false;
    }
    if (bound->infeasible) {
        dcp_solve_explain_no_placement(&out->because);
        out->status = DCP_STATUS_INFEASIBLE;
        return true;
    }
    if (!result.complete) {
        out->status = DCP_STATUS_TIMEOUT;
        dcp_solve_explain_incomplete(p, &result, &out->because);
        return true;
    }
    out->stopped_by = proved ? DCP_STOPPED_PROOF : out->stopped_by;
    /* A repair's moves do not weigh soft rules, so later goals must not. */
    bool later = !need || !p->q->price_soft;
    double first = dcp_search_value(s);

    if (later && !dcp_search_later_goals(s, &search_options, err)) {
        return false;
    }
    /* They may have taken slack from the first. */
    proved = proved &&
             dcp_search_value(s) <= first + 1e-9 * fmax(fabs(first), 1);
    out->over_watts = s->watts && dcp_watts_any_over(s->watts);
    out->status = proved && !out->over_watts ? DCP_STATUS_OPTIMAL
                                             : DCP_STATUS_FEASIBLE;
    out->value = dcp_search_value(s);
    out->checks = s->n_checks;
    return read_answer(s, &result, out, err);
}

/* The fewest moves: what the programs of solver/repair/repair.h say. */
static bool
find_need(struct dcp_problem *p, struct dcp_bound *bound,
          const struct dcp_solve_options *options, double limit_s,
          struct dcp_repair_need *out, struct dcp_error *err)
{
    DCP_AUTO(dcp_state) struct dcp_state *s = dcp_state_create(p, err);
    bool repeatable = options->iterations > 0;

    if (!s || !dcp_repair_need_find(s, repeatable ? 600 : limit_s,
                                    repeatable ? EXACT_REPAIR_NODES : 0, out,
                                    err)) {
        return false;
    }
    bound->value = fmax(bound->value, out->moves);
    bound->method = "what must leave";
    return true;
}

static bool
solve_from(struct dcp_problem *p, const struct dcp_solve_options *options,
           int64_t start, struct dcp_solution *out, struct dcp_error *err)
{
    const struct dcp_question *q = p->q;
    double limit_s = limit_of(options);
    struct dcp_bound bound;
    bool impossible = false;

    *out = (struct dcp_solution){ .bound_method = "",
                                  .because = { .need = NAN, .have = NAN } };
    if (p->contradiction) {
        out->status = DCP_STATUS_INFEASIBLE;
        dcp_solve_explain_contradiction(p, &out->because);
        return true;
    }
    if (!dcp_rule_clash_find(p, &out->because, &impossible, err)) {
        return false;
    }
    if (impossible) {
        out->status = DCP_STATUS_INFEASIBLE;
        return true;
    }
    if (!dcp_bound_compute(p, left_s(start, limit_s) * BOUND_SHARE, &bound,
                           err)) {
        return false;
    }
    (void)snprintf(out->binding, sizeof out->binding, "%s",
                   dcp_bound_binding_name(p, &bound));
    if (bound.infeasible && !q->partial) {
        out->status = DCP_STATUS_INFEASIBLE;
        if (!dcp_solve_find_impossible(p, &out->because, &impossible, err)) {
            return false;
        }
        if (!impossible && bound.max_on) {
            dcp_solve_explain_max_on(&bound, &out->because);
        } else if (!impossible) {
            dcp_shortage_explain(p, &bound, &out->because);
        }
        return true;
    }
    struct dcp_repair_need need = { 0 };

    if (q->fewest_moves &&
        !find_need(p, &bound, options, left_s(start, limit_s) / 2, &need,
                   err)) {
        return false;
    }
    if (q->limits_moves && need.moves > q->max_moves && !need.infeasible &&
        !q->partial) {
        dcp_solve_explain_too_few(q, need.moves, &out->because);
        out->status = DCP_STATUS_INFEASIBLE;
        dcp_repair_need_finish(&need);
        return true;
    }
    if (need.infeasible && !q->partial) {
        out->status = DCP_STATUS_INFEASIBLE;
        dcp_solve_explain_need(p, &need, &out->because);
        dcp_repair_need_finish(&need);
        return true;
    }
    bool ok = search(p, &bound, q->fewest_moves ? &need : NULL, options, start,
                     limit_s, out, err);

    dcp_repair_need_finish(&need);
    if (!ok) {
        dcp_solution_finish(out);
        return false;
    }
    if (out->status == DCP_STATUS_TIMEOUT ||
        out->status == DCP_STATUS_INFEASIBLE) {
        if (!dcp_solve_find_impossible(p, &out->because, &impossible, err)) {
            return false;
        }
        out->status = impossible ? DCP_STATUS_INFEASIBLE : out->status;
    }
    out->bound = out->is_partial ? 0
                                 : fmin(bound.value, out->placement
                                                         ? out->value
                                                         : bound.value);
    out->hosts_lower_bound = bound.hosts;
    out->bound_method = bound.method;
    return true;
}

bool
dcp_solve_problem(struct dcp_problem *p,
                  const struct dcp_solve_options *options,
                  struct dcp_solution *out, struct dcp_error *err)
{
    return solve_from(p, options, dcp_monotonic_ms(), out, err);
}

bool
dcp_solve(const struct dcp_question *q, const struct dcp_solve_options *options,
          struct dcp_solution *out, struct dcp_error *err)
{
    int64_t start = dcp_monotonic_ms();

    *out = (struct dcp_solution){ .bound_method = "" };
    DCP_AUTO(dcp_problem) struct dcp_problem *p = dcp_problem_create(q, err);

    return p && solve_from(p, options, start, out, err);
}

void
dcp_solution_finish(struct dcp_solution *s)
{
    dcp_placement_destroy(s->placement);
    dcp_arena_destroy(s->arena);
    s->placement = NULL;
    s->arena = NULL;
    s->kept_for_boots = NULL;
}
