/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The world is two columns (a placement) and a bit per host and VLAN.  It
 * changes in one place, take_effect(), at the time at which a step ends. */

#include "executors/virtual.h"

#include "model/base/agenda.h"
#include "executors/heap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IDLE, RUNNING, LOST };

struct dcp_virtual {
    struct dcp_executor base;
    const struct dcp_inventory *inventory;
    const struct dcp_plan *plan;
    struct dcp_virtual_options options;
    int64_t now_ms;
    struct dcp_placement *placement;
    uint32_t *n_vms;   /* By host. */
    uint8_t *trunked;  /* Bit host * n_vlans + vlan. */
    uint8_t *activity; /* By step id - 1: IDLE, RUNNING or LOST. */
    struct dcp_agenda agenda; /* Ends, by step id; item 0: wake(). */
    struct dcp_action_record *log;
    uint32_t n_log, log_capacity;
};

/* --- The world ---------------------------------------------------------- */

static bool
get_trunk(const struct dcp_virtual *w, uint32_t host, uint32_t vlan)
{
    size_t bit = (size_t)host * w->inventory->n_vlans + vlan;

    return w->trunked[bit / 8] >> bit % 8 & 1;
}

static void
set_trunk(struct dcp_virtual *w, uint32_t host, uint32_t vlan, bool on)
{
    size_t bit = (size_t)host * w->inventory->n_vlans + vlan;
    uint8_t mask = (uint8_t)(1u << bit % 8);

    w->trunked[bit / 8] = (uint8_t)(on ? w->trunked[bit / 8] | mask
                                       : w->trunked[bit / 8] & ~mask);
}

static void
move_vm(struct dcp_virtual *w, uint32_t vm, dcp_host_id to)
{
    dcp_host_id from = w->placement->host[vm];

    if (!dcp_host_is_none(from)) {
        w->n_vms[from.ix]--;
    }
    if (!dcp_host_is_none(to)) {
        w->n_vms[to.ix]++;
    }
    w->placement->host[vm] = to;
}

static void
take_effect(struct dcp_virtual *w, const struct dcp_step *s)
{
    switch (s->kind) {
    case DCP_STEP_MIGRATE:
    case DCP_STEP_VM_CREATE:
    case DCP_STEP_VM_START:
    case DCP_STEP_VM_RESTORE:
        move_vm(w, s->object.ix, (dcp_host_id){ s->to.ix });
        break;
    case DCP_STEP_VM_STOP:
    case DCP_STEP_VM_PARK:
    case DCP_STEP_VM_DESTROY:
        move_vm(w, s->object.ix, dcp_host_none());
        break;
    case DCP_STEP_HOST_ON:
    case DCP_STEP_HOST_OFF:
        w->placement->on[s->object.ix] = s->kind == DCP_STEP_HOST_ON;
        break;
    case DCP_STEP_VOLUME_MOVE:
        w->placement->pool[s->object.ix] = (dcp_pool_id){ s->to.ix };
        break;
    case DCP_STEP_VLAN_TRUNK:
    case DCP_STEP_VLAN_UNTRUNK:
        set_trunk(w, s->object.ix, s->to.ix, s->kind == DCP_STEP_VLAN_TRUNK);
        break;
    case DCP_STEP_VM_RESIZE: /* The array is there: virtual_create(). */
        w->placement->size[s->object.ix] = s->size_to;
        break;
    case DCP_STEP_VOLUME_CREATE:
    case DCP_STEP_VOLUME_GROW:
    case DCP_STEP_VOLUME_DELETE:
    case DCP_STEP_IP_ALLOCATE:
    case DCP_STEP_IP_RELEASE:
    case DCP_STEP_SYNC:
        break;
    }
}

static const char *
host_name(const struct dcp_virtual *w, dcp_host_id host)
{
    return dcp_host_is_none(host) ? "no host"
                                  : w->inventory->hosts[host.ix].name;
}

