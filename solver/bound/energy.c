/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/bound/energy.h"

#include "solver/bound/parts.h"
#include "solver/compile/pricing.h"

#include <stdlib.h>
#include <string.h>

#define GROUPS_MAX        24u /* Where one tariff holds for all hosts. */
#define GROUPS_MANY_ITEMS 12u
#define MANY_ITEMS        20000u

/* --- Curves --------------------------------------------------------------- */

static struct dcp_bound_curve
curve_of(const struct dcp_problem *p, uint32_t host)
{
    struct dcp_bound_curve c = { .n = 0 };
    double full = p->pricing->full_mhz[host], cap = p->cap_cpu_mhz[host];

    for (uint32_t k = 0; k <= DCP_POWER_POINTS; k++) {
        double x = k * full / (DCP_POWER_POINTS - 1);

        if (k && (k == DCP_POWER_POINTS || x >= cap)) {
            if (cap <= c.mhz[c.n - 1]) {
                break;
            }
            x = cap;
        }
        c.mhz[c.n] = x;
        c.watts[c.n++] = dcp_pricing_watts(p, host, x);
        if (x >= cap) {
            break;
        }
    }
    return c;
}

struct dcp_bound_curve
dcp_bound_curve_under(const struct dcp_bound_curve *c, uint32_t first,
                      uint32_t last)
{
    struct dcp_bound_curve e = { .n = 0 };

    for (uint32_t k = first; k <= last && k < c->n; k++) {
        double x = c->mhz[k], w = c->watts[k];

        while (e.n > 1 &&
               (e.watts[e.n - 1] - e.watts[e.n - 2]) * (x - e.mhz[e.n - 2]) >=
                   (w - e.watts[e.n - 2]) * (e.mhz[e.n - 1] - e.mhz[e.n - 2])) {
            e.n--;
        }
        e.mhz[e.n] = x;
        e.watts[e.n++] = w;
    }
    return e;
}

/* --- Groups of slots ------------------------------------------------------ */

struct paid_slot {
    uint32_t slot;
    double demand;
};

static int
by_demand(const void *pa, const void *pb)
{
    const struct paid_slot *a = pa, *b = pb;

    if (a->demand != b->demand) {
        return a->demand < b->demand ? -1 : 1;
    }
    return a->slot < b->slot ? -1 : a->slot > b->slot;
}

static bool
one_site(const struct dcp_problem *p)
{
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (p->pricing->site_row[h] != p->pricing->site_row[0]) {
            return false;
        }
    }
    return true;
}

static bool
is_paid(const struct dcp_problem *p, uint32_t slot)
{
    const struct dcp_pricing *g = p->pricing;

    for (uint32_t r = 0; r < g->n_site_rows; r++) {
        if (g->level[0].factor[(size_t)r * p->n_slots + slot] > 0) {
            return true;
        }
    }
    return false;
}

static uint32_t
list_paid(const struct dcp_problem *p, struct paid_slot *out)
{
    uint32_t n = 0;

    for (uint32_t s = 0; s < p->n_slots; s++) {
        if (is_paid(p, s)) {
            out[n] = (struct paid_slot){ .slot = s };
            for (uint32_t i = 0; i < p->n_items; i++) {
                out[n].demand += p->cpu_mhz[(size_t)i * p->stride + s];
            }
            n++;
        }
    }
    qsort(out, n, sizeof *out, by_demand);
    return n;
}

static const double *
factors(const struct dcp_problem *p, uint32_t host)
{
    return p->pricing->level[0].factor +
           (size_t)p->pricing->site_row[host] * p->n_slots;
}

