/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Descent on one level of goals that leaves the earlier ones within limits:
 * an item moves to the host where that gains most, two items change hosts, all
 * of a host go to one of another kind that is off.  Each change is judged by
 * its delta; headroom is checked for a few changes together, and after each the
 * losses of the hosts that it touched, and of those that failed last. */

#include "solver/search/racks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHANGES_PER_CHECK 12u
#define TOUCHED_MAX       4u /* Hosts of one change. */
#define TIGHT_MAX         4u
/* Hosts looked at for one item, and partners for one swap. */
#define HOSTS_TRIED 64u
#define SWAPS_TRIED 24u
/* All pairs of equal hosts are looked at up to so many. */
#define EXCHANGE_HOSTS_MAX 400u
/* Shares of the value: less is noise, and where the question is gentle no
 * change of a move or two is worth it. */
#define NOISE_FRAC  1e-9
#define GENTLE_FRAC 1e-5

struct polish {
    struct search *x;
    uint32_t level;
    const double *limits; /* Of the levels before. */
    bool check;
    uint32_t n_unchecked;
    uint32_t n_looked_at; /* Of the trail: what is behind passed a quick look. */
    uint32_t tight[TIGHT_MAX], n_tight; /* Hosts whose loss failed lately. */
    uint32_t n_kept;   /* Changes that stay. */
    bool counts_moves; /* And not too many hosts to look at pairs. */
};

/* The most that a change may add; below 0. */
static double
least_gain(const struct polish *d, double value)
{
    bool gentle = d->x->p->q->gentle && !d->level;

    return -(gentle ? GENTLE_FRAC : NOISE_FRAC) * fmax(fabs(value), 1);
}

/* Whether the earlier levels, and the moves that are allowed, allow what the
 * state now is. */
static bool
within_limits(const struct polish *d)
{
    const struct dcp_question *q = d->x->p->q;

    if (q->limits_moves && dcp_search_moves(d->x) > q->max_moves) {
        return false;
    }
    for (uint32_t k = 0; k < d->level; k++) {
        if (dcp_objective_value(d->x->s, k) > d->limits[k]) {
            return false;
        }
    }
    return true;
}

static bool
is_over(const struct polish *d)
{
    return d->level ? dcp_search_time_is_up(d->x)
                    : dcp_search_is_over(d->x, d->check);
}

/* The hosts of the last change on the trail, each once. */
static uint32_t
list_touched(const struct polish *d, uint32_t out[TOUCHED_MAX])
{
    const struct dcp_trail *trail = &d->x->in.trail;
    uint32_t n = 0;

    for (uint32_t k = d->n_looked_at; k < trail->n; k++) {
        struct dcp_change c = trail->change[k];
        uint32_t both[2] = {
            c.host, c.item == DCP_IX_NONE ? c.host : d->x->s->host[c.item]
        };

        for (uint32_t j = 0; j < 2; j++) {
            uint32_t i = 0;

            while (i < n && out[i] != both[j]) {
                i++;
            }
            if (i == n && n < TOUCHED_MAX && both[j] != DCP_IX_NONE) {
                out[n++] = both[j];
            }
        }
    }
    return n;
}

/* Takes the last change back where a loss of the hosts that it touched, or of
 * those that failed lately, is not survived: one such change would take all
 * others of its check with it. */
static bool
look_at_last(struct polish *d, struct dcp_error *err)
{
    struct search *x = d->x;
    uint32_t hosts[TOUCHED_MAX + TIGHT_MAX], n;
    bool ok;

    if (!d->check || x->in.trail.n <= d->n_looked_at) {
        return true;
    }
    memcpy(hosts, d->tight, d->n_tight * sizeof *hosts);
    n = d->n_tight + list_touched(d, hosts + d->n_tight);
    if (!dcp_headroom_check_hosts(x->s, hosts, n, &ok, err)) {
        return false;
    }
    if (!ok) {
        dcp_trail_undo_to(&x->in.trail, x->s, d->n_looked_at);
        d->n_unchecked--;
    }
    d->n_looked_at = x->in.trail.n;
    return true;
}

/* A host whose loss was not survived after a change of others is looked at
 * after each change, in place of the one that was so first. */
static void
note_tight(struct polish *d, const struct dcp_headroom *h)
{
    if (h->failed.kind != DCP_LOSS_HOST || h->failed.n != 1) {
        return;
    }
    if (d->n_tight == TIGHT_MAX) {
        memmove(d->tight, d->tight + 1, --d->n_tight * sizeof *d->tight);
    }
    d->tight[d->n_tight++] = h->failed.ix[0];
}

/* Keeps what is on the trail, or not, where headroom says so. */
static bool
settle(struct polish *d, bool last, struct dcp_error *err)
{
    struct dcp_headroom why;
    bool kept;

    if (!look_at_last(d, err)) {
        return false;
    }
    if (!d->n_unchecked ||
        (!last && d->check && d->n_unchecked < CHANGES_PER_CHECK)) {
        return true;
    }
    if (!dcp_search_settle_why(d->x, d->check, &kept, &why, err)) {
        return false;
    }
    if (kept) {
        d->n_kept += d->n_unchecked;
    } else {
        note_tight(d, &why);
    }
    d->n_unchecked = 0;
    d->n_looked_at = 0;
    return true;
}

