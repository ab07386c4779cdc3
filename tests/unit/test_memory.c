/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Who gives memory back: by hand, what is always true of it, and in replays. */

#include "model/base/rng.h"
#include "sim/host/memory.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/sim_fixture.h"

#include <math.h>

enum { N = 9 };

static void
near(double is, double should)
{
    ck_assert_double_eq_tol(is, should, 1e-9 * fabs(should) + 1e-9);
}

START_TEST(balloons_then_swap)
{
    struct dcp_guest_memory g[] = {
        { .consumed_mib = 1000, .active_mib = 400, .balloons = true },
        { .consumed_mib = 1000,
          .active_mib = 100,
          .floor_mib = 700,
          .reserved_mib = 500,
          .balloons = true },
        { .consumed_mib = 1000, .active_mib = 100 },
    };

    near(dcp_memory_reclaim(g, 3, 3000), 0);
    near(g[0].balloon_mib + g[1].balloon_mib + g[2].balloon_mib, 0);
    /* 450 of 600 + 300 idle that balloons reach. */
    near(dcp_memory_reclaim(g, 3, 2550), 0);
    near(g[0].balloon_mib, 300);
    near(g[1].balloon_mib, 150);
    near(g[2].balloon_mib, 0);
    near(g[0].swap_mib, 0);
    /* All 900, and 400 of 400 + 200 + 1000 by swap. */
    near(dcp_memory_reclaim(g, 3, 1700), 0);
    near(g[0].balloon_mib, 600);
    near(g[1].balloon_mib, 300);
    near(g[0].swap_mib, 100);
    near(g[1].swap_mib, 50);
    near(g[2].swap_mib, 250);
    near(g[0].hit_frac, 0.25);
    near(g[2].hit_frac, 0.25);
    /* What is reserved stays. */
    near(dcp_memory_reclaim(g, 3, 300), 200);
    near(g[0].swap_mib, 400);
    near(g[1].swap_mib, 200);
    near(g[2].hit_frac, 1);
    near(dcp_memory_reclaim(NULL, 0, 10), 0);
}
END_TEST

START_TEST(what_is_taken_is_what_lacks)
{
    for (uint64_t seed = 0; seed < 2000; seed++) {
        struct dcp_rng rng = dcp_rng_stream(seed, "memory", 0);
        struct dcp_guest_memory g[N];
        double consumed = 0, taken = 0, swapped = 0, idle = 0;

        for (uint32_t i = 0; i < N; i++) {
            double mib = dcp_rng_unit(&rng) * 4096;

            g[i] = (struct dcp_guest_memory){
                .consumed_mib = mib,
                .active_mib = mib * dcp_rng_unit(&rng),
                .floor_mib = mib * dcp_rng_unit(&rng) / 2,
                .reserved_mib =
                    dcp_rng_below(&rng, 2) ? mib * dcp_rng_unit(&rng) : 0,
                .balloons = dcp_rng_below(&rng, 3) > 0,
            };
            consumed += mib;
        }
        double room = consumed * (0.2 + dcp_rng_unit(&rng));
        double left = dcp_memory_reclaim(g, N, room);

        for (uint32_t i = 0; i < N; i++) {
            double kept = g[i].consumed_mib - g[i].balloon_mib - g[i].swap_mib;
            double least = fmax(g[i].active_mib, g[i].floor_mib);

            least = fmin(fmax(least, g[i].reserved_mib), g[i].consumed_mib);
            ck_assert_double_ge(g[i].balloon_mib, 0);
            ck_assert_double_ge(g[i].swap_mib, 0);
            ck_assert(g[i].balloons || g[i].balloon_mib == 0);
            ck_assert_double_ge(g[i].consumed_mib - g[i].balloon_mib,
                                least - 1e-9);
            ck_assert_double_ge(kept, g[i].reserved_mib - 1e-9);
            ck_assert(g[i].hit_frac >= 0 && g[i].hit_frac <= 1);
            idle += g[i].balloons ? g[i].consumed_mib - least - g[i].balloon_mib
                                  : 0;
            swapped += g[i].swap_mib;
            taken += g[i].balloon_mib + g[i].swap_mib;
        }
        near(taken + left, fmax(0, consumed - room));
        /* Nothing is swapped while balloons could take more. */
        ck_assert(swapped < 1e-9 || idle < 1e-6);
    }
}
END_TEST

/* Of guests alike: X^2 - X (u + k + w k) + w k u = 0, with u the device's pages
 * per second, k the faults per second of work, w the vCPUs' work wanted by all.
 */
static double
faults_of_alike(double u, double k, double w)
{
    double b = u + k + w * k;

    return (b - sqrt(b * b - 4 * w * k * u)) / 2;
}

