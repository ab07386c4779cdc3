/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_EXACT_PARTS_H
#define DCP_SOLVER_EXACT_PARTS_H 1

/* The whole-number program of solver/exact.h while it is written; private to
 * solver/exact*.c.  A failed allocation clears 'ok', and everything after it
 * does nothing. */

#include "solver/lp.h"
#include "solver/state.h"

#define DCP_EXACT_SLOTS 4u

struct dcp_exact {
    const struct dcp_problem *p;
    const struct dcp_state *s;
    bool starts; /* From 's', which is complete and legal. */
    struct dcp_lp *lp;
    uint32_t *col;    /* [item * n_hosts + host]; UINT32_MAX: out of reach. */
    uint32_t *on_col; /* [host]; UINT32_MAX: may not be on. */
    uint32_t slot[DCP_EXACT_SLOTS];
    uint32_t n_slots;
    /* Columns that are neither an item's nor a host's, and what they are in
     * the known answer. */
    struct aux {
        uint32_t col;
        double known;
    } * aux;
    uint32_t n_aux, aux_capacity;
    uint32_t licence_col; /* The first column of licences, after all others. */
    bool ok;
};

/* A new row; UINT32_MAX where that failed. */
uint32_t dcp_exact_row(struct dcp_exact *, double low, double high);
void
dcp_exact_set(struct dcp_exact *, uint32_t row, uint32_t col, double value);
/* Rows of the hard rules that look at where others are, or at what is on.
 * Rules without rows (lonely, skews over many domains) make the bound weaker,
 * not wrong: the answer is tested for all of them. */
void dcp_exact_rules(struct dcp_exact *);

#endif /* solver/exact_parts.h */
