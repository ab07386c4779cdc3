/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/spread.h"

#include <math.h>

void
dcp_spread_sort(double sorted[], const double values[], uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        double value = values[i];
        uint32_t k = i;

        for (; k > 0 && sorted[k - 1] > value; k--) {
            sorted[k] = sorted[k - 1];
        }
        sorted[k] = value;
    }
}

double
dcp_spread_median(const double sorted[], uint32_t n)
{
    double lower = sorted[(n - 1) / 2], upper = sorted[n / 2];

    return lower + 0.5 * (upper - lower);
}

double
dcp_spread_mad(const double values[], uint32_t n)
{
    double sorted[DCP_SPREAD_MAX], away[DCP_SPREAD_MAX];

    dcp_spread_sort(sorted, values, n);
    double median = dcp_spread_median(sorted, n);

    for (uint32_t i = 0; i < n; i++) {
        away[i] = fabs(median - values[i]);
    }
    dcp_spread_sort(sorted, away, n);
    return dcp_spread_median(sorted, n);
}
