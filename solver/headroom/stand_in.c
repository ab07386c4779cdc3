/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/headroom/stand_in.h"

/* Kinds for which two hosts are alike as long as nothing else is on them. */
static bool
is_about_company(const struct dcp_rule *rule)
{
    switch (rule->kind) {
    case DCP_RULE_SPREAD:
    case DCP_RULE_GATHER:
    case DCP_RULE_SEPARATE:
    case DCP_RULE_SPLIT:
        return rule->over == DCP_DOMAIN_HOST;
    case DCP_RULE_LONELY:
        return true;
    default:
        return false;
    }
}

/* A rule that counts after a loss and for which it matters which of two empty
 * hosts it is. */
static bool
asks_for_place(const struct dcp_problem *p, const struct dcp_group *g)
{
    return dcp_rule_counts_after_loss(p->q, g->rule) &&
           !is_about_company(g->rule);
}

static const struct dcp_group *
group_at(const struct dcp_problem *p, uint32_t k)
{
    return &p->groups[p->group_of[k] & ~DCP_GROUP_OTHER];
}

bool
dcp_stand_in_is_tied(const struct dcp_problem *p, uint32_t item)
{
    bool tied = false;

    for (uint32_t k = p->group_first[item];
         !tied && k < p->group_first[item + 1]; k++) {
        tied = asks_for_place(p, group_at(p, k));
    }
    return tied;
}

bool
dcp_stand_in_keeps_place(const struct dcp_problem *p, uint32_t item,
                         uint32_t spare, uint32_t host)
{
    bool ok = true;

    for (uint32_t k = p->group_first[item]; ok && k < p->group_first[item + 1];
         k++) {
        const struct dcp_group *g = group_at(p, k);

        ok = !asks_for_place(p, g) ||
             g->domain_of_host[spare] == g->domain_of_host[host];
    }
    return ok;
}

bool
dcp_stands_in(struct dcp_state *s, uint32_t spare, uint32_t host,
              uint32_t *items)
{
    const struct dcp_problem *p = s->p;
    uint32_t n = 0, n_put = 0;
    bool ok = true;

    for (uint32_t i = s->first[host]; ok && i != DCP_IX_NONE; i = s->next[i]) {
        ok = !p->protected_item[i] ||
             (dcp_problem_restarts_on(p, i, spare) &&
              dcp_stand_in_keeps_place(p, i, spare, host));
    }
    if (!ok) {
        return false;
    }
    while (s->first[host] != DCP_IX_NONE) {
        items[n++] = s->first[host];
        dcp_state_remove(s, s->first[host]);
    }
    for (; ok && n_put < n; n_put += ok) {
        if (!p->protected_item[items[n_put]]) {
            continue;
        }
        /* The usual limits where watts count: those are asked with them. */
        ok = dcp_problem_watts_count(p, spare)
                 ? dcp_state_fits(s, items[n_put], spare)
                 : dcp_state_fits_full(s, items[n_put], spare);
        if (ok) {
            dcp_state_place(s, items[n_put], spare);
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        if (i < n_put && s->host[items[i]] != DCP_IX_NONE) {
            dcp_state_remove(s, items[i]);
        }
    }
    for (uint32_t i = n; i-- > 0;) {
        dcp_state_place(s, items[i], host);
    }
    return ok;
}
