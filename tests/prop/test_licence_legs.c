/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Owned licences over an evening and a morning.  Tiny models whose licences
 * bind: every pair of a night and a day is tried by brute force, with units
 * counted here once more.  No plan needs more than is owned (or than where VMs
 * were needs) at the end of either leg, over all that held before; the checker
 * agrees; what is said to be infeasible is, no bound is above the best pair, no
 * plan below it. */

#include "solver/plan/planner.h"
#include "tests/support/night.h"
#include "tests/support/random_model.h"
#include "tests/support/verdict.h"
#include "tests/unit/run_suite.h"

#include <math.h>
#include <stdio.h>

enum { HOSTS_MAX = 4, VMS_MAX = 4, SLOTS = WORLD_SLOTS, NIGHT = 2 };

static struct sample
tiny(uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "legs", 0);

    return (struct sample){ .seed = seed,
                            .n_hosts = 2 + draw(&rng, HOSTS_MAX - 1u),
                            .n_vms = 2 + draw(&rng, VMS_MAX - 1u) };
}

/* --- Models ------------------------------------------------------------- */

static struct dcp_licence
licence(struct world *w, struct dcp_rng *rng, uint32_t n_vms)
{
    uint32_t covered[VMS_MAX], n = 0;

    for (uint32_t v = 0; v < n_vms; v++) {
        if (chance(rng, 75)) {
            covered[n++] = v;
        }
    }
    return (struct dcp_licence){
        .name = "l",
        .vms = { world_ids(w, n, covered), n },
        .metric = chance(rng, 60) ? DCP_LICENCE_HOST
                                  : (enum dcp_licence_metric)draw(rng, 6),
        .scope = (enum dcp_licence_scope)draw(rng, 3),
        .minimum = draw(rng, 3),
        .factor = 1,
        .guests_free_on_host = chance(rng, 30),
        .guests_per_cover = chance(rng, 30) ? 1 + draw(rng, 2) : 0,
        .price_per_year = 1 + draw(rng, 20),
        .owned = 1 + draw(rng, 3),
    };
}

static struct world
tiny_model(const struct sample *s)
{
    struct world w = world_make(s->n_hosts, s->n_vms);
    struct dcp_rng rng = dcp_rng_stream(s->seed, "legs", 1);
    struct dcp_licence *l = WORLD_NEW(&w, struct dcp_licence, 2);
    struct dcp_policy *policy = &w.inv->policy;

    for (uint32_t v = 0; v < s->n_vms; v++) {
        struct dcp_rng vm = dcp_rng_stream(s->seed, "vm", v);

        /* Packed, so that days want more hosts than the start needs. */
        w.vms[v].host.ix = draw(&vm, chance(&vm, 70) ? 1 : s->n_hosts);
        w.vms[v].vcpus = 1 + draw(&vm, 3);
        w.vms[v].mem_mib = 1000 + draw(&vm, 20000);
        world_need(&w, v, 200 + draw(&vm, 4000));
        w.cpu_mhz[v * w.demand.stride + NIGHT] = 1000 + draw(&vm, 6000);
    }
    w.inv->n_licences = 1 + draw(&rng, 2);
    for (uint32_t k = 0; k < w.inv->n_licences; k++) {
        l[k] = licence(&w, &rng, s->n_vms);
    }
    w.inv->licences = l;
    policy->licences = DCP_LICENCES_OWNED;
    policy->keep_on = 1;
    policy->min_gain_frac = 0;
    policy->morning_lead_ms = 0;
    policy->migration_kib_s = 1000000;
    policy->unpack = chance(&rng, 30) ? DCP_UNPACK_HOME : DCP_UNPACK_NEEDED;
    return w;
}

/* --- Brute force -------------------------------------------------------- */

struct brute {
    const struct world *w;
    struct dcp_placement *at[3]; /* Start, night and day. */
    bool by_licences;            /* The goal; else hosts. */
    double best;                 /* INFINITY: no pair. */
};

/* Covered VMs (or what they count) on the host in one placement. */
static double
covered(const struct brute *b, const struct dcp_licence *l, uint32_t time,
        uint32_t host, bool weighed)
{
    double sum = 0;

    for (uint32_t i = 0; i < l->vms.n; i++) {
        uint32_t v = l->vms.ix[i];
        double vcpus = fmax(b->w->vms[v].vcpus, l->minimum);

        if (b->at[time]->host[v].ix == host) {
            sum += weighed ? vcpus : 1;
        }
    }
    return sum;
}

