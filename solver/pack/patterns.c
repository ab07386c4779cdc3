/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/pack/patterns.h"

#include <stdlib.h>
#include <string.h>

static bool
grow(uint32_t **data, uint32_t capacity)
{
    uint32_t *more = realloc(*data, capacity * sizeof **data);

    if (more) {
        *data = more;
    }
    return more;
}

bool
dcp_pack_patterns_add(struct dcp_pack_patterns *p, uint32_t bin, uint32_t n,
                      const uint32_t *items)
{
    if (p->n + 2 > p->capacity) {
        uint32_t capacity = 2 * p->capacity + 64;

        if (!grow(&p->first, capacity) || !grow(&p->bin, capacity)) {
            return false;
        }
        p->first[0] = 0;
        p->capacity = capacity;
    }
    if (p->n_entries + n > p->entry_capacity) {
        uint32_t capacity = 2 * p->entry_capacity + n + 256;

        if (!grow(&p->item, capacity)) {
            return false;
        }
        p->entry_capacity = capacity;
    }
    if (n) {
        memcpy(p->item + p->n_entries, items, n * sizeof *items);
    }
    p->bin[p->n] = bin;
    p->n_entries += n;
    p->first[++p->n] = p->n_entries;
    return true;
}

void
dcp_pack_patterns_clear(struct dcp_pack_patterns *p)
{
    p->n = 0;
    p->n_entries = 0;
}

void
dcp_pack_patterns_finish(struct dcp_pack_patterns *p)
{
    free(p->first);
    free(p->item);
    free(p->bin);
    *p = (struct dcp_pack_patterns){ 0 };
}
