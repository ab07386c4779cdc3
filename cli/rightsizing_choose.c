/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Which VMs are made smaller: those whose resize brings the goal something.
 *
 * VMs that a licence by vCPU covers are, where the goal counts it: what that
 * saves hangs on no placement.  It is planned with all advice, then with nobody
 * else made smaller.  Where the second is as good (policy.min_gain, for both
 * come of a search), nobody else is.  Else from the first plan is read what it
 * rests on: of each host, at each leg's end, the fewest resizes without which
 * its VMs do not fit, what frees most first.  It is planned with these alone;
 * where that is worse than with all (they do not see headroom,
 * rules that count, nor what moves need), with half of the others as well,
 * those that free most, and so on. */

#include "cli/rightsizing.h"

#include "model/capacity.h"
#include "solver/run/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SHARE 0.5  /* Of a time limit, for the plan with all. */
#define AGAIN_SHARE 0.5  /* Of what is left, for each that follows. */
#define DEFAULT_S   30.0 /* The planner's own limit, for all of it. */
#define NARROWINGS  3u
#define SAME        1e-6 /* Relative: no difference. */

/* A plan, with the model that it borrows and the VMs it resizes. */
struct attempt {
    struct dcp_inventory *inv;
    struct dcp_demand *demand;
    struct dcp_plan *plan;
    struct dcp_plan_outcome outcome;
    enum dcp_size_verdict *verdict;
};

static void
attempt_finish(struct attempt *a)
{
    dcp_plan_destroy(a->plan);
    dcp_demand_destroy(a->demand);
    free(a->inv);
    free(a->verdict);
    *a = (struct attempt){ 0 };
}

struct choice {
    struct dcp_rightsizing *z;
    struct dcp_plan_request *r;
    const struct dcp_inventory *inv; /* As it is, */
    const struct dcp_demand *demand; /* and its demand. */
    uint8_t *keep;                   /* By VM: is made smaller. */
    double limit_s;                  /* 0: iterations limit. */
    int64_t began_ms;
};

static double
left_s(const struct choice *c)
{
    return c->limit_s - (double)(dcp_monotonic_ms() - c->began_ms) / 1000;
}

/* What the rightsizing now holds is handed over with its plan. */
static bool
take(struct choice *c, struct dcp_plan *plan,
     const struct dcp_plan_outcome *outcome, struct attempt *out,
     struct dcp_error *err)
{
    uint32_t n = c->inv->n_vms;

    *out =
        (struct attempt){ .inv = c->z->inv,
                          .demand = c->z->demand,
                          .plan = plan,
                          .outcome = *outcome,
                          .verdict = malloc((n + 1u) * sizeof *out->verdict) };
    c->z->inv = NULL;
    c->z->demand = NULL;
    for (uint32_t v = 0; out->verdict && v < n; v++) {
        out->verdict[v] = c->z->advice[v].verdict;
    }
    return out->verdict || dcp_fail(err, DCP_E_NOMEM, "no memory to size VMs");
}

/* The rightsizing, the request and the answer become those of the attempt. */
static void
settle(struct choice *c, struct attempt *a, struct dcp_plan **plan,
       struct dcp_plan_outcome *outcome)
{
    struct dcp_rightsizing *z = c->z;

    dcp_demand_destroy(z->demand);
    free(z->inv);
    memset(z->n, 0, sizeof z->n);
    for (uint32_t v = 0; v < c->inv->n_vms; v++) {
        z->advice[v].verdict = a->verdict[v];
        z->n[a->verdict[v]]++;
    }
    z->inv = a->inv;
    z->demand = a->demand;
    *plan = a->plan;
    *outcome = a->outcome;
    a->inv = NULL;
    a->demand = NULL;
    a->plan = NULL;
    dcp_rightsizing_ask(z, c->r, c->inv, c->demand);
}

/* Planned with those VMs made smaller that 'keep' names. */
static bool
plan_with(struct choice *c, const struct attempt *all, struct attempt *out,
          struct dcp_error *err)
{
    struct dcp_plan_outcome outcome;
    struct dcp_plan *plan = NULL;

    for (uint32_t v = 0; v < c->inv->n_vms; v++) {
        c->z->advice[v].verdict =
            all->verdict[v] == DCP_SIZE_OVERSIZED && !c->keep[v]
                ? DCP_SIZE_NO_USE
                : all->verdict[v];
    }
    if (!dcp_rightsizing_model(c->z, c->inv, c->demand, err)) {
        return false;
    }
    dcp_rightsizing_ask(c->z, c->r, c->inv, c->demand);
    if (c->limit_s > 0) {
        c->r->solve.time_limit_s = fmax(AGAIN_SHARE * left_s(c), 0.05);
    }
    return dcp_plan_make(c->r, &plan, &outcome, err) &&
           take(c, plan, &outcome, out, err);
}

