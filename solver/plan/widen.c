/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Consolidating where volumes may move first (policy.storage.moves).  A VM
 * reaches the hosts that open all its pools; so volumes are put, on paper, into
 * pools of their tier that more hosts open and none fewer, as far as policy
 * lets these be used, small VMs first.  The plan for that model is then cut
 * down to the moves that it needs: those of volumes whose old pool some host
 * that the plan gives their VM does not open.  They go first, and the VM's
 * steps wait for them.  It is taken if it gains more than policy.min_gain over
 * the plan without, the cost of moving counted.
 *
 * A heuristic: other choices of pools are not tried, so nothing better is ruled
 * out and nothing is called optimal. */

#include "solver/plan/work.h"

#include "model/volume.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct widen {
    const struct dcp_plan_request *r;
    const struct dcp_inventory *inv;
    struct dcp_inventory wide;            /* As if volumes had moved. */
    struct dcp_volume *volumes;           /* Its volumes. Owned. */
    uint64_t (*load)[DCP_POOL_RESOURCES]; /* [pool] Owned. */
    uint32_t *n_hosts;                    /* [pool]: that open it. Owned. */
    uint8_t *moves;                       /* [volume]: it has to. Owned. */
    uint32_t n_changed;
};

static bool
no_memory(struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_NOMEM, "no memory to try moves of volumes");
}

/* --- On paper ----------------------------------------------------------- */

static bool
opens_all_of(const struct widen *w, uint32_t wide, uint32_t narrow)
{
    for (uint32_t h = 0; h < w->inv->n_hosts; h++) {
        if (dcp_pool_opens_on(w->inv, narrow, h) &&
            !dcp_pool_opens_on(w->inv, wide, h)) {
            return false;
        }
    }
    return true;
}

static bool
fits(const struct widen *w, const uint64_t asks[], uint32_t pool)
{
    uint64_t usable[DCP_POOL_RESOURCES];

    dcp_pool_usable(w->inv, &w->inv->pools[pool], usable);
    for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
        if (asks[r] && w->load[pool][r] + asks[r] > usable[r]) {
            return false;
        }
    }
    return true;
}

/* The pool that most hosts open, of those that all of 'home' open and more;
 * DCP_IX_NONE. */
static uint32_t
wider_pool(const struct widen *w, const struct dcp_volume *v, uint32_t home,
           const uint64_t asks[])
{
    enum dcp_pool_tier tier = dcp_volume_tier_in(w->inv, v, home);
    uint32_t best = DCP_IX_NONE;

    for (uint32_t p = 0; p < w->inv->n_pools; p++) {
        if (w->inv->pools[p].tier == tier && w->n_hosts[p] > w->n_hosts[home] &&
            (best == DCP_IX_NONE || w->n_hosts[p] > w->n_hosts[best]) &&
            fits(w, asks, p) && opens_all_of(w, p, home)) {
            best = p;
        }
    }
    return best;
}

/* Volumes of one VM that are in the pool of its k-th, and need its tier. */
static bool
goes_along(const struct widen *w, const struct dcp_vm *vm, uint32_t k,
           uint32_t other)
{
    const struct dcp_volume *a = &w->inv->volumes[vm->first_volume + k];
    const struct dcp_volume *b = &w->inv->volumes[vm->first_volume + other];

    return other == k || (vm->disks == DCP_DISKS_TOGETHER &&
                          a->pool.ix == b->pool.ix && a->tier == b->tier);
}

static void
widen_volume(struct widen *w, const struct dcp_vm *vm, uint32_t k)
{
    const struct dcp_volume *v = &w->inv->volumes[vm->first_volume + k];
    uint64_t all[DCP_POOL_RESOURCES] = { 0 }, asks[DCP_POOL_RESOURCES];

    if (dcp_pool_is_none(v->pool) ||
        w->volumes[vm->first_volume + k].pool.ix != v->pool.ix) {
        return; /* On its host, or gone along. */
    }
    for (uint32_t i = 0; i < vm->n_volumes; i++) {
        dcp_volume_request(w->inv, w->r->demand, vm->first_volume + i, asks);
        for (uint32_t r = 0; goes_along(w, vm, k, i) && r < DCP_POOL_RESOURCES;
             r++) {
            all[r] += asks[r];
        }
    }
    uint32_t to = wider_pool(w, v, v->pool.ix, all);

    for (uint32_t i = 0; to != DCP_IX_NONE && i < vm->n_volumes; i++) {
        struct dcp_volume *moved = &w->volumes[vm->first_volume + i];

        if (goes_along(w, vm, k, i)) {
            moved->pool = (dcp_pool_id){ to };
            w->n_changed++;
        }
    }
    for (uint32_t r = 0; to != DCP_IX_NONE && r < DCP_POOL_RESOURCES; r++) {
        w->load[to][r] += all[r]; /* The old pool keeps it until the end. */
    }
}

