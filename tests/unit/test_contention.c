/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Shares, limits and reservations by hand, their sharing against a level found
 * by halving, and percentiles of waits. */

#include "model/base/rng.h"
#include "sim/host/contention.h"
#include "sim/host/ready.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/sim_fixture.h"

#include <math.h>

enum { N = 12 };

static void
check_got(struct dcp_contender c[], uint32_t n, double capacity_mhz,
          const double expected[])
{
    dcp_contention_share(c, n, capacity_mhz);
    for (uint32_t i = 0; i < n; i++) {
        ck_assert_msg(fabs(c[i].got_mhz - expected[i]) < 1e-9,
                      "%u got %.12g, not %.12g", i, c[i].got_mhz, expected[i]);
    }
}

START_TEST(by_hand)
{
    /* All fits. */
    struct dcp_contender fits[] = { { 300, 0, 1, 0 }, { 700, 0, 1, 0 } };

    check_got(fits, 2, 1000, (const double[]){ 300, 700 });
    /* The small one has all it wants, the others the rest, 2 to 1. */
    struct dcp_contender shares[] = { { 100, 0, 1000, 0 },
                                      { 900, 0, 2000, 0 },
                                      { 900, 0, 1000, 0 } };

    check_got(shares, 3, 1000, (const double[]){ 100, 600, 300 });
    /* Reserved is got; what is left goes by shares among the others. */
    struct dcp_contender reserved[] = { { 800, 500, 1000, 0 },
                                        { 800, 0, 3000, 0 },
                                        { 800, 0, 1000, 0 } };

    check_got(reserved, 3, 1000, (const double[]){ 500, 375, 125 });
    /* One at each bound. */
    struct dcp_contender both[] = { { 900, 600, 1000, 0 },
                                    { 50, 0, 1000, 0 },
                                    { 900, 0, 1000, 0 },
                                    { 900, 0, 3000, 0 } };

    check_got(both, 4, 1000, (const double[]){ 600, 50, 87.5, 262.5 });
    /* More is reserved than there is; and nothing is. */
    struct dcp_contender cut[] = { { 900, 900, 1, 0 }, { 900, 300, 9, 0 } };

    check_got(cut, 2, 600, (const double[]){ 450, 150 });
    check_got(cut, 2, 0, (const double[]){ 0, 0 });
    dcp_contention_share(NULL, 0, 100);
}
END_TEST

static double
at_level(const struct dcp_contender *c, double level)
{
    return fmin(c->want_mhz, fmax(c->floor_mhz, level * c->weight));
}

START_TEST(agrees_with_halving)
{
    for (uint64_t seed = 0; seed < 2000; seed++) {
        struct dcp_rng rng = dcp_rng_stream(seed, "contention", 0);
        struct dcp_contender c[N], back[N];
        uint32_t n = 1 + (uint32_t)dcp_rng_below(&rng, N);
        double wanted = 0, reserved = 0, sum = 0, low = 0, high = 1e9;

        for (uint32_t i = 0; i < n; i++) {
            double want = dcp_rng_below(&rng, 5) ? dcp_rng_unit(&rng) * 900 : 0;

            c[i] = (struct dcp_contender){
                want, dcp_rng_below(&rng, 2) ? want * dcp_rng_unit(&rng) : 0,
                1 + (double)dcp_rng_below(&rng, 4000), 0
            };
            back[n - 1 - i] = c[i];
            wanted += c[i].want_mhz;
            reserved += c[i].floor_mhz;
        }
        double room = reserved + (wanted - reserved) * dcp_rng_unit(&rng);

        dcp_contention_share(c, n, room);
        dcp_contention_share(back, n, room);
        for (int k = 0; k < 200; k++) {
            double level = (low + high) / 2, at = 0;

            for (uint32_t i = 0; i < n; i++) {
                at += at_level(&c[i], level);
            }
            if (at < room) {
                low = level;
            } else {
                high = level;
            }
        }
        for (uint32_t i = 0; i < n; i++) {
            double expected = at_level(&c[i], high);

            ck_assert_double_ge(c[i].got_mhz, c[i].floor_mhz * (1 - 1e-12));
            ck_assert_double_le(c[i].got_mhz, c[i].want_mhz);
            ck_assert_double_eq_tol(c[i].got_mhz, expected, 1e-6);
            ck_assert_double_eq_tol(back[n - 1 - i].got_mhz, expected, 1e-6);
            sum += c[i].got_mhz;
        }
        ck_assert_double_eq_tol(sum, room, 1e-9 * wanted + 1e-12);
    }
}
END_TEST

