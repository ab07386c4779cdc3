/* SPDX-License-Identifier: GPL-3.0-or-later */

/* HDF5 opens files by name and is handed the unnamed file as
 * /proc/self/fd/N. */

#include "traces/store_writer.h"

#include "model/base/strmap.h"
#include "model/base/text.h"
#include "traces/h5.h"
#include "traces/out_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dcp_store_writer {
    struct dcp_store_writer_options o; /* vms, mem_basis: not kept. */
    struct dcp_out_file out;
    hid_t file;
    hid_t data[DCP_METRICS];
    double *scale[DCP_METRICS];
    double *cpu_capacity_mhz;
    uint32_t block_vms; /* At most so many are written at once. */
    uint16_t *cells;    /* Scratch for them: [time][vm]. */
    uint32_t n_sources;
    bool failed;
};

static bool
is_byte(const struct dcp_store_writer *w, enum dcp_metric m)
{
    return w->o.sample_bits == 8 ||
           (m == DCP_METRIC_CPU_MHZ && w->o.cpu_whole_percent);
}

/* --- The file ----------------------------------------------------------- */

/* What the samples take; the rest is small. */
static off_t
size_estimate(const struct dcp_store_writer *w)
{
    off_t bytes = (off_t)w->o.n_vms * 512 + (1 << 20);

    for (int m = 0; m < DCP_METRICS; m++) {
        uint64_t times = (w->o.n_times + DCP_CHUNK_TIMES - 1) /
                         DCP_CHUNK_TIMES * DCP_CHUNK_TIMES;
        uint64_t vms =
            (w->o.n_vms + DCP_CHUNK_VMS - 1) / DCP_CHUNK_VMS * DCP_CHUNK_VMS;

        if (w->o.has[m]) {
            bytes += (off_t)((is_byte(w, (enum dcp_metric)m) ? 1 : 2) * times *
                             vms);
        }
    }
    return bytes;
}

static bool
create_file(struct dcp_store_writer *w, const char *path, struct dcp_error *err)
{
    char name[4200];

    if (!dcp_out_file_open(path, &w->out, err) ||
        (!w->o.deflate_level &&
         !dcp_out_file_reserve(&w->out, size_estimate(w), err))) {
        return false;
    }
    DCP_HID fcpl = H5Pcreate(H5P_FILE_CREATE);
    DCP_HID fapl = H5Pcreate(H5P_FILE_ACCESS);

    (void)H5Pset_obj_track_times(fcpl, 0);
    (void)H5Pset_libver_bounds(fapl, H5F_LIBVER_V18, H5F_LIBVER_V110);
    /* The default driver asks for the real path of a symbolic link, which an
     * unnamed file has not. */
    (void)H5Pset_fapl_stdio(fapl);
    dcp_out_file_name(&w->out, name, sizeof name);
    w->file = H5Fcreate(name, H5F_ACC_TRUNC, fcpl, fapl);
    if (w->file < 0) {
        return dcp_h5_fail(err, DCP_E_IO, "cannot write '%s'", w->out.path);
    }
    return true;
}

/* --- Small datasets ----------------------------------------------------- */

static bool
write_names(struct dcp_store_writer *w, hid_t group)
{
    size_t width = 1;

    for (uint32_t i = 0; i < w->o.n_vms; i++) {
        size_t n = strlen(w->o.vms[i].name);

        width = n > width ? n : width;
    }
    DCP_FREE char *names = calloc(w->o.n_vms, width);
    DCP_HID type = H5Tcopy(H5T_C_S1);

    if (!names || type < 0 || H5Tset_size(type, width) < 0 ||
        H5Tset_strpad(type, H5T_STR_NULLPAD) < 0 ||
        H5Tset_cset(type, H5T_CSET_UTF8) < 0) {
        return false;
    }
    for (uint32_t i = 0; i < w->o.n_vms; i++) {
        memcpy(names + i * width, w->o.vms[i].name, strlen(w->o.vms[i].name));
    }
    return dcp_h5_write_column(group, "name", type, type, w->o.n_vms, names);
}

