/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_LICENCE_H
#define DCP_MODEL_LICENCE_H 1

/* How many units of each licence a placement needs, by the product's own
 * counting rule (docs/formulas.md cites each vendor's page).  Pure. */

#include "model/placement.h"

struct dcp_licence_need {
    double units;      /* Required. */
    double owned;
    double short_units; /* max(0, units - owned). */
    uint32_t n_hosts, n_vms; /* Hosts that need it, covered VMs placed. */
};

/* What one covered VM counts in the metrics `vm` and `vcpu`, before 'factor':
 * 1, or its vCPUs but at least 'minimum'; 0 in the metrics of hosts. */
double dcp_licence_vm_count(const struct dcp_inventory *,
                            const struct dcp_licence *, dcp_vm_id);

/* Whether the host counts: the licence of a hypervisor is needed where that
 * runs, and nowhere else. */
bool dcp_licence_counts_on(const struct dcp_inventory *,
                           const struct dcp_licence *, dcp_host_id);

/* Units that one host needs when it runs 'n_vms' covered VMs with 'n_vcpus'
 * in all; 0 where the host does not count (each VM's count by dcp_licence_vm_count()); 0 where n_vms is 0, so a
 * host that counts by scope alone is asked for with 1 VM.
 *
 *   host, socket, socket_pair, core:
 *     max(minimum, factor x counted) x covers, where a socket counts
 *     max(minimum_per_socket, its cores) cores, a pair of sockets that is not
 *     full counts as one, and covers is 1, or ceil(n_vms / guests_per_cover)
 *     where that is stated and guests_free_on_host is not;
 *   vm:   factor x n_vms, but with guests_free_on_host at most 'factor';
 *   vcpu: factor x n_vcpus, but with guests_free_on_host at most factor x the
 *         host's cores (sub-capacity counting).
 *
 * May be fractional: totals are rounded up, once, by dcp_licence_count(). */
double dcp_licence_host_units(const struct dcp_inventory *,
                              const struct dcp_licence *, dcp_host_id,
                              uint32_t n_vms, uint32_t n_vcpus);

/* The need of one licence over several placements that hold one after another
 * (a night and a day), rounded up to a whole number.  By scope:
 *   placed       the largest of the placements;
 *   ever_placed  every host at the most covered VMs that it ran in any of
 *                them;
 *   reachable    every host that the hypervisor, architecture and storage of
 *                some covered VM allow; placement rules do not count, because
 *                vendors do not accept them as a limit.
 * Takes no memory.  O(hosts / 1024 x covered VMs x placements). */
void dcp_licence_count(const struct dcp_inventory *, uint32_t licence,
                       const struct dcp_placement *const placements[],
                       uint32_t n_placements,
                       struct dcp_licence_need *out);

/* Whether hardware and storage let some covered VM run on the host. */
bool dcp_licence_reaches(const struct dcp_inventory *,
                         const struct dcp_licence *, dcp_host_id);

/* Money for all licences over 'horizon_ms', pro rata of a year of 365.25
 * days.  Owned units cost as well: they are compared, not bought. */
double dcp_licence_cost(const struct dcp_inventory *,
                        const struct dcp_placement *const placements[],
                        uint32_t n_placements, int64_t horizon_ms);

#endif /* model/licence.h */
