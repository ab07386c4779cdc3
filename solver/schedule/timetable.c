/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/schedule/timetable_parts.h"

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

int64_t
dcp_timetable_duration(const struct dcp_timetable *t, uint32_t task)
{
    return t->duration[task];
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
