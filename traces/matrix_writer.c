/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "traces/matrix_writer.h"

#include "traces/h5.h"
#include "traces/out_file.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_COLUMNS 4096

struct matrix {
    const struct dcp_matrix_spec *spec;
    hid_t set;
    float *rows; /* Owned; those that are not written yet. */
    uint32_t n_buffered;
    uint64_t n_written;
};

struct dcp_matrix_writer {
    struct dcp_out_file out;
    hid_t file;
    struct matrix *matrices; /* Owned. */
    uint32_t n_matrices;
};

static bool
fail_write(const struct dcp_matrix_writer *w, struct dcp_error *err)
{
    return dcp_h5_fail(err, DCP_E_IO, "cannot write '%s'", w->out.path);
}

static bool
create_file(struct dcp_matrix_writer *w, const char *path, const char *schema,
            struct dcp_error *err)
{
    char name[4200];

    if (!dcp_out_file_open(path, &w->out, err)) {
        return false;
    }
    DCP_HID fcpl = H5Pcreate(H5P_FILE_CREATE);
    DCP_HID fapl = H5Pcreate(H5P_FILE_ACCESS);

    (void)H5Pset_obj_track_times(fcpl, 0);
    (void)H5Pset_libver_bounds(fapl, H5F_LIBVER_V18, H5F_LIBVER_V110);
    (void)H5Pset_fapl_stdio(fapl); /* As in traces/store_writer.c. */
    dcp_out_file_name(&w->out, name, sizeof name);
    w->file = H5Fcreate(name, H5F_ACC_TRUNC, fcpl, fapl);
    return (w->file >= 0 && dcp_h5_write_text(w->file, "schema", schema)) ||
           fail_write(w, err);
}

/* Opened, or made where it is not there yet. */
static hid_t
group_of(const struct dcp_matrix_writer *w, const char *name)
{
    return H5Lexists(w->file, name, H5P_DEFAULT) > 0
               ? H5Gopen2(w->file, name, H5P_DEFAULT)
               : dcp_h5_create_group(w->file, name);
}

static bool
create_matrix(struct dcp_matrix_writer *w, struct matrix *m,
              const struct dcp_matrix_spec *spec, struct dcp_error *err)
{
    hsize_t n = spec->n_columns, dims[2] = { 0, n };
    hsize_t most[2] = { H5S_UNLIMITED, n };
    hsize_t chunk[2] = { DCP_MATRIX_ROWS,
                         n < CHUNK_COLUMNS ? n : CHUNK_COLUMNS };

    m->spec = spec;
    m->set = -1;
    if (!n) {
        return true;
    }
    m->rows = calloc(DCP_MATRIX_ROWS * (size_t)n, sizeof *m->rows);
    if (!m->rows) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for rows of %u columns",
                        spec->n_columns);
    }
    DCP_HID group = group_of(w, spec->group);
    DCP_HID space = H5Screate_simple(2, dims, most);
    DCP_HID plist = H5Pcreate(H5P_DATASET_CREATE);

    (void)H5Pset_obj_track_times(plist, 0);
    if (H5Pset_chunk(plist, 2, chunk) < 0 || H5Pset_shuffle(plist) < 0 ||
        H5Pset_deflate(plist, 1) < 0) {
        return fail_write(w, err);
    }
    m->set = H5Dcreate2(group, spec->name,
                        spec->whole ? H5T_STD_I32LE : H5T_IEEE_F32LE, space,
                        H5P_DEFAULT, plist, H5P_DEFAULT);
    return (m->set >= 0 && dcp_h5_write_text(m->set, "unit", spec->unit)) ||
           fail_write(w, err);
}

struct dcp_matrix_writer *
dcp_matrix_writer_create(const char *path, const char *schema,
                         const struct dcp_matrix_spec specs[], uint32_t n_specs,
                         struct dcp_error *err)
{
    DCP_AUTO(dcp_matrix_writer)
    struct dcp_matrix_writer *w = calloc(1, sizeof *w);

    dcp_h5_quiet();
    if (w) {
        w->out.fd = -1;
        w->file = -1;
        w->matrices = calloc((size_t)n_specs + 1, sizeof *w->matrices);
    }
    if (!w || !w->matrices) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for series");
        return NULL;
    }
    if (!create_file(w, path, schema, err)) {
        return NULL;
    }
    for (uint32_t i = 0; i < n_specs; i++) {
        w->n_matrices++;
        if (!create_matrix(w, &w->matrices[i], &specs[i], err)) {
            return NULL;
        }
    }
    return DCP_STEAL(w);
}

