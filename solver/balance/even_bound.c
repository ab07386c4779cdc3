/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Each column by itself.  A host's value in any state within the moves is at
 * least its present one less what may leave it, and at most that plus what may
 * come; all that leaves is at most the largest shares of their hosts that items
 * have, one by move, and all that comes the largest shares of the smallest
 * host.  Dropping everything
 * else, the least sum of squares around c cuts what is above max(c, a) and
 * fills what is below min(c, b), where the levels a and b use the moves up; it
 * is convex in c. */

#include "solver/balance/even.h"

#include <math.h>
#include <stdlib.h>

#define ROUNDS 100

struct column {
    uint32_t n;         /* Hosts that count. */
    double *value;      /* Present, */
    double *low, *high; /* and within what may leave and come. */
};

static double
beyond(const struct column *c, double level, bool above)
{
    double sum = 0;

    for (uint32_t k = 0; k < c->n; k++) {
        sum += above ? c->value[k] - fmax(fmin(c->value[k], level), c->low[k])
                     : fmin(fmax(c->value[k], level), c->high[k]) - c->value[k];
    }
    return sum;
}

/* A level beyond which at least 'amount' lies, as near to that as it gets. */
static double
level_of(const struct column *c, double amount, bool above)
{
    double far = above ? -INFINITY : INFINITY, near = -far;

    for (uint32_t k = 0; k < c->n; k++) {
        far = above ? fmax(far, c->value[k]) : fmin(far, c->value[k]);
        near = above ? fmin(near, c->value[k]) : fmax(near, c->value[k]);
    }
    near += above ? -1 : 1; /* Past all of them. */
    if (!(beyond(c, near, above) > amount)) {
        return above ? -INFINITY : INFINITY;
    }
    for (int k = 0; k < ROUNDS; k++) {
        double middle = (far + near) / 2;

        if (beyond(c, middle, above) >= amount) {
            near = middle;
        } else {
            far = middle;
        }
    }
    return near;
}

static double
squares(const struct column *c, double at, double cut, double fill,
        double *out_slope)
{
    double sum = 0, slope = 0;

    for (uint32_t k = 0; k < c->n; k++) {
        double x = c->value[k];

        x = x > at ? fmax(at, fmax(fmin(x, cut), c->low[k]))
                   : fmin(at, fmin(fmax(x, fill), c->high[k]));
        sum += (x - at) * (x - at);
        slope += 2 * (at - x);
    }
    *out_slope = slope;
    return sum;
}

/* The least deviation of a column that can lose and gain 'amount' in all. */
static double
least_deviation(const struct column *c, double out, double in)
{
    double cut = level_of(c, out, true), fill = level_of(c, in, false);
    double low = INFINITY, high = -INFINITY, slope, sum;

    for (uint32_t k = 0; k < c->n; k++) {
        low = fmin(low, c->value[k]);
        high = fmax(high, c->value[k]);
    }
    for (int k = 0; k < ROUNDS; k++) { /* Where the slope turns. */
        double middle = (low + high) / 2;

        (void)squares(c, middle, cut, fill, &slope);
        if (slope > 0) {
            high = middle;
        } else {
            low = middle;
        }
    }
    sum = squares(c, low, cut, fill, &slope) - fabs(slope) * (high - low);
    return sum > 0 ? sqrt(sum / c->n) : 0;
}

static int
by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x > y ? -1 : x < y;
}

struct room {
    struct column c;
    double *leaves; /* By item: its share of its host, */
    double *comes;  /* and the largest share of any host. */
    bool *stays;    /* By item: it can be nowhere else. */
};

static bool
make_room(const struct dcp_problem *p, struct room *r)
{
    r->c.value = calloc(p->n_hosts + 1u, sizeof(double));
    r->c.low = calloc(p->n_hosts + 1u, sizeof(double));
    r->c.high = calloc(p->n_hosts + 1u, sizeof(double));
    r->leaves = calloc(p->n_items + 1u, sizeof(double));
    r->comes = calloc(p->n_items + 1u, sizeof(double));
    r->stays = calloc(p->n_items + 1u, sizeof(bool));
    return r->c.value && r->c.low && r->c.high && r->leaves && r->comes &&
           r->stays;
}

