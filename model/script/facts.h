/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_SCRIPT_FACTS_H
#define DCP_MODEL_SCRIPT_FACTS_H 1

/* What a script of the operator may know of a VM and of a host, by name.
 *
 * Fields of a VM: name, tier, tenant, application, os, profile,
 * cpu_generation_min, restart_priority, vcpus, mem_mib, disk_mib, windows,
 * movable; of a host: name, hardware, rack, room, site, hypervisor,
 * cpu_generation, cpu_arch, sockets, cores, clock_mhz, mem_mib, idle_w,
 * power_off_allowed; of both: tag.NAME (true or false) and extra.NAME (units
 * of a named resource).  A text that was not given is nil.
 *
 * Facts do not change while a model is open: where VMs run now is not among
 * them, so that a script says the same before and after a plan.
 *
 * Pure: thread-safe. */

#include "model/inventory.h"

enum dcp_fact_side { DCP_FACT_VM, DCP_FACT_HOST };
#define DCP_FACT_SIDES 2

enum dcp_fact_kind {
    DCP_FACT_NIL,
    DCP_FACT_BOOL, /* 'number' is 0 or 1. */
    DCP_FACT_NUMBER,
    DCP_FACT_TEXT,
};
struct dcp_fact {
    enum dcp_fact_kind kind;
    double number;
    const char *text; /* Borrowed from the subject. */
};

/* Given by hand, as in a fixture. */
struct dcp_given_fact {
    const char *field;
    struct dcp_fact value;
};

/* One VM or host to ask: of an inventory, or given. */
struct dcp_fact_subject {
    enum dcp_fact_side side;
    const struct dcp_inventory *inventory; /* NULL: given. */
    uint32_t ix;
    const struct dcp_given_fact *given;
    uint32_t n_given;
};

/* False: a VM (host) has no such field; 'near' (may be NULL) then gets the
 * field that may be meant, or "". */
bool dcp_fact_read(const struct dcp_fact_subject *, const char *field,
                   struct dcp_fact *out, char near[48]);
/* Equal facts give equal keys, and others do not; at most 'size' bytes. */
void dcp_fact_key(const struct dcp_fact *, char *out, size_t size);

#endif /* model/script/facts.h */
