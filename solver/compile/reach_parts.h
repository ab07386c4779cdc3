/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_COMPILE_REACH_PARTS_H
#define DCP_SOLVER_COMPILE_REACH_PARTS_H 1

/* One VM against one host; private to solver/compile/reach*.c.  Each says why
 * not, or NULL; the text is left out where 'size' is 0. */

#include "solver/problem.h"

/* A host without ports, or with a port on a switch that is configured as
 * needed, has every VLAN. */
bool
dcp_reach_has_every_vlan(const struct dcp_inventory *, const struct dcp_host *);
/* Of machines: hypervisor, hardware, VLANs, storage; not of rules. */
const char *dcp_reach_why_not_machine(const struct dcp_question *, uint32_t vm,
                                      uint32_t host, bool restart, char *out,
                                      size_t size);
/* As if the VM came to the host from where it runs, even if that is it. */
const char *dcp_reach_why_not_coming(const struct dcp_question *, uint32_t vm,
                                     uint32_t host, bool restart, char *out,
                                     size_t size);
/* From where it runs to another hypervisor. */
const char *dcp_reach_why_not_convert(const struct dcp_question *, uint32_t vm,
                                      dcp_host_id now, dcp_hypervisor_id to,
                                      char *out, size_t size);

#endif /* solver/compile/reach_parts.h */
