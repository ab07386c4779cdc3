/* SPDX-License-Identifier: GPL-3.0-or-later */

/* VMs go home one by one while each has room there and breaks no rule; one
 * that goes makes room for another, so passes repeat until none goes. */

#include "solver/plan/homecoming.h"

#include "solver/state.h"

/* Whether a placement breaks nothing; VMs without a host apart. */
static bool
is_whole(const struct dcp_question *q, const struct dcp_placement *where,
         bool *out_whole, struct dcp_error *err)
{
    struct dcp_question at = *q;

    at.start = where;
    at.vms_apart = false;
    DCP_AUTO(dcp_problem) struct dcp_problem *p = dcp_problem_create(&at, err);
    DCP_AUTO(dcp_state)
    struct dcp_state *s = p ? dcp_state_create(p, err) : NULL;
    bool whole = true;

    if (!s) {
        return false;
    }
    for (uint32_t v = 0; whole && v < where->n_vms; v++) {
        uint32_t item = p->item_of_vm[v], h = where->host[v].ix;

        whole = h == DCP_IX_NONE || item == DCP_IX_NONE ||
                (s->host[item] == h && s->on[h] &&
                 p->use[h] != DCP_HOST_AVOID && dcp_state_allowed(s, item, h));
    }
    for (uint32_t h = 0; whole && h < p->n_hosts; h++) {
        whole = !s->on[h] || !dcp_state_overloaded(s, h);
    }
    *out_whole = whole;
    return true;
}

/* True: it is at home now. */
static bool
go_home(struct dcp_state *s, uint32_t item)
{
    uint32_t away = s->host[item], home = s->p->home_host[item];

    dcp_state_remove(s, item);
    bool goes = s->on[home] && s->p->use[home] != DCP_HOST_AVOID &&
                dcp_state_fits(s, item, home) &&
                dcp_state_allowed(s, item, home);

    dcp_state_place(s, item, goes ? home : away);
    return goes;
}

static bool
bring_home(const struct dcp_question *q, struct dcp_placement *out,
           struct dcp_error *err)
{
    DCP_AUTO(dcp_problem) struct dcp_problem *p = dcp_problem_create(q, err);
    DCP_AUTO(dcp_state)
    struct dcp_state *s = p ? dcp_state_create(p, err) : NULL;

    if (!s) {
        return false;
    }
    for (bool went = true; went;) {
        went = false;
        for (uint32_t i = 0; i < p->n_items; i++) {
            uint32_t home = p->home_host[i];

            if (home != DCP_IX_NONE && s->host[i] != DCP_IX_NONE &&
                s->host[i] != home) {
                went |= go_home(s, i);
            }
        }
    }
    for (uint32_t v = 0; v < out->n_vms; v++) {
        uint32_t item = p->item_of_vm[v];

        /* VMs of an item that did not go may be on several hosts: a rule
         * gathers what starts apart. */
        if (item != DCP_IX_NONE && s->host[item] != p->start_host[item]) {
            out->host[v].ix = s->host[item];
        }
    }
    return true;
}

bool
dcp_homecoming(const struct dcp_question *q, struct dcp_placement **out,
               struct dcp_error *err)
{
    bool whole;

    if (!is_whole(q, q->home, &whole, err)) {
        return false;
    }
    DCP_AUTO(dcp_placement)
    struct dcp_placement *end =
        dcp_placement_copy(whole ? q->home : q->start, err);

    if (!end || (!whole && !bring_home(q, end, err))) {
        return false;
    }
    *out = DCP_STEAL(end);
    return true;
}
