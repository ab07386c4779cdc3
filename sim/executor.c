/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/executor.h"

#include "sim/host/starts.h"

#include "model/migration.h"

#include <stdio.h>
#include <stdlib.h>

struct dcp_sim_executor {
    struct dcp_starts *starts;
    struct dcp_virtual *world;
    const struct dcp_inventory *inventory;
    struct dcp_transfers *transfers; /* By step id. */
    bool no_memory;
    const struct dcp_plan *plan;
    struct dcp_ha *ha; /* NULL: nothing fails; else all that follows. */
    int64_t ha_until_ms;
    uint32_t n_events, n_losses; /* Of 'ha', heard. */
    uint8_t *why;                /* By step id: enum dcp_step_loss. Owned. */
    uint8_t *begun;              /* By step id, likewise. */
};

/* Moves the ends of migrations whose rate is another, and asks to be woken when
 * the next sample of production begins, or something fails. */
static void
tell_changes(struct dcp_sim_executor *x)
{
    uint32_t n;
    const uint32_t *steps = dcp_transfers_changed(x->transfers, &n);

    for (uint32_t i = 0; i < n; i++) {
        if (!x->ha || x->why[steps[i]] != DCP_STEP_LOSS_CUT) {
            dcp_virtual_end_at(x->world, steps[i],
                               dcp_transfers_end_ms(x->transfers, steps[i]));
        }
    }
    int64_t next_ms = dcp_transfers_next_ms(x->transfers);
    int64_t fails_ms = x->ha ? dcp_ha_next_ms(x->ha) : INT64_MAX;

    if (fails_ms <= x->ha_until_ms && fails_ms < next_ms) {
        next_ms = fails_ms;
    }
    dcp_virtual_wake_at(x->world, next_ms);
}

/* --- What fails ---------------------------------------------------------- */

static bool
is_told(const struct dcp_sim_executor *x, int64_t now_ms)
{
    return x->ha && now_ms <= x->ha_until_ms;
}

/* Takes over what happened: outages, restarts, repairs, maintenance; steps that
 * an outage cut end now. */
static void
hear(struct dcp_sim_executor *x, int64_t now_ms)
{
    uint32_t n;
    const struct dcp_sim_event *events = dcp_ha_events(x->ha, &n);

    for (; x->n_events < n; x->n_events++) {
        const struct dcp_sim_event *e = &events[x->n_events];

        if (e->step->id == 0 && e->phase == DCP_ACTION_DONE) {
            dcp_virtual_change(x->world, e->step);
        }
    }
    const struct dcp_ha_loss *losses = dcp_ha_losses(x->ha, &n);

    for (; x->n_losses < n; x->n_losses++) {
        const struct dcp_ha_loss *loss = &losses[x->n_losses];
        uint32_t id = loss->step->id;

        if (loss->step != &x->plan->steps[id - 1]) {
            continue; /* Of a plan before, which nobody waits for. */
        }
        x->why[id] = (uint8_t)loss->why;
        if (loss->why == DCP_STEP_LOSS_CUT) {
            dcp_virtual_end_at(x->world, id, now_ms);
        }
    }
}

/* The step begins or ends, if it still can: why[] says. */
static bool
tell(struct dcp_sim_executor *x, const struct dcp_step *s, int64_t now_ms,
     enum dcp_action_phase phase, struct dcp_error *err)
{
    const struct dcp_sim_event event = { now_ms, s, phase };
    bool ok = dcp_ha_take(x->ha, &event, err);

    x->no_memory |= !ok;
    hear(x, now_ms);
    tell_changes(x);
    return ok;
}

static bool
may_start(void *user, const struct dcp_step *s, int64_t now_ms,
          struct dcp_error *err)
{
    struct dcp_sim_executor *x = user;

    if (!is_told(x, now_ms)) {
        return true;
    }
    x->why[s->id] = DCP_STEP_LOSS_NONE;
    return tell(x, s, now_ms, DCP_ACTION_STARTED, err) &&
           (x->why[s->id] == DCP_STEP_LOSS_NONE ||
            dcp_fail(err, DCP_E_STALE, "%s",
                     dcp_step_loss_text(x->why[s->id])));
}

/* Why the world is not what the plan assumed; what is there by chance, and will
 * not stay, is not what the plan wanted. */
