/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SEARCH_HEAT_H
#define DCP_SOLVER_SEARCH_HEAT_H 1

/* VMs parted by heat: what an hour's CPU costs each of them for a GiB of its
 * memory.
 *
 * Power curves rise steeply up to their knee, at a tenth of full load, and
 * about evenly from there on.  On hosts that memory fills, a load that is
 * spread alike costs as much as one that is half here and half there: no move
 * and no swap of two shows that hosts below the knee, with others the busier
 * for it, would cost less.  So it is done at once.  The bound's mix
 * (solver/bound/prices.h) says how many hosts of each kind are on and how many
 * of them cold; hosts that are on come before hosts to be woken, the least
 * loaded are the cold ones, and the VMs that ask for least CPU for their memory
 * fill them.  Who is on a host of its sort stays there; the others are placed
 * by ejection (solver/search/eject.h), the cold ones first.
 *
 * A heuristic.  Where it leads is refined by what comes after. */

#include "solver/search/parts.h"

/* *out_done false: nothing was changed, because there is no mix with hosts of
 * both sorts, or some items found no place. */
bool dcp_search_part_by_heat(struct search *, bool *out_done,
                             struct dcp_error *err) DCP_CHECKED;

#endif /* solver/search/heat.h */
