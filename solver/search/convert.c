/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Hosts whose hypervisor has a licence give way to hosts of another one.
 *
 * Of one such host, or two, all items are taken off and put where they cost
 * least, conversions and licences counted; hosts may be woken for them, but not
 * others that need the same licence.  Then headroom is mended: those that find
 * no place after the loss of a licensed host are converted as well, one by
 * one, for that is what its hypervisor is short of; for the rest hosts are
 * woken.  Kept where the whole is cheaper. */

#include "solver/search/parts.h"

#include "solver/search/item_order.h"

#include <math.h>
#include <stdlib.h>

#define PASSES       6u
#define PAIRS        24u /* Of hosts, tried together. */
#define CONVERTS_MAX 64u /* For headroom, of one try. */
#define MEND_TRIES   24u
#define OTHERS_MAX   128u /* VMs of one host, looked at for a conversion. */
#define ROOM_MAX     6u   /* VMs that make room for one. */

static bool
is_licensed(const struct dcp_state *s, uint32_t h)
{
    const struct dcp_pricing *g = s->p->pricing;
    double units = 0;

    for (uint32_t k = 0; k < g->n_licences; k++) {
        units += s->objective->units[(size_t)k * s->p->n_hosts + h];
    }
    return units > 0;
}

/* Whether some hypervisor other than that of 'h' would take the item. */
static bool
may_convert(const struct dcp_problem *p, uint32_t item, uint32_t h)
{
    const struct dcp_conversions *c = p->conversions;

    for (uint32_t other = 0; other < p->n_hosts; other++) {
        if (c->kind_of_host[other] != c->kind_of_host[h] &&
            dcp_problem_reaches(p, item, other)) {
            return true;
        }
    }
    return false;
}

static bool
may_leave(const struct dcp_problem *p, uint32_t item, uint32_t host)
{
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (h != host && dcp_problem_reaches(p, item, h)) {
            return true;
        }
    }
    return false;
}

/* Licensed hosts that can be emptied and hold what can be converted, those
 * with the least on them for what they cost first. */
static uint32_t
rank(struct search *x, struct dcp_ranked_host *out)
{
    struct dcp_state *s = x->s;
    uint32_t n = 0;

    (void)dcp_objective_value(s, 0);
    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        bool leave = true, convert = false;
        double size = 0, saves;

        if (!dcp_search_may_switch_off(x, h) || !is_licensed(s, h)) {
            continue;
        }
        for (uint32_t i = s->first[h]; leave && i != DCP_IX_NONE;
             i = s->next[i]) {
            size += x->p->size[i];
            leave = may_leave(x->p, i, h);
            convert = convert || may_convert(x->p, i, h);
        }
        saves = -dcp_objective_off_delta(s, 0, h);
        if (leave && convert && saves > 0) {
            out[n++] = (struct dcp_ranked_host){ h, size / saves };
        }
    }
    dcp_search_sort_hosts(out, n);
    return n;
}

/* Closes 'host' and, of the hosts of its hypervisor, those that need no licence
 * yet (off, or kept on for a loss), or all. */
static void
close_kind(struct search *x, uint32_t host, bool all)
{
    const uint8_t *kind = x->p->conversions->kind_of_host;

    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        x->closed[h] |= h == host || (kind[h] == kind[host] &&
                                      (all || !is_licensed(x->s, h)));
    }
    x->in.closed = x->closed;
}

static void
open_all(struct search *x)
{
    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        x->closed[h] = 0;
    }
    x->in.closed = NULL;
}

/* The item goes to another hypervisor; false: nothing was changed. */
static bool
convert_away(struct search *x, uint32_t item)
{
    uint32_t mark = x->in.trail.n, from = x->s->host[item];

    if (!may_convert(x->p, item, from)) {
        return false;
    }
    close_kind(x, from, true);
    dcp_insert_remove(&x->in, item);
    bool ok = dcp_insert_one(&x->in, item);

    open_all(x);
    if (!ok) {
        dcp_trail_undo_to(&x->in.trail, x->s, mark);
    }
    return ok;
}

/* Room for an item that is of the kind of 'h' for good: what can is converted
 * away from there, the smallest that is enough or the largest. */
