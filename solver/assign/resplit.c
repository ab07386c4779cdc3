/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/assign/resplit.h"

#include "solver/assign/delta.h"

#include <stdlib.h>
#include <string.h>

#define MOST_ITEMS 64u
#define MOST_SIDES 3u
#define MOST_NODES 20000u
/* Leaves that the rules of groups refuse. */
#define MOST_REFUSED 20u

/* The hosts with the first 'depth' of their items only. */
struct level {
    int64_t *term[MOST_SIDES], *room[MOST_SIDES];
    int64_t *rest, *negative; /* [term]: what items from here on add. */
    int64_t move_cost, least_move_cost; /* So far; of items from here on. */
    uint32_t side;                      /* Where its item now is. */
};

/* Some hosts and their items. */
struct split {
    struct dcp_assign_walk *w;
    uint32_t n_sides, host[MOST_SIDES];
    uint32_t n, item[MOST_ITEMS], before[MOST_ITEMS], best[MOST_ITEMS];
    struct level level[MOST_ITEMS + 1];
    int64_t least; /* What the hosts and their items cost: to be below. */
    int64_t state_cost;
    uint32_t n_nodes, n_refused;
    bool found;
};

struct dcp_assign_resplit {
    struct split split;
    int64_t *rows;
    /* Pairs are gone through by pairs of places in 'order', from (1, 0).  Of
     * interest are hosts that changed since all pairs with them were seen. */
    uint32_t *order, i, j;
    bool *changed_before, *changed;
    bool quiet; /* No pair gains. */
};

void
dcp_assign_resplit_destroy(struct dcp_assign_resplit *x)
{
    if (x) {
        free(x->rows);
        free(x->order);
        free(x->changed_before);
        free(x->changed);
        free(x);
    }
}

static void
lay_out(struct split *s, int64_t *row)
{
    const struct dcp_assign_columns *c = s->w->state->c;

    for (uint32_t d = 0; d <= MOST_ITEMS; d++) {
        for (uint32_t side = 0; side < MOST_SIDES; side++) {
            s->level[d].term[side] = row;
            s->level[d].room[side] = row + c->term_stride;
            row += c->term_stride + c->room_stride;
        }
        s->level[d].rest = row;
        s->level[d].negative = row + c->term_stride;
        row += 2 * (size_t)c->term_stride;
    }
}

struct dcp_assign_resplit *
dcp_assign_resplit_create(struct dcp_assign_walk *w, struct dcp_error *err)
{
    DCP_AUTO(dcp_assign_resplit)
    struct dcp_assign_resplit *x = calloc(1, sizeof *x);
    const struct dcp_assign_columns *c = w->state->c;
    uint32_t n = c->p->n_hosts;
    size_t per_level = (MOST_SIDES + 2) * (size_t)c->term_stride +
                       MOST_SIDES * (size_t)c->room_stride;

    if (x) {
        x->rows = calloc((MOST_ITEMS + 1) * per_level, sizeof *x->rows);
        x->order = calloc(n + 1u, sizeof *x->order);
        x->changed_before = calloc(n + 1u, sizeof *x->changed_before);
        x->changed = calloc(n + 1u, sizeof *x->changed);
    }
    if (!x || !x->rows || !x->order || !x->changed_before || !x->changed) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to share out hosts");
        return NULL;
    }
    x->split.w = w;
    lay_out(&x->split, x->rows);
    for (uint32_t h = 0; h < n; h++) {
        x->order[h] = h;
        x->changed[h] = true;
    }
    return DCP_STEAL(x);
}

/* --- some hosts ------------------------------------------------------------
 */

