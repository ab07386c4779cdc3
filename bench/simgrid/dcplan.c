/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The scene by dcplan: migrations over the shared network, then the replay of
 * all samples with what happened. */

#include "bench/replay/fleet.h"
#include "bench/simgrid/scene.h"
#include "model/base/agenda.h"
#include "model/transfers.h"
#include "sim/sim.h"

#include <stdlib.h>

#define CORE_MHZ 1000
#define TICK_MS  (DCP_SCENE_TICK_S * INT64_C(1000))

struct play {
    struct dcp_scene *scene;
    struct dcp_fleet fleet;
    struct dcp_hardware hardware[2]; /* Both kinds of the fleet's. */
    uint64_t nic_kib_s;
    struct dcp_step *steps; /* By move. Owned, as are events. */
    struct dcp_sim_event *events;
    uint32_t n_events;
    struct dcp_agenda agenda; /* Ends, by move. */
};

static bool
build(struct play *p, struct dcp_error *err)
{
    const struct dcp_scene *s = p->scene;
    struct dcp_fleet_options o = { .n_vms = s->n_vms, .n_hosts = s->n_hosts };

    if (!dcp_fleet_create(&o, &p->fleet, err)) {
        return false;
    }
    struct dcp_inventory *inv = p->fleet.inventory;

    p->nic_kib_s = (uint64_t)(s->nic_bytes_s * s->usable_frac / 1024 + 0.5);
    for (int k = 0; k < 2; k++) {
        p->hardware[k] = inv->hardware[k];
        p->hardware[k].cores_per_socket = 1;
        p->hardware[k].clock_mhz = CORE_MHZ;
        p->hardware[k].n_nics = 1;
        p->hardware[k].nic_kib_s = &p->nic_kib_s;
    }
    inv->hardware = p->hardware;
    inv->policy.migration_kib_s = 0;
    for (uint32_t v = 0; v < s->n_vms; v++) {
        p->fleet.placement->host[v].ix = s->host[v];
    }
    p->steps = calloc((size_t)s->n_moves + 1, sizeof *p->steps);
    p->events = calloc(2 * (size_t)s->n_moves + 1, sizeof *p->events);
    return (p->steps && p->events && dcp_agenda_init(&p->agenda, s->n_moves)) ||
           dcp_fail(err, DCP_E_NOMEM, "no memory for %u moves", s->n_moves);
}

static void
note(struct play *p, uint32_t move, int64_t at_ms, enum dcp_action_phase phase)
{
    p->events[p->n_events++] =
        (struct dcp_sim_event){ at_ms, &p->steps[move], phase };
}

static void
move_ends(struct play *p, const struct dcp_transfers *t)
{
    uint32_t n;
    const uint32_t *keys = dcp_transfers_changed(t, &n);

    for (uint32_t i = 0; i < n; i++) {
        if (dcp_transfers_under_way(t, keys[i])) {
            dcp_agenda_set(&p->agenda, keys[i],
                           dcp_transfers_end_ms(t, keys[i]));
        }
    }
}

static bool
begin(struct play *p, struct dcp_transfers *t, uint32_t move,
      struct dcp_error *err)
{
    const struct dcp_scene *s = p->scene;
    const struct dcp_scene_move *m = &s->moves[move];
    double load = (double)s->load[(size_t)m->tick * s->n_vms + m->vm];
    struct dcp_transfer transfer = {
        .vm = m->vm,
        .from = m->from,
        .to = m->to,
        .precopy = { .mem_mib = s->mem_mib,
                     .dirty_mib_s = load * s->write_mib_s,
                     .working_set_mib = 0.9 * s->mem_mib, /* As there. */
                     .rules = { .downtime_ms = s->downtime_ms } },
    };

    p->steps[move] = (struct dcp_step){
        .id = move + 1,
        .kind = DCP_STEP_MIGRATE,
        .object = { DCP_OBJECT_VM, m->vm },
        .from = { DCP_OBJECT_HOST, m->from },
        .to = { DCP_OBJECT_HOST, m->to },
        .reason_text = "",
    };
    note(p, move, m->tick * TICK_MS, DCP_ACTION_STARTED);
    return dcp_transfers_begin(t, move, &transfer, p->fleet.placement,
                               m->tick * TICK_MS, err);
}

static bool
migrate_all(struct play *p, struct dcp_error *err)
{
    const struct dcp_scene *s = p->scene;
    DCP_AUTO(dcp_transfers)
    struct dcp_transfers *t =
        dcp_transfers_create(p->fleet.inventory, NULL, s->n_moves, err);
    uint32_t next = 0, move;
    int64_t at_ms;

    while (t && (next < s->n_moves || p->agenda.n)) {
        int64_t begins_ms =
            next < s->n_moves ? s->moves[next].tick * TICK_MS : INT64_MAX;

        if (dcp_agenda_first(&p->agenda, &move, &at_ms) && at_ms <= begins_ms) {
            struct dcp_scene_move *m = &s->moves[move];

            dcp_agenda_drop(&p->agenda, move);
            m->seconds = (double)(at_ms - m->tick * TICK_MS) / 1000;
            note(p, move, at_ms, DCP_ACTION_DONE);
            dcp_transfers_end(t, move, p->fleet.placement, at_ms);
        } else if (!begin(p, t, next++, err)) {
            return false;
        }
        move_ends(p, t);
    }
    return t != NULL;
}

static bool
replay(struct play *p, struct dcp_error *err)
{
    const struct dcp_scene *s = p->scene;
    size_t n = (size_t)s->n_ticks * s->n_vms;
    struct dcp_samples cpu = { 0, TICK_MS, s->n_ticks, s->n_vms,
                               malloc((n + 1) * sizeof *cpu.value) };
    struct dcp_sim_input in = {
        .inventory = p->fleet.inventory,
        .cpu = &cpu,
        .start = p->fleet.placement,
        .to_ms = s->n_ticks * TICK_MS,
        .events = p->events,
        .n_events = p->n_events,
    };
    struct dcp_sim_result result = { 0 };
    bool ok = cpu.value != NULL;

    for (size_t i = 0; ok && i < n; i++) {
        cpu.value[i] = s->load[i] * CORE_MHZ;
    }
    ok = ok ? dcp_simulate(&in, &result, err)
            : dcp_fail(err, DCP_E_NOMEM, "no memory for %zu samples", n);
    if (ok && result.migrations != s->n_moves) {
        ok = dcp_fail(err, DCP_E_ARGUMENT, "%u of %u migrations were replayed",
                      result.migrations, s->n_moves);
    }
    dcp_sim_result_finish(&result);
    free(cpu.value);
    return ok;
}

bool
dcp_scene_by_dcplan(struct dcp_scene *s, double *out_cpu_s,
                    struct dcp_error *err)
{
    struct play p = { .scene = s };
    double from_s = dcp_scene_cpu_s();
    bool ok = build(&p, err) && migrate_all(&p, err) && replay(&p, err);

    *out_cpu_s = dcp_scene_cpu_s() - from_s;
    dcp_agenda_finish(&p.agenda);
    free(p.steps);
    free(p.events);
    dcp_fleet_finish(&p.fleet);
    return ok;
}
