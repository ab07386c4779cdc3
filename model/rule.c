/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/rule.h"

const char *
dcp_rule_kind_name(enum dcp_rule_kind kind)
{
    switch (kind) {
    case DCP_RULE_SPREAD:
        return "spread";
    case DCP_RULE_GATHER:
        return "gather";
    case DCP_RULE_FENCE:
        return "fence";
    case DCP_RULE_BAN:
        return "ban";
    case DCP_RULE_ROOT:
        return "root";
    case DCP_RULE_SEPARATE:
        return "separate";
    }
    return "?";
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
    }
    return "?";
}
