/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_SWEEP_H
#define DCP_SIM_SWEEP_H 1

/* Replay of a placement that nothing changes, for months of usage of a large
 * datacenter: the result of dcp_simulate() without events, from samples as
 * they are stored, on several threads, in memory for a day.
 *
 * Every host's demand at every sample is the same double as dcp_simulate()
 * has, so overload is counted alike; sums over time and hosts are taken in
 * another order, and differ by rounding (under 1e-9 of the figure).  Work is
 * cut by hosts in the same way for any number of threads, and parts are added
 * in a fixed order: equal inputs give equal bytes, on one thread and on two,
 * with vectors and without.  docs/sim-replay.md has the design.
 *
 * The store is HDF5's: while this runs, nobody else uses HDF5. */

#include "sim/sim.h"

struct dcp_sweep_input {
    const struct dcp_inventory *inventory;
    const struct dcp_placement *start;
    /* Usage: of a store, measured on the hosts of 'measured' (see
     * dcp_samples_load()) ... */
    struct dcp_store *store;
    const struct dcp_placement *measured;
    /* ... or in memory, none missing.  The other is NULL. */
    const struct dcp_samples *cpu;
    int64_t from_ms, to_ms; /* Within the usage. */
    /* As of struct dcp_sim_input. */
    const struct dcp_sim_result *reference;
    /* Content with some slices (see dcp_sim_input's n_coarse); asked by
     * dcp_sweep_run() after each stripe of time. */
    const struct dcp_sim_watch *const *watches;
    uint32_t n_watches;
    uint32_t n_threads; /* 0: 1. */
    bool portable;      /* Without the machine's vectors; for tests. */
};

struct dcp_sweep;

struct dcp_sweep *dcp_sweep_open(const struct dcp_sweep_input *,
                                 struct dcp_error *err) DCP_CHECKED;
void dcp_sweep_destroy(struct dcp_sweep *);
DCP_DEFINE_AUTO(dcp_sweep)

/* Stripes of time: read each, then add it, in order; then finish.  Finished
 * before the last, but after the first, the window ends there, 'stopped'. */
uint32_t dcp_sweep_n_stripes(const struct dcp_sweep *);
bool dcp_sweep_read(struct dcp_sweep *, uint32_t stripe,
                    struct dcp_error *err) DCP_CHECKED;
bool dcp_sweep_add(struct dcp_sweep *, struct dcp_error *err) DCP_CHECKED;
void dcp_sweep_finish(struct dcp_sweep *, struct dcp_sim_result *out,
                      struct dcp_sim_fill *out_fill);

/* All of it. */
bool
dcp_sweep_run(const struct dcp_sweep_input *, struct dcp_sim_result *out,
              struct dcp_sim_fill *out_fill, struct dcp_error *err) DCP_CHECKED;

#endif /* sim/sweep.h */
