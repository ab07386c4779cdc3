/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/change.h"

#include "model/base/units.h"

#include <stdio.h>

#define MINUTE_MS INT64_C(60000)
#define YEAR_DAYS 366

/* The window that begins on local day 'day'; false: none does. */
static bool
window_of_day(const struct dcp_inventory *inv, const struct dcp_rule *rule,
              int64_t day, int64_t *out_start, int64_t *out_end)
{
    const struct dcp_window *w = &rule->hours;
    uint32_t day_class = dcp_calendar_class(&inv->calendar, day);

    if (rule->day_classes && !(rule->day_classes >> day_class & 1)) {
        return false;
    }
    *out_start = dcp_zone_instant(inv->zone, day, w->from_min * MINUTE_MS);
    *out_end = dcp_zone_instant(inv->zone, day + (w->to_min <= w->from_min),
                                w->to_min * MINUTE_MS);
    return *out_end > *out_start;
}

/* Until when it is open without a break from 't' on, where that is asked up to
 * 'until_ms' (or a little beyond); 't': it is closed then. */
static int64_t
open_until(const struct dcp_inventory *inv, const struct dcp_rule *rule,
           int64_t t, int64_t until_ms)
{
    if (rule->kind == DCP_RULE_FREEZE) {
        bool before = t < rule->from_ms, meets = until_ms > rule->from_ms;

        return t >= rule->until_ms || (before && !meets) ? until_ms
               : before                                  ? rule->from_ms
                                                         : t;
    }
    while (t < until_ms) { /* From the end of one window into the next. */
        int64_t day = dcp_zone_local(inv->zone, t).day, start, end = t;

        for (int64_t d = day - 1; d <= day && end == t; d++) {
            if (!window_of_day(inv, rule, d, &start, &end) || t < start ||
                t >= end) {
                end = t;
            }
        }
        if (end == t) {
            break;
        }
        t = end;
    }
    return t;
}

bool
dcp_change_is_open(const struct dcp_inventory *inv, const struct dcp_rule *rule,
                   int64_t from_ms, int64_t until_ms)
{
    if (until_ms <= from_ms) {
        until_ms = from_ms + 1;
    }
    return open_until(inv, rule, from_ms, until_ms) >= until_ms;
}

bool
dcp_change_span(const struct dcp_inventory *inv, const struct dcp_rule *rule,
                int64_t from_ms, int64_t until_ms, int64_t length_ms,
                int64_t *out_start, int64_t *out_end)
{
    int64_t t = dcp_change_opens(inv, rule, from_ms, length_ms), end;

    if (t >= until_ms || until_ms - t < length_ms) {
        return false;
    }
    end = open_until(inv, rule, t, until_ms);
    *out_start = t;
    *out_end = end < until_ms ? end : until_ms;
    return true;
}

int64_t
dcp_change_opens(const struct dcp_inventory *inv, const struct dcp_rule *rule,
                 int64_t from_ms, int64_t length_ms)
{
    int64_t day = dcp_zone_local(inv->zone, from_ms).day, start, end;

    if (dcp_change_is_open(inv, rule, from_ms, from_ms + length_ms)) {
        return from_ms;
    }
    if (rule->kind == DCP_RULE_FREEZE) {
        return rule->until_ms;
    }
    for (int64_t d = day; d <= day + YEAR_DAYS; d++) {
        if (window_of_day(inv, rule, d, &start, &end) && start >= from_ms &&
            dcp_change_is_open(inv, rule, start, start + length_ms)) {
            return start;
        }
    }
    return INT64_MAX;
}

const char *
dcp_change_print(const struct dcp_inventory *inv, const struct dcp_rule *rule,
                 char *out, size_t size)
{
    const struct dcp_window *w = &rule->hours;
    char from[40], until[40];

    if (rule->kind == DCP_RULE_FREEZE) {
        dcp_print_instant(rule->from_ms, from);
        dcp_print_instant(rule->until_ms, until);
        (void)snprintf(out, size, "frozen from %s to %s", from, until);
        return out;
    }
    int n = snprintf(out, size, "open %02d:%02d-%02d:%02d", w->from_min / 60,
                     w->from_min % 60, w->to_min / 60, w->to_min % 60);

    for (uint32_t c = 0; c < inv->calendar.n_classes; c++) {
        if (rule->day_classes >> c & 1 && n > 0 && (size_t)n < size) {
            n += snprintf(out + n, size - (size_t)n, " %s%s",
                          rule->day_classes & ((UINT32_C(1) << c) - 1) ? "or "
                                                                       : "on ",
                          inv->calendar.class_name[c]);
        }
    }
    return out;
}
