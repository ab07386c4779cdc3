/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/storage/search.h"

#include "model/base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TARGETS      24u  /* Cheapest pools that an item is tried in. */
#define SWAP_SAMPLE  48u  /* Items of each side of a swap. */
#define KICK_ITEMS   6u   /* Moved elsewhere at once. */
#define ROUNDS       400u /* By default, up to so many items: */
#define ROUNDS_ITEMS 20000u
#define ROUNDS_LEAST 60u
#define EPS          1e-10

struct trail_step {
    uint32_t item, from;
};

struct search {
    struct dcp_fill *f;
    const struct dcp_volumes *v;
    const struct dcp_storage_options *o;
    struct dcp_rng rng;
    double *price;      /* [pool] */
    uint32_t *by_price; /* Pools, cheapest first. */
    uint8_t *dirty;     /* [pool]: may have a move that pays. */
    struct trail_step *trail;
    size_t n_trail, room;
    uint32_t tabu; /* Item that stays; DCP_IX_NONE. */
    bool no_memory;
};

static bool
is_late(const struct search *s)
{
    struct timespec now;

    if (!s->o->deadline_ms) {
        return false;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 >=
           s->o->deadline_ms;
}

/* --- Prices ------------------------------------------------------------- */

/* What a little more in a pool costs: the largest share of a resource that is
 * in use counts, and being too full above all. */
static double
price_of(const struct search *s, uint32_t p)
{
    const struct dcp_fill *f = s->f;
    double price = 0;

    for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
        uint64_t limit = s->v->limit[p][r];
        double frac = dcp_fill_frac(f, p, (enum dcp_pool_resource)r);

        price += f->weight[p][r] > 0 ? frac : 1e-3 * frac;
        price += limit != UINT64_MAX && f->load[p][r] > limit ? 100 : 0;
        price +=
            limit != UINT64_MAX && f->load[p][r] > s->v->usable[p][r] ? 10 : 0;
    }
    return price;
}

/* Puts pool 'p' back in its place after its price changed. */
static void
reprice(struct search *s, uint32_t p)
{
    uint32_t n = s->v->n_pools, k = 0;

    s->price[p] = price_of(s, p);
    while (s->by_price[k] != p) {
        k++;
    }
    for (; k && s->price[s->by_price[k - 1]] > s->price[p]; k--) {
        s->by_price[k] = s->by_price[k - 1];
    }
    for (; k + 1 < n && s->price[s->by_price[k + 1]] < s->price[p]; k++) {
        s->by_price[k] = s->by_price[k + 1];
    }
    s->by_price[k] = p;
}

static void
move(struct search *s, uint32_t item, uint32_t to)
{
    uint32_t from = s->f->pool[item];

    if (s->n_trail == s->room) {
        size_t room = s->room ? 2 * s->room : 1024;
        struct trail_step *more = realloc(s->trail, room * sizeof *more);

        if (!more) {
            s->no_memory = true;
            return;
        }
        s->trail = more;
        s->room = room;
    }
    s->trail[s->n_trail++] = (struct trail_step){ item, from };
    if (!dcp_fill_move(s->f, item, to)) {
        s->no_memory = true;
        return;
    }
    reprice(s, from);
    reprice(s, to);
    s->dirty[from] = s->dirty[to] = 1;
}

static void
take_back(struct search *s, size_t n)
{
    while (s->n_trail > n && !s->no_memory) {
        struct trail_step t = s->trail[--s->n_trail];
        uint32_t from = s->f->pool[t.item];

        if (!dcp_fill_move(s->f, t.item, t.from)) {
            s->no_memory = true;
            return;
        }
        reprice(s, from);
        reprice(s, t.from);
    }
}

/* --- Descent ------------------------------------------------------------ */

/* Whether the limit of moves allows it: what must leave may, always. */
static bool
is_allowed(const struct search *s, uint32_t item, uint32_t to)
{
    uint64_t most = s->v->q->max_moves;
    uint32_t from = s->f->pool[item], home = s->v->home[item];

    return item != s->tabu &&
           (!most || from != home || to == home ||
            s->f->n_moved + dcp_volumes_n_of(s->v, item) <= most ||
            !dcp_volumes_may(s->v, item, home));
}

struct best {
    double delta;
    uint32_t item, to;
};

static void
try_item(struct search *s, uint32_t item, struct best *best)
{
    uint32_t home = s->v->home[item], n = 0;

    for (uint32_t k = 0; k < s->v->n_pools && n < TARGETS; k++) {
        uint32_t to = s->by_price[k];

        if (to == s->f->pool[item] || !dcp_volumes_may(s->v, item, to) ||
            !is_allowed(s, item, to)) {
            continue;
        }
        double delta = dcp_fill_delta(s->f, item, to);

        n++;
        if (delta < best->delta) {
            *best = (struct best){ delta, item, to };
        }
    }
    if (home != s->f->pool[item] && dcp_volumes_may(s->v, item, home)) {
        double delta = dcp_fill_delta(s->f, item, home);

        if (item != s->tabu && delta < best->delta) {
            *best = (struct best){ delta, item, home };
        }
    }
}

