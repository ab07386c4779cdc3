/* SPDX-License-Identifier: GPL-3.0-or-later */

/* One history told in two ways: hosts in another order, every sample as two,
 * clocks and demand in other units, an idle host more. */

#include "tests/support/random_events.h"
#include "tests/unit/run_suite.h"

#include <math.h>

enum { RUNS = 60 };

static void
replay(const struct random_events *r, const struct dcp_samples *samples,
       struct dcp_sim_result *out)
{
    struct dcp_sim_input in = random_events_input(r);
    struct dcp_error err = { 0 };

    in.cpu = samples ? samples : in.cpu;
    ck_assert_msg(dcp_simulate(&in, out, &err), "%s", err.message);
}

static void
check_near(double is, double should)
{
    ck_assert_double_eq_tol(is, should, 1e-9 * fabs(should) + 1e-9);
}

/* 'scale': of all that is in MHz. */
static void
check_same(const struct dcp_sim_result *a, const struct dcp_sim_result *b,
           double scale)
{
    check_near(b->it_kwh, a->it_kwh);
    check_near(b->boot_kwh, a->boot_kwh);
    check_near(b->standby_kwh, a->standby_kwh);
    check_near(b->hosts_on_mean, a->hosts_on_mean);
    check_near(b->overload_host_s, a->overload_host_s);
    check_near(b->requested_mhz_s, scale * a->requested_mhz_s);
    check_near(b->unmet_cpu_mhz_s, scale * a->unmet_cpu_mhz_s);
    check_near(b->degraded_mhz_s, scale * a->degraded_mhz_s);
    ck_assert_uint_eq(a->migrations, b->migrations);
    ck_assert_uint_eq(a->migrations_failed, b->migrations_failed);
    ck_assert_uint_eq(a->host_shutdowns, b->host_shutdowns);
    ck_assert_uint_eq(a->host_boots, b->host_boots);
}

/* --- Hosts in another order --------------------------------------------- */

static uint32_t
mirrored(uint32_t host)
{
    return host == DCP_IX_NONE ? host : EVENTS_HOSTS - 1 - host;
}

static void
mirror_object(struct dcp_object *object)
{
    if (object->kind == DCP_OBJECT_HOST) {
        object->ix = mirrored(object->ix);
    }
}

static void
mirror(struct random_events *r)
{
    struct dcp_inventory *inv = r->f.inv;
    struct dcp_host *hosts =
        dcp_arena_array(inv->arena, struct dcp_host, EVENTS_HOSTS);

    for (uint32_t h = 0; h < EVENTS_HOSTS; h++) {
        hosts[mirrored(h)] = inv->hosts[h];
    }
    inv->hosts = hosts;
    for (uint32_t v = 0; v < EVENTS_VMS; v++) {
        r->f.plan->before->host[v].ix = mirrored(r->f.plan->before->host[v].ix);
    }
    for (uint32_t i = 0; i < EVENTS_MAX; i++) {
        mirror_object(&r->steps[i].object);
        mirror_object(&r->steps[i].from);
        mirror_object(&r->steps[i].to);
    }
}

START_TEST(the_order_of_hosts_changes_nothing)
{
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        struct random_events r;
        struct dcp_sim_result a, b;

        random_events_make(&r, seed);
        replay(&r, NULL, &a);
        mirror(&r);
        replay(&r, NULL, &b);
        check_same(&a, &b, 1);
        for (uint32_t h = 0; h < EVENTS_HOSTS; h++) {
            check_near(b.hosts[mirrored(h)].it_j, a.hosts[h].it_j);
            check_near(b.hosts[mirrored(h)].unmet_mhz_s,
                       a.hosts[h].unmet_mhz_s);
            check_near(b.hosts[mirrored(h)].switching_s,
                       a.hosts[h].switching_s);
        }
        for (uint32_t v = 0; v < EVENTS_VMS; v++) {
            check_near(b.vm_unmet_mhz_s[v], a.vm_unmet_mhz_s[v]);
            ck_assert_uint_eq(b.end->host[v].ix, mirrored(a.end->host[v].ix));
        }
        dcp_sim_result_finish(&a);
        dcp_sim_result_finish(&b);
        random_events_finish(&r);
    }
}
END_TEST