/* A VM is to come from 'from' (none: from nowhere) to 'to' (none: nowhere). */
static enum dcp_effect
see_vm(const struct dcp_virtual *w, const struct dcp_step *s, dcp_host_id from,
       dcp_host_id to, char text[160])
{
    dcp_host_id at = w->placement->host[s->object.ix];

    if (dcp_host_eq(at, to)) {
        return DCP_EFFECT_PRESENT;
    }
    if (!dcp_host_eq(at, from)) {
        (void)snprintf(text, 160, "it is on %.60s, the plan assumed %.60s",
                       host_name(w, at), host_name(w, from));
        return DCP_EFFECT_ELSEWHERE;
    }
    if (!dcp_host_is_none(to) && !w->placement->on[to.ix]) {
        (void)snprintf(text, 160, "target %.60s is off", host_name(w, to));
        return DCP_EFFECT_ELSEWHERE;
    }
    return DCP_EFFECT_ABSENT;
}

static enum dcp_effect
see_size(const struct dcp_virtual *w, const struct dcp_step *s, char text[160])
{
    struct dcp_vm_size now =
        dcp_placement_size(w->inventory, w->placement, s->object.ix);
    dcp_host_id at = w->placement->host[s->object.ix];
    char is[64], assumed[64];

    if (at.ix != s->from.ix) {
        (void)snprintf(text, 160, "it is on %.60s, the plan assumed %.60s",
                       host_name(w, at),
                       host_name(w, (dcp_host_id){ s->from.ix }));
        return DCP_EFFECT_ELSEWHERE;
    }
    if (dcp_vm_size_eq(now, s->size_to)) {
        return DCP_EFFECT_PRESENT;
    }
    if (!dcp_vm_size_eq(now, s->size_from)) {
        (void)snprintf(text, 160, "it has %s, the plan assumed %s",
                       dcp_vm_size_print(now, is, sizeof is),
                       dcp_vm_size_print(s->size_from, assumed, sizeof assumed));
        return DCP_EFFECT_ELSEWHERE;
    }
    return DCP_EFFECT_ABSENT;
}

static enum dcp_effect
see_host_off(const struct dcp_virtual *w, const struct dcp_step *s,
             char text[160])
{
    if (!w->placement->on[s->object.ix]) {
        return DCP_EFFECT_PRESENT;
    }
    if (w->n_vms[s->object.ix]) {
        (void)snprintf(text, 160, "it still holds %u VMs",
                       w->n_vms[s->object.ix]);
        return DCP_EFFECT_ELSEWHERE;
    }
    return DCP_EFFECT_ABSENT;
}

static enum dcp_effect
see_volume(const struct dcp_virtual *w, const struct dcp_step *s,
           char text[160])
{
    dcp_pool_id at = w->placement->pool[s->object.ix];

    if (at.ix == s->to.ix) {
        return DCP_EFFECT_PRESENT;
    }
    if (at.ix != s->from.ix) {
        (void)snprintf(text, 160, "it is in %.60s, the plan assumed %.60s",
                       dcp_pool_is_none(at) ? "no pool"
                                            : w->inventory->pools[at.ix].name,
                       w->inventory->pools[s->from.ix].name);
        return DCP_EFFECT_ELSEWHERE;
    }
    return DCP_EFFECT_ABSENT;
}

static enum dcp_effect
see(const struct dcp_virtual *w, const struct dcp_step *s, char text[160])
{
    dcp_host_id from = { s->from.kind == DCP_OBJECT_HOST ? s->from.ix
                                                         : DCP_IX_NONE };
    dcp_host_id to = { s->to.kind == DCP_OBJECT_HOST ? s->to.ix : DCP_IX_NONE };

    switch (s->kind) {
    case DCP_STEP_MIGRATE:
        return see_vm(w, s, from, to, text);
    case DCP_STEP_VM_CREATE:
    case DCP_STEP_VM_START:
    case DCP_STEP_VM_RESTORE:
        return see_vm(w, s, dcp_host_none(), to, text);
    case DCP_STEP_VM_STOP:
    case DCP_STEP_VM_PARK:
    case DCP_STEP_VM_DESTROY:
        return see_vm(w, s, from, dcp_host_none(), text);
    case DCP_STEP_HOST_ON:
        return w->placement->on[s->object.ix] ? DCP_EFFECT_PRESENT
                                              : DCP_EFFECT_ABSENT;
    case DCP_STEP_HOST_OFF:
        return see_host_off(w, s, text);
    case DCP_STEP_VLAN_TRUNK:
    case DCP_STEP_VLAN_UNTRUNK:
        return get_trunk(w, s->object.ix, s->to.ix) ==
                       (s->kind == DCP_STEP_VLAN_TRUNK)
                   ? DCP_EFFECT_PRESENT
                   : DCP_EFFECT_ABSENT;
    case DCP_STEP_VOLUME_MOVE:
        return see_volume(w, s, text);
    case DCP_STEP_VM_RESIZE:
        return see_size(w, s, text);
    case DCP_STEP_VOLUME_CREATE:
    case DCP_STEP_VOLUME_GROW:
    case DCP_STEP_VOLUME_DELETE:
    case DCP_STEP_IP_ALLOCATE:
    case DCP_STEP_IP_RELEASE:
    case DCP_STEP_SYNC:
        break;
    }
    return DCP_EFFECT_UNKNOWN;
}

