/* SPDX-License-Identifier: GPL-3.0-or-later */

/* GWA-T-12 (Bitbrains): one file per VM and month, 11 columns separated by
 * ";\t".  What the header says and what is in the column differ: "Timestamp
 * [ms]" is Unix time in seconds, [KB] is KiB. */

#include "traces/importer.h"

#include <math.h>
#include <string.h>

enum { N_COLUMNS = 11 };

enum column {
    TIME,
    CORES,
    CPU_CAPACITY,
    CPU_USAGE,
    CPU_PERCENT,
    MEM_CAPACITY,
    MEM_USAGE,
    DISK_READ,
    DISK_WRITE,
    NET_RECEIVED,
    NET_TRANSMITTED,
};

static const char *const headers[N_COLUMNS] = {
    "Timestamp [ms]",
    "CPU cores",
    "CPU capacity provisioned [MHZ]",
    "CPU usage [MHZ]",
    "CPU usage [%]",
    "Memory capacity provisioned [KB]",
    "Memory usage [KB]",
    "Disk read throughput [KB/s]",
    "Disk write throughput [KB/s]",
    "Network received throughput [KB/s]",
    "Network transmitted throughput [KB/s]",
};

static bool
wanted(const char *name)
{
    size_t n = strlen(name);

    n -= n > 3 && !strcmp(name + n - 3, ".gz") ? 3 : 0;
    return n > 4 && !strncmp(name + n - 4, ".csv", 4) &&
           strncmp(name, "MANIFEST", 8) != 0;
}

static bool
check_header(struct dcp_lines *l, struct dcp_error *err)
{
    char *line, *field[N_COLUMNS];
    size_t length;
    int got = dcp_lines_next(l, &line, &length, err);

    if (got <= 0) {
        return got == 0 && dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 0),
                                       "an empty file: no header line");
    }
    uint32_t n = dcp_split(line, ';', field, N_COLUMNS);

    for (uint32_t i = 0; i < N_COLUMNS && i < n; i++) {
        const char *name = field[i] + strspn(field[i], " \t");

        if (strncmp(name, headers[i], strlen(headers[i])) != 0) {
            return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 0),
                               "column %u of the header is '%.40s', not '%s': "
                               "not a Bitbrains (GWA-T-12) file",
                               i + 1, name, headers[i]);
        }
    }
    if (n != N_COLUMNS) {
        return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 0),
                           "the header has %u columns, not %d: not a "
                           "Bitbrains (GWA-T-12) file",
                           n, N_COLUMNS);
    }
    return true;
}

static bool
scan_row(const struct dcp_lines *l, const char *line, double value[N_COLUMNS],
         struct dcp_error *err)
{
    const char *p = line;

    for (uint32_t i = 0; i < N_COLUMNS; i++) {
        const char *begin = p += strspn(p, " \t");

        p = dcp_scan_number(p, &value[i]);
        if (!p || !(value[i] >= 0 && value[i] < 1e15)) {
            return dcp_fail_at(err, DCP_E_PARSE,
                               dcp_lines_pos(l, (uint32_t)(begin - line) + 1),
                               *begin ? "'%.20s' is not a number for '%s'"
                                      : "the row ends: '%s%s' is missing",
                               *begin ? begin : "", headers[i]);
        }
        p += strspn(p, " \t");
        if (i + 1 < N_COLUMNS ? *p != ';' : *p != '\0') {
            return dcp_fail_at(err, DCP_E_PARSE,
                               dcp_lines_pos(l, (uint32_t)(p - line) + 1),
                               *p ? "'%.20s' where '%s' should end"
                                  : "'%srow' ends after '%s'",
                               p, headers[i]);
        }
        p++;
    }
    return true;
}

static bool
add_row(struct dcp_import *imp, struct dcp_import_vm *vm,
        const struct dcp_lines *l, const double v[N_COLUMNS],
        int64_t *previous_ms, struct dcp_error *err)
{
    int64_t time_ms;
    float value[] = {
        (float)v[CPU_USAGE],    (float)(v[MEM_USAGE] / 1024),
        (float)v[NET_RECEIVED], (float)v[NET_TRANSMITTED],
        (float)v[DISK_READ],    (float)v[DISK_WRITE],
    };
    /* A VM without capacity is not there, whatever else the row says. */
    uint32_t flags =
        (v[CPU_CAPACITY] > 0 ? 0 : DCP_ROW_ABSENT) |
        (v[CPU_CAPACITY] > 0 && v[CPU_USAGE] > v[CPU_CAPACITY]
             ? DCP_ROW_ABOVE_CPU
             : 0) |
        (v[MEM_USAGE] > v[MEM_CAPACITY] ? DCP_ROW_ABOVE_MEMORY : 0);

    if (!dcp_import_seconds(l, v[TIME], &time_ms, err)) {
        return false;
    }
    dcp_import_size(vm, time_ms, v[CORES] < 1e6 ? (uint32_t)v[CORES] : 0,
                    v[CPU_CAPACITY], v[MEM_CAPACITY] / 1024);
    return dcp_import_row(imp, vm, l, previous_ms, time_ms, value,
                          (float)(v[CPU_PERCENT] / 100), flags, err);
}

static bool
parse(struct dcp_import *imp, struct dcp_import_file *f,
      struct dcp_import_vm *vm, struct dcp_error *err)
{
    DCP_AUTO(dcp_lines) struct dcp_lines *l = dcp_lines_open(f->path, err);
    int64_t previous_ms = INT64_MIN;

    if (!l || !check_header(l, err)) {
        return false;
    }
    for (;;) {
        double value[N_COLUMNS];
        char *line;
        size_t length;
        int got = dcp_lines_next(l, &line, &length, err);

        if (got <= 0) {
            return got == 0 && dcp_import_end_file(imp, f, l, err);
        }
        if (!scan_row(l, line, value, err) ||
            !add_row(imp, vm, l, value, &previous_ms, err)) {
            return false;
        }
    }
}

static bool
read_sources(struct dcp_import *imp, const char *const sources[],
             uint32_t n_sources, struct dcp_error *err)
{
    return dcp_import_list(imp, sources, n_sources, wanted, err) &&
           dcp_import_files(imp, ".csv", parse, err);
}

const struct dcp_importer dcp_importer_bitbrains = {
    .kind = "bitbrains",
    .n_metrics = 6,
    .metric = { DCP_METRIC_CPU_MHZ, DCP_METRIC_MEM_MIB, DCP_METRIC_NET_RX_KIB_S,
                DCP_METRIC_NET_TX_KIB_S, DCP_METRIC_DISK_READ_KIB_S,
                DCP_METRIC_DISK_WRITE_KIB_S },
    .step_ms = 300000,
    .mem_basis = "active",
    .read = read_sources,
};
