/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The order of moves. */

#include "solver/storage/moves_parts.h"

#include <stdlib.h>
#include <string.h>

static bool
no_memory(struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_NOMEM, "no memory for moves of volumes");
}

static bool
is_in_use(const struct dcp_move_work *w, uint32_t volume)
{
    dcp_vm_id vm = w->inv->volumes[volume].vm;

    return dcp_vm_is_none(vm) || !dcp_host_is_none(w->r->from->host[vm.ix]);
}

bool
dcp_move_work_init(struct dcp_move_work *w,
                   const struct dcp_storage_moves_request *r,
                   struct dcp_error *err)
{
    const struct dcp_inventory *inv = r->inventory;

    w->r = r;
    w->inv = inv;
    w->n_pools = inv->n_pools;
    w->n_volumes = inv->n_volumes;
    w->asks = calloc(inv->n_volumes + 1u, sizeof *w->asks);
    w->start = calloc(inv->n_pools + 1u, sizeof *w->start);
    w->now = calloc(inv->n_pools + 1u, sizeof *w->now);
    w->most = calloc(inv->n_pools + 1u, sizeof *w->most);
    if (!w->asks || !w->start || !w->now || !w->most) {
        return no_memory(err);
    }
    for (uint32_t i = 0; i < inv->n_volumes; i++) {
        dcp_pool_id pool = dcp_placement_pool(r->from, inv, i);

        dcp_volume_request(inv, r->demand, i, w->asks[i]);
        for (uint32_t k = 0; k < DCP_POOL_RESOURCES; k++) {
            if (!is_in_use(w, i)) {
                w->asks[i][k] = 0;
            } else if (!dcp_pool_is_none(pool)) {
                w->start[pool.ix][k] += w->asks[i][k];
            }
        }
    }
    for (uint32_t p = 0; p < inv->n_pools; p++) {
        dcp_pool_limit(&inv->pools[p], w->most[p]);
        for (uint32_t k = 0; k < DCP_POOL_RESOURCES; k++) {
            w->now[p][k] = w->start[p][k];
            w->most[p][k] =
                w->start[p][k] > w->most[p][k] ? w->start[p][k] : w->most[p][k];
        }
    }
    return true;
}

void
dcp_move_work_finish(struct dcp_move_work *w)
{
    free(w->asks);
    free(w->start);
    free(w->now);
    free(w->most);
    free(w->order);
}

/* --- Order -------------------------------------------------------------- */

static bool
fits(const struct dcp_move_work *w, uint32_t volume, uint32_t pool)
{
    for (uint32_t k = 0; k < DCP_POOL_RESOURCES; k++) {
        if (w->asks[volume][k] &&
            w->now[pool][k] + w->asks[volume][k] > w->most[pool][k]) {
            return false;
        }
    }
    return true;
}

static bool
append(struct dcp_move_work *w, const struct dcp_volume_move *m,
       struct dcp_error *err)
{
    if (w->n == w->room) {
        uint32_t room = w->room ? 2 * w->room : 256;
        struct dcp_volume_move *more = realloc(w->order, room * sizeof *more);

        if (!more) {
            return no_memory(err);
        }
        w->order = more;
        w->room = room;
    }
    w->order[w->n++] = *m;
    for (uint32_t k = 0; k < DCP_POOL_RESOURCES; k++) {
        w->now[m->from][k] -= w->asks[m->volume][k];
        w->now[m->to][k] += w->asks[m->volume][k];
    }
    return true;
}

/* The hosts of the volume's VM before and after open the pool. */
static bool
opens(const struct dcp_move_work *w, uint32_t volume, uint32_t pool)
{
    dcp_vm_id vm = w->inv->volumes[volume].vm;

    if (dcp_vm_is_none(vm)) {
        return true;
    }
    dcp_host_id a = w->r->from->host[vm.ix], b = w->r->to->host[vm.ix];

    return (dcp_host_is_none(a) || dcp_pool_opens_on(w->inv, pool, a.ix)) &&
           (dcp_host_is_none(b) || dcp_pool_opens_on(w->inv, pool, b.ix));
}