static bool
takes(const struct polish *d, uint32_t item, uint32_t h)
{
    struct dcp_state *s = d->x->s;

    return s->on[h] && h != s->host[item] &&
           s->room[h] >= dcp_problem_request(d->x->p, item, h, 0) &&
           d->x->p->use[h] != DCP_HOST_AVOID && dcp_state_fits(s, item, h) &&
           dcp_state_allowed(s, item, h);
}

static double
limited_delta(const struct polish *d, uint32_t item, uint32_t h)
{
    const struct dcp_problem *p = d->x->p;

    if (p->q->limits_moves &&
        dcp_search_moves(d->x) + dcp_pricing_moves(p, item, h) >
            p->q->max_moves + dcp_pricing_moves(p, item, d->x->s->host[item])) {
        return 0;
    }
    for (uint32_t k = 0; k < d->level; k++) {
        double after = dcp_objective_value(d->x->s, k) +
                       dcp_objective_move_delta(d->x->s, k, item, h);

        if (after > d->limits[k]) {
            return 0;
        }
    }
    return dcp_objective_move_delta(d->x->s, d->level, item, h);
}

/* The item goes where that gains most. */
static bool
try_moves(struct polish *d, uint32_t item, struct dcp_error *err)
{
    struct dcp_state *s = d->x->s;
    uint32_t n = d->x->p->n_hosts, best = DCP_IX_NONE;
    uint32_t start = d->x->p->start_host[item];
    uint32_t h = (uint32_t)dcp_rng_below(&d->x->in.rng, n);
    double least = least_gain(d, dcp_objective_value(s, d->level));

    for (uint32_t k = 0, tried = 0; k <= n && tried < HOSTS_TRIED; k++) {
        uint32_t to = k ? h : start; /* Back to the start is looked at first. */

        h = k && h + 1 < n ? h + 1 : k ? 0 : h;
        if (to == DCP_IX_NONE || !takes(d, item, to)) {
            continue;
        }
        double delta = limited_delta(d, item, to);

        tried++;
        if (delta < least) {
            least = delta;
            best = to;
        }
    }
    if (best == DCP_IX_NONE) {
        return true;
    }
    dcp_insert_remove(&d->x->in, item);
    dcp_insert_at(&d->x->in, item, best);
    d->n_unchecked++;
    return settle(d, false, err);
}

/* 'a' and 'b' change hosts where that gains; *out_done: they did. */
static bool
try_swap(struct polish *d, uint32_t a, uint32_t b, bool *out_done,
         struct dcp_error *err)
{
    struct dcp_state *s = d->x->s;
    uint32_t ha = s->host[a], hb = s->host[b], mark = d->x->in.trail.n;
    double value = dcp_objective_value(s, d->level);

    *out_done = false;
    if (ha == hb || d->x->p->use[ha] == DCP_HOST_AVOID ||
        d->x->p->use[hb] == DCP_HOST_AVOID ||
        !dcp_problem_reaches(d->x->p, a, hb) ||
        !dcp_problem_reaches(d->x->p, b, ha) ||
        !(dcp_objective_swap_delta(s, d->level, a, b) < least_gain(d, value))) {
        return true;
    }
    dcp_insert_remove(&d->x->in, a);
    dcp_insert_remove(&d->x->in, b);
    *out_done = dcp_state_fits(s, a, hb) && dcp_state_allowed(s, a, hb);
    if (*out_done) {
        dcp_insert_at(&d->x->in, a, hb);
        *out_done = dcp_state_fits(s, b, ha) && dcp_state_allowed(s, b, ha);
    }
    if (*out_done) {
        dcp_insert_at(&d->x->in, b, ha);
        *out_done = within_limits(d);
    }
    if (!*out_done) {
        dcp_trail_undo_to(&d->x->in.trail, s, mark);
        return true;
    }
    d->n_unchecked++;
    if (!settle(d, false, err)) {
        return false;
    }
    *out_done = s->host[a] == hb && s->host[b] == ha; /* Not taken back. */
    return true;
}

static bool
try_swaps(struct polish *d, uint32_t item, struct dcp_error *err)
{
    const struct dcp_problem *p = d->x->p;
    bool done = false;

    for (uint32_t k = 0; !done && k < SWAPS_TRIED; k++) {
        uint32_t other = (uint32_t)dcp_rng_below(&d->x->in.rng, p->n_items);

        if (!try_swap(d, item, other, &done, err)) {
            return false;
        }
    }
    return true;
}

static bool
may_switch_on(const struct search *x, uint32_t h)
{
    return !x->s->on[h] && x->p->use[h] == DCP_HOST_FREE &&
           (x->p->q->may_wake || x->p->q->start->on[h]);
}