static enum dcp_effect
seen(void *user, const struct dcp_step *s, enum dcp_effect effect,
     char reason[160])
{
    struct dcp_sim_executor *x = user;
    struct dcp_executor *world = dcp_virtual_executor(x->world);

    if (!is_told(x, world->ops->now_ms(world))) {
        return effect;
    }
    if (effect == DCP_EFFECT_PRESENT && dcp_ha_undoes(x->ha, s)) {
        enum dcp_step_loss why = dcp_ha_judge(x->ha, s);

        (void)snprintf(reason, 160, "%s", dcp_step_loss_text(why));
        effect = DCP_EFFECT_ELSEWHERE;
    }
    if (effect == DCP_EFFECT_ELSEWHERE && !x->why[s->id]) {
        x->why[s->id] = (uint8_t)dcp_ha_judge(x->ha, s);
    }
    if (effect == DCP_EFFECT_PRESENT) {
        dcp_ha_remember(x->ha, s); /* A host that is down is off already. */
    }
    return effect;
}

/* --- The world's models --------------------------------------------------- */

static int64_t
begin_migration(struct dcp_sim_executor *x, const struct dcp_step *s,
                int64_t now_ms)
{
    const struct dcp_inventory *inv = x->inventory;

    if (!dcp_transfers_reach(inv, s->from.ix) ||
        !dcp_transfers_reach(inv, s->to.ix)) { /* A model without NICs. */
        return s->estimate_ms;
    }
    const struct dcp_placement *now = dcp_virtual_placement(x->world);
    struct dcp_transfer transfer = dcp_transfer_of(inv, now, s);

    if (!dcp_transfers_begin(x->transfers, s->id, &transfer, now, now_ms,
                             NULL)) {
        x->no_memory = true;
        return s->estimate_ms;
    }
    tell_changes(x);
    int64_t end_ms = dcp_transfers_end_ms(x->transfers, s->id);

    return end_ms < INT64_MAX ? end_ms - now_ms : INT64_MAX;
}

static int64_t
begin_step(void *user, const struct dcp_step *s, int64_t now_ms)
{
    struct dcp_sim_executor *x = user;
    int64_t known_ms = 0;

    if (x->ha) {
        x->begun[s->id] = true;
    }
    if (s->converts) { /* No memory is copied. */
        return s->estimate_ms;
    }
    if (s->kind == DCP_STEP_MIGRATE) {
        return begin_migration(x, s, now_ms);
    }
    if (s->kind == DCP_STEP_HOST_ON || s->kind == DCP_STEP_HOST_OFF) {
        const struct dcp_hardware *hw =
            &x->inventory
                 ->hardware[x->inventory->hosts[s->object.ix].hardware.ix];

        known_ms = s->kind == DCP_STEP_HOST_ON ? hw->boot_ms : hw->shutdown_ms;
    }
    if (dcp_step_begins_vm(s)) {
        return dcp_starts_take(x->starts, s->to.ix, now_ms, s->estimate_ms);
    }
    return known_ms > 0 ? known_ms : s->estimate_ms;
}

static void
end_step(void *user, const struct dcp_step *s, int64_t now_ms)
{
    struct dcp_sim_executor *x = user;

    if (dcp_transfers_under_way(x->transfers, s->id)) {
        dcp_transfers_end(x->transfers, s->id, dcp_virtual_placement(x->world),
                          now_ms);
        tell_changes(x);
    }
}

static void
wake(void *user, int64_t now_ms)
{
    struct dcp_sim_executor *x = user;

    if (is_told(x, now_ms) && dcp_ha_next_ms(x->ha) <= now_ms) {
        x->no_memory |= !dcp_ha_advance(x->ha, now_ms, NULL);
        hear(x, now_ms);
    }
    if (dcp_transfers_next_ms(x->transfers) <= now_ms) {
        dcp_transfers_pass(x->transfers, dcp_virtual_placement(x->world),
                           now_ms);
    }
    tell_changes(x);
}

static enum dcp_fate
fate_of(void *user, const struct dcp_step *s)
{
    struct dcp_sim_executor *x = user;
    struct dcp_executor *world = dcp_virtual_executor(x->world);
    int64_t now_ms = world->ops->now_ms(world);
    bool fails = x->no_memory || dcp_transfers_given_up(x->transfers, s->id);

    if (is_told(x, now_ms) && x->begun[s->id] && !x->why[s->id] &&
        !tell(x, s, now_ms, fails ? DCP_ACTION_FAILED : DCP_ACTION_DONE,
              NULL)) {
        return DCP_FATE_FAILS;
    }
    return fails || (x->ha && x->why[s->id]) ? DCP_FATE_FAILS : DCP_FATE_DONE;
}

static const char *
why(void *user, const struct dcp_step *s)
{
    const struct dcp_sim_executor *x = user;

    return x->no_memory ? "no memory for a simulated migration"
           : x->ha && x->why[s->id]
               ? dcp_step_loss_text(x->why[s->id])
               : "memory changes faster than it can be sent: given up";
}