START_TEST(faults_wait_for_the_device)
{
    for (uint64_t seed = 0; seed < 500; seed++) {
        struct dcp_rng rng = dcp_rng_stream(seed, "faults", 0);
        struct dcp_swap_policy swap = {
            .touches_per_s = 1 + (uint32_t)dcp_rng_below(&rng, 1000000),
            .iops = 1 + (uint32_t)dcp_rng_below(&rng, 100000),
        };
        double hit = dcp_rng_unit(&rng), w = 0.01 + 4 * dcp_rng_unit(&rng);
        double k = swap.touches_per_s * hit, u = swap.iops;
        struct dcp_guest_memory g[3] = { { .hit_frac = hit },
                                         { .hit_frac = hit },
                                         { .hit_frac = 0 } };
        double busy[3] = { w, 2 * w, 5 };
        double x = faults_of_alike(u, k, 3 * w);
        double fault_s = dcp_memory_stall(g, busy, 3, &swap);
        double tol = 1e-6;

        ck_assert_double_eq_tol(1 - g[0].stall_frac, x / (3 * w * k), tol);
        ck_assert_double_eq_tol(
            fault_s * (u - 3 * w * k * (1 - g[0].stall_frac)), 1, 1e-3);
        ck_assert_double_ge(fault_s, 1 / u);
        near(g[1].stall_frac, g[0].stall_frac);
        near(g[2].stall_frac, 0); /* All its pages are in. */
    }
}
END_TEST

START_TEST(who_wants_nothing_waits_for_nothing)
{
    const struct dcp_swap_policy swap = { 1000, 100 };
    struct dcp_guest_memory g[2] = { { .hit_frac = 1, .stall_frac = 1 },
                                     { .hit_frac = 0.5 } };
    double idle[2] = { 0, 0 }, one[2] = { 0, 0.001 };

    near(dcp_memory_stall(g, idle, 2, &swap), 0);
    near(g[0].stall_frac + g[1].stall_frac, 0);
    /* Next to no load: a fault takes 1/100 s, 500 of them a second of work. */
    ck_assert_double_eq_tol(dcp_memory_stall(g, one, 2, &swap), 0.01, 1e-4);
    ck_assert_double_eq_tol(g[1].stall_frac, 5 / 6.0, 1e-3);
    near(dcp_memory_stall(NULL, NULL, 0, &swap), 0);
}
END_TEST

/* Host 0 has 1536 MiB for VMs 0 and 3, 1024 MiB each. */
static struct dcp_samples mem;

static void
short_of_memory(void)
{
    struct dcp_arena *a = f.inv->arena;
    struct dcp_tier *tier = dcp_arena_new(a, struct dcp_tier);
    struct dcp_hypervisor *hv = dcp_arena_new(a, struct dcp_hypervisor);
    struct dcp_hardware *hw = dcp_arena_new(a, struct dcp_hardware);

    *tier = f.inv->tiers[0];
    tier->memory_overcommit = 2;
    *hv = f.inv->hypervisors[0];
    hv->ballooning = true;
    *hw = f.inv->hardware[0];
    hw->mem_mib = 1536;
    f.inv->tiers = tier;
    f.inv->hypervisors = hv;
    f.inv->hardware = hw;
    constant_samples(12, 200);
    mem = samples;
    mem.value = malloc(12 * 6 * sizeof *mem.value);
    for (uint32_t i = 0; i < 12 * 6; i++) {
        mem.value[i] = i % 6 == 1 ? NAN : 512;
    }
}

static void
replay(const struct dcp_samples *used, bool active, struct dcp_sim_result *out)
{
    struct dcp_sim_input in = {
        .inventory = f.inv,
        .cpu = &samples,
        .mem = used,
        .mem_is_active = active,
        .start = f.plan->before,
        .from_ms = samples.start_ms,
        .to_ms = samples.start_ms + samples.n_times * samples.interval_ms,
    };
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_simulate(&in, out, &err), "%s", err.message);
}

