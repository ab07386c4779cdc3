/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_COMPILE_LICENCE_POOL_H
#define DCP_SOLVER_COMPILE_LICENCE_POOL_H 1

/* policy.licences: owned.  No answer may need more units of a licence than are
 * owned, or than were needed where VMs were at home, if that is more.
 *
 * Units are counted as model/licence.h says.  For scopes `ever_placed` and
 * `reachable` each host counts at the most covered VMs that it had at home or
 * at the question's start, or has now; so a morning counts its evening.
 *
 * A state keeps covered VMs and units by licence and host: placing, removing
 * and asking are O(licences of the item).  Restarts after a loss are not
 * asked: they are not counted by this policy.
 *
 * The pools live in the problem's arena and are immutable; counts belong to
 * one state and are not thread-safe. */

#include "solver/problem.h"

struct dcp_licence_pool {
    uint32_t licence; /* In the inventory. */
    double most;      /* Units. */
    /* Of hosts, by host: counted at least; NULL: nothing is. */
    const uint32_t *least_vms, *least_vcpus;
};

struct dcp_licence_share { /* What an item counts in a pool. */
    uint32_t pool, n_vms, n_vcpus;
};

struct dcp_licence_pools {
    const struct dcp_licence_pool *pool;
    uint32_t n;
    const uint32_t *first; /* Of item i: share[first[i] .. first[i + 1] - 1]. */
    const struct dcp_licence_share *share;
};

struct dcp_licence_counts {
    uint32_t *n_vms, *n_vcpus; /* [pool * n_hosts + host] */
    double *units;             /* Of each. */
    double *total;             /* By pool. */
};

/* Part of dcp_problem_create(): '*out' is NULL where policy does not ask or no
 * licence states what is owned. */
bool dcp_licence_pools_compile(const struct dcp_problem *,
                               const struct dcp_licence_pools **out,
                               struct dcp_error *err) DCP_CHECKED;

/* Counts of no items; NULL: no memory.  Not to be called without pools. */
struct dcp_licence_counts *
dcp_licence_counts_create(const struct dcp_problem *);
void dcp_licence_counts_destroy(struct dcp_licence_counts *);
void dcp_licence_counts_assign(struct dcp_licence_counts *to,
                               const struct dcp_licence_counts *from,
                               const struct dcp_problem *);
void dcp_licence_counts_change(struct dcp_licence_counts *,
                               const struct dcp_problem *, uint32_t item,
                               uint32_t host, bool add);

/* The pool that would be exceeded with the item, now on 'at' (DCP_IX_NONE:
 * nowhere), on 'host', and the units needed then; NULL: none would. */
const struct dcp_licence_pool *
dcp_licence_pool_exceeded(const struct dcp_licence_counts *,
                          const struct dcp_problem *, uint32_t item,
                          uint32_t at, uint32_t host, double *out_units);

#endif /* solver/compile/licence_pool.h */
