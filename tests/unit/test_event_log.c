/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/output/event_log.h"
#include "tests/unit/exec_fixture.h"
#include "tests/unit/run_suite.h"

#include <unistd.h>

#define N_EVENTS 10000 /* More than one flush. */

static struct fixture f;
static char path[64];

static void
setup(void)
{
    fixture_init(&f, 3, 6);
    snprintf(path, sizeof path, "event_log.%d.tmp", (int)getpid());
}

static void
teardown(void)
{
    unlink(path);
    fixture_finish(&f);
}

static struct dcp_logged_event
event_of(uint32_t i)
{
    return (struct dcp_logged_event){
        .at_ms = FIXTURE_START_MS + 7 * (int64_t)i,
        .kind = i % 3 ? DCP_STEP_MIGRATE : DCP_STEP_HOST_ON,
        .phase = (enum dcp_action_phase)(i % 3),
        .leg = i % 4,
        .object = { i % 3 ? DCP_OBJECT_VM : DCP_OBJECT_HOST, i % 3 },
        .from = { i % 3 ? DCP_OBJECT_HOST : DCP_OBJECT_NONE, 0 },
        .to = { i % 3 ? DCP_OBJECT_HOST : DCP_OBJECT_NONE, i % 3 ? 2 : 0 },
    };
}

static void
write_log(uint32_t n)
{
    struct dcp_error err = { 0 };
    DCP_AUTO(dcp_event_log)
    struct dcp_event_log *log = dcp_event_log_create(
        path, f.inv, FIXTURE_START_MS, FIXTURE_START_MS + 1000, &err);

    ck_assert_msg(log != NULL, "%s", err.message);
    for (uint32_t i = 0; i < n; i++) {
        struct dcp_logged_event e = event_of(i);

        ck_assert(dcp_event_log_add(log, &e, &err));
    }
    ck_assert(dcp_event_log_flush(log, &err));
}

/* The number of whole events, each as it was written. */
static uint32_t
read_log(bool *out_damaged)
{
    struct dcp_error err = { 0 };
    DCP_AUTO(dcp_event_reader)
    struct dcp_event_reader *r = dcp_event_reader_open(path, &err);
    struct dcp_logged_event e;
    uint32_t n = 0;
    bool more;

    ck_assert_msg(r != NULL, "%s", err.message);
    for (;; n++) {
        ck_assert(dcp_event_reader_next(r, &e, &more, &err));
        if (!more) {
            break;
        }
        struct dcp_logged_event is = event_of(n);

        ck_assert_int_eq(e.at_ms, is.at_ms);
        ck_assert_int_eq(e.kind, is.kind);
        ck_assert_int_eq(e.phase, is.phase);
        ck_assert_uint_eq(e.leg, is.leg);
        ck_assert_int_eq(e.object.kind, is.object.kind);
        ck_assert_uint_eq(e.object.ix, is.object.ix);
        ck_assert_int_eq(e.to.kind, is.to.kind);
        ck_assert_uint_eq(e.to.ix, is.to.ix);
        ck_assert_str_eq(dcp_event_reader_name(r, e.object),
                         dcp_object_name(f.inv, is.object));
    }
    *out_damaged = dcp_event_reader_is_damaged(r);
    return n;
}

static long
file_size(void)
{
    FILE *file = fopen(path, "rb");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);

    fclose(file);
    return size;
}

static void
poke(long at, int byte)
{
    FILE *file = fopen(path, "r+b");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, at, SEEK_SET), 0);
    ck_assert_int_eq(fputc(byte, file), byte);
    fclose(file);
}

START_TEST(events_come_back_as_they_were)
{
    bool damaged;
    int64_t from_ms, to_ms;

    write_log(N_EVENTS);
    ck_assert_uint_eq(read_log(&damaged), N_EVENTS);
    ck_assert(!damaged);
    DCP_AUTO(dcp_event_reader)
    struct dcp_event_reader *r = dcp_event_reader_open(path, NULL);

    dcp_event_reader_window(r, &from_ms, &to_ms);
    ck_assert_int_eq(from_ms, FIXTURE_START_MS);
    ck_assert_int_eq(to_ms, FIXTURE_START_MS + 1000);
    struct dcp_object unknown = { DCP_OBJECT_HOST, 3 };

    ck_assert_str_eq(dcp_event_reader_name(r, unknown), "");
}
END_TEST

START_TEST(an_event_takes_24_bytes)
{
    write_log(0);
    long header = file_size();

    write_log(N_EVENTS);
    ck_assert_int_eq(file_size() - header, 24L * N_EVENTS);
}
END_TEST

START_TEST(what_was_written_before_a_crash_is_read)
{
    bool damaged;

    write_log(100);
    long size = file_size();

    for (long cut = 1; cut < 60; cut++) {
        ck_assert_int_eq(truncate(path, size - cut), 0);
        ck_assert_uint_eq(read_log(&damaged), (uint32_t)((2400 - cut) / 24));
        ck_assert(damaged == (cut % 24 != 0));
    }
    write_log(100); /* A file system may leave zeros at the end. */
    ck_assert_int_eq(truncate(path, size + 240), 0);
    ck_assert_uint_eq(read_log(&damaged), 100);
    ck_assert(damaged);
    for (long at = 1; at <= 24; at++) {
        write_log(100);
        poke(size - at, 0x5b);
        uint32_t n = read_log(&damaged);

        ck_assert_uint_eq(n, damaged ? 99 : 100);
    }
}
END_TEST

START_TEST(other_files_are_refused)
{
    struct dcp_error err = { 0 };

    ck_assert_ptr_null(dcp_event_reader_open("nowhere.tmp", &err));
    ck_assert_int_eq(err.code, DCP_E_NOT_FOUND);
    ck_assert_ptr_null(dcp_event_reader_open("README.md", &err));
    ck_assert_int_eq(err.code, DCP_E_PARSE);
    write_log(0);
    for (long at = 0, n = file_size(); at < n; at++) {
        write_log(0);
        poke(at, 0xee); /* Nowhere in a whole header but its hash. */
        struct dcp_event_reader *r = dcp_event_reader_open(path, &err);

        ck_assert(r == NULL || at >= n - 32);
        dcp_event_reader_destroy(r);
        write_log(0);
        ck_assert_int_eq(truncate(path, at), 0);
        ck_assert_ptr_null(dcp_event_reader_open(path, &err));
        ck_assert_int_eq(err.code, DCP_E_PARSE);
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &events_come_back_as_they_were,
        &an_event_takes_24_bytes,
        &what_was_written_before_a_crash_is_read,
        &other_files_are_refused,
    };

    return run_tests_with("event_log", tests, sizeof tests / sizeof tests[0],
                          setup, teardown);
}
