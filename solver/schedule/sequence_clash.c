/* SPDX-License-Identifier: GPL-3.0-or-later */

/* All waits are dropped at first; then each is taken back where an order is
 * found still, over and over until none can be (a minimal correction set;
 * Liffiton & Sakallah, J. Autom. Reasoning 40, 2008). */

#include "solver/schedule/sequence_clash.h"

#include "solver/run/progress.h"
#include "solver/schedule/move_order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAITS_MAX = 64 }; /* More are not looked at. */

struct work {
    const struct dcp_problem *p;
    const struct dcp_placement *to;
    uint8_t *dropped;
};

static bool
try_order(const struct work *w, bool *out_found, struct dcp_error *err)
{
    DCP_AUTO(dcp_state) struct dcp_state *s = dcp_state_create(w->p, err);
    struct dcp_move_order order;

    if (!s || !dcp_chance_load_ends(s->chance, w->to, err) ||
        !dcp_move_order_make(s, w->to, w->dropped, &order, err)) {
        return false;
    }
    *out_found = order.stuck_vm == DCP_IX_NONE;
    dcp_move_order_finish(&order);
    return true;
}

static bool
moves(const struct work *w, uint32_t vm)
{
    return w->to->host[vm].ix != DCP_IX_NONE &&
           w->to->host[vm].ix != w->p->q->start->host[vm].ix;
}

/* The waits of VMs that move, with their places in all orders; how many. */
static uint32_t
list_waits(const struct work *w, struct dcp_sequence_wait waits[],
           uint32_t places[])
{
    const struct dcp_inventory *inv = w->p->q->inventory;
    uint32_t n = 0, place = 0;

    for (uint32_t r = 0; r < inv->n_rules; r++) {
        const struct dcp_rule *rule = &inv->rules[r];
        uint32_t last = DCP_IX_NONE;

        for (uint32_t i = 0; i < rule->n_order; i++, place++) {
            if (!moves(w, rule->order[i])) {
                continue;
            }
            if (last != DCP_IX_NONE && n < WAITS_MAX) {
                waits[n] =
                    (struct dcp_sequence_wait){ rule, rule->order[i], last };
                places[n] = place;
            }
            n += last != DCP_IX_NONE;
            last = rule->order[i];
        }
    }
    return n;
}

static bool
find(const struct work *w, int64_t deadline_ms, struct dcp_sequence_clash *out,
     struct dcp_error *err)
{
    struct dcp_sequence_wait waits[WAITS_MAX];
    uint32_t places[WAITS_MAX];
    uint32_t n = list_waits(w, waits, places);
    bool found = false;

    if (!n || n > WAITS_MAX) {
        return true;
    }
    for (uint32_t i = 0; i < n; i++) {
        w->dropped[places[i]] = 1;
    }
    if (!try_order(w, &found, err)) {
        return false;
    }
    for (bool again = found; again;) { /* Orders are a heuristic: it may be
                                        * found later what was not. */
        again = false;
        for (uint32_t i = 0; i < n; i++) {
            bool late = deadline_ms && dcp_monotonic_ms() >= deadline_ms;
            bool keeps = false;

            if (!w->dropped[places[i]] || late) {
                continue;
            }
            w->dropped[places[i]] = 0;
            if (!try_order(w, &keeps, err)) {
                return false;
            }
            w->dropped[places[i]] = !keeps;
            again |= keeps;
        }
    }
    for (uint32_t i = 0; found && i < n; i++) {
        if (w->dropped[places[i]] && out->n++ < DCP_SEQUENCE_WAITS) {
            out->wait[out->n - 1] = waits[i];
        }
    }
    return true;
}

bool
dcp_sequence_clash_find(const struct dcp_problem *p,
                        const struct dcp_placement *to, int64_t deadline_ms,
                        struct dcp_sequence_clash *out, struct dcp_error *err)
{
    const struct dcp_inventory *inv = p->q->inventory;
    size_t n = 1;

    *out = (struct dcp_sequence_clash){ 0 };
    for (uint32_t r = 0; r < inv->n_rules; r++) {
        n += inv->rules[r].n_order;
    }
    DCP_FREE uint8_t *dropped = calloc(n, 1);
    const struct work w = { p, to, dropped };

    if (!dropped) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for sequences");
    }
    return n == 1 || find(&w, deadline_ms, out, err);
}

const char *
dcp_sequence_clash_print(const struct dcp_sequence_clash *c,
                         const struct dcp_inventory *inv, char *out,
                         size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (uint32_t i = 0; i < c->n && i < DCP_SEQUENCE_WAITS && used < size;
         i++) {
        int n =
            snprintf(out + used, size - used,
                     "%s'%.24s' need not wait for '%.24s' (rule '%.24s')",
                     i ? ", and " : "", inv->vms[c->wait[i].vm].name,
                     inv->vms[c->wait[i].before].name, c->wait[i].rule->name);

        used += n > 0 ? (size_t)n : 0;
    }
    if (c->n > DCP_SEQUENCE_WAITS && used < size) {
        (void)snprintf(out + used, size - used, ", and %u more",
                       c->n - DCP_SEQUENCE_WAITS);
    }
    return out;
}
