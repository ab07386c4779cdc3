/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Rules about how many hosts are on, where the start breaks them. */

#include "solver/search/parts.h"

static bool
may_wake(const struct search *x, uint32_t h)
{
    const struct dcp_problem *p = x->p;

    return !x->s->on[h] && p->use[h] == DCP_HOST_FREE &&
           (p->q->may_wake || p->q->start->on[h]) &&
           dcp_state_may_switch(x->s, h, true);
}

/* Of the rule's hosts the one that is best switched: on, the cheapest; off,
 * the emptiest. */
static uint32_t
best_host(const struct search *x, const struct dcp_rule *rule, bool on)
{
    uint32_t best = DCP_IX_NONE;
    double least = 0;

    for (uint32_t i = 0; i < rule->n_hosts; i++) {
        uint32_t h = rule->hosts[i];

        if (on ? !may_wake(x, h) : !dcp_search_may_switch_off(x, h)) {
            continue;
        }
        double key = on ? x->p->on_value[h] : dcp_search_fill(x, h);

        if (best == DCP_IX_NONE || key < least) {
            best = h;
            least = key;
        }
    }
    return best;
}

uint32_t
dcp_search_mend_power(struct search *x, uint32_t *items, uint32_t n)
{
    struct dcp_state *s = x->s;
    const struct dcp_power_rule *r;

    while ((r = dcp_state_broken_power_rule(s))) {
        bool on = r->rule->kind == DCP_RULE_MIN_ON;
        uint32_t h = best_host(x, r->rule, on);

        if (h == DCP_IX_NONE || (x->again && !on)) {
            break; /* The answer stays incomplete, so far. */
        }
        while (!on && s->first[h] != DCP_IX_NONE) {
            items[n] = s->first[h];
            dcp_insert_remove(&x->in, items[n++]);
        }
        dcp_insert_power(&x->in, h, on);
    }
    return n;
}
