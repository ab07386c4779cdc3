/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/storage/storage.h"

#include "solver/storage/bound.h"
#include "solver/storage/exact.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define EXACT_S 5.0

void
dcp_storage_answer_finish(struct dcp_storage_answer *a)
{
    free(a->pool);
    a->pool = NULL;
}

static uint32_t
count_full(const struct dcp_fill *f)
{
    uint32_t n = 0;

    for (uint32_t p = 0; p < f->v->n_pools; p++) {
        bool full = false;

        for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
            full |= f->load[p][r] > f->v->usable[p][r];
        }
        n += full;
    }
    return n;
}

static uint32_t
count_astray(const struct dcp_fill *f)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < f->v->n_items; i++) {
        n += dcp_volumes_may(f->v, i, f->pool[i]) &&
                     !dcp_fill_clashes(f, i, f->pool[i])
                 ? 0
                 : dcp_volumes_n_of(f->v, i);
    }
    return n;
}

static void
name_volume(const struct dcp_inventory *inv, uint32_t volume, char out[96])
{
    dcp_vm_id vm = inv->volumes[volume].vm;

    (void)snprintf(out, 96, "volume:%.80s/%u",
                   dcp_vm_is_none(vm) ? "" : inv->vms[vm.ix].name,
                   dcp_vm_is_none(vm) ? volume
                                      : volume - inv->vms[vm.ix].first_volume);
}

/* A volume of a pool to be emptied that no other pool may have: proved. */
static bool
is_stuck(const struct dcp_volumes *v, struct dcp_storage_answer *a)
{
    static const char *const tiers[] = { "archive", "normal", "ultrafast" };
    const struct dcp_inventory *inv = v->q->inventory;

    for (uint32_t i = 0; v->q->avoid && i < v->n_items; i++) {
        uint64_t any = 0;

        for (uint32_t w = 0; w < v->words; w++) {
            any |= v->may[(size_t)i * v->words + w];
        }
        if (!v->q->avoid[v->home[i]] || any) {
            continue;
        }
        uint32_t volume = v->volume[v->first[i]];
        uint32_t tier = (uint32_t)dcp_volume_tier_in(inv, &inv->volumes[volume],
                                                     v->home[i]);

        a->status = DCP_STATUS_INFEASIBLE;
        (void)snprintf(a->because.rule, sizeof a->because.rule, "storage");
        name_volume(inv, volume, a->because.object);
        (void)snprintf(a->because.text, sizeof a->because.text,
                       "no other pool of tier %s is open to the host of its "
                       "VM",
                       tiers[tier]);
        a->because.need = a->because.have = NAN;
        return true;
    }
    return false;
}

static void
say_shortage(const struct dcp_volumes *v, const struct dcp_storage_shortage *s,
             struct dcp_storage_answer *a)
{
    a->status = DCP_STATUS_INFEASIBLE;
    (void)snprintf(a->because.rule, sizeof a->because.rule, "capacity");
    (void)snprintf(a->because.object, sizeof a->because.object, "pool:%.80s",
                   v->q->inventory->pools[s->pool].name);
    (void)snprintf(a->because.text, sizeof a->because.text,
                   "volumes there need %.0f %s of %s; the pools that may take "
                   "them hold %.0f",
                   s->need, dcp_pool_resource_unit(s->resource),
                   dcp_pool_resource_name(s->resource), s->have);
    a->because.need = s->need;
    a->because.have = s->have;
}

static void
say_nothing_found(const struct dcp_fill *f, struct dcp_storage_answer *a)
{
    const struct dcp_volumes *v = f->v;
    const struct dcp_inventory *inv = v->q->inventory;

    a->status = DCP_STATUS_TIMEOUT;
    (void)snprintf(a->because.rule, sizeof a->because.rule, "storage");
    a->because.need = a->because.have = NAN;
    for (uint32_t p = 0; p < v->n_pools; p++) {
        for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
            uint64_t most = v->limit[p][r] > f->start[p][r] ? v->limit[p][r]
                                                            : f->start[p][r];

            if (f->load[p][r] > most) {
                (void)snprintf(a->because.object, sizeof a->because.object,
                               "pool:%.80s", inv->pools[p].name);
                (void)snprintf(
                    a->because.text, sizeof a->because.text,
                    "no way was found to do with less than %.0f %s "
                    "of its %s",
                    (double)f->load[p][r],
                    dcp_pool_resource_unit((enum dcp_pool_resource)r),
                    dcp_pool_resource_name((enum dcp_pool_resource)r));
                a->because.need = (double)f->load[p][r];
                a->because.have = (double)most;
                return;
            }
        }
    }
    for (uint32_t i = 0; i < v->n_items; i++) {
        if (!dcp_volumes_may(v, i, f->pool[i])) {
            name_volume(inv, v->volume[v->first[i]], a->because.object);
            (void)snprintf(a->because.text, sizeof a->because.text,
                           "no room was found for it in another pool");
            return;
        }
    }
}

