/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_PLAN_FACTS_H
#define DCP_MODEL_PLAN_FACTS_H 1

/* What must be true before a step, and what takes it back: both follow from
 * the step, so the plan file, the executors and the checker derive them here
 * and nobody has to trust what a file says about them.
 *
 * Facts about ports depend on the VLAN steps listed before on the same host,
 * so they come from an index over the whole plan.  Where two VLAN steps of one
 * port are not ordered by 'after', an executor compares only the membership of
 * the step's own VLAN.
 *
 * An index borrows its inventory and plan, and is read-only once made:
 * thread-safe to read. */

#include "model/plan.h"

enum dcp_fact_kind {
    DCP_FACT_VM_HOST,    /* 'object' runs on 'host'. */
    DCP_FACT_VM_STATE,   /* 'object' is in state 'word'. */
    DCP_FACT_HOST_VMS,   /* 'object' holds no VM at all. */
    DCP_FACT_HOST_POWER, /* 'object' is "on" or "off": 'word'. */
    DCP_FACT_VOLUME_POOL, /* 'object' is in pool 'host'. */
    DCP_FACT_PORT_VLANS, /* NIC 'nic' of 'object' carries 'vlans'. */
    DCP_FACT_VM_SIZE,    /* 'object' was given 'size'. */
};

struct dcp_fact {
    enum dcp_fact_kind kind;
    struct dcp_object object;
    struct dcp_object host;
    const char *word;
    const char *nic;
    struct dcp_ids vlans; /* Ascending. */
    struct dcp_vm_size size;
};
#define DCP_STEP_FACTS_MAX 3

const char *dcp_fact_kind_name(enum dcp_fact_kind); /* "vm_host" ... */

struct dcp_plan_facts;

/* NULL: out of memory. */
struct dcp_plan_facts *
dcp_plan_facts_create(const struct dcp_inventory *, const struct dcp_plan *,
                      struct dcp_error *err) DCP_CHECKED;
void dcp_plan_facts_destroy(struct dcp_plan_facts *);
DCP_DEFINE_AUTO(dcp_plan_facts)

/* The facts that must hold before step 'id' starts; returns how many. The
 * arrays in 'out' belong to the index and the inventory. */
uint32_t dcp_plan_facts_of(const struct dcp_plan_facts *, uint32_t id,
                           struct dcp_fact out[DCP_STEP_FACTS_MAX]);

/* The NIC on which a VLAN step acts: for an untrunk the first port that
 * carries the VLAN and whose switch has a driver, else the first port whose
 * switch has one.  NULL: none, or not a VLAN step. */
const struct dcp_port *
dcp_plan_facts_port(const struct dcp_plan_facts *, uint32_t id);

/* The step that takes 'step' back; objects that play no part are none. */
struct dcp_undo {
    enum dcp_step_kind kind;
    struct dcp_object object, from, to;
    struct dcp_vm_size size_from, size_to; /* VM_RESIZE. */
};
/* False: nothing takes it back (sync, destroy, delete, grow of a volume; and a
 * conversion, for what the guest wrote since would be lost). */
bool dcp_step_undo(const struct dcp_step *, struct dcp_undo *out);

#endif /* model/plan_facts.h */