/* All hosts have 1 socket of 10 cores. */
static double
host_units(const struct dcp_licence *l, double vms, double vcpus)
{
    double covers = 1, counted = l->metric == DCP_LICENCE_CORE ? 10 : 1;

    if (vms == 0) {
        return 0;
    }
    if (l->metric == DCP_LICENCE_VM) {
        return l->guests_free_on_host ? 1 : vms;
    }
    if (l->metric == DCP_LICENCE_VCPU) {
        return l->guests_free_on_host ? fmin(vcpus, 10) : vcpus;
    }
    if (l->guests_per_cover && !l->guests_free_on_host) {
        covers = ceil(vms / l->guests_per_cover);
    }
    return covers * fmax(l->minimum, counted);
}

/* Units over the first 'n' times. */
static double
units(const struct brute *b, const struct dcp_licence *l, uint32_t n)
{
    bool by_vm = l->metric == DCP_LICENCE_VM || l->metric == DCP_LICENCE_VCPU;
    bool follows = by_vm && !l->guests_free_on_host;
    double most = 0, by_host = 0;

    for (uint32_t t = 0; t < n; t++) {
        double sum = 0;

        for (uint32_t h = 0; h < b->w->inv->n_hosts; h++) {
            sum += host_units(l, covered(b, l, t, h, false),
                              covered(b, l, t, h, true));
        }
        most = fmax(most, sum);
    }
    if (l->scope == DCP_LICENCE_PLACED || follows) {
        return most;
    }
    for (uint32_t h = 0; h < b->w->inv->n_hosts; h++) {
        /* Every host is within reach of every VM here. */
        double vms = l->scope == DCP_LICENCE_REACHABLE && !by_vm && l->vms.n;
        double vcpus = 0;

        for (uint32_t t = 0; t < n; t++) {
            vms = fmax(vms, covered(b, l, t, h, false));
            vcpus = fmax(vcpus, covered(b, l, t, h, true));
        }
        by_host += host_units(l, vms, vcpus);
    }
    return by_host;
}

/* Whether the first 'n' times need no more than they may. */
static bool
within_pools(const struct brute *b, uint32_t n)
{
    for (uint32_t k = 0; k < b->w->inv->n_licences; k++) {
        const struct dcp_licence *l = &b->w->inv->licences[k];

        if (units(b, l, n) > fmax(l->owned, units(b, l, 1))) {
            return false;
        }
    }
    return true;
}

static bool
holds(const struct brute *b, uint32_t time, uint32_t last_slot)
{
    const struct dcp_placement *p = b->at[time];

    for (uint32_t h = 0; h < b->w->inv->n_hosts; h++) {
        for (uint32_t t = 0; t < last_slot; t++) {
            uint32_t mhz = 0;

            for (uint32_t v = 0; v < b->w->inv->n_vms; v++) {
                mhz += p->host[v].ix == h
                           ? b->w->cpu_mhz[v * b->w->demand.stride + t]
                           : 0;
            }
            if (mhz > 10000) {
                return false;
            }
        }
    }
    return true;
}

static double
hosts_used(const struct brute *b, uint32_t time)
{
    uint32_t used = 0;

    for (uint32_t v = 0; v < b->w->inv->n_vms; v++) {
        used |= 1u << b->at[time]->host[v].ix;
    }
    return __builtin_popcount(used);
}

/* Money above what the start needs, of licences that places decide. */
static double
money(const struct brute *b)
{
    double sum = 0;

    for (uint32_t k = 0; k < b->w->inv->n_licences; k++) {
        const struct dcp_licence *l = &b->w->inv->licences[k];
        bool by_vm =
            l->metric == DCP_LICENCE_VM || l->metric == DCP_LICENCE_VCPU;

        if (l->scope != DCP_LICENCE_REACHABLE &&
            !(by_vm && !l->guests_free_on_host)) {
            sum += (units(b, l, 3) - units(b, l, 1)) * l->price_per_year;
        }
    }
    return sum * SLOTS * 3600 / (365.25 * 86400);
}

