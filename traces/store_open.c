/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Opening.  Everything that reading relies on (dimensions, types, chunk
 * sizes, names, scales) is checked here; what HDF5 itself could be talked into
 * (external files and links, filter plugins, variable-length data) is
 * refused. */

#include "model/base/text.h"
#include "traces/store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES_MAX = 64 << 20 }; /* Of one chunk in a foreign file. */

static bool
bad(const struct dcp_store *s, struct dcp_error *err, const char *what)
{
    return dcp_h5_fail(err, DCP_E_PARSE, "'%s' is not a usable usage store: %s",
                       s->path, what);
}

static bool
no_memory(const struct dcp_store *s, struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_NOMEM, "no memory to read '%s'", s->path);
}

/* --- Opening, distrustfully --------------------------------------------- */

/* Every link on the way is a plain one: no other file is opened. */
static bool
plain_links(const struct dcp_store *s, const char *path)
{
    char part[128];

    for (const char *p = path; p; p = strchr(p + 1, '/')) {
        const char *stop = strchr(p + 1, '/');
        size_t n = stop ? (size_t)(stop - path) : strlen(path);
        H5L_info_t info;

        if (n >= sizeof part) {
            return false;
        }
        memcpy(part, path, n);
        part[n] = '\0';
        if (H5Lexists(s->file, part, H5P_DEFAULT) <= 0 ||
            H5Lget_info(s->file, part, &info, H5P_DEFAULT) < 0 ||
            info.type != H5L_TYPE_HARD) {
            return false;
        }
    }
    return true;
}

static bool
plain_filters(hid_t plist)
{
    int n = H5Pget_nfilters(plist);

    for (int i = 0; i < n; i++) {
        unsigned flags, config;
        size_t n_values = 0;
        char name[1];
        H5Z_filter_t id = H5Pget_filter2(plist, (unsigned)i, &flags, &n_values,
                                         NULL, sizeof name, name, &config);

        if (id != H5Z_FILTER_DEFLATE && id != H5Z_FILTER_SHUFFLE &&
            id != H5Z_FILTER_FLETCHER32) {
            return false;
        }
    }
    return n >= 0;
}

/* Data in this file, in chunks of a reasonable size or in one piece. */
static bool
plain_layout(hid_t set)
{
    DCP_HID plist = H5Dget_create_plist(set);
    hsize_t chunk[2] = { 1, 1 };

    if (plist < 0 || H5Pget_external_count(plist) != 0 ||
        !plain_filters(plist)) {
        return false;
    }
    switch (H5Pget_layout(plist)) {
    case H5D_COMPACT:
    case H5D_CONTIGUOUS:
        return true;
    case H5D_CHUNKED:
        return H5Pget_chunk(plist, 2, chunk) > 0 && chunk[0] > 0 &&
               chunk[1] > 0 &&
               chunk[0] <= CHUNK_BYTES_MAX / sizeof(uint16_t) / chunk[1];
    default:
        return false;
    }
}

/* A dataset of exactly these dimensions, or a negative id. */
static hid_t
open_set(const struct dcp_store *s, const char *path, int rank,
         const hsize_t dims[])
{
    if (!plain_links(s, path)) {
        return -1;
    }
    DCP_HID set = H5Dopen2(s->file, path, H5P_DEFAULT);
    DCP_HID space = set < 0 ? -1 : H5Dget_space(set);
    hsize_t found[2];

    if (space < 0 || H5Sget_simple_extent_ndims(space) != rank ||
        H5Sget_simple_extent_dims(space, found, NULL) != rank ||
        memcmp(found, dims, (size_t)rank * sizeof *dims) != 0 ||
        !plain_layout(set)) {
        return -1;
    }
    hid_t opened = set;

    set = -1;
    return opened;
}

