/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Rules over a state: counts of groups, hosts that are on, and how often each
 * priced rule is broken.  Violations are added when an item comes and the same
 * number is taken away when it goes, because the rows of solver/rules/delta.h
 * are asked in the same state both times: the one without the item. */

#include "solver/state_rules.h"

#include "solver/rules/delta.h"
#include "solver/rules/tally.h"

#include <stdlib.h>
#include <string.h>

bool
dcp_state_rules_init(struct dcp_state *s)
{
    const struct dcp_problem *p = s->p;
    uint32_t n_rules = p->q->inventory->n_rules;

    s->n_rule_on = calloc(p->n_power_rules + 1u, sizeof *s->n_rule_on);
    if (!s->count || !s->n_rule_on) {
        return false;
    }
    if (p->n_lonely) {
        s->n_lonely = calloc(p->n_hosts + 1u, sizeof *s->n_lonely);
        if (!s->n_lonely) {
            return false;
        }
    }
    if (p->pools) {
        s->licences = dcp_licence_counts_create(p);
        if (!s->licences) {
            return false;
        }
    }
    if (p->any_priced) {
        s->broken = calloc(n_rules + 1u, sizeof *s->broken);
        if (!s->broken) {
            return false;
        }
    }
    for (uint32_t g = 0; g < p->n_groups; g++) {
        if (!p->groups[g].n_words) {
            continue;
        }
        s->count[g] = malloc(p->groups[g].n_words * sizeof **s->count);
        if (!s->count[g]) {
            return false;
        }
        dcp_tally_clear(&p->groups[g], s->count[g]);
    }
    for (uint32_t r = 0; r < p->n_power_rules; r++) {
        const struct dcp_rule *rule = p->power_rules[r].rule;

        for (uint32_t i = 0; i < rule->n_hosts; i++) {
            s->n_rule_on[r] += dcp_state_counts_as_on(s, &p->power_rules[r],
                                                      rule->hosts[i], false);
        }
        if (s->broken && rule->kind == DCP_RULE_MIN_ON) { /* All off. */
            s->broken[rule - p->q->inventory->rules] = (int64_t)rule->limit;
        }
    }
    return true;
}

void
dcp_state_rules_finish(struct dcp_state *s)
{
    for (uint32_t g = 0; s->count && g < s->p->n_groups; g++) {
        free(s->count[g]);
    }
    free(s->count);
    dcp_licence_counts_destroy(s->licences);
    free(s->n_lonely);
    free(s->n_rule_on);
    free(s->broken);
}

void
dcp_state_rules_assign(struct dcp_state *to, const struct dcp_state *from)
{
    const struct dcp_problem *p = from->p;

    for (uint32_t g = 0; g < p->n_groups; g++) {
        if (from->count[g]) {
            memcpy(to->count[g], from->count[g],
                   p->groups[g].n_words * sizeof **to->count);
        }
    }
    if (from->licences) {
        dcp_licence_counts_assign(to->licences, from->licences, p);
    }
    if (from->n_lonely) {
        memcpy(to->n_lonely, from->n_lonely, p->n_hosts * sizeof *to->n_lonely);
    }
    if (p->n_power_rules) {
        memcpy(to->n_rule_on, from->n_rule_on,
               p->n_power_rules * sizeof *to->n_rule_on);
    }
    if (from->broken) {
        memcpy(to->broken, from->broken,
               p->q->inventory->n_rules * sizeof *to->broken);
    }
}

/* --- Items -------------------------------------------------------------- */

static bool
is_member(const struct dcp_problem *p, uint32_t item, uint32_t g)
{
    for (uint32_t k = p->group_first[item]; k < p->group_first[item + 1]; k++) {
        if (p->group_of[k] == g) {
            return true;
        }
    }
    return false;
}

struct breaker {     /* Whom violations are told to. */
    int64_t *broken; /* By rule, times 'sign'; or */
    double *price;   /* their price. */
    int64_t sign;
};

