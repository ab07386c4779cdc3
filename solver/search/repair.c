/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Ending violations: what may not stay is taken off and placed anew.
 *
 * For the fewest moves (solver/repair/repair.h) what leaves is first what the
 * programs say, then what a greedy choice says; the cheaper answer stays. Where
 * it has more moves than the bound, what a few moved items touch is emptied and
 * filled again, home first, while that saves moves. */

#include "solver/search/parts.h"

#include "solver/search/item_order.h"

#include <math.h>
#include <stdlib.h>

/* Of ruin and recreate for the fewest moves: rounds, rounds without success,
 * and moved items whose hosts are emptied at once. */
#define RETURN_ROUNDS 3000u
#define RETURN_STALE  400u
#define RETURN_ITEMS  3u
/* For items that find no place otherwise. */
#define EJECTIONS 4000u

/* Removes from an overloaded host the smallest item that ends the overload,
 * or the largest, until it ends. */
static void
unload(struct search *x, uint32_t h, uint32_t *out, uint32_t *n)
{
    struct dcp_state *s = x->s;

    while (dcp_state_overloaded(s, h) && s->first[h] != DCP_IX_NONE) {
        uint32_t ends = DCP_IX_NONE, largest = s->first[h];

        for (uint32_t i = s->first[h]; i != DCP_IX_NONE;) {
            uint32_t next = s->next[i];
            double size = x->p->size[i];

            dcp_state_remove(s, i);
            if (!dcp_state_overloaded(s, h) &&
                (ends == DCP_IX_NONE || size < x->p->size[ends])) {
                ends = i;
            }
            dcp_state_place(s, i, h);
            if (size > x->p->size[largest]) {
                largest = i;
            }
            i = next;
        }
        uint32_t gone = ends != DCP_IX_NONE ? ends : largest;

        dcp_insert_remove(&x->in, gone);
        out[(*n)++] = gone;
    }
}

/* Items that may not stay where they are go into 'out'. */
static bool
take_off_misplaced(struct search *x, uint32_t *out, uint32_t *out_n,
                   struct dcp_error *err)
{
    struct dcp_state *s = x->s;
    const struct dcp_problem *p = x->p;
    uint32_t n = 0;

    for (uint32_t i = 0; i < p->n_items; i++) {
        uint32_t h = s->host[i];

        if (h == DCP_IX_NONE) {
            out[n++] = i;
        } else if (!s->on[h] || p->use[h] == DCP_HOST_AVOID ||
                   !dcp_state_allowed(s, i, h)) {
            dcp_insert_remove(&x->in, i);
            out[n++] = i;
        }
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (s->on[h] && p->use[h] != DCP_HOST_AVOID) {
            unload(x, h, out, &n);
        }
    }
    if (!dcp_search_unload_power(x, out, &n, err)) {
        return false;
    }
    *out_n = dcp_search_mend_power(x, out, n);
    return true;
}

/* Places what is misplaced; what finds no place goes back where it was, or
 * stays unplaced. */
bool
dcp_search_repair(struct search *x, uint32_t *items,
                  struct dcp_search_result *out, struct dcp_error *err)
{
    struct dcp_state *s = x->s;
    const struct dcp_problem *p = x->p;
    uint32_t n, lost = 0;

    if (!take_off_misplaced(x, items, &n, err)) {
        return false;
    }
    out->n_misplaced = n;
    x->in.may_wake = true;
    x->in.prefer_home = true;
    x->in.swap_tries = 64;
    dcp_items_covered_first(p, items, n);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t item = items[k];

        if (dcp_insert_one(&x->in, item) || dcp_search_insert_back(x, item)) {
            continue;
        }
        out->unplaced_item = item;
        lost++;
        if (p->start_host[item] != DCP_IX_NONE) {
            dcp_state_place(s, item, p->start_host[item]);
        }
    }
    x->in.trail.n = 0;
    x->in.prefer_home = false;
    out->n_unplaced = lost;
    return true;
}

bool
dcp_search_mend_late(struct search *x, uint32_t *items,
                     struct dcp_search_result *out, struct dcp_error *err)
{
    x->again = false;
    uint32_t n = dcp_search_mend_power(x, items, 0);

    x->in.may_wake = true;
    x->in.swap_tries = 64;
    dcp_items_by_size(x->p, items, n);
    for (uint32_t k = 0; k < n; k++) {
        if (!dcp_insert_one(&x->in, items[k])) {
            dcp_homeless_add(&x->homeless, items[k]);
        }
    }
    if (x->homeless.n && !dcp_search_place(x, EJECTIONS)) {
        out->n_unplaced = x->homeless.n;
        out->unplaced_item = x->homeless.item[0];
    }
    dcp_homeless_clear(&x->homeless);
    x->in.trail.n = 0;
    /* What went off may have been a spare. */
    return out->n_unplaced || !x->p->q->headroom ||
           dcp_search_add_spares(x, &out->headroom, err);
}

