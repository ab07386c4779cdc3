/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Failures and restarts where they are a queue whose answer is known: machine
 * repair (M/M/r//N), M/M/c by Erlang's C, k of n by the binomial law.  Each
 * figure is the mean of replications with fixed seeds, and theory has to lie
 * within its 99 % interval, which has to be narrow.
 *
 * Formulas: Erlang, "Solution of some problems in the theory of probabilities",
 * 1917; Gross, Shortle, Thompson, Harris, "Fundamentals of Queueing Theory",
 * 4th edition, sections 2.4 (M/M/c) and 2.8 (finite source); Barlow and
 * Proschan, "Statistical Theory of Reliability and Life Testing", 1975, 2.1
 * (k of n). */

#include "sim/failure/availability.h"
#include "sim/stats/interval.h"
#include "tests/unit/ledger_fixture.h"
#include "tests/unit/run_suite.h"

#include <math.h>
#include <stdlib.h>

#define HOUR      (3600 * INT64_C(1000))
#define N_MAX     40
#define SURE_FRAC 0.99

static struct dcp_inventory *inv;
static struct dcp_placement *start;

/* Hosts of one VM each: a VM whose host is down has no home until some host is
 * back, so that as many VMs are down as hosts, but for 'boot_ms'. */
static void
setup_hosts(uint32_t n)
{
    struct dcp_hardware *hw = calloc(n, sizeof *hw);
    uint32_t *vcpus = calloc(n, sizeof *vcpus);

    ck_assert(hw && vcpus);
    for (uint32_t i = 0; i < n; i++) {
        hw[i] = fixture_hardware(1, 4);
        hw[i].mem_mib = 8192;
        hw[i].boot_ms = 1;
        vcpus[i] = 1;
    }
    inv = fixture_create(hw, n, vcpus, n);
    for (uint32_t v = 0; v < n; v++) {
        fixture_vm(inv, v)->mem_mib = 8192;
        fixture_vm(inv, v)->restart_priority = DCP_RESTART_NORMAL;
    }
    start = dcp_placement_create(inv, NULL);
    for (uint32_t v = 0; v < n; v++) {
        start->host[v].ix = v;
    }
    free(hw);
    free(vcpus);
}

static void
teardown(void)
{
    dcp_placement_destroy(start);
    dcp_inventory_destroy(inv);
    start = NULL;
    inv = NULL;
}

static void
draw(const char *spec, uint64_t seed, int64_t to_ms, struct dcp_outages *out)
{
    struct dcp_failure_spec s;
    struct dcp_outages all = { 0 };

    ck_assert(dcp_failure_spec_parse(spec, &s, NULL));
    s.all_up_at_start = false;
    ck_assert(dcp_failure_generate(inv, &s, seed, 0, to_ms, &all, NULL));
    ck_assert(dcp_outages_of_hosts(inv, &all, out, NULL, NULL));
    dcp_outages_finish(&all);
}

/* Availability of VMs, and of the first application, in one replication. */
static void
run_restarts(const char *spec, uint64_t seed, int64_t to_ms, double *out_vms,
             double *out_application)
{
    struct dcp_outages hosts = { 0 };
    struct dcp_ha_input in = { .inventory = inv,
                               .start = start,
                               .hosts = &hosts };
    struct dcp_availability a;
    uint32_t n;

    draw(spec, seed, to_ms, &hosts);
    dcp_ha_options_default(&in.options);
    in.options.detect_ms = in.options.fence_ms = 0;
    in.options.start_ms = 1;
    struct dcp_ha *ha = dcp_ha_create(&in, NULL);

    ck_assert(ha && dcp_ha_run(ha, NULL, 0, to_ms, NULL));
    const struct dcp_vm_outage *list = dcp_ha_vm_outages(ha, &n);

    ck_assert(dcp_availability(inv, start, list, n, 0, to_ms, &a, NULL));
    *out_vms = a.availability_frac;
    if (out_application) {
        *out_application = a.applications[0].availability_frac;
    }
    dcp_availability_finish(&a);
    dcp_ha_destroy(ha);
    dcp_outages_finish(&hosts);
}

/* 'theory' is in the interval, of which half is at most 'narrow_frac' of it. */
static void
agrees(const char *what, const double values[], uint32_t n, double theory,
       double narrow_frac)
{
    struct dcp_interval i = dcp_interval_of_mean(values, n, SURE_FRAC);

    ck_assert_msg(i.low <= theory && theory <= i.high,
                  "%s: %g is not within %g to %g", what, theory, i.low, i.high);
    ck_assert_msg((i.high - i.low) / 2 <= narrow_frac * theory,
                  "%s: %g to %g is not narrow around %g", what, i.low, i.high,
                  theory);
}

/* --- Theory -------------------------------------------------------------- */

/* Mean number down of N machines with r crews, rho = repair / between: the
 * chance of k down is p(0) C(N, k) rho^k up to r, and k! / (r! r^(k - r)) times
 * that beyond. */
static double
machine_repair_down(uint32_t n, uint32_t r, double rho)
{
    double p = 1, sum = 1, mean = 0;

    for (uint32_t k = 1; k <= n; k++) {
        p *= (n - k + 1) * rho / (k < r ? k : r);
        sum += p;
        mean += k * p;
    }
    return mean / sum;
}

/* The chance that all c servers are busy, offered 'a' erlangs: by Erlang's B,
 * B(0) = 1, B(k) = a B(k-1) / (k + a B(k-1)). */
static double
erlang_c(uint32_t c, double a)
{
    double b = 1;

    for (uint32_t k = 1; k <= c; k++) {
        b = a * b / (k + a * b);
    }
    return b / (1 - a / c * (1 - b));
}

static double
k_of_n(uint32_t k, uint32_t n, double up_frac)
{
    double sum = 0;

    for (uint32_t i = k; i <= n; i++) {
        sum += exp(lgamma(n + 1.0) - lgamma(i + 1.0) - lgamma(n - i + 1.0)) *
               pow(up_frac, i) * pow(1 - up_frac, n - i);
    }
    return sum;
}

/* Two values from tables: Erlang C for 3 servers and 2 erlangs is 4/9; two of
 * three with 90 % each. */
START_TEST(formulas_by_hand)
{
    ck_assert_double_eq_tol(erlang_c(3, 2), 4.0 / 9, 1e-12);
    ck_assert_double_eq_tol(erlang_c(1, 0.7), 0.7, 1e-12);
    ck_assert_double_eq_tol(k_of_n(2, 3, 0.9), 0.972, 1e-12);
    /* As many crews as machines: each on its own, rho / (1 + rho). */
    ck_assert_double_eq_tol(machine_repair_down(7, 7, 0.25), 7 * 0.2, 1e-12);
    /* Many machines that hardly ever fail: the mean of M/M/3 with 2 erlangs. */
    ck_assert_double_eq_tol(machine_repair_down(1000000, 3, 2e-6),
                            2 + 4.0 / 9 * 2, 1e-3);
}
END_TEST

/* --- Replications -------------------------------------------------------- */

/* VMs down under restarts, by crews. */
START_TEST(machine_repair)
{
    static const struct {
        const char *spec;
        uint32_t n, crews;
        double rho;
    } cases[] = {
        { "host=90h/10h,crews=1", 8, 1, 10.0 / 90 },
        { "host=40h/10h,crews=2", 10, 2, 10.0 / 40 },
        { "host=30h/10h", 6, 6, 10.0 / 30 },
    };
    double down[N_MAX];

    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        setup_hosts(cases[c].n);
        for (uint32_t k = 0; k < N_MAX; k++) {
            run_restarts(cases[c].spec, 100 + k, 20000 * HOUR, &down[k], NULL);
            down[k] = cases[c].n * (1 - down[k]);
        }
        agrees(cases[c].spec, down, N_MAX,
               machine_repair_down(cases[c].n, cases[c].crews, cases[c].rho),
               0.03);
        teardown();
    }
}
END_TEST

