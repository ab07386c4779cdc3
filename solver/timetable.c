/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/timetable_parts.h"

#include <stdlib.h>
#include <string.h>

struct dcp_timetable *
dcp_timetable_create(void)
{
    return calloc(1, sizeof(struct dcp_timetable));
}

void
dcp_timetable_destroy(struct dcp_timetable *t)
{
    if (!t) {
        return;
    }
    free(t->duration);
    free(t->release);
    free(t->due);
    free(t->level);
    free(t->limit);
    free(t->effect_first);
    free(t->wait_first);
    free(t->follower_first);
    free(t->effects);
    free(t->waits);
    free(t->followers);
    free(t->order);
    free(t->loose_effects);
    free(t->loose_effect_task);
    free(t->loose_wait);
    free(t);
}

/* Room for one more in an array of 'size'-byte items, at '*array'. */
static bool
grow(struct dcp_timetable *t, void *array, uint32_t n, uint32_t room,
     size_t size)
{
    void *old, *grown;

    if (n < room) {
        return true;
    }
    memcpy(&old, array, sizeof old);
    grown = n < UINT32_MAX / 4 ? reallocarray(old, n ? 2 * (size_t)n : 64, size)
                               : NULL;
    if (!grown) {
        t->no_memory = true;
        return false;
    }
    memcpy(array, &grown, sizeof grown);
    return true;
}

static uint32_t
more(uint32_t n, uint32_t room)
{
    return n < room ? room : n ? 2 * n : 64;
}

uint32_t
dcp_timetable_add_stock(struct dcp_timetable *t, int64_t level, int64_t limit)
{
    uint32_t n = t->n_stocks;

    if (!grow(t, &t->level, n, t->stocks_room, sizeof *t->level) ||
        !grow(t, &t->limit, n, t->stocks_room, sizeof *t->limit)) {
        return 0;
    }
    t->stocks_room = more(n, t->stocks_room);
    t->level[n] = level;
    t->limit[n] = limit;
    return t->n_stocks++;
}

uint32_t
dcp_timetable_add_task(struct dcp_timetable *t, int64_t duration,
                       int64_t release, int64_t due)
{
    uint32_t n = t->n_tasks;

    if (!grow(t, &t->duration, n, t->tasks_room, sizeof *t->duration) ||
        !grow(t, &t->release, n, t->tasks_room, sizeof *t->release) ||
        !grow(t, &t->due, n, t->tasks_room, sizeof *t->due)) {
        return 0;
    }
    t->tasks_room = more(n, t->tasks_room);
    t->duration[n] = duration;
    t->release[n] = release;
    t->due[n] = due;
    return t->n_tasks++;
}

void
dcp_timetable_add_effect(struct dcp_timetable *t, uint32_t task, uint32_t stock,
                         int64_t at_start, int64_t at_end)
{
    uint32_t n = t->n_effects;

    if (!grow(t, &t->loose_effects, n, t->effects_room,
              sizeof *t->loose_effects) ||
        !grow(t, &t->loose_effect_task, n, t->effects_room,
              sizeof *t->loose_effect_task)) {
        return;
    }
    t->effects_room = more(n, t->effects_room);
    t->loose_effects[n] = (struct dcp_effect){ stock, at_start, at_end };
    t->loose_effect_task[n] = task;
    t->n_effects++;
}

void
dcp_timetable_add_wait(struct dcp_timetable *t, uint32_t task, uint32_t before)
{
    uint32_t n = t->n_waits;

    if (!grow(t, &t->loose_wait, n, t->waits_room, 2 * sizeof *t->loose_wait)) {
        return;
    }
    t->waits_room = more(n, t->waits_room);
    t->loose_wait[2 * n] = task;
    t->loose_wait[2 * n + 1] = before;
    t->n_waits++;
}

uint32_t
dcp_timetable_n_tasks(const struct dcp_timetable *t)
{
    return t->n_tasks;
}

/* Turns counts at [i + 1] into firsts. */
static void
firsts(uint32_t *first, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        first[i + 1] += first[i];
    }
}

