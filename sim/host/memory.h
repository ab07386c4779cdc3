/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_HOST_MEMORY_H
#define DCP_SIM_HOST_MEMORY_H 1

/* Memory of a host that has promised more than it has: who gives some back,
 * how, and what that costs.
 *
 * A guest has 'consumed' memory, of which it lately used 'active'.  What the
 * host lacks it takes back in this order (Waldspurger, "Memory resource
 * management in VMware ESX server", OSDI 2002):
 *
 * 1. Balloons, where the hypervisor has them: what is idle, in proportion to
 *    how much of it each guest has, down to its active memory, its
 *    balloon_floor and its reservation.
 * 2. Swap: of all guests, in proportion to what they still have above their
 *    reservations.  The host does not know which pages are active and swaps any
 *    (the same paper's random choice), so 'hit_frac', the share of the guest's
 *    pages that is out, is also the share of its accesses that wait.
 *
 * Without more is known (policy.swap) a guest is taken to do 1 - hit_frac of
 * its work: an upper bound, a swapped page serves nothing.  Else it runs for a
 * while until it touches a page that is out, and then waits until that is back
 * (dcp_memory_stall()).  Sharing of equal pages is off between guests by
 * default since 2014 and not counted; nor is compression.  docs/sim-host.md.
 *
 * Pure: thread-safe. */

#include "model/placement.h"

struct dcp_guest_memory {
    double consumed_mib, active_mib;
    double floor_mib;    /* Where its balloon stops, whatever is active. */
    double reserved_mib; /* Never swapped. */
    bool balloons;
    /* Out: */
    double balloon_mib, swap_mib, hit_frac;
    double stall_frac; /* Of its work, not done for waiting. */
};

/* Takes back what the guests consume above 'room_mib'; returns what cannot be
 * taken from anybody.  O(n). */
double
dcp_memory_reclaim(struct dcp_guest_memory[], uint32_t n, double room_mib);

/* Faults of a host's guests at one swap device, which serves one at a time:
 *
 *   a guest that wants w vCPUs' work touches 'touches' pages in each second of
 *   it, of which hit_frac are out; it works the part
 *     g = 1 / (1 + touches x hit_frac x T)
 *   (Denning, "Thrashing: its causes and prevention", AFIPS FJCC 1968: the duty
 *   factor 1 / (1 + mT)), where a fault takes T, waiting with it:
 *     T = 1 / (iops - X),  X = sum of w x touches x hit_frac x g
 *   (M/M/1).
 *
 * The more they wait the fewer they ask for: there is one such T, found by
 * halving; X stays below iops.  'busy_vcpus': w of each.  Sets 'stall_frac' to
 * 1 - g; returns T in seconds, 0 without faults.  Left out: reads ahead,
 * several pages of one guest under way at once, writing out. */
double dcp_memory_stall(struct dcp_guest_memory[], const double busy_vcpus[],
                        uint32_t n, const struct dcp_swap_policy *);

/* The VM at 'size' on the host, consuming and using all it was given. */
struct dcp_guest_memory dcp_memory_of(const struct dcp_inventory *, uint32_t vm,
                                      uint32_t host, struct dcp_vm_size size);
/* What the hypervisor needs for it besides. */
double dcp_memory_overhead_mib(const struct dcp_inventory *, uint32_t host,
                               struct dcp_vm_size size);

/* Whether policy lets VMs of the model be given more memory than hosts have. */
bool dcp_memory_overcommits(const struct dcp_inventory *);
/* Whether the placement has a host on which they are. */
bool
dcp_memory_short(const struct dcp_inventory *, const struct dcp_placement *);

#endif /* sim/host/memory.h */