static bool
keep_answer(const struct dcp_fill *f, struct dcp_storage_answer *a,
            struct dcp_error *err)
{
    const struct dcp_volumes *v = f->v;
    const struct dcp_inventory *inv = v->q->inventory;

    a->pool = calloc(inv->n_volumes + 1u, sizeof *a->pool);
    if (!a->pool) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u volumes",
                        inv->n_volumes);
    }
    for (uint32_t i = 0; i < inv->n_volumes; i++) {
        a->pool[i] = dcp_placement_pool(v->q->start, inv, i);
    }
    for (uint32_t i = 0; i < v->n_items; i++) {
        for (uint32_t k = v->first[i]; k < v->first[i + 1]; k++) {
            a->pool[v->volume[k]] = (dcp_pool_id){ f->pool[i] };
        }
    }
    a->n_moves = f->n_moved;
    a->moved_mib = f->moved_mib;
    return true;
}

/* What counts, of what 'f' holds, in the answer's unit. */
static double
value_of(const struct dcp_fill *f)
{
    return f->v->q->aim == DCP_STORAGE_BALANCE
               ? dcp_fill_pressure(f) + f->move_cost * (double)f->moved_mib
               : (double)f->moved_mib;
}

/* From the exact solver's cost to the answer's unit. */
static double
bound_from_cost(const struct dcp_fill *f, double cost)
{
    return f->v->q->aim == DCP_STORAGE_BALANCE || f->move_cost <= 0
               ? cost
               : cost / f->move_cost;
}

static bool
prove(struct dcp_fill *f, const struct dcp_fill *start,
      const struct dcp_storage_options *o, struct dcp_storage_answer *a,
      struct dcp_error *err)
{
    bool balance = f->v->q->aim == DCP_STORAGE_BALANCE;
    struct dcp_storage_exact exact;

    if (balance ? !dcp_storage_bound_pressure(start, &a->bound, err)
                : !dcp_storage_bound_moved(start, count_full(f) == 0, &a->bound,
                                           err)) {
        return false;
    }
    a->bound_method = balance ? "spread of load" : "least space";
    a->value = value_of(f);
    double close = 1e-6 * fmax(fabs(a->value), 1e-6);

    if (a->bound < a->value - close) {
        double limit_s = o->deadline_ms ? 1 : EXACT_S;

        if (!dcp_storage_solve_exact(f, limit_s, &exact, err)) {
            return false;
        }
        double bound = bound_from_cost(f, exact.bound);

        a->value = value_of(f);
        if (exact.asked && bound > a->bound) {
            a->bound = bound;
            a->bound_method = "mip";
        }
    }
    a->bound = fmin(a->bound, a->value);
    a->status =
        a->bound >= a->value - close ? DCP_STATUS_OPTIMAL : DCP_STATUS_FEASIBLE;
    return true;
}

bool
dcp_storage_solve(const struct dcp_storage_question *q,
                  const struct dcp_storage_options *o,
                  struct dcp_storage_answer *a, struct dcp_error *err)
{
    struct dcp_storage_shortage shortage;

    *a = (struct dcp_storage_answer){ .status = DCP_STATUS_TIMEOUT,
                                      .bound_method = "" };
    DCP_AUTO(dcp_volumes) struct dcp_volumes *v = dcp_volumes_create(q, err);
    DCP_AUTO(dcp_fill) struct dcp_fill *f = v ? dcp_fill_create(v, err) : NULL;
    DCP_AUTO(dcp_fill)
    struct dcp_fill *start = f ? dcp_fill_create(v, err) : NULL;

    if (!start) {
        return false;
    }
    a->before = value_of(f);
    a->n_full_before = count_full(f);
    a->n_astray_before = count_astray(f);
    if (is_stuck(v, a)) {
        return true;
    }
    if (!dcp_storage_shortage(start, &shortage, err)) {
        return false;
    }
    if (shortage.found) {
        say_shortage(v, &shortage, a);
        return true;
    }
    if (!dcp_storage_search(f, o, &a->rounds, err)) {
        return false;
    }
    if (!dcp_fill_is_legal(f)) {
        say_nothing_found(f, a);
        return true;
    }
    if (!prove(f, start, o, a, err) || !keep_answer(f, a, err)) {
        return false;
    }
    a->n_full = count_full(f);
    a->n_astray = count_astray(f);
    if (!a->n_moves) {
        a->status = DCP_STATUS_NOTHING_TO_DO;
    }
    return true;
}
