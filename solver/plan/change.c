/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Change windows and freezes of a plan.
 *
 * Which of them are closed for a leg follows from when it begins and how long
 * it takes, which its moves decide.  So the shortest leg that there can be is
 * supposed first; where the plan turns out longer, so that it touches what is
 * is then closed, it is made again with the times that it took, until it fits.
 * Each round closes more and so moves less.  Where nothing is found, what is
 * closed for either leg is left alone in both: else a VM may go in the evening
 * to where the day has no room for it.
 *
 * A rule is closed for a leg where it is not open for a while of it, begun
 * within policy.move_wait_ms of the leg's start; steps then get times of their
 * own (solver/schedule/step_spans.h).  VMs whose steps do not fit those are
 * held where they are in the next round; in the last, rules have to be open
 * throughout, as they have to for the way back of an evacuation, whose time
 * nobody knows. */

#include "model/change.h"
#include "solver/plan/work.h"
#include "solver/rules/delta.h"
#include "solver/schedule/schedule.h"
#include "solver/schedule/step_spans.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MINUTE_MS INT64_C(60000)
/* No leg is shorter: solver/plan/legs.c. */
#define FIRST_MS  (15 * MINUTE_MS)
#define SECOND_MS (5 * MINUTE_MS)
#define LEAST_MS  (5 * MINUTE_MS) /* Open for less: closed. */
#define TRIES_MAX 6u
#define HOLDS_MAX 4u /* Tries that hold single VMs. */

static bool
has_changes(const struct dcp_inventory *inv)
{
    bool any = false;

    for (uint32_t r = 0; r < inv->n_rules; r++) {
        any |= dcp_rule_is_about_change(inv->rules[r].kind);
    }
    return any;
}

/* When the second leg is supposed to run. */
static void
second_leg(const struct dcp_work *w, int64_t *out_from, int64_t *out_until)
{
    const struct dcp_plan_request *r = w->r;

    *out_from = r->two_legs ? r->window_end_ms - w->change.second_ms
                            : r->start_ms + w->change.first_ms;
    *out_until = *out_from + w->change.second_ms;
}

static bool
is_held(const struct dcp_work *w, uint32_t vm)
{
    struct dcp_question q = { .inventory = w->r->inventory,
                              .start = w->r->start,
                              .closed = w->change.closed[0] };
    bool held = dcp_change_holding(&q, vm) != NULL;

    q.closed = w->change.closed[1];
    return held || dcp_change_holding(&q, vm) != NULL;
}

/* Closed in a leg that may take from one instant to another, where steps that
 * begin by 'by_ms' find it open nowhere. */
static void
close_leg(const struct dcp_work *w, int64_t from_ms, int64_t by_ms,
          int64_t until_ms, uint8_t *closed)
{
    const struct dcp_inventory *inv = w->r->inventory;

    for (uint32_t r = 0; r < inv->n_rules; r++) {
        const struct dcp_rule *rule = &inv->rules[r];
        int64_t a, b;

        closed[r] =
            dcp_rule_is_about_change(rule->kind) &&
            (w->change.shut[r] ||
             !dcp_change_span(inv, rule, from_ms, until_ms, LEAST_MS, &a, &b) ||
             a > by_ms);
    }
}

static void
close_legs(struct dcp_work *w)
{
    const struct dcp_plan_request *r = w->r;
    struct dcp_work_change *c = &w->change;
    bool second = r->two_legs || r->bring_back;
    int64_t wait_ms = r->inventory->policy.move_wait_ms, from, until;

    second_leg(w, &from, &until);
    if (c->whole_legs) {
        (void)dcp_change_close(r->inventory, r->start_ms,
                               r->start_ms + c->first_ms, c->closed[0]);
    } else {
        int64_t longest = wait_ms > c->first_ms ? wait_ms : c->first_ms;

        close_leg(w, r->start_ms, r->start_ms + wait_ms,
                  r->start_ms + longest + LEAST_MS, c->closed[0]);
    }
    if (second && (c->whole_legs || r->bring_back)) {
        (void)dcp_change_close(r->inventory, from, until, c->closed[1]);
    } else if (second) {
        from = until - wait_ms < from ? until - wait_ms : from;
        close_leg(w, from, until, until, c->closed[1]);
    }
}

