/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_BASE_SORT_H
#define DCP_MODEL_BASE_SORT_H 1

/* Numbers in ascending order: indices, step ids.  In place, no memory of the
 * caller's; n 0 with NULL is fine. */

#include <stddef.h>
#include <stdint.h>

void dcp_sort_u32(uint32_t values[], size_t n);
/* By the first of each pair, then by the second. */
void dcp_sort_u32_pairs(uint32_t pairs[][2], size_t n);
/* Where it is in a sorted list; UINT32_MAX: nowhere. */
uint32_t
dcp_sorted_u32_find(const uint32_t values[], uint32_t n, uint32_t value);

#endif /* model/base/sort.h */