static void
tell(const struct dcp_state *s, const struct breaker *b,
     const struct dcp_rule *rule, int64_t n)
{
    if (b->broken) {
        b->broken[rule - s->p->q->inventory->rules] += b->sign * n;
    } else {
        *b->price += rule->soft_price * (double)n;
    }
}

/* What comes to be broken when the item, without a place now, is on 'host'. */
static void
tell_broken(const struct dcp_state *s, uint32_t item, uint32_t host,
            const struct breaker *b)
{
    const struct dcp_problem *p = s->p;

    for (uint32_t k = p->group_first[item]; k < p->group_first[item + 1]; k++) {
        const struct dcp_group *g =
            &p->groups[p->group_of[k] & ~DCP_GROUP_OTHER];

        if (g->rule->soft) {
            tell(s, b, g->rule, g->delta->breaks(s, k, item, host));
        }
    }
    for (uint32_t i = 0; i < p->n_lonely; i++) {
        const struct dcp_group *g = &p->groups[p->lonely[i]];

        if (g->rule->soft && !is_member(p, item, p->lonely[i])) {
            tell(s, b, g->rule, dcp_lonely_mixes(s, g, 0, host));
        }
    }
    for (uint32_t k = p->priced_first[item]; k < p->priced_first[item + 1];
         k++) {
        const struct dcp_rule *rule = &p->q->inventory->rules[p->priced_of[k]];

        tell(s, b, rule,
             dcp_rule_delta(rule->kind)
                 ->forbids(p->q, rule, p->priced_vm[k], host,
                           DCP_FORBIDS_PRICE));
    }
}

static void
count_groups(struct dcp_state *s, uint32_t item, uint32_t host, bool add)
{
    const struct dcp_problem *p = s->p;

    for (uint32_t k = p->group_first[item]; k < p->group_first[item + 1]; k++) {
        uint32_t ix = p->group_of[k] & ~DCP_GROUP_OTHER;
        const struct dcp_group *g = &p->groups[ix];

        if (s->count[ix]) {
            dcp_tally_count(g, s->count[ix], p->group_part[k],
                            g->domain_of_host[host], p->group_weight[k], add);
        }
        if (g->rule->kind == DCP_RULE_LONELY && !g->rule->soft) {
            s->n_lonely[host] += add ? 1 : UINT32_MAX;
        }
    }
}

void
dcp_state_rules_place(struct dcp_state *s, uint32_t item, uint32_t host)
{
    if (s->broken) {
        tell_broken(s, item, host,
                    &(struct breaker){ .broken = s->broken, .sign = 1 });
    }
    count_groups(s, item, host, true);
    if (s->licences) {
        dcp_licence_counts_change(s->licences, s->p, item, host, true);
    }
}

void
dcp_state_rules_remove(struct dcp_state *s, uint32_t item, uint32_t host)
{
    if (s->licences) {
        dcp_licence_counts_change(s->licences, s->p, item, host, false);
    }
    count_groups(s, item, host, false);
    if (s->broken) {
        tell_broken(s, item, host,
                    &(struct breaker){ .broken = s->broken, .sign = -1 });
    }
}

double
dcp_state_soft_price(const struct dcp_state *s)
{
    const struct dcp_inventory *inv = s->p->q->inventory;
    double price = 0;

    for (uint32_t r = 0; s->broken && r < inv->n_rules; r++) {
        price += (double)s->broken[r] * inv->rules[r].soft_price;
    }
    return price;
}

bool
dcp_state_is_priced(const struct dcp_state *s, uint32_t item)
{
    const struct dcp_problem *p = s->p;

    for (uint32_t k = p->group_first[item];
         s->broken && k < p->group_first[item + 1]; k++) {
        if (p->groups[p->group_of[k] & ~DCP_GROUP_OTHER].rule->soft) {
            return true;
        }
    }
    for (uint32_t i = 0; s->broken && i < p->n_lonely; i++) {
        if (p->groups[p->lonely[i]].rule->soft) {
            return true;
        }
    }
    return s->broken && p->priced_first[item] < p->priced_first[item + 1];
}

double
dcp_state_soft_price_delta(const struct dcp_state *s, uint32_t item,
                           uint32_t host)
{
    double price = 0;

    if (s->broken) {
        tell_broken(s, item, host, &(struct breaker){ .price = &price });
    }
    return price;
}

