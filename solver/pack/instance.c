/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Checks, sorts and merges.  The order is total over (weight, sizes, where it
 * may go), so types that compare equal are the same to the engine and become
 * one. */

#define _GNU_SOURCE 1 /* qsort_r */

#include "solver/pack/instance.h"

#include <stdlib.h>
#include <string.h>

static bool
check_bins(const struct dcp_pack_problem *p, struct dcp_error *err)
{
    for (uint32_t b = 0; b < p->n_bins; b++) {
        if (p->cost && (p->cost[b] < 1 || p->cost[b] > DCP_PACK_MAX_COST)) {
            return dcp_fail(err, DCP_E_ARGUMENT,
                            "bin type %u: a cost of %u is out of range", b,
                            p->cost[b]);
        }
        for (uint32_t k = 0; k < p->n_dims; k++) {
            int32_t c = p->capacity[(size_t)b * p->n_dims + k];

            if (c < 0 || c > DCP_PACK_MAX_SIZE) {
                return dcp_fail(err, DCP_E_ARGUMENT,
                                "bin type %u: a capacity of %d is out of range",
                                b, c);
            }
        }
    }
    return true;
}

static bool
check(const struct dcp_pack_problem *p, struct dcp_error *err)
{
    uint64_t n = 0;

    if (p->n_dims < 1 || p->n_dims > DCP_PACK_MAX_DIMS) {
        return dcp_fail(err, DCP_E_ARGUMENT, "%u dimensions, not 1 to %d",
                        p->n_dims, DCP_PACK_MAX_DIMS);
    }
    if (p->n_items > DCP_PACK_MAX_TYPES || p->n_bins < 1 ||
        p->n_bins > DCP_PACK_MAX_BIN_TYPES) {
        return dcp_fail(err, DCP_E_ARGUMENT,
                        "%u item types and %u bin types are out of range",
                        p->n_items, p->n_bins);
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        n += p->demand ? p->demand[i] : 1;
        for (uint32_t k = 0; k < p->n_dims; k++) {
            int32_t s = p->size[(size_t)i * p->n_dims + k];

            if (s < -DCP_PACK_MAX_SIZE || s > DCP_PACK_MAX_SIZE) {
                return dcp_fail(err, DCP_E_ARGUMENT,
                                "item type %u: a size of %d is out of range", i,
                                s);
            }
        }
    }
    if (n > DCP_PACK_MAX_ITEMS) {
        return dcp_fail(err, DCP_E_ARGUMENT, "over %d items",
                        DCP_PACK_MAX_ITEMS);
    }
    return check_bins(p, err);
}

/* --- Order --------------------------------------------------------------- */

struct order {
    const struct dcp_pack_problem *p;
    const double *weight; /* By item. */
};

static int
compare(const void *a, const void *b, void *context)
{
    const struct order *o = context;
    const struct dcp_pack_problem *p = o->p;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    const int32_t *x = p->size + (size_t)i * p->n_dims;
    const int32_t *y = p->size + (size_t)j * p->n_dims;

    if (o->weight[i] < o->weight[j] || o->weight[i] > o->weight[j]) {
        return o->weight[i] > o->weight[j] ? -1 : 1;
    }
    for (uint32_t k = 0; k < p->n_dims; k++) {
        if (x[k] != y[k]) {
            return x[k] > y[k] ? -1 : 1;
        }
    }
    for (uint32_t t = 0; p->allowed && t < p->n_bins; t++) {
        const uint8_t *row = p->allowed + (size_t)t * p->n_items;

        if (!row[i] != !row[j]) {
            return row[i] ? -1 : 1;
        }
    }
    return 0;
}

static int
compare_given(const void *a, const void *b, void *context)
{
    int c = compare(a, b, context);
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;

    return c ? c : i < j ? -1 : i > j;
}

/* Sum over dimensions of size over the largest capacity. */
static void
weigh(const struct dcp_pack_problem *p, double *weight)
{
    for (uint32_t k = 0; k < p->n_dims; k++) {
        int32_t most = 1;

        for (uint32_t b = 0; b < p->n_bins; b++) {
            int32_t c = p->capacity[(size_t)b * p->n_dims + k];

            most = c > most ? c : most;
        }
        for (uint32_t i = 0; i < p->n_items; i++) {
            weight[i] += (double)p->size[(size_t)i * p->n_dims + k] / most;
        }
    }
}

/* --- Creation ------------------------------------------------------------ */

static bool
allocate(struct dcp_pack_instance *in, const struct dcp_pack_problem *p)
{
    size_t n = p->n_items + 1u, m = p->n_bins;

    in->size = calloc(n * in->w, sizeof *in->size);
    in->demand = calloc(n, sizeof *in->demand);
    in->capacity = calloc(m * in->w, sizeof *in->capacity);
    in->cost = calloc(m, sizeof *in->cost);
    in->limit = calloc(m, sizeof *in->limit);
    in->allowed = p->allowed ? calloc(m * n, 1) : NULL;
    in->total = calloc(in->w, sizeof *in->total);
    in->lent = calloc(in->w, sizeof *in->lent);
    in->negative = calloc(n, sizeof *in->negative);
    in->origin_first = calloc(n + 1, sizeof *in->origin_first);
    in->origin = calloc(n, sizeof *in->origin);
    return in->size && in->demand && in->capacity && in->cost && in->limit &&
           (in->allowed || !p->allowed) && in->total && in->lent &&
           in->negative && in->origin_first && in->origin;
}

