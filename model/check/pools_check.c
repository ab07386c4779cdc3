/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What is in storage pools: space as provisioned, operations and throughput.
 * Creating a VM and bringing one back add what its volumes ask, destroying it
 * takes that away, parking it takes away all but the space; a volume that moves
 * is in both pools while it does.  All these are events like arrivals at a host
 * and departures from it, so the same closure proves all orders. */

#include "model/check/leg.h"
#include "model/volume.h"

#include <inttypes.h>
#include <stdlib.h>

typedef uint64_t load[DCP_POOL_RESOURCES];

static void
report(const struct dcp_judge *j, uint32_t step, uint32_t pool, uint32_t r,
       uint64_t need, uint64_t most)
{
    const char *what = r == DCP_POOL_SPACE ? "provisioned" : "asked for";

    dcp_judge_report(
        j, step, "capacity", (struct dcp_object){ DCP_OBJECT_POOL, pool },
        (double)need, (double)most, "%s %" PRIu64 " of %" PRIu64 " %s%s", what,
        need, most, dcp_pool_resource_unit((enum dcp_pool_resource)r),
        dcp_pool_resource_hours(j->demand, (enum dcp_pool_resource)r));
}

static bool
counts(const struct dcp_judge *j, uint32_t r)
{
    return dcp_pool_resource_counts(j->demand, (enum dcp_pool_resource)r);
}

/* Whether the volume is in use, and so counted: its VM has a host. */
static bool
is_in_use(const struct dcp_volume *v, const struct dcp_placement *p)
{
    return dcp_vm_is_none(v->vm) || !dcp_host_is_none(p->host[v->vm.ix]);
}

/* By pool, of VMs that have a host. NULL: no memory. The caller's. */
static load *
load_of(const struct dcp_judge *j, const struct dcp_placement *p)
{
    const struct dcp_inventory *inv = j->inv;
    load *sum = calloc(inv->n_pools + 1u, sizeof *sum), asks;

    for (uint32_t i = 0; sum && i < inv->n_volumes; i++) {
        dcp_pool_id pool = dcp_placement_pool(p, inv, i);

        if (dcp_pool_is_none(pool) || !is_in_use(&inv->volumes[i], p)) {
            continue;
        }
        dcp_volume_request(inv, j->demand, i, asks);
        for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
            sum[pool.ix][r] += asks[r];
        }
    }
    return sum;
}

/* Volumes that are in no pool of their tier, or with one of their VM's that
 * they are to be apart from. */
static void
place_volumes(const struct dcp_judge *j, const struct dcp_placement *p)
{
    const struct dcp_inventory *inv = j->inv;

    for (uint32_t i = 0; i < inv->n_volumes; i++) {
        dcp_pool_id pool = dcp_placement_pool(p, inv, i);
        dcp_vm_id vm = inv->volumes[i].vm;

        if (dcp_pool_is_none(pool) || !is_in_use(&inv->volumes[i], p)) {
            continue;
        }
        dcp_volume_tier_check(j, i, pool, pool, 0);
        bool apart =
            !dcp_vm_is_none(vm) && inv->vms[vm.ix].disks == DCP_DISKS_APART;

        for (uint32_t k = apart ? inv->vms[vm.ix].first_volume : i; k < i;
             k++) {
            if (dcp_placement_pool(p, inv, k).ix == pool.ix) {
                dcp_judge_report(j, 0, "disks",
                                 (struct dcp_object){ DCP_OBJECT_VOLUME, i },
                                 DCP_NO_NUMBER, DCP_NO_NUMBER,
                                 "in pool %.60s with another disk of its VM",
                                 inv->pools[pool.ix].name);
                break;
            }
        }
    }
}

bool
dcp_pools_placement(const struct dcp_judge *j, const struct dcp_placement *p)
{
    DCP_FREE load *sum = load_of(j, p);

    if (!sum) {
        return dcp_judge_no_memory(j);
    }
    for (uint32_t i = 0; i < j->inv->n_pools; i++) {
        load limit;

        dcp_pool_limit(&j->inv->pools[i], limit);
        for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
            if (sum[i][r] > limit[r] && counts(j, r)) {
                report(j, 0, i, r, sum[i][r], limit[r]);
            }
        }
    }
    place_volumes(j, p);
    return true;
}

/* --- Legs --------------------------------------------------------------- */

struct event { /* What one step does to one pool. */
    uint32_t pool, step;
    load in, out;
};

struct work {
    struct dcp_leg_view *leg;
    struct event *events;
    size_t n, capacity;
    uint32_t *in, *out; /* Of one pool: steps that add, that take away. */
    int64_t *weight;    /* [resource][all in, then all out] */
};

static struct event *
event_of(struct work *w, size_t first, uint32_t pool, uint32_t step)
{
    for (size_t i = first; i < w->n; i++) {
        if (w->events[i].pool == pool) {
            return &w->events[i];
        }
    }
    if (w->n == w->capacity) {
        size_t capacity = w->capacity ? 2 * w->capacity : 256;
        struct event *more = realloc(w->events, capacity * sizeof *w->events);

        if (!more) {
            return NULL;
        }
        w->events = more;
        w->capacity = capacity;
    }
    w->events[w->n] = (struct event){ .pool = pool, .step = step };
    return &w->events[w->n++];
}

