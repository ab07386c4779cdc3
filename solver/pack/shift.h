/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_PACK_SHIFT_H
#define DCP_SOLVER_PACK_SHIFT_H 1

/* Consistent neighbourhood search for the number of bins (Buljubasic &
 * Vasquez, Comput. Oper. Res. 76, 2016): with one bin fewer than the best
 * packing, some items are unplaced; what is placed always fits.  A tabu search
 * swaps unplaced items in against one or two placed ones, two against one, so
 * as to shrink what is unplaced; now and then two or three bins and the
 * unplaced items are packed anew by branch and bound.  Where nothing is
 * unplaced, that is a packing, and the next bin goes.
 *
 * For one bin type. */

#include "solver/pack/effort.h"
#include "solver/pack/instance.h"

/* Improves 'best', a settled packing, until it costs 'bound'; *out_steps counts
 * its moves (1,000 to an iteration of the effort). */
bool
dcp_pack_shift(const struct dcp_pack_instance *, const struct dcp_pack_effort *,
               uint64_t bound, struct dcp_pack_draft *best, uint64_t *out_steps,
               struct dcp_error *err) DCP_CHECKED;

#endif /* solver/pack/shift.h */
