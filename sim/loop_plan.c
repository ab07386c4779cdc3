/* SPDX-License-Identifier: GPL-3.0-or-later */

/* From wishes to a plan of one leg. */

#include "model/check/check.h"
#include "model/migration.h"
#include "sim/loop.h"
#include "sim/loop_rules.h"
#include "sim/policy/fleet.h"

#include <stdlib.h>

#define FALLBACK_MIB_S 1000.0 /* Where policy states no bandwidth. */

struct making {
    const struct dcp_sim_view *view;
    struct dcp_fleet fleet;
    struct dcp_wishes kept;
    uint8_t *kept_on; /* By host: wished off, but has to stay. Owned. */
    uint8_t *breaks;  /* By wish: broke a rule in a round before. Owned. */
    struct dcp_loop_rules *rules; /* The ground's. */
    struct dcp_loop_report *report;
    struct dcp_error *err;
};

/* --- What is legal ------------------------------------------------------ */

static uint32_t
n_serving(const struct dcp_fleet *f)
{
    uint32_t n = 0;

    for (uint32_t h = 0; h < f->inventory->n_hosts; h++) {
        n += f->hosts[h].serves;
    }
    return n;
}

static bool
is_legal(const struct dcp_fleet *f, const struct dcp_wish *w)
{
    const struct dcp_inventory *inv = f->inventory;

    if (w->host >= inv->n_hosts ||
        (w->kind == DCP_WISH_MOVE && w->vm >= inv->n_vms)) {
        return false;
    }
    switch (w->kind) {
    case DCP_WISH_MOVE:
        return dcp_fleet_fits(f, w->vm, w->host);
    case DCP_WISH_ON:
        return dcp_fleet_can_wake(f, w->host);
    case DCP_WISH_OFF:
        break;
    }
    return dcp_fleet_can_sleep(f, w->host) &&
           n_serving(f) > inv->policy.keep_on;
}

static bool
grant(struct making *m, const struct dcp_wish *w)
{
    switch (w->kind) {
    case DCP_WISH_MOVE:
        return dcp_fleet_move(&m->fleet, w->vm, w->host, m->err);
    case DCP_WISH_ON:
        return dcp_fleet_wake(&m->fleet, w->host, m->err);
    case DCP_WISH_OFF:
        break;
    }
    return dcp_fleet_sleep(&m->fleet, w->host, m->err);
}

/* Where all would stand if what was granted came true. */
static struct dcp_placement *
placement_after(const struct making *m)
{
    struct dcp_placement *p = dcp_placement_copy(m->view->placement, m->err);

    for (uint32_t i = 0; p && i < m->kept.n; i++) {
        const struct dcp_wish *w = &m->kept.items[i];

        if (w->kind == DCP_WISH_MOVE) {
            p->host[w->vm] = (dcp_host_id){ w->host };
        } else {
            p->on[w->host] = w->kind == DCP_WISH_ON;
        }
    }
    return p;
}

/* Do they still, with what was granted from 'first' on?  They did before. */
static bool
rules_hold(struct making *m, uint32_t first, bool *out_hold)
{
    struct dcp_check_result result;

    *out_hold = true;
    if (!dcp_loop_rules_ask(m->rules, &m->kept, first)) {
        return true;
    }
    DCP_AUTO(dcp_placement) struct dcp_placement *after = placement_after(m);

    if (!after || !dcp_check_some_rules(m->view->inventory, m->rules->asked,
                                        m->view->placement, after, &result,
                                        m->err)) {
        return false;
    }
    *out_hold = result.pass;
    dcp_check_result_finish(&result);
    return true;
}

static void
count_refused(struct making *m, const struct dcp_wish *w)
{
    m->report->refused_moves += w->kind == DCP_WISH_MOVE;
    m->report->refused_switches += w->kind != DCP_WISH_MOVE;
}

/* Part of emptying a host that cannot be emptied. */
static bool
is_in_vain(const struct making *m, const struct dcp_wish *w)
{
    if (w->kind == DCP_WISH_OFF) {
        return w->host < m->view->inventory->n_hosts && m->kept_on[w->host];
    }
    return w->kind == DCP_WISH_MOVE && w->vm < m->view->inventory->n_vms &&
           !dcp_host_is_none(m->view->placement->host[w->vm]) &&
           m->kept_on[m->view->placement->host[w->vm].ix];
}

