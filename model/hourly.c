/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/hourly.h"

#define MINUTE_MS INT64_C(60000)

static int64_t
floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Where the series is looked at for that instant. */
static int64_t
inside(const struct dcp_hourly *s, int64_t utc_ms)
{
    int64_t first = s->at_ms[0], end = s->at_ms[s->n - 1] + s->step_ms;
    const int64_t year = DCP_HOURLY_YEAR_MS;

    if (!s->repeats || (utc_ms >= first && utc_ms < end)) {
        return utc_ms;
    }
    if (utc_ms < first) {
        return utc_ms + year * (floor_div(first - utc_ms - 1, year) + 1);
    }
    return utc_ms - year * (floor_div(utc_ms - end, year) + 1);
}

/* The last value at or before 'at'; n: none is. */
static uint32_t
last_before(const struct dcp_hourly *s, int64_t at)
{
    uint32_t low = 0, high = s->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (s->at_ms[middle] <= at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low ? low - 1 : s->n;
}

bool
dcp_hourly_at(const struct dcp_hourly *s, int64_t utc_ms, double *out)
{
    int64_t at = inside(s, utc_ms);
    uint32_t i = last_before(s, at);

    if (i == s->n || at - s->at_ms[i] >= s->step_ms) {
        return false;
    }
    *out = s->value[i];
    return true;
}

bool
dcp_hourly_is_constant(const struct dcp_hourly *s, int64_t from_ms,
                       int64_t to_ms)
{
    int64_t from = inside(s, from_ms), to = inside(s, to_ms - 1);
    uint32_t i = last_before(s, from);

    if (to - from != to_ms - 1 - from_ms || last_before(s, to) != i) {
        return false;
    }
    return i == s->n ||
           (from - s->at_ms[i] < s->step_ms) == (to - s->at_ms[i] < s->step_ms);
}

double
dcp_hourly_mean(const struct dcp_hourly *s)
{
    double sum = 0;

    for (uint32_t i = 0; i < s->n; i++) {
        sum += s->value[i];
    }
    return sum / s->n;
}

double
dcp_hourly_mean_between(const struct dcp_hourly *s, int64_t from_ms,
                        int64_t to_ms, double fallback)
{
    double value, sum = 0;

    if (dcp_hourly_is_constant(s, from_ms, to_ms)) {
        return dcp_hourly_at(s, from_ms, &value) ? value : fallback;
    }
    /* Values begin and end at whole minutes. */
    for (int64_t t = from_ms; t < to_ms;) {
        int64_t next = (floor_div(t, MINUTE_MS) + 1) * MINUTE_MS;

        next = next < to_ms ? next : to_ms;
        sum += (double)(next - t) *
               (dcp_hourly_at(s, t, &value) ? value : fallback);
        t = next;
    }
    return sum / (double)(to_ms - from_ms);
}
