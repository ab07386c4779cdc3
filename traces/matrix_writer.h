/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_MATRIX_WRITER_H
#define DCP_TRACES_MATRIX_WRITER_H 1

/* Figures over time, in HDF5: matrices [time][column], written row by row, and
 * columns.  The file appears whole or not at all.
 *
 * Attribute "schema" as given.  /GROUP/NAME is a matrix (f32 or i32, chunks of
 * DCP_MATRIX_ROWS rows, shuffled and deflated at level 1) or a column (f64 or
 * i64), each with the attribute "unit"; /GROUP/name has the names of a group's
 * columns.  Equal calls give equal bytes.
 *
 * HDF5 keeps global state: one thread at a time. */

#include "model/base/arena.h"
#include "model/base/error.h"

#define DCP_MATRIX_ROWS 16

struct dcp_matrix_spec {
    const char *group, *name, *unit; /* Borrowed for the writer's life. */
    uint32_t n_columns;              /* 0: the matrix is left out. */
    bool whole;                      /* Whole numbers, below 2^24. */
};

struct dcp_matrix_writer;

struct dcp_matrix_writer *
dcp_matrix_writer_create(const char *path, const char *schema,
                         const struct dcp_matrix_spec specs[], uint32_t n_specs,
                         struct dcp_error *err) DCP_CHECKED;
/* Without a commit before: drops the file.  NULL is fine. */
void dcp_matrix_writer_destroy(struct dcp_matrix_writer *);
DCP_DEFINE_AUTO(dcp_matrix_writer)

bool dcp_matrix_writer_names(struct dcp_matrix_writer *, const char *group,
                             const char *const names[], uint32_t n,
                             struct dcp_error *err) DCP_CHECKED;
/* The next row of matrix 'spec', its n_columns values. */
bool
dcp_matrix_writer_row(struct dcp_matrix_writer *, uint32_t spec,
                      const float row[], struct dcp_error *err) DCP_CHECKED;
bool dcp_matrix_writer_column(struct dcp_matrix_writer *, const char *group,
                              const char *name, const char *unit, uint32_t n,
                              const double values[],
                              struct dcp_error *err) DCP_CHECKED;
bool dcp_matrix_writer_times(struct dcp_matrix_writer *, const char *group,
                             const char *name, uint32_t n, const int64_t ms[],
                             struct dcp_error *err) DCP_CHECKED;
/* An attribute of the file. */
bool dcp_matrix_writer_note(struct dcp_matrix_writer *, const char *name,
                            int64_t value, struct dcp_error *err) DCP_CHECKED;
/* Writes what is left and puts the file in place. */
bool dcp_matrix_writer_commit(struct dcp_matrix_writer *,
                              struct dcp_error *err) DCP_CHECKED;

#endif /* traces/matrix_writer.h */
