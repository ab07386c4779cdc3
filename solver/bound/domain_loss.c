/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Headroom by sums for the loss of racks and feeds.  With w_gt hosts of type t
 * on in group g of n_g racks (solver/bound/rack_groups.h) and u_g of the demand
 * there without a promise, a rack of the group has the mean or more of
 *     l_g = (sum_t full_t w_gt - u_g) / n_g
 * to lose; of k racks lost at once, the k largest.  Their sum is the least of
 *     k theta + sum_g n_g lambda_g,   theta + lambda_g >= l_g,   all >= 0
 * (the dual of choosing k; Bertsimas & Sim, "The Price of Robustness", Oper.
 * Res. 52, 2004), so each resource of each zone asks for
 *     sum_gt full_t w_gt - k theta - sum_g n_g lambda_g >= demand,
 *     sum_g u_g <= demand without promise,   u_g <= sum_t cap_t w_gt.
 * A feed is a domain of its own, with what its groups hold.  The mean over
 * racks is no more than the worst, and each resource by itself asks no more
 * than all together. */

#include "solver/bound/parts.h"
#include "solver/bound/rack_groups.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RESOURCES_MAX 6u /* Of each zone, those that bind most. */

struct domain_rows {
    const struct dcp_fold *f;
    const struct dcp_rack_groups *racks;
    struct dcp_lp *lp;
    uint32_t first_col; /* Of w. */
    uint32_t zone;
    uint32_t *u;      /* By group: columns of one resource; UINT32_MAX: none. */
    uint32_t *domain; /* Scratch: by feed, its row. */
};

struct ranked_resource {
    struct dcp_bound_resource r;
    double demand, unpromised, ratio;
};

static uint32_t
host_column(const struct domain_rows *x, uint32_t group, uint32_t type)
{
    return x->first_col + group * x->f->n_types + type;
}

static bool
add_columns(struct domain_rows *x)
{
    const struct dcp_rack_groups *g = x->racks;
    uint32_t n = g->n * x->f->n_types;
    bool ok = true;

    x->first_col = dcp_lp_n_cols(x->lp);
    for (uint32_t k = 0; ok && k < n; k++) {
        ok = dcp_lp_add_col(x->lp, g->n_min[k], g->n_max[k], 0, false) !=
             UINT32_MAX;
    }
    return ok;
}

/* --- The same hosts as in regions ----------------------------------------- */

/* Zone by region; false: some region has hosts of two. */
static bool
zone_of_regions(const struct dcp_fold *f, uint8_t *out)
{
    const struct dcp_problem *p = f->p;
    bool nested = true;

    memset(out, UINT8_MAX, f->n_regions);
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        uint8_t *zone = &out[f->region[h]];

        nested = nested &&
                 (*zone == UINT8_MAX || *zone == p->losses->zone_of_host[h]);
        *zone = p->losses->zone_of_host[h];
    }
    return nested;
}

/* Hosts of a type in a zone (UINT8_MAX: in all), by region and by group. */
static bool
link(const struct domain_rows *x, const uint8_t *zone_of_region, uint8_t zone,
     uint32_t type)
{
    const struct dcp_fold *f = x->f;
    uint32_t row = dcp_lp_add_row(x->lp, 0, 0);
    bool ok = row != UINT32_MAX, all = zone == UINT8_MAX;

    for (uint32_t g = 0; ok && g < x->racks->n; g++) {
        if (all || x->racks->group[g].zone == zone) {
            ok = dcp_lp_set(x->lp, row, host_column(x, g, type), 1);
        }
    }
    for (uint32_t k = 0; ok && k < f->n_regions * f->n_sides; k++) {
        uint32_t region = k / f->n_sides;

        if (all || zone_of_region[region] == zone) {
            ok = dcp_lp_set(x->lp, row,
                            dcp_bound_column(f, region, k % f->n_sides, type),
                            -1);
        }
    }
    return ok;
}

static bool
link_all(const struct domain_rows *x)
{
    const struct dcp_fold *f = x->f;
    DCP_FREE uint8_t *zone_of_region = calloc(f->n_regions + 1u, 1);
    bool ok = zone_of_region != NULL;
    bool nested = ok && zone_of_regions(f, zone_of_region);
    uint32_t n_zones = nested ? f->p->losses->n_zones : 1;

    for (uint32_t z = 0; ok && z < n_zones; z++) {
        for (uint32_t t = 0; ok && t < f->n_types; t++) {
            ok = link(x, zone_of_region, nested ? (uint8_t)z : UINT8_MAX, t);
        }
    }
    return ok;
}

