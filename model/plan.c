/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/plan.h"

#include "model/base/units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[DCP_STEP_KINDS] = {
    [DCP_STEP_MIGRATE] = "migrate",
    [DCP_STEP_VM_CREATE] = "vm_create",
    [DCP_STEP_VM_START] = "vm_start",
    [DCP_STEP_VM_STOP] = "vm_stop",
    [DCP_STEP_VM_PARK] = "vm_park",
    [DCP_STEP_VM_RESTORE] = "vm_restore",
    [DCP_STEP_VM_DESTROY] = "vm_destroy",
    [DCP_STEP_VM_RESIZE] = "vm_resize",
    [DCP_STEP_VOLUME_CREATE] = "volume_create",
    [DCP_STEP_VOLUME_MOVE] = "volume_move",
    [DCP_STEP_VOLUME_GROW] = "volume_grow",
    [DCP_STEP_VOLUME_DELETE] = "volume_delete",
    [DCP_STEP_VLAN_TRUNK] = "vlan_trunk",
    [DCP_STEP_VLAN_UNTRUNK] = "vlan_untrunk",
    [DCP_STEP_IP_ALLOCATE] = "ip_allocate",
    [DCP_STEP_IP_RELEASE] = "ip_release",
    [DCP_STEP_HOST_ON] = "host_on",
    [DCP_STEP_HOST_OFF] = "host_off",
    [DCP_STEP_SYNC] = "sync",
};

static const char *const object_names[] = {
    [DCP_OBJECT_NONE] = "none",     [DCP_OBJECT_VM] = "vm",
    [DCP_OBJECT_HOST] = "host",     [DCP_OBJECT_VLAN] = "vlan",
    [DCP_OBJECT_VOLUME] = "volume", [DCP_OBJECT_POOL] = "pool",
    [DCP_OBJECT_RACK] = "rack",     [DCP_OBJECT_FEED] = "feed",
};

static const char *const reason_names[] = {
    [DCP_REASON_EMPTY_HOST] = "empty_host", [DCP_REASON_UNPACK] = "unpack",
    [DCP_REASON_NIGHT_OFF] = "night_off",   [DCP_REASON_REACH] = "reach",
    [DCP_REASON_BYPASS] = "bypass",         [DCP_REASON_REPAIR] = "repair",
    [DCP_REASON_EVACUATE] = "evacuate",     [DCP_REASON_RETURN] = "return",
    [DCP_REASON_PLACE] = "place",           [DCP_REASON_BALANCE] = "balance",
    [DCP_REASON_HEADROOM] = "headroom",
    [DCP_REASON_MAKE_ROOM] = "make_room",   [DCP_REASON_PARK] = "park",
    [DCP_REASON_WAKE] = "wake",             [DCP_REASON_RIGHTSIZE] = "rightsize",
    [DCP_REASON_CONVERT] = "convert",
    [DCP_REASON_EMPTY_POOL] = "empty_pool",
    [DCP_REASON_RELIEVE_POOL] = "relieve_pool",
    [DCP_REASON_POOL_TIER] = "pool_tier",
    [DCP_REASON_STORAGE_REACH] = "storage_reach",
};

struct dcp_plan_expectation
dcp_plan_expectation_none(void)
{
    return (struct dcp_plan_expectation){ NAN, NAN, NAN, NAN, NAN, NAN };
}

double
dcp_plan_saves_kwh(const struct dcp_plan *plan)
{
    return isnan(plan->expected.energy_kwh_before)
               ? plan->predicted.energy_kwh_before -
                     plan->predicted.energy_kwh_after
               : plan->expected.energy_kwh_before -
                     plan->expected.energy_kwh_after;
}

struct dcp_plan *
dcp_plan_create(struct dcp_error *err)
{
    struct dcp_arena *arena = dcp_arena_create(0);
    struct dcp_plan *plan = arena ? dcp_arena_new(arena, struct dcp_plan) : NULL;

    if (!plan) {
        dcp_arena_destroy(arena);
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a plan");
        return NULL;
    }
    plan->arena = arena;
    plan->lineage = plan->tool_version = plan->status = plan->goal = "";
    plan->bound_method = plan->currency = plan->planner_host = "";
    plan->options_json = "{}";
    plan->expected = dcp_plan_expectation_none();
    return plan;
}

void
dcp_plan_destroy(struct dcp_plan *plan)
{
    if (plan) {
        dcp_placement_destroy(plan->before);
        for (uint32_t i = 0; i < DCP_LEGS_MAX; i++) {
            dcp_placement_destroy(plan->legs[i].after);
        }
        dcp_arena_destroy(plan->arena);
    }
}

const char *
dcp_step_kind_name(enum dcp_step_kind kind)
{
    return kind_names[kind];
}

bool
dcp_step_begins_vm(const struct dcp_step *s)
{
    return s->to.kind == DCP_OBJECT_HOST &&
           (s->kind == DCP_STEP_VM_CREATE || s->kind == DCP_STEP_VM_START ||
            s->kind == DCP_STEP_VM_RESTORE);
}

bool
dcp_step_boots_vm(const struct dcp_step *s)
{
    return dcp_step_begins_vm(s) ||
           (s->cold &&
            (s->kind == DCP_STEP_MIGRATE || s->kind == DCP_STEP_VM_RESIZE));
}

