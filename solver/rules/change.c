/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Change windows and freezes: what a rule that is closed for the leg is about
 * stays where it is, and nothing comes to its hosts. */

#include "model/change.h"
#include "solver/rules/delta.h"

static bool
lists(const uint32_t *ix, uint32_t n, uint32_t value)
{
    return dcp_ids_contain(&(struct dcp_ids){ ix, n }, value);
}

bool
dcp_change_forbids(const struct dcp_question *q, const struct dcp_rule *rule,
                   uint32_t vm, uint32_t host, enum dcp_forbids_when when)
{
    uint32_t at = q->start->host[vm].ix;

    return when == DCP_FORBIDS_LIVE && q->closed &&
           q->closed[rule - q->inventory->rules] && at != host &&
           (lists(rule->vms, rule->n_vms, vm) ||
            lists(rule->hosts, rule->n_hosts, host) ||
            (at != DCP_IX_NONE && lists(rule->hosts, rule->n_hosts, at)));
}

const struct dcp_rule *
dcp_change_holding(const struct dcp_question *q, uint32_t vm)
{
    uint32_t at = q->start->host[vm].ix;

    for (uint32_t r = 0; q->closed && r < q->inventory->n_rules; r++) {
        const struct dcp_rule *rule = &q->inventory->rules[r];

        if (q->closed[r] &&
            (lists(rule->vms, rule->n_vms, vm) ||
             (at != DCP_IX_NONE && lists(rule->hosts, rule->n_hosts, at)))) {
            return rule;
        }
    }
    return NULL;
}

bool
dcp_change_close(const struct dcp_inventory *inv, int64_t from_ms,
                 int64_t until_ms, uint8_t *closed)
{
    bool any = false;

    for (uint32_t r = 0; r < inv->n_rules; r++) {
        const struct dcp_rule *rule = &inv->rules[r];

        closed[r] = dcp_rule_is_about_change(rule->kind) &&
                    !dcp_change_is_open(inv, rule, from_ms, until_ms);
        any |= closed[r];
    }
    return any;
}

bool
dcp_change_holds_host(const struct dcp_inventory *inv, const uint8_t *closed,
                      uint32_t host)
{
    bool held = false;

    for (uint32_t r = 0; closed && !held && r < inv->n_rules; r++) {
        held = closed[r] &&
               lists(inv->rules[r].hosts, inv->rules[r].n_hosts, host);
    }
    return held;
}
