/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/storage/bound.h"

#include "model/base/union_find.h"

#include <math.h>
#include <stdlib.h>

#define SAFE (1 - 1e-9)

/* --- Regions ------------------------------------------------------------ */

/* Whether item may go anywhere else. */
static bool
can_move(const struct dcp_volumes *v, uint32_t item)
{
    for (uint32_t w = 0; w < v->words; w++) {
        uint64_t bits = v->may[(size_t)item * v->words + w];

        if (w == v->home[item] / 64) {
            bits &= ~(UINT64_C(1) << (v->home[item] % 64));
        }
        if (bits) {
            return true;
        }
    }
    return false;
}

static void
join(const struct dcp_volumes *v, uint32_t item, uint32_t parent[])
{
    for (uint32_t w = 0; w < v->words; w++) {
        uint64_t bits = v->may[(size_t)item * v->words + w];

        for (; bits; bits &= bits - 1) {
            uint32_t p = w * 64 + (uint32_t)__builtin_ctzll(bits);

            dcp_sets_join(parent, v->home[item], p);
        }
    }
}

/* The region of each pool, named by its first pool; the caller's. */
static uint32_t *
regions(const struct dcp_volumes *v)
{
    uint32_t *parent = calloc(v->n_pools + 1u, sizeof *parent);
    const uint64_t *last = NULL;

    if (parent) {
        dcp_sets_init(parent, v->n_pools);
    }
    for (uint32_t i = 0; parent && i < v->n_items; i++) {
        const uint64_t *row = v->may + (size_t)i * v->words;
        bool same = last && v->home[i] == v->home[i - 1];

        for (uint32_t w = 0; same && w < v->words; w++) {
            same = row[w] == last[w];
        }
        if (!same) {
            join(v, i, parent);
        }
        last = row;
    }
    for (uint32_t p = 0; parent && p < v->n_pools; p++) {
        parent[p] = dcp_sets_root(parent, p);
    }
    return parent;
}

/* --- Evening out -------------------------------------------------------- */

struct vessel {
    double fixed, size;
};

static int
by_level(const void *pa, const void *pb)
{
    const struct vessel *a = pa, *b = pb;
    double x = a->fixed * b->size, y = b->fixed * a->size;

    return x < y ? -1 : x > y;
}

/* The least sum of load^2 / size when 'movable' is poured over vessels that
 * hold 'fixed' already. */
static double
pour(struct vessel vessels[], uint32_t n, double movable)
{
    double size = 0, held = movable, sum = 0;
    uint32_t k = 0;

    if (n > 1) {
        qsort(vessels, n, sizeof *vessels, by_level);
    }
    /* The first k vessels are under water: the level that all they hold makes
     * is not below the next one's own. */
    while (k < n &&
           (k == 0 || held * vessels[k].size > vessels[k].fixed * size)) {
        size += vessels[k].size;
        held += vessels[k].fixed;
        k++;
    }
    sum = size > 0 ? held * held / size : 0;
    for (; k < n; k++) {
        sum += vessels[k].fixed * vessels[k].fixed / vessels[k].size;
    }
    return sum;
}

struct evening {
    const struct dcp_fill *f;
    const uint32_t *region;
    struct vessel *vessels;
    double *movable; /* [pool]: of the region named so. */
    double *stays;   /* [pool]: what cannot move, nor what is fixed. */
};

static void
split_load(struct evening *e, uint32_t r)
{
    const struct dcp_volumes *v = e->f->v;

    for (uint32_t p = 0; p < v->n_pools; p++) {
        e->movable[p] = 0;
        e->stays[p] = (double)v->fixed[p][r];
    }
    for (uint32_t i = 0; i < v->n_items; i++) {
        double asks = (double)v->asks[i][r];

        if (can_move(v, i)) {
            e->movable[e->region[v->home[i]]] += asks;
        } else {
            e->stays[v->home[i]] += asks;
        }
    }
}

static double
even_resource(struct evening *e, uint32_t r)
{
    const struct dcp_volumes *v = e->f->v;
    double sum = 0;

    split_load(e, r);
    for (uint32_t name = 0; name < v->n_pools; name++) {
        double weight = 0;
        uint32_t n = 0;
        bool all = true;

        for (uint32_t p = 0; p < v->n_pools; p++) {
            if (e->region[p] != name) {
                continue;
            }
            if (e->f->weight[p][r] <= 0 || (v->q->avoid && v->q->avoid[p])) {
                all = false; /* What leaves for there costs nothing. */
                continue;
            }
            weight = weight > 0 ? fmin(weight, e->f->weight[p][r])
                                : e->f->weight[p][r];
            e->vessels[n++] =
                (struct vessel){ e->stays[p], (double)v->limit[p][r] };
        }
        sum += weight * pour(e->vessels, n, all ? e->movable[name] : 0);
    }
    return sum;
}

