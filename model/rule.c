/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/rule.h"

#include "model/inventory.h"

#define VMS        DCP_RULE_KEY_VMS
#define OTHERS     DCP_RULE_KEY_OTHERS
#define HOSTS      DCP_RULE_KEY_HOSTS
#define SETS       DCP_RULE_KEY_SETS
#define OVER       DCP_RULE_KEY_OVER
#define HOURS      DCP_RULE_KEY_HOURS
#define MAX        DCP_RULE_KEY_MAX
#define MIN        DCP_RULE_KEY_MIN
#define MAX_MEMORY DCP_RULE_KEY_MAX_MEMORY
#define MAX_VCPUS  DCP_RULE_KEY_MAX_VCPUS
#define DAYS       DCP_RULE_KEY_DAYS
#define FROM       DCP_RULE_KEY_FROM
#define UNTIL      DCP_RULE_KEY_UNTIL

static const struct dcp_rule_form forms[DCP_RULE_KINDS] = {
    [DCP_RULE_SPREAD] = { .name = "spread",
                          .needs = VMS,
                          .may = OVER,
                          .means = "VMs on different domains" },
    [DCP_RULE_GATHER] = { .name = "gather",
                          .needs = VMS,
                          .may = OVER,
                          .means = "all on one domain" },
    [DCP_RULE_FENCE] = { .name = "fence",
                         .needs = VMS | HOSTS,
                         .may = OVER,
                         .means = "only on hosts" },
    [DCP_RULE_BAN] = { .name = "ban",
                       .needs = VMS | HOSTS,
                       .may = OVER,
                       .means = "never on hosts" },
    [DCP_RULE_ROOT] = { .name = "root",
                        .needs = VMS,
                        .may = OVER | HOURS,
                        .loss_free = true,
                        .means = "stay where they are" },
    [DCP_RULE_SEPARATE] = { .name = "separate",
                            .needs = VMS | OTHERS,
                            .may = OVER,
                            .means = "no domain holds one of vms and one of "
                                     "others" },
    [DCP_RULE_AMONG] = { .name = "among",
                         .needs = VMS | SETS,
                         .means = "all on the hosts of one of the sets" },
    [DCP_RULE_SPLIT] = { .name = "split",
                         .needs = SETS,
                         .may = OVER,
                         .means = "no domain holds VMs of two of the sets" },
    [DCP_RULE_LONELY] = { .name = "lonely",
                          .needs = VMS,
                          .means = "share hosts only with each other" },
    [DCP_RULE_QUARANTINE] = { .name = "quarantine",
                              .needs = HOSTS,
                              .hold = DCP_HOLD_ALWAYS,
                              .means = "no VM comes to the hosts or leaves "
                                       "them" },
    [DCP_RULE_MAX_SKEW] = { .name = "max_skew",
                            .needs = VMS | MAX,
                            .may = OVER | HOSTS,
                            .all_hosts = true,
                            .loss_free = true,
                            .means = "the most and the least VMs of a domain "
                                     "differ by max" },
    [DCP_RULE_CAPACITY] = { .name = "capacity",
                            .needs = HOSTS,
                            .may = VMS | MAX_MEMORY | MAX_VCPUS,
                            .all_vms = true,
                            .means = "VMs on the hosts are allocated so much "
                                     "together, at most" },
    [DCP_RULE_RUNNING_CAPACITY] = { .name = "running_capacity",
                                    .needs = HOSTS | MAX,
                                    .may = VMS,
                                    .all_vms = true,
                                    .means = "at most max VMs on the hosts "
                                             "together" },
    [DCP_RULE_MAX_ON] = { .name = "max_on",
                          .needs = HOSTS | MAX,
                          .loss_free = true,
                          .means = "at most max of the hosts are on" },
    [DCP_RULE_MIN_ON] = { .name = "min_on",
                          .needs = HOSTS | MIN,
                          .loss_free = true,
                          .means = "at least min of the hosts are on" },
    [DCP_RULE_SEQUENCE] = { .name = "sequence",
                            .needs = VMS,
                            .hold = DCP_HOLD_ALWAYS,
                            .loss_free = true,
                            .means = "each VM moves after those before it in "
                                     "the list" },
    [DCP_RULE_CHANGE_WINDOW] = { .name = "change_window",
                                 .needs = HOURS,
                                 .may = VMS | HOSTS | DAYS,
                                 .hold = DCP_HOLD_ALWAYS,
                                 .loss_free = true,
                                 .means = "no step touches them outside its "
                                          "hours" },
    [DCP_RULE_FREEZE] = { .name = "freeze",
                          .needs = FROM | UNTIL,
                          .may = VMS | HOSTS,
                          .hold = DCP_HOLD_ALWAYS,
                          .loss_free = true,
                          .means = "no step touches them between two "
                                   "instants" },
};

const struct dcp_rule_form *
dcp_rule_form(enum dcp_rule_kind kind)
{
    return &forms[kind];
}

const char *
dcp_rule_key_name(enum dcp_rule_key key)
{
    switch (key) {
    case VMS:
        return "vms";
    case OTHERS:
        return "others";
    case HOSTS:
        return "hosts";
    case SETS:
        return "sets";
    case OVER:
        return "over";
    case HOURS:
        return "hours";
    case MAX:
        return "max";
    case MIN:
        return "min";
    case MAX_MEMORY:
        return "max_memory";
    case MAX_VCPUS:
        return "max_vcpus";
    case DAYS:
        return "days";
    case FROM:
        return "from";
    case UNTIL:
        return "until";
    }
    return "?";
}

const char *
dcp_rule_kind_name(enum dcp_rule_kind kind)
{
    return (unsigned)kind < DCP_RULE_KINDS ? forms[kind].name : "?";
}

const char *
dcp_domain_name(enum dcp_domain domain)
{
    switch (domain) {
    case DCP_DOMAIN_HOST:
        return "host";
    case DCP_DOMAIN_RACK:
        return "rack";
    case DCP_DOMAIN_FEED:
        return "feed";
    case DCP_DOMAIN_ROOM:
        return "room";
    case DCP_DOMAIN_SITE:
        return "site";
    case DCP_DOMAIN_SWITCH:
        return "switch";
    }
    return "?";
}

uint32_t
dcp_rule_set_of(const struct dcp_rule *rule, uint32_t ix)
{
    for (uint32_t s = 0; s < rule->n_sets; s++) {
        if (dcp_ids_contain(&rule->sets[s].ids, ix)) {
            return s;
        }
    }
    return DCP_RULE_NO_SET;
}

bool
dcp_rule_lists(const uint32_t *list, uint32_t n, uint32_t ix)
{
    return dcp_ids_contain(&(struct dcp_ids){ list, n }, ix);
}