static bool
read_column(const struct dcp_store *s, const char *path, H5T_class_t class,
            hid_t mem_type, void *out)
{
    hsize_t dims[1] = { s->n_vms };
    DCP_HID set = open_set(s, path, 1, dims);
    DCP_HID type = set < 0 ? -1 : H5Dget_type(set);

    return type >= 0 && H5Tget_class(type) == class &&
           H5Dread(set, mem_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0;
}

static bool
open_time(struct dcp_store *s, struct dcp_error *err)
{
    DCP_HID group =
        plain_links(s, "time") ? H5Gopen2(s->file, "time", H5P_DEFAULT) : -1;
    int64_t n;

    if (group < 0 || !dcp_h5_read_i64(group, "start_ms", &s->start_ms) ||
        !dcp_h5_read_i64(group, "interval_ms", &s->interval_ms) ||
        !dcp_h5_read_i64(group, "n", &n)) {
        return bad(s, err, "no /time {start_ms, interval_ms, n}");
    }
    if (n < 1 || n > DCP_STORE_TIMES_MAX || s->interval_ms < 1 ||
        s->interval_ms > INT64_C(366) * 86400000 ||
        s->start_ms < -INT64_C(100000000000000) ||
        s->start_ms > INT64_C(100000000000000)) {
        return bad(s, err, "/time is out of range");
    }
    s->n_times = (uint32_t)n;
    return true;
}

/* --- VMs ---------------------------------------------------------------- */

static bool
add_names(struct dcp_store *s, const char *text, size_t width,
          struct dcp_error *err)
{
    for (uint32_t i = 0; i < s->n_vms; i++) {
        const char *p = text + i * width;
        size_t n = strnlen(p, width);
        uint32_t old;

        if (n == 0 || n > DCP_STORE_NAME_MAX) {
            return bad(s, err, "a VM without a name, or with a long one");
        }
        s->name[i] = dcp_arena_strndup(s->arena, p, n);
        if (!s->name[i]) {
            return no_memory(s, err);
        }
        if (!dcp_text_is_plain(s->name[i])) {
            return bad(s, err,
                       "a name that is not UTF-8, or has control characters");
        }
        if (!dcp_strmap_add(&s->index, s->name[i], i, &old)) {
            return old == DCP_STRMAP_NONE ? no_memory(s, err)
                                          : bad(s, err, "two VMs of one name");
        }
    }
    return true;
}

static bool
open_names(struct dcp_store *s, struct dcp_error *err)
{
    DCP_HID set = plain_links(s, "vm/name")
                      ? H5Dopen2(s->file, "vm/name", H5P_DEFAULT)
                      : -1;
    DCP_HID type = set < 0 ? -1 : H5Dget_type(set);
    DCP_HID space = set < 0 ? -1 : H5Dget_space(set);
    hsize_t n = 0;

    if (type < 0 || space < 0 || H5Tget_class(type) != H5T_STRING ||
        H5Tis_variable_str(type) != 0 || !plain_layout(set) ||
        H5Sget_simple_extent_ndims(space) != 1 ||
        H5Sget_simple_extent_dims(space, &n, NULL) != 1) {
        return bad(s, err, "no /vm/name of fixed-length strings");
    }
    size_t width = H5Tget_size(type);

    if (n < 1 || n > DCP_STORE_VMS_MAX || width < 1 || width > 4096 ||
        n * width > (hsize_t)1 << 30) {
        return bad(s, err, "/vm/name is out of range");
    }
    s->n_vms = (uint32_t)n;
    DCP_FREE char *text = calloc((size_t)n, width);

    s->name = dcp_arena_array(s->arena, const char *, n);
    if (!text || !s->name) {
        return no_memory(s, err);
    }
    if (H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0) {
        return bad(s, err, "/vm/name cannot be read");
    }
    return add_names(s, text, width, err);
}

static bool
open_vms(struct dcp_store *s, struct dcp_error *err)
{
    if (!open_names(s, err)) {
        return false;
    }
    s->vcpus = dcp_arena_array(s->arena, uint32_t, s->n_vms);
    s->cpu_capacity_mhz = dcp_arena_array(s->arena, double, s->n_vms);
    s->mem_capacity_mib = dcp_arena_array(s->arena, double, s->n_vms);
    if (!s->vcpus || !s->cpu_capacity_mhz || !s->mem_capacity_mib) {
        return no_memory(s, err);
    }
    if (!read_column(s, "vm/vcpus", H5T_INTEGER, H5T_NATIVE_UINT32, s->vcpus) ||
        !read_column(s, "vm/cpu_capacity_mhz", H5T_FLOAT, H5T_NATIVE_DOUBLE,
                     s->cpu_capacity_mhz) ||
        !read_column(s, "vm/mem_capacity_mib", H5T_FLOAT, H5T_NATIVE_DOUBLE,
                     s->mem_capacity_mib)) {
        return bad(s, err,
                   "no /vm/{vcpus, cpu_capacity_mhz, "
                   "mem_capacity_mib} for each VM");
    }
    for (uint32_t i = 0; i < s->n_vms; i++) {
        if (!(s->cpu_capacity_mhz[i] >= 0 && s->cpu_capacity_mhz[i] <= 1e12 &&
              s->mem_capacity_mib[i] >= 0 && s->mem_capacity_mib[i] <= 1e12)) {
            return bad(s, err, "a VM's size is out of range");
        }
    }
    return true;
}

/* --- Metrics ------------------------------------------------------------ */

static bool
open_metric(struct dcp_store *s, enum dcp_metric m, struct dcp_error *err)
{
    char group_path[64], data[80], scale[80], unit[16] = "";
    hsize_t dims[2] = { s->n_times, s->n_vms };
    struct dcp_store_metric *metric = &s->metric[m];

    (void)snprintf(group_path, sizeof group_path, "metric/%s",
                   dcp_metric_name(m));
    if (!plain_links(s, group_path)) {
        return true;
    }
    (void)snprintf(data, sizeof data, "%s/data", group_path);
    (void)snprintf(scale, sizeof scale, "%s/scale", group_path);
    metric->data = open_set(s, data, 2, dims);
    DCP_HID type = metric->data < 0 ? -1 : H5Dget_type(metric->data);
    size_t size = type < 0 ? 0 : H5Tget_size(type);

    if (type < 0 || H5Tget_class(type) != H5T_INTEGER ||
        H5Tget_sign(type) != H5T_SGN_NONE || (size != 1 && size != 2)) {
        return bad(s, err, "samples are not [time][vm] of 8 or 16 bits");
    }
    metric->missing = size == 1 ? 255 : 65535;
    metric->scale = dcp_arena_array(s->arena, double, s->n_vms);
    if (!metric->scale) {
        return no_memory(s, err);
    }
    if (!read_column(s, scale, H5T_FLOAT, H5T_NATIVE_DOUBLE, metric->scale)) {
        return bad(s, err, "a metric without a scale for each VM");
    }
    for (uint32_t i = 0; i < s->n_vms; i++) {
        if (!(metric->scale[i] >= 0 && metric->scale[i] <= 1e15)) {
            return bad(s, err, "a scale is out of range");
        }
    }
    DCP_HID group = H5Gopen2(s->file, group_path, H5P_DEFAULT);

    if (!dcp_h5_read_text(group, "unit", unit, sizeof unit) ||
        strcmp(unit, dcp_metric_unit(m)) != 0) {
        return bad(s, err, "a metric in another unit");
    }
    if (m == DCP_METRIC_MEM_MIB &&
        !dcp_h5_read_text(group, "basis", s->mem_basis, sizeof s->mem_basis)) {
        return bad(s, err, "memory without a basis");
    }
    return true;
}

static bool
open_metrics(struct dcp_store *s, struct dcp_error *err)
{
    bool any = false;

    if (!plain_links(s, "metric")) {
        return bad(s, err, "no /metric");
    }
    for (int m = 0; m < DCP_METRICS; m++) {
        if (!open_metric(s, (enum dcp_metric)m, err)) {
            return false;
        }
        any = any || s->metric[m].data >= 0;
    }
    return any || bad(s, err, "no metric that this version knows");
}

/* --- Sources ------------------------------------------------------------ */

static bool
open_stats(struct dcp_store *s, struct dcp_error *err)
{
    if (!plain_links(s, "source") || !plain_links(s, "source/stats")) {
        return true;
    }
    DCP_HID type = dcp_h5_stats_type();
    struct dcp_vm_stats *stats =
        dcp_arena_array(s->arena, struct dcp_vm_stats, s->n_vms);

    if (!stats) {
        return no_memory(s, err);
    }
    if (!read_column(s, "source/stats", H5T_COMPOUND, type, stats)) {
        return bad(s, err, "/source/stats is not one record per VM");
    }
    s->stats = stats;
    return true;
}

static const char *
source_text(struct dcp_store *s, hid_t group, const char *name)
{
    char text[4200];

    return dcp_h5_read_text(group, name, text, sizeof text)
               ? dcp_arena_strdup(s->arena, text)
               : "";
}

static bool
open_sources(struct dcp_store *s, struct dcp_error *err)
{
    char path[32];
    uint32_t n = 0;

    for (; n < DCP_STORE_SOURCES_MAX; n++) {
        (void)snprintf(path, sizeof path, "source/%u", n);
        if (!plain_links(s, path)) {
            break;
        }
    }
    s->sources = dcp_arena_array(s->arena, struct dcp_store_source, n + 1);
    if (!s->sources) {
        return no_memory(s, err);
    }
    for (uint32_t i = 0; i < n; i++) {
        (void)snprintf(path, sizeof path, "source/%u", i);
        DCP_HID group = H5Gopen2(s->file, path, H5P_DEFAULT);
        struct dcp_store_source *source = &s->sources[i];

        if (group < 0) {
            return bad(s, err, "/source is damaged");
        }
        source->kind = source_text(s, group, "kind");
        source->path = source_text(s, group, "path");
        source->sha256 = source_text(s, group, "sha256");
        source->importer = source_text(s, group, "importer");
        if (!source->kind || !source->path || !source->sha256 ||
            !source->importer) {
            return no_memory(s, err);
        }
    }
    s->n_sources = n;
    (void)H5Eclear2(H5E_DEFAULT);
    return true;
}

/* --- Open and close ----------------------------------------------------- */

/* Says why the system refuses, which HDF5 would wrap in ten lines. */
static bool
check_file(const char *path, struct dcp_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0) {
        return dcp_fail(err, errno == ENOENT ? DCP_E_USAGE : DCP_E_IO,
                        "cannot open '%s': %s", path, strerror(errno));
    }
    bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);

    (void)close(fd);
    return regular || dcp_fail(err, DCP_E_USAGE, "'%s' is not a file", path);
}

