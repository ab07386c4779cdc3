/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/exact.h"

#include "solver/bound_loss.h"
#include "solver/exact_parts.h"
#include "solver/headroom.h"
#include "solver/lp.h"
#include "solver/pricing.h"
#include "solver/repair.h"
#include "solver/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* The slots with the highest total demand. */
static void
choose_slots(struct dcp_exact *m)
{
    const struct dcp_problem *p = m->p;
    DCP_FREE uint64_t *sum = calloc(p->n_slots + 1u, sizeof *sum);

    m->ok = m->ok && sum;
    for (uint32_t t = 0; m->ok && t < p->n_slots; t++) {
        for (uint32_t i = 0; i < p->n_items; i++) {
            sum[t] += p->cpu_mhz[(size_t)i * p->stride + t] + UINT64_C(1);
        }
    }
    while (m->ok && m->n_slots < DCP_EXACT_SLOTS && m->n_slots < p->n_slots) {
        uint32_t best = 0;

        for (uint32_t t = 1; t < p->n_slots; t++) {
            best = sum[t] > sum[best] ? t : best;
        }
        m->slot[m->n_slots++] = best;
        sum[best] = 0;
    }
}

/* Watts by the straight line under the curve. */
static double
load_cost(const struct dcp_problem *p, uint32_t item, uint32_t host)
{
    const struct dcp_pricing *g = p->pricing;
    const struct dcp_priced_level *level = &g->level[0];
    const uint32_t *mhz = p->cpu_mhz + (size_t)item * p->stride;
    double cost = level->per_move * dcp_pricing_moves(p, item, host) +
                  level->conversion *
                      dcp_conversions_cost(p->conversions, item, host);

    if (p->q->fewest_moves && host != p->start_host[item]) {
        cost += dcp_repair_memory_share(p, item);
    }
    for (uint32_t t = 0; level->mhz_slope && t < p->n_slots; t++) {
        cost += level->mhz_slope[host] *
                (p->q->slot_weight ? p->q->slot_weight[t] : 1) * mhz[t];
    }
    if (level->factor && g->full_mhz[host]) {
        const struct dcp_inventory *inv = p->q->inventory;
        const double *factor =
            level->factor + (size_t)g->site_row[host] * p->n_slots;
        double slope =
            dcp_power_slope_w(&inv->hardware[inv->hosts[host].hardware.ix]) /
            g->full_mhz[host];

        for (uint32_t t = 0; t < p->n_slots; t++) {
            cost += factor[t] * slope * mhz[t];
        }
    }
    return cost;
}

static double
host_cost(const struct dcp_problem *p, uint32_t host)
{
    const struct dcp_pricing *g = p->pricing;
    const struct dcp_priced_level *level = &g->level[0];
    double cost =
        level->per_host + (level->host_value ? level->host_value[host] : 0);

    for (uint32_t t = 0; level->factor && t < p->n_slots; t++) {
        cost += level->factor[(size_t)g->site_row[host] * p->n_slots + t] *
                dcp_pricing_watts(p, host, 0);
    }
    return cost;
}

/* Whether a rule that the start breaks wants fewer of these hosts on. */
static bool
is_one_too_many(const struct dcp_problem *p, uint32_t h)
{
    for (uint32_t k = p->power_first[h]; k < p->power_first[h + 1]; k++) {
        const struct dcp_rule *rule = p->power_rules[p->power_of[k]].rule;
        uint64_t on = 0;

        for (uint32_t i = 0; i < rule->n_hosts; i++) {
            on += p->q->start->on[rule->hosts[i]];
        }
        if (rule->kind == DCP_RULE_MAX_ON && on > rule->limit) {
            return true;
        }
    }
    return false;
}

