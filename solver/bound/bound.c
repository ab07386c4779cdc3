/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/bound/bound.h"

#include "solver/bound/clique.h"
#include "solver/bound/fold.h"
#include "solver/bound/loss.h"
#include "solver/bound/parts.h"
#include "solver/bound/prices.h"
#include "solver/compile/pricing.h"
#include "solver/run/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAM_S 10.0 /* For each program at most. */
/* With less time for each item cliques are not looked for. */
#define CLIQUE_S 1e-5

static double
demand_of(const struct dcp_fold *f, const struct dcp_bound_resource *r,
          struct dcp_part part)
{
    struct dcp_fold_items items = dcp_fold_items(f, part);
    double sum = 0;

    for (uint32_t k = 0; k < items.n; k++) {
        uint32_t i = items.ix[k];

        sum += dcp_fold_in_part(f, i, part) ? r->size[i * r->step] : 0;
    }
    return sum;
}

uint32_t
dcp_bound_column(const struct dcp_fold *f, uint32_t region, uint32_t side,
                 uint32_t type)
{
    return (region * f->n_sides + side) * f->n_types + type;
}

/* --- Rows --------------------------------------------------------------- */

static const struct dcp_part all_parts = { DCP_FOLD_ANY, DCP_FOLD_ANY };

bool
dcp_bound_add_cover(const struct dcp_fold *f, struct dcp_host_rows *rows,
                    const struct dcp_bound_resource *r)
{
    DCP_FREE double *cap = calloc(f->n_types + 1u, sizeof *cap);
    DCP_FREE double *full = calloc(f->n_types + 1u, sizeof *full);
    struct dcp_part part;

    if (!cap || !full) {
        return false;
    }
    for (uint32_t t = 0; t < f->n_types; t++) {
        cap[t] = r->cap[f->example[t]];
        full[t] = r->full[f->example[t]];
    }
    for (uint32_t k = 0; k < dcp_fold_n_parts(f); k++) {
        double smallest = DCP_LP_INF;

        if (!dcp_fold_part(f, k, &part)) {
            continue;
        }
        double demand = demand_of(f, r, part);

        for (uint32_t t = 0; t < f->n_types; t++) {
            if (dcp_fold_most_hosts(f, part, t) > 0) {
                smallest = fmin(smallest, full[t]);
            }
        }
        if (demand > 0 &&
            (!dcp_host_rows_add(rows, part, demand, cap, false) ||
             (f->reserve[k] && smallest < DCP_LP_INF &&
              !dcp_host_rows_add(rows, part,
                                 demand + dcp_bound_losses(f->p) * smallest,
                                 full, true)))) {
            return false;
        }
    }
    return true;
}

/* A dual-feasible function: 'k' > 0: u^(k), else f0 with 'epsilon'.  Both are
 * superadditive, so a host of capacity c holds at most f(c) of it. */
double
dcp_bound_dual_feasible(double x, int k, double epsilon)
{
    if (k > 0) {
        double y = (k + 1) * x, whole = floor(y + 1e-12);

        return fabs(y - nearbyint(y)) < 1e-12 ? x : whole / k;
    }
    return x > 1 - epsilon ? 1 : x >= epsilon ? x : 0;
}

static bool
dual_feasible_row(const struct dcp_fold *f, struct dcp_host_rows *rows,
                  const struct dcp_bound_resource *r, struct dcp_part part,
                  double largest, int k, double epsilon)
{
    DCP_FREE double *value = calloc(f->n_types + 1u, sizeof *value);
    struct dcp_fold_items items = dcp_fold_items(f, part);
    double demand = 0;

    if (!value) {
        return false;
    }
    for (uint32_t n = 0; n < items.n; n++) {
        uint32_t i = items.ix[n];
        double x = r->size[i * r->step] / largest;

        if (x <= 1 && dcp_fold_in_part(f, i, part)) {
            demand += dcp_bound_dual_feasible(x, k, epsilon);
        }
    }
    for (uint32_t t = 0; t < f->n_types; t++) {
        double x = r->cap[f->example[t]] / largest;

        value[t] = dcp_bound_dual_feasible(x < 1 ? x : 1, k, epsilon);
    }
    return dcp_host_rows_add(rows, part, demand * (1 - 1e-9), value, false);
}

