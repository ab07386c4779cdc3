/* SPDX-License-Identifier: GPL-3.0-or-later */

/* --vm-size: a CSV table `vm,vcpus,core_mhz,mem_mib` (mem_mib may be left
 * out) of the sizes that a source does not name.  The row `*` is for all VMs
 * that have none of their own. */

#include "traces/importer.h"

#include <stdlib.h>
#include <string.h>

static const char *const columns[] = { "vm", "vcpus", "core_mhz", "mem_mib" };

static bool
check_header(const struct dcp_lines *l, char *line, uint32_t *out_n,
             struct dcp_error *err)
{
    char *field[4];
    uint32_t n = dcp_split(line, ',', field, 4);

    if (n < 3 || n > 4) {
        return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 1),
                           "the header is not vm,vcpus,core_mhz[,mem_mib]");
    }
    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(field[i], columns[i]) != 0) {
            return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 1),
                               "column %u is '%.40s', not '%s'", i + 1,
                               field[i], columns[i]);
        }
    }
    *out_n = n;
    return true;
}

static bool
add_size(struct dcp_import *imp, const struct dcp_lines *l, char *line,
         uint32_t n, struct dcp_error *err)
{
    char *field[5];
    double number[4] = { 0, 0, 0, 0 };
    uint32_t got = dcp_split(line, ',', field, 5), old;

    if (got != n || !field[0][0]) {
        return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 1),
                           "%u fields where the header has %u", got, n);
    }
    for (uint32_t i = 1; i < n; i++) {
        const char *end = dcp_scan_number(field[i], &number[i]);

        if (!end || *end || !(number[i] >= (i < 3) && number[i] <= 1e9)) {
            return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 1),
                               "'%.20s' is not a %s", field[i], columns[i]);
        }
    }
    const char *name = dcp_arena_strdup(imp->arena, field[0]);
    struct dcp_import_sizes *grown =
        realloc(imp->sizes, (imp->n_sizes + 1u) * sizeof *grown);

    if (!name || !grown) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for sizes");
    }
    imp->sizes = grown;
    imp->sizes[imp->n_sizes] =
        (struct dcp_import_sizes){ (uint32_t)number[1], number[1] * number[2],
                                   number[3] };
    if (!dcp_strmap_add(&imp->size_index, name, imp->n_sizes, &old)) {
        return old == DCP_STRMAP_NONE
                   ? dcp_fail(err, DCP_E_NOMEM, "no memory for sizes")
                   : dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 1),
                                 "VM '%s' has a size already", name);
    }
    imp->n_sizes++;
    return true;
}

bool
dcp_import_read_sizes(struct dcp_import *imp, struct dcp_error *err)
{
    char *line;
    size_t length;
    uint32_t n = 0;

    if (!imp->o.vm_size_path) {
        return true;
    }
    DCP_AUTO(dcp_lines)
    struct dcp_lines *l = dcp_lines_open(imp->o.vm_size_path, err);
    if (!l) {
        return false;
    }
    int got = dcp_lines_next(l, &line, &length, err);

    if (got == 0) {
        return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 1),
                           "an empty table of sizes");
    }
    if (got < 0 || !check_header(l, line, &n, err)) {
        return false;
    }
    while ((got = dcp_lines_next(l, &line, &length, err)) > 0) {
        if (length && !add_size(imp, l, line, n, err)) {
            return false;
        }
    }
    return got == 0;
}

bool
dcp_import_size_of(const struct dcp_import *imp, struct dcp_import_vm *vm,
                   struct dcp_error *err)
{
    size_t skip = imp->o.prefix ? strlen(imp->o.prefix) : 0;
    uint32_t i = dcp_strmap_find(&imp->size_index, vm->name + skip);

    i = i == DCP_STRMAP_NONE ? dcp_strmap_find(&imp->size_index, "*") : i;
    if (i != DCP_STRMAP_NONE) {
        vm->vcpus = imp->sizes[i].vcpus;
        vm->cpu_capacity_mhz = imp->sizes[i].cpu_capacity_mhz;
        vm->mem_capacity_mib = imp->sizes[i].mem_mib;
        return true;
    }
    if (imp->o.core_mhz > 0) {
        vm->vcpus = 1;
        vm->cpu_capacity_mhz = imp->o.core_mhz;
        return true;
    }
    return dcp_fail(err, DCP_E_USAGE,
                    "'%s' has no size for VM '%s': add it, or a row '*' for "
                    "all others",
                    imp->o.vm_size_path, vm->name + skip);
}
