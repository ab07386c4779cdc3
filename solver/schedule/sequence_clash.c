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

enum {
    WAITS_MAX = 64, /* More are not looked at. */
    MORE_MAX = 21,  /* ", and 4294967295 more" */
};

struct work {
    const struct dcp_problem *p;
    const struct dcp_placement *to;
    uint8_t *dropped, *moves; /* By place; by VM. */
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

/* The waits of VMs that move; how many there are. */
static uint32_t
list_waits(const struct work *w, struct dcp_sequence_wait waits[])
{
    struct dcp_sequence_walk walk = {
        w->p->q->inventory, w->moves, 0, 0, 0, 0, 0
    };
    struct dcp_sequence_wait wait;
    uint32_t n = 0;

    while (dcp_sequence_next(&walk, &wait)) {
        if (n < WAITS_MAX) {
            waits[n] = wait;
        }
        n++;
    }
    return n;
}

static bool
find(const struct work *w, int64_t deadline_ms, struct dcp_sequence_clash *out,
     struct dcp_error *err)
{
    struct dcp_sequence_wait waits[WAITS_MAX];
    uint32_t n = list_waits(w, waits);
    bool found = false;

    if (!n || n > WAITS_MAX) {
        return true;
    }
    for (uint32_t i = 0; i < n; i++) {
        w->dropped[waits[i].place] = 1;
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

            if (!w->dropped[waits[i].place] || late) {
                continue;
            }
            w->dropped[waits[i].place] = 0;
            if (!try_order(w, &keeps, err)) {
                return false;
            }
            w->dropped[waits[i].place] = !keeps;
            again |= keeps;
        }
    }
    for (uint32_t i = 0; found && i < n; i++) {
        if (w->dropped[waits[i].place] && out->n++ < DCP_SEQUENCE_WAITS) {
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
    DCP_FREE uint8_t *moves = calloc(inv->n_vms + 1u, 1);
    const struct work w = { p, to, dropped, moves };

    if (!dropped || !moves) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for sequences");
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        moves[v] = to->host[v].ix != DCP_IX_NONE &&
                   to->host[v].ix != p->q->start->host[v].ix;
    }
    return n == 1 || find(&w, deadline_ms, out, err);
}

const char *
dcp_sequence_clash_print(const struct dcp_sequence_clash *c,
                         const struct dcp_inventory *inv, char *out,
                         size_t size)
{
    uint32_t told = 0;
    size_t used = 0;

    out[0] = '\0';
    for (; told < c->n && told < DCP_SEQUENCE_WAITS; told++) {
        const struct dcp_sequence_wait *wait = &c->wait[told];
        size_t keep = told + 1 < c->n ? MORE_MAX : 0; /* For the rest. */
        char text[160];
        int n = snprintf(text, sizeof text,
                         "%s'%.24s' need not wait for '%.24s' (rule '%.24s')",
                         told ? ", and " : "", inv->vms[wait->vm].name,
                         inv->vms[wait->before].name, wait->rule->name);

        if (n < 0 || used + (size_t)n + keep >= size) {
            break;
        }
        memcpy(out + used, text, (size_t)n + 1);
        used += (size_t)n;
    }
    if (told < c->n) {
        (void)snprintf(out + used, size - used, "%s%u more",
                       told ? ", and " : "", c->n - told);
    }
    return out;
}