/* --- One resource of a zone ------------------------------------------------
 */

/* Demand without a promise, by group. */
static bool
add_unpromised(const struct domain_rows *x, const struct ranked_resource *r,
               double unit)
{
    const struct dcp_fold *f = x->f;
    uint32_t all = r->unpromised > 0
                       ? dcp_lp_add_row(x->lp, -DCP_LP_INF,
                                        r->unpromised / unit * (1 + 1e-9))
                       : 0;
    bool ok = all != UINT32_MAX;

    for (uint32_t g = 0; ok && g < x->racks->n; g++) {
        const struct dcp_rack_group *group = &x->racks->group[g];

        x->u[g] = UINT32_MAX;
        if (r->unpromised <= 0 || group->zone != x->zone || !group->n_racks) {
            continue;
        }
        uint32_t row = dcp_lp_add_row(x->lp, -DCP_LP_INF, 0);

        x->u[g] = dcp_lp_add_col(x->lp, 0, DCP_LP_INF, 0, false);
        ok = row != UINT32_MAX && x->u[g] != UINT32_MAX &&
             dcp_lp_set(x->lp, all, x->u[g], 1) &&
             dcp_lp_set(x->lp, row, x->u[g], 1);
        for (uint32_t t = 0; ok && t < f->n_types; t++) {
            ok = dcp_lp_set(x->lp, row, host_column(x, g, t),
                            -(r->r.cap[f->example[t]] / unit));
        }
    }
    return ok;
}

/* What a group has to lose, taken 'share' times from the row. */
static bool
set_loss(const struct domain_rows *x, const struct ranked_resource *r,
         double unit, uint32_t row, uint32_t group, double share)
{
    const struct dcp_fold *f = x->f;
    bool ok =
        x->u[group] == UINT32_MAX || dcp_lp_set(x->lp, row, x->u[group], share);

    for (uint32_t t = 0; ok && t < f->n_types; t++) {
        ok = dcp_lp_set(x->lp, row, host_column(x, group, t),
                        -share * (r->r.full[f->example[t]] / unit));
    }
    return ok;
}

/* The row theta + lambda - l >= 0 of a domain that stands for 'n' alike, whose
 * lambda is in 'sum' too where several may be lost.  UINT32_MAX: no memory. */
static uint32_t
domain_row(const struct domain_rows *x, uint32_t sum, uint32_t theta,
           uint32_t at_once, double n)
{
    uint32_t row = dcp_lp_add_row(x->lp, 0, DCP_LP_INF);
    bool ok = row != UINT32_MAX && dcp_lp_set(x->lp, row, theta, 1);

    if (ok && at_once > 1) {
        uint32_t lambda = dcp_lp_add_col(x->lp, 0, DCP_LP_INF, 0, false);

        ok = lambda != UINT32_MAX && dcp_lp_set(x->lp, row, lambda, 1) &&
             dcp_lp_set(x->lp, sum, lambda, -n);
    }
    return ok ? row : UINT32_MAX;
}

static bool
add_kind(const struct domain_rows *x, const struct ranked_resource *r,
         double unit, const struct dcp_loss_kind_domains *kind)
{
    const struct dcp_fold *f = x->f;
    uint32_t sum =
        dcp_lp_add_row(x->lp, r->demand / unit * (1 - 1e-9), DCP_LP_INF);
    uint32_t theta = dcp_lp_add_col(x->lp, 0, DCP_LP_INF, 0, false);
    bool ok = sum != UINT32_MAX && theta != UINT32_MAX &&
              dcp_lp_set(x->lp, sum, theta, -(double)kind->at_once);

    memset(x->domain, 0xff, (kind->n + 1u) * sizeof *x->domain);
    for (uint32_t g = 0; ok && g < x->racks->n; g++) {
        const struct dcp_rack_group *group = &x->racks->group[g];
        bool by_rack = kind->kind == DCP_LOSS_RACK;
        uint32_t row = UINT32_MAX;

        if (group->zone != x->zone) {
            continue;
        }
        for (uint32_t t = 0; ok && t < f->n_types; t++) {
            ok = dcp_lp_set(x->lp, sum, host_column(x, g, t),
                            r->r.full[f->example[t]] / unit);
        }
        if (!ok || (by_rack ? !group->n_racks : group->feed == DCP_IX_NONE)) {
            continue;
        }
        if (!by_rack) {
            row = x->domain[group->feed];
        }
        if (row == UINT32_MAX) {
            row = domain_row(x, sum, theta, kind->at_once,
                             by_rack ? group->n_racks : 1);
            ok = row != UINT32_MAX;
        }
        if (!by_rack) {
            x->domain[group->feed] = row;
        }
        ok = ok &&
             set_loss(x, r, unit, row, g, by_rack ? 1.0 / group->n_racks : 1);
    }
    return ok;
}

