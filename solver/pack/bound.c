/* SPDX-License-Identifier: GPL-3.0-or-later */

#define _GNU_SOURCE 1 /* qsort_r */

#include "solver/pack/bound.h"

#include <stdlib.h>
#include <string.h>

static uint64_t
ceil_div(uint64_t a, uint64_t b)
{
    return (a + b - 1) / b;
}

/* --- Sum ----------------------------------------------------------------- */

struct by_price {
    const struct dcp_pack_instance *in;
    uint32_t dim;
};

/* Cost per capacity, cheapest first; none has capacity 0. */
static int
cheaper(const void *a, const void *b, void *context)
{
    const struct by_price *o = context;
    uint32_t s = *(const uint32_t *)a, t = *(const uint32_t *)b;
    uint64_t x =
        (uint64_t)o->in->cost[s] * (uint64_t)dcp_pack_room(o->in, t)[o->dim];
    uint64_t y =
        (uint64_t)o->in->cost[t] * (uint64_t)dcp_pack_room(o->in, s)[o->dim];

    return x != y ? (x < y ? -1 : 1) : s < t ? -1 : s > t;
}

static uint64_t
sum_of(const struct dcp_pack_instance *in, uint32_t dim, uint32_t *types,
       bool *out_infeasible)
{
    struct by_price order = { in, dim };
    uint64_t cost = 0;
    int64_t rest = in->total[dim];
    uint32_t n = 0;

    for (uint32_t t = 0; t < in->m; t++) {
        if (dcp_pack_room(in, t)[dim] > 0 && in->limit[t]) {
            types[n++] = t;
        }
    }
    qsort_r(types, n, sizeof *types, cheaper, &order);
    for (uint32_t x = 0; x < n && rest > 0; x++) {
        uint32_t t = types[x];
        uint64_t room = (uint64_t)dcp_pack_room(in, t)[dim];
        uint64_t most = (uint64_t)in->limit[t] * room;

        if (in->limit[t] == UINT32_MAX || most >= (uint64_t)rest) {
            /* rest < 2^50, cost < 2^29: in 128 bits. */
            dcp_pack_wide product = (dcp_pack_wide)rest * in->cost[t];

            return cost + (uint64_t)((product + room - 1) / room);
        }
        cost += (uint64_t)in->limit[t] * in->cost[t];
        rest -= (int64_t)most;
    }
    *out_infeasible |= rest > 0;
    return cost;
}

/* Whether some bin could take the item, were all lent room in it. */
static bool
fits_some(const struct dcp_pack_instance *in, uint32_t item)
{
    for (uint32_t t = 0; t < in->m; t++) {
        bool fits = in->limit[t] && dcp_pack_allowed(in, t, item);

        for (uint32_t k = 0; fits && k < in->d; k++) {
            fits = dcp_pack_size(in, item)[k] <=
                   dcp_pack_room(in, t)[k] + in->lent[k];
        }
        if (fits) {
            return true;
        }
    }
    return false;
}

uint64_t
dcp_pack_bound_sum(const struct dcp_pack_instance *in, bool *out_infeasible)
{
    DCP_FREE uint32_t *types = calloc(in->m, sizeof *types);
    uint64_t best = 0;

    *out_infeasible = false;
    for (uint32_t i = 0; i < in->n; i++) {
        *out_infeasible |= !fits_some(in, i);
    }
    for (uint32_t k = 0; types && k < in->d; k++) {
        uint64_t bound = sum_of(in, k, types, out_infeasible);

        best = bound > best ? bound : best;
    }
    if (!best && in->n) { /* Something has to be somewhere. */
        best = UINT32_MAX;
        for (uint32_t t = 0; t < in->m; t++) {
            best = in->limit[t] && in->cost[t] < best ? in->cost[t] : best;
        }
    }
    return best;
}

/* --- Dual-feasible functions -----------------------------------------------
 */

/* One dimension's sizes with their counts, of one bin type. */
struct line {
    uint32_t n;
    int64_t capacity;
    int64_t *size; /* Distinct, ascending. */
    uint64_t *count;
};

