/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/calendar.h"

#include "model/base/units.h"

#include <stdio.h>

static const int64_t utc_from_s[] = { INT64_MIN };
static const int32_t utc_offset_s[] = { 0 };
const struct dcp_zone dcp_zone_utc = { "UTC", 1, utc_from_s, utc_offset_s };

static int64_t
floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* The last entry that begins at or before 's'. */
static uint32_t
zone_find(const struct dcp_zone *zone, int64_t s)
{
    uint32_t low = 0, high = zone->n;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (zone->from_s[middle] <= s) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

struct dcp_local
dcp_zone_local(const struct dcp_zone *zone, int64_t utc_ms)
{
    uint32_t i = zone_find(zone, floor_div(utc_ms, 1000));
    int64_t local_ms = utc_ms + (int64_t)zone->offset_s[i] * 1000;
    int64_t day = floor_div(local_ms, DCP_DAY_MS);

    return (struct dcp_local){
        .day = day,
        .ms_of_day = local_ms - day * DCP_DAY_MS,
        .day_of_week = (uint32_t)(((day + 3) % 7 + 7) % 7),
    };
}

int64_t
dcp_zone_instant(const struct dcp_zone *zone, int64_t day, int64_t ms_of_day)
{
    int64_t local_ms = day * DCP_DAY_MS + ms_of_day;
    int64_t guess_s = floor_div(local_ms, 1000);
    /* Offsets are within a day, so the transitions that matter are near. */
    uint32_t first = zone_find(zone, guess_s - 86400);
    uint32_t last = zone_find(zone, guess_s + 86400);

    for (uint32_t i = first; i <= last; i++) {
        int64_t utc_ms = local_ms - (int64_t)zone->offset_s[i] * 1000;
        int64_t end_s = i + 1 < zone->n ? zone->from_s[i + 1] : INT64_MAX;

        if (floor_div(utc_ms, 1000) < end_s) {
            int64_t from_s = zone->from_s[i];

            /* In a gap: the first moment of this entry. */
            return i && utc_ms < from_s * 1000 ? from_s * 1000 : utc_ms;
        }
    }
    return local_ms;
}

void
dcp_calendar_default(struct dcp_calendar *calendar)
{
    *calendar = (struct dcp_calendar){
        .class_name = { "weekday", "weekend", "holiday", "month-end" },
        .n_classes = DCP_DAY_USER,
    };
}

static bool
lists_day(const struct dcp_calendar *calendar, uint32_t class_ix, int64_t day)
{
    for (uint32_t i = 0; i < calendar->n_days[class_ix]; i++) {
        if (calendar->days[class_ix][i] == day) {
            return true;
        }
    }
    return false;
}

uint32_t
dcp_calendar_class(const struct dcp_calendar *calendar, int64_t day)
{
    for (uint32_t c = DCP_DAY_USER; c < calendar->n_classes; c++) {
        if (lists_day(calendar, c, day)) {
            return c;
        }
    }
    if (lists_day(calendar, DCP_DAY_HOLIDAY, day)) {
        return DCP_DAY_HOLIDAY;
    }
    if (calendar->month_end_days) {
        int64_t year;
        uint32_t month, d, then_month;

        dcp_civil_from_days(day, &year, &month, &d);
        dcp_civil_from_days(day + calendar->month_end_days, &year, &then_month,
                            &d);
        if (then_month != month) {
            return DCP_DAY_MONTH_END;
        }
    }
    return ((day + 3) % 7 + 7) % 7 >= 5 ? DCP_DAY_WEEKEND : DCP_DAY_WEEKDAY;
}

uint32_t
dcp_bucket_count(enum dcp_bucket_scheme scheme,
                 const struct dcp_calendar *calendar)
{
    switch (scheme) {
    case DCP_BUCKETS_HOUR_OF_DAY:
        return calendar->n_classes * 24;
    case DCP_BUCKETS_HOUR_OF_WEEK:
        return 7 * 24;
    case DCP_BUCKETS_ONE:
        return 1;
    }
    return 1;
}

uint32_t
dcp_bucket_at(enum dcp_bucket_scheme scheme,
              const struct dcp_calendar *calendar, const struct dcp_zone *zone,
              int64_t utc_ms)
{
    struct dcp_local local = dcp_zone_local(zone, utc_ms);
    uint32_t hour = (uint32_t)(local.ms_of_day / DCP_HOUR_MS);

    switch (scheme) {
    case DCP_BUCKETS_HOUR_OF_DAY:
        return dcp_calendar_class(calendar, local.day) * 24 + hour;
    case DCP_BUCKETS_HOUR_OF_WEEK:
        return local.day_of_week * 24 + hour;
    case DCP_BUCKETS_ONE:
        return 0;
    }
    return 0;
}

const char *
dcp_bucket_label(enum dcp_bucket_scheme scheme,
                 const struct dcp_calendar *calendar, uint32_t bucket,
                 char *out, size_t size)
{
    static const char *const days[] = { "Mon", "Tue", "Wed", "Thu",
                                        "Fri", "Sat", "Sun" };

    switch (scheme) {
    case DCP_BUCKETS_HOUR_OF_DAY:
        (void)snprintf(out, size, "%s %u h",
                       calendar->class_name[bucket / 24 % DCP_DAY_CLASSES_MAX],
                       bucket % 24);
        break;
    case DCP_BUCKETS_HOUR_OF_WEEK:
        (void)snprintf(out, size, "%s %u h", days[bucket / 24 % 7],
                       bucket % 24);
        break;
    case DCP_BUCKETS_ONE:
        (void)snprintf(out, size, "all");
        break;
    }
    return out;
}

uint32_t
dcp_slots_between(enum dcp_bucket_scheme scheme,
                  const struct dcp_calendar *calendar,
                  const struct dcp_zone *zone, int64_t start_ms,
                  int64_t end_ms, struct dcp_slot out[], uint32_t max)
{
    uint32_t n = 0;

    for (int64_t t = start_ms; t < end_ms;) {
        struct dcp_local local = dcp_zone_local(zone, t);
        int64_t next = t + DCP_HOUR_MS - local.ms_of_day % DCP_HOUR_MS;

        if (next > end_ms) {
            next = end_ms;
        }
        if (n < max) {
            out[n] = (struct dcp_slot){
                t, next, dcp_bucket_at(scheme, calendar, zone, t)
            };
        }
        n++;
        t = next;
    }
    return n;
}

static bool
parse_clock(const char **p, int32_t *out_min)
{
    int32_t h = 0, m = 0, n = 0;

    for (; **p >= '0' && **p <= '9' && n < 2; n++) {
        h = 10 * h + (*(*p)++ - '0');
    }
    if (!n || *(*p)++ != ':') {
        return false;
    }
    for (n = 0; **p >= '0' && **p <= '9' && n < 2; n++) {
        m = 10 * m + (*(*p)++ - '0');
    }
    *out_min = 60 * h + m;
    return n == 2 && m < 60 && *out_min <= 1440;
}

bool
dcp_window_parse(const char *text, struct dcp_window *out)
{
    struct dcp_window w;

    if (!parse_clock(&text, &w.from_min) || *text++ != '-' ||
        !parse_clock(&text, &w.to_min) || *text ||
        w.from_min == w.to_min || w.from_min == 1440) {
        return false;
    }
    *out = w;
    return true;
}

bool
dcp_window_contains(const struct dcp_window *w, int64_t ms_of_day)
{
    int64_t minute = ms_of_day / 60000;

    if (w->from_min < w->to_min) {
        return minute >= w->from_min && minute < w->to_min;
    }
    return minute >= w->from_min || minute < w->to_min;
}

void
dcp_window_next(const struct dcp_window *w, const struct dcp_zone *zone,
                int64_t utc_ms, int64_t *out_start_ms, int64_t *out_end_ms)
{
    int64_t day = dcp_zone_local(zone, utc_ms).day - 1;
    int64_t days = w->to_min > w->from_min ? 0 : 1;
    int64_t start, end;

    do {
        start = dcp_zone_instant(zone, day, w->from_min * INT64_C(60000));
        end = dcp_zone_instant(zone, day + days, w->to_min * INT64_C(60000));
        day++;
    } while (start < utc_ms || end <= start);
    *out_start_ms = start;
    *out_end_ms = end;
}
