/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/explain/emptying.h"

#include "solver/state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Who holds it ------------------------------------------------------- */

/* Reasons are alike when they are of one kind and name the same thing. */
static bool
is_alike(const struct dcp_refusal *a, const struct dcp_refusal *b)
{
    return a->kind == b->kind && !strcmp(a->rule, b->rule);
}

static double
lacks(const struct dcp_refusal *r)
{
    return isnan(r->need) || isnan(r->have) ? INFINITY : r->need - r->have;
}

/* Asks all other hosts that are on; false: one of them takes the item.  The
 * commonest reason is the one that the most hosts have in common. */
static bool
is_held(struct dcp_state *s, uint32_t item, uint32_t host,
        struct dcp_refusal *why, uint32_t *said_by, struct dcp_held *out)
{
    uint32_t n = 0;

    for (uint32_t h = 0; h < s->p->n_hosts; h++) {
        if (h == host || !s->on[h]) {
            continue;
        }
        if (!dcp_refusal_find(s, item, h, false, &why[n])) {
            return false;
        }
        said_by[n++] = h;
    }
    out->n_hosts = n;
    out->n_why = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t alike = 0, best = i;

        for (uint32_t k = 0; k < n; k++) {
            alike += is_alike(&why[i], &why[k]);
            best =
                is_alike(&why[i], &why[k]) && lacks(&why[k]) < lacks(&why[best])
                    ? k
                    : best;
        }
        if (alike > out->n_why) {
            out->n_why = alike;
            out->why = why[best];
            out->host = said_by[best];
        }
        if (2 * out->n_why >= n) {
            break;
        }
    }
    return true;
}

static bool
find_holders(struct dcp_state *s, uint32_t host, struct dcp_emptying *out,
             struct dcp_error *err)
{
    DCP_FREE struct dcp_refusal *why = calloc(s->p->n_hosts + 1u, sizeof *why);
    DCP_FREE uint32_t *said_by = calloc(s->p->n_hosts + 1u, sizeof *said_by);
    DCP_FREE uint32_t *items = calloc(s->n_on_host[host] + 1u, sizeof *items);
    uint32_t n = 0;

    if (!why || !said_by || !items) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to ask about a host");
    }
    for (uint32_t i = s->first[host]; i != DCP_IX_NONE; i = s->next[i]) {
        items[n++] = i;
    }
    for (uint32_t k = 0; k < n; k++) {
        uint32_t item = items[k];
        struct dcp_held held = { .vm = s->p->vm[s->p->vm_first[item]] };

        out->n_vms += s->p->vm_first[item + 1] - s->p->vm_first[item];
        dcp_state_remove(s, item);
        if (is_held(s, item, host, why, said_by, &held)) {
            if (out->n_held < DCP_HELD_MAX) {
                out->held[out->n_held] = held;
            }
            out->n_held++;
        }
        dcp_state_place(s, item, host);
    }
    return true;
}

/* --- Whether it can ----------------------------------------------------- */

static bool
is_forbidden(struct dcp_state *s, uint32_t host, struct dcp_emptying *out)
{
    const struct dcp_inventory *inv = s->p->q->inventory;

    if (s->n_on <= inv->policy.keep_on) {
        (void)snprintf(out->forbids, sizeof out->forbids, "policy.keep_on: %u",
                       inv->policy.keep_on);
        return true;
    }
    if (dcp_state_may_switch(s, host, false)) {
        return false;
    }
    dcp_state_power(s, host, false);
    const struct dcp_power_rule *broken = dcp_state_broken_power_rule(s);

    dcp_state_power(s, host, true);
    (void)snprintf(out->forbids, sizeof out->forbids, "rule '%.40s' (%s)",
                   broken ? broken->rule->name : "",
                   broken ? dcp_rule_kind_name(broken->rule->kind) : "min_on");
    return true;
}

static bool
solve(const struct dcp_question *q, const struct dcp_conflict_options *o,
      struct dcp_emptying *out, struct dcp_error *err)
{
    struct dcp_solve_options options = o->solve;
    struct dcp_solution s;

    options.gap_frac = 1;
    options.time_limit_s = o->time_limit_s > 0 ? o->time_limit_s / 4 : 2.5;
    if (!dcp_solve(q, &options, &s, err)) {
        return false;
    }
    out->answer = s.placement                         ? DCP_EMPTYING_CAN
                  : s.status == DCP_STATUS_INFEASIBLE ? DCP_EMPTYING_CANNOT
                                                      : DCP_EMPTYING_UNKNOWN;
    if (s.placement) {
        out->placement = DCP_STEAL(s.placement);
        out->n_moves = dcp_placement_n_moved(q->start, out->placement);
    }
    dcp_solution_finish(&s);
    return out->answer == DCP_EMPTYING_CAN ||
           dcp_conflict_find(q, o, &out->conflict, err);
}

bool
dcp_emptying_find(const struct dcp_question *asked, uint32_t host,
                  const struct dcp_conflict_options *o,
                  struct dcp_emptying *out, struct dcp_error *err)
{
    struct dcp_question q = *asked;
    DCP_FREE uint8_t *use = malloc(q.inventory->n_hosts + 1u);

    *out = (struct dcp_emptying){ 0 };
    if (!use) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to ask about a host");
    }
    memset(use, DCP_HOST_KEEP, q.inventory->n_hosts);
    for (uint32_t h = 0; h < q.inventory->n_hosts; h++) {
        if (q.inventory->hosts[h].state == DCP_HOST_MAINTENANCE) {
            use[h] = DCP_HOST_AVOID;
        }
    }
    q.may_wake = false;
    q.may_empty = false;
    q.host_use = use;
    DCP_AUTO(dcp_problem)
    struct dcp_problem *p = dcp_problem_create(&q, err);
    DCP_AUTO(dcp_state)
    struct dcp_state *s = p ? dcp_state_create(p, err) : NULL;

    if (!s || !find_holders(s, host, out, err)) {
        return false;
    }
    if (is_forbidden(s, host, out)) {
        out->answer = DCP_EMPTYING_CANNOT;
        return true;
    }
    DCP_AUTO(dcp_placement)
    struct dcp_placement *off = dcp_placement_copy(asked->start, err);

    if (!off) {
        return false;
    }
    /* As if it were off now, with VMs that have to leave it. */
    off->on[host] = 0;
    q.start = off;
    q.home = asked->home ? asked->home : asked->start;
    q.gentle = true;
    return solve(&q, o, out, err);
}

void
dcp_emptying_finish(struct dcp_emptying *e)
{
    dcp_placement_destroy(e->placement);
    e->placement = NULL;
}
