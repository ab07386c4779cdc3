/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_ASSIGN_RESPLIT_H
#define DCP_SOLVER_ASSIGN_RESPLIT_H 1

/* A few hosts shared out anew: all items of two hosts, or of three, each to one
 * of them, at least cost.  Depth-first branch and bound, largest items first.
 * What is left at a node comes on top of all its hosts together, and max(0, x)
 * is convex, so that no term costs less than
 *
 *   max(sum over hosts of max(0, x + n), sum over hosts of x, + rest),
 *
 * x the term of a host so far, 'rest' what the items that are left add and n
 * the negative part of that; and no item moves for less than to the cheapest of
 * the hosts.  Prices of the most moves within a group, spread, dependency and
 * the limit of moves are asked at leaves.
 *
 * It finds what moves and swaps do not: several items against several.  It is
 * exact where it ends within its nodes and no leaf was refused; where it does
 * not, it has the best that it came by. */

#include "solver/assign/walk.h"

struct dcp_assign_resplit;

/* Borrows the walk, whose capacities are hard. */
struct dcp_assign_resplit *
dcp_assign_resplit_create(struct dcp_assign_walk *,
                          struct dcp_error *err) DCP_CHECKED;
void dcp_assign_resplit_destroy(struct dcp_assign_resplit *);
DCP_DEFINE_AUTO(dcp_assign_resplit)

/* Goes on over pairs of hosts, in random order, until none gains; then over
 * triples, and back to pairs where one gained.  A node is an evaluation.  The
 * walk's state is legal, and stays it. */
void dcp_assign_resplit_run(struct dcp_assign_resplit *,
                            const struct dcp_assign_slice *);

#endif /* solver/assign/resplit.h */
