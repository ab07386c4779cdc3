/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/bound/guide.h"

#include "solver/bound/parts.h"
#include "solver/run/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CLUSTERS_MAX 64u
#define SAMPLE_MAX   2000u /* Items that are clustered. */
#define ROUNDS       2u

/* --- Items and cells ------------------------------------------------------ */

bool
dcp_bound_guide_may_use(const struct dcp_bound_guide *guide, uint32_t item,
                        uint32_t cell)
{
    const struct dcp_fold *f = guide->e->f;
    size_t class = f->p->reach_class[item];

    return dcp_bound_energy_on_side(guide->e, item, cell / f->n_types) &&
           guide->may_use[class * f->n_types + cell % f->n_types];
}

double
dcp_bound_guide_need(const struct dcp_bound_guide *guide, uint32_t item,
                     uint32_t room)
{
    const struct dcp_problem *p = guide->e->f->p;

    return room < p->n_scalars
               ? p->request[(size_t)item * p->n_scalars + room]
               : p->cpu_mhz[(size_t)item * p->stride + guide->busiest];
}

double
dcp_bound_guide_room(const struct dcp_bound_guide *guide, uint32_t type,
                     uint32_t room)
{
    const struct dcp_problem *p = guide->e->f->p;
    uint32_t host = guide->e->f->example[type];

    return room < p->n_scalars ? p->cap[(size_t)room * p->n_hosts + host]
                               : p->cap_cpu_mhz[host];
}

static void
find_reach(struct dcp_bound_guide *guide)
{
    const struct dcp_fold *f = guide->e->f;
    const struct dcp_problem *p = f->p;

    for (uint32_t c = 0; c < p->n_classes; c++) {
        const uint64_t *row = p->reach + (size_t)c * p->reach_words;

        for (uint32_t h = 0; h < p->n_hosts; h++) {
            if ((row[h / 64] >> (h % 64) & 1) && p->use[h] != DCP_HOST_AVOID) {
                guide->may_use[(size_t)c * f->n_types + p->type_of_host[h]] = 1;
            }
        }
    }
}

static void
find_busiest(struct dcp_bound_guide *guide)
{
    const struct dcp_problem *p = guide->e->f->p;
    double most = -1;

    for (uint32_t s = 0; s < p->n_slots; s++) {
        double sum = 0;

        for (uint32_t i = 0; i < p->n_items; i++) {
            sum += p->cpu_mhz[(size_t)i * p->stride + s];
        }
        if (sum > most) {
            most = sum;
            guide->busiest = s;
        }
    }
}

/* --- Clusters ------------------------------------------------------------- */

struct clusters {
    const struct dcp_bound_guide *guide;
    uint32_t n, n_coords;    /* Groups, then rooms. */
    uint32_t *item, n_items; /* A sample of the items, */
    double weight;           /* each for so many. */
    uint32_t *of;            /* Of the sample, */
    double *apart, *size;    /* its distance, and size. */
    double *total;           /* [cluster * n_coords] what all ask for. */
    uint32_t *example;       /* Some item. */
    double *unit;            /* [coordinate] of an average host. */
};

static double
coord(const struct clusters *c, uint32_t item, uint32_t k)
{
    const struct dcp_bound_energy *e = c->guide->e;

    return (k < e->n_groups
                ? e->mhz[(size_t)item * e->n_groups + k]
                : dcp_bound_guide_need(c->guide, item, k - e->n_groups)) /
           c->unit[k];
}

/* Whether two items may use the same cells. */
static bool
alike(const struct clusters *c, uint32_t a, uint32_t b)
{
    const struct dcp_fold *f = c->guide->e->f;

    return f->side[a] == f->side[b] &&
           !memcmp(
               c->guide->may_use + (size_t)f->p->reach_class[a] * f->n_types,
               c->guide->may_use + (size_t)f->p->reach_class[b] * f->n_types,
               f->n_types);
}

/* Between the directions of an item and of a cluster's sum. */
static double
angle(const struct clusters *c, uint32_t item, const double *of)
{
    double dot = 0, a = 0, b = 0;

    for (uint32_t k = 0; k < c->n_coords; k++) {
        double x = coord(c, item, k);

        dot += x * of[k];
        a += x * x;
        b += of[k] * of[k];
    }
    return a > 0 && b > 0 ? 1 - dot / sqrt(a * b) : 0;
}