/* --- The fewest moves ---------------------------------------------------- */

/* Rules and limits of all items where they are. */
static bool
is_in_order(const struct search *x)
{
    const struct dcp_state *s = x->s;

    for (uint32_t i = 0; i < x->p->n_items; i++) {
        if (s->host[i] == DCP_IX_NONE || !dcp_state_allowed(s, i, s->host[i])) {
            return false;
        }
    }
    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        if (s->first[h] != DCP_IX_NONE &&
            (!s->on[h] || x->p->use[h] == DCP_HOST_AVOID ||
             dcp_state_overloaded(s, h))) {
            return false;
        }
    }
    return !dcp_state_broken_power_rule(s) && !(s->watts && s->watts->n_over);
}

/* Takes off what the programs say, then what is still misplaced. */
static bool
take_off_needed(struct search *x, const uint8_t *leaves, uint32_t *items,
                uint32_t *out_n, struct dcp_error *err)
{
    for (uint32_t i = 0; i < x->p->n_items; i++) {
        if (leaves[i] && x->s->host[i] != DCP_IX_NONE) {
            dcp_insert_remove(&x->in, i);
        }
    }
    /* Lists all that has no place. */
    return take_off_misplaced(x, items, out_n, err);
}

/* One way to repair, from the start; headroom included.  False in *out_ok: the
 * state is not complete. */
static bool
repair_one_way(struct search *x, const uint8_t *leaves, uint32_t *items,
               struct dcp_search_result *out, bool *out_ok,
               struct dcp_error *err)
{
    uint32_t n;

    if (!(leaves ? take_off_needed(x, leaves, items, &n, err)
                 : take_off_misplaced(x, items, &n, err))) {
        return false;
    }
    out->n_unplaced = 0;
    out->n_misplaced = n;
    x->in.may_wake = true;
    x->in.prefer_home = true;
    x->in.swap_tries = 0;
    dcp_items_covered_first(x->p, items, n);
    for (uint32_t k = 0; k < n; k++) {
        if (!dcp_insert_one(&x->in, items[k]) &&
            !dcp_search_insert_back(x, items[k])) {
            dcp_homeless_add(&x->homeless, items[k]);
            out->unplaced_item = items[k];
        }
    }
    if (x->homeless.n && !dcp_search_place(x, EJECTIONS)) {
        out->n_unplaced = x->homeless.n;
        for (uint32_t k = 0; k < x->homeless.n; k++) {
            out->unplaced_item = x->homeless.item[k];
        }
    }
    dcp_homeless_clear(&x->homeless);
    x->in.trail.n = 0;
    *out_ok = !out->n_unplaced && is_in_order(x);
    if (!*out_ok && !out->n_unplaced) {
        out->n_unplaced = 1; /* A rule that placing did not mend. */
    }
    out->headroom = (struct dcp_headroom){ .ok = true };
    if (*out_ok && x->p->q->headroom) {
        if (!dcp_search_add_spares(x, &out->headroom, err) ||
            !dcp_search_convert_for_headroom(x, &out->headroom, err)) {
            return false;
        }
        *out_ok = out->headroom.ok;
    }
    x->in.prefer_home = false;
    return true;
}

/* Hosts that were woken and hold nothing go off again where that is legal. */
static bool
sleep_again(struct search *x, bool check, struct dcp_error *err)
{
    struct dcp_state *s = x->s;
    bool kept;

    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        if (!s->on[h] || x->p->q->start->on[h] || s->first[h] != DCP_IX_NONE ||
            !dcp_state_may_switch(s, h, false)) {
            continue;
        }
        dcp_insert_power(&x->in, h, false);
        if (dcp_state_broken_power_rule(s)) {
            dcp_trail_undo(&x->in.trail, s);
        } else if (!dcp_search_settle(x, check, &kept, err)) {
            return false;
        }
    }
    return true;
}

/* Empties where a few moved items started and where they are, but for what
 * may not leave, and puts all back, home first. */
