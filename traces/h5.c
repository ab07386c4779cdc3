/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "traces/h5.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
dcp_h5_quiet(void)
{
    (void)H5dont_atexit(); /* Counts only before HDF5's first call. */
    (void)H5open();
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    (void)H5PLset_loading_state(0);
}

/* Walking upwards, the first message is the innermost: the cause. */
static herr_t
keep_first(unsigned n, const H5E_error2_t *e, void *text)
{
    (void)n;
    char *out = text;

    if (!out[0] && e->desc) {
        (void)snprintf(out, 200, "%s", e->desc);
    }
    return 0;
}

bool
dcp_h5_fail(struct dcp_error *err, enum dcp_code code, const char *format, ...)
{
    char what[240], why[200] = "";
    int number = errno;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, why);
    (void)H5Eclear2(H5E_DEFAULT);
    for (char *p = why; *p; p++) {
        *p = (unsigned char)*p < ' ' ? ' ' : *p;
    }
    /* HDF5 keeps most of the system's reasons to itself. */
    bool full = code == DCP_E_IO && (number == ENOSPC || number == EFBIG ||
                                     number == EDQUOT || number == EIO);

    return dcp_fail(err, code, "%s%s%s%s%s%s", what, full ? ": " : "",
                    full ? strerror(number) : "", why[0] ? " (HDF5: " : "", why,
                    why[0] ? ")" : "");
}

static void
close_any(hid_t id)
{
    switch ((int)H5Iget_type(id)) {
    case H5I_FILE:
        (void)H5Fclose(id);
        break;
    case H5I_GROUP:
        (void)H5Gclose(id);
        break;
    case H5I_DATATYPE:
        (void)H5Tclose(id);
        break;
    case H5I_DATASPACE:
        (void)H5Sclose(id);
        break;
    case H5I_DATASET:
        (void)H5Dclose(id);
        break;
    case H5I_ATTR:
        (void)H5Aclose(id);
        break;
    default:
        (void)H5Pclose(id);
        break;
    }
}

void
dcp_h5_close(hid_t *id)
{
    if (*id < 0) {
        return;
    }
    /* Each call of HDF5 forgets the errors of the one before. */
    hid_t errors = H5Eget_num(H5E_DEFAULT) > 0 ? H5Eget_current_stack() : -1;

    close_any(*id);
    *id = -1;
    if (errors >= 0) {
        (void)H5Eset_current_stack(errors); /* Closes 'errors'. */
    }
}

bool
dcp_h5_write_i64(hid_t object, const char *name, int64_t value)
{
    DCP_HID space = H5Screate(H5S_SCALAR);
    DCP_HID a = H5Acreate2(object, name, H5T_STD_I64LE, space, H5P_DEFAULT,
                           H5P_DEFAULT);

    return a >= 0 && H5Awrite(a, H5T_NATIVE_INT64, &value) >= 0;
}

bool
dcp_h5_write_text(hid_t object, const char *name, const char *value)
{
    size_t size = strlen(value);
    DCP_HID space = H5Screate(H5S_SCALAR);
    DCP_HID type = H5Tcopy(H5T_C_S1);

    if (type < 0 || H5Tset_size(type, size ? size : 1) < 0 ||
        H5Tset_strpad(type, H5T_STR_NULLPAD) < 0 ||
        H5Tset_cset(type, H5T_CSET_UTF8) < 0) {
        return false;
    }
    DCP_HID a = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);

    return a >= 0 && H5Awrite(a, type, value) >= 0;
}

