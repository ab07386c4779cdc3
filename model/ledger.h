/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_LEDGER_H
#define DCP_MODEL_LEDGER_H 1

/* The capacity ledger of a site, or of all: what is installed, what of it may
 * be used, what is used, what is stranded, and how much more fits.
 *
 * Three figures of use are never mixed: *allocated* (what VMs were given),
 * *reserved* (what they were guaranteed) and *expected* (planned demand in the
 * slot where it is highest; active memory where it was measured).
 *
 * Methods, all of them sums that ignore placement rules:
 * - usable: capacity x policy.target of every host that is not in
 *   maintenance, on or off.
 * - after_loss: the part of usable that may be filled so that what
 *   policy.survive names can be lost: what the other hosts may hold then
 *   (their usable capacity, or all of it with survive_to_capacity) after the
 *   largest such loss, per resource.  Equal to usable where nothing is asked.
 * - stranded: a host that is on is filled in thought with typical VMs (the
 *   median of the scope's VMs in each resource) until one resource is full;
 *   what is then left of the others is stranded by that one.
 * - hosts_needed: the fewest hosts, largest first, whose usable capacity sums
 *   to what is used, for the worst resource: a lower bound.
 *
 * A ledger borrows nothing after it was made; it may be read by threads. */

#include "model/capacity.h"
#include "model/demand.h"
#include "model/placement.h"

/* Resources of the ledger: CPU and network by slot, then enum dcp_scalar. */
enum { DCP_LEDGER_CPU, DCP_LEDGER_NET, DCP_LEDGER_SCALAR };
#define DCP_LEDGER_MAX (DCP_LEDGER_SCALAR + DCP_SCALARS_MAX)

struct dcp_ledger_use {
    uint32_t n_vms, n_vcpus;
    double allocated[DCP_LEDGER_MAX], reserved[DCP_LEDGER_MAX];
    double expected[DCP_LEDGER_MAX]; /* In the worst slot of the scope. */
};

struct dcp_ledger_need {
    uint32_t hosts;    /* UINT32_MAX: more than there are. */
    uint32_t resource; /* That asks for so many. */
};

/* One size of VM of one tier, and how many more of it fit. */
struct dcp_ledger_shape {
    dcp_vm_id like; /* The first VM of that shape. */
    dcp_tier_id tier;
    uint32_t vcpus, n_vms;
    uint64_t mem_mib;
    uint64_t more;         /* Fit on the hosts, within after_loss. */
    uint64_t more_on;      /* Of them without switching a host on. */
    uint32_t resource;     /* That ends it. */
    bool ended_by_reserve; /* Headroom ends it, not room on the hosts. */
};
#define DCP_LEDGER_SHAPES 8

struct dcp_ledger {
    struct dcp_arena *arena; /* Owns what follows. */
    dcp_site_id site;        /* None: all. */
    uint32_t n_hosts, n_on, n_maintenance;
    uint32_t worst_slot[2]; /* Of CPU and network. */
    double installed[DCP_LEDGER_MAX], usable[DCP_LEDGER_MAX];
    double after_loss[DCP_LEDGER_MAX];
    struct dcp_ledger_use used;
    struct dcp_ledger_use *tiers; /* By tier. */
    uint32_t binding; /* Highest use over after_loss: memory and the other
                       * scalars as allocated, CPU and network as expected. */

    double typical[DCP_LEDGER_MAX]; /* The median VM. */
    /* By the resource that is full first: hosts, and what is stranded. */
    uint32_t n_limited[DCP_LEDGER_MAX];
    double stranded[DCP_LEDGER_MAX][DCP_LEDGER_MAX];

    struct dcp_ledger_need need_allocated;
    struct dcp_ledger_need need_active; /* With active memory; hosts 0 where it
                                         * was not measured. */
    /* The most common shapes, most common first. */
    struct dcp_ledger_shape shapes[DCP_LEDGER_SHAPES];
    uint32_t n_shapes;
};

/* VMs that are not placed are in no site; they count in the scope of all as
 * allocated, not on any host.  NULL: out of memory. */
struct dcp_ledger *
dcp_ledger_create(const struct dcp_inventory *, const struct dcp_demand *,
                  const struct dcp_placement *, dcp_site_id site,
                  struct dcp_error *err) DCP_CHECKED;
void dcp_ledger_destroy(struct dcp_ledger *);
DCP_DEFINE_AUTO(dcp_ledger)

/* "cpu", "net", "memory" ...; and "MHz", "KiB/s", "MiB" ... */
const char *dcp_ledger_name(const struct dcp_inventory *, uint32_t resource);
const char *dcp_ledger_unit(uint32_t resource);
/* What is used of the resource in the sense of 'binding'. */
double dcp_ledger_used(const struct dcp_ledger *, uint32_t resource);

#endif /* model/ledger.h */
