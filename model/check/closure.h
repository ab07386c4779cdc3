/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_CHECK_CLOSURE_H
#define DCP_MODEL_CHECK_CLOSURE_H 1

/* Largest closure: of items with weights, where an item may be chosen only
 * together with what it requires, the choice of the greatest total weight.
 *
 * Picard, "Maximal closure of a graph and applications to combinatorial
 * problems", Management Science 22 (1976): join a source to each item of
 * positive weight and each item of negative weight to a sink, with that
 * weight, and let every requirement be an arc that cannot be cut.  A cut is
 * then the positive weight left out plus the negative weight taken, so the
 * least cut leaves the largest closure.  The cut is found by Dinic's maximum
 * flow (1970).
 *
 * Nothing needs to be chosen, so the answer is never below 0. */

#include "model/base/arena.h"

struct dcp_closure;

/* NULL: out of memory. */
struct dcp_closure *dcp_closure_create(uint32_t n_items);
void dcp_closure_destroy(struct dcp_closure *);
DCP_DEFINE_AUTO(dcp_closure)

/* Choosing 'item' requires 'other'.  False: out of memory. */
bool dcp_closure_require(struct dcp_closure *, uint32_t item,
                         uint32_t other) DCP_CHECKED;

/* May be called again with other weights.  |weights| must sum to less than
 * 2^61.  'out_member' (by item; 1: chosen) may be NULL. */
int64_t dcp_closure_solve(struct dcp_closure *, const int64_t weight[],
                          uint8_t out_member[]);

#endif /* model/check/closure.h */
