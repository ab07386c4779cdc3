/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A plan's steps in a world that may have become another: each is judged when
 * it begins, by where things are then, and what was refused or cut has no end
 * either. */

#include "sim/failure/world.h"

#include <stdlib.h>
#include <string.h>

static bool
goes(const struct dcp_step *s)
{
    return s->from.kind == DCP_OBJECT_HOST &&
           (s->kind == DCP_STEP_VM_STOP || s->kind == DCP_STEP_VM_PARK ||
            s->kind == DCP_STEP_VM_DESTROY);
}

/* Does it need its VM where it is until it ends? */
static bool
holds(const struct dcp_step *s)
{
    return goes(s) || s->kind == DCP_STEP_VM_RESIZE;
}

/* Counts the VM on the host with another size. */
static bool
set_size(struct dcp_ha *ha, uint32_t vm, uint32_t host, struct dcp_vm_size size,
         struct dcp_error *err)
{
    dcp_ha_load(ha, vm, host, false);
    if (!dcp_placement_resize(ha->now, ha->inv, vm, size, err)) {
        return false;
    }
    dcp_ha_load(ha, vm, host, true);
    dcp_ha_mark_left(ha, vm); /* Sums of a rule may have room elsewhere now. */
    return true;
}

static bool
begin(struct dcp_ha *ha, const struct dcp_step *s, struct dcp_vm_size was,
      struct dcp_error *err)
{
    if (ha->n_pending == ha->pending_capacity) {
        uint32_t capacity =
            ha->pending_capacity ? 2 * ha->pending_capacity : 64;
        struct ha_pending *p = realloc(ha->pending, capacity * sizeof *p);

        if (!p) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for steps");
        }
        ha->pending = p;
        ha->pending_capacity = capacity;
    }
    ha->pending[ha->n_pending++] = (struct ha_pending){ s, was };
    if (holds(s)) {
        ha->vms[s->object.ix].held++;
    }
    return (s->kind != DCP_STEP_MIGRATE || dcp_ha_move_begins(ha, s, err)) &&
           dcp_ha_emit(ha, s, DCP_ACTION_STARTED, err);
}

static void
forget(struct dcp_ha *ha, uint32_t i)
{
    if (holds(ha->pending[i].step)) {
        ha->vms[ha->pending[i].step->object.ix].held--;
    }
    memmove(&ha->pending[i], &ha->pending[i + 1],
            (ha->n_pending - i - 1) * sizeof *ha->pending);
    ha->n_pending--;
}

static bool
runs_at(const struct dcp_ha *ha, uint32_t vm, uint32_t host)
{
    return ha->vms[vm].state == HA_RUNNING && ha->now->host[vm].ix == host;
}

/* --- Beginning ---------------------------------------------------------- */

/* While a resize is under way, the larger counts. */
static struct dcp_vm_size
larger(const struct dcp_ha *ha, const struct dcp_step *s)
{
    struct dcp_vm_size size =
        dcp_placement_size(ha->inv, ha->now, s->object.ix);

    size.vcpus = size.vcpus > s->size_to.vcpus ? size.vcpus : s->size_to.vcpus;
    size.mem_mib =
        size.mem_mib > s->size_to.mem_mib ? size.mem_mib : s->size_to.mem_mib;
    return size;
}

bool
dcp_ha_may_begin(const struct dcp_ha *ha, const struct dcp_step *s)
{
    uint32_t ix = s->object.ix;

    if (s->kind == DCP_STEP_HOST_ON) {
        return ha->hosts[ix].state == HA_OFF && !ha->hosts[ix].draining;
    }
    if (s->kind == DCP_STEP_HOST_OFF) {
        return ha->hosts[ix].state == HA_ON && ha->hosts[ix].n_vms == 0;
    }
    if (s->kind == DCP_STEP_MIGRATE) {
        return runs_at(ha, ix, s->from.ix) && !ha->vms[ix].move &&
               ha->hosts[s->to.ix].state == HA_ON &&
               !ha->hosts[s->to.ix].draining && dcp_ha_fits(ha, ix, s->to.ix);
    }
    if (dcp_step_begins_vm(s)) {
        return ha->vms[ix].state == HA_AWAY &&
               ha->hosts[s->to.ix].state == HA_ON &&
               !ha->hosts[s->to.ix].draining && dcp_ha_fits(ha, ix, s->to.ix);
    }
    return runs_at(ha, ix, s->from.ix) && !ha->vms[ix].move &&
           (goes(s) || dcp_ha_fits_size(ha, ix, s->from.ix, larger(ha, s)));
}

void
dcp_ha_remember(struct dcp_ha *ha, const struct dcp_step *s)
{
    bool on = s->kind == DCP_STEP_HOST_ON;

    if (!on && s->kind != DCP_STEP_HOST_OFF) {
        return;
    }
    struct ha_host *h = &ha->hosts[s->object.ix];

    if (h->state == HA_DOWN) {
        h->wanted_on = on;
    } else if (h->draining && h->state != HA_ON) {
        h->drained = on;
    }
}

