/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Sizes are taken as fractions of a reference bin (the largest capacity in each
 * dimension), so that weights mean the same in each dimension. */

#define _GNU_SOURCE 1 /* qsort_r */

#include "solver/pack/fill.h"

#include "model/base/rng.h"
#include "solver/pack/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum way { FIRST_FIT, BEST_FIT, BY_DOT, BY_NORM, BY_COSINE, BY_SIZE };
enum measure { M_SUM, M_MAX, M_SQUARES, M_PRODUCT };
enum weights { W_EVEN, W_DEMAND, W_EXP, W_SCARCE, W_LEFT, W_RANDOM };

struct rule {
    enum way way;
    enum measure measure;
    enum weights weights;
    bool largest_first; /* Bin by bin: each bin starts with the largest. */
};

static const struct rule rules[] = {
    { FIRST_FIT, M_SUM, W_EVEN, false },
    { BEST_FIT, M_SUM, W_EVEN, false },
    { BY_NORM, M_SUM, W_EVEN, true },
    { BY_NORM, M_SQUARES, W_DEMAND, true },
    { BY_DOT, M_SUM, W_LEFT, false },
    { BY_DOT, M_SUM, W_LEFT, true },
    { BY_NORM, M_SUM, W_LEFT, true },
    { BY_NORM, M_MAX, W_LEFT, true },
    { BY_NORM, M_SQUARES, W_LEFT, false },
    { BY_COSINE, M_SUM, W_EVEN, true },
    { BY_COSINE, M_SUM, W_LEFT, true },
    { BY_SIZE, M_SUM, W_EVEN, true },
    { BY_SIZE, M_SQUARES, W_LEFT, true },
    { FIRST_FIT, M_MAX, W_EVEN, false },
    { FIRST_FIT, M_SQUARES, W_EVEN, false },
    { FIRST_FIT, M_PRODUCT, W_EVEN, false },
    { FIRST_FIT, M_SUM, W_DEMAND, false },
    { FIRST_FIT, M_SUM, W_EXP, false },
    { FIRST_FIT, M_SUM, W_SCARCE, false },
    { BEST_FIT, M_MAX, W_EVEN, false },
    { BEST_FIT, M_SQUARES, W_DEMAND, false },
    { BEST_FIT, M_SUM, W_EXP, false },
    { BEST_FIT, M_SUM, W_DEMAND, false },
    { BY_DOT, M_SUM, W_EVEN, true },
    { BY_DOT, M_SUM, W_DEMAND, true },
    { BY_DOT, M_SUM, W_EXP, false },
    { BY_NORM, M_SUM, W_EXP, true },
    { BY_NORM, M_MAX, W_EVEN, true },
    { BY_NORM, M_SUM, W_SCARCE, true },
    { BY_SIZE, M_MAX, W_EVEN, true },
};
enum { N_RULES = sizeof rules / sizeof rules[0] };

/* One construction at work. */
struct fill {
    const struct dcp_pack_instance *in;
    struct rule rule;
    struct dcp_rng rng;
    double *share;     /* [n * w] sizes as fractions of the reference. */
    double *scale;     /* [w] 1 / reference. */
    double *weight;    /* [w] */
    double *largeness; /* [n] by the measure. */
    uint32_t *order;   /* [n] largest first. */
    uint32_t *left;    /* [n] not placed yet. */
    double *left_sum;  /* [w] their shares. */
    int32_t *room;     /* [n_items * w] by bin. */
    uint32_t *ranked;  /* [m] bin types, best value first. */
    double *value;     /* [m] */
    uint32_t *used;    /* [m] */
    struct dcp_pack_draft *out;
};

static void
fill_finish(struct fill *f)
{
    free(f->share);
    free(f->scale);
    free(f->weight);
    free(f->largeness);
    free(f->order);
    free(f->left);
    free(f->left_sum);
    free(f->room);
    free(f->ranked);
    free(f->value);
    free(f->used);
}

