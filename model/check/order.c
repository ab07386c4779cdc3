/* SPDX-License-Identifier: GPL-3.0-or-later */

/* An amount on a thing changes with two kinds of events only: the start of an
 * 'in' step adds, the end of an 'out' step takes away.  A state is a closed set
 * of events.  The start of in step i forces the end of every ancestor of i,
 * and of those only the out steps of this thing matter: ancestors that are in
 * steps add, and what they force is forced by i already.  So the closure over
 * all events of all ancestors has the same value as the one over just in and
 * out steps, with 'i requires k' where k is an ancestor of i; that small one
 * is what is solved. */

#include "model/check/order.h"

#include "model/base/sort.h"
#include "model/check/closure.h"

#include <stdlib.h>
#include <string.h>

bool
dcp_check_order_init(struct dcp_check_order *o, const struct dcp_judge *j)
{
    size_t n = (size_t)j->plan->n_steps + 1;

    *o = (struct dcp_check_order){ .plan = j->plan,
                                   .stamp = calloc(n, sizeof *o->stamp),
                                   .stack = calloc(n, sizeof *o->stack) };
    if (!o->stamp || !o->stack) {
        dcp_check_order_finish(o);
        return dcp_judge_no_memory(j);
    }
    return true;
}

void
dcp_check_order_finish(struct dcp_check_order *o)
{
    free(o->stamp);
    free(o->stack);
    *o = (struct dcp_check_order){ 0 };
}

static void
new_stamp(struct dcp_check_order *o)
{
    if (++o->now == 0) {
        memset(o->stamp, 0, ((size_t)o->plan->n_steps + 1) * sizeof *o->stamp);
        o->now = 1;
    }
}

bool
dcp_check_order_before(struct dcp_check_order *o, uint32_t a, uint32_t b)
{
    uint32_t n = 0;

    if (a >= b) {
        return false; /* Steps wait for lower ids only. */
    }
    new_stamp(o);
    o->stack[n++] = b;
    while (n) {
        const struct dcp_step *s = &o->plan->steps[o->stack[--n] - 1];

        for (uint32_t i = s->n_after; i-- > 0;) {
            uint32_t id = s->after[i];

            if (id == a) {
                return true;
            }
            if (id < a) {
                break; /* Ascending: the rest cannot come after a either. */
            }
            if (o->stamp[id] != o->now) {
                o->stamp[id] = o->now;
                o->stack[n++] = id;
            }
        }
    }
    return false;
}

struct dcp_check_touch {
    const uint32_t *in;
    uint32_t n_in, n_out;
    struct dcp_closure *closure;
    int64_t *weight;
    uint8_t *member;
};

/* All ancestors of 'in', and they themselves, with ids from 'lowest' on,
 * ascending in o->stack; o->stamp marks them.  Returns how many. */
static uint32_t
gather_ancestors(struct dcp_check_order *o, const uint32_t in[], uint32_t n_in,
                 uint32_t lowest)
{
    uint32_t n = 0;

    new_stamp(o);
    for (uint32_t i = 0; i < n_in; i++) {
        if (in[i] > lowest && o->stamp[in[i]] != o->now) {
            o->stamp[in[i]] = o->now;
            o->stack[n++] = in[i];
        }
    }
    for (uint32_t i = 0; i < n; i++) { /* Grows while it is walked. */
        const struct dcp_step *s = &o->plan->steps[o->stack[i] - 1];

        for (uint32_t k = s->n_after; k-- > 0 && s->after[k] >= lowest;) {
            if (o->stamp[s->after[k]] != o->now) {
                o->stamp[s->after[k]] = o->now;
                o->stack[n++] = s->after[k];
            }
        }
    }
    dcp_sort_u32(o->stack, n);
    return n;
}

/* Bit sets of the out steps among the ancestors of each gathered step, by
 * position in o->stack; then the requirements. */
static bool
require_outs(struct dcp_check_order *o, struct dcp_check_touch *t,
             const uint32_t out[], uint32_t n)
{
    size_t words = (t->n_out + 63u) / 64;
    DCP_FREE uint64_t *bits = calloc((size_t)n * words + 1, sizeof *bits);

    if (!bits) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct dcp_step *s = &o->plan->steps[o->stack[i] - 1];
        uint64_t *mine = bits + i * words;

        for (uint32_t k = s->n_after; k-- > 0 && s->after[k] >= out[0];) {
            uint32_t at = dcp_sorted_u32_find(o->stack, n, s->after[k]);
            uint32_t is_out = dcp_sorted_u32_find(out, t->n_out, s->after[k]);

            for (size_t w = 0; w < words; w++) {
                mine[w] |= bits[at * words + w];
            }
            if (is_out != UINT32_MAX) {
                mine[is_out / 64] |= UINT64_C(1) << (is_out % 64);
            }
        }
    }
    for (uint32_t i = 0; i < t->n_in; i++) {
        uint32_t at = dcp_sorted_u32_find(o->stack, n, t->in[i]);

        for (uint32_t k = 0; at != UINT32_MAX && k < t->n_out; k++) {
            if (bits[at * words + k / 64] >> (k % 64) & 1 &&
                !dcp_closure_require(t->closure, i, t->n_in + k)) {
                return false;
            }
        }
    }
    return true;
}

struct dcp_check_touch *
dcp_check_touch_create(struct dcp_check_order *o, const uint32_t in[],
                       uint32_t n_in, const uint32_t out[], uint32_t n_out)
{
    DCP_AUTO(dcp_check_touch) struct dcp_check_touch *t = calloc(1, sizeof *t);
    size_t n = (size_t)n_in + n_out;

    if (!t || n >= UINT32_MAX) {
        return NULL;
    }
    t->in = in;
    t->n_in = n_in;
    t->n_out = n_out;
    t->closure = dcp_closure_create((uint32_t)n);
    t->weight = calloc(n + 1, sizeof *t->weight);
    t->member = calloc(n + 1, sizeof *t->member);
    if (!t->closure || !t->weight || !t->member) {
        return NULL;
    }
    if (n_in && n_out &&
        !require_outs(o, t, out, gather_ancestors(o, in, n_in, out[0]))) {
        return NULL;
    }
    return DCP_STEAL(t);
}

void
dcp_check_touch_destroy(struct dcp_check_touch *t)
{
    if (t) {
        dcp_closure_destroy(t->closure);
        free(t->weight);
        free(t->member);
        free(t);
    }
}

int64_t
dcp_check_touch_worst(struct dcp_check_touch *t, const int64_t weight[],
                      uint32_t *out_step)
{
    for (uint32_t i = 0; i < t->n_in + t->n_out; i++) {
        t->weight[i] = i < t->n_in ? weight[i] : -weight[i];
    }
    int64_t worst = dcp_closure_solve(t->closure, t->weight, t->member);

    *out_step = 0;
    for (uint32_t i = 0; i < t->n_in; i++) {
        if (t->member[i]) {
            *out_step = t->in[i];
        }
    }
    return worst;
}
