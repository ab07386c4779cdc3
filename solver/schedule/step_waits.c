/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/schedule/step_waits.h"

#include "model/base/sort.h"

#include <stdlib.h>
#include <string.h>

bool
dcp_step_waits_add(struct dcp_step_waits *w, uint32_t id)
{
    if (!id) {
        return true;
    }
    if (w->n == w->capacity) {
        uint32_t capacity = w->capacity ? 2 * w->capacity : 64;
        uint32_t *more = realloc(w->id, capacity * sizeof *more);

        if (!more) {
            return false;
        }
        w->id = more;
        w->capacity = capacity;
    }
    w->id[w->n++] = id;
    return true;
}

bool
dcp_step_waits_add_near(struct dcp_step_waits *w,
                        const struct dcp_watt_limits *l, uint32_t host,
                        const uint32_t step_of_host[])
{
    bool ok = true;

    for (uint32_t k = l->first[host]; ok && k < l->first[host + 1]; k++) {
        const struct dcp_watt_thing *t = &l->thing[l->of_host[k]];

        for (uint32_t i = t->first_host; ok && i < t->end_host; i++) {
            ok = dcp_step_waits_add(w, step_of_host[l->host[i]]);
        }
    }
    return ok;
}

bool
dcp_step_waits_take(struct dcp_step_list *l, struct dcp_step *step,
                    struct dcp_step_waits *w)
{
    uint32_t n = 0;

    dcp_sort_u32(w->id, w->n);
    for (uint32_t i = 0; i < w->n; i++) {
        if (!n || w->id[i] != w->id[n - 1]) {
            w->id[n++] = w->id[i];
        }
    }
    uint32_t *after = dcp_arena_array(l->arena, uint32_t, n);

    if (!after) {
        return false;
    }
    if (n) {
        memcpy(after, w->id, n * sizeof *after);
    }
    step->after = after;
    step->n_after = n;
    w->n = 0;
    return true;
}
