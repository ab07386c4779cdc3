/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_ENERGY_PARTS_H
#define DCP_SIM_ENERGY_PARTS_H 1

/* Where the watts at the meter go.  The parts of a slice, and of a replay, sum
 * to its meter.
 *
 * A site with a plant (model/plant.h) has all of them.  One with a PUE only has
 * the machines' and DCP_ENERGY_OTHER, all that the PUE adds.  Pure. */

enum dcp_energy_part {
    /* The machines, by their curves and stated watts. */
    DCP_ENERGY_SERVERS,  /* Hosts that serve, boot or shut down. */
    DCP_ENERGY_STANDBY,  /* Hosts that are off. */
    DCP_ENERGY_PHYSICAL, /* Servers without VMs. */
    DCP_ENERGY_STORAGE,
    DCP_ENERGY_SWITCHES,
    /* Losses of the chain: enum dcp_stage_kind, in its order.  PSU: what the
     * plant's supplies draw more than those that the machines were measured
     * with; may be negative. */
    DCP_ENERGY_TRANSFORMER,
    DCP_ENERGY_UPS,
    DCP_ENERGY_RECTIFIER,
    DCP_ENERGY_PDU,
    DCP_ENERGY_WIRING,
    DCP_ENERGY_PSU,
    DCP_ENERGY_CHILLER,
    DCP_ENERGY_FANS,
    DCP_ENERGY_FIXED,
    DCP_ENERGY_OTHER,
};
#define DCP_ENERGY_PARTS (DCP_ENERGY_OTHER + 1)

/* "servers", "standby" ...: beginnings of keys and columns. */
const char *dcp_energy_part_name(enum dcp_energy_part);

#endif /* sim/energy/parts.h */
