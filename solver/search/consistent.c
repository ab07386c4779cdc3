/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/search/consistent.h"

#include "solver/rows.h"
#include "solver/run/progress.h"

#include <math.h>
#include <stdlib.h>

#define SCARCITY_POWER 12.0 /* The scarcest of all count by far the most. */
#define POOL_LOOK      24u  /* Items of the pool that a host is offered. */
#define TENURE         6u   /* Steps that what was changed is left alone, */
#define TENURE_SPREAD  8u   /* and up to so many more. */
#define STEPS_PER_LOOK 32u  /* At the clock. */
#define EXACT_TESTS    24u  /* Of one host, for one step. */

struct consistent {
    struct dcp_homeless *g;
    struct dcp_inserter *in;
    struct dcp_state *s;
    const struct dcp_problem *p;
    double *worth;       /* By item. */
    uint64_t *stays_for; /* By item: on its host before that step. */
    uint64_t *away_for;  /* By item: not back to 'left' before that step. */
    uint32_t *left;
    uint32_t *pool, n_pool;
    uint32_t *host, n_hosts; /* That are open. */
    uint32_t *of_host;       /* Scratch: items of one host. */
    const uint32_t *nothing; /* What no item asks for, by slot or scalar. */
    double pool_worth;
    uint64_t step;
};

/* What leaves a host and what comes to it. */
struct exchange {
    uint32_t host, out[2], in[2], n_out, n_in;
    double delta; /* Of the pool's worth. */
};

/* --- Worth ---------------------------------------------------------------- */

static double
sum_of_open(const struct consistent *c, const uint32_t *cap)
{
    double sum = 0;

    for (uint32_t k = 0; k < c->n_hosts; k++) {
        sum += cap[c->host[k]];
    }
    return sum;
}

/* What a unit of one resource is worth: its share of what the open hosts have,
 * by how scarce that is; 'size' of items, one in 'step'. */
static double
unit_worth(const struct consistent *c, const uint32_t *size, size_t step,
           double placed, double capacity)
{
    double asked = placed;

    for (uint32_t k = 0; k < c->n_pool; k++) {
        asked += size[c->pool[k] * step];
    }
    return capacity > 0 ? pow(asked / capacity, SCARCITY_POWER) / capacity : 0;
}

/* 'unit': room for a number by slot. */
static void
value_items(struct consistent *c, double *unit)
{
    const struct dcp_problem *p = c->p;
    double capacity = sum_of_open(c, p->cap_cpu_mhz);
    double scalar[DCP_SCALARS_MAX];

    for (uint32_t r = 0; r < p->n_scalars; r++) {
        size_t at = (size_t)r * p->n_hosts;

        scalar[r] = unit_worth(c, p->request + r, p->n_scalars,
                               sum_of_open(c, c->s->used + at),
                               sum_of_open(c, p->cap + at));
    }
    for (uint32_t t = 0; t < p->n_slots; t++) {
        double placed = 0;

        for (uint32_t k = 0; k < c->n_hosts; k++) {
            placed += c->s->cpu_mhz[(size_t)c->host[k] * p->stride + t];
        }
        unit[t] = unit_worth(c, p->cpu_mhz + t, p->stride, placed, capacity);
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        const uint32_t *mhz = p->cpu_mhz + (size_t)i * p->stride;
        double sum = 1e-12 * (1 + p->size[i]);

        for (uint32_t r = 0; r < p->n_scalars; r++) {
            sum += scalar[r] * p->request[(size_t)i * p->n_scalars + r];
        }
        for (uint32_t t = 0; t < p->n_slots; t++) {
            sum += unit[t] * mhz[t];
        }
        c->worth[i] = sum;
    }
}

/* --- Tests ---------------------------------------------------------------- */

/* What conversions add to what leaves, less what comes. */
static int64_t
converted(const struct consistent *c, const struct exchange *x, uint32_t r)
{
    int64_t more = 0;

    for (uint32_t k = 0; k < x->n_out; k++) {
        more += dcp_conversions_more(c->p->conversions, x->out[k], x->host, r);
    }
    for (uint32_t k = 0; k < x->n_in; k++) {
        more -= dcp_conversions_more(c->p->conversions, x->in[k], x->host, r);
    }
    return more;
}

