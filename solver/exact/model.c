/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/exact/parts.h"

#include "solver/bound/loss.h"
#include "solver/compile/conversion.h"
#include "solver/compile/pricing.h"
#include "solver/lp/apart.h"
#include "solver/repair/repair.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Half the width of load, of a host's full, that a guess of watts is a chord
 * over. */
#define CHORD_FRAC 0.15
#define WORKER_MIB 1024u

static uint32_t
kind_size(const struct dcp_exact *m, uint32_t k)
{
    return m->first[k + 1] - m->first[k];
}

/* --- Columns ------------------------------------------------------------ */

/* The slots with the highest demand of what is in the program. */
static void
choose_slots(struct dcp_exact *m)
{
    const struct dcp_problem *p = m->p;
    DCP_FREE uint64_t *sum = calloc(p->n_slots + 1u, sizeof *sum);
    bool had = m->n_slots > 0;

    m->ok = m->ok && sum;
    for (uint32_t t = 0; m->ok && t < p->n_slots; t++) {
        for (uint32_t k = 0; k < m->first[m->n_kinds]; k++) {
            sum[t] +=
                p->cpu_mhz[(size_t)m->member[k] * p->stride + t] + UINT64_C(1);
        }
    }
    while (m->ok && !had && m->n_slots < DCP_EXACT_SLOTS &&
           m->n_slots < p->n_slots) {
        uint32_t best = 0;

        for (uint32_t t = 1; t < p->n_slots; t++) {
            best = sum[t] > sum[best] ? t : best;
        }
        m->slot[m->n_slots++] = best;
        sum[best] = 0;
    }
}

/* Watts at no load and per MHz: by the straight line under the curve, or, for a
 * guess, by a chord around 'load_frac' of full. */
static void
watts_line(const struct dcp_exact *m, uint32_t h, double load_frac,
           double *out_idle, double *out_slope)
{
    const struct dcp_problem *p = m->p;
    const struct dcp_inventory *inv = p->q->inventory;
    double full = p->pricing->full_mhz[h];

    *out_idle = dcp_pricing_watts(p, h, 0);
    *out_slope =
        full > 0
            ? dcp_power_slope_w(&inv->hardware[inv->hosts[h].hardware.ix]) /
                  full
            : 0;
    if (m->part) {
        dcp_pricing_chord(p, h, fmax(load_frac - CHORD_FRAC, 0),
                          fmin(load_frac + CHORD_FRAC, 1), out_idle, out_slope);
    }
}

/* How loaded the program's hosts that are on are, on average. */
static double
mean_load(const struct dcp_exact *m)
{
    const struct dcp_problem *p = m->p;
    double mhz = 0, full = 0;

    for (uint32_t k = 0; k < m->n_hosts; k++) {
        uint32_t h = m->host[k];

        full += m->s->on[h] ? (double)p->pricing->full_mhz[h] * p->n_slots : 0;
        for (uint32_t t = 0; t < p->n_slots; t++) {
            mhz += m->s->cpu_mhz[(size_t)h * p->stride + t];
        }
    }
    for (uint32_t k = 0; k < m->first[m->n_kinds]; k++) {
        for (uint32_t t = 0; t < p->n_slots; t++) {
            mhz += p->cpu_mhz[(size_t)m->member[k] * p->stride + t];
        }
    }
    return full > 0 ? fmin(mhz / full, 0.9) : 0.5;
}

/* What each host costs when on, and 'slope' of watts. */
static void
host_costs(struct dcp_exact *m, double *slope)
{
    const struct dcp_problem *p = m->p;
    const struct dcp_priced_level *level = &p->pricing->level[0];
    double load = m->part ? mean_load(m) : 0;

    for (uint32_t k = 0; k < m->n_hosts; k++) {
        uint32_t h = m->host[k];
        double idle;

        watts_line(m, h, load, &idle, &slope[k]);
        m->idle_cost[k] =
            level->per_host + (level->host_value ? level->host_value[h] : 0);
        for (uint32_t t = 0; level->factor && t < p->n_slots; t++) {
            m->idle_cost[k] +=
                level
                    ->factor[(size_t)p->pricing->site_row[h] * p->n_slots + t] *
                idle;
        }
    }
}

