/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_RULE_H
#define DCP_MODEL_RULE_H 1

/* Placement rules as the operator states them.  The independent checker is
 * model/check/; the solver's own reading of them is solver/constraints.h.
 * Reach (hypervisor, CPU generation, architecture, VLAN, storage), capacity
 * and overcommit are not rules: they follow from the inventory, always. */

#include "model/base/error.h"
#include "model/base/id.h"
#include "model/calendar.h"

enum dcp_rule_kind {
    DCP_RULE_SPREAD,     /* 'vms' on pairwise different domains. */
    DCP_RULE_GATHER,     /* 'vms' all in one domain. */
    DCP_RULE_FENCE,      /* 'vms' only on 'hosts'. */
    DCP_RULE_BAN,        /* 'vms' never on 'hosts'. */
    DCP_RULE_ROOT,       /* 'vms' stay where they are (within 'hours'). */
    DCP_RULE_SEPARATE,   /* No domain holds both one of 'vms' and one of
                          * 'others': tier separation. */
    DCP_RULE_AMONG,      /* 'vms' all on the hosts of one of 'sets'. */
    DCP_RULE_SPLIT,      /* No domain holds VMs of two of 'sets'. */
    DCP_RULE_LONELY,     /* Hosts with one of 'vms' hold nothing else. */
    DCP_RULE_QUARANTINE, /* Nothing comes to 'hosts', nothing leaves them. */
    DCP_RULE_MAX_SKEW,   /* Over the domains of 'hosts', the most and the least
                          * of 'vms' differ by 'limit' at most. */
    DCP_RULE_CAPACITY,   /* 'vms' on 'hosts' are allocated 'limit' of 'resource'
                          * together, at most. */
    DCP_RULE_RUNNING_CAPACITY, /* At most 'limit' of 'vms' on 'hosts'. */
    DCP_RULE_MAX_ON,           /* At most 'limit' of 'hosts' are on. */
    DCP_RULE_MIN_ON,           /* At least 'limit' of 'hosts' are on. */
    DCP_RULE_SEQUENCE, /* Of 'order', each has moved before the next moves. */
    DCP_RULE_CHANGE_WINDOW, /* No step touches 'vms' or 'hosts' but within
                             * 'hours' of 'day_classes'. */
    DCP_RULE_FREEZE,        /* No step touches them between two instants. */
};
#define DCP_RULE_KINDS (DCP_RULE_FREEZE + 1)

enum dcp_domain { /* What "different" or "one" is counted over. */
                  DCP_DOMAIN_HOST,
                  DCP_DOMAIN_RACK,
                  DCP_DOMAIN_FEED, /* The set of feeds of a host's rack. */
                  DCP_DOMAIN_ROOM,
                  DCP_DOMAIN_SITE,
                  DCP_DOMAIN_SWITCH, /* The set of switches that a host's ports
                                        lead to. */
};
#define DCP_DOMAINS (DCP_DOMAIN_SWITCH + 1)

enum dcp_hold {
    DCP_HOLD_END,    /* At the end of each leg. */
    DCP_HOLD_ALWAYS, /* In every state of the plan. */
};

enum dcp_rule_resource {                  /* What a capacity rule adds up. */
                         DCP_RULE_MEMORY, /* MiB, as allocated. */
                         DCP_RULE_VCPUS,
};

struct dcp_rule_set {
    const char *name;
    struct dcp_ids ids;
};

struct dcp_rule {
    enum dcp_rule_kind kind;
    const char *name;
    struct dcp_pos pos;
    const uint32_t *vms; /* Ascending ids; of SPLIT and SEQUENCE all that are
                          * in its sets or its order. */
    uint32_t n_vms;
    const uint32_t *others; /* SEPARATE: the other side; ascending. */
    uint32_t n_others;
    const uint32_t *hosts; /* Ascending. */
    uint32_t n_hosts;
    const struct dcp_rule_set *sets; /* Disjoint.  AMONG: of hosts; SPLIT: of
                                      * VMs. */
    uint32_t n_sets;
    const uint32_t *order; /* SEQUENCE: VMs as stated. */
    uint32_t n_order;
    uint64_t limit; /* VMs, hosts, or of 'resource'. */
    enum dcp_rule_resource resource;
    enum dcp_domain over;      /* SPREAD, GATHER, SEPARATE, SPLIT, MAX_SKEW. */
    enum dcp_hold hold;        /* Default DCP_HOLD_END. */
    uint32_t day_classes;      /* CHANGE_WINDOW: bits; 0: every day. */
    int64_t from_ms, until_ms; /* FREEZE. */
    bool has_hours; /* ROOT: only then; CHANGE_WINDOW: when it is open. */
    struct dcp_window hours;
    bool soft;
    double soft_price; /* Money per violation, where soft. */
};

/* --- Whom it names -------------------------------------------------------- */

#define DCP_RULE_NO_SET UINT32_MAX

/* The VMs it names: 'vms', then 'others'. */
static inline uint32_t
dcp_rule_n_members(const struct dcp_rule *rule)
{
    return rule->n_vms + rule->n_others;
}

static inline uint32_t
dcp_rule_member(const struct dcp_rule *rule, uint32_t i)
{
    return i < rule->n_vms ? rule->vms[i] : rule->others[i - rule->n_vms];
}

/* Which of its sets has the host (AMONG) or VM (SPLIT); DCP_RULE_NO_SET. */
uint32_t dcp_rule_set_of(const struct dcp_rule *, uint32_t ix);
/* Of the lists of a rule, which ascend. */
bool dcp_rule_lists(const uint32_t *list, uint32_t n, uint32_t ix);

/* --- What a declaration consists of ------------------------------------- */

enum dcp_rule_key { /* Bits. */
                    DCP_RULE_KEY_VMS = 1,
                    DCP_RULE_KEY_OTHERS = 2,
                    DCP_RULE_KEY_HOSTS = 4,
                    DCP_RULE_KEY_SETS = 8,
                    DCP_RULE_KEY_OVER = 16,
                    DCP_RULE_KEY_HOURS = 32,
                    DCP_RULE_KEY_MAX = 64,
                    DCP_RULE_KEY_MIN = 128,
                    DCP_RULE_KEY_MAX_MEMORY = 256,
                    DCP_RULE_KEY_MAX_VCPUS = 512,
                    DCP_RULE_KEY_DAYS = 1024,
                    DCP_RULE_KEY_FROM = 2048,
                    DCP_RULE_KEY_UNTIL = 4096,
};

/* One row per kind: the first place to add one.  The reader of models asks it
 * which keys a rule must and may have. */
struct dcp_rule_form {
    const char *name;    /* "spread" ... */
    uint32_t needs, may; /* dcp_rule_key bits; any other key is an error. */
    enum dcp_hold hold;  /* Where the declaration does not say. */
    bool all_vms;        /* Without 'vms': all of the model. */
    bool all_hosts;      /* Without 'hosts': likewise. */
    bool loss_free;      /* Does not count after a loss, relaxed or not. */
    const char *means;
};
const struct dcp_rule_form *dcp_rule_form(enum dcp_rule_kind);
const char *dcp_rule_key_name(enum dcp_rule_key); /* "max_memory" ... */

const char *dcp_rule_kind_name(enum dcp_rule_kind); /* "spread" ... */
const char *dcp_domain_name(enum dcp_domain);       /* "host" ... */

#endif /* model/rule.h */
