/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Which volume is in which pool between which steps, and whether it may be:
 * the host of its VM can open the pool in every state, the pool has the tier
 * that the volume needs when the leg ends, disks that belong together are, and
 * no move is said to be faster than it can be. */

#include "model/check/leg.h"
#include "model/volume.h"

#include <stdlib.h>

#define MS_PER_S 1000.0

static struct dcp_object
volume_object(uint32_t ix)
{
    return (struct dcp_object){ DCP_OBJECT_VOLUME, ix };
}

static const char *
pool_name(const struct dcp_inventory *inv, uint32_t ix)
{
    return ix == DCP_IX_NONE ? "no pool" : inv->pools[ix].name;
}

void
dcp_volume_tier_check(const struct dcp_judge *j, uint32_t volume,
                      dcp_pool_id from, dcp_pool_id pool, uint32_t step)
{
    static const char *const names[] = { "archive", "normal", "ultrafast" };
    const struct dcp_volume *v = &j->inv->volumes[volume];
    enum dcp_pool_tier need = dcp_volume_tier_in(j->inv, v, from.ix);
    enum dcp_pool_tier have = j->inv->pools[pool.ix].tier;

    if (need != have) {
        dcp_judge_report(j, step, "pool_tier", volume_object(volume),
                         (double)need, (double)have,
                         "needs tier %s; pool %.60s is %s", names[need],
                         j->inv->pools[pool.ix].name, names[have]);
    }
}

/* --- Where volumes are -------------------------------------------------- */

static bool
follow(struct dcp_leg_view *leg)
{
    const struct dcp_judge *j = leg->j;
    uint32_t n = j->inv->n_volumes;
    DCP_FREE uint32_t *last = calloc(n + 1u, sizeof *last);

    leg->volume_stays =
        dcp_arena_array(leg->arena, struct dcp_volume_stay,
                        2 * (size_t)(leg->end_id - leg->first_id) + 1);
    if (!last || !leg->volume_stays ||
        !dcp_placement_own_pools(leg->end, j->inv, j->err)) {
        return dcp_judge_no_memory(j);
    }
    for (uint32_t id = leg->first_id; id < leg->end_id; id++) {
        const struct dcp_step *s = dcp_leg_step(leg, id);

        if (s->kind != DCP_STEP_VOLUME_MOVE) {
            continue;
        }
        uint32_t v = s->object.ix, at = leg->end->pool[v].ix;

        if (at != s->from.ix) {
            leg->sound = false;
            dcp_judge_report(
                j, id, "from", s->object, DCP_NO_NUMBER, DCP_NO_NUMBER,
                "starts from %.50s, but the volume is in %.50s",
                pool_name(j->inv, s->from.ix), pool_name(j->inv, at));
        }
        if (last[v] && !dcp_check_order_before(leg->order, last[v], id)) {
            dcp_judge_report(j, id, "order", s->object, last[v], id,
                             "does not wait for step %u of the same volume",
                             last[v]);
        }
        leg->volume_stays[leg->n_volume_stays++] =
            (struct dcp_volume_stay){ v, at, last[v], id };
        leg->end->pool[v] = (dcp_pool_id){ s->to.ix };
        last[v] = id;
    }
    for (uint32_t v = 0; v < n; v++) {
        if (last[v]) {
            leg->volume_stays[leg->n_volume_stays++] =
                (struct dcp_volume_stay){ v, leg->end->pool[v].ix, last[v], 0 };
        }
    }
    return true;
}

bool
dcp_volumes_follow(struct dcp_leg_view *leg)
{
    for (uint32_t id = leg->first_id; id < leg->end_id; id++) {
        if (dcp_leg_step(leg, id)->kind == DCP_STEP_VOLUME_MOVE) {
            return follow(leg);
        }
    }
    return true;
}

