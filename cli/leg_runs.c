/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/leg_runs.h"

#include "sim/executor.h"

#include <stdlib.h>

static bool
keep_events(const struct dcp_plan *plan, const struct dcp_virtual *world,
            struct dcp_leg_runs *out, struct dcp_error *err)
{
    uint32_t n;
    const struct dcp_action_record *log = dcp_virtual_log(world, &n);
    struct dcp_sim_event *events =
        realloc(out->events, ((size_t)out->n_events + n + 1) * sizeof *events);

    if (!events) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u events", n);
    }
    out->events = events;
    for (uint32_t i = 0; i < n; i++) {
        events[out->n_events++] =
            (struct dcp_sim_event){ log[i].at_ms, &plan->steps[log[i].step - 1],
                                    log[i].phase };
    }
    return true;
}

/* 'f' NULL: nothing fails. */
struct failing {
    const struct dcp_failures *failures;
    struct dcp_failure_run *run;
    uint32_t n_events; /* Of the run's 'ha', which the world has had. */
};

static bool
run_leg(const struct dcp_legs_input *in, uint32_t leg, int64_t start_ms,
        struct failing *f, struct dcp_placement **now, struct dcp_leg_runs *out,
        struct dcp_error *err)
{
    struct dcp_run_options o;
    struct dcp_ha *ha = f ? f->run->ha : NULL;
    DCP_AUTO(dcp_sim_executor)
    struct dcp_sim_executor *x = dcp_sim_executor_create(
        in->inventory, in->plan, leg, *now, start_ms, in->net, err);

    if (!x || (ha && !dcp_sim_executor_meet(x, ha, f->n_events,
                                            f->failures->to_ms, err))) {
        return false;
    }
    struct dcp_virtual *world = dcp_sim_executor_world(x);

    dcp_run_options_default(&o);
    o.leg = leg;
    o.shift_ms = in->start_ms[leg] - in->plan->legs[leg].start_ms;
    if (!dcp_run_leg(in->inventory, in->plan, dcp_virtual_executor(world), &o,
                     &out->legs[leg], err) ||
        !keep_events(in->plan, world, out, err) ||
        !dcp_sim_executor_slowdowns(x, &out->slowdowns, &out->n_slowdowns,
                                    err)) {
        return false;
    }
    if (f) {
        if (!dcp_sim_executor_lost(x, &out->legs[leg], &f->run->lost, err)) {
            return false;
        }
        (void)dcp_ha_events(ha, &f->n_events);
    }
    out->transfers[leg] = dcp_sim_executor_transfers(x);
    dcp_placement_destroy(*now);
    *now = dcp_placement_copy(dcp_virtual_placement(world), err);
    return *now != NULL;
}

static bool
run_legs(const struct dcp_legs_input *in, struct failing *f,
         struct dcp_leg_runs *out, struct dcp_error *err)
{
    DCP_AUTO(dcp_placement)
    struct dcp_placement *now = dcp_placement_copy(in->plan->before, err);
    int64_t now_ms = INT64_MIN;

    for (uint32_t i = 0; now && i < in->plan->n_legs; i++) {
        if (now_ms < in->start_ms[i]) {
            now_ms = in->start_ms[i];
        }
        if (!run_leg(in, i, now_ms, f, &now, out, err)) {
            return false;
        }
        now_ms = out->legs[i].ended_ms;
    }
    return now != NULL;
}

bool
dcp_leg_runs_calm(const struct dcp_legs_input *in, struct dcp_leg_runs *out,
                  struct dcp_error *err)
{
    *out = (struct dcp_leg_runs){ 0 };
    if (run_legs(in, NULL, out, err)) {
        return true;
    }
    dcp_leg_runs_finish(out);
    return false;
}

/* Again, through the runner; the failures' events have the steps' as well. */
static bool
run_failing(const struct dcp_legs_input *in, const struct dcp_failures *f,
            struct dcp_sim_input *sim, struct dcp_failure_run *run,
            struct dcp_leg_runs *legs, struct dcp_error *err)
{
    struct failing failing = { .failures = f, .run = run };

    if (!dcp_failures_begin(f, sim->start, run, err)) {
        return false;
    }
    if (!run_legs(in, &failing, legs, err)) {
        return false;
    }
    sim->slowdowns = legs->slowdowns;
    sim->n_slowdowns = legs->n_slowdowns;
    return dcp_failures_finish_run(f, sim, run, err);
}

bool
dcp_leg_runs_meet(const struct dcp_legs_input *in,
                  const struct dcp_leg_runs *calm, const struct dcp_failures *f,
                  struct dcp_sim_input *sim, struct dcp_failure_run *out_failed,
                  struct dcp_leg_runs *out_legs, struct dcp_error *err)
{
    struct dcp_leg_runs legs = { 0 };
    uint32_t n_lost;

    dcp_leg_runs_give(calm, sim);
    if (!dcp_failures_run(f, sim, out_failed, err)) {
        return false;
    }
    (void)dcp_ha_losses(out_failed->ha, &n_lost);
    if (!n_lost) {
        return true;
    }
    dcp_failure_run_finish(out_failed);
    if (!run_failing(in, f, sim, out_failed, &legs, err)) {
        dcp_leg_runs_finish(&legs);
        dcp_failure_run_finish(out_failed);
        return false;
    }
    if (out_legs) {
        dcp_leg_runs_finish(out_legs);
        *out_legs = legs;
    } else {
        dcp_leg_runs_finish(&legs);
    }
    return true;
}

void
dcp_leg_runs_give(const struct dcp_leg_runs *runs, struct dcp_sim_input *in)
{
    in->events = runs->events;
    in->n_events = runs->n_events;
    in->slowdowns = runs->slowdowns;
    in->n_slowdowns = runs->n_slowdowns;
}

void
dcp_leg_runs_finish(struct dcp_leg_runs *runs)
{
    for (uint32_t i = 0; i < DCP_LEGS_MAX; i++) {
        dcp_run_report_finish(&runs->legs[i]);
    }
    free(runs->events);
    free(runs->slowdowns);
    *runs = (struct dcp_leg_runs){ 0 };
}
