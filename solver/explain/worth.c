/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/explain/worth.h"

#include "model/convert.h"
#include "solver/state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- Alone -------------------------------------------------------------- */

static uint32_t
night_slots(const struct dcp_plan_request *r)
{
    uint32_t n = 0;

    while (n < r->demand->n_slots &&
           (!r->two_legs || r->demand->slots[n].start_ms < r->window_end_ms)) {
        n++;
    }
    return n;
}

/* Whether the state at the end of the first leg lets the item go back. */
static bool
may_go_back(struct dcp_state *s, uint32_t item, uint32_t host,
            struct dcp_worth *out, struct dcp_error *err)
{
    struct dcp_headroom before = { .ok = true };

    dcp_state_remove(s, item);
    out->refused = dcp_refusal_find(s, item, host, true, &out->why);
    if (out->refused || !s->p->q->headroom) {
        return true;
    }
    if (!dcp_headroom_check(s, NULL, NULL, &before, err)) {
        return false;
    }
    /* Where headroom is broken in any case no host is blamed for it. */
    return !before.ok ||
           dcp_refusal_headroom(s, item, host, &out->refused, &out->why, err);
}

static bool
judge(const struct dcp_plan_request *r, const struct dcp_placement *end,
      const struct dcp_worth_change *c, uint32_t host, struct dcp_worth *out,
      struct dcp_placement *changed, struct dcp_error *err)
{
    uint32_t n_vms = r->inventory->n_vms;
    DCP_FREE uint8_t *converted = calloc(n_vms + 1u, 1);

    if (!converted) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to weigh a plan");
    }
    for (uint32_t v = 0; v < n_vms; v++) {
        converted[v] = dcp_conversion_between(r->inventory, r->start->host[v],
                                              end->host[v]);
    }
    /* Who was converted would not go back to another hypervisor, but never have
     * left it. */
    bool as_left = c->kind == DCP_WORTH_VM_STAYS && converted[c->ix];
    struct dcp_question q = {
        .inventory = r->inventory,
        .demand = r->demand,
        .last_slot = night_slots(r),
        .start = as_left ? r->start : end,
        .home = r->start,
        .may_convert = as_left ? converted : NULL,
        .may_wake = true,
        .headroom = r->inventory->policy.n_survive > 0,
        .ignore_soft = true,
    };
    DCP_AUTO(dcp_problem)
    struct dcp_problem *p = dcp_problem_create(&q, err);
    DCP_AUTO(dcp_state)
    struct dcp_state *s = p ? dcp_state_create(p, err) : NULL;

    if (!s) {
        return false;
    }
    if (as_left) {
        dcp_state_become(s, end);
    }
    if (!end->on[host] && !dcp_state_may_switch(s, host, true)) {
        out->refused = true;
        out->why = (struct dcp_refusal){
            .kind = DCP_REFUSAL_OFF,
            .rule = "max_on",
            .text = "a rule lets no more hosts be on",
            .need = NAN,
            .have = NAN,
            .slot = UINT32_MAX,
        };
        return true;
    }
    if (c->kind == DCP_WORTH_HOST_STAYS_ON) {
        return true;
    }
    if (c->kind == DCP_WORTH_VM_KEEPS_SIZE) {
        return may_go_back(s, p->item_of_vm[c->ix], host, out, err);
    }
    uint32_t item = p->item_of_vm[c->ix];

    if (!may_go_back(s, item, host, out, err)) {
        return false;
    }
    for (uint32_t k = p->vm_first[item]; k < p->vm_first[item + 1]; k++) {
        changed->host[p->vm[k]].ix = host; /* Gathered VMs stay together. */
    }
    return true;
}

static bool
weigh(const struct dcp_plan_request *r, const struct dcp_plan *plan,
      const struct dcp_placement *end, double *out, const char **unit,
      struct dcp_error *err)
{
    struct dcp_plan_outcome o;

    if (!dcp_plan_weigh(r, end, plan->n_legs > 1 ? plan->legs[1].after : end,
                        &o, err)) {
        return false;
    }
    *out = o.after;
    *unit = o.unit;
    return true;
}

