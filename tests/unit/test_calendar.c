/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/units.h"
#include "tests/unit/ledger_fixture.h"
#include "tests/unit/run_suite.h"

#define MINUTE_MS INT64_C(60000)

static int64_t
day_of(int64_t year, uint32_t month, uint32_t day)
{
    return dcp_days_from_civil(year, month, day);
}

static int64_t
instant(const char *text)
{
    int64_t ms = 0;

    ck_assert_msg(dcp_parse_instant(text, &ms, NULL), "%s", text);
    return ms;
}

START_TEST(local_time_follows_the_zone)
{
    struct dcp_local l =
        dcp_zone_local(&brussels, instant("2013-08-21T22:30:00Z"));

    ck_assert_int_eq(l.day, day_of(2013, 8, 22));
    ck_assert_int_eq(l.ms_of_day, 30 * MINUTE_MS);
    ck_assert_uint_eq(l.day_of_week, 3); /* A Thursday. */
    l = dcp_zone_local(&brussels, instant("2013-12-31T23:00:00Z"));
    ck_assert_int_eq(l.day, day_of(2014, 1, 1));
    l = dcp_zone_local(&dcp_zone_utc, -1);
    ck_assert_int_eq(l.day, -1);
    ck_assert_int_eq(l.ms_of_day, DCP_DAY_MS - 1);
    ck_assert_uint_eq(l.day_of_week, 2); /* 1969-12-31: a Wednesday. */
}
END_TEST

START_TEST(instants_of_gaps_and_of_hours_that_come_twice)
{
    int64_t spring = day_of(2013, 3, 31), autumn = day_of(2013, 10, 27);

    /* 02:30 does not exist: the moment after the gap. */
    ck_assert_int_eq(dcp_zone_instant(&brussels, spring, 150 * MINUTE_MS),
                     instant("2013-03-31T01:00:00Z"));
    ck_assert_int_eq(dcp_zone_instant(&brussels, spring, 60 * MINUTE_MS),
                     instant("2013-03-31T00:00:00Z"));
    ck_assert_int_eq(dcp_zone_instant(&brussels, spring, 180 * MINUTE_MS),
                     instant("2013-03-31T01:00:00Z"));
    /* 02:30 exists twice: the first. */
    ck_assert_int_eq(dcp_zone_instant(&brussels, autumn, 150 * MINUTE_MS),
                     instant("2013-10-27T00:30:00Z"));
    ck_assert_int_eq(dcp_zone_instant(&brussels, autumn, 180 * MINUTE_MS),
                     instant("2013-10-27T02:00:00Z"));
}
END_TEST

START_TEST(every_instant_comes_back)
{
    for (int64_t t = instant("2013-03-29T00:00:00Z");
         t < instant("2013-11-01T00:00:00Z"); t += 7 * MINUTE_MS) {
        struct dcp_local l = dcp_zone_local(&brussels, t);
        int64_t back = dcp_zone_instant(&brussels, l.day, l.ms_of_day);

        /* Of an hour that comes twice the first is given. */
        ck_assert(back == t || back == t - DCP_HOUR_MS);
    }
}
END_TEST

