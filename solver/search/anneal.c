/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Annealing of watts (Kirkpatrick, Gelatt & Vecchi, Optimization by simulated
 * annealing, Science 220, 1983): which of the hosts that hold something has
 * which item, by single moves and by swaps of two, so that loads fit each
 * other in time and each kind of host works where its curve is cheap.  Hosts
 * that are on and hold nothing stay so: they serve losses.
 *
 * All states are legal; headroom is checked for an epoch of steps together, and
 * an epoch that loses it is taken back.  The best state at the end of an epoch
 * stays.  In a gentle question a price of moves steers the steps (MOVE_FRAC),
 * for moves take time in which hosts stay on. */

#include "solver/search/parts.h"

#include <math.h>

#define EPOCH_STEPS    2000u
#define STEPS_PER_ITEM 4000u
#define STEPS_MAX      4000000u
#define ON_MAX         160u
#define ITEMS_MAX      3000u /* Above, epochs and their checks take too long. */
#define TIME_SHARE     0.25  /* Of what is left, at most. */
/* Temperatures, as shares of what hosts cost for each item. */
#define HOT_FRAC   0.1
#define COLD_FRAC  0.002
#define NOISE_FRAC 1e-9 /* Of a value: less is no gain. */
/* The price of a move in a gentle question, as such a share.  With a tenth of
 * it the demo's morning has 300 moves more and begins so much earlier that
 * nothing of what that saves is left in a replay (docs/results.md). */
#define MOVE_FRAC 0.1

struct anneal {
    struct search *x;
    double temperature, per_move;
};

/* How many VMs more are away from their start once the item is on 'to'. */
static double
move_price(const struct anneal *a, uint32_t item, uint32_t to)
{
    const struct dcp_problem *p = a->x->p;

    return a->per_move > 0
               ? a->per_move * ((double)dcp_pricing_moves(p, item, to) -
                                dcp_pricing_moves(p, item, a->x->s->host[item]))
               : 0;
}

static bool
is_settled(const struct search *x, uint32_t h)
{
    return x->p->use[h] == DCP_HOST_AVOID;
}

static bool
try_move(const struct anneal *a, uint32_t item, double most)
{
    struct search *x = a->x;
    struct dcp_state *s = x->s;
    uint32_t h = (uint32_t)dcp_rng_below(&x->in.rng, x->p->n_hosts);

    if (h == s->host[item] || !s->on[h] || !s->n_on_host[h] ||
        is_settled(x, h) ||
        s->room[h] < dcp_problem_request(x->p, item, h, 0) ||
        !dcp_problem_reaches(x->p, item, h) ||
        dcp_objective_move_delta(s, 0, item, h) + move_price(a, item, h) >
            most ||
        !dcp_state_fits(s, item, h) || !dcp_state_allowed(s, item, h)) {
        return false;
    }
    dcp_insert_remove(&x->in, item);
    dcp_insert_at(&x->in, item, h);
    return true;
}

/* By memory, the first look of every scan. */
static bool
may_replace(const struct search *x, uint32_t out, uint32_t in)
{
    uint32_t h = x->s->host[out];

    return dcp_problem_reaches(x->p, in, h) &&
           x->s->room[h] + dcp_problem_request(x->p, out, h, 0) >=
               dcp_problem_request(x->p, in, h, 0);
}

static bool
try_swap(const struct anneal *a, uint32_t i, double most)
{
    struct search *x = a->x;
    struct dcp_state *s = x->s;
    uint32_t j = (uint32_t)dcp_rng_below(&x->in.rng, x->p->n_items);
    uint32_t hi = s->host[i], hj = s->host[j], mark = x->in.trail.n;

    if (hi == hj || is_settled(x, hj) || !may_replace(x, i, j) ||
        !may_replace(x, j, i) ||
        dcp_objective_swap_delta(s, 0, i, j) + move_price(a, i, hj) +
                move_price(a, j, hi) >
            most) {
        return false;
    }
    dcp_insert_remove(&x->in, i);
    dcp_insert_remove(&x->in, j);
    if (dcp_state_fits(s, i, hj) && dcp_state_allowed(s, i, hj)) {
        dcp_insert_at(&x->in, i, hj);
        if (dcp_state_fits(s, j, hi) && dcp_state_allowed(s, j, hi)) {
            dcp_insert_at(&x->in, j, hi);
            return true;
        }
    }
    dcp_trail_undo_to(&x->in.trail, s, mark);
    return false;
}