/* Hosts that fail so seldom that the rest hardly knows of it come to the crews
 * as a Poisson stream: M/M/c.  4,000 hosts leave 0.1 % of the rate out, which
 * the intervals do not see. */
START_TEST(crews_are_servers)
{
    static const struct {
        const char *spec; /* Repairs of an hour. */
        uint32_t crews;
        double per_h;
    } cases[] = {
        { "host=2000h/1h,crews=3", 3, 2 },
        { "host=5000h/1h,crews=1", 1, 0.8 },
        { "host=1000h/1h,crews=5", 5, 4 },
    };
    const uint32_t n = 4000, replications = 16;
    const int64_t to_ms = 10000 * HOUR;
    double busy[N_MAX], there[N_MAX], waits_h[N_MAX];

    setup_hosts(n);
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        double a = cases[c].per_h, all_busy = erlang_c(cases[c].crews, a);

        for (uint32_t k = 0; k < replications; k++) {
            struct dcp_outages o = { 0 };
            double sum_h = 0, here_h = 0;

            draw(cases[c].spec, 200 + k, to_ms, &o);
            struct dcp_span *spans = calloc(o.n + 1u, sizeof *spans);

            ck_assert(spans);
            for (uint32_t i = 0; i < o.n; i++) {
                int64_t until_ms = o.list[i].until_ms;

                spans[i] = (struct dcp_span){ o.list[i].from_ms, until_ms };
                sum_h += (double)(until_ms - o.list[i].from_ms) / HOUR;
                here_h += (double)((until_ms < to_ms ? until_ms : to_ms) -
                                   o.list[i].from_ms) /
                          HOUR;
            }
            busy[k] = (double)dcp_time_below(spans, o.n, cases[c].crews - 1, 0,
                                             to_ms) /
                      (double)to_ms;
            there[k] = here_h / ((double)to_ms / HOUR);
            waits_h[k] = sum_h / o.n - 1;
            free(spans);
            dcp_outages_finish(&o);
        }
        agrees("all busy", busy, replications, all_busy, 0.05);
        agrees("mean number", there, replications,
               a + all_busy * a / (cases[c].crews - a), 0.09);
        agrees("mean wait", waits_h, replications,
               all_busy / (cases[c].crews - a), 0.12);
    }
}
END_TEST

/* An application that needs k of its n VMs, on hosts that fail by themselves.
 */
START_TEST(k_of_n_hosts)
{
    static const uint32_t all[] = { 0, 1, 2, 3, 4 };
    struct dcp_application app = { .name = "a", .vms = { all, 5 } };
    double down[N_MAX], vms;

    setup_hosts(5);
    for (uint32_t v = 0; v < 5; v++) {
        fixture_vm(inv, v)->application.ix = 0;
    }
    inv->applications = &app;
    inv->n_applications = 1;
    for (uint32_t k = 2; k <= 5; k++) {
        app.needs = k;
        for (uint32_t r = 0; r < N_MAX; r++) {
            run_restarts("host=80h/20h", 300 + r, 80000 * HOUR, &vms, &down[r]);
            down[r] = 1 - down[r];
        }
        agrees("k of 5", down, N_MAX, 1 - k_of_n(k, 5, 0.8), 0.06);
    }
    inv->n_applications = 0;
    teardown();
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &formulas_by_hand,
        &machine_repair,
        &crews_are_servers,
        &k_of_n_hosts,
    };

    return RUN_TESTS("queues", tests);
}