START_TEST(nights_have_seven_eight_or_nine_hours)
{
    static const struct {
        const char *after, *start, *end;
        uint32_t n_slots;
    } nights[] = {
        { "2013-03-30T12:00:00Z", "2013-03-30T21:00:00Z",
          "2013-03-31T04:00:00Z", 7 },
        { "2013-08-21T12:00:00Z", "2013-08-21T20:00:00Z",
          "2013-08-22T04:00:00Z", 8 },
        { "2013-10-26T12:00:00Z", "2013-10-26T20:00:00Z",
          "2013-10-27T05:00:00Z", 9 },
    };
    struct dcp_calendar calendar;
    struct dcp_window w;

    dcp_calendar_default(&calendar);
    ck_assert(dcp_window_parse("22:00-06:00", &w));
    for (size_t i = 0; i < sizeof nights / sizeof nights[0]; i++) {
        int64_t start, end;
        struct dcp_slot slots[16];

        dcp_window_next(&w, &brussels, instant(nights[i].after), &start, &end);
        ck_assert_int_eq(start, instant(nights[i].start));
        ck_assert_int_eq(end, instant(nights[i].end));
        uint32_t n = dcp_slots_between(DCP_BUCKETS_HOUR_OF_DAY, &calendar,
                                       &brussels, start, end, slots, 16);

        ck_assert_uint_eq(n, nights[i].n_slots);
        for (uint32_t s = 0; s < n; s++) {
            ck_assert_int_eq(slots[s].start_ms,
                             s ? slots[s - 1].end_ms : start);
            ck_assert_int_eq(slots[s].end_ms - slots[s].start_ms, DCP_HOUR_MS);
            ck_assert_uint_eq(slots[s].bucket,
                              dcp_bucket_at(DCP_BUCKETS_HOUR_OF_DAY, &calendar,
                                            &brussels, slots[s].end_ms - 1));
        }
        ck_assert_int_eq(slots[n - 1].end_ms, end);
    }
}
END_TEST

START_TEST(slots_are_cut_at_full_hours)
{
    struct dcp_calendar calendar;
    struct dcp_slot slots[2];
    int64_t from = instant("2013-08-22T10:20:00Z");

    dcp_calendar_default(&calendar);
    ck_assert_uint_eq(dcp_slots_between(DCP_BUCKETS_ONE, &calendar,
                                        &dcp_zone_utc, from,
                                        from + 100 * MINUTE_MS, slots, 2),
                      2);
    ck_assert_int_eq(slots[0].end_ms, from + 40 * MINUTE_MS);
    ck_assert_int_eq(slots[1].end_ms, from + 100 * MINUTE_MS);
    ck_assert_uint_eq(dcp_slots_between(DCP_BUCKETS_ONE, &calendar,
                                        &dcp_zone_utc, from, from, slots, 2),
                      0);
    /* More than fit are counted. */
    ck_assert_uint_eq(dcp_slots_between(DCP_BUCKETS_ONE, &calendar,
                                        &dcp_zone_utc, from,
                                        from + 3 * DCP_DAY_MS, slots, 2),
                      73);
}
END_TEST

START_TEST(windows_are_read_strictly)
{
    static const char *const bad[] = {
        "",      "22:00",        "22:00-22:00", "24:00-06:00", "22:60-06:00",
        "22-06", "22:00-06:00 ", "25:00-26:00", "22:0-6:00",   "-1:00-06:00"
    };
    struct dcp_window w = { -1, -1 };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(!dcp_window_parse(bad[i], &w), "'%s'", bad[i]);
    }
    ck_assert_int_eq(w.from_min, -1);
    ck_assert(dcp_window_parse("08:30-24:00", &w));
    ck_assert(!dcp_window_contains(&w, 510 * MINUTE_MS - 1));
    ck_assert(dcp_window_contains(&w, 510 * MINUTE_MS));
    ck_assert(dcp_window_contains(&w, DCP_DAY_MS - 1));
    ck_assert(dcp_window_parse("22:00-06:00", &w));
    ck_assert(dcp_window_contains(&w, 0));
    ck_assert(!dcp_window_contains(&w, 360 * MINUTE_MS));
    ck_assert(dcp_window_contains(&w, 360 * MINUTE_MS - 1));
}
END_TEST

