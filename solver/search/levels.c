/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Goals one after another.  The first is refined where more counts than how
 * many hosts are on; each later one is made small among states that are as
 * good by the earlier ones, or worse by the slack that is allowed. */

#include "solver/search/parts.h"

#include <math.h>
#include <stdlib.h>

#define REFINE_PASSES 6u
#define LATER_PASSES  8u
/* Of ruin and recreate for moves: hosts each, rounds, rounds without success,
 * and hosts on at most. */
#define RETURN_HOSTS  6u
#define RETURN_ROUNDS 4000u
#define RETURN_STALE  800u
#define RETURN_ON_MAX 160u

/* --- Everything anew, for licences -------------------------------------- */

bool
dcp_search_pack_anew(struct search *x, bool *out_ok, struct dcp_error *err)
{
    struct dcp_state *s = x->s;
    const struct dcp_problem *p = x->p;
    DCP_FREE uint32_t *items = malloc((p->n_items + 1u) * sizeof *items);
    uint32_t n = 0;

    if (!items) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        if (s->host[i] != DCP_IX_NONE) {
            items[n++] = i;
            dcp_state_remove(s, i);
        }
    }
    if (!dcp_search_keep_and_fill(x, err)) {
        return false;
    }
    x->in.may_wake = true;
    x->in.swap_tries = 8;
    *out_ok = dcp_insert_all(&x->in, items, n);
    x->in.trail.n = 0;
    x->in.may_wake = false;
    return true;
}

/* --- Moves -------------------------------------------------------------- */

/* The most that each level before 'level' may be. */
static void
set_limits(struct search *x, uint32_t level, double limits[])
{
    double slack = x->p->q->terms ? x->p->q->terms->goals->slack_frac : 0;

    for (uint32_t k = 0; k < level; k++) {
        double value = dcp_objective_value(x->s, k);

        limits[k] = value + fabs(value) * fmax(slack, 1e-9);
    }
}

static bool
within(struct search *x, uint32_t level, const double limits[])
{
    for (uint32_t k = 0; k < level; k++) {
        if (dcp_objective_value(x->s, k) > limits[k]) {
            return false;
        }
    }
    return true;
}

/* Empties some hosts, one of them where a moved item started and one where it
 * is, and puts all back, home first. */
static bool
ruin_towards_start(struct search *x)
{
    struct dcp_state *s = x->s;
    const struct dcp_problem *p = x->p;
    uint32_t hosts[RETURN_HOSTS], n_hosts = 0, n = 0, *items = x->in.scratch;

    for (uint32_t tries = 0; tries < 64 && n_hosts + 2 <= RETURN_HOSTS;
         tries++) {
        uint32_t i = (uint32_t)dcp_rng_below(&x->in.rng, p->n_items);
        uint32_t from = p->start_host[i], at = s->host[i];

        if (from != DCP_IX_NONE && at != DCP_IX_NONE && from != at &&
            s->on[from]) {
            hosts[n_hosts++] = from;
            hosts[n_hosts++] = at;
        }
    }
    for (uint32_t k = 0; k < n_hosts; k++) {
        while (p->use[hosts[k]] != DCP_HOST_AVOID &&
               s->first[hosts[k]] != DCP_IX_NONE) {
            items[n] = s->first[hosts[k]];
            dcp_insert_remove(&x->in, items[n++]);
        }
    }
    return n > 0 && dcp_insert_all(&x->in, items, n);
}

/* The level after the last stands for moves alone. */
static double
value_or_moves(struct search *x, uint32_t level)
{
    return level < x->p->pricing->n_levels ? dcp_objective_value(x->s, level)
                                           : dcp_search_moves(x);
}

/* Ruin and recreate for a level that counts moves. */
static bool
return_some(struct search *x, uint32_t level, const double limits[], bool check,
            struct dcp_error *err)
{
    double value = value_or_moves(x, level);

    x->in.may_wake = false;
    x->in.prefer_home = true;
    x->in.swap_tries = 8;
    for (uint32_t round = 0, stale = 0;
         round < RETURN_ROUNDS && stale < RETURN_STALE &&
         !(level ? dcp_search_time_is_up(x) : dcp_search_is_over(x, check));
         round++, stale++) {
        bool kept = false;

        if (ruin_towards_start(x) &&
            value_or_moves(x, level) < value - 1e-9 * fmax(fabs(value), 1) &&
            within(x, level, limits) &&
            !dcp_search_settle(x, check, &kept, err)) {
            return false;
        }
        if (kept) {
            value = value_or_moves(x, level);
            stale = 0;
        } else {
            dcp_trail_undo(&x->in.trail, x->s);
        }
    }
    x->in.prefer_home = false;
    return true;
}

bool
dcp_search_fewer_moves(struct search *x, bool check, struct dcp_error *err)
{
    double limits[DCP_GOALS_MAX + 1];
    uint32_t n = x->p->pricing->n_levels;

    if (x->s->n_on > RETURN_ON_MAX) {
        return true;
    }
    set_limits(x, 1, limits);
    for (uint32_t k = 1; k < n; k++) {
        limits[k] = INFINITY;
    }
    return return_some(x, n, limits, check, err);
}

/* --- Levels ------------------------------------------------------------- */

bool
dcp_search_refine_first(struct search *x, bool check, struct dcp_error *err)
{
    if (dcp_pricing_counts_hosts_alone(x->p)) {
        return true;
    }
    return dcp_search_drop_licences(x, 4, check, err) &&
           dcp_search_polish(x, 0, NULL, REFINE_PASSES, check, err) &&
           (!(x->p->pricing->level[0].per_move > 0) ||
            x->s->n_on > RETURN_ON_MAX || return_some(x, 0, NULL, check, err));
}

static bool
later_levels(struct search *x, bool check, struct dcp_error *err)
{
    double limits[DCP_GOALS_MAX];

    for (uint32_t k = 1; k < x->p->pricing->n_levels; k++) {
        double fresh[DCP_GOALS_MAX];

        /* What an earlier level was given stays given. */
        set_limits(x, k, fresh);
        limits[k - 1] = fresh[k - 1];
        if (!dcp_search_polish(x, k, limits, LATER_PASSES, check, err) ||
            (x->p->pricing->level[k].per_move > 0 &&
             x->s->n_on <= RETURN_ON_MAX &&
             !return_some(x, k, limits, check, err))) {
            return false;
        }
    }
    return true;
}

bool
dcp_search_later_goals(struct dcp_state *s,
                       const struct dcp_search_options *options,
                       struct dcp_error *err)
{
    struct search x = {
        .s = s, .p = s->p, .options = options, .told = -INFINITY
    }; /* The first goal does not fall. */
    bool check = s->p->q->headroom;

    if (s->p->pricing->n_levels < 2) {
        return true;
    }
    if (!dcp_inserter_init(&x.in, s, options->seed, err)) {
        return false;
    }
    bool ok = later_levels(&x, check, err);

    if (ok && x.in.trail.failed) {
        ok = dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    dcp_inserter_finish(&x.in);
    return ok;
}
