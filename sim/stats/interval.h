/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_STATS_INTERVAL_H
#define DCP_SIM_STATS_INTERVAL_H 1

/* What a few independent runs say of a mean or of a chance, and how sure it is.
 * Pure. */

#include <stdbool.h>
#include <stdint.h>

struct dcp_interval {
    double mean;
    double low, high; /* NaN with fewer than two values. */
};

/* Student's t interval of the mean, 0 < confidence_frac < 1. */
struct dcp_interval
dcp_interval_of_mean(const double values[], uint32_t n, double confidence_frac);

/* The interval in which one more value of the same kind is expected: Student's
 * t with the standard deviation of a value beside that of the mean; it supposes
 * that values are normal.  'mean' is theirs. */
struct dcp_interval
dcp_interval_of_next(const double values[], uint32_t n, double confidence_frac);

/* The interval of Clopper and Pearson (Biometrika 26, 1934) for a chance of
 * which 'hits' of n trials came true: the quantiles of Beta(hits, n - hits + 1)
 * and Beta(hits + 1, n - hits).  It covers at least what it says for any chance
 * and any n, hence is wide: none of 20 is 0 to 17 % with 95 % confidence.
 * 'mean' is hits / n.  n = 0: all NaN; hits is n at most. */
struct dcp_interval
dcp_interval_of_share(uint32_t hits, uint32_t n, double confidence_frac);

/* Ascending; none is NaN. */
void dcp_values_sort(double values[], uint32_t n);
/* The value below which a share of 'chance' lies, 0 to 1, of n >= 1 sorted
 * ones: straight between two of them, the least for 0, the greatest for 1 (type
 * 7 of Hyndman and Fan, American Statistician 50, 1996). */
double dcp_quantile(const double sorted[], uint32_t n, double chance);

/* Is half of the interval at most so much of the mean's size?  Never where the
 * mean is 0 or the interval is not known: runs that were all alike because what
 * is rare has not happened yet prove nothing. */
bool
dcp_interval_is_narrow(const struct dcp_interval *, double half_width_frac);

#endif /* sim/stats/interval.h */