START_TEST(window_that_begins_now_is_the_next)
{
    struct dcp_window w = { 22 * 60, 6 * 60 };
    int64_t at = instant("2013-08-22T20:00:00Z"), start, end;

    dcp_window_next(&w, &brussels, at, &start, &end);
    ck_assert_int_eq(start, at);
    dcp_window_next(&w, &brussels, at + 1, &start, &end);
    ck_assert_int_eq(start, at + DCP_DAY_MS);
    w = (struct dcp_window){ 12 * 60, 14 * 60 };
    dcp_window_next(&w, &brussels, at, &start, &end);
    ck_assert_int_eq(start, instant("2013-08-23T10:00:00Z"));
    ck_assert_int_eq(end - start, 2 * DCP_HOUR_MS);
    /* The clock jumps from 02:00 to 03:00. */
    w = (struct dcp_window){ 2 * 60 + 15, 2 * 60 + 45 };
    dcp_window_next(&w, &brussels, instant("2013-03-30T12:00:00Z"), &start,
                    &end);
    ck_assert_int_eq(start, instant("2013-04-01T00:15:00Z"));
    ck_assert_int_eq(end - start, DCP_HOUR_MS / 2);
}
END_TEST

START_TEST(a_day_has_one_class)
{
    struct dcp_calendar c;
    int64_t holidays[] = { day_of(2013, 8, 15), day_of(2013, 8, 31) };
    int64_t patch[] = { day_of(2013, 8, 15), day_of(2013, 8, 20) };

    dcp_calendar_default(&c);
    ck_assert_uint_eq(dcp_calendar_class(&c, day_of(2013, 8, 16)),
                      DCP_DAY_WEEKDAY);
    ck_assert_uint_eq(dcp_calendar_class(&c, day_of(2013, 8, 17)),
                      DCP_DAY_WEEKEND);
    ck_assert_uint_eq(dcp_calendar_class(&c, day_of(2013, 8, 30)),
                      DCP_DAY_WEEKDAY);
    c.month_end_days = 2;
    c.days[DCP_DAY_HOLIDAY] = holidays;
    c.n_days[DCP_DAY_HOLIDAY] = 2;
    c.class_name[DCP_DAY_USER] = "patch";
    c.n_classes = DCP_DAY_USER + 1;
    c.days[DCP_DAY_USER] = patch;
    c.n_days[DCP_DAY_USER] = 2;
    ck_assert_uint_eq(dcp_calendar_class(&c, day_of(2013, 8, 30)),
                      DCP_DAY_MONTH_END);
    ck_assert_uint_eq(dcp_calendar_class(&c, day_of(2013, 8, 31)),
                      DCP_DAY_HOLIDAY);
    ck_assert_uint_eq(dcp_calendar_class(&c, day_of(2013, 8, 29)),
                      DCP_DAY_WEEKDAY);
    ck_assert_uint_eq(dcp_calendar_class(&c, day_of(2013, 8, 15)),
                      DCP_DAY_USER);
    ck_assert_uint_eq(dcp_calendar_class(&c, day_of(2013, 8, 20)),
                      DCP_DAY_USER);

    char label[32];
    uint32_t bucket = dcp_bucket_at(DCP_BUCKETS_HOUR_OF_DAY, &c, &brussels,
                                    instant("2013-08-20T20:00:00Z"));

    ck_assert_uint_lt(bucket, dcp_bucket_count(DCP_BUCKETS_HOUR_OF_DAY, &c));
    ck_assert_str_eq(dcp_bucket_label(DCP_BUCKETS_HOUR_OF_DAY, &c, bucket,
                                      label, sizeof label),
                     "patch 22 h");
    bucket = dcp_bucket_at(DCP_BUCKETS_HOUR_OF_WEEK, &c, &brussels,
                           instant("2013-08-18T22:00:00Z"));
    ck_assert_str_eq(dcp_bucket_label(DCP_BUCKETS_HOUR_OF_WEEK, &c, bucket,
                                      label, sizeof label),
                     "Mon 0 h");
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &local_time_follows_the_zone,
        &instants_of_gaps_and_of_hours_that_come_twice,
        &every_instant_comes_back,
        &nights_have_seven_eight_or_nine_hours,
        &slots_are_cut_at_full_hours,
        &windows_are_read_strictly,
        &window_that_begins_now_is_the_next,
        &a_day_has_one_class,
    };

    return RUN_TESTS("calendar", tests);
}