static bool
add_resource(const struct domain_rows *x, const struct ranked_resource *r)
{
    const struct dcp_loss_domains *losses = x->f->p->losses;
    double unit = 1;

    for (uint32_t t = 0; t < x->f->n_types; t++) {
        unit = fmax(unit, r->r.full[x->f->example[t]]);
    }
    bool ok = add_unpromised(x, r, unit);

    for (uint32_t k = 0; ok && k < losses->n_kinds; k++) {
        ok = add_kind(x, r, unit, &losses->kinds[k]);
    }
    return ok;
}

/* --- The resources of a zone ---------------------------------------------- */

static struct ranked_resource
rank(const struct domain_rows *x, struct dcp_bound_resource r)
{
    const struct dcp_problem *p = x->f->p;
    struct ranked_resource out = { .r = r };
    double most = 0;

    for (uint32_t i = 0; i < p->n_items; i++) {
        double size = r.size[i * r.step];

        if (p->losses->zone_of_item[i] == x->zone) {
            out.demand += size;
            out.unpromised += p->protected_item[i] ? 0 : size;
        }
    }
    for (uint32_t g = 0; g < x->racks->n; g++) {
        for (uint32_t t = 0; t < p->n_types; t++) {
            most += x->racks->group[g].zone == x->zone
                        ? x->racks->n_max[(size_t)g * p->n_types + t] *
                              r.full[x->f->example[t]]
                        : 0;
        }
    }
    out.ratio = most > 0 ? out.demand / most : out.demand > 0 ? INFINITY : 0;
    return out;
}

/* Keeps the resources with the least room, in the order of rank. */
static void
keep_best(struct ranked_resource best[RESOURCES_MAX], uint32_t *n,
          const struct ranked_resource *r)
{
    uint32_t at = *n;

    if (r->demand <= 0) {
        return;
    }
    while (at > 0 && r->ratio > best[at - 1].ratio) {
        at--;
    }
    if (at == RESOURCES_MAX) {
        return;
    }
    *n += *n < RESOURCES_MAX;
    for (uint32_t k = *n - 1; k > at; k--) {
        best[k] = best[k - 1];
    }
    best[at] = *r;
}

static bool
add_zone(const struct domain_rows *x)
{
    const struct dcp_problem *p = x->f->p;
    struct ranked_resource best[RESOURCES_MAX], r;
    uint32_t n = 0;
    bool ok = true;

    for (uint32_t k = 0; k < p->n_scalars; k++) {
        r = rank(x, dcp_bound_scalar(p, k));
        keep_best(best, &n, &r);
    }
    for (uint32_t s = 0; s < p->n_slots; s++) {
        r = rank(x, dcp_bound_cpu(p, s));
        keep_best(best, &n, &r);
        if (p->net_kib_s) {
            r = rank(x, dcp_bound_net(p, s));
            keep_best(best, &n, &r);
        }
    }
    for (uint32_t k = 0; ok && k < n; k++) {
        ok = add_resource(x, &best[k]);
    }
    return ok;
}

bool
dcp_bound_add_domain_losses(const struct dcp_fold *f, struct dcp_lp *lp)
{
    if (!f->racks) {
        return true;
    }
    DCP_FREE uint32_t *u = calloc(f->racks->n + 1u, sizeof *u);
    DCP_FREE uint32_t *domain = calloc(f->p->n_hosts + 1u, sizeof *domain);
    struct domain_rows x = {
        .f = f, .racks = f->racks, .lp = lp, .u = u, .domain = domain
    };
    bool ok = u && domain && add_columns(&x) && link_all(&x);

    for (uint32_t z = 0; ok && z < f->p->losses->n_zones; z++) {
        x.zone = z;
        ok = add_zone(&x);
    }
    return ok;
}
