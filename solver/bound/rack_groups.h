/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_BOUND_RACK_GROUPS_H
#define DCP_SOLVER_BOUND_RACK_GROUPS_H 1

/* Racks folded into groups of like ones, for a lower bound that knows of the
 * loss of racks and feeds: those of one zone and one feed that may be lost
 * (solver/compile/loss_domains.h) that have as many hosts of each type.  Where
 * that makes too many groups, those that have the same types at all; where that
 * does too, or racks are not lost, all of a zone and feed.  Hosts without a
 * rack are a group of their own.  Any grouping is valid: rows are means over
 * the racks of a group.
 *
 * Lives in the problem's arena; private to solver/bound/, but for what
 * struct dcp_bound says of it. */

#include "solver/compile/loss_domains.h"

struct dcp_rack_group {
    uint32_t n_racks; /* 0: of hosts without a rack. */
    uint32_t feed;    /* Its domain among feeds; DCP_IX_NONE: none is lost. */
    uint8_t zone;
};

struct dcp_rack_groups {
    const struct dcp_rack_group *group;
    uint32_t n;
    const uint32_t *of_host; /* DCP_IX_NONE: the host may not hold items. */
    /* Hosts that must, and may, be on: [group * n_types + type]. */
    const double *n_min, *n_max;
};

/* Of a problem in which racks or feeds may be lost.  False: no memory. */
bool dcp_rack_groups_find(const struct dcp_problem *,
                          const struct dcp_rack_groups **out) DCP_CHECKED;

#endif /* solver/bound/rack_groups.h */
