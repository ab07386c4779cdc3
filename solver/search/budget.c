/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The best that so many moves can do (heuristic): hosts are emptied in the
 * order of what they save per move, as far as the budget goes; then some are
 * filled again, each with what started there, and others emptied with the moves
 * that come back; then single moves, by descent.  Emptying is a knapsack whose
 * weights change with what is emptied before, so no order of it is the best. */

#include "solver/search/parts.h"

#include <math.h>
#include <stdlib.h>

#define ROUNDS        600u
#define STALE_ROUNDS  150u
#define POLISH_PASSES 4u
/* Larger ones take what the order gives. */
#define BUDGET_HOSTS_MAX 400u

uint32_t
dcp_search_moves(struct search *x)
{
    (void)dcp_objective_value(x->s, 0);
    return x->s->objective->n_moved;
}

/* VMs that would newly move if the host were emptied. */
static uint32_t
moves_to_empty(struct search *x, uint32_t h)
{
    uint32_t n = 0;

    for (uint32_t i = x->s->first[h]; i != DCP_IX_NONE; i = x->s->next[i]) {
        n += x->p->vm_first[i + 1] - x->p->vm_first[i] -
             dcp_pricing_moves(x->p, i, h);
    }
    return n;
}

static uint32_t
rank(struct search *x, struct dcp_ranked_host *out)
{
    uint32_t n = 0;

    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        double saved = x->s->on[h] ? -dcp_objective_off_delta(x->s, 0, h) : 0;

        if (dcp_search_may_switch_off(x, h)) {
            out[n++] =
                (struct dcp_ranked_host){ h, (moves_to_empty(x, h) + 0.5) /
                                                 fmax(saved, 1e-9) };
        }
    }
    dcp_search_sort_hosts(out, n);
    return n;
}

/* Empties 'h' if that is within the budget and makes nothing worse; *out_kept:
 * it is empty and off. */
static bool
try_to_empty(struct search *x, uint32_t h, bool check, bool *out_kept,
             struct dcp_error *err)
{
    double before = dcp_search_value(x->s);

    *out_kept = false;
    if (dcp_search_moves(x) + moves_to_empty(x, h) > x->p->q->max_moves ||
        !dcp_search_empty_host(x, h)) {
        return true;
    }
    if (dcp_search_moves(x) > x->p->q->max_moves) {
        dcp_trail_undo(&x->in.trail, x->s);
        return true;
    }
    return dcp_search_settle_if_no_worse(x, before, check, out_kept, err);
}

/* Hosts in order of moves per saving, until none more can be emptied. */
static bool
empty_in_order(struct search *x, bool check, struct dcp_error *err)
{
    DCP_FREE struct dcp_ranked_host *ranks =
        malloc((x->p->n_hosts + 1u) * sizeof *ranks);
    bool again = true;

    if (!ranks) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    x->in.may_wake = false;
    while (again && !dcp_search_time_is_up(x)) {
        uint32_t n = rank(x, ranks);

        again = false;
        for (uint32_t k = 0; k < n && !dcp_search_time_is_up(x); k++) {
            bool kept = false;

            if (dcp_search_may_switch_off(x, ranks[k].host) &&
                !try_to_empty(x, ranks[k].host, check, &kept, err)) {
                return false;
            }
            again |= kept;
        }
    }
    return true;
}

/* A host that was emptied is on again with what started there and fits. */
static bool
refill(struct search *x, uint32_t h)
{
    struct dcp_state *s = x->s;
    const struct dcp_problem *p = x->p;
    uint32_t n = 0;

    dcp_insert_power(&x->in, h, true);
    for (uint32_t i = 0; i < p->n_items; i++) {
        uint32_t from = s->host[i];

        if (p->start_host[i] != h || from == h || from == DCP_IX_NONE) {
            continue;
        }
        dcp_insert_remove(&x->in, i);
        bool fits = dcp_state_fits(s, i, h) && dcp_state_allowed(s, i, h);

        dcp_insert_at(&x->in, i, fits ? h : from);
        n += fits;
    }
    return n > 0;
}

static uint32_t
random_emptied_host(struct search *x)
{
    uint32_t n = x->p->n_hosts;

    for (uint32_t tries = 0; tries < 4 * n; tries++) {
        uint32_t h = (uint32_t)dcp_rng_below(&x->in.rng, n);

        if (!x->s->on[h] && x->p->q->start->on[h] &&
            x->p->use[h] == DCP_HOST_FREE) {
            return h;
        }
    }
    return DCP_IX_NONE;
}

