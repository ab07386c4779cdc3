/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_RECONFIG_PLACES_H
#define DCP_SOLVER_RECONFIG_PLACES_H 1

/* Where each VM that shall run ends up, with running sums, so that a test of
 * one VM on one node costs the rules that name either. */

#include "solver/reconfig/world.h"

struct dcp_rc_places {
    const struct dcp_rc_world *w;
    struct dcp_arena *arena;
    uint32_t *host;  /* [vm]: at the end; DCP_RC_NONE: none (yet). */
    int64_t *used;   /* [node * n_dims + d]: at the end. */
    int64_t *early;  /* Same: if all that arrives came before all that
                      * leaves had gone. */
    uint8_t *pinned; /* [vm]: may not leave its host. */
    uint8_t *closed; /* [node]: nobody may come (quarantine). */
    uint8_t *power;  /* [node] enum dcp_rc_power: the goal, and off where
                      * fewer may be on. */
    uint32_t *n_on;  /* [node]: VMs there at the end. */
    uint32_t *first, *next, *prev; /* VMs by node. */
    /* Rules of VM v and of node n, as [i] to [i + 1] - 1. */
    uint32_t *vm_rule_first, *vm_rule, *vm_part; /* part: of vm_parts. */
    uint32_t *node_rule_first, *node_rule;       /* Capacity rules only. */
    int64_t *rule_use;             /* [rule]: of capacity rules. */
    uint32_t *lonely, n_lonely;    /* Rules. */
    uint32_t **member_count;       /* [rule][node]: LONELY; else NULL. */
    uint64_t **node_bits;          /* [rule]: FENCE and BAN; else NULL. */
    const uint32_t **part_of_node; /* [rule][node]: AMONG, SPLIT_AMONG. */
    uint32_t *fixed_part;          /* [rule]: AMONG; DCP_RC_NONE: free. */
    uint32_t **fixed_parts;        /* [rule][vm part]: SPLIT_AMONG. */
    int64_t *total_cap;            /* [d] */
    uint32_t n_unplaced;
};

struct dcp_rc_places *dcp_rc_places_create(const struct dcp_rc_world *,
                                           struct dcp_error *err) DCP_CHECKED;
void dcp_rc_places_destroy(struct dcp_rc_places *);
DCP_DEFINE_AUTO(dcp_rc_places)

/* Whether rules and the node's power let the VM end there, room aside. */
bool
dcp_rc_places_allowed(const struct dcp_rc_places *, uint32_t vm, uint32_t node);
/* The same for one rule that names the VM, in its part 'part'. */
bool dcp_rc_places_rule_allows(const struct dcp_rc_places *, uint32_t rule,
                               uint32_t part, uint32_t vm, uint32_t node);
/* Whether there is room: at the end, and where 'at_once' from the start. */
bool dcp_rc_places_room(const struct dcp_rc_places *, uint32_t vm,
                        uint32_t node, bool at_once);
void dcp_rc_places_put(struct dcp_rc_places *, uint32_t vm, uint32_t node);
void dcp_rc_places_take(struct dcp_rc_places *, uint32_t vm);
/* Share of an average node that the VM needs, the largest over resources. */
double dcp_rc_places_size(const struct dcp_rc_places *, uint32_t vm);
/* The best node for it by room left, or DCP_RC_NONE: online ones with room at
 * once, then at the end, then ones to boot. */
uint32_t dcp_rc_places_find(const struct dcp_rc_places *, uint32_t vm);

/* Places everybody; what finds none stays unplaced. */
bool dcp_rc_places_fill(struct dcp_rc_places *, uint64_t seed,
                        uint64_t iterations, struct dcp_error *err) DCP_CHECKED;

#endif /* solver/reconfig/places.h */
