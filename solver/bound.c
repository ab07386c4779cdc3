/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/bound.h"

#include "solver/lp.h"

#include <math.h>
#include <stdlib.h>

/* The problem folded by host type: what the linear program is made of. */
struct fold {
    const struct dcp_problem *p;
    uint32_t n_types;
    uint32_t *example;      /* A host of each type. */
    double *n_min, *n_max;  /* Hosts that must, and may, be on. */
    double *scalar_demand;  /* [n_scalars] */
    double *cpu_demand;     /* [n_slots] */
    double *net_demand;     /* [n_slots] or NULL */
    bool reserve;           /* One host's loss is survived by everything. */
};

static bool
fold(const struct dcp_problem *p, struct fold *f)
{
    struct dcp_arena *a = p->arena;

    f->p = p;
    f->n_types = p->n_types;
    f->example = dcp_arena_array(a, uint32_t, p->n_types);
    f->n_min = dcp_arena_array(a, double, p->n_types);
    f->n_max = dcp_arena_array(a, double, p->n_types);
    f->scalar_demand = dcp_arena_array(a, double, p->n_scalars);
    f->cpu_demand = dcp_arena_array(a, double, p->stride);
    f->net_demand = p->net_kib_s ? dcp_arena_array(a, double, p->stride) : NULL;
    if (!f->example || !f->n_min || !f->n_max || !f->scalar_demand ||
        !f->cpu_demand || (p->net_kib_s && !f->net_demand)) {
        return false;
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        uint32_t t = p->type_of_host[h];
        bool on = p->q->start->on[h];
        bool may = on || (p->q->may_wake && p->use[h] == DCP_HOST_FREE);

        f->example[t] = h;
        if (p->use[h] == DCP_HOST_AVOID) {
            continue; /* Ends empty; its own watts are not in the goal. */
        }
        f->n_max[t] += may;
        f->n_min[t] += on && (p->use[h] == DCP_HOST_KEEP || !p->q->may_empty);
    }
    f->reserve = p->q->headroom;
    for (uint32_t i = 0; i < p->n_items; i++) {
        f->reserve = f->reserve && p->protected_item[i];
        for (uint32_t r = 0; r < p->n_scalars; r++) {
            f->scalar_demand[r] += p->request[(size_t)i * p->n_scalars + r];
        }
        for (uint32_t t = 0; t < p->n_slots; t++) {
            f->cpu_demand[t] += p->cpu_mhz[(size_t)i * p->stride + t];
            if (f->net_demand) {
                f->net_demand[t] += p->net_kib_s[(size_t)i * p->stride + t];
            }
        }
    }
    return true;
}

/* --- Rows --------------------------------------------------------------- */

/* sum_t cap[t] y_t >= demand (+ the smallest capacity where one host's loss
 * must be survived, under the limits after a loss). */
static bool
cover_row(const struct fold *f, struct dcp_lp *lp, const uint32_t *cap,
          const uint32_t *full, double demand)
{
    uint32_t row = dcp_lp_add_row(lp, demand, DCP_LP_INF);
    bool ok = row != UINT32_MAX;

    for (uint32_t t = 0; ok && t < f->n_types; t++) {
        ok = dcp_lp_set(lp, row, t, cap[f->example[t]]);
    }
    if (!ok || !f->reserve) {
        return ok;
    }
    double smallest = DCP_LP_INF;

    for (uint32_t t = 0; t < f->n_types; t++) {
        if (f->n_max[t] > 0 && full[f->example[t]] < smallest) {
            smallest = full[f->example[t]];
        }
    }
    row = dcp_lp_add_row(lp, demand + smallest, DCP_LP_INF);
    for (uint32_t t = 0; row != UINT32_MAX && ok && t < f->n_types; t++) {
        ok = dcp_lp_set(lp, row, t, full[f->example[t]]);
    }
    return ok && row != UINT32_MAX;
}

/* A dual-feasible function: 'k' > 0: u^(k), else f0 with 'epsilon'.  Both are
 * superadditive, so a host of capacity c holds at most f(c) of it. */
static double
dual_feasible(double x, int k, double epsilon)
{
    if (k > 0) {
        double y = (k + 1) * x, whole = floor(y + 1e-12);

        return fabs(y - nearbyint(y)) < 1e-12 ? x : whole / k;
    }
    return x > 1 - epsilon ? 1 : x >= epsilon ? x : 0;
}