bool
dcp_storage_bound_pressure(const struct dcp_fill *f, double *out,
                           struct dcp_error *err)
{
    uint32_t n = f->v->n_pools;
    DCP_FREE uint32_t *region = regions(f->v);
    DCP_FREE struct vessel *vessels = calloc(n + 1u, sizeof *vessels);
    DCP_FREE double *movable = calloc(n + 1u, sizeof *movable);
    DCP_FREE double *stays = calloc(n + 1u, sizeof *stays);
    struct evening e = { f, region, vessels, movable, stays };

    *out = 0;
    if (!region || !vessels || !movable || !stays) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a bound on pools");
    }
    for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
        *out += even_resource(&e, r);
    }
    *out *= SAFE;
    return true;
}

/* --- Relieving ---------------------------------------------------------- */

struct piece {
    double mib, asks;
};

static int
by_space_per_unit(const void *pa, const void *pb)
{
    const struct piece *a = pa, *b = pb;
    double x = a->mib * b->asks, y = b->mib * a->asks;

    return x < y ? -1 : x > y;
}

/* The least space of pieces that ask for 'excess' together. */
static double
least_space(struct piece pieces[], uint32_t n, double excess)
{
    double mib = 0;

    if (n > 1) {
        qsort(pieces, n, sizeof *pieces, by_space_per_unit);
    }
    for (uint32_t k = 0; k < n && excess > 0; k++) {
        double share = pieces[k].asks > excess ? excess / pieces[k].asks : 1;

        mib += share * pieces[k].mib;
        excess -= pieces[k].asks;
    }
    return mib;
}

static double
leaves_pool(const struct dcp_fill *f, uint32_t p, bool to_usable,
            struct piece pieces[])
{
    const struct dcp_volumes *v = f->v;
    double forced = 0, most = 0;

    for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
        uint64_t limit = to_usable ? v->usable[p][r] : v->limit[p][r];
        double excess = (double)f->load[p][r] - (double)limit;
        uint32_t n = 0;

        forced = 0;
        for (uint32_t k = 0; k < f->n_items[p]; k++) {
            uint32_t i = f->items[p][k];

            if (!can_move(v, i)) {
                continue;
            }
            if (!dcp_volumes_may(v, i, p)) {
                forced += (double)v->asks[i][DCP_POOL_SPACE];
                excess -= (double)v->asks[i][r];
            } else if (v->asks[i][r]) {
                pieces[n++] =
                    (struct piece){ (double)v->asks[i][DCP_POOL_SPACE],
                                    (double)v->asks[i][r] };
            }
        }
        if (limit != UINT64_MAX && excess > 0) {
            most = fmax(most, least_space(pieces, n, excess));
        }
    }
    return forced + most;
}

bool
dcp_storage_bound_moved(const struct dcp_fill *f, bool to_usable, double *out,
                        struct dcp_error *err)
{
    DCP_FREE struct piece *pieces = calloc(f->v->n_items + 1u, sizeof *pieces);

    *out = 0;
    if (!pieces) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a bound on pools");
    }
    for (uint32_t p = 0; p < f->v->n_pools; p++) {
        *out += leaves_pool(f, p, to_usable, pieces);
    }
    *out *= SAFE;
    return true;
}

/* --- No answer ---------------------------------------------------------- */

bool
dcp_storage_shortage(const struct dcp_fill *f, struct dcp_storage_shortage *out,
                     struct dcp_error *err)
{
    const struct dcp_volumes *v = f->v;
    DCP_FREE uint32_t *region = regions(v);

    *out = (struct dcp_storage_shortage){ 0 };
    if (!region) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for regions of pools");
    }
    for (uint32_t name = 0; name < v->n_pools && !out->found; name++) {
        for (uint32_t r = 0; r < DCP_POOL_RESOURCES && !out->found; r++) {
            double need = 0, have = 0;
            bool avoided = false;

            for (uint32_t p = 0; p < v->n_pools; p++) {
                bool avoid = v->q->avoid && v->q->avoid[p];
                uint64_t limit = v->limit[p][r] > f->start[p][r]
                                     ? v->limit[p][r]
                                     : f->start[p][r];

                if (region[p] != name) {
                    continue;
                }
                need += (double)(f->start[p][r] - (avoid ? v->fixed[p][r] : 0));
                have += avoid                 ? 0
                        : limit == UINT64_MAX ? INFINITY
                                              : (double)limit;
                avoided |= avoid;
            }
            if (avoided && need > have) {
                *out = (struct dcp_storage_shortage){ true,
                                                      (enum dcp_pool_resource)r,
                                                      name, need, have };
            }
        }
    }
    return true;
}
