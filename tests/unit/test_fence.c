/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A host is fenced when its power was proven to be gone, and not before. */

#include "executors/power/fence.h"
#include "tests/unit/power_fixture.h"
#include "tests/unit/run_suite.h"

static struct power_fixture p;
static struct dcp_fence_device devices[3];
static struct dcp_fence_level levels[2];
static struct dcp_fence_options options;

static void
begin(void)
{
    power_begin(&p, 3);
    for (uint32_t i = 0; i < 3; i++) {
        devices[i] = (struct dcp_fence_device){ &p.hosts[i].bmc, power_uuid };
    }
    levels[0] = (struct dcp_fence_level){ "BMC", devices, 1 };
    levels[1] = (struct dcp_fence_level){ "outlets", devices + 1, 2 };
    dcp_fence_options_default(&options);
    options.levels = levels;
    options.n_levels = 1;
    options.ipmitool = p.tool;
    options.poll_ms = 20;
    options.off_gap_ms = 150;
    options.try_ms = 300;
}

static void
end(void)
{
    power_end(&p);
}

static struct dcp_fence_report
fence(void)
{
    struct dcp_fence_report report;
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_fence(&options, &report, &err), "%s", err.message);
    return report;
}

START_TEST(proven_off)
{
    struct dcp_fence_report r = fence();

    ck_assert_msg(r.fenced, "%s", r.text);
    ck_assert_uint_eq(r.n_sent, 1);
    ck_assert_int_ge(r.proven_ms - r.off_ms, 150);
    r = fence(); /* Off already: nothing is sent. */
    ck_assert(r.fenced);
    ck_assert_uint_eq(r.n_sent, 0);
}
END_TEST

START_TEST(acknowledged_is_not_off)
{
    power_put(&p, 0, "mode", "lazy");
    struct dcp_fence_report r = fence();

    ck_assert(!r.fenced);
    ck_assert_uint_eq(r.n_sent, 3);
    ck_assert_ptr_nonnull(strstr(r.text, "asked, and is not off"));
}
END_TEST

START_TEST(off_too_early_is_not_off)
{
    power_put(&p, 0, "mode", "lazy");
    options.n_tries = 1;
    options.try_ms = 400;
    options.off_gap_ms = 2000;
    power_put(&p, 0, "turns", "on\noff\noff\non\noff\non\n");
    struct dcp_fence_report r = fence();

    ck_assert(!r.fenced);
}
END_TEST

/* The BMC does nothing; both outlets have to be off. */
START_TEST(next_level)
{
    power_put(&p, 0, "mode", "lazy");
    options.n_tries = 1;
    options.n_levels = 2;
    struct dcp_fence_report r = fence();

    ck_assert_msg(r.fenced, "%s", r.text);
    ck_assert_uint_eq(r.level, 1);
    ck_assert_uint_eq(r.n_sent, 3);
    power_put(&p, 1, "power", "on\n");
    power_put(&p, 1, "mode", "lazy");
    r = fence();
    ck_assert(!r.fenced);
}
END_TEST

START_TEST(others_are_not_touched)
{
    char calls[2048];

    power_put(&p, 0, "guid", "B123456789ABCDEFA123456789ABCDEF");
    struct dcp_fence_report r = fence();

    ck_assert(!r.fenced);
    ck_assert_uint_eq(r.n_sent, 0);
    ck_assert_ptr_nonnull(strstr(r.text, "not touched"));
    power_write(p.password, "guess\n", 0600);
    r = fence();
    ck_assert(!r.fenced);
    ck_assert_ptr_nonnull(strstr(r.text, "refuses user"));
    ck_assert_ptr_null(strstr(power_get(&p, 0, "calls", calls), "power off"));
}
END_TEST

START_TEST(silence_is_not_off)
{
    power_put(&p, 0, "mode", "silent");
    options.look_ms = 100;
    options.n_tries = 1;
    struct dcp_fence_report r = fence();

    ck_assert(!r.fenced);
    ck_assert_uint_eq(r.n_sent, 0);
    ck_assert_ptr_nonnull(strstr(r.text, "does not answer"));
}
END_TEST

static const TTest *const *const tests[] = {
    &proven_off, &acknowledged_is_not_off, &off_too_early_is_not_off,
    &next_level, &others_are_not_touched,  &silence_is_not_off,
};

int
main(void)
{
    return run_tests_with("fence", tests, sizeof tests / sizeof tests[0], begin,
                          end);
}
