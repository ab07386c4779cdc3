/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_SWEEP_ROWS_H
#define DCP_SIM_SWEEP_ROWS_H 1

/* The demand of VMs over one stripe of time, a VM's cells together and a
 * host's VMs next to each other; private to sim/.
 *
 * Samples stay as they are stored, 8 or 16 bits each; VMs that have none are
 * floats, from the model.  Missing samples are filled by the rules of
 * dcp_sim_fill(): the last known value in the window, before the first known
 * one that; a VM without any in the window its last one before; without any up
 * to there, what the model says.  Cells outside the window are 0. */

#include "sim/sweep.h"
#include "sim/sweep_kernel.h"
#include "traces/cells.h"

/* How a VM's demand is stored. */
enum sweep_kind { SWEEP_CELLS, SWEEP_FLOATS };

struct sweep_row {
    uint32_t vm;
    enum sweep_kind kind;
    uint32_t float_row; /* Of 'floats', for SWEEP_FLOATS. */
    float factor;       /* Reference MHz of a measured one. */
    double scale;
    uint16_t last;    /* The last known cell; the format's missing: none yet. */
    bool looked_back; /* 'last' is from before the window. */
};

struct sweep_rows {
    const struct dcp_sweep_input *in;
    int64_t start_ms, interval_ms;      /* Of the grid's cell 0. */
    uint32_t first_cell, last_cell;     /* Of the window, both in it. */
    uint32_t first_stripe, last_stripe; /* Of the window, both in it. */
    uint32_t n;
    struct sweep_row *rows; /* Hosts in the caller's order, then unplaced. */
    /* From a store: */
    struct dcp_cells *source; /* NULL: from floats alone. */
    uint32_t cell_size;
    uint16_t missing;
    uint8_t *cells; /* [row][SWEEP_TIMES] of 'cell_size' bytes. */
    struct sweep_column {
        uint32_t column, row;
    } * columns; /* By column. */
    uint32_t n_columns;
    uint32_t *block_start;   /* Of 'columns', by block of the store; and end. */
    uint64_t *block_missing; /* Filled samples, by block. */
    /* One a thread, kept between stripes. */
    struct dcp_cells_room *rooms;
    uint32_t n_rooms;
    _Atomic uint32_t rooms_taken; /* A bit each. */
    /* VMs of the model, or all of the caller's samples: */
    float *floats; /* [n_floats][SWEEP_TIMES] */
    uint32_t n_floats;
    uint32_t *float_vms; /* By row of 'floats'. */
};

/* The usage covers the window. */
bool dcp_sweep_rows_fit(const struct dcp_sweep_input *, struct dcp_error *err);

/* 'order': VMs as the rows shall stand, 'n' of them, each once. */
bool
dcp_sweep_rows_init(struct sweep_rows *, const struct dcp_sweep_input *,
                    const uint32_t order[], uint32_t n, struct dcp_error *err);
void dcp_sweep_rows_finish(struct sweep_rows *);

/* Stripes from first_stripe on, in order, each once. */
bool dcp_sweep_rows_read(struct sweep_rows *, uint32_t stripe,
                         struct dcp_error *err);
/* After the last. */
void dcp_sweep_rows_count(const struct sweep_rows *, struct dcp_sim_fill *out);

/* Seconds of the window in each time of the stripe. */
void dcp_sweep_rows_seconds(const struct sweep_rows *, uint32_t stripe,
                            double seconds[SWEEP_TIMES]);
/* mhz[t] += what row 'i' asks for. */
void dcp_sweep_rows_add(const struct sweep_rows *, const struct sweep_kernel *,
                        uint32_t i, double mhz[SWEEP_TIMES]);

#endif /* sim/sweep_rows.h */