static void
find_stays(const struct dcp_evenness *e, struct room *r)
{
    const struct dcp_problem *p = e->s->p;

    for (uint32_t i = 0; i < p->n_items; i++) {
        bool elsewhere = false;

        for (uint32_t h = 0; h < p->n_hosts && !elsewhere; h++) {
            elsewhere = e->counts[h] && h != e->s->host[i] &&
                        dcp_problem_reaches(p, i, h);
        }
        r->stays[i] = !elsewhere;
    }
}

/* The host that counts on which a load is the largest share: the same for all
 * loads, since each is divided by the host's capacity. */
static uint32_t
smallest_host(const struct dcp_evenness *e, uint32_t column)
{
    const struct dcp_problem *p = e->s->p;
    uint32_t smallest = 0;
    double most = 0;

    for (uint32_t i = 0; i < p->n_items && most <= 0; i++) {
        for (uint32_t h = 0; h < p->n_hosts; h++) {
            double load = e->counts[h] ? dcp_evenness_load(e, i, h, column) : 0;

            if (load > most) {
                most = load;
                smallest = h;
            }
        }
    }
    return smallest;
}

/* The largest 'n' of the loads, summed; n = 0: all. */
static double
sum_largest(double *loads, uint32_t n_loads, uint32_t n)
{
    double sum = 0;

    qsort(loads, n_loads, sizeof *loads, by_size);
    for (uint32_t k = 0; k < n_loads && (n == 0 || k < n); k++) {
        sum += loads[k];
    }
    return sum;
}

static double
bound_column(const struct dcp_evenness *e, struct room *r, uint32_t column,
             uint32_t max_moves)
{
    const struct dcp_problem *p = e->s->p;
    uint32_t smallest = smallest_host(e, column), n_in = 0, n_out = 0;
    double in, out;

    r->c.n = 0;
    for (uint32_t i = 0; i < p->n_items; i++) {
        uint32_t h = e->s->host[i];

        if (r->stays[i]) {
            continue;
        }
        r->comes[n_in++] = dcp_evenness_load(e, i, smallest, column);
        if (h != DCP_IX_NONE && e->counts[h]) {
            r->leaves[n_out++] = dcp_evenness_load(e, i, h, column);
        }
    }
    in = sum_largest(r->comes, n_in, max_moves);
    out = sum_largest(r->leaves, n_out, max_moves);
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        double leaves = 0;

        if (!e->counts[h]) {
            continue;
        }
        for (uint32_t i = e->s->first[h]; i != DCP_IX_NONE; i = e->s->next[i]) {
            leaves += r->stays[i] ? 0 : dcp_evenness_load(e, i, h, column);
        }
        double x = e->value[(size_t)h * e->n_columns + column];

        r->c.value[r->c.n] = x;
        r->c.low[r->c.n] = x - fmin(leaves, out);
        r->c.high[r->c.n++] = x + in;
    }
    return least_deviation(&r->c, out, in);
}

bool
dcp_even_bound(struct dcp_state *s, enum dcp_even_score score,
               uint32_t max_moves, double *out, struct dcp_error *err)
{
    struct dcp_evenness e;
    struct room r = { 0 };
    bool ok;

    if (!dcp_evenness_init(&e, s, score, err)) {
        return false;
    }
    ok = make_room(s->p, &r) ||
         dcp_fail(err, DCP_E_NOMEM, "no memory for a bound");
    *out = 0;
    if (ok && e.n_counts > 1) {
        find_stays(&e, &r);
        for (uint32_t k = 0; k < e.n_columns; k++) {
            *out += e.weight[k] * bound_column(&e, &r, k, max_moves);
        }
        *out = fmax(*out * (1 - 1e-9) - 1e-9, 0);
    }
    free(r.c.value);
    free(r.c.low);
    free(r.c.high);
    free(r.leaves);
    free(r.comes);
    free(r.stays);
    dcp_evenness_finish(&e);
    return ok;
}
