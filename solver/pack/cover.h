/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_PACK_COVER_H
#define DCP_SOLVER_PACK_COVER_H 1

/* Is there a packing that costs at most 'target'?  Answered exactly where few
 * patterns come into question.
 *
 * With prices of a bound L (struct dcp_pack_certificate), a pattern of bin type
 * b wastes scale * cost[b] + toll[b] - its worth, which is never negative, and
 * a packing of cost T wastes at most scale * T - L altogether (reduced-cost
 * fixing).  So only patterns that waste no more than that matter; they are
 * enumerated, and searched as a set cover: the item with the fewest patterns
 * that the rest of the waste allows is branched on.  Where the bound is tight
 * that is a handful; where capacities are used up to the last unit (triplets),
 * prices by size do. */

#include "solver/pack/price.h"

struct dcp_pack_cover {
    const int64_t *price; /* [n], at most 2^30 */
    int64_t scale;        /* As asked; raised where patterns are worth more. */
    uint64_t target;      /* Of cost. */
    uint32_t max_patterns;
    uint64_t max_nodes; /* Of the enumeration. */
    uint64_t max_steps; /* Of the search. */
    uint64_t seed;
    double deadline_s;
    struct dcp_pack_patterns *keep; /* Where all of them were enumerated, they
                                     * go there; NULL: nowhere. */
};
enum dcp_pack_cover_end {
    DCP_PACK_COVER_FOUND, /* 'out' is a packing. */
    DCP_PACK_COVER_NONE,  /* Proved: there is none. */
    DCP_PACK_COVER_LIMIT,
};
bool
dcp_pack_cover_run(const struct dcp_pack_instance *, struct dcp_pack_pricer *,
                   const struct dcp_pack_cover *, struct dcp_pack_draft *out,
                   enum dcp_pack_cover_end *end,
                   struct dcp_error *err) DCP_CHECKED;

#endif /* solver/pack/cover.h */
