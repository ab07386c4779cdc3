/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_BASE_UNION_FIND_H
#define DCP_MODEL_BASE_UNION_FIND_H 1

/* Disjoint sets of the numbers 0 to n - 1 in an array of parents, which is the
 * caller's.  Each set is named by its lowest number, its root, whatever was
 * joined first.  Path halving (Tarjan, van Leeuwen, J. ACM 31, 1984). */

#include <stdint.h>

/* Every number a set of its own. */
static inline void
dcp_sets_init(uint32_t parent[], uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        parent[i] = i;
    }
}

static inline uint32_t
dcp_sets_root(uint32_t parent[], uint32_t i)
{
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

static inline void
dcp_sets_join(uint32_t parent[], uint32_t i, uint32_t j)
{
    uint32_t a = dcp_sets_root(parent, i), b = dcp_sets_root(parent, j);

    parent[a < b ? b : a] = a < b ? a : b;
}

#endif /* model/base/union_find.h */
