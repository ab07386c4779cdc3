/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/rng.h"
#include "model/migration.h"
#include "solver/schedule/timed_order_parts.h"

#include <stdlib.h>

#define NONE       DCP_IX_NONE
#define TRIES_MOST 400u
/* Moves looked at: by the first simulation, and in all. */
#define WORK_FIRST 40000000u
#define WORK_MOST  8000000u

/* --- The search ---------------------------------------------------------- */

/* The entries that waited for each other until the last one ended, last first;
 * how many. */
static uint32_t
critical_chain(const struct dcp_timed *t, uint32_t chain[])
{
    uint32_t n = 0, k = 0;

    for (uint32_t i = 1; i < t->out->n; i++) {
        k = t->out->moves[i].end_ms > t->out->moves[k].end_ms ? i : k;
    }
    for (; t->out->n && k != NONE; k = t->cause[k]) {
        chain[n++] = k;
    }
    return n;
}

static bool
copy_order(struct dcp_move_order *to, const struct dcp_move_order *from)
{
    to->n = 0;
    for (uint32_t i = 0; i < from->n; i++) {
        if (!dcp_move_order_add(to, from->moves[i])) {
            return false;
        }
    }
    return true;
}

/* Takes a VM of the chain and lets it step aside, or not, or go sooner; keeps
 * what is no longer. */
static bool
search(struct dcp_timed *t, const uint8_t on[], int64_t best_ms,
       struct dcp_move_order *best, uint32_t chain[])
{
    struct dcp_rng rng = dcp_rng_stream(1, "order", t->n);
    uint32_t n = critical_chain(t, chain);

    for (uint32_t k = 0;
         k < TRIES_MOST && n && t->work < t->work_most && !dcp_timed_is_late(t);
         k++) {
        uint32_t vm = best->moves[chain[dcp_rng_below(&rng, n)]].vm;
        bool aside = dcp_rng_below(&rng, 4) != 0;
        double urgency = t->w.urgency[vm];
        int64_t ms;

        if (aside) {
            t->w.aside[vm] ^= 1;
        } else {
            t->w.urgency[vm] *= 1 + 9 * dcp_rng_unit(&rng);
        }
        if (!dcp_timed_simulate(t, on, &ms)) {
            return false;
        }
        if (ms > best_ms || (ms == best_ms && t->out->n > best->n)) {
            t->w.aside[vm] ^= aside;
            t->w.urgency[vm] = urgency;
            continue;
        }
        best_ms = ms;
        n = critical_chain(t, chain);
        if (!copy_order(best, t->out)) {
            return false;
        }
    }
    return true;
}

/* --- All of it ---------------------------------------------------------- */

static bool
allocate(struct dcp_timed *t, struct dcp_error *err)
{
    size_t nh = t->start->p->n_hosts + 1u, nv = t->start->p->n_items + 1u;

    t->s = dcp_state_create(t->start->p, err);
    t->scratch = dcp_state_create(t->start->p, err);
    t->moves = calloc(nv, sizeof *t->moves);
    t->waiting = calloc(nv, 1);
    t->phase = calloc(nv, 1);
    t->w.aside = calloc(nv, 1);
    t->w.urgency = calloc(nv, sizeof *t->w.urgency);
    t->at = calloc(nv, sizeof *t->at);
    t->left = calloc(nv, sizeof *t->left);
    t->entry = calloc(nv, sizeof *t->entry);
    t->asides = calloc(nv, sizeof *t->asides);
    t->next_of_source = calloc(nv, sizeof *t->next_of_source);
    t->target = calloc(nv, sizeof *t->target);
    t->tries = calloc(5 * nv, sizeof *t->tries);
    t->source = calloc(nh, sizeof *t->source);
    t->target_first = calloc(nh + 1, sizeof *t->target_first);
    t->n_out = calloc(nh, sizeof *t->n_out);
    t->n_in = calloc(nh, sizeof *t->n_in);
    t->units = calloc(nh, sizeof *t->units);
    t->up_ms = calloc(nh, sizeof *t->up_ms);
    return t->s && t->scratch && t->moves && t->waiting && t->phase &&
           t->w.aside && t->w.urgency && t->at && t->left && t->entry &&
           t->asides && t->next_of_source && t->target && t->tries &&
           t->source && t->target_first && t->n_out && t->n_in && t->units &&
           t->up_ms;
}

static void
finish(struct dcp_timed *t)
{
    dcp_state_destroy(t->s);
    dcp_state_destroy(t->scratch);
    dcp_sequences_finish(&t->seq);
    dcp_agenda_finish(&t->ends);
    free(t->moves);
    free(t->waiting);
    free(t->phase);
    free(t->w.aside);
    free(t->w.urgency);
    free(t->at);
    free(t->left);
    free(t->entry);
    free(t->cause);
    free(t->asides);
    free(t->next_of_source);
    free(t->target);
    free(t->tries);
    free(t->source);
    free(t->target_first);
    free(t->n_out);
    free(t->n_in);
    free(t->units);
    free(t->up_ms);
}

/* Who moves, and who is the largest. */
static bool
begin_wishes(struct dcp_timed *t, struct dcp_error *err)
{
    const struct dcp_problem *p = t->start->p;

    for (uint32_t v = 0; v < p->n_items; v++) {
        uint32_t to = t->to->host[v].ix;

        t->waiting[v] = to != NONE && t->start->host[v] != to;
        t->w.urgency[v] = p->size[v];
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        const struct dcp_inventory *inv = p->q->inventory;

        t->units[h] =
            dcp_migration_units(&inv->hardware[inv->hosts[h].hardware.ix],
                                inv->policy.units_per_10gbit);
    }
    return dcp_sequences_init(&t->seq, p->q->inventory, t->waiting, NULL, err);
}

bool
dcp_timed_order_make(const struct dcp_state *start,
                     const struct dcp_placement *to, const uint8_t on[],
                     int64_t deadline_ms, struct dcp_move_order *out,
                     struct dcp_error *err)
{
    struct dcp_move_order now = { .stuck_vm = NONE };
    struct dcp_timed t = { .start = start,
                           .to = to,
                           .out = &now,
                           .work_most = WORK_FIRST,
                           .deadline_ms = deadline_ms };
    DCP_FREE uint32_t *chain = NULL;
    int64_t ms = 0;

    *out = (struct dcp_move_order){ .stuck_vm = NONE };
    bool ok = allocate(&t, err) && begin_wishes(&t, err) &&
              dcp_timed_simulate(&t, on, &ms) && copy_order(out, &now);

    if (ok) {
        t.work_most = WORK_MOST;
        chain = calloc((1u + DCP_BYPASSES_MAX) * (t.n + 1u), sizeof *chain);
        ok = chain && (ms == INT64_MAX || search(&t, on, ms, out, chain));
    }
    if (ms == INT64_MAX) {
        out->stuck_vm = t.moves[0].vm;
    }
    dcp_move_order_finish(&now);
    finish(&t);
    if (!ok) {
        dcp_move_order_finish(out);
        return dcp_fail(err, DCP_E_NOMEM, "no memory to order moves");
    }
    return true;
}
