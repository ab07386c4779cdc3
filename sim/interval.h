/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_INTERVAL_H
#define DCP_SIM_INTERVAL_H 1

/* The mean of a few independent runs, and how sure it is.  Pure. */

#include <stdint.h>

struct dcp_interval {
    double mean;
    double low, high; /* NaN with fewer than two values. */
};

/* Student's t interval of the mean, 0 < confidence_frac < 1. */
struct dcp_interval
dcp_interval_of_mean(const double values[], uint32_t n, double confidence_frac);

#endif /* sim/interval.h */
