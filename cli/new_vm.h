/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_NEW_VM_H
#define DCP_CLI_NEW_VM_H 1

/* A VM that does not exist yet, written on one line:
 * "4vcpu,16GiB,vlan=data,pool=gold:100GiB,os=rhel".  The first word may be a
 * flavour of the model ("m,vlan=data"), which what follows refines.  Keys:
 * vlan, pool (NAME:SIZE, or :SIZE on the host's own disks), os, tag, clock,
 * profile, hypervisor, generation; vlan, pool, tag and hypervisor may be
 * repeated. */

#include "model/inventory.h"

#define DCP_NEW_VM_MAX 16
struct dcp_new_vm {
    struct dcp_vm vm; /* Its lists point into this struct. */
    uint32_t vlans[DCP_NEW_VM_MAX], tags[DCP_NEW_VM_MAX];
    uint32_t hypervisors[DCP_NEW_VM_MAX];
    struct dcp_volume volumes[DCP_NEW_VM_MAX];
    uint32_t n_volumes;
};

/* 'tier' NULL: the flavour's, else "default"; 'tenant' NULL: none.  Texts of
 * 'spec' are copied into 'arena'. '*out' must stay where it is. */
bool
dcp_new_vm_parse(const struct dcp_inventory *, struct dcp_arena *arena,
                 const char *spec, const char *tier, const char *tenant,
                 struct dcp_new_vm *out, struct dcp_error *err) DCP_CHECKED;

#endif /* cli/new_vm.h */
