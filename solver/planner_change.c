/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Change windows and freezes of a plan.
 *
 * Which of them are closed for a leg follows from when it begins and how long
 * it takes, which its moves decide.  So the shortest leg that there can be is
 * supposed first; where the plan turns out longer, so that it touches what is
 * then closed, it is made again with the times that it took, until it fits.
 * Each round closes more and so moves less.  Where nothing is found, what is
 * closed for either leg is left alone in both: else a VM may go in the evening
 * to where the day has no room for it. */

#include "model/change.h"
#include "solver/planner_work.h"
#include "solver/rule_delta.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MINUTE_MS INT64_C(60000)
/* No leg is shorter: solver/planner_legs.c. */
#define FIRST_MS  (15 * MINUTE_MS)
#define SECOND_MS (5 * MINUTE_MS)
#define TRIES_MAX 5u

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

void
dcp_work_close_changes(struct dcp_work *w)
{
    const struct dcp_plan_request *r = w->r;
    const struct dcp_inventory *inv = r->inventory;
    struct dcp_work_change *c = &w->change;
    bool second = r->two_legs || r->bring_back;
    int64_t from, until;

    c->any = has_changes(inv);
    if (!c->any) {
        return;
    }
    c->first_ms = c->first_ms ? c->first_ms : FIRST_MS;
    c->second_ms = c->second_ms ? c->second_ms : SECOND_MS;
    second_leg(w, &from, &until);
    (void)dcp_change_close(inv, r->start_ms, r->start_ms + c->first_ms,
                           c->closed[0]);
    if (second) {
        (void)dcp_change_close(inv, from, until, c->closed[1]);
    }
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

static bool
touches(const struct dcp_rule *rule, const struct dcp_step *s)
{
    const struct dcp_object objects[] = { s->object, s->from, s->to };
    struct dcp_ids vms = { rule->vms, rule->n_vms };
    struct dcp_ids hosts = { rule->hosts, rule->n_hosts };
    bool hit = false;

    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        hit |= (objects[i].kind == DCP_OBJECT_VM &&
                dcp_ids_contain(&vms, objects[i].ix)) ||
               (objects[i].kind == DCP_OBJECT_HOST &&
                dcp_ids_contain(&hosts, objects[i].ix));
    }
    return hit;
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
                if (plan->steps[i].leg == l && touches(rule, &plan->steps[i])) {
                    *out_rule = rule;
                    return &plan->steps[i];
                }
            }
        }
    }
    return NULL;
}

static void
refuse(struct dcp_work *w, const struct dcp_plan *plan,
       const struct dcp_step *s, const struct dcp_rule *rule)
{
    const struct dcp_inventory *inv = w->r->inventory;
    struct dcp_because *b = &w->outcome->because;
    char when[120];

    w->outcome->status = DCP_STATUS_TIMEOUT;
    *b = (struct dcp_because){ .need = NAN, .have = NAN };
    (void)snprintf(b->rule, sizeof b->rule, "%.60s", rule->name);
    (void)snprintf(b->object, sizeof b->object, "%s:%.80s",
                   dcp_object_kind_name(s->object.kind),
                   dcp_object_name(inv, s->object));
    (void)snprintf(b->text, sizeof b->text,
                   "leg %.20s would change it outside its time (%.120s)",
                   plan->legs[s->leg].name,
                   dcp_change_print(inv, rule, when, sizeof when));
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
    bool failed =
        !*plan && !c->in_both && second &&
        w->outcome->status != DCP_STATUS_NOTHING_TO_DO &&
        memcmp(c->closed[0], c->closed[1], w->r->inventory->n_rules) != 0;

    if (s) {
        take_times(w, *plan);
        refuse(w, *plan, s, rule);
        dcp_plan_destroy(*plan);
        *plan = NULL;
    }
    if (failed) {
        c->in_both = true;
    }
    return (s || failed) && c->n_tries++ < TRIES_MAX;
}

void
dcp_work_count_held(struct dcp_work *w)
{
    const struct dcp_inventory *inv = w->r->inventory;

    for (uint32_t v = 0; w->change.any && v < inv->n_vms; v++) {
        w->outcome->vms_held += is_held(w, v);
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