static void
add_columns(struct dcp_exact *m)
{
    const struct dcp_problem *p = m->p;

    for (uint32_t h = 0; m->ok && h < p->n_hosts; h++) {
        bool fixed =
            p->q->start->on[h] &&
            (p->use[h] == DCP_HOST_KEEP ||
             (!p->q->may_empty && !is_one_too_many(p, h)));

        m->on_col[h] = UINT32_MAX;
        if (dcp_problem_may_hold(p, h)) {
            m->on_col[h] =
                dcp_lp_add_col(m->lp, fixed ? 1 : 0, 1, host_cost(p, h), true);
            m->ok = m->on_col[h] != UINT32_MAX;
        }
    }
    for (uint32_t i = 0; m->ok && i < p->n_items; i++) {
        for (uint32_t h = 0; m->ok && h < p->n_hosts; h++) {
            uint32_t *col = &m->col[(size_t)i * p->n_hosts + h];

            *col = UINT32_MAX;
            if (m->on_col[h] != UINT32_MAX && dcp_problem_reaches(p, i, h)) {
                *col = dcp_lp_add_col(m->lp, 0, 1, load_cost(p, i, h), true);
                m->ok = *col != UINT32_MAX;
            }
        }
    }
}

/* What the host's hypervisor asks for above the least, by item; NULL: no more
 * for any. */
static const uint32_t *
more_of(const struct dcp_problem *p, uint32_t h, uint32_t scalar)
{
    const struct dcp_conversions *c = p->conversions;

    return c && c->more ? c->more +
                              (size_t)c->kind_of_host[h] * c->n_items *
                                  c->n_scalars +
                              scalar
                        : NULL;
}

/* sum of (size_i + more_ih) x_ih <= cap_h y_h */
static void
capacity_row(struct dcp_exact *m, uint32_t h, const uint32_t *size, size_t step,
             const uint32_t *more, double cap)
{
    const struct dcp_problem *p = m->p;
    uint32_t row = dcp_exact_row(m, -DCP_LP_INF, 0);

    for (uint32_t i = 0; m->ok && i < p->n_items; i++) {
        dcp_exact_set(m, row, m->col[(size_t)i * p->n_hosts + h],
                      (double)size[i * step] + (more ? more[i * step] : 0));
    }
    dcp_exact_set(m, row, m->on_col[h], -cap);
}

/* When 'lost' goes, the others hold all but its unprotected items. */
static void
headroom_row(struct dcp_exact *m, uint32_t lost, const uint32_t *size, size_t step,
             const uint32_t *full)
{
    const struct dcp_problem *p = m->p;
    double demand = 0;

    for (uint32_t i = 0; i < p->n_items; i++) {
        demand += size[i * step];
    }
    uint32_t row = dcp_exact_row(m, demand, DCP_LP_INF);

    for (uint32_t h = 0; m->ok && h < p->n_hosts; h++) {
        if (h != lost) {
            dcp_exact_set(m, row, m->on_col[h], full[h]);
        }
    }
    for (uint32_t i = 0; m->ok && i < p->n_items; i++) {
        if (!p->protected_item[i]) {
            dcp_exact_set(m, row, m->col[(size_t)i * p->n_hosts + lost], size[i * step]);
        }
    }
}

static void
add_capacity(struct dcp_exact *m)
{
    const struct dcp_problem *p = m->p;
    bool headroom = dcp_bound_survives_a_host(p);

    for (uint32_t h = 0; m->ok && h < p->n_hosts; h++) {
        if (m->on_col[h] == UINT32_MAX) {
            continue;
        }
        for (uint32_t r = 0; r < p->n_scalars; r++) {
            capacity_row(m, h, p->request + r, p->n_scalars, more_of(p, h, r),
                         p->cap[(size_t)r * p->n_hosts + h]);
            if (headroom) {
                headroom_row(m, h, p->request + r, p->n_scalars,
                             p->full + (size_t)r * p->n_hosts);
            }
        }
        for (uint32_t k = 0; k < m->n_slots; k++) {
            capacity_row(m, h, p->cpu_mhz + m->slot[k], p->stride, NULL,
                         p->cap_cpu_mhz[h]);
            if (headroom) {
                headroom_row(m, h, p->cpu_mhz + m->slot[k], p->stride,
                             p->full_cpu_mhz);
            }
        }
    }
    for (uint32_t i = 0; m->ok && i < p->n_items; i++) {
        uint32_t row = dcp_exact_row(m, 1, 1);

        for (uint32_t h = 0; m->ok && h < p->n_hosts; h++) {
            dcp_exact_set(m, row, m->col[(size_t)i * p->n_hosts + h], 1);
        }
    }
}

