/* SPDX-License-Identifier: GPL-3.0-or-later */

/* TZif: a header and data block with 32-bit times, then (version 2 and later)
 * the same with 64-bit times, then a footer with a POSIX TZ string. Only the
 * second block is read.  Leap seconds are ignored: POSIX time has none. */

#include "model/io/zone.h"

#include "model/base/units.h"
#include "model/io/file.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAST_YEAR 2099
#define MAX_BYTES ((size_t)1 << 20)

struct header {
    uint32_t version, n_utc, n_std, n_leap, n_times, n_types, n_chars;
};

static uint32_t
be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static int64_t
be64(const unsigned char *p)
{
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

/* Reads the header at *at and moves past it; checks that the data block that
 * follows, with times of 'time_size' bytes, fits; *out_block is its length. */
static bool
read_header(const unsigned char *bytes, size_t length, size_t *at,
            size_t time_size, struct header *h, size_t *out_block)
{
    if (length - *at < 44 || memcmp(bytes + *at, "TZif", 4) != 0) {
        return false;
    }
    const unsigned char *p = bytes + *at;

    *h =
        (struct header){ p[4],         be32(p + 20), be32(p + 24), be32(p + 28),
                         be32(p + 32), be32(p + 36), be32(p + 40) };
    *at += 44;
    if (h->n_times > 100000 || h->n_types > 256 || h->n_chars > 100000 ||
        h->n_leap > 100000 || h->n_std > 256 || h->n_utc > 256) {
        return false;
    }
    *out_block = h->n_times * (time_size + 1) + h->n_types * (size_t)6 +
                 h->n_chars + h->n_leap * (time_size + 4) + h->n_std + h->n_utc;
    return *out_block <= length - *at;
}

/* --- The footer: "CET-1CEST,M3.5.0,M10.5.0/3" --------------------------- */

struct change { /* The day and second at which a rule changes. */
    char kind;  /* 'M' month-week-day, 'J' day without 29 February, 'D'. */
    int32_t month, week, day;
    int32_t time_s;
};
struct footer {
    int32_t std_s, dst_s;
    bool has_dst;
    struct change to_dst, to_std;
};

static bool
skip_name(const char **p)
{
    const char *from = *p;

    if (**p == '<') {
        const char *end = strchr(*p, '>');

        *p = end ? end + 1 : *p;
        return end != NULL;
    }
    while (isalpha((unsigned char)**p)) {
        (*p)++;
    }
    return *p - from >= 3;
}

static bool
scan_number(const char **p, int32_t *out)
{
    int32_t value = 0, n = 0;

    for (; isdigit((unsigned char)**p) && n < 4; n++) {
        value = 10 * value + (*(*p)++ - '0');
    }
    *out = value;
    return n > 0;
}

/* [+-]h[h[h]][:mm[:ss]] in seconds. */
static bool
scan_clock(const char **p, int32_t *out_s)
{
    int32_t sign = **p == '-' ? -1 : 1, h, m = 0, s = 0;

    *p += **p == '-' || **p == '+';
    if (!scan_number(p, &h) || h > 167) {
        return false;
    }
    if (**p == ':') {
        (*p)++;
        if (!scan_number(p, &m) || m > 59) {
            return false;
        }
        if (**p == ':') {
            (*p)++;
            if (!scan_number(p, &s) || s > 59) {
                return false;
            }
        }
    }
    *out_s = sign * (h * 3600 + m * 60 + s);
    return true;
}

static bool
scan_change(const char **p, struct change *out)
{
    *out = (struct change){ .kind = 'D', .time_s = 7200 };
    if (*(*p)++ != ',') {
        return false;
    }
    if (**p == 'M') {
        out->kind = *(*p)++;
        if (!scan_number(p, &out->month) || *(*p)++ != '.' ||
            !scan_number(p, &out->week) || *(*p)++ != '.' ||
            !scan_number(p, &out->day) || out->month < 1 || out->month > 12 ||
            out->week < 1 || out->week > 5 || out->day > 6) {
            return false;
        }
    } else {
        if (**p == 'J') {
            out->kind = *(*p)++;
        }
        if (!scan_number(p, &out->day) || out->day > 365) {
            return false;
        }
    }
    if (**p == '/') {
        (*p)++;
        return scan_clock(p, &out->time_s);
    }
    return true;
}

static bool
parse_footer(const char *text, struct footer *out)
{
    const char *p = text;

    *out = (struct footer){ 0 };
    if (!skip_name(&p) || !scan_clock(&p, &out->std_s)) {
        return false;
    }
    out->std_s = -out->std_s; /* POSIX counts west. */
    out->dst_s = out->std_s + 3600;
    if (!*p) {
        return true;
    }
    out->has_dst = true;
    if (!skip_name(&p)) {
        return false;
    }
    if (*p && *p != ',') {
        if (!scan_clock(&p, &out->dst_s)) {
            return false;
        }
        out->dst_s = -out->dst_s;
    }
    return scan_change(&p, &out->to_dst) && scan_change(&p, &out->to_std) &&
           !*p;
}

/* The change in that year, in UTC seconds, when 'offset_s' is in force. */
static int64_t
change_in(const struct change *c, int64_t year, int32_t offset_s)
{
    int64_t jan1 = dcp_days_from_civil(year, 1, 1), day;

    if (c->kind == 'M') {
        int64_t first = dcp_days_from_civil(year, (uint32_t)c->month, 1);
        int64_t next =
            c->month == 12
                ? dcp_days_from_civil(year + 1, 1, 1)
                : dcp_days_from_civil(year, (uint32_t)c->month + 1, 1);
        int64_t first_dow = ((first + 4) % 7 + 7) % 7; /* 0 = Sunday. */

        day = first + (c->day - first_dow + 7) % 7 + 7 * (c->week - 1);
        if (day >= next) {
            day -= 7;
        }
    } else if (c->kind == 'J') {
        bool leap = dcp_days_from_civil(year + 1, 1, 1) - jan1 == 366;

        day = jan1 + c->day - 1 + (leap && c->day > 59);
    } else {
        day = jan1 + c->day;
    }
    return day * 86400 + c->time_s - offset_s;
}

/* --- The table ---------------------------------------------------------- */

struct table {
    int64_t *from_s;
    int32_t *offset_s;
    uint32_t n, capacity;
};

static void
append(struct table *t, int64_t from_s, int32_t offset_s)
{
    if (t->n && from_s <= t->from_s[t->n - 1]) {
        return;
    }
    if (t->n < t->capacity && (!t->n || t->offset_s[t->n - 1] != offset_s)) {
        t->from_s[t->n] = from_s;
        t->offset_s[t->n++] = offset_s;
    }
}

static void
append_footer(struct table *t, const struct footer *f)
{
    int64_t last_s = t->n > 1 ? t->from_s[t->n - 1] : 0, year = 1970;
    uint32_t month, day;

    if (!f->has_dst) {
        append(t, last_s + 1, f->std_s);
        return;
    }
    dcp_civil_from_days(last_s / 86400, &year, &month, &day);
    for (; year <= LAST_YEAR; year++) {
        int64_t dst = change_in(&f->to_dst, year, f->std_s);
        int64_t std = change_in(&f->to_std, year, f->dst_s);

        /* South of the equator the year begins with summer time. */
        append(t, dst < std ? dst : std, dst < std ? f->dst_s : f->std_s);
        append(t, dst < std ? std : dst, dst < std ? f->std_s : f->dst_s);
    }
}

/* The 64-bit data block at 'p', which is known to fit. */
static bool
append_block(struct table *t, const struct header *h, const unsigned char *p)
{
    const unsigned char *types = p + h->n_times * (size_t)8;
    const unsigned char *infos = types + h->n_times;

    if (!h->n_types) {
        return false;
    }
    append(t, INT64_MIN, (int32_t)be32(infos));
    for (uint32_t i = 0; i < h->n_times; i++) {
        if (types[i] >= h->n_types) {
            return false;
        }
        int32_t offset_s = (int32_t)be32(infos + types[i] * (size_t)6);
        int64_t from_s = be64(p + i * (size_t)8);

        if (offset_s < -90000 || offset_s > 90000 ||
            from_s < -(INT64_C(1) << 45) || from_s > INT64_C(1) << 45) {
            if (from_s < -(INT64_C(1) << 45)) {
                continue; /* The "Big Bang" of some files. */
            }
            return false;
        }
        append(t, from_s, offset_s);
    }
    return true;
}

static bool
parse(const unsigned char *bytes, size_t length, struct table *t,
      struct dcp_arena *arena)
{
    struct header h;
    struct footer footer;
    size_t at = 0, block;
    char text[64];

    if (!read_header(bytes, length, &at, 4, &h, &block)) {
        return false;
    }
    at += block;
    if (h.version < '2' || !read_header(bytes, length, &at, 8, &h, &block)) {
        return false;
    }
    t->capacity = h.n_times + 2 * (LAST_YEAR - 1970 + 1) + 2;
    t->from_s = dcp_arena_array(arena, int64_t, t->capacity);
    t->offset_s = dcp_arena_array(arena, int32_t, t->capacity);
    if (!t->from_s || !t->offset_s || !append_block(t, &h, bytes + at)) {
        return false;
    }
    at += block;
    const unsigned char *end =
        at < length ? memchr(bytes + at + 1, '\n', length - at - 1) : NULL;

    if (!end || bytes[at] != '\n' ||
        (size_t)(end - bytes) - at - 1 >= sizeof text) {
        return false;
    }
    size_t n = (size_t)(end - bytes) - at - 1;

    memcpy(text, bytes + at + 1, n);
    text[n] = '\0';
    if (n) {
        if (!parse_footer(text, &footer)) {
            return false;
        }
        append_footer(t, &footer);
    }
    return true;
}

const struct dcp_zone *
dcp_zone_parse(struct dcp_arena *arena, const char *name,
               const unsigned char *bytes, size_t length, struct dcp_error *err)
{
    struct dcp_zone *zone = dcp_arena_new(arena, struct dcp_zone);
    struct table t = { 0 };

    if (!zone) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a time zone");
        return NULL;
    }
    if (!parse(bytes, length, &t, arena)) {
        (void)dcp_fail(err, DCP_E_PARSE,
                       "the zone file of '%.60s' is damaged or of an old kind",
                       name);
        return NULL;
    }
    *zone = (struct dcp_zone){ dcp_arena_strdup(arena, name), t.n, t.from_s,
                               t.offset_s };
    return zone->name ? zone : NULL;
}

static bool
is_zone_name(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n < 60 && name[0] != '/' && !strstr(name, "..") &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                        "0123456789_+-/") == n;
}

const struct dcp_zone *
dcp_zone_load(struct dcp_arena *arena, const char *name, struct dcp_error *err)
{
    struct dcp_error why = { 0 };
    char path[128];
    size_t length = 0;

    if (!strcmp(name, "UTC")) {
        return &dcp_zone_utc;
    }
    (void)snprintf(path, sizeof path, "/usr/share/zoneinfo/%.60s", name);
    DCP_FREE char *bytes = is_zone_name(name)
                               ? dcp_file_read(path, MAX_BYTES, &length, &why)
                               : NULL;

    if (!bytes) {
        (void)dcp_fail(err, DCP_E_NOT_FOUND,
                       "'%.60s' is not a time zone of this system such as "
                       "Europe/Brussels (package tzdata)",
                       name);
        return NULL;
    }
    return dcp_zone_parse(arena, name, (const unsigned char *)bytes, length,
                          err);
}
