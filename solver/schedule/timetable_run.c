/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/schedule/timetable_parts.h"

#include <stdlib.h>
#include <string.h>

bool
dcp_timetable_run_init(struct dcp_timetable_run *r,
                       const struct dcp_timetable *t)
{
    size_t n = (size_t)t->n_tasks + 1, s = (size_t)t->n_stocks + 1;

    *r = (struct dcp_timetable_run){
        .t = t,
        .level = calloc(s, sizeof *r->level),
        .start = calloc(n, sizeof *r->start),
        .unmet = calloc(n, sizeof *r->unmet),
        .ready = calloc(n, sizeof *r->ready),
        .event = calloc(n, sizeof *r->event),
        .event_time = calloc(n, sizeof *r->event_time),
        .running = calloc(n, sizeof *r->running),
        .blocked = calloc(s, sizeof *r->blocked),
        .child = calloc(n, sizeof *r->child),
        .sibling = calloc(n, sizeof *r->sibling),
        .passed = calloc(s, sizeof *r->passed),
        .woken_by = calloc(n, sizeof *r->woken_by),
        .reserved = calloc(s, sizeof *r->reserved),
    };
    if (!r->level || !r->start || !r->unmet || !r->ready || !r->event ||
        !r->event_time || !r->running || !r->blocked || !r->child ||
        !r->sibling || !r->passed || !r->woken_by || !r->reserved) {
        dcp_timetable_run_finish(r);
        return false;
    }
    return true;
}

void
dcp_timetable_run_finish(struct dcp_timetable_run *r)
{
    free(r->level);
    free(r->start);
    free(r->unmet);
    free(r->ready);
    free(r->event);
    free(r->event_time);
    free(r->running);
    free(r->blocked);
    free(r->child);
    free(r->sibling);
    free(r->passed);
    free(r->woken_by);
    free(r->reserved);
    *r = (struct dcp_timetable_run){ 0 };
}

#define NONE UINT32_MAX

static bool
key_less(const struct dcp_timetable_run *r, uint32_t a, uint32_t b)
{
    return r->key[a] != r->key[b] ? r->key[a] < r->key[b] : a < b;
}

static bool
time_less(const struct dcp_timetable_run *r, uint32_t a, uint32_t b)
{
    return r->event_time[a] != r->event_time[b]
               ? r->event_time[a] < r->event_time[b]
               : a < b;
}

typedef bool less_fn(const struct dcp_timetable_run *, uint32_t, uint32_t);

static inline void
heap_push(const struct dcp_timetable_run *r, uint32_t heap[], uint32_t *n,
          uint32_t task, less_fn *less)
{
    uint32_t i = (*n)++;

    for (; i > 0 && less(r, task, heap[(i - 1) / 2]); i = (i - 1) / 2) {
        heap[i] = heap[(i - 1) / 2];
    }
    heap[i] = task;
}

