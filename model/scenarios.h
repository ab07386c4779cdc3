/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_SCENARIOS_H
#define DCP_MODEL_SCENARIOS_H 1

/* The joint history of all VMs, for policy.overload: what they wanted at the
 * same instants of the past, as columns of reference MHz.
 *
 * A slot's scenarios are instants of the history whose bucket is the slot's;
 * slots of one bucket share them.  A host is overloaded in a scenario where
 * what its VMs wanted then adds up to more than its limit; a placement keeps
 * policy.overload when no host is overloaded in more than
 * dcp_scenarios_allowed() of any slot's scenarios.  That is a chance
 * constraint by sample average (Luedtke & Ahmed, A sample approximation
 * approach for optimization with probabilistic constraints, SIAM J. Optim. 19,
 * 2008): it holds on the history, and what it comes to on days to come is
 * measured, not proved (docs/time.md).
 *
 * Where a VM has no sample of an instant its planned demand of the slot stands
 * in.  Values are in the VM's margin, raised where they were at its limit, and
 * never above its ceiling, as in model/demand.h.  Part of a demand, immutable
 * with it; thread-safe to read. */

#include "model/base/error.h"
#include "model/inventory.h"

struct dcp_demand;

struct dcp_scenarios {
    uint32_t n;                    /* Columns of all slots. */
    uint32_t stride;               /* n rounded up to a multiple of 8. */
    const uint32_t *first, *count; /* By slot of the demand: its columns are
                                    * [first, first + count), count >= 1. */
    const uint32_t *cpu_mhz;       /* [vm * stride + column], padding 0. */
};

/* Scenarios of zeros for a demand that is being made, to be filled through
 * 'out_cpu_mhz'; 'first' and 'count' by slot are copied. */
bool
dcp_scenarios_attach(struct dcp_demand *, const uint32_t first[],
                     const uint32_t count[], uint32_t n, uint32_t **out_cpu_mhz,
                     struct dcp_error *err) DCP_CHECKED;

/* A VM without samples of its own: its planned demand of the slot in each. */
void dcp_scenarios_fill_flat(const struct dcp_demand *, uint32_t vm,
                             uint32_t cpu_mhz[]);
/* The mean of each slot's scenarios of one VM, rounded up. */
void dcp_scenarios_means(const struct dcp_scenarios *, uint32_t n_slots,
                         const uint32_t row[], uint32_t out_mhz[]);

/* Scenarios of 'count' in which a host may be overloaded: the largest k with
 * (k + 1) / (count + 1) at most eps, or 0.  For a host whose instants are
 * exchangeable, that is the chance that one more overloads it (the rank
 * argument of conformal prediction; Vovk, Gammerman & Shafer, Algorithmic
 * Learning in a Random World, 2005).  eps x count alone would be an estimate
 * that is as often too low as too high. */
uint32_t dcp_scenarios_allowed(const struct dcp_policy *, uint32_t count);
/* The CPU above which a host is overloaded; after a loss, where policy lets
 * hosts fill to capacity then, that. */
uint32_t dcp_scenarios_limit_mhz(const struct dcp_inventory *, dcp_host_id,
                                 bool after_loss);

#endif /* model/scenarios.h */
