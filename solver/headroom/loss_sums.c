/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/headroom/loss_sums.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint32_t
item_size(const struct dcp_problem *p, uint32_t item, uint32_t resource)
{
    if (resource < p->n_scalars) {
        return p->request[(size_t)item * p->n_scalars + resource];
    }
    resource -= p->n_scalars;
    return resource < p->n_slots
               ? p->cpu_mhz[(size_t)item * p->stride + resource]
               : p->net_kib_s[(size_t)item * p->stride + resource - p->n_slots];
}

static uint32_t
host_full(const struct dcp_problem *p, uint32_t host, uint32_t resource)
{
    return resource < p->n_scalars
               ? p->full[(size_t)resource * p->n_hosts + host]
           : resource < p->n_scalars + p->n_slots ? p->full_cpu_mhz[host]
                                                  : p->full_net_kib_s[host];
}

static double
mean_full(const struct dcp_problem *p, uint32_t resource)
{
    double sum = 0;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        sum += host_full(p, h, resource);
    }
    return fmax(sum / p->n_hosts, 1);
}

struct dcp_loss_sums *
dcp_loss_sums_create(const struct dcp_problem *p)
{
    struct dcp_loss_sums *x = calloc(1, sizeof *x);
    uint32_t n = p->n_scalars + p->n_slots * (p->net_kib_s ? 2 : 1);
    bool ok = x != NULL;

    if (ok) {
        x->p = p;
        x->n_resources = n;
        x->unit = calloc(n + 1u, sizeof *x->unit);
        x->spare = calloc((size_t)p->losses->n_zones * n + 1, sizeof *x->spare);
        x->demand =
            calloc((size_t)p->losses->n_zones * n + 1, sizeof *x->demand);
        ok = x->unit && x->spare && x->demand;
    }
    for (uint32_t k = 0; ok && k < p->losses->n_kinds; k++) {
        x->exposed[k] = calloc((size_t)p->losses->kinds[k].n * n + 1,
                               sizeof *x->exposed[k]);
        ok = x->exposed[k] != NULL;
    }
    if (!ok) {
        dcp_loss_sums_destroy(x);
        return NULL;
    }
    for (uint32_t r = 0; r < n; r++) {
        x->unit[r] = mean_full(p, r);
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        int64_t *spare = x->spare + (size_t)p->losses->zone_of_item[i] * n;

        for (uint32_t r = 0; r < n; r++) {
            spare[r] -= item_size(p, i, r);
        }
    }
    memcpy(x->demand, x->spare,
           (size_t)p->losses->n_zones * n * sizeof *x->demand);
    return x;
}

void
dcp_loss_sums_destroy(struct dcp_loss_sums *x)
{
    if (x) {
        free(x->unit);
        free(x->spare);
        free(x->demand);
        free(x->exposed[0]);
        free(x->exposed[1]);
        free(x);
    }
}

void
dcp_loss_sums_assign(struct dcp_loss_sums *to, const struct dcp_loss_sums *from)
{
    const struct dcp_loss_domains *losses = from->p->losses;
    size_t n = from->n_resources;

    memcpy(to->spare, from->spare, losses->n_zones * n * sizeof *to->spare);
    for (uint32_t k = 0; k < losses->n_kinds; k++) {
        memcpy(to->exposed[k], from->exposed[k],
               losses->kinds[k].n * n * sizeof *to->exposed[k]);
    }
}

/* Adds the item to what is exposed where it is, or with -1 takes it off. */
static void
expose(struct dcp_loss_sums *x, uint32_t item, uint32_t host, int sign)
{
    const struct dcp_problem *p = x->p;

    for (uint32_t k = 0; k < p->losses->n_kinds && !p->protected_item[item];
         k++) {
        uint32_t domain = p->losses->kinds[k].of_host[host];

        if (domain == DCP_IX_NONE) {
            continue;
        }
        int64_t *of = x->exposed[k] + (size_t)domain * x->n_resources;

        for (uint32_t r = 0; r < x->n_resources; r++) {
            of[r] += (int64_t)sign * item_size(p, item, r);
        }
    }
}