static bool
is_covered(const struct dcp_problem *p, uint32_t item, uint32_t slot)
{
    const struct dcp_pricing *g = p->pricing;

    for (uint32_t j = g->first_of_item[item]; j < g->first_of_item[item + 1];
         j++) {
        if (g->of_item[j].slot == slot) {
            return true;
        }
    }
    return false;
}

/* The licence's column of 'host' is 1 where the host holds a covered item; its
 * units are at least those of one covered VM. */
static void
add_licensed_host(struct dcp_exact *m, uint32_t slot, uint32_t host,
                  uint32_t excess_row)
{
    const struct dcp_problem *p = m->p;
    const struct dcp_priced_licence *l = &p->pricing->licence[slot];
    double units = dcp_pricing_units(p, l, host, 1, 1);
    double price = p->pricing->level[0].licence * l->unit_price;
    uint32_t col = dcp_lp_add_col(
        m->lp, 0, 1, excess_row == UINT32_MAX ? price * units : 0, true);

    m->ok = m->ok && col != UINT32_MAX;
    if (excess_row != UINT32_MAX) {
        dcp_exact_set(m, excess_row, col, -units);
    }
    for (uint32_t i = 0; m->ok && i < p->n_items; i++) {
        uint32_t x = m->col[(size_t)i * p->n_hosts + host];

        if (x != UINT32_MAX && is_covered(p, i, slot)) {
            uint32_t row = dcp_exact_row(m, -DCP_LP_INF, 0);

            dcp_exact_set(m, row, x, 1);
            dcp_exact_set(m, row, col, -1);
        }
    }
}

/* Columns come after all others; licences that hosts need anyway are left
 * out. */
static void
add_licences(struct dcp_exact *m)
{
    const struct dcp_problem *p = m->p;
    const struct dcp_pricing *g = p->pricing;

    m->licence_col = dcp_lp_n_cols(m->lp);
    for (uint32_t k = 0;
         m->ok && dcp_pricing_counts_licences(p, 0) && k < g->n_licences; k++) {
        double floor_units = ceil(g->licence[k].floor_units - 1e-9);
        uint32_t excess = UINT32_MAX;

        if (g->licence[k].floor_vms) {
            continue;
        }
        if (floor_units > 0) {
            excess = dcp_exact_row(m, -floor_units, DCP_LP_INF);
            uint32_t col = dcp_lp_add_col(
                m->lp, 0, DCP_LP_INF,
                g->level[0].licence * g->licence[k].unit_price, false);

            m->ok = m->ok && col != UINT32_MAX;
            dcp_exact_set(m, excess, col, 1);
        }
        for (uint32_t h = 0; m->ok && h < p->n_hosts; h++) {
            add_licensed_host(m, k, h, excess);
        }
    }
}

static void
known_licences(const struct dcp_exact *m, uint32_t col, double *x)
{
    const struct dcp_problem *p = m->p;
    const struct dcp_pricing *g = p->pricing;

    for (uint32_t k = 0; dcp_pricing_counts_licences(p, 0) && k < g->n_licences;
         k++) {
        double floor_units = ceil(g->licence[k].floor_units - 1e-9), units = 0;
        uint32_t excess = col;

        if (g->licence[k].floor_vms) {
            continue;
        }
        col += floor_units > 0;
        for (uint32_t h = 0; h < p->n_hosts; h++, col++) {
            for (uint32_t i = 0; i < p->n_items; i++) {
                if (m->s->host[i] == h && is_covered(p, i, k)) {
                    x[col] = 1;
                }
            }
            units += x[col] * dcp_pricing_units(p, &g->licence[k], h, 1, 1);
        }
        if (floor_units > 0) {
            x[excess] = fmax(units - floor_units, 0);
        }
    }
}

