/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/bound/prices.h"

#include "solver/bound/guide.h"
#include "solver/bound/pattern.h"
#include "solver/run/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WORK_EACH UINT64_C(20000000) /* Of one cell's pricing. */

void
dcp_bound_prices_finish(struct dcp_bound_prices *prices)
{
    for (uint32_t k = 0; k < prices->n; k++) {
        free(prices->per_host[k]);
    }
    prices->n = 0;
}

/* --- Items ---------------------------------------------------------------- */

/* u: of each item the cheapest bill of the cells that it may use. */
static void
price_items(const struct dcp_bound_guide *guide, double *u)
{
    const struct dcp_bound_energy *e = guide->e;

    for (uint32_t i = 0; i < e->f->p->n_items; i++) {
        u[i] = DCP_LP_INF;
        for (uint32_t cell = 0; cell < e->n_cells; cell++) {
            double bill = 0;

            if (!dcp_bound_guide_may_use(guide, i, cell)) {
                continue;
            }
            for (uint32_t g = 0; g < e->n_groups; g++) {
                bill += guide->load_price[(size_t)cell * e->n_groups + g] *
                        e->mhz[(size_t)i * e->n_groups + g];
            }
            for (uint32_t r = 0; r < guide->n_rooms; r++) {
                bill += guide->room_price[(size_t)cell * guide->n_rooms + r] *
                        dcp_bound_guide_need(guide, i, r);
            }
            u[i] = fmin(u[i], bill);
        }
        if (u[i] >= DCP_LP_INF) {
            u[i] = 0; /* Nowhere to go: others say so. */
        }
    }
}

static double
sum_of(const double *u, uint32_t n)
{
    double sum = 0, size = 0;

    for (uint32_t i = 0; i < n; i++) {
        sum += u[i];
        size += fabs(u[i]);
    }
    return sum - 1e-10 * size;
}

/* --- Cells ---------------------------------------------------------------- */

/* One cell's pricing problem; its columns are its own. */
struct pricing {
    struct dcp_bound_pattern q;
    double *load, *need, *worth, *room;
    uint32_t *item;
};

static void
pricing_finish(struct pricing *x)
{
    free(x->load);
    free(x->need);
    free(x->worth);
    free(x->room);
    free(x->item);
}

static bool
pricing_make(const struct dcp_bound_guide *guide, uint32_t cell,
             const double *u, struct pricing *x)
{
    const struct dcp_bound_energy *e = guide->e;
    uint32_t type = cell % e->f->n_types, n = 0;
    size_t most = e->f->p->n_items;

    *x = (struct pricing){
        .load = calloc(most * e->n_groups + 1, sizeof *x->load),
        .need = calloc(most * guide->n_rooms + 1, sizeof *x->need),
        .worth = calloc(most + 1, sizeof *x->worth),
        .room = calloc(guide->n_rooms + 1u, sizeof *x->room),
        .item = calloc(most + 1, sizeof *x->item),
    };
    if (!x->load || !x->need || !x->worth || !x->room || !x->item) {
        pricing_finish(x);
        return false;
    }
    for (uint32_t i = 0; i < most; i++) {
        if (dcp_bound_guide_may_use(guide, i, cell)) {
            x->worth[n] = u[i];
            x->item[n++] = i;
        }
    }
    for (uint32_t k = 0; k < n; k++) {
        for (uint32_t g = 0; g < e->n_groups; g++) {
            x->load[(size_t)g * n + k] =
                e->mhz[(size_t)x->item[k] * e->n_groups + g];
        }
        for (uint32_t r = 0; r < guide->n_rooms; r++) {
            x->need[(size_t)r * n + k] =
                dcp_bound_guide_need(guide, x->item[k], r);
        }
    }
    for (uint32_t r = 0; r < guide->n_rooms; r++) {
        x->room[r] = dcp_bound_guide_room(guide, type, r);
    }
    x->q = (struct dcp_bound_pattern){
        .n_items = n,
        .n_groups = e->n_groups,
        .n_rooms = guide->n_rooms,
        .load = x->load,
        .need = x->need,
        .u = x->worth,
        .price = e->price + (size_t)type * e->n_groups,
        .room = x->room,
        .curve = e->single ? &e->curve[type] : &e->under[type],
        .load_price = guide->load_price + (size_t)cell * e->n_groups,
        .room_price = guide->room_price + (size_t)cell * guide->n_rooms,
        .max_work = WORK_EACH,
    };
    return true;
}

