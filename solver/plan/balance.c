/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The balance job: what was solved (repair only) is evened out between hosts
 * that are on, and judged by its own score. */

#include "solver/plan/work.h"

#include "solver/balance/even.h"
#include "solver/headroom/proof.h"

#include <math.h>
#include <string.h>

#define DEFAULT_LIMIT_S 30.0

static int64_t
deadline_ms(const struct dcp_work *w)
{
    const struct dcp_solve_options *o = &w->r->solve;

    return o->time_limit_s > 0
               ? w->started_ms + (int64_t)(o->time_limit_s * 1000)
           : o->iterations ? INT64_MAX
                           : w->started_ms + (int64_t)(DEFAULT_LIMIT_S * 1000);
}

/* Puts the state where the solution has the VMs. */
static void
go_to(struct dcp_state *s, const struct dcp_placement *to)
{
    const struct dcp_problem *p = s->p;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (s->on[h] != to->on[h]) {
            dcp_state_power(s, h, to->on[h]);
        }
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        uint32_t host = to->host[p->vm[p->vm_first[i]]].ix;

        if (s->host[i] == host) {
            continue;
        }
        if (s->host[i] != DCP_IX_NONE) {
            dcp_state_remove(s, i);
        }
        if (host != DCP_IX_NONE) {
            dcp_state_place(s, i, host);
        }
    }
}

/* The state becomes the solution, with where VMs restart; false in *out_taken:
 * it cannot be shown to survive losses. */
static bool
take_answer(struct dcp_work *w, struct dcp_state *s, bool *out_taken,
            struct dcp_error *err)
{
    const struct dcp_problem *p = s->p;
    struct dcp_headroom headroom = { .ok = true };

    if (p->q->headroom && !dcp_solution_prove(&w->night, s, &headroom, err)) {
        return false;
    }
    *out_taken = headroom.ok;
    if (!headroom.ok) {
        return true;
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        for (uint32_t k = p->vm_first[i]; k < p->vm_first[i + 1]; k++) {
            w->night.placement->host[p->vm[k]].ix = s->host[i];
        }
    }
    return true;
}

/* Whether what moves as one is in one place. */
static bool
is_whole(const struct dcp_problem *p, const struct dcp_placement *at)
{
    for (uint32_t i = 0; i < p->n_items; i++) {
        for (uint32_t k = p->vm_first[i]; k < p->vm_first[i + 1]; k++) {
            if (at->host[p->vm[k]].ix != at->host[p->vm[p->vm_first[i]]].ix) {
                return false;
            }
        }
    }
    return true;
}

/* The state at the start; soft rules are kept as if hard unless what they
 * gather was solved apart. */
static struct dcp_state *
open_state(const struct dcp_work *w, struct dcp_question *q,
           struct dcp_problem **out_problem, struct dcp_error *err)
{
    *out_problem = dcp_problem_create(q, err);
    if (*out_problem && !is_whole(*out_problem, w->night.placement)) {
        dcp_problem_destroy(*out_problem);
        q->ignore_soft = true;
        *out_problem = dcp_problem_create(q, err);
    }
    return *out_problem ? dcp_state_create(*out_problem, err) : NULL;
}

/* How even the start is, and could be. */
static bool
weigh_start(struct dcp_work *w, struct dcp_state *s, uint32_t limit,
            struct dcp_error *err)
{
    struct dcp_evenness e;

    if (!dcp_evenness_init(&e, s, w->r->even_score, err)) {
        return false;
    }
    w->even_before = w->even_after = dcp_evenness_value(&e);
    dcp_evenness_finish(&e);
    /* Where VMs have no host, begin apart though they move as one, or ask for
     * more under another hypervisor, what moves is not what the bound counts.
     */
    w->even_bound = 0;
    return s->n_unplaced > 0 || !is_whole(s->p, w->r->start) ||
           (s->p->conversions && s->p->conversions->more) ||
           dcp_even_bound(s, w->r->even_score, limit, &w->even_bound, err);
}

bool
dcp_work_balance(struct dcp_work *w, struct dcp_error *err)
{
    const struct dcp_plan_request *r = w->r;
    struct dcp_question q = dcp_work_question(w, r->start, w->night_slots);
    DCP_AUTO(dcp_problem) struct dcp_problem *p = NULL;
    DCP_AUTO(dcp_state) struct dcp_state *s = open_state(w, &q, &p, err);
    uint32_t limit = r->max_moves < UINT32_MAX ? (uint32_t)r->max_moves : 0;
    const struct dcp_even_options options = {
        .score = r->even_score,
        .seed = r->solve.seed + w->attempt,
        .trials = r->solve.iterations,
        .deadline_ms = deadline_ms(w),
        .max_moves = limit > w->n_detours ? limit - w->n_detours : limit,
        .max_conversions = w->most_conversions,
        .min_gain_frac = r->inventory->policy.min_gain_frac,
    };
    struct dcp_even_result result;

    if (!s || !weigh_start(w, s, limit, err)) {
        return false;
    }
    if (!is_whole(p, w->night.placement)) {
        return true;
    }
    go_to(s, w->night.placement);
    if (s->n_unplaced > 0) {
        return true;
    }
    if (!dcp_even_run(s, &options, &result, err)) {
        return false;
    }
    bool taken;

    if (!take_answer(w, s, &taken, err)) {
        return false;
    }
    w->even_after = taken ? result.after : result.before;
    w->outcome->rounds += result.trials;
    w->outcome->stopped_by =
        result.out_of_time ? DCP_STOPPED_TIME : DCP_STOPPED_ITERATIONS;
    w->outcome->bound_method = "levels";
    return true;
}

void
dcp_work_judge_balance(struct dcp_work *w, bool stays)
{
    struct dcp_plan_outcome *o = w->outcome;
    double after = stays ? w->even_before : w->even_after;

    o->before = w->even_before;
    o->after = after;
    o->lower_bound = fmin(w->even_bound, after);
    o->gap_frac = (after - o->lower_bound) / fmax(fabs(after), 1e-9);
    o->objectives[0].before = o->before;
    o->objectives[0].after = o->after;
    o->status = DCP_STATUS_FEASIBLE;
    if (after <= o->lower_bound + 1e-9) {
        o->status = DCP_STATUS_OPTIMAL;
        o->stopped_by = DCP_STOPPED_PROOF;
    }
}