/* --- Comparing ---------------------------------------------------------- */

/* <0: 'a' is better, by the first level of goals by more than 'margin' of it.
 * No plan is the worst. */
static int
compare(const struct attempt *a, const struct attempt *b, double margin)
{
    const struct dcp_plan_outcome *x = &a->outcome, *y = &b->outcome;
    bool none_x = dcp_rightsizing_no_plan(x);
    bool none_y = dcp_rightsizing_no_plan(y);

    if (none_x || none_y) {
        return none_x - none_y;
    }
    for (uint32_t k = 0; k < x->n_objectives && k < y->n_objectives; k++) {
        double p = k ? x->objectives[k].after : x->after;
        double q = k ? y->objectives[k].after : y->after;
        double least = fmax(k ? SAME : margin, SAME);

        if (fabs(p - q) > least * fmax(fmax(fabs(p), fabs(q)), 1e-9)) {
            return p < q ? -1 : 1;
        }
    }
    return 0;
}

/* --- What a plan rests on ----------------------------------------------- */

struct freed {
    uint32_t vm;
    double amount;
};

static int
by_amount(const void *a, const void *b)
{
    const struct freed *x = a, *y = b;

    if (x->amount != y->amount) {
        return x->amount > y->amount ? -1 : 1;
    }
    return x->vm < y->vm ? -1 : x->vm > y->vm;
}

static uint32_t
list_smaller(const struct choice *c, const struct attempt *all,
             struct freed *out)
{
    uint32_t n = 0;

    for (uint32_t v = 0; v < c->inv->n_vms; v++) {
        if (all->verdict[v] == DCP_SIZE_OVERSIZED) {
            out[n++] =
                (struct freed){ v, dcp_rightsizing_saves(&c->z->advice[v]) };
        }
    }
    if (n > 1) {
        qsort(out, n, sizeof *out, by_amount);
    }
    return n;
}

/* VMs whose vCPUs are licensed, where the goal counts that. */
static void
keep_licensed(const struct choice *c, const struct attempt *all)
{
    bool counts = false;

    for (uint32_t k = 0; k < c->r->goals.n_levels; k++) {
        counts |= dcp_goal_level_has(&c->r->goals.level[k], DCP_GOAL_COST) ||
                  dcp_goal_level_has(&c->r->goals.level[k], DCP_GOAL_LICENCES);
    }
    for (uint32_t k = 0; counts && k < c->inv->n_licences; k++) {
        const struct dcp_licence *l = &c->inv->licences[k];

        for (uint32_t i = 0; l->metric == DCP_LICENCE_VCPU && i < l->vms.n;
             i++) {
            uint32_t v = l->vms.ix[i];
            const struct dcp_size_advice *a = &c->z->advice[v];

            c->keep[v] |= all->verdict[v] == DCP_SIZE_OVERSIZED &&
                          a->to.vcpus < a->from.vcpus;
        }
    }
}

/* What the VM asks for above what it will. */
static void
add_request(const struct dcp_inventory *inv, uint32_t v, uint32_t h, int sign,
            int64_t sum[DCP_SCALARS_MAX])
{
    uint32_t row[DCP_SCALARS_MAX];

    dcp_vm_request(inv, (dcp_vm_id){ v }, inv->hosts[h].hypervisor, row);
    for (uint32_t k = 0; k < DCP_SCALARS_MAX; k++) {
        sum[k] += sign * (int64_t)row[k];
    }
}

static bool
fits(const int64_t sum[DCP_SCALARS_MAX], const struct dcp_capacity *c)
{
    for (uint32_t k = 0; k < DCP_SCALARS_MAX; k++) {
        if (sum[k] > (int64_t)c->scalar[k]) {
            return false;
        }
    }
    return true;
}