/* Group 'g' is the slots [first, last) of 'list'. */
static void
fill_group(struct dcp_bound_energy *e, uint32_t g, const struct paid_slot *list,
           uint32_t first, uint32_t last)
{
    const struct dcp_problem *p = e->f->p;
    /* Where sites differ, groups are of one slot: any row gives its mean. */
    const double *any = factors(p, e->f->example[0]);
    double all = 0;

    for (uint32_t k = first; k < last; k++) {
        all += last - first > 1 ? any[list[k].slot] : 1;
        for (uint32_t t = 0; t < e->f->n_types; t++) {
            e->price[(size_t)t * e->n_groups + g] +=
                factors(p, e->f->example[t])[list[k].slot];
        }
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        double *to = &e->mhz[(size_t)i * e->n_groups + g];

        for (uint32_t k = first; k < last; k++) {
            double w = last - first > 1 ? any[list[k].slot] : 1;

            *to += w / all * p->cpu_mhz[(size_t)i * p->stride + list[k].slot];
        }
    }
}

static bool
fill(struct dcp_bound_energy *e)
{
    const struct dcp_problem *p = e->f->p;
    DCP_FREE struct paid_slot *list = calloc(p->n_slots + 1u, sizeof *list);
    uint32_t most = p->n_items > MANY_ITEMS ? GROUPS_MANY_ITEMS : GROUPS_MAX;

    if (!list) {
        return false;
    }
    uint32_t n = list_paid(p, list);

    e->n_groups = e->f->n_types ? n : 0;
    if (n > most && one_site(p)) {
        e->n_groups = most;
    }
    e->single = e->n_groups == n;
    e->price =
        calloc((size_t)e->f->n_types * e->n_groups + 1, sizeof *e->price);
    e->mhz = calloc((size_t)p->n_items * e->n_groups + 1, sizeof *e->mhz);
    e->curve = calloc(e->f->n_types + 1u, sizeof *e->curve);
    e->under = calloc(e->f->n_types + 1u, sizeof *e->under);
    if (!e->price || !e->mhz || !e->curve || !e->under) {
        return false;
    }
    for (uint32_t t = 0; t < e->f->n_types; t++) {
        e->curve[t] = curve_of(p, e->f->example[t]);
        e->under[t] = dcp_bound_curve_under(&e->curve[t], 0, e->curve[t].n - 1);
    }
    for (uint32_t g = 0; g < e->n_groups; g++) {
        fill_group(e, g, list, (uint32_t)((uint64_t)n * g / e->n_groups),
                   (uint32_t)((uint64_t)n * (g + 1) / e->n_groups));
    }
    return true;
}

struct dcp_bound_energy *
dcp_bound_energy_create(const struct dcp_fold *f)
{
    struct dcp_bound_energy *e = calloc(1, sizeof *e);

    if (e) {
        e->f = f;
        e->n_sides = f->n_sides > 1 ? 2 : 1;
        e->n_cells = e->n_sides * f->n_types;
    }
    if (e && f->p->pricing->level[0].factor && !fill(e)) {
        dcp_bound_energy_destroy(e);
        return NULL;
    }
    return e;
}

struct dcp_bound_energy *
dcp_bound_energy_of_group(const struct dcp_bound_energy *e, uint32_t group)
{
    struct dcp_bound_energy *one = calloc(1, sizeof *one);
    uint32_t n_types = e->f->n_types, n_items = e->f->p->n_items;
    size_t curves = (n_types + 1u) * sizeof *e->curve;

    if (!one) {
        return NULL;
    }
    *one = (struct dcp_bound_energy){
        .f = e->f,
        .n_sides = e->n_sides,
        .n_cells = e->n_cells,
        .n_groups = 1,
        .single = e->single,
        .price = calloc(n_types + 1u, sizeof *one->price),
        .mhz = calloc(n_items + 1u, sizeof *one->mhz),
        .curve = malloc(curves),
        .under = malloc(curves),
    };
    if (!one->price || !one->mhz || !one->curve || !one->under) {
        dcp_bound_energy_destroy(one);
        return NULL;
    }
    for (uint32_t t = 0; t < n_types; t++) {
        one->price[t] = e->price[(size_t)t * e->n_groups + group];
        one->curve[t] = e->curve[t];
        one->under[t] = e->under[t];
    }
    for (uint32_t i = 0; i < n_items; i++) {
        one->mhz[i] = e->mhz[(size_t)i * e->n_groups + group];
    }
    return one;
}

