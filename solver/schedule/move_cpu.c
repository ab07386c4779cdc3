/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/schedule/move_cpu.h"

#include "model/base/sort.h"

#include <stdlib.h>
#include <string.h>

static int64_t
overhead_mhz(const struct dcp_move_cpu *c, const struct dcp_step *s)
{
    const struct dcp_problem *p = c->start->p;
    double frac = p->q->inventory->policy.migration_cpu_overhead_frac;

    uint32_t item = p->item_of_vm[s->object.ix];

    return s->kind == DCP_STEP_MIGRATE && !s->cold && item != DCP_IX_NONE
               ? (int64_t)(frac * p->cpu_peak_mhz[item])
               : 0;
}

static int64_t
load_mhz(const struct dcp_move_cpu *c, uint32_t vm, uint32_t slot)
{
    const struct dcp_problem *p = c->start->p;
    uint32_t item = p->item_of_vm[vm];

    return item == DCP_IX_NONE ? 0
                               : p->cpu_mhz[(size_t)item * p->stride + slot];
}

static bool
starts_a_vm(const struct dcp_step *s)
{
    return s->kind == DCP_STEP_VM_START || s->kind == DCP_STEP_VM_CREATE ||
           s->kind == DCP_STEP_VM_RESTORE;
}

/* --- What is there ------------------------------------------------------ */

static void
list_touches(struct dcp_move_cpu *c)
{
    uint32_t n_hosts = c->start->p->n_hosts, n = 0;

    for (uint32_t i = c->first; i < c->list->n; i++) {
        const struct dcp_step *s = &c->list->steps[i];

        n += 2 * (s->kind == DCP_STEP_MIGRATE);
        if (s->kind == DCP_STEP_MIGRATE) {
            c->touch_first[s->from.ix + 1]++;
            c->touch_first[s->to.ix + 1]++;
        }
    }
    for (uint32_t h = 0; h < n_hosts; h++) {
        c->touch_first[h + 1] += c->touch_first[h];
    }
    for (uint32_t i = c->list->n; i-- > c->first;) {
        const struct dcp_step *s = &c->list->steps[i];

        /* Filled from behind: firsts become ends, and firsts again. */
        if (s->kind == DCP_STEP_MIGRATE) {
            c->touch[--c->touch_first[s->from.ix + 1]] = i;
            c->touch[--c->touch_first[s->to.ix + 1]] = i;
        }
    }
    for (uint32_t h = 0; h < n_hosts; h++) {
        c->touch_first[h] = c->touch_first[h + 1];
    }
    c->touch_first[n_hosts] = n;
}

static void
fill_spare(struct dcp_move_cpu *c)
{
    const struct dcp_state *s = c->start;
    const struct dcp_inventory *inv = s->p->q->inventory;

    for (uint32_t h = 0; h < s->p->n_hosts; h++) {
        int64_t capacity = dcp_host_capacity(inv, (dcp_host_id){ h }).cpu_mhz;

        for (uint32_t t = 0; t < c->n_slots; t++) {
            c->spare_mhz[(size_t)h * c->n_slots + t] =
                capacity - s->cpu_mhz[(size_t)h * s->p->stride + t];
        }
    }
    for (uint32_t i = c->first; i < c->list->n; i++) {
        const struct dcp_step *step = &c->list->steps[i];

        for (uint32_t t = 0; starts_a_vm(step) && t < c->n_slots; t++) {
            c->spare_mhz[(size_t)step->to.ix * c->n_slots + t] -=
                load_mhz(c, step->object.ix, t);
        }
    }
}

static int64_t
slot_start_ms(const struct dcp_move_cpu *c, uint32_t slot)
{
    const struct dcp_question *q = c->start->p->q;

    return slot ? q->demand->slots[q->first_slot + slot].start_ms - c->start_ms
                : 0;
}

/* Whether both hosts of the step have the CPU that it takes; the one that has
 * not in 'out_host'. */
static bool
has_cpu(const struct dcp_move_cpu *c, const struct dcp_step *s, uint32_t slot,
        uint32_t *out_host)
{
    int64_t need = overhead_mhz(c, s);

    for (uint32_t end = 0; end < 2; end++) {
        uint32_t h = end ? s->to.ix : s->from.ix;

        if (c->spare_mhz[(size_t)h * c->n_slots + slot] < need) {
            *out_host = h;
            return false;
        }
    }
    return true;
}

