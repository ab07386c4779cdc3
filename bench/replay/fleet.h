/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_BENCH_REPLAY_FLEET_H
#define DCP_BENCH_REPLAY_FLEET_H 1

/* An invented datacenter and its usage, of any size, by a seed: what the
 * replays are measured on.  Two kinds of servers with published
 * SPECpower_ssj2008 curves (HP ProLiant ML110 G4 and G5, as CloudSim has
 * them), each VM on a host drawn at random. */

#include "model/inventory.h"
#include "model/placement.h"

struct dcp_fleet_options {
    uint64_t seed;
    uint32_t n_vms, n_hosts, days;
    uint32_t sample_bits, deflate_level; /* Of the store. */
};

struct dcp_fleet {
    struct dcp_inventory *inventory; /* Owned. */
    struct dcp_placement *placement; /* Owned. */
};

bool dcp_fleet_create(const struct dcp_fleet_options *, struct dcp_fleet *out,
                      struct dcp_error *err) DCP_CHECKED;
void dcp_fleet_finish(struct dcp_fleet *);

/* CPU of every VM, every five minutes: a level of its own, a day's rhythm and
 * noise. */
bool dcp_fleet_write_usage(const struct dcp_fleet_options *,
                           const struct dcp_inventory *, const char *path,
                           struct dcp_error *err) DCP_CHECKED;

#endif /* bench/replay/fleet.h */