static void
sum_up(struct clusters *c)
{
    memset(c->total, 0, (size_t)c->n * c->n_coords * sizeof *c->total);
    for (uint32_t s = 0; s < c->n_items; s++) {
        for (uint32_t k = 0; k < c->n_coords; k++) {
            c->total[(size_t)c->of[s] * c->n_coords + k] +=
                c->weight * coord(c, c->item[s], k);
        }
    }
}

/* Looks at clusters from 'first' on; 2: none yet. */
static void
join_nearest(struct clusters *c, uint32_t sample, uint32_t first)
{
    for (uint32_t k = first; k < c->n; k++) {
        double a =
            alike(c, c->item[sample], c->example[k])
                ? angle(c, c->item[sample], c->total + (size_t)k * c->n_coords)
                : 2;

        if (a < c->apart[sample]) {
            c->apart[sample] = a;
            c->of[sample] = k;
        }
    }
}

/* The item that is furthest from its cluster, weighted by its size. */
static uint32_t
furthest(const struct clusters *c)
{
    uint32_t far = UINT32_MAX;
    double most = 1e-6;

    for (uint32_t s = 0; s < c->n_items; s++) {
        if (c->apart[s] * c->size[s] > most) {
            most = c->apart[s] * c->size[s];
            far = s;
        }
    }
    return far;
}

/* One cluster more and more, for the item that is furthest from its own; the
 * means are moved last. */
static void
cluster(struct clusters *c)
{
    uint32_t far;

    for (uint32_t s = 0; s < c->n_items; s++) {
        c->apart[s] = 1e9; /* One for each set of cells first. */
        for (uint32_t k = 0; k < c->n_coords; k++) {
            c->size[s] += coord(c, c->item[s], k);
        }
    }
    while (c->n < CLUSTERS_MAX && (far = furthest(c)) != UINT32_MAX) {
        c->example[c->n] = c->item[far];
        for (uint32_t k = 0; k < c->n_coords; k++) {
            c->total[(size_t)c->n * c->n_coords + k] =
                coord(c, c->item[far], k);
        }
        c->n++;
        for (uint32_t s = 0; s < c->n_items; s++) {
            join_nearest(c, s, c->n - 1);
        }
    }
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t s = 0; s < c->n_items; s++) {
            c->apart[s] = 1e9;
            c->of[s] = 0;
            join_nearest(c, s, 0);
        }
        sum_up(c);
    }
}

/* --- The program ---------------------------------------------------------- */

struct program {
    struct dcp_bound_guide *guide;
    struct clusters *c;
    struct dcp_lp *lp;
    const double *host_price;      /* By cell; NULL: the program has hosts. */
    uint32_t *used_row;            /* By cell, where it has. */
    uint32_t *used_col;            /* By part. */
    uint32_t *load_row, *room_row; /* By part and group, part and room. */
    bool ok;
};

static void
set(struct program *m, uint32_t row, uint32_t col, double value)
{
    m->ok = m->ok && row != UINT32_MAX && col != UINT32_MAX &&
            (value == 0 || dcp_lp_set(m->lp, row, col, value));
}

/* The envelope above 'low' MHz, its first line continued down to no load. */
static struct dcp_bound_curve
raised(const struct dcp_bound_curve *c, double low)
{
    struct dcp_bound_curve above = { .n = 0 };

    for (uint32_t j = 0; j < c->n; j++) {
        if (j + 1 < c->n && c->mhz[j + 1] <= low) {
            continue;
        }
        above.mhz[above.n] = c->mhz[j];
        above.watts[above.n] = c->watts[j];
        if (c->mhz[j] < low && j + 1 < c->n) {
            above.mhz[above.n] = low;
            above.watts[above.n] += (low - c->mhz[j]) *
                                    (c->watts[j + 1] - c->watts[j]) /
                                    (c->mhz[j + 1] - c->mhz[j]);
        }
        above.n++;
    }
    struct dcp_bound_curve e = dcp_bound_curve_under(&above, 0, above.n - 1);

    if (e.n > 1 && e.mhz[0] > 0) {
        double slope = (e.watts[1] - e.watts[0]) / (e.mhz[1] - e.mhz[0]);

        e.watts[0] -= slope * e.mhz[0];
        e.mhz[0] = 0;
    }
    return e;
}

/* The corner at which the curve's slope falls most; 0: at none. */
static uint32_t
knee(const struct dcp_bound_curve *c)
{
    uint32_t at = 0;
    double most = 1e-9;

    for (uint32_t j = 1; j + 1 < c->n; j++) {
        double before =
            (c->watts[j] - c->watts[j - 1]) / (c->mhz[j] - c->mhz[j - 1]);
        double after =
            (c->watts[j + 1] - c->watts[j]) / (c->mhz[j + 1] - c->mhz[j]);

        if (before - after > most) {
            most = before - after;
            at = j;
        }
    }
    return at;
}