static void
gather(struct split *s)
{
    const struct dcp_assign_state *state = s->w->state;
    const double *size = state->c->size;

    s->n = 0;
    for (uint32_t side = 0; side < s->n_sides; side++) {
        const struct dcp_assign_list *list = &state->list[s->host[side]];

        for (uint32_t k = 0; k < list->n; k++) {
            uint32_t at = s->n++, item = list->item[k];

            while (at > 0 && (size[s->item[at - 1]] < size[item] ||
                              (size[s->item[at - 1]] == size[item] &&
                               s->item[at - 1] > item))) {
                s->item[at] = s->item[at - 1];
                at--;
            }
            s->item[at] = item;
        }
    }
    for (uint32_t k = 0; k < s->n; k++) {
        s->before[k] = 0;
        while (state->at[s->item[k]] != s->host[s->before[k]]) {
            s->before[k]++;
        }
    }
}

/* The hosts as they are without their items, and what items are left at each
 * depth. */
static void
prepare(struct split *s)
{
    const struct dcp_assign_state *state = s->w->state;
    const struct dcp_assign_columns *c = state->c;
    uint32_t n = c->term_stride, m = c->room_stride;
    struct level *top = &s->level[0], *last = &s->level[s->n];

    s->least = 0;
    for (uint32_t side = 0; side < s->n_sides; side++) {
        uint32_t h = s->host[side];

        memcpy(top->term[side], &state->term[(size_t)h * n],
               n * sizeof(int64_t));
        memcpy(top->room[side], &state->room[(size_t)h * m],
               m * sizeof(int64_t));
        s->least += state->host_cost[h];
    }
    for (uint32_t d = 0; d < s->n; d++) {
        uint32_t side = s->before[d], h = s->host[side];
        const int64_t *add = dcp_assign_terms(c, s->item[d], h);
        const int64_t *need = dcp_assign_need(c, s->item[d], h);

        for (uint32_t k = 0; k < n; k++) {
            top->term[side][k] -= add[k];
        }
        for (uint32_t r = 0; r < m; r++) {
            top->room[side][r] += need[r];
        }
        s->least += dcp_assign_move_cost(c, s->item[d], h);
    }
    memset(last->rest, 0, n * sizeof *last->rest);
    memset(last->negative, 0, n * sizeof *last->negative);
    last->least_move_cost = 0;
    for (uint32_t d = s->n; d-- > 0;) {
        struct level *here = &s->level[d], *next = here + 1;
        const int64_t *add = dcp_assign_terms(c, s->item[d], s->host[0]);
        int64_t least = INT64_MAX;

        for (uint32_t side = 0; side < s->n_sides; side++) {
            int64_t cost = dcp_assign_move_cost(c, s->item[d], s->host[side]);

            least = cost < least ? cost : least;
        }
        for (uint32_t k = 0; k < n; k++) {
            here->rest[k] = next->rest[k] + add[k];
            here->negative[k] = next->negative[k] + (add[k] < 0 ? add[k] : 0);
        }
        here->least_move_cost = next->least_move_cost + least;
    }
    top->move_cost = 0;
}

DCP_INLINE int64_t
positive(int64_t x)
{
    return x > 0 ? x : 0;
}

DCP_INLINE int64_t
bound_of_terms(const struct level *x, uint32_t n, uint32_t n_sides)
{
    const int64_t *a = x->term[0], *b = x->term[1], *c = x->term[2];
    int64_t cost = 0;

    for (uint32_t k = 0; k < n; k++) {
        int64_t low = x->negative[k];
        int64_t apart = positive(a[k] + low) + positive(b[k] + low);
        int64_t together = a[k] + b[k] + x->rest[k];

        if (n_sides > 2) {
            apart += positive(c[k] + low);
            together += c[k];
        }
        cost += apart > together ? apart : together;
    }
    return cost;
}

DCP_INLINE int64_t
bound_inline(const struct level *x, uint32_t n, uint32_t n_sides)
{
    return x->move_cost + x->least_move_cost +
           (n_sides > 2 ? bound_of_terms(x, n, 3) : bound_of_terms(x, n, 2));
}