static bool
write_vms(struct dcp_store_writer *w)
{
    DCP_HID group = dcp_h5_create_group(w->file, "vm");
    uint32_t n = w->o.n_vms;
    DCP_FREE uint32_t *vcpus = calloc(n, sizeof *vcpus);
    DCP_FREE double *mem = calloc(n, sizeof *mem);

    if (group < 0 || !vcpus || !mem) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        vcpus[i] = w->o.vms[i].vcpus;
        mem[i] = w->o.vms[i].mem_capacity_mib;
        w->cpu_capacity_mhz[i] = w->o.vms[i].cpu_capacity_mhz;
    }
    return write_names(w, group) &&
           dcp_h5_write_column(group, "vcpus", H5T_STD_U32LE, H5T_NATIVE_UINT32,
                               n, vcpus) &&
           dcp_h5_write_column(group, "cpu_capacity_mhz", H5T_IEEE_F64LE,
                               H5T_NATIVE_DOUBLE, n, w->cpu_capacity_mhz) &&
           dcp_h5_write_column(group, "mem_capacity_mib", H5T_IEEE_F64LE,
                               H5T_NATIVE_DOUBLE, n, mem);
}

static bool
write_time(struct dcp_store_writer *w)
{
    DCP_HID group = dcp_h5_create_group(w->file, "time");

    return group >= 0 &&
           dcp_h5_write_text(w->file, "schema", DCP_STORE_SCHEMA) &&
           dcp_h5_write_i64(group, "start_ms", w->o.start_ms) &&
           dcp_h5_write_i64(group, "interval_ms", w->o.interval_ms) &&
           dcp_h5_write_i64(group, "n", w->o.n_times);
}

static bool
create_metric(struct dcp_store_writer *w, hid_t metrics, enum dcp_metric m)
{
    bool byte = is_byte(w, m);
    uint16_t missing = byte ? 255 : 65535;
    hsize_t dims[2] = { w->o.n_times, w->o.n_vms };
    hsize_t chunk[2] = {
        dims[0] < DCP_CHUNK_TIMES ? dims[0] : DCP_CHUNK_TIMES,
        dims[1] < DCP_CHUNK_VMS ? dims[1] : DCP_CHUNK_VMS,
    };
    DCP_HID group = dcp_h5_create_group(metrics, dcp_metric_name(m));
    DCP_HID space = H5Screate_simple(2, dims, NULL);
    DCP_HID plist = H5Pcreate(H5P_DATASET_CREATE);

    (void)H5Pset_obj_track_times(plist, 0);
    if (group < 0 || space < 0 || plist < 0 ||
        H5Pset_chunk(plist, 2, chunk) < 0 ||
        H5Pset_fill_value(plist, H5T_NATIVE_UINT16, &missing) < 0 ||
        (w->o.deflate_level &&
         (H5Pset_shuffle(plist) < 0 ||
          H5Pset_deflate(plist, w->o.deflate_level) < 0)) ||
        !dcp_h5_write_text(group, "unit", dcp_metric_unit(m)) ||
        (m == DCP_METRIC_MEM_MIB &&
         !dcp_h5_write_text(group, "basis", w->o.mem_basis))) {
        return false;
    }
    w->data[m] = H5Dcreate2(group, "data", byte ? H5T_STD_U8LE : H5T_STD_U16LE,
                            space, H5P_DEFAULT, plist, H5P_DEFAULT);
    w->scale[m] = calloc(w->o.n_vms, sizeof *w->scale[m]);
    return w->data[m] >= 0 && w->scale[m];
}

/* --- Creation ----------------------------------------------------------- */

static bool
check_name(const char *name, struct dcp_error *err)
{
    size_t n = strlen(name);

    if (!dcp_text_is_plain(name)) {
        return dcp_fail(err, DCP_E_PARSE,
                        "VM '%.80s': a name is UTF-8 without control "
                        "characters and direction marks",
                        name);
    }
    if (n == 0) {
        return dcp_fail(err, DCP_E_PARSE, "a VM without a name");
    }
    return n <= DCP_STORE_NAME_MAX ||
           dcp_fail(err, DCP_E_PARSE,
                    "VM '%.40s...': a name has at most %d bytes", name,
                    DCP_STORE_NAME_MAX);
}

