/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "traces/columns.h"

#include <stdlib.h>

static int
by_column(const void *a, const void *b)
{
    const struct dcp_column *x = a, *y = b;

    if (x->column != y->column) {
        return x->column < y->column ? -1 : 1;
    }
    return (x->vm > y->vm) - (x->vm < y->vm);
}

bool
dcp_columns_map(struct dcp_store *store, const struct dcp_inventory *inv,
                struct dcp_columns *out, struct dcp_error *err)
{
    struct dcp_columns columns = {
        calloc((size_t)inv->n_vms + 1, sizeof *columns.pairs), 0
    };

    if (!columns.pairs) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u VMs", inv->n_vms);
    }
    for (uint32_t vm = 0; vm < inv->n_vms; vm++) {
        uint32_t column = dcp_store_find(store, inv->vms[vm].trace);

        if (column != UINT32_MAX) {
            columns.pairs[columns.n++] = (struct dcp_column){ column, vm };
        }
    }
    qsort(columns.pairs, columns.n, sizeof *columns.pairs, by_column);
    *out = columns;
    return true;
}

void
dcp_columns_finish(struct dcp_columns *columns)
{
    free(columns->pairs);
    *columns = (struct dcp_columns){ 0 };
}

bool
dcp_columns_next(const struct dcp_columns *columns, uint32_t *at,
                 struct dcp_stripe *out)
{
    if (*at >= columns->n) {
        return false;
    }
    const struct dcp_column *first = &columns->pairs[*at];

    out->pairs = first;
    out->n_pairs = 0;
    out->n_columns = 0;
    for (; *at < columns->n; (*at)++, out->n_pairs++) {
        uint32_t column = columns->pairs[*at].column;

        /* Never across a chunk's edge: each chunk is read once. */
        if (column / DCP_STRIPE_COLUMNS != first->column / DCP_STRIPE_COLUMNS) {
            break;
        }
        if (!out->n_columns || out->column[out->n_columns - 1] != column) {
            out->column[out->n_columns++] = column;
        }
    }
    return true;
}
