/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_RECONFIG_RECONFIG_H
#define DCP_SOLVER_RECONFIG_RECONFIG_H 1

/* A world in, a plan of timed actions out: what must change and no more, with
 * the last action ended as early as the heuristics find.
 *
 * First a place for each VM that shall run: who may stay stays, the others go
 * best fit, at first to nodes with room for them at once; where nothing fits,
 * a smaller VM is moved on, and then parts are taken up and placed anew.  Then
 * a timetable (solver/schedule/timetable.h) in which every node, link and rule
 * that holds at every instant is a stock.  VMs that wait for each other's room
 * get another target or step aside.
 *
 * The plan is feasible or there is none; its last end has a proved lower
 * bound.  Deterministic by seed and iterations. */

#include "solver/reconfig/world.h"

enum dcp_rc_action_kind {
    DCP_RC_MIGRATE,
    DCP_RC_BOOT_VM,
    DCP_RC_SHUTDOWN_VM,
    DCP_RC_SUSPEND_VM,
    DCP_RC_RESUME_VM,
    DCP_RC_KILL_VM,
    DCP_RC_ALLOCATE, /* A VM that stays gets other amounts, at once. */
    DCP_RC_BOOT_NODE,
    DCP_RC_SHUTDOWN_NODE,
};

struct dcp_rc_action {
    enum dcp_rc_action_kind kind;
    uint32_t vm, node; /* The other is DCP_RC_NONE. */
    uint32_t from, to; /* Nodes; DCP_RC_NONE where there is none. */
    uint32_t dim;      /* ALLOCATE: which, and how much of it. */
    int64_t amount;
    int64_t start_s, end_s;
};

struct dcp_rc_options {
    uint64_t seed, iterations; /* Of the search for places; 0: its own. */
};

enum dcp_rc_status { DCP_RC_FOUND, DCP_RC_NOT_FOUND, DCP_RC_IMPOSSIBLE };

struct dcp_rc_plan {
    enum dcp_rc_status status;     /* IMPOSSIBLE: proved. */
    char because[200];             /* Where there is no plan. */
    struct dcp_rc_action *actions; /* Owned, by start. */
    uint32_t n_actions, n_migrations;
    int64_t last_end_s, bound_s;
    const char *rule; /* Of the timetable. */
};

bool dcp_rc_solve(const struct dcp_rc_world *, const struct dcp_rc_options *,
                  struct dcp_rc_plan *out, struct dcp_error *err) DCP_CHECKED;
void dcp_rc_plan_finish(struct dcp_rc_plan *);

/* No plan ends before this, whatever the places: what must happen anyhow. */
int64_t dcp_rc_bound(const struct dcp_rc_world *);

#endif /* solver/reconfig/reconfig.h */
