/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Pre-copy: its closed form, what SimGrid measures, throttling and giving up as
 * QEMU does, and runs cut into pieces. */

#include "model/base/rng.h"
#include "model/migration.h"
#include "tests/unit/run_suite.h"

#include <math.h>

#define GIB 1024.0

START_TEST(a_quiet_vm_takes_memory_over_bandwidth)
{
    struct dcp_precopy p = { .mem_mib = 8 * GIB, .bandwidth_mib_s = 256 };
    struct dcp_precopy_result r = dcp_precopy_estimate(&p);

    ck_assert_int_eq(r.total_ms, 32000 + DCP_PRECOPY_RESUME_MS);
    ck_assert_int_eq(r.downtime_ms, DCP_PRECOPY_RESUME_MS);
    ck_assert_uint_eq(r.rounds, 1);
    ck_assert(r.converged);
    ck_assert_double_eq(r.sent_mib, 8 * GIB);
}
END_TEST

/* V / (R - D), but for the last stop, in which nothing becomes dirty. */
START_TEST(the_closed_form)
{
    for (double ratio = 0.1; ratio < 0.95; ratio += 0.1) {
        struct dcp_precopy p = { .mem_mib = 64 * GIB,
                                 .dirty_mib_s = 500 * ratio,
                                 .bandwidth_mib_s = 500,
                                 .working_set_mib = 64 * GIB,
                                 .rules = { .downtime_ms = 10 } };
        struct dcp_precopy_result r = dcp_precopy_estimate(&p);
        double exact = p.mem_mib / (500 - p.dirty_mib_s);
        double seconds = (double)r.total_ms / 1000;

        ck_assert(r.converged && !r.given_up);
        ck_assert(seconds < exact + 0.03);
        ck_assert(seconds > exact - 0.01 / (1 - ratio));
        ck_assert_double_eq_tol(r.sent_mib / 500, seconds - 0.02, 2e-3);
    }
}
END_TEST

/* Live migrations in SimGrid 3.32 (its plugin), 1 GiB over a link of 125 MB/s,
 * by share of it that the VM dirties; the plugin reaches 0.97/1.05 of a link.
 */
START_TEST(the_times_of_simgrid)
{
    static const double percent[] = { 0, 10, 30, 50, 80 };
    static const double seconds[] = { 9.30, 10.49, 14.09, 21.48, 100.03 };

    for (size_t i = 0; i < sizeof percent / sizeof *percent; i++) {
        struct dcp_precopy p = {
            .mem_mib = GIB,
            .dirty_mib_s = 1.25 * percent[i],
            .bandwidth_mib_s = 125e6 / 1048576 * 0.97 / 1.05,
            .working_set_mib = GIB,
            .rules = { .downtime_ms = 30 },
        };
        struct dcp_precopy_result r = dcp_precopy_estimate(&p);

        ck_assert_double_eq_tol((double)r.total_ms / 1000, seconds[i],
                                0.01 * seconds[i]);
    }
}
END_TEST

/* Writes twice what can be sent, within a gigabyte. */
static struct dcp_precopy
busy(void)
{
    return (struct dcp_precopy){ .mem_mib = 16 * GIB,
                                 .dirty_mib_s = 1000,
                                 .bandwidth_mib_s = 500,
                                 .working_set_mib = GIB };
}

START_TEST(what_never_converges_is_given_up)
{
    struct dcp_precopy p = busy();
    struct dcp_precopy_result r = dcp_precopy_estimate(&p);

    ck_assert(r.given_up && !r.converged);
    ck_assert_int_eq(r.total_ms, 16 * 800 * 1000);
    ck_assert_int_eq(r.downtime_ms, 0);
    ck_assert_double_eq_tol(r.sent_mib, 500.0 * 16 * 800, 1);
    /* After the memory each round is the working set again, 2.048 s. */
    ck_assert_uint_ge(r.rounds, 6234);
    ck_assert_uint_le(r.rounds, 6235);

    p.rules.at_timeout = DCP_PRECOPY_PAUSE;
    p.rules.timeout_ms_per_gib = 1000;
    r = dcp_precopy_estimate(&p);
    ck_assert(!r.given_up && !r.converged);
    /* All of the first round but 16 s is sent by then: that, and what became
     * dirty meanwhile, a working set. */
    ck_assert_int_eq(r.downtime_ms, (16 * 1024 - 16 * 500 + 1024) * 2 + 20);
    ck_assert_int_eq(r.total_ms, 16000 + r.downtime_ms);
}
END_TEST

START_TEST(small_vms_have_time_for_two_gibibytes)
{
    struct dcp_precopy p = { .mem_mib = 512,
                             .dirty_mib_s = 1000,
                             .bandwidth_mib_s = 10,
                             .working_set_mib = 512 };

    ck_assert_int_eq(dcp_precopy_estimate(&p).total_ms, 1600 * 1000);
}
END_TEST

/* The second round is the first to dirty too much; every other raises the
 * throttle: 20, 30 ... until rounds get shorter and the rest fits. */
