/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_COLUMNS_H
#define DCP_TRACES_COLUMNS_H 1

/* Which column of a store holds which VM's samples, and a walk over them in
 * stripes of neighbouring columns, so that a store of any size is read once,
 * chunk by chunk, in bounded memory.
 *
 * Several VMs may name one trace; a VM whose trace is not in the store is in
 * no stripe.  Not thread-safe. */

#include "model/inventory.h"
#include "traces/store.h"

#define DCP_STRIPE_COLUMNS 256 /* As wide as a chunk of the store. */

struct dcp_columns {
    struct dcp_column {
        uint32_t column, vm;
    } * pairs; /* By column, then VM; owned. */
    uint32_t n;
};

bool
dcp_columns_map(struct dcp_store *, const struct dcp_inventory *,
                struct dcp_columns *out, struct dcp_error *err) DCP_CHECKED;
void dcp_columns_finish(struct dcp_columns *);

/* Distinct columns, and the pairs that use them: pair i has its samples in
 * row r of what dcp_store_read() gives for 'column', where column[r] is its
 * column. */
struct dcp_stripe {
    const struct dcp_column *pairs;
    uint32_t n_pairs;
    uint32_t column[DCP_STRIPE_COLUMNS];
    uint32_t n_columns;
};

/* The stripe that begins at pair '*at', which is moved past it; false at the
 * end. */
bool dcp_columns_next(const struct dcp_columns *, uint32_t *at,
                      struct dcp_stripe *out);

#endif /* traces/columns.h */