/* The request about the model that the change is to. */
static struct dcp_plan_request
request_of(const struct dcp_plan_request *r, const struct dcp_worth_change *c)
{
    struct dcp_plan_request of = *r;

    if (c->kind == DCP_WORTH_VM_KEEPS_SIZE) {
        of.inventory = c->was;
        of.demand = c->demand_was;
    }
    return of;
}

bool
dcp_worth_alone(const struct dcp_plan_request *r, const struct dcp_plan *plan,
                const struct dcp_worth_change *c, struct dcp_worth *out,
                struct dcp_error *err)
{
    const struct dcp_placement *end = plan->legs[0].after;
    uint32_t host = c->ix;

    *out = (struct dcp_worth){ .alone = NAN,
                               .best = NAN,
                               .least = NAN,
                               .found = NAN,
                               .found_least = NAN };
    if (!weigh(r, plan, end, &out->planned, &out->unit, err)) {
        return false;
    }
    switch (c->kind) {
    case DCP_WORTH_RULE_DROPPED:
        return true;
    case DCP_WORTH_HOST_STAYS_ON:
        out->applies = r->start->on[host] && !end->on[host];
        break;
    case DCP_WORTH_VM_STAYS:
        host = r->start->host[c->ix].ix;
        out->applies = host != DCP_IX_NONE && end->host[c->ix].ix != host &&
                       end->host[c->ix].ix != DCP_IX_NONE;
        break;
    case DCP_WORTH_VM_KEEPS_SIZE:
        host = end->host[c->ix].ix;
        out->applies = host != DCP_IX_NONE &&
                       !dcp_vm_size_eq(dcp_vm_size(c->was, c->ix),
                                       dcp_vm_size(r->inventory, c->ix));
        break;
    }
    if (!out->applies) {
        return true;
    }
    const struct dcp_plan_request changed_r = request_of(r, c);
    DCP_AUTO(dcp_placement)
    struct dcp_placement *changed = dcp_placement_copy(end, err);

    if (!changed || !judge(&changed_r, end, c, host, out, changed, err)) {
        return false;
    }
    out->switches_on = !end->on[host];
    changed->on[host] = 1;
    return out->refused ||
           weigh(&changed_r, plan, changed, &out->alone, &out->unit, err);
}

/* --- Planned again ------------------------------------------------------ */

static bool
plan_again(const struct dcp_plan_request *r, const struct dcp_inventory *inv,
           struct dcp_plan **out_plan, struct dcp_plan_outcome *out,
           struct dcp_error *err)
{
    struct dcp_inventory eager = *inv;
    struct dcp_plan_request again = *r;

    eager.policy.min_gain_frac = 0;
    again.inventory = &eager;
    again.solve.time_limit_s /= 2;
    return dcp_plan_make(&again, out_plan, out, err);
}

bool
dcp_worth_base_make(const struct dcp_plan_request *r,
                    struct dcp_worth_base *out, struct dcp_error *err)
{
    return plan_again(r, r->inventory, &out->plan, &out->outcome, err);
}

void
dcp_worth_base_finish(struct dcp_worth_base *base)
{
    dcp_plan_destroy(base->plan);
    base->plan = NULL;
}

static bool
has_value(const struct dcp_plan_outcome *o)
{
    return o->status == DCP_STATUS_OPTIMAL ||
           o->status == DCP_STATUS_FEASIBLE ||
           o->status == DCP_STATUS_NOTHING_TO_DO;
}

/* The request with the change. */
static bool
plan_changed(const struct dcp_plan_request *r, const struct dcp_worth_change *c,
             struct dcp_plan **plan, struct dcp_plan_outcome *out,
             struct dcp_error *err)
{
    const struct dcp_inventory *inv = r->inventory;
    struct dcp_inventory other = *inv;
    struct dcp_plan_request q = *r;
    DCP_FREE uint8_t *marks = calloc((size_t)inv->n_vms + inv->n_hosts + 1, 1);
    DCP_FREE struct dcp_rule *rules = calloc(inv->n_rules + 1u, sizeof *rules);

