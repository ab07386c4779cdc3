/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The growing list of steps, and what it has trunked. */

#include "solver/schedule/schedule.h"

#include <stdlib.h>

void
dcp_step_list_finish(struct dcp_step_list *l)
{
    free(l->steps);
    l->steps = NULL;
}

struct dcp_step *
dcp_step_list_add(struct dcp_step_list *l)
{
    if (l->n == l->capacity) {
        uint32_t capacity = l->capacity ? 2 * l->capacity : 256;
        struct dcp_step *more = realloc(l->steps, capacity * sizeof *more);

        if (!more) {
            return NULL;
        }
        l->steps = more;
        l->capacity = capacity;
    }
    struct dcp_step *step = &l->steps[l->n++];

    *step = (struct dcp_step){ .id = l->n, .reason_text = "" };
    return step;
}

/* --- VLANs of a plan so far ------------------------------------------------
 */

void
dcp_trunks_finish(struct dcp_trunks *t)
{
    free(t->items);
    *t = (struct dcp_trunks){ 0 };
}

void
dcp_trunks_rewind(struct dcp_trunks *t, uint32_t first_step)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < t->n; i++) {
        struct dcp_trunk *trunk = &t->items[i];

        if (trunk->step < first_step) {
            trunk->gone = trunk->gone < first_step ? trunk->gone : 0;
            t->items[n++] = *trunk;
        }
    }
    t->n = n;
}