/* Grants what is legal of [first, last), in order. */
static bool
grant_range(struct making *m, const struct dcp_wishes *wishes, uint32_t first,
            uint32_t last)
{
    for (uint32_t i = first; i < last; i++) {
        const struct dcp_wish *w = &wishes->items[i];

        if (m->breaks[i]) {
            m->report->refused_by_rules++;
        } else if (is_in_vain(m, w) || !is_legal(&m->fleet, w)) {
            count_refused(m, w);
        } else if (!grant(m, w)) {
            return false;
        }
    }
    return true;
}

/* The same, without what breaks a declared rule: where a range does, each half
 * of it is looked at by itself, as judging costs a pass over all VMs that the
 * rules in question name. */
static bool
grant_by_rules(struct making *m, const struct dcp_wishes *wishes,
               uint32_t first, uint32_t last)
{
    struct dcp_loop_report counts = *m->report;
    uint32_t before = m->kept.n, middle = first + (last - first) / 2;
    bool hold = true;

    if (!grant_range(m, wishes, first, last) ||
        (m->kept.n > before && !rules_hold(m, before, &hold))) {
        return false;
    }
    if (hold) {
        return true;
    }
    dcp_fleet_undo(&m->fleet, before);
    *m->report = counts;
    if (last - first == 1) {
        m->report->refused_by_rules++;
        m->breaks[first] = 1;
        return true;
    }
    return grant_by_rules(m, wishes, first, middle) &&
           grant_by_rules(m, wishes, middle, last);
}

/* Hosts that were wished off and are not: true if there are new ones. */
static bool
find_kept_on(struct making *m, const struct dcp_wishes *wishes)
{
    bool found = false;

    for (uint32_t i = 0; i < wishes->n; i++) {
        const struct dcp_wish *w = &wishes->items[i];

        if (w->kind == DCP_WISH_OFF && w->host < m->view->inventory->n_hosts &&
            m->fleet.hosts[w->host].serves && !m->kept_on[w->host]) {
            m->kept_on[w->host] = 1;
            found = true;
        }
    }
    return found;
}

/* Again without what was in vain, until nothing is. */
static bool
choose(struct making *m, const struct dcp_wishes *wishes)
{
    struct dcp_loop_report before = *m->report;
    bool has_rules = m->view->inventory->n_rules > 0;

    for (;;) {
        if (!(has_rules ? grant_by_rules(m, wishes, 0, wishes->n)
                        : grant_range(m, wishes, 0, wishes->n))) {
            return false;
        }
        if (!find_kept_on(m, wishes)) {
            return true;
        }
        dcp_fleet_undo(&m->fleet, 0);
        *m->report = before;
    }
}

/* --- Steps -------------------------------------------------------------- */

static struct dcp_object
host_object(uint32_t host)
{
    return (struct dcp_object){ DCP_OBJECT_HOST, host };
}

static int64_t
migration_estimate(const struct dcp_inventory *inv, uint32_t vm)
{
    double limit_mib_s = (double)inv->policy.migration_kib_s / 1024;
    struct dcp_precopy precopy = dcp_precopy_of(inv, vm);

    precopy.bandwidth_mib_s = limit_mib_s > 0 ? limit_mib_s : FALLBACK_MIB_S;
    return dcp_precopy_estimate(&precopy).total_ms;
}

static struct dcp_step
step_of(const struct making *m, const struct dcp_wish *w)
{
    const struct dcp_inventory *inv = m->view->inventory;
    const struct dcp_hardware *hw =
        &inv->hardware[inv->hosts[w->host].hardware.ix];
    struct dcp_step s = { .reason_text = "" };

    switch (w->kind) {
    case DCP_WISH_MOVE:
        s.kind = DCP_STEP_MIGRATE;
        s.object = (struct dcp_object){ DCP_OBJECT_VM, w->vm };
        s.from = host_object(m->view->placement->host[w->vm].ix);
        s.to = host_object(w->host);
        s.estimate_ms = migration_estimate(inv, w->vm);
        s.reason = DCP_REASON_BALANCE;
        break;
    case DCP_WISH_ON:
        s.kind = DCP_STEP_HOST_ON;
        s.object = host_object(w->host);
        s.estimate_ms = hw->boot_ms;
        s.reason = DCP_REASON_WAKE;
        break;
    case DCP_WISH_OFF:
        s.kind = DCP_STEP_HOST_OFF;
        s.object = host_object(w->host);
        s.estimate_ms = hw->shutdown_ms;
        s.reason = DCP_REASON_NIGHT_OFF;
        break;
    }
    return s;
}

