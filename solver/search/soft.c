/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Soft rules that are broken and whose price is more than what keeping them
 * costs.  The rest of the search already weighs prices, by the value of what
 * it tries; here each item that a broken rule is about is tried elsewhere, and
 * on a host that is off. */

#include "solver/search/parts.h"

#include <math.h>

#define PASSES_MAX 4u

static bool
may_hold(const struct search *x, uint32_t h)
{
    const struct dcp_problem *p = x->p;

    return x->s->on[h] ? dcp_insert_is_open(&x->in, h)
                       : p->use[h] == DCP_HOST_FREE &&
                             (p->q->may_wake || p->q->start->on[h]) &&
                             dcp_state_may_switch(x->s, h, true);
}

/* The host with the lowest price below 'most', of those that are on or of
 * those that are off: then the cheapest to run. */
static uint32_t
better_host(struct search *x, uint32_t item, bool on, double most)
{
    struct dcp_state *s = x->s;
    uint32_t best = DCP_IX_NONE;
    double least = most, second = 0;

    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        if (s->on[h] != on || !may_hold(x, h) || !dcp_state_fits(s, item, h)) {
            continue;
        }
        double price = dcp_state_soft_price_delta(s, item, h);
        double then = on ? dcp_state_room_left(s, &x->in.weights, item, h)
                         : x->p->on_value[h];

        if ((price < least ||
             (best != DCP_IX_NONE && price <= least && then < second)) &&
            dcp_state_allowed(s, item, h)) {
            best = h;
            least = price;
            second = then;
        }
    }
    return best;
}

/* Moves the item if all in all that is cheaper; else nothing changes. */
static bool
try_elsewhere(struct search *x, uint32_t item, bool on, bool check,
              bool *out_moved, struct dcp_error *err)
{
    struct dcp_state *s = x->s;
    double value = dcp_search_value(s);
    uint32_t from = s->host[item], mark = x->in.trail.n;

    *out_moved = false;
    dcp_insert_remove(&x->in, item);
    uint32_t to = better_host(
        x, item, on, dcp_state_soft_price_delta(s, item, from) - 1e-12);

    if (to != DCP_IX_NONE) {
        dcp_insert_power(&x->in, to, true);
        dcp_insert_at(&x->in, item, to);
        if (x->p->q->may_empty && !s->n_on_host[from] &&
            dcp_search_may_switch_off(x, from)) {
            dcp_insert_power(&x->in, from, false);
        }
        if (dcp_search_value(s) < value - 1e-9 * fmax(fabs(value), 1)) {
            return dcp_search_settle(x, check, out_moved, err);
        }
    }
    dcp_trail_undo_to(&x->in.trail, s, mark);
    return true;
}

bool
dcp_search_mend_soft(struct search *x, bool check, struct dcp_error *err)
{
    struct dcp_state *s = x->s;
    bool moved = s->broken && dcp_state_soft_price(s) > 0;

    dcp_inserter_set_weights(&x->in);
    for (uint32_t pass = 0; moved && pass < PASSES_MAX; pass++) {
        moved = false;
        for (uint32_t i = 0; i < x->p->n_items && !dcp_search_time_is_up(x);
             i++) {
            uint32_t from = s->host[i];

            if (from == DCP_IX_NONE || !dcp_state_is_priced(s, i)) {
                continue;
            }
            dcp_state_remove(s, i);
            bool costs = dcp_state_soft_price_delta(s, i, from) > 0;

            dcp_state_place(s, i, from);
            for (int on = 1; costs && on >= 0; on--) {
                bool now;

                if (!try_elsewhere(x, i, on, check, &now, err)) {
                    return false;
                }
                moved |= now;
                costs = !now;
            }
        }
    }
    return true;
}
