/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Joint loads of hosts, by hand. */

#include "traces/joint.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

/* Two VMs that peak at different instants on one host, one alone. */
START_TEST(adds_instants_not_percentiles)
{
    struct dcp_inventory inv = { .n_hosts = 2,
                                 .n_vms = 3,
                                 .zone = &dcp_zone_utc };
    dcp_host_id host[3] = { { 0 }, { 0 }, { 1 } };
    struct dcp_placement p = { .n_vms = 3, .n_hosts = 2, .host = host };
    struct dcp_slot slot = { 0, DCP_HOUR_MS, 0 };
    struct dcp_demand d = { .n_vms = 3, .n_slots = 1, .slots = &slot };
    float value[4 * 3] = { 100, 0, 7, 0, 100, 7, 30, 30, 7, 10, NAN, 7 };
    struct dcp_samples cpu = {
        .interval_ms = 300000, .n_times = 4, .n_vms = 3, .value = value
    };
    struct dcp_joint j;

    dcp_calendar_default(&inv.calendar);
    inv.policy.buckets = DCP_BUCKETS_ONE;
    ck_assert(dcp_joint_compute(&inv, &d, 0, 1, &cpu, &p, &j, NULL));
    ck_assert_uint_eq(j.n_instants, 4);
    ck_assert_uint_eq(j.n_missing, 1);
    ck_assert_float_eq(j.peak_mhz[0], 100); /* Not 200. */
    ck_assert_float_eq(j.p95_mhz[0], 100);
    ck_assert_float_eq(j.peak_mhz[1], 7);
    dcp_joint_finish(&j);
}
END_TEST

/* Instants of other buckets do not count. */
START_TEST(takes_the_slots_buckets_only)
{
    struct dcp_inventory inv = { .n_hosts = 1,
                                 .n_vms = 1,
                                 .zone = &dcp_zone_utc };
    dcp_host_id host[1] = { { 0 } };
    struct dcp_placement p = { .n_vms = 1, .n_hosts = 1, .host = host };
    struct dcp_slot slot = { 0, DCP_HOUR_MS, 1 }; /* Weekday 1 h. */
    struct dcp_demand d = { .n_vms = 1, .n_slots = 1, .slots = &slot };
    float value[3] = { 50, 80, 20 };
    struct dcp_samples cpu = {
        .interval_ms = DCP_HOUR_MS, .n_times = 3, .n_vms = 1, .value = value
    };
    struct dcp_joint j;

    dcp_calendar_default(&inv.calendar);
    inv.policy.buckets = DCP_BUCKETS_HOUR_OF_DAY;
    ck_assert(dcp_joint_compute(&inv, &d, 0, 1, &cpu, &p, &j, NULL));
    ck_assert_uint_eq(j.n_instants, 1);
    ck_assert_float_eq(j.peak_mhz[0], 80);
    dcp_joint_finish(&j);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("joint");
    TCase *tests = tcase_create("joint");

    tcase_add_test(tests, adds_instants_not_percentiles);
    tcase_add_test(tests, takes_the_slots_buckets_only);
    suite_add_tcase(suite, tests);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed != 0;
}
