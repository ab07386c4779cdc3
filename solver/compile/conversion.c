/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/compile/conversion.h"

#include "model/convert.h"
#include "solver/compile/pricing.h"
#include "solver/problem.h"

#define KINDS_MAX 64u

/* Whether the VM may be of a hypervisor in this question. */
static bool
may_be_of(const struct dcp_question *q, uint32_t v, dcp_hypervisor_id to)
{
    const struct dcp_inventory *inv = q->inventory;
    const struct dcp_vm *vm = &inv->vms[v];
    dcp_host_id now = q->start->host[v];

    if (!dcp_host_is_none(now)) {
        return dcp_hypervisor_eq(inv->hosts[now.ix].hypervisor, to) ||
               dcp_reach_may_convert(q, v, to);
    }
    return !vm->hypervisors.n || (!dcp_hypervisor_is_none(to) &&
                                  dcp_ids_contain(&vm->hypervisors, to.ix));
}

static bool
find_kinds(struct dcp_conversions *c, const struct dcp_inventory *inv,
           uint8_t *kind_of_host)
{
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        dcp_hypervisor_id of = inv->hosts[h].hypervisor;
        uint32_t k = 0;

        while (k < c->n_kinds && !dcp_hypervisor_eq(c->hypervisor[k], of)) {
            k++;
        }
        if (k == KINDS_MAX) {
            return false;
        }
        c->hypervisor[k] = of;
        c->n_kinds += k == c->n_kinds;
        kind_of_host[h] = (uint8_t)k;
    }
    c->kind_of_host = kind_of_host;
    return true;
}

bool
dcp_conversions_create(const struct dcp_problem *p,
                       struct dcp_conversions **out, struct dcp_error *err)
{
    const struct dcp_inventory *inv = p->q->inventory;
    struct dcp_conversions *c = dcp_arena_new(p->arena, struct dcp_conversions);
    uint8_t *kind = dcp_arena_array(p->arena, uint8_t, p->n_hosts);
    bool any = false;

    *out = NULL;
    if (!c || !kind) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for hypervisors");
    }
    if (!find_kinds(c, inv, kind)) {
        return dcp_fail(err, DCP_E_UNSUPPORTED,
                        "more than %u hypervisors on hosts", KINDS_MAX);
    }
    if (c->n_kinds < 2) {
        return true;
    }
    uint64_t *kinds = dcp_arena_array(p->arena, uint64_t, inv->n_vms);

    if (!kinds) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for hypervisors");
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        for (uint32_t k = 0; p->item_of_vm[v] != DCP_IX_NONE && k < c->n_kinds;
             k++) {
            kinds[v] |= (uint64_t)may_be_of(p->q, v, c->hypervisor[k]) << k;
        }
        any |= (kinds[v] & (kinds[v] - 1)) != 0;
    }
    c->kinds_of_vm = kinds;
    c->n_items = p->n_items;
    *out = any ? c : NULL;
    return true;
}

void
dcp_conversions_least(const struct dcp_conversions *c,
                      const struct dcp_problem *p, uint32_t v,
                      uint32_t row[DCP_SCALARS_MAX])
{
    uint32_t other[DCP_SCALARS_MAX];

    for (uint32_t k = 0; c && k < c->n_kinds; k++) {
        if (!(c->kinds_of_vm[v] >> k & 1)) {
            continue;
        }
        dcp_problem_vm_request(p->q, v, c->hypervisor[k], other);
        for (uint32_t s = 0; s < DCP_SCALARS_MAX; s++) {
            row[s] = other[s] < row[s] ? other[s] : row[s];
        }
    }
}

/* Adds what VM 'v' asks for under kind 'k' above its least. */
static bool
add_more(const struct dcp_conversions *c, const struct dcp_problem *p,
         uint32_t v, uint32_t k, uint32_t *more)
{
    uint32_t asks[DCP_SCALARS_MAX], least[DCP_SCALARS_MAX];
    uint32_t *to =
        more + ((size_t)k * c->n_items + p->item_of_vm[v]) * p->n_scalars;
    bool any = false;

    dcp_problem_vm_request(p->q, v, c->hypervisor[k], asks);
    for (uint32_t s = 0; s < DCP_SCALARS_MAX; s++) {
        least[s] = asks[s];
    }
    dcp_conversions_least(c, p, v, least);
    for (uint32_t s = 0; s < p->n_scalars; s++) {
        uint32_t id = p->scalar_id[s];

        to[s] += asks[id] - least[id];
        any |= asks[id] > least[id];
    }
    return any;
}

bool
dcp_conversions_compile(struct dcp_conversions *c, const struct dcp_problem *p,
                        struct dcp_error *err)
{
    const struct dcp_inventory *inv = p->q->inventory;
    size_t cells = (size_t)c->n_kinds * c->n_items;
    uint32_t *more = dcp_arena_array(p->arena, uint32_t, cells * p->n_scalars);
    double *cost = dcp_arena_array(p->arena, double, cells);
    bool any_more = false, any_way = false;
    int64_t horizon_ms = p->q->terms ? p->q->terms->licence_ms : INT64_MAX;

    if (!more || !cost) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for hypervisors");
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        dcp_host_id now = p->q->start->host[v];
        uint32_t item = p->item_of_vm[v];

        for (uint32_t k = 0; item != DCP_IX_NONE && k < c->n_kinds; k++) {
            if (!(c->kinds_of_vm[v] >> k & 1)) {
                continue;
            }
            any_more |= add_more(c, p, v, k, more);
            const struct dcp_conversion *way =
                dcp_host_is_none(now)
                    ? NULL
                    : dcp_conversion_of(inv, v, inv->hosts[now.ix].hypervisor,
                                        c->hypervisor[k]);

            if (way) {
                cost[(size_t)k * c->n_items + item] +=
                    dcp_conversion_cost(way, horizon_ms);
                any_way = true;
            }
        }
    }
    c->n_scalars = p->n_scalars;
    c->more = any_more ? more : NULL;
    c->cost = any_way ? cost : NULL;
    return true;
}