static bool
fill_init(struct fill *f, const struct dcp_pack_instance *in)
{
    size_t n = in->n + 1u, w = in->w;

    *f = (struct fill){
        .in = in,
        .share = calloc(n * w, sizeof *f->share),
        .scale = calloc(w, sizeof *f->scale),
        .weight = calloc(w, sizeof *f->weight),
        .largeness = calloc(n, sizeof *f->largeness),
        .order = calloc(n, sizeof *f->order),
        .left = calloc(n, sizeof *f->left),
        .left_sum = calloc(w, sizeof *f->left_sum),
        .room = calloc((in->n_items + 1u) * w, sizeof *f->room),
        .ranked = calloc(in->m, sizeof *f->ranked),
        .value = calloc(in->m, sizeof *f->value),
        .used = calloc(in->m, sizeof *f->used),
    };
    return f->share && f->scale && f->weight && f->largeness && f->order &&
           f->left && f->left_sum && f->room && f->ranked && f->value &&
           f->used;
}

static void
normalise(struct fill *f)
{
    const struct dcp_pack_instance *in = f->in;

    for (uint32_t k = 0; k < in->d; k++) {
        int32_t most = 1;

        for (uint32_t b = 0; b < in->m; b++) {
            int32_t c = dcp_pack_room(in, b)[k];

            most = c > most ? c : most;
        }
        f->scale[k] = 1.0 / most;
        for (uint32_t i = 0; i < in->n; i++) {
            f->share[(size_t)i * in->w + k] =
                dcp_pack_size(in, i)[k] * f->scale[k];
        }
    }
}

static void
start(struct fill *f)
{
    const struct dcp_pack_instance *in = f->in;

    memcpy(f->left, in->demand, in->n * sizeof *f->left);
    memset(f->used, 0, in->m * sizeof *f->used);
    for (uint32_t k = 0; k < in->d; k++) {
        f->left_sum[k] = (double)in->total[k] * f->scale[k];
    }
    f->out->n_bins = 0;
    f->out->n_placed = 0;
    f->out->cost = UINT64_MAX;
}

static void
set_weights(struct fill *f)
{
    const struct dcp_pack_instance *in = f->in;

    for (uint32_t k = 0; k < in->d; k++) {
        double mean = f->left_sum[k] / (in->n_items + 1.0);

        switch (f->rule.weights) {
        case W_EVEN:
            f->weight[k] = 1;
            break;
        case W_DEMAND:
        case W_LEFT:
            f->weight[k] = fmax(mean, 1e-9);
            break;
        case W_EXP:
            f->weight[k] = exp(fmin(10 * mean, 50));
            break;
        case W_SCARCE:
            f->weight[k] = 1 / fmax(mean, 1e-3);
            break;
        case W_RANDOM:
            f->weight[k] = exp(2 * dcp_rng_unit(&f->rng) - 1);
            break;
        }
    }
}

static double
measure(const struct fill *f, uint32_t i)
{
    const double *x = f->share + (size_t)i * f->in->w;
    double result = f->rule.measure == M_PRODUCT ? 1 : 0;

    for (uint32_t k = 0; k < f->in->d; k++) {
        double y = f->weight[k] * x[k];

        switch (f->rule.measure) {
        case M_SUM:
            result += y;
            break;
        case M_MAX:
            result = fmax(result, y);
            break;
        case M_SQUARES:
            result += y * x[k];
            break;
        case M_PRODUCT:
            result *= x[k] + 0.01;
            break;
        }
    }
    return result;
}

static int
by_largeness(const void *a, const void *b, void *context)
{
    const double *largeness = context;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;

    if (largeness[i] < largeness[j] || largeness[i] > largeness[j]) {
        return largeness[i] > largeness[j] ? -1 : 1;
    }
    return i < j ? -1 : i > j;
}

static void
rank(struct fill *f)
{
    const struct dcp_pack_instance *in = f->in;

    for (uint32_t i = 0; i < in->n; i++) {
        f->largeness[i] = measure(f, i);
        f->order[i] = i;
    }
    qsort_r(f->order, in->n, sizeof *f->order, by_largeness, f->largeness);
    for (uint32_t b = 0; b < in->m; b++) {
        double room = 0;

        for (uint32_t k = 0; k < in->d; k++) {
            room += f->weight[k] * dcp_pack_room(in, b)[k] * f->scale[k];
        }
        f->value[b] = room / in->cost[b];
        f->ranked[b] = b;
    }
    qsort_r(f->ranked, in->m, sizeof *f->ranked, by_largeness, f->value);
}