struct by_size {
    uint64_t mib;
    uint32_t vm;
};

static int
compare_sizes(const void *pa, const void *pb)
{
    const struct by_size *a = pa, *b = pb;

    return a->mib != b->mib ? (a->mib < b->mib ? -1 : 1)
                            : (a->vm < b->vm ? -1 : a->vm > b->vm);
}

static bool
on_paper(struct widen *w, struct dcp_error *err)
{
    const struct dcp_inventory *inv = w->inv;
    DCP_FREE struct by_size *vms = calloc(inv->n_vms + 1u, sizeof *vms);
    uint64_t asks[DCP_POOL_RESOURCES];

    if (!vms) {
        return no_memory(err);
    }
    for (uint32_t p = 0; p < inv->n_pools; p++) {
        for (uint32_t h = 0; h < inv->n_hosts; h++) {
            w->n_hosts[p] += dcp_pool_opens_on(inv, p, h);
        }
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        vms[v].vm = v;
        for (uint32_t k = 0; k < inv->vms[v].n_volumes; k++) {
            uint32_t i = inv->vms[v].first_volume + k;

            dcp_volume_request(inv, w->r->demand, i, asks);
            vms[v].mib += asks[DCP_POOL_SPACE];
            for (uint32_t r = 0; r < DCP_POOL_RESOURCES &&
                                 !dcp_pool_is_none(inv->volumes[i].pool);
                 r++) {
                w->load[inv->volumes[i].pool.ix][r] += asks[r];
            }
        }
    }
    if (inv->n_vms > 1) {
        qsort(vms, inv->n_vms, sizeof *vms, compare_sizes);
    }
    for (uint32_t n = 0; n < inv->n_vms; n++) {
        const struct dcp_vm *vm = &inv->vms[vms[n].vm];
        bool may = vm->movable && vm->disks != DCP_DISKS_APART &&
                   !dcp_host_is_none(w->r->start->host[vms[n].vm]) &&
                   !(w->r->resting && w->r->resting[vms[n].vm]);

        for (uint32_t k = 0; may && k < vm->n_volumes; k++) {
            widen_volume(w, vm, k);
        }
    }
    w->wide = *inv;
    w->wide.volumes = w->volumes;
    return true;
}

/* --- What the plan needs of it ------------------------------------------ */

static void
need_at(struct widen *w, uint32_t vm, uint32_t host)
{
    const struct dcp_vm *v = &w->inv->vms[vm];

    for (uint32_t k = 0; k < v->n_volumes; k++) {
        uint32_t i = v->first_volume + k;
        uint32_t home = w->inv->volumes[i].pool.ix;

        if (w->volumes[i].pool.ix != home &&
            !dcp_pool_opens_on(w->inv, home, host)) {
            w->moves[i] = 1;
        }
    }
}

static void
need_in(struct widen *w, const struct dcp_survive lists[], uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < lists[i].n; k++) {
            need_at(w, lists[i].vms[k], lists[i].to[k].ix);
        }
    }
}

/* Any VM of a pool may come to any of its hosts. */
static void
need_in_berths(struct widen *w, const struct dcp_plan *plan)
{
    for (uint32_t i = 0; i < plan->n_berths; i++) {
        const struct dcp_berths *b = &plan->berths[i];

        for (uint32_t k = 0; k < b->first[b->n_parts]; k++) {
            for (uint32_t h = 0; h < b->n_hosts; h++) {
                need_at(w, b->vms[k], b->hosts[h].ix);
            }
        }
    }
}

static uint64_t
find_needed(struct widen *w, const struct dcp_plan *plan)
{
    uint64_t mib = 0;

    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const struct dcp_step *s = &plan->steps[i];

        if (s->object.kind == DCP_OBJECT_VM && s->to.kind == DCP_OBJECT_HOST) {
            need_at(w, s->object.ix, s->to.ix);
        }
    }
    need_in(w, plan->survive, plan->n_survive);
    need_in_berths(w, plan);
    need_in(w, plan->no_boot, plan->n_no_boot);
    for (uint32_t i = 0; i < w->inv->n_volumes; i++) {
        mib += w->moves[i] ? w->inv->volumes[i].size_mib : 0;
    }
    return mib;
}

