/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/compile/host_kinds.h"

#include "solver/compile/reach_parts.h"

#include <stdlib.h>
#include <string.h>

/* While it is refined, numbers have gaps: kinds whose hosts all left. */
struct partition {
    uint32_t n_hosts, n, room;
    uint32_t *of_host;
    uint32_t *into;    /* By kind: where what is split off goes; NONE. */
    uint32_t *touched; /* Kinds with 'into', of one split. */
};

static void
partition_finish(struct partition *p)
{
    free(p->of_host);
    free(p->into);
    free(p->touched);
}

static bool
partition_init(struct partition *p, uint32_t n_hosts)
{
    *p = (struct partition){ .n_hosts = n_hosts,
                             .n = 1,
                             .room = 2 * n_hosts + 2 };
    p->of_host = calloc(n_hosts + 1u, sizeof *p->of_host);
    p->into = malloc(p->room * sizeof *p->into);
    p->touched = malloc((n_hosts + 1u) * sizeof *p->touched);
    if (p->into) {
        memset(p->into, 0xff, p->room * sizeof *p->into);
    }
    return p->of_host && p->into && p->touched;
}

/* Numbers without gaps, by first host. */
static void
renumber(struct partition *p)
{
    uint32_t n = 0;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        uint32_t kind = p->of_host[h];

        if (p->into[kind] == DCP_IX_NONE) {
            p->into[kind] = n++;
        }
        p->of_host[h] = p->into[kind];
    }
    memset(p->into, 0xff, p->room * sizeof *p->into);
    p->n = n;
}

/* The hosts listed, each once, are of other kinds than those that are not. */
static void
split(struct partition *p, const uint32_t *hosts, uint32_t n_listed)
{
    uint32_t n_touched = 0;

    if (p->n + n_listed > p->room) {
        renumber(p); /* To as many as hosts at most. */
    }
    for (uint32_t i = 0; i < n_listed; i++) {
        uint32_t kind = p->of_host[hosts[i]];

        if (p->into[kind] == DCP_IX_NONE) {
            p->touched[n_touched++] = kind;
            p->into[kind] = p->n++;
        }
        p->of_host[hosts[i]] = p->into[kind];
    }
    for (uint32_t i = 0; i < n_touched; i++) {
        p->into[p->touched[i]] = DCP_IX_NONE;
    }
}

/* --- What hosts have ---------------------------------------------------- */

/* Calls 'visit' with each value of the host: its hypervisor, hardware, and
 * VLANs, numbered one after the other. */
struct visitor {
    void (*visit)(struct visitor *, uint32_t host, uint32_t value);
    uint32_t *first, *host; /* Of value v: host[first[v]..first[v + 1]). */
    uint32_t *last;         /* By value: the last host that has it, plus 1. */
};

static uint32_t
n_values(const struct dcp_inventory *inv)
{
    return 2 + inv->n_hypervisors + inv->n_hardware + inv->n_vlans;
}

static void
visit_all(const struct dcp_inventory *inv, struct visitor *v)
{
    uint32_t hardware = 1 + inv->n_hypervisors;
    uint32_t vlans = hardware + inv->n_hardware;

    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        const struct dcp_host *host = &inv->hosts[h];

        v->visit(v, h,
                 dcp_hypervisor_is_none(host->hypervisor)
                     ? 0
                     : 1 + host->hypervisor.ix);
        v->visit(v, h, hardware + host->hardware.ix);
        if (dcp_reach_has_every_vlan(inv, host)) {
            v->visit(v, h, vlans + inv->n_vlans);
            continue;
        }
        for (uint32_t i = 0; i < host->n_ports; i++) {
            const struct dcp_ids *ids = &host->ports[i].vlans;

            for (uint32_t k = 0; k < ids->n; k++) {
                v->visit(v, h, vlans + ids->ix[k]);
            }
        }
    }
}

static void
count(struct visitor *v, uint32_t host, uint32_t value)
{
    v->first[value + 1] += v->last[value] != host + 1;
    v->last[value] = host + 1;
}

static void
list(struct visitor *v, uint32_t host, uint32_t value)
{
    if (v->last[value] != host + 1) {
        v->host[v->first[value]++] = host;
        v->last[value] = host + 1;
    }
}

static bool
split_by_values(struct partition *p, const struct dcp_inventory *inv)
{
    uint32_t n = n_values(inv), begin = 0;
    DCP_FREE uint32_t *first = calloc(n + 1u, sizeof *first);
    DCP_FREE uint32_t *last = calloc(n + 1u, sizeof *last);
    struct visitor v = { .visit = count, .first = first, .last = last };

    if (!first || !last) {
        return false;
    }
    visit_all(inv, &v);
    for (uint32_t k = 0; k < n; k++) {
        first[k + 1] += first[k];
    }
    DCP_FREE uint32_t *hosts = malloc((first[n] + 1u) * sizeof *hosts);

    if (!hosts) {
        return false;
    }
    memset(last, 0, (n + 1u) * sizeof *last);
    v.visit = list;
    v.host = hosts;
    visit_all(inv, &v); /* Each first[] is then where the next list begins. */
    for (uint32_t k = 0; k < n; k++) {
        split(p, hosts + begin, first[k] - begin);
        begin = first[k];
    }
    return true;
}

/* --- All ---------------------------------------------------------------- */

bool
dcp_host_kinds_make(const struct dcp_inventory *inv, struct dcp_host_kinds *out,
                    struct dcp_error *err)
{
    struct partition p;
    bool ok = partition_init(&p, inv->n_hosts) && split_by_values(&p, inv);

    *out = (struct dcp_host_kinds){ 0 };
    for (uint32_t i = 0; ok && i < inv->n_pools; i++) {
        const struct dcp_pool *pool = &inv->pools[i];

        if (!pool->reach_all) {
            split(&p, pool->reach.ix, pool->reach.n);
        }
    }
    if (ok) {
        renumber(&p);
        out->n = p.n;
        out->example = malloc((p.n + 1u) * sizeof *out->example);
        ok = out->example != NULL;
    }
    for (uint32_t h = inv->n_hosts; ok && h-- > 0;) {
        out->example[p.of_host[h]] = h;
    }
    if (ok) {
        out->of_host = p.of_host;
        p.of_host = NULL;
    }
    partition_finish(&p);
    return ok ||
           dcp_fail(err, DCP_E_NOMEM, "no memory for %u hosts", inv->n_hosts);
}

void
dcp_host_kinds_finish(struct dcp_host_kinds *k)
{
    free(k->of_host);
    free(k->example);
    *k = (struct dcp_host_kinds){ 0 };
}