static bool
ruin_some(struct search *x, const uint32_t *moved, uint32_t n_moved)
{
    struct dcp_state *s = x->s;
    uint32_t n = 0, *items = x->in.scratch;
    uint32_t n_pick = 1 + (uint32_t)dcp_rng_below(&x->in.rng, RETURN_ITEMS);

    for (uint32_t k = 0; k < n_pick; k++) {
        uint32_t i = moved[dcp_rng_below(&x->in.rng, n_moved)];
        uint32_t hosts[2] = { x->p->start_host[i], s->host[i] };

        for (uint32_t e = 0; e < 2; e++) {
            while (hosts[e] != DCP_IX_NONE &&
                   s->first[hosts[e]] != DCP_IX_NONE) {
                items[n] = s->first[hosts[e]];
                dcp_insert_remove(&x->in, items[n++]);
            }
        }
    }
    /* Now and then in another order, so that others stay. */
    if (dcp_rng_below(&x->in.rng, 2)) {
        for (uint32_t k = n; k > 1; k--) {
            uint32_t j = (uint32_t)dcp_rng_below(&x->in.rng, k);
            uint32_t was = items[k - 1];

            items[k - 1] = items[j];
            items[j] = was;
        }
        for (uint32_t k = 0; k < n; k++) {
            if (!dcp_insert_one(&x->in, items[k])) {
                return false;
            }
        }
        return n > 0;
    }
    return n > 0 && dcp_insert_all(&x->in, items, n);
}

static uint32_t
list_moved(const struct search *x, uint32_t *out)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < x->p->n_items; i++) {
        if (x->s->host[i] != x->p->start_host[i] &&
            x->p->start_host[i] != DCP_IX_NONE) {
            out[n++] = i;
        }
    }
    return n;
}

static bool
return_some(struct search *x, uint32_t *moved, bool check,
            struct dcp_error *err)
{
    struct dcp_repair_cost cost = dcp_repair_cost_of(x->s);
    uint64_t limit = x->options->iterations;
    uint32_t n = list_moved(x, moved);

    x->in.may_wake = true;
    x->in.prefer_home = true;
    x->in.swap_tries = 4;
    for (uint32_t round = 0, stale = 0;
         cost.moves > x->options->need->moves && n && round < RETURN_ROUNDS &&
         stale < RETURN_STALE && (!limit || round < limit) &&
         !dcp_search_time_is_up(x);
         round++, stale++) {
        bool kept = ruin_some(x, moved, n);

        if (kept) {
            struct dcp_repair_cost now = dcp_repair_cost_of(x->s);

            kept = dcp_repair_compare(now, cost) < 0 && is_in_order(x);
            if (kept && !dcp_search_settle(x, check, &kept, err)) {
                return false;
            }
            if (kept) {
                cost = now;
                n = list_moved(x, moved);
                stale = 0;
            }
        }
        if (!kept) {
            dcp_trail_undo(&x->in.trail, x->s);
        }
    }
    x->in.prefer_home = false;
    return true;
}

/* Not above its limits, or not above what it was. */
static bool
is_no_worse(const struct search *x, const struct dcp_state *start, uint32_t h)
{
    const struct dcp_state *s = x->s;
    const struct dcp_problem *p = x->p;
    bool ok = true;

    for (uint32_t r = 0; r < p->n_scalars; r++) {
        size_t at = (size_t)r * p->n_hosts + h;

        ok =
            ok && (s->used[at] <= p->cap[at] || s->used[at] <= start->used[at]);
    }
    for (uint32_t t = 0; ok && t < p->n_slots; t++) {
        size_t at = (size_t)h * p->stride + t;

        ok = (s->cpu_mhz[at] <= p->cap_cpu_mhz[h] ||
              s->cpu_mhz[at] <= start->cpu_mhz[at]) &&
             (!s->net_kib_s || s->net_kib_s[at] <= p->cap_net_kib_s[h] ||
              s->net_kib_s[at] <= start->net_kib_s[at]);
    }
    return ok && (!s->chance || !dcp_chance_overloaded(s->chance, h));
}

/* Whether a leg may end here: all hard rules, and no host above a limit that
 * it kept, or further above than it was. */
static bool
is_legal_in_part(const struct search *x, const struct dcp_state *start)
{
    for (uint32_t i = 0; i < x->p->n_items; i++) {
        if (x->s->host[i] == DCP_IX_NONE ||
            !dcp_state_allowed(x->s, i, x->s->host[i])) {
            return false;
        }
    }
    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        if (x->s->first[h] != DCP_IX_NONE &&
            (!x->s->on[h] || !is_no_worse(x, start, h))) {
            return false;
        }
    }
    return !dcp_state_broken_power_rule(x->s) &&
           !(x->s->watts && x->s->watts->n_over);
}

/* One part: what leaves for it is placed, or all is as before. */
static bool
repair_part(struct search *x, uint32_t part, uint32_t *items)
{
    const struct dcp_repair_need *need = x->options->need;
    uint32_t n = 0;

    for (uint32_t i = 0; i < x->p->n_items; i++) {
        if (need->part_of[i] == part && x->s->host[i] != DCP_IX_NONE) {
            dcp_insert_remove(&x->in, i);
            items[n++] = i;
        }
    }
    bool ok = n > 0 && dcp_insert_all(&x->in, items, n);

    if (ok && x->p->q->limits_moves) {
        ok = dcp_repair_cost_of(x->s).moves <= x->p->q->max_moves;
    }
    if (ok) {
        x->in.trail.n = 0;
    } else {
        dcp_trail_undo(&x->in.trail, x->s);
    }
    return ok;
}

