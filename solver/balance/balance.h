/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_BALANCE_BALANCE_H
#define DCP_SOLVER_BALANCE_BALANCE_H 1

/* Evens out a cluster of Ganeti: the best score within a number of steps, or
 * without such a limit.
 *
 * First steepest descent, the best step of all, as hbal goes; then annealing
 * (Kirkpatrick, Gelatt, Vecchi, Science 220, 1983) over moves, exchanges and,
 * under a limit, replacements: one instance goes back to its first nodes and
 * another takes its step.  A state is legal when all nodes that gain something
 * have room for it, keep their limits and survive the loss of any one node;
 * the answer is replayed from the start, step by step as Ganeti would do it,
 * and what cannot be reached so is left out.
 *
 * Heuristic; the bound (solver/balance/cluster.h) is proved.  Same seed and
 * iterations, same answer, where the time does not run out. */

#include "solver/balance/cluster.h"

struct dcp_balance_options {
    uint64_t seed;
    uint32_t max_steps;  /* Of hbal; 0: no limit. */
    uint64_t trials;     /* Moves to weigh; 0: by default, see below. */
    double time_limit_s; /* 0: none.  Without 'trials' and with a time, all of
                          * the time is used, where there is no limit on
                          * steps. */
};

struct dcp_balance_step {
    uint32_t instance, primary, secondary; /* Nodes after the step. */
};
struct dcp_balance_result {
    double before, after, lower_bound;
    struct dcp_balance_step *steps; /* In order; owned. */
    uint32_t n_steps;
    uint64_t trials;
    bool out_of_time;
};

/* Leaves the cluster in its new state. */
bool dcp_balance_run(struct dcp_balance_cluster *,
                     const struct dcp_balance_options *,
                     struct dcp_balance_result *out,
                     struct dcp_error *err) DCP_CHECKED;
void dcp_balance_result_finish(struct dcp_balance_result *);

#endif /* solver/balance/balance.h */