bool
dcp_ha_undoes(const struct dcp_ha *ha, const struct dcp_step *s)
{
    uint32_t ix = s->object.ix;

    return s->kind == DCP_STEP_HOST_OFF ? ha->hosts[ix].state == HA_BOOTING
           : goes(s)                    ? ha->vms[ix].state != HA_AWAY
                                        : false;
}

static bool
start_step(struct dcp_ha *ha, const struct dcp_step *s, struct dcp_error *err)
{
    uint32_t ix = s->object.ix;
    struct dcp_vm_size was = { 0 };

    if (!dcp_ha_may_begin(ha, s)) {
        dcp_ha_remember(ha, s);
        ha->counts.steps_prevented++;
        return dcp_ha_lose(ha, s, dcp_ha_judge(ha, s), err);
    }
    if (s->kind == DCP_STEP_HOST_ON) {
        ha->hosts[ix].state = HA_BOOTING;
    } else if (s->kind == DCP_STEP_HOST_OFF) {
        ha->hosts[ix].state = HA_STOPPING;
    } else if (s->kind == DCP_STEP_MIGRATE) {
        dcp_ha_load(ha, ix, s->to.ix, true);
    } else if (dcp_step_begins_vm(s)) {
        ha->now->host[ix].ix = s->to.ix;
        ha->vms[ix].state = HA_STARTING;
        ha->hosts[s->to.ix].starting++;
        dcp_ha_load(ha, ix, s->to.ix, true);
    } else if (s->kind == DCP_STEP_VM_RESIZE) {
        was = dcp_placement_size(ha->inv, ha->now, ix);
        if (!set_size(ha, ix, s->from.ix, larger(ha, s), err)) {
            return false;
        }
    }
    return begin(ha, s, was, err);
}

/* --- Ending ------------------------------------------------------------- */

static bool
undo(struct dcp_ha *ha, const struct ha_pending *p, struct dcp_error *err)
{
    const struct dcp_step *s = p->step;
    uint32_t ix = s->object.ix;

    if (s->kind == DCP_STEP_HOST_ON) {
        ha->hosts[ix].state = HA_OFF;
    } else if (s->kind == DCP_STEP_HOST_OFF) {
        ha->hosts[ix].state = HA_ON;
        dcp_ha_mark(ha, ix);
    } else if (s->kind == DCP_STEP_MIGRATE) {
        dcp_ha_load(ha, ix, s->to.ix, false);
        dcp_ha_mark_left(ha, ix);
    } else if (dcp_step_begins_vm(s)) {
        dcp_ha_load(ha, ix, s->to.ix, false);
        dcp_ha_mark_left(ha, ix);
        ha->hosts[s->to.ix].starting--;
        ha->now->host[ix] = dcp_host_none();
        ha->vms[ix].state = HA_AWAY;
    } else if (s->kind == DCP_STEP_VM_RESIZE) {
        return set_size(ha, ix, s->from.ix, p->was, err);
    }
    return true;
}

static bool
done(struct dcp_ha *ha, const struct dcp_step *s, struct dcp_error *err)
{
    uint32_t ix = s->object.ix;

    if (s->kind == DCP_STEP_HOST_ON) {
        ha->hosts[ix].state = HA_ON;
        dcp_ha_mark(ha, ix);
    } else if (s->kind == DCP_STEP_HOST_OFF) {
        ha->hosts[ix].state = HA_OFF;
    } else if (s->kind == DCP_STEP_MIGRATE) {
        dcp_ha_load(ha, ix, s->from.ix, false);
        ha->now->host[ix].ix = s->to.ix;
        dcp_ha_mark_left(ha, ix);
    } else if (dcp_step_begins_vm(s)) {
        ha->hosts[s->to.ix].starting--;
        dcp_ha_mark(ha, s->to.ix);
        ha->vms[ix].state = HA_RUNNING;
    } else if (goes(s)) {
        dcp_ha_load(ha, ix, s->from.ix, false);
        ha->now->host[ix] = dcp_host_none();
        ha->vms[ix].state = HA_AWAY;
        dcp_ha_mark_left(ha, ix);
    } else if (s->kind == DCP_STEP_VM_RESIZE) {
        return set_size(ha, ix, s->from.ix, s->size_to, err);
    }
    return true;
}

/* Chance, by the host's or the VM's own stream: the same draw for the same
 * host's n-th wake, whatever else is planned. */