void
dcp_work_close_changes(struct dcp_work *w)
{
    const struct dcp_plan_request *r = w->r;
    const struct dcp_inventory *inv = r->inventory;
    struct dcp_work_change *c = &w->change;

    c->late_rule = NULL;
    c->any = has_changes(inv);
    if (!c->any) {
        return;
    }
    c->first_ms = c->first_ms ? c->first_ms : FIRST_MS;
    c->second_ms = c->second_ms ? c->second_ms : SECOND_MS;
    close_legs(w);
    for (uint32_t k = 0; c->in_both && k < inv->n_rules; k++) {
        c->closed[0][k] |= c->closed[1][k];
        c->closed[1][k] |= c->closed[0][k];
    }
    for (uint32_t h = 0; h < w->n_hosts; h++) {
        if (w->use[h] == DCP_HOST_FREE &&
            (dcp_change_holds_host(inv, c->closed[0], h) ||
             dcp_change_holds_host(inv, c->closed[1], h))) {
            w->use[h] = DCP_HOST_KEEP;
        }
    }
    for (uint32_t v = 0; w->absent && v < inv->n_vms; v++) {
        w->parked[v] = w->parked[v] && !is_held(w, v);
    }
}

const uint8_t *
dcp_work_closed(const struct dcp_work *w, bool first_leg)
{
    return w->change.any ? w->change.closed[first_leg ? 0 : 1] : NULL;
}

/* --- Afterwards ----------------------------------------------------------- */

/* The time in which the step may run. */
static void
time_of(const struct dcp_leg *leg, const struct dcp_step *s, int64_t *out_from,
        int64_t *out_until)
{
    *out_from = s->not_before_ms ? s->not_before_ms : leg->start_ms;
    *out_until =
        s->start_by_ms && s->start_by_ms + s->estimate_ms < leg->deadline_ms
            ? s->start_by_ms + s->estimate_ms
            : leg->deadline_ms;
}

/* The first step that a rule does not allow in its leg; NULL: none. */
static const struct dcp_step *
find_closed(const struct dcp_work *w, const struct dcp_plan *plan,
            const struct dcp_rule **out_rule)
{
    const struct dcp_inventory *inv = w->r->inventory;

    for (uint32_t r = 0; r < inv->n_rules; r++) {
        const struct dcp_rule *rule = &inv->rules[r];

        if (!dcp_rule_is_about_change(rule->kind)) {
            continue;
        }
        for (uint32_t l = 0; l < plan->n_legs; l++) {
            const struct dcp_leg *leg = &plan->legs[l];
            bool open =
                dcp_change_is_open(inv, rule, leg->start_ms, leg->deadline_ms);

            for (uint32_t i = 0; !open && i < plan->n_steps; i++) {
                const struct dcp_step *s = &plan->steps[i];
                int64_t from, until;

                time_of(leg, s, &from, &until);
                if (s->leg == l && dcp_step_is_touched_by(s, rule) &&
                    !dcp_change_is_open(inv, rule, from, until)) {
                    *out_rule = rule;
                    return s;
                }
            }
        }
    }
    return NULL;
}

static void
refuse(struct dcp_work *w, const char *leg, struct dcp_object object,
       const struct dcp_rule *rule)
{
    const struct dcp_inventory *inv = w->r->inventory;
    struct dcp_because *b = &w->outcome->because;
    char when[120];

    w->outcome->status = DCP_STATUS_TIMEOUT;
    *b = (struct dcp_because){ .need = NAN, .have = NAN };
    (void)snprintf(b->rule, sizeof b->rule, "%.60s", rule->name);
    (void)snprintf(b->object, sizeof b->object, "%s:%.80s",
                   dcp_object_kind_name(object.kind),
                   dcp_object_name(inv, object));
    (void)snprintf(b->text, sizeof b->text,
                   "leg %.20s would change it outside its time (%.120s)", leg,
                   dcp_change_print(inv, rule, when, sizeof when));
}

bool
dcp_work_in_time(struct dcp_work *w, const char *leg,
                 const struct dcp_leg_answer *a)
{
    if (!a->n_late) {
        return true;
    }
    w->change.late_rule = a->late_rule;
    refuse(w, leg, a->late_object, a->late_rule);
    return false;
}

bool
dcp_work_mark_times(const struct dcp_work *w, const struct dcp_plan *plan,
                    struct dcp_step steps[], uint32_t n, struct dcp_error *err)
{
    bool ok = true;

    for (uint32_t l = 0; ok && w->change.any && l < plan->n_legs; l++) {
        const struct dcp_leg *leg = &plan->legs[l];
        struct dcp_step_spans spans;

        if (l && w->r->bring_back) {
            break; /* Begun whenever somebody wants. */
        }
        ok = dcp_step_spans_init(&spans, w->r->inventory, leg->start_ms,
                                 leg->deadline_ms, err) &&
             dcp_step_spans_mark(&spans, plan->arena, steps, n, l, err);
        dcp_step_spans_finish(&spans);
    }
    return ok;
}

/* Holds the VMs that were late; false: there are none, or no night is left to
 * choose others. */
static bool
hold_late(struct dcp_work *w)
{
    struct dcp_work_change *c = &w->change;
    const struct dcp_plan_request *r = w->r;
    uint32_t n = 0;

    if (r->job != DCP_JOB_CONSOLIDATE || r->settled ||
        c->n_tries >= HOLDS_MAX) {
        return false;
    }
    for (uint32_t v = 0; v < r->inventory->n_vms; v++) {
        bool rests = r->resting && r->resting[v];

        n += c->late[v] && !c->held[v];
        c->held[v] |= c->late[v] | rests;
    }
    c->n_held += n;
    return n > 0;
}

