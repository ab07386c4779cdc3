/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_BALANCE_FILL_H
#define DCP_SOLVER_BALANCE_FILL_H 1

/* How many more instances of one specification a cluster of Ganeti takes
 * (hspace's question), where nothing that is there moves.
 *
 * Shared or plain disks: each node by itself.  DRBD: if it is known how many
 * instances run on each node, what the secondaries may then take is known for
 * each pair of nodes (memory kept free for one peer's loss) and in total (disk,
 * spindles), so that a flow from primaries to secondaries says whether they all
 * fit (Ford & Fulkerson, Canadian J. Math. 8, 1956).  The numbers start at what
 * the nodes could run and are lowered until the flow is complete, then raised
 * where that still fits.  The bound is proved: what the nodes could run, and
 * half the room for disks.
 *
 * As hspace asks, every node's instances can be started elsewhere if it fails,
 * counting memory only (best fit, largest first: a heuristic on the safe
 * side). */

#include "solver/balance/cluster.h"

struct dcp_balance_spec {
    double mem_mib, disk_mib, vcpus, spindles;
    bool mirrored, local_disk;
};
struct dcp_balance_filling {
    uint32_t *primary, *secondary; /* By new instance; owned. */
    uint32_t n, upper_bound;
};

bool dcp_balance_fill(const struct dcp_balance_cluster *,
                      const struct dcp_balance_spec *,
                      struct dcp_balance_filling *out,
                      struct dcp_error *err) DCP_CHECKED;
void dcp_balance_filling_finish(struct dcp_balance_filling *);

#endif /* solver/balance/fill.h */
