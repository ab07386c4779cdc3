/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Headroom: hosts kept empty from the beginning, of which one serves every
 * single loss of its region; then, for each item that finds no place after some
 * loss, room made by moving others, or a host switched on. */

#include "solver/search/racks.h"

#include "solver/bound/loss.h"
#include "solver/headroom/stand_in.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_EJECTIONS 60u
#define ROOM_HOSTS     40u
/* Hosts that are tried to be emptied for a stand-in. */
#define STAND_IN_TRIES 20u

/* How many items each host could restart. */
static bool
count_restarts(const struct dcp_problem *p, uint32_t *out)
{
    DCP_FREE uint32_t *items = calloc(p->n_classes + 1u, sizeof *items);

    if (!items) {
        return false;
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        items[p->reach_class[i]] += p->protected_item[i];
    }
    for (uint32_t c = 0; c < p->n_classes; c++) {
        const uint64_t *row = p->reach_restart + (size_t)c * p->reach_words;

        for (uint32_t h = 0; h < p->n_hosts; h++) {
            out[h] += row[h / 64] >> (h % 64) & 1 ? items[c] : 0;
        }
    }
    return true;
}

/* --- Reserves ----------------------------------------------------------- */

/* Whether 'a' is the better reserve than 'b': larger, then more items restart
 * on it, then less to move away. */
static bool
better_reserve(const struct search *x, const uint32_t *restarts, uint32_t a,
               uint32_t b)
{
    const struct dcp_problem *p = x->p;

    if (p->full[a] != p->full[b]) {
        return p->full[a] > p->full[b];
    }
    if (restarts[a] != restarts[b]) {
        return restarts[a] > restarts[b];
    }
    return x->s->used[a] < x->s->used[b];
}

bool
dcp_search_reserve(struct search *x, uint8_t *closed, struct dcp_error *err)
{
    const struct dcp_problem *p = x->p;
    DCP_FREE uint32_t *restarts = calloc(p->n_hosts + 1u, sizeof *restarts);

    if (!restarts || !count_restarts(p, restarts)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for spare hosts");
    }
    memset(closed, 0, p->n_hosts);
    /* As many in each region as may be lost at once. */
    for (uint32_t k = 0; k < dcp_bound_losses(p) * x->bound->n_regions; k++) {
        uint32_t r = k % x->bound->n_regions, best = DCP_IX_NONE;

        for (uint32_t h = 0; h < p->n_hosts; h++) {
            if (x->bound->region[h] == r && x->s->on[h] && !closed[h] &&
                p->use[h] == DCP_HOST_FREE && restarts[h] &&
                (best == DCP_IX_NONE || better_reserve(x, restarts, h, best))) {
                best = h;
            }
        }
        if (best != DCP_IX_NONE) {
            closed[best] = 1;
        }
    }
    return dcp_search_reserve_in_racks(x, closed) ||
           dcp_fail(err, DCP_E_NOMEM, "no memory for spare hosts");
}

/* --- Spares ------------------------------------------------------------- */

/* What a spare costs for what it can do: by its size and how many items it
 * could restart. */
static double
spare_cost(const struct dcp_problem *p, const uint32_t *restarts, uint32_t h)
{
    return p->on_value[h] / ((double)p->cap[h] * restarts[h] + 1);
}

/* Of the hosts that are off and could take 'item' after a loss, the one that
 * costs least for what it can do, because one spare serves every single loss.
 */
static uint32_t
spare_for(struct search *x, const uint32_t *restarts,
          const struct dcp_headroom *failed)
{
    const struct dcp_inventory *inv = x->p->q->inventory;
    uint32_t item = failed->failed_item;
    bool safe = false; /* After the loss of what goes down with the best. */
    struct dcp_state *s = x->s;
    const struct dcp_problem *p = x->p;
    uint32_t best = DCP_IX_NONE;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (dcp_headroom_could_wake(s, item, h) &&
            (failed->too_few_berths ||
             !dcp_loss_set_has(inv, &failed->failed, h))) {
            bool is_safe = dcp_search_may_expose(x, h);

            if (best == DCP_IX_NONE || (is_safe && !safe) ||
                (is_safe == safe &&
                 spare_cost(p, restarts, h) < spare_cost(p, restarts, best))) {
                best = h;
                safe = is_safe;
            }
        }
    }
    return best;
}