static bool
dual_feasible_rows(const struct dcp_fold *f, struct dcp_host_rows *rows,
                   const struct dcp_bound_resource *r)
{
    static const double epsilons[] = { 0.08, 0.12, 0.16, 0.2,  0.25,
                                       0.3,  0.35, 0.4,  0.45, 0.5 };
    enum { N_K = 4, N_EPSILONS = sizeof epsilons / sizeof epsilons[0] };
    struct dcp_part part;

    for (uint32_t n = 0; n < dcp_fold_n_parts(f); n++) {
        double largest = 0;

        if (!dcp_fold_part(f, n, &part)) {
            continue;
        }
        for (uint32_t t = 0; t < f->n_types; t++) {
            if (dcp_fold_most_hosts(f, part, t) > 0 &&
                r->cap[f->example[t]] > largest) {
                largest = r->cap[f->example[t]];
            }
        }
        for (int j = 0; largest > 0 && j < N_K + N_EPSILONS; j++) {
            if (!dual_feasible_row(f, rows, r, part, largest,
                                   j < N_K ? j + 1 : 0,
                                   j < N_K ? 0 : epsilons[j - N_K])) {
                return false;
            }
        }
    }
    return true;
}

struct dcp_bound_resource
dcp_bound_scalar(const struct dcp_problem *p, uint32_t r)
{
    size_t at = (size_t)r * p->n_hosts;

    return (struct dcp_bound_resource){ p->request + r, p->n_scalars,
                                        p->cap + at, p->full + at };
}

struct dcp_bound_resource
dcp_bound_cpu(const struct dcp_problem *p, uint32_t slot)
{
    return (struct dcp_bound_resource){ p->cpu_mhz + slot, p->stride,
                                        p->cap_cpu_mhz, p->full_cpu_mhz };
}

struct dcp_bound_resource
dcp_bound_net(const struct dcp_problem *p, uint32_t slot)
{
    return (struct dcp_bound_resource){ p->net_kib_s + slot, p->stride,
                                        p->cap_net_kib_s, p->full_net_kib_s };
}

/* Headroom needs so many hosts in each region. */
static bool
add_loss_rows(const struct dcp_fold *f, struct dcp_host_rows *rows)
{
    DCP_FREE double *one = calloc(f->n_types + 1u, sizeof *one);
    bool ok = one != NULL;

    for (uint32_t t = 0; ok && t < f->n_types; t++) {
        one[t] = 1;
    }
    for (uint32_t r = 0; ok && r < f->n_regions; r++) {
        struct dcp_part part = { r, DCP_FOLD_ANY };
        uint32_t n = dcp_bound_hosts_for_loss(f->p, f->region, f->item_region,
                                              (uint8_t)r);

        ok = n != UINT32_MAX && dcp_host_rows_add(rows, part, n, one, false);
    }
    return ok;
}

static bool
collect_rows(const struct dcp_fold *f, struct dcp_host_rows *rows)
{
    const struct dcp_problem *p = f->p;
    uint32_t busiest = 0;
    double most = -1;

    if (dcp_bound_survives_a_host(p) && !add_loss_rows(f, rows)) {
        return false;
    }
    for (uint32_t k = 0; k < p->n_scalars; k++) {
        struct dcp_bound_resource r = dcp_bound_scalar(p, k);

        if (!dcp_bound_add_cover(f, rows, &r) ||
            !dual_feasible_rows(f, rows, &r)) {
            return false;
        }
    }
    for (uint32_t s = 0; s < p->n_slots; s++) {
        struct dcp_bound_resource r = dcp_bound_cpu(p, s);
        double demand = demand_of(f, &r, all_parts);

        if (demand > most) {
            most = demand;
            busiest = s;
        }
        if (!dcp_bound_add_cover(f, rows, &r)) {
            return false;
        }
        if (p->net_kib_s) {
            r = dcp_bound_net(p, s);
            if (!dcp_bound_add_cover(f, rows, &r)) {
                return false;
            }
        }
    }
    struct dcp_bound_resource r = dcp_bound_cpu(p, busiest);

    return (!p->n_slots || dual_feasible_rows(f, rows, &r)) &&
           dcp_bound_add_chance(f, rows);
}

