/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_RULES_DELTA_H
#define DCP_SOLVER_RULES_DELTA_H 1

/* How the solver reads each kind of rule: one row per kind in
 * solver/rules/delta.c.  What a rule costs to ask is O(1) for each group that
 * an item is in, or the length of its list where that is short.
 *
 * The checker's reading (model/check/rule_check.h) shares no code with this;
 * tests/prop/test_rules_agree.c compares the two. */

#include "solver/state.h"

/* What the answer of 'forbids' follows from, beside the rule and the host. */
enum dcp_forbids_by {
    DCP_FORBIDS_NOTHING,
    DCP_FORBIDS_RULE,  /* The same for all of its VMs. */
    DCP_FORBIDS_HOME,  /* Where the VM is at home. */
    DCP_FORBIDS_START, /* Where the VM is now. */
};

enum dcp_forbids_when {
    DCP_FORBIDS_LIVE,    /* Coming by a live move, or staying. */
    DCP_FORBIDS_RESTART, /* Restarting after a loss. */
    DCP_FORBIDS_PRICE,   /* Each VM on such a host is one violation. */
};

/* What being listed in 'hosts' says, where that is all that 'forbids' looks
 * at. */
enum dcp_forbids_list {
    DCP_FORBIDS_NO_LIST,
    DCP_FORBIDS_LISTED,
    DCP_FORBIDS_NOT_LISTED,
};

struct dcp_rule_delta {
    enum dcp_forbids_by by;
    enum dcp_forbids_list list;
    bool every_vm; /* 'forbids' is asked of VMs that it does not list too. */
    /* Hosts on which the rule does not want the VM, whatever others do. */
    bool (*forbids)(const struct dcp_question *, const struct dcp_rule *,
                    uint32_t vm, uint32_t host, enum dcp_forbids_when);
    /* Whether the rule looks at where others are; NULL: never. */
    bool (*is_group)(const struct dcp_question *, const struct dcp_rule *);
    /* Whether item 'ref' (a place in group_of) may not be on 'host' with the
     * others where they are.  NULL where there is no group. */
    bool (*objects)(const struct dcp_state *, uint32_t ref, uint32_t item,
                    uint32_t host);
    /* How many more violations there are once the item, which has no place
     * now, is on 'host'; may be negative. */
    int64_t (*breaks)(const struct dcp_state *, uint32_t ref, uint32_t item,
                      uint32_t host);
};

const struct dcp_rule_delta *dcp_rule_delta(enum dcp_rule_kind);

/* Whether 'forbids' has to be asked of the rule at all. */
bool dcp_rule_names_hosts(const struct dcp_rule *);

/* The domain of a host for this rule: a set of AMONG, else of 'over';
 * UINT32_MAX: none. */
uint32_t dcp_rule_domain(const struct dcp_inventory *, const struct dcp_rule *,
                         uint32_t host);

/* Whether 'other', which has a place and is no stranger to the group, is what
 * keeps the item from domain 'd'. */
bool dcp_group_in_the_way(const struct dcp_state *, const struct dcp_group *,
                          uint32_t item, uint32_t other, uint32_t d);

/* --- For the rows ------------------------------------------------------- */

/* solver/rules/hosts.c */
bool dcp_fence_forbids(const struct dcp_question *, const struct dcp_rule *,
                       uint32_t vm, uint32_t host, enum dcp_forbids_when);
bool dcp_ban_forbids(const struct dcp_question *, const struct dcp_rule *,
                     uint32_t vm, uint32_t host, enum dcp_forbids_when);
bool dcp_root_forbids(const struct dcp_question *, const struct dcp_rule *,
                      uint32_t vm, uint32_t host, enum dcp_forbids_when);
bool dcp_gather_forbids(const struct dcp_question *, const struct dcp_rule *,
                        uint32_t vm, uint32_t host, enum dcp_forbids_when);
bool dcp_among_forbids(const struct dcp_question *, const struct dcp_rule *,
                       uint32_t vm, uint32_t host, enum dcp_forbids_when);
bool
dcp_quarantine_forbids(const struct dcp_question *, const struct dcp_rule *,
                       uint32_t vm, uint32_t host, enum dcp_forbids_when);

/* solver/rules/groups.c */
bool dcp_spread_objects(const struct dcp_state *, uint32_t ref, uint32_t item,
                        uint32_t host);
bool dcp_gather_objects(const struct dcp_state *, uint32_t ref, uint32_t item,
                        uint32_t host);
bool dcp_apart_objects(const struct dcp_state *, uint32_t ref, uint32_t item,
                       uint32_t host);
bool dcp_lonely_objects(const struct dcp_state *, uint32_t ref, uint32_t item,
                        uint32_t host);
bool dcp_skew_objects(const struct dcp_state *, uint32_t ref, uint32_t item,
                      uint32_t host);
/* Whether the host becomes mixed by an item of that weight; 0: a stranger. */
int64_t dcp_lonely_mixes(const struct dcp_state *, const struct dcp_group *,
                         uint32_t weight, uint32_t host);
/* The move would leave a skew above the limit, and above what it is now. */
bool dcp_skew_worsens(const struct dcp_state *, uint32_t ref, uint32_t item,
                      uint32_t host);
bool dcp_limit_objects(const struct dcp_state *, uint32_t ref, uint32_t item,
                       uint32_t host);
int64_t dcp_spread_breaks(const struct dcp_state *, uint32_t ref, uint32_t item,
                          uint32_t host);
int64_t dcp_gather_breaks(const struct dcp_state *, uint32_t ref, uint32_t item,
                          uint32_t host);
int64_t dcp_apart_breaks(const struct dcp_state *, uint32_t ref, uint32_t item,
                         uint32_t host);
int64_t dcp_lonely_breaks(const struct dcp_state *, uint32_t ref, uint32_t item,
                          uint32_t host);
int64_t dcp_skew_breaks(const struct dcp_state *, uint32_t ref, uint32_t item,
                        uint32_t host);
int64_t dcp_limit_breaks(const struct dcp_state *, uint32_t ref, uint32_t item,
                         uint32_t host);

/* solver/rules/change.c */
bool dcp_change_forbids(const struct dcp_question *, const struct dcp_rule *,
                        uint32_t vm, uint32_t host, enum dcp_forbids_when);
/* The closed rule that keeps the VM where it is; NULL: none does. */
const struct dcp_rule *dcp_change_holding(const struct dcp_question *,
                                          uint32_t vm);
/* Fills 'closed' (by rule) for changes from one instant to another; whether
 * any is. */
bool dcp_change_close(const struct dcp_inventory *, int64_t from_ms,
                      int64_t until_ms, uint8_t *closed);
/* Whether some closed rule lists the host. */
bool dcp_change_holds_host(const struct dcp_inventory *, const uint8_t *closed,
                           uint32_t host);

#endif /* solver/rules/delta.h */
