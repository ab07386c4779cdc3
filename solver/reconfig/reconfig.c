/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/reconfig/reconfig.h"

#include "solver/reconfig/actions.h"
#include "solver/reconfig/possible.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE DCP_RC_NONE

struct work {
    const struct dcp_rc_world *w;
    const struct dcp_rc_options *o;
    struct dcp_rc_plan *out;
    struct dcp_rc_places *p;
    uint32_t *bypass; /* [vm] */
    struct dcp_rc_actions actions;
    struct dcp_timetable_answer answer;
};

void
dcp_rc_plan_finish(struct dcp_rc_plan *plan)
{
    free(plan->actions);
    *plan = (struct dcp_rc_plan){ 0 };
}

/* -- what no plan can do without ------------------------------------------ */

/* How long the VM needs, at least, to be off the node it is on. */
static int64_t
leave_s(const struct dcp_rc_vm *x)
{
    if (x->now == DCP_RC_SLEEPING) {
        return x->goal == DCP_RC_RUNNING ? x->resume_s : x->kill_s;
    }
    switch (x->goal) {
    case DCP_RC_RUNNING:
        return x->migrate_s;
    case DCP_RC_READY:
        return x->shutdown_s;
    case DCP_RC_SLEEPING:
        return x->suspend_s;
    default:
        return x->kill_s;
    }
}

/* What the VM's own change takes; 0: it may stay as it is. */
static int64_t
change_s(const struct dcp_rc_vm *x)
{
    if (x->now == x->goal) {
        return x->goal == DCP_RC_RUNNING && x->target != NONE &&
                       x->target != x->host
                   ? x->migrate_s
                   : 0;
    }
    return x->now == DCP_RC_READY
               ? (x->goal == DCP_RC_RUNNING ? x->boot_s : x->kill_s)
               : leave_s(x);
}

static int64_t
longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Nodes that cannot keep all that they run: the quickest of them must go. */
static bool
overload_bound(const struct dcp_rc_world *w, int64_t *bound)
{
    size_t cells = (size_t)w->n_nodes * w->n_dims + 1;
    int64_t *sum = calloc(cells, sizeof *sum);
    int64_t *quickest = malloc(((size_t)w->n_nodes + 1) * sizeof *quickest);
    bool done = sum && quickest;

    for (uint32_t n = 0; done && n < w->n_nodes; n++) {
        quickest[n] = INT64_MAX;
    }
    for (uint32_t v = 0; done && v < w->n_vms; v++) {
        const struct dcp_rc_vm *x = &w->vms[v];

        if (x->now != DCP_RC_RUNNING || x->goal != DCP_RC_RUNNING) {
            continue;
        }
        for (uint32_t d = 0; d < w->n_dims; d++) {
            sum[(size_t)x->host * w->n_dims + d] += dcp_rc_goal_use(w, v)[d];
        }
        if (x->migrate_s < quickest[x->host]) {
            quickest[x->host] = x->migrate_s;
        }
    }
    for (uint32_t n = 0; done && n < w->n_nodes; n++) {
        for (uint32_t d = 0; d < w->n_dims; d++) {
            if (sum[(size_t)n * w->n_dims + d] > dcp_rc_cap(w, n)[d] &&
                quickest[n] != INT64_MAX) {
                *bound = longer(*bound, quickest[n]);
            }
        }
    }
    free(sum);
    free(quickest);
    return done;
}

