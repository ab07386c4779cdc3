/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Space that is provisioned of storage pools.  Only creating and destroying a
 * VM changes it: volumes come with the one and go with the other; moves and
 * parking leave them where they are.  Creations and destructions are events
 * like arrivals at a host, so the same closure proves all orders. */

#include "model/check/leg.h"

#include <stdlib.h>

static double
limit_of(const struct dcp_pool *pool)
{
    return (double)pool->capacity_mib * pool->thin_overcommit;
}

static void
report(const struct dcp_judge *j, uint32_t step, uint32_t pool, double mib,
       double most)
{
    dcp_judge_report(j, step, "capacity",
                     (struct dcp_object){ DCP_OBJECT_POOL, pool }, mib, most,
                     "provisioned %.0f of %.0f MiB", mib, most);
}

/* By pool, of VMs that have a host. NULL: no memory. The caller's. */
static double *
provisioned(const struct dcp_inventory *inv, const struct dcp_placement *p)
{
    double *mib = calloc(inv->n_pools + 1u, sizeof *mib);

    for (uint32_t i = 0; mib && i < inv->n_volumes; i++) {
        const struct dcp_volume *v = &inv->volumes[i];

        if (!dcp_pool_is_none(v->pool) &&
            (dcp_vm_is_none(v->vm) || !dcp_host_is_none(p->host[v->vm.ix]))) {
            mib[v->pool.ix] += (double)v->size_mib;
        }
    }
    return mib;
}

bool
dcp_pools_placement(const struct dcp_judge *j, const struct dcp_placement *p)
{
    DCP_FREE double *mib = provisioned(j->inv, p);

    if (!mib) {
        return dcp_judge_no_memory(j);
    }
    for (uint32_t i = 0; i < j->inv->n_pools; i++) {
        const struct dcp_pool *pool = &j->inv->pools[i];

        if (pool->capacity_mib && mib[i] > limit_of(pool)) {
            report(j, 0, i, mib[i], limit_of(pool));
        }
    }
    return true;
}

static int64_t
volumes_in(const struct dcp_inventory *inv, uint32_t vm, uint32_t pool)
{
    int64_t mib = 0;

    for (uint32_t i = 0; i < inv->vms[vm].n_volumes; i++) {
        const struct dcp_volume *v =
            &inv->volumes[inv->vms[vm].first_volume + i];

        mib += v->pool.ix == pool ? (int64_t)v->size_mib : 0;
    }
    return mib;
}

struct work {
    struct dcp_leg_view *leg;
    uint32_t *in, *out; /* Steps that create, that destroy. */
    uint32_t n_in, n_out;
    int64_t *weight; /* Of one pool: all in, then all out. */
};

static void
list_events(struct work *w)
{
    for (uint32_t id = w->leg->first_id; id < w->leg->end_id; id++) {
        const struct dcp_step *s = dcp_leg_step(w->leg, id);

        if (s->kind == DCP_STEP_VM_CREATE) {
            w->in[w->n_in++] = id;
        } else if (s->kind == DCP_STEP_VM_DESTROY) {
            w->out[w->n_out++] = id;
        }
    }
}

static void
judge_pool(struct work *w, struct dcp_check_touch *touch, uint32_t pool,
           double start)
{
    const struct dcp_inventory *inv = w->leg->j->inv;
    double most = limit_of(&inv->pools[pool]);
    uint32_t step;

    most = start > most ? start : most;
    for (uint32_t i = 0; i < w->n_in + w->n_out; i++) {
        uint32_t id = i < w->n_in ? w->in[i] : w->out[i - w->n_in];

        w->weight[i] =
            volumes_in(inv, dcp_leg_step(w->leg, id)->object.ix, pool);
    }
    double worst =
        start + (double)dcp_check_touch_worst(touch, w->weight, &step);

    w->leg->j->result->states_checked++;
    if (worst > most) {
        report(w->leg->j, step, pool, worst, most);
    }
}

bool
dcp_pools_check(struct dcp_leg_view *leg)
{
    const struct dcp_judge *j = leg->j;
    size_t n = leg->end_id - leg->first_id;
    DCP_FREE uint32_t *in = calloc(n + 1, sizeof *in);
    DCP_FREE uint32_t *out = calloc(n + 1, sizeof *out);
    DCP_FREE int64_t *weight = calloc(n + 1, sizeof *weight);
    DCP_FREE double *start = provisioned(j->inv, leg->start);
    struct work w = { .leg = leg, .in = in, .out = out, .weight = weight };

    if (!in || !out || !weight || !start) {
        return dcp_judge_no_memory(j);
    }
    list_events(&w);
    if (!w.n_in) {
        return true;
    }
    DCP_AUTO(dcp_check_touch)
    struct dcp_check_touch *touch =
        dcp_check_touch_create(leg->order, in, w.n_in, out, w.n_out);

    if (!touch) {
        return dcp_judge_no_memory(j);
    }
    for (uint32_t i = 0; i < j->inv->n_pools; i++) {
        if (j->inv->pools[i].capacity_mib) {
            judge_pool(&w, touch, i, start[i]);
        }
    }
    return true;
}
