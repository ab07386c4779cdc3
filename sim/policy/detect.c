/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/policy/detect.h"

#include "sim/spread.h"
#include "sim/stats/interval.h"

#include <math.h>

#define LINE_SAMPLES 10u
#define FEW          12u /* Fewer are no distribution. */

static const struct {
    const char *name;
    double param;
} detectors[] = {
    [DCP_DETECT_THR] = { "thr", 0.8 }, [DCP_DETECT_IQR] = { "iqr", 1.5 },
    [DCP_DETECT_MAD] = { "mad", 2.5 }, [DCP_DETECT_LR] = { "lr", 1.2 },
    [DCP_DETECT_LRR] = { "lrr", 1.2 },
};

const char *
dcp_detector_name(enum dcp_detector d)
{
    return detectors[d].name;
}

double
dcp_detector_default(enum dcp_detector d)
{
    return detectors[d].param;
}

static double
interquartile(const double load[], uint32_t n)
{
    double x[DCP_DETECT_SAMPLES];

    dcp_spread_sort(x, load, n);
    return dcp_quantile(x, n, 0.75) - dcp_quantile(x, n, 0.25);
}

struct line {
    double at_0, slope;
};

/* y at x = 0, 1 ... */
static struct line
fit_line(const double y[], const double weight[])
{
    double w = 0, wx = 0, wy = 0, wxx = 0, wxy = 0;

    for (uint32_t i = 0; i < LINE_SAMPLES; i++) {
        w += weight[i];
        wx += weight[i] * i;
        wy += weight[i] * y[i];
        wxx += weight[i] * i * i;
        wxy += weight[i] * i * y[i];
    }
    double det = w * wxx - wx * wx;
    double slope = det > 1e-12 ? (w * wxy - wx * wy) / det : 0;

    return (struct line){ w > 0 ? (wy - slope * wx) / w : 0, slope };
}

static void
weigh_residuals(const double y[], struct line line, double weight[])
{
    double residual[LINE_SAMPLES], size[LINE_SAMPLES];
    double sorted[LINE_SAMPLES];

    for (uint32_t i = 0; i < LINE_SAMPLES; i++) {
        residual[i] = y[i] - line.at_0 - line.slope * i;
        size[i] = fabs(residual[i]);
    }
    dcp_spread_sort(sorted, size, LINE_SAMPLES);
    double scale = 6 * dcp_spread_median(sorted, LINE_SAMPLES);

    for (uint32_t i = 0; scale > 0 && i < LINE_SAMPLES; i++) {
        double u = fabs(residual[i]) / scale;

        weight[i] *= u < 1 ? (1 - u * u) * (1 - u * u) : 0;
    }
}

/* For the sample after the last one; 'y' has LINE_SAMPLES. */
static double
predict(const double y[], bool robust)
{
    double weight[LINE_SAMPLES];

    for (uint32_t i = 0; i < LINE_SAMPLES; i++) {
        /* Ages as a share of the next sample's distance: none weighs 0. */
        double age = (double)(LINE_SAMPLES - 1 - i) / LINE_SAMPLES;
        double cube = 1 - age * age * age;

        weight[i] = cube * cube * cube;
    }
    struct line line = fit_line(y, weight);

    if (robust) {
        weigh_residuals(y, line, weight);
        line = fit_line(y, weight);
    }
    return line.at_0 + line.slope * LINE_SAMPLES;
}

struct dcp_detection
dcp_detect(enum dcp_detector d, double param, const double load[], uint32_t n)
{
    bool line = d == DCP_DETECT_LR || d == DCP_DETECT_LRR;
    struct dcp_detection out = { load[n - 1], param };

    if (n > DCP_DETECT_SAMPLES) {
        load += n - DCP_DETECT_SAMPLES;
        n = DCP_DETECT_SAMPLES;
    }
    if (d == DCP_DETECT_THR) {
        return out;
    }
    if (n < (line ? LINE_SAMPLES : FEW)) {
        out.limit_frac = 0.7;
        return out;
    }
    if (line) {
        out.judged_frac = predict(load + n - LINE_SAMPLES, d == DCP_DETECT_LRR);
        out.limit_frac = 1 / param;
    } else {
        double spread = d == DCP_DETECT_IQR ? interquartile(load, n)
                                            : dcp_spread_mad(load, n);

        out.limit_frac = 1 - param * spread;
    }
    return out;
}