static void
known_answer(const struct dcp_exact *m, double *x)
{
    const struct dcp_problem *p = m->p;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (m->on_col[h] != UINT32_MAX) {
            x[m->on_col[h]] = m->s->on[h];
        }
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        uint32_t h = m->s->host[i];

        if (m->col[(size_t)i * p->n_hosts + h] != UINT32_MAX) {
            x[m->col[(size_t)i * p->n_hosts + h]] = 1;
        }
    }
    for (uint32_t k = 0; k < m->n_aux; k++) {
        x[m->aux[k].col] = m->aux[k].known;
    }
    known_licences(m, m->licence_col, x);
}

static bool
is_better(const struct dcp_exact *m, struct dcp_state *a, struct dcp_state *b)
{
    if (!m->starts) {
        return true;
    }
    return m->p->q->fewest_moves
               ? dcp_repair_compare(dcp_repair_cost_of(a),
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
    dcp_state_assign(c, s);
    for (uint32_t i = 0; i < p->n_items; i++) {
        if (c->host[i] != DCP_IX_NONE) {
            dcp_state_remove(c, i);
        }
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (m->on_col[h] != UINT32_MAX) {
            dcp_state_power(c, h, x[m->on_col[h]] > 0.5);
        }
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        uint32_t to = DCP_IX_NONE;

        for (uint32_t h = 0; h < p->n_hosts; h++) {
            uint32_t col = m->col[(size_t)i * p->n_hosts + h];

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
    const struct dcp_exact_limits *limits, bool *out_complete,
    bool *out_proved, struct dcp_error *err)
{
    uint32_t n = dcp_lp_n_cols(m->lp);
    DCP_FREE double *x = calloc(n + 1u, sizeof *x);
    DCP_FREE double *start = calloc(n + 1u, sizeof *start);
    struct dcp_lp_answer answer;
    double value = m->starts ? dcp_search_value(s) : INFINITY;
    bool adopted = false;

    if (!x || !start) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the exact solver");
    }
    if (m->starts) {
        known_answer(m, start);
    }
    struct dcp_lp_options options = { .integer = true,
                                      .time_limit_s = limits->time_s,
                                      .node_limit = limits->nodes,
                                      .start = m->starts ? start : NULL };

    if (!dcp_lp_solve(m->lp, &options, &answer, x, err)) {
        return false;
    }
    bool has =
        answer.status == DCP_LP_OPTIMAL || answer.status == DCP_LP_FEASIBLE;

    bool fewest = m->p->q->fewest_moves;

    bound->infeasible |= fewest && answer.status == DCP_LP_INFEASIBLE;
    if (has && (fewest || answer.value < value - 1e-7 * fmax(fabs(value), 1)) &&
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

bool
dcp_exact_run(struct dcp_state *s, struct dcp_bound *bound,
              const struct dcp_exact_limits *limits, bool starts,
              bool *out_complete, bool *out_proved, struct dcp_error *err)
{
    const struct dcp_problem *p = s->p;
    DCP_AUTO(dcp_lp) struct dcp_lp *lp = dcp_lp_create(err);
    DCP_FREE uint32_t *col =
        malloc(((size_t)p->n_items * p->n_hosts + 1) * sizeof *col);
    DCP_FREE uint32_t *on_col = malloc((p->n_hosts + 1u) * sizeof *on_col);
    struct dcp_exact m = { .p = p,
                       .s = s,
                       .starts = starts,
                       .lp = lp,
                       .col = col,
                       .on_col = on_col,
                       .ok = lp && col && on_col };

    *out_proved = false;
    *out_complete = starts;
    choose_slots(&m);
    add_columns(&m);
    add_capacity(&m);
    dcp_exact_rules(&m);
    add_licences(&m);
    bool ok = m.ok ? run(&m, s, bound, limits, out_complete,
                          out_proved, err)
                   : dcp_fail(err, DCP_E_NOMEM,
                              "no memory for the exact solver");

    free(m.aux);
    return ok;
}
