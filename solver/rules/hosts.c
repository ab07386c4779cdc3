/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Rules that a host alone decides, for a given start. */

#include "solver/rules/delta.h"

bool
dcp_fence_forbids(const struct dcp_question *q, const struct dcp_rule *rule,
                  uint32_t vm, uint32_t host, enum dcp_forbids_when when)
{
    (void)q;
    (void)vm;
    (void)when;
    return !dcp_rule_lists(rule->hosts, rule->n_hosts, host);
}

bool
dcp_ban_forbids(const struct dcp_question *q, const struct dcp_rule *rule,
                uint32_t vm, uint32_t host, enum dcp_forbids_when when)
{
    (void)q;
    (void)vm;
    (void)when;
    return dcp_rule_lists(rule->hosts, rule->n_hosts, host);
}

/* Root binds a VM to where it was whenever its hours meet the slots. */
static bool
root_binds(const struct dcp_question *q, const struct dcp_rule *rule)
{
    if (!rule->has_hours) {
        return true;
    }
    for (uint32_t t = q->first_slot; t < q->last_slot; t++) {
        struct dcp_local local =
            dcp_zone_local(q->inventory->zone, q->demand->slots[t].start_ms);

        if (dcp_window_contains(&rule->hours, local.ms_of_day)) {
            return true;
        }
    }
    return false;
}

bool
dcp_root_forbids(const struct dcp_question *q, const struct dcp_rule *rule,
                 uint32_t vm, uint32_t host, enum dcp_forbids_when when)
{
    const struct dcp_placement *home = q->home ? q->home : q->start;

    if (when == DCP_FORBIDS_PRICE && rule->has_hours) {
        return false; /* Hours say when to move; the end has no part in it. */
    }
    return when != DCP_FORBIDS_RESTART && !dcp_host_is_none(home->host[vm]) &&
           home->host[vm].ix != host && root_binds(q, rule);
}

/* A gather rule that holds always, and held at the start: its VMs cannot leave
 * their domain one by one, so they stay in it. */
bool
dcp_gather_forbids(const struct dcp_question *q, const struct dcp_rule *rule,
                   uint32_t vm, uint32_t host, enum dcp_forbids_when when)
{
    const struct dcp_inventory *inv = q->inventory;
    uint32_t domain = DCP_IX_NONE;

    (void)vm;
    if (rule->hold != DCP_HOLD_ALWAYS || when != DCP_FORBIDS_LIVE) {
        return false;
    }
    for (uint32_t i = 0; i < rule->n_vms; i++) {
        dcp_host_id at = q->start->host[rule->vms[i]];
        uint32_t d = dcp_host_is_none(at) ? DCP_IX_NONE
                                          : dcp_rule_domain(inv, rule, at.ix);

        if (d == DCP_IX_NONE || (i && d != domain)) {
            return false;
        }
        domain = d;
    }
    return domain != DCP_IX_NONE && dcp_rule_domain(inv, rule, host) != domain;
}

bool
dcp_among_forbids(const struct dcp_question *q, const struct dcp_rule *rule,
                  uint32_t vm, uint32_t host, enum dcp_forbids_when when)
{
    return dcp_rule_domain(q->inventory, rule, host) == DCP_IX_NONE ||
           dcp_gather_forbids(q, rule, vm, host, when);
}

bool
dcp_quarantine_forbids(const struct dcp_question *q,
                       const struct dcp_rule *rule, uint32_t vm, uint32_t host,
                       enum dcp_forbids_when when)
{
    uint32_t at = q->start->host[vm].ix;

    return at != host && (dcp_rule_lists(rule->hosts, rule->n_hosts, host) ||
                          (when != DCP_FORBIDS_RESTART && at != DCP_IX_NONE &&
                           dcp_rule_lists(rule->hosts, rule->n_hosts, at)));
}
