/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/rows.h"

#include "solver/vectors.h"

DCP_INLINE uint32_t
add_inline(uint32_t *restrict sum, const uint32_t *restrict more, uint32_t n)
{
    uint32_t peak = 0;

    for (uint32_t k = 0; k < n; k++) {
        sum[k] += more[k];
        peak = sum[k] > peak ? sum[k] : peak;
    }
    return peak;
}

DCP_INLINE uint32_t
sub_inline(uint32_t *restrict sum, const uint32_t *restrict less, uint32_t n)
{
    uint32_t peak = 0;

    for (uint32_t k = 0; k < n; k++) {
        sum[k] -= less[k];
        peak = sum[k] > peak ? sum[k] : peak;
    }
    return peak;
}

DCP_FOR_VECTORS(uint32_t, add, add_inline,
                (uint32_t *restrict sum, const uint32_t *restrict more,
                 uint32_t n),
                (sum, more, n))
DCP_FOR_VECTORS(uint32_t, sub, sub_inline,
                (uint32_t *restrict sum, const uint32_t *restrict less,
                 uint32_t n),
                (sum, less, n))

uint32_t
dcp_row_add(uint32_t *restrict sum, const uint32_t *restrict more, uint32_t n)
{
    return add(sum, more, n);
}

uint32_t
dcp_row_sub(uint32_t *restrict sum, const uint32_t *restrict less, uint32_t n)
{
    return sub(sum, less, n);
}
