/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/failure/loss.h"

#include "sim/failure/world.h"

#include <stdlib.h>

static const struct {
    const char *name, *text;
} words[DCP_STEP_LOSSES] = {
    [DCP_STEP_LOSS_NONE] = { "none", "nothing" },
    [DCP_STEP_LOSS_HOST_DOWN] = { "host_down", "a host of it is down" },
    [DCP_STEP_LOSS_HOST_OFF] = { "host_off", "its target is off" },
    [DCP_STEP_LOSS_MAINTENANCE] = { "maintenance",
                                    "a host of it is under maintenance" },
    [DCP_STEP_LOSS_VM_DOWN] = { "vm_down", "its VM is down" },
    [DCP_STEP_LOSS_VM_ELSEWHERE] = { "vm_elsewhere",
                                     "its VM is elsewhere or on its way" },
    [DCP_STEP_LOSS_ROOM] = { "room", "its target is too full by now" },
    [DCP_STEP_LOSS_NOT_EMPTY] = { "not_empty", "the host has VMs" },
    [DCP_STEP_LOSS_CUT] = { "cut",
                            "a host of it failed while it was under way" },
    [DCP_STEP_LOSS_BOOT] = { "boot_failed", "the host did not boot" },
    [DCP_STEP_LOSS_MIGRATION] = { "migration_failed", "the migration failed" },
    [DCP_STEP_LOSS_OTHER] = { "other", "it was late or given up" },
    [DCP_STEP_LOSS_SKIPPED] = { "skipped",
                                "it waits for a step that was lost" },
};

const char *
dcp_step_loss_name(enum dcp_step_loss loss)
{
    return words[loss].name;
}

const char *
dcp_step_loss_text(enum dcp_step_loss loss)
{
    return words[loss].text;
}

uint32_t
dcp_lost_steps_prevented(const struct dcp_lost_steps *lost)
{
    uint32_t n = 0;

    for (int i = DCP_STEP_LOSS_HOST_DOWN; i < DCP_STEP_LOSSES; i++) {
        n += i == DCP_STEP_LOSS_BOOT || i == DCP_STEP_LOSS_MIGRATION
                 ? 0
                 : lost->n[i];
    }
    return n;
}

/* --- Why a step cannot begin ---------------------------------------------- */

static enum dcp_step_loss
judge_target(const struct dcp_ha *ha, uint32_t host)
{
    const struct ha_host *h = &ha->hosts[host];

    return h->state == HA_DOWN || h->state == HA_BOOTING
               ? DCP_STEP_LOSS_HOST_DOWN
           : h->draining       ? DCP_STEP_LOSS_MAINTENANCE
           : h->state != HA_ON ? DCP_STEP_LOSS_HOST_OFF
                               : DCP_STEP_LOSS_ROOM;
}

static enum dcp_step_loss
judge_host(const struct dcp_ha *ha, const struct dcp_step *s)
{
    const struct ha_host *h = &ha->hosts[s->object.ix];

    return h->state == HA_DOWN || h->state == HA_BOOTING
               ? DCP_STEP_LOSS_HOST_DOWN
           : h->draining ? DCP_STEP_LOSS_MAINTENANCE
           : s->kind == DCP_STEP_HOST_OFF && h->n_vms ? DCP_STEP_LOSS_NOT_EMPTY
                                                      : DCP_STEP_LOSS_OTHER;
}

enum dcp_step_loss
dcp_ha_judge(const struct dcp_ha *ha, const struct dcp_step *s)
{
    if (dcp_ha_is_elsewhere(s) || dcp_ha_may_begin(ha, s)) {
        return DCP_STEP_LOSS_NONE;
    }
    if (s->object.kind == DCP_OBJECT_HOST) {
        return judge_host(ha, s);
    }
    const struct ha_vm *vm = &ha->vms[s->object.ix];
    bool begins = dcp_step_begins_vm(s);

    if (vm->state != (begins ? HA_AWAY : HA_RUNNING)) {
        return vm->state == HA_RUNNING ? DCP_STEP_LOSS_VM_ELSEWHERE
                                       : DCP_STEP_LOSS_VM_DOWN;
    }
    if (!begins && (ha->now->host[s->object.ix].ix != s->from.ix || vm->move)) {
        return DCP_STEP_LOSS_VM_ELSEWHERE;
    }
    return s->to.kind == DCP_OBJECT_HOST ? judge_target(ha, s->to.ix)
                                         : DCP_STEP_LOSS_ROOM;
}

bool
dcp_ha_lose(struct dcp_ha *ha, const struct dcp_step *s, enum dcp_step_loss why,
            struct dcp_error *err)
{
    if (dcp_ha_is_own(s)) {
        return true;
    }
    if (ha->n_losses == ha->losses_capacity) {
        uint32_t capacity = ha->losses_capacity ? 2 * ha->losses_capacity : 16;
        struct dcp_ha_loss *list = realloc(ha->losses, capacity * sizeof *list);

        if (!list) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for lost steps");
        }
        ha->losses = list;
        ha->losses_capacity = capacity;
    }
    ha->losses[ha->n_losses++] = (struct dcp_ha_loss){ s, why };
    return true;
}

const struct dcp_ha_loss *
dcp_ha_losses(const struct dcp_ha *ha, uint32_t *out_n)
{
    *out_n = ha->n_losses;
    return ha->losses;
}