static bool
check_options(const struct dcp_store_writer_options *o, struct dcp_error *err)
{
    struct dcp_strmap seen = { 0 };
    uint32_t old;
    bool ok = true;

    if (o->n_vms == 0 || o->n_times == 0) {
        return dcp_fail(err, DCP_E_PARSE, "no samples to store");
    }
    if (o->n_vms > DCP_STORE_VMS_MAX || o->n_times > DCP_STORE_TIMES_MAX ||
        o->interval_ms <= 0 || o->deflate_level > 9 ||
        (o->sample_bits != 0 && o->sample_bits != 8 && o->sample_bits != 16)) {
        return dcp_fail(err, DCP_E_ARGUMENT,
                        "%u VMs x %u times: over the limits of a store",
                        o->n_vms, o->n_times);
    }
    for (uint32_t i = 0; ok && i < o->n_vms; i++) {
        const struct dcp_store_vm *v = &o->vms[i];

        ok = check_name(v->name, err);
        if (ok && !(v->cpu_capacity_mhz >= 0 && v->mem_capacity_mib >= 0 &&
                    isfinite(v->cpu_capacity_mhz + v->mem_capacity_mib))) {
            ok = dcp_fail(err, DCP_E_PARSE, "VM '%s': sizes are not numbers",
                          v->name);
        }
        if (ok && !dcp_strmap_add(&seen, v->name, i, &old)) {
            ok = old == DCP_STRMAP_NONE
                     ? dcp_fail(err, DCP_E_NOMEM, "no memory")
                     : dcp_fail(err, DCP_E_PARSE, "two VMs are called '%s'",
                                v->name);
        }
    }
    dcp_strmap_finish(&seen);
    return ok;
}

static bool
write_head(struct dcp_store_writer *w, struct dcp_error *err)
{
    DCP_HID metrics = dcp_h5_create_group(w->file, "metric");
    DCP_HID sources = dcp_h5_create_group(w->file, "source");
    bool ok = metrics >= 0 && sources >= 0 && write_time(w) && write_vms(w);

    for (int m = 0; ok && m < DCP_METRICS; m++) {
        ok = !w->o.has[m] || create_metric(w, metrics, (enum dcp_metric)m);
    }
    return ok || dcp_h5_fail(err, DCP_E_IO, "cannot write '%s'", w->out.path);
}

/* A chunk's width, or less where columns are so long that it would be much
 * memory. */
static uint32_t
block_vms(const struct dcp_store_writer_options *o)
{
    uint32_t most = DCP_STORE_BLOCK_CELLS / o->n_times;

    most = most < DCP_CHUNK_VMS ? most : DCP_CHUNK_VMS;
    most = most < o->n_vms ? most : o->n_vms;
    return most ? most : 1;
}

struct dcp_store_writer *
dcp_store_writer_create(const char *path,
                        const struct dcp_store_writer_options *o,
                        struct dcp_error *err)
{
    if (!check_options(o, err)) {
        return NULL;
    }
    dcp_h5_quiet();
    DCP_AUTO(dcp_store_writer)
    struct dcp_store_writer *w = calloc(1, sizeof *w);
    if (!w) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to write '%s'", path);
        return NULL;
    }
    w->o = *o;
    w->out.fd = -1;
    w->file = -1;
    for (int m = 0; m < DCP_METRICS; m++) {
        w->data[m] = -1;
    }
    w->cpu_capacity_mhz = calloc(o->n_vms, sizeof *w->cpu_capacity_mhz);
    w->block_vms = block_vms(o);
    w->cells = calloc((size_t)o->n_times * w->block_vms, sizeof *w->cells);
    if (!w->cpu_capacity_mhz || !w->cells) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to write '%s'", path);
        return NULL;
    }
    if (!create_file(w, path, err) || !write_head(w, err)) {
        return NULL;
    }
    w->o.vms = NULL;
    w->o.mem_basis = NULL;
    return DCP_STEAL(w);
}