/* All placements of VMs from 'v' on at time 1, then at time 2. */
static void
try_all(struct brute *b, uint32_t time, uint32_t v)
{
    bool home = b->w->inv->policy.unpack == DCP_UNPACK_HOME;

    if (v == b->w->inv->n_vms) {
        /* Home may be as full as it was. */
        if ((!(home && time == 2) &&
             !holds(b, time, time == 1 ? NIGHT : SLOTS)) ||
            !within_pools(b, time + 1)) {
            return;
        }
        if (time == 1) {
            try_all(b, 2, 0);
        } else {
            b->best =
                fmin(b->best, b->by_licences ? money(b) : hosts_used(b, 1));
        }
        return;
    }
    for (uint32_t h = 0; h < b->w->inv->n_hosts; h++) {
        if (time == 2 && home && h != b->at[0]->host[v].ix) {
            continue;
        }
        b->at[time]->host[v].ix = h;
        try_all(b, time, v + 1);
    }
}

/* --- Properties --------------------------------------------------------- */

static uint32_t n_plans, n_nothing, n_infeasible, n_unanswered, n_best, n_bind;
static uint32_t n_missed; /* Unanswered, and some pair is legal. */

static bool
plan_is_right(struct brute *b, const struct world *w,
              const struct dcp_plan *plan, char why[WHY])
{
    size_t bytes = w->inv->n_vms * sizeof *b->at[1]->host;

    memcpy(b->at[1]->host, plan->legs[0].after->host, bytes);
    memcpy(b->at[2]->host, plan->legs[1].after->host, bytes);
    if (!within_pools(b, 2) || !within_pools(b, 3)) {
        (void)snprintf(why, WHY, "more units than there are, %s",
                       within_pools(b, 2) ? "by day" : "at night");
        return false;
    }
    return plan_passes(w, plan, why, WHY);
}

static bool
legs_are_as_brute_force(const struct sample *s, char why[WHY])
{
    struct world w = tiny_model(s);
    struct brute b = { .w = &w, .best = INFINITY, .by_licences = s->seed % 2 };
    struct dcp_plan_outcome o;
    DCP_AUTO(dcp_plan) struct dcp_plan *plan = NULL;
    struct dcp_error err = { 0 };

    for (uint32_t t = 0; t < 3; t++) {
        b.at[t] = dcp_placement_start(w.inv, NULL);
    }
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(w.inv, NULL);
    struct dcp_plan_request r = night_request(
        &w, start, NIGHT, b.by_licences ? DCP_GOAL_LICENCES : DCP_GOAL_HOSTS);

    r.solve = (struct dcp_solve_options){ .seed = s->seed, .iterations = 60 };
    bool ok = dcp_plan_make(&r, &plan, &o, &err);

    try_all(&b, 1, 0);
    (void)snprintf(why, WHY, "%.60s %s: %g, bound %g, best pair %g; %.99s",
                   err.message, dcp_status_name(o.status), o.after,
                   o.lower_bound, b.best, o.because.text);
    double slack = 1e-6 * fmax(1, fabs(b.best));

    if (ok && o.status == DCP_STATUS_INFEASIBLE) {
        ok = isinf(b.best);
        n_infeasible++;
    } else if (ok && (plan || o.status == DCP_STATUS_NOTHING_TO_DO)) {
        ok = o.lower_bound <= b.best + slack && o.after >= b.best - slack;
        n_best += o.after <= b.best + slack;
        n_plans += plan != NULL;
        n_nothing += !plan;
    } else {
        n_unanswered++;
        n_missed += !isinf(b.best);
    }
    if (ok && plan) {
        ok = plan_is_right(&b, &w, plan, why);
    }
    double bound_best = b.best;

    for (uint32_t k = 0; k < w.inv->n_licences; k++) {
        ((struct dcp_licence *)(size_t)&w.inv->licences[k])->owned = 1000;
    }
    b.best = INFINITY;
    try_all(&b, 1, 0);
    n_bind += b.best < bound_best;
    for (uint32_t t = 0; t < 3; t++) {
        dcp_placement_destroy(b.at[t]);
    }
    world_free(&w);
    return ok;
}

START_TEST(pools_bind_over_both_legs)
{
    try_samples(tiny, legs_are_as_brute_force, part_of(400));
    printf("%u plans, %u with nothing to do, %u infeasible, %u unanswered (%u "
           "have an answer); %u have the best value of all pairs; pools bind "
           "in %u\n",
           n_plans, n_nothing, n_infeasible, n_unanswered, n_missed, n_best,
           n_bind);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &pools_bind_over_both_legs,
    };

    return RUN_TESTS("licence_legs", tests);
}