/* All items of 'from' go to 'to', which is off, and 'from' goes off. */
static bool
relocate(struct search *x, uint32_t from, uint32_t to)
{
    struct dcp_state *s = x->s;

    dcp_insert_power(&x->in, to, true);
    for (uint32_t i = s->first[from]; i != DCP_IX_NONE;) {
        uint32_t next = s->next[i];

        dcp_insert_remove(&x->in, i);
        if (!dcp_state_fits(s, i, to) || !dcp_state_allowed(s, i, to)) {
            return false;
        }
        dcp_insert_at(&x->in, i, to);
        i = next;
    }
    dcp_insert_power(&x->in, from, false);
    return true;
}

/* Tries hosts of each other kind that are off in place of 'from'. */
static bool
try_other_hosts(struct polish *d, uint32_t from, struct dcp_error *err)
{
    struct search *x = d->x;
    uint32_t last_type = UINT32_MAX;

    for (uint32_t to = 0; to < x->p->n_hosts; to++) {
        if (!dcp_search_may_switch_off(x, from)) {
            return true;
        }
        /* Of each run of equal hosts the first: the same but for moves. */
        if (!may_switch_on(x, to) ||
            (x->p->type_of_host[to] == last_type && !d->counts_moves)) {
            continue;
        }
        last_type = x->p->type_of_host[to];

        double before = dcp_objective_value(x->s, d->level);
        uint32_t mark = x->in.trail.n;

        if (relocate(x, from, to) &&
            dcp_objective_value(x->s, d->level) - before <
                least_gain(d, before) &&
            within_limits(d)) {
            d->n_unchecked++;
            return settle(d, false, err);
        }
        dcp_trail_undo_to(&x->in.trail, x->s, mark);
    }
    return true;
}

/* Takes all items of a host off, into 'out'. */
static uint32_t
take_all(struct search *x, uint32_t h, uint32_t *out)
{
    uint32_t n = 0;

    while (x->s->first[h] != DCP_IX_NONE) {
        out[n] = x->s->first[h];
        dcp_insert_remove(&x->in, out[n++]);
    }
    return n;
}

static bool
put_all(struct search *x, uint32_t h, const uint32_t *items, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++) {
        if (!dcp_state_fits(x->s, items[k], h) ||
            !dcp_state_allowed(x->s, items[k], h)) {
            return false;
        }
        dcp_insert_at(&x->in, items[k], h);
    }
    return true;
}

/* Two hosts of one kind, both on: each takes what the other has. */
static bool
try_exchange(struct polish *d, uint32_t a, uint32_t b, struct dcp_error *err)
{
    struct search *x = d->x;
    uint32_t mark = x->in.trail.n, *of_a = x->in.scratch;
    double before = dcp_objective_value(x->s, d->level);
    uint32_t n_a = take_all(x, a, of_a), *of_b = of_a + n_a;
    uint32_t n_b = take_all(x, b, of_b);

    if (put_all(x, b, of_a, n_a) && put_all(x, a, of_b, n_b) &&
        dcp_objective_value(x->s, d->level) - before < least_gain(d, before) &&
        within_limits(d)) {
        d->n_unchecked++;
        return settle(d, false, err);
    }
    dcp_trail_undo_to(&x->in.trail, x->s, mark);
    return true;
}

/* Which of equal hosts holds what matters to moves alone. */
static bool
try_exchanges(struct polish *d, uint32_t a, struct dcp_error *err)
{
    const struct dcp_problem *p = d->x->p;

    for (uint32_t b = a + 1; b < p->n_hosts && !dcp_search_time_is_up(d->x);
         b++) {
        if (d->x->s->on[a] && d->x->s->on[b] &&
            p->type_of_host[a] == p->type_of_host[b] &&
            p->use[a] != DCP_HOST_AVOID && p->use[b] != DCP_HOST_AVOID &&
            !try_exchange(d, a, b, err)) {
            return false;
        }
    }
    return true;
}

bool
dcp_search_polish(struct search *x, uint32_t level, const double limits[],
                  uint32_t max_passes, bool check, struct dcp_error *err)
{
    struct polish d = {
        .x = x,
        .level = level,
        .limits = limits,
        .check = check,
        .counts_moves = x->p->pricing->level[level].per_move > 0 &&
                        x->p->n_hosts <= EXCHANGE_HOSTS_MAX,
    };

    dcp_search_note_losses(x);
    for (uint32_t pass = 0; pass < max_passes; pass++) {
        double before = dcp_objective_value(x->s, level);

        for (uint32_t h = 0; h < x->p->n_hosts && !is_over(&d); h++) {
            if (!try_other_hosts(&d, h, err) ||
                (d.counts_moves && !try_exchanges(&d, h, err))) {
                return false;
            }
        }
        for (uint32_t i = 0; i < x->p->n_items && !is_over(&d); i++) {
            if (x->s->host[i] != DCP_IX_NONE &&
                (!try_moves(&d, i, err) || !try_swaps(&d, i, err))) {
                return false;
            }
        }
        if (!settle(&d, true, err)) {
            return false;
        }
        if (dcp_objective_value(x->s, level) - before >
            -1e-4 * fmax(fabs(before), 1e-6)) {
            break;
        }
    }
    return true;
}
