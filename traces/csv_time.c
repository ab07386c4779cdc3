/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Instants in somebody's format (traces/csv_map.h). */

#include "model/base/units.h"
#include "traces/csv_map.h"
#include "traces/lines.h"

static const char *
digits(const char *p, int min, int max, int64_t *out)
{
    int n = 0;

    for (*out = 0; n < max && *p >= '0' && *p <= '9'; p++, n++) {
        *out = 10 * *out + (*p - '0');
    }
    return n < min ? NULL : p;
}

static bool
by_pattern(const struct dcp_csv_map *m, const char *text, int64_t *out_ms)
{
    int64_t year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0;
    const char *p = text;

    for (const char *f = m->time_pattern; *f; f++) {
        if (*f != '%') {
            p = p && *p == *f ? p + 1 : NULL;
        } else {
            f++;
            int64_t *to = *f == 'Y'   ? &year
                          : *f == 'm' ? &month
                          : *f == 'd' ? &day
                          : *f == 'H' ? &hour
                          : *f == 'M' ? &minute
                          : *f == 'S' ? &second
                                      : NULL;

            p = to ? digits(p, *f == 'Y' ? 4 : 1, *f == 'Y' ? 4 : 2, to) : NULL;
        }
        if (!p) {
            return false;
        }
    }
    if (*p || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 ||
        minute > 59 || second > 60) {
        return false;
    }
    int64_t days = dcp_days_from_civil(year, (uint32_t)month, (uint32_t)day);

    *out_ms = ((days * 24 + hour) * 60 + minute) * 60000 + second * 1000;
    return true;
}

bool
dcp_csv_map_time(const struct dcp_csv_map *m, const char *text, int64_t *out_ms)
{
    struct dcp_error ignored;
    double number = 0;
    const char *end;

    switch (m->time_form) {
    case DCP_CSV_RFC3339:
        if (!dcp_parse_instant(text, out_ms, &ignored)) {
            return false;
        }
        break;
    case DCP_CSV_SECONDS:
        end = dcp_scan_number(text, &number);
        number *= m->time_factor * 1000;
        if (!end || *end || !(number >= -9e15 && number <= 9e15)) {
            return false;
        }
        *out_ms = (int64_t)(number < 0 ? number - 0.5 : number + 0.5);
        break;
    case DCP_CSV_PATTERN:
        if (!by_pattern(m, text, out_ms)) {
            return false;
        }
        break;
    }
    *out_ms -= m->time_offset_ms;
    return *out_ms >= 0 && *out_ms < INT64_C(4102444800000);
}
