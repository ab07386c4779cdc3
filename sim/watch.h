/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_WATCH_H
#define DCP_SIM_WATCH_H 1

/* Who looks on while a replay runs: series, logs, progress, tests.  A watch
 * sees what has been counted so far and cannot alter it; what one writes is no
 * branch of the engine.
 *
 * Called from the thread that simulates, in the order of dcp_sim_input. */

#include "sim/sim.h"

struct dcp_sim_watch {
    /* After event 'e' took effect; NULL: not asked.  False ends the replay
     * with 'err'. */
    bool (*event)(void *user, const struct dcp_sim_event *e,
                  struct dcp_error *err);
    /* After slice 'slice', the one before it being slice - 1 and the first 0;
     * NULL: not asked.  In 'so_far' these have been counted up to the slice's
     * end: sums by host, VM and tenant, site_it_j, 'end' (where VMs are), and
     * the slice itself but for its watts; the rest comes at the end.  'so_far'
     * still has the whole window's n_slices and to_ms.
     *
     * '*more' false: the replay ends here in good order, 'stopped', unless
     * this is its end.  Only ever set it to false. */
    bool (*slice)(void *user, const struct dcp_sim_result *so_far,
                  uint32_t slice, bool *more, struct dcp_error *err);
    void *user;
};

#endif /* sim/watch.h */
