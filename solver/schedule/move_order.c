/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Passes over the pending moves, source host by source host and largest first,
 * until a pass brings nothing; then the pending VM that stepped aside least
 * often, of these the smallest, steps aside.  Moves of large sources first
 * would free more at once, but emptying hosts one by one lets them be switched
 * off early.  Who steps aside goes to a host that ends empty where one has
 * room: nobody waits for room there, so it closes no new circle. */

#include "solver/schedule/move_order_parts.h"

#include "model/convert.h"

#include <stdlib.h>

void
dcp_move_order_finish(struct dcp_move_order *o)
{
    free(o->moves);
    *o = (struct dcp_move_order){ 0 };
}

bool
dcp_move_order_add(struct dcp_move_order *o, struct dcp_move m)
{
    if (o->n == o->capacity) {
        uint32_t capacity = o->capacity ? 2 * o->capacity : 256;
        struct dcp_move *more = realloc(o->moves, capacity * sizeof *more);

        if (!more) {
            return false;
        }
        o->moves = more;
        o->capacity = capacity;
    }
    o->moves[o->n++] = m;
    return true;
}

static int
by_source(const void *pa, const void *pb)
{
    const struct dcp_pending_move *a = pa, *b = pb;

    if (a->from != b->from) {
        return a->from < b->from ? -1 : 1;
    }
    if (a->size != b->size) {
        return a->size > b->size ? -1 : 1;
    }
    return a->vm < b->vm ? -1 : a->vm > b->vm;
}

/* Running, or to be booted when the first VM comes. */
static bool
is_there(const struct dcp_state *s, const struct dcp_placement *to, uint32_t h)
{
    return s->on[h] ||
           (to->on[h] &&
            (!s->watts || dcp_watts_bear_switch(s->watts, h, true)));
}

bool
dcp_move_may_go(struct dcp_state *s, const struct dcp_placement *to,
                uint32_t vm, uint32_t host)
{
    return is_there(s, to, host) && dcp_state_fits(s, vm, host) &&
           !dcp_state_blocking_always(s, vm, host);
}

/* A host that nothing needs any more draws no more than its standby watts. */
static void
rest(struct dcp_state *s, const struct dcp_placement *to, uint32_t host)
{
    if (s->watts && s->on[host] && !to->on[host] && !s->n_on_host[host]) {
        dcp_state_power(s, host, false);
    }
}

static bool
go(struct dcp_state *s, const struct dcp_placement *ends,
   struct dcp_move_order *out, struct dcp_pending_move *m, uint32_t to,
   bool bypass)
{
    if (!dcp_move_order_add(
            out, (struct dcp_move){ m->vm, m->from, to, bypass, 0 })) {
        return false;
    }
    if (s->host[m->vm] != DCP_IX_NONE) {
        uint32_t from = s->host[m->vm];

        dcp_state_remove(s, m->vm);
        rest(s, ends, from);
    }
    if (!s->on[to]) {
        dcp_state_power(s, to, true);
    }
    dcp_state_place(s, m->vm, to);
    m->from = to;
    return true;
}

/* Whether the VM on 'h' would stand in the way of another pending member of a
 * rule that holds always. */
static bool
stands_in_the_way(const struct dcp_state *s, const struct dcp_placement *to,
                  uint32_t vm, uint32_t h)
{
    const struct dcp_problem *p = s->p;

    for (uint32_t k = p->group_first[vm]; k < p->group_first[vm + 1]; k++) {
        const struct dcp_group *g =
            &p->groups[p->group_of[k] & ~DCP_GROUP_OTHER];

        if (g->rule->hold != DCP_HOLD_ALWAYS) {
            continue;
        }
        for (uint32_t i = 0; i < g->n_items + g->n_others; i++) {
            uint32_t w =
                i < g->n_items ? g->items[i] : g->others[i - g->n_items];
            uint32_t t = to->host[w].ix;

            if (w != vm && t != DCP_IX_NONE && s->host[w] != t &&
                g->domain_of_host[t] == g->domain_of_host[h]) {
                return true;
            }
        }
    }
    return false;
}

/* Whether the VM, on its way over 'h', is converted once at most, and then to
 * what it is to be. */
static bool
is_on_the_way(const struct dcp_inventory *inv, const struct dcp_pending_move *m,
              uint32_t h)
{
    return !dcp_conversion_between(inv, (dcp_host_id){ m->from },
                                   (dcp_host_id){ h }) ||
           !dcp_conversion_between(inv, (dcp_host_id){ h },
                                   (dcp_host_id){ m->to });
}

bool
dcp_move_may_wait(struct dcp_state *s, const struct dcp_placement *to,
                  const struct dcp_pending_move *m, uint32_t h, bool pass)
{
    const struct dcp_problem *p = s->p;

    return h != m->from && h != m->to && p->use[h] != DCP_HOST_AVOID &&
           (pass || dcp_problem_reaches(p, m->vm, h)) &&
           dcp_move_may_go(s, to, m->vm, h) &&
           (!pass || dcp_reach_may_pass(p->q, p->vm[p->vm_first[m->vm]], h)) &&
           is_on_the_way(p->q->inventory, m, h) &&
           !stands_in_the_way(s, to, m->vm, h);
}