static bool
add_rows(const struct dcp_fold *f, struct dcp_lp *lp)
{
    struct dcp_host_rows rows = { .f = f };
    bool ok = collect_rows(f, &rows) && dcp_host_rows_emit(&rows, lp);

    dcp_host_rows_finish(&rows);
    return ok;
}

/* Hosts of a type in a region, over both sides, are between those that must
 * and those that may be on. */
static bool
add_counts(const struct dcp_fold *f, struct dcp_lp *lp)
{
    bool ok = true;

    for (uint32_t r = 0; ok && r < f->n_regions; r++) {
        for (uint32_t t = 0; ok && t < f->n_types; t++) {
            size_t at = (size_t)r * f->n_types + t;
            uint32_t row = dcp_lp_add_row(lp, f->n_min[at], f->n_max[at]);

            ok = row != UINT32_MAX;
            for (uint32_t k = 0; ok && k < f->n_sides; k++) {
                ok = dcp_lp_set(lp, row, dcp_bound_column(f, r, k, t), 1);
            }
        }
    }
    return ok;
}

static bool
no_memory(struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_NOMEM, "no memory for a bound");
}

/* Items of which no two share a host, on hosts that hold something. */
static bool
add_clique(const struct dcp_fold *f, struct dcp_lp *lp)
{
    uint32_t n_sides = f->n_sides > 1 ? 2 : 1, n = n_sides * f->n_types;
    DCP_FREE uint32_t *col = calloc((size_t)f->n_regions * n + 1, sizeof *col);

    for (uint32_t k = 0; col && k < f->n_regions * n; k++) {
        col[k] = dcp_bound_column(f, k / n, k / f->n_types % n_sides,
                                  k % f->n_types);
    }
    return col &&
           (!f->cliques || dcp_clique_add(f, lp, f->cliques, col, n_sides));
}

/* --- Bounds ------------------------------------------------------------- */

bool
dcp_bound_add_hosts(const struct dcp_fold *f, struct dcp_lp *lp,
                    const double *cost)
{
    uint32_t n_cols = f->n_regions * f->n_sides * f->n_types;
    bool ok = true;

    for (uint32_t k = 0; ok && k < n_cols; k++) {
        uint32_t t = k % f->n_types, r = k / f->n_types / f->n_sides;

        ok = dcp_lp_add_col(lp, 0, f->n_max[(size_t)r * f->n_types + t],
                            cost ? cost[k % (f->n_sides * f->n_types)] : 1,
                            true) != UINT32_MAX;
    }
    return ok && dcp_bound_add_domain_losses(f, lp) && add_counts(f, lp) &&
           add_rows(f, lp) && dcp_bound_add_domains(f, lp) &&
           add_clique(f, lp) && dcp_bound_add_largest(f, lp);
}

/* Hosts on by region and type, then by group of racks and type. */
static size_t
n_kept(const struct dcp_fold *f)
{
    return (size_t)(f->n_regions + (f->racks ? f->racks->n : 0)) * f->n_types;
}

/* The program with whole hosts, or, where that takes too long, its bound. */
static bool
solve(const struct dcp_fold *f, struct dcp_lp *lp, double limit_s,
      struct dcp_lp_answer *answer, double *type_on, struct dcp_error *err)
{
    uint32_t n_cols = f->n_regions * f->n_sides * f->n_types;
    DCP_FREE double *x = calloc(dcp_lp_n_cols(lp) + 1u, sizeof *x);
    struct dcp_lp_options integer = { .integer = true,
                                      .time_limit_s = limit_s,
                                      .node_limit = 2000,
                                      .max_iterations = DCP_BOUND_ITERATIONS,
                                      .gap_frac = 0.001 };
    struct dcp_lp_options relaxed = { .time_limit_s = limit_s,
                                      .max_iterations = DCP_BOUND_ITERATIONS };