void
dcp_matrix_writer_destroy(struct dcp_matrix_writer *w)
{
    if (!w) {
        return;
    }
    for (uint32_t i = 0; i < w->n_matrices; i++) {
        dcp_h5_close(&w->matrices[i].set);
        free(w->matrices[i].rows);
    }
    free(w->matrices);
    dcp_h5_close(&w->file);
    dcp_out_file_finish(&w->out);
    free(w);
}

static bool
flush(struct dcp_matrix_writer *w, struct matrix *m, struct dcp_error *err)
{
    hsize_t n = m->spec->n_columns;
    hsize_t at[2] = { m->n_written, 0 }, size[2] = { m->n_buffered, n };
    hsize_t all[2] = { m->n_written + m->n_buffered, n };

    if (!m->n_buffered) {
        return true;
    }
    if (H5Dset_extent(m->set, all) < 0) {
        return fail_write(w, err);
    }
    DCP_HID where = H5Dget_space(m->set);
    DCP_HID what = H5Screate_simple(2, size, NULL);

    if (H5Sselect_hyperslab(where, H5S_SELECT_SET, at, NULL, size, NULL) < 0 ||
        H5Dwrite(m->set, H5T_NATIVE_FLOAT, what, where, H5P_DEFAULT, m->rows) <
            0) {
        return fail_write(w, err);
    }
    m->n_written += m->n_buffered;
    m->n_buffered = 0;
    return true;
}

bool
dcp_matrix_writer_row(struct dcp_matrix_writer *w, uint32_t spec,
                      const float row[], struct dcp_error *err)
{
    struct matrix *m = &w->matrices[spec];
    size_t n = m->spec->n_columns;

    if (!n) {
        return true;
    }
    memcpy(m->rows + m->n_buffered * n, row, n * sizeof *row);
    m->n_buffered++;
    return m->n_buffered < DCP_MATRIX_ROWS || flush(w, m, err);
}

bool
dcp_matrix_writer_names(struct dcp_matrix_writer *w, const char *group,
                        const char *const names[], uint32_t n,
                        struct dcp_error *err)
{
    size_t width = 1;

    for (uint32_t i = 0; i < n; i++) {
        size_t length = strlen(names[i]);

        width = length > width ? length : width;
    }
    DCP_FREE char *text = calloc((size_t)n + 1, width);
    DCP_HID where = group_of(w, group);
    DCP_HID type = H5Tcopy(H5T_C_S1);

    if (!text) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u names", n);
    }
    if (where < 0 || type < 0 || H5Tset_size(type, width) < 0 ||
        H5Tset_strpad(type, H5T_STR_NULLPAD) < 0 ||
        H5Tset_cset(type, H5T_CSET_UTF8) < 0) {
        return fail_write(w, err);
    }
    for (uint32_t i = 0; i < n; i++) {
        memcpy(text + i * width, names[i], strlen(names[i]));
    }
    return dcp_h5_write_column(where, "name", type, type, n, text) ||
           fail_write(w, err);
}

static bool
add_column(struct dcp_matrix_writer *w, const char *group, const char *name,
           const char *unit, hid_t file_type, hid_t mem_type, uint32_t n,
           const void *values, struct dcp_error *err)
{
    DCP_HID where = group_of(w, group);

    if (where < 0 ||
        !dcp_h5_write_column(where, name, file_type, mem_type, n, values)) {
        return fail_write(w, err);
    }
    DCP_HID set = H5Dopen2(where, name, H5P_DEFAULT);

    return (set >= 0 && dcp_h5_write_text(set, "unit", unit)) ||
           fail_write(w, err);
}

bool
dcp_matrix_writer_column(struct dcp_matrix_writer *w, const char *group,
                         const char *name, const char *unit, uint32_t n,
                         const double values[], struct dcp_error *err)
{
    return add_column(w, group, name, unit, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE,
                      n, values, err);
}

bool
dcp_matrix_writer_times(struct dcp_matrix_writer *w, const char *group,
                        const char *name, uint32_t n, const int64_t ms[],
                        struct dcp_error *err)
{
    return add_column(w, group, name, "ms since 1970-01-01 UTC", H5T_STD_I64LE,
                      H5T_NATIVE_INT64, n, ms, err);
}

bool
dcp_matrix_writer_note(struct dcp_matrix_writer *w, const char *name,
                       int64_t value, struct dcp_error *err)
{
    return dcp_h5_write_i64(w->file, name, value) || fail_write(w, err);
}

bool
dcp_matrix_writer_commit(struct dcp_matrix_writer *w, struct dcp_error *err)
{
    for (uint32_t i = 0; i < w->n_matrices; i++) {
        if (!flush(w, &w->matrices[i], err)) {
            return false;
        }
        dcp_h5_close(&w->matrices[i].set);
    }
    if (H5Fclose(w->file) < 0) {
        w->file = -1;
        return fail_write(w, err);
    }
    w->file = -1;
    return dcp_out_file_commit(&w->out, err);
}