/* --- Slots -------------------------------------------------------------- */

static struct dcp_virtual *
of(struct dcp_executor *executor)
{
    return (struct dcp_virtual *)executor;
}

static bool
add_log(struct dcp_virtual *w, int64_t at_ms, uint32_t step,
        enum dcp_action_phase phase, struct dcp_error *err)
{
    if (w->n_log == w->log_capacity) {
        uint32_t capacity = w->log_capacity ? 2 * w->log_capacity : 256;
        struct dcp_action_record *log =
            capacity > w->n_log ? realloc(w->log, capacity * sizeof *log)
                                : NULL;

        if (!log) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for the log");
        }
        w->log = log;
        w->log_capacity = capacity;
    }
    w->log[w->n_log++] = (struct dcp_action_record){ at_ms, step, phase };
    return true;
}

static bool
begin_at(struct dcp_virtual *w, const struct dcp_step *s, int64_t at_ms,
         struct dcp_error *err)
{
    enum dcp_fate fate =
        w->options.fate ? w->options.fate(w->options.user, s) : DCP_FATE_DONE;
    int64_t length_ms = w->options.begin
                            ? w->options.begin(w->options.user, s, at_ms)
                            : s->estimate_ms;

    if (fate == DCP_FATE_LOST) {
        w->activity[s->id - 1] = LOST;
        return add_log(w, at_ms, s->id, DCP_ACTION_STARTED, err);
    }
    w->activity[s->id - 1] = RUNNING;
    dcp_virtual_end_at(w, s->id,
                       length_ms < INT64_MAX - at_ms
                           ? at_ms + (length_ms > 0 ? length_ms : 0)
                           : INT64_MAX);
    return add_log(w, at_ms, s->id, DCP_ACTION_STARTED, err);
}

static bool
virtual_start(struct dcp_executor *executor, const struct dcp_step *s,
              struct dcp_error *err)
{
    struct dcp_virtual *w = of(executor);
    const struct dcp_virtual_options *o = &w->options;

    return (!o->may_start || o->may_start(o->user, s, w->now_ms, err)) &&
           begin_at(w, s, w->now_ms, err);
}

static bool
end_step(struct dcp_virtual *w, const struct dcp_step *s, int64_t at_ms,
         bool ok, struct dcp_error *err)
{
    w->activity[s->id - 1] = IDLE;
    dcp_agenda_drop(&w->agenda, s->id);
    if (ok) {
        take_effect(w, s);
    }
    if (w->options.end) {
        w->options.end(w->options.user, s, at_ms);
    }
    return add_log(w, at_ms, s->id, ok ? DCP_ACTION_DONE : DCP_ACTION_FAILED,
                   err);
}

static bool
virtual_wait(struct dcp_executor *executor, int64_t deadline_ms,
             struct dcp_event *out, bool *out_got, struct dcp_error *err)
{
    struct dcp_virtual *w = of(executor);

    *out_got = false;
    uint32_t item;
    int64_t at_ms;

    while (dcp_agenda_first(&w->agenda, &item, &at_ms) &&
           at_ms <= deadline_ms && at_ms < INT64_MAX) {
        w->now_ms = at_ms > w->now_ms ? at_ms : w->now_ms;
        if (item == 0) {
            dcp_agenda_drop(&w->agenda, 0);
            w->options.wake(w->options.user, w->now_ms);
            continue;
        }
        const struct dcp_step *s = &w->plan->steps[item - 1];
        enum dcp_fate fate = w->options.fate
                                 ? w->options.fate(w->options.user, s)
                                 : DCP_FATE_DONE;

        if (!end_step(w, s, w->now_ms, fate != DCP_FATE_FAILS, err)) {
            return false;
        }
        if (fate != DCP_FATE_SILENT) {
            *out = (struct dcp_event){ .step = s->id,
                                       .ok = fate == DCP_FATE_DONE,
                                       .at_ms = w->now_ms };
            if (!out->ok) {
                (void)snprintf(out->text, sizeof out->text, "%s",
                               w->options.why
                                   ? w->options.why(w->options.user, s)
                                   : "the virtual host refused");
            }
            *out_got = true;
            return true;
        }
    }
    if (deadline_ms != INT64_MAX && deadline_ms > w->now_ms) {
        w->now_ms = deadline_ms;
    }
    return true;
}

