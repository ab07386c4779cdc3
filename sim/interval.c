/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/interval.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

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
