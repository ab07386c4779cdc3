/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/bound/pattern.h"

#include <math.h>
#include <stdlib.h>

struct ratio {
    double key, load, fill;
    uint32_t item;
};

static int
by_ratio(const void *pa, const void *pb)
{
    const struct ratio *a = pa, *b = pb;

    if (a->key != b->key) {
        return a->key < b->key ? -1 : 1;
    }
    return a->item < b->item ? -1 : a->item > b->item;
}

/* The least load that comes with each level of filling: fractions of items,
 * those first that carry least for what they fill. */
static void
fill_levels(struct ratio *list, uint32_t n, double full, double *out,
            uint32_t step)
{
    double load = 0, filled = 0;
    uint32_t k = 0;

    qsort(list, n, sizeof *list, by_ratio);
    for (uint32_t level = 0; level < DCP_BOUND_LEVELS; level++) {
        double want = dcp_bound_fill_share(level) * full;

        while (k < n && filled + list[k].fill <= want) {
            filled += list[k].fill;
            load += list[k++].load;
        }
        double part = k < n && list[k].fill > 0
                          ? (want - filled) / list[k].fill * list[k].load
                          : 0;

        out[(size_t)level * step] = fmax((load + part) * (1 - 1e-9), 0);
    }
}

bool
dcp_bound_fill_find(const struct dcp_bound_pattern *q,
                    struct dcp_bound_fill *out)
{
    uint32_t n_items = q->n_items, n_groups = q->n_groups;
    double full = q->curve->mhz[q->curve->n - 1];
    DCP_FREE struct ratio *list = calloc(n_items + 1u, sizeof *list);
    double most = -1;

    *out = (struct dcp_bound_fill){
        .least = calloc(2 * (size_t)DCP_BOUND_LEVELS * n_groups + 1,
                        sizeof *out->least)
    };
    if (!list || !out->least) {
        dcp_bound_fill_finish(out);
        return false;
    }
    for (uint32_t g = 0; g < n_groups; g++) {
        double sum = 0;

        for (uint32_t i = 0; i < n_items; i++) {
            sum += q->load[(size_t)g * n_items + i];
        }
        if (sum > most) {
            most = sum;
            out->peak = g;
        }
    }
    for (uint32_t k = 0; k < 2 * n_groups; k++) {
        uint32_t by = k / n_groups, g = k % n_groups, n = 0;
        const double *fill =
            by ? q->need : q->load + (size_t)out->peak * n_items;

        for (uint32_t i = 0; i < n_items; i++) {
            double a = q->load[(size_t)g * n_items + i];

            if (fill[i] > 0) {
                list[n++] = (struct ratio){ a / fill[i], a, fill[i], i };
            }
        }
        fill_levels(list, n, by ? q->room[0] : full,
                    out->least + (size_t)by * DCP_BOUND_LEVELS * n_groups + g,
                    n_groups);
    }
    return true;
}

void
dcp_bound_fill_finish(struct dcp_bound_fill *fill)
{
    free(fill->least);
    fill->least = NULL;
}
