/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SCHEDULE_PATHS_H
#define DCP_SOLVER_SCHEDULE_PATHS_H 1

/* Which limited links a migration between two hosts runs over, and what
 * production leaves of them.
 *
 * A host is behind the switch of its first port whose uplink has a limit; a
 * migration to a host that is not behind the same switch runs over the uplinks
 * of both, and between sites over the link that names both sites.  How much of
 * production crosses a link is not measured: of an uplink all that the hosts
 * behind it use is counted, of a link between sites half of what the hosts of
 * both use; but a twentieth is always left, as of a host's own ports. */

#include "solver/state.h"

#define DCP_PATH_LINKS_MAX 3u

struct dcp_paths {
    const struct dcp_inventory *inventory; /* Borrowed. */
    uint32_t *switch_of_host; /* [host]: one with a limit; DCP_IX_NONE. */
    uint32_t *site_of_host;   /* [host]; DCP_IX_NONE. */
    uint64_t *left_kib_s;     /* By link: switches, then links. */
    uint32_t n_links;
    bool any; /* Some link has a limit at all. */
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
