/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A move counts at its target from its end on; a host that is being switched
 * is neither on nor off. */

#include "model/course.h"

#include "model/power.h"

#include <string.h>

bool
dcp_course_init(struct dcp_course *c, const struct dcp_placement *start,
                struct dcp_arena *arena)
{
    c->n_vms = start->n_vms;
    c->n_hosts = start->n_hosts;
    c->host = dcp_arena_array(arena, uint32_t, start->n_vms);
    c->power = dcp_arena_array(arena, uint8_t, start->n_hosts);
    c->mhz = dcp_arena_array(arena, double, start->n_hosts);
    if (!c->host || !c->power || !c->mhz) {
        return false;
    }
    for (uint32_t vm = 0; vm < start->n_vms; vm++) {
        c->host[vm] = start->host[vm].ix;
    }
    for (uint32_t h = 0; h < start->n_hosts; h++) {
        c->power[h] = start->on[h] ? DCP_COURSE_ON : DCP_COURSE_OFF;
    }
    return true;
}

void
dcp_course_load(struct dcp_course *c, const double vm_mhz[])
{
    c->vm_mhz = vm_mhz;
    memset(c->mhz, 0, c->n_hosts * sizeof *c->mhz);
    for (uint32_t vm = 0; vm < c->n_vms; vm++) {
        if (c->host[vm] != DCP_IX_NONE) {
            c->mhz[c->host[vm]] += vm_mhz[vm];
        }
    }
}

static void
place(struct dcp_course *c, uint32_t vm, uint32_t to)
{
    double mhz = c->vm_mhz[vm];

    if (c->host[vm] != DCP_IX_NONE) {
        c->mhz[c->host[vm]] -= mhz;
    }
    if (to != DCP_IX_NONE) {
        c->mhz[to] += mhz;
    }
    c->host[vm] = to;
}

/* What a step's end changes in where VMs are. */
static void
end_vm_step(struct dcp_course *c, const struct dcp_step *step)
{
    bool to_host = step->to.kind == DCP_OBJECT_HOST;

    switch (step->kind) {
    case DCP_STEP_MIGRATE:
    case DCP_STEP_VM_CREATE:
    case DCP_STEP_VM_START:
    case DCP_STEP_VM_RESTORE:
        if (to_host) {
            place(c, step->object.ix, step->to.ix);
        }
        break;
    case DCP_STEP_VM_STOP:
    case DCP_STEP_VM_PARK:
    case DCP_STEP_VM_DESTROY:
        place(c, step->object.ix, DCP_IX_NONE);
        break;
    case DCP_STEP_VM_RESIZE:
    case DCP_STEP_VOLUME_CREATE:
    case DCP_STEP_VOLUME_MOVE:
    case DCP_STEP_VOLUME_GROW:
    case DCP_STEP_VOLUME_DELETE:
    case DCP_STEP_VLAN_TRUNK:
    case DCP_STEP_VLAN_UNTRUNK:
    case DCP_STEP_IP_ALLOCATE:
    case DCP_STEP_IP_RELEASE:
    case DCP_STEP_HOST_ON:
    case DCP_STEP_HOST_OFF:
    case DCP_STEP_SYNC:
        break;
    }
}

void
dcp_course_step(struct dcp_course *c, const struct dcp_step *step, bool is_end)
{
    if (step->kind == DCP_STEP_HOST_ON) {
        c->power[step->object.ix] = is_end ? DCP_COURSE_ON : DCP_COURSE_BOOTING;
    } else if (step->kind == DCP_STEP_HOST_OFF) {
        c->power[step->object.ix] =
            is_end ? DCP_COURSE_OFF : DCP_COURSE_STOPPING;
    } else if (is_end && step->object.kind == DCP_OBJECT_VM) {
        end_vm_step(c, step);
    }
}

double
dcp_course_watts(const struct dcp_course *c, const struct dcp_hardware *hw,
                 double cpu_mhz, uint32_t host)
{
    switch ((enum dcp_course_power)c->power[host]) {
    case DCP_COURSE_OFF:
        return hw->sleep_w;
    case DCP_COURSE_BOOTING:
        return hw->boot_w;
    case DCP_COURSE_STOPPING:
        return hw->shutdown_w;
    case DCP_COURSE_ON:
        break;
    }
    return dcp_power_at(hw, cpu_mhz > 0 ? c->mhz[host] / cpu_mhz : 0);
}
