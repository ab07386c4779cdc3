/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Timers in a heap; those of one instant are all heard before VMs that wait are
 * tried, so that the answer does not depend on their order.  A VM without a
 * home is tried again on hosts that changed only; one that waits for its turn
 * on a busy host, on all. */

#include "sim/failure/restart.h"

#include "model/base/sort.h"
#include "sim/failure/world.h"

#include <stdlib.h>

/* Room for one more; the new array, or NULL. */
static void *
grown(void *array, uint32_t n, uint32_t *capacity, size_t size,
      struct dcp_error *err)
{
    if (n < *capacity) {
        return array;
    }
    uint32_t more = *capacity ? 2 * *capacity : 64;
    void *moved = more > n ? realloc(array, more * size) : NULL;

    if (!moved) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for failures");
        return NULL;
    }
    *capacity = more;
    return moved;
}

/* --- Telling what happened ---------------------------------------------- */

bool
dcp_ha_emit(struct dcp_ha *ha, const struct dcp_step *step,
            enum dcp_action_phase phase, struct dcp_error *err)
{
    struct dcp_sim_event *events = grown(
        ha->events, ha->n_events, &ha->events_capacity, sizeof *events, err);

    if (!events) {
        return false;
    }
    ha->events = events;
    events[ha->n_events++] = (struct dcp_sim_event){ ha->now_ms, step, phase };
    return true;
}

struct dcp_step *
dcp_ha_own_step(struct dcp_ha *ha, enum dcp_step_kind kind, uint32_t vm,
                uint32_t from, uint32_t to, struct dcp_error *err)
{
    struct dcp_step *step = dcp_arena_new(ha->arena, struct dcp_step);

    if (!step) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for failures");
        return NULL;
    }
    step->kind = kind;
    step->reason_text = "an outage";
    step->object = vm == UINT32_MAX
                       ? (struct dcp_object){ DCP_OBJECT_HOST, from }
                       : (struct dcp_object){ DCP_OBJECT_VM, vm };
    if (vm != UINT32_MAX && from != UINT32_MAX) {
        step->from = (struct dcp_object){ DCP_OBJECT_HOST, from };
    }
    if (vm != UINT32_MAX && to != UINT32_MAX) {
        step->to = (struct dcp_object){ DCP_OBJECT_HOST, to };
    }
    return step;
}

bool
dcp_ha_emit_own(struct dcp_ha *ha, enum dcp_step_kind kind, uint32_t vm,
                uint32_t host, enum dcp_action_phase phase,
                struct dcp_error *err)
{
    bool starts = kind == DCP_STEP_VM_START;
    const struct dcp_step *step =
        dcp_ha_own_step(ha, kind, vm, starts ? UINT32_MAX : host,
                        starts ? host : UINT32_MAX, err);

    return step && dcp_ha_emit(ha, step, phase, err);
}

bool
dcp_ha_set_timer(struct dcp_ha *ha, int64_t at_ms, struct ha_timer timer,
                 struct dcp_error *err)
{
    struct ha_timer *timers = grown(ha->timers, ha->n_timers,
                                    &ha->timers_capacity, sizeof *timers, err);

    if (!timers) {
        return false;
    }
    ha->timers = timers;
    timers[ha->n_timers] = timer;
    return dcp_heap_push(&ha->queue, at_ms, ha->n_timers++) ||
           dcp_fail(err, DCP_E_NOMEM, "no memory for failures");
}

bool
dcp_ha_set_timer_of(struct dcp_ha *ha, int64_t at_ms, enum ha_timer_kind kind,
                    uint32_t ix, uint32_t generation, struct dcp_error *err)
{
    return dcp_ha_set_timer(
        ha, at_ms, (struct ha_timer){ kind, ix, generation, NULL }, err);
}

/* --- VMs ---------------------------------------------------------------- */

static bool
open_outage(struct dcp_ha *ha, uint32_t vm, uint32_t host, uint32_t outage,
            struct dcp_error *err)
{
    struct dcp_vm_outage *list =
        grown(ha->vm_outages, ha->n_vm_outages, &ha->vm_outages_capacity,
              sizeof *list, err);

    if (!list) {
        return false;
    }
    ha->vm_outages = list;
    list[ha->n_vm_outages++] = (struct dcp_vm_outage){
        .from_ms = ha->now_ms,
        .until_ms = INT64_MAX,
        .vm = vm,
        .host = host,
        .outage = outage,
    };
    ha->vms[vm].outage = ha->n_vm_outages;
    ha->counts.vms_down++;
    if (ha->counts.vms_down > ha->counts.vms_down_max) {
        ha->counts.vms_down_max = ha->counts.vms_down;
    }
    return true;
}

