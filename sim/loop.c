/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The virtual world does not depend on what the replay measures meanwhile, so
 * a plan runs to its end in it at once; the replay then takes what happened at
 * the times at which it happened. */

#include "sim/loop.h"

#include "executors/runner.h"
#include "sim/executor.h"

#include <stdlib.h>

/* The executor's times may be far from a plan's estimates (a NIC leaves a
 * twentieth of its rate), and it loses no answers: nothing is late here. */
#define TIMEOUT_FACTOR 1e6

struct loop {
    struct dcp_sim *sim;
    struct dcp_ground ground;
    const struct dcp_inventory *inventory;
    const struct dcp_loop_options *options;
    struct dcp_loop_report *report;
    struct dcp_plan *plan; /* Under way; NULL: none. Owned. */
    int64_t busy_until_ms;
    struct dcp_sim_event *events; /* Of it; they borrow its steps. Owned. */
    uint32_t n_events, next_event;
    uint32_t n_met; /* Events of options->ha that were played. */
    int64_t to_ms;
    uint8_t *unfit; /* By host; owned; NULL: nothing fails. */
};

static void
drop_plan(struct loop *l)
{
    dcp_plan_destroy(l->plan);
    free(l->events);
    l->plan = NULL;
    l->events = NULL;
    l->n_events = l->next_event = 0;
}

/* The guests that migrations of maintenance slowed down since the last time. */
static bool
slow_maintained(struct loop *l, struct dcp_error *err)
{
    struct dcp_slowdown *list = NULL;
    uint32_t n = 0;
    bool ok = dcp_ha_add_slowdowns(l->options->ha, &list, &n, err) &&
              dcp_sim_slow_down(l->sim, list, n, err);

    free(list);
    return ok;
}

/* What failed, and what that left of plans, which met it as they were run. */
static bool
play_failures(struct loop *l, int64_t until_ms, struct dcp_error *err)
{
    struct dcp_ha *ha = l->options->ha;
    uint32_t n;

    if (!dcp_ha_advance(ha, until_ms, err) || !slow_maintained(l, err)) {
        return false;
    }
    const struct dcp_sim_event *events = dcp_ha_events(ha, &n);

    while (l->n_met < n && events[l->n_met].at_ms <= until_ms) {
        if (!dcp_sim_apply(l->sim, &events[l->n_met++], err)) {
            return false;
        }
    }
    dcp_ha_unfit(ha, l->unfit);
    return true;
}

static bool
play_events(struct loop *l, int64_t until_ms, struct dcp_error *err)
{
    while (l->next_event < l->n_events &&
           l->events[l->next_event].at_ms <= until_ms) {
        if (!dcp_sim_apply(l->sim, &l->events[l->next_event], err)) {
            return false;
        }
        l->next_event++;
    }
    return true;
}

/* What of the plan happens up to 'until_ms', that instant with it. */
static bool
play(struct loop *l, int64_t until_ms, struct dcp_error *err)
{
    if (!(l->options->ha ? play_failures(l, until_ms, err)
                         : play_events(l, until_ms, err))) {
        return false;
    }
    if (!dcp_sim_view(l->sim).stopped &&
        !dcp_sim_advance(l->sim, until_ms, err)) {
        return false;
    }
    if (l->plan && l->next_event == l->n_events &&
        l->busy_until_ms <= until_ms) {
        drop_plan(l);
    }
    return true;
}

static bool
keep_events(struct loop *l, const struct dcp_virtual *world,
            struct dcp_error *err)
{
    uint32_t n;
    const struct dcp_action_record *log = dcp_virtual_log(world, &n);
    struct dcp_sim_event *events =
        realloc(l->events, ((size_t)l->n_events + n + 1) * sizeof *events);

    if (!events) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u events", n);
    }
    l->events = events;
    for (uint32_t i = 0; i < n; i++) {
        events[l->n_events++] = (struct dcp_sim_event){
            log[i].at_ms, &l->plan->steps[log[i].step - 1], log[i].phase
        };
    }
    return true;
}

/* The guests that the leg's migrations slow down. */
static bool
slow_down(struct loop *l, struct dcp_sim_executor *x, struct dcp_error *err)
{
    struct dcp_slowdown *list = NULL;
    uint32_t n = 0;
    bool ok = dcp_sim_executor_slowdowns(x, &list, &n, err) &&
              dcp_sim_slow_down(l->sim, list, n, err);

    free(list);
    return ok;
}

