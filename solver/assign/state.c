/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/assign/state.h"

#include <stdlib.h>
#include <string.h>

static void
free_all(struct dcp_assign_state *s)
{
    for (uint32_t h = 0; s->list && h < s->n_lists; h++) {
        free(s->list[h].item);
    }
    free(s->list);
    free(s->at);
    free(s->slot);
    free(s->room);
    free(s->term);
    free(s->host_cost);
    free(s->host_hard);
    free(s->crowd);
    free(s->in_place);
    free(s->n_places);
    free(s->in_zone);
    free(s->moved);
    free(s->n_moved_by);
}

void
dcp_assign_state_destroy(struct dcp_assign_state *s)
{
    if (s) {
        free_all(s);
        free(s);
    }
}

/* Rows on whole cache lines. */
static int64_t *
rows(size_t n, size_t stride)
{
    size_t bytes = n * stride * sizeof(int64_t) + 63;

    return aligned_alloc(64, bytes - bytes % 64 + 64);
}

static bool
allocate(struct dcp_assign_state *s)
{
    const struct dcp_assign_columns *c = s->c;
    const struct dcp_assign_problem *p = c->p;

    s->list = calloc(p->n_hosts + 1u, sizeof *s->list);
    s->n_lists = p->n_hosts;
    s->at = calloc(p->n_items + 1u, sizeof *s->at);
    s->slot = calloc(p->n_items + 1u, sizeof *s->slot);
    s->room = rows(p->n_hosts, c->room_stride);
    s->term = rows(p->n_hosts, c->term_stride);
    s->host_cost = calloc(p->n_hosts + 1u, sizeof *s->host_cost);
    s->host_hard = calloc(p->n_hosts + 1u, sizeof *s->host_hard);
    s->crowd = calloc((size_t)c->n_crowds * p->n_hosts + 1, sizeof *s->crowd);
    s->in_place =
        calloc((size_t)c->n_spreads * p->n_places + 1, sizeof *s->in_place);
    s->n_places = calloc(c->n_spreads + 1u, sizeof *s->n_places);
    s->in_zone = calloc((size_t)c->n_tied * p->n_zones + 1, sizeof *s->in_zone);
    s->moved = calloc(p->n_groups + 1u, sizeof *s->moved);
    s->n_moved_by = calloc(c->most_members + 2u, sizeof *s->n_moved_by);
    return s->list && s->at && s->slot && s->room && s->term && s->host_cost &&
           s->host_hard && s->crowd && s->in_place && s->n_places &&
           s->in_zone && s->moved && s->n_moved_by;
}

struct dcp_assign_state *
dcp_assign_state_create(const struct dcp_assign_columns *c, uint32_t max_moves,
                        struct dcp_error *err)
{
    DCP_AUTO(dcp_assign_state)
    struct dcp_assign_state *s = calloc(1, sizeof *s);

    if (s) {
        s->c = c;
        s->max_moves = max_moves;
    }
    if (!s || !allocate(s) || !dcp_assign_state_set(s, c->p->start)) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to assign items");
        return NULL;
    }
    return DCP_STEAL(s);
}

bool
dcp_assign_state_set(struct dcp_assign_state *s, const uint32_t at[])
{
    const struct dcp_assign_columns *c = s->c;
    const struct dcp_assign_problem *p = c->p;

    memcpy(s->room, c->room0,
           (size_t)p->n_hosts * c->room_stride * sizeof *s->room);
    memcpy(s->term, c->term0,
           (size_t)p->n_hosts * c->term_stride * sizeof *s->term);
    memset(s->crowd, 0, (size_t)c->n_crowds * p->n_hosts);
    memset(s->in_place, 0,
           (size_t)c->n_spreads * p->n_places * sizeof *s->in_place);
    memset(s->n_places, 0, c->n_spreads * sizeof *s->n_places);
    memset(s->in_zone, 0, (size_t)c->n_tied * p->n_zones * sizeof *s->in_zone);
    memset(s->moved, 0, p->n_groups * sizeof *s->moved);
    memset(s->n_moved_by, 0, (c->most_members + 2u) * sizeof *s->n_moved_by);
    s->n_moved_by[0] = p->n_groups;
    s->most_moved = 0;
    s->n_moved = 0;
    s->cost = 0;
    s->hard_cost = 0;
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        s->list[h].n = 0;
        s->host_cost[h] = 0;
        s->host_hard[h] = 0;
        for (uint32_t k = 0; k < c->term_stride; k++) {
            int64_t term = s->term[(size_t)h * c->term_stride + k];

            s->host_cost[h] += term > 0 ? term : 0;
            s->host_hard[h] += term > 0 && k >= c->hard_from ? term : 0;
        }
        s->cost += s->host_cost[h];
        s->hard_cost += s->host_hard[h];
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        s->at[i] = DCP_ASSIGN_NOWHERE;
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        if (at[i] != DCP_ASSIGN_NOWHERE && !dcp_assign_put(s, i, at[i])) {
            return false;
        }
    }
    return true;
}