/* All hosts that the item could restart on are on and full: clears one of them
 * for it by moving others away; with 'fill_empty' also to hosts that are empty,
 * at the expense of what restarts there. */
static bool
clear_some(struct search *x, const struct dcp_headroom *failed, uint8_t *closed,
           bool fill_empty)
{
    const struct dcp_inventory *inv = x->p->q->inventory;
    uint32_t mark = x->in.trail.n;

    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        closed[h] = dcp_loss_set_has(inv, &failed->failed, h) ||
                    (!fill_empty && x->s->on[h] && !x->s->n_on_host[h]);
    }
    x->in.may_wake = false;
    x->in.closed = closed;
    bool made = dcp_homeless_make_room(
        &x->homeless, &x->in, failed->failed_item, ROOM_EJECTIONS, ROOM_HOSTS);

    x->in.closed = NULL;
    dcp_homeless_clear(&x->homeless);
    if (!made) {
        dcp_trail_undo_to(&x->in.trail, x->s, mark);
    }
    return made;
}

static bool
make_room(struct search *x, const struct dcp_headroom *failed, uint8_t *closed)
{
    return clear_some(x, failed, closed, false) ||
           clear_some(x, failed, closed, true);
}

/* --- Stand-ins ------------------------------------------------------------ */

/* Of the hosts that are off, the cheapest that could take all of 'host'. */
static bool
wake_stand_in(struct search *x, uint32_t host, const uint32_t *restarts)
{
    struct dcp_state *s = x->s;
    const struct dcp_problem *p = x->p;
    uint32_t best = DCP_IX_NONE;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (s->on[h] || p->use[h] != DCP_HOST_FREE ||
            !(p->q->may_wake || p->q->start->on[h]) ||
            !dcp_state_may_switch(s, h, true) ||
            (best != DCP_IX_NONE &&
             spare_cost(p, restarts, h) >= spare_cost(p, restarts, best))) {
            continue;
        }
        dcp_state_power(s, h, true);
        if (dcp_stands_in(s, h, host, x->in.scratch)) {
            best = h;
        }
        dcp_state_power(s, h, false);
    }
    if (best != DCP_IX_NONE) {
        dcp_insert_power(&x->in, best, true);
    }
    return best != DCP_IX_NONE;
}

/* Moves all off some host that holds little, so that it stands in for 'host';
 * hosts that are empty already stay so. */
static bool
empty_stand_in(struct search *x, uint32_t host, uint8_t *closed)
{
    struct dcp_state *s = x->s;
    uint32_t mark = x->in.trail.n, tries = 0;
    bool done = false;
    DCP_FREE struct dcp_ranked_host *ranks =
        malloc((x->p->n_hosts + 1u) * sizeof *ranks);
    uint32_t n = 0;

    for (uint32_t h = 0; ranks && h < x->p->n_hosts; h++) {
        closed[h] = s->on[h] && s->first[h] == DCP_IX_NONE;
        if (h != host && !closed[h] && dcp_insert_is_open(&x->in, h)) {
            ranks[n++] = (struct dcp_ranked_host){ h, dcp_search_fill(x, h) };
        }
    }
    if (ranks) {
        dcp_search_sort_hosts(ranks, n);
    }
    x->in.may_wake = false;
    x->in.closed = closed;
    for (uint32_t k = 0; k < n && !done && tries < STAND_IN_TRIES; k++) {
        uint32_t h = ranks[k].host, n_items = 0;
        uint32_t *items = x->in.scratch;

        tries++;
        closed[h] = 1;
        while (s->first[h] != DCP_IX_NONE) {
            items[n_items] = s->first[h];
            dcp_insert_remove(&x->in, items[n_items++]);
        }
        done = dcp_insert_all(&x->in, items, n_items) &&
               dcp_stands_in(s, h, host, items);
        if (!done) {
            dcp_trail_undo_to(&x->in.trail, s, mark);
            closed[h] = 0;
        }
    }
    x->in.closed = NULL;
    return done;
}

