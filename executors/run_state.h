/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_RUN_STATE_H
#define DCP_EXECUTORS_RUN_STATE_H 1

/* What a run of a leg keeps; private to executors/runner.c and
 * executors/run_state.c. */

#include "executors/heap.h"
#include "executors/runner.h"

struct dcp_run_step_state {
    uint32_t n_waiting;   /* Steps of this leg that must be done first. */
    uint32_t parked_next; /* Id of the next step parked at the same place. */
    uint32_t extensions;
    int64_t look_ms; /* When it is late; INT64_MAX: not running. */
    bool running;
    bool queued; /* In 'ready', 'early' or parked. */
};

struct dcp_run {
    const struct dcp_inventory *inventory;
    const struct dcp_plan *plan;
    struct dcp_executor *executor;
    const struct dcp_run_options *options;
    struct dcp_run_report *report;
    struct dcp_error *err;
    struct dcp_step_record *records;  /* By id - 1; NULL: no journal. */
    struct dcp_run_step_state *steps; /* By id - 1. */
    uint32_t *first_child, *children; /* Ids that wait for a step. */
    uint32_t *n_out, *n_in;           /* Moves under way, by place. */
    uint32_t *parked_at;              /* First parked id, by place; 0: none. */
    uint32_t parked_off, n_off;       /* Switching off, over all hosts. */
    struct dcp_heap ready, late, early; /* early: by their not_before. */
    uint32_t n_running;
    uint32_t stop; /* As options->interrupts() said. */
};

/* Checks the leg's steps against the executor, and links those that wait for
 * each other.  The run has its borrowed members; dcp_run_state_finish() frees
 * what this made, also after a failure. */
bool dcp_run_state_init(struct dcp_run *);
void dcp_run_state_finish(struct dcp_run *);

/* The place whose limit holds the move back, or UINT32_MAX. */
uint32_t dcp_run_full_place(const struct dcp_run *, const struct dcp_step *);

static inline bool
dcp_run_in_leg(const struct dcp_run *r, uint32_t id)
{
    return r->plan->steps[id - 1].leg == r->options->leg;
}

static inline bool
dcp_run_is_move(const struct dcp_step *s)
{
    return s->kind == DCP_STEP_MIGRATE || s->kind == DCP_STEP_VOLUME_MOVE;
}

/* The place that a move leaves or enters: hosts, then pools. */
static inline uint32_t
dcp_run_place(const struct dcp_run *r, struct dcp_object place)
{
    return place.kind == DCP_OBJECT_POOL ? r->inventory->n_hosts + place.ix
                                         : place.ix;
}

/* Limit 0 is none. */
static inline bool
dcp_run_under(uint32_t n, uint32_t limit)
{
    return !limit || n < limit;
}

#endif /* executors/run_state.h */
