/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_ASSIGN_COLUMNS_H
#define DCP_SOLVER_ASSIGN_COLUMNS_H 1

/* The reassignment problem as the search reads it: dense rows, made once,
 * shared read-only by all threads.
 *
 * Load above the soft capacity and balance are one thing here, a *term*: a
 * number that is linear in what is on a host and costs max(0, term).  For load
 * it is weight x (use - safe), for balance weight x (target x free1 - free2).
 * So a host costs the sum of max(0, term), an item adds a fixed row of numbers
 * to the terms of its host, and a delta needs neither weights nor targets.
 *
 * Rows are padded with zeros to multiples of DCP_ASSIGN_LANES, so that loops
 * over them have no rest; zeros neither bind nor cost. */

#include "solver/assign/assign.h"

#define DCP_ASSIGN_LANES 4u

/* Prices of what is above a relaxed capacity: the first, in prices of load, and
 * the least. */
#define DCP_ASSIGN_DEAR  20
#define DCP_ASSIGN_CHEAP 5

enum dcp_assign_group_flag {
    DCP_ASSIGN_CROWD = 1,  /* More than one item: they are on distinct hosts. */
    DCP_ASSIGN_SPREAD = 2, /* In more than one place. */
    DCP_ASSIGN_TIED = 4,   /* Depends on others, or others on it. */
    DCP_ASSIGN_SPEAKS = 8, /* Its moves can be the most within a group. */
};

struct dcp_assign_item {
    uint32_t group, start;
    uint32_t flags;
    int64_t away_cost; /* Of being on another host than 'start', before what
                        * the pair of hosts costs. */
};

struct dcp_assign_columns {
    const struct dcp_assign_problem *p;
    uint32_t room_stride, term_stride, row_stride;
    int64_t *relax_weight; /* [resource], from 1: price of what is above a
                            * capacity; NULL: capacities are hard. */
    int64_t *relax_most;   /* [resource]: the highest price. */
    uint32_t hard_from;    /* Terms from here on are of 'relaxed' capacities. */
    /* Per item: what it takes (room_stride) and its terms (term_stride); and
     * the same at the host it started on, where its share of transient
     * resources is taken either way. */
    int64_t *item_row;
    struct dcp_assign_item *item;
    int64_t *room0; /* [host]: room when nothing is there, less what items
                     * that started there take of transient resources. */
    int64_t *term0; /* [host]: its terms. */

    /* Groups by flag; what is counted per group and host, place or zone has a
     * row only for those that need it.  UINT32_MAX: no row. */
    uint32_t *crowd_row, *spread_row, *tied_row; /* [group] */
    uint32_t n_crowds, n_spreads, n_tied;
    uint32_t *member_start, *member; /* Items by group. */
    uint32_t *rdep_start, *rdep;     /* Groups that depend on a group. */
    uint32_t most_members;
    double *size; /* [item]: mean share of the hosts' capacity that it takes,
                   * over resources: what search sorts by. */
};

/* In 'arena'; borrows the checked problem.  NULL: no memory.
 *
 * 'relaxed': capacities are terms too, so that a search can pass through
 * assignments that do not fit, at 'relax_weight' (at first
 * DCP_ASSIGN_DEAR times what load costs); an assignment is legal where that
 * cost is 0. */
struct dcp_assign_columns *
dcp_assign_columns_make(struct dcp_arena *arena,
                        const struct dcp_assign_problem *p, bool relaxed,
                        struct dcp_error *err) DCP_CHECKED;
/* Makes the rows again after 'relax_weight' was changed.  States that stand on
 * them are to be set anew. */
void dcp_assign_columns_refill(struct dcp_assign_columns *);

static inline const int64_t *
dcp_assign_need(const struct dcp_assign_columns *c, uint32_t item,
                uint32_t host)
{
    size_t row = 2 * (size_t)item + (host == c->item[item].start);

    return &c->item_row[row * c->row_stride];
}

static inline const int64_t *
dcp_assign_terms(const struct dcp_assign_columns *c, uint32_t item,
                 uint32_t host)
{
    return dcp_assign_need(c, item, host) + c->room_stride;
}

/* What it costs that 'item' is on 'host'. */
static inline int64_t
dcp_assign_move_cost(const struct dcp_assign_columns *c, uint32_t item,
                     uint32_t host)
{
    const struct dcp_assign_item *x = &c->item[item];
    const struct dcp_assign_problem *p = c->p;

    return host == x->start
               ? 0
               : x->away_cost +
                     p->host_move_weight *
                         p->host_move_cost[(size_t)x->start * p->n_hosts +
                                           host];
}

#endif /* solver/assign/columns.h */
