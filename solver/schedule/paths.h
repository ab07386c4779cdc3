/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SCHEDULE_PATHS_H
#define DCP_SOLVER_SCHEDULE_PATHS_H 1

/* Which limited links a migration between two hosts runs over, and what
 * production leaves of them.
 *
 * Routes, and how much of production crosses a link, are those of
 * model/network.h; production is taken at its peak over the slots.  A twentieth
 * is always left, as of a host's own ports. */

#include "model/network.h"
#include "solver/state.h"

#define DCP_PATH_LINKS_MAX DCP_ROUTE_MAX

struct dcp_paths {
    struct dcp_network *network;
    uint64_t *left_kib_s; /* By link of the network. */
    uint32_t n_links;
};

/* Over the first 'n_slots' slots of the state's question. */
struct dcp_paths *dcp_paths_create(const struct dcp_state *, uint32_t n_slots,
                                   struct dcp_error *err) DCP_CHECKED;
void dcp_paths_destroy(struct dcp_paths *);
DCP_DEFINE_AUTO(dcp_paths)

/* The links between two hosts, in 'out'; how many. */
uint32_t dcp_paths_between(const struct dcp_paths *, uint32_t from, uint32_t to,
                           uint32_t out[DCP_PATH_LINKS_MAX]);

#endif /* solver/schedule/paths.h */
