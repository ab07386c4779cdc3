/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Azure Public Dataset V1 and V2: a table of VMs and files of readings, both
 * without header; times in seconds from the trace's start; CPU in percent of
 * the VM's cores.  The average reading is taken.  V2 has buckets for cores and
 * memory, the last of them open (">24", ">64").
 *
 * A table that lists some of the VMs is a selection: readings of the others
 * are left out and counted.  One that lists none of them is of another sample:
 * then all VMs are kept at one core, and counted. */

#include "traces/importer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_COLUMNS = 11, READING_COLUMNS = 5 };

#define DEFAULT_CORE_MHZ 2400.0
/* What the open buckets of V2 are taken for: the next usual size. */
#define OVER_24_CORES 32
#define OVER_64_GIB   128

static double
core_mhz(const struct dcp_import *imp)
{
    return imp->o.core_mhz > 0 ? imp->o.core_mhz : DEFAULT_CORE_MHZ;
}

static bool
all_files(const char *name)
{
    (void)name;
    return true;
}

/* "4", "1.75", or in V2 ">24". */
static bool
scan_size(const struct dcp_lines *l, const char *text, double over,
          bool open_bucket, double *out, struct dcp_error *err)
{
    bool is_over = open_bucket && *text == '>';
    const char *end = dcp_scan_number(text + is_over, out);

    if (!end || *end || !(*out > 0 && *out <= 1e6)) {
        return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 1),
                           "'%.20s' is not a size in the table of VMs", text);
    }
    *out = is_over ? fmax(over, *out) : *out;
    return true;
}

static bool
add_table_vm(struct dcp_import *imp, const struct dcp_lines *l, char *line,
             struct dcp_error *err)
{
    char *field[TABLE_COLUMNS];
    uint32_t n = dcp_split(line, ',', field, TABLE_COLUMNS),
             before = imp->n_vms;
    bool buckets = !strcmp(imp->kind.kind, "azure-v2");
    double cores, gib;

    if (n != TABLE_COLUMNS || !field[0][0]) {
        return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 1),
                           "%u columns, not %d: not an Azure table of VMs", n,
                           TABLE_COLUMNS);
    }
    if (!scan_size(l, field[9], OVER_24_CORES, buckets, &cores, err) ||
        !scan_size(l, field[10], OVER_64_GIB, buckets, &gib, err)) {
        return false;
    }
    uint32_t i = dcp_import_vm(imp, field[0], strlen(field[0]));

    if (i == UINT32_MAX) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the table of VMs");
    }
    if (i < before) {
        return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 1),
                           "VM '%.60s' is in the table already", field[0]);
    }
    imp->vms[i].vcpus = (uint32_t)ceil(cores);
    imp->vms[i].cpu_capacity_mhz = cores * core_mhz(imp);
    imp->vms[i].mem_capacity_mib = gib * 1024;
    return true;
}

static bool
read_table(struct dcp_import *imp, struct dcp_import_file *f,
           struct dcp_error *err)
{
    DCP_AUTO(dcp_lines) struct dcp_lines *l = dcp_lines_open(f->path, err);
    int got = l ? 1 : -1;

    while (got > 0) {
        char *line;
        size_t length;

        got = dcp_lines_next(l, &line, &length, err);
        if (got > 0 && length && !add_table_vm(imp, l, line, err)) {
            return false;
        }
    }
    return got == 0 && dcp_import_end_file(imp, f, l, err);
}

/* The VM of a reading, or UINT32_MAX with *out_left true: not wanted. */
static uint32_t
vm_of(struct dcp_import *imp, const char *name, uint32_t n_listed,
      bool *io_any_listed, bool *out_left)
{
    uint32_t before = imp->n_vms;
    uint32_t i = dcp_import_vm(imp, name, strlen(name));

    *out_left = false;
    if (i == UINT32_MAX) {
        return i;
    }
    if (i < n_listed) {
        *io_any_listed = true;
        return i;
    }
    imp->unknown_vm_rows++;
    if (i == before) {
        imp->vms[i].unlisted = true;
        imp->vms[i].vcpus = 1;
        imp->vms[i].cpu_capacity_mhz = core_mhz(imp);
    }
    *out_left = *io_any_listed;
    return *out_left ? UINT32_MAX : i;
}