void
dcp_loss_sums_place(struct dcp_loss_sums *x, uint32_t item, uint32_t host)
{
    expose(x, item, host, -1);
}

void
dcp_loss_sums_remove(struct dcp_loss_sums *x, uint32_t item, uint32_t host)
{
    expose(x, item, host, 1);
}

void
dcp_loss_sums_power(struct dcp_loss_sums *x, uint32_t host, bool on)
{
    const struct dcp_problem *p = x->p;
    const struct dcp_loss_domains *losses = p->losses;
    int64_t *spare =
        x->spare + (size_t)losses->zone_of_host[host] * x->n_resources;

    if (p->use[host] == DCP_HOST_AVOID) {
        return;
    }
    for (uint32_t r = 0; r < x->n_resources; r++) {
        int64_t full = host_full(p, host, r), change = on ? full : -full;

        spare[r] += change;
        for (uint32_t k = 0; k < losses->n_kinds; k++) {
            uint32_t domain = losses->kinds[k].of_host[host];

            if (domain != DCP_IX_NONE) {
                x->exposed[k][(size_t)domain * x->n_resources + r] += change;
            }
        }
    }
}

double
dcp_loss_sums_full(const struct dcp_problem *p, uint32_t host,
                   uint32_t resource)
{
    return host_full(p, host, resource);
}

double
dcp_loss_sums_demand(const struct dcp_loss_sums *x, uint32_t zone,
                     uint32_t resource)
{
    return -(double)x->demand[(size_t)zone * x->n_resources + resource];
}

/* --- Questions ---------------------------------------------------------- */

/* The sum of the most that as many domains as may be lost at once have
 * exposed. */
static int64_t
most_exposed(const struct dcp_loss_sums *x, uint32_t kind, uint32_t zone,
             uint32_t resource)
{
    const struct dcp_loss_kind_domains *domains = &x->p->losses->kinds[kind];
    int64_t most[DCP_LOSS_AT_ONCE_MAX] = { 0 }, sum = 0;
    uint32_t n = domains->at_once;

    for (uint32_t d = 0; d < domains->n; d++) {
        int64_t one = x->exposed[kind][(size_t)d * x->n_resources + resource];

        if (domains->zone[d] != zone || one <= most[n - 1]) {
            continue;
        }
        uint32_t at = n - 1;

        for (; at > 0 && one > most[at - 1]; at--) {
            most[at] = most[at - 1];
        }
        most[at] = one;
    }
    for (uint32_t k = 0; k < n; k++) {
        sum += most[k];
    }
    return sum;
}

double
dcp_loss_sums_short(const struct dcp_loss_sums *x, uint32_t zone)
{
    double worst = -INFINITY;

    for (uint32_t k = 0; k < x->p->losses->n_kinds; k++) {
        for (uint32_t r = 0; r < x->n_resources; r++) {
            int64_t spare = x->spare[(size_t)zone * x->n_resources + r];

            worst = fmax(worst, (double)(most_exposed(x, k, zone, r) - spare) /
                                    x->unit[r]);
        }
    }
    return worst;
}

bool
dcp_loss_sums_hold(const struct dcp_loss_sums *x)
{
    const struct dcp_loss_domains *losses = x->p->losses;
    bool ok = true;

    for (uint32_t z = 0; ok && z < losses->n_zones; z++) {
        for (uint32_t r = 0; ok && r < x->n_resources; r++) {
            int64_t spare = x->spare[(size_t)z * x->n_resources + r];

            for (uint32_t k = 0; ok && k < losses->n_kinds; k++) {
                ok = most_exposed(x, k, z, r) <= spare;
            }
        }
    }
    return ok;
}

double
dcp_loss_sums_domain_short(const struct dcp_loss_sums *x, uint32_t kind,
                           uint32_t domain)
{
    uint32_t zone = x->p->losses->kinds[kind].zone[domain];
    double worst = -INFINITY;

    for (uint32_t r = 0; r < x->n_resources; r++) {
        int64_t spare = x->spare[(size_t)zone * x->n_resources + r];
        int64_t one = x->exposed[kind][(size_t)domain * x->n_resources + r];

        worst = fmax(worst, (double)(one - spare) / x->unit[r]);
    }
    return worst;
}
