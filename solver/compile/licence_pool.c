/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/compile/licence_pool.h"

#include "model/licence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDING 1e-6 /* What sums of units may be off by. */

static bool
no_memory(struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_NOMEM, "no memory for licence pools");
}

static bool
counts_hosts(const struct dcp_licence *l)
{
    return l->metric != DCP_LICENCE_VM && l->metric != DCP_LICENCE_VCPU;
}

/* --- Compiling ---------------------------------------------------------- */

/* Raises the least to what each host has in one placement. */
static void
raise_least(const struct dcp_inventory *inv, const struct dcp_licence *l,
            const struct dcp_placement *at, uint32_t *now, uint32_t *vms,
            uint32_t *vcpus)
{
    memset(now, 0, 2 * (size_t)inv->n_hosts * sizeof *now);
    for (uint32_t i = 0; i < l->vms.n; i++) {
        dcp_vm_id vm = { l->vms.ix[i] };
        uint32_t h = at->host[vm.ix].ix;

        if (h != DCP_IX_NONE) {
            now[2 * h]++;
            now[2 * h + 1] += (uint32_t)dcp_licence_vm_count(inv, l, vm);
        }
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        vms[h] = now[2 * h] > vms[h] ? now[2 * h] : vms[h];
        vcpus[h] = now[2 * h + 1] > vcpus[h] ? now[2 * h + 1] : vcpus[h];
    }
}

static bool
compile_least(const struct dcp_problem *p, const struct dcp_licence *l,
              struct dcp_licence_pool *out)
{
    const struct dcp_inventory *inv = p->q->inventory;
    uint32_t *vms = dcp_arena_array(p->arena, uint32_t, p->n_hosts);
    uint32_t *vcpus = dcp_arena_array(p->arena, uint32_t, p->n_hosts);
    DCP_FREE uint32_t *now = calloc(2 * (size_t)p->n_hosts + 1, sizeof *now);

    if (!vms || !vcpus || !now) {
        return false;
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        vms[h] = l->scope == DCP_LICENCE_REACHABLE && counts_hosts(l) &&
                 dcp_licence_reaches(inv, l, (dcp_host_id){ h });
    }
    raise_least(inv, l, p->q->start, now, vms, vcpus);
    if (p->q->home) {
        raise_least(inv, l, p->q->home, now, vms, vcpus);
    }
    out->least_vms = vms;
    out->least_vcpus = vcpus;
    return true;
}

static bool
compile_pools(const struct dcp_problem *p, struct dcp_licence_pools *g)
{
    const struct dcp_inventory *inv = p->q->inventory;
    const struct dcp_placement *home[] = { p->q->home ? p->q->home
                                                      : p->q->start };
    struct dcp_licence_pool *pool =
        dcp_arena_array(p->arena, struct dcp_licence_pool, inv->n_licences);

    for (uint32_t i = 0; pool && i < inv->n_licences; i++) {
        const struct dcp_licence *l = &inv->licences[i];
        bool follows_vms = !counts_hosts(l) && !l->guests_free_on_host;
        struct dcp_licence_need need;

        if (!(l->owned > 0)) {
            continue;
        }
        dcp_licence_count(inv, i, home, 1, &need);
        pool[g->n] = (struct dcp_licence_pool){
            .licence = i, .most = fmax(floor(l->owned), need.units)
        };
        if (l->scope != DCP_LICENCE_PLACED && !follows_vms &&
            !compile_least(p, l, &pool[g->n])) {
            return false;
        }
        g->n++;
    }
    g->pool = pool;
    return pool != NULL;
}

static bool
compile_shares(const struct dcp_problem *p, struct dcp_licence_pools *g)
{
    const struct dcp_inventory *inv = p->q->inventory;
    size_t n = 0, n_cells = (size_t)p->n_items * g->n;
    DCP_FREE uint32_t *count = calloc(2 * n_cells + 1, sizeof *count);
    uint32_t *first = dcp_arena_array(p->arena, uint32_t, p->n_items + 1u);
    uint32_t at = 0;

    for (uint32_t k = 0; count && k < g->n; k++) {
        const struct dcp_licence *l = &inv->licences[g->pool[k].licence];

        for (uint32_t i = 0; i < l->vms.n; i++) {
            dcp_vm_id vm = { l->vms.ix[i] };
            uint32_t item = p->item_of_vm[vm.ix];

            if (item != DCP_IX_NONE) {
                uint32_t *c = count + 2 * ((size_t)item * g->n + k);

                n += c[0]++ == 0;
                c[1] += (uint32_t)dcp_licence_vm_count(inv, l, vm);
            }
        }
    }
    struct dcp_licence_share *share =
        dcp_arena_array(p->arena, struct dcp_licence_share, n);

    if (!count || !first || !share) {
        return false;
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        first[i] = at;
        for (uint32_t k = 0; k < g->n; k++) {
            const uint32_t *c = count + 2 * ((size_t)i * g->n + k);

            if (c[0]) {
                share[at++] = (struct dcp_licence_share){ k, c[0], c[1] };
            }
        }
    }
    first[p->n_items] = at;
    g->first = first;
    g->share = share;
    return true;
}