/* Ends the first loss that is not survived: by room made, or where that was
 * done for the item before, by a host switched on. */
static bool
mend(struct search *x, const struct dcp_headroom *failed,
     const uint32_t *restarts, uint8_t *closed, bool may_wake, bool again)
{
    bool few_moves = x->options->need != NULL; /* Waking moves nothing. */
    uint32_t item = failed->failed_item;

    if (failed->too_few_stand_ins) {
        uint32_t host = failed->failed.ix[0];

        return (may_wake && wake_stand_in(x, host, restarts)) ||
               (!dcp_search_time_is_up(x) && empty_stand_in(x, host, closed));
    }
    if (failed->too_few_berths) {
        uint32_t spare =
            may_wake ? spare_for(x, restarts, failed) : DCP_IX_NONE;

        if (spare != DCP_IX_NONE) {
            dcp_insert_power(&x->in, spare, true);
        }
        return spare != DCP_IX_NONE ||
               (failed->too_few_empty && !dcp_search_time_is_up(x) &&
                empty_stand_in(x, x->s->host[item], closed));
    }

    /* Once the time is up, what is quick. */
    if (!((again || few_moves || dcp_search_time_is_up(x)) && may_wake) &&
        make_room(x, failed, closed)) {
        return true;
    }
    uint32_t h = may_wake ? spare_for(x, restarts, failed) : DCP_IX_NONE;

    if (h != DCP_IX_NONE) {
        dcp_insert_power(&x->in, h, true);
        return true;
    }
    return (again || few_moves) && make_room(x, failed, closed);
}

bool
dcp_search_mend_headroom(struct search *x, bool kept, bool may_wake,
                         uint32_t tries, struct dcp_headroom *out,
                         struct dcp_error *err)
{
    const struct dcp_problem *p = x->p;
    struct dcp_headroom passed = { .ok = true };
    DCP_FREE uint32_t *restarts = calloc(p->n_hosts + 1u, sizeof *restarts);
    DCP_FREE uint8_t *closed = calloc(p->n_hosts + 1u, 1);
    DCP_FREE uint8_t *mended = calloc(p->n_items + 1u, 1);
    bool clean = true; /* No change since the losses were played from the
                        * first. */

    if (!restarts || !closed || !mended || !count_restarts(p, restarts)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for spare hosts");
    }
    for (uint32_t k = 0;; k++) {
        if (!dcp_headroom_check_searching(
                x->s, kept ? dcp_search_mark_changed(x) : NULL,
                passed.ok ? NULL : &passed, out, err)) {
            return false;
        }
        passed = *out;
        if (out->ok && clean) {
            return true;
        }
        if (!out->ok && !may_wake && dcp_search_time_is_up(x)) {
            return true; /* The caller takes it back. */
        }
        if (!out->ok && (k >= tries || !mend(x, out, restarts, closed, may_wake,
                                             mended[out->failed_item]))) {
            return true; /* out->ok is false: nothing helps. */
        }
        if (!out->ok) {
            mended[out->failed_item] = 1;
        }
        clean = out->ok; /* Others may have moved: once more from the first. */
    }
}

bool
dcp_search_add_spares(struct search *x, struct dcp_headroom *out,
                      struct dcp_error *err)
{
    dcp_search_wake_for_losses(x);
    bool ok = dcp_search_mend_headroom(x, false, true, 64 + 2 * x->p->n_hosts,
                                       out, err);

    x->in.trail.n = 0;
    if (ok && out->ok) {
        dcp_headroom_accept(x->s, out);
    }
    return ok;
}
