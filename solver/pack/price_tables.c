/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A table holds worth[r][t]: with r left of its (scaled) size, what positions
 * t .. n-1 can add at most; rows by r, because the search scans t with r fixed.
 * Worths are 32 bits; UINT32_MAX stands for "no bound". */

#define _GNU_SOURCE 1 /* qsort_r */

#include "solver/pack/price_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_TABLES = DCP_PACK_MOST_TABLES,
    MOST_ENTRIES = 3 << 20, /* Of one table. */
    TUNINGS = 12,
    BLOCK = 16,
};

static int
denser(const void *a, const void *b, void *context)
{
    const double *density = context;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;

    if (density[i] < density[j] || density[i] > density[j]) {
        return density[i] > density[j] ? -1 : 1;
    }
    return i < j ? -1 : i > j;
}

/* How far numbers up to 'most' are shifted to leave at most 'rows'. */
static uint32_t
shift_for(int64_t most, int64_t rows)
{
    uint32_t shift = 0;

    while ((most >> shift) + 1 > rows) {
        shift++;
    }
    return shift;
}

static void
add_copies(uint32_t *line, uint32_t rows, int64_t size, int64_t worth)
{
    uint32_t add = worth < UINT32_MAX ? (uint32_t)worth : UINT32_MAX;

    if (size >= rows) {
        return;
    }
    for (uint32_t r = rows; r-- > (uint32_t)size;) {
        uint32_t with = line[r - (uint32_t)size] + add;

        with = with < add ? UINT32_MAX : with;
        line[r] = with > line[r] ? with : line[r];
    }
}

/* The bounded knapsack over positions from t on, from that from t + 1 on:
 * copies in powers of two. */
static void
add_position(const struct dcp_pack_pricer *p, const struct dcp_pack_table *b,
             uint32_t *line, uint32_t t)
{
    int64_t size =
        dcp_pack_scaled_size(p, b, p->size + (size_t)t * p->in->w) >> b->shift;
    uint64_t left = p->most[t];

    if (size > 0 && left > b->rows / (uint64_t)size) {
        left = b->rows / (uint64_t)size;
    }
    for (uint64_t copies = 1; left; copies *= 2) {
        copies = copies < left ? copies : left;
        add_copies(line, b->rows, size * (int64_t)copies,
                   p->price[t] * (int64_t)copies);
        left -= copies;
    }
}

/* line[t][r] into worth[r][t]. */
static void
turn(const uint32_t *line, uint32_t rows, uint32_t stride, uint32_t *worth)
{
    for (uint32_t r0 = 0; r0 < rows; r0 += BLOCK) {
        uint32_t r1 = r0 + BLOCK < rows ? r0 + BLOCK : rows;

        for (uint32_t t = 0; t < stride; t++) {
            for (uint32_t r = r0; r < r1; r++) {
                worth[(size_t)r * stride + t] = line[(size_t)t * rows + r];
            }
        }
    }
}

static bool
fill_table(struct dcp_pack_pricer *p, struct dcp_pack_table *b)
{
    uint32_t stride = p->n + 1;
    size_t needed = (size_t)stride * b->rows;

    if (needed > p->line_capacity) {
        free(p->line);
        p->line = malloc(needed * sizeof *p->line);
        p->line_capacity = p->line ? needed : 0;
    }
    if (needed > b->capacity) {
        free(b->worth);
        b->worth = malloc(needed * sizeof *b->worth);
        b->capacity = b->worth ? needed : 0;
    }
    if (!p->line || !b->worth) {
        return false;
    }
    memset(p->line + (size_t)p->n * b->rows, 0, b->rows * sizeof *p->line);
    for (uint32_t t = p->n; t-- > p->n_lenders;) {
        uint32_t *line = p->line + (size_t)t * b->rows;

        memcpy(line, line + b->rows, b->rows * sizeof *line);
        add_position(p, b, line, t);
    }
    for (uint32_t t = 0; t < p->n_lenders; t++) { /* Never asked for. */
        memset(p->line + (size_t)t * b->rows, 0xff, b->rows * sizeof *p->line);
    }
    turn(p->line, b->rows, stride, b->worth);
    return true;
}

/* Prepares table 'b' for one dimension, or for the surrogate of its weights. */
static bool
make_table(struct dcp_pack_pricer *p, struct dcp_pack_table *b)
{
    const struct dcp_pack_instance *in = p->in;
    const int32_t *room = dcp_pack_room(in, p->q->bin);
    int64_t most = 0;
    int64_t rows = MOST_ENTRIES / (p->n + 1);

    for (uint32_t k = 0; k < in->d; k++) {
        int64_t r = room[k] + p->lent[k];

        most += b->dim == k ? r : b->dim == UINT32_MAX ? b->weight[k] * r : 0;
    }
    if (in->d > 1) { /* Several tables, and a finer one gains less. */
        rows = rows / 6;
    }
    rows = rows < 64 ? 64 : rows > 16384 ? 16384 : rows;
    b->shift = shift_for(most, rows);
    b->rows = (uint32_t)(most >> b->shift) + 1;
    return fill_table(p, b);
}