/* --- Power -------------------------------------------------------------- */

bool
dcp_state_counts_as_on(const struct dcp_state *s,
                       const struct dcp_power_rule *r, uint32_t host, bool on)
{
    bool was = s->p->q->start->on[host];

    if (!r->with_start) {
        return on;
    }
    return r->rule->kind == DCP_RULE_MAX_ON ? on || was : on && was;
}

static int64_t
beyond(const struct dcp_rule *rule, uint32_t n)
{
    int64_t over = (int64_t)n - (int64_t)rule->limit;

    over = rule->kind == DCP_RULE_MAX_ON ? over : -over;
    return over > 0 ? over : 0;
}

void
dcp_state_rules_power(struct dcp_state *s, uint32_t host, bool on)
{
    const struct dcp_problem *p = s->p;

    for (uint32_t k = p->power_first[host]; k < p->power_first[host + 1]; k++) {
        const struct dcp_power_rule *r = &p->power_rules[p->power_of[k]];
        uint32_t *n = &s->n_rule_on[p->power_of[k]], old = *n;

        *n += (uint32_t)dcp_state_counts_as_on(s, r, host, on) -
              (uint32_t)dcp_state_counts_as_on(s, r, host, s->on[host]);
        if (s->broken && r->rule->soft) {
            s->broken[r->rule - p->q->inventory->rules] +=
                beyond(r->rule, *n) - beyond(r->rule, old);
        }
    }
}

bool
dcp_state_may_switch(const struct dcp_state *s, uint32_t host, bool on)
{
    const struct dcp_problem *p = s->p;

    if (on && !s->on[host] && s->watts &&
        !dcp_watts_bear_idle(s->watts, host)) {
        return false;
    }
    for (uint32_t k = p->power_first[host]; k < p->power_first[host + 1]; k++) {
        const struct dcp_power_rule *r = &p->power_rules[p->power_of[k]];
        uint32_t old = s->n_rule_on[p->power_of[k]];
        uint32_t n = old + (uint32_t)dcp_state_counts_as_on(s, r, host, on) -
                     (uint32_t)dcp_state_counts_as_on(s, r, host, s->on[host]);

        if (dcp_rule_is_hard(p->q, r->rule) && n != old &&
            (r->rule->kind == DCP_RULE_MAX_ON ? n > old : n < old) &&
            beyond(r->rule, n)) {
            return false;
        }
    }
    return true;
}

const struct dcp_power_rule *
dcp_state_broken_power_rule(const struct dcp_state *s)
{
    const struct dcp_problem *p = s->p;

    for (uint32_t r = 0; r < p->n_power_rules; r++) {
        if (dcp_rule_is_hard(p->q, p->power_rules[r].rule) &&
            beyond(p->power_rules[r].rule, s->n_rule_on[r])) {
            return &p->power_rules[r];
        }
    }
    return NULL;
}

/* --- May it be there? --------------------------------------------------- */

/* A lonely rule that the item is not in, but others on the host are. */
static const struct dcp_group *
lonely_objects(const struct dcp_state *s, uint32_t item, uint32_t host,
               bool drop_soft, bool soft_only)
{
    const struct dcp_problem *p = s->p;

    for (uint32_t i = 0; i < p->n_lonely; i++) {
        const struct dcp_group *g = &p->groups[p->lonely[i]];

        if (s->count[p->lonely[i]][host] && !(g->rule->soft && drop_soft) &&
            (g->rule->soft || !soft_only) &&
            !is_member(p, item, p->lonely[i])) {
            return g;
        }
    }
    return NULL;
}

/* Whether some lonely rule has to be looked at: hard ones are counted. */
static bool
asks_lonely(const struct dcp_state *s, uint32_t host, bool drop_soft)
{
    return s->p->n_lonely && s->n_on_host[host] &&
           (!drop_soft || s->n_lonely[host]);
}