static bool
virtual_observe(struct dcp_executor *executor, const struct dcp_step *s,
                struct dcp_observation *out, struct dcp_error *err)
{
    struct dcp_virtual *w = of(executor);

    (void)err;
    *out = (struct dcp_observation){ 0 };
    switch (w->activity[s->id - 1]) {
    case RUNNING:
        out->effect = DCP_EFFECT_RUNNING;
        break;
    case LOST:
        out->effect = DCP_EFFECT_UNKNOWN;
        (void)snprintf(out->text, sizeof out->text, "nothing answers");
        break;
    default:
        out->effect = see(w, s, out->text);
        if (w->options.seen) {
            out->effect =
                w->options.seen(w->options.user, s, out->effect, out->text);
        }
    }
    return true;
}

static int64_t
virtual_now(struct dcp_executor *executor)
{
    return of(executor)->now_ms;
}

static void
virtual_destroy(struct dcp_executor *executor)
{
    dcp_virtual_destroy(of(executor));
}

#define KIND(K) (1u << DCP_STEP_##K)

const struct dcp_executor_ops dcp_virtual_ops = {
    .abi = DCP_EXECUTOR_ABI,
    .name = "virtual",
    .summary = "a world in memory, on virtual time",
    .kinds = KIND(MIGRATE) | KIND(VM_CREATE) | KIND(VM_START) | KIND(VM_STOP) |
             KIND(VM_PARK) | KIND(VM_RESTORE) | KIND(VM_DESTROY) |
             KIND(VM_RESIZE) |
             KIND(HOST_ON) | KIND(HOST_OFF) | KIND(VLAN_TRUNK) |
             KIND(VLAN_UNTRUNK) | KIND(VOLUME_MOVE) | KIND(SYNC),
    .start = virtual_start,
    .wait = virtual_wait,
    .observe = virtual_observe,
    .now_ms = virtual_now,
    .destroy = virtual_destroy,
};

void
dcp_virtual_end_at(struct dcp_virtual *w, uint32_t step, int64_t at_ms)
{
    if (w->activity[step - 1] == RUNNING) {
        dcp_agenda_set(&w->agenda, step, at_ms);
    }
}

void
dcp_virtual_change(struct dcp_virtual *w, const struct dcp_step *s)
{
    take_effect(w, s);
}

void
dcp_virtual_wake_at(struct dcp_virtual *w, int64_t at_ms)
{
    if (at_ms < INT64_MAX && w->options.wake) {
        dcp_agenda_set(&w->agenda, 0, at_ms);
    } else {
        dcp_agenda_drop(&w->agenda, 0);
    }
}

/* --- Life --------------------------------------------------------------- */

static void
trunk_from_inventory(struct dcp_virtual *w)
{
    for (uint32_t h = 0; h < w->inventory->n_hosts; h++) {
        const struct dcp_host *host = &w->inventory->hosts[h];

        for (uint32_t p = 0; p < host->n_ports; p++) {
            for (uint32_t i = 0; i < host->ports[p].vlans.n; i++) {
                set_trunk(w, h, host->ports[p].vlans.ix[i], true);
            }
        }
    }
    for (uint32_t i = 0; i < w->plan->n_steps; i++) {
        const struct dcp_step *s = &w->plan->steps[i];

        if (s->leg < w->options.leg && (s->kind == DCP_STEP_VLAN_TRUNK ||
                                        s->kind == DCP_STEP_VLAN_UNTRUNK)) {
            take_effect(w, s);
        }
    }
}

/* Where the plan resizes, each VM has a size of its own. */
static bool
make_sizes(struct dcp_virtual *w, struct dcp_error *err)
{
    for (uint32_t i = 0; i < w->plan->n_steps; i++) {
        const struct dcp_step *s = &w->plan->steps[i];
        uint32_t vm = s->object.ix;

        if (s->kind == DCP_STEP_VM_RESIZE) {
            return dcp_placement_resize(
                w->placement, w->inventory, vm,
                dcp_placement_size(w->inventory, w->placement, vm), err);
        }
    }
    return true;
}

