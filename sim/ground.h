/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_GROUND_H
#define DCP_SIM_GROUND_H 1

/* What a closed loop's decisions have in common, made once for all of them:
 * hosts by name, the rules of each VM, and the domains of those rules.  It
 * follows from the model alone.
 *
 * Internal to sim/; not thread-safe, as 'rules' has room to mark what is
 * asked. */

#include "sim/loop_rules.h"

struct dcp_ground {
    const struct dcp_inventory *inventory; /* Borrowed; the rest is owned. */
    /* All hosts, by name: in this order policies look at them, so that what
     * they wish does not depend on the order of the model. */
    uint32_t *order;
    struct dcp_loop_rules rules;
    /* Of spread, separate, split and gather: by enum dcp_domain and host, from
     * 0; NULL: no rule asks for it. */
    uint32_t *domain[DCP_DOMAINS];
    uint32_t n_domains[DCP_DOMAINS];
};

bool dcp_ground_init(struct dcp_ground *, const struct dcp_inventory *,
                     struct dcp_error *err) DCP_CHECKED;
void dcp_ground_finish(struct dcp_ground *);

/* Whether the rule keeps VMs apart. */
bool dcp_ground_parts_vms(const struct dcp_rule *);

#endif /* sim/ground.h */
