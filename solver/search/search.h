/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SEARCH_SEARCH_H
#define DCP_SOLVER_SEARCH_SEARCH_H 1

/* From the start to a good placement: repair what is broken, choose the hosts
 * that the bound would keep, fill them, empty hosts one by one, ruin and
 * recreate small sets, and keep headroom.  A heuristic: how good the answer is
 * is said by solver/bound/bound.h, and whether it is legal by model/check/. */

#include "solver/bound/bound.h"
#include "solver/headroom/headroom.h"
#include "solver/repair/repair.h"
#include "solver/run/progress.h"

/* How much of the search runs, to measure what each part is worth. */
enum dcp_strategy {
    DCP_STRATEGY_FULL,
    DCP_STRATEGY_FFD,   /* First fit decreasing and spares, nothing else. */
    DCP_STRATEGY_LOCAL, /* No ruin and recreate, no exact program. */
    DCP_STRATEGY_LNS,   /* No exact program. */
};

struct dcp_search_options {
    enum dcp_strategy strategy;
    uint64_t seed;
    uint64_t iterations; /* Ruin-and-recreate rounds at most; 0: as many as
                          * bring something (stops after a fixed number of
                          * rounds without). */
    uint32_t threads;    /* 1 or 2; 0 is 1.  Answers do not depend on it, as
                          * long as no time limit is reached. */
    int64_t deadline_ms; /* On the monotonic clock; INT64_MAX: none. */
    double gap_frac;     /* Stop when this close to the bound. */
    struct dcp_observer observer;       /* Of improvements. */
    int64_t started_ms;                 /* What its seconds count from. */
    const struct dcp_repair_need *need; /* The fewest moves are asked for, and
                                         * this is known of them; NULL: not. */
};

enum dcp_stopped_by {
    DCP_STOPPED_PROOF, /* The bound was met. */
    DCP_STOPPED_GAP,
    DCP_STOPPED_TIME,
    DCP_STOPPED_ITERATIONS, /* Also: nothing more was found. */
};
const char *dcp_stopped_by_name(enum dcp_stopped_by);

struct dcp_search_result {
    bool complete;          /* Every item has a legal place and headroom is
                             * kept (where asked). */
    uint32_t n_misplaced;   /* Items that could not stay where they started. */
    uint32_t n_unplaced;    /* Items that found no place. */
    uint32_t unplaced_item; /* One of them. */
    const struct dcp_power_rule *broken_power_rule; /* NULL: none is. */
    /* A rack, feed or room that stays over its lax limit; NULL: none does. */
    const struct dcp_watt_thing *over_thing;
    double over_w, over_limit_w;
    struct dcp_headroom headroom; /* Of the final state; not recorded. */
    bool is_partial;              /* Complete, but for what was left broken. */
    bool too_many_moves;          /* More than the question allows. */
    uint32_t n_moves;             /* Where it limits them. */
    enum dcp_stopped_by stopped_by;
    uint64_t rounds;
    uint64_t programs; /* Solved for a few hosts each. */
};

/* What a state costs by the first goal. */
double dcp_search_value(struct dcp_state *);

/* The goals after the first, of a complete and legal state: each is made small
 * among states that are as good by the earlier ones, or worse by the slack that
 * the question allows. */
bool
dcp_search_later_goals(struct dcp_state *, const struct dcp_search_options *,
                       struct dcp_error *err) DCP_CHECKED;

/* Improves 's' (made from the problem's start) in place. */
bool
dcp_search_run(struct dcp_state *s, const struct dcp_bound *,
               const struct dcp_search_options *, struct dcp_search_result *out,
               struct dcp_error *err) DCP_CHECKED;

#endif /* solver/search/search.h */
