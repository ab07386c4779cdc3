/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Anybody's CSV, long (a line per VM and time) or wide (a column per VM), by a
 * mapping (traces/csv_map.h).  Quotes by RFC 4180, but a field does not span
 * lines. */

#include "model/base/units.h"
#include "traces/csv_line.h"
#include "traces/importer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NO_COLUMN UINT32_MAX

/* One file while it is read. */
struct table {
    struct dcp_import *imp;
    const struct dcp_csv_map *map;
    struct dcp_lines *lines;
    uint32_t file;
    char separator;
    struct dcp_csv_line line; /* The one at hand. */
    uint32_t n_columns;       /* Of the header, or of the first line. */
    uint32_t time, vm, metric[DCP_METRICS]; /* Column; by the import's order. */
    uint32_t vcpus, cpu_capacity, mem_capacity;
    uint32_t *column_vm; /* Wide: VM of each column. */
};

/* --- Fields ------------------------------------------------------------- */

static bool
wrong(const struct table *t, struct dcp_error *err, const char *what,
      uint32_t column)
{
    const char *text = t->line.field[column];
    uint32_t at = (uint32_t)(text - t->line.field[0]) + 1;

    return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(t->lines, at),
                       "'%.40s' is not %s", text, what);
}

static bool
cut_line(struct table *t, char *line, struct dcp_error *err)
{
    return dcp_csv_line_cut(&t->line, line, t->separator,
                            dcp_lines_pos(t->lines, 1), err);
}

/* NaN where it is missing. */
static bool
scan(const struct table *t, uint32_t column, double *out, struct dcp_error *err)
{
    char *text = t->line.field[column];

    *out = NAN;
    if (!*text) {
        return true;
    }
    for (uint32_t i = 0; i < t->map->n_missing; i++) {
        if (!strcmp(text, t->map->missing[i])) {
            return true;
        }
    }
    if (t->map->decimal != '.') {
        char *point = strchr(text, t->map->decimal);

        if (point) {
            *point = '.';
        }
    }
    const char *end = dcp_scan_number(text, out);

    if (!end || *end || !(*out >= 0 && *out <= 1e15)) {
        return wrong(t, err, "a number of 0 or more", column);
    }
    return true;
}

/* --- The header --------------------------------------------------------- */

static char
guess_separator(const char *line)
{
    size_t n = strcspn(line, ",;|\t");

    return line[n] ? line[n] : ',';
}

static bool
find_column(const struct table *t, const char *name, bool required,
            uint32_t *out, struct dcp_error *err)
{
    int64_t number = 0;
    const char *end;

    *out = NO_COLUMN;
    if (!name || !*name) {
        return true;
    }
    if (!t->map->header) {
        end = dcp_scan_i64(name, &number);
        if (!end || *end || number < 1 || number > t->n_columns) {
            return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(t->lines, 1),
                               "without a header a column is a number of 1 to "
                               "%u, not '%.40s'",
                               t->n_columns, name);
        }
        *out = (uint32_t)number - 1;
        return true;
    }
    for (uint32_t i = 0; i < t->n_columns; i++) {
        if (!strcmp(t->line.field[i], name)) {
            if (*out != NO_COLUMN) {
                return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(t->lines, 1),
                                   "two columns are called '%.40s'", name);
            }
            *out = i;
        }
    }
    return *out != NO_COLUMN || !required ||
           dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(t->lines, 1),
                       "no column is called '%.40s'", name);
}

static bool
find_vms(struct table *t, struct dcp_error *err)
{
    t->column_vm = calloc(t->n_columns, sizeof *t->column_vm);
    if (!t->column_vm) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a header");
    }
    for (uint32_t i = 0; i < t->n_columns; i++) {
        if (i == t->time) {
            continue;
        }
        if (!*t->line.field[i]) {
            return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(t->lines, 1),
                               "column %u has no name", i + 1);
        }
        uint32_t vm =
            dcp_import_vm(t->imp, t->line.field[i], strlen(t->line.field[i]));

        if (vm == UINT32_MAX) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for VMs");
        }
        if (t->imp->vms[vm].last_file == t->file) {
            return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(t->lines, 1),
                               "two columns are called '%.40s'",
                               t->line.field[i]);
        }
        t->imp->vms[vm].last_file = t->file;
        t->imp->vms[vm].previous_ms = INT64_MIN;
        t->column_vm[i] = vm;
    }
    return true;
}

