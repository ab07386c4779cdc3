/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What a VM's resize is worth: the plan's goal if it kept its size. */

#include "cli/explain.h"

#include <stdlib.h>

/* The model as the plan leaves it, but for the VM's size; NULL: out of
 * memory. */
static struct dcp_inventory *
with_old_size(const struct dcp_explain *x, dcp_vm_id vm, struct dcp_error *err)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    DCP_FREE struct dcp_vm_size *sizes =
        malloc((inv->n_vms + 1u) * sizeof *sizes);

    if (!sizes) {
        (void)dcp_fail(err, DCP_E_NOMEM, "sizes of %u VMs", inv->n_vms);
        return NULL;
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        sizes[v] = dcp_vm_size(v == vm.ix ? inv : x->resized, v);
    }
    return dcp_inventory_with_sizes(inv, sizes, err);
}

bool
dcp_explain_resize(struct dcp_explain *x, dcp_vm_id vm, struct dcp_json *w,
                   struct dcp_error *err)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);

    if (!dcp_explain_sizes(x, err)) {
        return false;
    }
    if (!x->resized || dcp_vm_size_eq(dcp_vm_size(inv, vm.ix),
                                      dcp_vm_size(x->resized, vm.ix))) {
        return true;
    }
    DCP_FREE struct dcp_inventory *was = with_old_size(x, vm, err);
    DCP_AUTO(dcp_demand) struct dcp_demand *grown = NULL;

    if (!was || !dcp_demand_with_sizes(x->demand, inv, was, &grown, err)) {
        return false;
    }
    const struct dcp_worth_change c = { DCP_WORTH_VM_KEEPS_SIZE, vm.ix, was,
                                        grown ? grown : x->demand };

    return w ? dcp_explain_json_worth(x, w, &c, err)
             : dcp_explain_print_worth(x, &c, err);
}
