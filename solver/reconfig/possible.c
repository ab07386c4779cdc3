/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/reconfig/possible.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define BECAUSE 200

/* Returns false. */
DCP_PRINTF(2, 3)
static bool
no(char because[BECAUSE], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(because, BECAUSE, format, args);
    va_end(args);
    return false;
}

static bool
vm_possible(const struct dcp_rc_places *p, uint32_t v, char because[BECAUSE])
{
    const struct dcp_rc_world *w = p->w;
    const struct dcp_rc_vm *x = &w->vms[v];
    bool off = x->host != DCP_RC_NONE && w->nodes[x->host].goal == DCP_RC_OFF;

    if (x->torn) {
        return no(because, "VM %" PRId64 " is to be in two states", x->id);
    }
    if (x->goal == DCP_RC_RUNNING && p->pinned[v] && off) {
        return no(because, "VM %" PRId64 " may not leave a node that goes off",
                  x->id);
    }
    if (x->goal == DCP_RC_SLEEPING && x->host != DCP_RC_NONE && off) {
        return no(because, "VM %" PRId64 " sleeps on a node that goes off",
                  x->id);
    }
    if (x->goal == DCP_RC_SLEEPING && x->now == DCP_RC_READY) {
        return no(because, "VM %" PRId64 " cannot sleep: it is not on", x->id);
    }
    if (x->goal == DCP_RC_READY && x->now == DCP_RC_SLEEPING) {
        return no(because,
                  "VM %" PRId64 " cannot be made ready while it sleeps", x->id);
    }
    return true;
}

static bool
sums_possible(const struct dcp_rc_world *w, char because[BECAUSE])
{
    for (uint32_t d = 0; d < w->n_dims; d++) {
        int64_t need = 0, have = 0;

        for (uint32_t v = 0; v < w->n_vms; v++) {
            need +=
                w->vms[v].goal == DCP_RC_RUNNING ? dcp_rc_goal_use(w, v)[d] : 0;
        }
        for (uint32_t n = 0; n < w->n_nodes; n++) {
            have += w->nodes[n].goal == DCP_RC_OFF ? 0 : dcp_rc_cap(w, n)[d];
        }
        if (need > have) {
            return no(because,
                      "the VMs need %" PRId64 " of '%s', all nodes have "
                      "%" PRId64,
                      need, w->dim_names ? w->dim_names[d] : "", have);
        }
    }
    return true;
}

/* A limit over nodes that the start keeps, where it holds at every instant. */
static bool
limit_kept(const struct dcp_rc_world *w, const struct dcp_rc_rule *rule)
{
    int64_t sum = 0;

    for (uint32_t i = 0; rule->kind == DCP_RC_ONLINE_MAX && i < rule->nodes.n;
         i++) {
        sum += w->nodes[rule->nodes.ids[i]].on;
    }
    for (uint32_t v = 0; rule->kind != DCP_RC_ONLINE_MAX && v < w->n_vms; v++) {
        if (w->vms[v].now == DCP_RC_RUNNING &&
            dcp_rc_has(&rule->nodes, w->vms[v].host)) {
            sum += rule->kind == DCP_RC_RESOURCE
                       ? dcp_rc_now_use(w, v)[rule->dim]
                       : 1;
        }
    }
    return sum <= rule->amount;
}

static bool
is_limit(enum dcp_rc_rule_kind kind)
{
    return kind == DCP_RC_RESOURCE || kind == DCP_RC_RUNNING_MAX ||
           kind == DCP_RC_ONLINE_MAX;
}

/* Rules that hold at every instant hold at the first: VMs are put where they
 * run, one after another, and each is tested beside those before it.  A spread
 * set may begin with two on one node, as BtrPlace has it. */
static bool
start_kept(struct dcp_rc_places *p)
{
    const struct dcp_rc_world *w = p->w;
    bool kept = true;
    uint32_t v;

    for (uint32_t r = 0; r < w->n_rules; r++) {
        if (w->rules[r].continuous && is_limit(w->rules[r].kind) &&
            !limit_kept(w, &w->rules[r])) {
            return false;
        }
    }
    for (v = 0; v < w->n_vms; v++) {
        if (w->vms[v].now != DCP_RC_RUNNING) {
            continue;
        }
        dcp_rc_places_put(p, v, w->vms[v].host);
    }
    for (v = 0; kept && v < w->n_vms; v++) {
        for (uint32_t k = p->vm_rule_first[v];
             w->vms[v].now == DCP_RC_RUNNING && kept &&
             k < p->vm_rule_first[v + 1];
             k++) {
            const struct dcp_rc_rule *rule = &w->rules[p->vm_rule[k]];

            kept = !rule->continuous || rule->kind == DCP_RC_SPREAD ||
                   dcp_rc_places_rule_allows(p, p->vm_rule[k], p->vm_part[k], v,
                                             w->vms[v].host);
        }
    }
    for (v = 0; v < w->n_vms; v++) {
        if (p->host[v] != DCP_RC_NONE) {
            dcp_rc_places_take(p, v);
        }
    }
    return kept;
}

bool
dcp_rc_possible(struct dcp_rc_places *p, char because[BECAUSE])
{
    const struct dcp_rc_world *w = p->w;

    for (uint32_t n = 0; n < w->n_nodes; n++) {
        if (w->nodes[n].torn) {
            return no(because, "node %" PRId64 " is to be on and off",
                      w->nodes[n].id);
        }
    }
    for (uint32_t v = 0; v < w->n_vms; v++) {
        if (!vm_possible(p, v, because)) {
            return false;
        }
    }
    if (!start_kept(p)) {
        return no(because, "a rule that holds at every instant is broken at "
                           "the start");
    }
    return sums_possible(w, because);
}
