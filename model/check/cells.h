/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_CHECK_CELLS_H
#define DCP_MODEL_CHECK_CELLS_H 1

/* Everything that is counted on a host, in one row of cells: CPU per slot,
 * network per slot where it was measured, then one cell per scalar resource.
 * Internal to model/check/. */

#include "model/capacity.h"
#include "model/check/judge.h"

struct dcp_cells {
    const struct dcp_judge *judge;
    uint32_t first_slot, n_slots; /* In the demand. */
    bool has_net;
    uint32_t n_scalars, n;
    uint64_t *usable; /* [host * n + cell]; UINT64_MAX: not limited. Owned. */
};

/* The slots [first, last) of the demand. */
bool dcp_cells_init(struct dcp_cells *, const struct dcp_judge *,
                    uint32_t first_slot, uint32_t last_slot) DCP_CHECKED;
void dcp_cells_finish(struct dcp_cells *);

/* What 'vm' asks of 'host', in each cell, at the size that it has once all
 * steps before 'id' are done; UINT32_MAX: at its last size. */
void dcp_cells_need(const struct dcp_cells *, uint32_t vm, uint32_t host,
                    uint32_t id, uint64_t out[]);
/* Sums over a placement at those sizes, [host * n + cell]; NULL: no memory. The
 * caller's. */
uint64_t *dcp_cells_load(const struct dcp_cells *, const struct dcp_placement *,
                         uint32_t id);
/* All that the host has, not only what policy lets be used. */
void
dcp_cells_capacity(const struct dcp_cells *, uint32_t host, uint64_t out[]);

/* Cells of one resource have one number: 0 CPU, 1 network, 2 + scalar. */
uint32_t dcp_cells_resource(const struct dcp_cells *, uint32_t cell);
/* "cpu", "net", "memory" ... */
const char *dcp_cells_resource_name(const struct dcp_cells *, uint32_t cell);
/* "CPU at weekday 22 h", "memory"; returns 'out'. */
const char *dcp_cells_describe(const struct dcp_cells *, uint32_t cell,
                               char *out, size_t size);
const char *dcp_cells_unit(const struct dcp_cells *, uint32_t cell);

#endif /* model/check/cells.h */
