/* SPDX-License-Identifier: GPL-3.0-or-later */

#define _GNU_SOURCE 1 /* qsort_r */

#include "solver/pack/shift_parts.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_NODES = 3000, MOST_POOL = 200, MOST_REPACKED = 3 };

/* Filling one bin from the pool. */
struct fill {
    struct dcp_pack_shift_state *s;
    uint32_t n;                  /* Of the pool. */
    int64_t rest[MOST_POOL + 1]; /* Weight from here on. */
    int32_t room[(MOST_POOL + 1) * DCP_PACK_MAX_DIMS];
    uint32_t n_path, n_best;
    int64_t best;
    uint32_t nodes;
};

static void
branch(struct fill *f, uint32_t from, int64_t weight)
{
    struct dcp_pack_shift_state *s = f->s;
    const int32_t *room = f->room + (size_t)f->n_path * s->w;

    if (weight > f->best) {
        f->best = weight;
        f->n_best = f->n_path;
        memcpy(s->fill_best, s->fill, f->n_path * sizeof *s->fill);
    }
    if (++f->nodes > MOST_NODES) {
        return;
    }
    for (uint32_t x = from; x < f->n && weight + f->rest[x] > f->best; x++) {
        uint32_t e = s->pool[x];
        const int32_t *size = dcp_pack_size(s->in, s->type[e]);

        if (x > from && s->type[e] == s->type[s->pool[x - 1]]) {
            continue; /* The one before it would have done. */
        }
        if (dcp_pack_fits(room, size, s->w)) {
            int32_t *next = f->room + (size_t)(f->n_path + 1) * s->w;

            for (uint32_t k = 0; k < s->w; k++) {
                next[k] = room[k] - size[k];
            }
            s->fill[f->n_path++] = x;
            branch(f, x + 1, weight + s->weight[e]);
            f->n_path--;
            if (f->nodes > MOST_NODES) {
                return;
            }
        }
    }
}

static int
heaviest_first(const void *a, const void *b, void *context)
{
    const struct dcp_pack_shift_state *s = context;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;

    if (s->weight[i] != s->weight[j]) {
        return s->weight[i] > s->weight[j] ? -1 : 1;
    }
    if (s->type[i] != s->type[j]) {
        return s->type[i] < s->type[j] ? -1 : 1;
    }
    return i < j ? -1 : i > j;
}

/* Fills an empty bin; takes what it holds from the pool. */
static void
fill_bin(struct fill *f, uint32_t bin)
{
    struct dcp_pack_shift_state *s = f->s;
    uint32_t n = 0, next = 0;

    f->rest[f->n] = 0;
    for (uint32_t x = f->n; x-- > 0;) {
        f->rest[x] = f->rest[x + 1] + s->weight[s->pool[x]];
    }
    memcpy(f->room, s->room + (size_t)bin * s->w, s->w * sizeof *s->room);
    f->n_path = f->n_best = f->nodes = 0;
    f->best = 0;
    branch(f, 0, 0);
    for (uint32_t x = 0; x < f->n; x++) {
        if (next < f->n_best && s->fill_best[next] == x) {
            dcp_pack_shift_put(s, bin, s->pool[x]);
            next++;
        } else {
            s->pool[n++] = s->pool[x];
        }
    }
    f->n = n;
}

void
dcp_pack_shift_repack(struct dcp_pack_shift_state *s)
{
    uint32_t n_bins = 2 + (uint32_t)dcp_rng_below(&s->rng, 2);
    uint32_t bins[MOST_REPACKED], n = s->n_out, n_old[MOST_REPACKED];
    uint32_t old[MOST_POOL];
    struct fill f = { .s = s };

    n_bins = n_bins > s->n_bins ? s->n_bins : n_bins;
    for (uint32_t x = 0; x < n_bins; x++) {
        bool again;

        do {
            bins[x] = (uint32_t)dcp_rng_below(&s->rng, s->n_bins);
            again = false;
            for (uint32_t y = 0; y < x; y++) {
                again |= bins[x] == bins[y];
            }
        } while (again);
        n += s->count[bins[x]];
    }
    if (n > MOST_POOL) {
        return;
    }
    memcpy(s->pool, s->out, s->n_out * sizeof *s->pool);
    f.n = s->n_out;
    n = 0;
    for (uint32_t x = 0; x < n_bins; x++) {
        n_old[x] = s->count[bins[x]];
        while (s->count[bins[x]]) {
            uint32_t e = dcp_pack_shift_pull(s, bins[x], s->count[bins[x]] - 1);

            old[n++] = e;
            s->pool[f.n++] = e;
        }
    }
    qsort_r(s->pool, f.n, sizeof *s->pool, heaviest_first, s);
    for (uint32_t x = 0; x < n_bins; x++) {
        fill_bin(&f, bins[x]);
    }
    int64_t left = 0;

    for (uint32_t x = 0; x < f.n; x++) {
        left += s->weight[s->pool[x]];
    }
    if (left <= s->out_weight) {
        memcpy(s->out, s->pool, f.n * sizeof *s->out);
        s->n_out = f.n;
        s->out_weight = left;
        return;
    }
    for (uint32_t x = 0; x < n_bins; x++) { /* As it was. */
        while (s->count[bins[x]]) {
            (void)dcp_pack_shift_pull(s, bins[x], s->count[bins[x]] - 1);
        }
    }
    n = 0;
    for (uint32_t x = 0; x < n_bins; x++) {
        for (uint32_t c = 0; c < n_old[x]; c++) {
            dcp_pack_shift_put(s, bins[x], old[n++]);
        }
    }
}