static uint32_t
slot_at(const struct dcp_move_cpu *c, int64_t ms)
{
    uint32_t t = 0;

    while (t + 1 < c->n_slots && slot_start_ms(c, t + 1) <= ms) {
        t++;
    }
    return t;
}

bool
dcp_move_cpu_init(struct dcp_move_cpu *c, const struct dcp_state *start,
                  const struct dcp_step_list *list, uint32_t first,
                  uint32_t n_slots, int64_t start_ms, struct dcp_error *err)
{
    size_t n_hosts = start->p->n_hosts;

    *c = (struct dcp_move_cpu){
        .start = start,
        .list = list,
        .first = first,
        .n_slots = n_slots,
        .start_ms = start_ms,
        .touch_first = calloc(n_hosts + 2, sizeof *c->touch_first),
        .touch = calloc(2 * (size_t)(list->n - first) + 1, sizeof *c->touch),
        .spare_mhz = calloc(n_hosts * n_slots + 1, sizeof *c->spare_mhz),
        .ready_slot =
            calloc((size_t)(list->n - first) + 1, sizeof *c->ready_slot),
    };
    if (!c->touch_first || !c->touch || !c->spare_mhz || !c->ready_slot) {
        dcp_move_cpu_finish(c);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the CPU of moves");
    }
    list_touches(c);
    fill_spare(c);
    for (uint32_t i = first; start_ms && i < list->n; i++) {
        int64_t ms = dcp_move_cpu_ready_ms(c, &list->steps[i], 0, NULL);

        c->ready_slot[i - first] = slot_at(c, ms);
        c->any_waits |= ms > 0;
    }
    return true;
}

void
dcp_move_cpu_finish(struct dcp_move_cpu *c)
{
    free(c->touch_first);
    free(c->touch);
    free(c->spare_mhz);
    free(c->ready_slot);
    *c = (struct dcp_move_cpu){ 0 };
}

/* --- When --------------------------------------------------------------- */

int64_t
dcp_move_cpu_ready_ms(const struct dcp_move_cpu *c, const struct dcp_step *s,
                      int64_t from_ms, uint32_t *out_host)
{
    int64_t wait_ms = c->start->p->q->inventory->policy.move_wait_ms;
    uint32_t t = c->start_ms ? slot_at(c, from_ms) : 0, host, other;

    if (!c->start_ms || overhead_mhz(c, s) <= 0 || has_cpu(c, s, t, &host)) {
        return from_ms;
    }
    for (t++; t < c->n_slots && slot_start_ms(c, t) <= wait_ms; t++) {
        if (has_cpu(c, s, t, &other)) {
            if (out_host) {
                *out_host = host;
            }
            return slot_start_ms(c, t);
        }
    }
    return from_ms;
}

/* --- Gates -------------------------------------------------------------- */

struct gate {
    const struct dcp_move_cpu *c;
    const struct dcp_step_list *list;
    uint32_t host;
    const uint32_t *moves; /* That touch the host, in listed order. */
    uint32_t n, open;      /* So many are waited for. */
    int64_t *relief_mhz;   /* By slot: of those that left by then, less what
                            * came so far. */
    uint32_t limit[2];     /* Moves out of the host and into it at once, at
                            * most; 0: no limit. */
};

/* The move takes CPU, and is ready in the slot. */
static int64_t
takes_mhz(const struct gate *g, uint32_t k, uint32_t slot)
{
    uint32_t i = g->moves[k];

    return g->c->ready_slot[i - g->c->first] <= slot
               ? overhead_mhz(g->c, &g->list->steps[i])
               : 0;
}

/* The most that 'limit' of the moves out of the host (or into it) between the
 * gate and 'last' take at once; how many do. */
