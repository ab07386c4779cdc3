/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Racks, feeds and rooms that are over their limit where a question starts:
 * VMs leave them, or hosts there are emptied and switched off, whichever saves
 * more watts for each VM that must leave.  Where the stated limit cannot be
 * reached so, as much is taken away as the lax one asks for (solver/watts.h).
 */

#include "solver/search/parts.h"

#include <stdlib.h>
#include <string.h>

struct unload {
    struct search *x;
    uint32_t thing, slot; /* What is over, and when it is furthest over. */
    uint8_t *inside;      /* By host: the thing has it. */
    uint8_t *leaves;      /* By reach class: reaches a host that is not. */
};

/* A VM, or all of a host, which then goes off. */
struct relief {
    uint32_t item, host; /* DCP_IX_NONE: none. */
    double uw_per_move;
};

static void
look_around(struct unload *u)
{
    const struct dcp_problem *p = u->x->p;
    const struct dcp_watt_limits *l = p->watts;
    const struct dcp_watt_thing *t = &l->thing[u->thing];

    memset(u->inside, 0, p->n_hosts);
    for (uint32_t k = t->first_host; k < t->end_host; k++) {
        u->inside[l->host[k]] = 1;
    }
    for (uint32_t c = 0; c < p->n_classes; c++) {
        const uint64_t *row = p->reach + (size_t)c * p->reach_words;

        u->leaves[c] = 0;
        for (uint32_t h = 0; h < p->n_hosts && !u->leaves[c]; h++) {
            u->leaves[c] = (row[h / 64] >> (h % 64) & 1) && !u->inside[h] &&
                           dcp_problem_may_hold(p, h);
        }
    }
}

static bool
may_leave(const struct unload *u, uint32_t item)
{
    return u->leaves[u->x->p->reach_class[item]];
}

static int64_t
host_uw(const struct unload *u, uint32_t host)
{
    const struct dcp_watts *w = u->x->s->watts;

    return w->host_uw[(size_t)host * w->limits->n_slots + u->slot];
}

/* What the host draws less without one of its items. */
static void
consider_items(const struct unload *u, uint32_t host, struct relief *best)
{
    const struct dcp_state *s = u->x->s;
    const struct dcp_problem *p = s->p;
    uint32_t mhz = s->cpu_mhz[(size_t)host * p->stride + u->slot];
    int64_t before = host_uw(u, host);

    for (uint32_t i = s->first[host]; i != DCP_IX_NONE; i = s->next[i]) {
        if (may_leave(u, i)) {
            uint32_t need = p->cpu_mhz[(size_t)i * p->stride + u->slot];
            double saved = (double)(before - dcp_watts_of_host_uw(
                                                 p->watts, host, mhz - need));

            if (saved > best->uw_per_move) {
                *best = (struct relief){ i, DCP_IX_NONE, saved };
            }
        }
    }
}

/* And without all of them, off. */
static void
consider_host(const struct unload *u, uint32_t host, struct relief *best)
{
    struct dcp_state *s = u->x->s;
    uint32_t n = s->n_on_host[host];
    bool all = true;

    for (uint32_t i = s->first[host]; i != DCP_IX_NONE; i = s->next[i]) {
        all = all && may_leave(u, i);
    }
    if (!all || !u->x->p->q->may_empty ||
        !dcp_search_may_switch_off(u->x, host)) {
        return;
    }
    const struct dcp_inventory *inv = u->x->p->q->inventory;
    double off = inv->hardware[inv->hosts[host].hardware.ix].sleep_w * 1e6;
    double saved = ((double)host_uw(u, host) - off) / (n + 1);

    if (saved > best->uw_per_move) {
        *best = (struct relief){ DCP_IX_NONE, host, saved };
    }
}

/* One VM or one host less; false: nothing is left that would help. */
static bool
relieve(struct unload *u, uint32_t *out, uint32_t *n)
{
    struct search *x = u->x;
    const struct dcp_watt_limits *l = x->p->watts;
    const struct dcp_watt_thing *t = &l->thing[u->thing];
    struct relief best = { DCP_IX_NONE, DCP_IX_NONE, 0 };

    for (uint32_t k = t->first_host; k < t->end_host; k++) {
        uint32_t h = l->host[k];

        if (x->s->on[h] && x->p->use[h] != DCP_HOST_AVOID) {
            consider_items(u, h, &best);
            consider_host(u, h, &best);
        }
    }
    if (best.item != DCP_IX_NONE) {
        dcp_insert_remove(&x->in, best.item);
        out[(*n)++] = best.item;
        return true;
    }
    if (best.host == DCP_IX_NONE) {
        return false;
    }
    while (x->s->first[best.host] != DCP_IX_NONE) {
        out[*n] = x->s->first[best.host];
        dcp_insert_remove(&x->in, out[(*n)++]);
    }
    dcp_insert_power(&x->in, best.host, false);
    return true;
}

static bool
unload(struct unload *u, bool lax, uint32_t *out, uint32_t *n)
{
    const struct dcp_watts *w = u->x->s->watts;

    while ((u->slot = dcp_watts_worst_slot(w, u->thing, lax)) != UINT32_MAX) {
        if (!relieve(u, out, n)) {
            return false;
        }
    }
    return true;
}

bool
dcp_search_unload_power(struct search *x, uint32_t *out, uint32_t *n,
                        struct dcp_error *err)
{
    const struct dcp_problem *p = x->p;
    DCP_FREE uint8_t *inside = calloc(p->n_hosts + 1u, 1);
    DCP_FREE uint8_t *leaves = calloc(p->n_classes + 1u, 1);
    struct unload u = { .x = x, .inside = inside, .leaves = leaves };

    if (!inside || !leaves) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    for (u.thing = 0; x->s->watts && u.thing < p->watts->n; u.thing++) {
        uint32_t first = *n, mark = x->in.trail.n;

        if (dcp_watts_worst_slot(x->s->watts, u.thing, false) == UINT32_MAX) {
            continue;
        }
        look_around(&u);
        if (x->again || !unload(&u, false, out, n)) {
            dcp_trail_undo_to(&x->in.trail, x->s, mark);
            *n = first;
            (void)unload(&u, true, out, n);
        } else {
            x->relieved = true;
        }
    }
    return true;
}

void
dcp_search_note_watts(const struct search *x, struct dcp_search_result *out)
{
    const struct dcp_watts *w = x->s->watts;

    out->over_thing = NULL;
    for (uint32_t k = 0; w && w->n_over && k < w->limits->n; k++) {
        uint32_t slot = dcp_watts_worst_slot(w, k, true);
        size_t at = (size_t)k * w->limits->n_slots + slot;

        if (slot != UINT32_MAX) {
            out->over_thing = &w->limits->thing[k];
            out->over_w = (double)w->sum_uw[at] / 1e6;
            out->over_limit_w = (double)w->limits->lax_uw[at] / 1e6;
            return;
        }
    }
}

bool
dcp_search_insert_back(struct search *x, uint32_t item)
{
    bool ok;

    if (!x->s->watts) {
        return false;
    }
    x->s->watts->lax = true;
    ok = dcp_insert_one(&x->in, item);
    x->s->watts->lax = false;
    return ok;
}
