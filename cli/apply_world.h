/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_APPLY_WORLD_H
#define DCP_CLI_APPLY_WORLD_H 1

/* Who carries a leg out for `apply`: by the name after --executor. */

#include "cli/context.h"
#include "executors/virtual.h"
#include "model/io/connect.h"
#include "sim/executor.h"

enum dcp_apply_kind {
    DCP_APPLY_DRY,
    DCP_APPLY_SIM,
    DCP_APPLY_PROGRAM, /* exec:PROG. */
    DCP_APPLY_LIVE,
};
bool dcp_apply_kind_parse(const char *name, enum dcp_apply_kind *out);

/* It acts on things that stay when dcplan ends: it asks first, and its journal
 * outlives a loss of power. */
static inline bool
dcp_apply_is_real(enum dcp_apply_kind kind)
{
    return kind == DCP_APPLY_PROGRAM || kind == DCP_APPLY_LIVE;
}

struct dcp_apply_world {
    enum dcp_apply_kind kind;
    struct dcp_executor *executor; /* Whoever it is; NULL: not made. */
    struct dcp_virtual *virtual;   /* Of a dry run or the simulator; NULL. */
    struct dcp_executor *owned;    /* Live, or the program. */
    struct dcp_sim_executor *sim;
    struct dcp_virtual *dry;
    struct dcp_samples net;
    struct dcp_connect connect; /* Live. */
    bool connected;
};

/* 'name' as given to --executor.  Live: connect.yaml is read and must reach all
 * steps of the leg.  Everything is borrowed; fails half-made: close it in any
 * case. */
bool dcp_apply_world_open(const struct dcp_globals *, struct dcp_context *,
                          const struct dcp_plan *, uint32_t leg,
                          const char *name, struct dcp_apply_world *out,
                          struct dcp_error *err) DCP_CHECKED;
/* A simulated world is made anew by each process, and gets back what the
 * journal has; a real one is still there. */
bool dcp_apply_world_restore(struct dcp_apply_world *, struct dcp_journal *,
                             const struct dcp_plan *, uint32_t leg,
                             struct dcp_error *err) DCP_CHECKED;
void dcp_apply_world_close(struct dcp_apply_world *);

#endif /* cli/apply_world.h */