/* What a step waits for: a move for its target to be on, a switch-off for all
 * who leave the host.  'steps' has all before it. */
static bool
set_waits(struct dcp_plan *plan, struct dcp_step *steps, uint32_t ix)
{
    struct dcp_step *s = &steps[ix];
    uint32_t n = 0;
    uint32_t *after = NULL;

    for (uint32_t pass = 0; pass < 2; pass++) {
        n = 0;
        for (uint32_t i = 0; i < ix && s->kind != DCP_STEP_HOST_ON; i++) {
            const struct dcp_step *b = &steps[i];
            bool waits =
                s->kind == DCP_STEP_MIGRATE
                    ? b->kind == DCP_STEP_HOST_ON && b->object.ix == s->to.ix
                    : b->kind == DCP_STEP_MIGRATE && b->from.ix == s->object.ix;

            if (waits && after) {
                after[n] = b->id;
            }
            n += waits;
        }
        if (n && !after) {
            after = dcp_arena_array(plan->arena, uint32_t, n);
            if (!after) {
                return false;
            }
        }
    }
    s->after = after;
    s->n_after = n;
    return true;
}

static bool
add_steps(const struct making *m, struct dcp_plan *plan)
{
    static const enum dcp_wish_kind order[] = { DCP_WISH_ON, DCP_WISH_MOVE,
                                                DCP_WISH_OFF };
    struct dcp_step *steps =
        dcp_arena_array(plan->arena, struct dcp_step, m->kept.n);
    uint32_t n = 0;

    for (uint32_t k = 0; steps && k < 3; k++) {
        for (uint32_t i = 0; i < m->kept.n; i++) {
            if (m->kept.items[i].kind == order[k]) {
                steps[n] = step_of(m, &m->kept.items[i]);
                steps[n].id = n + 1;
                if (!set_waits(plan, steps, n++)) {
                    steps = NULL;
                    break;
                }
            }
        }
    }
    if (!steps) {
        return dcp_fail(m->err, DCP_E_NOMEM, "no memory for a plan");
    }
    plan->steps = steps;
    plan->n_steps = n;
    return true;
}

static bool
fill(const struct making *m, struct dcp_plan *plan)
{
    const struct dcp_inventory *inv = m->view->inventory;
    const struct dcp_policy *policy = &inv->policy;

    plan->lineage = inv->lineage ? inv->lineage : "";
    plan->limits = (struct dcp_plan_limits){
        .out_per_host = policy->out_per_host,
        .in_per_host = policy->in_per_host,
        .units_per_10gbit = policy->units_per_10gbit,
        .host_off_at_once = dcp_policy_host_off_at_once(policy, inv->n_hosts),
    };
    plan->n_legs = 1;
    plan->legs[0] = (struct dcp_leg){ .name = "now",
                                      .start_ms = m->view->now_ms,
                                      .deadline_ms = INT64_MAX,
                                      .buckets_until_ms = INT64_MAX,
                                      .after = placement_after(m) };
    plan->before = dcp_placement_copy(m->view->placement, m->err);
    return plan->legs[0].after && plan->before && add_steps(m, plan);
}

bool
dcp_loop_plan(const struct dcp_sim *sim, struct dcp_ground *ground,
              const struct dcp_wishes *wishes, struct dcp_loop_report *report,
              struct dcp_plan **out,
              struct dcp_error *err)
{
    struct dcp_sim_view view = dcp_sim_view(sim);
    struct making m = {
        .view = &view, .rules = &ground->rules, .report = report, .err = err
    };
    DCP_AUTO(dcp_plan) struct dcp_plan *plan = NULL;

    *out = NULL;
    if (!dcp_fleet_init(&m.fleet, ground, sim, DCP_FLEET_LATEST, 0, &m.kept, err)) {
        return false;
    }
    m.kept_on = calloc((size_t)view.inventory->n_hosts + 1, 1);
    m.breaks = calloc((size_t)wishes->n + 1, 1);
    report->wishes += wishes->n;
    bool ok = m.kept_on && m.breaks
                  ? choose(&m, wishes)
                  : dcp_fail(err, DCP_E_NOMEM, "no memory for a plan");

    if (ok && m.kept.n) {
        plan = dcp_plan_create(err);
        ok = plan && fill(&m, plan);
    }
    dcp_fleet_finish(&m.fleet);
    dcp_wishes_finish(&m.kept);
    free(m.kept_on);
    free(m.breaks);
    if (ok) {
        *out = plan ? DCP_STEAL(plan) : NULL;
    }
    return ok;
}