/* --- One plan of both --------------------------------------------------- */

static bool
put_volumes(const struct widen *w, struct dcp_placement *p,
            struct dcp_error *err)
{
    if (!dcp_placement_own_pools(p, w->inv, err)) {
        return false;
    }
    for (uint32_t i = 0; i < w->inv->n_volumes; i++) {
        if (w->moves[i]) {
            p->pool[i] = w->volumes[i].pool;
        }
    }
    return true;
}

/* What step 's' waits for: its own, and the moves of its VM's volumes. */
static bool
join_waits(const struct widen *w, const struct dcp_step_list *list,
           uint32_t n_volume_steps, struct dcp_plan *plan, struct dcp_step *s)
{
    bool vm = s->object.kind == DCP_OBJECT_VM && s->leg == 0;
    uint32_t *after = dcp_arena_array(
        plan->arena, uint32_t, s->n_after + (vm ? n_volume_steps : 0) + 1u);
    uint32_t n = 0;

    if (!after) {
        return false;
    }
    for (uint32_t k = 0; vm && k < n_volume_steps; k++) {
        const struct dcp_step *v = &list->steps[k];

        if (v->kind == DCP_STEP_VOLUME_MOVE &&
            w->inv->volumes[v->object.ix].vm.ix == s->object.ix) {
            after[n++] = v->id;
        }
    }
    for (uint32_t k = 0; k < s->n_after; k++) {
        after[n++] = s->after[k] + n_volume_steps;
    }
    s->id += n_volume_steps;
    s->after = after;
    s->n_after = n;
    return true;
}

static int64_t
least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

#define SLACK_FRAC      1.25
#define QUARTER_HOUR_MS INT64_C(900000)

/* Lengthens the first leg by the volumes' moves; false: no time for that. */
static bool
lengthen(struct dcp_plan *plan, const struct dcp_storage_schedule *volumes)
{
    struct dcp_leg *leg = &plan->legs[0];
    int64_t makespan = leg->makespan_ms + volumes->makespan_ms;
    int64_t latest =
        plan->n_legs > 1 ? plan->legs[1].start_ms : leg->buckets_until_ms;

    if (leg->start_ms + makespan > latest) {
        return false;
    }
    leg->makespan_ms = makespan;
    leg->makespan_bound_ms = leg->makespan_bound_ms > volumes->makespan_bound_ms
                                 ? leg->makespan_bound_ms
                                 : volumes->makespan_bound_ms;
    leg->deadline_ms =
        least(latest, leg->start_ms + (int64_t)(SLACK_FRAC * (double)makespan) +
                          QUARTER_HOUR_MS);
    plan->not_after_ms = plan->legs[plan->n_legs - 1].deadline_ms + DCP_HOUR_MS;
    return true;
}

/* The wide plan with its volumes' moves; '*out_ok' false: there is no order for
 * them, or no time. */
static bool
join(const struct widen *w, struct dcp_plan *plan,
     struct dcp_storage_schedule *out, bool *out_ok, struct dcp_error *err)
{
    struct dcp_step_list list = { .arena = plan->arena };
    DCP_AUTO(dcp_placement)
    struct dcp_placement *to = dcp_placement_copy(plan->legs[0].after, err);
    struct dcp_storage_moves_request request = {
        .inventory = w->inv,
        .demand = w->r->demand,
        .from = w->r->start,
        .to = to,
        .reason = DCP_REASON_STORAGE_REACH,
    };

    *out_ok = false;
    bool ok = to && put_volumes(w, to, err) &&
              dcp_storage_moves_make(&request, &list, out, err);

    if (!ok || !out->ok || !lengthen(plan, out)) {
        dcp_step_list_finish(&list);
        return ok;
    }
    uint32_t n = list.n;
    struct dcp_step *all = dcp_arena_array(plan->arena, struct dcp_step,
                                           (size_t)n + plan->n_steps + 1);

