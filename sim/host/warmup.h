/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_HOST_WARMUP_H
#define DCP_SIM_HOST_WARMUP_H 1

/* VMs that begin on a host (created, started, restored, restarted after a loss)
 * work more than later for a time: they boot, fill caches, page their memory
 * in.  policy.warmup says for how long, how much more CPU, and how many may
 * begin on one host at one time.
 *
 * The extra is policy's own guess, the same for all VMs; a storm of boots is
 * what it is for, not one VM's start.  docs/sim-host.md.
 *
 * Times only go on; all warm-ups are equally long, so they end in the order in
 * which they began.  Not thread-safe; distinct ones may be used at once. */

#include "model/inventory.h"

struct dcp_warmups;

/* For VMs 0 to n_vms - 1. */
struct dcp_warmups *
dcp_warmups_create(uint32_t n_vms, struct dcp_error *err) DCP_CHECKED;
void dcp_warmups_destroy(struct dcp_warmups *); /* NULL is fine. */
DCP_DEFINE_AUTO(dcp_warmups)

/* The VM warms up until 'until_ms', not before any that began earlier. */
bool dcp_warmups_begin(struct dcp_warmups *, uint32_t vm, int64_t until_ms,
                       struct dcp_error *err) DCP_CHECKED;
/* It is over, or the VM is gone; also where it was not warming up. */
void dcp_warmups_forget(struct dcp_warmups *, uint32_t vm);
bool dcp_warmups_is_warming(const struct dcp_warmups *, uint32_t vm);
/* When the next one ends; INT64_MAX: none is under way. */
int64_t dcp_warmups_next_ms(struct dcp_warmups *);
/* Whose that is; only where there is one. */
uint32_t dcp_warmups_next_vm(struct dcp_warmups *);

/* What a VM that asks for 'demand_mhz' asks for while it warms up: so much
 * more, up to all that its vCPUs can; what it asked for where that is more
 * already. */
double dcp_warmup_mhz(const struct dcp_warmup_policy *, uint32_t vcpus,
                      double vcpu_mhz, double demand_mhz);

#endif /* sim/host/warmup.h */
