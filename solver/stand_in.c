/* SPDX-License-Identifier: GPL-3.0-or-later */

#define _GNU_SOURCE 1 /* qsort_r */

#include "solver/stand_in.h"

#include <stdlib.h>
#include <string.h>

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

static bool
asked_after_loss(const struct dcp_problem *p, const struct dcp_rule *rule)
{
    uint32_t relaxed = p->q->inventory->policy.relax_rules;

    return !rule->soft && !(relaxed & (UINT32_C(1) << rule->kind)) &&
           !dcp_rule_form(rule->kind)->loss_free;
}

static bool
rules_allow(const struct dcp_problem *p, uint32_t item, uint32_t spare,
            uint32_t host)
{
    bool ok = dcp_problem_reaches(p, item, spare) &&
              dcp_problem_restarts_on(p, item, spare);

    for (uint32_t k = p->group_first[item]; ok && k < p->group_first[item + 1];
         k++) {
        const struct dcp_group *g =
            &p->groups[p->group_of[k] & ~DCP_GROUP_OTHER];

        ok = !asked_after_loss(p, g->rule) || is_about_company(g->rule) ||
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
        ok = rules_allow(p, i, spare, host);
    }
    if (!ok) {
        return false;
    }
    while (s->first[host] != DCP_IX_NONE) {
        items[n++] = s->first[host];
        dcp_state_remove(s, s->first[host]);
    }
    for (; ok && n_put < n; n_put += ok) {
        /* The usual limits where watts count: those are asked with them. */
        ok = p->tight_power[spare]
                 ? dcp_state_fits(s, items[n_put], spare)
                 : dcp_state_fits_full(s, items[n_put], spare);
        if (ok) {
            dcp_state_place(s, items[n_put], spare);
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        if (i < n_put) {
            dcp_state_remove(s, items[i]);
        }
    }
    for (uint32_t i = n; i-- > 0;) {
        dcp_state_place(s, items[i], host);
    }
    return ok;
}

/* What being on costs for the room of it. */
static double
cost(const struct dcp_problem *p, uint32_t h)
{
    double room = p->cap_cpu_mhz[h];

    return p->on_value[h] / (room * (p->n_scalars ? p->cap[h] : 1) + 1);
}

static int
cheaper_first(const void *pa, const void *pb, void *arg)
{
    const struct dcp_problem *p = arg;
    uint32_t a, b;

    memcpy(&a, pa, sizeof a);
    memcpy(&b, pb, sizeof b);
    double cost_a = cost(p, a), cost_b = cost(p, b);

    return cost_a != cost_b ? (cost_a < cost_b ? -1 : 1) : a < b ? -1 : a > b;
}

uint32_t
dcp_stand_in_candidates(const struct dcp_state *s,
                        const struct dcp_placement *night, uint32_t *out)
{
    const struct dcp_problem *p = s->p;
    uint32_t n = 0;

    for (uint32_t h = 0; p->q->may_wake && h < p->n_hosts; h++) {
        /* A rule that counts hosts on may count those of the night as well. */
        if (!s->on[h] && !night->on[h] && p->use[h] == DCP_HOST_FREE &&
            p->power_first[h] == p->power_first[h + 1]) {
            out[n++] = h;
        }
    }
    qsort_r(out, n, sizeof *out, cheaper_first, (void *)(size_t)p);
    return n;
}
