/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/schedule/leg_times.h"

#include "model/base/sort.h"
#include "model/migration.h"
#include "solver/schedule/least_times.h"
#include "solver/schedule/own_times.h"
#include "solver/schedule/rehearsal.h"
#include "solver/schedule/timetable.h"

#include <stdlib.h>
#include <string.h>

#define TASK_STEPS 300000u /* Tasks timed by the search, at most. */

/* One timetable being made of the steps. */
struct build {
    const struct dcp_leg_times_request *r;
    const struct dcp_step *steps;
    uint32_t first, n;
    struct dcp_timetable *t;
    uint32_t *stock; /* [kind * n_hosts + host]; DCP_IX_NONE: none yet. */
    const int64_t *release, *due; /* By step from 'first' on; NULL: none. */
    uint32_t off;                 /* Hosts that go off at once. */
    bool cpu;                     /* Count CPU. */
    bool loose; /* For the bound: only waits that no order can shed. */
    const int64_t *least; /* loose: durations, by step from 'first' on. */
    uint32_t *last_of_vm, *boot;          /* loose: by VM and by host. */
    uint32_t *leaves_first, *leaves_next; /* loose: steps that touch a host. */
};

enum { OUT, INTO, UNITS, CPU, MEMORY, N_STOCKS };

/* CPU that one migration takes on its source. */
static int64_t
overhead_mhz(const struct build *b, uint32_t vm)
{
    return (int64_t)(b->r->inventory->policy.migration_cpu_overhead_frac *
                     b->r->start->p->cpu_peak_mhz[vm]);
}

static int64_t
cpu_level(const struct build *b, uint32_t h)
{
    const struct dcp_state *s = b->r->start;
    uint32_t most = 0;

    for (uint32_t t = 0; t < b->r->n_slots; t++) {
        uint32_t x = s->cpu_mhz[(size_t)h * s->p->stride + t];

        most = x > most ? x : most;
    }
    return most;
}

/* 'extra': CPU that the first migration takes; a host lets at least one go. */
static uint32_t
stock_of(struct build *b, uint32_t kind, uint32_t h, int64_t extra)
{
    const struct dcp_inventory *inv = b->r->inventory;
    const struct dcp_policy *policy = &inv->policy;
    const struct dcp_problem *p = b->r->start->p;
    uint32_t *at = &b->stock[(size_t)kind * inv->n_hosts + h];
    int64_t level = 0, limit = 0;

    if (*at != DCP_IX_NONE) {
        return *at;
    }
    switch (kind) {
    case OUT:
        limit = policy->out_per_host ? policy->out_per_host : 1;
        break;
    case INTO:
        limit = policy->in_per_host ? policy->in_per_host : 1;
        break;
    case UNITS:
        limit = dcp_migration_units(&inv->hardware[inv->hosts[h].hardware.ix],
                                    policy->units_per_10gbit);
        break;
    case CPU:
        level = cpu_level(b, h);
        limit = dcp_host_capacity(inv, (dcp_host_id){ h }).cpu_mhz;
        limit = limit > level + extra ? limit : level + extra;
        break;
    default:
        level = b->r->start->used[h];
        limit = p->cap[h];
        break;
    }
    *at = dcp_timetable_add_stock(b->t, level, limit);
    return *at;
}

static void
hold(struct build *b, uint32_t task, uint32_t kind, uint32_t h, int64_t amount)
{
    dcp_timetable_add_effect(b->t, task, stock_of(b, kind, h, 0), amount,
                             -amount);
}

static bool
comes(const struct dcp_step *s)
{
    return s->kind == DCP_STEP_MIGRATE || s->kind == DCP_STEP_VM_START ||
           s->kind == DCP_STEP_VM_RESTORE;
}

static bool
goes(const struct dcp_step *s)
{
    return s->kind == DCP_STEP_MIGRATE || s->kind == DCP_STEP_VM_PARK;
}