static bool
fails_by_chance(struct dcp_ha *ha, const struct dcp_step *s)
{
    bool boots = s->kind == DCP_STEP_HOST_ON;
    uint32_t ix = s->object.ix;

    if (!boots && s->kind != DCP_STEP_MIGRATE) {
        return false;
    }
    struct dcp_rng kind =
        dcp_rng_stream(ha->o.seed, boots ? "boot" : "migration", 0);
    struct dcp_rng rng =
        dcp_rng_stream(dcp_rng_u64(&kind),
                       boots ? ha->inv->hosts[ix].name : ha->inv->vms[ix].name,
                       boots ? ha->hosts[ix].n_boots++ : ha->n_moves[ix]++);
    bool fails = dcp_rng_unit(&rng) <
                 (boots ? ha->o.failed_boot_frac : ha->o.failed_migration_frac);

    ha->counts.boots_failed += fails && boots;
    ha->counts.migrations_failed += fails && !boots;
    return fails;
}

static bool
end_step(struct dcp_ha *ha, const struct dcp_step *s,
         enum dcp_action_phase phase, struct dcp_error *err)
{
    uint32_t i = 0;

    while (i < ha->n_pending && ha->pending[i].step != s) {
        i++;
    }
    if (i == ha->n_pending) { /* Prevented, or cut. */
        return true;
    }
    struct ha_pending p = ha->pending[i];

    forget(ha, i);
    if (phase == DCP_ACTION_DONE && fails_by_chance(ha, s)) {
        phase = DCP_ACTION_FAILED;
        if (!dcp_ha_lose(ha, s,
                         s->kind == DCP_STEP_HOST_ON ? DCP_STEP_LOSS_BOOT
                                                     : DCP_STEP_LOSS_MIGRATION,
                         err)) {
            return false;
        }
    }
    if (!(phase == DCP_ACTION_FAILED ? undo(ha, &p, err) : done(ha, s, err))) {
        return false;
    }
    return (s->kind != DCP_STEP_MIGRATE || dcp_ha_move_ends(ha, s, err)) &&
           dcp_ha_emit(ha, s, phase, err);
}

/* --- Both --------------------------------------------------------------- */

bool
dcp_ha_is_elsewhere(const struct dcp_step *s)
{
    return s->kind != DCP_STEP_MIGRATE && s->kind != DCP_STEP_HOST_ON &&
           s->kind != DCP_STEP_HOST_OFF && s->kind != DCP_STEP_VM_RESIZE &&
           !dcp_step_begins_vm(s) && !goes(s);
}

static bool
move_volume(struct dcp_ha *ha, const struct dcp_step *s, struct dcp_error *err)
{
    if (s->to.kind != DCP_OBJECT_POOL) {
        return true;
    }
    if (!dcp_placement_own_pools(ha->now, ha->inv, err)) {
        return false;
    }
    ha->now->pool[s->object.ix].ix = s->to.ix;
    for (uint32_t h = 0; h < ha->inv->n_hosts; h++) {
        dcp_ha_mark(ha, h); /* Its VM may be within reach of any now. */
    }
    return true;
}

bool
dcp_ha_step(struct dcp_ha *ha, const struct dcp_step *s,
            enum dcp_action_phase phase, struct dcp_error *err)
{
    if (dcp_ha_is_elsewhere(s)) {
        return (s->kind != DCP_STEP_VOLUME_MOVE || phase != DCP_ACTION_DONE ||
                move_volume(ha, s, err)) &&
               dcp_ha_emit(ha, s, phase, err);
    }
    return phase == DCP_ACTION_STARTED ? start_step(ha, s, err)
                                       : end_step(ha, s, phase, err);
}

bool
dcp_ha_cut_steps(struct dcp_ha *ha, uint32_t host, struct dcp_error *err)
{
    for (uint32_t i = 0; i < ha->n_pending;) {
        struct ha_pending p = ha->pending[i];
        const struct dcp_step *s = p.step;
        bool here =
            s->kind == DCP_STEP_MIGRATE || dcp_step_begins_vm(s) || goes(s) ||
                    s->kind == DCP_STEP_VM_RESIZE
                ? (s->from.kind == DCP_OBJECT_HOST && s->from.ix == host) ||
                      (s->to.kind == DCP_OBJECT_HOST && s->to.ix == host)
                : s->object.ix == host;

        if (!here) {
            i++;
            continue;
        }
        forget(ha, i);
        if (!dcp_ha_lose(ha, s, DCP_STEP_LOSS_CUT, err) ||
            (s->kind == DCP_STEP_VM_RESIZE && !undo(ha, &p, err))) {
            return false;
        }
        if (s->kind == DCP_STEP_MIGRATE) { /* The VM is still at its source. */
            ha->counts.migrations_cut++;
            if (!undo(ha, &p, err) || !dcp_ha_move_ends(ha, s, err) ||
                !dcp_ha_emit(ha, s, DCP_ACTION_FAILED, err)) {
                return false;
            }
        }
        ha->counts.steps_prevented += !dcp_ha_is_own(s);
    }
    return true;
}
