/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_GRID_H
#define DCP_TRACES_GRID_H 1

/* The rows of one VM as its monitoring wrote them, and their way onto the
 * regular grid of the store.
 *
 * The grid rule.  A row's value holds from its time to the VM's next row, at
 * most 1.5 nominal steps.  A cell is the time-weighted mean of what covers it,
 * and missing when less than half of it is covered.  Of rows with one
 * timestamp the first is kept.  A row that is DCP_ROW_ABSENT (zero capacity)
 * covers nothing but ends the row before.  A value above the capacity is kept
 * and counted.
 *
 * Not thread-safe; distinct rows may be used by distinct threads. */

#include "traces/store.h"

#define DCP_ROW_ABSENT       1u /* Zero capacity: the VM was not there. */
#define DCP_ROW_ABOVE_CPU    2u /* CPU use above the capacity. */
#define DCP_ROW_ABOVE_MEMORY 4u /* Memory use above the provisioned. */

struct dcp_rows {
    uint32_t n_columns; /* Metrics per row. */
    size_t n, capacity;
    int64_t *time_ms;
    float *value;    /* [row * n_columns + column]; NaN: not read. */
    float *cpu_frac; /* CPU use as a share of the capacity; NaN: not known. */
    uint8_t *flags;
    uint64_t n_out_of_order; /* Rows older than the one before, same file. */
    bool settled;
};

/* Zero-initialise but for n_columns.  False: out of memory. */
bool dcp_rows_add(struct dcp_rows *, int64_t time_ms, const float value[],
                  float cpu_frac, uint32_t flags) DCP_CHECKED;
void dcp_rows_finish(struct dcp_rows *);

/* Orders the rows by time (stable), drops repeated timestamps and computes the
 * statistics, counting DCP_STATS_ fields as documented in store.h.
 * 'cpu_column' and 'mem_column' say which column holds CPU in MHz and memory
 * in MiB (UINT32_MAX: none).  False: out of memory. */
bool dcp_rows_settle(struct dcp_rows *, int64_t step_ms, uint32_t cpu_column,
                     uint32_t mem_column, struct dcp_vm_stats *out) DCP_CHECKED;

struct dcp_grid {
    int64_t start_ms, interval_ms; /* Of cell 0. */
    int64_t step_ms;               /* Nominal step of the source. */
    uint32_t n_times;
};

/* One column of settled rows as n_times cells; NaN: missing.  'weight' is
 * scratch of n_times. */
void dcp_grid_fill(const struct dcp_grid *, const struct dcp_rows *,
                   uint32_t column, double weight[], float out[]);

/* The grid that holds rows from 'first_ms' to 'last_ms': it begins at
 * 'start_ms', or where that is INT64_MIN at the last multiple of the interval
 * since 1970, and ends one step after the last row.  False with DCP_E_LIMIT
 * when it would have over DCP_GRID_TIMES_MAX cells, or none. */
#define DCP_GRID_TIMES_MAX DCP_STORE_TIMES_MAX
bool dcp_grid_span(int64_t first_ms, int64_t last_ms, int64_t start_ms,
                   int64_t interval_ms, int64_t step_ms, struct dcp_grid *out,
                   struct dcp_error *err) DCP_CHECKED;

#endif /* traces/grid.h */