/* Each item's row of a table of 'stride' columns; of nothing where there are
 * less than two. */
static struct dcp_row_exchange
rows_of(const struct consistent *c, const struct exchange *x,
        const uint32_t *table, size_t stride)
{
    const uint32_t *none = c->nothing;

    return (struct dcp_row_exchange){
        { x->n_in > 0 ? table + x->in[0] * stride : none,
          x->n_in > 1 ? table + x->in[1] * stride : none },
        { x->n_out > 0 ? table + x->out[0] * stride : none,
          x->n_out > 1 ? table + x->out[1] * stride : none }
    };
}

/* Whether scalars and CPU bear the exchange; rules are not asked. */
static bool
has_room(const struct consistent *c, const struct exchange *x)
{
    const struct dcp_problem *p = c->p;
    struct dcp_row_exchange rows = rows_of(c, x, p->request, p->n_scalars);

    for (uint32_t r = 0; r < p->n_scalars; r++) {
        size_t at = (size_t)r * p->n_hosts + x->host;
        int64_t left = (int64_t)p->cap[at] - c->s->used[at] + rows.out[0][r] +
                       rows.out[1][r] - rows.in[0][r] - rows.in[1][r];

        if (left + (p->conversions ? converted(c, x, r) : 0) < 0) {
            return false;
        }
    }
    rows = rows_of(c, x, p->cpu_mhz, p->stride);
    return dcp_row_exchange_fits(c->s->cpu_mhz + (size_t)x->host * p->stride,
                                 &rows, p->cap_cpu_mhz[x->host], p->stride);
}

/* The same with all that is asked of a placement; the state is as before. */
static bool
is_legal(struct consistent *c, const struct exchange *x)
{
    uint32_t n = 0;
    bool ok = true;

    for (uint32_t k = 0; k < x->n_out; k++) {
        dcp_state_remove(c->s, x->out[k]);
    }
    for (; ok && n < x->n_in; n++) {
        ok = dcp_state_fits(c->s, x->in[n], x->host) &&
             dcp_state_allowed(c->s, x->in[n], x->host);
        if (!ok) {
            break;
        }
        dcp_state_place(c->s, x->in[n], x->host);
    }
    while (n) {
        dcp_state_remove(c->s, x->in[--n]);
    }
    for (uint32_t k = x->n_out; k-- > 0;) {
        dcp_state_place(c->s, x->out[k], x->host);
    }
    return ok;
}

static bool
may_come(const struct consistent *c, uint32_t item, uint32_t h)
{
    return dcp_problem_reaches(c->p, item, h) &&
           dcp_insert_is_covered(c->in, item, h) &&
           !(c->left[item] == h && c->step < c->away_for[item]);
}

/* --- One host ---------------------------------------------------------------
 */

/* What is looked at on one host for one step. */
struct look {
    struct consistent *c;
    struct exchange *best;
    uint32_t offer[POOL_LOOK], n_offer; /* Items of the pool that may come. */
    uint32_t n_of_host, n_tests;
};

static void
weigh(struct look *l, struct exchange *x)
{
    struct consistent *c = l->c;

    x->delta = 0;
    for (uint32_t k = 0; k < x->n_out; k++) {
        x->delta += c->worth[x->out[k]];
    }
    for (uint32_t k = 0; k < x->n_in; k++) {
        x->delta -= c->worth[x->in[k]];
    }
    if (x->delta < l->best->delta && l->n_tests < EXACT_TESTS &&
        has_room(c, x)) {
        l->n_tests++;
        if (is_legal(c, x)) {
            *l->best = *x;
        }
    }
}

static void
look_at_pairs_out(struct look *l, uint32_t h, uint32_t a, uint32_t item)
{
    const struct consistent *c = l->c;

    for (uint32_t b = a + 1; b < l->n_of_host; b++) {
        struct exchange x = { .host = h,
                              .out = { c->of_host[a], c->of_host[b] },
                              .in = { item },
                              .n_out = 2,
                              .n_in = 1 };

        if (c->worth[x.out[0]] + c->worth[x.out[1]] - c->worth[item] <
            l->best->delta) {
            weigh(l, &x);
        }
    }
}

