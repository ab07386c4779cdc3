/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_PLANT_H
#define DCP_MODEL_PLANT_H 1

/* What stands between a site's meter and its machines: the electrical chain
 * (model/chain.h), the cooling (model/cooling.h) and what draws the same at all
 * times (lights, heaters of generators).  With it a site's PUE follows from its
 * load and the weather at each instant.
 *
 *   meter = what the chain takes in + chiller + fans + fixed
 *   heat  = what the machines draw + the chain's losses
 *   PUE   = meter / what the machines draw, at their own power supplies
 *           (ISO/IEC 30134-2:2016 category 3)
 *
 * Cooling and fixed watts are fed straight from the meter.  All of the chain
 * stands in cooled rooms.
 *
 * W, Celsius.  Lives in its inventory's arena.  Pure: thread-safe. */

#include "model/chain.h"
#include "model/cooling.h"
#include "model/hourly.h"

struct dcp_plant {
    struct dcp_chain chain;
    bool has_cooling;
    struct dcp_cooling cooling;
    double fixed_w;
    const struct dcp_hourly *weather; /* NULL: none. */
    double outside_c; /* Where the weather has no value; NaN: not known. */
};

struct dcp_plant_power {
    double machines_w; /* At their supplies: given watts + chain.loss_w[PSU]. */
    struct dcp_chain_power chain;
    struct dcp_cooling_power cooling;
    double fixed_w;
    double meter_w; /* The sum of all. */
};

struct dcp_plant_power
dcp_plant_power(const struct dcp_plant *, double it_w, double outside_c);
/* Mean temperature outside over [from_ms, to_ms); NaN: not known. */
double
dcp_plant_outside_c(const struct dcp_plant *, int64_t from_ms, int64_t to_ms);

/* The straight line that stands in for the plant where one number is needed
 * (planning): average at 'it_w' and the mean temperature outside, marginal over
 * the tenth below it. */
void dcp_plant_pue_near(const struct dcp_plant *, double it_w,
                        double *out_average, double *out_marginal);

#endif /* model/plant.h */