static bool
add_reading(struct dcp_import *imp, const struct dcp_lines *l, uint32_t file,
            char *line, uint32_t n_listed, bool *io_any_listed,
            struct dcp_error *err)
{
    char *field[READING_COLUMNS];
    uint32_t n = dcp_split(line, ',', field, READING_COLUMNS);
    double seconds, percent;
    int64_t time_ms;
    bool left;

    if (n != READING_COLUMNS) {
        return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 1),
                           "%u columns, not %d: not a file of Azure readings",
                           n, READING_COLUMNS);
    }
    const char *end = dcp_scan_number(field[0], &seconds);

    if (!end || *end) {
        return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 1),
                           "'%.20s' is not a time in seconds", field[0]);
    }
    if (!dcp_import_seconds(l, seconds, &time_ms, err) ||
        !dcp_scan_percent(l, field[4], (uint32_t)(field[4] - line) + 1,
                          "the average CPU", NULL, &percent, err)) {
        return false;
    }
    uint32_t i = vm_of(imp, field[1], n_listed, io_any_listed, &left);

    if (i == UINT32_MAX) {
        return left || dcp_fail(err, DCP_E_NOMEM, "no memory for readings");
    }
    struct dcp_import_vm *vm = &imp->vms[i];
    float mhz = (float)(percent / 100 * vm->cpu_capacity_mhz);

    time_ms += imp->o.start_ms == INT64_MIN ? 0 : imp->o.start_ms;
    return dcp_import_row(imp, vm, l, dcp_import_previous(vm, file), time_ms,
                          &mhz, (float)(percent / 100),
                          percent > 100 ? DCP_ROW_ABOVE_CPU : 0, err);
}

static bool
read_readings(struct dcp_import *imp, uint32_t file, uint32_t n_listed,
              bool *io_any_listed, struct dcp_error *err)
{
    struct dcp_import_file *f = &imp->files[file];
    DCP_AUTO(dcp_lines) struct dcp_lines *l = dcp_lines_open(f->path, err);
    int got = l ? 1 : -1;

    while (got > 0) {
        char *line;
        size_t length;

        got = dcp_lines_next(l, &line, &length, err);
        if (got > 0 && length &&
            !add_reading(imp, l, file, line, n_listed, io_any_listed, err)) {
            return false;
        }
    }
    return got == 0 && dcp_import_end_file(imp, f, l, err);
}

static bool
unlisted_or_unread(const struct dcp_import_vm *vm)
{
    return vm->unlisted || vm->rows.n == 0;
}

static bool
unread(const struct dcp_import_vm *vm)
{
    return vm->rows.n == 0;
}

static bool
read_sources(struct dcp_import *imp, const char *const sources[],
             uint32_t n_sources, struct dcp_error *err)
{
    bool any_listed = false;

    if (n_sources < 2) {
        return dcp_fail(err, DCP_E_USAGE,
                        "needs the table of VMs and files of readings");
    }
    if (!dcp_import_list(imp, sources, n_sources, all_files, err)) {
        return false;
    }
    if (imp->files[0].source != 0 ||
        (imp->n_files > 1 && imp->files[1].source == 0)) {
        return dcp_fail(err, DCP_E_USAGE, "'%s': the table of VMs is one file",
                        sources[0]);
    }
    if (!read_table(imp, &imp->files[0], err)) {
        return false;
    }
    uint32_t n_listed = imp->n_vms;

    for (uint32_t k = 1; k < imp->n_files; k++) {
        dcp_import_progress(imp);
        if (!read_readings(imp, k, n_listed, &any_listed, err)) {
            return false;
        }
    }
    dcp_import_drop_vms(imp, any_listed ? unlisted_or_unread : unread);
    return true;
}

const struct dcp_importer dcp_importer_azure_v1 = {
    .kind = "azure-v1",
    .n_metrics = 1,
    .metric = { DCP_METRIC_CPU_MHZ },
    .step_ms = 300000,
    .relative = true,
    .read = read_sources,
};

const struct dcp_importer dcp_importer_azure_v2 = {
    .kind = "azure-v2",
    .n_metrics = 1,
    .metric = { DCP_METRIC_CPU_MHZ },
    .step_ms = 300000,
    .relative = true,
    .read = read_sources,
};
