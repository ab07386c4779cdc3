/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SCHEDULE_MOVE_CPU_H
#define DCP_SOLVER_SCHEDULE_MOVE_CPU_H 1

/* Moves start where both their hosts have CPU to spare.
 *
 * A migration takes policy.migration_cpu_overhead_frac of its VM's CPU on its
 * source and on its target while it runs.  What a host has to spare in a slot
 * is its capacity less what the VMs need then that it has as the leg begins,
 * and those that are started on it.  Two things follow for moves from and to
 * it:
 *
 *   ready: a move that finds too little at either host waits for the first slot
 *   that has enough at both, begun policy.move_wait_ms after the leg's start at
 *   the latest; where there is none it waits for no slot.
 *
 *   gates: moves are taken in listed order; the i-th waits for the shortest run
 *   of moves before it so that those up to it that are not in that run, as many
 *   of them at once as the limits let, and all VMs that came, need no more than
 *   there is to spare, with the CPU of the VMs in that run that left.  This
 *   holds in whatever order an executor starts them: of the moves that have
 *   started, the last one's gate counts all others.  In a slot only those count
 *   that are ready by then.  But one move at a time always may run.
 *
 * All in the slots that the moves run in.  Sizes are planned demand. */

#include "solver/schedule/schedule.h"
#include "solver/state.h"

struct dcp_move_cpu {
    const struct dcp_state *start; /* As the leg begins. */
    const struct dcp_step_list *list;
    uint32_t first, n_slots;
    int64_t start_ms;      /* Of the leg; 0: not known, nothing waits. */
    uint32_t *touch_first; /* By host: [first, next) in 'touch'. */
    uint32_t *touch;       /* Moves by host, in listed order. */
    int64_t *spare_mhz;    /* [host * n_slots + slot]. */
    uint32_t *ready_slot;  /* By step from 'first' on. */
    bool any_waits;        /* Some are ready after the first slot only. */
};

/* For the migrations listed from 'first' on. */
bool dcp_move_cpu_init(struct dcp_move_cpu *, const struct dcp_state *start,
                       const struct dcp_step_list *, uint32_t first,
                       uint32_t n_slots, int64_t start_ms,
                       struct dcp_error *err) DCP_CHECKED;
void dcp_move_cpu_finish(struct dcp_move_cpu *);

/* When the step may start for its hosts' sake, in ms from the leg's start on,
 * if nothing else lets it before 'from_ms': then, or when the slot begins that
 * it waits for.  'out_host' (may be NULL): set to which host is waited for,
 * where one is. */
int64_t
dcp_move_cpu_ready_ms(const struct dcp_move_cpu *, const struct dcp_step *,
                      int64_t from_ms, uint32_t *out_host);

/* Adds the gates' waits to the steps; how many were added. */
bool dcp_move_cpu_add_waits(const struct dcp_move_cpu *, struct dcp_step_list *,
                            uint32_t *out_n, struct dcp_error *err) DCP_CHECKED;

#endif /* solver/schedule/move_cpu.h */
