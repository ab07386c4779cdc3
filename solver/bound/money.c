/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Money in the lower bound, but for the power curve (solver/bound/energy.h).
 *
 * Licences.  l hosts of a kind hold covered VMs; they have room for all of
 * them, and each needs its units. */

#include "solver/bound/parts.h"

#include "model/licence.h"
#include "solver/bound/clique.h"
#include "solver/compile/pricing.h"

#include <math.h>
#include <stdlib.h>

#define COVERED_SLOTS   4u
#define COVERED_REACHES 16u /* Sets of types that items are looked at by. */

double
dcp_bound_host_cost(const struct dcp_fold *f, uint32_t type)
{
    const struct dcp_priced_level *level = &f->p->pricing->level[0];

    return level->per_host +
           (level->host_value ? level->host_value[f->example[type]] : 0);
}

/* sum of y over regions and sides of a type, times 'value', into a row. */
static bool
set_hosts(const struct dcp_fold *f, struct dcp_lp *lp, uint32_t row,
          uint32_t type, double value)
{
    bool ok = true;

    for (uint32_t r = 0; ok && r < f->n_regions; r++) {
        for (uint32_t k = 0; ok && k < f->n_sides; k++) {
            ok = dcp_lp_set(lp, row, dcp_bound_column(f, r, k, type), value);
        }
    }
    return ok;
}

/* --- A straight line ---------------------------------------------------- */

