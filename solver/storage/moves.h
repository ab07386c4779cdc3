/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_STORAGE_MOVES_H
#define DCP_SOLVER_STORAGE_MOVES_H 1

/* From two placements of volumes to steps that are safe in every order.
 *
 * A volume is in both pools while it moves: space, operations and throughput
 * are taken in its target from the start on and given back by its source at the
 * end.  So pools are to volumes what hosts are to VMs, and the construction is
 * that of solver/schedule/schedule.h: an order in which each move finds room,
 * with a bypass pool where volumes wait for each other in a circle; then each
 * arrival waits for the shortest run of departures that makes room for it and
 * for all arrivals before it.
 *
 * A move takes as long as its size at a rate that policy.storage.move_rate and
 * both pools allow: of a pool what production leaves, shared by as many moves
 * as may be there at once (a twentieth is always left).  Steps are listed in
 * the order that ends soonest under policy.storage.moves_per_pool
 * (solver/schedule/timetable.h); the bound holds for these moves in any order.
 */

#include "solver/schedule/schedule.h"

struct dcp_storage_moves_request {
    const struct dcp_inventory *inventory; /* Borrowed, all of them. */
    const struct dcp_demand *demand;
    const struct dcp_placement *from, *to; /* VMs where they are after. */
    const uint8_t *avoid;   /* By pool: it is emptied; NULL: none. */
    enum dcp_reason reason; /* Of moves that nothing else calls for: BALANCE,
                             * MAKE_ROOM, STORAGE_REACH. */
    uint32_t leg;
    int64_t deadline_ms; /* Of the search for times; 0: none. */
};

struct dcp_storage_schedule {
    bool ok;        /* False: no safe order was found ... */
    uint32_t stuck; /* ... for this volume. */
    uint32_t n_moves, n_bypasses;
    uint64_t moved_mib;
    int64_t makespan_ms, makespan_bound_ms;
};

/* Appends to 'steps', which keeps the arena of the plan. */
bool dcp_storage_moves_make(const struct dcp_storage_moves_request *,
                            struct dcp_step_list *steps,
                            struct dcp_storage_schedule *out,
                            struct dcp_error *err) DCP_CHECKED;

#endif /* solver/storage/moves.h */
