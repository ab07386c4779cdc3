/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Alibaba cluster-trace-v2018, machines: machine_meta and machine_usage,
 * without headers.  A machine is taken as a VM of its 96 cores, so that a
 * fleet's load can be studied; memory, network and disk are shares of sizes
 * that the trace does not name, and are left out.
 *
 * The same machine stands in the table many times (status reports).  Readings
 * are on a grid of 10 s, of which most are missing at random, so a reading
 * holds until the next, at most 1.5 cells. */

#include "traces/importer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { META_COLUMNS = 7, USAGE_COLUMNS = 9 };

#define DEFAULT_CORE_MHZ 2400.0

static bool
all_files(const char *name)
{
    (void)name;
    return true;
}

static bool
add_machine(struct dcp_import *imp, const struct dcp_lines *l, char *line,
            struct dcp_error *err)
{
    char *field[META_COLUMNS];
    uint32_t n = dcp_split(line, ',', field, META_COLUMNS);
    int64_t time_s = 0, cores = 0;

    if (n != META_COLUMNS || !field[0][0]) {
        return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 1),
                           "%u columns, not %d: not machine_meta", n,
                           META_COLUMNS);
    }
    const char *time_end = dcp_scan_i64(field[1], &time_s);
    const char *cores_end = dcp_scan_i64(field[4], &cores);

    if (!time_end || *time_end) {
        return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 1),
                           "'%.20s' is not a time in seconds", field[1]);
    }
    if (field[4][0] &&
        (!cores_end || *cores_end || cores < 0 || cores > 100000)) {
        return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 1),
                           "'%.20s' is not a number of cores", field[4]);
    }
    uint32_t i = dcp_import_vm(imp, field[0], strlen(field[0]));

    if (i == UINT32_MAX) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for machines");
    }
    double mhz = imp->o.core_mhz > 0 ? imp->o.core_mhz : DEFAULT_CORE_MHZ;

    dcp_import_size(&imp->vms[i], time_s, (uint32_t)cores, (double)cores * mhz,
                    0);
    return true;
}

static bool
add_usage(struct dcp_import *imp, const struct dcp_lines *l, uint32_t file,
          char *line, struct dcp_error *err)
{
    char *field[USAGE_COLUMNS];
    uint32_t n = dcp_split(line, ',', field, USAGE_COLUMNS);
    uint64_t errors = 0;
    double seconds, cpu, disk;
    int64_t time_ms;

    if (n != USAGE_COLUMNS) {
        return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 1),
                           "%u columns, not %d: not machine_usage", n,
                           USAGE_COLUMNS);
    }
    const char *end = dcp_scan_number(field[1], &seconds);

    if (!end || *end) {
        return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 1),
                           "'%.20s' is not a time in seconds", field[1]);
    }
    if (!dcp_import_seconds(l, seconds, &time_ms, err) ||
        !dcp_scan_percent(l, field[2], (uint32_t)(field[2] - line) + 1,
                          "the CPU", &errors, &cpu, err) ||
        !dcp_scan_percent(l, field[8], (uint32_t)(field[8] - line) + 1,
                          "the disk", &errors, &disk, err)) {
        return false;
    }
    imp->error_values += errors;
    uint32_t i = dcp_strmap_find(&imp->index, field[0]);

    if (imp->o.prefix) {
        i = dcp_import_vm(imp, field[0], strlen(field[0]));
    }
    if (i == DCP_STRMAP_NONE || !(imp->vms[i].cpu_capacity_mhz > 0)) {
        imp->unknown_vm_rows++;
        return true;
    }
    struct dcp_import_vm *vm = &imp->vms[i];
    float mhz = (float)(cpu / 100 * vm->cpu_capacity_mhz);

    time_ms += imp->o.start_ms == INT64_MIN ? 0 : imp->o.start_ms;
    return dcp_import_row(imp, vm, l, dcp_import_previous(vm, file), time_ms,
                          &mhz, (float)(cpu / 100),
                          cpu > 100 ? DCP_ROW_ABOVE_CPU : 0, err);
}

static bool
read_file(struct dcp_import *imp, uint32_t file, struct dcp_error *err)
{
    struct dcp_import_file *f = &imp->files[file];
    DCP_AUTO(dcp_lines) struct dcp_lines *l = dcp_lines_open(f->path, err);
    int got = l ? 1 : -1;

    while (got > 0) {
        char *line;
        size_t length;

        got = dcp_lines_next(l, &line, &length, err);
        if (got > 0 && length &&
            !(f->source ? add_usage(imp, l, file, line, err)
                        : add_machine(imp, l, line, err))) {
            return false;
        }
    }
    return got == 0 && dcp_import_end_file(imp, f, l, err);
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
    if (n_sources < 2) {
        return dcp_fail(err, DCP_E_USAGE,
                        "needs machine_meta and files of machine_usage");
    }
    if (!dcp_import_list(imp, sources, n_sources, all_files, err)) {
        return false;
    }
    for (uint32_t k = 0; k < imp->n_files; k++) {
        dcp_import_progress(imp);
        if (!read_file(imp, k, err)) {
            return false;
        }
    }
    dcp_import_drop_vms(imp, unread);
    return true;
}

const struct dcp_importer dcp_importer_alibaba_machine = {
    .kind = "alibaba-machine",
    .n_metrics = 1,
    .metric = { DCP_METRIC_CPU_MHZ },
    .relative = true,
    .read = read_sources,
};
