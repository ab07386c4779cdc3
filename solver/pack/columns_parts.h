/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_PACK_COLUMNS_PARTS_H
#define DCP_SOLVER_PACK_COLUMNS_PARTS_H 1

/* What columns.c and columns_dive.c share. */

#include "solver/lp/lp.h"
#include "solver/pack/columns.h"

struct dcp_pack_columns {
    const struct dcp_pack_instance *in;
    struct dcp_lp_live *lp;
    struct dcp_pack_pricer *pricer;
    /* Column j of the program beyond the artificial ones (one per item type) is
     * pattern j - n. */
    struct dcp_pack_patterns patterns, found;
    uint64_t *seen; /* Hashes of patterns, open addressing; 0: free. */
    uint32_t seen_capacity;
    uint32_t *left; /* [n] demand that is not fixed. */
    bool whole;     /* left is the demand. */
    bool moved;     /* Limits moved since the last solve. */
    double value;
    double *x; /* By column. */
    uint32_t x_capacity;
    double *duals;       /* [n + m] */
    double *center;      /* [n + m] of the best bound. */
    double *mixed;       /* [n + m] */
    uint32_t *limit_row; /* [m] its row; UINT32_MAX: none. */
    uint32_t n_rows;
    int64_t scale;
    int64_t *price; /* [n] */
    int64_t *upper; /* [m] */
    int64_t *toll;  /* [m] scratch */
    double *entry;  /* Scratch of a column. */
    uint32_t *row;
    uint64_t bound, rounds;
    double best_value; /* Of the bound, not rounded up. */
    int64_t *best_price, *best_toll, best_scale;
    double mix; /* Share of the center. */
    struct dcp_error *err;
};

/* Adds pattern (sorted here) as a column unless it is there; *added says. */
bool dcp_pack_columns_add(struct dcp_pack_columns *, uint32_t bin, uint32_t n,
                          uint32_t *items, bool *added,
                          struct dcp_error *err) DCP_CHECKED;
bool
dcp_pack_columns_solve(struct dcp_pack_columns *, double deadline_s,
                       bool *out_solved, struct dcp_error *err) DCP_CHECKED;
/* Moves the rows to what is left. */
bool dcp_pack_columns_set_left(struct dcp_pack_columns *, const uint32_t *left,
                               struct dcp_error *err) DCP_CHECKED;

#endif /* solver/pack/columns_parts.h */