static bool
add(struct work *w, size_t first, uint32_t pool, uint32_t step, bool in,
    uint32_t volume, uint32_t first_resource)
{
    const struct dcp_judge *j = w->leg->j;
    struct event *e = event_of(w, first, pool, step);
    load asks;

    if (!e) {
        return dcp_judge_no_memory(j);
    }
    dcp_volume_request(j->inv, j->demand, volume, asks);
    for (uint32_t r = first_resource; r < DCP_POOL_RESOURCES; r++) {
        (in ? e->in : e->out)[r] += asks[r];
    }
    return true;
}

/* Volumes of a VM that comes or goes, where the leg begins. */
static bool
add_vm(struct work *w, const struct dcp_step *s, bool in, bool parks)
{
    const struct dcp_inventory *inv = w->leg->j->inv;
    const struct dcp_vm *vm = &inv->vms[s->object.ix];
    size_t first = w->n;

    for (uint32_t i = 0; i < vm->n_volumes; i++) {
        uint32_t v = vm->first_volume + i;
        dcp_pool_id pool = dcp_placement_pool(w->leg->start, inv, v);

        if (!dcp_pool_is_none(pool) &&
            !add(w, first, pool.ix, s->id, in, v,
                 parks ? DCP_POOL_IOPS : DCP_POOL_SPACE)) {
            return false;
        }
    }
    return true;
}

static bool
list_events(struct work *w)
{
    for (uint32_t id = w->leg->first_id; id < w->leg->end_id; id++) {
        const struct dcp_step *s = dcp_leg_step(w->leg, id);
        bool ok = true;

        if (s->kind == DCP_STEP_VM_CREATE || s->kind == DCP_STEP_VM_RESTORE) {
            ok = add_vm(w, s, true, false);
        } else if (s->kind == DCP_STEP_VM_DESTROY ||
                   s->kind == DCP_STEP_VM_PARK) {
            ok = add_vm(w, s, false, s->kind == DCP_STEP_VM_PARK);
        } else if (s->kind == DCP_STEP_VOLUME_MOVE &&
                   is_in_use(&w->leg->j->inv->volumes[s->object.ix],
                             w->leg->start)) {
            size_t first = w->n;

            ok = add(w, first, s->to.ix, id, true, s->object.ix, 0) &&
                 add(w, first, s->from.ix, id, false, s->object.ix, 0);
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

static int
by_pool(const void *pa, const void *pb)
{
    const struct event *a = pa, *b = pb;

    return a->pool != b->pool ? (a->pool < b->pool ? -1 : 1)
                              : (a->step < b->step ? -1 : a->step > b->step);
}

static bool
judge_pool(struct work *w, const struct event events[], size_t n,
           const load start)
{
    const struct dcp_judge *j = w->leg->j;
    uint32_t pool = events[0].pool, n_in = 0, n_out = 0;
    load limit;

    for (size_t i = 0; i < n; i++) {
        bool in = false, out = false;

        for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
            in |= events[i].in[r] != 0;
            out |= events[i].out[r] != 0;
        }
        if (in) {
            w->in[n_in++] = events[i].step;
        }
        if (out) {
            w->out[n_out++] = events[i].step;
        }
    }
    if (!n_in) {
        return true;
    }
    DCP_AUTO(dcp_check_touch)
    struct dcp_check_touch *touch =
        dcp_check_touch_create(w->leg->order, w->in, n_in, w->out, n_out);

    if (!touch) {
        return dcp_judge_no_memory(j);
    }
    dcp_pool_limit(&j->inv->pools[pool], limit);
    for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
        uint32_t a = 0, b = 0, step;

        if (limit[r] == UINT64_MAX || !counts(j, r)) {
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            if (a < n_in && w->in[a] == events[i].step) {
                w->weight[a++] = (int64_t)events[i].in[r];
            }
            if (b < n_out && w->out[b] == events[i].step) {
                w->weight[n_in + b++] = (int64_t)events[i].out[r];
            }
        }
        uint64_t most = start[r] > limit[r] ? start[r] : limit[r];
        uint64_t worst =
            start[r] + (uint64_t)dcp_check_touch_worst(touch, w->weight, &step);

        j->result->states_checked++;
        if (worst > most) {
            report(j, step, pool, r, worst, most);
        }
    }
    return true;
}

static bool
judge_pools(struct work *w, load *start)
{
    if (w->n > 1) {
        qsort(w->events, w->n, sizeof *w->events, by_pool);
    }
    for (size_t i = 0, end; i < w->n; i = end) {
        for (end = i + 1;
             end < w->n && w->events[end].pool == w->events[i].pool; end++) {
        }
        if (!judge_pool(w, w->events + i, end - i, start[w->events[i].pool])) {
            return false;
        }
    }
    return true;
}

bool
dcp_pools_check(struct dcp_leg_view *leg)
{
    struct work w = { .leg = leg };
    bool ok = list_events(&w);

    if (ok && w.n) {
        DCP_FREE load *start = load_of(leg->j, leg->start);

        w.in = calloc(w.n, sizeof *w.in);
        w.out = calloc(w.n, sizeof *w.out);
        w.weight = calloc(2 * w.n, sizeof *w.weight);
        ok = start && w.in && w.out && w.weight ? judge_pools(&w, start)
                                                : dcp_judge_no_memory(leg->j);
    }
    free(w.events);
    free(w.in);
    free(w.out);
    free(w.weight);
    return ok;
}