/* VM v is on host v % 3; 0 and 3 ask host 0 for more than its 1000 MHz. */
static struct dcp_vm *
two_on_host_0(void)
{
    struct dcp_vm *vms = dcp_arena_array(f.inv->arena, struct dcp_vm, 6);
    struct dcp_hypervisor *hv =
        dcp_arena_new(f.inv->arena, struct dcp_hypervisor);

    memcpy(vms, f.inv->vms, 6 * sizeof *vms);
    *hv = f.inv->hypervisors[0];
    hv->shares = true;
    f.inv->vms = vms;
    f.inv->hypervisors = hv;
    constant_samples(12, 100);
    for (uint32_t t = 0; t < 12; t++) {
        samples.value[t * 6 + 0] = 900;
        samples.value[t * 6 + 3] = 600;
    }
    return vms;
}

START_TEST(shares_decide_in_a_replay)
{
    struct dcp_sim_result r;
    struct dcp_vm *vms = two_on_host_0();

    vms[0].cpu_shares = 1000;
    vms[3].cpu_shares = 1000;
    vms[3].vcpus = 2;
    simulate(NULL, &r);
    /* 500 each. */
    ck_assert_double_eq_tol(r.vm_unmet_mhz_s[0], 400 * 3600.0, 1e-6);
    ck_assert_double_eq_tol(r.vm_unmet_mhz_s[3], 100 * 3600.0, 1e-6);
    ck_assert_double_eq_tol(r.unmet_cpu_mhz_s, 500 * 3600.0, 1e-6);
    ck_assert_double_eq_tol(r.vm_ready_s[0], 0.4 * 3600, 1e-9);
    ck_assert_double_eq_tol(r.vm_ready_s[3], 0.05 * 3600, 1e-9);
    ck_assert_double_eq_tol(r.tenants[0].ready_s, 0.45 * 3600, 1e-9);
    ck_assert_double_eq_tol(r.average_slav, (400. / 900 + 100. / 600) / 2,
                            1e-12);
    ck_assert_double_eq_tol(dcp_sim_vm_ready_frac(&r, 0, 0.5), 0.4, 0.4 / 16);
    ck_assert_double_ge(dcp_sim_vm_ready_frac(&r, 0, 0.5), 0.4);
    ck_assert_double_eq(dcp_sim_vm_ready_frac(&r, 1, 1), 0);
    /* Two of six VMs wait, always. */
    ck_assert_double_eq(dcp_sim_ready_frac(&r, 0.66), 0);
    ck_assert_double_ge(dcp_sim_ready_frac(&r, 0.67), 0.05);
    ck_assert_double_ge(dcp_sim_ready_frac(&r, 0.99), 0.4);
    dcp_sim_result_finish(&r);
}
END_TEST

START_TEST(limits_hold_demand_back)
{
    struct dcp_sim_result r;
    struct dcp_vm *vms = two_on_host_0();

    vms[0].cpu_limit_mhz = 300;
    simulate(NULL, &r);
    ck_assert_double_eq(r.overload_host_s, 0);
    ck_assert_double_eq(r.unmet_cpu_mhz_s, 0);
    ck_assert_double_eq_tol(r.held_mhz_s, 600 * 3600.0, 1e-6);
    ck_assert_double_eq_tol(r.hosts[0].held_mhz_s, 600 * 3600.0, 1e-6);
    ck_assert_double_eq_tol(r.tenants[0].held_mhz_s, 600 * 3600.0, 1e-6);
    ck_assert_double_eq_tol(r.requested_mhz_s, 1900 * 3600.0, 1e-6);
    ck_assert_double_eq(r.ready_vm_s, 0);
    ck_assert_double_eq_tol(r.hosts[0].it_j, 190 * 3600.0, 1e-6);
    dcp_sim_result_finish(&r);
}
END_TEST

