/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/bound/host_rows.h"

#include "solver/bound/parts.h"

#include <stdlib.h>
#include <string.h>

struct dcp_host_row {
    struct dcp_part part;
    bool with_spares;
    double low;
};

bool
dcp_host_rows_add(struct dcp_host_rows *x, struct dcp_part part, double low,
                  const double coefficient[], bool with_spares)
{
    uint32_t n_types = x->f->n_types;

    if (low <= 0) {
        return true;
    }
    if (x->n == x->room) {
        uint32_t room = x->room ? 2 * x->room : 64;
        struct dcp_host_row *rows = realloc(x->rows, room * sizeof *rows);

        x->rows = rows ? rows : x->rows;
        double *values = realloc(x->coefficient,
                                 ((size_t)room * n_types + 1) * sizeof *values);

        x->coefficient = values ? values : x->coefficient;
        if (!rows || !values) {
            return false;
        }
        x->room = room;
    }
    x->rows[x->n] =
        (struct dcp_host_row){ part, with_spares && x->f->n_sides > 1, low };
    memcpy(x->coefficient + (size_t)x->n++ * n_types, coefficient,
           n_types * sizeof *coefficient);
    return true;
}

/* Whether row 'a' follows from row 'b'. */
static bool
follows(const struct dcp_host_rows *x, uint32_t a, uint32_t b)
{
    uint32_t n_types = x->f->n_types;
    const double *of_a = x->coefficient + (size_t)a * n_types;
    const double *of_b = x->coefficient + (size_t)b * n_types;
    bool ok = x->rows[a].part.region == x->rows[b].part.region &&
              x->rows[a].part.side == x->rows[b].part.side &&
              x->rows[a].with_spares == x->rows[b].with_spares;

    for (uint32_t t = 0; ok && t < n_types; t++) {
        ok = of_a[t] * x->rows[b].low >= of_b[t] * x->rows[a].low;
    }
    return ok;
}

/* Keeps the row, and no longer those that follow from it, unless it follows
 * from one that is kept.  So every row that is left out was set against one
 * that was kept, or left out for such a one: products are rounded, and three
 * rows can seem to follow from each other in a circle, of which one then stays.
 */
static void
keep(const struct dcp_host_rows *x, uint32_t row, uint32_t *kept, uint32_t *n)
{
    uint32_t left = 0;

    for (uint32_t k = 0; k < *n; k++) {
        if (follows(x, row, kept[k])) {
            return;
        }
    }
    for (uint32_t k = 0; k < *n; k++) {
        if (!follows(x, kept[k], row)) {
            kept[left++] = kept[k];
        }
    }
    kept[left++] = row;
    *n = left;
}

static bool
emit(const struct dcp_host_rows *x, uint32_t ix, struct dcp_lp *lp)
{
    const struct dcp_fold *f = x->f;
    const struct dcp_host_row *r = &x->rows[ix];
    const double *coefficient = x->coefficient + (size_t)ix * f->n_types;
    uint32_t row = dcp_lp_add_row(lp, r->low, DCP_LP_INF);
    bool ok = row != UINT32_MAX;

    for (uint32_t g = 0; ok && g < f->n_regions; g++) {
        for (uint32_t k = 0; ok && k < f->n_sides; k++) {
            bool counts =
                (r->part.region == DCP_FOLD_ANY || r->part.region == g) &&
                (r->part.side == DCP_FOLD_ANY || r->part.side == k ||
                 (r->with_spares && k == DCP_FOLD_SPARE));

            for (uint32_t t = 0; ok && counts && t < f->n_types; t++) {
                ok = dcp_lp_set(lp, row, dcp_bound_column(f, g, k, t),
                                coefficient[t]);
            }
        }
    }
    return ok;
}

bool
dcp_host_rows_emit(const struct dcp_host_rows *x, struct dcp_lp *lp)
{
    DCP_FREE uint32_t *kept = malloc((x->n + 1u) * sizeof *kept);
    bool ok = kept != NULL;
    uint32_t n = 0;

    for (uint32_t k = 0; ok && k < x->n; k++) {
        keep(x, k, kept, &n);
    }
    for (uint32_t k = 0; ok && k < n; k++) {
        ok = emit(x, kept[k], lp);
    }
    return ok;
}

void
dcp_host_rows_finish(struct dcp_host_rows *x)
{
    free(x->rows);
    free(x->coefficient);
}
