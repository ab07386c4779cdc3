/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/policy/policy.h"

#include <stdlib.h>

bool
dcp_wishes_add(struct dcp_wishes *w, struct dcp_wish wish,
               struct dcp_error *err)
{
    if (w->n == w->capacity) {
        uint32_t capacity = w->capacity ? 2 * w->capacity : 64;
        struct dcp_wish *items = realloc(w->items, capacity * sizeof *items);

        if (!items) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for wishes");
        }
        w->items = items;
        w->capacity = capacity;
    }
    w->items[w->n++] = wish;
    return true;
}

void
dcp_wishes_finish(struct dcp_wishes *w)
{
    free(w->items);
    dcp_plan_destroy(w->plan);
    *w = (struct dcp_wishes){ 0 };
}