START_TEST(reservations_are_kept)
{
    struct dcp_sim_result r;
    struct dcp_vm *vms = two_on_host_0();

    vms[0].cpu_reservation_mhz = 800;
    simulate(NULL, &r);
    ck_assert_double_eq_tol(r.vm_unmet_mhz_s[0], 100 * 3600.0, 1e-6);
    ck_assert_double_eq_tol(r.vm_unmet_mhz_s[3], 400 * 3600.0, 1e-6);
    dcp_sim_result_finish(&r);
}
END_TEST

/* A hypervisor that does not enforce them: as if there were none. */
START_TEST(not_enforced_is_not_there)
{
    struct dcp_sim_result with, without;
    struct dcp_vm *vms = two_on_host_0();
    struct dcp_hypervisor hv = f.inv->hypervisors[0];

    simulate(NULL, &without);
    vms[0].cpu_limit_mhz = 300;
    vms[3].cpu_shares = 7;
    hv.shares = false;
    f.inv->hypervisors = &hv;
    simulate(NULL, &with);
    ck_assert_mem_eq(with.hosts, without.hosts, 3 * sizeof *with.hosts);
    ck_assert_mem_eq(with.vm_unmet_mhz_s, without.vm_unmet_mhz_s,
                     6 * sizeof *with.vm_unmet_mhz_s);
    dcp_sim_result_finish(&with);
    dcp_sim_result_finish(&without);
}
END_TEST

START_TEST(percentiles_of_waits)
{
    DCP_AUTO(dcp_ready) struct dcp_ready *r = dcp_ready_create(3, NULL);
    struct dcp_ready_counts c = { { 0 } };

    ck_assert_double_eq(dcp_ready_percentile(&c, 0, 0.95), 0);
    for (int i = 1; i <= 100; i++) {
        ck_assert(dcp_ready_add(r, 1, i / 1000.0, NULL));
    }
    ck_assert(dcp_ready_add(r, 2, 0, NULL));
    ck_assert(!dcp_ready_sum(r, 0, &c));
    ck_assert(!dcp_ready_sum(r, 2, &c));
    ck_assert(dcp_ready_sum(r, 1, &c));
    for (int i = 1; i <= 100; i++) {
        double is = dcp_ready_percentile(&c, 100, i / 100.0);

        ck_assert_double_ge(is, i / 1000.0);
        ck_assert_double_le(is, i / 1000.0 * 17 / 16 + 1e-12);
    }
    /* 900 samples more, without waiting. */
    ck_assert_double_eq(dcp_ready_percentile(&c, 1000, 0.9), 0);
    ck_assert_double_ge(dcp_ready_percentile(&c, 1000, 0.95), 0.050);
    /* The ends of the range. */
    for (int octave = -20; octave <= 0; octave++) {
        struct dcp_ready_counts one = { { 0 } };

        ck_assert(dcp_ready_add(r, 0, ldexp(1, octave), NULL));
        ck_assert(dcp_ready_sum(r, 0, &one));
        ck_assert_double_eq(dcp_ready_percentile(&one, 1, 1),
                            ldexp(1, octave < -12 ? -12 : octave));
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &by_hand,
        &agrees_with_halving,
        &shares_decide_in_a_replay,
        &limits_hold_demand_back,
        &reservations_are_kept,
        &not_enforced_is_not_there,
        &percentiles_of_waits,
    };

    return run_tests_with("contention", tests, sizeof tests / sizeof tests[0],
                          setup, teardown);
}
