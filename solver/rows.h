/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_ROWS_H
#define DCP_SOLVER_ROWS_H 1

/* Rows of whole numbers, one for each slot or scenario: what a host carries,
 * kept by each move.  The innermost loops of all searches, so they are laid out
 * for the machine's vectors (solver/vectors.h); the results are the same on any
 * machine.  Pure. */

#include <stdbool.h>
#include <stdint.h>

/* Adds 'more' to 'sum', n of each, which do not overlap; the highest sum, 0 of
 * none.  Nothing is checked for overflow: sums are of what fits. */
uint32_t
dcp_row_add(uint32_t *restrict sum, const uint32_t *restrict more, uint32_t n);
/* Takes 'less', which was added before, off. */
uint32_t
dcp_row_sub(uint32_t *restrict sum, const uint32_t *restrict less, uint32_t n);

/* Whether no sum of two is above the limit. */
bool dcp_row_fits(const uint32_t *used, const uint32_t *more, uint32_t limit,
                  uint32_t n);

/* The same once 'out', which is part of 'used', has left for 'in'. */
bool dcp_row_swap_fits(const uint32_t *used, const uint32_t *in,
                       const uint32_t *out, uint32_t limit, uint32_t n);

/* What comes and what leaves; rows of zeros where less does. */
struct dcp_row_exchange {
    const uint32_t *in[2], *out[2];
};
/* The same for two each way. */
bool dcp_row_exchange_fits(const uint32_t *used,
                           const struct dcp_row_exchange *, uint32_t limit,
                           uint32_t n);

#endif /* solver/rows.h */