    if (!marks || !rules) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to plan again");
    }
    switch (c->kind) {
    case DCP_WORTH_VM_STAYS:
        if (r->resting) {
            memcpy(marks, r->resting, inv->n_vms);
        }
        marks[c->ix] = 1;
        q.resting = marks;
        break;
    case DCP_WORTH_HOST_STAYS_ON:
        marks[c->ix] = 1;
        q.stays_on = marks;
        break;
    case DCP_WORTH_RULE_DROPPED:
        other.n_rules = 0;
        for (uint32_t i = 0; i < inv->n_rules; i++) {
            if (i != c->ix) {
                rules[other.n_rules++] = inv->rules[i];
            }
        }
        other.rules = rules;
        break;
    case DCP_WORTH_VM_KEEPS_SIZE:
        other = *c->was;
        q.demand = c->demand_was;
        break;
    }
    return plan_again(&q, &other, plan, out, err);
}

static double
lesser(double a, double b)
{
    return isnan(a) || b < a ? b : a;
}

/* What is known of both, each way round, and how far they are apart; 'alone':
 * the least difference within one plan. */
static void
compare(enum dcp_worth_kind kind, double alone, struct dcp_worth *w)
{
    bool dropped = kind == DCP_WORTH_RULE_DROPPED;
    /* The one that obeys less, and the one that obeys more. */
    double *loose = dropped ? &w->found : &w->best;
    double *loose_least = dropped ? &w->found_least : &w->least;
    double *tight = dropped ? &w->best : &w->found;
    double *tight_least = dropped ? &w->least : &w->found_least;

    *loose = lesser(*loose, *tight);
    *tight_least = fmax(*tight_least, *loose_least);
    w->at_least = fmax(*tight_least - *loose, 0);
    w->at_most = *tight - *loose_least;
    w->difference = *tight - *loose;
    w->difference = fmax(fmin(w->difference, alone), w->at_least);
}

/* The base's plan with the change alone, where that is possible. */
static bool
change_base(const struct dcp_plan_request *r, const struct dcp_worth_change *c,
            const struct dcp_worth_base *base, struct dcp_worth *w,
            double *alone, struct dcp_error *err)
{
    struct dcp_worth of = { .alone = NAN };

    if (c->kind == DCP_WORTH_RULE_DROPPED || !has_value(&base->outcome)) {
        return true;
    }
    if (base->plan && !dcp_worth_alone(r, base->plan, c, &of, err)) {
        return false;
    }
    if (!of.applies) { /* It leaves the VM or the host as it was. */
        w->found = lesser(w->found, base->outcome.after);
    } else if (!of.refused) {
        w->found = lesser(w->found, of.alone);
        *alone = fmin(*alone, of.alone - of.planned);
    }
    return true;
}

bool
dcp_worth_replan(const struct dcp_plan_request *r,
                 const struct dcp_worth_change *c,
                 const struct dcp_worth_base *base, struct dcp_worth *w,
                 struct dcp_plan **out_plan, struct dcp_error *err)
{
    struct dcp_plan_outcome with;

    if (!plan_changed(r, c, out_plan, &with, err)) {
        return false;
    }
    w->replanned = true;
    w->status = with.status;
    w->because = with.because;
    w->best = w->planned;
    w->least = -INFINITY;
    if (has_value(&base->outcome)) {
        w->best = lesser(w->best, base->outcome.after);
        w->least = base->outcome.lower_bound;
    }
    w->found = w->alone; /* Legal where it is not NaN. */
    w->found_least = -INFINITY;
    if (has_value(&with)) {
        w->found = lesser(w->found, with.after);
        w->found_least = with.lower_bound;
    }
    double alone = isnan(w->alone) ? INFINITY : w->alone - w->planned;

    if (!change_base(r, c, base, w, &alone, err)) {
        return false;
    }
    compare(c->kind, alone, w);
    return true;
}

void
dcp_worth_rule_is_kept(struct dcp_worth *w)
{
    w->best = lesser(w->best, w->found);
    compare(DCP_WORTH_RULE_DROPPED, INFINITY, w);
}
