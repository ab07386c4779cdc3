/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_PACK_COLUMNS_H
#define DCP_SOLVER_PACK_COLUMNS_H 1

/* Column generation for the set covering program over patterns (Gilmore &
 * Gomory, Oper. Res. 9, 1961, and 11, 1963): a row for each item type (cover
 * its demand; exactly, if it has a negative size), a row for each bin type with
 * a limit, a column for each pattern found so far.  solver/lp/lp.h solves the
 * program, solver/pack/price.h finds columns.
 *
 * Prices are smoothed (Wentges, Int. Trans. Oper. Res. 4, 1997): patterns are
 * sought at a mix of the duals and the prices of the best bound so far.
 *
 * Bounds come from prices rounded down to whole numbers and from what pricing
 * proved of every bin type at these (Farley, Oper. Res. 38, 1990), so they do
 * not depend on floating point.
 *
 * One generator belongs to one thread, which runs no other linear program
 * while it lives. */

#include "solver/pack/effort.h"
#include "solver/pack/price.h"

struct dcp_pack_columns;

struct dcp_pack_columns *
dcp_pack_columns_create(const struct dcp_pack_instance *,
                        struct dcp_error *err) DCP_CHECKED;
void dcp_pack_columns_destroy(struct dcp_pack_columns *);
DCP_DEFINE_AUTO(dcp_pack_columns)

/* Takes the bins of a packing in as columns. */
bool
dcp_pack_columns_seed(struct dcp_pack_columns *, const struct dcp_pack_draft *,
                      struct dcp_error *err) DCP_CHECKED;

/* Takes patterns in; their items may be reordered. */
bool
dcp_pack_columns_add_all(struct dcp_pack_columns *, struct dcp_pack_patterns *,
                         struct dcp_error *err) DCP_CHECKED;

enum { DCP_PACK_PRICING_NODES = 3000000 }; /* Enough for most. */

struct dcp_pack_columns_limits {
    uint64_t max_rounds;
    uint64_t max_nodes; /* Of one pricing; 0: no limit. */
    double deadline_s;
    const struct dcp_pack_board *board; /* Stop when its cost is its bound;
                                         * NULL: none. */
    double cutoff; /* Stop when it is proved that the program's value, in
                    * whole costs, is over it. */
};
enum dcp_pack_columns_end {
    DCP_PACK_COLUMNS_OPTIMAL, /* No pattern improves the program. */
    DCP_PACK_COLUMNS_ROUNDED, /* None improves it to a smaller whole number. */
    DCP_PACK_COLUMNS_CUTOFF,
    DCP_PACK_COLUMNS_LIMIT,
};

/* Rounds at the demands that are left (all, at first), until an end.  Bounds
 * are kept only of the full demand. */
bool dcp_pack_columns_run(struct dcp_pack_columns *,
                          const struct dcp_pack_columns_limits *,
                          enum dcp_pack_columns_end *out,
                          struct dcp_error *err) DCP_CHECKED;

/* Of the last program. */
double dcp_pack_columns_value(const struct dcp_pack_columns *);
uint64_t dcp_pack_columns_rounds(const struct dcp_pack_columns *);
/* The best so far; 0: none. */
uint64_t dcp_pack_columns_bound(const struct dcp_pack_columns *);
/* Prices in the instance's item types, borrowed. */
struct dcp_pack_certificate
dcp_pack_columns_certificate(const struct dcp_pack_columns *);
const struct dcp_pack_patterns *
dcp_pack_columns_patterns(const struct dcp_pack_columns *);

/* --- Diving --------------------------------------------------------------- */

struct dcp_pack_dive {
    uint64_t target; /* A packing that costs at most so much is wanted. */
    double noise;    /* 0: the largest value first; else values are scaled by
                      * up to so much at random. */
    uint64_t seed, index; /* Of the random stream. */
    uint64_t rounds_per_step;
    double deadline_s;
    const struct dcp_pack_board *board; /* As above. */
};
/* Fixes columns one after the other, generating more for what is left, until
 * all is packed, the program proves 'target' out of reach, or time is up.
 * 'out' is settled; its cost is UINT64_MAX where there is no packing.  The
 * demands are whole again after. */
bool
dcp_pack_columns_dive(struct dcp_pack_columns *, const struct dcp_pack_dive *,
                      struct dcp_pack_draft *out,
                      struct dcp_error *err) DCP_CHECKED;

/* The bound that prices prove, where upper[b] is at least the worth of any
 * pattern of bin type b (INT64_MAX: not known).  Fills toll and *out_scale. */
uint64_t
dcp_pack_price_bound(const struct dcp_pack_instance *, const int64_t *price,
                     int64_t scale, const int64_t *upper, int64_t *toll,
                     int64_t *out_scale);

#endif /* solver/pack/columns.h */
