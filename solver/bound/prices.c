/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/bound/prices.h"

#include "solver/bound/guide.h"
#include "solver/bound/pattern.h"
#include "solver/run/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of one cell's pricing; more with the last prices of all slots, which mostly
 * are the better ones. */
#define WORK_FIRST UINT64_C(20000000)
#define WORK_LAST  UINT64_C(150000000)
/* Slot by slot pays in nights, where hosts idle near the knee of their curves,
 * not over whole days. */
#define SLOTS_MAX 12u
/* What whole items fill of the hosts that a mix is asked for. */
#define FILL_FRAC 0.97

void
dcp_bound_prices_finish(struct dcp_bound_prices *prices)
{
    for (uint32_t k = 0; k < DCP_BOUND_PRICES_MAX; k++) {
        free(prices->per_host[k]);
    }
    *prices = (struct dcp_bound_prices){ 0 };
}

/* --- Items ---------------------------------------------------------------- */

/* u: of each item the cheapest bill of the parts that it may use. */
static void
price_items(const struct dcp_bound_guide *guide, double *u)
{
    const struct dcp_bound_energy *e = guide->e;

    for (uint32_t i = 0; i < e->f->p->n_items; i++) {
        u[i] = DCP_LP_INF;
        for (uint32_t part = 0; part < guide->n_parts; part++) {
            double bill = 0;

            if (!dcp_bound_guide_may_use(guide, i, guide->part[part].cell)) {
                continue;
            }
            for (uint32_t g = 0; g < e->n_groups; g++) {
                bill += guide->load_price[(size_t)part * e->n_groups + g] *
                        e->mhz[(size_t)i * e->n_groups + g];
            }
            for (uint32_t r = 0; r < guide->n_rooms; r++) {
                bill += guide->room_price[(size_t)part * guide->n_rooms + r] *
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
    double *load, *need, *worth, *room, *start;
    uint32_t *item;
};

static void
pricing_finish(struct pricing *x)
{
    free(x->load);
    free(x->need);
    free(x->worth);
    free(x->room);
    free(x->start);
    free(x->item);
}

static bool
pricing_make(const struct dcp_bound_guide *guide, uint32_t cell,
             const double *u, uint64_t max_work, struct pricing *x)
{
    const struct dcp_bound_energy *e = guide->e;
    uint32_t type = cell % e->f->n_types, n = 0;
    uint32_t n_prices = e->n_groups + guide->n_rooms, n_starts = 0;
    size_t most = e->f->p->n_items;

    *x = (struct pricing){
        .load = calloc(most * e->n_groups + 1, sizeof *x->load),
        .need = calloc(most * guide->n_rooms + 1, sizeof *x->need),
        .worth = calloc(most + 1, sizeof *x->worth),
        .room = calloc(guide->n_rooms + 1u, sizeof *x->room),
        .start =
            calloc((size_t)guide->n_parts * n_prices + 1, sizeof *x->start),
        .item = calloc(most + 1, sizeof *x->item),
    };
    if (!x->load || !x->need || !x->worth || !x->room || !x->start ||
        !x->item) {
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
    for (uint32_t k = 0; k < guide->n_parts; k++) {
        double *to = x->start + (size_t)n_starts * n_prices;

        if (guide->part[k].cell == cell) {
            memcpy(to, guide->load_price + (size_t)k * e->n_groups,
                   e->n_groups * sizeof *to);
            memcpy(to + e->n_groups,
                   guide->room_price + (size_t)k * guide->n_rooms,
                   guide->n_rooms * sizeof *to);
            n_starts++;
        }
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
        .start = x->start,
        .n_starts = n_starts,
        .max_work = max_work,
    };
    return true;
}

/* What all prices share. */
struct cells {
    uint64_t max_work; /* Of one cell's pricing. */
    bool has_host_price;
    double *host_price;          /* By cell, of the last guide with hosts. */
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

    if (!pricing_make(guide, cell, u, cells->max_work, &x)) {
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

/* Adds the prices that the guide says to 'base' and 'v' (by cell). */
static bool
add_prices(const struct dcp_bound_guide *guide, struct cells *cells,
           int64_t deadline_ms, double *base, double *v)
{
    const struct dcp_bound_energy *e = guide->e;
    uint32_t n_items = e->f->p->n_items;
    DCP_FREE double *u = calloc(n_items + 1u, sizeof *u);
    bool ok = u != NULL;

    if (ok) {
        price_items(guide, u);
        *base += sum_of(u, n_items);
    }
    for (uint32_t cell = 0; ok && cell < e->n_cells; cell++) {
        double least;

        ok = price_cell(guide, cells, cell, u, deadline_ms, &least);
        v[cell] += ok ? least : 0;
    }
    return ok;
}

/* Guide and pricing over these parts; *out_done false: no prices were found. */
static bool
find(const struct dcp_bound_energy *e, const struct dcp_bound_part *parts,
     uint32_t n_parts, struct cells *cells, int64_t deadline_ms, double *base,
     double *v, bool *out_done, struct dcp_error *err)
{
    DCP_AUTO(dcp_bound_guide)
    struct dcp_bound_guide *guide = dcp_bound_guide_create(
        e, parts, n_parts, cells->has_host_price ? cells->host_price : NULL,
        deadline_ms, err);

    *out_done = false;
    if (!guide || !guide->solved) {
        return guide != NULL;
    }
    *out_done = true;
    if (!cells->has_host_price) {
        memcpy(cells->host_price, guide->host_price,
               e->n_cells * sizeof *cells->host_price);
    }
    return add_prices(guide, cells, deadline_ms, base, v) ||
           dcp_fail(err, DCP_E_NOMEM, "no memory for a bound");
}

static bool
cells_make(const struct dcp_bound_energy *e, struct cells *cells)
{
    *cells = (struct cells){
        .host_price = calloc(e->n_cells + 1u, sizeof *cells->host_price),
        .fill = calloc(e->n_cells + 1u, sizeof *cells->fill),
        .low = calloc((size_t)e->n_cells * e->n_groups + 1, sizeof *cells->low),
    };
    return cells->host_price && cells->fill && cells->low;
}

static void
cells_finish(const struct dcp_bound_energy *e, struct cells *cells)
{
    for (uint32_t c = 0; cells->fill && c < e->n_cells; c++) {
        dcp_bound_fill_finish(&cells->fill[c]);
    }
    free(cells->host_price);
    free(cells->fill);
    free(cells->low);
}

/* --- All slots together --------------------------------------------------- */

/* By the curves' envelopes; 'loaded': by what nearly full hosts draw, which the
 * pricing of the former says. */
static bool
find_together(const struct dcp_bound_energy *e, struct dcp_bound_part *parts,
              bool loaded, struct cells *cells, int64_t deadline_ms,
              struct dcp_bound_prices *out, struct dcp_error *err)
{
    bool done;

    if (dcp_monotonic_ms() >= deadline_ms) {
        return true;
    }
    for (uint32_t c = 0; c < e->n_cells; c++) {
        parts[c] = (struct dcp_bound_part){
            .cell = c,
            .low = loaded ? cells->low + (size_t)c * e->n_groups : NULL,
        };
    }
    cells->max_work = loaded ? WORK_LAST : WORK_FIRST;

    bool ok = find(e, parts, e->n_cells, cells, deadline_ms, &out->base[out->n],
                   out->per_host[out->n], &done, err);

    out->n += ok && done;
    return ok;
}

/* --- Slot by slot --------------------------------------------------------- */

static bool
find_slot(const struct dcp_bound_energy *e, uint32_t group,
          const struct dcp_bound_part *parts, const double *host_price,
          int64_t deadline_ms, double *base, double *v, bool *out_done,
          struct dcp_error *err)
{
    DCP_AUTO(dcp_bound_energy)
    struct dcp_bound_energy *one = dcp_bound_energy_of_group(e, group);
    struct cells cells = { 0 };
    bool ok = one && cells_make(one, &cells);

    if (!ok) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a bound");
    }
    cells.has_host_price = true;
    cells.max_work = WORK_FIRST;
    for (uint32_t c = 0; ok && c < e->n_cells; c++) { /* The slot's share. */
        double all = dcp_bound_energy_idle(e, c % e->f->n_types);

        cells.host_price[c] =
            all > 0 ? host_price[c] *
                          dcp_bound_energy_idle(one, c % e->f->n_types) / all
                    : 0;
    }
    ok = ok && find(one, parts, 2 * e->n_cells, &cells, deadline_ms, base, v,
                    out_done, err);
    cells_finish(e, &cells);
    return ok;
}

/* Two parts of each cell, below the knee and above it. */
static void
part_at_knee(const struct dcp_bound_energy *e, struct dcp_bound_part *parts)
{
    for (uint32_t k = 0; k < 2 * e->n_cells; k++) {
        parts[k] = (struct dcp_bound_part){
            .cell = k / 2,
            .draw = k % 2 ? DCP_BOUND_DRAW_ABOVE : DCP_BOUND_DRAW_BELOW,
        };
    }
}

static bool
find_by_slot(const struct dcp_bound_energy *e, struct dcp_bound_part *parts,
             const double *host_price, int64_t deadline_ms,
             struct dcp_bound_prices *out, struct dcp_error *err)
{
    bool ok = true, done = true;

    part_at_knee(e, parts);
    for (uint32_t g = 0; ok && done && g < e->n_groups; g++) {
        done = dcp_monotonic_ms() < deadline_ms;
        ok = !done ||
             find_slot(e, g, parts, host_price, deadline_ms, &out->base[out->n],
                       out->per_host[out->n], &done, err);
    }
    if (ok && done) {
        out->n++;
    } else { /* Some slots alone say too little. */
        out->base[out->n] = 0;
        memset(out->per_host[out->n], 0, e->n_cells * sizeof **out->per_host);
    }
    return ok;
}

bool
dcp_bound_prices_find(const struct dcp_bound_energy *e, int64_t deadline_ms,
                      struct dcp_bound_prices *out, struct dcp_error *err)
{
    DCP_FREE struct dcp_bound_part *parts =
        calloc(2 * (size_t)e->n_cells + 1, sizeof *parts);
    struct cells cells;
    bool ok = cells_make(e, &cells) && parts;

    *out = (struct dcp_bound_prices){ 0 };
    for (uint32_t k = 0; ok && k < DCP_BOUND_PRICES_MAX; k++) {
        out->per_host[k] = calloc(e->n_cells + 1u, sizeof **out->per_host);
        ok = out->per_host[k] != NULL;
    }
    if (!ok) {
        cells_finish(e, &cells);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a bound");
    }
    /* Where time is short the best come first. */
    ok = !e->n_groups ||
         find_together(e, parts, false, &cells, deadline_ms, out, err);
    if (ok && out->n && e->single && e->n_groups <= SLOTS_MAX) {
        ok = find_by_slot(e, parts, cells.host_price, deadline_ms, out, err);
    }
    /* By slots is more than by what nearly full hosts draw, wherever both were
     * found. */
    ok = ok && (out->n != 1 ||
                find_together(e, parts, true, &cells, deadline_ms, out, err));
    cells_finish(e, &cells);
    return ok;
}

/* By type, over sides. */
static void
share_below(const struct dcp_bound_energy *e,
            const struct dcp_bound_guide *guide, double *below_frac)
{
    for (uint32_t t = 0; t < e->f->n_types; t++) {
        double below = 0, all = 0;

        for (uint32_t k = 0; k < guide->n_parts; k++) {
            if (guide->part[k].cell % e->f->n_types == t) {
                all += guide->part_on[k];
                below += guide->part[k].draw == DCP_BOUND_DRAW_BELOW
                             ? guide->part_on[k]
                             : 0;
            }
        }
        below_frac[t] = all > 0 ? fmin(fmax(below / all, 0), 1) : 0;
    }
}

bool
dcp_bound_prices_mix(const struct dcp_bound_energy *e, int64_t deadline_ms,
                     double *type_on, double *below_frac, bool *out_found,
                     struct dcp_error *err)
{
    size_t n = (size_t)e->f->n_regions * e->f->n_types;
    DCP_FREE struct dcp_bound_part *parts =
        calloc(2 * (size_t)e->n_cells + 1, sizeof *parts);

    *out_found = false;
    if (!e->n_groups || dcp_monotonic_ms() >= deadline_ms) {
        return true;
    }
    if (!parts) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a bound");
    }
    part_at_knee(e, parts);
    for (uint32_t k = 0; k < 2 * e->n_cells; k++) {
        parts[k].fill_frac = FILL_FRAC;
    }
    DCP_AUTO(dcp_bound_guide)
    struct dcp_bound_guide *guide = dcp_bound_guide_create(
        e, parts, 2 * e->n_cells, NULL, deadline_ms, err);

    if (guide && guide->solved) {
        memcpy(type_on, guide->on, n * sizeof *type_on);
        share_below(e, guide, below_frac);
        *out_found = true;
    }
    return guide != NULL;
}
