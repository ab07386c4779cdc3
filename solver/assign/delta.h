/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_ASSIGN_DELTA_H
#define DCP_SOLVER_ASSIGN_DELTA_H 1

/* What a change would cost, exactly, or that it is not legal: O(resources +
 * terms + rules of the groups), nothing is changed.  Inline, so that a loop
 * over candidates is one function that the compiler may lay out for the
 * machine's vectors (see DCP_FOR_VECTORS). */

#include "solver/assign/state.h"
#include "solver/vectors.h"

#define DCP_ASSIGN_ILLEGAL INT64_MAX

DCP_INLINE bool
dcp_assign_fits(const int64_t *room, const int64_t *need, uint32_t n)
{
    int64_t below = 0;

    for (uint32_t r = 0; r < n; r++) {
        below |= room[r] - need[r];
    }
    return below >= 0;
}

/* 'need' fits once 'freed' is gone. */
DCP_INLINE bool
dcp_assign_fits_for(const int64_t *room, const int64_t *need,
                    const int64_t *freed, uint32_t n)
{
    int64_t below = 0;

    for (uint32_t r = 0; r < n; r++) {
        below |= room[r] - need[r] + freed[r];
    }
    return below >= 0;
}

DCP_INLINE int64_t
dcp_assign_cost_with(const int64_t *term, const int64_t *add, uint32_t n)
{
    int64_t cost = 0;

    for (uint32_t k = 0; k < n; k++) {
        int64_t x = term[k] + add[k];

        cost += x > 0 ? x : 0;
    }
    return cost;
}

DCP_INLINE int64_t
dcp_assign_cost_without(const int64_t *term, const int64_t *drop, uint32_t n)
{
    int64_t cost = 0;

    for (uint32_t k = 0; k < n; k++) {
        int64_t x = term[k] - drop[k];

        cost += x > 0 ? x : 0;
    }
    return cost;
}

DCP_INLINE int64_t
dcp_assign_cost_for(const int64_t *term, const int64_t *add,
                    const int64_t *drop, uint32_t n)
{
    int64_t cost = 0;

    for (uint32_t k = 0; k < n; k++) {
        int64_t x = term[k] + add[k] - drop[k];

        cost += x > 0 ? x : 0;
    }
    return cost;
}

/* An item of 'x's group is on 'host'. */
DCP_INLINE bool
dcp_assign_crowded(const struct dcp_assign_state *s,
                   const struct dcp_assign_item *x, uint32_t host)
{
    return x->flags & DCP_ASSIGN_CROWD &&
           s->crowd[(size_t)s->c->crowd_row[x->group] * s->c->p->n_hosts +
                    host];
}

/* 'x's group stays spread when one of it goes from host 'a' to 'b'. */
DCP_INLINE bool
dcp_assign_stays_spread(const struct dcp_assign_state *s,
                        const struct dcp_assign_item *x, uint32_t a, uint32_t b)
{
    const struct dcp_assign_problem *p = s->c->p;

    if (!(x->flags & DCP_ASSIGN_SPREAD) || p->place[a] == p->place[b]) {
        return true;
    }
    uint32_t row = s->c->spread_row[x->group];
    const uint32_t *n = &s->in_place[(size_t)row * p->n_places];

    return s->n_places[row] - (n[p->place[a]] == 1) + (n[p->place[b]] == 0) >=
           p->spread_min[x->group];
}

/* The rules of 'x's group over places and zones hold when it goes from host 'a'
 * to 'b'. */
DCP_INLINE bool
dcp_assign_group_may_shift(const struct dcp_assign_state *s,
                           const struct dcp_assign_item *x, uint32_t a,
                           uint32_t b)
{
    if (!dcp_assign_stays_spread(s, x, a, b)) {
        return false;
    }
    if (x->flags & DCP_ASSIGN_TIED) {
        struct dcp_assign_crossing crossing = { x->group, UINT32_MAX,
                                                s->c->p->zone[a],
                                                s->c->p->zone[b] };

        return dcp_assign_may_cross(s, &crossing);
    }
    return true;
}

/* Of 'item', which is on a host, going to another, 'b'.  Where it is seen early
 * that host and move costs rise by more than 'limit', that is as illegal. */
