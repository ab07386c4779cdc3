/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SCHEDULE_RESIZING_H
#define DCP_SOLVER_SCHEDULE_RESIZING_H 1

/* Resizes in the schedule of a leg.
 *
 * All that becomes smaller does so first, where it is; moves then go at the
 * smaller of both sizes; what becomes larger does so last, where it ends.  So a
 * placement that fits at the new sizes is reached by an order in which every
 * step fits: the moves' order is found at the smaller sizes, and growth only
 * adds what the end has room for.
 *
 * In the gates of solver/schedule/schedule.c a VM that shrinks is a departure
 * of the difference from its host, one that grows an arrival of it: their proof
 * needs of departures and arrivals only what they take away and add, so it
 * holds for these as well.
 *
 * Restarts of one application's VMs, and of VMs that a hard spread rule keeps
 * apart (they stand in for each other), come one after another.
 *
 * Not thread-safe. */

#include "solver/schedule/schedule.h"
#include "solver/schedule/step_waits.h"
#include "solver/state.h"

struct dcp_resize {
    uint32_t vm;
    bool grow;
    double saves; /* What it frees, for the order. */
};

struct dcp_resizing {
    const struct dcp_leg_request *r;
    struct dcp_inventory *least; /* The smaller sizes. Owned. */
    struct dcp_resize *items; /* Shrinking first, what frees most leading; then
                               * growing. Owned. */
    uint32_t n, n_shrinking;
    uint32_t *of_vm;  /* Its place in items, DCP_IX_NONE: none. Owned. */
    uint32_t *amount; /* [item * n_scalars + s]: larger less smaller. Owned. */
    uint32_t n_scalars;
    uint32_t *last_of_app, *last_of_group; /* Restarts so far. Owned. */
};

/* The leg's resizes; n 0 where the request names none. */
bool dcp_resizing_init(struct dcp_resizing *, const struct dcp_leg_request *,
                       struct dcp_error *err) DCP_CHECKED;
void dcp_resizing_finish(struct dcp_resizing *);

/* The inventory whose sizes moves have. */
const struct dcp_inventory *dcp_resizing_moves(const struct dcp_resizing *);
/* Of a problem at these sizes, once. */
bool dcp_resizing_weigh(struct dcp_resizing *, const struct dcp_problem *,
                        struct dcp_error *err) DCP_CHECKED;
/* Forgets which restarts there were: the leg is scheduled anew. */
void dcp_resizing_rewind(struct dcp_resizing *, const struct dcp_problem *);

/* Adds what shrinking VMs have more as the leg begins. */
void dcp_resizing_begin(const struct dcp_resizing *, struct dcp_state *);
/* What item 'i' has more at its larger size, put on a host or taken off. */
void dcp_resizing_add(const struct dcp_resizing *, uint32_t i,
                      struct dcp_state *, uint32_t host);
void dcp_resizing_sub(const struct dcp_resizing *, uint32_t i,
                      struct dcp_state *, uint32_t host);

/* The restarts that item 'i' must wait for, by step id: the last one of its
 * application, and of each spread rule.  False: out of memory. */
bool dcp_resizing_waits(const struct dcp_resizing *, const struct dcp_problem *,
                        uint32_t i, struct dcp_step_waits *);
/* Item 'i' is step 'id'. */
void dcp_resizing_note(struct dcp_resizing *, const struct dcp_problem *,
                       uint32_t i, uint32_t id);
/* Sizes, time and reason of the step; false: out of memory. */
bool dcp_resizing_fill(const struct dcp_resizing *, uint32_t i, uint32_t host,
                       struct dcp_step *, struct dcp_arena *);

#endif /* solver/schedule/resizing.h */