/* A set of nodes above its limit: the quickest VM that counts must go. */
static int64_t
limit_bound(const struct dcp_rc_world *w, const struct dcp_rc_rule *rule)
{
    int64_t sum = 0, quickest = INT64_MAX;

    if (rule->kind != DCP_RC_RESOURCE && rule->kind != DCP_RC_RUNNING_MAX) {
        return 0;
    }
    for (uint32_t v = 0; v < w->n_vms; v++) {
        const struct dcp_rc_vm *x = &w->vms[v];
        int64_t use = rule->kind == DCP_RC_RESOURCE
                          ? dcp_rc_goal_use(w, v)[rule->dim]
                          : 1;

        if (x->now != DCP_RC_RUNNING || x->goal != DCP_RC_RUNNING || use == 0 ||
            !dcp_rc_has(&rule->nodes, x->host)) {
            continue;
        }
        sum += use;
        quickest = x->migrate_s < quickest ? x->migrate_s : quickest;
    }
    return sum > rule->amount && quickest != INT64_MAX ? quickest : 0;
}

int64_t
dcp_rc_bound(const struct dcp_rc_world *w)
{
    int64_t bound = 0;

    for (uint32_t n = 0; n < w->n_nodes; n++) {
        const struct dcp_rc_node *x = &w->nodes[n];

        if (x->on && x->goal == DCP_RC_OFF) {
            bound = longer(bound, x->shutdown_s);
        } else if (!x->on && x->goal == DCP_RC_ON) {
            bound = longer(bound, x->boot_s);
        }
    }
    for (uint32_t v = 0; v < w->n_vms; v++) {
        const struct dcp_rc_vm *x = &w->vms[v];

        bound = longer(bound, change_s(x));
        if (x->host != NONE && w->nodes[x->host].goal == DCP_RC_OFF) {
            bound = longer(bound, leave_s(x) + w->nodes[x->host].shutdown_s);
        }
    }
    for (uint32_t r = 0; r < w->n_rules; r++) {
        const struct dcp_rc_rule *rule = &w->rules[r];

        /* Two of a spread set on one node: one of them moves. */
        for (uint32_t i = 0; rule->kind == DCP_RC_SPREAD && i < rule->vms.n;
             i++) {
            const struct dcp_rc_vm *x = &w->vms[rule->vms.ids[i]];

            for (uint32_t j = 0; j < i; j++) {
                const struct dcp_rc_vm *y = &w->vms[rule->vms.ids[j]];

                if (x->now == DCP_RC_RUNNING && y->now == DCP_RC_RUNNING &&
                    x->host == y->host && x->goal == DCP_RC_RUNNING &&
                    y->goal == DCP_RC_RUNNING) {
                    bound = longer(bound, x->migrate_s < y->migrate_s
                                              ? x->migrate_s
                                              : y->migrate_s);
                }
            }
        }
    }
    for (uint32_t r = 0; r < w->n_rules; r++) {
        bound = longer(bound, limit_bound(w, &w->rules[r]));
    }
    (void)overload_bound(w, &bound); /* Without memory: the bound so far. */
    return bound;
}

/* Whether every VM's end is given: then the timetable's bound is the plan's. */
static bool
all_targets(const struct dcp_rc_world *w)
{
    for (uint32_t v = 0; v < w->n_vms; v++) {
        if (w->vms[v].goal == DCP_RC_RUNNING && w->vms[v].target == NONE) {
            return false;
        }
    }
    return true;
}

/* There is no plan, and why. */
DCP_PRINTF(2, 3)
static void
no_plan(struct dcp_rc_plan *out, const char *format, ...)
{
    va_list args;

    out->status = DCP_RC_NOT_FOUND;
    va_start(args, format);
    (void)vsnprintf(out->because, sizeof out->because, format, args);
    va_end(args);
}

/* -- orders that come to a stop ---------------------------------------------
 */

static uint64_t
has_time_rules(const struct dcp_rc_places *p, uint32_t vm)
{
    uint64_t n = 0;

    for (uint32_t k = p->vm_rule_first[vm]; k < p->vm_rule_first[vm + 1]; k++) {
        n += p->w->rules[p->vm_rule[k]].continuous;
    }
    return n;
}