struct dcp_sim_executor *
dcp_sim_executor_create(const struct dcp_inventory *inv,
                        const struct dcp_plan *plan, uint32_t leg,
                        const struct dcp_placement *start, int64_t start_ms,
                        const struct dcp_samples *net, struct dcp_error *err)
{
    DCP_AUTO(dcp_sim_executor)
    struct dcp_sim_executor *x = calloc(1, sizeof *x);

    if (!x) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a simulated world");
        return NULL;
    }
    x->inventory = inv;
    x->plan = plan;
    x->transfers = dcp_transfers_create(inv, net, plan->n_steps + 1, err);
    if (!x->transfers) {
        return NULL;
    }
    struct dcp_virtual_options options = {
        .inventory = inv,
        .plan = plan,
        .leg = leg,
        .start = start,
        .start_ms = start_ms,
        .begin = begin_step,
        .end = end_step,
        .fate = fate_of,
        .why = why,
        .may_start = may_start,
        .seen = seen,
        .wake = wake,
        .user = x,
    };

    x->starts =
        dcp_starts_create(inv->n_hosts, inv->policy.warmup.at_once, err);
    x->world =
        x->starts ? dcp_virtual_create(&options, &dcp_virtual_ops, err) : NULL;
    return x->world ? DCP_STEAL(x) : NULL;
}

void
dcp_sim_executor_destroy(struct dcp_sim_executor *x)
{
    if (x) {
        dcp_starts_destroy(x->starts);
        dcp_virtual_destroy(x->world);
        dcp_transfers_destroy(x->transfers);
        free(x->why);
        free(x->begun);
        free(x);
    }
}

bool
dcp_sim_executor_meet(struct dcp_sim_executor *x, struct dcp_ha *ha,
                      uint32_t n_events, int64_t until_ms,
                      struct dcp_error *err)
{
    struct dcp_executor *world = dcp_virtual_executor(x->world);
    int64_t now_ms = world->ops->now_ms(world);

    x->why = calloc(x->plan->n_steps + 1, sizeof *x->why);
    x->begun = calloc(x->plan->n_steps + 1, sizeof *x->begun);
    if (!x->why || !x->begun) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a simulated world");
    }
    x->ha = ha;
    x->ha_until_ms = until_ms;
    x->n_events = n_events;
    (void)dcp_ha_losses(ha, &x->n_losses);
    if (!dcp_ha_advance(ha, now_ms < until_ms ? now_ms : until_ms, err)) {
        return false;
    }
    hear(x, now_ms);
    tell_changes(x);
    return true;
}

/* Lost before the time until which anything is told; steps wait for lower ids
 * only, so what they wait for is known. */
static bool
is_lost(const struct dcp_sim_executor *x, const struct dcp_run_report *r,
        uint32_t i, const uint8_t lost[])
{
    const struct dcp_step *s = &x->plan->steps[i];
    bool waits = false;

    switch (r->steps[i].outcome) {
    case DCP_OUTCOME_FAILED:
    case DCP_OUTCOME_UNKNOWN:
        return r->steps[i].ended_ms <= x->ha_until_ms;
    case DCP_OUTCOME_PENDING:
        return r->started_ms <= x->ha_until_ms;
    case DCP_OUTCOME_SKIPPED:
        for (uint32_t a = 0; a < s->n_after && !waits; a++) {
            waits = lost[s->after[a] - 1];
        }
        return waits;
    default:
        return false;
    }
}

bool
dcp_sim_executor_lost(const struct dcp_sim_executor *x,
                      const struct dcp_run_report *r,
                      struct dcp_lost_steps *sum, struct dcp_error *err)
{
    DCP_FREE uint8_t *lost = calloc(x->plan->n_steps + 1u, 1);

    if (!lost) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a simulated world");
    }
    for (uint32_t i = 0; x->ha && i < x->plan->n_steps; i++) {
        uint8_t why = x->why[i + 1] ? x->why[i + 1] : DCP_STEP_LOSS_OTHER;

        lost[i] = is_lost(x, r, i, lost);
        if (lost[i] && r->steps[i].outcome == DCP_OUTCOME_SKIPPED) {
            why = DCP_STEP_LOSS_SKIPPED;
        }
        sum->n[why] += lost[i];
    }
    return !x->ha || !x->no_memory ||
           dcp_fail(err, DCP_E_NOMEM, "no memory for a simulated world");
}

struct dcp_virtual *
dcp_sim_executor_world(struct dcp_sim_executor *x)
{
    return x->world;
}

struct dcp_transfer_totals
dcp_sim_executor_transfers(const struct dcp_sim_executor *x)
{
    return dcp_transfers_totals(x->transfers);
}

bool
dcp_sim_executor_slowdowns(struct dcp_sim_executor *x,
                           struct dcp_slowdown **list, uint32_t *n,
                           struct dcp_error *err)
{
    struct dcp_executor *world = dcp_virtual_executor(x->world);

    return dcp_transfers_add_slowdowns(x->transfers, world->ops->now_ms(world),
                                       list, n, err);
}