DCP_FOR_VECTORS(int64_t, bound, bound_inline,
                       (const struct level *x, uint32_t n, uint32_t n_sides),
                       (x, n, n_sides))

/* The item of 'depth' goes to 'side': false where there is no room, or one of
 * its group is there. */
static bool
descend(struct split *s, uint32_t depth, uint32_t side)
{
    const struct dcp_assign_columns *c = s->w->state->c;
    struct level *x = &s->level[depth], *next = x + 1;
    uint32_t item = s->item[depth], n = c->term_stride, m = c->room_stride;
    const int64_t *need = dcp_assign_need(c, item, s->host[side]);
    const int64_t *add = dcp_assign_terms(c, item, s->host[side]);
    const int64_t *room = x->room[side];

    for (uint32_t r = 0; r < m; r++) {
        next->room[side][r] = room[r] - need[r];
        if (next->room[side][r] < 0) {
            return false;
        }
    }
    for (uint32_t d = 0; c->item[item].flags & DCP_ASSIGN_CROWD && d < depth;
         d++) {
        if (s->level[d].side == side &&
            c->item[s->item[d]].group == c->item[item].group) {
            return false;
        }
    }
    for (uint32_t k = 0; k < n; k++) {
        next->term[side][k] = x->term[side][k] + add[k];
    }
    for (uint32_t other = 0; other < s->n_sides; other++) {
        if (other != side) {
            memcpy(next->term[other], x->term[other], n * sizeof(int64_t));
            memcpy(next->room[other], x->room[other], m * sizeof(int64_t));
        }
    }
    next->move_cost =
        x->move_cost + dcp_assign_move_cost(c, item, s->host[side]);
    x->side = side;
    return true;
}

static void
put_all(struct split *s, const uint32_t side[])
{
    for (uint32_t d = 0; d < s->n; d++) {
        if (s->w->state->at[s->item[d]] != s->host[side[d]]) {
            dcp_assign_walk_put(s->w, s->item[d], s->host[side[d]]);
        }
    }
}

/* The state is legal where these items were moved, and costs less. */
static bool
gains(const struct split *s)
{
    const struct dcp_assign_state *state = s->w->state;

    if (state->cost >= s->state_cost || state->n_moved > state->max_moves) {
        return false;
    }
    for (uint32_t d = 0; d < s->n; d++) {
        if (!dcp_assign_group_holds(state, state->c->item[s->item[d]].group)) {
            return false;
        }
    }
    return true;
}

static void
leaf(struct split *s)
{
    uint32_t side[MOST_ITEMS];

    for (uint32_t d = 0; d < s->n; d++) {
        side[d] = s->level[d].side;
    }
    put_all(s, side);
    if (gains(s)) {
        memcpy(s->best, side, sizeof side);
        s->least =
            bound(&s->level[s->n], s->w->state->c->term_stride, s->n_sides);
        s->state_cost = s->w->state->cost;
        s->found = true;
    } else {
        s->n_refused++;
    }
    put_all(s, s->before);
}

static void
branch(struct split *s, uint32_t depth)
{
    if (s->n_nodes >= MOST_NODES || s->n_refused >= MOST_REFUSED ||
        s->w->failed) {
        return;
    }
    s->n_nodes++;
    if (bound(&s->level[depth], s->w->state->c->term_stride, s->n_sides) >=
        s->least) {
        return;
    }
    if (depth == s->n) {
        leaf(s);
        return;
    }
    for (uint32_t k = 0; k < s->n_sides; k++) {
        if (descend(s, depth, (s->before[depth] + k) % s->n_sides)) {
            branch(s, depth + 1);
        }
    }
}