static inline uint32_t
heap_pop(const struct dcp_timetable_run *r, uint32_t heap[], uint32_t *n,
         less_fn *less)
{
    uint32_t top = heap[0], last = heap[--*n], i = 0;

    for (;;) {
        uint32_t child = 2 * i + 1;

        if (child >= *n) {
            break;
        }
        if (child + 1 < *n && less(r, heap[child + 1], heap[child])) {
            child++;
        }
        if (!less(r, heap[child], last)) {
            break;
        }
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = last;
    return top;
}

static uint32_t
meld(struct dcp_timetable_run *r, uint32_t a, uint32_t b)
{
    if (a == NONE || b == NONE) {
        return a == NONE ? b : a;
    }
    if (key_less(r, b, a)) {
        uint32_t swap = a;

        a = b;
        b = swap;
    }
    r->sibling[b] = r->child[a];
    r->child[a] = b;
    return a;
}

static void
wait_for_stock(struct dcp_timetable_run *r, uint32_t stock, uint32_t i)
{
    r->child[i] = r->sibling[i] = NONE;
    r->blocked[stock] = meld(r, r->blocked[stock], i);
}

/* The first of those that wait for the stock; melds its children in pairs. */
static uint32_t
take_first(struct dcp_timetable_run *r, uint32_t stock)
{
    uint32_t top = r->blocked[stock], i = r->child[top], pairs = NONE;

    while (i != NONE) {
        uint32_t a = i, b = r->sibling[a];
        uint32_t next = b == NONE ? NONE : r->sibling[b];

        r->sibling[a] = NONE;
        if (b != NONE) {
            r->sibling[b] = NONE;
        }
        a = meld(r, a, b);
        r->sibling[a] = pairs;
        pairs = a;
        i = next;
    }
    uint32_t root = NONE;

    while (pairs != NONE) {
        uint32_t next = r->sibling[pairs];

        r->sibling[pairs] = NONE;
        root = meld(r, root, pairs);
        pairs = next;
    }
    r->blocked[stock] = root;
    return top;
}

/* The first of those that wait for the stock may try again; the next when it
 * has, while there is room. */
static void
wake_one(struct dcp_timetable_run *r, uint32_t stock)
{
    if (r->blocked[stock] != NONE && r->level[stock] < r->t->limit[stock]) {
        uint32_t i = take_first(r, stock);

        r->woken_by[i] = stock;
        heap_push(r, r->ready, &r->n_ready, i, key_less);
    }
}

/* There is more room: those that were passed over count again. */
static void
wake(struct dcp_timetable_run *r, uint32_t stock)
{
    while (r->passed[stock] != NONE) {
        uint32_t i = r->passed[stock];

        r->passed[stock] = r->sibling[i];
        wait_for_stock(r, stock, i);
    }
    wake_one(r, stock);
}

static void
change(struct dcp_timetable_run *r, uint32_t stock, int64_t by)
{
    r->level[stock] += by;
    if (by < 0) {
        wake(r, stock);
    }
}

static void
task_ends(struct dcp_timetable_run *r, uint32_t i, int64_t now)
{
    const struct dcp_timetable *t = r->t;

    r->running[i] = 0;
    if (r->end) {
        r->end[i] = now;
    }
    for (uint32_t e = t->effect_first[i]; e < t->effect_first[i + 1]; e++) {
        if (t->effects[e].at_end) {
            change(r, t->effects[e].stock, t->effects[e].at_end);
        }
    }
    for (uint32_t k = t->follower_first[i]; k < t->follower_first[i + 1]; k++) {
        uint32_t f = t->followers[k];

        if (--r->unmet[f]) {
            continue;
        }
        if (t->release[f] > now) {
            r->event_time[f] = t->release[f];
            heap_push(r, r->event, &r->n_events, f, time_less);
        } else {
            heap_push(r, r->ready, &r->n_ready, f, key_less);
        }
    }
}

/* The stock that keeps task 'i' from starting; NONE: it may. */
static uint32_t
blocked_by(const struct dcp_timetable_run *r, uint32_t i)
{
    const struct dcp_timetable *t = r->t;

    for (uint32_t e = t->effect_first[i]; e < t->effect_first[i + 1]; e++) {
        const struct dcp_effect *x = &t->effects[e];

        if (x->at_start <= 0) {
            continue;
        }
        if (r->level[x->stock] + x->at_start > t->limit[x->stock]) {
            return x->stock;
        }
        uint32_t by = r->reserved[x->stock];

        if (by != NONE && by != i && key_less(r, by, i)) {
            return x->stock;
        }
    }
    return NONE;
}

static void
reserve(struct dcp_timetable_run *r, uint32_t i)
{
    const struct dcp_timetable *t = r->t;

    for (uint32_t e = t->effect_first[i]; e < t->effect_first[i + 1]; e++) {
        uint32_t s = t->effects[e].stock;

        if (t->effects[e].at_start > 0 &&
            (r->reserved[s] == NONE || key_less(r, i, r->reserved[s]))) {
            r->reserved[s] = i;
        }
    }
}

static void
start_task(struct dcp_timetable_run *r, uint32_t i, int64_t now)
{
    const struct dcp_timetable *t = r->t;

    r->start[i] = now;
    for (uint32_t e = t->effect_first[i]; e < t->effect_first[i + 1]; e++) {
        uint32_t s = t->effects[e].stock;

        if (t->effects[e].at_start) {
            change(r, s, t->effects[e].at_start);
        }
        if (r->reserved[s] == i) {
            r->reserved[s] = NONE;
            wake(r, s);
        }
    }
    if (r->world && r->world->begin(r->world->user, i, now)) {
        return;
    }
    if (t->duration[i] == 0) {
        task_ends(r, i, now);
        return;
    }
    r->running[i] = 1;
    r->event_time[i] = now + t->duration[i];
    heap_push(r, r->event, &r->n_events, i, time_less);
}

/* Everything that can start now, in order of keys. */
static void
start_ready(struct dcp_timetable_run *r, int64_t now)
{
    while (r->n_ready) {
        uint32_t i = heap_pop(r, r->ready, &r->n_ready, key_less);
        uint32_t s = blocked_by(r, i), by = r->woken_by[i];

        r->woken_by[i] = NONE;
        if (s == NONE) {
            start_task(r, i, now);
        } else if (s == by) {
            r->sibling[i] = r->passed[s]; /* Smaller ones may fit. */
            r->passed[s] = i;
        } else {
            wait_for_stock(r, s, i);
        }
        if (s != NONE && r->reserving) {
            reserve(r, i);
        }
        if (by != NONE) {
            wake_one(r, by);
        }
    }
}

/* Reservations that wait for each other are given up; true: there were any. */
static bool
give_up_reservations(struct dcp_timetable_run *r)
{
    bool any = false;

    for (uint32_t s = 0; s < r->t->n_stocks; s++) {
        if (r->reserved[s] != NONE) {
            r->reserved[s] = NONE;
            any = true;
        }
    }
    for (uint32_t s = 0; any && s < r->t->n_stocks; s++) {
        wake(r, s);
    }
    r->reserving = false;
    return any;
}

static void
run_begin(struct dcp_timetable_run *r)
{
    const struct dcp_timetable *t = r->t;

    if (t->n_stocks) {
        memcpy(r->level, t->level, t->n_stocks * sizeof *r->level);
    }
    for (uint32_t s = 0; s < t->n_stocks; s++) {
        r->blocked[s] = r->reserved[s] = r->passed[s] = NONE;
    }
    r->n_ready = r->n_events = 0;
    for (uint32_t i = 0; i < t->n_tasks; i++) {
        r->start[i] = -1;
        r->running[i] = 0;
        r->woken_by[i] = NONE;
        r->unmet[i] = t->wait_first[i + 1] - t->wait_first[i];
        if (r->unmet[i]) {
            continue;
        }
        if (t->release[i] > 0) {
            r->event_time[i] = t->release[i];
            heap_push(r, r->event, &r->n_events, i, time_less);
        } else {
            heap_push(r, r->ready, &r->n_ready, i, key_less);
        }
    }
}

static struct dcp_timetable_value
run_value(const struct dcp_timetable_run *r)
{
    const struct dcp_timetable *t = r->t;
    struct dcp_timetable_value v = { 0 };

    for (uint32_t i = 0; i < t->n_tasks; i++) {
        if (r->start[i] < 0) {
            v.n_stuck++;
            continue;
        }
        int64_t end = r->start[i] + t->duration[i];

        v.makespan = end > v.makespan ? end : v.makespan;
        v.sum_of_ends += end;
        v.lateness += end > t->due[i] ? end - t->due[i] : 0;
    }
    return v;
}

/* When something happens next; INT64_MAX: never. */
static int64_t
next_time(const struct dcp_timetable_run *r)
{
    int64_t event = r->n_events ? r->event_time[r->event[0]] : INT64_MAX;
    int64_t world = r->world ? r->world->next(r->world->user) : INT64_MAX;

    return event < world ? event : world;
}

struct dcp_timetable_value
dcp_timetable_run(struct dcp_timetable_run *r, const double key[],
                  bool reserving)
{
    int64_t now = 0;

    r->key = key;
    r->reserving = reserving;
    run_begin(r);
    for (;;) {
        start_ready(r, now);
        int64_t next = next_time(r);

        if (next == INT64_MAX) {
            if (give_up_reservations(r)) {
                continue;
            }
            break;
        }
        now = next;
        while (r->n_events && r->event_time[r->event[0]] == now) {
            uint32_t i = heap_pop(r, r->event, &r->n_events, time_less);

            if (r->running[i]) {
                task_ends(r, i, now);
            } else {
                heap_push(r, r->ready, &r->n_ready, i, key_less);
            }
        }
        while (r->world) {
            uint32_t i = r->world->take(r->world->user, now);

            if (i == NONE) {
                break;
            }
            task_ends(r, i, now);
        }
    }
    return run_value(r);
}

bool
dcp_timetable_play(const struct dcp_timetable *t,
                   const struct dcp_timetable_world *world, int64_t start[],
                   int64_t end[], struct dcp_error *err)
{
    struct dcp_timetable_run r;
    double *listed = calloc((size_t)t->n_tasks + 1, sizeof *listed);

    if (!listed || !dcp_timetable_run_init(&r, t)) {
        free(listed);
        return dcp_fail(err, DCP_E_NOMEM, "no memory to play a timetable");
    }
    for (uint32_t i = 0; i < t->n_tasks; i++) {
        end[i] = -1;
    }
    r.world = world;
    r.end = end;
    (void)dcp_timetable_run(&r, listed, false); /* Equal keys: by id. */
    if (t->n_tasks) {
        memcpy(start, r.start, t->n_tasks * sizeof *start);
    }
    dcp_timetable_run_finish(&r);
    free(listed);
    return true;
}
