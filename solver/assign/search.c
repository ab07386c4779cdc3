/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/assign/search.h"

#include "solver/assign/explorer.h"
#include "solver/run/pair.h"

#include <stdlib.h>
#include <string.h>

#define N_EXPLORERS 2u

struct search {
    const struct dcp_assign_problem *p;
    const struct dcp_assign_options *o;
    const struct dcp_assign_columns *c;
    struct dcp_assign_explorer explorer[N_EXPLORERS];
    uint32_t n_explorers;
    double from_s;
    int64_t bound, told;
};

/* What one explorer does in one share. */
struct task {
    struct dcp_assign_explorer *explorer;
    uint32_t share;
    struct dcp_assign_slice slice;
};

static void
run_task(void *argument)
{
    struct task *task = argument;

    dcp_assign_explorer_run(task->explorer, task->share, &task->slice);
}

/* Both explorers, on one thread or two: the result is the same. */
static void
run_tasks(struct search *s, struct task task[])
{
    if (s->n_explorers > 1) {
        dcp_run_pair(run_task, &task[0], &task[1], s->o->threads > 1);
    } else {
        run_task(&task[0]);
    }
}

static const struct dcp_assign_walk *
best_walk(const struct search *s)
{
    const struct dcp_assign_walk *best = s->explorer[0].strict;

    for (uint32_t k = 1; k < s->n_explorers; k++) {
        const struct dcp_assign_walk *w = s->explorer[k].strict;

        best = w->best_cost < best->best_cost ? w : best;
    }
    return best;
}

static uint64_t
evaluations(const struct search *s)
{
    uint64_t n = 0;

    for (uint32_t k = 0; k < s->n_explorers; k++) {
        n += s->explorer[k].strict->evaluations +
             s->explorer[k].relaxed->evaluations;
    }
    return n;
}

static void
tell(struct search *s)
{
    int64_t cost = best_walk(s)->best_cost;

    if (s->o->progress && cost < s->told) {
        s->o->progress(s->o->context,
                       &(struct dcp_assign_progress){
                           .seconds = dcp_assign_now_s() - s->from_s,
                           .cost = cost,
                           .lower_bound = s->bound,
                           .evaluations = evaluations(s),
                       });
        s->told = cost;
    }
}

/* Share 'k' of the work of each explorer. */
static struct dcp_assign_slice
slice_of(const struct search *s, uint32_t k)
{
    const struct dcp_assign_options *o = s->o;
    double from = k ? dcp_assign_explorer_until(k - 1) : 0;
    double until = dcp_assign_explorer_until(k);
    double each = (double)(o->iterations / s->n_explorers);
    struct dcp_assign_slice slice = { .evaluations = UINT64_MAX };

    if (o->iterations) {
        slice.evaluations = (uint64_t)(each * until) - (uint64_t)(each * from);
    }
    if (o->time_limit_s > 0) {
        slice.from_s = s->from_s + o->time_limit_s * from;
        slice.until_s = s->from_s + o->time_limit_s * until;
    }
    return slice;
}

/* Where the explorers meet; false: one of them failed. */
static bool
meet(struct search *s, uint32_t share)
{
    for (uint32_t k = 0; k < s->n_explorers; k++) {
        if (s->explorer[k].strict->failed || s->explorer[k].relaxed->failed) {
            return false;
        }
    }
    for (uint32_t k = 0; k < s->n_explorers; k++) {
        dcp_assign_explorer_learn(&s->explorer[k], share, best_walk(s));
    }
    tell(s);
    return true;
}

static bool
explore(struct search *s, struct dcp_error *err)
{
    tell(s);
    for (uint32_t k = 0;
         k < DCP_ASSIGN_SHARES && best_walk(s)->best_cost > s->bound; k++) {
        struct task task[N_EXPLORERS];

        for (uint32_t e = 0; e < s->n_explorers; e++) {
            task[e] = (struct task){ &s->explorer[e], k, slice_of(s, k) };
        }
        run_tasks(s, task);
        if (!meet(s, k)) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory to assign items");
        }
    }
    return true;
}

bool
dcp_assign_search(const struct dcp_assign_problem *p,
                  const struct dcp_assign_options *o, uint32_t at[],
                  struct dcp_assign_result *out, struct dcp_error *err)
{
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);
    struct search s = { .p = p,
                        .o = o,
                        .from_s = dcp_assign_now_s(),
                        .bound = dcp_assign_bound_simple(p),
                        .told = INT64_MAX };
    struct dcp_assign_cost cost;

    if (!arena) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to assign items");
    }
    if (!o->iterations && !(o->time_limit_s > 0)) {
        return dcp_fail(err, DCP_E_ARGUMENT,
                        "a search needs a limit of time or iterations");
    }
    if (!dcp_assign_measure(p, p->start, &cost, err)) {
        return dcp_fail_in(err, "the start is not legal");
    }
    s.c = dcp_assign_columns_make(arena, p, false, err);
    if (!s.c) {
        return false;
    }
    bool ok = true;

    s.n_explorers = o->iterations || o->threads > 1 ? N_EXPLORERS : 1;
    for (uint32_t k = 0; ok && k < s.n_explorers; k++) {
        ok = dcp_assign_explorer_init(&s.explorer[k], arena, s.c, o->max_moves,
                                      o->seed, k, err);
    }
    ok = ok && explore(&s, err);
    if (ok) {
        const struct dcp_assign_walk *best = best_walk(&s);

        memcpy(at, best->best, p->n_items * sizeof *at);
        *out = (struct dcp_assign_result){
            .cost = best->best_cost,
            .lower_bound = s.bound,
            .evaluations = evaluations(&s),
            .seconds = dcp_assign_now_s() - s.from_s,
        };
    }
    for (uint32_t k = 0; k < N_EXPLORERS; k++) {
        dcp_assign_explorer_finish(&s.explorer[k]);
    }
    return ok;
}
