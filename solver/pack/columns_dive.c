/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Diving with residual column generation: solve, fix the bins that the program
 * is surest of, go on with what is left.  A fixed bin holds of its pattern what
 * is still left of it, and then whatever else of the rest goes in, dearest
 * first. */

#define _GNU_SOURCE 1 /* qsort_r */

#include "model/base/rng.h"
#include "solver/pack/clock.h"
#include "solver/pack/columns.h"
#include "solver/pack/columns_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct dive {
    struct dcp_pack_columns *c;
    const struct dcp_pack_dive *d;
    struct dcp_pack_draft *out;
    struct dcp_rng rng;
    uint32_t *left;    /* [n] */
    uint32_t *used;    /* [m] bins by type. */
    uint32_t *order;   /* Columns that are candidates. */
    double *score;     /* By pattern. */
    uint32_t *by_dual; /* [n] dearest first. */
    uint64_t cost;
    uint32_t n_left; /* Items. */
};

static int
by_score(const void *a, const void *b, void *context)
{
    const double *score = context;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;

    if (score[i] < score[j] || score[i] > score[j]) {
        return score[i] > score[j] ? -1 : 1;
    }
    return i < j ? -1 : i > j;
}

static bool
make_room(struct dive *v)
{
    size_t n = v->c->patterns.n + 1u;

    free(v->order);
    free(v->score);
    v->order = calloc(n, sizeof *v->order);
    v->score = calloc(n, sizeof *v->score);
    return v->order && v->score;
}

/* Whether pattern 'p' can be used at what is left: all of its lenders are. */
static bool
usable(const struct dive *v, uint32_t p)
{
    const struct dcp_pack_patterns *all = &v->c->patterns;
    const struct dcp_pack_instance *in = v->c->in;
    uint32_t first = all->first[p];

    if (v->used[all->bin[p]] >= in->limit[all->bin[p]]) {
        return false;
    }
    for (uint32_t x = first; in->n_negative && x < all->first[p + 1]; x++) {
        uint32_t i = all->item[x], copies = 0;

        for (uint32_t y = first; y < all->first[p + 1]; y++) {
            copies += all->item[y] == i;
        }
        if (in->negative[i] && copies > v->left[i]) {
            return false;
        }
    }
    return true;
}

static void
put(struct dive *v, uint32_t item, int32_t *room)
{
    struct dcp_pack_draft *out = v->out;

    dcp_pack_take(room, dcp_pack_size(v->c->in, item), v->c->in->w);
    v->left[item]--;
    v->n_left--;
    out->item[out->n_placed] = item;
    out->in_bin[out->n_placed++] = out->n_bins - 1;
}

/* One bin of pattern 'p'.  False: nothing of it is left. */
static bool
fix(struct dive *v, uint32_t p)
{
    const struct dcp_pack_patterns *all = &v->c->patterns;
    const struct dcp_pack_instance *in = v->c->in;
    int32_t room[DCP_PACK_MAX_DIMS];
    uint32_t bin = all->bin[p], first = all->first[p], any = 0;

    for (uint32_t x = first; x < all->first[p + 1]; x++) {
        any += v->left[all->item[x]] > 0;
    }
    if (!any || !usable(v, p)) {
        return false;
    }
    v->out->bin_type[v->out->n_bins++] = bin;
    v->used[bin]++;
    v->cost += in->cost[bin];
    memcpy(room, dcp_pack_room(in, bin), in->w * sizeof *room);
    for (uint32_t x = first; x < all->first[p + 1]; x++) {
        if (v->left[all->item[x]]) {
            put(v, all->item[x], room);
        }
    }
    for (uint32_t x = 0; x < in->n && v->n_left; x++) {
        uint32_t i = v->by_dual[x];

        while (v->left[i] && !in->negative[i] && dcp_pack_allowed(in, bin, i) &&
               dcp_pack_fits(room, dcp_pack_size(in, i), in->w)) {
            put(v, i, room);
        }
    }
    return true;
}

static bool
move_limits(struct dive *v, struct dcp_error *err)
{
    struct dcp_pack_columns *c = v->c;

    for (uint32_t b = 0; b < c->in->m; b++) {
        if (c->limit_row[b] != UINT32_MAX) {
            if (!dcp_lp_live_set_row(c->lp, c->limit_row[b], -DCP_LP_INF,
                                     c->in->limit[b] - v->used[b], err)) {
                return false;
            }
            c->moved = true;
        }
    }
    for (uint32_t p = 0; c->in->n_negative && p < c->patterns.n; p++) {
        if (!dcp_lp_live_set_col(c->lp, c->in->n + p, 0,
                                 usable(v, p) ? DCP_LP_INF : 0, err)) {
            return false;
        }
    }
    return dcp_pack_columns_set_left(c, v->left, err);
}

