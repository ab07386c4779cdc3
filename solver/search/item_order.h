/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SEARCH_ITEM_ORDER_H
#define DCP_SOLVER_SEARCH_ITEM_ORDER_H 1

/* In which order items look for a place: the largest first, by
 * dcp_problem.size, for what is small fits into what the large leave.  Of equal
 * ones the lower number, so that an order is the same on every machine. */

#include "solver/problem.h"

static inline bool
dcp_item_is_larger(const struct dcp_problem *p, uint32_t a, uint32_t b)
{
    return p->size[a] != p->size[b] ? p->size[a] > p->size[b] : a < b;
}

void
dcp_items_by_size(const struct dcp_problem *, uint32_t items[], uint32_t n);

/* The same, but before all others what licences cover, so that what is left of
 * the licensed hosts goes to others only afterwards. */
void dcp_items_covered_first(const struct dcp_problem *, uint32_t items[],
                             uint32_t n);

#endif /* solver/search/item_order.h */
