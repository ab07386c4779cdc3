/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_CONVERT_H
#define DCP_MODEL_CONVERT_H 1

/* Running a VM on another hypervisor: what it needs of one, by which way of
 * policy.conversions it may get there, how long it is down for that and what
 * it costs.
 *
 * A VM is of the hypervisor of the host that it is on: no other record is
 * kept.  A conversion is a cold step: the guest is stopped, its disks and
 * drivers are made over, it is started on a host of the new hypervisor.
 *
 * Pure functions: thread-safe. */

#include "model/inventory.h"

/* "uefi" ... */
const char *dcp_capability_name(enum dcp_capability);

/* A capability that the VM needs and the hypervisor lacks; DCP_CAPABILITIES:
 * none.  A host without a hypervisor in the model lacks nothing. */
uint32_t dcp_capability_lacking(const struct dcp_inventory *, uint32_t vm,
                                dcp_hypervisor_id);

/* The first way of policy.conversions that selects the VM; NULL: none. */
const struct dcp_conversion *
dcp_conversion_of(const struct dcp_inventory *, uint32_t vm,
                  dcp_hypervisor_id from, dcp_hypervisor_id to);

/* Whether a VM that goes from one host to the other gets another hypervisor;
 * false where either is none. */
bool dcp_conversion_between(const struct dcp_inventory *, dcp_host_id from,
                            dcp_host_id to);

/* How long the VM is down for it: 'fixed_ms', and its disks, all of them as
 * provisioned, one after another at the way's rate. */
int64_t dcp_conversion_ms(const struct dcp_inventory *,
                          const struct dcp_conversion *, uint32_t vm);

/* What a plan over so long a horizon counts for it, of one VM. */
double dcp_conversion_cost(const struct dcp_conversion *, int64_t horizon_ms);

/* How long from 'at_ms' on VMs may be down for it: 0 outside the way's window,
 * INT64_MAX where it has none. */
int64_t dcp_conversion_open_ms(const struct dcp_inventory *,
                               const struct dcp_conversion *, int64_t at_ms);

#endif /* model/convert.h */
