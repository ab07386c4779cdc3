/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "run_suite.h"
#include "traces/percent_day.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/dcp-percent-XXXXXX";

static void
write_trace(const char *name, int first, int n, const char *tail)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    for (int i = 0; i < n; i++) {
        fprintf(f, "%d\n", (first + i) % 101);
    }
    fputs(tail, f);
    ck_assert_int_eq(fclose(f), 0);
}

static void
remove_trace(const char *name)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    (void)unlink(path);
}

static void
setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void
teardown(void)
{
    static const char *const names[] = { "b 2", "a10",  "a2",  "Z",
                                         ".x",  "n.md", "bad", "c" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        remove_trace(names[i]);
    }
    (void)rmdir(folder);
}

START_TEST(files_come_by_the_bytes_of_their_names)
{
    struct dcp_percent_day d;

    write_trace("b 2", 3, 288, "");
    write_trace("a2", 2, 288, "");
    write_trace("a10", 1, 288, "");
    write_trace("Z", 0, 288, "");
    write_trace(".x", 9, 1, "");
    write_trace("n.md", 9, 1, "words\n");
    ck_assert(dcp_percent_day_read(folder, &d, NULL));
    ck_assert_uint_eq(d.n_vms, 4);
    for (uint32_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(d.percent[i * DCP_PERCENT_DAY_SAMPLES], i);
        ck_assert_uint_eq(d.percent[i * DCP_PERCENT_DAY_SAMPLES + 287],
                          (i + 287) % 101);
    }
    dcp_percent_day_finish(&d);
}
END_TEST

START_TEST(a_shuffle_is_an_order_and_repeats)
{
    struct dcp_percent_day d, e;
    uint32_t seen = 0;
    bool moved = false;

    write_trace("b 2", 1, 288, "");
    write_trace("a2", 2, 288, "");
    write_trace("a10", 3, 288, "");
    write_trace("c", 4, 288, "");
    for (uint64_t seed = 0; seed < 8; seed++) {
        ck_assert(dcp_percent_day_read(folder, &d, NULL));
        ck_assert(dcp_percent_day_read(folder, &e, NULL));
        uint8_t first = d.percent[0];

        ck_assert(dcp_percent_day_shuffle(&d, seed, NULL));
        ck_assert(dcp_percent_day_shuffle(&e, seed, NULL));
        ck_assert_int_eq(
            memcmp(d.percent, e.percent, 4 * DCP_PERCENT_DAY_SAMPLES), 0);
        for (uint32_t i = 0; i < 4; i++) {
            seen |= 1u << d.percent[i * DCP_PERCENT_DAY_SAMPLES];
        }
        ck_assert_uint_eq(seen, 2 + 4 + 8 + 16);
        moved = moved || d.percent[0] != first;
        dcp_percent_day_finish(&d);
        dcp_percent_day_finish(&e);
    }
    ck_assert(moved);
}
END_TEST

/* Each is one file that must be refused with a message that names it. */
START_TEST(what_is_not_one_day_is_refused)
{
    static const struct {
        int first, n;
        const char *tail, *word;
    } bad[] = {
        { 0, 287, "", "287 values" }, { 0, 288, "5\n", "more than 288" },
        { 0, 5, "101\n", "'101'" },   { 0, 5, "-1\n", "'-1'" },
        { 0, 5, "nan\n", "'nan'" },   { 0, 5, "1.5\n", "'1.5'" },
        { 0, 0, "", "0 values" },
    };
    struct dcp_percent_day d;
    struct dcp_error err;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_trace("bad", bad[i].first, bad[i].n, bad[i].tail);
        ck_assert(!dcp_percent_day_read(folder, &d, &err));
        ck_assert_int_eq(err.code, DCP_E_PARSE);
        ck_assert_ptr_nonnull(strstr(err.message, bad[i].word));
        ck_assert_ptr_nonnull(strstr(err.message, "/bad'"));
        ck_assert_ptr_null(d.percent);
    }
    remove_trace("bad");
    ck_assert(!dcp_percent_day_read(folder, &d, &err)); /* Empty. */
    ck_assert(!dcp_percent_day_read("/nowhere/at/all", &d, &err));
    ck_assert_int_eq(err.code, DCP_E_USAGE);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &files_come_by_the_bytes_of_their_names,
        &a_shuffle_is_an_order_and_repeats,
        &what_is_not_one_day_is_refused,
    };

    return run_tests_with("percent_day", tests, sizeof tests / sizeof tests[0],
                          setup, teardown);
}