/* What all prices share. */
struct cells {
    struct dcp_bound_fill *fill; /* By cell; nothing yet: no 'least'. */
    double *low; /* What a host that is nearly full carries at least, by cell
                  * and group. */
};

/* v of one cell. */
static bool
price_cell(const struct dcp_bound_guide *guide, struct cells *cells,
           uint32_t cell, const double *u, int64_t deadline_ms, double *out)
{
    const struct dcp_bound_energy *e = guide->e;
    struct dcp_bound_fill *fill = &cells->fill[cell];
    uint32_t n = e->n_groups;
    struct pricing x;

    if (!pricing_make(guide, cell, u, &x)) {
        return false;
    }
    bool ok = fill->least || dcp_bound_fill_find(&x.q, fill);

    if (ok) {
        const double *by_load = fill->least + (DCP_BOUND_LEVELS - 1) * n;
        const double *by_room = by_load + DCP_BOUND_LEVELS * n;

        for (uint32_t g = 0; g < n; g++) {
            cells->low[(size_t)cell * n + g] = fmin(by_load[g], by_room[g]);
        }
        x.q.fill = fill;
        x.q.deadline_ms = deadline_ms;
        ok = dcp_bound_pattern_least(&x.q, out);
    }
    pricing_finish(&x);
    return ok;
}

static bool
add_prices(const struct dcp_bound_guide *guide, struct cells *cells,
           int64_t deadline_ms, struct dcp_bound_prices *prices)
{
    const struct dcp_bound_energy *e = guide->e;
    uint32_t n_items = e->f->p->n_items;
    DCP_FREE double *u = calloc(n_items + 1u, sizeof *u);
    double *v = calloc(e->n_cells + 1u, sizeof *v);
    bool ok = u && v;

    if (ok) {
        price_items(guide, u);
    }
    for (uint32_t cell = 0; ok && cell < e->n_cells; cell++) {
        ok = price_cell(guide, cells, cell, u, deadline_ms, &v[cell]);
    }
    if (!ok) {
        free(v);
        return false;
    }
    prices->base[prices->n] = sum_of(u, n_items);
    prices->per_host[prices->n++] = v;
    return true;
}

/* First by the curves' envelopes, then by what nearly full hosts draw. */
static bool
find(const struct dcp_bound_energy *e, struct cells *cells, int64_t deadline_ms,
     struct dcp_bound_prices *out, struct dcp_error *err)
{
    for (uint32_t k = 0;
         k < DCP_BOUND_PRICES_MAX && dcp_monotonic_ms() < deadline_ms; k++) {
        DCP_AUTO(dcp_bound_guide)
        struct dcp_bound_guide *guide =
            dcp_bound_guide_create(e, k ? cells->low : NULL, deadline_ms, err);

        if (!guide) {
            return false;
        }
        if (!guide->solved) {
            break;
        }
        if (!add_prices(guide, cells, deadline_ms, out)) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for a bound");
        }
    }
    return true;
}

bool
dcp_bound_prices_find(const struct dcp_bound_energy *e, int64_t deadline_ms,
                      struct dcp_bound_prices *out, struct dcp_error *err)
{
    DCP_FREE struct dcp_bound_fill *fill =
        calloc(e->n_cells + 1u, sizeof *fill);
    DCP_FREE double *low =
        calloc((size_t)e->n_cells * e->n_groups + 1, sizeof *low);
    struct cells cells = { fill, low };
    bool ok = fill && low;

    *out = (struct dcp_bound_prices){ 0 };
    if (!ok) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a bound");
    }
    if (e->n_groups) {
        ok = find(e, &cells, deadline_ms, out, err);
    }
    for (uint32_t c = 0; c < e->n_cells; c++) {
        dcp_bound_fill_finish(&fill[c]);
    }
    return ok;
}
