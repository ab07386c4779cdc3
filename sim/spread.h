/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_SPREAD_H
#define DCP_SIM_SPREAD_H 1

/* How far the values of a short history lie from each other; for detectors of
 * overload, as they are published and as CloudSim has them.  Pure. */

#include <stdint.h>

#define DCP_SPREAD_MAX 30u /* Values that a history may have. */

/* In ascending order, by insertion: for few values. */
void dcp_spread_sort(double sorted[], const double values[], uint32_t n);
/* The middle one of n >= 1 sorted values, or the mean of the middle two. */
double dcp_spread_median(const double sorted[], uint32_t n);
/* Median |value - median|, 1 <= n <= DCP_SPREAD_MAX, in any order. */
double dcp_spread_mad(const double values[], uint32_t n);

#endif /* sim/spread.h */