static int64_t
most_of(const struct gate *g, uint32_t last, bool into, uint32_t slot,
        uint32_t *n)
{
    uint32_t left = g->limit[into] ? g->limit[into] : UINT32_MAX;
    int64_t sum = 0, below = INT64_MAX;

    for (int64_t most = 1; left && most > 0;) { /* Equal ones together. */
        uint32_t equal = 0;

        most = 0;
        for (uint32_t k = g->open; k <= last; k++) {
            bool comes = g->list->steps[g->moves[k]].to.ix == g->host;
            int64_t x = comes == into ? takes_mhz(g, k, slot) : 0;

            if (x > 0 && x < below) {
                equal = x > most ? 1 : equal + (x == most);
                most = x > most ? x : most;
            }
        }
        equal = equal < left ? equal : left;
        sum += equal * most;
        left -= equal;
        *n += equal;
        below = most;
    }
    return sum;
}

static bool
fits(const struct gate *g, uint32_t i)
{
    uint32_t t = g->c->ready_slot[g->moves[i] - g->c->first], n = 0;
    bool ok = true, once = !g->c->any_waits;
    int64_t need = 0;

    for (uint32_t first = t; ok && t < g->c->n_slots; t++) {
        if (!once || t == first) {
            n = 0;
            need = most_of(g, i, false, t, &n) + most_of(g, i, true, t, &n);
        }
        ok = n < 2 ||
             need <= g->c->spare_mhz[(size_t)g->host * g->c->n_slots + t] +
                         g->relief_mhz[t];
    }
    return ok;
}

static void
open_one(struct gate *g)
{
    const struct dcp_step *s = &g->list->steps[g->moves[g->open++]];

    for (uint32_t t = 0; s->from.ix == g->host && t < g->c->n_slots; t++) {
        g->relief_mhz[t] += load_mhz(g->c, s->object.ix, t);
    }
}

static void
count_arrival(struct gate *g, uint32_t i)
{
    const struct dcp_step *s = &g->list->steps[g->moves[i]];

    for (uint32_t t = 0; s->to.ix == g->host && t < g->c->n_slots; t++) {
        g->relief_mhz[t] -= load_mhz(g->c, s->object.ix, t);
    }
}

/* Waits of the step at 'i' for all before the gate; those that it has are not
 * doubled. */
static bool
add_waits(const struct gate *g, struct dcp_step_list *list, uint32_t i,
          uint32_t *n)
{
    struct dcp_step *s = &list->steps[g->moves[i]];
    uint32_t *after =
        dcp_arena_array(list->arena, uint32_t, s->n_after + g->open);
    uint32_t n_after = s->n_after;

    if (!after) {
        return false;
    }
    if (n_after) {
        memcpy(after, s->after, n_after * sizeof *after);
    }
    for (uint32_t k = 0; k < g->open; k++) {
        uint32_t id = list->steps[g->moves[k]].id;
        bool there = false;

        for (uint32_t j = 0; j < s->n_after; j++) {
            there |= s->after[j] == id;
        }
        if (!there) {
            after[n_after++] = id;
        }
    }
    *n += n_after - s->n_after;
    dcp_sort_u32(after, n_after);
    s->after = after;
    s->n_after = n_after;
    return true;
}

bool
dcp_move_cpu_add_waits(const struct dcp_move_cpu *c, struct dcp_step_list *list,
                       uint32_t *out_n, struct dcp_error *err)
{
    const struct dcp_policy *policy = &c->start->p->q->inventory->policy;
    DCP_FREE int64_t *relief = calloc(c->n_slots + 1u, sizeof *relief);
    bool ok = relief != NULL;

    *out_n = 0;
    for (uint32_t h = 0; ok && h < c->start->p->n_hosts; h++) {
        struct gate g = {
            .c = c,
            .list = list,
            .host = h,
            .moves = c->touch + c->touch_first[h],
            .n = c->touch_first[h + 1] - c->touch_first[h],
            .relief_mhz = relief,
            .limit = { policy->out_per_host, policy->in_per_host },
        };

        memset(relief, 0, (c->n_slots + 1u) * sizeof *relief);
        for (uint32_t i = 0; ok && i < g.n; i++) {
            const struct dcp_step *s = &list->steps[g.moves[i]];
            bool counts = overhead_mhz(c, s) > 0 || s->to.ix == h;

            count_arrival(&g, i);
            while (counts && g.open < i && !fits(&g, i)) {
                open_one(&g);
            }
            ok = !counts || !g.open || add_waits(&g, list, i, out_n);
        }
    }
    return ok || dcp_fail(err, DCP_E_NOMEM, "no memory for waits");
}