static void
set_homeless(struct dcp_ha *ha, uint32_t vm, bool homeless)
{
    struct ha_vm *v = &ha->vms[vm];

    if (homeless == v->homeless) {
        return;
    }
    v->homeless = homeless;
    if (homeless) {
        v->homeless_since_ms = ha->now_ms;
        ha->vm_outages[v->outage - 1].why = dcp_ha_why(ha, vm);
        ha->counts.vms_homeless++;
    } else {
        ha->vm_outages[v->outage - 1].homeless_ms +=
            ha->now_ms - v->homeless_since_ms;
        ha->counts.vms_homeless--;
    }
    if (ha->counts.vms_homeless > ha->counts.vms_homeless_max) {
        ha->counts.vms_homeless_max = ha->counts.vms_homeless;
    }
}

/* It ran or started on 'host', which is down now. */
static bool
lose_vm(struct dcp_ha *ha, uint32_t vm, uint32_t host, uint32_t outage,
        struct dcp_error *err)
{
    struct ha_vm *v = &ha->vms[vm];
    bool ran = v->state == HA_RUNNING;

    dcp_ha_load(ha, vm, host, false);
    ha->hosts[host].starting -= !ran;
    ha->now->host[vm] = dcp_host_none();
    dcp_ha_mark_left(ha, vm);
    v->state = HA_LOST;
    v->lost_with = host;
    v->generation++;
    if (!v->outage && !open_outage(ha, vm, host, outage, err)) {
        return false;
    }
    return !ran || dcp_ha_emit_own(ha, DCP_STEP_VM_STOP, vm, host,
                                   DCP_ACTION_DONE, err);
}

static bool
start_vm(struct dcp_ha *ha, uint32_t vm, uint32_t host, struct dcp_error *err)
{
    struct ha_vm *v = &ha->vms[vm];

    set_homeless(ha, vm, false);
    v->state = HA_STARTING;
    ha->now->host[vm].ix = host;
    dcp_ha_load(ha, vm, host, true);
    ha->hosts[host].starting++;
    return dcp_ha_set_timer_of(ha, dcp_ha_later(ha->now_ms, ha->o.start_ms),
                               HA_VM_STARTED, vm, v->generation, err);
}

static bool
vm_started(struct dcp_ha *ha, uint32_t vm, struct dcp_error *err)
{
    struct ha_vm *v = &ha->vms[vm];
    uint32_t host = ha->now->host[vm].ix;

    v->state = HA_RUNNING;
    ha->hosts[host].starting--;
    dcp_ha_mark(ha, host);
    ha->vm_outages[v->outage - 1].until_ms = ha->now_ms;
    v->outage = 0;
    ha->counts.vms_down--;
    ha->counts.restarts++;
    return dcp_ha_emit_own(ha, DCP_STEP_VM_START, vm, host, DCP_ACTION_DONE,
                           err);
}

/* --- Finding homes ------------------------------------------------------ */

uint32_t
dcp_ha_best_host(const struct dcp_ha *ha, uint32_t vm, enum ha_search search,
                 bool *out_homeless)
{
    bool changed = search == HA_FOR_START_AGAIN;
    uint32_t n = changed ? ha->n_dirty : ha->inv->n_hosts;
    uint32_t best = UINT32_MAX;
    double best_free = -1;

    *out_homeless = true;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t h = changed ? ha->dirty[i] : i;
        const struct ha_host *host = &ha->hosts[h];
        double all = host->capacity[DCP_SCALAR_MEM];
        double left =
            all > 0 ? 1 - (double)host->load[DCP_SCALAR_MEM] / all : 0;
        bool busy = search == HA_FOR_MOVE ? !dcp_ha_may_come(ha, h)
                                          : host->starting >= ha->o.at_once;
        bool better = left > best_free || (left >= best_free && h < best);

        if (host->state != HA_ON || host->draining ||
            (busy ? !*out_homeless : !better) || !dcp_ha_allowed(ha, vm, h)) {
            continue;
        }
        *out_homeless = false;
        if (!busy) {
            best = h;
            best_free = left;
        }
    }
    return best;
}