static bool
find_columns(struct table *t, struct dcp_error *err)
{
    const struct dcp_csv_map *m = t->map;

    if (!find_column(t, m->time_column, true, &t->time, err)) {
        return false;
    }
    if (m->wide) {
        return find_vms(t, err);
    }
    for (uint32_t i = 0; i < t->imp->kind.n_metrics; i++) {
        const struct dcp_csv_field *f = &m->metric[t->imp->kind.metric[i]];

        if (!find_column(t, f->column, true, &t->metric[i], err)) {
            return false;
        }
    }
    return find_column(t, m->vm_column, true, &t->vm, err) &&
           find_column(t, m->vcpus.column, true, &t->vcpus, err) &&
           find_column(t, m->cpu_capacity.column, true, &t->cpu_capacity,
                       err) &&
           find_column(t, m->mem_capacity.column, true, &t->mem_capacity, err);
}

/* --- Rows --------------------------------------------------------------- */

static bool
scan_time(const struct table *t, int64_t *out_ms, struct dcp_error *err)
{
    return dcp_csv_map_time(t->map, t->line.field[t->time], out_ms) ||
           wrong(t, err, "a time of the mapping's format, of 1970 to 2100",
                 t->time);
}

static double
or_zero(double value)
{
    return isnan(value) ? 0 : value;
}

/* Reads the sizes in this row; 'out_absent': the capacity is there and 0. */
static bool
scan_sizes(const struct table *t, struct dcp_import_vm *vm, int64_t time_ms,
           bool *out_absent, struct dcp_error *err)
{
    const struct dcp_csv_map *m = t->map;
    double vcpus = NAN, cpu = NAN, mem = NAN;

    if ((t->vcpus != NO_COLUMN && !scan(t, t->vcpus, &vcpus, err)) ||
        (t->cpu_capacity != NO_COLUMN &&
         !scan(t, t->cpu_capacity, &cpu, err)) ||
        (t->mem_capacity != NO_COLUMN &&
         !scan(t, t->mem_capacity, &mem, err))) {
        return false;
    }
    cpu *= m->cpu_capacity.of == DCP_CSV_OF_CORE
               ? m->cpu_capacity.factor * t->imp->o.core_mhz
               : m->cpu_capacity.factor;
    if (isnan(cpu) && vcpus > 0 && t->imp->o.core_mhz > 0) {
        cpu = vcpus * t->imp->o.core_mhz;
    }
    *out_absent = cpu == 0;
    dcp_import_size(vm, time_ms, vcpus < 1e6 ? (uint32_t)vcpus : 0,
                    or_zero(cpu), or_zero(mem * m->mem_capacity.factor));
    return true;
}

static bool
to_unit(const struct table *t, const struct dcp_import_vm *vm,
        enum dcp_metric metric, double *io, struct dcp_error *err)
{
    const struct dcp_csv_field *f = &t->map->metric[metric];
    double whole = f->of == DCP_CSV_OF_CORE       ? t->imp->o.core_mhz
                   : metric == DCP_METRIC_CPU_MHZ ? vm->cpu_capacity_mhz
                                                  : vm->mem_capacity_mib;

    *io *= f->factor;
    if (f->of == DCP_CSV_ABSOLUTE || isnan(*io)) {
        return true;
    }
    if (!(whole > 0)) {
        return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(t->lines, 1),
                           "%s of VM '%.60s' is a share of a size that is not "
                           "known: map %s, or give --vm-size or --core-mhz",
                           dcp_metric_name(metric), vm->name,
                           metric == DCP_METRIC_CPU_MHZ ? "cpu_capacity"
                                                        : "mem_capacity");
    }
    *io *= whole;
    return true;
}

