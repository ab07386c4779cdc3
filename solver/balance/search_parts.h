/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_BALANCE_SEARCH_PARTS_H
#define DCP_SOLVER_BALANCE_SEARCH_PARTS_H 1

/* One search of solver/balance/balance.h under way; private to it. */

#include "model/base/rng.h"
#include "solver/balance/balance.h"

struct dcp_balance_search {
    struct dcp_balance_cluster *c;
    const struct dcp_balance_options *o;
    struct dcp_rng rng;
    uint32_t n_instances, n_nodes, n_movable, n_online;
    uint32_t *movable, *online; /* Instances and nodes to draw from. */
    uint32_t limit, used;       /* Steps; limit UINT32_MAX: none. */
    uint32_t *moved, *moved_at; /* Instances away from home; their places. */
    uint32_t n_moved;
    double *gain;   /* By instance: of its best step, when last looked at. */
    uint32_t *best; /* [instance]: primary, secondary of the best state. */
    double score, best_score;
    uint64_t trials, max_trials;
    int64_t started_ms, limit_ms;   /* 0: none. */
    bool scanned;                   /* 'gain' is known. */
    struct dcp_balance_step *trace; /* Steps of descents; owned elsewhere. */
    uint32_t n_trace, trace_room;
    bool out_of_time;
};

/* Does moves and keeps score, steps used and the list of the moved. */
void dcp_balance_accept(struct dcp_balance_search *,
                        const struct dcp_balance_move moves[], uint32_t n,
                        double score);
/* Steps used after a move instead of the present place of its instance. */
uint32_t dcp_balance_used_with(const struct dcp_balance_search *,
                               const struct dcp_balance_move *);
void dcp_balance_keep_best(struct dcp_balance_search *);
void dcp_balance_restore_best(struct dcp_balance_search *);
/* Milliseconds since the start; notes when the time is up. */
int64_t dcp_balance_elapsed_ms(struct dcp_balance_search *);

/* solver/balance/descent.c: the best single step, while that gains and at most
 * 'max_trials' are spent.  Gains change slowly, so after a look at all
 * instances only those that promised most are looked at again, and all of them
 * when these have nothing more.  At the limit it exchanges: undoes each step in
 * turn and looks for the best in its place. */
void dcp_balance_descend(struct dcp_balance_search *, uint64_t max_trials);
void dcp_balance_exchange(struct dcp_balance_search *, uint64_t max_trials);
/* Steps that one look at all instances weighs, at least 1. */
uint64_t dcp_balance_scan_size(const struct dcp_balance_search *);
/* solver/balance/anneal.c */
void dcp_balance_anneal(struct dcp_balance_search *);

#endif /* solver/balance/search_parts.h */
