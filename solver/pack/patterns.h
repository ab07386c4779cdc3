/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_PACK_PATTERNS_H
#define DCP_SOLVER_PACK_PATTERNS_H 1

/* Patterns: sets of items for one bin, one after the other; an item is there
 * once for each copy. */

#include "solver/pack/instance.h"

struct dcp_pack_patterns {
    uint32_t n, n_entries;
    uint32_t *first; /* [n + 1] */
    uint32_t *item;
    uint32_t *bin; /* [n] its type. */
    uint32_t capacity, entry_capacity;
};
bool dcp_pack_patterns_add(struct dcp_pack_patterns *, uint32_t bin, uint32_t n,
                           const uint32_t *items) DCP_CHECKED;
void dcp_pack_patterns_clear(struct dcp_pack_patterns *);
void dcp_pack_patterns_finish(struct dcp_pack_patterns *);

#endif /* solver/pack/patterns.h */