static struct best
best_of_pool(struct search *s, uint32_t pool)
{
    struct best best = { -EPS, DCP_IX_NONE, 0 };

    for (uint32_t k = 0; k < s->f->n_items[pool]; k++) {
        try_item(s, s->f->items[pool][k], &best);
    }
    return best;
}

/* The dearest pool that may have a move that pays. */
static uint32_t
next_dirty(const struct search *s)
{
    for (uint32_t k = s->v->n_pools; k-- > 0;) {
        if (s->dirty[s->by_price[k]]) {
            return s->by_price[k];
        }
    }
    return DCP_IX_NONE;
}

static void
descend(struct search *s)
{
    for (uint32_t p; (p = next_dirty(s)) != DCP_IX_NONE && !s->no_memory;) {
        struct best best = best_of_pool(s, p);

        if (best.item == DCP_IX_NONE) {
            s->dirty[p] = 0;
        } else {
            move(s, best.item, best.to);
        }
    }
}

/* The pool with the best move that is known of; stale ones are taken at what
 * they were, which filling a target only makes worse. */
static uint32_t
most_promising(const struct search *s, const struct best of[])
{
    uint32_t best = 0;

    for (uint32_t p = 1; p < s->v->n_pools; p++) {
        best = of[p].delta < of[best].delta ? p : best;
    }
    return best;
}

/* The best move of all, each time.  Each pool's best is kept, and looked for
 * anew when it would be chosen and is stale (lazy evaluation, Minoux 1978).
 * What pools have become cheap for is seen when nothing else is left: then all
 * are looked for once more. */
static void
descend_steepest(struct search *s)
{
    uint32_t n = s->v->n_pools;
    struct best *of = calloc(n + 1u, sizeof *of);
    uint64_t n_moves = 0, before = UINT64_MAX;

    if (!of) {
        s->no_memory = true;
        return;
    }
    while (!s->no_memory && n && n_moves != before) {
        before = n_moves;
        for (uint32_t p = 0; p < n; p++) {
            of[p] = best_of_pool(s, p);
            s->dirty[p] = 0;
        }
        for (uint32_t p; !s->no_memory;) {
            p = most_promising(s, of);
            if (s->dirty[p] || (of[p].item != DCP_IX_NONE &&
                                !is_allowed(s, of[p].item, of[p].to))) {
                of[p] = best_of_pool(s, p);
                s->dirty[p] = 0;
                continue;
            }
            if (of[p].item == DCP_IX_NONE) {
                break;
            }
            struct best best = of[p];

            move(s, best.item, best.to);
            n_moves++;
            of[p].delta = of[best.to].delta = -INFINITY;
            for (uint32_t k = 0; k < n; k++) {
                s->dirty[k] |= of[k].to == best.to;
            }
        }
    }
    memset(s->dirty, 0, n);
    free(of);
}

/* --- Swaps and kicks ---------------------------------------------------- */

static uint32_t
pick(struct search *s, uint32_t pool)
{
    uint32_t n = s->f->n_items[pool];

    return n ? s->f->items[pool][dcp_rng_below(&s->rng, n)] : DCP_IX_NONE;
}

/* A pool, dear ones more often. */
static uint32_t
dear_pool(struct search *s)
{
    double x = dcp_rng_unit(&s->rng);
    uint32_t n = s->v->n_pools;
    uint32_t k = (uint32_t)(x * x * n);

    return s->by_price[n - 1 - (k < n ? k : n - 1)];
}

/* Tries pairs of items of two pools; keeps the first swap that pays. */
static bool
try_swap(struct search *s, uint32_t p, uint32_t q)
{
    for (uint32_t k = 0; k < SWAP_SAMPLE && !s->no_memory; k++) {
        uint32_t a = pick(s, p), b = pick(s, q);
        size_t mark = s->n_trail;

        if (a == DCP_IX_NONE || b == DCP_IX_NONE ||
            !dcp_volumes_may(s->v, a, q) || !dcp_volumes_may(s->v, b, p) ||
            !is_allowed(s, a, q)) {
            continue;
        }
        double delta = dcp_fill_delta(s->f, a, q);

        move(s, a, q);
        if (is_allowed(s, b, p)) {
            delta += dcp_fill_delta(s->f, b, p);
            if (delta < -EPS) {
                move(s, b, p);
                return true;
            }
        }
        take_back(s, mark);
    }
    return false;
}

/* A random pool, of the cheap ones more often, that may have the item. */
static uint32_t
other_pool(struct search *s, uint32_t item)
{
    for (uint32_t tries = 0; tries < 8; tries++) {
        double x = dcp_rng_unit(&s->rng);
        uint32_t to = s->by_price[(uint32_t)(x * x * s->v->n_pools)];

        if (to != s->f->pool[item] && dcp_volumes_may(s->v, item, to) &&
            is_allowed(s, item, to)) {
            return to;
        }
    }
    return DCP_IX_NONE;
}