static double
load_cost(const struct dcp_exact *m, uint32_t item, uint32_t at, double slope)
{
    const struct dcp_problem *p = m->p;
    const struct dcp_priced_level *level = &p->pricing->level[0];
    const uint32_t *mhz = p->cpu_mhz + (size_t)item * p->stride;
    uint32_t h = m->host[at];
    double cost =
        level->per_move * dcp_pricing_moves(p, item, h) +
        level->conversion * dcp_conversions_cost(p->conversions, item, h);

    if (p->q->fewest_moves && h != p->start_host[item]) {
        cost += dcp_repair_memory_share(p, item);
    }
    for (uint32_t t = 0; level->mhz_slope && t < p->n_slots; t++) {
        cost += level->mhz_slope[h] *
                (p->q->slot_weight ? p->q->slot_weight[t] : 1) * mhz[t];
    }
    for (uint32_t t = 0; level->factor && t < p->n_slots; t++) {
        cost +=
            level->factor[(size_t)p->pricing->site_row[h] * p->n_slots + t] *
            slope * mhz[t];
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

/* Whether the kind's column of a host is to be; a known place always is. */
static bool
wants_column(const struct dcp_exact *m, uint32_t kind, uint32_t at)
{
    uint32_t item = m->member[m->first[kind]], h = m->host[at];

    if (m->on_col[at] == UINT32_MAX || !dcp_problem_reaches(m->p, item, h)) {
        return false;
    }
    if (m->part && !dcp_state_allowed(m->s, item, h)) {
        for (uint32_t j = m->first[kind]; j < m->first[kind + 1]; j++) {
            if (m->known_at[m->member[j]] == h) {
                return true;
            }
        }
        return false;
    }
    return true;
}

static void
add_columns(struct dcp_exact *m)
{
    const struct dcp_problem *p = m->p;
    DCP_FREE double *slope = calloc(m->n_hosts + 1u, sizeof *slope);

    m->ok = m->ok && slope;
    if (!m->ok) {
        return;
    }
    host_costs(m, slope);
    for (uint32_t k = 0; m->ok && k < m->n_hosts; k++) {
        uint32_t h = m->host[k];
        bool fixed = p->q->start->on[h] &&
                     (p->use[h] == DCP_HOST_KEEP ||
                      (!p->q->may_empty && !is_one_too_many(p, h)));

        m->on_col[k] = UINT32_MAX;
        if (dcp_problem_may_hold(p, h)) {
            m->on_col[k] =
                dcp_lp_add_col(m->lp, fixed || m->s->n_on_host[h] ? 1 : 0, 1,
                               m->idle_cost[k], true);
            m->ok = m->on_col[k] != UINT32_MAX;
        }
    }
    for (uint32_t k = 0; m->ok && k < m->n_kinds; k++) {
        for (uint32_t at = 0; m->ok && at < m->n_hosts; at++) {
            uint32_t *col = &m->col[(size_t)k * m->n_hosts + at];

            *col = UINT32_MAX;
            if (wants_column(m, k, at)) {
                *col = dcp_lp_add_col(
                    m->lp, 0, kind_size(m, k),
                    load_cost(m, m->member[m->first[k]], at, slope[at]), true);
                m->ok = *col != UINT32_MAX;
            }
        }
    }
}

/* --- Capacity ----------------------------------------------------------- */

struct resource {
    const uint32_t *size; /* Of item i: size[i * step]. */
    size_t step;
    const uint32_t *cap, *full; /* By host. */
    const uint32_t *used;       /* By host: used[h * used_step]. */
    size_t used_step;
    uint32_t scalar; /* UINT32_MAX: CPU. */
};

/* sum of (size_i + more_ih) x_ih <= cap_h y_h - what stays there */
static void
capacity_row(struct dcp_exact *m, uint32_t at, const struct resource *r)
{
    uint32_t h = m->host[at];
    uint32_t row =
        dcp_exact_row(m, -DCP_LP_INF, -(double)r->used[h * r->used_step]);
    const struct dcp_conversions *conversions =
        r->scalar == UINT32_MAX ? NULL : m->p->conversions;

    for (uint32_t k = 0; m->ok && k < m->n_kinds; k++) {
        uint32_t item = m->member[m->first[k]];

        dcp_exact_set(
            m, row, m->col[(size_t)k * m->n_hosts + at],
            (double)r->size[item * r->step] +
                dcp_conversions_more(conversions, item, h, r->scalar));
    }
    dcp_exact_set(m, row, m->on_col[at], -(double)r->cap[h]);
}

/* When 'lost' goes, the others hold all but its unprotected items. */
static void
headroom_row(struct dcp_exact *m, uint32_t lost, const struct resource *r)
{
    const struct dcp_problem *p = m->p;
    double demand = 0;

    for (uint32_t i = 0; i < p->n_items; i++) {
        bool stays = m->kind_of[i] == UINT32_MAX && !p->protected_item[i] &&
                     m->s->host[i] == m->host[lost];

        demand += stays ? 0 : r->size[i * r->step];
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        demand -= m->host_at[h] == UINT32_MAX && m->s->on[h] ? r->full[h] : 0;
    }
    uint32_t row = dcp_exact_row(m, demand, DCP_LP_INF);

    for (uint32_t at = 0; m->ok && at < m->n_hosts; at++) {
        if (at != lost) {
            dcp_exact_set(m, row, m->on_col[at], r->full[m->host[at]]);
        }
    }
    for (uint32_t k = 0; m->ok && k < m->n_kinds; k++) {
        uint32_t item = m->member[m->first[k]];

        if (!p->protected_item[item]) {
            dcp_exact_set(m, row, m->col[(size_t)k * m->n_hosts + lost],
                          r->size[item * r->step]);
        }
    }
}

static void
add_resource(struct dcp_exact *m, const struct resource *r, bool headroom)
{
    for (uint32_t at = 0; m->ok && at < m->n_hosts; at++) {
        if (m->on_col[at] != UINT32_MAX) {
            capacity_row(m, at, r);
            if (headroom) {
                headroom_row(m, at, r);
            }
        }
    }
}

static void
add_capacity(struct dcp_exact *m)
{
    const struct dcp_problem *p = m->p;
    bool headroom = dcp_bound_survives_a_host(p);

    for (uint32_t r = 0; m->ok && r < p->n_scalars; r++) {
        size_t of = (size_t)r * p->n_hosts;

        add_resource(m,
                     &(struct resource){ p->request + r, p->n_scalars,
                                         p->cap + of, p->full + of,
                                         m->s->used + of, 1, r },
                     headroom);
    }
    for (uint32_t k = 0; m->ok && k < m->n_slots; k++) {
        uint32_t t = m->slot[k];

        add_resource(m,
                     &(struct resource){ p->cpu_mhz + t, p->stride,
                                         p->cap_cpu_mhz, p->full_cpu_mhz,
                                         m->s->cpu_mhz + t, p->stride,
                                         UINT32_MAX },
                     headroom);
    }
    for (uint32_t k = 0; m->ok && k < m->n_kinds; k++) {
        uint32_t row = dcp_exact_row(m, kind_size(m, k), kind_size(m, k));

        for (uint32_t at = 0; m->ok && at < m->n_hosts; at++) {
            dcp_exact_set(m, row, m->col[(size_t)k * m->n_hosts + at], 1);
        }
    }
}

/* --- All ---------------------------------------------------------------- */

static void
index_lists(struct dcp_exact *m)
{
    const struct dcp_problem *p = m->p;

    memset(m->kind_of, 0xff, (p->n_items + 1u) * sizeof *m->kind_of);
    memset(m->host_at, 0xff, (p->n_hosts + 1u) * sizeof *m->host_at);
    for (uint32_t k = 0; k < m->n_kinds; k++) {
        for (uint32_t j = m->first[k]; j < m->first[k + 1]; j++) {
            m->kind_of[m->member[j]] = k;
        }
    }
    for (uint32_t at = 0; at < m->n_hosts; at++) {
        m->host_at[m->host[at]] = at;
    }
}

bool
dcp_exact_build(struct dcp_exact *m)
{
    size_t n_cols = (size_t)m->n_kinds * m->n_hosts + 1;

    m->lp = dcp_lp_create(NULL);
    m->kind_of = malloc((m->p->n_items + 1u) * sizeof *m->kind_of);
    m->host_at = malloc((m->p->n_hosts + 1u) * sizeof *m->host_at);
    m->col = malloc(n_cols * sizeof *m->col);
    m->on_col = malloc((m->n_hosts + 1u) * sizeof *m->on_col);
    m->idle_cost = calloc(m->n_hosts + 1u, sizeof *m->idle_cost);
    m->ok = m->lp && m->kind_of && m->host_at && m->col && m->on_col &&
            m->idle_cost;
    if (m->ok) {
        index_lists(m);
        choose_slots(m);
        add_columns(m);
        add_capacity(m);
        dcp_exact_rules(m);
        dcp_exact_licences(m);
    }
    return m->ok;
}

void
dcp_exact_finish(struct dcp_exact *m)
{
    dcp_lp_destroy(m->lp);
    free(m->kind_of);
    free(m->host_at);
    free(m->col);
    free(m->on_col);
    free(m->idle_cost);
    free(m->aux);
    m->lp = NULL;
    m->kind_of = m->host_at = m->col = m->on_col = NULL;
    m->idle_cost = NULL;
    m->aux = NULL;
    m->n_aux = m->aux_capacity = 0;
}

/* The known answer, a value for each column. */
static void
known_answer(const struct dcp_exact *m, double *x)
{
    for (uint32_t at = 0; at < m->n_hosts; at++) {
        if (m->on_col[at] != UINT32_MAX) {
            x[m->on_col[at]] = m->s->on[m->host[at]];
        }
    }
    for (uint32_t k = 0; k < m->first[m->n_kinds]; k++) {
        uint32_t item = m->member[k];
        uint32_t col = dcp_exact_col(m, item, m->known_at[item]);

        if (col != UINT32_MAX) {
            x[col]++;
        }
    }
    for (uint32_t k = 0; k < m->n_aux; k++) {
        x[m->aux[k].col] = m->aux[k].known;
    }
}

bool
dcp_exact_solve(const struct dcp_exact *m, double time_s, uint32_t nodes,
                struct dcp_lp_answer *out, double *x, struct dcp_error *err)
{
    DCP_FREE double *start = calloc(dcp_lp_n_cols(m->lp) + 1u, sizeof *start);
    struct dcp_worker_limits limits = { time_s, WORKER_MIB };
    struct dcp_lp_options options = { .integer = true,
                                      .node_limit = nodes,
                                      .start = m->starts ? start : NULL };
    struct dcp_error died = { 0 };

    if (!start) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the exact solver");
    }
    if (m->starts) {
        known_answer(m, start);
    }
    if (dcp_lp_solve_apart(m->lp, &options, &limits, out, x, &died)) {
        return true;
    }
    *out = (struct dcp_lp_answer){ .status = DCP_LP_UNKNOWN,
                                   .bound = -DCP_LP_INF };
    return died.code == DCP_E_LIMIT || died.code == DCP_E_IO ||
           died.code == DCP_E_NOMEM ||
           dcp_fail(err, died.code, "%s", died.message);
}
