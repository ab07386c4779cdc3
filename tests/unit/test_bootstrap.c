/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/stats/bootstrap.h"

#include "model/base/rng.h"
#include "sim/loop.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/sim_fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HOUR (60 * MINUTE)
#define STEP (5 * MINUTE)

/* Local midnight of 1 October 2013 in Brussels, a Tuesday; the clocks go back
 * on Sunday the 27th. */
#define OCTOBER_MS INT64_C(1380578400000)
#define N_DAYS     40

static const int64_t offsets_from_s[] = { INT64_MIN, 1364691600, 1382835600 };
static const int32_t offsets_s[] = { 3600, 7200, 3600 };
static const struct dcp_zone brussels = { "Europe/Brussels", 3, offsets_from_s,
                                          offsets_s };

static const struct dcp_zone *zone;
static struct dcp_calendar calendar;
static struct dcp_samples grid;

static void
setup_grid(void)
{
    setup();
    zone = &brussels;
    dcp_calendar_default(&calendar);
    grid = (struct dcp_samples){ .start_ms = OCTOBER_MS,
                                 .interval_ms = STEP,
                                 .n_times = N_DAYS * 288 + 12,
                                 .n_vms = 1 };
}

static struct dcp_bootstrap *
create(int64_t from_ms, int64_t to_ms, uint32_t block_days,
       struct dcp_error *err)
{
    struct dcp_bootstrap_question q = { .zone = zone,
                                        .calendar = &calendar,
                                        .samples = &grid,
                                        .from_ms = from_ms,
                                        .to_ms = to_ms,
                                        .source_from_ms = INT64_MIN,
                                        .source_to_ms = INT64_MAX,
                                        .block_days = block_days };

    return dcp_bootstrap_create(&q, err);
}

/* What stands in a cell was measured at the same local time of a day of the
 * same class, in one night from its beginning to its end. */
static void
check_rows(const struct dcp_bootstrap *b, int64_t from_ms, uint32_t block)
{
    uint32_t n, n_days;
    const uint32_t *rows = dcp_bootstrap_rows(b, &n);
    const int64_t *days = dcp_bootstrap_days(b, &n_days);
    struct dcp_local first = dcp_zone_local(&brussels, from_ms);

    for (uint32_t i = 0; i < n; i++) {
        struct dcp_local at = dcp_zone_local(&brussels, from_ms + i * STEP);
        struct dcp_local there =
            dcp_zone_local(&brussels, grid.start_ms + (int64_t)rows[i] * STEP);
        int64_t day =
            at.day - first.day - (at.ms_of_day < first.ms_of_day ? 1 : 0);
        struct dcp_local begins = dcp_zone_local(&brussels, days[day]);

        ck_assert_uint_lt(day, n_days);
        ck_assert_int_eq(at.ms_of_day, there.ms_of_day);
        ck_assert_int_eq(there.day - begins.day, at.day - (first.day + day));
        ck_assert_int_eq(begins.ms_of_day, first.ms_of_day);
        ck_assert_uint_eq(dcp_calendar_class(&calendar, first.day + day + 1),
                          dcp_calendar_class(&calendar, begins.day + 1));
    }
    for (uint32_t d = 1; d < n_days; d++) {
        if (d % block) {
            ck_assert_int_eq(dcp_zone_local(&brussels, days[d]).day,
                             dcp_zone_local(&brussels, days[d - 1]).day + 1);
        }
    }
}

/* Nights from 22:00, which the clocks' change cuts to their length. */
START_TEST(local_times_and_classes_stay)
{
    int64_t from_ms = OCTOBER_MS + 21 * DCP_DAY_MS + 22 * HOUR;
    static const uint32_t blocks[] = { 1, 3, 7 };

    for (int i = 0; i < 3; i++) {
        struct dcp_error err = { 0 };
        DCP_AUTO(dcp_bootstrap)
        struct dcp_bootstrap *b =
            create(from_ms, from_ms + 10 * DCP_DAY_MS, blocks[i], &err);

        ck_assert_msg(b != NULL, "%s", err.message);
        for (uint64_t seed = 0; seed < 50; seed++) {
            dcp_bootstrap_draw(b, seed);
            check_rows(b, from_ms, blocks[i]);
        }
    }
}
END_TEST

