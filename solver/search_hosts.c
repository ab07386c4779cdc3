/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Taking hosts out of use: one by one, or all at once down to those that the
 * bound would keep; and adding the spares that headroom needs, and trimming
 * what they make needless. */

#include "solver/search_parts.h"

#include <math.h>
#include <stdlib.h>

/* --- Emptying hosts ----------------------------------------------------- */

bool
dcp_search_may_switch_off(const struct search *x, uint32_t h)
{
    return x->s->on[h] && x->p->use[h] == DCP_HOST_FREE &&
           x->s->n_on > x->p->q->inventory->policy.keep_on;
}

/* Moves all of host 'h' elsewhere and switches it off, or changes nothing. */
static bool
empty_host(struct search *x, uint32_t h)
{
    struct dcp_state *s = x->s;
    uint32_t n = 0, *items = x->in.scratch;

    while (s->first[h] != DCP_IX_NONE) {
        items[n] = s->first[h];
        dcp_insert_remove(&x->in, items[n++]);
    }
    dcp_insert_power(&x->in, h, false);
    x->in.not_to = h;
    bool ok = dcp_insert_all(&x->in, items, n);

    x->in.not_to = DCP_IX_NONE;
    if (!ok) {
        dcp_trail_undo(&x->in.trail, s);
    }
    return ok;
}

struct ranked {
    uint32_t host;
    double key;
};

static int
by_key(const void *pa, const void *pb)
{
    const struct ranked *a = pa, *b = pb;

    if (a->key != b->key) {
        return a->key < b->key ? -1 : 1;
    }
    return a->host < b->host ? -1 : a->host > b->host;
}

/* How full a host is: the largest share over resources. */
double
dcp_search_fill(const struct search *x, uint32_t h)
{
    const struct dcp_state *s = x->s;
    const struct dcp_problem *p = x->p;
    double fill =
        p->cap_cpu_mhz[h] ? (double)s->cpu_peak_mhz[h] / p->cap_cpu_mhz[h] : 0;

    for (uint32_t r = 0; r < p->n_scalars; r++) {
        size_t at = (size_t)r * p->n_hosts + h;

        if (p->cap[at]) {
            fill = fmax(fill, (double)s->used[at] / p->cap[at]);
        }
    }
    return fill;
}

/* The load of a host per what switching it off saves: smallest first. */
static uint32_t
rank_to_empty(const struct search *x, struct ranked *out)
{
    uint32_t n = 0;

    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        if (dcp_search_may_switch_off(x, h)) {
            out[n++] = (struct ranked){ h, dcp_search_fill(x, h) /
                                               (x->p->on_value[h] + 1e-12) };
        }
    }
    qsort(out, n, sizeof *out, by_key);
    return n;
}

/* Accepts what the trail holds if headroom stays, else takes it back. */
bool
dcp_search_settle(struct search *x, bool check, bool *out_kept,
                  struct dcp_error *err)
{
    *out_kept = true;
    if (check && !dcp_search_keeps_headroom(x, err, out_kept)) {
        return false;
    }
    if (*out_kept) {
        x->in.trail.n = 0;
    } else {
        dcp_trail_undo(&x->in.trail, x->s);
    }
    return true;
}

/* One pass over the hosts, least loaded first; repeats while it helps. */
bool
dcp_search_empty_hosts(struct search *x, uint32_t max_passes, bool check,
                       uint32_t swap_tries, struct dcp_error *err)
{
    DCP_FREE struct ranked *ranks =
        malloc((x->p->n_hosts + 1u) * sizeof *ranks);

    if (!ranks) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    x->in.may_wake = false;
    x->in.swap_tries = swap_tries;
    for (uint32_t pass = 0; pass < max_passes && !dcp_search_time_is_up(x);
         pass++) {
        uint32_t n = rank_to_empty(x, ranks), emptied = 0;

        for (uint32_t k = 0; k < n && !dcp_search_time_is_up(x); k++) {
            bool kept;

            if (!dcp_search_may_switch_off(x, ranks[k].host) ||
                !empty_host(x, ranks[k].host)) {
                continue;
            }
            if (!dcp_search_settle(x, check, &kept, err)) {
                return false;
            }
            emptied += kept;
        }
        if (!emptied) {
            break;
        }
    }
    return true;
}

