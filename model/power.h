/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_POWER_H
#define DCP_MODEL_POWER_H 1

/* Watts of machines, and what energy costs at an instant.
 *
 * A server's power at load u is interpolated between the 11 points of its
 * SPECpower_ssj2008 curve (SPEC Power and Performance Methodology V2.2); load
 * is CPU used over CPU capacity, in reference MHz, clamped to 0..1.
 * Pure: thread-safe. */

#include "model/inventory.h"

double dcp_power_at(const struct dcp_hardware *, double load_frac);
/* A straight line under the curve that touches it at 0: the largest m with
 * P(0) + m u <= P(u) for all u; used by lower bounds. */
double dcp_power_slope_w(const struct dcp_hardware *);

/* Price and carbon of one kWh at the instant, by the site's tariff (its series
 * by the hour first); 0 where the model has none.  'site' may be none.  For
 * planning: an hour whose price is below zero counts as free. */
double dcp_energy_price(const struct dcp_inventory *, dcp_site_id,
                        int64_t utc_ms);
double dcp_energy_carbon_g(const struct dcp_inventory *, dcp_site_id,
                           int64_t utc_ms);
/* Their time-weighted means over [from_ms, to_ms), prices below zero as they
 * are: tariffs may change within a slot. */
void dcp_energy_price_mean(const struct dcp_inventory *, dcp_site_id,
                           int64_t from_ms, int64_t to_ms, double *out_price,
                           double *out_carbon_g);
/* Watts at the meter for one watt of IT power (average), and watts saved at
 * the meter for one watt of IT power saved (marginal). */
double dcp_site_pue(const struct dcp_inventory *, dcp_site_id);
double dcp_site_pue_marginal(const struct dcp_inventory *, dcp_site_id);
/* Energy at some site, or some licence, has a price. */
bool dcp_inventory_has_prices(const struct dcp_inventory *);

#endif /* model/power.h */
