/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_BENCH_READ_BTRPLACE_H
#define DCP_BENCH_READ_BTRPLACE_H 1

/* BtrPlace's JSON: an instance {model, constraints}, or a plan {origin,
 * actions} of the UCC'15 paper on live-migration scheduling (Kherbache,
 * Madelaine, Hermenier).
 *
 * Of a model: mapping, shareable resources, and the attributes migrate, boot,
 * shutdown, suspend, resume and kill as durations in seconds (1 where there is
 * none, as BtrPlace's own evaluators have it).  A network view counts only
 * where migrations bring a bandwidth along, as those of a plan do.
 *
 * Of a plan: its actions are what shall be done, each migration with the
 * bandwidth and duration it has there; their times are the benchmark.  Links
 * are full duplex, from the network view (each node to its switch, switches to
 * switches); without one, a node's link is as wide as the plan uses it at one
 * instant in one direction.
 *
 * Nothing is taken on trust: names, numbers and sizes are checked. */

#include "solver/reconfig/world.h"

struct dcp_btrplace {
    struct dcp_rc_world world;
    bool is_plan;
    int64_t published_end_s; /* Last end of the plan; -1: an instance. */
};

/* 'text' has a NUL beyond 'length'.  Arrays are in world.arena. */
bool
dcp_btrplace_parse(const char *path, const char *text, size_t length,
                   struct dcp_btrplace *out, struct dcp_error *err) DCP_CHECKED;
bool dcp_btrplace_read(const char *path, struct dcp_btrplace *out,
                       struct dcp_error *err) DCP_CHECKED;
void dcp_btrplace_finish(struct dcp_btrplace *);

#endif /* bench/suite/read_btrplace.h */