/* The envelope up to the corner 'last', its last line continued. */
static struct dcp_bound_curve
lowered(const struct dcp_bound_curve *c, uint32_t last)
{
    struct dcp_bound_curve e = dcp_bound_curve_under(c, 0, last);

    if (last + 1 < c->n) {
        double slope = (e.watts[e.n - 1] - e.watts[e.n - 2]) /
                       (e.mhz[e.n - 1] - e.mhz[e.n - 2]);

        e.watts[e.n - 1] += slope * (c->mhz[c->n - 1] - e.mhz[e.n - 1]);
        e.mhz[e.n - 1] = c->mhz[c->n - 1];
    }
    return e;
}

static struct dcp_bound_curve
curve_of_part(const struct program *m, const struct dcp_bound_part *part,
              uint32_t group)
{
    const struct dcp_bound_energy *e = m->guide->e;
    const struct dcp_bound_curve *c = &e->curve[part->cell % e->f->n_types];
    uint32_t corner = knee(c);

    if (part->draw == DCP_BOUND_DRAW_ENVELOPE) {
        return raised(c, part->low ? part->low[group] : 0);
    }
    return part->draw == DCP_BOUND_DRAW_ABOVE || !corner
               ? raised(c, c->mhz[corner])
               : lowered(c, corner);
}

static void
add_used(struct program *m, uint32_t cell)
{
    const struct dcp_fold *f = m->guide->e->f;
    uint32_t row = dcp_lp_add_row(m->lp, -DCP_LP_INF, 0);

    m->used_row[cell] = row;
    for (uint32_t r = 0; r < f->n_regions; r++) {
        set(m, row,
            dcp_bound_column(f, r, cell / f->n_types, cell % f->n_types), -1);
    }
}

/* Hosts of a part that hold something, their load and their room. */
static void
add_part(struct program *m, uint32_t part)
{
    const struct dcp_bound_energy *e = m->guide->e;
    const struct clusters *c = m->c;
    uint32_t cell = m->guide->part[part].cell, type = cell % e->f->n_types;
    double price = m->host_price ? m->host_price[cell] : 0;
    uint32_t used = dcp_lp_add_col(
        m->lp, 0, DCP_LP_INF, price - dcp_bound_energy_idle(e, type), false);

    m->used_col[part] = used;
    if (!m->host_price) {
        set(m, m->used_row[cell], used, 1);
    }
    for (uint32_t g = 0; m->ok && g < e->n_groups; g++) {
        uint32_t hosts = dcp_lp_add_row(m->lp, 0, 0);
        uint32_t link = dcp_lp_add_row(m->lp, 0, 0);
        struct dcp_bound_curve curve =
            curve_of_part(m, &m->guide->part[part], g);

        m->load_row[(size_t)part * e->n_groups + g] = link;
        set(m, hosts, used, -1);
        for (uint32_t j = 0; j < curve.n; j++) {
            uint32_t col = dcp_lp_add_col(
                m->lp, 0, DCP_LP_INF,
                e->price[(size_t)type * e->n_groups + g] * curve.watts[j],
                false);

            set(m, hosts, col, 1);
            set(m, link, col, curve.mhz[j] / c->unit[g]);
        }
    }
    double fill = m->guide->part[part].fill_frac;

    for (uint32_t r = 0; m->ok && r < m->guide->n_rooms; r++) {
        uint32_t at = dcp_lp_add_row(m->lp, -DCP_LP_INF, 0);

        m->room_row[(size_t)part * m->guide->n_rooms + r] = at;
        set(m, at, used,
            -dcp_bound_guide_room(m->guide, type, r) * (fill > 0 ? fill : 1) /
                c->unit[e->n_groups + r]);
    }
}

static void
add_cluster(struct program *m, uint32_t k)
{
    const struct dcp_bound_energy *e = m->guide->e;
    const struct clusters *c = m->c;
    const double *total = c->total + (size_t)k * c->n_coords;
    uint32_t all = dcp_lp_add_row(m->lp, 1, 1);

    for (uint32_t part = 0; m->ok && part < m->guide->n_parts; part++) {
        if (!dcp_bound_guide_may_use(m->guide, c->example[k],
                                     m->guide->part[part].cell)) {
            continue;
        }
        uint32_t col = dcp_lp_add_col(m->lp, 0, DCP_LP_INF, 0, false);

        set(m, all, col, 1);
        for (uint32_t g = 0; g < e->n_groups; g++) {
            set(m, m->load_row[(size_t)part * e->n_groups + g], col, -total[g]);
        }
        for (uint32_t r = 0; r < m->guide->n_rooms; r++) {
            set(m, m->room_row[(size_t)part * m->guide->n_rooms + r], col,
                total[e->n_groups + r]);
        }
    }
}

