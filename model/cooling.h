/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_COOLING_H
#define DCP_MODEL_COOLING_H 1

/* Watts that it takes to remove heat from a room.
 *
 * Chiller: heat / COP.  Its coefficient of performance rises with the
 * temperature T (Celsius) of the supplied air, COP = 0.0068 T^2 + 0.0008 T +
 * 0.458 (Moore, Chase, Ranganathan and Sharma, USENIX ATC 2005, a water-chilled
 * unit), or is stated.  Neither depends on the weather.
 *
 * Free cooling: air comes back at supply + rise.  Outside air (or water from a
 * tower) gets it down to outside + approach without a chiller, so the share
 *   (supply + rise - outside - approach) / rise,  within 0 and 1
 * of the heat is free: all of it where outside + approach <= supply, none where
 * it is as warm as what comes back.  Without a temperature outside, none is.
 *
 * Fans: flow is proportional to heat (the rise is kept) and power to the cube
 * of flow (affinity laws), never below 'fan_flow_min_frac' of the flow at
 * 'fan_heat_w'.  Their power is heat too, for the chiller.
 *
 * W, Celsius, kelvin.  Pure: thread-safe. */

#include <stdbool.h>

struct dcp_cooling {
    double supply_c;          /* Air to the machines. */
    double rise_k;            /* Over the machines; > 0. */
    double approach_k;        /* Outside to what it can supply. */
    double cop;               /* Of the chiller; 0: from supply_c. */
    double fan_w, fan_heat_w; /* Fans draw fan_w at that heat; 0: no fans. */
    double fan_flow_min_frac;
};

struct dcp_cooling_power {
    double chiller_w, fans_w;
    double free_frac;
};

/* The chiller's coefficient of performance. */
double dcp_cooling_cop(const struct dcp_cooling *);
/* 'outside_c' may be NaN: not known. */
struct dcp_cooling_power
dcp_cooling_power(const struct dcp_cooling *, double heat_w, double outside_c);

#endif /* model/cooling.h */