/* --- Keeping the hosts that the bound keeps ----------------------------- */

static size_t
quota_of(const struct search *x, uint32_t h)
{
    return (size_t)x->bound->region[h] * x->p->n_types + x->p->type_of_host[h];
}

/* Hosts to keep: by type as many as the relaxation has on, the fullest first;
 * all others are emptied at once, and their items put on the kept ones,
 * largest first, leaving a host on (or waking one) where nothing fits. */
bool
dcp_search_keep_and_fill(struct search *x, struct dcp_error *err)
{
    struct dcp_state *s = x->s;
    const struct dcp_problem *p = x->p;
    DCP_FREE struct ranked *ranks = malloc((p->n_hosts + 1u) * sizeof *ranks);
    const struct dcp_bound *bound = x->bound;
    size_t n_quotas = (size_t)bound->n_regions * p->n_types;
    DCP_FREE double *quota = malloc((n_quotas + 1u) * sizeof *quota);
    uint32_t n = 0, n_items = 0, *items = x->in.scratch;

    if (!ranks || !quota) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    for (size_t k = 0; k < n_quotas; k++) {
        quota[k] = ceil(bound->type_on[k] - 1e-6);
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        bool fixed = p->use[h] != DCP_HOST_FREE;

        if (s->on[h] && !fixed) {
            ranks[n++] = (struct ranked){ h, -dcp_search_fill(x, h) };
        } else if (s->on[h] && p->use[h] == DCP_HOST_KEEP) {
            quota[quota_of(x, h)]--;
        }
    }
    qsort(ranks, n, sizeof *ranks, by_key);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t h = ranks[k].host;

        if (quota[quota_of(x, h)]-- > 0 || !dcp_search_may_switch_off(x, h)) {
            continue;
        }
        while (s->first[h] != DCP_IX_NONE) {
            items[n_items] = s->first[h];
            dcp_insert_remove(&x->in, items[n_items++]);
        }
        dcp_insert_power(&x->in, h, false);
    }
    dcp_inserter_set_weights(&x->in);
    x->in.may_wake = true;
    x->in.swap_tries = 0;
    if (!dcp_insert_all(&x->in, items, n_items)) {
        dcp_trail_undo(&x->in.trail, s);
    }
    x->in.trail.n = 0;
    return true;
}

/* --- Headroom ----------------------------------------------------------- */

/* How many items each host could restart. */
static bool
count_restarts(const struct dcp_problem *p, uint32_t *out)
{
    DCP_FREE uint32_t *items = calloc(p->n_classes + 1u, sizeof *items);

    if (!items) {
        return false;
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        items[p->reach_class[i]]++;
    }
    for (uint32_t c = 0; c < p->n_classes; c++) {
        const uint64_t *row = p->reach_restart + (size_t)c * p->reach_words;

        for (uint32_t h = 0; h < p->n_hosts; h++) {
            out[h] += row[h / 64] >> (h % 64) & 1 ? items[c] : 0;
        }
    }
    return true;
}

/* What a spare costs for what it can do: by its size and how many items it
 * could restart. */
static double
spare_cost(const struct dcp_problem *p, const uint32_t *restarts, uint32_t h)
{
    return p->on_value[h] / ((double)p->cap[h] * restarts[h] + 1);
}

#define MAKE_ROOM_TRIES 64u

static bool
is_lost(const struct dcp_inventory *inv, struct dcp_object_ref lose, uint32_t h)
{
    uint32_t rack = inv->hosts[h].rack.ix;

    switch (lose.kind) {
    case DCP_LOSS_HOST:
        return h == lose.ix;
    case DCP_LOSS_RACK:
        return rack == lose.ix;
    case DCP_LOSS_FEED:
        return rack != DCP_IX_NONE && inv->racks[rack].feeds.n == 1 &&
               inv->racks[rack].feeds.ix[0] == lose.ix;
    }
    return false;
}