char
dcp_step_symbol(enum dcp_step_kind kind)
{
    switch (kind) {
    case DCP_STEP_VM_CREATE:
    case DCP_STEP_VM_START:
    case DCP_STEP_VM_RESTORE:
    case DCP_STEP_VOLUME_CREATE:
    case DCP_STEP_VLAN_TRUNK:
    case DCP_STEP_IP_ALLOCATE:
    case DCP_STEP_HOST_ON:
        return '+';
    case DCP_STEP_VM_STOP:
    case DCP_STEP_VM_PARK:
    case DCP_STEP_VM_DESTROY:
    case DCP_STEP_VOLUME_DELETE:
    case DCP_STEP_VLAN_UNTRUNK:
    case DCP_STEP_IP_RELEASE:
    case DCP_STEP_HOST_OFF:
        return '-';
    case DCP_STEP_MIGRATE:
    case DCP_STEP_VM_RESIZE:
    case DCP_STEP_VOLUME_MOVE:
    case DCP_STEP_VOLUME_GROW:
        return '~';
    case DCP_STEP_SYNC:
        break;
    }
    return ' ';
}

const char *
dcp_object_kind_name(enum dcp_object_kind kind)
{
    return object_names[kind];
}

const char *
dcp_reason_name(enum dcp_reason reason)
{
    return reason_names[reason];
}

bool
dcp_step_kind_parse(const char *name, enum dcp_step_kind *out)
{
    for (unsigned i = 0; i < DCP_STEP_KINDS; i++) {
        if (!strcmp(kind_names[i], name)) {
            *out = (enum dcp_step_kind)i;
            return true;
        }
    }
    return false;
}

bool
dcp_reason_parse(const char *name, enum dcp_reason *out)
{
    for (unsigned i = 0; i < sizeof reason_names / sizeof reason_names[0];
         i++) {
        if (!strcmp(reason_names[i], name)) {
            *out = (enum dcp_reason)i;
            return true;
        }
    }
    return false;
}

const char *
dcp_object_name(const struct dcp_inventory *inv, struct dcp_object object)
{
    switch (object.kind) {
    case DCP_OBJECT_VM:
        return inv->vms[object.ix].name;
    case DCP_OBJECT_HOST:
        return inv->hosts[object.ix].name;
    case DCP_OBJECT_VLAN:
        return inv->vlans[object.ix].name;
    case DCP_OBJECT_POOL:
        return inv->pools[object.ix].name;
    case DCP_OBJECT_RACK:
        return inv->racks[object.ix].name;
    case DCP_OBJECT_FEED:
        return inv->feeds[object.ix].name;
    case DCP_OBJECT_VOLUME:
        return inv->volumes[object.ix].name ? inv->volumes[object.ix].name : "";
    case DCP_OBJECT_NONE:
        break;
    }
    return "";
}

const struct dcp_placement *
dcp_plan_leg_start(const struct dcp_plan *plan, uint32_t leg)
{
    return leg ? plan->legs[leg - 1].after : plan->before;
}

bool
dcp_plan_inventory_after(const struct dcp_plan *plan,
                         const struct dcp_inventory *inv,
                         struct dcp_inventory **out, struct dcp_error *err)
{
    DCP_FREE struct dcp_vm_size *sizes = NULL;

    *out = NULL;
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const struct dcp_step *s = &plan->steps[i];

        if (s->kind != DCP_STEP_VM_RESIZE || s->object.kind != DCP_OBJECT_VM) {
            continue;
        }
        if (!sizes) {
            sizes = malloc((inv->n_vms + 1u) * sizeof *sizes);
            for (uint32_t v = 0; sizes && v < inv->n_vms; v++) {
                sizes[v] = dcp_vm_size(inv, v);
            }
        }
        if (!sizes) {
            return dcp_fail(err, DCP_E_NOMEM, "sizes of %u VMs", inv->n_vms);
        }
        sizes[s->object.ix] = s->size_to;
    }
    if (sizes) {
        *out = dcp_inventory_with_sizes(inv, sizes, err);
    }
    return !sizes || *out;
}

static const struct {
    const char *name, *text;
} left_out[] = {
    [DCP_LEFT_OUT_WINDOW] = { "window", "its moves do not fit the window" },
    [DCP_LEFT_OUT_FAILED_BOOTS] = { "failed_boots",
                                    "what it gets in the morning would have "
                                    "no other place if it did not boot" },
};

const char *
dcp_left_out_name(enum dcp_left_out_why why)
{
    return left_out[why].name;
}

const char *
dcp_left_out_text(enum dcp_left_out_why why)
{
    return left_out[why].text;
}

bool
dcp_left_out_parse(const char *name, enum dcp_left_out_why *out)
{
    for (uint32_t i = 0; i < sizeof left_out / sizeof *left_out; i++) {
        if (!strcmp(name, left_out[i].name)) {
            *out = (enum dcp_left_out_why)i;
            return true;
        }
    }
    return false;
}

const char *
dcp_step_print_when(const struct dcp_step *s, char *out, size_t size)
{
    char from[32] = "", by[32] = "";

    out[0] = '\0';
    if (!s->not_before_ms && !s->start_by_ms) {
        return out;
    }
    if (s->not_before_ms) {
        dcp_print_instant(s->not_before_ms, from);
    }
    if (s->start_by_ms) {
        dcp_print_instant(s->start_by_ms, by);
    }
    (void)snprintf(out, size, "%s%s%s%s%s: %s", from[0] ? "not before " : "",
                   from, from[0] && by[0] ? ", " : "",
                   by[0] ? "to start by " : "", by,
                   s->when_text ? s->when_text : "");
    return out;
}