struct dcp_virtual *
dcp_virtual_create(const struct dcp_virtual_options *options,
                   const struct dcp_executor_ops *ops, struct dcp_error *err)
{
    DCP_AUTO(dcp_virtual) struct dcp_virtual *w = calloc(1, sizeof *w);
    const struct dcp_inventory *inv = options->inventory;
    size_t bits = (size_t)inv->n_hosts * inv->n_vlans; /* < 2^64. */

    if (w) {
        w->base.ops = ops;
        w->options = *options;
        w->inventory = inv;
        w->plan = options->plan;
        w->now_ms = options->start_ms;
        w->n_vms = calloc((size_t)inv->n_hosts + 1, sizeof *w->n_vms);
        w->trunked = calloc(bits / 8 + 1, 1);
        w->activity = calloc((size_t)w->plan->n_steps + 1, 1);
    }
    if (!w || !w->n_vms || !w->trunked || !w->activity ||
        !dcp_agenda_init(&w->agenda, w->plan->n_steps + 1)) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a virtual world");
        return NULL;
    }
    w->placement = dcp_placement_copy(options->start, err);
    if (!w->placement || !dcp_placement_own_pools(w->placement, inv, err)) {
        return NULL;
    }
    if (!make_sizes(w, err)) {
        return NULL;
    }
    for (uint32_t v = 0; v < w->placement->n_vms; v++) {
        if (!dcp_host_is_none(w->placement->host[v])) {
            w->n_vms[w->placement->host[v].ix]++;
        }
    }
    trunk_from_inventory(w);
    return DCP_STEAL(w);
}

void
dcp_virtual_destroy(struct dcp_virtual *w)
{
    if (w) {
        dcp_placement_destroy(w->placement);
        dcp_agenda_finish(&w->agenda);
        free(w->n_vms);
        free(w->trunked);
        free(w->activity);
        free(w->log);
        free(w);
    }
}

struct dcp_executor *
dcp_virtual_executor(struct dcp_virtual *w)
{
    return &w->base;
}

/* All that was recorded, by time; ends before starts at one time, because a
 * step starts when another's end made room for it. */
static bool
queue_records(const struct dcp_virtual *w,
              const struct dcp_step_record records[], struct dcp_heap *queue)
{
    for (uint32_t i = 0; i < w->plan->n_steps; i++) {
        const struct dcp_step_record *r = &records[i];

        bool sent = r->sent_ms && (r->phase == DCP_PHASE_SENT ||
                                   r->phase == DCP_PHASE_UNKNOWN ||
                                   r->phase == DCP_PHASE_VERIFIED);

        if (w->plan->steps[i].leg != w->options.leg || !sent) {
            continue;
        }
        if (!dcp_heap_push(queue, 2 * r->sent_ms + 1, i + 1)) {
            return false;
        }
        if (r->phase == DCP_PHASE_VERIFIED &&
            !dcp_heap_push(queue, 2 * r->ended_ms, i + 1)) {
            return false;
        }
    }
    return true;
}

bool
dcp_virtual_restore(struct dcp_virtual *w,
                    const struct dcp_step_record records[],
                    struct dcp_error *err)
{
    struct dcp_heap queue = { 0 };
    bool ok = queue_records(w, records, &queue) ||
              dcp_fail(err, DCP_E_NOMEM, "no memory to restore a run");

    while (ok && queue.n) {
        struct dcp_heap_item item = dcp_heap_pop(&queue);
        const struct dcp_step *s = &w->plan->steps[item.step - 1];
        int64_t at_ms = item.key >> 1;

        w->now_ms = at_ms > w->now_ms ? at_ms : w->now_ms;
        if (item.key & 1) {
            ok = begin_at(w, s, at_ms, err);
        } else {
            ok = end_step(w, s, at_ms, true, err);
        }
    }
    dcp_heap_finish(&queue);
    return ok;
}

const struct dcp_placement *
dcp_virtual_placement(const struct dcp_virtual *w)
{
    return w->placement;
}

const struct dcp_action_record *
dcp_virtual_log(const struct dcp_virtual *w, uint32_t *out_n)
{
    *out_n = w->n_log;
    return w->log;
}
