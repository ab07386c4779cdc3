/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/sort.h"

#include <stdlib.h>

static int
compare(const void *pa, const void *pb)
{
    uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;

    return a < b ? -1 : a > b;
}

static int
compare_pairs(const void *pa, const void *pb)
{
    const uint32_t *a = pa, *b = pb;
    int by_first = compare(&a[0], &b[0]);

    return by_first ? by_first : compare(&a[1], &b[1]);
}

void
dcp_sort_u32(uint32_t values[], size_t n)
{
    if (n > 1) {
        qsort(values, n, sizeof *values, compare);
    }
}

void
dcp_sort_u32_pairs(uint32_t pairs[][2], size_t n)
{
    if (n > 1) {
        qsort(pairs, n, sizeof *pairs, compare_pairs);
    }
}

uint32_t
dcp_sorted_u32_find(const uint32_t values[], uint32_t n, uint32_t value)
{
    const uint32_t *at =
        n ? bsearch(&value, values, n, sizeof *values, compare) : NULL;

    return at ? (uint32_t)(at - values) : UINT32_MAX;
}
