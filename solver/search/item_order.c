/* SPDX-License-Identifier: GPL-3.0-or-later */

#define _GNU_SOURCE 1 /* qsort_r */

#include "solver/search/item_order.h"

#include "solver/compile/pricing.h"

#include <stdlib.h>
#include <string.h>

static int
larger_first(const void *pa, const void *pb, void *arg)
{
    const struct dcp_problem *p = arg;
    uint32_t a, b;

    memcpy(&a, pa, sizeof a);
    memcpy(&b, pb, sizeof b);
    return a == b ? 0 : dcp_item_is_larger(p, a, b) ? -1 : 1;
}

static int
covered_first(const void *pa, const void *pb, void *arg)
{
    const struct dcp_problem *p = arg;
    uint32_t a, b;

    memcpy(&a, pa, sizeof a);
    memcpy(&b, pb, sizeof b);
    bool covered_a = dcp_pricing_item_is_covered(p, a);
    bool covered_b = dcp_pricing_item_is_covered(p, b);

    return covered_a != covered_b ? (covered_a ? -1 : 1)
                                  : larger_first(pa, pb, arg);
}

void
dcp_items_by_size(const struct dcp_problem *p, uint32_t items[], uint32_t n)
{
    qsort_r(items, n, sizeof *items, larger_first, (void *)(size_t)p);
}

void
dcp_items_covered_first(const struct dcp_problem *p, uint32_t items[],
                        uint32_t n)
{
    qsort_r(items, n, sizeof *items, covered_first, (void *)(size_t)p);
}