void
dcp_volumes_compare_after(const struct dcp_leg_view *leg)
{
    const struct dcp_judge *j = leg->j;
    const struct dcp_leg *l = &j->plan->legs[leg->index];

    for (uint32_t i = 0; i < j->inv->n_volumes; i++) {
        uint32_t says = dcp_placement_pool(l->after, j->inv, i).ix;
        uint32_t is = dcp_placement_pool(leg->end, j->inv, i).ix;

        if (says != is) {
            dcp_judge_report(
                j, 0, "after", volume_object(i), DCP_NO_NUMBER, DCP_NO_NUMBER,
                "leg %s says %.40s; its steps leave it in %.40s", l->name,
                pool_name(j->inv, says), pool_name(j->inv, is));
        }
    }
}

/* --- What holds in every state ------------------------------------------ */

/* Whether a state may have the VM on its host and the volume in its pool: not
 * where one has ended before the other begins.  A move is at both its ends. */
static bool
may_coincide(const struct dcp_leg_view *leg, const struct dcp_stay *s,
             const struct dcp_volume_stay *v)
{
    return !(s->out && v->in &&
             dcp_check_order_before(leg->order, s->out, v->in)) &&
           !(v->out && s->in &&
             dcp_check_order_before(leg->order, v->out, s->in));
}

static void
check_open(const struct dcp_leg_view *leg, const struct dcp_volume_stay *v,
           const struct dcp_stay *s)
{
    const struct dcp_inventory *inv = leg->j->inv;

    if (dcp_pool_opens_on(inv, v->pool, s->host) || !may_coincide(leg, s, v)) {
        return;
    }
    /* What the start has is not held against the plan. */
    if (!v->in && !s->in) {
        return;
    }
    dcp_judge_report(leg->j, v->in > s->in ? v->in : s->in, "storage",
                     volume_object(v->volume), DCP_NO_NUMBER, DCP_NO_NUMBER,
                     "in pool %.50s, which host %.50s of its VM cannot open",
                     inv->pools[v->pool].name, inv->hosts[s->host].name);
}

static void
check_reach(const struct dcp_leg_view *leg)
{
    const struct dcp_inventory *inv = leg->j->inv;

    for (uint32_t i = 0; i < leg->n_volume_stays; i++) {
        const struct dcp_volume_stay *v = &leg->volume_stays[i];
        dcp_vm_id vm = inv->volumes[v->volume].vm;

        if (dcp_vm_is_none(vm) || v->pool == DCP_IX_NONE) {
            continue;
        }
        uint32_t k = leg->vm_stay[vm.ix];

        if (k == UINT32_MAX && !dcp_host_is_none(leg->start->host[vm.ix])) {
            struct dcp_stay fixed = { vm.ix, leg->start->host[vm.ix].ix, 0, 0 };

            check_open(leg, v, &fixed);
        }
        for (; k < leg->n_stays && leg->stays[k].vm == vm.ix; k++) {
            check_open(leg, v, &leg->stays[k]);
        }
    }
}

/* --- What holds at the end ---------------------------------------------- */

static bool
alike(const struct dcp_volume *a, const struct dcp_volume *b)
{
    return a->tier == b->tier && !dcp_pool_is_none(a->pool) &&
           !dcp_pool_is_none(b->pool);
}

/* A pair of one VM's disks that the plan parts, or puts together. */
static void
check_pair(const struct dcp_leg_view *leg, const struct dcp_placement *base,
           enum dcp_disks disks, uint32_t a, uint32_t b)
{
    const struct dcp_inventory *inv = leg->j->inv;
    bool were = dcp_placement_pool(base, inv, a).ix ==
                dcp_placement_pool(base, inv, b).ix;
    uint32_t p = dcp_placement_pool(leg->end, inv, a).ix;
    uint32_t q = dcp_placement_pool(leg->end, inv, b).ix;

    if (disks == DCP_DISKS_APART && p == q && !were && p != DCP_IX_NONE) {
        dcp_judge_report(
            leg->j, 0, "disks", volume_object(b), DCP_NO_NUMBER, DCP_NO_NUMBER,
            "in pool %.60s with another disk of its VM", pool_name(inv, p));
    }
    if (disks == DCP_DISKS_TOGETHER && were && p != q &&
        alike(&inv->volumes[a], &inv->volumes[b])) {
        dcp_judge_report(leg->j, 0, "disks", volume_object(b), DCP_NO_NUMBER,
                         DCP_NO_NUMBER,
                         "in pool %.40s, parted from a disk of its VM in %.40s",
                         pool_name(inv, q), pool_name(inv, p));
    }
}

