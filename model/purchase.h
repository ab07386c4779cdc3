/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_PURCHASE_H
#define DCP_MODEL_PURCHASE_H 1

/* What one purchase would make room for: one more host of a model that there
 * is (as a twin of the first of them: same rack, ports, hypervisor, pools), or
 * twice the memory in every host of a model.  Each is put into a copy of the
 * inventory and the ledger (model/ledger.h) is counted anew, so what holds of
 * the ledger's room holds here: sums per host, placement rules left out.
 *
 * Counted in VMs of the most common shape. */

#include "model/ledger.h"

enum dcp_purchase_kind {
    DCP_PURCHASE_HOST,   /* One more. */
    DCP_PURCHASE_MEMORY, /* Twice of it, in all hosts of the model. */
};

struct dcp_purchase {
    enum dcp_purchase_kind kind;
    dcp_hardware_id hardware;
    uint32_t n_hosts; /* That are bought or changed. */
    uint64_t mem_mib; /* MEMORY: bought, in all of them. */
    int64_t more;     /* VMs of the shape that then fit besides. */
    double more_per_host;
};

struct dcp_purchases {
    struct dcp_purchase *item; /* Owned; the most per host first. */
    uint32_t n;
    struct dcp_ledger_shape shape; /* What is counted; n_vms 0: no VM runs, and
                                    * nothing was counted. */
};

bool
dcp_purchases_count(const struct dcp_inventory *, const struct dcp_demand *,
                    const struct dcp_placement *, struct dcp_purchases *out,
                    struct dcp_error *err) DCP_CHECKED;
void dcp_purchases_finish(struct dcp_purchases *);

#endif /* model/purchase.h */