/* The dearest first. */
static void
sort_offer(struct look *l)
{
    const double *worth = l->c->worth;

    for (uint32_t k = 1; k < l->n_offer; k++) {
        uint32_t item = l->offer[k], at = k;

        for (; at && worth[l->offer[at - 1]] < worth[item]; at--) {
            l->offer[at] = l->offer[at - 1];
        }
        l->offer[at] = item;
    }
}

static void
look_at_host(struct consistent *c, uint32_t h, struct exchange *best)
{
    struct look l = { .c = c, .best = best };
    uint32_t at = (uint32_t)dcp_rng_below(&c->in->rng, c->n_pool);

    for (uint32_t k = 0; k < c->n_pool && l.n_offer < POOL_LOOK; k++) {
        uint32_t item = c->pool[at];

        at = at + 1 < c->n_pool ? at + 1 : 0;
        if (may_come(c, item, h)) {
            l.offer[l.n_offer++] = item;
        }
    }
    if (!l.n_offer) {
        return;
    }
    sort_offer(&l);
    for (uint32_t i = c->s->first[h]; i != DCP_IX_NONE; i = c->s->next[i]) {
        if (c->step >= c->stays_for[i] && i != c->g->keep) {
            c->of_host[l.n_of_host++] = i;
        }
    }
    /* Pairs from the host for one of the offer, at random. */
    uint32_t large = l.offer[dcp_rng_below(&c->in->rng, l.n_offer)];

    for (uint32_t a = 0; a < l.n_of_host; a++) {
        for (uint32_t j = 0; j < l.n_offer; j++) {
            struct exchange x = { .host = h,
                                  .out = { c->of_host[a] },
                                  .in = { l.offer[j] },
                                  .n_out = 1,
                                  .n_in = 1 };
            double delta = c->worth[x.out[0]] - c->worth[x.in[0]];

            if (delta < best->delta) {
                weigh(&l, &x);
            }
            x.n_in = 2;
            for (uint32_t k = j + 1; k < l.n_offer; k++) {
                x.in[1] = l.offer[k];
                if (delta - c->worth[x.in[1]] >= best->delta) {
                    break; /* The others are worth less. */
                }
                weigh(&l, &x);
            }
        }
        look_at_pairs_out(&l, h, a, large);
    }
}

/* --- Steps ---------------------------------------------------------------- */

static void
leave_pool(struct consistent *c, uint32_t item)
{
    for (uint32_t k = 0; k < c->n_pool; k++) {
        if (c->pool[k] == item) {
            c->pool[k] = c->pool[--c->n_pool];
            c->pool_worth -= c->worth[item];
            return;
        }
    }
}

static uint64_t
tenure(struct consistent *c)
{
    return c->step + 1 + TENURE + dcp_rng_below(&c->in->rng, TENURE_SPREAD);
}

static void
come(struct consistent *c, uint32_t item, uint32_t h)
{
    dcp_insert_at(c->in, item, h);
    leave_pool(c, item);
    c->stays_for[item] = tenure(c);
}

/* All of the pool that finds a place without an exchange, the dearest first. */
static void
place_what_fits(struct consistent *c, uint32_t only)
{
    for (bool again = true; again;) {
        uint32_t best = DCP_IX_NONE, at = DCP_IX_NONE;

        again = false;
        for (uint32_t k = 0; k < c->n_pool; k++) {
            uint32_t item = c->pool[k], h = only;

            if (best != DCP_IX_NONE && c->worth[item] <= c->worth[best]) {
                continue;
            }
            if (only == DCP_IX_NONE) {
                h = dcp_insert_best_host(c->in, item);
            } else if (!may_come(c, item, h) ||
                       !dcp_state_fits(c->s, item, h) ||
                       !dcp_state_allowed(c->s, item, h)) {
                h = DCP_IX_NONE;
            }
            if (h != DCP_IX_NONE) {
                best = item;
                at = h;
            }
        }
        if (best != DCP_IX_NONE) {
            come(c, best, at);
            again = true;
        }
    }
}