/* All VMs that wait, in their order. */
static bool
place_waiting(struct dcp_ha *ha, struct dcp_error *err)
{
    uint32_t kept = 0;
    bool ok = true;

    for (uint32_t i = 0; i < ha->n_waiting; i++) {
        uint32_t vm = ha->of_rank[ha->waiting[i]], host = UINT32_MAX;
        struct ha_vm *v = &ha->vms[vm];
        bool homeless = v->homeless;

        if (ok && (v->fresh || ha->n_dirty)) {
            host = dcp_ha_best_host(
                ha, vm,
                v->homeless && !v->fresh ? HA_FOR_START_AGAIN : HA_FOR_START,
                &homeless);
        }
        v->fresh = false;
        if (host != UINT32_MAX) {
            ok = start_vm(ha, vm, host, err);
            continue;
        }
        ha->waiting[kept++] = ha->waiting[i];
        set_homeless(ha, vm, homeless);
    }
    ha->n_waiting = kept;
    ok = ok && dcp_ha_drain(ha, err);
    while (ha->n_dirty) {
        ha->hosts[ha->dirty[--ha->n_dirty]].dirty = false;
    }
    return ok;
}

/* --- Hosts -------------------------------------------------------------- */

static bool
switch_off(struct dcp_ha *ha, uint32_t host, enum ha_host_state was,
           struct dcp_error *err)
{
    switch (was) {
    case HA_ON:
    case HA_STOPPING:
        return dcp_ha_emit_own(ha, DCP_STEP_HOST_OFF, UINT32_MAX, host,
                               DCP_ACTION_DONE, err);
    case HA_BOOTING:
        return dcp_ha_emit_own(ha, DCP_STEP_HOST_ON, UINT32_MAX, host,
                               DCP_ACTION_FAILED, err);
    case HA_OFF:
    case HA_DOWN:
        break;
    }
    return true;
}

static bool
host_fails(struct dcp_ha *ha, uint32_t outage, struct dcp_error *err)
{
    const struct dcp_outage *o = &ha->hosts_down->list[outage];
    struct ha_host *h = &ha->hosts[o->ix];
    enum ha_host_state was = h->state;

    if (!dcp_ha_cut_steps(ha, o->ix, err)) {
        return false;
    }
    h->state = HA_DOWN;
    h->wanted_on = was == HA_ON || was == HA_BOOTING || h->drained;
    h->generation++;
    ha->counts.host_failures += was != HA_OFF;
    for (uint32_t v = 0; h->n_vms && v < ha->inv->n_vms; v++) {
        if (ha->now->host[v].ix == o->ix &&
            !lose_vm(ha, v, o->ix, outage, err)) {
            return false;
        }
    }
    return switch_off(ha, o->ix, was, err) &&
           dcp_ha_set_timer_of(
               ha,
               dcp_ha_later(ha->now_ms,
                            dcp_ha_later(ha->o.detect_ms, ha->o.fence_ms)),
               HA_DECLARED, outage, h->generation, err);
}

static void
declared(struct dcp_ha *ha, uint32_t outage)
{
    const struct dcp_outage *o = &ha->hosts_down->list[outage];

    for (uint32_t v = 0; v < ha->inv->n_vms; v++) {
        struct ha_vm *vm = &ha->vms[v];

        /* Lost by this outage, or by one of the same host after it. */
        if (vm->state == HA_LOST && vm->lost_with == o->ix) {
            vm->state = HA_WAITING;
            vm->fresh = true;
            ha->waiting[ha->n_waiting++] = ha->rank[v];
        }
    }
    dcp_sort_u32(ha->waiting, ha->n_waiting);
}

bool
dcp_ha_host_boots(struct dcp_ha *ha, uint32_t host, struct dcp_error *err)
{
    struct ha_host *h = &ha->hosts[host];
    const struct dcp_hardware *hw =
        &ha->inv->hardware[ha->inv->hosts[host].hardware.ix];

    h->generation++;
    if (!h->wanted_on) {
        h->state = HA_OFF;
        return true;
    }
    h->state = HA_BOOTING;
    return dcp_ha_emit_own(ha, DCP_STEP_HOST_ON, UINT32_MAX, host,
                           DCP_ACTION_STARTED, err) &&
           dcp_ha_set_timer_of(ha, dcp_ha_later(ha->now_ms, hw->boot_ms),
                               HA_HOST_BOOTED, host, h->generation, err);
}

/* Under maintenance it stays off, as if it had been emptied. */
static bool
host_mended(struct dcp_ha *ha, uint32_t host, struct dcp_error *err)
{
    struct ha_host *h = &ha->hosts[host];

    if (!h->draining) {
        return dcp_ha_host_boots(ha, host, err);
    }
    h->generation++;
    h->state = HA_OFF;
    h->drained = h->wanted_on;
    return true;
}

