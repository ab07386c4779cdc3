/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/plan_open.h"

#include "model/io/plan_file.h"

#include <inttypes.h>
#include <string.h>

/* Where the plan's first leg was carried out, VMs have the sizes that it gave
 * them: back to those that it started from. */
static bool
restore_sizes(struct dcp_plan_open *o, struct dcp_error *err)
{
    struct dcp_inventory *inv = o->context.model.inventory;
    struct dcp_vm *vms = NULL;

    for (uint32_t i = 0; i < o->plan->n_steps; i++) {
        const struct dcp_step *s = &o->plan->steps[i];
        uint32_t v = s->object.ix;

        if (s->kind != DCP_STEP_VM_RESIZE || s->leg ||
            s->object.kind != DCP_OBJECT_VM ||
            o->context.model.serial <= o->plan->serial ||
            !dcp_vm_size_eq(dcp_vm_size(inv, v), s->size_to)) {
            continue;
        }
        if (!vms) {
            vms = dcp_arena_array(inv->arena, struct dcp_vm, inv->n_vms);
            if (!vms) {
                return dcp_fail(err, DCP_E_NOMEM, "no memory for sizes");
            }
            memcpy(vms, inv->vms, inv->n_vms * sizeof *vms);
            inv->vms = vms;
        }
        vms[v].vcpus = s->size_from.vcpus;
        vms[v].mem_mib = s->size_from.mem_mib;
    }
    return true;
}

bool
dcp_plan_open(const struct dcp_globals *g, const char *traces, const char *path,
              struct dcp_plan_open *out, struct dcp_error *err)
{
    struct dcp_plan_open o = { 0 };

    if (!dcp_context_open(g, traces, &o.context, err)) {
        return false;
    }
    o.plan = dcp_plan_load(o.context.model.inventory, path, err);
    if (!o.plan) {
        dcp_context_close(&o.context);
        return false;
    }
    const char *lineage = o.context.model.inventory->lineage;

    if (strcmp(o.plan->lineage, lineage) != 0) {
        (void)dcp_fail(err, DCP_E_STALE,
                       "the plan was made for another model: lineage %.40s, "
                       "this is %.40s",
                       o.plan->lineage, lineage);
        dcp_plan_open_close(&o);
        return false;
    }
    if (!restore_sizes(&o, err)) {
        dcp_plan_open_close(&o);
        return false;
    }
    *out = o;
    return true;
}

void
dcp_plan_open_close(struct dcp_plan_open *o)
{
    dcp_plan_destroy(o->plan);
    dcp_context_close(&o->context);
    *o = (struct dcp_plan_open){ 0 };
}

bool
dcp_plan_open_is_current(const struct dcp_plan_open *o, uint32_t *out_legs_done,
                         struct dcp_error *err)
{
    const struct dcp_plan *plan = o->plan;
    const struct dcp_model *model = &o->context.model;
    uint64_t ahead = model->serial - plan->serial;

    if (strcmp(plan->model_digest, model->inventory->digest) != 0) {
        return dcp_fail(err, DCP_E_STALE,
                        "the model was changed since the plan was made: plan "
                        "again");
    }
    if (strcmp(plan->policy_digest, model->inventory->policy_digest) != 0) {
        return dcp_fail(err, DCP_E_STALE,
                        "the plan was made under another policy: give the "
                        "--policy-file that it was made with, or none if it "
                        "was made without");
    }
    if (model->serial < plan->serial || ahead > plan->n_legs) {
        return dcp_fail(err, DCP_E_STALE,
                        "the plan starts from serial %" PRIu64
                        ", things are at %" PRIu64 ": plan again",
                        plan->serial, model->serial);
    }
    const struct dcp_placement *start =
        dcp_plan_leg_start(plan, (uint32_t)ahead);
    const struct dcp_placement *now = model->placement;

    if (dcp_placement_n_moved(start, now) ||
        memcmp(start->on, now->on, now->n_hosts) != 0) {
        return dcp_fail(err, DCP_E_STALE,
                        "VMs or hosts are not as the plan expects them before "
                        "leg %" PRIu64 ": plan again",
                        ahead + 1);
    }
    *out_legs_done = (uint32_t)ahead;
    return true;
}