/* z_ts: demand of slot s on type t, at m_t each; columns after the hosts'. */
static bool
add_lines(const struct dcp_fold *f, struct dcp_lp *lp, const double *slope)
{
    const struct dcp_problem *p = f->p;

    for (uint32_t s = 0; s < p->n_slots; s++) {
        double weight = p->q->slot_weight ? p->q->slot_weight[s] : 1;
        double demand = 0;

        if (weight <= 0) {
            continue; /* Judged, but not paid for. */
        }
        for (uint32_t i = 0; i < p->n_items; i++) {
            demand += p->cpu_mhz[(size_t)i * p->stride + s];
        }
        uint32_t all = dcp_lp_add_row(lp, demand, demand);
        bool ok = all != UINT32_MAX;

        for (uint32_t t = 0; ok && t < f->n_types; t++) {
            uint32_t col = dcp_lp_add_col(lp, 0, DCP_LP_INF,
                                          slope[f->example[t]] * weight, false);
            uint32_t row = dcp_lp_add_row(lp, -DCP_LP_INF, 0);

            ok = col != UINT32_MAX && row != UINT32_MAX &&
                 dcp_lp_set(lp, all, col, 1) && dcp_lp_set(lp, row, col, 1) &&
                 set_hosts(f, lp, row, t,
                           -(double)p->cap_cpu_mhz[f->example[t]]);
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

/* --- Licences ----------------------------------------------------------- */

/* One licence in the program: columns of hosts that hold covered VMs. */
struct covered {
    const struct dcp_fold *f;
    const struct dcp_priced_licence *licence;
    uint8_t *item;    /* 1: has covered VMs. */
    uint8_t *is_of;   /* By reach class: some covered item is of it. */
    uint64_t *reach;  /* Hosts that some covered item reaches. */
    uint32_t n_sides; /* Of hosts that hold something. */
    uint32_t *col;    /* [(region * n_sides + side) * n_types + type]. */
    uint32_t *cover;  /* Columns of covers, or 'col' again. */
    uint32_t min_vms, min_vcpus, n_vms;
};

static void
find_covered(struct covered *c)
{
    const struct dcp_problem *p = c->f->p;
    const struct dcp_pricing *g = p->pricing;

    c->min_vms = c->min_vcpus = UINT32_MAX;
    for (uint32_t i = 0; i < p->n_items; i++) {
        for (uint32_t j = g->first_of_item[i]; j < g->first_of_item[i + 1];
             j++) {
            const struct dcp_item_licence *of = &g->of_item[j];

            if (&g->licence[of->slot] != c->licence) {
                continue;
            }
            c->item[i] = 1;
            c->n_vms += of->n_vms;
            c->min_vms = of->n_vms < c->min_vms ? of->n_vms : c->min_vms;
            c->min_vcpus =
                of->n_vcpus < c->min_vcpus ? of->n_vcpus : c->min_vcpus;
            c->is_of[p->reach_class[i]] = 1;
        }
    }
    for (uint32_t k = 0; k < p->n_classes; k++) {
        for (uint32_t w = 0; c->is_of[k] && w < p->reach_words; w++) {
            c->reach[w] |= p->reach[(size_t)k * p->reach_words + w];
        }
    }
}

static double
most_hosts(const struct covered *c, uint32_t region, uint32_t type)
{
    const struct dcp_problem *p = c->f->p;
    double n = 0;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        n += c->f->region[h] == region && p->type_of_host[h] == type &&
             p->use[h] != DCP_HOST_AVOID && (c->reach[h / 64] >> (h % 64) & 1);
    }
    return fmin(n, c->f->n_max[(size_t)region * c->f->n_types + type]);
}

/* l <= y, and l <= covers where each cover allows so many guests only. */
static bool
add_licence_columns(struct covered *c, struct dcp_lp *lp, uint32_t excess_row,
                    double price)
{
    const struct dcp_fold *f = c->f;
    const struct dcp_licence *l =
        &f->p->q->inventory->licences[c->licence->licence];
    bool by_cover = l->guests_per_cover && !l->guests_free_on_host &&
                    l->metric != DCP_LICENCE_VM &&
                    l->metric != DCP_LICENCE_VCPU;

    for (uint32_t at = 0; at < f->n_regions * c->n_sides * f->n_types; at++) {
        uint32_t t = at % f->n_types, side = at / f->n_types % c->n_sides;
        uint32_t r = at / f->n_types / c->n_sides;
        double units = dcp_pricing_units(f->p, c->licence, f->example[t],
                                         c->min_vms, c->min_vcpus);
        double cost = excess_row == UINT32_MAX ? price * units : 0;
        uint32_t row = dcp_lp_add_row(lp, -DCP_LP_INF, 0);
        bool ok = row != UINT32_MAX;

        c->col[at] = dcp_lp_add_col(lp, 0, most_hosts(c, r, t),
                                    by_cover ? 0 : cost, true);
        ok = ok && c->col[at] != UINT32_MAX &&
             dcp_lp_set(lp, row, c->col[at], 1) &&
             dcp_lp_set(lp, row, dcp_bound_column(f, r, side, t), -1);
        c->cover[at] = c->col[at];
        if (ok && by_cover) {
            uint32_t more = dcp_lp_add_row(lp, -DCP_LP_INF, 0);

            c->cover[at] = dcp_lp_add_col(lp, 0, DCP_LP_INF, cost, true);
            ok = more != UINT32_MAX && c->cover[at] != UINT32_MAX &&
                 dcp_lp_set(lp, more, c->col[at], 1) &&
                 dcp_lp_set(lp, more, c->cover[at], -1);
        }
        if (!ok || (excess_row != UINT32_MAX &&
                    !dcp_lp_set(lp, excess_row, c->cover[at], -units))) {
            return false;
        }
    }
    if (by_cover) {
        uint32_t row = dcp_lp_add_row(lp, c->n_vms, DCP_LP_INF);
        bool ok = row != UINT32_MAX;

        for (uint32_t at = 0; ok && at < f->n_regions * c->n_sides * f->n_types;
             at++) {
            ok = dcp_lp_set(lp, row, c->cover[at], l->guests_per_cover);
        }
        return ok;
    }
    return true;
}

/* The hosts that hold covered items have room for them: 'value' of an item and
 * of a host, by region. */
static bool
add_room_row(const struct covered *c, struct dcp_lp *lp,
             const struct dcp_bound_resource *r, struct dcp_part part, int dff,
             double epsilon)
{
    const struct dcp_fold *f = c->f;
    bool plain = dff < 0;
    double largest = 0, demand = 0;

    for (uint32_t t = 0; t < f->n_types; t++) {
        if (f->n_max[(size_t)part.region * f->n_types + t] > 0) {
            largest = fmax(largest, r->cap[f->example[t]]);
        }
    }
    struct dcp_fold_items items = dcp_fold_items(f, part);

    for (uint32_t k = 0; k < items.n; k++) {
        uint32_t i = items.ix[k];

        if (c->item[i] && dcp_fold_in_part(f, i, part)) {
            double size = r->size[i * r->step];

            demand +=
                plain ? size
                : largest > 0 && size <= largest
                    ? dcp_bound_dual_feasible(size / largest, dff, epsilon)
                    : 0;
        }
    }
    if (demand <= 0) {
        return true;
    }
    uint32_t row = dcp_lp_add_row(lp, demand * (1 - 1e-9), DCP_LP_INF);
    bool ok = row != UINT32_MAX;

    for (uint32_t t = 0; ok && t < f->n_types; t++) {
        double cap = r->cap[f->example[t]];
        double value =
            plain ? cap
            : largest > 0
                ? dcp_bound_dual_feasible(fmin(cap / largest, 1), dff, epsilon)
                : 0;

        for (uint32_t k = 0; ok && k < c->n_sides; k++) {
            uint32_t at = (part.region * c->n_sides + k) * f->n_types + t;

            if (part.side == DCP_FOLD_ANY || part.side == k) {
                ok = dcp_lp_set(lp, row, c->col[at], value);
            }
        }
    }
    return ok;
}

static bool
add_room(const struct covered *c, struct dcp_lp *lp,
         const struct dcp_bound_resource *r)
{
    static const double epsilons[] = { 0.15, 0.25, 0.35, 0.5 };
    bool ok = true;

    for (uint32_t n = 0; ok && n < c->f->n_regions * 3; n++) {
        struct dcp_part part = { n / 3, n % 3 < 2 ? n % 3 : DCP_FOLD_ANY };

        if (part.side != DCP_FOLD_ANY && c->n_sides == 1) {
            continue;
        }
        ok = add_room_row(c, lp, r, part, -1, 0);
        for (int k = 1; ok && k <= 3; k++) {
            ok = add_room_row(c, lp, r, part, k, 0);
        }
        for (int k = 0; ok && k < 4; k++) {
            ok = add_room_row(c, lp, r, part, 0, epsilons[k]);
        }
    }
    return ok;
}

/* The slots in which the covered items ask for most. */
static uint32_t
busiest_slots(const struct covered *c, uint32_t out[COVERED_SLOTS])
{
    const struct dcp_problem *p = c->f->p;
    uint32_t n = 0;
    double sum[COVERED_SLOTS] = { 0 };

    for (uint32_t s = 0; s < p->n_slots; s++) {
        double demand = 0;

        for (uint32_t i = 0; i < p->n_items; i++) {
            demand += c->item[i] ? p->cpu_mhz[(size_t)i * p->stride + s] : 0;
        }
        uint32_t at = n < COVERED_SLOTS ? n++ : COVERED_SLOTS - 1;

        if (at == COVERED_SLOTS - 1 && n == COVERED_SLOTS && sum[at] > demand) {
            continue;
        }
        for (; at > 0 && sum[at - 1] < demand; at--) {
            sum[at] = sum[at - 1];
            out[at] = out[at - 1];
        }
        sum[at] = demand;
        out[at] = s;
    }
    return n;
}

/* Types that have a host for the item, as bits. */
static uint64_t
types_of(const struct covered *c, uint32_t item)
{
    const struct dcp_problem *p = c->f->p;
    const uint64_t *row =
        p->reach + (size_t)p->reach_class[item] * p->reach_words;
    uint64_t types = 0;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if ((row[h / 64] >> (h % 64) & 1) && p->use[h] != DCP_HOST_AVOID) {
            types |= UINT64_C(1) << p->type_of_host[h];
        }
    }
    return types;
}

/* The sum of covered hosts' 'value' over the types is at least 'low'. */
static bool
types_row(const struct covered *c, struct dcp_lp *lp, uint64_t types,
          const uint32_t *cap, double low)
{
    const struct dcp_fold *f = c->f;
    uint32_t row = dcp_lp_add_row(lp, low, DCP_LP_INF);
    bool ok = row != UINT32_MAX;

    for (uint32_t at = 0; ok && at < f->n_regions * c->n_sides * f->n_types;
         at++) {
        uint32_t t = at % f->n_types;

        ok = !(types >> t & 1) ||
             dcp_lp_set(lp, row, c->col[at], cap ? cap[f->example[t]] : 1);
    }
    return ok;
}

/* Items that go on hosts of these types only have room on them. */
static bool
add_types_rows(const struct covered *c, struct dcp_lp *lp, uint64_t types,
               const uint64_t *of_item, const uint32_t *slots, uint32_t n_slots)
{
    const struct dcp_problem *p = c->f->p;
    bool ok = types_row(c, lp, types, NULL, 1);

    for (uint32_t k = 0; ok && k < p->n_scalars + n_slots; k++) {
        struct dcp_bound_resource r =
            k < p->n_scalars ? dcp_bound_scalar(p, k)
                             : dcp_bound_cpu(p, slots[k - p->n_scalars]);
        double demand = 0;

        for (uint32_t i = 0; i < p->n_items; i++) {
            demand +=
                c->item[i] && !(of_item[i] & ~types) ? r.size[i * r.step] : 0;
        }
        ok = demand <= 0 || types_row(c, lp, types, r.cap, demand * (1 - 1e-9));
    }
    return ok;
}

/* By the sets of types that covered items have in reach. */
static bool
add_reaches(const struct covered *c, struct dcp_lp *lp, const uint32_t *slots,
            uint32_t n_slots)
{
    const struct dcp_problem *p = c->f->p;
    DCP_FREE uint64_t *of_item = calloc(p->n_items + 1u, sizeof *of_item);
    uint64_t seen[COVERED_REACHES], all = 0;
    uint32_t n = 0;
    bool ok = of_item != NULL;

    if (c->f->n_types > 64) {
        return true;
    }
    for (uint32_t i = 0; ok && i < p->n_items; i++) {
        of_item[i] = c->item[i] ? types_of(c, i) : 0;
        all |= of_item[i];
    }
    for (uint32_t i = 0; ok && i < p->n_items; i++) {
        uint32_t k = 0;

        while (k < n && seen[k] != of_item[i]) {
            k++;
        }
        if (c->item[i] && of_item[i] && of_item[i] != all && k == n &&
            n < COVERED_REACHES) {
            seen[n++] = of_item[i];
            ok = add_types_rows(c, lp, of_item[i], of_item, slots, n_slots);
        }
    }
    return ok;
}

static bool
add_licence(struct covered *c, struct dcp_lp *lp)
{
    const struct dcp_problem *p = c->f->p;
    double price = p->pricing->level[0].licence * c->licence->unit_price;
    double floor_units = ceil(c->licence->floor_units - 1e-9);
    uint32_t excess = UINT32_MAX, slots[COVERED_SLOTS], n_slots;

    find_covered(c);
    if (!c->n_vms || c->licence->floor_vms) {
        return true; /* Hosts that need it anyway cost nothing more. */
    }
    if (floor_units > 0) { /* excess >= units - floor. */
        uint32_t col = dcp_lp_add_col(lp, 0, DCP_LP_INF, price, false);

        excess = dcp_lp_add_row(lp, -floor_units, DCP_LP_INF);
        if (col == UINT32_MAX || excess == UINT32_MAX ||
            !dcp_lp_set(lp, excess, col, 1)) {
            return false;
        }
    }
    const struct dcp_clique *clique =
        c->f->cliques
            ? &c->f->cliques[1 + (c->licence - p->pricing->licence)]
            : NULL;
    bool ok = add_licence_columns(c, lp, excess, price) &&
              (!clique || dcp_clique_add(c->f, lp, clique, c->col, c->n_sides));

    for (uint32_t r = 0; ok && r < p->n_scalars; r++) {
        struct dcp_bound_resource resource = dcp_bound_scalar(p, r);

        ok = add_room(c, lp, &resource);
    }
    n_slots = busiest_slots(c, slots);
    for (uint32_t k = 0; ok && k < n_slots; k++) {
        struct dcp_bound_resource resource = dcp_bound_cpu(p, slots[k]);

        ok = add_room(c, lp, &resource);
    }
    return ok && add_reaches(c, lp, slots, n_slots);
}

static bool
add_licences(const struct dcp_fold *f, struct dcp_lp *lp)
{
    const struct dcp_problem *p = f->p;
    uint32_t n_sides = f->n_sides > 1 ? 2 : 1;
    size_t n_cols = (size_t)f->n_regions * n_sides * f->n_types + 1;
    bool ok = true;

    for (uint32_t k = 0; ok && k < p->pricing->n_licences; k++) {
        DCP_FREE uint8_t *item = calloc(p->n_items + 1u, 1);
        DCP_FREE uint8_t *is_of = calloc(p->n_classes + 1u, 1);
        DCP_FREE uint64_t *reach = calloc(p->reach_words + 1u, sizeof *reach);
        DCP_FREE uint32_t *col = calloc(n_cols, sizeof *col);
        DCP_FREE uint32_t *cover = calloc(n_cols, sizeof *cover);
        struct covered c = { .f = f,
                             .licence = &p->pricing->licence[k],
                             .item = item,
                             .is_of = is_of,
                             .reach = reach,
                             .n_sides = n_sides,
                             .col = col,
                             .cover = cover };

        ok = item && is_of && reach && col && cover && add_licence(&c, lp);
    }
    return ok;
}

/* --- Room --------------------------------------------------------------- */

/* No more VMs of a shape fit than what all hosts that are on have left. */
static bool
add_shapes(const struct dcp_fold *f, struct dcp_lp *lp, double per_room)
{
    const struct dcp_problem *p = f->p;
    const struct dcp_goal_terms *terms = p->q->terms;
    bool ok = true;

    for (uint32_t k = 0; ok && k < terms->n_shapes; k++) {
        uint32_t col = UINT32_MAX;

        for (uint32_t r = 0; ok && r < p->n_scalars; r++) {
            uint32_t need = terms->shapes[k].scalar[p->scalar_id[r]];
            double used = 0;

            if (!need) {
                continue;
            }
            for (uint32_t i = 0; i < p->n_items; i++) {
                used += p->request[(size_t)i * p->n_scalars + r];
            }
            if (col == UINT32_MAX) {
                col = dcp_lp_add_col(lp, 0, DCP_LP_INF, -per_room, false);
            }
            uint32_t row = dcp_lp_add_row(lp, -DCP_LP_INF, -used);

            ok = col != UINT32_MAX && row != UINT32_MAX &&
                 dcp_lp_set(lp, row, col, need);
            for (uint32_t t = 0; ok && t < f->n_types; t++) {
                ok = set_hosts(
                    f, lp, row, t,
                    -(double)p->cap[(size_t)r * p->n_hosts + f->example[t]]);
            }
        }
    }
    return ok;
}

bool
dcp_bound_add_money(const struct dcp_fold *f, struct dcp_lp *lp)
{
    const struct dcp_priced_level *level = &f->p->pricing->level[0];

    return (!level->mhz_slope || add_lines(f, lp, level->mhz_slope)) &&
           (!(level->licence > 0) || add_licences(f, lp)) &&
           (!(level->per_room > 0) || add_shapes(f, lp, level->per_room));
}
