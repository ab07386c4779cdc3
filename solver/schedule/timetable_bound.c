/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Lower bounds of the makespan.  Everything is counted in integers, so no
 * rounding can lift a bound above the truth. */

#include "solver/schedule/timetable_parts.h"

#include <stdlib.h>

__extension__ typedef __int128 wide;

struct bounds {
    const struct dcp_timetable *t;
    int64_t *head, *tail; /* [n_tasks]: before its start, after its end. */
    /* Effects by stock: entries first[s] to first[s + 1] - 1. */
    uint32_t *first, *task_of;
    struct dcp_effect *effect_of;
    struct entry {
        int64_t key;
        uint32_t at; /* In 'task_of'. */
    } * sorted;      /* [n_effects] */
};

static void
finish(struct bounds *b)
{
    free(b->head);
    free(b->tail);
    free(b->first);
    free(b->task_of);
    free(b->effect_of);
    free(b->sorted);
}

static bool
init(struct bounds *b, const struct dcp_timetable *t)
{
    size_t n = (size_t)t->n_tasks + 1, e = (size_t)t->n_effects + 1;

    *b = (struct bounds){
        .t = t,
        .head = calloc(n, sizeof *b->head),
        .tail = calloc(n, sizeof *b->tail),
        .first = calloc((size_t)t->n_stocks + 2, sizeof *b->first),
        .task_of = calloc(e, sizeof *b->task_of),
        .effect_of = calloc(e, sizeof *b->effect_of),
        .sorted = calloc(e, sizeof *b->sorted),
    };
    uint32_t *at = calloc((size_t)t->n_stocks + 1, sizeof *at);

    if (!at || !b->head || !b->tail || !b->first || !b->task_of ||
        !b->effect_of || !b->sorted) {
        free(at);
        finish(b);
        return false;
    }
    for (uint32_t i = 0; i < t->n_effects; i++) {
        b->first[t->effects[i].stock + 1]++;
    }
    for (uint32_t s = 0; s < t->n_stocks; s++) {
        b->first[s + 1] += b->first[s];
        at[s] = b->first[s];
    }
    for (uint32_t i = 0; i < t->n_tasks; i++) {
        for (uint32_t k = t->effect_first[i]; k < t->effect_first[i + 1]; k++) {
            uint32_t where = at[t->effects[k].stock]++;

            b->task_of[where] = i;
            b->effect_of[where] = t->effects[k];
        }
    }
    free(at);
    return true;
}

static void
spread_heads(struct bounds *b)
{
    const struct dcp_timetable *t = b->t;

    for (uint32_t o = 0; o < t->n_tasks; o++) {
        uint32_t i = t->order[o];

        for (uint32_t k = t->wait_first[i]; k < t->wait_first[i + 1]; k++) {
            uint32_t w = t->waits[k];
            int64_t at = b->head[w] + t->duration[w];

            b->head[i] = at > b->head[i] ? at : b->head[i];
        }
    }
}

static void
spread_tails(struct bounds *b)
{
    const struct dcp_timetable *t = b->t;

    for (uint32_t o = t->n_tasks; o-- > 0;) {
        uint32_t i = t->order[o];

        for (uint32_t k = t->wait_first[i]; k < t->wait_first[i + 1]; k++) {
            uint32_t w = t->waits[k];
            int64_t at = b->tail[i] + t->duration[i];

            b->tail[w] = at > b->tail[w] ? at : b->tail[w];
        }
    }
}

struct leaving {
    int64_t at, amount;
    uint32_t task;
};

static int
by_time(const void *a, const void *b)
{
    const struct leaving *x = a, *y = b;

    return x->at != y->at ? (x->at > y->at) - (x->at < y->at)
                          : (x->task > y->task) - (x->task < y->task);
}

/* An arrival that does not fit beside what is there at first starts no earlier
 * than the earliest departures that could make its room, were all of them on
 * time and nothing else had come.  True: some head rose. */
static bool
room_heads(struct bounds *b, uint32_t s, struct leaving list[])
{
    const struct dcp_timetable *t = b->t;
    uint32_t n = 0;
    bool rose = false;

    for (uint32_t k = b->first[s]; k < b->first[s + 1]; k++) {
        const struct dcp_effect *e = &b->effect_of[k];
        uint32_t i = b->task_of[k];
        /* What it gives back of its own does not help others. */
        int64_t net = e->at_end + (e->at_start > 0 ? e->at_start : 0);

        if (e->at_start < 0) {
            list[n++] = (struct leaving){ b->head[i], -e->at_start, i };
        }
        if (net < 0) {
            list[n++] =
                (struct leaving){ b->head[i] + t->duration[i], -net, i };
        }
    }
    qsort(list, n, sizeof *list, by_time);
    for (uint32_t k = b->first[s]; k < b->first[s + 1]; k++) {
        const struct dcp_effect *e = &b->effect_of[k];
        uint32_t i = b->task_of[k];
        int64_t need = t->level[s] + e->at_start - t->limit[s];

        if (e->at_start <= 0 || need <= 0) {
            continue;
        }
        for (uint32_t l = 0; l < n && need > 0; l++) {
            if (list[l].task == i) {
                continue;
            }
            need -= list[l].amount;
            if (need <= 0 && list[l].at > b->head[i]) {
                b->head[i] = list[l].at;
                rose = true;
            }
        }
    }
    return rose;
}

