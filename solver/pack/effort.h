/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_PACK_EFFORT_H
#define DCP_SOLVER_PACK_EFFORT_H 1

/* How long the parts of the engine work, and what two threads tell each other
 * meanwhile.  They exchange costs and bounds only where time is what stops
 * them; counted runs repeat to the byte, so there they say nothing. */

#include "solver/pack/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct dcp_pack_board {
    _Atomic uint64_t cost; /* Of the best packing anywhere. */
    _Atomic uint64_t bound;
};

struct dcp_pack_effort {
    uint64_t iterations; /* 0: no limit. */
    uint64_t seed;
    double deadline_s;
    double gap_frac;
    struct dcp_pack_board *board; /* NULL: none. */
};

static inline void
dcp_pack_tell_cost(const struct dcp_pack_effort *e, uint64_t cost)
{
    uint64_t seen = e->board ? atomic_load(&e->board->cost) : 0;

    while (cost < seen &&
           !atomic_compare_exchange_weak(&e->board->cost, &seen, cost)) {
    }
}

static inline void
dcp_pack_tell_bound(const struct dcp_pack_effort *e, uint64_t bound)
{
    uint64_t seen = e->board ? atomic_load(&e->board->bound) : UINT64_MAX;

    while (bound > seen &&
           !atomic_compare_exchange_weak(&e->board->bound, &seen, bound)) {
    }
}

/* The best of one's own and the board's. */
static inline uint64_t
dcp_pack_best_cost(const struct dcp_pack_effort *e, uint64_t own)
{
    uint64_t seen = e->board ? atomic_load(&e->board->cost) : own;

    return seen < own ? seen : own;
}

static inline uint64_t
dcp_pack_best_bound(const struct dcp_pack_effort *e, uint64_t own)
{
    uint64_t seen = e->board ? atomic_load(&e->board->bound) : own;

    return seen > own ? seen : own;
}

/* Time is up, or the gap is closed as far as is wanted. */
static inline bool
dcp_pack_done(const struct dcp_pack_effort *e, uint64_t own_cost,
              uint64_t own_bound)
{
    uint64_t cost = dcp_pack_best_cost(e, own_cost);
    uint64_t bound = dcp_pack_best_bound(e, own_bound);

    return cost <= bound ||
           (cost != UINT64_MAX &&
            (double)(cost - bound) <= e->gap_frac * (double)cost) ||
           (e->deadline_s < DCP_PACK_NO_DEADLINE &&
            dcp_pack_now() >= e->deadline_s);
}

#endif /* solver/pack/effort.h */
