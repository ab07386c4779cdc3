/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/stats/interval.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

struct dcp_interval
dcp_interval_of_mean(const double values[], uint32_t n, double confidence_frac)
{
    struct dcp_interval out = { NAN, NAN, NAN };
    double sum = 0, squares = 0;

    for (uint32_t i = 0; i < n; i++) {
        sum += values[i];
    }
    if (n) {
        out.mean = sum / n;
    }
    if (n < 2) {
        return out;
    }
    for (uint32_t i = 0; i < n; i++) {
        squares += (values[i] - out.mean) * (values[i] - out.mean);
    }
    double error = sqrt(squares / (n - 1) / n);
    double t = gsl_cdf_tdist_Pinv(0.5 + confidence_frac / 2, n - 1);

    out.low = out.mean - t * error;
    out.high = out.mean + t * error;
    return out;
}

struct dcp_interval
dcp_interval_of_next(const double values[], uint32_t n, double confidence_frac)
{
    struct dcp_interval out = dcp_interval_of_mean(values, n, confidence_frac);
    double wider = sqrt((double)n + 1);

    out.low = out.mean - (out.mean - out.low) * wider;
    out.high = out.mean + (out.high - out.mean) * wider;
    return out;
}

/* Where the distribution function of Beta(a, b) is p, by halving: GSL's own
 * inverse calls the process-wide error handler, which aborts by default, where
 * its Newton steps do not converge; its distribution function never does for
 * a, b >= 1. */
static double
beta_quantile(double p, double a, double b)
{
    double low = 0, high = 1;

    for (;;) {
        double middle = low + (high - low) / 2;

        if (middle <= low || middle >= high) {
            return middle;
        }
        if (gsl_cdf_beta_P(middle, a, b) < p) {
            low = middle;
        } else {
            high = middle;
        }
    }
}

struct dcp_interval
dcp_interval_of_share(uint32_t hits, uint32_t n, double confidence_frac)
{
    double tail = (1 - confidence_frac) / 2;

    if (!n) {
        return (struct dcp_interval){ NAN, NAN, NAN };
    }
    return (struct dcp_interval){
        .mean = (double)hits / n,
        .low = hits ? beta_quantile(tail, hits, (double)(n - hits) + 1) : 0,
        .high =
            hits < n ? beta_quantile(1 - tail, (double)hits + 1, n - hits) : 1,
    };
}

bool
dcp_interval_is_narrow(const struct dcp_interval *i, double half_width_frac)
{
    return i->mean != 0 &&
           (i->high - i->low) / 2 <= half_width_frac * fabs(i->mean);
}

static int
by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

void
dcp_values_sort(double values[], uint32_t n)
{
    qsort(values, n, sizeof *values, by_size);
}

double
dcp_quantile(const double sorted[], uint32_t n, double chance)
{
    double at = chance * (n - 1);
    uint32_t below = (uint32_t)at;

    if (below >= n - 1) {
        return sorted[n - 1];
    }
    return sorted[below] + (at - below) * (sorted[below + 1] - sorted[below]);
}
