/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_HOURLY_H
#define DCP_MODEL_HOURLY_H 1

/* A measured figure over time: a price, an emission or a temperature by the
 * hour.  Each value holds from its instant for 'step_ms', the shortest distance
 * between two of them; hours that the source left out have no value.
 *
 * With 'repeats', an instant outside is moved by whole multiples of 364 days
 * (52 weeks: the day of the week stays, the season nearly) into what is there.
 *
 * Instants are ms since 1970 UTC and whole minutes.  Lives in its inventory's
 * arena.  Pure: thread-safe. */

#include <stdbool.h>
#include <stdint.h>

#define DCP_HOURLY_YEAR_MS INT64_C(31449600000) /* 364 days. */

struct dcp_hourly {
    const char *path;     /* For people. */
    uint32_t n;           /* >= 1. */
    const int64_t *at_ms; /* Ascending. */
    const double *value;
    int64_t step_ms;
    bool repeats;
};

/* False: it has no value there. */
bool dcp_hourly_at(const struct dcp_hourly *, int64_t utc_ms, double *out);
/* Whether one value (or none) holds in all of [from_ms, to_ms). */
bool dcp_hourly_is_constant(const struct dcp_hourly *, int64_t from_ms,
                            int64_t to_ms);
/* Of all values. */
double dcp_hourly_mean(const struct dcp_hourly *);
/* Time-weighted mean over [from_ms, to_ms), where there is no value
 * 'fallback'. */
double dcp_hourly_mean_between(const struct dcp_hourly *, int64_t from_ms,
                               int64_t to_ms, double fallback);

#endif /* model/hourly.h */
