/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_ASSIGN_SEARCH_H
#define DCP_SOLVER_ASSIGN_SEARCH_H 1

/* The search for a cheap reassignment: two walks apart, that meet at fixed
 * shares of the work, where the worse may go on from the better.  It is a
 * heuristic; what it returns is legal, and the bound is proved.
 *
 * With 'iterations' both walks are always made, on one thread or two, and no
 * clock decides anything: same problem, seed and iterations give the same
 * assignment, unless a time limit ends the search before.  With a time limit
 * alone, one thread makes one walk. */

#include "solver/assign/assign.h"

struct dcp_assign_progress {
    double seconds; /* Since the search began. */
    int64_t cost, lower_bound;
    uint64_t evaluations;
};

struct dcp_assign_options {
    uint64_t seed;
    uint64_t iterations; /* Candidates looked at; 0: no limit. */
    double time_limit_s; /* 0: no limit; one of the two is needed. */
    uint32_t threads;    /* More than 2 are as 2. */
    uint32_t max_moves;  /* Items away from their start; UINT32_MAX: any. */
    /* Called on the caller's thread when a share of the work ended with a
     * better assignment; NULL: not called. */
    void (*progress)(void *context, const struct dcp_assign_progress *);
    void *context;
};

struct dcp_assign_result {
    int64_t cost, lower_bound;
    uint64_t evaluations;
    double seconds;
};

/* Fills 'at' (a host per item) with the best that was found; at worst it is the
 * start.  The problem was checked; a start that breaks a rule is
 * DCP_E_REFUSED. */
bool dcp_assign_search(const struct dcp_assign_problem *,
                       const struct dcp_assign_options *, uint32_t at[],
                       struct dcp_assign_result *out,
                       struct dcp_error *err) DCP_CHECKED;

#endif /* solver/assign/search.h */
