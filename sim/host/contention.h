/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_HOST_CONTENTION_H
#define DCP_SIM_HOST_CONTENTION_H 1

/* CPU of a host that has less than its VMs ask for: who gets how much.
 *
 * A VM never gets more than it wants, which is what it asks for and at most its
 * limit; it gets its reservation, as far as it wants it; beyond that VMs are
 * served by shares: there is one level L so that VM i gets
 *
 *     min(want_i, max(floor_i, L x weight_i))     and all of it is given away.
 *
 * That is weighted max-min fairness between bounds, as schedulers with shares,
 * limits and reservations aim at over times much longer than their slices
 * (Waldspurger and Weihl, "Lottery scheduling", OSDI 1994; VMware, "vSphere
 * Resource Management").  Reservations that do not fit together are cut in
 * proportion.
 *
 * Where no VM of a host has any of the three, VMs share in proportion to what
 * they ask instead, as the simulator's figures were first defined.
 *
 * A vCPU waits ("ready", "steal") while it wants to run and does not:
 * (want - got) / (vCPUs x their MHz) of the time, mean over the VM's vCPUs.
 * Time held back by the VM's own limit is not waiting; it is counted apart.
 *
 * Limits: no co-scheduling of wide VMs, no hyper-threads, no NUMA: the host is
 * one pool of MHz.  docs/sim-host.md.  Pure: thread-safe. */

#include "model/inventory.h"

struct dcp_contender {
    double want_mhz;
    double floor_mhz; /* Reserved, 0 <= floor <= want. */
    double weight;    /* Above 0. */
    double got_mhz;   /* Out: floor <= got <= want. */
};

/* Shares 'capacity_mhz' >= 0 out; where all is wanted that there is, the sum of
 * what they got is that, but for rounding, and never above it by more.
 * O(n) a round, n rounds at most and few as a rule (Bitran and Hax, Management
 * Science 27(4), 1981). */
void
dcp_contention_share(struct dcp_contender[], uint32_t n, double capacity_mhz);

/* Whether the host's hypervisor enforces shares, limits and reservations; one
 * without a hypervisor in the model does. */
bool dcp_contention_enforced(const struct dcp_inventory *, uint32_t host);
/* Whether the VM has any of them. */
bool dcp_contention_applies(const struct dcp_vm *);

/* Shares of a VM that gives none: so many for each vCPU, as vSphere's "normal".
 */
#define DCP_CONTENTION_SHARES_PER_VCPU 1000

/* What a VM was promised on a host that enforces it: limit and reservation, MHz
 * of the host's own clock, as reference MHz. */
struct dcp_contention_terms {
    double limit_mhz; /* INFINITY: none. */
    double reserved_mhz, weight;
};
struct dcp_contention_terms
dcp_contention_terms_of(const struct dcp_inventory *, uint32_t vm,
                        uint32_t host, uint32_t vcpus);

/* The VM with these terms that asks for 'demand_mhz'. */
static inline struct dcp_contender
dcp_contender_of(const struct dcp_contention_terms *terms, double demand_mhz)
{
    double want = demand_mhz < terms->limit_mhz ? demand_mhz : terms->limit_mhz;

    return (struct dcp_contender){
        .want_mhz = want,
        .floor_mhz = want < terms->reserved_mhz ? want : terms->reserved_mhz,
        .weight = terms->weight,
    };
}

/* Share of its time that each of the VM's vCPUs waits, 0 to 1, on a host with
 * 'vcpu_mhz' a vCPU. */
static inline double
dcp_ready_frac(double missed_mhz, uint32_t vcpus, double vcpu_mhz)
{
    double full_mhz = vcpus * vcpu_mhz;
    double frac = full_mhz > 0 ? missed_mhz / full_mhz : 0;

    return frac < 1 ? frac : 1;
}

#endif /* sim/host/contention.h */