/* Fixes what the program is sure of, or else one bin. */
static bool
step(struct dive *v)
{
    struct dcp_pack_columns *c = v->c;
    uint32_t n = 0, fixed = 0;

    if (!make_room(v)) {
        return false;
    }
    for (uint32_t p = 0; p < c->patterns.n; p++) {
        double x = c->x[c->in->n + p];

        if (x > 1e-6) {
            v->score[p] =
                x >= 0.999 ? x : x * (1 - v->d->noise * dcp_rng_unit(&v->rng));
            v->order[n++] = p;
        }
    }
    qsort_r(v->order, n, sizeof *v->order, by_score, v->score);
    for (uint32_t x = 0; x < c->in->n; x++) {
        v->by_dual[x] = x;
    }
    qsort_r(v->by_dual, c->in->n, sizeof *v->by_dual, by_score, c->duals);
    uint32_t most = v->n_left / 40 + 1;

    for (uint32_t x = 0; x < n && v->n_left; x++) {
        uint32_t p = v->order[x];
        double value = c->x[c->in->n + p];
        uint32_t copies = value >= 0.999 ? (uint32_t)(value + 0.001) : 0;

        if (!copies && (fixed >= most || (fixed && value < 0.75))) {
            break;
        }
        copies = copies ? copies : 1;
        while (copies-- && fix(v, p)) {
            fixed++;
        }
    }
    return fixed;
}

/* The other thread may have found what this one dives for: dive for less. */
static uint64_t
target(const struct dive *v)
{
    uint64_t cost = v->d->board ? atomic_load(&v->d->board->cost) : UINT64_MAX;

    return cost && cost - 1 < v->d->target ? cost - 1 : v->d->target;
}

static bool
dive(struct dive *v, struct dcp_error *err)
{
    struct dcp_pack_columns *c = v->c;
    struct dcp_pack_columns_limits limits = {
        .max_rounds = v->d->rounds_per_step,
        .max_nodes = 200000,
        .deadline_s = v->d->deadline_s,
        .board = v->d->board,
    };
    enum dcp_pack_columns_end end;

    while (v->n_left) {
        uint64_t most = target(v);

        if (v->cost >= most) {
            return true;
        }
        limits.cutoff = (double)(most - v->cost);
        if (!move_limits(v, err) ||
            !dcp_pack_columns_run(c, &limits, &end, err)) {
            return false;
        }
        if (dcp_pack_now() > v->d->deadline_s ||
            c->value > limits.cutoff + 1e-6 || !step(v)) {
            return true;
        }
    }
    return true;
}

static void
dive_finish(struct dive *v)
{
    free(v->left);
    free(v->used);
    free(v->order);
    free(v->score);
    free(v->by_dual);
}

bool
dcp_pack_columns_dive(struct dcp_pack_columns *c, const struct dcp_pack_dive *d,
                      struct dcp_pack_draft *out, struct dcp_error *err)
{
    const struct dcp_pack_instance *in = c->in;
    struct dive v = {
        .c = c,
        .d = d,
        .out = out,
        .rng = dcp_rng_stream(d->seed, "dive", d->index),
        .left = calloc(in->n + 1u, sizeof *v.left),
        .used = calloc(in->m, sizeof *v.used),
        .by_dual = calloc(in->n + 1u, sizeof *v.by_dual),
        .n_left = in->n_items,
    };

    out->n_bins = 0;
    out->n_placed = 0;
    out->cost = UINT64_MAX;
    if (!v.left || !v.used || !v.by_dual) {
        dive_finish(&v);
        return dcp_fail(err, DCP_E_NOMEM, "no memory to dive");
    }
    memcpy(v.left, in->demand, in->n * sizeof *v.left);
    bool ok = dive(&v, err);
    bool done = !v.n_left;

    memcpy(v.left, in->demand, in->n * sizeof *v.left);
    memset(v.used, 0, in->m * sizeof *v.used);
    ok = ok && move_limits(&v, err);
    dive_finish(&v);
    if (ok && done && !dcp_pack_draft_settle(out, in)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to dive");
    }
    if (!done) {
        out->cost = UINT64_MAX;
    }
    return ok;
}