/* Closes what the attempt was too late for. */
static void
close_late(struct dcp_work *w)
{
    struct dcp_work_change *c = &w->change;

    if (hold_late(w)) {
        return;
    }
    c->shut[c->late_rule - w->r->inventory->rules] = 1;
    c->whole_legs |= c->n_tries + 2 >= TRIES_MAX;
}

/* The longest that was seen, so that each round closes no less. */
static void
take_times(struct dcp_work *w, const struct dcp_plan *plan)
{
    struct dcp_work_change *c = &w->change;
    const struct dcp_leg *first = &plan->legs[0], *second = &plan->legs[1];
    int64_t length = first->deadline_ms - w->r->start_ms;

    c->first_ms = length > c->first_ms ? length : c->first_ms;
    if (plan->n_legs > 1) {
        int64_t from =
            w->r->two_legs ? w->r->window_end_ms : second->deadline_ms;

        length = from - second->start_ms;
        c->second_ms = length > c->second_ms ? length : c->second_ms;
    }
}

/* What the bound of an earlier round said holds; that of a round which left
 * more alone holds for such plans only. */
static void
keep_bound(struct dcp_work *w)
{
    struct dcp_plan_outcome *o = w->outcome;
    struct dcp_work_change *c = &w->change;
    uint32_t hosts = w->night.hosts_lower_bound;
    /* Without an answer for the day, nothing was weighed. */
    double bound = w->second_end          ? o->lower_bound
                   : dcp_work_by_value(w) ? w->night.bound
                                          : hosts;

    if (c->n_tries && o->lower_bound > c->bound) {
        o->lower_bound = c->bound;
        o->gap_frac =
            fmax((o->after - o->lower_bound) / fmax(fabs(o->after), 1e-9), 0);
        if (o->status == DCP_STATUS_OPTIMAL && o->gap_frac > 1e-6) {
            o->status = DCP_STATUS_FEASIBLE;
        }
    }
    if (c->n_tries && o->hosts_lower_bound > c->hosts_bound) {
        o->hosts_lower_bound = c->hosts_bound;
    }
    if (c->n_tries && o->status == DCP_STATUS_INFEASIBLE) {
        o->status = DCP_STATUS_TIMEOUT; /* Of fewer moves than may be. */
    }
    c->bound = c->n_tries ? fmin(c->bound, bound) : bound;
    c->hosts_bound =
        c->n_tries && c->hosts_bound < hosts ? c->hosts_bound : hosts;
}

bool
dcp_work_change_again(struct dcp_work *w, struct dcp_plan **plan)
{
    struct dcp_work_change *c = &w->change;
    const struct dcp_rule *rule = NULL;

    if (!c->any) {
        return false;
    }
    keep_bound(w);

    const struct dcp_step *s = *plan ? find_closed(w, *plan, &rule) : NULL;
    bool second = w->r->two_legs || w->r->bring_back;
    bool late = !*plan && c->late_rule;
    bool failed =
        !*plan && !late && !c->in_both && second &&
        w->outcome->status != DCP_STATUS_NOTHING_TO_DO &&
        memcmp(c->closed[0], c->closed[1], w->r->inventory->n_rules) != 0;

    if (s) {
        take_times(w, *plan);
        refuse(w, (*plan)->legs[s->leg].name, s->object, rule);
        dcp_plan_destroy(*plan);
        *plan = NULL;
    }
    if (late) {
        close_late(w);
    }
    if (s) { /* Marked, and still not in time: no half measures. */
        c->whole_legs = true;
    }
    if (failed) {
        c->in_both = true;
    }
    return (s || late || failed) && c->n_tries++ < TRIES_MAX;
}

void
dcp_work_count_held(struct dcp_work *w)
{
    const struct dcp_inventory *inv = w->r->inventory;

    for (uint32_t v = 0; w->change.any && v < inv->n_vms; v++) {
        bool rests = w->r->resting && w->r->resting[v];

        w->outcome->vms_held += is_held(w, v) || (w->change.held[v] && !rests);
    }
    for (uint32_t h = 0; w->change.any && h < w->n_hosts; h++) {
        w->outcome->hosts_held +=
            dcp_change_holds_host(inv, w->change.closed[0], h) ||
            dcp_change_holds_host(inv, w->change.closed[1], h);
    }
    for (uint32_t r = 0; w->change.any && r < inv->n_rules &&
                         w->outcome->n_closed < DCP_CLOSED_MAX;
         r++) {
        if (w->change.closed[0][r] || w->change.closed[1][r]) {
            w->outcome->closed[w->outcome->n_closed++] = r;
        }
    }
}
