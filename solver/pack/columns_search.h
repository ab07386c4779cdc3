/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_PACK_COLUMNS_SEARCH_H
#define DCP_SOLVER_PACK_COLUMNS_SEARCH_H 1

/* The search by patterns: covers at prices by size, column generation, dives,
 * covers at the prices of the bound.  It gives the bound, and most of the
 * answers where bins hold few items. */

#include "solver/pack/effort.h"
#include "solver/pack/pack.h"
#include "solver/pack/price.h"

struct dcp_pack_columns_result {
    uint64_t bound; /* In: the best known. */
    enum dcp_pack_bound_kind kind;
    uint64_t rounds;
    double value; /* Of the last program of the full demand. */
    bool done;    /* Column generation ran to its end. */
};

/* Improves 'best' (settled, or of cost UINT64_MAX) and the bound. */
bool dcp_pack_columns_search(const struct dcp_pack_instance *,
                             const struct dcp_pack_effort *,
                             struct dcp_pack_draft *best,
                             struct dcp_pack_columns_result *,
                             struct dcp_error *err) DCP_CHECKED;

#endif /* solver/pack/columns_search.h */