/* A host on which the VM can wait; better one that ends off. */
static uint32_t
waiting_host(struct dcp_state *s, const struct dcp_placement *to,
             const struct dcp_pending_move *m, bool pass)
{
    uint32_t second_best = DCP_IX_NONE;

    for (uint32_t h = 0; h < s->p->n_hosts; h++) {
        bool ends_on = to->on[h];

        if ((!ends_on || second_best == DCP_IX_NONE) &&
            dcp_move_may_wait(s, to, m, h, pass)) {
            if (!ends_on) {
                return h;
            }
            second_best = h;
        }
    }
    return second_best;
}

uint32_t
dcp_move_bypass_host(struct dcp_state *s, const struct dcp_placement *to,
                     const struct dcp_pending_move *m)
{
    uint32_t h = waiting_host(s, to, m, false);

    return h != DCP_IX_NONE ? h : waiting_host(s, to, m, true);
}

static bool
is_sooner(const struct dcp_pending_move *a, const struct dcp_pending_move *b)
{
    return a->n_bypasses != b->n_bypasses ? a->n_bypasses < b->n_bypasses
                                          : a->size < b->size;
}

bool
dcp_move_waits(const struct dcp_sequences *seq, const uint8_t *waiting,
               uint32_t vm)
{
    bool any = false;

    for (uint32_t k = seq->first ? seq->first[vm] : 0;
         seq->first && k < seq->first[vm + 1]; k++) {
        any |= waiting[seq->before[k]];
    }
    return any;
}

/* One pending VM that may step aside does so. */
static bool
break_circle(struct dcp_state *s, const struct dcp_placement *to,
             const struct dcp_sequences *seq, const uint8_t *waiting,
             struct dcp_move_order *out, struct dcp_pending_move *moves,
             uint32_t n, bool *out_broken)
{
    struct dcp_pending_move *best = NULL;
    uint32_t best_host = DCP_IX_NONE;

    *out_broken = false;
    for (uint32_t i = 0; i < n; i++) {
        struct dcp_pending_move *m = &moves[i];

        if (m->n_bypasses == DCP_BYPASSES_MAX || m->from == DCP_IX_NONE ||
            dcp_move_waits(seq, waiting, m->vm) ||
            (best && !is_sooner(m, best))) {
            continue;
        }
        uint32_t h = dcp_move_bypass_host(s, to, m);

        if (h != DCP_IX_NONE) {
            best = m;
            best_host = h;
        }
    }
    if (!best) {
        return true;
    }
    best->n_bypasses++;
    *out_broken = true;
    return go(s, to, out, best, best_host, true);
}

static bool
order(struct dcp_state *s, const struct dcp_placement *to,
      const struct dcp_sequences *seq, uint8_t *waiting,
      struct dcp_pending_move *moves, uint32_t n, struct dcp_move_order *out)
{
    while (n) {
        uint32_t left = 0;

        for (uint32_t i = 0; i < n; i++) {
            struct dcp_pending_move *m = &moves[i];

            if (dcp_move_waits(seq, waiting, m->vm) ||
                dcp_parking_comes_later(s->p->q->inventory, s->host, to,
                                        m->vm) ||
                !dcp_move_may_go(s, to, m->vm, m->to)) {
                moves[left++] = *m;
            } else if (!go(s, to, out, m, m->to, false)) {
                return false;
            } else {
                waiting[m->vm] = 0;
            }
        }
        if (left == n) {
            bool broken;

            if (!break_circle(s, to, seq, waiting, out, moves, n, &broken)) {
                return false;
            }
            if (!broken) {
                out->stuck_vm = moves[0].vm;
                return true;
            }
        }
        n = left;
    }
    return true;
}

bool
dcp_move_order_make(struct dcp_state *s, const struct dcp_placement *to,
                    const uint8_t dropped[], struct dcp_move_order *out,
                    struct dcp_error *err)
{
    const struct dcp_problem *p = s->p;
    DCP_FREE struct dcp_pending_move *moves =
        malloc((p->n_items + 1u) * sizeof *moves);
    DCP_FREE uint8_t *waiting = calloc(p->n_items + 1u, 1);
    struct dcp_sequences seq;
    uint32_t n = 0;

    *out = (struct dcp_move_order){ .stuck_vm = DCP_IX_NONE };
    if (!moves || !waiting) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to order moves");
    }
    for (uint32_t v = 0; v < p->n_items; v++) { /* Parked: gone at first. */
        if (s->host[v] != DCP_IX_NONE && dcp_host_is_none(to->host[v])) {
            dcp_state_remove(s, v);
        }
    }
    for (uint32_t v = 0; v < p->n_items; v++) {
        if (s->host[v] != to->host[v].ix && to->host[v].ix != DCP_IX_NONE) {
            waiting[v] = 1;
            moves[n++] =
                (struct dcp_pending_move){ v, s->host[v], to->host[v].ix,
                                           p->size[v], 0 };
        }
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        rest(s, to, h);
    }
    if (s->watts) { /* A leg may not draw more than at its start. */
        s->watts->lax = true;
    }
    qsort(moves, n, sizeof *moves, by_source);
    if (!dcp_sequences_init(&seq, p->q->inventory, waiting, dropped, err)) {
        return false;
    }
    bool ok = order(s, to, &seq, waiting, moves, n, out);

    dcp_sequences_finish(&seq);
    if (!ok) {
        dcp_move_order_finish(out);
        return dcp_fail(err, DCP_E_NOMEM, "no memory to order moves");
    }
    return true;
}