/* Another end for a VM that waits for ever, with room at once. */
static bool
retarget(struct work *k, uint32_t v)
{
    struct dcp_rc_places *p = k->p;
    uint32_t was = p->host[v];

    if (k->w->vms[v].target != NONE || p->pinned[v]) {
        return false;
    }
    dcp_rc_places_take(p, v);
    uint32_t node = dcp_rc_places_find(p, v);

    if (node != NONE && node != was && k->w->nodes[node].on &&
        dcp_rc_places_room(p, v, node, true)) {
        dcp_rc_places_put(p, v, node);
        return true;
    }
    dcp_rc_places_put(p, v, was);
    return false;
}

/* A node with room at once, to stop over on the way. */
static bool
step_aside(struct work *k, uint32_t v)
{
    struct dcp_rc_places *p = k->p;
    const struct dcp_rc_world *w = k->w;
    uint32_t was = p->host[v], best = NONE;

    if (w->vms[v].now != DCP_RC_RUNNING || k->bypass[v] != NONE ||
        w->vms[v].at_once || has_time_rules(p, v)) {
        return false;
    }
    for (uint32_t n = 0; n < w->n_nodes; n++) {
        const int64_t *need = dcp_rc_goal_use(w, v);
        bool fits = w->nodes[n].on && n != was && n != w->vms[v].host &&
                    p->power[n] != DCP_RC_OFF && !p->closed[n];

        for (uint32_t d = 0; fits && d < w->n_dims; d++) {
            fits = p->early[(size_t)n * w->n_dims + d] + need[d] <=
                   dcp_rc_cap(w, n)[d];
        }
        if (fits && (best == NONE || p->n_on[n] < p->n_on[best])) {
            best = n;
        }
    }
    if (best == NONE) {
        return false;
    }
    k->bypass[v] = best;
    for (uint32_t d = 0; d < w->n_dims; d++) {
        p->early[(size_t)best * w->n_dims + d] += dcp_rc_goal_use(w, v)[d];
    }
    return true;
}

/* Frees some of the stuck; false: nothing helps. */
static bool
unstick(struct work *k)
{
    uint32_t most = 1 + k->answer.n_stuck / 8, done = 0;

    for (int way = 0; way < 2 && !done; way++) {
        for (uint32_t i = 0; i < k->actions.n && done < most; i++) {
            const struct dcp_rc_action *a = &k->actions.list[i];

            if (k->answer.start[k->actions.task[i]] >= 0 || a->vm == NONE ||
                a->kind == DCP_RC_ALLOCATE ||
                k->w->vms[a->vm].goal != DCP_RC_RUNNING) {
                continue;
            }
            done += way == 0 ? retarget(k, a->vm) : step_aside(k, a->vm);
        }
    }
    return done > 0;
}

/* -- the plan ---------------------------------------------------------------
 */

static bool
make_times(struct work *k, struct dcp_error *err)
{
    const struct dcp_timetable_options o = { .seed = k->o->seed,
                                             .iterations = k->o->iterations };

    dcp_rc_actions_finish(&k->actions);
    dcp_timetable_answer_finish(&k->answer);
    return dcp_rc_actions_make(k->p, k->bypass, &k->actions, err) &&
           dcp_timetable_solve(k->actions.timetable, &o, &k->answer, err);
}

static int
by_start(const void *a, const void *b)
{
    const struct dcp_rc_action *x = a, *y = b;

    if (x->start_s != y->start_s) {
        return x->start_s < y->start_s ? -1 : 1;
    }
    if (x->vm != y->vm) {
        return x->vm < y->vm ? -1 : 1;
    }
    return x->node != y->node ? (x->node < y->node ? -1 : 1)
                              : (x->dim > y->dim) - (x->dim < y->dim);
}

