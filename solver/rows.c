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

/* Whether the larger of two is always the second; no branch: vectorises. */
DCP_INLINE bool
fits_inline(const uint32_t *used, const uint32_t *more, uint32_t limit,
            uint32_t n)
{
    uint32_t over = 0;

    for (uint32_t k = 0; k < n; k++) {
        uint32_t sum = used[k] + more[k];

        over |= (sum > limit ? sum : limit) ^ limit;
    }
    return !over;
}

DCP_INLINE bool
swap_inline(const uint32_t *used, const uint32_t *in, const uint32_t *out,
            uint32_t limit, uint32_t n)
{
    uint32_t over = 0;

    for (uint32_t k = 0; k < n; k++) {
        uint32_t sum = used[k] - out[k] + in[k];

        over |= (sum > limit ? sum : limit) ^ limit;
    }
    return !over;
}

DCP_INLINE bool
exchange_inline(const uint32_t *used, const struct dcp_row_exchange *x,
                uint32_t limit, uint32_t n)
{
    const uint32_t *a = x->in[0], *b = x->in[1], *c = x->out[0], *d = x->out[1];
    uint32_t over = 0;

    for (uint32_t k = 0; k < n; k++) {
        uint32_t sum = used[k] + a[k] + b[k], most = limit + c[k] + d[k];

        over |= (sum > most ? sum : most) ^ most;
    }
    return !over;
}

DCP_FOR_VECTORS(uint32_t, add, add_inline,
                (uint32_t *restrict sum, const uint32_t *restrict more,
                 uint32_t n),
                (sum, more, n))
DCP_FOR_VECTORS(uint32_t, sub, sub_inline,
                (uint32_t *restrict sum, const uint32_t *restrict less,
                 uint32_t n),
                (sum, less, n))

DCP_FOR_VECTORS(bool, row_fits, fits_inline,
                (const uint32_t *used, const uint32_t *more, uint32_t limit,
                 uint32_t n),
                (used, more, limit, n))
DCP_FOR_VECTORS(bool, swap_fits, swap_inline,
                (const uint32_t *used, const uint32_t *in, const uint32_t *out,
                 uint32_t limit, uint32_t n),
                (used, in, out, limit, n))
DCP_FOR_VECTORS(bool, exchange_fits, exchange_inline,
                (const uint32_t *used, const struct dcp_row_exchange *x,
                 uint32_t limit, uint32_t n),
                (used, x, limit, n))

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

bool
dcp_row_fits(const uint32_t *used, const uint32_t *more, uint32_t limit,
             uint32_t n)
{
    return row_fits(used, more, limit, n);
}

bool
dcp_row_swap_fits(const uint32_t *used, const uint32_t *in, const uint32_t *out,
                  uint32_t limit, uint32_t n)
{
    return swap_fits(used, in, out, limit, n);
}

bool
dcp_row_exchange_fits(const uint32_t *used, const struct dcp_row_exchange *x,
                      uint32_t limit, uint32_t n)
{
    return exchange_fits(used, x, limit, n);
}