/* Heads through waits and room, until they settle or after a few rounds: each
 * round's heads are valid. */
static bool
settle_heads(struct bounds *b)
{
    const struct dcp_timetable *t = b->t;
    struct leaving *list = calloc(2 * (size_t)t->n_effects + 1, sizeof *list);

    if (!list) {
        return false;
    }
    for (uint32_t round = 0; round < 12; round++) {
        bool rose = false;

        spread_heads(b);
        for (uint32_t s = 0; s < t->n_stocks; s++) {
            rose |= room_heads(b, s, list);
        }
        if (!rose) {
            break;
        }
    }
    spread_heads(b);
    free(list);
    return true;
}

/* Sets of tasks on one stock by nested heads or tails: 'sorted' has them by
 * descending head (tail); the running energy of the first ones under the dual
 * feasible function u^(k) of a limit 'c', in units of 1 / (k c). */
static wide
share(int64_t x, int64_t c, int64_t k)
{
    wide product = (wide)(k + 1) * x;

    return product % c == 0 ? (wide)k * x : product / c * c;
}

static int64_t
ceil_div(wide a, wide b)
{
    return (int64_t)((a + b - 1) / b);
}

static int
descending(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    return x->key != y->key ? (x->key < y->key) - (x->key > y->key)
                            : (x->at > y->at) - (x->at < y->at);
}

/* The most that the nested sets give: least head + energy + least tail. */
static int64_t
nested(const struct bounds *b, uint32_t n, int64_t c, int64_t k)
{
    int64_t best = 0, head = INT64_MAX, tail = INT64_MAX;
    wide energy = 0;

    for (uint32_t x = 0; x < n; x++) {
        uint32_t i = b->task_of[b->sorted[x].at];
        int64_t use = b->effect_of[b->sorted[x].at].at_start;

        energy += share(use, c, k) * b->t->duration[i];
        head = b->head[i] < head ? b->head[i] : head;
        tail = b->tail[i] < tail ? b->tail[i] : tail;

        int64_t v = head + ceil_div(energy, (wide)k * c) + tail;

        best = v > best ? v : best;
    }
    return best;
}

static int64_t
stock_bound(struct bounds *b, uint32_t s)
{
    const struct dcp_timetable *t = b->t;
    int64_t c = t->limit[s] - t->level[s], best = 0;
    uint32_t n = 0;

    for (uint32_t k = b->first[s]; k < b->first[s + 1]; k++) {
        const struct dcp_effect *e = &b->effect_of[k];

        if (e->at_start + e->at_end != 0 || e->at_start < 0) {
            return 0; /* A reservoir: nobody gives back what he took. */
        }
        if (e->at_start > 0 && e->at_start <= c &&
            t->duration[b->task_of[k]] > 0) {
            b->sorted[n++].at = k;
        }
    }
    if (c <= 0 || n < 2) {
        return 0;
    }
    for (int side = 0; side < 2; side++) {
        const int64_t *key = side == 0 ? b->head : b->tail;

        for (uint32_t x = 0; x < n; x++) {
            b->sorted[x].key = key[b->task_of[b->sorted[x].at]];
        }
        qsort(b->sorted, n, sizeof *b->sorted, descending);
        for (int64_t k = 1; k <= 5; k++) {
            int64_t v = nested(b, n, c, k);

            best = v > best ? v : best;
        }
        /* Plain energy: u^(k) for k without end. */
        wide energy = 0;
        int64_t head = INT64_MAX, tail = INT64_MAX;

        for (uint32_t x = 0; x < n; x++) {
            uint32_t i = b->task_of[b->sorted[x].at];

            energy +=
                (wide)b->effect_of[b->sorted[x].at].at_start * t->duration[i];
            head = b->head[i] < head ? b->head[i] : head;
            tail = b->tail[i] < tail ? b->tail[i] : tail;
            int64_t v = head + ceil_div(energy, c) + tail;

            best = v > best ? v : best;
        }
    }
    return best;
}

bool
dcp_timetable_bound(const struct dcp_timetable *t, int64_t *out,
                    const char **method, struct dcp_error *err)
{
    struct bounds b;
    int64_t path = 0, stock = 0;

    if (!init(&b, t)) {
        return dcp_fail(err, DCP_E_NOMEM, "out of memory");
    }
    for (uint32_t i = 0; i < t->n_tasks; i++) {
        b.head[i] = t->release[i];
    }
    if (!settle_heads(&b)) {
        finish(&b);
        return dcp_fail(err, DCP_E_NOMEM, "out of memory");
    }
    spread_tails(&b);
    for (uint32_t i = 0; i < t->n_tasks; i++) {
        int64_t v = b.head[i] + t->duration[i] + b.tail[i];

        path = v > path ? v : path;
    }
    for (uint32_t s = 0; s < t->n_stocks; s++) {
        int64_t v = stock_bound(&b, s);

        stock = v > stock ? v : stock;
    }
    finish(&b);
    *out = path > stock ? path : stock;
    if (method) {
        *method = path >= stock ? "path" : "stock";
    }
    return true;
}