/* One or two emptied hosts are filled again and others emptied instead. */
static bool
exchange(struct search *x, bool check, struct dcp_error *err)
{
    uint32_t n = 1 + (uint32_t)dcp_rng_below(&x->in.rng, 2);

    for (uint32_t k = 0; k < n; k++) {
        uint32_t h = random_emptied_host(x);

        if (h == DCP_IX_NONE || !refill(x, h)) {
            dcp_trail_undo(&x->in.trail, x->s);
            return true;
        }
    }
    x->in.trail.n = 0;
    x->in.swap_tries = (uint32_t)dcp_rng_below(&x->in.rng, 2) * 4;
    x->in.blink_frac = 0.05;
    bool ok = empty_in_order(x, check, err);

    x->in.blink_frac = 0;
    return ok;
}

static bool
is_better(struct search *x, double value, uint32_t moves)
{
    double margin = 1e-9 * fmax(fabs(value), 1);
    double now = dcp_search_value(x->s);

    return dcp_search_moves(x) <= x->p->q->max_moves &&
           (now < value - margin ||
            (now < value + margin && dcp_search_moves(x) < moves));
}

static bool
exchange_hosts(struct search *x, bool check, struct dcp_error *err)
{
    DCP_AUTO(dcp_state) struct dcp_state *best = dcp_state_create(x->p, err);
    uint64_t limit = x->options->iterations;

    if (!best) {
        return false;
    }
    dcp_state_assign(best, x->s);
    double value = dcp_search_value(x->s);
    uint32_t moves = dcp_search_moves(x);

    for (uint32_t round = 0, stale = 0;
         round < ROUNDS && stale < STALE_ROUNDS && (!limit || round < limit) &&
         !dcp_search_time_is_up(x);
         round++, stale++) {
        if (!exchange(x, check, err)) {
            return false;
        }
        if (is_better(x, value, moves)) {
            dcp_state_assign(best, x->s);
            value = dcp_search_value(x->s);
            moves = dcp_search_moves(x);
            stale = 0;
        } else {
            dcp_state_assign(x->s, best);
        }
    }
    return true;
}

/* The emptied host that gives back most moves per what it costs. */
static bool
refill_one(struct search *x, bool check, bool *out_done, struct dcp_error *err)
{
    double before = dcp_search_value(x->s), least = INFINITY;
    uint32_t moves = dcp_search_moves(x), best = DCP_IX_NONE;

    *out_done = false;
    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        if (x->s->on[h] || !x->p->q->start->on[h] ||
            x->p->use[h] != DCP_HOST_FREE) {
            continue;
        }
        uint32_t mark = x->in.trail.n;

        if (refill(x, h) && dcp_search_moves(x) < moves) {
            double key = (dcp_search_value(x->s) - before) /
                         (moves - dcp_search_moves(x));

            best = key < least ? h : best;
            least = fmin(key, least);
        }
        dcp_trail_undo_to(&x->in.trail, x->s, mark);
    }
    if (best == DCP_IX_NONE) {
        return true;
    }
    return refill(x, best) && dcp_search_settle(x, check, out_done, err);
}

bool
dcp_search_refill(struct search *x, bool check, struct dcp_error *err)
{
    bool done = true;

    while (done && dcp_search_moves(x) > x->p->q->max_moves &&
           !dcp_search_time_is_up(x)) {
        if (!refill_one(x, check, &done, err)) {
            return false;
        }
    }
    return true;
}

bool
dcp_search_within_moves(struct search *x, struct dcp_error *err)
{
    bool check = x->p->q->headroom;

    if (check && !dcp_search_keeps_headroom(x, err, &check)) {
        return false;
    }
    x->in.swap_tries = 0;
    return dcp_search_drop_licences(x, 4, check, err) &&
           empty_in_order(x, check, err) &&
           dcp_search_drop_licences(x, 4, check, err) &&
           (x->p->n_hosts > BUDGET_HOSTS_MAX ||
            exchange_hosts(x, check, err)) &&
           (dcp_pricing_counts_hosts_alone(x->p) ||
            dcp_search_polish(x, 0, NULL, POLISH_PASSES, check, err));
}