const struct dcp_group *
dcp_state_blocking_group(const struct dcp_state *s, uint32_t item,
                         uint32_t host, bool restart)
{
    const struct dcp_problem *p = s->p;
    uint32_t relax = restart ? p->q->inventory->policy.relax_rules : 0;
    bool drop_soft = restart || p->q->ignore_soft || p->q->price_soft;

    for (uint32_t k = p->group_first[item]; k < p->group_first[item + 1]; k++) {
        const struct dcp_group *g =
            &p->groups[p->group_of[k] & ~DCP_GROUP_OTHER];

        if ((restart ? dcp_rule_counts_after_loss(p->q, g->rule)
                     : dcp_rule_is_hard(p->q, g->rule)) &&
            g->delta->objects(s, k, item, host)) {
            return g;
        }
    }
    if (!(relax >> DCP_RULE_LONELY & 1) && asks_lonely(s, host, drop_soft)) {
        return lonely_objects(s, item, host, drop_soft, false);
    }
    return NULL;
}

static bool
is_always(const struct dcp_group *g)
{
    return g->rule->hold == DCP_HOLD_ALWAYS && !g->rule->soft;
}

const struct dcp_group *
dcp_state_blocking_always(const struct dcp_state *s, uint32_t item,
                          uint32_t host)
{
    const struct dcp_problem *p = s->p;

    for (uint32_t k = p->group_first[item]; k < p->group_first[item + 1]; k++) {
        const struct dcp_group *g =
            &p->groups[p->group_of[k] & ~DCP_GROUP_OTHER];
        enum dcp_rule_kind kind = g->rule->kind;

        if (!is_always(g) || kind == DCP_RULE_GATHER ||
            kind == DCP_RULE_AMONG) {
            continue;
        }
        if (kind == DCP_RULE_MAX_SKEW ? dcp_skew_worsens(s, k, item, host)
                                      : g->delta->objects(s, k, item, host)) {
            return g;
        }
    }
    for (uint32_t i = 0; i < p->n_lonely; i++) {
        const struct dcp_group *g = &p->groups[p->lonely[i]];

        if (is_always(g) && s->count[p->lonely[i]][host] &&
            !is_member(p, item, p->lonely[i])) {
            return g;
        }
    }
    return NULL;
}

const struct dcp_group *
dcp_state_soft_group(const struct dcp_state *s, uint32_t item, uint32_t host)
{
    const struct dcp_problem *p = s->p;

    for (uint32_t k = p->group_first[item]; k < p->group_first[item + 1]; k++) {
        const struct dcp_group *g =
            &p->groups[p->group_of[k] & ~DCP_GROUP_OTHER];

        if (g->rule->soft && g->delta->objects(s, k, item, host)) {
            return g;
        }
    }
    return lonely_objects(s, item, host, false, true);
}

const struct dcp_licence_pool *
dcp_state_short_licence(const struct dcp_state *s, uint32_t item,
                        uint32_t host, double *out_units)
{
    return s->licences
               ? dcp_licence_pool_exceeded(s->licences, s->p, item,
                                           s->host[item], host, out_units)
               : NULL;
}

bool
dcp_state_allowed(const struct dcp_state *s, uint32_t item, uint32_t host)
{
    double units;

    return dcp_problem_reaches(s->p, item, host) &&
           !dcp_state_blocking_group(s, item, host, false) &&
           !dcp_state_short_licence(s, item, host, &units);
}

bool
dcp_state_same_hypervisor(const struct dcp_state *s, uint32_t item,
                          uint32_t host)
{
    const struct dcp_host *hosts = s->p->q->inventory->hosts;

    if (!s->was) {
        return true;
    }
    uint32_t at = s->host[item] == DCP_IX_NONE ? s->was[item] : s->host[item];

    return at == DCP_IX_NONE ||
           dcp_hypervisor_eq(hosts[at].hypervisor, hosts[host].hypervisor);
}

bool
dcp_state_restarts(const struct dcp_state *s, uint32_t item, uint32_t host)
{
    return dcp_problem_restarts_on(s->p, item, host) &&
           dcp_state_same_hypervisor(s, item, host) &&
           !dcp_state_blocking_group(s, item, host, true);
}