    if (!x) {
        return no_memory(err);
    }
    if (!dcp_lp_solve(lp, &integer, answer, x, err) ||
        (answer->bound <= -DCP_LP_INF && answer->status != DCP_LP_INFEASIBLE &&
         !dcp_lp_solve(lp, &relaxed, answer, x, err))) {
        return false;
    }
    memset(type_on, 0, n_kept(f) * sizeof *type_on);
    for (uint32_t k = 0; k < n_cols; k++) {
        uint32_t r = k / f->n_types / f->n_sides;

        type_on[(size_t)r * f->n_types + k % f->n_types] += x[k];
    }
    for (size_t k = (size_t)f->n_regions * f->n_types, from = n_cols;
         k < n_kept(f); k++, from++) {
        type_on[k] = x[from];
    }
    return true;
}

static bool
solve_hosts(const struct dcp_fold *f, double limit_s,
            struct dcp_lp_answer *answer, double *type_on,
            struct dcp_error *err)
{
    DCP_AUTO(dcp_lp) struct dcp_lp *lp = dcp_lp_create(err);

    if (!lp || !dcp_bound_add_hosts(f, lp, NULL)) {
        return no_memory(err);
    }
    return solve(f, lp, limit_s, answer, type_on, err);
}

/* What a host costs, by side and type, with 'loaded' (NULL: 0) for the energy
 * of one that is in use; the caller frees it.  NULL: no memory. */
static double *
host_costs(const struct dcp_bound_energy *e, const double *loaded)
{
    const struct dcp_fold *f = e->f;
    uint32_t n = f->n_sides * f->n_types;
    double *cost = calloc(n + 1u, sizeof *cost);

    for (uint32_t k = 0; cost && k < n; k++) {
        uint32_t side = k / f->n_types, type = k % f->n_types;

        cost[k] = dcp_bound_host_cost(f, type) +
                  (side == DCP_FOLD_SPARE ? dcp_bound_energy_idle(e, type)
                   : loaded               ? loaded[k]
                                          : 0);
    }
    return cost;
}

/* Energy by the curves' envelopes. */
static bool
solve_envelopes(const struct dcp_bound_energy *e, double limit_s,
                struct dcp_lp_answer *answer, double *type_on,
                struct dcp_error *err)
{
    const struct dcp_fold *f = e->f;
    DCP_AUTO(dcp_lp) struct dcp_lp *lp = dcp_lp_create(err);
    DCP_FREE double *cost = host_costs(e, NULL);

    if (!lp || !cost || !dcp_bound_add_hosts(f, lp, cost) ||
        !dcp_bound_add_money(f, lp) || !dcp_bound_energy_add(e, lp)) {
        return no_memory(err);
    }
    return solve(f, lp, limit_s, answer, type_on, err);
}

/* Energy by items' prices: what a host costs is then a number. */
static bool
solve_priced(const struct dcp_bound_energy *e,
             const struct dcp_bound_prices *priced, uint32_t ix, double limit_s,
             struct dcp_lp_answer *answer, double *type_on,
             struct dcp_error *err)
{
    const struct dcp_fold *f = e->f;
    DCP_AUTO(dcp_lp) struct dcp_lp *lp = dcp_lp_create(err);
    DCP_FREE double *cost = host_costs(e, priced->per_host[ix]);

    if (!lp || !cost || !dcp_bound_add_hosts(f, lp, cost) ||
        !dcp_bound_add_money(f, lp)) {
        return no_memory(err);
    }
    if (!solve(f, lp, limit_s, answer, type_on, err)) {
        return false;
    }
    answer->bound += answer->bound > -DCP_LP_INF ? priced->base[ix] : 0;
    return true;
}

double
dcp_bound_left_s(int64_t deadline_ms)
{
    return fmax((double)(deadline_ms - dcp_monotonic_ms()) / 1000, 0.001);
}

