/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_BOUND_PIGEONHOLE_H
#define DCP_SOLVER_BOUND_PIGEONHOLE_H 1

/* Proof that the members of a hard spread rule cannot all be in different
 * domains: some k of them reach fewer than k domains together (Hall, "On
 * Representatives of Subsets", 1935).  Such members are found by augmenting
 * paths (Kuhn, "The Hungarian Method", 1955), reach alone deciding where a
 * member may be.  Rules that the start breaks are not looked at: they may stay
 * broken.  Pure. */

#include "solver/problem.h"

struct dcp_pigeonhole {
    const struct dcp_rule *rule; /* NULL: nothing was proved. */
    uint32_t item;               /* One of the members. */
    uint32_t n_items, n_domains; /* So many, with so few domains in reach. */
};

bool dcp_pigeonhole_find(const struct dcp_problem *, struct dcp_pigeonhole *out,
                         struct dcp_error *err) DCP_CHECKED;

#endif /* solver/bound/pigeonhole.h */
