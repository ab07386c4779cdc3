/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_BOUND_CLIQUE_H
#define DCP_SOLVER_BOUND_CLIQUE_H 1

/* Items of which no two share a host, in the lower bound: k of them are on k
 * hosts, each on one that has room for it.
 *
 * Two items cannot share a host
 *  - by size: on each type of host that both fit, some resource (a scalar, or
 *    CPU or network in some slot) is too small for both.  Which one may differ
 *    from pair to pair: A and B may clash in memory, B and C at noon; a bound
 *    of any single resource does not see that;
 *  - by reach: no host is within reach of both;
 *  - by a hard rule: spread, separate and split (over racks and the like where
 *    each host has one), lonely.  Pairs that the start has in one domain are
 *    left out: they are not held against a plan.
 * Such sets are cliques of the graph of pairs that cannot share.  They are
 * looked for greedily, from several beginnings and with limited work: the
 * largest one is not always found, and any is valid.
 *
 * A clique's rows: with the members of like side and types taken together, z_qt
 * members of kind q are on hosts of type t,
 *     sum_t z_qt = members of kind q,    z_qt = 0 where they do not fit,
 *     sum_q z_qt <= hosts of type t that hold something (by region and side),
 * so that members that want large hosts ask for these (Hall's condition).  The
 * same for the VMs that need a licence and the hosts that need it for them.
 *
 * Private to solver/bound/, but for what rules say of pairs. */

#include "solver/bound/fold.h"
#include "solver/lp/lp.h"

struct dcp_clique {
    const uint32_t *items; /* In the problem's arena. */
    uint32_t n;
};

/* Of all items (first), and of those that need each licence of the pricing.
 * The list lives in the problem's arena.  NULL: no memory. */
const struct dcp_clique *dcp_cliques_find(const struct dcp_fold *);

/* Rows: the members are on the hosts that 'col' counts,
 * [(region * n_sides + side) * n_types + type].  False: no memory. */
bool dcp_clique_add(const struct dcp_fold *, struct dcp_lp *,
                    const struct dcp_clique *, const uint32_t *col,
                    uint32_t n_sides) DCP_CHECKED;

/* Whether no host may hold both, in any legal placement. */
bool dcp_clique_apart(const struct dcp_fold *, uint32_t a, uint32_t b);
/* The same, by hard rules alone. */
bool dcp_clique_ruled_apart(const struct dcp_problem *, uint32_t a, uint32_t b);

#endif /* solver/bound/clique.h */
