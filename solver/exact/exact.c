/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/exact/exact.h"

#include "solver/compile/pricing.h"
#include "solver/exact/parts.h"
#include "solver/headroom/headroom.h"
#include "solver/lp/apart.h"
#include "solver/repair/repair.h"
#include "solver/search/search.h"

#include <math.h>
#include <stdlib.h>

bool
dcp_exact_is_small(const struct dcp_problem *p)
{
    const struct dcp_inventory *inv = p->q->inventory;
    uint64_t n = 0;

    if (p->pricing->level[0].per_room > 0) {
        return false; /* Counts against the value. */
    }
    for (uint32_t r = 0; r < inv->n_rules; r++) {
        if (inv->rules[r].soft && dcp_rule_is_hard(p->q, &inv->rules[r])) {
            return false; /* A bound with soft rules as hard would not be
                           * one. */
        }
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        n += dcp_problem_may_hold(p, h) ? p->n_items + 1u : 0;
    }
    return n <= DCP_EXACT_MAX_BINARIES;
}

static bool
is_better(const struct dcp_exact *m, struct dcp_state *a, struct dcp_state *b)
{
    if (!m->starts) {
        return true;
    }
    return m->p->q->fewest_moves ? dcp_repair_compare(dcp_repair_cost_of(a),
                                                      dcp_repair_cost_of(b)) < 0
                                 : dcp_search_value(a) < dcp_search_value(b);
}

/* Builds the answer on a copy and takes it when it passes everything. */
static bool
adopt(const struct dcp_exact *m, struct dcp_state *s, const double *x,
      bool *out_adopted, struct dcp_error *err)
{
    const struct dcp_problem *p = m->p;
    DCP_AUTO(dcp_state) struct dcp_state *c = dcp_state_create(p, err);

    if (!c) {
        return false;
    }
    dcp_state_assign(c, m->s);
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (m->on_col[h] != UINT32_MAX) {
            dcp_state_power(c, h, x[m->on_col[h]] > 0.5);
        }
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        uint32_t to = DCP_IX_NONE;

        for (uint32_t h = 0; h < p->n_hosts; h++) {
            uint32_t col = dcp_exact_col(m, i, h);

            if (col != UINT32_MAX && x[col] > 0.5) {
                to = h;
            }
        }
        if (to == DCP_IX_NONE || !c->on[to] || !dcp_state_fits(c, i, to)) {
            return true;
        }
        dcp_state_place(c, i, to);
    }
    for (uint32_t i = 0; i < p->n_items; i++) { /* With all in place. */
        if (!dcp_state_allowed(c, i, c->host[i])) {
            return true;
        }
    }
    struct dcp_headroom h = { .ok = true };

    (void)dcp_search_value(c); /* Counts the moves too. */
    if (p->q->headroom && !dcp_headroom_check(c, NULL, NULL, &h, err)) {
        return false;
    }
    if (h.ok && c->n_on >= p->q->inventory->policy.keep_on &&
        !dcp_state_broken_power_rule(c) && is_better(m, c, s) &&
        (!p->q->limits_moves || c->objective->n_moved <= p->q->max_moves)) {
        dcp_state_assign(s, c);
        *out_adopted = true;
    }
    return true;
}

static bool
run(struct dcp_exact *m, struct dcp_state *s, struct dcp_bound *bound,
    const struct dcp_exact_limits *limits, bool *out_complete, bool *out_proved,
    struct dcp_error *err)
{
    DCP_FREE double *x = calloc(dcp_lp_n_cols(m->lp) + 1u, sizeof *x);
    struct dcp_lp_answer answer;
    double value = m->starts ? dcp_search_value(s) : INFINITY;
    bool adopted = false;

    if (!x) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the exact solver");
    }
    if (!dcp_exact_solve(m, limits->time_s, limits->nodes, &answer, x, err)) {
        return false;
    }
    bool has =
        answer.status == DCP_LP_OPTIMAL || answer.status == DCP_LP_FEASIBLE;

    bool fewest = m->p->q->fewest_moves;

    bound->infeasible |= !m->starts && answer.status == DCP_LP_INFEASIBLE;
    if (has &&
        (fewest || !m->starts ||
         answer.value < value - 1e-7 * fmax(fabs(value), 1)) &&
        !adopt(m, s, x, &adopted, err)) {
        return false;
    }
    *out_complete = m->starts || adopted;
    double safe = answer.bound - 1e-7 * fmax(fabs(answer.bound), 1);

    if (fewest && answer.bound > -DCP_LP_INF) { /* Whole VMs; see repair.h. */
        safe = fmax(ceil(answer.bound - 0.5 - 1e-6), 0);
    }
    if (answer.bound > -DCP_LP_INF && safe > bound->value) {
        bound->value = safe;
        bound->method = "mip";
        if (dcp_pricing_counts_hosts_alone(m->p)) {
            double per_host = m->p->pricing->level[0].per_host;

            bound->hosts = (uint32_t)ceil(safe / per_host - 1e-6);
            bound->value = per_host * bound->hosts;
        }
    }
    if (!*out_complete) {
        return true;
    }
    value = dcp_search_value(s);
    *out_proved = value <= bound->value + 1e-6 * fmax(fabs(value), 1);
    if (*out_proved) {
        bound->value = value;
    }
    return true;
}

/* The whole problem: each item by itself, all hosts. */
static bool
whole(const struct dcp_problem *p, uint32_t *list)
{
    uint32_t n = p->n_items > p->n_hosts ? p->n_items : p->n_hosts;

    for (uint32_t i = 0; list && i <= n; i++) {
        list[i] = i;
    }
    return list != NULL;
}

bool
dcp_exact_run(struct dcp_state *s, struct dcp_bound *bound,
              const struct dcp_exact_limits *limits, bool starts,
              bool *out_complete, bool *out_proved, struct dcp_error *err)
{
    const struct dcp_problem *p = s->p;
    DCP_FREE uint32_t *list =
        malloc(((size_t)p->n_items + p->n_hosts + 1) * sizeof *list);
    DCP_AUTO(dcp_state) struct dcp_state *empty = dcp_state_create(p, err);

    *out_proved = false;
    *out_complete = starts;
    if (!empty || !whole(p, list)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the exact solver");
    }
    dcp_state_assign(empty, s);
    for (uint32_t i = 0; i < p->n_items; i++) {
        if (empty->host[i] != DCP_IX_NONE) {
            dcp_state_remove(empty, i);
        }
    }
    struct dcp_exact m = { .p = p,
                           .s = empty,
                           .known_at = s->host,
                           .starts = starts,
                           .member = list,
                           .first = list,
                           .host = list,
                           .n_kinds = p->n_items,
                           .n_hosts = p->n_hosts };
    bool ok =
        dcp_exact_build(&m)
            ? run(&m, s, bound, limits, out_complete, out_proved, err)
            : dcp_fail(err, DCP_E_NOMEM, "no memory for the exact solver");

    dcp_exact_finish(&m);
    return ok;
}