static bool
take_duals(struct program *m, int64_t deadline_ms, struct dcp_error *err)
{
    struct dcp_bound_guide *guide = m->guide;
    const struct dcp_bound_energy *e = guide->e;
    const struct dcp_fold *f = e->f;
    uint32_t n_hosts = f->n_regions * f->n_sides * f->n_types;
    DCP_FREE double *duals = calloc(dcp_lp_n_rows(m->lp) + 1u, sizeof *duals);
    DCP_FREE double *x = calloc(dcp_lp_n_cols(m->lp) + 1u, sizeof *x);
    struct dcp_lp_options options = {
        .time_limit_s = dcp_bound_left_s(deadline_ms),
        .max_iterations = DCP_BOUND_ITERATIONS,
        .duals = duals,
    };
    struct dcp_lp_answer answer;

    if (!duals || !x) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a bound");
    }
    if (!dcp_lp_solve(m->lp, &options, &answer, x, err)) {
        return false;
    }
    guide->solved = answer.status == DCP_LP_OPTIMAL;
    for (uint32_t part = 0; guide->solved && part < guide->n_parts; part++) {
        for (uint32_t g = 0; g < e->n_groups; g++) {
            size_t at = (size_t)part * e->n_groups + g;

            guide->load_price[at] = duals[m->load_row[at]] / m->c->unit[g];
        }
        for (uint32_t r = 0; r < guide->n_rooms; r++) {
            size_t at = (size_t)part * guide->n_rooms + r;

            guide->room_price[at] =
                fmax(-duals[m->room_row[at]], 0) / m->c->unit[e->n_groups + r];
        }
    }
    for (uint32_t part = 0; guide->solved && part < guide->n_parts; part++) {
        guide->part_on[part] = x[m->used_col[part]];
    }
    for (uint32_t cell = 0;
         guide->solved && !m->host_price && cell < e->n_cells; cell++) {
        guide->host_price[cell] = fmax(-duals[m->used_row[cell]], 0);
    }
    for (uint32_t k = 0; guide->solved && !m->host_price && k < n_hosts; k++) {
        size_t region = k / f->n_types / f->n_sides;

        guide->on[region * f->n_types + k % f->n_types] += x[k];
    }
    return true;
}

static bool
solve(struct dcp_bound_guide *guide, struct clusters *c,
      const double *host_price, int64_t deadline_ms, struct dcp_error *err)
{
    const struct dcp_bound_energy *e = guide->e;
    const struct dcp_fold *f = e->f;
    DCP_AUTO(dcp_lp) struct dcp_lp *lp = dcp_lp_create(err);
    DCP_FREE uint32_t *used_row = calloc(e->n_cells + 1u, sizeof *used_row);
    DCP_FREE uint32_t *used_col =
        calloc(guide->n_parts + 1u, sizeof *used_col);
    DCP_FREE uint32_t *load_row =
        calloc((size_t)guide->n_parts * e->n_groups + 1, sizeof *load_row);
    DCP_FREE uint32_t *room_row =
        calloc((size_t)guide->n_parts * guide->n_rooms + 1, sizeof *room_row);
    DCP_FREE double *cost =
        calloc((size_t)f->n_sides * f->n_types + 1, sizeof *cost);
    struct program m = { .guide = guide,
                         .c = c,
                         .lp = lp,
                         .host_price = host_price,
                         .used_row = used_row,
                         .used_col = used_col,
                         .load_row = load_row,
                         .room_row = room_row,
                         .ok = lp && used_row && used_col && load_row &&
                               room_row && cost };

    for (uint32_t k = 0; m.ok && k < f->n_sides * f->n_types; k++) {
        cost[k] = dcp_bound_host_cost(f, k % f->n_types) +
                  dcp_bound_energy_idle(e, k % f->n_types);
    }
    m.ok = m.ok && (host_price || (dcp_bound_add_hosts(f, lp, cost) &&
                                   dcp_bound_add_money(f, lp)));
    for (uint32_t cell = 0; m.ok && !host_price && cell < e->n_cells; cell++) {
        add_used(&m, cell);
    }
    for (uint32_t part = 0; m.ok && part < guide->n_parts; part++) {
        add_part(&m, part);
    }
    for (uint32_t k = 0; m.ok && k < c->n; k++) {
        add_cluster(&m, k);
    }
    return m.ok ? take_duals(&m, deadline_ms, err)
                : dcp_fail(err, DCP_E_NOMEM, "no memory for a bound");
}

