/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_SHORTAGE_H
#define DCP_CLI_SHORTAGE_H 1

/* What VMs of a replay had to wait for or go without, as members of a result
 * and as lines of text: docs/sim-host.md. */

#include "model/io/json_writer.h"
#include "sim/sim.h"

/* VMs that are named: those that waited longest. */
#define DCP_SHORTAGE_VMS 20

/* Members "held_cpu_mhz_s" to "memory".  False: no memory. */
bool dcp_shortage_json(struct dcp_json *, const struct dcp_inventory *,
                       const struct dcp_sim_result *, struct dcp_error *err);

/* To standard output; 'with' NULL: of one run. */
void dcp_shortage_print(const struct dcp_sim_result *without,
                        const struct dcp_sim_result *with);

#endif /* cli/shortage.h */
