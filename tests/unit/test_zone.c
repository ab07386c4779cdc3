/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Zones of the system, against offsets that are known; and damaged files. */

#include "model/base/units.h"
#include "model/io/file.h"
#include "model/io/zone.h"
#include "tests/unit/run_suite.h"

#include <string.h>

static int32_t
offset_h10(const struct dcp_zone *zone, const char *instant)
{
    int64_t ms;

    ck_assert(dcp_parse_instant(instant, &ms, NULL));
    struct dcp_local local = dcp_zone_local(zone, ms);

    return (int32_t)((local.day * DCP_DAY_MS + local.ms_of_day - ms) / 360000);
}

START_TEST(offsets_are_those_of_the_clocks_there)
{
    static const struct {
        const char *zone, *instant;
        int32_t h10; /* Tenths of an hour east of UTC. */
    } known[] = {
        { "Europe/Brussels", "2013-08-22T12:00:00Z", 20 },
        { "Europe/Brussels", "2013-12-22T12:00:00Z", 10 },
        { "Europe/Brussels", "2026-03-29T00:59:59Z", 10 },
        { "Europe/Brussels", "2026-03-29T01:00:00Z", 20 },
        /* By the footer's rule alone. */
        { "Europe/Brussels", "2049-10-31T00:59:59Z", 20 },
        { "Europe/Brussels", "2049-10-31T01:00:00Z", 10 },
        { "Asia/Kolkata", "2048-06-01T00:00:00Z", 55 },
        { "Asia/Tokyo", "2048-06-01T00:00:00Z", 90 },
        /* South: summer in January. */
        { "Australia/Sydney", "2045-01-15T00:00:00Z", 110 },
        { "Australia/Sydney", "2045-07-15T00:00:00Z", 100 },
        { "America/New_York", "2050-11-06T05:59:59Z", -40 },
        { "America/New_York", "2050-11-06T06:00:00Z", -50 },
        { "UTC", "2020-01-01T00:00:00Z", 0 },
    };
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct dcp_error err = { 0 };
        const struct dcp_zone *zone = dcp_zone_load(arena, known[i].zone, &err);

        ck_assert_msg(zone != NULL, "%s", err.message);
        ck_assert_str_eq(zone->name, known[i].zone);
        ck_assert_msg(offset_h10(zone, known[i].instant) == known[i].h10,
                      "%s %s: %d", known[i].zone, known[i].instant,
                      offset_h10(zone, known[i].instant));
    }
}
END_TEST

START_TEST(names_cannot_leave_the_directory)
{
    static const char *const names[] = {
        "",
        "/etc/passwd",
        "../../../etc/passwd",
        "Europe/../../passwd",
        "Europe/Atlantis",
        "Europe",
        "zone.tab",
        "a b",
    };
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct dcp_error err = { 0 };

        ck_assert_ptr_null(dcp_zone_load(arena, names[i], &err));
        ck_assert_int_ne(err.code, DCP_OK);
    }
}
END_TEST

START_TEST(every_truncation_is_refused)
{
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);
    size_t length;
    struct dcp_error err;
    DCP_FREE char *bytes = dcp_file_read("/usr/share/zoneinfo/Europe/Brussels",
                                         1 << 20, &length, NULL);

    ck_assert_ptr_nonnull(bytes);
    for (size_t n = 0; n < length; n++) {
        ck_assert_ptr_null(
            dcp_zone_parse(arena, "x", (const unsigned char *)bytes, n, &err));
    }
    ck_assert_ptr_nonnull(
        dcp_zone_parse(arena, "x", (const unsigned char *)bytes, length, &err));
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &offsets_are_those_of_the_clocks_there,
        &names_cannot_leave_the_directory,
        &every_truncation_is_refused,
    };

    return RUN_TESTS("zone", tests);
}
