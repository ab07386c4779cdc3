/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_SCRIPT_TRAITS_H
#define DCP_MODEL_SCRIPT_TRAITS_H 1

/* What a script of the operator may know of a VM and of a host, by name.
 *
 * Fields of a VM: name, tier, tenant, application, os, profile,
 * cpu_generation_min, restart_priority, vcpus, mem_mib, disk_mib, windows,
 * movable; of a host: name, hardware, rack, room, site, hypervisor,
 * cpu_generation, cpu_arch, sockets, cores, clock_mhz, mem_mib, idle_w,
 * power_off_allowed; of both: tag.NAME (true or false) and extra.NAME (units
 * of a named resource).  A text that was not given is nil.
 *
 * Traits do not change while a model is open: where VMs run now is not among
 * them, so that a script says the same before and after a plan.
 *
 * Pure: thread-safe. */

#include "model/inventory.h"

enum dcp_trait_side { DCP_TRAIT_VM, DCP_TRAIT_HOST };
#define DCP_TRAIT_SIDES 2

enum dcp_trait_kind {
    DCP_TRAIT_NIL,
    DCP_TRAIT_BOOL, /* 'number' is 0 or 1. */
    DCP_TRAIT_NUMBER,
    DCP_TRAIT_TEXT,
};
struct dcp_trait {
    enum dcp_trait_kind kind;
    double number;
    const char *text; /* Borrowed from the subject. */
};

/* Given by hand, as in a fixture. */
struct dcp_given_trait {
    const char *field;
    struct dcp_trait value;
};

/* One VM or host to ask: of an inventory, or given. */
struct dcp_trait_subject {
    enum dcp_trait_side side;
    const struct dcp_inventory *inventory; /* NULL: given. */
    uint32_t ix;
    const struct dcp_given_trait *given;
    uint32_t n_given;
};

/* False: a VM (host) has no such field; 'near' (may be NULL) then gets the
 * field that may be meant, or "". */
bool dcp_trait_read(const struct dcp_trait_subject *, const char *field,
                    struct dcp_trait *out, char near[48]);
/* Equal traits give equal keys, and others do not; at most 'size' bytes. */
void dcp_trait_key(const struct dcp_trait *, char *out, size_t size);

#endif /* model/script/traits.h */