/* --- Bins ---------------------------------------------------------------- */

static bool
goes(const struct fill *f, uint32_t bin, uint32_t item)
{
    const struct dcp_pack_instance *in = f->in;

    return dcp_pack_fits(f->room + (size_t)bin * in->w, dcp_pack_size(in, item),
                         in->w) &&
           dcp_pack_allowed(in, f->out->bin_type[bin], item);
}

static void
put(struct fill *f, uint32_t bin, uint32_t item)
{
    const struct dcp_pack_instance *in = f->in;

    dcp_pack_take(f->room + (size_t)bin * in->w, dcp_pack_size(in, item),
                  in->w);
    for (uint32_t k = 0; k < in->d; k++) {
        f->left_sum[k] -= f->share[(size_t)item * in->w + k];
    }
    f->left[item]--;
    f->out->item[f->out->n_placed] = item;
    f->out->in_bin[f->out->n_placed++] = bin;
}

/* A new bin of the best type that takes 'item'; false: there is none. */
static bool
open_for(struct fill *f, uint32_t item)
{
    const struct dcp_pack_instance *in = f->in;

    for (uint32_t r = 0; r < in->m; r++) {
        uint32_t t = f->ranked[r];

        if (f->used[t] < in->limit[t] && dcp_pack_allowed(in, t, item) &&
            dcp_pack_fits(dcp_pack_room(in, t), dcp_pack_size(in, item),
                          in->w)) {
            uint32_t bin = f->out->n_bins++;

            f->used[t]++;
            f->out->bin_type[bin] = t;
            memcpy(f->room + (size_t)bin * in->w, dcp_pack_room(in, t),
                   in->w * sizeof *f->room);
            return true;
        }
    }
    return false;
}

/* How many of the newest bins are looked at: all, unless that takes seconds. */
static uint32_t
window(const struct dcp_pack_instance *in)
{
    return in->n_items < 40000 ? UINT32_MAX : 100000000u / in->n_items;
}

/* --- Item by item -------------------------------------------------------- */

static double
room_left(const struct fill *f, uint32_t bin)
{
    const int32_t *room = f->room + (size_t)bin * f->in->w;
    double sum = 0;

    for (uint32_t k = 0; k < f->in->d; k++) {
        sum += f->weight[k] * room[k] * f->scale[k];
    }
    return sum;
}

static bool
by_items(struct fill *f)
{
    uint32_t most = window(f->in);

    for (uint32_t x = 0; x < f->in->n; x++) {
        uint32_t i = f->order[x];
        uint32_t from = 0; /* No bin before it takes this type. */

        while (f->left[i]) {
            uint32_t best = UINT32_MAX;
            double least = INFINITY;

            if (f->out->n_bins > from && f->out->n_bins - from > most) {
                from = f->out->n_bins - most;
            }
            for (uint32_t b = from; b < f->out->n_bins; b++) {
                if (!goes(f, b, i)) {
                    from += b == from;
                    continue;
                }
                if (f->rule.way == FIRST_FIT) {
                    best = b;
                    break;
                }
                double left = room_left(f, b);

                if (left < least) {
                    least = left;
                    best = b;
                }
            }
            if (best == UINT32_MAX) {
                if (!open_for(f, i)) {
                    return false;
                }
                best = f->out->n_bins - 1;
            }
            put(f, best, i);
        }
    }
    return true;
}

/* --- Bin by bin ------------------------------------------------------------
 */

static double
match(const struct fill *f, const double *room, uint32_t i)
{
    const double *x = f->share + (size_t)i * f->in->w;
    double sum = 0, norm = 1e-12;

    switch (f->rule.way) {
    case BY_DOT:
        for (uint32_t k = 0; k < f->in->d; k++) {
            sum += f->weight[k] * x[k] * room[k];
        }
        return sum;
    case BY_COSINE:
        for (uint32_t k = 0; k < f->in->d; k++) {
            sum += f->weight[k] * x[k] * room[k];
            norm += f->weight[k] * x[k] * x[k];
        }
        return sum / sqrt(norm);
    case BY_NORM:
        for (uint32_t k = 0; k < f->in->d; k++) {
            double y = room[k] - x[k];

            sum -= f->weight[k] * y * y;
        }
        return sum;
    case FIRST_FIT:
    case BEST_FIT:
    case BY_SIZE:
        break;
    }
    return f->largeness[i];
}