/* Few hosts are packed from several starts anyway; and of hosts by rack a mix
 * says nothing. */
static bool
has_mix(const struct dcp_fold *f)
{
    return f->p->n_hosts > DCP_BOUND_MIX_HOSTS && !f->racks;
}

/* Money: by envelopes, then by items' prices; 'type_on' of the higher bound,
 * for it is nearer to what hosts really draw. */
static bool
solve_money(const struct dcp_fold *f, double limit_s,
            struct dcp_lp_answer *answer, double *type_on,
            struct dcp_bound *out, struct dcp_error *err)
{
    DCP_AUTO(dcp_bound_energy)
    struct dcp_bound_energy *energy = dcp_bound_energy_create(f);
    struct dcp_bound_prices prices = { 0 };
    int64_t deadline_ms = isinf(limit_s)
                              ? INT64_MAX
                              : dcp_monotonic_ms() + (int64_t)(limit_s * 1000);
    size_t n_on = n_kept(f);
    DCP_FREE double *kept = calloc(n_on + 1, sizeof *kept);
    double *cold_frac = dcp_arena_array(f->p->arena, double, f->n_types);
    bool ok = energy && kept && cold_frac, mixed = false;

    if (!ok) {
        return no_memory(err);
    }
    ok = solve_envelopes(energy, limit_s, answer, type_on, err) &&
         (!f->p->q->bound_elsewhere
              ? dcp_bound_prices_find(energy, deadline_ms, &prices, err)
          : has_mix(f)
              ? dcp_bound_prices_mix(energy, deadline_ms, type_on, cold_frac,
                                     &mixed, err)
              : true);
    out->cold_frac = mixed ? cold_frac : NULL;
    for (uint32_t k = 0; ok && k < prices.n; k++) {
        struct dcp_lp_answer priced = { .bound = -DCP_LP_INF };

        ok = solve_priced(energy, &prices, k, dcp_bound_left_s(deadline_ms),
                          &priced, kept, err);
        if (ok && priced.bound > answer->bound) {
            answer->bound = priced.bound;
            out->method = "item prices";
            if (priced.status == DCP_LP_OPTIMAL ||
                priced.status == DCP_LP_FEASIBLE) {
                memcpy(type_on, kept, n_on * sizeof *kept);
            }
        }
    }
    dcp_bound_prices_finish(&prices);
    return ok;
}

/* Hosts that one resource alone needs: largest capacities first. */
static double
hosts_alone(const struct dcp_fold *f, const uint32_t *cap, double demand)
{
    double left = demand, n = 0;
    DCP_FREE uint8_t *taken = calloc(f->n_types + 1u, 1);

    for (uint32_t round = 0; taken && left > 0 && round < f->n_types; round++) {
        uint32_t best = UINT32_MAX;

        for (uint32_t t = 0; t < f->n_types; t++) {
            if (!taken[t] && dcp_fold_most_hosts(f, all_parts, t) > 0 &&
                (best == UINT32_MAX ||
                 cap[f->example[t]] > cap[f->example[best]])) {
                best = t;
            }
        }
        if (best == UINT32_MAX || !cap[f->example[best]]) {
            break;
        }
        taken[best] = 1;
        double use = fmin(dcp_fold_most_hosts(f, all_parts, best),
                          left / cap[f->example[best]]);

        n += use;
        left -= use * cap[f->example[best]];
    }
    return n;
}

static uint32_t
binding_resource(const struct dcp_fold *f)
{
    const struct dcp_problem *p = f->p;
    uint32_t best = 0;
    double most = -1;

    for (uint32_t k = 0; k < p->n_scalars + 2 * p->n_slots; k++) {
        uint32_t slot = k < p->n_scalars ? 0 : (k - p->n_scalars) / 2;
        bool net = k >= p->n_scalars && (k - p->n_scalars) % 2;

        if (net && !p->net_kib_s) {
            continue;
        }
        struct dcp_bound_resource r = k < p->n_scalars ? dcp_bound_scalar(p, k)
                                      : net            ? dcp_bound_net(p, slot)
                                                       : dcp_bound_cpu(p, slot);
        double n = hosts_alone(f, r.cap, demand_of(f, &r, all_parts));

        if (n > most) {
            most = n;
            best = k < p->n_scalars ? k : p->n_scalars + net;
        }
    }
    return best;
}

