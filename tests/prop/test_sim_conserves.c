/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Random histories, two of three with shares, limits and reservations, a third
 * with warm-ups, half with guests that migrations slow down, every slice
 * audited by a second bookkeeper: each VM is in one place (while it moves, at
 * its source), nothing is served beyond capacity or demand, host time adds up,
 * two integrators of energy agree, time never goes back, and VMs' time with a
 * place is what its watch says. */

#include "sim/output/served.h"
#include "tests/support/random_events.h"
#include "tests/support/sim_audit.h"
#include "tests/unit/run_suite.h"

enum { RUNS = 150 };

static double
total_unmet(const struct dcp_sim_result *r)
{
    double sum = 0;

    for (uint32_t v = 0; v < r->n_vms; v++) {
        sum += r->vm_unmet_mhz_s[v];
    }
    return sum;
}

static void
audit_totals(const struct audit *a, const struct dcp_sim_result *r)
{
    double it_j = 0, asked = 0, unmet = 0, overload_s = 0;

    for (uint32_t h = 0; h < r->n_hosts; h++) {
        it_j += a->hosts[h].it_j;
        asked += a->hosts[h].asked_mhz_s;
        unmet += a->hosts[h].unmet_mhz_s;
        overload_s += a->hosts[h].overload_s;
    }
    audit_same(r->it_kwh * 3.6e6, it_j, "energy", r->n_slices);
    audit_same(r->requested_mhz_s, asked, "demand", r->n_slices);
    audit_same(r->unmet_cpu_mhz_s, unmet, "unmet demand", r->n_slices);
    audit_same(total_unmet(r), unmet, "VMs' unmet demand", r->n_slices);
    audit_same(r->overload_host_s, overload_s, "overload", r->n_slices);
    audit_same(r->warmup_mhz_s, a->warmup_mhz_s, "warm-ups", r->n_slices);
}

static bool
see_served(void *user, const struct dcp_sim_event *e, struct dcp_error *err)
{
    (void)err;
    dcp_served_see(user, e);
    return true;
}

/* One or two for each migration in the window, the latest first, some after its
 * end, some of a migration that never was. */
static uint32_t
random_slowdowns(const struct random_events *r, uint64_t seed,
                 struct dcp_slowdown out[2 * EVENTS_MAX])
{
    struct dcp_rng rng = dcp_rng_stream(seed, "slowdowns", 0);
    uint32_t n = 0;

    for (uint32_t i = r->n; seed % 2 && i-- > 0;) {
        const struct dcp_sim_event *e = &r->events[i];

        if (e->step->kind != DCP_STEP_MIGRATE ||
            e->phase != DCP_ACTION_STARTED || e->at_ms < r->from_ms) {
            continue;
        }
        for (uint64_t k = dcp_rng_below(&rng, 2) + 1; k > 0; k--) {
            out[n++] = (struct dcp_slowdown){
                e->at_ms + 1 + (int64_t)dcp_rng_below(&rng, 600000),
                e->step->object.ix,
                e->step->id + (dcp_rng_below(&rng, 4) == 0),
                0.99 * dcp_rng_unit(&rng)
            };
        }
    }
    return n;
}

START_TEST(random_histories_add_up)
{
    uint32_t n_overloaded = 0, n_switched = 0, n_held = 0;
    uint32_t n_warmed = 0, n_slowed = 0;

    for (uint64_t seed = 0; seed < RUNS; seed++) {
        struct random_events r;
        struct audit a;
        struct dcp_sim_result out;
        struct dcp_slowdown slowdowns[2 * EVENTS_MAX];
        struct dcp_error err = { 0 };

        random_events_make(&r, seed);
        if (seed % 3) {
            random_events_control(&r, seed);
        }
        struct dcp_sim_watch w = audit_watch(&a);
        struct dcp_sim_input in = random_events_input(&r);
        struct dcp_served *served = dcp_served_create(&in, &err);
        const struct dcp_sim_watch seen = { .event = see_served,
                                            .user = served };
        const struct dcp_sim_watch *const watches[] = { &w, &seen };

        ck_assert_ptr_nonnull(served);
        in.watches = watches;
        in.n_watches = 2;
        in.n_slowdowns = random_slowdowns(&r, seed, slowdowns);
        in.slowdowns = slowdowns;
        audit_begin(&a, &in);
        ck_assert_msg(dcp_simulate(&in, &out, &err), "seed %u: %s",
                      (unsigned)seed, err.message);
        ck_assert_uint_eq(a.slice, out.n_slices);
        ck_assert_uint_gt(a.n_events, 20);
        audit_totals(&a, &out);
        for (uint32_t v = 0; v < out.n_vms; v++) {
            audit_same((double)dcp_served_ms(served, in.to_ms)[v] / 1000,
                       a.vm_served_s[v], "time with a place", out.n_slices);
        }
        dcp_served_destroy(served);
        n_overloaded += out.overload_host_s > 0;
        n_switched += out.host_shutdowns;
        n_held += out.held_mhz_s > 0;
        n_warmed += out.warmup_mhz_s > 0;
        n_slowed += out.slowed_mhz_s > 0;
        dcp_sim_result_finish(&out);
        random_events_finish(&r);
    }
    ck_assert_uint_gt(n_overloaded, RUNS / 2);
    ck_assert_uint_gt(n_switched, RUNS);
    ck_assert_uint_gt(n_held, RUNS / 2);
    ck_assert_uint_gt(n_warmed, RUNS / 5);
    ck_assert_uint_gt(n_slowed, RUNS / 5);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = { &random_histories_add_up };

    return run_tests("sim_conserves", tests, 1);
}