START_TEST(all_places_are_drawn_alike)
{
    /* From midnight on Tuesday 1 October: a Saturday and a Sunday. */
    int64_t from_ms = OCTOBER_MS + 4 * DCP_DAY_MS;
    uint32_t seen[N_DAYS] = { 0 }, n_days, n_source, n = 3000;
    DCP_AUTO(dcp_bootstrap)
    struct dcp_bootstrap *b =
        create(from_ms, from_ms + 2 * DCP_DAY_MS, 2, NULL);

    ck_assert(b != NULL);
    const int64_t *source = dcp_bootstrap_source(b, &n_source);

    ck_assert_uint_eq(n_source, N_DAYS);
    /* Of the sixth only the Saturday is there. */
    ck_assert_double_eq(dcp_bootstrap_n_windows(b), 5);
    for (uint32_t k = 0; k < n; k++) {
        dcp_bootstrap_draw(b, k);
        const int64_t *days = dcp_bootstrap_days(b, &n_days);
        uint32_t i = 0;

        ck_assert_uint_eq(n_days, 2);
        while (source[i] != days[0]) {
            i++;
        }
        ck_assert_int_eq(source[i + 1], days[1]);
        seen[i]++;
    }
    for (uint32_t i = 0; i < N_DAYS; i++) {
        if (i % 7 == 4 && i < 39) {
            ck_assert_double_eq_tol(seen[i], n / 5.0, 100);
        } else {
            ck_assert_uint_eq(seen[i], 0);
        }
    }
}
END_TEST

/* For those who do look back. */
START_TEST(a_copy_has_the_rows)
{
    int64_t from_ms = OCTOBER_MS + 9 * DCP_DAY_MS + 2 * MINUTE;
    struct dcp_samples out = { 0 };
    uint32_t n;
    DCP_AUTO(dcp_bootstrap)
    struct dcp_bootstrap *b = create(from_ms, from_ms + DCP_DAY_MS, 1, NULL);

    ck_assert(b != NULL);
    grid.value = malloc(grid.n_times * sizeof *grid.value);
    for (uint32_t t = 0; t < grid.n_times; t++) {
        grid.value[t] = (float)t;
    }
    for (uint64_t seed = 0; seed < 3; seed++) {
        dcp_bootstrap_draw(b, seed);
        ck_assert(dcp_bootstrap_copy(b, &grid, &out, NULL));
        const uint32_t *rows = dcp_bootstrap_rows(b, &n);

        ck_assert_uint_eq(n, 289); /* Both ends are cut. */
        ck_assert_uint_eq(out.n_times, n);
        ck_assert_int_eq(out.start_ms, from_ms - 2 * MINUTE);
        for (uint32_t i = 0; i < n; i++) {
            ck_assert_float_eq(out.value[i], (float)rows[i]);
        }
    }
    free(out.value);
    free(grid.value);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_draw)
{
    uint32_t n, first[288];
    DCP_AUTO(dcp_bootstrap)
    struct dcp_bootstrap *b =
        create(OCTOBER_MS + HOUR, OCTOBER_MS + 25 * HOUR, 1, NULL);

    ck_assert(b != NULL);
    dcp_bootstrap_draw(b, 7);
    memcpy(first, dcp_bootstrap_rows(b, &n), sizeof first);
    ck_assert_uint_eq(n, 288);
    dcp_bootstrap_draw(b, 8);
    ck_assert(memcmp(first, dcp_bootstrap_rows(b, &n), sizeof first) != 0);
    dcp_bootstrap_draw(b, 7);
    ck_assert(memcmp(first, dcp_bootstrap_rows(b, &n), sizeof first) == 0);
}
END_TEST

START_TEST(what_cannot_be_drawn_is_said)
{
    struct dcp_error err = { 0 };
    int64_t from_ms = OCTOBER_MS;

    grid.n_times = 3 * 288; /* Tuesday to Thursday. */
    ck_assert(
        !create(from_ms + 4 * DCP_DAY_MS, from_ms + 5 * DCP_DAY_MS, 1, &err));
    ck_assert_int_eq(err.code, DCP_E_USAGE);
    ck_assert(strstr(err.message, "3 whole days") != NULL);
    ck_assert(!create(from_ms, from_ms, 1, &err));
    ck_assert(!create(from_ms, from_ms + DCP_DAY_MS, 0, &err));
}
END_TEST

