/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "report/timeline.h"

#include <stdlib.h>

struct keyed {
    uint32_t rack, host; /* A host without a rack comes last. */
};

static int
by_rack(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;

    if (x->rack != y->rack) {
        return x->rack < y->rack ? -1 : 1;
    }
    return x->host < y->host ? -1 : x->host > y->host;
}

bool
dcp_rows_make(const struct dcp_inventory *inv, struct dcp_arena *arena,
              struct dcp_rows *out, struct dcp_error *err)
{
    uint32_t n = inv->n_hosts;
    uint32_t per_row = n / DCP_REPORT_ROWS_MAX + (n % DCP_REPORT_ROWS_MAX != 0);
    struct keyed *order = dcp_arena_array(arena, struct keyed, n);

    per_row = per_row ? per_row : 1;
    out->n = n / per_row + (n % per_row != 0);
    out->row_of_host = dcp_arena_array(arena, uint32_t, n);
    out->first = dcp_arena_array(arena, uint32_t, (size_t)out->n + 1);
    out->hosts = dcp_arena_array(arena, uint32_t, n);
    if (!order || !out->row_of_host || !out->first || !out->hosts) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the heat map");
    }
    for (uint32_t h = 0; h < n; h++) {
        order[h] = (struct keyed){ inv->hosts[h].rack.ix, h };
    }
    qsort(order, n, sizeof *order, by_rack);
    for (uint32_t i = 0; i < n; i++) {
        out->hosts[i] = order[i].host;
        out->row_of_host[order[i].host] = i / per_row;
        if (i % per_row == 0) {
            out->first[i / per_row] = i;
        }
    }
    out->first[out->n] = n;
    return true;
}
