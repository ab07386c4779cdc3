/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/executor.h"

#include "sim/host/starts.h"

#include "model/migration.h"

#include <stdlib.h>

struct dcp_sim_executor {
    struct dcp_starts *starts;
    struct dcp_virtual *world;
    const struct dcp_inventory *inventory;
    struct dcp_transfers *transfers; /* By step id. */
    bool no_memory;
};

/* Moves the ends of migrations whose rate is another, and asks to be woken when
 * the next sample of production begins. */
static void
tell_changes(struct dcp_sim_executor *x)
{
    uint32_t n;
    const uint32_t *steps = dcp_transfers_changed(x->transfers, &n);

    for (uint32_t i = 0; i < n; i++) {
        dcp_virtual_end_at(x->world, steps[i],
                           dcp_transfers_end_ms(x->transfers, steps[i]));
    }
    dcp_virtual_wake_at(x->world, dcp_transfers_next_ms(x->transfers));
}

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

    dcp_transfers_pass(x->transfers, dcp_virtual_placement(x->world), now_ms);
    tell_changes(x);
}

static enum dcp_fate
fate_of(void *user, const struct dcp_step *s)
{
    const struct dcp_sim_executor *x = user;

    return x->no_memory || dcp_transfers_given_up(x->transfers, s->id)
               ? DCP_FATE_FAILS
               : DCP_FATE_DONE;
}

static const char *
why(void *user, const struct dcp_step *s)
{
    const struct dcp_sim_executor *x = user;

    (void)s;
    return x->no_memory ? "no memory for a simulated migration"
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
        free(x);
    }
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