static uint32_t
best_match(const struct fill *f, uint32_t bin)
{
    const int32_t *room = f->room + (size_t)bin * f->in->w;
    double share[DCP_PACK_MAX_DIMS];
    double most = -INFINITY;
    uint32_t best = UINT32_MAX;

    for (uint32_t k = 0; k < f->in->d; k++) {
        share[k] = room[k] * f->scale[k];
    }
    for (uint32_t x = 0; x < f->in->n; x++) {
        uint32_t i = f->order[x];

        if (f->left[i] && goes(f, bin, i)) {
            double value = match(f, share, i);

            if (value > most) {
                most = value;
                best = i;
            }
        }
    }
    return best;
}

static bool
by_bins(struct fill *f)
{
    uint32_t x = 0; /* All before it in the order are placed. */

    for (;;) {
        while (x < f->in->n && !f->left[f->order[x]]) {
            x++;
        }
        if (x == f->in->n) {
            return true;
        }
        if (f->rule.weights == W_LEFT) {
            set_weights(f);
        }
        if (!open_for(f, f->order[x])) {
            return false;
        }
        uint32_t bin = f->out->n_bins - 1;

        if (f->rule.largest_first) {
            put(f, bin, f->order[x]);
        }
        for (uint32_t i; (i = best_match(f, bin)) != UINT32_MAX;) {
            put(f, bin, i);
        }
    }
}

/* --- Rules --------------------------------------------------------------- */

uint32_t
dcp_pack_n_fills(const struct dcp_pack_instance *in)
{
    /* Bin by bin costs types x items. */
    return (uint64_t)in->n * in->n_items > 200000000u ? 2 : N_RULES;
}

static bool
run(struct fill *f, uint32_t rule, struct dcp_pack_draft *out)
{
    static const enum way random_ways[] = { BY_NORM, BY_DOT, BEST_FIT,
                                            BY_COSINE };

    f->rng = dcp_rng_stream(0, "fill", rule);
    f->rule = rules[rule % N_RULES];
    if (rule >= N_RULES) {
        f->rule = (struct rule){ random_ways[rule % 4], rule % 3, W_RANDOM,
                                 rule % 5 != 0 };
    }
    f->out = out;
    start(f);
    set_weights(f);
    rank(f);
    bool done = f->rule.way <= BEST_FIT ? by_items(f) : by_bins(f);

    if (!dcp_pack_draft_settle(out, f->in)) {
        return false;
    }
    if (!done) {
        out->cost = UINT64_MAX;
    }
    return true;
}

bool
dcp_pack_fill(const struct dcp_pack_instance *in, uint32_t rule,
              struct dcp_pack_draft *out)
{
    struct fill f;
    bool ok = fill_init(&f, in);

    if (ok) {
        normalise(&f);
        ok = run(&f, rule, out);
    }
    fill_finish(&f);
    return ok;
}

bool
dcp_pack_fill_best(const struct dcp_pack_instance *in, uint64_t bound,
                   double deadline_s, struct dcp_pack_draft *best)
{
    uint32_t n = dcp_pack_n_fills(in);
    struct dcp_pack_draft draft = { 0 };
    struct fill f;
    bool ok = fill_init(&f, in) && dcp_pack_draft_init(&draft, in);

    best->cost = UINT64_MAX;
    if (ok) {
        normalise(&f);
    }
    for (uint32_t r = 0; ok && r < n && best->cost > bound &&
                         (!r || dcp_pack_now() < deadline_s);
         r++) {
        ok = run(&f, r, &draft);
        if (ok && draft.cost < best->cost) {
            dcp_pack_draft_copy(best, &draft);
        }
    }
    dcp_pack_draft_finish(&draft);
    fill_finish(&f);
    return ok;
}
