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
    /* Per item: what it takes (room_stride), its terms (term_stride), and what
     * it takes at the host it started on, where its share of transient
     * resources is taken either way (room_stride). */
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

/* In 'arena'; borrows the checked problem.  NULL: no memory. */
struct dcp_assign_columns *
dcp_assign_columns_make(struct dcp_arena *arena,
                        const struct dcp_assign_problem *p,
                        struct dcp_error *err) DCP_CHECKED;

static inline const int64_t *
dcp_assign_need(const struct dcp_assign_columns *c, uint32_t item,
                uint32_t host)
{
    size_t home = host == c->item[item].start
                      ? c->room_stride + (size_t)c->term_stride
                      : 0;

    return &c->item_row[item * (size_t)c->row_stride + home];
}

static inline const int64_t *
dcp_assign_terms(const struct dcp_assign_columns *c, uint32_t item)
{
    return &c->item_row[item * (size_t)c->row_stride + c->room_stride];
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