/* --- All ------------------------------------------------------------------ */

static bool
cluster_and_solve(struct dcp_bound_guide *guide, const double *host_price,
                  int64_t deadline_ms, struct dcp_error *err)
{
    const struct dcp_bound_energy *e = guide->e;
    const struct dcp_problem *p = e->f->p;
    uint32_t n_coords = e->n_groups + guide->n_rooms;
    uint32_t step = p->n_items / SAMPLE_MAX + 1;
    DCP_FREE uint32_t *item = calloc(p->n_items + 1u, sizeof *item);
    DCP_FREE uint32_t *of = calloc(p->n_items + 1u, sizeof *of);
    DCP_FREE double *apart = calloc(p->n_items + 1u, sizeof *apart);
    DCP_FREE double *size = calloc(p->n_items + 1u, sizeof *size);
    DCP_FREE double *total =
        calloc((size_t)CLUSTERS_MAX * n_coords + 1, sizeof *total);
    DCP_FREE double *unit = calloc(n_coords + 1u, sizeof *unit);
    uint32_t example[CLUSTERS_MAX];
    struct clusters c = { .guide = guide,
                          .n_coords = n_coords,
                          .item = item,
                          .of = of,
                          .apart = apart,
                          .size = size,
                          .total = total,
                          .example = example,
                          .unit = unit };

    if (!item || !of || !apart || !size || !total || !unit) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a bound");
    }
    for (uint32_t i = 0; i < p->n_items; i += step) {
        item[c.n_items++] = i;
    }
    c.weight = c.n_items ? (double)p->n_items / c.n_items : 1;
    for (uint32_t k = 0; k < n_coords; k++) {
        uint32_t host = e->f->example[0];

        unit[k] = k < e->n_groups || k == n_coords - 1
                      ? p->cap_cpu_mhz[host]
                      : p->cap[(size_t)(k - e->n_groups) * p->n_hosts + host];
        unit[k] = fmax(unit[k], 1);
    }
    cluster(&c);
    return solve(guide, &c, host_price, deadline_ms, err);
}

struct dcp_bound_guide *
dcp_bound_guide_create(const struct dcp_bound_energy *e,
                       const struct dcp_bound_part *part, uint32_t n_parts,
                       const double *host_price, int64_t deadline_ms,
                       struct dcp_error *err)
{
    struct dcp_bound_guide *guide = calloc(1, sizeof *guide);
    const struct dcp_problem *p = e->f->p;

    if (guide) {
        guide->e = e;
        guide->n_rooms = p->n_scalars + 1;
        guide->part = part;
        guide->n_parts = n_parts;
        guide->load_price = calloc((size_t)guide->n_parts * e->n_groups + 1,
                                   sizeof *guide->load_price);
        guide->room_price = calloc((size_t)guide->n_parts * guide->n_rooms + 1,
                                   sizeof *guide->room_price);
        guide->host_price = calloc(e->n_cells + 1u, sizeof *guide->host_price);
        guide->on =
            calloc((size_t)e->f->n_regions * e->f->n_types + 1, sizeof *guide->on);
        guide->part_on = calloc(guide->n_parts + 1u, sizeof *guide->part_on);
        guide->may_use = calloc((size_t)p->n_classes * e->f->n_types + 1, 1);
    }
    if (!guide || !guide->load_price || !guide->room_price ||
        !guide->host_price || !guide->on || !guide->part_on ||
        !guide->may_use) {
        dcp_bound_guide_destroy(guide);
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a bound");
        return NULL;
    }
    find_reach(guide);
    find_busiest(guide);
    if (!cluster_and_solve(guide, host_price, deadline_ms, err)) {
        dcp_bound_guide_destroy(guide);
        return NULL;
    }
    return guide;
}

void
dcp_bound_guide_destroy(struct dcp_bound_guide *guide)
{
    if (guide) {
        free(guide->load_price);
        free(guide->room_price);
        free(guide->host_price);
        free(guide->on);
        free(guide->part_on);
        free(guide->may_use);
        free(guide);
    }
}
