/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_CHECK_RULE_CHECK_H
#define DCP_MODEL_CHECK_RULE_CHECK_H 1

/* How the checker reads each kind of rule: one row per kind in
 * model/check/rules.c.  Everything is counted from the placement or from the
 * stays of the leg, each time anew.  Internal to model/check/; shares no code
 * with the solver. */

#include "model/check/leg.h"

/* Domains by host, made when first asked for. */
struct dcp_rule_domains {
    const struct dcp_inventory *inv;
    uint32_t *of[DCP_DOMAINS];
};
void dcp_rule_domains_finish(struct dcp_rule_domains *);

/* --- One rule in one placement ------------------------------------------ */

struct dcp_rule_member {
    uint32_t domain, part, vm;
};

struct dcp_rule_view {
    const struct dcp_judge *j;
    const struct dcp_rule *rule;
    const struct dcp_placement *p;
    const char *when;
    struct dcp_rule_domains *domains;
    struct dcp_rule_member *members; /* Room for all VMs, and hosts. */
    uint32_t n;
    uint32_t *seen; /* By domain, then by host without one; all 0. */
    uint32_t n_domains;
};

/* The place of a host for the rule: a set of AMONG, else of its 'over'. Hosts
 * without one have a number of their own, from DCP_RULE_ALONE on. */
#define DCP_RULE_ALONE (UINT32_MAX / 2)
uint32_t dcp_rule_view_domain(const struct dcp_rule_view *, uint32_t host);
/* A violation, or so many of a soft rule: 'n' times its price. */
void dcp_rule_broken(const struct dcp_rule_view *, struct dcp_object,
                     double need, double have, double n, const char *text);
/* The host in the base, or none; soft rules are never excused. */
dcp_host_id dcp_rule_base_host(const struct dcp_rule_view *, uint32_t vm);
/* What a capacity rule adds up for a VM; 1 for the others. */
uint64_t dcp_rule_weight(const struct dcp_inventory *, const struct dcp_rule *,
                         uint32_t vm);
/* 0, or the side (SEPARATE) or set (SPLIT) of the VM. */
uint32_t dcp_rule_part(const struct dcp_rule *, uint32_t vm);
bool dcp_rule_lists_host(const struct dcp_rule *, uint32_t host);
bool dcp_rule_lists_vm(const struct dcp_rule *, uint32_t vm);

/* --- One rule in all states of a leg ------------------------------------ */

struct dcp_rule_stay {
    uint32_t domain, part;
    struct dcp_stay stay;
};

struct dcp_always_view {
    struct dcp_leg_view *leg;
    const struct dcp_rule *rule;
    struct dcp_rule_domains *domains;
    struct dcp_rule_stay *list; /* Room for all stays and all VMs. */
    size_t n;
};

uint32_t dcp_always_domain(const struct dcp_always_view *, uint32_t host);
void dcp_always_report(const struct dcp_always_view *, uint32_t step,
                       struct dcp_object, double need, double have,
                       const char *text);
/* Calls for each stay of a VM in the leg; 'i' counts up from 0. */
bool dcp_always_stay_of(const struct dcp_leg_view *, uint32_t vm, uint32_t i,
                        struct dcp_stay *out);

/* --- Rows --------------------------------------------------------------- */

struct dcp_rule_checker {
    /* In one state.  False: out of memory. */
    bool (*end)(struct dcp_rule_view *);
    /* In every state of a leg. */
    bool (*always)(struct dcp_always_view *);
    bool in_every_leg; /* 'always' is asked whatever the rule's hold. */
};
extern const struct dcp_rule_checker dcp_rule_checkers[DCP_RULE_KINDS];

/* model/check/rules_pairs.c and always_pairs.c */
bool dcp_check_spread(struct dcp_rule_view *);
bool dcp_check_apart(struct dcp_rule_view *); /* separate, split */
bool dcp_check_gather(struct dcp_rule_view *);
bool dcp_check_among(struct dcp_rule_view *);
bool dcp_check_lonely(struct dcp_rule_view *);
bool dcp_always_apart(struct dcp_always_view *); /* spread as well */
bool dcp_always_gather(struct dcp_always_view *);
bool dcp_always_among(struct dcp_always_view *);
bool dcp_always_lonely(struct dcp_always_view *);
/* model/check/rules_hosts.c */
bool dcp_check_hosts(struct dcp_rule_view *); /* fence, ban */
bool dcp_check_root(struct dcp_rule_view *);
bool dcp_check_quarantine(struct dcp_rule_view *);
bool dcp_always_hosts(struct dcp_always_view *);
bool dcp_always_root(struct dcp_always_view *);
bool dcp_always_quarantine(struct dcp_always_view *);
bool dcp_always_sequence(struct dcp_always_view *);
/* model/check/rules_counts.c */
bool dcp_check_skew(struct dcp_rule_view *);
bool dcp_check_limit(struct dcp_rule_view *); /* both capacities */
bool dcp_check_power(struct dcp_rule_view *); /* max_on, min_on */
bool dcp_always_skew(struct dcp_always_view *);
bool dcp_always_limit(struct dcp_always_view *);
bool dcp_always_power(struct dcp_always_view *);
/* model/check/rule_change.c */
bool dcp_always_change(struct dcp_always_view *);

#endif /* model/check/rule_check.h */
