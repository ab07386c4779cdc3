/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_ENERGY_ENERGY_H
#define DCP_SIM_ENERGY_ENERGY_H 1

/* From joules at the machines to watts, money and carbon at the meter; private
 * to sim/.  docs/sim-energy.md has the models.
 *
 * A site with a plant: what its chain and cooling draw at the slice's mean load
 * and mean temperature outside.  Losses are convex, so a load that swings
 * within a slice loses a little more than that.  The reference is not asked:
 * what a plan saves is the difference of two replays, each at its own load,
 * which is the marginal share.
 *
 * A site without: its average PUE on what the reference draws, its marginal PUE
 * on the difference. */

#include "sim/sim.h"

/* Sums site_it_j into the slices' watts and parts and into the result's energy,
 * cost, carbon and PUE; boot_kwh, shutdown_kwh, standby_kwh and the slices'
 * part_w[DCP_ENERGY_STANDBY] come in joules. */
void dcp_sim_sum_energy(const struct dcp_sim_input *, struct dcp_sim_result *);

#endif /* sim/energy/energy.h */
