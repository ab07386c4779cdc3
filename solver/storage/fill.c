/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/storage/fill.h"

#include <math.h>
#include <stdlib.h>

/* --- Life --------------------------------------------------------------- */

static bool
push(struct dcp_fill *f, uint32_t item, uint32_t pool)
{
    if (f->n_items[pool] == f->room[pool]) {
        uint32_t room = f->room[pool] ? 2 * f->room[pool] : 16;
        uint32_t *more = realloc(f->items[pool], room * sizeof *more);

        if (!more) {
            return false;
        }
        f->items[pool] = more;
        f->room[pool] = room;
    }
    f->at[item] = f->n_items[pool];
    f->items[pool][f->n_items[pool]++] = item;
    f->pool[item] = pool;
    return true;
}

#define N_TIERS 3u

/* What is asked of a resource in a tier's pools; 0: not to be evened out. */
static double
uneven_load(const struct dcp_fill *f, uint32_t tier, uint32_t r)
{
    const struct dcp_inventory *inv = f->v->q->inventory;
    double sum = 0, least = INFINITY, most = 0;
    uint32_t n = 0;

    for (uint32_t p = 0; p < f->v->n_pools; p++) {
        if ((uint32_t)inv->pools[p].tier != tier ||
            (f->v->q->avoid && f->v->q->avoid[p])) {
            continue;
        }
        uint64_t limit = f->v->limit[p][r];

        if (limit == UINT64_MAX || !limit) {
            return 0;
        }
        double frac = dcp_fill_frac(f, p, (enum dcp_pool_resource)r);

        least = fmin(least, frac);
        most = fmax(most, frac);
        sum += (double)f->load[p][r];
        n++;
    }
    return n > 1 && most - least > inv->policy.storage.min_difference_frac ? sum
                                                                           : 0;
}

/* Parts of the day count together as much as space does. */
static uint32_t
share_of(const struct dcp_fill *f, uint32_t r)
{
    bool by_part = dcp_pool_resource_counts(
        f->v->q->demand, (enum dcp_pool_resource)(DCP_POOL_IOPS + 1));

    return r == DCP_POOL_SPACE || !by_part ? DCP_DAY_PARTS : 1;
}

static void
set_weights(struct dcp_fill *f)
{
    const struct dcp_volumes *v = f->v;
    const struct dcp_pool *pools = v->q->inventory->pools;
    double load[N_TIERS][DCP_POOL_RESOURCES] = { { 0 } };
    uint32_t n = 0;

    for (uint32_t t = 0; t < N_TIERS; t++) {
        for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
            load[t][r] =
                v->q->aim == DCP_STORAGE_BALANCE ? uneven_load(f, t, r) : 0;
            n += load[t][r] > 0 ? share_of(f, r) : 0;
        }
    }
    for (uint32_t p = 0; p < v->n_pools; p++) {
        for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
            double sum = load[pools[p].tier][r];

            f->weight[p][r] = sum > 0 && !(v->q->avoid && v->q->avoid[p])
                                  ? share_of(f, r) / (n * sum)
                                  : 0;
        }
    }
    f->move_cost = v->total[DCP_POOL_SPACE]
                       ? (v->q->aim == DCP_STORAGE_BALANCE ? DCP_FILL_MOVE_EVEN
                                                           : DCP_FILL_MOVE) /
                             (double)v->total[DCP_POOL_SPACE]
                       : 0;
}

struct dcp_fill *
dcp_fill_create(const struct dcp_volumes *v, struct dcp_error *err)
{
    DCP_AUTO(dcp_fill) struct dcp_fill *f = calloc(1, sizeof *f);

    if (f) {
        f->v = v;
        f->pool = calloc(v->n_items + 1u, sizeof *f->pool);
        f->at = calloc(v->n_items + 1u, sizeof *f->at);
        f->load = calloc(v->n_pools + 1u, sizeof *f->load);
        f->start = calloc(v->n_pools + 1u, sizeof *f->start);
        f->weight = calloc(v->n_pools + 1u, sizeof *f->weight);
        f->items = calloc(v->n_pools + 1u, sizeof *f->items);
        f->n_items = calloc(v->n_pools + 1u, sizeof *f->n_items);
        f->room = calloc(v->n_pools + 1u, sizeof *f->room);
    }
    bool ok = f && f->pool && f->at && f->load && f->start && f->weight &&
              f->items && f->n_items && f->room;

    for (uint32_t i = 0; ok && i < v->n_items; i++) {
        ok = push(f, i, v->home[i]);
        for (uint32_t r = 0; ok && r < DCP_POOL_RESOURCES; r++) {
            f->load[v->home[i]][r] += v->asks[i][r];
        }
    }
    if (!ok) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for what pools hold");
        return NULL;
    }
    for (uint32_t p = 0; p < v->n_pools; p++) {
        for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
            f->load[p][r] += v->fixed[p][r];
            f->start[p][r] = f->load[p][r];
        }
    }
    set_weights(f);
    return DCP_STEAL(f);
}

void
dcp_fill_destroy(struct dcp_fill *f)
{
    if (f) {
        for (uint32_t p = 0; f->items && p < f->v->n_pools; p++) {
            free(f->items[p]);
        }
        free(f->items);
        free(f->pool);
        free(f->at);
        free(f->load);
        free(f->start);
        free(f->weight);
        free(f->n_items);
        free(f->room);
        free(f);
    }
}

/* --- Cost --------------------------------------------------------------- */

