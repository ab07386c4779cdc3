/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Times of moves of volumes, and the order in which they end soonest. */

#include "model/base/sort.h"
#include "solver/schedule/timetable.h"
#include "solver/storage/moves_parts.h"

#include <stdlib.h>
#include <string.h>

#define TASKS_FEW   200u
#define TASK_ORDERS 400000u /* Orders that are tried, times tasks. */

static bool
no_memory(struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_NOMEM, "no memory for times of moves");
}

/* 'loose': only waits that no order can do without, and room as it is; else
 * the waits of the steps, which make room in time. */
static struct dcp_timetable *
build(const struct dcp_move_work *w, uint32_t first, bool loose)
{
    uint32_t per_pool = w->inv->policy.storage.moves_per_pool;
    const struct dcp_step *steps = w->steps->steps + first;
    uint32_t n = w->steps->n - first;
    struct dcp_timetable *t = dcp_timetable_create();
    DCP_FREE uint32_t *last = calloc(w->n_volumes + 1u, sizeof *last);

    if (!t || !last) {
        dcp_timetable_destroy(t);
        return NULL;
    }
    for (uint32_t p = 0; p < w->n_pools; p++) { /* Stock p: moves. */
        (void)dcp_timetable_add_stock(t, 0, per_pool ? per_pool : 1);
    }
    for (uint32_t p = 0; loose && p < w->n_pools; p++) { /* Then: space. */
        uint64_t most = w->most[p][DCP_POOL_SPACE];

        (void)dcp_timetable_add_stock(t, (int64_t)w->start[p][DCP_POOL_SPACE],
                                      most > INT64_MAX / 4 ? INT64_MAX / 4
                                                           : (int64_t)most);
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct dcp_step *s = &steps[i];
        uint32_t task = dcp_timetable_add_task(t, s->estimate_ms, 0, INT64_MAX);

        for (uint32_t k = 0; !loose && k < s->n_after; k++) {
            dcp_timetable_add_wait(t, task, s->after[k] - 1 - first);
        }
        if (s->kind != DCP_STEP_VOLUME_MOVE) {
            continue;
        }
        uint32_t volume = s->object.ix;
        int64_t mib = (int64_t)w->asks[volume][DCP_POOL_SPACE];

        dcp_timetable_add_effect(t, task, s->from.ix, 1, -1);
        dcp_timetable_add_effect(t, task, s->to.ix, 1, -1);
        if (loose && mib) {
            dcp_timetable_add_effect(t, task, w->n_pools + s->to.ix, mib, 0);
            dcp_timetable_add_effect(t, task, w->n_pools + s->from.ix, 0, -mib);
        }
        if (loose && last[volume]) {
            dcp_timetable_add_wait(t, task, last[volume] - 1);
        }
        last[volume] = task + 1;
    }
    return t;
}

struct listed {
    int64_t start;
    uint32_t at;
};

static int
by_start(const void *pa, const void *pb)
{
    const struct listed *a = pa, *b = pb;

    return a->start != b->start ? (a->start < b->start ? -1 : 1)
                                : (a->at < b->at ? -1 : a->at > b->at);
}

/* Lists the steps by their starts; what a step waits for starts no later. */
static bool
relist(struct dcp_move_work *w, uint32_t first, const int64_t start[],
       struct dcp_error *err)
{
    uint32_t n = w->steps->n - first;
    struct dcp_step *steps = w->steps->steps + first;
    DCP_FREE struct listed *by = calloc(n + 1u, sizeof *by);
    DCP_FREE struct dcp_step *copy = calloc(n + 1u, sizeof *copy);
    DCP_FREE uint32_t *place = calloc(n + 1u, sizeof *place);

    if (!by || !copy || !place) {
        return no_memory(err);
    }
    for (uint32_t i = 0; i < n; i++) {
        by[i] = (struct listed){ start[i], i };
    }
    qsort(by, n, sizeof *by, by_start);
    memcpy(copy, steps, n * sizeof *copy);
    for (uint32_t i = 0; i < n; i++) {
        place[by[i].at] = i;
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct dcp_step *s = &copy[by[i].at];
        uint32_t *after =
            dcp_arena_array(w->steps->arena, uint32_t, s->n_after + 1u);

        if (!after) {
            return no_memory(err);
        }
        for (uint32_t k = 0; k < s->n_after; k++) {
            after[k] = first + place[s->after[k] - 1 - first] + 1;
        }
        if (s->n_after > 1) {
            dcp_sort_u32(after, s->n_after);
        }
        steps[i] = *s;
        steps[i].id = first + i + 1;
        steps[i].after = after;
    }
    return true;
}

bool
dcp_move_work_times(struct dcp_move_work *w, uint32_t first,
                    struct dcp_storage_schedule *out, struct dcp_error *err)
{
    uint32_t n = w->steps->n - first;
    struct dcp_timetable_options options = {
        .seed = 1,
        .iterations = n > TASKS_FEW ? TASK_ORDERS / n : 0,
        .deadline_ms = w->r->deadline_ms,
    };
    struct dcp_timetable_answer best = { 0 }, listed = { 0 };
    struct dcp_timetable *t = build(w, first, false);
    struct dcp_timetable *loose = build(w, first, true);
    bool ok = (t && loose) || no_memory(err);

    ok = ok && dcp_timetable_seal(t, err) && dcp_timetable_seal(loose, err) &&
         dcp_timetable_solve(t, &options, &best, err) &&
         (best.n_stuck || relist(w, first, best.start, err)) &&
         dcp_timetable_bound(loose, &out->makespan_bound_ms, NULL, err);
    dcp_timetable_destroy(t);
    dcp_timetable_destroy(loose);
    if (ok) {
        options.listed = true; /* As executors will go. */
        t = build(w, first, false);
        ok = (t || no_memory(err)) && dcp_timetable_seal(t, err) &&
             dcp_timetable_solve(t, &options, &listed, err);
        out->makespan_ms = listed.makespan;
        dcp_timetable_destroy(t);
    }
    if (out->makespan_bound_ms > out->makespan_ms) {
        out->makespan_bound_ms = out->makespan_ms;
    }
    dcp_timetable_answer_finish(&best);
    dcp_timetable_answer_finish(&listed);
    return ok;
}
