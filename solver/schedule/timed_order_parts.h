/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SCHEDULE_TIMED_ORDER_PARTS_H
#define DCP_SOLVER_SCHEDULE_TIMED_ORDER_PARTS_H 1

/* What the search for an order by times and its simulation share.  For
 * solver/schedule/timed_order.c and timed_run.c alone. */

#include "solver/schedule/timed_order.h"

#include "model/base/agenda.h"
#include "solver/run/progress.h"
#include "solver/schedule/move_order_parts.h"

/* What the search changes. */
struct dcp_timed_wishes {
    double *urgency; /* By VM: who tries first. */
    uint8_t *aside;  /* By VM: steps aside where it cannot go at once. */
};

struct dcp_timed {
    const struct dcp_state *start;
    struct dcp_timed_wishes w;
    struct dcp_state *s;       /* A VM that moves is on its target, and its
                                * load on its source, too. */
    struct dcp_state *scratch; /* What is left once all that can go has. */
    const struct dcp_placement *to;
    struct dcp_sequences seq;
    uint8_t *waiting; /* By VM: not where it goes yet. */
    struct dcp_pending_move *moves;
    uint32_t n, n_left;
    uint8_t *phase;           /* By move, as all that follows. */
    uint32_t *at;             /* Where it goes now. */
    uint32_t *left;           /* Moves that something keeps for ever. */
    uint32_t *next_of_source; /* Lists by host. */
    uint32_t *source, *target_first, *target;
    uint32_t *n_out, *n_in; /* By host. */
    uint32_t *units; /* By host: moves at once that its network takes. */
    int64_t *up_ms;         /* By host: when it is on. */
    struct dcp_agenda ends; /* Moves, then boots of hosts. */
    uint32_t *tries;        /* Moves to be tried. */
    uint32_t n_tries, n_running, n_ended;
    int64_t now_ms;
    struct dcp_move_order *out;
    uint32_t *entry; /* By move: its last one in 'out'. */
    uint32_t *cause; /* By entry: that whose end let it begin; NONE. */
    uint32_t cause_room, cause_now;
    uint32_t *asides, n_asides; /* Moves that are to step aside. */
    bool circles;               /* Somebody waited for ever, last time. */
    int64_t deadline_ms;        /* On the monotonic clock; 0: none. */
    uint64_t work, work_most;   /* Moves and hosts looked at, in all tries. */
};

static inline bool
dcp_timed_is_late(const struct dcp_timed *t)
{
    return t->deadline_ms && dcp_monotonic_ms() >= t->deadline_ms;
}

/* All moves, from the start, as the wishes have it; 'on' as in
 * dcp_timed_order_make().  INT64_MAX in '*out_ms': it came to no end, or would
 * take more than 'work_most' allows. */
bool dcp_timed_simulate(struct dcp_timed *, const uint8_t on[],
                        int64_t *out_ms) DCP_CHECKED;

#endif /* solver/schedule/timed_order_parts.h */