/* HDF5 overlooks what stdio could not write in the end: ask stdio. */
static bool
flush_file(const struct dcp_store_writer *w)
{
    void *handle = NULL;

    if (H5Fflush(w->file, H5F_SCOPE_GLOBAL) < 0 ||
        H5Fget_vfd_handle(w->file, H5P_DEFAULT, &handle) < 0 || !handle) {
        return false;
    }
    FILE *file = *(FILE **)handle;

    return fflush(file) == 0 && !ferror(file);
}

static bool
close_file(struct dcp_store_writer *w)
{
    bool ok = true;

    if (w->file < 0) {
        return true;
    }
    for (int m = 0; m < DCP_METRICS; m++) {
        ok = (w->data[m] < 0 || H5Dclose(w->data[m]) >= 0) && ok;
        w->data[m] = -1;
    }
    ok = ok && flush_file(w);
    ok = H5Fclose(w->file) >= 0 && ok;
    w->file = -1;
    return ok;
}

void
dcp_store_writer_destroy(struct dcp_store_writer *w)
{
    if (!w) {
        return;
    }
    (void)close_file(w);
    (void)H5Eclear2(H5E_DEFAULT);
    dcp_out_file_finish(&w->out);
    for (int m = 0; m < DCP_METRICS; m++) {
        free(w->scale[m]);
    }
    free(w->cells);
    free(w->cpu_capacity_mhz);
    free(w);
}

/* --- Samples ------------------------------------------------------------ */

/* The step of one VM's samples; negative: a value that cannot be stored. */
static double
scale_of(const float value[], uint32_t n, double top)
{
    float max = 0;
    bool whole = true;

    for (uint32_t t = 0; t < n; t++) {
        float v = value[t];

        if (isnan(v)) {
            continue;
        }
        if (!(v >= 0 && v <= 3e38f)) {
            return -1;
        }
        max = v > max ? v : max;
        whole = whole && v == truncf(v);
    }
    return (whole && max <= top) || max == 0 ? 1 : (double)max / top;
}

static bool
encode(struct dcp_store_writer *w, enum dcp_metric m, uint32_t first,
       uint32_t n, const float value[], struct dcp_error *err)
{
    bool percent = m == DCP_METRIC_CPU_MHZ && w->o.cpu_whole_percent;
    double top = is_byte(w, m) ? 254 : 65534;

    for (uint32_t i = 0; i < n; i++) {
        const float *row = value + (size_t)i * w->o.n_times;
        double scale = percent ? w->cpu_capacity_mhz[first + i] / 100
                               : scale_of(row, w->o.n_times, top);

        if (!(scale > 0)) {
            return dcp_fail(err, DCP_E_ARGUMENT,
                            "%s of VM %u: a value below 0 or without limit",
                            dcp_metric_name(m), first + i);
        }
        w->scale[m][first + i] = scale;
        for (uint32_t t = 0; t < w->o.n_times; t++) {
            double units = round((double)row[t] / scale);

            w->cells[(size_t)t * n + i] = isnan(row[t])  ? (uint16_t)(top + 1)
                                          : units >= top ? (uint16_t)top
                                          : units > 0    ? (uint16_t)units
                                                         : 0;
        }
    }
    return true;
}

static bool
put_block(struct dcp_store_writer *w, enum dcp_metric m, uint32_t first,
          uint32_t n, const float value[], struct dcp_error *err)
{
    hsize_t from[2] = { 0, first }, size[2] = { w->o.n_times, n };

    if (!encode(w, m, first, n, value, err)) {
        return false;
    }
    DCP_HID memory = H5Screate_simple(2, size, NULL);
    DCP_HID space = H5Dget_space(w->data[m]);

    if (memory < 0 || space < 0 ||
        H5Sselect_hyperslab(space, H5S_SELECT_SET, from, NULL, size, NULL) <
            0 ||
        H5Dwrite(w->data[m], H5T_NATIVE_UINT16, memory, space, H5P_DEFAULT,
                 w->cells) < 0) {
        return dcp_h5_fail(err, DCP_E_IO, "cannot write '%s'", w->out.path);
    }
    return true;
}