static bool
make_room(struct search *x, uint32_t item, uint32_t h)
{
    struct dcp_state *s = x->s;
    uint32_t mark = x->in.trail.n;

    for (uint32_t n = 0; n < ROOM_MAX; n++) {
        uint32_t ends = DCP_IX_NONE, largest = DCP_IX_NONE;

        if (dcp_state_fits(s, item, h) && dcp_state_allowed(s, item, h)) {
            dcp_insert_at(&x->in, item, h);
            return true;
        }
        for (uint32_t i = s->first[h]; i != DCP_IX_NONE;) {
            uint32_t next = s->next[i];

            if (may_convert(x->p, i, h)) {
                double size = x->p->size[i];

                dcp_state_remove(s, i);
                if (dcp_state_fits(s, item, h) &&
                    (ends == DCP_IX_NONE || size < x->p->size[ends])) {
                    ends = i;
                }
                dcp_state_place(s, i, h);
                if (largest == DCP_IX_NONE || size > x->p->size[largest]) {
                    largest = i;
                }
            }
            i = next;
        }
        if (largest == DCP_IX_NONE ||
            !convert_away(x, ends != DCP_IX_NONE ? ends : largest)) {
            break;
        }
    }
    dcp_trail_undo_to(&x->in.trail, s, mark);
    return false;
}

/* Places an item that was on 'was'; on a licensed host of its kind with room
 * made for it where there is no other way. */
static bool
place(struct search *x, uint32_t item, uint32_t was)
{
    const struct dcp_problem *p = x->p;

    close_kind(x, was, false);
    bool ok = dcp_insert_one(&x->in, item);

    open_all(x);
    for (uint32_t h = 0; !ok && h < p->n_hosts; h++) {
        ok = x->s->on[h] && h != was && is_licensed(x->s, h) &&
             dcp_problem_reaches(p, item, h) && make_room(x, item, h);
    }
    return ok;
}

/* Takes all off the hosts, switches them off, and places it, what must stay
 * with its hypervisor first; on the trail. */
static bool
clear(struct search *x, const uint32_t hosts[], uint32_t n_hosts)
{
    struct dcp_state *s = x->s;
    uint32_t n = 0, *items = x->in.scratch;
    bool ok = true;

    for (uint32_t k = 0; k < n_hosts; k++) {
        while (s->first[hosts[k]] != DCP_IX_NONE) {
            items[n] = s->first[hosts[k]];
            dcp_insert_remove(&x->in, items[n++]);
        }
        dcp_insert_power(&x->in, hosts[k], false);
    }
    (void)dcp_objective_value(s, 0); /* Units as they are now. */
    dcp_items_covered_first(x->p, items, n);
    for (int free = 0; free < 2; free++) {
        for (uint32_t i = 0; ok && i < n; i++) {
            if (may_convert(x->p, items[i], hosts[0]) == free) {
                ok = place(x, items[i], hosts[0]);
            }
        }
    }
    return ok;
}

/* The item, or else one that would have to restart with it. */
static bool
convert_one_of_loss(struct search *x, uint32_t item)
{
    struct dcp_state *s = x->s;
    uint32_t h = s->host[item], others[OTHERS_MAX], n = 0;

    if (convert_away(x, item)) {
        return true;
    }
    /* What is taken off and put back changes its place in the list. */
    for (uint32_t i = s->first[h]; i != DCP_IX_NONE && n < OTHERS_MAX;
         i = s->next[i]) {
        if (i != item && x->p->protected_item[i]) {
            others[n++] = i;
        }
    }
    for (uint32_t k = 0; k < n; k++) {
        if (convert_away(x, others[k])) {
            return true;
        }
    }
    return false;
}

bool
dcp_search_convert_for_headroom(struct search *x, struct dcp_headroom *out,
                                struct dcp_error *err)
{
    const struct dcp_conversions *c = x->p->conversions;
    uint32_t n = 0;