START_TEST(auto_converge_throttles_step_by_step)
{
    struct dcp_precopy p = busy();
    struct dcp_precopy_run run;
    double frac = 0, wanted = 0.2;

    p.rules.auto_converge = true;
    struct dcp_precopy_result r = dcp_precopy_estimate(&p);

    ck_assert(r.converged);
    ck_assert(r.downtime_ms <= 300 + DCP_PRECOPY_RESUME_MS);
    ck_assert(r.throttle_frac > 0.5 && r.throttle_frac <= 0.99);
    ck_assert(r.throttled_s > 0 &&
              r.throttled_s < (double)r.total_ms / 1000 * r.throttle_frac);
    ck_assert_int_lt(r.total_ms, 120 * 1000);

    dcp_precopy_begin(&run, &p);
    while (!dcp_precopy_ended(&run)) {
        uint32_t rounds = run.rounds;

        dcp_precopy_advance(&run, 0.05, p.bandwidth_mib_s);
        if (run.throttle_frac != frac) {
            ck_assert_double_eq_tol(run.throttle_frac, wanted, 1e-9);
            frac = run.throttle_frac;
            wanted += 0.1;
            ck_assert(run.rounds > rounds);
        }
    }
    ck_assert_double_eq(frac, r.throttle_frac);
    ck_assert_uint_eq(run.rounds, r.rounds);
}
END_TEST

/* The first round alone does not count double: 3 s of it dirty too much, once;
 * the next is over before anything is throttled. */
START_TEST(one_high_period_throttles_nothing)
{
    struct dcp_precopy p = { .mem_mib = 1500,
                             .dirty_mib_s = 300,
                             .bandwidth_mib_s = 500,
                             .working_set_mib = 800,
                             .rules = { .auto_converge = true } };
    struct dcp_precopy_result r = dcp_precopy_estimate(&p);

    ck_assert(r.converged);
    ck_assert(r.rounds >= 3);
    ck_assert_double_eq(r.throttle_frac, 0.2); /* Rounds of 3 and 1.6 s. */
    p.dirty_mib_s = 200; /* 3 s: not more than half of what was sent. */
    ck_assert_double_eq(dcp_precopy_estimate(&p).throttle_frac, 0);
}
END_TEST

static struct dcp_precopy
random_vm(struct dcp_rng *rng)
{
    struct dcp_precopy p = {
        .mem_mib = 100 + dcp_rng_unit(rng) * 20000,
        .dirty_mib_s = dcp_rng_unit(rng) * 400,
        .working_set_mib = 10 + dcp_rng_unit(rng) * 3000,
        .bandwidth_mib_s = 20 + dcp_rng_unit(rng) * 600,
    };

    p.rules.auto_converge = dcp_rng_below(rng, 2);
    p.rules.timeout_ms_per_gib = 1000 + (int64_t)dcp_rng_below(rng, 60000);
    p.rules.at_timeout = (enum dcp_precopy_timeout)dcp_rng_below(rng, 2);
    return p;
}

/* Cut anywhere, at one bandwidth: the same run but for rounding. */
START_TEST(pieces_are_the_whole)
{
    struct dcp_rng rng = dcp_rng_stream(1, "precopy", 0);

    for (int k = 0; k < 500; k++) {
        struct dcp_precopy p = random_vm(&rng);
        struct dcp_precopy_result whole = dcp_precopy_estimate(&p);
        double total_s = (double)whole.total_ms / 1000;
        struct dcp_precopy_run run;

        dcp_precopy_begin(&run, &p);
        for (double at = 0; at < total_s - 0.05;) {
            double piece =
                fmin(dcp_rng_unit(&rng) * total_s / 5, total_s - 0.05 - at);

            ck_assert(!dcp_precopy_ended(&run));
            dcp_precopy_advance(&run, piece, p.bandwidth_mib_s);
            at += piece + 1e-9;
            ck_assert_double_eq_tol(
                (double)dcp_precopy_ahead(&run, p.bandwidth_mib_s).total_ms,
                (double)whole.total_ms, 1.1);
        }
        dcp_precopy_advance(&run, INFINITY, p.bandwidth_mib_s);
        struct dcp_precopy_result r = dcp_precopy_result(&run);

        ck_assert_double_eq_tol(r.sent_mib, whole.sent_mib,
                                1e-6 * whole.sent_mib);
        ck_assert_uint_eq(r.given_up, whole.given_up);
        ck_assert_double_eq_tol(r.throttle_frac, whole.throttle_frac, 1e-9);
    }
}
END_TEST

/* More bandwidth at any time is no harm; all that is sent was paid for. */
START_TEST(bandwidth_may_change)
{
    struct dcp_precopy p = { .mem_mib = 4000, .dirty_mib_s = 0 };
    struct dcp_precopy_run run;

    dcp_precopy_begin(&run, &p);
    dcp_precopy_advance(&run, 10, 100);
    dcp_precopy_advance(&run, 5, 0);
    ck_assert_double_eq(run.left_mib, 3000);
    struct dcp_precopy_result r = dcp_precopy_ahead(&run, 500);

    ck_assert_int_eq(r.total_ms, 10000 + 5000 + 6000 + DCP_PRECOPY_RESUME_MS);
    /* Nothing is sent any more: given up after two times 800 s, or, where it
     * would be stopped then, never done. */
    r = dcp_precopy_ahead(&run, 0);
    ck_assert(r.given_up);
    ck_assert_int_eq(r.total_ms, 4000 * INT64_C(800000) / 1024);
    run.rules.at_timeout = DCP_PRECOPY_PAUSE;
    ck_assert(dcp_precopy_ahead(&run, 0).total_ms == INT64_MAX);
}
END_TEST

int
main(void)
{
    const TTest *const *const tests[] = {
        &a_quiet_vm_takes_memory_over_bandwidth,
        &the_closed_form,
        &the_times_of_simgrid,
        &what_never_converges_is_given_up,
        &small_vms_have_time_for_two_gibibytes,
        &auto_converge_throttles_step_by_step,
        &one_high_period_throttles_nothing,
        &pieces_are_the_whole,
        &bandwidth_may_change,
    };

    return RUN_TESTS("precopy", tests);
}
