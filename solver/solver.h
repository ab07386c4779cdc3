/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SOLVER_H
#define DCP_SOLVER_SOLVER_H 1

/* A question in, a placement out, with what is proved of it.
 *
 * The status is an answer, not an error: optimal (proved), feasible (with a
 * gap), infeasible (proved, with the reason), timeout (no valid answer
 * found). */

#include "solver/problem.h"
#include "solver/search/search.h"

enum dcp_status {
    DCP_STATUS_OPTIMAL,
    DCP_STATUS_FEASIBLE,
    DCP_STATUS_INFEASIBLE,
    DCP_STATUS_TIMEOUT,
    DCP_STATUS_NOTHING_TO_DO,
};
const char *dcp_status_name(enum dcp_status); /* "optimal" ... */

struct dcp_solve_options {
    enum dcp_strategy strategy;
    uint64_t seed, iterations;
    uint32_t threads;    /* 1 or 2; 0 is 1. */
    double time_limit_s; /* 0: 30 s, or none where iterations are given. */
    double gap_frac;     /* Stop at this gap; 0: as good as possible. */
    struct dcp_observer observer; /* Of improvements; zero: nobody. */
};

struct dcp_because { /* Why there is no answer. */
    char rule[64], object[96], text[200];
    double need, have; /* NaN: does not apply. */
};

struct dcp_solution {
    enum dcp_status status;
    enum dcp_stopped_by stopped_by;
    struct dcp_placement *placement; /* Owned; NULL without an answer. */
    double value, bound;             /* In the question's unit. */
    uint32_t hosts_lower_bound;
    const char *bound_method;        /* As in struct dcp_bound. */
    char binding[32];                /* Resource that stops further packing. */
    struct dcp_because because;      /* INFEASIBLE and TIMEOUT. */
    struct dcp_arena *arena;         /* Owns the losses. */
    struct dcp_loss_answer *losses;  /* Where headroom was asked for. */
    uint32_t n_losses;
    struct dcp_berth_answer *berths; /* Likewise; none: lists show it all. */
    uint32_t n_berths;
    /* By host, in 'arena': on so that a morning can do without hosts that do
     * not boot (solver/plan/morning.c); NULL: none. */
    uint8_t *kept_for_boots;
    /* Of a partial repair: what is left as broken as it was; in 'arena'. */
    bool is_partial;
    struct dcp_left {
        bool is_host; /* Above a limit; else a VM that may not stay. */
        uint32_t ix;
    } * left;
    uint32_t n_left;
    /* A rack, feed or room is over its limit, as it was at home; then the answer
     * is not called optimal, for others may not be. */
    bool over_watts;
    uint32_t n_misplaced; /* Items that could not stay where they started. */
    uint64_t rounds, checks;
};

bool dcp_solve(const struct dcp_question *, const struct dcp_solve_options *,
               struct dcp_solution *out, struct dcp_error *err) DCP_CHECKED;
/* The same of a question that was compiled; the limit begins now, when what
 * compiling took is known. */
bool
dcp_solve_problem(struct dcp_problem *, const struct dcp_solve_options *,
                  struct dcp_solution *out, struct dcp_error *err) DCP_CHECKED;
void dcp_solution_finish(struct dcp_solution *);

/* What being on costs each host over the slots, and a MHz in them, for a goal
 * of money or energy; arrays of n_hosts and n_slots from the caller. */
void dcp_goal_values(const struct dcp_inventory *, const struct dcp_demand *,
                     uint32_t first_slot, uint32_t last_slot,
                     enum dcp_goal goal, double on_value[], double mhz_slope[],
                     double slot_weight[]);

#endif /* solver/solver.h */