static bool
list_add(struct dcp_assign_state *s, uint32_t item, uint32_t host)
{
    struct dcp_assign_list *list = &s->list[host];

    if (list->n == list->capacity) {
        uint32_t capacity = 2 * list->capacity + 8;
        uint32_t *more = realloc(list->item, capacity * sizeof *more);

        if (!more) {
            return false;
        }
        list->item = more;
        list->capacity = capacity;
    }
    s->slot[item] = list->n;
    list->item[list->n++] = item;
    return true;
}

static void
list_drop(struct dcp_assign_state *s, uint32_t item, uint32_t host)
{
    struct dcp_assign_list *list = &s->list[host];
    uint32_t last = list->item[--list->n];

    list->item[s->slot[item]] = last;
    s->slot[last] = s->slot[item];
}

/* 'sign' 1: comes to the host; -1: leaves. */
static void
add_rows(struct dcp_assign_state *s, uint32_t item, uint32_t host, int64_t sign)
{
    const struct dcp_assign_columns *c = s->c;
    const int64_t *need = dcp_assign_need(c, item, host);
    const int64_t *add = dcp_assign_terms(c, item, host);
    int64_t *room = &s->room[(size_t)host * c->room_stride];
    int64_t *term = &s->term[(size_t)host * c->term_stride];
    int64_t cost = 0, hard = 0;

    for (uint32_t r = 0; r < c->room_stride; r++) {
        room[r] -= sign * need[r];
    }
    for (uint32_t k = 0; k < c->hard_from; k++) {
        term[k] += sign * add[k];
        cost += term[k] > 0 ? term[k] : 0;
    }
    for (uint32_t k = c->hard_from; k < c->term_stride; k++) {
        term[k] += sign * add[k];
        hard += term[k] > 0 ? term[k] : 0;
    }
    cost += hard;
    s->hard_cost += hard - s->host_hard[host];
    s->host_hard[host] = hard;
    s->cost +=
        cost - s->host_cost[host] + sign * dcp_assign_move_cost(c, item, host);
    s->host_cost[host] = cost;
}

static void
count_groups(struct dcp_assign_state *s, uint32_t item, uint32_t host,
             uint32_t sign)
{
    const struct dcp_assign_columns *c = s->c;
    const struct dcp_assign_problem *p = c->p;
    const struct dcp_assign_item *x = &c->item[item];

    if (x->flags & DCP_ASSIGN_CROWD) {
        uint8_t *n =
            &s->crowd[(size_t)c->crowd_row[x->group] * p->n_hosts + host];

        *n = (uint8_t)(*n + sign);
    }
    if (x->flags & DCP_ASSIGN_SPREAD) {
        uint32_t row = c->spread_row[x->group];
        uint32_t *n = &s->in_place[(size_t)row * p->n_places + p->place[host]];

        s->n_places[row] += sign == 1 ? *n == 0 : -(uint32_t)(*n == 1);
        *n += sign;
    }
    if (x->flags & DCP_ASSIGN_TIED) {
        s->in_zone[(size_t)c->tied_row[x->group] * p->n_zones +
                   p->zone[host]] += sign;
    }
}

static void
count_move(struct dcp_assign_state *s, uint32_t group, uint32_t sign)
{
    uint32_t before = s->moved[group], now = before + sign;

    s->moved[group] = now;
    s->n_moved += sign;
    s->n_moved_by[before]--;
    s->n_moved_by[now]++;
    if (now > s->most_moved) {
        s->most_moved = now;
        s->cost += s->c->p->group_move_weight;
    } else if (before == s->most_moved && !s->n_moved_by[before]) {
        s->most_moved = now;
        s->cost -= s->c->p->group_move_weight;
    }
}

void
dcp_assign_take(struct dcp_assign_state *s, uint32_t item)
{
    uint32_t host = s->at[item];

    list_drop(s, item, host);
    add_rows(s, item, host, -1);
    count_groups(s, item, host, UINT32_MAX);
    if (host != s->c->item[item].start) {
        count_move(s, s->c->item[item].group, UINT32_MAX);
    }
    s->at[item] = DCP_ASSIGN_NOWHERE;
}

bool
dcp_assign_put(struct dcp_assign_state *s, uint32_t item, uint32_t host)
{
    if (s->at[item] == host) {
        return true;
    }
    uint32_t slot = s->slot[item], from = s->at[item];

    if (!list_add(s, item, host)) {
        return false;
    }
    if (from != DCP_ASSIGN_NOWHERE) {
        uint32_t new_slot = s->slot[item];

        s->slot[item] = slot;
        dcp_assign_take(s, item);
        s->slot[item] = new_slot;
    }
    add_rows(s, item, host, 1);
    count_groups(s, item, host, 1);
    if (host != s->c->item[item].start) {
        count_move(s, s->c->item[item].group, 1);
    }
    s->at[item] = host;
    return true;
}