static int
ascending(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return x[0] < y[0] ? -1 : x[0] > y[0];
}

static uint64_t
cut_small(const struct line *l, int64_t lambda)
{
    uint64_t sum = 0;
    int64_t c = l->capacity;

    for (uint32_t i = 0; i < l->n; i++) {
        int64_t x = l->size[i];

        sum += l->count[i] * (uint64_t)(x > c - lambda ? c
                                        : x >= lambda  ? x
                                                       : 0);
    }
    return ceil_div(sum, (uint64_t)c);
}

static uint64_t
round_to_parts(const struct line *l, int64_t k)
{
    uint64_t sum = 0;
    int64_t c = l->capacity;

    for (uint32_t i = 0; i < l->n; i++) {
        int64_t x = l->size[i] * (k + 1);

        sum += l->count[i] * (uint64_t)(x % c ? x / c * c : l->size[i] * k);
    }
    return ceil_div(sum, (uint64_t)(c * k));
}

static uint64_t
complement(const struct line *l, int64_t lambda)
{
    uint64_t sum = 0;
    int64_t c = l->capacity, whole = c / lambda;

    for (uint32_t i = 0; i < l->n; i++) {
        int64_t x = l->size[i];
        int64_t y = 2 * x > c    ? 2 * (whole - (c - x) / lambda)
                    : 2 * x == c ? whole
                                 : 2 * (x / lambda);

        sum += l->count[i] * (uint64_t)y;
    }
    return ceil_div(sum, (uint64_t)(2 * whole));
}

static uint64_t
best_of_line(const struct line *l)
{
    uint64_t best = 0;
    uint32_t stride = l->n / 400 + 1;

    for (int64_t k = 1; k <= 40; k++) {
        uint64_t bound = round_to_parts(l, k);

        best = bound > best ? bound : best;
    }
    for (uint32_t i = 0; i < l->n; i += stride) {
        /* The sizes, what they leave, and one more: where the functions
         * change. */
        int64_t points[3] = { l->size[i], l->capacity - l->size[i],
                              l->size[i] + 1 };

        for (int p = 0; p < 3; p++) {
            int64_t lambda = points[p];

            if (lambda >= 1 && 2 * lambda <= l->capacity) {
                uint64_t cut = cut_small(l, lambda);
                uint64_t com = complement(l, lambda);

                best = cut > best ? cut : best;
                best = com > best ? com : best;
            }
        }
    }
    return best;
}

static bool
bound_dual(const struct dcp_pack_instance *in, uint64_t *best)
{
    DCP_FREE int64_t *pair = calloc(in->n + 1u, 2 * sizeof *pair);
    struct line l = { 0 };
    DCP_FREE int64_t *size = l.size = calloc(in->n + 1u, sizeof *l.size);
    DCP_FREE uint64_t *count = l.count = calloc(in->n + 1u, sizeof *l.count);

    if (!pair || !size || !count) {
        return false;
    }
    for (uint32_t k = 0; k < in->d; k++) {
        l.n = 0;
        l.capacity = dcp_pack_room(in, 0)[k];
        if (in->lent[k] || l.capacity < 1) {
            continue;
        }
        for (uint32_t i = 0; i < in->n; i++) {
            pair[2 * i] = dcp_pack_size(in, i)[k];
            pair[2 * i + 1] = in->demand[i];
        }
        qsort(pair, in->n, 2 * sizeof *pair, ascending);
        for (uint32_t i = 0; i < in->n; i++) {
            if (!pair[2 * i]) {
                continue;
            }
            if (!l.n || l.size[l.n - 1] != pair[2 * i]) {
                l.size[l.n] = pair[2 * i];
                l.count[l.n++] = 0;
            }
            l.count[l.n - 1] += (uint64_t)pair[2 * i + 1];
        }
        uint64_t bound = best_of_line(&l);

        *best = bound > *best ? bound : *best;
    }
    return true;
}