/* A hard max_on rule that leaves fewer hosts than have to be on; NULL: none
 * does. */
static const struct dcp_rule *
too_few_allowed(const struct dcp_problem *p, uint32_t hosts)
{
    for (uint32_t r = 0; p->q->may_empty && r < p->n_power_rules; r++) {
        const struct dcp_rule *rule = p->power_rules[r].rule;

        if (rule->kind == DCP_RULE_MAX_ON && dcp_rule_is_hard(p->q, rule) &&
            hosts > rule->limit + (p->n_hosts - rule->n_hosts)) {
            return rule;
        }
    }
    return NULL;
}

bool
dcp_bound_compute(struct dcp_problem *p, double limit_s, struct dcp_bound *out,
                  struct dcp_error *err)
{
    struct dcp_fold f = { 0 };
    struct dcp_lp_answer hosts, value;
    double *type_on = NULL;

    *out = (struct dcp_bound){ .method = "host types" };
    bool ok = dcp_fold_make(p, &f) && dcp_bound_trim(&f);

    if (ok && limit_s >= CLIQUE_S * p->n_items) {
        f.cliques = dcp_cliques_find(&f);
        ok = f.cliques != NULL;
    }
    if (ok) {
        type_on = dcp_arena_array(p->arena, double, n_kept(&f));
    }
    if (!type_on) {
        return no_memory(err);
    }
    out->type_on = type_on;
    out->racks = f.racks;
    out->group_on = f.racks ? type_on + (size_t)f.n_regions * p->n_types : NULL;
    out->region = f.region;
    out->n_regions = f.n_regions;
    out->binding = binding_resource(&f);
    bool no_clock = isinf(limit_s);
    int64_t deadline_ms =
        no_clock ? INT64_MAX
                 : dcp_monotonic_ms() + (int64_t)(limit_s * 1000);
    double each_s = no_clock ? limit_s : fmin(limit_s / 2, PROGRAM_S);

    if (!solve_hosts(&f, each_s, &hosts, type_on, err)) {
        return false;
    }
    out->infeasible = hosts.status == DCP_LP_INFEASIBLE;
    if (hosts.bound > 0) {
        out->hosts = (uint32_t)ceil(hosts.bound * (1 - 1e-9) - 1e-6);
    }
    uint32_t least = p->q->inventory->policy.keep_on;

    out->hosts = out->hosts < least ? least : out->hosts;
    out->max_on = too_few_allowed(p, out->hosts);
    out->infeasible = out->infeasible || out->max_on;
    if (dcp_pricing_counts_hosts_alone(p)) {
        out->value = p->pricing->level[0].per_host * out->hosts;
        return true;
    }
    if (p->q->bound_elsewhere && p->q->gentle && !p->q->by_heat) { /* Keeps what is there. */
        out->value = -DCP_LP_INF;
        return true;
    }
    /* Which hosts to keep is said by money where being on costs some. */
    double *kept = dcp_pricing_has_host_cost(p)
                       ? type_on
                       : dcp_arena_array(p->arena, double, n_kept(&f));

    if (!kept) {
        return no_memory(err);
    }
    each_s =
        no_clock ? limit_s : fmin(dcp_bound_left_s(deadline_ms), PROGRAM_S);
    if (!solve_money(&f, each_s, &value, kept, out, err)) {
        return false;
    }
    if (value.bound > -DCP_LP_INF) {
        out->value = value.bound - fabs(value.bound) * 1e-7;
    }
    return true;
}

const char *
dcp_bound_binding_name(const struct dcp_problem *p, const struct dcp_bound *b)
{
    if (b->binding == p->n_scalars) {
        return "cpu";
    }
    return b->binding > p->n_scalars
               ? "network"
               : dcp_scalar_name(p->q->inventory, p->scalar_id[b->binding]);
}
