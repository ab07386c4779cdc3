/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Parking on random small datacenters with applications: the planner's plans
 * are legal in every order and keep what model/park.h promises, recounted
 * here; plans that were spoilt are refused. */

#include "model/base/units.h"
#include "model/park.h"
#include "solver/plan/planner.h"
#include "tests/support/night.h"
#include "tests/support/random_joint.h"
#include "tests/support/verdict.h"
#include "tests/unit/run_suite.h"

#include <stdio.h>

enum { APPS = 3 };

static struct sample
small(uint64_t seed)
{
    return small_sample(seed, "parking", 8, RANDOM_RULES_MAX);
}

/* A part of the VMs in three applications, started in the table's order or the
 * other way round; half of them may be parked. */
static struct world
model_of(const struct sample *s)
{
    struct world w = random_model(s);
    struct dcp_rng rng = dcp_rng_stream(s->seed, "parking", 1);
    struct dcp_application *apps = WORLD_NEW(&w, struct dcp_application, APPS);
    struct dcp_park *park = WORLD_NEW(&w, struct dcp_park, 1);
    uint32_t *may = WORLD_NEW(&w, uint32_t, s->n_vms), n_may = 0;

    for (uint32_t a = 0; a < APPS; a++) {
        uint32_t *ids = WORLD_NEW(&w, uint32_t, s->n_vms), n = 0;

        for (uint32_t v = 0; v < s->n_vms; v++) {
            if (v % 5 == a) {
                ids[n++] = v;
                w.vms[v].application.ix = a;
            } else if (a == 0) {
                w.vms[v].application = dcp_application_none();
            }
        }
        for (uint32_t i = 0; a == 1 && i < n / 2; i++) {
            uint32_t id = ids[i];

            ids[i] = ids[n - 1 - i];
            ids[n - 1 - i] = id;
        }
        apps[a] = (struct dcp_application){ .name = "app", .vms = { ids, n } };
    }
    for (uint32_t v = 0; v < s->n_vms; v++) {
        if (v % 5 == 1 || chance(&rng, 50)) {
            may[n_may++] = v;
        }
    }
    /* WORLD_T0 is 20:00; the night ends at 24:00. */
    *park = (struct dcp_park){ .vms = { may, n_may },
                               .window = { 19 * 60, 7 * 60 },
                               .shutdown = chance(&rng, 30),
                               .wake_min = chance(&rng, 80) ? 0 : 23 * 60,
                               .rate_kib_s = 4000000 };
    w.inv->applications = apps;
    w.inv->n_applications = APPS;
    w.inv->parks = park;
    w.inv->n_parks = 1;
    w.inv->policy.parks_at_once = 1 + draw(&rng, 3);
    if (chance(&rng, 30)) {
        w.pools[0].capacity_mib = 20000 + draw(&rng, 60000);
    }
    if (s->seed % 4 == 1) {
        random_joint(&w, s->seed);
    }
    return w;
}

static const struct dcp_step *
step_of(const struct dcp_plan *plan, enum dcp_step_kind kind, uint32_t vm)
{
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        if (plan->steps[i].kind == kind && plan->steps[i].object.ix == vm) {
            return &plan->steps[i];
        }
    }
    return NULL;
}

/* Is step 'a' always done when 'b' starts? */
static bool
before(const struct dcp_plan *plan, uint32_t a, uint32_t b)
{
    const struct dcp_step *s = &plan->steps[b - 1];

    for (uint32_t i = 0; i < s->n_after; i++) {
        if (s->after[i] == a || before(plan, a, s->after[i])) {
            return true;
        }
    }
    return false;
}

/* The largest set of steps of one kind and place that may run together, by
 * trying every subset. */
static uint32_t
most_at_once(const struct world *w, const struct dcp_plan *plan,
             enum dcp_step_kind kind, uint32_t pool)
{
    uint32_t ids[16], n = 0, most = 0;

    for (uint32_t i = 0; i < plan->n_steps && n < 12; i++) {
        const struct dcp_step *s = &plan->steps[i];

        if (s->kind == kind && dcp_park_pool(w->inv, s->object.ix).ix == pool) {
            ids[n++] = s->id;
        }
    }
    for (uint32_t set = 1; set < 1u << n; set++) {
        bool together = true;

        for (uint32_t i = 0; together && i < n; i++) {
            for (uint32_t k = 0; together && k < i; k++) {
                together = !(set >> i & 1) || !(set >> k & 1) ||
                           !before(plan, ids[k], ids[i]);
            }
        }
        uint32_t size = (uint32_t)__builtin_popcount(set);

        most = together && size > most ? size : most;
    }
    return most;
}

static uint32_t n_parked, n_plans, n_spoilt, n_refused;

