/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_PACK_PRICE_PARTS_H
#define DCP_SOLVER_PACK_PRICE_PARTS_H 1

/* What price.c, the search, and price_tables.c, its bounds, share. */

#include "solver/pack/price.h"

enum { DCP_PACK_MOST_TABLES = 6 };

struct dcp_pack_table {
    uint32_t dim;    /* UINT32_MAX: a surrogate. */
    int64_t *weight; /* [w] of a surrogate. */
    uint32_t shift, rows;
    uint32_t *worth; /* [rows * (n + 1)] */
    size_t capacity;
};

struct dcp_pack_pricer {
    const struct dcp_pack_instance *in;
    const struct dcp_pack_question *q;
    struct dcp_pack_patterns *found;
    /* Positions: what may be in a pattern, in the order of branching. */
    uint32_t n, n_lenders; /* Lenders, with a negative size, come first. */
    uint32_t *item;        /* [n] */
    int32_t *size;         /* [n * w] */
    int64_t *price;        /* [n] */
    uint32_t *most;        /* [n] */
    double *density;       /* By item; then by position. */
    uint32_t *rank;        /* [n] scratch. */
    int64_t *lent;         /* [(n_lenders + 1) * d] by lenders from here on */
    struct dcp_pack_table table[DCP_PACK_MOST_TABLES];
    uint32_t n_tables;
    uint32_t *line; /* Scratch: tables as they are computed. */
    size_t line_capacity;
    int32_t *room;           /* [(MOST_DEPTH + 1) * w] */
    uint32_t *path, *copies; /* [MOST_DEPTH] positions. */
    uint32_t *entries;       /* A pattern to be added. */
    uint32_t entry_capacity;
    int64_t above, best;
    uint32_t n_kept;
    uint64_t nodes, root_end; /* So many are done; this first item's are. */
    bool stopped, failed, deep;
    bool partial; /* Some first item was left before its end. */
    bool skip;    /* The rest of this first item's. */
};

/* A size, or a room, as table 'b' counts it before it is shifted. */
static inline int64_t
dcp_pack_scaled_size(const struct dcp_pack_pricer *p,
                     const struct dcp_pack_table *b, const int32_t *size)
{
    int64_t sum = 0;

    if (b->dim != UINT32_MAX) {
        return size[b->dim];
    }
    for (uint32_t k = 0; k < p->in->d; k++) {
        sum += b->weight[k] * size[k];
    }
    return sum;
}

/* Fills the tables for the positions that were chosen.  False: no memory. */
bool dcp_pack_make_tables(struct dcp_pack_pricer *) DCP_CHECKED;

#endif /* solver/pack/price_parts.h */