static bool
run_leg(struct loop *l, uint32_t leg, struct dcp_placement **world_now,
        uint32_t *n_events, struct dcp_error *err)
{
    int64_t start_ms = l->plan->legs[leg].start_ms;
    struct dcp_run_options o;
    struct dcp_run_report r;

    start_ms = start_ms > l->busy_until_ms ? start_ms : l->busy_until_ms;
    DCP_AUTO(dcp_sim_executor)
    struct dcp_sim_executor *x = dcp_sim_executor_create(
        l->inventory, l->plan, leg, *world_now, start_ms, l->options->net, err);

    struct dcp_ha *ha = l->options->ha;

    if (!x || (ha && !dcp_sim_executor_meet(x, ha, *n_events, l->to_ms, err))) {
        return false;
    }
    struct dcp_virtual *world = dcp_sim_executor_world(x);

    dcp_run_options_default(&o);
    o.leg = leg;
    o.timeout_factor = TIMEOUT_FACTOR;
    bool ok = dcp_run_leg(l->inventory, l->plan, dcp_virtual_executor(world),
                          &o, &r, err) &&
              dcp_sim_executor_lost(x, &r, &l->report->lost, err);

    l->report->steps += r.n_steps;
    l->report->steps_failed +=
        r.n_failed + r.n_skipped + r.n_unknown + r.n_pending;
    l->busy_until_ms = r.ended_ms > start_ms ? r.ended_ms : start_ms;
    dcp_run_report_finish(&r);
    if (!ok || (!ha && !keep_events(l, world, err)) || !slow_down(l, x, err)) {
        return false;
    }
    if (ha) { /* Its events have those of the steps. */
        (void)dcp_ha_events(ha, n_events);
    }
    dcp_placement_destroy(*world_now);
    *world_now = dcp_placement_copy(dcp_virtual_placement(world), err);
    return *world_now != NULL;
}

static bool
carry_out(struct loop *l, struct dcp_error *err)
{
    struct dcp_sim_view view = dcp_sim_view(l->sim);
    DCP_AUTO(dcp_placement)
    struct dcp_placement *now = dcp_placement_copy(view.placement, err);
    uint32_t n_events = l->n_met;

    l->report->plans++;
    l->busy_until_ms = view.now_ms;
    for (uint32_t leg = 0; now && leg < l->plan->n_legs; leg++) {
        if (!run_leg(l, leg, &now, &n_events, err)) {
            return false;
        }
    }
    return now != NULL;
}

static bool
ask(struct loop *l, struct dcp_sim_policy *policy, struct dcp_error *err)
{
    struct dcp_wishes wishes = { 0 };

    l->report->asked++;
    bool ok = policy->ops->decide(policy, l->sim, &wishes, err);

    l->report->stood += ok && wishes.stands;
    if (ok && wishes.plan) {
        l->plan = wishes.plan;
        wishes.plan = NULL;
    } else if (ok && wishes.n) {
        ok = dcp_loop_plan(l->sim, &l->ground, &wishes, l->report, &l->plan, err);
    }
    dcp_wishes_finish(&wishes);
    return ok && (!l->plan || carry_out(l, err));
}

static bool
run(struct loop *l, const struct dcp_sim_input *in,
    struct dcp_sim_policy *policy, struct dcp_error *err)
{
    for (int64_t at_ms = in->from_ms; at_ms < in->to_ms;
         at_ms += l->options->every_ms) {
        if (!play(l, at_ms, err)) {
            return false;
        }
        struct dcp_sim_view view = dcp_sim_view(l->sim);

        if (view.stopped) {
            return true;
        }
        if (view.n_past == 0) {
            continue;
        }
        if (l->plan) {
            l->report->waited++;
        } else if (!ask(l, policy, err)) {
            return false;
        }
    }
    return play(l, in->to_ms, err);
}

bool
dcp_loop_run(const struct dcp_sim_input *in, struct dcp_sim_policy *policy,
             const struct dcp_loop_options *options, struct dcp_sim_result *out,
             struct dcp_loop_report *out_report, struct dcp_error *err)
{
    struct loop l = { .inventory = in->inventory,
                      .options = options,
                      .report = out_report,
                      .to_ms = in->to_ms };

    *out = (struct dcp_sim_result){ 0 };
    *out_report = (struct dcp_loop_report){ 0 };
    if (options->every_ms <= 0) {
        return dcp_fail(err, DCP_E_ARGUMENT, "an interval of no time");
    }
    if (in->rows) {
        return dcp_fail(err, DCP_E_ARGUMENT,
                        "a policy looks at samples by their own times");
    }
    if (options->ha) {
        l.unfit = calloc((size_t)in->inventory->n_hosts + 1, 1);
        if (!l.unfit) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for failures");
        }
    }
    bool ok = dcp_ground_init(&l.ground, in->inventory, err) &&
              dcp_sim_open(in, &l.sim, err);

    if (ok) {
        dcp_sim_set_unfit(l.sim, l.unfit);
        policy->ground = &l.ground;
        ok = run(&l, in, policy, err) && dcp_sim_finish(l.sim, out, err);
        policy->ground = NULL;
    }
    dcp_sim_destroy(l.sim); /* Before what it borrows. */
    drop_plan(&l);
    free(l.unfit);
    dcp_ground_finish(&l.ground);
    return ok;
}