/* Room on the source comes with the end, on the target goes with the start. */
static void
add_room(struct build *b, uint32_t task, const struct dcp_step *s)
{
    const struct dcp_problem *p = b->r->start->p;
    uint32_t vm = s->object.ix;
    int64_t load = p->cpu_peak_mhz[vm], extra = overhead_mhz(b, vm);
    int64_t in_mib = comes(s) ? dcp_problem_request(p, vm, s->to.ix, 0) : 0;
    int64_t out_mib = goes(s) ? dcp_problem_request(p, vm, s->from.ix, 0) : 0;

    if (b->loose && in_mib > 0) {
        dcp_timetable_add_effect(b->t, task, stock_of(b, MEMORY, s->to.ix, 0),
                                 in_mib, 0);
    }
    if (b->loose && out_mib > 0) {
        dcp_timetable_add_effect(b->t, task, stock_of(b, MEMORY, s->from.ix, 0),
                                 0, -out_mib);
    }
    if (b->cpu && extra > 0 && goes(s)) {
        int64_t held = s->kind == DCP_STEP_MIGRATE ? extra : 0;

        dcp_timetable_add_effect(b->t, task,
                                 stock_of(b, CPU, s->from.ix, extra), held,
                                 -held - load);
    }
    if (b->cpu && extra > 0 && comes(s)) {
        dcp_timetable_add_effect(b->t, task, stock_of(b, CPU, s->to.ix, extra),
                                 load, 0);
    }
}

static void
add_move(struct build *b, uint32_t task, const struct dcp_step *s)
{
    uint32_t from = s->from.ix, to = s->to.ix;

    hold(b, task, OUT, from, 1);
    hold(b, task, INTO, to, 1);
    if (b->r->inventory->policy.units_per_10gbit) {
        hold(b, task, UNITS, from, 1);
        hold(b, task, UNITS, to, 1);
    }
}

/* Waits that every order has. */
static void
loose_waits(struct build *b, uint32_t task, const struct dcp_step *s)
{
    if (s->kind == DCP_STEP_HOST_ON) {
        b->boot[s->object.ix] = task;
    } else if (s->kind == DCP_STEP_HOST_OFF) {
        for (uint32_t i = b->leaves_first[s->object.ix]; i != DCP_IX_NONE;
             i = b->leaves_next[i]) {
            dcp_timetable_add_wait(b->t, task, i / 2);
        }
    }
    if (!comes(s) && !goes(s)) {
        return;
    }
    if (b->last_of_vm[s->object.ix] != DCP_IX_NONE) {
        dcp_timetable_add_wait(b->t, task, b->last_of_vm[s->object.ix]);
    }
    b->last_of_vm[s->object.ix] = task;
    if (comes(s) && b->boot[s->to.ix] != DCP_IX_NONE) {
        dcp_timetable_add_wait(b->t, task, b->boot[s->to.ix]);
    }
    for (uint32_t end = 0; end < 2; end++) {
        uint32_t h = end ? s->to.ix : s->from.ix;

        if (end ? comes(s) : goes(s)) {
            b->leaves_next[2 * task + end] = b->leaves_first[h];
            b->leaves_first[h] = 2 * task + end;
        }
    }
}

static void
add_step(struct build *b, uint32_t i)
{
    const struct dcp_step *s = &b->steps[i];
    uint32_t task = dcp_timetable_add_task(
        b->t, b->least ? b->least[i - b->first] : s->estimate_ms,
        b->release ? b->release[i - b->first] : 0,
        b->due ? b->due[i - b->first] : INT64_MAX);

    for (uint32_t k = 0; !b->loose && k < s->n_after; k++) {
        if (s->after[k] > b->first) {
            dcp_timetable_add_wait(b->t, task, s->after[k] - 1 - b->first);
        }
    }
    if (b->loose) {
        loose_waits(b, task, s);
    }
    if (comes(s) || goes(s)) {
        add_room(b, task, s);
    }
    if (s->kind == DCP_STEP_MIGRATE) {
        add_move(b, task, s);
    } else if (s->kind == DCP_STEP_HOST_OFF) {
        dcp_timetable_add_effect(b->t, task, b->off, 1, -1);
    }
}

static void
release(struct build *b)
{
    free(b->stock);
    free(b->last_of_vm);
    free(b->boot);
    free(b->leaves_first);
    free(b->leaves_next);
}

static uint32_t *
none_of(size_t n)
{
    uint32_t *list = malloc((n + 1) * sizeof *list);

    if (list) {
        memset(list, 0xff, (n + 1) * sizeof *list);
    }
    return list;
}

/* --- Timetables ---------------------------------------------------------- */

/* The steps as a sealed timetable; NULL: failed.  With 'least' durations only
 * what holds in every order. */
