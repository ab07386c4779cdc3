/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Volumes of a plan: where they go, once it is known where VMs are at the end
 * of its first leg, and their steps beside those of VMs. */

#include "solver/plan/work.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void
no_headroom(struct dcp_work *w)
{
    struct dcp_because *b = &w->outcome->because;

    w->outcome->status = DCP_STATUS_TIMEOUT;
    (void)snprintf(b->rule, sizeof b->rule, "n+1");
    (void)snprintf(b->object, sizeof b->object, "start");
    (void)snprintf(b->text, sizeof b->text,
                   "where VMs are now does not survive the loss that policy "
                   "names, so no leg may end there; `dcplan repair` first");
    b->need = b->have = NAN;
}

bool
dcp_work_stand_still(struct dcp_work *w, struct dcp_error *err)
{
    const struct dcp_plan_request *r = w->r;
    bool survives = true;

    w->night = (struct dcp_solution){ .status = DCP_STATUS_FEASIBLE,
                                      .bound_method = "" };
    dcp_work_set_values(w, 0, w->night_slots);
    if (r->inventory->policy.n_survive &&
        !dcp_work_losses(w, r->start, &w->night, &survives, err)) {
        return false;
    }
    if (!survives) {
        no_headroom(w);
        return true;
    }
    w->night.placement = dcp_placement_copy(r->start, err);
    return w->night.placement != NULL;
}

/* What the storage's own answer says becomes the outcome's. */
static void
take_outcome(struct dcp_work *w)
{
    const struct dcp_storage_answer *a = &w->storage;
    struct dcp_plan_outcome *o = w->outcome;
    bool evens = w->r->storage.aim == DCP_STORAGE_BALANCE;

    o->storage = (struct dcp_storage_outcome){
        .status = a->status,
        .because = a->because,
        .bound_method = a->bound_method,
        .volumes_moved = a->n_moves,
        .moved_mib = a->moved_mib,
        .before = a->before,
        .after = a->value,
        .lower_bound = a->bound,
        .n_full_before = a->n_full_before,
        .n_full = a->n_full,
        .n_astray_before = a->n_astray_before,
        .n_astray = a->n_astray,
    };
    if (w->r->job != DCP_JOB_STORAGE) {
        return;
    }
    o->status = a->status;
    o->because = a->because;
    o->stopped_by = a->status == DCP_STATUS_OPTIMAL ? DCP_STOPPED_PROOF
                                                    : DCP_STOPPED_ITERATIONS;
    o->bound_method = a->bound_method;
    o->before = a->before;
    o->after = a->value;
    o->lower_bound = a->bound;
    o->gap_frac = (a->value - a->bound) / fmax(fabs(a->value), 1e-9);
    o->unit = evens ? "" : "MiB";
    o->rounds = a->rounds;
    o->hosts_lower_bound = o->hosts_on_after; /* Hosts stay as they are. */
    o->n_objectives = 1;
    (void)snprintf(o->goal, sizeof o->goal, "%s",
                   evens ? "pool pressure" : "moved space");
    o->objectives[0].unit = o->unit;
    o->objectives[0].before = a->before;
    o->objectives[0].after = a->value;
    (void)snprintf(o->objectives[0].goal, sizeof o->objectives[0].goal, "%s",
                   o->goal);
}