static void
carry_out(struct consistent *c, const struct exchange *x)
{
    for (uint32_t k = 0; k < x->n_out; k++) {
        uint32_t item = x->out[k];

        dcp_insert_remove(c->in, item);
        c->left[item] = x->host;
        c->away_for[item] = tenure(c);
    }
    for (uint32_t k = 0; k < x->n_in; k++) {
        come(c, x->in[k], x->host);
    }
    for (uint32_t k = 0; k < x->n_out; k++) {
        uint32_t item = x->out[k];
        uint32_t h = dcp_insert_best_host(c->in, item);

        if (h != DCP_IX_NONE && h != x->host) {
            dcp_insert_at(c->in, item, h);
            c->stays_for[item] = tenure(c);
        } else {
            c->pool[c->n_pool++] = item;
            c->pool_worth += c->worth[item];
        }
    }
    place_what_fits(c, x->host);
}

static bool
is_late(const struct consistent *c, const struct dcp_consistent_effort *effort)
{
    return effort->deadline_ms != INT64_MAX && c->step % STEPS_PER_LOOK == 0 &&
           dcp_monotonic_ms() >= effort->deadline_ms;
}

static void
search(struct consistent *c, const struct dcp_consistent_effort *effort)
{
    uint64_t stale = 0;
    double least = INFINITY;

    place_what_fits(c, DCP_IX_NONE);
    for (; c->n_pool && c->n_hosts && c->step < effort->steps &&
           stale < effort->stale_steps && !is_late(c, effort);
         c->step++, stale++) {
        struct exchange best = { .delta = INFINITY };

        for (uint32_t k = 0; k < effort->hosts_each; k++) {
            look_at_host(c, c->host[dcp_rng_below(&c->in->rng, c->n_hosts)],
                         &best);
        }
        if (best.n_in) {
            carry_out(c, &best);
        }
        if (c->pool_worth < least * (1 - 1e-9)) {
            least = c->pool_worth;
            stale = 0;
        }
    }
}

bool
dcp_consistent_place(struct dcp_homeless *g, struct dcp_inserter *in,
                     const struct dcp_consistent_effort *effort,
                     bool *out_placed, uint64_t *out_steps,
                     struct dcp_error *err)
{
    const struct dcp_problem *p = in->s->p;
    size_t n = p->n_items + 1u;
    DCP_FREE double *worth = malloc(n * sizeof *worth);
    DCP_FREE uint64_t *stays_for = calloc(n, sizeof *stays_for);
    DCP_FREE uint64_t *away_for = calloc(n, sizeof *away_for);
    DCP_FREE uint32_t *left = calloc(n, sizeof *left);
    DCP_FREE uint32_t *pool = malloc(n * sizeof *pool);
    DCP_FREE uint32_t *of_host = malloc(n * sizeof *of_host);
    DCP_FREE uint32_t *nothing =
        calloc((size_t)p->stride + DCP_SCALARS_MAX, sizeof *nothing);
    DCP_FREE double *unit = malloc((p->n_slots + 1u) * sizeof *unit);
    DCP_FREE uint32_t *host = malloc((p->n_hosts + 1u) * sizeof *host);
    struct consistent c = { .g = g,
                            .in = in,
                            .s = in->s,
                            .p = p,
                            .worth = worth,
                            .stays_for = stays_for,
                            .away_for = away_for,
                            .left = left,
                            .pool = pool,
                            .host = host,
                            .of_host = of_host,
                            .nothing = nothing };

    if (!worth || !stays_for || !away_for || !left || !pool || !of_host ||
        !nothing || !host || !unit) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (dcp_insert_is_open(in, h)) {
            host[c.n_hosts++] = h;
        }
    }
    while (g->n) {
        pool[c.n_pool++] = g->item[--g->n];
    }
    value_items(&c, unit);
    for (uint32_t k = 0; k < c.n_pool; k++) {
        c.pool_worth += worth[pool[k]];
    }
    search(&c, effort);
    *out_placed = !c.n_pool;
    *out_steps = c.step;
    while (c.n_pool) {
        dcp_homeless_add(g, pool[--c.n_pool]);
    }
    return true;
}
