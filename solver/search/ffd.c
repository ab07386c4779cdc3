/* SPDX-License-Identifier: GPL-3.0-or-later */

/* First fit decreasing, the plainest construction, for `--strategy ffd`: what
 * the rest of the search is measured against.  All items off, largest first,
 * each on the first host that takes it, cheapest hosts per MHz first; hosts
 * that stay empty go off.  Where an item finds no host the state is put
 * back. */

#include "solver/search/parts.h"

#include "solver/search/item_order.h"

#include <stdlib.h>

/* A host whose items the question lets go. */
static bool
takes_part(const struct search *x, uint32_t h)
{
    return x->s->on[h] && x->p->use[h] != DCP_HOST_AVOID;
}

bool
dcp_search_first_fit(struct search *x, struct dcp_error *err)
{
    struct dcp_state *s = x->s;
    const struct dcp_problem *p = x->p;
    uint32_t n = 0, n_hosts = 0;
    DCP_FREE uint32_t *items = malloc((p->n_items + 1u) * sizeof *items);
    DCP_FREE struct dcp_ranked_host *hosts =
        malloc((p->n_hosts + 1u) * sizeof *hosts);
    DCP_AUTO(dcp_state) struct dcp_state *was = dcp_state_create(p, err);

    if (!items || !hosts || !was) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    dcp_state_assign(was, s);
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (takes_part(x, h)) {
            hosts[n_hosts++] = (struct dcp_ranked_host){
                h, p->on_value[h] / ((double)p->cap_cpu_mhz[h] + 1)
            };
        }
    }
    dcp_search_sort_hosts(hosts, n_hosts);
    for (uint32_t i = 0; i < p->n_items; i++) {
        if (s->host[i] != DCP_IX_NONE && takes_part(x, s->host[i])) {
            items[n++] = i;
            dcp_state_remove(s, i);
        }
    }
    dcp_items_by_size(p, items, n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = 0;

        while (k < n_hosts &&
               (!dcp_state_fits(s, items[i], hosts[k].host) ||
                !dcp_state_allowed(s, items[i], hosts[k].host))) {
            k++;
        }
        if (k == n_hosts) {
            dcp_state_assign(s, was);
            return true;
        }
        dcp_state_place(s, items[i], hosts[k].host);
    }
    for (uint32_t k = n_hosts; k-- > 0;) {
        uint32_t h = hosts[k].host;

        if (!s->n_on_host[h] && dcp_search_may_switch_off(x, h)) {
            dcp_state_power(s, h, false);
        }
    }
    x->in.trail.n = 0;
    return true;
}