/* 'size' of item i at size[i * step]. */
static bool
dual_feasible_rows(const struct fold *f, struct dcp_lp *lp,
                   const uint32_t *size, size_t step, const uint32_t *cap)
{
    static const double epsilons[] = { 0.08, 0.12, 0.16, 0.2, 0.25, 0.3,
                                       0.35, 0.4,  0.45, 0.5 };
    enum { N_K = 4, N_EPSILONS = sizeof epsilons / sizeof epsilons[0] };
    double largest = 0;

    for (uint32_t t = 0; t < f->n_types; t++) {
        if (f->n_max[t] > 0 && cap[f->example[t]] > largest) {
            largest = cap[f->example[t]];
        }
    }
    for (int j = 0; largest > 0 && j < N_K + N_EPSILONS; j++) {
        int k = j < N_K ? j + 1 : 0;
        double epsilon = j < N_K ? 0 : epsilons[j - N_K], demand = 0;

        for (uint32_t i = 0; i < f->p->n_items; i++) {
            double x = size[i * step] / largest;

            if (x > 1) {
                continue; /* Fits nowhere: not this row's business. */
            }
            demand += dual_feasible(x, k, epsilon);
        }
        uint32_t row = dcp_lp_add_row(lp, demand * (1 - 1e-9), DCP_LP_INF);
        bool ok = row != UINT32_MAX;

        for (uint32_t t = 0; ok && t < f->n_types; t++) {
            double x = cap[f->example[t]] / largest;

            ok = dcp_lp_set(lp, row, t,
                            dual_feasible(x < 1 ? x : 1, k, epsilon));
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

static uint32_t
busiest_slot(const struct fold *f)
{
    uint32_t best = 0;

    for (uint32_t t = 1; t < f->p->n_slots; t++) {
        best = f->cpu_demand[t] > f->cpu_demand[best] ? t : best;
    }
    return best;
}

static bool
add_rows(const struct fold *f, struct dcp_lp *lp)
{
    const struct dcp_problem *p = f->p;

    for (uint32_t r = 0; r < p->n_scalars; r++) {
        const uint32_t *cap = p->cap + (size_t)r * p->n_hosts;

        if (f->scalar_demand[r] > 0 &&
            (!cover_row(f, lp, cap, p->full + (size_t)r * p->n_hosts,
                        f->scalar_demand[r]) ||
             !dual_feasible_rows(f, lp, p->request + r, p->n_scalars, cap))) {
            return false;
        }
    }
    for (uint32_t s = 0; s < p->n_slots; s++) {
        if (!cover_row(f, lp, p->cap_cpu_mhz, p->full_cpu_mhz,
                       f->cpu_demand[s]) ||
            (f->net_demand &&
             !cover_row(f, lp, p->cap_net_kib_s, p->full_net_kib_s,
                        f->net_demand[s]))) {
            return false;
        }
    }
    return !p->n_slots ||
           dual_feasible_rows(f, lp, p->cpu_mhz + busiest_slot(f), p->stride,
                              p->cap_cpu_mhz);
}

/* z_ts: demand of slot s on type t, at m_t each; columns after the types'. */
static bool
add_load(const struct fold *f, struct dcp_lp *lp)
{
    const struct dcp_problem *p = f->p;

    for (uint32_t s = 0; s < p->n_slots; s++) {
        double weight = p->q->slot_weight ? p->q->slot_weight[s] : 1;
        uint32_t all = dcp_lp_add_row(lp, f->cpu_demand[s], f->cpu_demand[s]);
        bool ok = all != UINT32_MAX;

        for (uint32_t t = 0; ok && t < f->n_types; t++) {
            double slope = p->q->mhz_slope[f->example[t]] * weight;
            uint32_t col = dcp_lp_add_col(lp, 0, DCP_LP_INF, slope, false);
            uint32_t row = dcp_lp_add_row(lp, -DCP_LP_INF, 0);

            ok = col != UINT32_MAX && row != UINT32_MAX &&
                 dcp_lp_set(lp, all, col, 1) && dcp_lp_set(lp, row, col, 1) &&
                 dcp_lp_set(lp, row, t,
                            -(double)p->cap_cpu_mhz[f->example[t]]);
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

/* --- Bounds ------------------------------------------------------------- */

static bool
solve(const struct fold *f, bool count_hosts, struct dcp_lp_answer *answer,
      double **out_x, struct dcp_error *err)
{
    const struct dcp_problem *p = f->p;
    DCP_AUTO(dcp_lp) struct dcp_lp *lp = dcp_lp_create(err);
    bool ok = lp != NULL;

    for (uint32_t t = 0; ok && t < f->n_types; t++) {
        double cost = count_hosts ? 1 : p->on_value[f->example[t]];

        ok = dcp_lp_add_col(lp, f->n_min[t], f->n_max[t], cost, false) !=
             UINT32_MAX;
    }
    ok = ok && add_rows(f, lp) &&
         (count_hosts || !p->q->mhz_slope || add_load(f, lp));
    if (!ok) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a bound");
    }
    double *x = dcp_arena_array(p->arena, double, dcp_lp_n_cols(lp));
    struct dcp_lp_options options = { .time_limit_s = 10 };

    *out_x = x;
    return (x || dcp_fail(err, DCP_E_NOMEM, "no memory for a bound")) &&
           dcp_lp_solve(lp, &options, answer, x, err);
}

/* Hosts that one resource alone needs: largest capacities first. */
static double
hosts_alone(const struct fold *f, const uint32_t *cap, double demand)
{
    double left = demand, n = 0;
    DCP_FREE uint8_t *taken = calloc(f->n_types + 1u, 1);

    for (uint32_t round = 0; taken && left > 0 && round < f->n_types; round++) {
        uint32_t best = UINT32_MAX;

        for (uint32_t t = 0; t < f->n_types; t++) {
            if (!taken[t] && f->n_max[t] > 0 &&
                (best == UINT32_MAX ||
                 cap[f->example[t]] > cap[f->example[best]])) {
                best = t;
            }
        }
        if (best == UINT32_MAX || !cap[f->example[best]]) {
            break;
        }
        taken[best] = 1;
        double use = fmin(f->n_max[best], left / cap[f->example[best]]);

        n += use;
        left -= use * cap[f->example[best]];
    }
    return n;
}

static uint32_t
binding_resource(const struct fold *f)
{
    const struct dcp_problem *p = f->p;
    uint32_t best = 0;
    double most = -1;

    for (uint32_t r = 0; r < p->n_scalars; r++) {
        double n = hosts_alone(f, p->cap + (size_t)r * p->n_hosts,
                               f->scalar_demand[r]);

        if (n > most) {
            most = n;
            best = r;
        }
    }
    for (uint32_t s = 0; s < p->n_slots; s++) {
        double n = hosts_alone(f, p->cap_cpu_mhz, f->cpu_demand[s]);

        if (n > most) {
            most = n;
            best = p->n_scalars;
        }
        n = f->net_demand ? hosts_alone(f, p->cap_net_kib_s, f->net_demand[s])
                          : 0;
        if (n > most) {
            most = n;
            best = p->n_scalars + 1;
        }
    }
    return best;
}

bool
dcp_bound_compute(struct dcp_problem *p, struct dcp_bound *out,
                  struct dcp_error *err)
{
    struct fold f = { 0 };
    struct dcp_lp_answer hosts, value;
    double *x;

    *out = (struct dcp_bound){ .method = "lp" };
    if (!fold(p, &f)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a bound");
    }
    out->binding = binding_resource(&f);
    if (!solve(&f, true, &hosts, &x, err)) {
        return false;
    }
    out->type_on = x;
    out->infeasible = hosts.status == DCP_LP_INFEASIBLE;
    if (hosts.status == DCP_LP_OPTIMAL) {
        out->hosts = (uint32_t)ceil(hosts.value * (1 - 1e-9) - 1e-6);
    } else {
        out->method = "sum";
    }
    double least = p->q->inventory->policy.keep_on;

    out->hosts = out->hosts < least ? (uint32_t)least : out->hosts;
    if (!p->q->host_on_value) {
        out->value = out->hosts;
        return true;
    }
    if (!solve(&f, false, &value, &x, err)) {
        return false;
    }
    if (value.status == DCP_LP_OPTIMAL) {
        out->value = value.value - fabs(value.value) * 1e-9;
        out->type_on = x;
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