/* Of a part that only limits ask for, what finds a place, one by one: each that
 * leaves makes an overload smaller. */
static void
repair_some(struct search *x, uint32_t part)
{
    const struct dcp_repair_need *need = x->options->need;
    struct dcp_state *s = x->s;

    for (uint32_t i = 0; i < x->p->n_items; i++) {
        if (need->part_of[i] != part || s->host[i] == DCP_IX_NONE ||
            s->host[i] != x->p->start_host[i]) {
            continue;
        }
        dcp_insert_remove(&x->in, i);
        if (dcp_insert_one(&x->in, i) &&
            !(x->p->q->limits_moves &&
              dcp_repair_cost_of(s).moves > x->p->q->max_moves)) {
            x->in.trail.n = 0;
        } else {
            dcp_trail_undo(&x->in.trail, s);
        }
    }
}

/* Part by part: those that a hard rule asks for, then those with fewest moves.
 * The state is complete (out->is_partial) where a leg may end so. */
static bool
repair_in_part(struct search *x, const struct dcp_state *start, uint32_t *items,
               struct dcp_search_result *out, struct dcp_error *err)
{
    const struct dcp_repair_need *need = x->options->need;
    DCP_FREE struct dcp_ranked_host *parts =
        malloc((need->n_parts + 1u) * sizeof *parts);

    if (!parts) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a repair");
    }
    for (uint32_t k = 0; k < need->n_parts; k++) {
        parts[k] = (struct dcp_ranked_host){ k, need->part_is_must[k]
                                                    ? -1.0
                                                    : need->part_moves[k] };
    }
    dcp_search_sort_hosts(parts, need->n_parts);
    x->in.may_wake = true;
    x->in.prefer_home = true;
    x->in.swap_tries = 0;
    for (uint32_t k = 0; k < need->n_parts; k++) {
        uint32_t part = parts[k].host;

        if (repair_part(x, part, items)) {
            continue;
        }
        x->in.swap_tries = 64; /* Others may be moved out of the way. */
        bool ok = repair_part(x, part, items);

        x->in.swap_tries = 0;
        if (!ok && !need->part_is_must[part]) {
            repair_some(x, part);
        }
    }
    x->in.prefer_home = false;
    out->headroom = (struct dcp_headroom){ .ok = true };
    out->is_partial = is_legal_in_part(x, start);
    out->n_unplaced = !out->is_partial;
    if (out->is_partial && x->p->q->headroom) {
        if (!dcp_search_add_spares(x, &out->headroom, err) ||
            !dcp_search_convert_for_headroom(x, &out->headroom, err)) {
            return false;
        }
        out->is_partial = out->headroom.ok && is_legal_in_part(x, start);
        out->n_unplaced = !out->is_partial && out->headroom.ok;
    }
    return true;
}

bool
dcp_search_fewest(struct search *x, uint32_t *items,
                  struct dcp_search_result *out, struct dcp_error *err)
{
    const struct dcp_repair_need *need = x->options->need;
    DCP_AUTO(dcp_state) struct dcp_state *start = dcp_state_create(x->p, err);
    DCP_AUTO(dcp_state) struct dcp_state *best = dcp_state_create(x->p, err);
    struct dcp_repair_cost least = { .moves = UINT32_MAX };
    struct dcp_search_result result = *out;
    bool check = x->p->q->headroom;

    if (!start || !best) {
        return false;
    }
    for (int way = 0; way < 2 && (way == 0 || least.moves > need->moves);
         way++) {
        bool ok;

        result = *out;
        dcp_state_assign(x->s, start);
        if (!repair_one_way(x, way ? NULL : need->leaves, items, &result, &ok,
                            err)) {
            return false;
        }
        struct dcp_repair_cost cost = dcp_repair_cost_of(x->s);

        if (ok && dcp_repair_compare(cost, least) < 0) {
            dcp_state_assign(best, x->s);
            least = cost;
        }
    }
    bool too_many = x->p->q->limits_moves && least.moves > x->p->q->max_moves;

    if (x->p->q->partial && (too_many || least.moves == UINT32_MAX)) {
        dcp_state_assign(x->s, start);
        return repair_in_part(x, start, items, out, err);
    }
    if (least.moves == UINT32_MAX) { /* Why is said of the last way. */
        *out = result;
        return true;
    }
    result.n_unplaced = 0;
    result.headroom = (struct dcp_headroom){ .ok = true };
    *out = result;
    dcp_state_assign(x->s, best);
    dcp_search_tell(x, true);
    return return_some(x, items, check, err) && sleep_again(x, check, err);
}
