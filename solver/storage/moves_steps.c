/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Steps and their waits.  Of each pool the departures are kept in the order of
 * moves; the gate of an arrival is the shortest run of them that makes room for
 * it and for all arrivals before it, and one step stands for that run. */

#include "solver/storage/moves_parts.h"

#include <stdlib.h>
#include <string.h>

struct gate {
    dcp_amounts held;     /* Start, less the run, plus the arrivals. */
    uint32_t step;        /* Id that stands for the run so far; 0: none. */
    uint32_t n_in_run;    /* Departures in it. */
    uint32_t n_listed;    /* Departures so far, ... */
    uint32_t *departures; /* ... positions in the order. */
};

static bool
no_memory(struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_NOMEM, "no memory for moves of volumes");
}

static bool
is_full(const struct dcp_move_work *w, const struct gate *g, uint32_t pool,
        const dcp_amounts asks)
{
    for (uint32_t k = 0; k < DCP_POOL_RESOURCES; k++) {
        if (asks[k] && g->held[k] > w->most[pool][k]) {
            return true;
        }
    }
    return false;
}

/* Ids that 'step' waits for, ascending, without 0 and repetitions. */
static bool
set_after(struct dcp_move_work *w, struct dcp_step *step, uint32_t ids[],
          uint32_t n)
{
    uint32_t kept = 0;
    uint32_t *after = dcp_arena_array(w->steps->arena, uint32_t, n + 1u);

    if (!after) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = kept;

        if (!ids[i]) {
            continue;
        }
        while (k && after[k - 1] > ids[i]) {
            after[k] = after[k - 1];
            k--;
        }
        after[k] = ids[i];
        kept++;
    }
    step->after = after;
    step->n_after = kept;
    return true;
}

/* Lengthens the pool's run until the arrival fits; '*out_id' stands for it. */
static bool
open_gate(struct dcp_move_work *w, struct gate *g, const uint32_t id_of[],
          const struct dcp_volume_move *m, uint32_t *out_id)
{
    const uint64_t *asks = w->asks[m->volume];
    uint32_t before = g->n_in_run;

    for (uint32_t k = 0; k < DCP_POOL_RESOURCES; k++) {
        g->held[k] += asks[k];
    }
    while (is_full(w, g, m->to, asks) && g->n_in_run < g->n_listed) {
        const struct dcp_volume_move *d =
            &w->order[g->departures[g->n_in_run++]];

        for (uint32_t k = 0; k < DCP_POOL_RESOURCES; k++) {
            g->held[k] -= w->asks[d->volume][k];
        }
    }
    uint32_t n = g->n_in_run - before;

    if (n == 1 && !g->step) {
        g->step = id_of[g->departures[before]];
    } else if (n) {
        DCP_FREE uint32_t *ids = calloc(n + 1u, sizeof *ids);
        struct dcp_step *sync = ids ? dcp_step_list_add(w->steps) : NULL;

        if (!sync) {
            return false;
        }
        for (uint32_t k = 0; k < n; k++) {
            ids[k] = id_of[g->departures[before + k]];
        }
        ids[n] = g->step;
        sync->kind = DCP_STEP_SYNC;
        sync->leg = w->r->leg;
        sync->reason = w->r->reason;
        sync->reason_text = "room in a pool";
        if (!set_after(w, sync, ids, n + 1)) {
            return false;
        }
        g->step = sync->id;
    }
    *out_id = g->step;
    return true;
}

static bool
add_move(struct dcp_move_work *w, struct gate gates[], uint32_t id_of[],
         uint32_t at)
{
    const struct dcp_volume_move *m = &w->order[at];
    uint32_t ids[2] = { 0, 0 };

    if (!open_gate(w, &gates[m->to], id_of, m, &ids[0])) {
        return false;
    }
    if (m->earlier != DCP_IX_NONE) {
        ids[1] = id_of[m->earlier] == ids[0] ? 0 : id_of[m->earlier];
    }
    struct dcp_step *s = dcp_step_list_add(w->steps);

    if (!s) {
        return false;
    }
    s->leg = w->r->leg;
    s->kind = DCP_STEP_VOLUME_MOVE;
    s->object = (struct dcp_object){ DCP_OBJECT_VOLUME, m->volume };
    s->from = (struct dcp_object){ DCP_OBJECT_POOL, m->from };
    s->to = (struct dcp_object){ DCP_OBJECT_POOL, m->to };
    s->estimate_ms = dcp_volume_move_ms(w, m);
    id_of[at] = s->id;
    gates[m->from].departures[gates[m->from].n_listed++] = at;
    return set_after(w, s, ids, 2) && dcp_volume_move_reason(w, m, s);
}

bool
dcp_move_work_steps(struct dcp_move_work *w, struct dcp_error *err)
{
    DCP_FREE struct gate *gates = calloc(w->n_pools + 1u, sizeof *gates);
    DCP_FREE uint32_t *id_of = calloc(w->n + 1u, sizeof *id_of);
    DCP_FREE uint32_t *departures = calloc(w->n + 1u, sizeof *departures);
    bool ok = gates && id_of && departures;
    uint32_t at = 0;

    for (uint32_t i = 0; ok && i < w->n; i++) {
        gates[w->order[i].from].n_listed++;
    }
    for (uint32_t p = 0; ok && p < w->n_pools; p++) {
        gates[p].departures = departures + at;
        at += gates[p].n_listed;
        gates[p].n_listed = 0;
        memcpy(gates[p].held, w->start[p], sizeof gates[p].held);
    }
    for (uint32_t i = 0; ok && i < w->n; i++) {
        ok = add_move(w, gates, id_of, i);
    }
    return ok || no_memory(err);
}