static void
add_type(struct dcp_pack_instance *in, uint32_t given)
{
    const struct dcp_pack_problem *p = in->problem;
    uint32_t i = in->n++;

    for (uint32_t k = 0; k < in->d; k++) {
        int32_t s = p->size[(size_t)given * in->d + k];

        in->size[(size_t)i * in->w + k] = s;
        in->negative[i] |= s < 0;
    }
    in->n_negative += in->negative[i];
}

static void
merge(struct dcp_pack_instance *in, const uint32_t *sorted, struct order *order)
{
    const struct dcp_pack_problem *p = in->problem;
    uint32_t n_origin = 0;
    const uint32_t *last = NULL;

    for (uint32_t x = 0; x < p->n_items; x++) {
        uint32_t demand = p->demand ? p->demand[sorted[x]] : 1;

        if (!demand) {
            continue;
        }
        if (!last || compare(last, &sorted[x], order)) {
            in->origin_first[in->n] = n_origin;
            add_type(in, sorted[x]);
        }
        last = &sorted[x];
        in->origin[n_origin++] = sorted[x];
        in->demand[in->n - 1] += demand;
        in->n_items += demand;
    }
    in->origin_first[in->n] = n_origin;
    for (uint32_t b = 0; p->allowed && b < in->m; b++) {
        for (uint32_t i = 0; i < in->n; i++) {
            uint32_t given = in->origin[in->origin_first[i]];

            in->allowed[(size_t)b * in->n + i] =
                p->allowed[(size_t)b * p->n_items + given];
        }
    }
}

/* False: room in a bin might not fit its type. */
static bool
count(struct dcp_pack_instance *in)
{
    const struct dcp_pack_problem *p = in->problem;

    for (uint32_t b = 0; b < in->m; b++) {
        in->cost[b] = p->cost ? p->cost[b] : 1;
        in->limit[b] = p->limit ? p->limit[b] : UINT32_MAX;
        if (in->limit[b] >= in->n_items) {
            in->limit[b] = UINT32_MAX;
        }
        for (uint32_t k = 0; k < in->d; k++) {
            in->capacity[(size_t)b * in->w + k] =
                p->capacity[(size_t)b * in->d + k];
        }
    }
    for (uint32_t i = 0; i < in->n; i++) {
        for (uint32_t k = 0; k < in->d; k++) {
            int64_t sum =
                (int64_t)in->size[(size_t)i * in->w + k] * in->demand[i];

            in->total[k] += sum;
            in->lent[k] -= sum < 0 ? sum : 0;
        }
    }
    in->uniform = in->m == 1 && in->limit[0] == UINT32_MAX && in->cost[0] == 1;
    for (uint32_t k = 0; k < in->d; k++) {
        if (in->lent[k] > 2 * (int64_t)DCP_PACK_MAX_SIZE) {
            return false;
        }
    }
    return true;
}

struct dcp_pack_instance *
dcp_pack_instance_create(const struct dcp_pack_problem *p,
                         struct dcp_error *err)
{
    if (!check(p, err)) {
        return NULL;
    }
    DCP_AUTO(dcp_pack_instance)
    struct dcp_pack_instance *in = calloc(1, sizeof *in);
    DCP_FREE double *weight = calloc(p->n_items + 1u, sizeof *weight);
    DCP_FREE uint32_t *sorted = calloc(p->n_items + 1u, sizeof *sorted);

    if (in) {
        in->problem = p;
        in->d = p->n_dims;
        in->w = (p->n_dims + 3) / 4 * 4;
        in->m = p->n_bins;
    }
    if (!in || !weight || !sorted || !allocate(in, p)) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to pack %u item types",
                       p->n_items);
        return NULL;
    }
    struct order order = { p, weight };

    weigh(p, weight);
    for (uint32_t i = 0; i < p->n_items; i++) {
        sorted[i] = i;
    }
    qsort_r(sorted, p->n_items, sizeof *sorted, compare_given, &order);
    merge(in, sorted, &order);
    if (!count(in)) {
        (void)dcp_fail(err, DCP_E_ARGUMENT, "negative sizes sum up to over %d",
                       2 * DCP_PACK_MAX_SIZE);
        return NULL;
    }
    return DCP_STEAL(in);
}

void
dcp_pack_instance_destroy(struct dcp_pack_instance *in)
{
    if (in) {
        free(in->size);
        free(in->demand);
        free(in->capacity);
        free(in->cost);
        free(in->limit);
        free(in->allowed);
        free(in->total);
        free(in->lent);
        free(in->negative);
        free(in->origin_first);
        free(in->origin);
        free(in);
    }
}
