/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/rules/delta.h"

static bool
always(const struct dcp_question *q, const struct dcp_rule *rule)
{
    (void)q;
    (void)rule;
    return true;
}

/* A hard gather rule over hosts makes one item of its VMs instead. */
static bool
gather_is_group(const struct dcp_question *q, const struct dcp_rule *rule)
{
    return rule->over != DCP_DOMAIN_HOST || dcp_rule_is_priced(q, rule);
}

static const struct dcp_rule_delta deltas[DCP_RULE_KINDS] = {
    [DCP_RULE_SPREAD] = { .is_group = always,
                          .objects = dcp_spread_objects,
                          .breaks = dcp_spread_breaks },
    [DCP_RULE_GATHER] = { .by = DCP_FORBIDS_RULE,
                          .forbids = dcp_gather_forbids,
                          .is_group = gather_is_group,
                          .objects = dcp_gather_objects,
                          .breaks = dcp_gather_breaks },
    [DCP_RULE_FENCE] = { .by = DCP_FORBIDS_RULE,
                         .list = DCP_FORBIDS_NOT_LISTED,
                         .forbids = dcp_fence_forbids },
    [DCP_RULE_BAN] = { .by = DCP_FORBIDS_RULE,
                       .list = DCP_FORBIDS_LISTED,
                       .forbids = dcp_ban_forbids },
    [DCP_RULE_ROOT] = { .by = DCP_FORBIDS_HOME, .forbids = dcp_root_forbids },
    [DCP_RULE_SEPARATE] = { .is_group = always,
                            .objects = dcp_apart_objects,
                            .breaks = dcp_apart_breaks },
    [DCP_RULE_AMONG] = { .by = DCP_FORBIDS_RULE,
                         .forbids = dcp_among_forbids,
                         .is_group = always,
                         .objects = dcp_gather_objects,
                         .breaks = dcp_gather_breaks },
    [DCP_RULE_SPLIT] = { .is_group = always,
                         .objects = dcp_apart_objects,
                         .breaks = dcp_apart_breaks },
    [DCP_RULE_LONELY] = { .is_group = always,
                          .objects = dcp_lonely_objects,
                          .breaks = dcp_lonely_breaks },
    [DCP_RULE_QUARANTINE] = { .by = DCP_FORBIDS_START,
                              .every_vm = true,
                              .forbids = dcp_quarantine_forbids },
    [DCP_RULE_MAX_SKEW] = { .is_group = always,
                            .objects = dcp_skew_objects,
                            .breaks = dcp_skew_breaks },
    [DCP_RULE_CAPACITY] = { .is_group = always,
                            .objects = dcp_limit_objects,
                            .breaks = dcp_limit_breaks },
    [DCP_RULE_RUNNING_CAPACITY] = { .is_group = always,
                                    .objects = dcp_limit_objects,
                                    .breaks = dcp_limit_breaks },
    /* About power: solver/power_rules.h. */
    [DCP_RULE_MAX_ON] = { .by = DCP_FORBIDS_NOTHING },
    [DCP_RULE_MIN_ON] = { .by = DCP_FORBIDS_NOTHING },
    /* About order: solver/schedule/sequence.h. */
    [DCP_RULE_SEQUENCE] = { .by = DCP_FORBIDS_NOTHING },
    [DCP_RULE_CHANGE_WINDOW] = { .by = DCP_FORBIDS_START,
                                 .every_vm = true,
                                 .forbids = dcp_change_forbids },
    [DCP_RULE_FREEZE] = { .by = DCP_FORBIDS_START,
                          .every_vm = true,
                          .forbids = dcp_change_forbids },
};

const struct dcp_rule_delta *
dcp_rule_delta(enum dcp_rule_kind kind)
{
    return &deltas[kind];
}

bool
dcp_rule_names_hosts(const struct dcp_rule *rule)
{
    return deltas[rule->kind].forbids &&
           (rule->kind != DCP_RULE_GATHER || rule->hold == DCP_HOLD_ALWAYS);
}

uint32_t
dcp_rule_domain(const struct dcp_inventory *inv, const struct dcp_rule *rule,
                uint32_t host)
{
    if (rule->kind != DCP_RULE_AMONG) {
        return dcp_domain_of_host(inv, rule->over, host);
    }
    for (uint32_t s = 0; s < rule->n_sets; s++) {
        if (dcp_ids_contain(&rule->sets[s].ids, host)) {
            return s;
        }
    }
    return DCP_IX_NONE;
}