void
dcp_bound_energy_destroy(struct dcp_bound_energy *e)
{
    if (e) {
        free(e->price);
        free(e->mhz);
        free(e->curve);
        free(e->under);
        free(e);
    }
}

double
dcp_bound_energy_idle(const struct dcp_bound_energy *e, uint32_t type)
{
    double sum = 0;

    for (uint32_t g = 0; g < e->n_groups; g++) {
        sum +=
            e->price[(size_t)type * e->n_groups + g] * e->curve[type].watts[0];
    }
    return sum;
}

bool
dcp_bound_energy_on_side(const struct dcp_bound_energy *e, uint32_t item,
                         uint32_t side)
{
    return e->n_sides == 1 || e->f->side[item] == DCP_FOLD_ANY ||
           e->f->side[item] == side;
}

/* --- The program ---------------------------------------------------------- */

/* What is carried in the group, 'side' or all of it. */
static double
carried(const struct dcp_bound_energy *e, uint32_t group, uint32_t side)
{
    double sum = 0;

    for (uint32_t i = 0; i < e->f->p->n_items; i++) {
        sum += side == DCP_FOLD_ANY || e->f->side[i] == side
                   ? e->mhz[(size_t)i * e->n_groups + group]
                   : 0;
    }
    return sum;
}

/* A cell's columns in one group: its hosts, and what they carry. */
static bool
add_cell(const struct dcp_bound_energy *e, struct dcp_lp *lp, uint32_t cell,
         uint32_t group, uint32_t all_row, uint32_t side_row)
{
    const struct dcp_fold *f = e->f;
    uint32_t side = cell / f->n_types, type = cell % f->n_types;
    const struct dcp_bound_curve *c = &e->under[type];
    uint32_t row = dcp_lp_add_row(lp, 0, 0);
    bool ok = row != UINT32_MAX;

    for (uint32_t r = 0; ok && r < f->n_regions; r++) {
        ok = dcp_lp_set(lp, row, dcp_bound_column(f, r, side, type), -1);
    }
    for (uint32_t j = 0; ok && j < c->n; j++) {
        uint32_t col = dcp_lp_add_col(
            lp, 0, DCP_LP_INF,
            e->price[(size_t)type * e->n_groups + group] * c->watts[j], false);

        ok = col != UINT32_MAX && dcp_lp_set(lp, row, col, 1) &&
             (c->mhz[j] <= 0 || (dcp_lp_set(lp, all_row, col, c->mhz[j]) &&
                                 (side_row == UINT32_MAX ||
                                  dcp_lp_set(lp, side_row, col, c->mhz[j]))));
    }
    return ok;
}

bool
dcp_bound_energy_add(const struct dcp_bound_energy *e, struct dcp_lp *lp)
{
    bool ok = true;

    for (uint32_t g = 0; ok && g < e->n_groups; g++) {
        double all = carried(e, g, DCP_FOLD_ANY);
        uint32_t all_row = dcp_lp_add_row(lp, all, all);
        uint32_t side_row = UINT32_MAX;

        ok = all_row != UINT32_MAX;
        for (uint32_t cell = 0; ok && cell < e->n_cells; cell++) {
            if (e->n_sides > 1 && cell % e->f->n_types == 0) {
                side_row = dcp_lp_add_row(
                    lp, carried(e, g, cell / e->f->n_types) * (1 - 1e-9),
                    DCP_LP_INF);
                ok = side_row != UINT32_MAX;
            }
            ok = ok && add_cell(e, lp, cell, g, all_row, side_row);
        }
    }
    return ok;
}
