/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_RECONFIG_WORLD_H
#define DCP_SOLVER_RECONFIG_WORLD_H 1

/* A reconfiguration problem as BtrPlace states it (Hermenier, Lawall, Muller,
 * BtrPlace: A Flexible Consolidation Manager for Highly Available
 * Applications, IEEE TDSC 10(5), 2013): nodes and VMs with a state now and a
 * state they shall have, whole amounts of resources, rules on placement and on
 * time, and actions of known duration in seconds.
 *
 * It is a world of its own beside model/inventory.h: VMs are booted, stopped,
 * suspended and killed by the plan, what a VM uses may change on the way
 * ('preserve'), and time is discrete and known.  See
 * docs/decisions/0020-btrplace-on-the-timetable.md.
 *
 * Plain data; borrowed by everything that reads it. */

#include "model/base/arena.h"

#define DCP_RC_NONE UINT32_MAX

enum dcp_rc_phase {
    DCP_RC_READY,
    DCP_RC_RUNNING,
    DCP_RC_SLEEPING,
    DCP_RC_GONE, /* Killed. */
};

enum dcp_rc_power { DCP_RC_ANY, DCP_RC_ON, DCP_RC_OFF };

struct dcp_rc_node {
    int64_t id; /* In the instance. */
    bool on;
    bool torn;    /* Is to be on and off. */
    uint8_t goal; /* enum dcp_rc_power. */
    int64_t boot_s, shutdown_s;
};

struct dcp_rc_vm {
    int64_t id;
    uint32_t host;     /* Runs or sleeps there; DCP_RC_NONE. */
    uint32_t target;   /* Must end there; DCP_RC_NONE: where rules allow. */
    uint8_t now, goal; /* enum dcp_rc_phase. */
    bool torn;         /* Is to be in two phases. */
    bool at_once;      /* Its action starts at 0 ("noDelay"). */
    int64_t due_s;     /* Its migration has ended by then; INT64_MAX: any. */
    int64_t migrate_s, boot_s, shutdown_s, suspend_s, resume_s, kill_s;
    int64_t bandwidth; /* That its migration holds on each of its links. */
};

enum dcp_rc_rule_kind {
    DCP_RC_SPREAD,      /* vms on distinct nodes. */
    DCP_RC_GATHER,      /* vms on one node. */
    DCP_RC_LONELY,      /* vms share nodes with each other only. */
    DCP_RC_AMONG,       /* vms within one of node_parts. */
    DCP_RC_SPLIT,       /* vm_parts share no node. */
    DCP_RC_SPLIT_AMONG, /* Each of vm_parts in a node part of its own. */
    DCP_RC_BAN,         /* vms off nodes. */
    DCP_RC_FENCE,       /* vms on nodes. */
    DCP_RC_ROOT,        /* vms do not migrate. */
    DCP_RC_QUARANTINE,  /* Nobody enters or leaves nodes. */
    DCP_RC_RESOURCE,    /* Use of 'dim' on nodes is at most 'amount'. */
    DCP_RC_RUNNING_MAX, /* At most 'amount' VMs run on nodes. */
    DCP_RC_ONLINE_MAX,  /* At most 'amount' of nodes are on. */
    DCP_RC_SEQ,         /* State changes of vms one after another, as listed. */
    DCP_RC_PRECEDENCE,  /* vms[0] has migrated before vms[1] starts to. */
    DCP_RC_SERIALIZE,   /* vms migrate one at a time. */
    DCP_RC_SYNC,        /* Migrations of vms end together. */
};

struct dcp_rc_set {
    const uint32_t *ids;
    uint32_t n;
};

struct dcp_rc_rule {
    enum dcp_rc_rule_kind kind;
    bool continuous; /* At every instant, not at the end only. */
    struct dcp_rc_set vms, nodes;
    const struct dcp_rc_set *vm_parts, *node_parts;
    uint32_t n_vm_parts, n_node_parts;
    uint32_t dim;
    int64_t amount;
};

struct dcp_rc_world {
    struct dcp_arena *arena; /* Holds all of it; owned. */
    uint32_t n_nodes, n_vms, n_dims, n_rules, n_links;
    struct dcp_rc_node *nodes;
    struct dcp_rc_vm *vms;
    struct dcp_rc_rule *rules;
    const char *const *dim_names;
    int64_t *cap;                /* [node * n_dims + d] */
    int64_t *use_now, *use_goal; /* [vm * n_dims + d] */
    /* Links of VM v's migration, where targets are given: link[link_first[v]]
     * up to link[link_first[v + 1] - 1]; NULL: no links. */
    int64_t *link_cap;
    uint32_t *link_first, *link;
};

static inline const int64_t *
dcp_rc_goal_use(const struct dcp_rc_world *w, uint32_t vm)
{
    return w->use_goal + (size_t)vm * w->n_dims;
}

static inline const int64_t *
dcp_rc_now_use(const struct dcp_rc_world *w, uint32_t vm)
{
    return w->use_now + (size_t)vm * w->n_dims;
}

static inline const int64_t *
dcp_rc_cap(const struct dcp_rc_world *w, uint32_t node)
{
    return w->cap + (size_t)node * w->n_dims;
}

static inline bool
dcp_rc_runs(const struct dcp_rc_vm *vm)
{
    return vm->now == DCP_RC_RUNNING;
}

static inline bool
dcp_rc_has(const struct dcp_rc_set *set, uint32_t id)
{
    for (uint32_t i = 0; i < set->n; i++) {
        if (set->ids[i] == id) {
            return true;
        }
    }
    return false;
}

#endif /* solver/reconfig/world.h */
