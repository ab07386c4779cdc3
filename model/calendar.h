/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_CALENDAR_H
#define DCP_MODEL_CALENDAR_H 1

/* Local time: zones, day classes, demand buckets and the slots of a plan.
 *
 * Instants are int64 milliseconds since 1970 UTC.  Windows, tariffs, day
 * classes and buckets are local, so a night may have 7, 8 or 9 hours.
 *
 * A *bucket* is a kind of hour that recurs ("weekday, 22 h"): demand is
 * learnt per bucket.  A *slot* is one hour of the calendar that a plan covers;
 * it names the bucket whose demand is expected in it.
 *
 * Pure functions over immutable data: thread-safe.  Reading the system's zone
 * files is model/io/zone.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DCP_HOUR_MS INT64_C(3600000)
#define DCP_DAY_MS INT64_C(86400000)

/* offset_s[i] (seconds east of UTC) holds from from_s[i] (UTC) until
 * from_s[i + 1]; from_s[0] is INT64_MIN.  n >= 1. */
struct dcp_zone {
    const char *name; /* IANA name. */
    uint32_t n;
    const int64_t *from_s;
    const int32_t *offset_s;
};

extern const struct dcp_zone dcp_zone_utc;

struct dcp_local {
    int64_t day;        /* Days since 1970-01-01, local. */
    int64_t ms_of_day;  /* Wall clock since local midnight. */
    uint32_t day_of_week; /* 0 = Monday. */
};

struct dcp_local dcp_zone_local(const struct dcp_zone *, int64_t utc_ms);
/* The instant at which local clocks show that; the first one where there are
 * two; the moment after the gap where there is none. */
int64_t dcp_zone_instant(const struct dcp_zone *, int64_t day,
                         int64_t ms_of_day);

/* --- Day classes -------------------------------------------------------- */

/* Built-in classes; user-named ones follow.  A day has one class: the first
 * user-named class that lists it, else holiday, else month-end, else weekend
 * (Saturday, Sunday), else weekday. */
enum dcp_day_class {
    DCP_DAY_WEEKDAY,
    DCP_DAY_WEEKEND,
    DCP_DAY_HOLIDAY,
    DCP_DAY_MONTH_END,
    DCP_DAY_USER, /* First user-named class. */
};
#define DCP_DAY_CLASSES_MAX 12

struct dcp_calendar {
    const char *class_name[DCP_DAY_CLASSES_MAX];
    uint32_t n_classes; /* At least DCP_DAY_USER. */
    uint32_t month_end_days; /* The last so many days of a month; 0: none. */
    /* Days of holidays and of each user class, ascending. */
    const int64_t *days[DCP_DAY_CLASSES_MAX];
    uint32_t n_days[DCP_DAY_CLASSES_MAX];
};

/* The calendar of a model that states none. */
void dcp_calendar_default(struct dcp_calendar *);
uint32_t dcp_calendar_class(const struct dcp_calendar *, int64_t day);

/* --- Buckets ------------------------------------------------------------ */

enum dcp_bucket_scheme {
    DCP_BUCKETS_HOUR_OF_DAY, /* hour-of-day x daytype: class * 24 + hour */
    DCP_BUCKETS_HOUR_OF_WEEK, /* day of week * 24 + hour */
    DCP_BUCKETS_ONE,
};

uint32_t dcp_bucket_count(enum dcp_bucket_scheme, const struct dcp_calendar *);
uint32_t dcp_bucket_at(enum dcp_bucket_scheme, const struct dcp_calendar *,
                       const struct dcp_zone *, int64_t utc_ms);
/* "weekday 22 h", "Mon 22 h", "all"; returns 'out'. */
const char *dcp_bucket_label(enum dcp_bucket_scheme,
                             const struct dcp_calendar *, uint32_t bucket,
                             char *out, size_t size);

/* --- Slots -------------------------------------------------------------- */

struct dcp_slot {
    int64_t start_ms, end_ms;
    uint32_t bucket;
};

/* The slots of [start_ms, end_ms), cut at local full hours, in order.  Stores
 * up to 'max' and returns how many there are. */
uint32_t dcp_slots_between(enum dcp_bucket_scheme, const struct dcp_calendar *,
                           const struct dcp_zone *, int64_t start_ms,
                           int64_t end_ms, struct dcp_slot out[], uint32_t max);

/* A daily window of local wall-clock time; from > to spans midnight. */
struct dcp_window {
    int32_t from_min, to_min; /* Minutes since midnight, 0..1440. */
};

/* "22:00-06:00"; false: not of that form, or empty. */
bool dcp_window_parse(const char *text, struct dcp_window *out);
bool dcp_window_contains(const struct dcp_window *, int64_t ms_of_day);
/* The first such window that begins at or after 'utc_ms'; a night whose clock
 * jumps over all of it has none. */
void dcp_window_next(const struct dcp_window *, const struct dcp_zone *,
                     int64_t utc_ms, int64_t *out_start_ms,
                     int64_t *out_end_ms);

#endif /* model/calendar.h */