/* --- Pairs ------------------------------------------------------------------
 */

enum { MOST_PAIRED = 3000 };

static bool
conflict(const struct dcp_pack_instance *in, uint32_t i, uint32_t j)
{
    const int32_t *x = dcp_pack_size(in, i), *y = dcp_pack_size(in, j);

    for (uint32_t k = 0; k < in->d; k++) {
        /* What else might be there could lend room. */
        if ((int64_t)x[k] + y[k] > dcp_pack_room(in, 0)[k] + in->lent[k]) {
            return true;
        }
    }
    return false;
}

/* Grows a clique from 'from' along 'order'; its weight. */
static uint64_t
grow(const struct dcp_pack_instance *in, const uint8_t *bad,
     const uint32_t *order, uint32_t from, uint8_t *member)
{
    uint32_t seed = order[from];
    uint64_t weight = bad[(size_t)seed * in->n + seed] ? in->demand[seed] : 1;

    for (uint32_t i = 0; i < in->n; i++) {
        member[i] = bad[(size_t)seed * in->n + i] && i != seed;
    }
    for (uint32_t x = 0; x < in->n; x++) {
        uint32_t i = order[x];
        const uint8_t *row = bad + (size_t)i * in->n;

        if (!member[i]) {
            continue;
        }
        weight += row[i] ? in->demand[i] : 1;
        for (uint32_t j = 0; j < in->n; j++) {
            member[j] &= row[j];
        }
        member[i] = 0;
    }
    return weight;
}

struct by_degree {
    const uint64_t *degree;
};

static int
more_conflicts(const void *a, const void *b, void *context)
{
    const struct by_degree *o = context;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;

    if (o->degree[i] != o->degree[j]) {
        return o->degree[i] > o->degree[j] ? -1 : 1;
    }
    return i < j ? -1 : i > j;
}

static bool
bound_pairs(const struct dcp_pack_instance *in, uint64_t *best)
{
    size_t n = in->n;

    if (n > MOST_PAIRED || !n) {
        return true;
    }
    DCP_FREE uint8_t *bad = calloc(n, n);
    DCP_FREE uint8_t *member = calloc(n, 1);
    DCP_FREE uint32_t *order = calloc(n, sizeof *order);
    DCP_FREE uint64_t *degree = calloc(n, sizeof *degree);

    if (!bad || !member || !order || !degree) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        order[i] = i;
        for (uint32_t j = i; j < n; j++) {
            if (conflict(in, i, j)) {
                bad[i * n + j] = 1;
                bad[j * n + i] = 1;
                degree[i] += in->demand[j];
                degree[j] += in->demand[i];
            }
        }
    }
    qsort_r(order, n, sizeof *order, more_conflicts,
            &(struct by_degree){ degree });
    for (uint32_t from = 0; from < n && from < (n > 1000 ? 8 : 64); from++) {
        uint64_t weight = grow(in, bad, order, from, member);

        *best = weight > *best ? weight : *best;
    }
    return true;
}

bool
dcp_pack_bound_cheap(const struct dcp_pack_instance *in, uint64_t *out_bound,
                     enum dcp_pack_bound_kind *out_kind, bool *out_infeasible)
{
    uint64_t bins = 0;

    *out_bound = dcp_pack_bound_sum(in, out_infeasible);
    *out_kind = DCP_PACK_BOUND_SUM;
    if (in->m > 1 || *out_infeasible) {
        return true;
    }
    if (!bound_dual(in, &bins)) {
        return false;
    }
    if (bins * in->cost[0] > *out_bound) {
        *out_bound = bins * in->cost[0];
        *out_kind = DCP_PACK_BOUND_DUAL;
    }
    bins = 0;
    if (!bound_pairs(in, &bins)) {
        return false;
    }
    if (bins * in->cost[0] > *out_bound) {
        *out_bound = bins * in->cost[0];
        *out_kind = DCP_PACK_BOUND_PAIRS;
    }
    *out_infeasible = *out_bound / in->cost[0] > in->limit[0];
    return true;
}