static struct dcp_timetable *
timetable_of(const struct dcp_leg_times_request *r,
             const struct dcp_step_list *list, uint32_t first,
             const int64_t earliest[], const int64_t due[],
             const int64_t least[], bool cpu, struct dcp_error *err)
{
    const struct dcp_inventory *inv = r->inventory;
    size_t n_hosts = inv->n_hosts, n = list->n - first;
    struct build b = { .r = r,
                       .steps = list->steps,
                       .first = first,
                       .n = list->n,
                       .release = earliest,
                       .due = due,
                       .t = dcp_timetable_create(),
                       .stock = none_of(N_STOCKS * n_hosts),
                       .cpu = cpu,
                       .loose = least != NULL,
                       .least = least,
                       .last_of_vm = none_of(inv->n_vms),
                       .boot = none_of(n_hosts),
                       .leaves_first = none_of(n_hosts),
                       .leaves_next = none_of(2 * n) };
    bool ok = b.t && b.stock && b.last_of_vm && b.boot && b.leaves_first &&
              b.leaves_next;

    if (ok) {
        b.off = dcp_timetable_add_stock(
            b.t, 0, dcp_policy_host_off_at_once(&inv->policy, inv->n_hosts));
        for (uint32_t i = first; i < list->n; i++) {
            add_step(&b, i);
        }
        ok = dcp_timetable_seal(b.t, err);
    } else {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a timetable");
    }
    release(&b);
    if (!ok) {
        dcp_timetable_destroy(b.t);
        return NULL;
    }
    return b.t;
}

static bool
times_of(const struct dcp_leg_times_request *r,
         const struct dcp_step_list *list, uint32_t first,
         const struct dcp_own_times *own, bool listed,
         struct dcp_leg_times *out, struct dcp_timetable_answer *answer,
         struct dcp_error *err)
{
    uint32_t n = list->n - first;
    const struct dcp_timetable_options o = { .iterations =
                                                 TASK_STEPS / (n + 1u) + 1,
                                             .listed = listed,
                                             .deadline_ms = r->deadline_ms };

    for (;;) {
        bool cpu = !out->cpu_left_out;
        struct dcp_timetable *t =
            timetable_of(r, list, first, own->release, listed ? NULL : own->due,
                         NULL, cpu, err);
        bool ok = t && dcp_timetable_solve(t, &o, answer, err);

        dcp_timetable_destroy(t);
        if (!ok) {
            return false;
        }
        if (!answer->n_stuck || !cpu) {
            return true;
        }
        dcp_timetable_answer_finish(answer);
        out->cpu_left_out = true;
    }
}

struct ranked {
    int64_t start;
    uint32_t at; /* In the list. */
};

static int
by_start(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    return x->start != y->start ? (x->start > y->start) - (x->start < y->start)
                                : (x->at > y->at) - (x->at < y->at);
}

/* 'after' of one step with the new ids; in the arena, for others may share the
 * old one. */
static bool
renumber(struct dcp_step_list *list, struct dcp_step *s, const uint32_t id[],
         uint32_t first)
{
    uint32_t *after = dcp_arena_array(list->arena, uint32_t, s->n_after);

    if (!after) {
        return false;
    }
    for (uint32_t k = 0; k < s->n_after; k++) {
        after[k] =
            s->after[k] > first ? id[s->after[k] - 1 - first] : s->after[k];
    }
    if (s->n_after > 1) {
        dcp_sort_u32(after, s->n_after);
    }
    s->after = after;
    return true;
}

/* Lists the steps by when they start; those that start together stay in
 * order, so what waits still comes after what it waits for. */
static bool
relist(struct dcp_step_list *list, uint32_t first, const int64_t start[],
       struct dcp_trunks *trunks)
{
    uint32_t n = list->n - first;
    DCP_FREE struct ranked *rank = calloc(n + 1u, sizeof *rank);
    DCP_FREE struct dcp_step *old = calloc(n + 1u, sizeof *old);
    DCP_FREE uint32_t *id = calloc(n + 1u, sizeof *id);

    if (!rank || !old || !id) {
        return false;
    }
    memcpy(old, list->steps + first, n * sizeof *old);
    for (uint32_t i = 0; i < n; i++) {
        rank[i] = (struct ranked){ start[i], i };
    }
    qsort(rank, n, sizeof *rank, by_start);
    for (uint32_t i = 0; i < n; i++) {
        id[rank[i].at] = first + i + 1;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct dcp_step *s = &list->steps[first + i];

        *s = old[rank[i].at];
        s->id = first + i + 1;
        if (!renumber(list, s, id, first)) {
            return false;
        }
    }
    for (uint32_t i = 0; trunks && i < trunks->n; i++) {
        struct dcp_trunk *t = &trunks->items[i];

        t->step = t->step > first ? id[t->step - 1 - first] : t->step;
        t->gone = t->gone > first ? id[t->gone - 1 - first] : t->gone;
    }
    return true;
}