/* --- Samples ------------------------------------------------------------ */

START_TEST(each_sample_as_two_changes_nothing)
{
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        float values[2 * EVENTS_TIMES * EVENTS_VMS];
        struct random_events r;
        struct dcp_sim_result a, b;

        random_events_make(&r, seed);
        struct dcp_samples twice = { r.samples.start_ms, EVENTS_STEP_MS / 2,
                                     2 * EVENTS_TIMES, EVENTS_VMS, values };

        for (uint32_t t = 0; t < 2 * EVENTS_TIMES; t++) {
            memcpy(values + t * EVENTS_VMS, r.values + t / 2 * EVENTS_VMS,
                   EVENTS_VMS * sizeof *values);
        }
        replay(&r, NULL, &a);
        replay(&r, &twice, &b);
        check_same(&a, &b, 1);
        dcp_sim_result_finish(&a);
        dcp_sim_result_finish(&b);
        random_events_finish(&r);
    }
}
END_TEST

/* Clocks four times as fast, demand four times as large. */
START_TEST(other_units_change_only_themselves)
{
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        float values[EVENTS_TIMES * EVENTS_VMS];
        struct random_events r;
        struct dcp_sim_result a, b;
        struct dcp_hardware fast[2];

        random_events_make(&r, seed);
        struct dcp_samples larger = r.samples;

        larger.value = values;
        for (uint32_t i = 0; i < EVENTS_TIMES * EVENTS_VMS; i++) {
            values[i] = 4 * r.values[i];
        }
        replay(&r, NULL, &a);
        for (int i = 0; i < 2; i++) {
            fast[i] = r.f.inv->hardware[i];
            fast[i].clock_mhz *= 4;
        }
        r.f.inv->hardware = fast;
        replay(&r, &larger, &b);
        check_same(&a, &b, 4);
        check_near(b.slatah_frac, a.slatah_frac);
        check_near(b.pdm_frac, a.pdm_frac);
        check_near(b.average_slav, a.average_slav);
        dcp_sim_result_finish(&a);
        dcp_sim_result_finish(&b);
        random_events_finish(&r);
    }
}
END_TEST

/* --- An idle host more -------------------------------------------------- */

static void
add_idle_host(struct random_events *r)
{
    struct dcp_inventory *inv = r->f.inv;
    struct dcp_host *hosts =
        dcp_arena_array(inv->arena, struct dcp_host, EVENTS_HOSTS + 1);

    memcpy(hosts, inv->hosts, EVENTS_HOSTS * sizeof *hosts);
    hosts[EVENTS_HOSTS] = hosts[0];
    hosts[EVENTS_HOSTS].name = "idle";
    inv->hosts = hosts;
    inv->n_hosts = EVENTS_HOSTS + 1;
    dcp_placement_destroy(r->f.plan->before);
    r->f.plan->before = dcp_placement_start(inv, NULL);
    ck_assert_ptr_nonnull(r->f.plan->before);
}

START_TEST(an_idle_host_more_draws_its_idle_watts)
{
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        struct random_events r;
        struct dcp_sim_result a, b;

        random_events_make(&r, seed);
        replay(&r, NULL, &a);
        add_idle_host(&r);
        replay(&r, NULL, &b);
        double seconds = (double)(r.to_ms - r.from_ms) / 1000;
        double watts =
            r.f.inv->hardware[r.f.inv->hosts[0].hardware.ix].power_w[0];

        check_near(b.it_kwh, a.it_kwh + watts * seconds / 3.6e6);
        check_near(b.hosts[EVENTS_HOSTS].it_j, watts * seconds);
        check_near(b.hosts_on_mean, a.hosts_on_mean + 1);
        b.it_kwh = a.it_kwh;
        b.hosts_on_mean = a.hosts_on_mean;
        check_same(&a, &b, 1);
        dcp_sim_result_finish(&a);
        dcp_sim_result_finish(&b);
        random_events_finish(&r);
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &the_order_of_hosts_changes_nothing,
        &each_sample_as_two_changes_nothing,
        &other_units_change_only_themselves,
        &an_idle_host_more_draws_its_idle_watts,
    };

    return RUN_TESTS("sim_metamorphic", tests);
}