START_TEST(replays_tell_balloons_and_swap)
{
    struct dcp_sim_result r;

    short_of_memory();
    ck_assert(dcp_memory_overcommits(f.inv));
    ck_assert(dcp_memory_short(f.inv, f.plan->before));
    /* 512 MiB lack on each host.  VM 1 was not measured: all it has counts as
     * active. */
    replay(&mem, true, &r);
    ck_assert(r.mem_measured);
    near(r.hosts[0].balloon_mib_s, 512 * 3600.0);
    near(r.hosts[1].balloon_mib_s, 512 * 3600.0);
    near(r.slices[3].balloon_mib, 3 * 512);
    near(r.swap_mib_s, 0);
    near(r.stalled_mhz_s, 0);
    dcp_sim_result_finish(&r);
    /* Consumed: nothing lacks but on host 1, which has nothing lacking either
     * (1024 + 512). */
    replay(&mem, false, &r);
    near(r.balloon_mib_s + r.swap_mib_s, 0);
    dcp_sim_result_finish(&r);
    /* Not measured: a quarter of each VM is swapped. */
    replay(NULL, false, &r);
    ck_assert(!r.mem_measured);
    near(r.balloon_mib_s, 0);
    near(r.swap_mib_s, 3 * 512 * 3600.0);
    near(r.vm_swap_mib_s[4], 256 * 3600.0);
    near(r.stalled_mhz_s, 6 * 200 * 0.25 * 3600);
    near(r.tenants[0].stalled_mhz_s, r.stalled_mhz_s);
    near(r.swap_wait_vm_s, 6 * 0.25 * 3600);
    /* What waits is not asked of the hosts. */
    near(r.requested_mhz_s, 6 * 200 * 3600);
    near(r.slices[2].demand_mhz, 6 * 200 * 0.75);
    near(r.unmet_cpu_mhz_s, 0);
    near(r.hosts[2].swap_mib_s, 512 * 3600.0);
    near(r.unbacked_mib_s, 0);
    dcp_sim_result_finish(&r);
    free(mem.value);
}
END_TEST

START_TEST(replays_tell_what_faults_cost)
{
    struct dcp_sim_result r;
    /* Two guests a host, a fifth of a vCPU and a quarter of the pages out each.
     */
    double x = faults_of_alike(1000, 100, 0.4), done = x / (0.4 * 100);

    short_of_memory();
    f.inv->policy.swap = (struct dcp_swap_policy){ 400, 1000 };
    replay(NULL, false, &r);
    ck_assert(done > 0.85 && done < 0.95);
    ck_assert_double_eq_tol(r.stalled_mhz_s / (6 * 200 * 3600.0), 1 - done,
                            1e-6);
    ck_assert_double_eq_tol(r.swap_wait_vm_s, 6 * (1 - done) * 3600, 1e-2);
    near(r.requested_mhz_s, 6 * 200 * 3600);
    near(r.swap_mib_s, 3 * 512 * 3600.0);
    dcp_sim_result_finish(&r);
    free(mem.value);
}
END_TEST

START_TEST(a_migration_takes_its_memory_along)
{
    struct dcp_sim_result r;
    uint32_t move = fixture_move(&f, 0, 0, 1, 100 * SECOND, 0);

    short_of_memory();
    event(1800 * SECOND, move, DCP_ACTION_STARTED);
    event(1800 * SECOND, move, DCP_ACTION_DONE);
    simulate(NULL, &r);
    near(r.hosts[0].swap_mib_s, 512 * 1800.0);
    near(r.hosts[1].swap_mib_s, 512 * 1800.0 + 1536 * 1800.0);
    /* A quarter of two VMs' work each; from half of the time on, host 0 has one
     * that has all it wants, and three on host 1 have half of it. */
    near(r.hosts[0].stalled_mhz_s, 2 * 200 * 0.25 * 1800);
    near(r.hosts[1].stalled_mhz_s,
         2 * 200 * 0.25 * 1800 + 3 * 200 * 0.5 * 1800);
    near(r.requested_mhz_s, 6 * 200 * 3600);
    near(r.slices[0].demand_mhz, 6 * 200 * 0.75);
    near(r.slices[r.n_slices - 1].demand_mhz, 200 * (1 + 3 * 0.5 + 2 * 0.75));
    dcp_sim_result_finish(&r);
    free(mem.value);
}
END_TEST

START_TEST(no_overcommit_is_never_short)
{
    struct dcp_sim_result r;
    struct dcp_tier tier;
    struct dcp_error err = { 0 };

    short_of_memory();
    tier = f.inv->tiers[0];
    tier.memory_overcommit = 1;
    f.inv->tiers = &tier;
    ck_assert(!dcp_memory_overcommits(f.inv));
    replay(&mem, true, &r);
    near(r.balloon_mib_s + r.swap_mib_s, 0);
    dcp_sim_result_finish(&r);
    struct dcp_sim_input in = { .inventory = f.inv,
                                .cpu = &samples,
                                .mem = &mem,
                                .start = f.plan->before,
                                .from_ms = samples.start_ms,
                                .to_ms = samples.start_ms + 1 };

    mem.start_ms++;
    ck_assert(!dcp_simulate(&in, &r, &err));
    ck_assert_int_eq(err.code, DCP_E_ARGUMENT);
    free(mem.value);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &balloons_then_swap,
        &what_is_taken_is_what_lacks,
        &faults_wait_for_the_device,
        &who_wants_nothing_waits_for_nothing,
        &replays_tell_balloons_and_swap,
        &replays_tell_what_faults_cost,
        &a_migration_takes_its_memory_along,
        &no_overcommit_is_never_short,
    };

    return run_tests_with("memory", tests, sizeof tests / sizeof tests[0],
                          setup, teardown);
}