/* A pool that has room meanwhile, the emptiest by space. */
static uint32_t
bypass_of(const struct dcp_move_work *w, const struct dcp_volume_move *m)
{
    uint32_t best = DCP_IX_NONE;
    double best_left = -1;

    for (uint32_t p = 0; p < w->n_pools; p++) {
        if (p == m->from || p == m->to || !fits(w, m->volume, p) ||
            !opens(w, m->volume, p) || (w->r->avoid && w->r->avoid[p])) {
            continue;
        }
        double left = (double)w->most[p][DCP_POOL_SPACE] -
                      (double)w->now[p][DCP_POOL_SPACE];

        if (left > best_left) {
            best_left = left;
            best = p;
        }
    }
    return best;
}

/* The smallest volume that can step aside, does. */
static bool
step_aside(struct dcp_move_work *w, struct dcp_volume_move pending[],
           uint32_t n, bool *out_done, struct dcp_error *err)
{
    uint32_t best = DCP_IX_NONE, by = DCP_IX_NONE;

    *out_done = false;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t mib = w->asks[pending[i].volume][DCP_POOL_SPACE];

        if (pending[i].earlier != DCP_IX_NONE ||
            (best != DCP_IX_NONE &&
             mib >= w->asks[pending[best].volume][DCP_POOL_SPACE])) {
            continue;
        }
        uint32_t p = bypass_of(w, &pending[i]);

        if (p != DCP_IX_NONE) {
            best = i;
            by = p;
        }
    }
    if (best == DCP_IX_NONE) {
        return true;
    }
    struct dcp_volume_move aside = pending[best];

    aside.to = by;
    aside.bypass = true;
    pending[best].from = by;
    pending[best].earlier = w->n;
    *out_done = true;
    return append(w, &aside, err);
}

/* Moves that fit, in passes; returns how many are left. */
static bool
pass(struct dcp_move_work *w, struct dcp_volume_move pending[], uint32_t *n,
     bool *out_any, struct dcp_error *err)
{
    uint32_t kept = 0;

    *out_any = false;
    for (uint32_t i = 0; i < *n; i++) {
        if (fits(w, pending[i].volume, pending[i].to)) {
            if (!append(w, &pending[i], err)) {
                return false;
            }
            *out_any = true;
        } else {
            pending[kept++] = pending[i];
        }
    }
    *n = kept;
    return true;
}

bool
dcp_move_work_order(struct dcp_move_work *w, uint32_t *out_stuck,
                    uint32_t *out_bypasses, struct dcp_error *err)
{
    DCP_FREE struct dcp_volume_move *pending =
        calloc(w->n_volumes + 1u, sizeof *pending);
    uint32_t n = 0;

    *out_stuck = DCP_IX_NONE;
    *out_bypasses = 0;
    if (!pending) {
        return no_memory(err);
    }
    for (uint32_t i = 0; i < w->n_volumes; i++) {
        uint32_t a = dcp_placement_pool(w->r->from, w->inv, i).ix;
        uint32_t b = dcp_placement_pool(w->r->to, w->inv, i).ix;

        if (a != b) {
            pending[n++] = (struct dcp_volume_move){
                .volume = i, .from = a, .to = b, .earlier = DCP_IX_NONE
            };
        }
    }
    while (n) {
        bool any;

        if (!pass(w, pending, &n, &any, err)) {
            return false;
        }
        if (any || !n) {
            continue;
        }
        if (!step_aside(w, pending, n, &any, err)) {
            return false;
        }
        if (!any) {
            *out_stuck = pending[0].volume;
            return true;
        }
        ++*out_bypasses;
    }
    return true;
}

/* --- All ---------------------------------------------------------------- */

bool
dcp_storage_moves_make(const struct dcp_storage_moves_request *r,
                       struct dcp_step_list *steps,
                       struct dcp_storage_schedule *out, struct dcp_error *err)
{
    struct dcp_move_work w = { .steps = steps };
    uint32_t first = steps->n, stuck = DCP_IX_NONE;

    *out = (struct dcp_storage_schedule){ .ok = true };
    bool ok = dcp_move_work_init(&w, r, err) &&
              dcp_move_work_order(&w, &stuck, &out->n_bypasses, err);

    if (ok && stuck != DCP_IX_NONE) {
        out->ok = false;
        out->stuck = stuck;
    } else if (ok && w.n) {
        ok = dcp_move_work_steps(&w, err) &&
             dcp_move_work_times(&w, first, out, err);
    }
    out->n_moves = w.n;
    for (uint32_t i = 0; i < w.n; i++) {
        out->moved_mib += r->inventory->volumes[w.order[i].volume].size_mib;
    }
    dcp_move_work_finish(&w);
    return ok;
}