/* A replay by rows is the replay of a copy, to the last bit. */
START_TEST(rows_are_as_good_as_a_copy)
{
    struct dcp_sim_result by_rows, copied;
    uint32_t rows[24];

    constant_samples(24, 0);
    for (size_t i = 0; i < 24 * 6; i++) {
        samples.value[i] = (float)(i * 7919 % 5000);
    }
    for (uint32_t i = 0; i < 24; i++) {
        rows[i] = i * 5 % 24 / 2;
    }
    /* A window that the samples do not reach, off their grid. */
    struct dcp_sim_input in = {
        .inventory = f.inv,
        .cpu = &samples,
        .start = f.plan->before,
        .from_ms = samples.start_ms - 100 * STEP + 2 * MINUTE,
        .to_ms = samples.start_ms - 77 * STEP + 3 * MINUTE,
        .rows = rows,
        .n_rows = 24,
    };
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_simulate(&in, &by_rows, &err), "%s", err.message);
    ck_assert_uint_eq(by_rows.n_slices, 24);
    float *copy = malloc(24 * 6 * sizeof *copy);

    for (uint32_t i = 0; i < 24; i++) {
        memcpy(copy + i * 6, samples.value + rows[i] * 6, 6 * sizeof *copy);
    }
    struct dcp_samples there = samples;

    there.start_ms -= 100 * STEP;
    there.value = copy;
    in.cpu = &there;
    in.rows = NULL;
    ck_assert_msg(dcp_simulate(&in, &copied, &err), "%s", err.message);
    ck_assert_double_eq(by_rows.it_kwh, copied.it_kwh);
    ck_assert_double_eq(by_rows.overload_host_s, copied.overload_host_s);
    ck_assert(
        memcmp(by_rows.slices, copied.slices, 24 * sizeof *copied.slices) == 0);
    dcp_sim_result_finish(&by_rows);
    dcp_sim_result_finish(&copied);
    free(copy);
    /* Nobody looks back on them, or alters what comes of them. */
    struct dcp_loop_options every = { .every_ms = HOUR };
    struct dcp_loop_report report;
    DCP_AUTO(dcp_sim_policy)
    struct dcp_sim_policy *policy = dcp_policy_none("none", &err);
    DCP_AUTO(dcp_sim) struct dcp_sim *sim = NULL;

    in.cpu = &samples;
    in.rows = rows;
    ck_assert(dcp_sim_open(&in, &sim, &err));
    ck_assert(dcp_sim_advance(sim, in.from_ms + HOUR, &err));
    ck_assert_uint_eq(dcp_sim_view(sim).n_past, 0);
    ck_assert(policy &&
              !dcp_loop_run(&in, policy, &every, &copied, &report, &err));
    ck_assert_int_eq(err.code, DCP_E_ARGUMENT);
    /* Rows that are not there, or too few. */
    in.n_rows = 23;
    ck_assert(!dcp_simulate(&in, &copied, &err));
    in.n_rows = 24;
    rows[3] = 24;
    ck_assert(!dcp_simulate(&in, &copied, &err));
    ck_assert_int_eq(err.code, DCP_E_ARGUMENT);
}
END_TEST

/* Days whose means follow one another, x(t) = 0.7 x(t-1) + e: what the mean of
 * as many days varies by is found by blocks, and not by single days. */
static double
mean_varies(const double value[], uint32_t n, uint32_t block_days)
{
    double sum = 0, squares = 0;
    uint32_t replications = 400, n_days, n_source;
    DCP_AUTO(dcp_bootstrap)
    struct dcp_bootstrap *b =
        create(OCTOBER_MS, OCTOBER_MS + n * DCP_DAY_MS, block_days, NULL);

    ck_assert(b != NULL);
    const int64_t *source = dcp_bootstrap_source(b, &n_source);

    ck_assert_uint_eq(n_source, n);
    for (uint32_t k = 0; k < replications; k++) {
        double mean = 0;

        dcp_bootstrap_draw(b, k);
        const int64_t *days = dcp_bootstrap_days(b, &n_days);

        for (uint32_t d = 0; d < n_days; d++) {
            mean += value[(days[d] - source[0]) / DCP_DAY_MS] / n;
        }
        sum += mean;
        squares += mean * mean;
    }
    return (squares - sum * sum / replications) / (replications - 1);
}

START_TEST(blocks_keep_what_days_have_in_common)
{
    const uint32_t n = 400;
    int64_t all[400];
    double value[400], single = 0, blocks = 0;

    for (uint32_t d = 0; d < n; d++) {
        all[d] = OCTOBER_MS / DCP_DAY_MS + 1 + d;
    }
    zone = &dcp_zone_utc;
    calendar.class_name[DCP_DAY_USER] = "any";
    calendar.days[DCP_DAY_USER] = all;
    calendar.n_days[DCP_DAY_USER] = n;
    calendar.n_classes = DCP_DAY_USER + 1;
    grid.interval_ms = DCP_DAY_MS;
    grid.n_times = n;
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct dcp_rng rng = dcp_rng_stream(seed, "days", 0);
        double x = 0;

        for (uint32_t d = 0; d < n; d++) {
            x = 0.7 * x + dcp_rng_normal(&rng);
            value[d] = x;
        }
        single += mean_varies(value, n, 1) / 10;
        blocks += mean_varies(value, n, 20) / 10;
    }
    /* In truth 1 / (1 - 0.7)^2 / n, of which blocks of 20 see a little less;
     * single days see 1 / (1 - 0.49) / n. */
    ck_assert_double_eq_tol(single * n, 1 / 0.51, 0.3);
    ck_assert(7 < blocks * n && blocks * n < 1 / 0.09);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &local_times_and_classes_stay,
        &all_places_are_drawn_alike,
        &a_copy_has_the_rows,
        &the_same_seed_gives_the_same_draw,
        &what_cannot_be_drawn_is_said,
        &rows_are_as_good_as_a_copy,
        &blocks_keep_what_days_have_in_common,
    };

    return run_tests_with("bootstrap", tests, sizeof tests / sizeof tests[0],
                          setup_grid, teardown);
}