bool
dcp_store_writer_put(struct dcp_store_writer *w, enum dcp_metric m,
                     uint32_t first, uint32_t n, const float value[],
                     struct dcp_error *err)
{
    if (w->data[m] < 0 || first > w->o.n_vms || n > w->o.n_vms - first) {
        return dcp_fail(err, DCP_E_ARGUMENT, "no such samples in this store");
    }
    while (n) {
        uint32_t room = DCP_CHUNK_VMS - first % DCP_CHUNK_VMS;
        uint32_t k = n < room ? n : room;

        k = k < w->block_vms ? k : w->block_vms;
        if (!put_block(w, m, first, k, value, err)) {
            w->failed = true;
            return false;
        }
        first += k;
        n -= k;
        value += (size_t)k * w->o.n_times;
    }
    return true;
}

bool
dcp_store_writer_put_stats(struct dcp_store_writer *w,
                           const struct dcp_vm_stats stats[],
                           struct dcp_error *err)
{
    DCP_HID type = dcp_h5_stats_type();
    DCP_HID group = H5Gopen2(w->file, "source", H5P_DEFAULT);

    if (type < 0 || group < 0 ||
        !dcp_h5_write_column(group, "stats", type, type, w->o.n_vms, stats)) {
        w->failed = true;
        return dcp_h5_fail(err, DCP_E_IO, "cannot write '%s'", w->out.path);
    }
    return true;
}

bool
dcp_store_writer_add_source(struct dcp_store_writer *w,
                            const struct dcp_store_source *s,
                            struct dcp_error *err)
{
    char name[16];

    if (w->n_sources == DCP_STORE_SOURCES_MAX) {
        return dcp_fail(err, DCP_E_LIMIT, "over %d sources",
                        DCP_STORE_SOURCES_MAX);
    }
    DCP_HID sources = H5Gopen2(w->file, "source", H5P_DEFAULT);

    (void)snprintf(name, sizeof name, "%u", w->n_sources);
    DCP_HID group = dcp_h5_create_group(sources, name);

    if (group < 0 || !dcp_h5_write_text(group, "kind", s->kind) ||
        !dcp_h5_write_text(group, "path", s->path) ||
        !dcp_h5_write_text(group, "sha256", s->sha256) ||
        !dcp_h5_write_text(group, "importer", s->importer)) {
        w->failed = true;
        return dcp_h5_fail(err, DCP_E_IO, "cannot write '%s'", w->out.path);
    }
    w->n_sources++;
    return true;
}

/* --- Commit ------------------------------------------------------------- */

static bool
write_scales(struct dcp_store_writer *w, struct dcp_error *err)
{
    for (int m = 0; m < DCP_METRICS; m++) {
        char where[64];

        if (!w->o.has[m]) {
            continue;
        }
        for (uint32_t i = 0; i < w->o.n_vms; i++) {
            if (!(w->scale[m][i] > 0)) {
                return dcp_fail(err, DCP_E_BUG, "%s of VM %u was not put",
                                dcp_metric_name((enum dcp_metric)m), i);
            }
        }
        (void)snprintf(where, sizeof where, "metric/%s/scale",
                       dcp_metric_name((enum dcp_metric)m));
        if (!dcp_h5_write_column(w->file, where, H5T_IEEE_F64LE,
                                 H5T_NATIVE_DOUBLE, w->o.n_vms, w->scale[m])) {
            return dcp_h5_fail(err, DCP_E_IO, "cannot write '%s'", w->out.path);
        }
    }
    return true;
}

bool
dcp_store_writer_commit(struct dcp_store_writer *w, struct dcp_error *err)
{
    if (w->failed) {
        return dcp_fail(err, DCP_E_ARGUMENT, "'%s' could not be written",
                        w->out.path);
    }
    if (!write_scales(w, err)) {
        return false;
    }
    if (!close_file(w)) {
        return dcp_h5_fail(err, DCP_E_IO, "cannot write '%s'", w->out.path);
    }
    return dcp_out_file_commit(&w->out, err);
}
