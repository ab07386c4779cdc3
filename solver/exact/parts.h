/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_EXACT_PARTS_H
#define DCP_SOLVER_EXACT_PARTS_H 1

/* Placement as a whole-number program, of all items and hosts
 * (solver/exact/exact.h) or of a few (solver/search/program.c); private to
 * these.
 *
 *   x_ih  items of kind i on host h, up to as many as there are,
 *   y_h   host h is on,
 *   columns of licences by host, and those that rules need.
 *
 * A kind is one item, or several that differ in nothing that the question looks
 * at.  What is not in the program stays where the state has it: its load
 * is taken off capacities, its places off the limits of rules.
 *
 * A failed allocation clears 'ok', and everything after it does nothing. */

#include "solver/lp/lp.h"
#include "solver/state.h"

#define DCP_EXACT_SLOTS     4u /* The busiest; others may be asked for. */
#define DCP_EXACT_SLOTS_MAX 12u

struct dcp_exact {
    const struct dcp_problem *p;
    /* Without the items of the program, which are known to fit at 'known_at'
     * (by item). */
    const struct dcp_state *s;
    const uint32_t *known_at;
    bool starts; /* From the known answer, which is complete and legal. */
    bool part;   /* Of the problem: costs are the best guess instead of the most
                * that is certain, and what rules forbid at once is left out. */
    struct dcp_lp *lp;
    /* Kind k is of member[first[k]] ... member[first[k + 1] - 1]. */
    const uint32_t *member, *first, *host;
    uint32_t n_kinds, n_hosts;
    uint32_t *kind_of; /* By item; UINT32_MAX: not in the program. */
    uint32_t *host_at; /* By host, likewise. */
    uint32_t *col;     /* [kind * n_hosts + at]; UINT32_MAX: out of reach. */
    uint32_t *on_col;  /* [at]; UINT32_MAX: may not be on. */
    double *idle_cost; /* [at]: of being on. */
    /* Slots with rows of their own; what is listed at first is kept. */
    uint32_t slot[DCP_EXACT_SLOTS_MAX];
    uint32_t n_slots;
    /* Columns that are neither an item's nor a host's, and what they are in
     * the known answer. */
    struct aux {
        uint32_t col;
        double known;
    } * aux;
    uint32_t n_aux, aux_capacity;
    bool ok;
};

/* Makes the columns and rows; the lists of kinds and hosts, the state and
 * 'known_at' are set.  False: no memory. */
bool dcp_exact_build(struct dcp_exact *) DCP_CHECKED;
/* Frees what that made, the program too; it may then be built again. */
void dcp_exact_finish(struct dcp_exact *);
/* Solves it in a worker of its own, from the known answer if it has one.  A worker that dies,
 * or gets no memory, is no error: the status is DCP_LP_UNKNOWN then, as where
 * the time is up. */
bool dcp_exact_solve(const struct dcp_exact *, double time_s, uint32_t nodes,
                     struct dcp_lp_answer *out, double *x,
                     struct dcp_error *err) DCP_CHECKED;

/* The column of an item of the problem on a host; UINT32_MAX: none. */
static inline uint32_t
dcp_exact_col(const struct dcp_exact *m, uint32_t item, uint32_t host)
{
    uint32_t k = m->kind_of[item], at = m->host_at[host];

    return k == UINT32_MAX || at == UINT32_MAX
               ? UINT32_MAX
               : m->col[(size_t)k * m->n_hosts + at];
}

/* A new row; UINT32_MAX where that failed. */
uint32_t dcp_exact_row(struct dcp_exact *, double low, double high);
void
dcp_exact_set(struct dcp_exact *, uint32_t row, uint32_t col, double value);
/* A column of 0 or 1, or more without 'integer', that is 'known' in the answer
 * at hand. */
uint32_t dcp_exact_aux(struct dcp_exact *, double high, double cost,
                       bool integer, double known);
/* Rows of the hard rules that look at where others are, or at what is on.
 * Rules without rows (lonely, skews over many domains) make the bound weaker,
 * not wrong: the answer is tested for all of them. */
void dcp_exact_rules(struct dcp_exact *);
/* solver/exact/licences.c: columns and rows of licences that places decide. */
void dcp_exact_licences(struct dcp_exact *);

#endif /* solver/exact/parts.h */