/* Of 'load' of one resource in one pool. */
static double
load_cost(const struct dcp_fill *f, uint32_t pool, uint32_t r, uint64_t load)
{
    uint64_t limit = f->v->limit[pool][r], usable = f->v->usable[pool][r];
    double cost = 0;

    if (limit == UINT64_MAX) {
        return 0;
    }
    double size = limit ? (double)limit : 1;
    double x = (double)load;

    if (load > limit) {
        cost += DCP_FILL_OVER * (x - (double)limit) / size;
    }
    if (load > usable) {
        cost += DCP_FILL_FULL * (x - (double)usable) / size;
    }
    cost += f->weight[pool][r] * x * x / size;
    return cost;
}

double
dcp_fill_pool_cost(const struct dcp_fill *f, uint32_t pool)
{
    double cost = 0;

    for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
        cost += load_cost(f, pool, r, f->load[pool][r]);
    }
    return cost;
}

bool
dcp_fill_clashes(const struct dcp_fill *f, uint32_t item, uint32_t pool)
{
    const struct dcp_volumes *v = f->v;
    uint32_t family = v->family[item];

    if (family == DCP_IX_NONE) {
        return false;
    }
    for (uint32_t k = v->family_first[family]; k < v->family_first[family + 1];
         k++) {
        if (v->family_item[k] != item && f->pool[v->family_item[k]] == pool) {
            return true;
        }
    }
    return false;
}

static double
astray_cost(const struct dcp_fill *f, uint32_t item, uint32_t pool)
{
    return DCP_FILL_ASTRAY * (!dcp_volumes_may(f->v, item, pool) +
                              dcp_fill_clashes(f, item, pool));
}

static double
moved_cost(const struct dcp_fill *f, uint32_t item, uint32_t pool)
{
    return pool == f->v->home[item]
               ? 0
               : f->move_cost * (double)f->v->asks[item][DCP_POOL_SPACE];
}

double
dcp_fill_delta(const struct dcp_fill *f, uint32_t item, uint32_t to)
{
    const uint64_t *asks = f->v->asks[item];
    uint32_t from = f->pool[item];
    double delta = astray_cost(f, item, to) - astray_cost(f, item, from) +
                   moved_cost(f, item, to) - moved_cost(f, item, from);

    for (uint32_t r = 0; from != to && r < DCP_POOL_RESOURCES; r++) {
        uint64_t a = f->load[from][r], b = f->load[to][r], x = asks[r];

        if (x) {
            delta += load_cost(f, from, r, a - x) - load_cost(f, from, r, a) +
                     load_cost(f, to, r, b + x) - load_cost(f, to, r, b);
        }
    }
    return delta;
}

double
dcp_fill_cost(const struct dcp_fill *f)
{
    double cost = 0;

    for (uint32_t p = 0; p < f->v->n_pools; p++) {
        cost += dcp_fill_pool_cost(f, p);
    }
    for (uint32_t i = 0; i < f->v->n_items; i++) {
        cost += astray_cost(f, i, f->pool[i]) + moved_cost(f, i, f->pool[i]);
    }
    return cost;
}

bool
dcp_fill_move(struct dcp_fill *f, uint32_t item, uint32_t to)
{
    const struct dcp_volumes *v = f->v;
    uint32_t from = f->pool[item], place = f->at[item];
    uint32_t n = dcp_volumes_n_of(v, item);
    uint64_t mib = v->asks[item][DCP_POOL_SPACE];

    if (from == to) {
        return true;
    }
    uint32_t last = f->items[from][--f->n_items[from]];

    f->items[from][place] = last;
    f->at[last] = place;
    if (!push(f, item, to)) {
        return false;
    }
    for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
        f->load[from][r] -= v->asks[item][r];
        f->load[to][r] += v->asks[item][r];
    }
    if (from == v->home[item]) {
        f->n_moved += n;
        f->moved_mib += mib;
    } else if (to == v->home[item]) {
        f->n_moved -= n;
        f->moved_mib -= mib;
    }
    return true;
}

bool
dcp_fill_is_legal(const struct dcp_fill *f)
{
    const struct dcp_volumes *v = f->v;

    for (uint32_t p = 0; p < v->n_pools; p++) {
        for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
            if (f->load[p][r] > v->limit[p][r] &&
                f->load[p][r] > f->start[p][r]) {
                return false;
            }
        }
    }
    for (uint32_t i = 0; i < v->n_items; i++) {
        uint32_t home = v->home[i];

        if (!dcp_volumes_may(v, i, f->pool[i]) &&
            (f->pool[i] != home || (v->q->avoid && v->q->avoid[home]))) {
            return false;
        }
        if (f->pool[i] != home && dcp_fill_clashes(f, i, f->pool[i])) {
            return false;
        }
    }
    return true;
}

double
dcp_fill_frac(const struct dcp_fill *f, uint32_t pool, enum dcp_pool_resource r)
{
    uint64_t limit = f->v->limit[pool][r];

    return limit == UINT64_MAX || !limit
               ? 0
               : (double)f->load[pool][r] / (double)limit;
}

double
dcp_fill_pressure(const struct dcp_fill *f)
{
    double sum = 0;

    for (uint32_t p = 0; p < f->v->n_pools; p++) {
        for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
            sum += f->weight[p][r] * (double)f->load[p][r] *
                   dcp_fill_frac(f, p, (enum dcp_pool_resource)r);
        }
    }
    return sum;
}