bool
dcp_h5_write_column(hid_t where, const char *name, hid_t file_type,
                    hid_t mem_type, uint64_t n, const void *data)
{
    hsize_t dims[1] = { n };
    DCP_HID space = H5Screate_simple(1, dims, NULL);
    DCP_HID plist = H5Pcreate(H5P_DATASET_CREATE);

    (void)H5Pset_obj_track_times(plist, 0);
    DCP_HID set = H5Dcreate2(where, name, file_type, space, H5P_DEFAULT, plist,
                             H5P_DEFAULT);

    return set >= 0 &&
           H5Dwrite(set, mem_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
}

hid_t
dcp_h5_create_group(hid_t where, const char *name)
{
    DCP_HID plist = H5Pcreate(H5P_GROUP_CREATE);

    (void)H5Pset_obj_track_times(plist, 0);
    return H5Gcreate2(where, name, H5P_DEFAULT, plist, H5P_DEFAULT);
}

static hid_t
open_scalar(hid_t object, const char *name, H5T_class_t class, size_t max_size,
            size_t *out_size)
{
    DCP_HID a = H5Aopen(object, name, H5P_DEFAULT);

    if (a < 0) {
        return -1;
    }
    DCP_HID type = H5Aget_type(a);
    DCP_HID space = H5Aget_space(a);

    if (type < 0 || space < 0 || H5Tget_class(type) != class ||
        (class == H5T_STRING && H5Tis_variable_str(type) != 0) ||
        H5Sget_simple_extent_npoints(space) != 1) {
        return -1;
    }
    *out_size = H5Tget_size(type);
    if (*out_size == 0 || *out_size > max_size) {
        return -1;
    }
    hid_t opened = a;

    a = -1;
    return opened;
}

bool
dcp_h5_read_i64(hid_t object, const char *name, int64_t *out)
{
    size_t size;
    DCP_HID a = open_scalar(object, name, H5T_INTEGER, 8, &size);

    return a >= 0 && H5Aread(a, H5T_NATIVE_INT64, out) >= 0;
}

bool
dcp_h5_read_text(hid_t object, const char *name, char *out, size_t size)
{
    size_t length;
    DCP_HID a = open_scalar(object, name, H5T_STRING, size - 1, &length);

    if (a < 0) {
        return false;
    }
    DCP_HID type = H5Aget_type(a);

    memset(out, 0, size);
    return type >= 0 && H5Aread(a, type, out) >= 0;
}

hid_t
dcp_h5_stats_type(void)
{
#define WHOLE(NAME)                                                            \
    {                                                                          \
#NAME, offsetof(struct dcp_vm_stats, NAME), 'u'                        \
    }
#define INSTANT(NAME)                                                          \
    {                                                                          \
#NAME, offsetof(struct dcp_vm_stats, NAME), 'i'                        \
    }
#define FIGURE(NAME)                                                           \
    {                                                                          \
#NAME, offsetof(struct dcp_vm_stats, NAME), 'd'                        \
    }
    static const struct {
        const char *name;
        size_t offset;
        char type;
    } members[] = {
        WHOLE(rows),
        WHOLE(unique),
        WHOLE(duplicate_rows),
        WHOLE(conflicting_duplicates),
        WHOLE(zero_capacity_rows),
        WHOLE(above_capacity_rows),
        WHOLE(above_memory_rows),
        WHOLE(out_of_order),
        WHOLE(gaps),
        INSTANT(max_gap_ms),
        INSTANT(first_ms),
        INSTANT(last_ms),
        FIGURE(mean_cpu_mhz),
        FIGURE(p95_cpu_mhz),
        FIGURE(max_cpu_mhz),
        FIGURE(mean_cpu_frac),
        FIGURE(p95_cpu_frac),
        FIGURE(max_cpu_frac),
        FIGURE(mean_mem_mib),
        FIGURE(max_mem_mib),
    };
    hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(struct dcp_vm_stats));
    bool ok = type >= 0;

    for (size_t i = 0; ok && i < sizeof members / sizeof members[0]; i++) {
        ok = H5Tinsert(type, members[i].name, members[i].offset,
                       members[i].type == 'u'   ? H5T_NATIVE_UINT64
                       : members[i].type == 'i' ? H5T_NATIVE_INT64
                                                : H5T_NATIVE_DOUBLE) >= 0;
    }
    if (!ok) {
        dcp_h5_close(&type);
    }
    return type;
}

const char *
dcp_metric_name(enum dcp_metric metric)
{
    static const char *const names[DCP_METRICS] = {
        [DCP_METRIC_CPU_MHZ] = "cpu_mhz",
        [DCP_METRIC_MEM_MIB] = "mem_mib",
        [DCP_METRIC_NET_RX_KIB_S] = "net_rx_kib_s",
        [DCP_METRIC_NET_TX_KIB_S] = "net_tx_kib_s",
        [DCP_METRIC_DISK_READ_KIB_S] = "disk_read_kib_s",
        [DCP_METRIC_DISK_WRITE_KIB_S] = "disk_write_kib_s",
        [DCP_METRIC_READY_FRAC] = "ready_frac",
    };

    return names[metric];
}

const char *
dcp_metric_unit(enum dcp_metric metric)
{
    static const char *const units[DCP_METRICS] = {
        [DCP_METRIC_CPU_MHZ] = "MHz",
        [DCP_METRIC_MEM_MIB] = "MiB",
        [DCP_METRIC_NET_RX_KIB_S] = "KiB/s",
        [DCP_METRIC_NET_TX_KIB_S] = "KiB/s",
        [DCP_METRIC_DISK_READ_KIB_S] = "KiB/s",
        [DCP_METRIC_DISK_WRITE_KIB_S] = "KiB/s",
        [DCP_METRIC_READY_FRAC] = "1",
    };

    return units[metric];
}
