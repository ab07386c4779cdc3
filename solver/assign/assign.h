/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_ASSIGN_H
#define DCP_SOLVER_ASSIGN_H 1

/* Reassignment: items that run on hosts are moved so that hosts come under
 * their soft capacities, at least cost and never outside the hard rules.  It is
 * the problem of the ROADEF/EURO challenge 2012 (problem definition, version
 * 1, 2011), in which 'service' is a group, 'process' an item, 'machine' a host,
 * 'location' a place and 'neighbourhood' a zone.
 *
 * Hard rules, for an assignment 'at' (host of each item):
 *   capacity    the items on a host are within its capacity, per resource;
 *   transient   of a transient resource a moved item also takes what it needs
 *               at the host it started on;
 *   conflict    items of one group are on distinct hosts;
 *   spread      a group is in at least spread_min[g] distinct places;
 *   dependency  where group g depends on d, each zone that holds an item of g
 *               holds one of d.
 *
 * Cost, all in 64-bit integers: load above the soft capacity 'safe' at a price
 * per resource; balance, max(0, target x free of one resource - free of
 * another) per host at a price; the price of each moved item; the most moves
 * within any one group; and the price of each pair (from, to) of hosts.
 *
 * What is here is the statement and its plain recount.  The search is in
 * search.h, what it works on in columns.h and state.h. */

#include "model/base/arena.h"
#include "model/base/error.h"

struct dcp_assign_balance {
    uint32_t first, second; /* Resources. */
    int64_t target, weight; /* weight x max(0, target x free1 - free2). */
};

/* Arrays are borrowed and read-only; units are the caller's.  Places and zones
 * are numbered from 0 without holes. */
struct dcp_assign_problem {
    uint32_t n_resources, n_hosts, n_groups, n_items, n_balances;
    uint32_t n_places, n_zones;
    const bool *transient;          /* [resource] */
    const int64_t *load_weight;     /* [resource] */
    const uint32_t *place, *zone;   /* [host] */
    const int64_t *capacity, *safe; /* [host * n_resources + resource] */
    const uint32_t *host_move_cost; /* [from * n_hosts + to] */
    const uint32_t *spread_min;     /* [group] */
    const uint32_t *dep_start;      /* [group], and one more: where its ... */
    const uint32_t *dep;            /* ... groups that it depends on begin. */
    const uint32_t *group;          /* [item] */
    const int64_t *demand;          /* [item * n_resources + resource] */
    const int64_t *move_cost;       /* [item] */
    const uint32_t *start;          /* [item]: its host now. */
    const struct dcp_assign_balance *balance;
    int64_t item_move_weight, group_move_weight, host_move_weight;
};

/* Indices in range, nothing negative, and every sum that the search makes
 * within 64 bits: else DCP_E_ARGUMENT says what. */
bool dcp_assign_check(const struct dcp_assign_problem *,
                      struct dcp_error *err) DCP_CHECKED;

struct dcp_assign_cost {
    int64_t load, balance, item_moves, group_moves, host_moves;
    int64_t total;
    uint32_t n_moved;
};

/* Counts 'at' from nothing, by the definition above; shares no code with the
 * search's sums.  False with DCP_E_REFUSED names the rule that 'at' breaks.
 * The problem was checked. */
bool dcp_assign_measure(const struct dcp_assign_problem *, const uint32_t at[],
                        struct dcp_assign_cost *out,
                        struct dcp_error *err) DCP_CHECKED;

/* No assignment costs less: what all hosts together have above their soft
 * capacities and targets (convexity of max(0, x), summed over hosts). */
int64_t dcp_assign_bound_simple(const struct dcp_assign_problem *);

#endif /* solver/assign/assign.h */
