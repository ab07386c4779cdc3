/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/cloudsim/detect.h"

#include "sim/spread.h"

#include <assert.h>
#include <math.h>

/* --- Statistics of a short history -------------------------------------- */

double
dcp_cloudsim_iqr(const double values[], uint32_t n)
{
    double sorted[DCP_CLOUDSIM_HISTORY];

    assert(n >= 3 && n <= DCP_CLOUDSIM_HISTORY);
    dcp_spread_sort(sorted, values, n);
    /* round(x / 4), halves up; ranks count from 1. */
    uint32_t first = (n + 1 + 2) / 4, third = (3 * (n + 1) + 2) / 4;

    return sorted[third - 1] - sorted[first - 1];
}

double
dcp_cloudsim_trend(const double newest[DCP_CLOUDSIM_TREND])
{
    double mean_x = 0, mean_y = 0, sum_x = 0, sum_y = 0, xx = 0, xy = 0;

    for (uint32_t n = 0; n < DCP_CLOUDSIM_TREND; n++) {
        double x = n + 1, y = newest[DCP_CLOUDSIM_TREND - 1 - n];
        double dx = x - mean_x, dy = y - mean_y, share = n / (n + 1.0);

        xx += dx * dx * share;
        xy += dx * dy * share;
        mean_x += dx / (n + 1.0);
        mean_y += dy / (n + 1.0);
        sum_x += x;
        sum_y += y;
    }
    double slope = xy / xx;
    double intercept = (sum_y - slope * sum_x) / DCP_CLOUDSIM_TREND;

    return intercept + slope * (DCP_CLOUDSIM_TREND + 1);
}

uint32_t
dcp_cloudsim_length(const double history[], uint32_t n)
{
    while (n > 0 && history[n - 1] == 0) {
        n--;
    }
    return n;
}

/* --- Detectors ---------------------------------------------------------- */

static const double slack = 1e-9; /* Makes a bound safe against rounding. */

/* With x = 1 .. 10 the estimate at 11 is sum w_k h_k, w_k = (6 - k) / 15 for
 * the newest (k = 0) to the oldest: enough unless it is close to the limit,
 * where the last bit decides. */
static bool
rising(const struct dcp_cloudsim_detector *d, const struct dcp_cloudsim_view *v)
{
    double sum = 0;

    for (uint32_t k = 0; k < DCP_CLOUDSIM_TREND; k++) {
        sum += (6.0 - k) * v->history[k];
    }
    double ahead = d->parameter * (sum / 15);

    if (fabs(ahead - 1) > slack) {
        return ahead >= 1;
    }
    return dcp_cloudsim_trend(v->history) * d->parameter >= 1;
}

/* Sorting is the whole cost of IQR and MAD, and seldom needed: neither is
 * below 0 or above the range, so that the threshold is at most 1 and at least
 * 1 - parameter * range. */
static bool
adaptive(const struct dcp_cloudsim_detector *d,
         const struct dcp_cloudsim_view *v)
{
    double least = v->history[0], most = least;

    if (v->asked_frac > 1) {
        return true;
    }
    for (uint32_t i = 1; i < v->length; i++) {
        least = v->history[i] < least ? v->history[i] : least;
        most = v->history[i] > most ? v->history[i] : most;
    }
    if (v->asked_frac < 1 - d->parameter * (most - least) - slack) {
        return false;
    }
    double spread = d->kind == DCP_CLOUDSIM_IQR
                        ? dcp_cloudsim_iqr(v->history, v->length)
                        : dcp_spread_mad(v->history, v->length);

    return v->asked_frac > 1 - d->parameter * spread;
}

uint32_t
dcp_cloudsim_needs(const struct dcp_cloudsim_detector *d)
{
    return d->kind == DCP_CLOUDSIM_THR  ? 0
           : d->kind == DCP_CLOUDSIM_LR ? DCP_CLOUDSIM_TREND
                                        : DCP_CLOUDSIM_HISTORY;
}

bool
dcp_cloudsim_overloaded(const struct dcp_cloudsim_detector *d,
                        const struct dcp_cloudsim_view *v)
{
    switch (d->kind) {
    case DCP_CLOUDSIM_THR:
        return v->asked_frac > d->parameter;
    case DCP_CLOUDSIM_LR:
        if (v->length >= DCP_CLOUDSIM_TREND) {
            return rising(d, v);
        }
        break;
    case DCP_CLOUDSIM_IQR:
    case DCP_CLOUDSIM_MAD:
        if (v->length >= DCP_CLOUDSIM_SHORT) {
            return adaptive(d, v);
        }
        break;
    }
    return v->asked_frac > DCP_CLOUDSIM_FALLBACK;
}
