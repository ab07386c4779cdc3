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
    DCP_RULE_SPREAD,   /* 'vms' on pairwise different domains. */
    DCP_RULE_GATHER,   /* 'vms' all in one domain. */
    DCP_RULE_FENCE,    /* 'vms' only on 'hosts'. */
    DCP_RULE_BAN,      /* 'vms' never on 'hosts'. */
    DCP_RULE_ROOT,     /* 'vms' stay where they are (within 'hours'). */
    DCP_RULE_SEPARATE, /* No domain holds both one of 'vms' and one of
                        * 'others': tier separation. */
};

enum dcp_domain { /* What "different" or "one" is counted over. */
    DCP_DOMAIN_HOST,
    DCP_DOMAIN_RACK,
    DCP_DOMAIN_FEED, /* The set of feeds of a host's rack. */
    DCP_DOMAIN_ROOM,
    DCP_DOMAIN_SITE,
};

enum dcp_hold {
    DCP_HOLD_END,    /* At the end of each leg. */
    DCP_HOLD_ALWAYS, /* In every state of the plan. */
};

struct dcp_rule {
    enum dcp_rule_kind kind;
    const char *name;
    struct dcp_pos pos;
    const uint32_t *vms; /* Ascending ids. */
    uint32_t n_vms;
    const uint32_t *others; /* SEPARATE: the other side; ascending. */
    uint32_t n_others;
    const uint32_t *hosts; /* FENCE, BAN; ascending. */
    uint32_t n_hosts;
    enum dcp_domain over; /* SPREAD, GATHER, SEPARATE. */
    enum dcp_hold hold;   /* Default DCP_HOLD_END. */
    bool has_hours;       /* ROOT: only then. */
    struct dcp_window hours;
    bool soft;
    double soft_price; /* Money per violation, where soft. */
};

const char *dcp_rule_kind_name(enum dcp_rule_kind); /* "spread" ... */
const char *dcp_domain_name(enum dcp_domain);       /* "host" ... */

#endif /* model/rule.h */
