/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The VMs that may come, for the goal `room`: like the first VM of each of the
 * most common sizes, at that VM's highest planned demand. */

#include "solver/plan/work.h"

#include <stdlib.h>

static bool
same_size(const struct dcp_inventory *inv, uint32_t a, uint32_t b)
{
    return inv->vms[a].vcpus == inv->vms[b].vcpus &&
           inv->vms[a].mem_mib == inv->vms[b].mem_mib &&
           inv->vms[a].tier.ix == inv->vms[b].tier.ix;
}

static struct dcp_room_shape
shape_like(const struct dcp_work *w, uint32_t vm)
{
    const struct dcp_inventory *inv = w->r->inventory;
    const struct dcp_demand *d = w->r->demand;
    dcp_host_id host = w->r->start->host[vm];
    struct dcp_room_shape shape = { .cpu_mhz = 0 };

    dcp_vm_request(inv, (dcp_vm_id){ vm },
                   dcp_host_is_none(host) ? dcp_hypervisor_none()
                                          : inv->hosts[host.ix].hypervisor,
                   shape.scalar);
    for (uint32_t t = 0; t < d->n_slots; t++) {
        uint32_t mhz = d->cpu_mhz[(size_t)vm * d->stride + t];

        shape.cpu_mhz = mhz > shape.cpu_mhz ? mhz : shape.cpu_mhz;
    }
    return shape;
}

bool
dcp_work_choose_shapes(struct dcp_work *w, struct dcp_error *err)
{
    const struct dcp_inventory *inv = w->r->inventory;
    DCP_FREE uint32_t *first = calloc(inv->n_vms + 1u, sizeof *first);
    DCP_FREE uint32_t *count = calloc(inv->n_vms + 1u, sizeof *count);
    uint32_t n = 0;

    if (!first || !count) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for sizes of VMs");
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        uint32_t k = 0;

        while (k < n && !same_size(inv, first[k], v)) {
            k++;
        }
        if (k == n) {
            first[n++] = v;
        }
        count[k]++;
    }
    for (w->n_shapes = 0; w->n_shapes < DCP_WORK_SHAPES && w->n_shapes < n;
         w->n_shapes++) {
        uint32_t best = 0;

        for (uint32_t k = 1; k < n; k++) {
            best = count[k] > count[best] ? k : best;
        }
        count[best] = 0;
        w->shapes[w->n_shapes] = shape_like(w, first[best]);
    }
    return true;
}
