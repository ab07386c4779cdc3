/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_CELLS_H
#define DCP_TRACES_CELLS_H 1

/* A store's samples as they are stored, 8 or 16 bits each, tile by tile: what
 * a replay of hundreds of millions of samples reads instead of floats.
 *
 * A tile is DCP_CELLS_TIMES cells of time by DCP_CELLS_VMS columns, the chunk
 * that dcplan's own stores are made of.  Such a chunk is taken from the file
 * raw, and inflated here: HDF5 inflates one chunk at a time in the whole
 * process.  Stores of other chunks, contiguous or with other filters are read
 * through HDF5 tile by tile, slower, with the same result.
 *
 * dcp_cells_read() may be called from several threads, each with a room of its
 * own; it keeps them apart where they enter HDF5.  While it may be called,
 * nobody else uses HDF5. */

#include "traces/store.h"

enum { DCP_CELLS_TIMES = 288, DCP_CELLS_VMS = 256 };

struct dcp_cells;

/* The store outlives it. */
struct dcp_cells *dcp_cells_create(struct dcp_store *, enum dcp_metric,
                                   struct dcp_error *err) DCP_CHECKED;
void dcp_cells_destroy(struct dcp_cells *);
DCP_DEFINE_AUTO(dcp_cells)

/* Bytes of a cell: 1 or 2. */
uint32_t dcp_cells_size(const struct dcp_cells *);
/* The value of a cell that is missing: 255 or 65535. */
uint16_t dcp_cells_missing(const struct dcp_cells *);
/* By column: a sample is (float)(cell x scale), as dcp_store_read() gives. */
const double *dcp_cells_scale(const struct dcp_cells *);
uint32_t dcp_cells_n_stripes(const struct dcp_cells *); /* Of time. */
uint32_t dcp_cells_n_blocks(const struct dcp_cells *);  /* Of columns. */
/* Tiles are taken raw, not through HDF5's own filters. */
bool dcp_cells_are_raw(const struct dcp_cells *);

/* A tile, and scratch to read it. */
struct dcp_cells_room {
    /* The tile: uint8_t or uint16_t [DCP_CELLS_VMS][DCP_CELLS_TIMES], a
     * column's cells together; missing beyond the store's last time, anything
     * beyond its last column. */
    uint8_t *rows;
    uint8_t *chunk, *stored;
    size_t stored_size;
};
bool dcp_cells_room_init(struct dcp_cells_room *, const struct dcp_cells *,
                         struct dcp_error *err) DCP_CHECKED;
void dcp_cells_room_finish(struct dcp_cells_room *);

bool dcp_cells_read(struct dcp_cells *, uint32_t stripe, uint32_t block,
                    struct dcp_cells_room *, struct dcp_error *err) DCP_CHECKED;

#endif /* traces/cells.h */