static void
kick(struct search *s, uint32_t p)
{
    uint32_t n = 1 + (uint32_t)dcp_rng_below(&s->rng, KICK_ITEMS);

    for (uint32_t k = 0; k < n && !s->no_memory; k++) {
        uint32_t item = pick(s, p);
        uint32_t to = item == DCP_IX_NONE ? DCP_IX_NONE : other_pool(s, item);

        if (to != DCP_IX_NONE) {
            move(s, item, to);
        }
    }
}

/* One that was moved goes home again and stays there: perhaps smaller ones
 * will do. */
static bool
send_home(struct search *s)
{
    for (uint32_t tries = 0; tries < 32; tries++) {
        uint32_t p = (uint32_t)dcp_rng_below(&s->rng, s->v->n_pools);
        uint32_t item = pick(s, p);

        if (item != DCP_IX_NONE && s->v->home[item] != p &&
            dcp_volumes_may(s->v, item, s->v->home[item])) {
            move(s, item, s->v->home[item]);
            s->tabu = item;
            return true;
        }
    }
    return false;
}

static double
trail_delta(const struct search *s, double before)
{
    return dcp_fill_cost(s->f) - before;
}

/* One round; '*cost' is kept true. */
static void
round_of(struct search *s, uint64_t k, double *cost)
{
    uint32_t p = dear_pool(s);

    s->n_trail = 0;
    if (k % 3 == 0) {
        uint32_t q =
            s->by_price[dcp_rng_below(&s->rng, (s->v->n_pools + 1) / 2)];

        if (p == q || !try_swap(s, p, q)) {
            return;
        }
    } else if (k % 3 == 1 && s->f->n_moved && send_home(s)) {
        /* Descent follows. */
    } else {
        kick(s, p);
    }
    descend(s);
    s->tabu = DCP_IX_NONE;
    double delta = trail_delta(s, *cost);

    if (delta < -EPS) {
        *cost += delta;
    } else {
        take_back(s, 0);
        memset(s->dirty, 0, s->v->n_pools);
    }
}

static int
compare_prices(const struct search *s, uint32_t a, uint32_t b)
{
    return s->price[a] != s->price[b] ? (s->price[a] < s->price[b] ? -1 : 1)
                                      : (a < b ? -1 : a > b);
}

static void
sort_pools(struct search *s)
{
    for (uint32_t p = 0; p < s->v->n_pools; p++) {
        uint32_t k = p;

        s->price[p] = price_of(s, p);
        for (; k && compare_prices(s, s->by_price[k - 1], p) > 0; k--) {
            s->by_price[k] = s->by_price[k - 1];
        }
        s->by_price[k] = p;
    }
}

static uint64_t
rounds_of(const struct search *s)
{
    if (s->o->iterations) {
        return s->o->iterations;
    }
    uint32_t n = s->v->n_items;

    return n <= ROUNDS_ITEMS
               ? ROUNDS
               : fmax(ROUNDS_LEAST, (double)ROUNDS * ROUNDS_ITEMS / n);
}

static bool
is_perfect(const struct dcp_fill *f)
{
    return f->v->q->aim == DCP_STORAGE_RELIEVE && !f->n_moved;
}

bool
dcp_storage_search(struct dcp_fill *f, const struct dcp_storage_options *o,
                   uint64_t *out_rounds, struct dcp_error *err)
{
    uint32_t n = f->v->n_pools;
    DCP_FREE double *price = calloc(n + 1u, sizeof *price);
    DCP_FREE uint32_t *by_price = calloc(n + 1u, sizeof *by_price);
    DCP_FREE uint8_t *dirty = calloc(n + 1u, 1);
    struct search s = { .f = f,
                        .v = f->v,
                        .o = o,
                        .rng = dcp_rng_stream(o->seed, "storage", 0),
                        .price = price,
                        .by_price = by_price,
                        .dirty = dirty,
                        .tabu = DCP_IX_NONE };

    *out_rounds = 0;
    if (!price || !by_price || !dirty) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to search pools");
    }
    sort_pools(&s);
    if (f->v->q->max_moves) {
        descend_steepest(&s);
    } else {
        memset(dirty, 1, n);
        descend(&s);
    }
    double cost = dcp_fill_cost(f);
    uint64_t rounds = is_perfect(f) || n < 2 ? 0 : rounds_of(&s);

    memset(dirty, 0, n);
    for (uint64_t k = 0; k < rounds && !s.no_memory && !is_late(&s); k++) {
        round_of(&s, k, &cost);
        ++*out_rounds;
    }
    free(s.trail);
    return !s.no_memory ||
           dcp_fail(err, DCP_E_NOMEM, "no memory to search pools");
}
