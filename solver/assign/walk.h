/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_ASSIGN_WALK_H
#define DCP_SOLVER_ASSIGN_WALK_H 1

/* A walk through assignments: a state, the best that it came by, and how much
 * work it may still do.  All neighbourhoods move a walk; none keeps a state of
 * its own. */

#include "model/base/rng.h"
#include "solver/assign/state.h"

struct dcp_assign_walk {
    struct dcp_assign_state *state;
    struct dcp_rng rng;
    uint32_t *best; /* [item] */
    int64_t best_cost;
    /* Items moved since 'best' was the state; too many: all of them. */
    uint32_t *changed;
    uint32_t n_changed;

    uint64_t evaluations; /* Candidates looked at, so far. */
    bool failed;          /* No memory: the state is not to be trusted. */
};

struct dcp_assign_walk *
dcp_assign_walk_create(const struct dcp_assign_columns *, uint32_t max_moves,
                       uint64_t seed, uint64_t index,
                       struct dcp_error *err) DCP_CHECKED;
void dcp_assign_walk_destroy(struct dcp_assign_walk *);
DCP_DEFINE_AUTO(dcp_assign_walk)

/* Moves 'item'; to be followed by dcp_assign_walk_note() once the state is
 * legal. */
void
dcp_assign_walk_put(struct dcp_assign_walk *, uint32_t item, uint32_t host);
/* Keeps the state if it is the best so far. */
void dcp_assign_walk_note(struct dcp_assign_walk *);
/* Goes on from 'at', which costs 'cost'; it becomes the best if it is. */
void dcp_assign_walk_jump(struct dcp_assign_walk *, const uint32_t at[]);

/* A share of the work: ends after 'evaluations', or at the time. */
struct dcp_assign_slice {
    uint64_t evaluations;   /* From now on; UINT64_MAX: no limit. */
    double from_s, until_s; /* Of the monotonic clock; until_s 0: never asked,
                             * so that the result does not depend on it. */
};
double dcp_assign_now_s(void);

#endif /* solver/assign/walk.h */
