/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_COST_H
#define DCP_MODEL_COST_H 1

/* Planned energy and money of a placement over slots: the ledger that plans
 * quote.  (What really happened is the simulator's; it integrates raw
 * samples.)  Counts hosts that are on at the planned demand of each slot,
 * hosts that are off at their standby watts, storage arrays, switches and
 * physical servers; at the meter: average PUE on what runs in 'before',
 * marginal PUE on the difference is the caller's to take.  Pure. */

#include "model/demand.h"
#include "model/placement.h"

struct dcp_energy_sum {
    double it_kwh;        /* Servers, switches, arrays. */
    double meter_kwh;     /* it_kwh x PUE of each site. */
    double cost;          /* meter_kwh at each slot's tariff. */
    double carbon_kg;
    double host_on_seconds;
};

/* Energy of 'placement' in the slots [first, last) of 'demand'. */
struct dcp_energy_sum dcp_energy_planned(const struct dcp_inventory *,
                                         const struct dcp_demand *,
                                         const struct dcp_placement *,
                                         uint32_t first_slot,
                                         uint32_t last_slot);
/* Energy of switching one host on (boot) or off, in IT kWh. */
double dcp_boot_kwh(const struct dcp_hardware *);
double dcp_shutdown_kwh(const struct dcp_hardware *);

#endif /* model/cost.h */