static bool
first_size(struct table *t, struct dcp_import_vm *vm, struct dcp_error *err)
{
    bool given = t->imp->o.vm_size_path || t->imp->o.core_mhz > 0;

    if (!given || vm->rows.n || t->vcpus != NO_COLUMN ||
        t->cpu_capacity != NO_COLUMN) {
        return true;
    }
    return dcp_import_size_of(t->imp, vm, err);
}

/* Values in the import's order of metrics -> one row. */
static bool
add_row(struct table *t, struct dcp_import_vm *vm, int64_t time_ms,
        double value[], bool absent, struct dcp_error *err)
{
    float row[DCP_METRICS];
    float share = NAN;
    uint32_t flags = absent ? DCP_ROW_ABSENT : 0;

    for (uint32_t i = 0; i < t->imp->kind.n_metrics; i++) {
        enum dcp_metric metric = t->imp->kind.metric[i];

        if (!absent && !to_unit(t, vm, metric, &value[i], err)) {
            return false;
        }
        row[i] = (float)value[i];
        if (metric == DCP_METRIC_CPU_MHZ && vm->cpu_capacity_mhz > 0) {
            share = (float)(value[i] / vm->cpu_capacity_mhz);
            flags |= !absent && value[i] > vm->cpu_capacity_mhz
                         ? DCP_ROW_ABOVE_CPU
                         : 0;
        }
        if (metric == DCP_METRIC_MEM_MIB && vm->mem_capacity_mib > 0) {
            flags |= value[i] > vm->mem_capacity_mib ? DCP_ROW_ABOVE_MEMORY : 0;
        }
    }
    return dcp_import_row(t->imp, vm, t->lines,
                          dcp_import_previous(vm, t->file), time_ms, row, share,
                          flags, err);
}

static bool
add_wide(struct table *t, struct dcp_error *err)
{
    int64_t time_ms;

    if (!scan_time(t, &time_ms, err)) {
        return false;
    }
    for (uint32_t i = 0; i < t->n_columns; i++) {
        struct dcp_import_vm *vm = &t->imp->vms[t->column_vm[i]];
        double value;

        if (i == t->time) {
            continue;
        }
        if (!scan(t, i, &value, err) || !first_size(t, vm, err) ||
            !add_row(t, vm, time_ms, &value, false, err)) {
            return false;
        }
    }
    return true;
}

static bool
add_long(struct table *t, struct dcp_error *err)
{
    struct dcp_import *imp = t->imp;
    double value[DCP_METRICS];
    int64_t time_ms;
    size_t length;
    const char *name;
    bool absent;

    if (t->vm == NO_COLUMN) {
        name = dcp_import_stem(&imp->files[t->file], ".csv", &length);
    } else {
        name = t->line.field[t->vm];
        length = strlen(name);
    }
    if (!length) {
        return t->vm == NO_COLUMN
                   ? dcp_fail(err, DCP_E_PARSE, "'%s' names no VM",
                              imp->files[t->file].path)
                   : wrong(t, err, "a VM's name", t->vm);
    }
    if (!scan_time(t, &time_ms, err)) {
        return false;
    }
    uint32_t i = dcp_import_vm(imp, name, length);

    if (i == UINT32_MAX) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for VMs");
    }
    struct dcp_import_vm *vm = &imp->vms[i];

    if (!first_size(t, vm, err) || !scan_sizes(t, vm, time_ms, &absent, err)) {
        return false;
    }
    for (uint32_t k = 0; k < imp->kind.n_metrics; k++) {
        if (!scan(t, t->metric[k], &value[k], err)) {
            return false;
        }
    }
    return add_row(t, vm, time_ms, value, absent, err);
}

/* --- Files -------------------------------------------------------------- */

/* The line that tells the columns: the header, or the first row. */
static bool
begin(struct table *t, char *line, struct dcp_error *err)
{
    t->separator =
        t->map->separator ? t->map->separator : guess_separator(line);
    if (!cut_line(t, line, err)) {
        return false;
    }
    t->n_columns = t->line.n;
    return find_columns(t, err);
}

