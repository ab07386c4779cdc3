/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/bound/loss.h"

#include <stdlib.h>
#include <string.h>

uint32_t
dcp_bound_losses(const struct dcp_problem *p)
{
    const struct dcp_policy *policy = &p->q->inventory->policy;
    uint32_t most = 0;

    for (uint32_t k = 0; p->q->headroom && k < policy->n_survive; k++) {
        if (policy->survive[k].kind == DCP_LOSS_HOST &&
            policy->survive[k].count > most) {
            most = policy->survive[k].count;
        }
    }
    return most;
}

bool
dcp_bound_survives_a_host(const struct dcp_problem *p)
{
    return dcp_bound_losses(p) > 0;
}

/* Classes whose items restart in the region or nowhere: a restart may go where
 * a move may not, and then asks nothing of the region. */
static void
promise_classes(const struct dcp_problem *p, const uint8_t *region_of_host,
                uint8_t region, uint8_t *out)
{
    for (uint32_t c = 0; c < p->n_classes; c++) {
        const uint64_t *row = p->reach_restart + (size_t)c * p->reach_words;

        out[c] = 1;
        for (uint32_t h = 0; out[c] && h < p->n_hosts; h++) {
            out[c] =
                !(row[h / 64] >> (h % 64) & 1) || region_of_host[h] == region;
        }
    }
}

static int
larger_first(const void *pa, const void *pb)
{
    double a, b;

    memcpy(&a, pa, sizeof a);
    memcpy(&b, pb, sizeof b);
    return a > b ? -1 : a < b;
}

struct count {
    const struct dcp_problem *p;
    const uint8_t *promised;
    const uint32_t *items, *hosts; /* Of the region; hosts that may be on. */
    uint32_t n_items, n_hosts;
    uint32_t n_losses;
    double *cap; /* Scratch. */
};

/* Whether n hosts can hold so much after each loss; of as many hosts as may be
 * lost at once, all are. */
static bool
suffices(uint32_t n, uint32_t n_losses, double capacity, double total,
         double unpromised)
{
    double lost = n < n_losses ? n : n_losses;

    return (n - lost) * capacity >=
           (n * total - lost * unpromised) * (1 - 1e-12);
}

/* The smallest n, from 'n' on, that the resource allows. */
static uint32_t
raise(struct count *x, uint32_t n, const uint32_t *size, size_t step,
      const uint32_t *full)
{
    const struct dcp_problem *p = x->p;
    double total = 0, unpromised = 0, capacity = 0;

    for (uint32_t k = 0; k < x->n_items; k++) {
        uint32_t i = x->items[k];
        double s = size[i * step];

        total += s;
        unpromised +=
            p->protected_item[i] && x->promised[p->reach_class[i]] ? 0 : s;
    }
    for (uint32_t k = 0; k < x->n_hosts; k++) {
        x->cap[k] = full[x->hosts[k]];
    }
    qsort(x->cap, x->n_hosts, sizeof *x->cap, larger_first);
    for (uint32_t k = 0; k < n && k < x->n_hosts; k++) {
        capacity += x->cap[k];
    }
    while (n <= x->n_hosts &&
           !suffices(n, x->n_losses, capacity, total, unpromised)) {
        capacity += n < x->n_hosts ? x->cap[n] : 0;
        n++;
    }
    return n;
}

uint32_t
dcp_bound_hosts_for_loss(const struct dcp_problem *p,
                         const uint8_t *region_of_host,
                         const uint8_t *region_of_item, uint8_t region)
{
    DCP_FREE uint8_t *promised = calloc(p->n_classes + 1u, 1);
    DCP_FREE uint32_t *hosts = calloc(p->n_hosts + 1u, sizeof *hosts);
    DCP_FREE double *cap = calloc(p->n_hosts + 1u, sizeof *cap);
    DCP_FREE uint32_t *items = calloc(p->n_items + 1u, sizeof *items);
    struct count x = { .p = p,
                       .promised = promised,
                       .items = items,
                       .hosts = hosts,
                       .n_losses = dcp_bound_losses(p),
                       .cap = cap };
    uint32_t n = 0;

    if (!promised || !hosts || !cap || !items) {
        return UINT32_MAX;
    }
    promise_classes(p, region_of_host, region, promised);
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        bool may = p->q->start->on[h] ||
                   (p->q->may_wake && p->use[h] == DCP_HOST_FREE);

        if (region_of_host[h] == region && may && p->use[h] != DCP_HOST_AVOID) {
            hosts[x.n_hosts++] = h;
        }
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        items[x.n_items] = i;
        x.n_items += region_of_item[i] == region;
    }
    n = x.n_items > 0; /* An empty region needs none. */
    for (uint32_t r = 0; n && r < p->n_scalars; r++) {
        n = raise(&x, n, p->request + r, p->n_scalars,
                  p->full + (size_t)r * p->n_hosts);
    }
    for (uint32_t t = 0; n && t < p->n_slots; t++) {
        n = raise(&x, n, p->cpu_mhz + t, p->stride, p->full_cpu_mhz);
    }
    return n;
}