static uint32_t
root_worth(const struct dcp_pack_pricer *p, const struct dcp_pack_table *b)
{
    return b->worth[(size_t)(b->rows - 1) * (p->n + 1) + p->n_lenders];
}

/* The linear knapsack at weights per share of room: items by price per
 * weighted size, the last one in part.  Its value; what it uses of each
 * dimension goes to 'use', as a share of the room. */
static double
fractional(struct dcp_pack_pricer *p, const double *weight, double *use)
{
    const struct dcp_pack_instance *in = p->in;
    const int32_t *room = dcp_pack_room(in, p->q->bin);
    double value = 0, left = 0;

    for (uint32_t k = 0; k < in->d; k++) {
        left += weight[k];
        use[k] = 0;
    }
    for (uint32_t t = 0; t < p->n; t++) {
        double size = 1e-12;

        for (uint32_t k = 0; k < in->d; k++) {
            size +=
                weight[k] * p->size[(size_t)t * in->w + k] / (room[k] + 1.0);
        }
        p->density[t] = (double)p->price[t] / size;
        p->rank[t] = t;
    }
    qsort_r(p->rank, p->n, sizeof *p->rank, denser, p->density);
    for (uint32_t x = 0; x < p->n && left > 0; x++) {
        uint32_t t = p->rank[x];
        double size = (double)p->price[t] / p->density[t];
        double copies = p->most[t];

        copies = copies * size < left ? copies : left / size;
        left -= copies * size;
        value += copies * (double)p->price[t];
        for (uint32_t k = 0; k < in->d; k++) {
            use[k] += copies * p->size[(size_t)t * in->w + k] / (room[k] + 1.0);
        }
    }
    return value;
}

/* Weights under which the linear knapsack is worth little: what is used too
 * much is made dearer, in shrinking steps. */
static void
tune(struct dcp_pack_pricer *p, double *best)
{
    double weight[DCP_PACK_MAX_DIMS], use[DCP_PACK_MAX_DIMS];
    double least = INFINITY, step = 1;
    uint32_t d = p->in->d;

    for (uint32_t k = 0; k < d; k++) {
        weight[k] = best[k] = 1.0 / d;
    }
    for (int round = 0; round < TUNINGS; round++, step *= 0.8) {
        double value = fractional(p, weight, use), sum = 0;

        if (value < least) {
            least = value;
            memcpy(best, weight, d * sizeof *best);
        }
        for (uint32_t k = 0; k < d; k++) {
            weight[k] *= exp(step * (fmin(use[k], 3) - 1));
            sum += weight[k];
        }
        for (uint32_t k = 0; k < d; k++) {
            weight[k] /= sum;
        }
    }
}

static bool
make_surrogate(struct dcp_pack_pricer *p, const double *weight)
{
    const int32_t *room = dcp_pack_room(p->in, p->q->bin);
    struct dcp_pack_table *b = &p->table[p->n_tables++];

    b->dim = UINT32_MAX;
    for (uint32_t k = 0; k < p->in->d; k++) {
        b->weight[k] = (int64_t)(weight[k] * (1 << 26) / (room[k] + 1.0));
    }
    return make_table(p, b);
}

/* The tuned and the even surrogate, and the dimensions whose root bounds are
 * best. */
bool
dcp_pack_make_tables(struct dcp_pack_pricer *p)
{
    const struct dcp_pack_instance *in = p->in;
    double weight[DCP_PACK_MAX_DIMS];

    p->n_tables = 0;
    if (in->d > 1) {
        if (!p->n_lenders) {
            tune(p, weight);
            if (!make_surrogate(p, weight)) {
                return false;
            }
        }
        for (uint32_t k = 0; k < in->d; k++) {
            weight[k] = 1.0 / in->d;
        }
        if (!make_surrogate(p, weight)) {
            return false;
        }
    }
    uint32_t n_surrogates = p->n_tables;

    for (uint32_t k = 0; k < in->d; k++) {
        uint32_t worst = n_surrogates;

        if (p->n_tables < MOST_TABLES) {
            worst = p->n_tables++;
        } else { /* In place of the worst dimension. */
            for (uint32_t x = n_surrogates + 1; x < MOST_TABLES; x++) {
                if (root_worth(p, &p->table[x]) >
                    root_worth(p, &p->table[worst])) {
                    worst = x;
                }
            }
        }
        p->table[worst].dim = k;
        if (!make_table(p, &p->table[worst])) {
            return false;
        }
    }
    return true;
}