/* Lists by task, by counting. */
static bool
sort_lists(struct dcp_timetable *t)
{
    uint32_t n = t->n_tasks, *at = calloc((size_t)n + 1, sizeof *at);

    t->effect_first = calloc((size_t)n + 2, sizeof *t->effect_first);
    t->wait_first = calloc((size_t)n + 2, sizeof *t->wait_first);
    t->follower_first = calloc((size_t)n + 2, sizeof *t->follower_first);
    t->effects = calloc((size_t)t->n_effects + 1, sizeof *t->effects);
    t->waits = calloc((size_t)t->n_waits + 1, sizeof *t->waits);
    t->followers = calloc((size_t)t->n_waits + 1, sizeof *t->followers);
    t->order = calloc((size_t)n + 1, sizeof *t->order);
    if (!at || !t->effect_first || !t->wait_first || !t->follower_first ||
        !t->effects || !t->waits || !t->followers || !t->order) {
        free(at);
        return false;
    }
    for (uint32_t i = 0; i < t->n_effects; i++) {
        t->effect_first[t->loose_effect_task[i] + 1]++;
    }
    for (uint32_t i = 0; i < t->n_waits; i++) {
        t->wait_first[t->loose_wait[2 * i] + 1]++;
        t->follower_first[t->loose_wait[2 * i + 1] + 1]++;
    }
    firsts(t->effect_first, n);
    firsts(t->wait_first, n);
    firsts(t->follower_first, n);
    memcpy(at, t->effect_first, n * sizeof *at);
    for (uint32_t i = 0; i < t->n_effects; i++) {
        t->effects[at[t->loose_effect_task[i]]++] = t->loose_effects[i];
    }
    memcpy(at, t->wait_first, n * sizeof *at);
    for (uint32_t i = 0; i < t->n_waits; i++) {
        t->waits[at[t->loose_wait[2 * i]]++] = t->loose_wait[2 * i + 1];
    }
    memcpy(at, t->follower_first, n * sizeof *at);
    for (uint32_t i = 0; i < t->n_waits; i++) {
        t->followers[at[t->loose_wait[2 * i + 1]]++] = t->loose_wait[2 * i];
    }
    free(at);
    return true;
}

/* Each task after those it waits for; false: a circle, or no memory (told
 * apart by '*circle'). */
static bool
sort_tasks(struct dcp_timetable *t, bool *circle)
{
    uint32_t n = t->n_tasks, done = 0, listed = 0;
    uint32_t *unmet = calloc((size_t)n + 1, sizeof *unmet);

    if (!unmet) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        unmet[i] = t->wait_first[i + 1] - t->wait_first[i];
        if (!unmet[i]) {
            t->order[listed++] = i;
        }
    }
    for (; done < listed; done++) {
        uint32_t i = t->order[done];

        for (uint32_t k = t->follower_first[i]; k < t->follower_first[i + 1];
             k++) {
            if (!--unmet[t->followers[k]]) {
                t->order[listed++] = t->followers[k];
            }
        }
    }
    free(unmet);
    *circle = listed < n;
    return !*circle;
}

bool
dcp_timetable_seal(struct dcp_timetable *t, struct dcp_error *err)
{
    bool circle = false;

    if (t->no_memory || !sort_lists(t)) {
        return dcp_fail(err, DCP_E_NOMEM, "out of memory");
    }
    if (!sort_tasks(t, &circle)) {
        return circle ? dcp_fail(err, DCP_E_ARGUMENT,
                                 "tasks wait for each other in a circle")
                      : dcp_fail(err, DCP_E_NOMEM, "out of memory");
    }
    free(t->loose_effects);
    free(t->loose_effect_task);
    free(t->loose_wait);
    t->loose_effects = NULL;
    t->loose_effect_task = t->loose_wait = NULL;
    return true;
}

/* -- one run ----------------------------------------------------------- */

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
        .next_blocked = calloc(n, sizeof *r->next_blocked),
        .reserved = calloc(s, sizeof *r->reserved),
    };
    if (!r->level || !r->start || !r->unmet || !r->ready || !r->event ||
        !r->event_time || !r->running || !r->blocked || !r->next_blocked ||
        !r->reserved) {
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
    free(r->next_blocked);
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

/* What waits for the stock may try again. */
static void
wake(struct dcp_timetable_run *r, uint32_t stock)
{
    uint32_t i = r->blocked[stock];

    r->blocked[stock] = NONE;
    while (i != NONE) {
        uint32_t next = r->next_blocked[i];

        heap_push(r, r->ready, &r->n_ready, i, key_less);
        i = next;
    }
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
        uint32_t s = blocked_by(r, i);

        if (s == NONE) {
            start_task(r, i, now);
            continue;
        }
        r->next_blocked[i] = r->blocked[s];
        r->blocked[s] = i;
        if (r->reserving) {
            reserve(r, i);
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
        r->blocked[s] = r->reserved[s] = NONE;
    }
    r->n_ready = r->n_events = 0;
    for (uint32_t i = 0; i < t->n_tasks; i++) {
        r->start[i] = -1;
        r->running[i] = 0;
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
        if (!r->n_events) {
            if (give_up_reservations(r)) {
                continue;
            }
            break;
        }
        now = r->event_time[r->event[0]];
        while (r->n_events && r->event_time[r->event[0]] == now) {
            uint32_t i = heap_pop(r, r->event, &r->n_events, time_less);

            if (r->running[i]) {
                task_ends(r, i, now);
            } else {
                heap_push(r, r->ready, &r->n_ready, i, key_less);
            }
        }
    }
    return run_value(r);
}