static bool
open_file(struct dcp_store *s, struct dcp_error *err)
{
    char schema[64];

    s->file = H5Fopen(s->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (s->file < 0) {
        return dcp_h5_fail(err, DCP_E_PARSE, "'%s' is not a whole HDF5 file",
                           s->path);
    }
    if (!dcp_h5_read_text(s->file, "schema", schema, sizeof schema) ||
        strcmp(schema, DCP_STORE_SCHEMA) != 0) {
        return dcp_h5_fail(err, DCP_E_PARSE,
                           "'%s' is an HDF5 file, but no usage store: its "
                           "attribute 'schema' is not \"%s\"",
                           s->path, DCP_STORE_SCHEMA);
    }
    return true;
}

struct dcp_store *
dcp_store_open(const char *path, struct dcp_error *err)
{
    if (!check_file(path, err)) {
        return NULL;
    }
    dcp_h5_quiet();
    DCP_AUTO(dcp_store) struct dcp_store *s = calloc(1, sizeof *s);
    if (!s) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to read '%s'", path);
        return NULL;
    }
    s->file = -1;
    for (int m = 0; m < DCP_METRICS; m++) {
        s->metric[m].data = -1;
    }
    s->arena = dcp_arena_create(0);
    s->path = s->arena ? dcp_arena_strdup(s->arena, path) : NULL;
    if (!s->path) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to read '%s'", path);
        return NULL;
    }
    if (!open_file(s, err) || !open_time(s, err) || !open_vms(s, err) ||
        !open_metrics(s, err) || !open_stats(s, err) || !open_sources(s, err)) {
        return NULL;
    }
    return DCP_STEAL(s);
}

void
dcp_store_destroy(struct dcp_store *s)
{
    if (!s) {
        return;
    }
    for (int m = 0; m < DCP_METRICS; m++) {
        dcp_h5_close(&s->metric[m].data);
    }
    dcp_h5_close(&s->file);
    (void)H5Eclear2(H5E_DEFAULT);
    dcp_strmap_finish(&s->index);
    dcp_arena_destroy(s->arena);
    free(s);
}