bool
dcp_work_storage(struct dcp_work *w, struct dcp_error *err)
{
    const struct dcp_plan_request *r = w->r;
    const struct dcp_inventory *inv = r->inventory;
    struct dcp_storage_question q = {
        .inventory = inv,
        .demand = r->demand,
        .start = r->start,
        .end = w->first_end,
        .avoid = r->storage.avoid,
        .only_avoided = r->storage.avoid != NULL,
        .resting = r->resting,
        .aim = r->storage.aim,
        .max_moves = w->storage_budget,
    };
    struct dcp_storage_options o = { .seed = r->solve.seed,
                                     .iterations = r->solve.iterations,
                                     .deadline_ms = dcp_work_deadline_ms(w) };

    if (!w->storage_budget && r->job == DCP_JOB_STORAGE) {
        q.max_moves = r->max_moves;
    }
    dcp_storage_answer_finish(&w->storage);
    if (!dcp_storage_solve(&q, &o, &w->storage, err)) {
        return false;
    }
    double gain = (w->storage.before - w->storage.value) /
                  fmax(fabs(w->storage.before), 1e-9);

    if (q.aim == DCP_STORAGE_BALANCE && w->storage.n_moves &&
        !w->storage.n_full_before && !w->storage.n_astray_before &&
        gain < inv->policy.min_gain_frac) {
        w->storage.status = DCP_STATUS_NOTHING_TO_DO;
        w->storage.n_moves = w->storage.moved_mib = 0;
        w->storage.value = w->storage.before;
    }
    take_outcome(w);
    w->outcome->storage.cut = w->n_storage_cuts > 0;
    if (!w->storage.pool || (!w->storage.n_moves && !w->n_storage_cuts)) {
        return true;
    }
    if (!dcp_placement_own_pools(w->night.placement, inv, err)) {
        return false;
    }
    memcpy(w->night.placement->pool, w->storage.pool,
           inv->n_volumes * sizeof *w->storage.pool);
    return true;
}

#define CUTS_MAX   10u
#define CUT_MARGIN 0.9

bool
dcp_work_storage_cut(struct dcp_work *w, bool *out_again, struct dcp_error *err)
{
    const struct dcp_because *b = &w->outcome->because;
    double share = b->need > 0 ? CUT_MARGIN * b->have / b->need : 0.5;

    *out_again = false;
    if (strcmp(b->rule, "window") != 0 || w->r->storage.avoid ||
        w->storage.n_moves < 2 || w->n_storage_cuts++ == CUTS_MAX) {
        return true;
    }
    share = share < 0.1 ? 0.1 : share > CUT_MARGIN ? CUT_MARGIN : share;
    w->storage_budget = (uint64_t)((double)w->storage.n_moves * share);
    w->storage_budget += w->storage_budget == 0;
    w->outcome->because = (struct dcp_because){ .need = NAN, .have = NAN };
    w->outcome->moves = 0;
    w->outcome->moved_mib = 0;
    if (!dcp_work_storage(w, err)) {
        return false;
    }
    *out_again = w->storage.n_moves > 0;
    return true;
}

bool
dcp_work_storage_steps(struct dcp_work *w, struct dcp_step_list *steps,
                       struct dcp_storage_schedule *out, struct dcp_error *err)
{
    const struct dcp_plan_request *r = w->r;
    const struct dcp_inventory *inv = r->inventory;
    struct dcp_storage_moves_request request = {
        .inventory = inv,
        .demand = r->demand,
        .from = r->start,
        .to = w->night.placement,
        .avoid = r->storage.avoid,
        .reason = r->storage.aim == DCP_STORAGE_BALANCE ? DCP_REASON_BALANCE
                                                        : DCP_REASON_MAKE_ROOM,
        .deadline_ms = dcp_work_deadline_ms(w),
    };

    if (!dcp_storage_moves_make(&request, steps, out, err)) {
        return false;
    }
    if (out->ok) {
        w->outcome->moves += out->n_moves;
        w->outcome->moved_mib += out->moved_mib;
        return true;
    }
    struct dcp_because *b = &w->outcome->because;
    const struct dcp_volume *v = &inv->volumes[out->stuck];

    w->outcome->status = DCP_STATUS_TIMEOUT;
    (void)snprintf(b->rule, sizeof b->rule, "order");
    (void)snprintf(b->object, sizeof b->object, "volume:%.80s/%u",
                   dcp_vm_is_none(v->vm) ? "" : inv->vms[v->vm.ix].name,
                   dcp_vm_is_none(v->vm)
                       ? out->stuck
                       : out->stuck - inv->vms[v->vm.ix].first_volume);
    (void)snprintf(b->text, sizeof b->text,
                   "no safe order of moves was found: it waits for room that "
                   "others hold, and no pool is free to step aside to");
    b->need = b->have = NAN;
    return true;
}