static bool
take_plan(struct work *k, struct dcp_error *err)
{
    struct dcp_rc_plan *out = k->out;
    bool synced = false;

    for (uint32_t r = 0; r < k->w->n_rules; r++) {
        synced |= k->w->rules[r].kind == DCP_RC_SYNC;
    }
    for (uint32_t i = 0; i < k->actions.n; i++) {
        struct dcp_rc_action *a = &k->actions.list[i];
        int64_t start = k->answer.start[k->actions.task[i]];

        if (a->kind == DCP_RC_BOOT_NODE) {
            a->end_s = k->w->nodes[a->node].boot_s;
        } else if (a->kind == DCP_RC_SHUTDOWN_NODE) {
            a->end_s = k->w->nodes[a->node].shutdown_s;
        }
        if (synced && a->kind == DCP_RC_MIGRATE) {
            /* Shorter ones of a pair that ends together start later. */
            start += dcp_timetable_duration(k->actions.timetable,
                                            k->actions.task[i]) -
                     a->end_s;
        }
        a->start_s = start;
        a->end_s += start;
        out->n_migrations += a->kind == DCP_RC_MIGRATE;
        out->last_end_s = longer(out->last_end_s, a->end_s);
    }
    qsort(k->actions.list, k->actions.n, sizeof *k->actions.list, by_start);
    out->actions = k->actions.list;
    out->n_actions = k->actions.n;
    out->rule = k->answer.rule;
    out->status = DCP_RC_FOUND;
    k->actions.list = NULL;
    if (all_targets(k->w)) {
        int64_t bound;

        if (!dcp_timetable_bound(k->actions.timetable, &bound, NULL, err)) {
            return false;
        }
        out->bound_s = longer(out->bound_s, bound);
    }
    return true;
}

static bool
solve(struct work *k, struct dcp_error *err)
{
    struct dcp_rc_plan *out = k->out;

    k->p = dcp_rc_places_create(k->w, err);
    if (!k->p) {
        return false;
    }
    if (!dcp_rc_possible(k->p, out->because)) {
        out->status = DCP_RC_IMPOSSIBLE;
        return true;
    }
    out->bound_s = dcp_rc_bound(k->w);
    if (!dcp_rc_places_fill(k->p, k->o->seed, k->o->iterations, err)) {
        return false;
    }
    if (k->p->n_unplaced) {
        no_plan(out, "no place was found for %" PRIu32 " VMs",
                k->p->n_unplaced);
        return true;
    }
    for (uint32_t round = 0; round < 200; round++) {
        struct dcp_error why = { 0 };

        if (!make_times(k, &why)) {
            if (why.code != DCP_E_ARGUMENT) {
                return dcp_fail(err, why.code, "%s", why.message);
            }
            no_plan(out, "by the rules, actions wait for each other");
            return true;
        }
        if (!k->answer.n_stuck) {
            if (k->answer.lateness) {
                no_plan(out, "actions are %" PRId64 " s late",
                        k->answer.lateness);
                return true;
            }
            return take_plan(k, err);
        }
        if (!unstick(k)) {
            break;
        }
    }
    no_plan(out, "%" PRIu32 " actions wait for each other's room",
            k->answer.n_stuck);
    return true;
}

bool
dcp_rc_solve(const struct dcp_rc_world *w, const struct dcp_rc_options *o,
             struct dcp_rc_plan *out, struct dcp_error *err)
{
    struct work k = { .w = w, .o = o, .out = out };
    bool done;

    *out = (struct dcp_rc_plan){ 0 };
    k.bypass = malloc(((size_t)w->n_vms + 1) * sizeof *k.bypass);
    if (!k.bypass) {
        return dcp_fail(err, DCP_E_NOMEM, "out of memory");
    }
    memset(k.bypass, 0xff, ((size_t)w->n_vms + 1) * sizeof *k.bypass);
    done = solve(&k, err);
    dcp_rc_places_destroy(k.p);
    dcp_rc_actions_finish(&k.actions);
    dcp_timetable_answer_finish(&k.answer);
    free(k.bypass);
    if (!done) {
        dcp_rc_plan_finish(out);
    }
    return done;
}
