/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/schedule/least_times.h"

#include "model/transfers.h"
#include "solver/schedule/rehearsal.h"

#include <math.h>
#include <stdlib.h>

/* Ways: of each host out and in, then of each link there and back. */
struct sums {
    const struct dcp_leg_times_request *r;
    double *limit_kib_s; /* Of all migrations over it, each its limit. */
    double *limit_most;  /* The highest of them. */
    double *kib;         /* Memory that crosses it. */
    uint32_t *n;
    double *host_kib_s, *link_kib_s; /* Production, at most. */
};

static uint32_t
ways_of(const struct sums *s, const struct dcp_step *step,
        uint32_t out[DCP_ROUTE_MAX + 2])
{
    uint32_t n_hosts = s->r->inventory->n_hosts;
    struct dcp_hop hop[DCP_ROUTE_MAX];
    uint32_t n = dcp_network_route(s->r->paths->network, step->from.ix,
                                   step->to.ix, hop);

    out[0] = 2 * step->from.ix;
    out[1] = 2 * step->to.ix + 1;
    for (uint32_t i = 0; i < n; i++) {
        out[2 + i] = 2 * (n_hosts + hop[i].link) + (hop[i].back ? 1 : 0);
    }
    return 2 + n;
}

static void
add(struct sums *s, const struct dcp_step *step)
{
    uint32_t way[DCP_ROUTE_MAX + 2], n = ways_of(s, step, way);
    double limit =
        dcp_transfers_limit(s->r->inventory, step->from.ix, step->to.ix);

    for (uint32_t i = 0; i < n; i++) {
        s->limit_kib_s[way[i]] += limit;
        s->limit_most[way[i]] = fmax(s->limit_most[way[i]], limit);
        s->kib[way[i]] += step->mem_mib * 1024.0;
        s->n[way[i]]++;
    }
}

static uint32_t
most_of(const uint32_t row[], uint32_t n)
{
    uint32_t most = 0;

    for (uint32_t t = 0; t < n; t++) {
        most = row[t] > most ? row[t] : most;
    }
    return most;
}

/* As if nobody left and all had come. */
static void
count_production(struct sums *s, const struct dcp_step_list *list,
                 uint32_t first)
{
    const struct dcp_state *start = s->r->start;
    const struct dcp_problem *p = start->p;

    for (uint32_t h = 0; start->net_kib_s && h < p->n_hosts; h++) {
        s->host_kib_s[h] =
            most_of(start->net_kib_s + (size_t)h * p->stride, p->n_slots);
    }
    for (uint32_t i = first; start->net_kib_s && i < list->n; i++) {
        const struct dcp_step *step = &list->steps[i];
        uint32_t item = step->object.kind == DCP_OBJECT_VM &&
                                step->to.kind == DCP_OBJECT_HOST
                            ? p->item_of_vm[step->object.ix]
                            : DCP_IX_NONE;

        if (item != DCP_IX_NONE) {
            s->host_kib_s[step->to.ix] +=
                most_of(p->net_kib_s + (size_t)item * p->stride, p->n_slots);
        }
    }
    dcp_network_use(s->r->paths->network, s->host_kib_s, s->link_kib_s);
}

/* Whether the migrations over a way always have room for their limits. */
static bool
has_room(const struct sums *s, uint32_t way)
{
    const struct dcp_inventory *inv = s->r->inventory;
    uint32_t h = way / 2;

    if (h >= inv->n_hosts) {
        uint32_t link = h - inv->n_hosts;

        return s->limit_kib_s[way] + s->link_kib_s[link] <=
               (double)dcp_network_rate(s->r->paths->network, link);
    }
    uint32_t at_once =
        way % 2 ? inv->policy.in_per_host : inv->policy.out_per_host;
    uint32_t n = at_once && at_once < s->n[way] ? at_once : s->n[way];

    return n * s->limit_most[way] <=
           dcp_transfers_share(inv, h, s->host_kib_s[h]);
}

static int64_t
least_of(const struct sums *s, const struct dcp_step *step)
{
    const struct dcp_inventory *inv = s->r->inventory;
    uint32_t way[DCP_ROUTE_MAX + 2], n = ways_of(s, step, way);
    double limit = dcp_transfers_limit(inv, step->from.ix, step->to.ix);
    bool free = true;

    for (uint32_t i = 0; i < n; i++) {
        free &= has_room(s, way[i]);
    }
    if (!free) {
        return (int64_t)(step->mem_mib * 1024.0 / limit * 1000);
    }
    struct dcp_precopy precopy =
        dcp_transfer_of(inv, s->r->start->p->q->start, step).precopy;

    precopy.bandwidth_mib_s = limit / 1024;
    return dcp_precopy_estimate(&precopy).total_ms;
}

static double
rate_of(const struct sums *s, uint32_t way)
{
    const struct dcp_inventory *inv = s->r->inventory;
    uint32_t h = way / 2;

    return h < inv->n_hosts ? dcp_transfers_share(inv, h, 0)
                            : (double)dcp_network_rate(s->r->paths->network,
                                                       h - inv->n_hosts);
}

void
dcp_least_times_finish(struct dcp_least_times *l)
{
    free(l->ms);
    *l = (struct dcp_least_times){ 0 };
}

bool
dcp_least_times_init(struct dcp_least_times *l,
                     const struct dcp_leg_times_request *r,
                     const struct dcp_step_list *list, uint32_t first,
                     struct dcp_error *err)
{
    uint32_t n_ways = 2 * (r->inventory->n_hosts + r->paths->n_links);
    DCP_FREE double *limit = calloc(n_ways + 1u, sizeof *limit);
    DCP_FREE double *most = calloc(n_ways + 1u, sizeof *most);
    DCP_FREE double *kib = calloc(n_ways + 1u, sizeof *kib);
    DCP_FREE uint32_t *n = calloc(n_ways + 1u, sizeof *n);
    DCP_FREE double *host = calloc(r->inventory->n_hosts + 1u, sizeof *host);
    DCP_FREE double *link = calloc(r->paths->n_links + 1u, sizeof *link);
    struct sums s = { r, limit, most, kib, n, host, link };

    *l = (struct dcp_least_times){ .ms = calloc((size_t)(list->n - first) + 1,
                                                sizeof *l->ms) };
    if (!limit || !most || !kib || !n || !host || !link || !l->ms) {
        dcp_least_times_finish(l);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the least times");
    }
    count_production(&s, list, first);
    for (uint32_t i = first; i < list->n; i++) {
        if (dcp_rehearsal_shares(r->inventory, &list->steps[i])) {
            add(&s, &list->steps[i]);
        }
    }
    for (uint32_t i = first; i < list->n; i++) {
        const struct dcp_step *step = &list->steps[i];

        l->ms[i - first] = dcp_rehearsal_shares(r->inventory, step)
                               ? least_of(&s, step)
                               : step->estimate_ms;
    }
    for (uint32_t w = 0; w < n_ways; w++) {
        int64_t ms = kib[w] > 0 ? (int64_t)(kib[w] / rate_of(&s, w) * 1000) : 0;

        l->network_ms = ms > l->network_ms ? ms : l->network_ms;
    }
    return true;
}
