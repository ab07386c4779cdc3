/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_BENCH_REPLAY_MOVES_H
#define DCP_BENCH_REPLAY_MOVES_H 1

/* Migrations for the engine that takes events: so many in each sample's time,
 * of other VMs each time, each to a host drawn at random, for a minute. */

#include "bench/replay/fleet.h"
#include "sim/sim.h"

struct dcp_moves {
    struct dcp_sim_event *events; /* Owned, as are the steps. */
    struct dcp_step *steps;
    uint32_t n_events;
};

/* 'n_per_tick' at most the number of VMs. */
bool
dcp_moves_create(const struct dcp_fleet *, uint64_t seed, int64_t start_ms,
                 int64_t interval_ms, uint32_t n_ticks, uint32_t n_per_tick,
                 struct dcp_moves *out, struct dcp_error *err) DCP_CHECKED;
void dcp_moves_finish(struct dcp_moves *);

#endif /* bench/replay/moves.h */