static bool
bound_of(const struct dcp_leg_times_request *r,
         const struct dcp_step_list *list, uint32_t first,
         struct dcp_leg_times *out, struct dcp_error *err)
{
    struct dcp_least_times least;

    if (!dcp_least_times_init(&least, r, list, first, err)) {
        return false;
    }
    struct dcp_timetable *t =
        timetable_of(r, list, first, NULL, NULL, least.ms, false, err);
    bool ok =
        t && dcp_timetable_bound(t, &out->bound_ms, &out->bound_method, err);

    if (ok && least.network_ms > out->bound_ms) {
        out->bound_ms = least.network_ms;
        out->bound_method = "network";
    }
    dcp_timetable_destroy(t);
    dcp_least_times_finish(&least);
    return ok;
}

/* How the list is carried out; migrations get the times that they take. */
static bool
rehearse(const struct dcp_leg_times_request *r, struct dcp_step_list *list,
         uint32_t first, const struct dcp_own_times *own,
         struct dcp_rehearsal_times *out, struct dcp_error *err)
{
    struct dcp_timetable *t =
        timetable_of(r, list, first, own->release, NULL, NULL, false, err);
    bool ok = t && dcp_rehearsal_play(r, t, list, first, out, err);

    dcp_timetable_destroy(t);
    return ok;
}

/* Lists the steps as the search finds best, if that is better than as they
 * are; by the times that migrations take as the list stands. */
static bool
improve_order(const struct dcp_leg_times_request *r, struct dcp_step_list *list,
              uint32_t first, struct dcp_trunks *trunks,
              struct dcp_own_times *own, struct dcp_leg_times *out,
              struct dcp_error *err)
{
    struct dcp_timetable_answer as_is, best = { 0 };
    struct dcp_rehearsal_times played;

    if (!rehearse(r, list, first, own, &played, err)) {
        return false;
    }
    dcp_rehearsal_times_finish(&played);
    bool ok = times_of(r, list, first, own, true, out, &as_is, err);

    if (!ok) {
        return false;
    }
    dcp_own_times_hurry(list, first, own->due);
    int64_t late = dcp_own_times_lateness(own, list, first, as_is.start);

    if (as_is.makespan > out->bound_ms || late > 0) {
        ok = times_of(r, list, first, own, false, out, &best, err);
    }
    bool better =
        ok && best.start &&
        (dcp_own_times_lateness(own, list, first, best.start) < late ||
         (late == 0 && best.makespan < as_is.makespan));

    if (better && !relist(list, first, best.start, trunks)) {
        ok = dcp_fail(err, DCP_E_NOMEM, "no memory to list steps");
    }
    dcp_timetable_answer_finish(&best);
    dcp_timetable_answer_finish(&as_is);
    dcp_own_times_finish(own);
    return ok && dcp_own_times_init(own, r, list, first, out, err);
}

bool
dcp_leg_times_make(const struct dcp_leg_times_request *r,
                   struct dcp_step_list *list, uint32_t first,
                   struct dcp_trunks *trunks, bool may_reorder,
                   struct dcp_leg_times *out, struct dcp_error *err)
{
    struct dcp_rehearsal_times played;
    struct dcp_own_times own;
    uint32_t n_waits;

    *out = (struct dcp_leg_times){ .bound_method = "path" };
    if (first == list->n) {
        return true;
    }
    if (!bound_of(r, list, first, out, err) ||
        !dcp_own_times_init(&own, r, list, first, out, err)) {
        return false;
    }
    bool ok = (!may_reorder ||
               improve_order(r, list, first, trunks, &own, out, err)) &&
              dcp_move_cpu_add_waits(&own.cpu, list, &n_waits, err);

    if (ok) {
        dcp_own_times_settle(&own, r, list, first);
        ok = rehearse(r, list, first, &own, &played, err);
    }
    if (ok) {
        out->makespan_ms = played.makespan_ms;
        dcp_own_times_judge(&own, r, list, first, played.start, out);
        dcp_rehearsal_times_finish(&played);
        ok = dcp_own_times_mark(&own, r, list, first) ||
             dcp_fail(err, DCP_E_NOMEM, "no memory for times of steps");
    }
    dcp_own_times_finish(&own);
    return ok;
}
