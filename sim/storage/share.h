/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_STORAGE_SHARE_H
#define DCP_SIM_STORAGE_SHARE_H 1

/* Storage that is asked for more than it has: how much of its reads and writes
 * each flow gets.  A flow goes over two links, its host's paths and its pool;
 * a link has operations and KiB a second, and a flow asks for both in a fixed
 * ratio.  Shares are max-min fair in the part that is served: all flows rise
 * together to the same part of what they ask, those of a link that is full
 * stop, the others go on (progressive filling; Bertsekas and Gallager, "Data
 * Networks", 6.5.2).
 *
 * O(flows + links), and as much of the flows over links that are asked for too
 * much for each of those.  Pure: thread-safe. */

#include <stdint.h>

struct dcp_io_link {
    double kib_s, iops; /* INFINITY: no limit. */
};

struct dcp_io_flow {
    uint32_t path, pool; /* Links. */
    double kib_s, iops;  /* Asked for. */
    double served_frac;  /* Out: 0 to 1. */
    uint32_t full;       /* Out: the link that stopped it; DCP_IO_NONE. */
};
#define DCP_IO_NONE UINT32_MAX

struct dcp_io_load {
    double asked_kib_s, asked_iops;   /* Out. */
    double served_kib_s, served_iops; /* Out: at most the link's. */
    double rising_kib_s, rising_iops; /* Between calls: nothing. */
};

/* 'load': one for each link, filled. */
void
dcp_io_share(struct dcp_io_flow[], uint32_t n, const struct dcp_io_link links[],
             uint32_t n_links, struct dcp_io_load load[]);

#endif /* sim/storage/share.h */