/* One change, or none: taken where it costs no more than a draw allows, which
 * is Metropolis' rule with the draw made first. */
static void
step(const struct anneal *a)
{
    struct search *x = a->x;
    uint32_t item = (uint32_t)dcp_rng_below(&x->in.rng, x->p->n_items);
    double most = -a->temperature * log(1 - dcp_rng_unit(&x->in.rng));

    if (is_settled(x, x->s->host[item])) {
        return;
    }
    if (dcp_rng_below(&x->in.rng, 3)) {
        (void)try_swap(a, item, most);
    } else {
        (void)try_move(a, item, most);
    }
}

static bool
is_worth_it(const struct search *x)
{
    const struct dcp_question *q = x->p->q;
    enum dcp_strategy strategy = x->options->strategy;

    return x->p->pricing->level[0].factor && x->p->n_items > 1 &&
           x->p->n_items <= ITEMS_MAX && x->s->n_on <= ON_MAX && q->may_empty &&
           !q->limits_moves && !x->again && strategy != DCP_STRATEGY_FFD &&
           strategy != DCP_STRATEGY_LOCAL;
}

static int64_t
deadline_of(const struct search *x)
{
    int64_t now = dcp_monotonic_ms(), end = x->options->deadline_ms;

    return end == INT64_MAX || end <= now
               ? end
               : now + (int64_t)(TIME_SHARE * (double)(end - now));
}

/* How far the annealing is, from 0 to 1: by steps, or by time where that ends
 * sooner and no number of iterations was asked for. */
static double
progress(const struct search *x, double by_steps, int64_t begun_ms,
         int64_t deadline_ms)
{
    if (x->options->iterations || deadline_ms == INT64_MAX) {
        return by_steps;
    }
    double gone_ms = (double)(dcp_monotonic_ms() - begun_ms);
    double all_ms = (double)(deadline_ms - begun_ms);

    return fmin(fmax(by_steps, all_ms > 0 ? gone_ms / all_ms : 1), 1);
}

static uint64_t
epochs(const struct search *x)
{
    uint64_t n = (uint64_t)STEPS_PER_ITEM * x->p->n_items;
    uint64_t most = x->options->iterations;

    n = (n < STEPS_MAX ? n : STEPS_MAX) / EPOCH_STEPS;
    return most && most < n ? most : n;
}

bool
dcp_search_anneal(struct search *x, bool check, struct dcp_search_result *out,
                  struct dcp_error *err)
{
    if (!is_worth_it(x)) {
        return true;
    }
    DCP_AUTO(dcp_state) struct dcp_state *best = dcp_state_create(x->p, err);
    struct anneal a = { .x = x };

    if (!best) {
        return false;
    }
    /* Of hosts alone: licences are steps that a move rarely takes. */
    double least = dcp_search_value(x->s); /* Counts what changed, too. */
    double each = x->s->objective->sum[0] / x->p->n_items;
    uint64_t n = epochs(x);
    int64_t begun_ms = dcp_monotonic_ms(), deadline_ms = deadline_of(x);

    if (x->p->q->gentle) {
        a.per_move = MOVE_FRAC * each;
    }
    dcp_state_assign(best, x->s);

    for (uint64_t e = 0; e < n && !dcp_search_is_over(x, check) &&
                         dcp_monotonic_ms() < deadline_ms;
         e++) {
        double by_steps = (double)e / (double)n;
        bool kept;

        a.temperature = each * HOT_FRAC *
                        pow(COLD_FRAC / HOT_FRAC,
                            progress(x, by_steps, begun_ms, deadline_ms));
        for (uint32_t k = 0; k < EPOCH_STEPS; k++) {
            step(&a);
        }
        if (!dcp_search_settle(x, check, &kept, err)) {
            return false;
        }
        out->rounds++;
        double value = dcp_search_value(x->s);

        if (kept && value < least - NOISE_FRAC * fmax(fabs(least), 1)) {
            least = value;
            dcp_state_assign(best, x->s);
        }
    }
    dcp_state_assign(x->s, best);
    return true;
}