DCP_INLINE int64_t
dcp_assign_shift_delta(const struct dcp_assign_state *s, uint32_t item,
                       uint32_t b, int64_t limit)
{
    const struct dcp_assign_columns *c = s->c;
    const struct dcp_assign_item *x = &c->item[item];
    uint32_t a = s->at[item];

    uint32_t n = c->term_stride;

    if (dcp_assign_crowded(s, x, b) ||
        (a == x->start && s->n_moved >= s->max_moves) ||
        !dcp_assign_fits(&s->room[(size_t)b * c->room_stride],
                         dcp_assign_need(c, item, b), c->room_stride)) {
        return DCP_ASSIGN_ILLEGAL;
    }
    int64_t delta = dcp_assign_cost_with(&s->term[(size_t)b * n],
                                         dcp_assign_terms(c, item, b), n) -
                    s->host_cost[b] + dcp_assign_move_cost(c, item, b) -
                    dcp_assign_move_cost(c, item, a) - s->host_cost[a];

    /* What is left of the cost of 'a' is not below 0.  Most candidates end
     * here, so it stands before the rules that take long to ask. */
    if (delta > limit || !dcp_assign_group_may_shift(s, x, a, b)) {
        return DCP_ASSIGN_ILLEGAL;
    }
    delta += dcp_assign_cost_without(&s->term[(size_t)a * n],
                                     dcp_assign_terms(c, item, a), n);
    if (x->flags & DCP_ASSIGN_SPEAKS && (a == x->start || b == x->start)) {
        delta += dcp_assign_group_moves_delta(
            s, x->group, a == x->start ? 1 : -1, x->group, 0);
    }
    return delta;
}

/* How many more items are away when 'x' goes from 'a' to 'b'. */
DCP_INLINE int32_t
dcp_assign_away_delta(const struct dcp_assign_item *x, uint32_t a, uint32_t b)
{
    return (a == x->start) - (b == x->start);
}

/* The rules of both groups over places and zones hold when items 'i' of host
 * 'a' and 'j' of host 'b' change places. */
DCP_INLINE bool
dcp_assign_groups_may_swap(const struct dcp_assign_state *s, uint32_t i,
                           uint32_t j, uint32_t a, uint32_t b)
{
    const struct dcp_assign_columns *c = s->c;
    const struct dcp_assign_item *x = &c->item[i], *y = &c->item[j];

    if (x->group == y->group) {
        return true;
    }
    if (!dcp_assign_stays_spread(s, x, a, b) ||
        !dcp_assign_stays_spread(s, y, b, a)) {
        return false;
    }
    if ((x->flags | y->flags) & DCP_ASSIGN_TIED) {
        struct dcp_assign_crossing crossing = { x->group, y->group,
                                                c->p->zone[a], c->p->zone[b] };

        return dcp_assign_may_cross(s, &crossing);
    }
    return true;
}

/* Of items 'i' and 'j', which are on two hosts, changing places; 'limit' as
 * above. */
DCP_INLINE int64_t
dcp_assign_swap_delta(const struct dcp_assign_state *s, uint32_t i, uint32_t j,
                      int64_t limit)
{
    const struct dcp_assign_columns *c = s->c;
    const struct dcp_assign_item *x = &c->item[i], *y = &c->item[j];
    uint32_t a = s->at[i], b = s->at[j], m = c->room_stride;

    if ((x->group != y->group &&
         (dcp_assign_crowded(s, x, b) || dcp_assign_crowded(s, y, a))) ||
        !dcp_assign_fits_for(&s->room[(size_t)b * m], dcp_assign_need(c, i, b),
                             dcp_assign_need(c, j, b), m) ||
        !dcp_assign_fits_for(&s->room[(size_t)a * m], dcp_assign_need(c, j, a),
                             dcp_assign_need(c, i, a), m)) {
        return DCP_ASSIGN_ILLEGAL;
    }
    int32_t dx = dcp_assign_away_delta(x, a, b);
    int32_t dy = dcp_assign_away_delta(y, b, a);

    if (dx + dy > 0 && s->n_moved + (uint32_t)(dx + dy) > s->max_moves) {
        return DCP_ASSIGN_ILLEGAL;
    }
    uint32_t n = c->term_stride;
    int64_t delta =
        dcp_assign_cost_for(&s->term[(size_t)b * n], dcp_assign_terms(c, i, b),
                            dcp_assign_terms(c, j, b), n) -
        s->host_cost[b] + dcp_assign_move_cost(c, i, b) -
        dcp_assign_move_cost(c, i, a) + dcp_assign_move_cost(c, j, a) -
        dcp_assign_move_cost(c, j, b) - s->host_cost[a];

    if (delta > limit || !dcp_assign_groups_may_swap(s, i, j, a, b)) {
        return DCP_ASSIGN_ILLEGAL;
    }
    delta +=
        dcp_assign_cost_for(&s->term[(size_t)a * n], dcp_assign_terms(c, j, a),
                            dcp_assign_terms(c, i, a), n);
    if ((dx || dy) && (x->flags & DCP_ASSIGN_SPEAKS)) {
        delta += dcp_assign_group_moves_delta(s, x->group, dx, y->group, dy);
    }
    return delta;
}

#endif /* solver/assign/delta.h */