static bool
promises_hold(const struct world *w, const struct dcp_plan *plan, char why[WHY])
{
    for (uint32_t v = 0; v < w->inv->n_vms; v++) {
        const struct dcp_step *down = step_of(plan, DCP_STEP_VM_PARK, v);
        const struct dcp_step *up = step_of(plan, DCP_STEP_VM_RESTORE, v);

        n_parked += down != NULL;
        if ((down != NULL) != (up != NULL) ||
            (down && !dcp_park_of(w->inv, v)) ||
            dcp_host_is_none(plan->legs[1].after->host[v])) {
            (void)snprintf(why, WHY, "VM %u is not back, or may not go", v);
            return false;
        }
    }
    for (uint32_t p = 0; p < w->inv->n_pools; p++) {
        if (most_at_once(w, plan, DCP_STEP_VM_PARK, p) >
                w->inv->policy.parks_at_once ||
            most_at_once(w, plan, DCP_STEP_VM_RESTORE, p) >
                w->inv->policy.parks_at_once) {
            (void)snprintf(why, WHY, "too many at one time in pool %u", p);
            return false;
        }
    }
    return true;
}

/* A step of an application no longer waits, or policy has changed its mind. */
static void
spoil(struct world *w, struct dcp_plan *plan, uint32_t round)
{
    struct dcp_step *steps = (struct dcp_step *)(size_t)plan->steps;
    struct dcp_park *park = (struct dcp_park *)(size_t)w->inv->parks;

    switch (round) {
    case 0:
        for (uint32_t i = 0; i < plan->n_steps; i++) {
            if (steps[i].kind == DCP_STEP_VM_PARK) {
                steps[i].n_after = 0;
            }
        }
        break;
    case 1:
        park->wake_min = 23 * 60; /* Before the night ends. */
        break;
    case 2:
        park->vms.n /= 2;
        break;
    case 3:
        park->window = (struct dcp_window){ 21 * 60, 7 * 60 };
        break;
    default:
        break;
    }
}

static bool
parking_is_legal(const struct sample *s, char why[WHY])
{
    bool ok = true;

    for (uint32_t round = 0; ok && round < 5; round++) {
        struct world w = model_of(s);
        DCP_AUTO(dcp_placement)
        struct dcp_placement *start = dcp_placement_start(w.inv, NULL);
        struct dcp_plan_request r =
            night_request(&w, start, RANDOM_NIGHT, DCP_GOAL_ENERGY);

        r.no_park = round == 4;
        r.solve = (struct dcp_solve_options){ .seed = s->seed,
                                              .iterations = 30,
                                              .time_limit_s = 1,
                                              .gap_frac = 0.3 };
        DCP_AUTO(dcp_plan) struct dcp_plan *plan = NULL;
        struct dcp_plan_outcome outcome;
        struct dcp_error err = { 0 };

        ok = dcp_plan_make(&r, &plan, &outcome, &err);
        if (!ok) {
            (void)snprintf(why, WHY, "planner: %s", err.message);
        } else if (plan && plan->n_legs == 2) {
            ok = plan_passes(&w, plan, why, WHY);
            if (ok && round == 0) {
                ok = promises_hold(&w, plan, why);
                n_plans++;
            }
            if (ok && round == 4 && outcome.vms_parked) {
                (void)snprintf(why, WHY, "parked, though told not to");
                ok = false;
            }
            if (ok && round < 4 && outcome.vms_parked > 3) {
                char ignored[WHY];

                spoil(&w, plan, round);
                n_spoilt++;
                n_refused += !plan_passes(&w, plan, ignored, WHY);
                ok = round != 1 || !plan_passes(&w, plan, ignored, WHY);
                if (!ok) {
                    (void)snprintf(why, WHY, "woken too late, not refused");
                }
            }
        }
        world_free(&w);
    }
    return ok;
}

START_TEST(parked_vms_are_back_in_time_and_order)
{
    try_samples(small, parking_is_legal, part_of(60));
    printf("%u plans, %u VMs parked; %u spoilt, %u refused\n", n_plans,
           n_parked, n_spoilt, n_refused);
    if (!getenv("DCP_PROP_SEED")) {
        ck_assert_uint_ge(n_parked, part_of(100));
        ck_assert_uint_ge(n_refused, part_of(20));
    }
}
END_TEST

/* 22:00 in summer time at Brussels is 20:00 UTC. */
START_TEST(windows_and_wake_times_are_local)
{
    static const int64_t from_s[] = { INT64_MIN, 1711846800, 1729990800 };
    static const int32_t offset_s[] = { 3600, 7200, 3600 };
    static const struct dcp_zone zone = { "test", 3, from_s, offset_s };
    struct dcp_inventory inv = { .zone = &zone };
    struct dcp_park park = { .window = { 22 * 60, 6 * 60 },
                             .wake_min = 5 * 60 + 30 };
    int64_t day = dcp_days_from_civil(2024, 6, 1) * DCP_DAY_MS;
    int64_t from = day + 20 * DCP_HOUR_MS;

    ck_assert(dcp_park_allows(&inv, &park, from, from + 7 * DCP_HOUR_MS));
    ck_assert(dcp_park_allows(&inv, &park, from,
                              from + 7 * DCP_HOUR_MS + DCP_HOUR_MS / 2));
    ck_assert(!dcp_park_allows(&inv, &park, from, from + 8 * DCP_HOUR_MS));
    ck_assert(
        !dcp_park_allows(&inv, &park, from - DCP_HOUR_MS, from + DCP_HOUR_MS));
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &parked_vms_are_back_in_time_and_order,
        &windows_and_wake_times_are_local,
    };

    return RUN_TESTS("parking", tests);
}