/* Shares the items of 'n_sides' hosts out anew; true: they cost less now. */
static bool
share_out(struct split *s, uint32_t n_sides)
{
    const struct dcp_assign_state *state = s->w->state;
    uint32_t n_items = 0;

    for (uint32_t side = 0; side < n_sides; side++) {
        n_items += state->list[s->host[side]].n;
    }
    s->w->evaluations++;
    if (n_items > MOST_ITEMS) {
        return false;
    }
    s->n_sides = n_sides;
    s->n_nodes = s->n_refused = 0;
    s->found = false;
    s->state_cost = state->cost;
    gather(s);
    prepare(s);
    branch(s, 0);
    s->w->evaluations += s->n_nodes;
    if (s->found) {
        put_all(s, s->best);
        dcp_assign_walk_note(s->w);
    }
    return s->found;
}

/* --- which hosts -----------------------------------------------------------
 */

static void
shuffle(struct dcp_rng *rng, uint32_t order[], uint32_t n)
{
    for (uint32_t k = n; k > 1; k--) {
        uint32_t other = (uint32_t)dcp_rng_below(rng, k), keep = order[k - 1];

        order[k - 1] = order[other];
        order[other] = keep;
    }
}

static void
begin_round(struct dcp_assign_resplit *x)
{
    uint32_t n = x->split.w->state->c->p->n_hosts;

    shuffle(&x->split.w->rng, x->order, n);
    x->quiet = true;
    for (uint32_t h = 0; h < n; h++) {
        x->quiet = x->quiet && !x->changed[h];
        x->changed_before[h] = x->changed[h];
        x->changed[h] = false;
    }
    x->i = 1;
    x->j = 0;
}

static void
mark(struct dcp_assign_resplit *x)
{
    for (uint32_t side = 0; side < x->split.n_sides; side++) {
        x->changed[x->split.host[side]] = true;
    }
    x->quiet = false;
}

static void
try_pair(struct dcp_assign_resplit *x)
{
    uint32_t a = x->order[x->i], b = x->order[x->j];

    if (x->changed[a] || x->changed[b] || x->changed_before[a] ||
        x->changed_before[b]) {
        x->split.host[0] = a;
        x->split.host[1] = b;
        if (share_out(&x->split, 2)) {
            mark(x);
        }
    }
    if (++x->j == x->i) {
        x->i++;
        x->j = 0;
    }
}

/* Any three. */
static void
try_triple(struct dcp_assign_resplit *x)
{
    struct dcp_assign_walk *w = x->split.w;
    uint32_t n = w->state->c->p->n_hosts, *host = x->split.host;

    host[0] = (uint32_t)dcp_rng_below(&w->rng, n);
    host[1] = (uint32_t)dcp_rng_below(&w->rng, n - 1);
    host[2] = (uint32_t)dcp_rng_below(&w->rng, n - 2);
    host[1] += host[1] >= host[0];
    uint32_t low = host[0] < host[1] ? host[0] : host[1];
    uint32_t high = host[0] < host[1] ? host[1] : host[0];

    host[2] += host[2] >= low;
    host[2] += host[2] >= high;
    if (share_out(&x->split, 3)) {
        mark(x);
        x->i = n;
    }
}

static bool
is_over(const struct dcp_assign_walk *w, uint64_t from,
        const struct dcp_assign_slice *slice)
{
    return w->failed ||
           (slice->evaluations != UINT64_MAX &&
            w->evaluations - from >= slice->evaluations) ||
           (slice->until_s > 0 && dcp_assign_now_s() >= slice->until_s);
}

void
dcp_assign_resplit_run(struct dcp_assign_resplit *x,
                       const struct dcp_assign_slice *slice)
{
    struct dcp_assign_walk *w = x->split.w;
    uint32_t n = w->state->c->p->n_hosts;
    uint64_t from = w->evaluations;

    while (n > 1 && !is_over(w, from, slice)) {
        if (!x->quiet && (x->i == 0 || x->i >= n)) {
            begin_round(x);
        } else if (!x->quiet) {
            try_pair(x);
        } else if (n > 2) {
            try_triple(x);
        } else {
            return;
        }
    }
}