static bool
add_line(struct table *t, struct dcp_error *err)
{
    if (t->line.n != t->n_columns) {
        return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(t->lines, 1),
                           "%u fields, where the %s has %u", t->line.n,
                           t->map->header ? "header" : "first line",
                           t->n_columns);
    }
    return t->map->wide ? add_wide(t, err) : add_long(t, err);
}

static bool
read_lines(struct table *t, struct dcp_error *err)
{
    uint32_t skip = t->map->skip;
    bool begun = false;

    for (;;) {
        char *line;
        size_t length;
        int got = dcp_lines_next(t->lines, &line, &length, err);

        if (got <= 0) {
            return got == 0 && (begun || dcp_fail_at(err, DCP_E_PARSE,
                                                     dcp_lines_pos(t->lines, 0),
                                                     "an empty table"));
        }
        if (skip) {
            skip--;
            continue;
        }
        if (!length) {
            continue;
        }
        if (!begun) {
            if (!begin(t, line, err)) {
                return false;
            }
            begun = true;
            if (t->map->header) {
                continue;
            }
        } else if (!cut_line(t, line, err)) {
            return false;
        }
        if (!add_line(t, err)) {
            return false;
        }
    }
}

bool
dcp_import_csv_lines(struct dcp_import *imp, const struct dcp_csv_map *map,
                     struct dcp_lines *lines, uint32_t file,
                     struct dcp_error *err)
{
    struct table t = {
        .imp = imp,
        .map = map,
        .lines = lines,
        .file = file,
        .vm = NO_COLUMN,
        .vcpus = NO_COLUMN,
        .cpu_capacity = NO_COLUMN,
        .mem_capacity = NO_COLUMN,
    };
    bool ok = read_lines(&t, err);

    dcp_csv_line_finish(&t.line);
    free(t.column_vm);
    return ok;
}

static bool
guess_map(const struct dcp_import *imp, struct dcp_csv_map *map,
          struct dcp_error *err)
{
    DCP_AUTO(dcp_lines)
    struct dcp_lines *l = dcp_lines_open(imp->files[0].path, err);
    char empty[] = "", *line = empty;
    size_t length;
    int got = l ? dcp_lines_next(l, &line, &length, err) : -1;

    return got >= 0 && dcp_csv_map_guess(line, dcp_lines_pos(l, 1), map, err);
}

static void
set_metrics(struct dcp_import *imp, const struct dcp_csv_map *map)
{
    imp->kind.n_metrics = 0;
    for (int m = 0; m < DCP_METRICS; m++) {
        if (map->metric[m].column) {
            imp->kind.metric[imp->kind.n_metrics++] = (enum dcp_metric)m;
        }
    }
    imp->kind.step_ms = map->step_ms;
    imp->kind.mem_basis = map->mem_basis;
}

static bool
wanted(const char *name)
{
    size_t n = strlen(name);

    n -= n > 3 && !strcmp(name + n - 3, ".gz") ? 3 : 0;
    return n > 4 && !strncmp(name + n - 4, ".csv", 4);
}

static bool
read_sources(struct dcp_import *imp, const char *const sources[],
             uint32_t n_sources, struct dcp_error *err)
{
    struct dcp_csv_map map;

    if (!dcp_import_read_sizes(imp, err) ||
        !dcp_import_list(imp, sources, n_sources, wanted, err) ||
        !(imp->o.map_path
              ? dcp_csv_map_read(imp->arena, imp->o.map_path, &map, err)
              : guess_map(imp, &map, err))) {
        return false;
    }
    set_metrics(imp, &map);
    if (!imp->kind.n_metrics) {
        return dcp_fail(err, DCP_E_PARSE, "'%s' has no metric",
                        imp->files[0].path);
    }
    for (uint32_t k = 0; k < imp->n_files; k++) {
        DCP_AUTO(dcp_lines)
        struct dcp_lines *l = dcp_lines_open(imp->files[k].path, err);

        dcp_import_progress(imp);
        if (!l || !dcp_import_csv_lines(imp, &map, l, k, err) ||
            !dcp_import_end_file(imp, &imp->files[k], l, err)) {
            return false;
        }
    }
    return true;
}

const struct dcp_importer dcp_importer_csv = {
    .kind = "csv",
    .read = read_sources,
};