bool
dcp_licence_pools_compile(const struct dcp_problem *p,
                          const struct dcp_licence_pools **out,
                          struct dcp_error *err)
{
    const struct dcp_inventory *inv = p->q->inventory;
    bool any = false;

    *out = NULL;
    for (uint32_t i = 0; i < inv->n_licences; i++) {
        any |= inv->licences[i].owned > 0;
    }
    if (!any || inv->policy.licences != DCP_LICENCES_OWNED) {
        return true;
    }
    struct dcp_licence_pools *g =
        dcp_arena_new(p->arena, struct dcp_licence_pools);

    if (!g || !compile_pools(p, g) || !compile_shares(p, g)) {
        return no_memory(err);
    }
    *out = g;
    return true;
}

/* --- Counting ----------------------------------------------------------- */

static double
units_of(const struct dcp_problem *p, const struct dcp_licence_pool *pool,
         uint32_t host, uint32_t vms, uint32_t vcpus)
{
    const struct dcp_inventory *inv = p->q->inventory;

    if (pool->least_vms) {
        vms = pool->least_vms[host] > vms ? pool->least_vms[host] : vms;
        vcpus =
            pool->least_vcpus[host] > vcpus ? pool->least_vcpus[host] : vcpus;
    }
    return dcp_licence_host_units(inv, &inv->licences[pool->licence],
                                  (dcp_host_id){ host }, vms, vcpus);
}

struct dcp_licence_counts *
dcp_licence_counts_create(const struct dcp_problem *p)
{
    const struct dcp_licence_pools *g = p->pools;
    size_t cells = (size_t)g->n * p->n_hosts + 1;
    struct dcp_licence_counts *c = calloc(1, sizeof *c);

    if (!c) {
        return NULL;
    }
    c->n_vms = calloc(cells, sizeof *c->n_vms);
    c->n_vcpus = calloc(cells, sizeof *c->n_vcpus);
    c->units = calloc(cells, sizeof *c->units);
    c->total = calloc(g->n + 1u, sizeof *c->total);
    if (!c->n_vms || !c->n_vcpus || !c->units || !c->total) {
        dcp_licence_counts_destroy(c);
        return NULL;
    }
    for (uint32_t k = 0; k < g->n; k++) {
        for (uint32_t h = 0; h < p->n_hosts; h++) {
            double units = units_of(p, &g->pool[k], h, 0, 0);

            c->units[(size_t)k * p->n_hosts + h] = units;
            c->total[k] += units;
        }
    }
    return c;
}

void
dcp_licence_counts_destroy(struct dcp_licence_counts *c)
{
    if (c) {
        free(c->n_vms);
        free(c->n_vcpus);
        free(c->units);
        free(c->total);
        free(c);
    }
}

void
dcp_licence_counts_assign(struct dcp_licence_counts *to,
                          const struct dcp_licence_counts *from,
                          const struct dcp_problem *p)
{
    size_t cells = (size_t)p->pools->n * p->n_hosts;

    memcpy(to->n_vms, from->n_vms, cells * sizeof *to->n_vms);
    memcpy(to->n_vcpus, from->n_vcpus, cells * sizeof *to->n_vcpus);
    memcpy(to->units, from->units, cells * sizeof *to->units);
    memcpy(to->total, from->total, p->pools->n * sizeof *to->total);
}

void
dcp_licence_counts_change(struct dcp_licence_counts *c,
                          const struct dcp_problem *p, uint32_t item,
                          uint32_t host, bool add)
{
    const struct dcp_licence_pools *g = p->pools;

    for (uint32_t j = g->first[item]; j < g->first[item + 1]; j++) {
        const struct dcp_licence_share *of = &g->share[j];
        size_t at = (size_t)of->pool * p->n_hosts + host;

        c->n_vms[at] += add ? of->n_vms : -of->n_vms;
        c->n_vcpus[at] += add ? of->n_vcpus : -of->n_vcpus;

        double units =
            units_of(p, &g->pool[of->pool], host, c->n_vms[at], c->n_vcpus[at]);

        c->total[of->pool] += units - c->units[at];
        c->units[at] = units;
    }
}

const struct dcp_licence_pool *
dcp_licence_pool_exceeded(const struct dcp_licence_counts *c,
                          const struct dcp_problem *p, uint32_t item,
                          uint32_t at, uint32_t host, double *out_units)
{
    const struct dcp_licence_pools *g = p->pools;

    for (uint32_t j = g->first[item]; j < g->first[item + 1]; j++) {
        const struct dcp_licence_share *of = &g->share[j];
        const struct dcp_licence_pool *pool = &g->pool[of->pool];
        size_t row = (size_t)of->pool * p->n_hosts;
        double units = c->total[of->pool];

        if (at != host) {
            units += units_of(p, pool, host, c->n_vms[row + host] + of->n_vms,
                              c->n_vcpus[row + host] + of->n_vcpus) -
                     c->units[row + host];
        }
        if (at != host && at != DCP_IX_NONE) {
            units += units_of(p, pool, at, c->n_vms[row + at] - of->n_vms,
                              c->n_vcpus[row + at] - of->n_vcpus) -
                     c->units[row + at];
        }
        if (units > pool->most + ROUNDING) {
            *out_units = ceil(units - ROUNDING);
            return pool;
        }
    }
    return NULL;
}