    if (!c || !c->cost) {
        return true;
    }
    for (; !out->ok && n < CONVERTS_MAX; n++) {
        if (out->failed_item == DCP_IX_NONE ||
            x->s->host[out->failed_item] == DCP_IX_NONE ||
            dcp_search_time_is_up(x) ||
            !convert_one_of_loss(x, out->failed_item)) {
            break;
        }
        x->in.trail.n = 0;
        if (!dcp_headroom_check_searching(x->s, NULL, NULL, out, err)) {
            return false;
        }
    }
    /* Without any, spares were all that could be tried. */
    return out->ok || !n || dcp_search_add_spares(x, out, err);
}

/* '*out_ok': every loss is survived, at less than 'limit'. */
static bool
mend(struct search *x, double limit, bool *out_ok, struct dcp_error *err)
{
    struct dcp_headroom headroom = { .ok = true };

    for (uint32_t n = 0; n < CONVERTS_MAX; n++) {
        if (!dcp_headroom_check_searching(x->s, NULL, NULL, &headroom, err)) {
            return false;
        }
        *out_ok = headroom.ok;
        if (headroom.ok || dcp_search_value(x->s) >= limit) {
            return true;
        }
        if (!is_licensed(x->s, x->s->host[headroom.failed_item]) ||
            !convert_one_of_loss(x, headroom.failed_item)) {
            break;
        }
    }
    bool ok =
        dcp_search_mend_headroom(x, false, true, MEND_TRIES, &headroom, err);

    *out_ok = headroom.ok;
    return ok;
}

/* Tries it; '*out_kept' where it is cheaper and survives what is asked. */
static bool
try_without(struct search *x, const uint32_t hosts[], uint32_t n, bool check,
            bool *out_kept, struct dcp_error *err)
{
    double before = dcp_search_value(x->s);
    double less = before - 1e-9 * fmax(fabs(before), 1);
    bool ok = true;

    *out_kept = false;
    if (!clear(x, hosts, n) || dcp_search_value(x->s) >= less) {
        dcp_trail_undo(&x->in.trail, x->s);
        return true;
    }
    if (check && !mend(x, less, &ok, err)) {
        return false;
    }
    bool moves_ok =
        !x->p->q->limits_moves || dcp_search_moves(x) <= x->p->q->max_moves;

    if (ok && moves_ok && dcp_search_value(x->s) < less) {
        *out_kept = true;
        x->in.trail.n = 0;
        dcp_search_tell(x, check);
    } else {
        dcp_trail_undo(&x->in.trail, x->s);
    }
    return true;
}

static bool
one_pass(struct search *x, struct dcp_ranked_host *ranks, bool pairs,
         bool check, uint32_t *n_kept, struct dcp_error *err)
{
    uint32_t n = rank(x, ranks), tries = 0;

    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = pairs ? i + 1 : i;
             j < (pairs ? n : i + 1) && tries < (pairs ? PAIRS : n); j++) {
            uint32_t hosts[] = { ranks[i].host, ranks[j].host };
            bool kept;

            tries++;
            if (dcp_search_is_over(x, check) ||
                !dcp_search_may_switch_off(x, hosts[0]) ||
                !dcp_search_may_switch_off(x, hosts[1])) {
                continue;
            }
            if (!try_without(x, hosts, pairs ? 2 : 1, check, &kept, err)) {
                return false;
            }
            *n_kept += kept;
        }
    }
    return true;
}

bool
dcp_search_convert(struct search *x, bool check, struct dcp_error *err)
{
    const struct dcp_problem *p = x->p;
    DCP_FREE struct dcp_ranked_host *ranks =
        malloc((p->n_hosts + 1u) * sizeof *ranks);
    bool ok = true;

    if (!p->conversions || !p->conversions->cost ||
        !(p->pricing->level[0].conversion > 0)) {
        return true;
    }
    if (!ranks) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    open_all(x);
    for (uint32_t pass = 0; ok && pass < PASSES; pass++) {
        uint32_t n_kept = 0;

        x->in.swap_tries = 16;
        x->in.may_wake = p->q->may_wake;
        ok = one_pass(x, ranks, false, check, &n_kept, err) &&
             (n_kept || one_pass(x, ranks, true, check, &n_kept, err)) &&
             dcp_search_empty_hosts(x, 2, check, 16, err);
        if (!n_kept) {
            break;
        }
    }
    x->in.may_wake = false;
    return ok;
}