static void
check_end(const struct dcp_leg_view *leg, const struct dcp_placement *base)
{
    const struct dcp_inventory *inv = leg->j->inv;

    for (uint32_t i = 0; i < leg->n_volume_stays; i++) {
        const struct dcp_volume_stay *v = &leg->volume_stays[i];
        dcp_vm_id id = inv->volumes[v->volume].vm;

        if (v->out) {
            continue; /* On its way. */
        }
        dcp_volume_tier_check(leg->j, v->volume,
                              dcp_placement_pool(base, inv, v->volume),
                              (dcp_pool_id){ v->pool }, v->in);
        if (dcp_vm_is_none(id)) {
            continue;
        }
        const struct dcp_vm *vm = &inv->vms[id.ix];

        for (uint32_t k = 0; k < vm->n_volumes; k++) {
            if (vm->first_volume + k != v->volume) {
                check_pair(leg, base, vm->disks, vm->first_volume + k,
                           v->volume);
            }
        }
    }
}

/* --- Times -------------------------------------------------------------- */

/* No faster than policy lets one move be, nor than either pool is. */
static void
check_estimate(const struct dcp_judge *j, const struct dcp_step *s)
{
    const struct dcp_pool *pools = j->inv->pools;
    uint64_t rate = j->inv->policy.storage.move_kib_s;
    uint64_t ends[2] = { pools[s->from.ix].rate_kib_s,
                         pools[s->to.ix].rate_kib_s };

    for (int k = 0; k < 2; k++) {
        rate = ends[k] && ends[k] < rate ? ends[k] : rate;
    }
    double least_ms =
        rate ? MS_PER_S * 1024 *
                   (double)j->inv->volumes[s->object.ix].size_mib / (double)rate
             : 0;

    if ((double)s->estimate_ms + 1 < least_ms) {
        dcp_judge_report(
            j, s->id, "estimate", s->object, least_ms, (double)s->estimate_ms,
            "%.0f ms at least, at %.0f KiB/s", least_ms, (double)rate);
    }
}

/* A pool takes part in so many moves at a time. */
static bool
check_times(const struct dcp_leg_view *leg)
{
    const struct dcp_judge *j = leg->j;
    const struct dcp_leg *l = &j->plan->legs[leg->index];
    uint32_t most = j->plan->limits.moves_per_pool;
    uint32_t allowed = j->inv->policy.storage.moves_per_pool;
    DCP_FREE int64_t *busy = calloc(j->inv->n_pools + 1u, sizeof *busy);

    if (!busy) {
        return dcp_judge_no_memory(j);
    }
    if (most == 0 || most > allowed) {
        dcp_judge_report(j, 0, "limits",
                         (struct dcp_object){ DCP_OBJECT_NONE, 0 }, most,
                         allowed, "moves_per_pool is %u; policy allows 1 to %u",
                         most, allowed);
        return true;
    }
    for (uint32_t id = leg->first_id; id < leg->end_id; id++) {
        const struct dcp_step *s = dcp_leg_step(leg, id);

        if (s->kind == DCP_STEP_VOLUME_MOVE) {
            check_estimate(j, s);
            busy[s->from.ix] += s->estimate_ms;
            busy[s->to.ix] += s->estimate_ms;
        }
    }
    for (uint32_t p = 0; p < j->inv->n_pools; p++) {
        if (busy[p] / most > l->deadline_ms - l->start_ms) {
            dcp_judge_report(j, 0, "deadline",
                             (struct dcp_object){ DCP_OBJECT_POOL, p },
                             (double)(busy[p] / most),
                             (double)(l->deadline_ms - l->start_ms),
                             "leg %s: the pool's moves take longer than there "
                             "is time",
                             l->name);
        }
    }
    return true;
}

bool
dcp_volumes_check(struct dcp_leg_view *leg, const struct dcp_placement *base)
{
    if (!leg->n_volume_stays) {
        return true;
    }
    check_reach(leg);
    check_end(leg, base);
    return check_times(leg);
}