static bool
host_booted(struct dcp_ha *ha, uint32_t host, struct dcp_error *err)
{
    ha->hosts[host].state = HA_ON;
    dcp_ha_mark(ha, host);
    return dcp_ha_emit_own(ha, DCP_STEP_HOST_ON, UINT32_MAX, host,
                           DCP_ACTION_DONE, err);
}

/* --- Time --------------------------------------------------------------- */

static bool
hear(struct dcp_ha *ha, const struct ha_timer *t, struct dcp_error *err)
{
    switch (t->kind) {
    case HA_HOST_FAILS:
        return host_fails(ha, t->ix, err);
    case HA_HOST_MENDED:
        return host_mended(ha, ha->hosts_down->list[t->ix].ix, err);
    case HA_DECLARED:
        declared(ha, t->ix);
        return true;
    case HA_HOST_BOOTED:
        return t->generation != ha->hosts[t->ix].generation ||
               host_booted(ha, t->ix, err);
    case HA_VM_STARTED:
        return t->generation != ha->vms[t->ix].generation ||
               vm_started(ha, t->ix, err);
    case HA_DRAIN:
        dcp_ha_drain_begins(ha, ha->maintenance->list[t->ix].ix);
        return true;
    case HA_DRAIN_ENDS:
        return dcp_ha_drain_ends(ha, t->ix, err);
    case HA_STEP_ENDS:
        return dcp_ha_step(ha, t->step, DCP_ACTION_DONE, err);
    case HA_NETWORK:
        return dcp_ha_network(ha, err);
    }
    return true;
}

static void
count_homeless(struct dcp_ha *ha)
{
    for (uint32_t i = 0; i < ha->n_waiting; i++) {
        struct ha_vm *v = &ha->vms[ha->of_rank[ha->waiting[i]]];

        if (v->homeless) {
            ha->vm_outages[v->outage - 1].homeless_ms +=
                ha->now_ms - v->homeless_since_ms;
            v->homeless_since_ms = ha->now_ms;
        }
    }
}

/* Timers, and ends of our own migrations, of which the times move. */
int64_t
dcp_ha_next_ms(const struct dcp_ha *ha)
{
    int64_t at_ms = ha->queue.n ? ha->queue.items[0].key : INT64_MAX, end_ms;
    uint32_t vm;

    return dcp_agenda_first(&ha->move_ends, &vm, &end_ms) && end_ms < at_ms
               ? end_ms
               : at_ms;
}

/* The next of what happens at 'at_ms'. */
static bool
hear_one(struct dcp_ha *ha, int64_t at_ms, struct dcp_error *err)
{
    uint32_t vm;

    if (ha->queue.n && ha->queue.items[0].key == at_ms) {
        struct ha_timer t = ha->timers[dcp_heap_pop(&ha->queue).step];

        return hear(ha, &t, err);
    }
    (void)dcp_agenda_first(&ha->move_ends, &vm, &at_ms);
    dcp_agenda_drop(&ha->move_ends, vm);
    return dcp_ha_own_move_ends(ha, vm, err);
}

bool
dcp_ha_advance(struct dcp_ha *ha, int64_t until_ms, struct dcp_error *err)
{
    for (int64_t at_ms = dcp_ha_next_ms(ha);
         at_ms <= until_ms && at_ms < INT64_MAX; at_ms = dcp_ha_next_ms(ha)) {
        ha->now_ms = at_ms > ha->now_ms ? at_ms : ha->now_ms;
        while (dcp_ha_next_ms(ha) == at_ms) {
            if (!hear_one(ha, at_ms, err)) {
                return false;
            }
        }
        if (!place_waiting(ha, err)) {
            return false;
        }
    }
    ha->now_ms = until_ms > ha->now_ms ? until_ms : ha->now_ms;
    count_homeless(ha);
    return true;
}

bool
dcp_ha_take(struct dcp_ha *ha, const struct dcp_sim_event *e,
            struct dcp_error *err)
{
    return dcp_ha_advance(ha, e->at_ms, err) &&
           dcp_ha_step(ha, e->step, e->phase, err) && place_waiting(ha, err);
}

bool
dcp_ha_run(struct dcp_ha *ha, const struct dcp_sim_event events[],
           uint32_t n_events, int64_t to_ms, struct dcp_error *err)
{
    for (uint32_t i = 0; i < n_events && events[i].at_ms <= to_ms; i++) {
        if (!dcp_ha_take(ha, &events[i], err)) {
            return false;
        }
    }
    return dcp_ha_advance(ha, to_ms, err);
}