/* Moves items off 'h' until 'item' would have room there. */
static bool
clear_for(struct search *x, uint32_t item, uint32_t h)
{
    struct dcp_state *s = x->s;

    x->in.not_to = h;
    for (uint32_t other = s->first[h];
         other != DCP_IX_NONE && !dcp_state_fits_full(s, item, h);) {
        uint32_t next = s->next[other], mark = x->in.trail.n;

        dcp_insert_remove(&x->in, other);
        if (!dcp_insert_one(&x->in, other)) {
            dcp_state_place(s, other, h);
            x->in.trail.n = mark;
        }
        other = next;
    }
    x->in.not_to = DCP_IX_NONE;
    return dcp_state_fits_full(s, item, h) && dcp_state_restarts(s, item, h);
}

/* All hosts that the item could restart on are on and full: clears one of them
 * for it by moving others away. */
static bool
make_room(struct search *x, const struct dcp_headroom *failed)
{
    struct dcp_state *s = x->s;
    uint32_t item = failed->failed_item; /* Stays where it is: its room there
                                          * is not for the others. */
    bool made = false;

    x->in.may_wake = true;
    x->in.swap_tries = 0;
    for (uint32_t h = 0; h < x->p->n_hosts && !made; h++) {
        if (s->on[h] && x->p->use[h] != DCP_HOST_AVOID &&
            dcp_problem_restarts_on(x->p, item, h) &&
            !is_lost(x->p->q->inventory, failed->failed, h)) {
            made = clear_for(x, item, h);
            if (made) {
                x->in.trail.n = 0;
            } else {
                dcp_trail_undo(&x->in.trail, s);
            }
        }
    }
    x->in.may_wake = false;
    return made;
}

/* Switches hosts on until every loss is survived: of those that could take the
 * item which found no place, the one that costs least for what it can do,
 * because one spare serves every single loss. */
bool
dcp_search_add_spares(struct search *x, struct dcp_headroom *out,
                      struct dcp_error *err)
{
    struct dcp_state *s = x->s;
    const struct dcp_problem *p = x->p;

    struct dcp_headroom passed = { .ok = true };
    uint32_t n_made = 0;
    DCP_FREE uint32_t *restarts = calloc(p->n_hosts + 1u, sizeof *restarts);

    if (!restarts || !count_restarts(p, restarts)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for spare hosts");
    }
    for (;;) {
        uint32_t best = DCP_IX_NONE;

        if (!dcp_headroom_check(s, NULL, passed.ok ? NULL : &passed, out,
                                err)) {
            return false;
        }
        passed = *out;
        if (out->ok) {
            return true;
        }
        uint32_t from = s->host[out->failed_item];

        if (from != DCP_IX_NONE) {
            dcp_state_remove(s, out->failed_item);
        }
        for (uint32_t h = 0; h < p->n_hosts; h++) {
            if (!s->on[h] && p->use[h] == DCP_HOST_FREE &&
                (p->q->may_wake || p->q->start->on[h]) &&
                dcp_state_fits_full(s, out->failed_item, h) &&
                dcp_state_restarts(s, out->failed_item, h) &&
                (best == DCP_IX_NONE ||
                 spare_cost(p, restarts, h) < spare_cost(p, restarts, best))) {
                best = h;
            }
        }
        if (from != DCP_IX_NONE) {
            dcp_state_place(s, out->failed_item, from);
        }
        if (best != DCP_IX_NONE) {
            dcp_state_power(s, best, true);
            continue;
        }
        if (n_made++ == MAKE_ROOM_TRIES || !make_room(x, out)) {
            return true; /* out->ok is false: no host helps. */
        }
        passed.ok = true; /* Others moved: all losses are played again. */
    }
}

#define TRIM_TRIES 96u

/* With the spares on: the emptiest hosts once more, each kept off only if
 * every loss is still survived.  Spares that others made needless go first. */
bool
dcp_search_trim(struct search *x, struct dcp_error *err)
{
    DCP_FREE struct ranked *ranks =
        malloc((x->p->n_hosts + 1u) * sizeof *ranks);

    if (!ranks) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    uint32_t n = rank_to_empty(x, ranks);

    x->in.may_wake = false;
    x->in.swap_tries = 16;
    for (uint32_t k = 0; k < n && k < TRIM_TRIES && !dcp_search_time_is_up(x);
         k++) {
        bool kept;

        if (dcp_search_may_switch_off(x, ranks[k].host) &&
            empty_host(x, ranks[k].host) &&
            !dcp_search_settle(x, true, &kept, err)) {
            return false;
        }
    }
    return true;
}
