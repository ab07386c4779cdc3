/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/assign/walk.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

double
dcp_assign_now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct dcp_assign_walk *
dcp_assign_walk_create(const struct dcp_assign_columns *c, uint32_t max_moves,
                       uint64_t seed, uint64_t index, struct dcp_error *err)
{
    DCP_AUTO(dcp_assign_walk)
    struct dcp_assign_walk *w = calloc(1, sizeof *w);
    uint32_t n = c->p->n_items;

    if (w) {
        w->rng = dcp_rng_stream(seed, "assign", index);
        w->best = calloc(n + 1u, sizeof *w->best);
        w->changed = calloc(n + 1u, sizeof *w->changed);
    }
    if (!w || !w->best || !w->changed) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to assign items");
        return NULL;
    }
    w->state = dcp_assign_state_create(c, max_moves, err);
    if (!w->state) {
        return NULL;
    }
    memcpy(w->best, w->state->at, n * sizeof *w->best);
    w->best_cost = w->state->cost;
    return DCP_STEAL(w);
}

void
dcp_assign_walk_destroy(struct dcp_assign_walk *w)
{
    if (w) {
        dcp_assign_state_destroy(w->state);
        free(w->best);
        free(w->changed);
        free(w);
    }
}

void
dcp_assign_walk_put(struct dcp_assign_walk *w, uint32_t item, uint32_t host)
{
    w->failed = w->failed || !dcp_assign_put(w->state, item, host);
    if (w->n_changed < w->state->c->p->n_items) {
        w->changed[w->n_changed++] = item;
    }
}

void
dcp_assign_walk_note(struct dcp_assign_walk *w)
{
    const uint32_t *at = w->state->at;
    uint32_t n = w->state->c->p->n_items;

    if (w->state->cost >= w->best_cost || w->state->hard_cost || w->failed) {
        return;
    }
    w->best_cost = w->state->cost;
    if (w->n_changed == n) {
        memcpy(w->best, at, n * sizeof *w->best);
    } else {
        for (uint32_t k = 0; k < w->n_changed; k++) {
            w->best[w->changed[k]] = at[w->changed[k]];
        }
    }
    w->n_changed = 0;
}

void
dcp_assign_walk_jump(struct dcp_assign_walk *w, const uint32_t at[])
{
    uint32_t n = w->state->c->p->n_items;

    /* 'at' may be the state's own. */
    memcpy(w->changed, at, n * sizeof *w->changed);
    w->failed = w->failed || !dcp_assign_state_set(w->state, w->changed);
    w->n_changed = n;
    dcp_assign_walk_note(w);
}
