/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_LEDGER_STATE_H
#define DCP_MODEL_LEDGER_STATE_H 1

/* What the parts of the capacity ledger share while one is made: private to
 * model/ledger*.c. */

#include "model/ledger.h"

struct dcp_ledger_host {
    dcp_host_id id;
    bool on, maintenance;
    double full[DCP_LEDGER_MAX], usable[DCP_LEDGER_MAX];
    double used[DCP_LEDGER_MAX]; /* CPU, network: in the host's worst slot. */
};

struct dcp_ledger_state {
    const struct dcp_inventory *inv;
    const struct dcp_demand *demand;
    const struct dcp_placement *placement;
    struct dcp_arena *scratch;
    struct dcp_ledger_host *hosts; /* Of the scope. */
    uint32_t n_hosts;
    uint32_t *host_at; /* Inventory's host -> 'hosts'; UINT32_MAX: outside. */
    uint32_t *vms;     /* Of the scope, ascending. */
    uint32_t n_vms;
    double *load[2]; /* CPU and network: [host * n_slots + slot]. */
};

/* What one VM asks: CPU and network at their peak, scalars as requested. */
void dcp_ledger_vm_vector(const struct dcp_ledger_state *, dcp_vm_id,
                          dcp_host_id, double out[DCP_LEDGER_MAX]);

/* Each fills its part of the ledger; false: out of memory. */
bool dcp_ledger_strand(struct dcp_ledger *, struct dcp_ledger_state *);
bool dcp_ledger_need_hosts(struct dcp_ledger *, struct dcp_ledger_state *);
bool dcp_ledger_count_shapes(struct dcp_ledger *, struct dcp_ledger_state *);

#endif /* model/ledger_state.h */