/* The fewest resizes, greedily, with which all VMs fit their hosts. */
static bool
keep_what_fits(const struct choice *c, const struct attempt *all,
               const struct dcp_placement *end, const struct freed *list,
               uint32_t n, struct dcp_error *err)
{
    const struct dcp_inventory *inv = c->inv;
    int64_t(*sum)[DCP_SCALARS_MAX] = calloc(inv->n_hosts + 1u, sizeof *sum);

    if (!sum) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to size VMs");
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        uint32_t h = end->host[v].ix;
        bool smaller = all->verdict[v] == DCP_SIZE_OVERSIZED && !c->keep[v];

        if (h != DCP_IX_NONE) { /* Those that grow, as they will be. */
            add_request(smaller ? inv : all->inv, v, h, 1, sum[h]);
        }
    }
    for (uint32_t k = 0; k < n; k++) {
        uint32_t v = list[k].vm, h = end->host[v].ix;
        struct dcp_capacity usable;

        if (h == DCP_IX_NONE || c->keep[v]) {
            continue;
        }
        usable = dcp_host_usable(inv, (dcp_host_id){ h });
        if (!fits(sum[h], &usable)) {
            add_request(inv, v, h, -1, sum[h]);
            add_request(all->inv, v, h, 1, sum[h]);
            c->keep[v] = 1;
        }
    }
    free(sum);
    return true;
}

/* Half of those that are not yet made smaller. */
static void
keep_more(struct choice *c, const struct freed *list, uint32_t n)
{
    uint32_t left = 0, taken = 0;

    for (uint32_t k = 0; k < n; k++) {
        left += !c->keep[list[k].vm];
    }
    for (uint32_t k = 0; k < n && taken < (left + 1) / 2; k++) {
        taken += !c->keep[list[k].vm];
        c->keep[list[k].vm] = 1;
    }
}

/* With fewer than all, as few as are found to be as good. */
static bool
narrow(struct choice *c, struct attempt *all, struct dcp_error *err)
{
    DCP_FREE struct freed *list = calloc(c->inv->n_vms + 1u, sizeof *list);
    uint32_t n;

    if (!list) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to size VMs");
    }
    n = list_smaller(c, all, list);
    memset(c->keep, 0, c->inv->n_vms);
    keep_licensed(c, all);
    for (uint32_t l = 0; l < all->plan->n_legs; l++) {
        if (!keep_what_fits(c, all, all->plan->legs[l].after, list, n, err)) {
            return false;
        }
    }
    for (uint32_t k = 0; k < NARROWINGS; k++) {
        struct attempt few = { 0 };
        uint32_t n_kept = 0;

        for (uint32_t i = 0; i < n; i++) {
            n_kept += c->keep[list[i].vm];
        }
        if (n_kept == n || (c->limit_s > 0 && left_s(c) <= 0)) {
            break;
        }
        if (!plan_with(c, all, &few, err)) {
            attempt_finish(&few);
            return false;
        }
        if (compare(&few, all, 0) <= 0) {
            struct attempt worse = *all;

            *all = few;
            attempt_finish(&worse);
            break;
        }
        attempt_finish(&few);
        keep_more(c, list, n);
    }
    return true;
}

/* --- All of it ---------------------------------------------------------- */

struct dcp_rightsizing_limits
dcp_rightsizing_limits(const struct dcp_solve_options *o)
{
    double limit_s = o->time_limit_s > 0 ? o->time_limit_s
                     : o->iterations     ? 0
                                         : DEFAULT_S;

    return (struct dcp_rightsizing_limits){ limit_s, FIRST_SHARE * limit_s };
}

bool
dcp_rightsizing_choose(struct dcp_rightsizing *z, struct dcp_plan_request *r,
                       const struct dcp_inventory *inv,
                       const struct dcp_demand *demand, double limit_s,
                       int64_t began_ms, struct dcp_plan **plan,
                       struct dcp_plan_outcome *outcome, struct dcp_error *err)
{
    struct attempt all = { 0 }, none = { 0 };
    struct choice c = { .z = z,
                        .r = r,
                        .inv = inv,
                        .demand = demand,
                        .keep = calloc(inv->n_vms + 1u, 1),
                        .limit_s = limit_s,
                        .began_ms = began_ms };
    bool ok =
        c.keep || dcp_fail(err, DCP_E_NOMEM, "no memory to choose resizes");

    ok = ok && take(&c, *plan, outcome, &all, err);
    *plan = c.keep ? NULL : *plan; /* It was taken. */
    if (ok) {
        keep_licensed(&c, &all);
    }
    ok = ok && plan_with(&c, &all, &none, err);
    if (ok && compare(&all, &none, inv->policy.min_gain_frac) < 0) {
        ok = !all.plan || narrow(&c, &all, err);
        if (ok) {
            settle(&c, &all, plan, outcome);
        }
    } else if (ok) {
        settle(&c, &none, plan, outcome);
    }
    attempt_finish(&all);
    attempt_finish(&none);
    free(c.keep);
    return ok;
}