    ok = all || no_memory(err);
    for (uint32_t i = 0; ok && i < n; i++) {
        all[i] = list.steps[i];
    }
    for (uint32_t i = 0; ok && i < plan->n_steps; i++) {
        all[n + i] = plan->steps[i];
        ok = join_waits(w, &list, n, plan, &all[n + i]) || no_memory(err);
    }
    for (uint32_t l = 0; ok && l < plan->n_legs; l++) {
        ok = put_volumes(w, plan->legs[l].after, err);
    }
    dcp_step_list_finish(&list);
    if (ok) {
        plan->steps = all;
        plan->n_steps += n;
        plan->limits.moves_per_pool = w->inv->policy.storage.moves_per_pool;
        *out_ok = true;
    }
    return ok;
}

/* --- Whether it pays ---------------------------------------------------- */

static bool
pays(const struct widen *w, const struct dcp_plan_outcome *without,
     bool has_plan, const struct dcp_plan_outcome *with, uint64_t mib)
{
    double cost = w->inv->policy.storage.cost_per_gib * (double)mib / 1024;
    double now = has_plan ? without->after : without->before;
    double gain = now - with->after - cost;

    return without->status == DCP_STATUS_INFEASIBLE ||
           without->status == DCP_STATUS_TIMEOUT ||
           gain > w->inv->policy.min_gain_frac * fmax(fabs(now), 1e-9);
}

static void
tell(const struct widen *w, struct dcp_plan_outcome *o, struct dcp_plan *plan,
     const struct dcp_storage_schedule *volumes)
{
    double cost =
        w->inv->policy.storage.cost_per_gib * (double)volumes->moved_mib / 1024;

    o->status = DCP_STATUS_FEASIBLE; /* Other pools were not tried. */
    plan->status = dcp_status_name(o->status);
    o->after += cost;
    if (o->n_objectives) {
        o->objectives[0].after += cost;
    }
    o->moves += volumes->n_moves;
    o->moved_mib += volumes->moved_mib;
    o->storage = (struct dcp_storage_outcome){
        .status = DCP_STATUS_FEASIBLE,
        .bound_method = "",
        .volumes_moved = volumes->n_moves,
        .moved_mib = volumes->moved_mib,
        .after = (double)volumes->moved_mib,
    };
}

static bool
try_wide(struct widen *w, struct dcp_plan **plan, struct dcp_plan_outcome *o,
         struct dcp_error *err)
{
    struct dcp_plan_request wide = *w->r;
    struct dcp_plan_outcome with;
    struct dcp_storage_schedule volumes;
    struct dcp_plan *made = NULL;
    bool ok = true, joined = false;

    if (!on_paper(w, err)) {
        return false;
    }
    if (!w->n_changed) {
        return true;
    }
    wide.inventory = &w->wide;
    if (!dcp_plan_make_as_is(&wide, &made, &with, err)) {
        return false;
    }
    uint64_t mib = made ? find_needed(w, made) : 0;

    if (mib && pays(w, o, *plan != NULL, &with, mib)) {
        ok = join(w, made, &volumes, &joined, err);
    }
    if (ok && joined) {
        tell(w, &with, made, &volumes);
        dcp_plan_destroy(*plan);
        *plan = made;
        *o = with;
    } else {
        dcp_plan_destroy(made);
    }
    return ok;
}

bool
dcp_plan_widen(const struct dcp_plan_request *r, struct dcp_plan **plan,
               struct dcp_plan_outcome *outcome, struct dcp_error *err)
{
    const struct dcp_inventory *inv = r->inventory;
    struct widen w = { .r = r, .inv = inv };

    if (r->job != DCP_JOB_CONSOLIDATE || r->settled || r->max_moves ||
        inv->policy.storage.moves != DCP_STORAGE_MOVES_ALLOW ||
        inv->n_pools < 2 || !inv->n_volumes) {
        return true;
    }
    w.volumes = calloc(inv->n_volumes, sizeof *w.volumes);
    w.load = calloc(inv->n_pools, sizeof *w.load);
    w.n_hosts = calloc(inv->n_pools, sizeof *w.n_hosts);
    w.moves = calloc(inv->n_volumes, 1);
    bool ok = (w.volumes && w.load && w.n_hosts && w.moves) || no_memory(err);

    if (ok) {
        memcpy(w.volumes, inv->volumes, inv->n_volumes * sizeof *w.volumes);
        ok = try_wide(&w, plan, outcome, err);
    }
    free(w.volumes);
    free(w.load);
    free(w.n_hosts);
    free(w.moves);
    return ok;
}