/* --- rules --------------------------------------------------------------- */

bool
dcp_assign_host_holds(const struct dcp_assign_state *s, uint32_t host)
{
    const struct dcp_assign_columns *c = s->c;
    const struct dcp_assign_list *list = &s->list[host];

    for (uint32_t r = 0; r < c->room_stride; r++) {
        if (s->room[(size_t)host * c->room_stride + r] < 0) {
            return false;
        }
    }
    for (uint32_t k = 0; k < list->n; k++) {
        const struct dcp_assign_item *x = &c->item[list->item[k]];

        if (x->flags & DCP_ASSIGN_CROWD &&
            s->crowd[(size_t)c->crowd_row[x->group] * c->p->n_hosts + host] >
                1) {
            return false;
        }
    }
    return true;
}

static const uint32_t *
zones_of(const struct dcp_assign_state *s, uint32_t group)
{
    return &s->in_zone[(size_t)s->c->tied_row[group] * s->c->p->n_zones];
}

bool
dcp_assign_group_holds(const struct dcp_assign_state *s, uint32_t group)
{
    const struct dcp_assign_columns *c = s->c;
    const struct dcp_assign_problem *p = c->p;

    if (c->spread_row[group] != UINT32_MAX &&
        s->n_places[c->spread_row[group]] < p->spread_min[group]) {
        return false;
    }
    if (c->tied_row[group] == UINT32_MAX) {
        return true;
    }
    for (uint32_t z = 0; z < p->n_zones; z++) {
        bool here = zones_of(s, group)[z] > 0;

        for (uint32_t k = p->dep_start[group];
             here && k < p->dep_start[group + 1]; k++) {
            if (!zones_of(s, p->dep[k])[z]) {
                return false;
            }
        }
        for (uint32_t k = c->rdep_start[group];
             !here && k < c->rdep_start[group + 1]; k++) {
            if (zones_of(s, c->rdep[k])[z]) {
                return false;
            }
        }
    }
    return true;
}

/* Items of 'group' in 'zone' after the crossing. */
static uint32_t
after(const struct dcp_assign_state *s, const struct dcp_assign_crossing *x,
      uint32_t group, uint32_t zone)
{
    uint32_t n = zones_of(s, group)[zone];

    if (group == x->gi) {
        n += (zone == x->to) - (uint32_t)(zone == x->from);
    }
    if (group == x->gj) {
        n += (zone == x->from) - (uint32_t)(zone == x->to);
    }
    return n;
}

/* 'group' goes from zone 'from' to 'to', as part of 'x'. */
static bool
one_may_cross(const struct dcp_assign_state *s,
              const struct dcp_assign_crossing *x, uint32_t group,
              uint32_t from, uint32_t to)
{
    const struct dcp_assign_columns *c = s->c;
    const struct dcp_assign_problem *p = c->p;

    if (group == UINT32_MAX || c->tied_row[group] == UINT32_MAX) {
        return true;
    }
    if (!zones_of(s, group)[to]) {
        for (uint32_t k = p->dep_start[group]; k < p->dep_start[group + 1];
             k++) {
            if (!after(s, x, p->dep[k], to)) {
                return false;
            }
        }
    }
    if (!after(s, x, group, from)) {
        for (uint32_t k = c->rdep_start[group]; k < c->rdep_start[group + 1];
             k++) {
            if (after(s, x, c->rdep[k], from)) {
                return false;
            }
        }
    }
    return true;
}

bool
dcp_assign_may_cross(const struct dcp_assign_state *s,
                     const struct dcp_assign_crossing *x)
{
    return x->from == x->to || (one_may_cross(s, x, x->gi, x->from, x->to) &&
                                one_may_cross(s, x, x->gj, x->to, x->from));
}

int64_t
dcp_assign_group_moves_delta(const struct dcp_assign_state *s, uint32_t g1,
                             int32_t d1, uint32_t g2, int32_t d2)
{
    if (g1 == g2) {
        d1 += d2;
        d2 = 0;
    }
    if (!d1 && !d2) {
        return 0;
    }
    uint32_t m1 = s->moved[g1] + (uint32_t)d1;
    uint32_t m2 = s->moved[g2] + (uint32_t)d2;
    uint32_t most = m1 > m2 || g1 == g2 ? m1 : m2;

    if (most < s->most_moved) {
        uint32_t rest = s->most_moved;

        while (rest > most &&
               s->n_moved_by[rest] == (uint32_t)(s->moved[g1] == rest) +
                                          (g1 != g2 && s->moved[g2] == rest)) {
            rest--;
        }
        most = rest;
    }
    return s->c->p->group_move_weight *
           ((int64_t)most - (int64_t)s->most_moved);
}
