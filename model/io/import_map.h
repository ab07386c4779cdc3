/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_IMPORT_MAP_H
#define DCP_MODEL_IO_IMPORT_MAP_H 1

/* From the columns of somebody's table to keys of ours (docs/import.md):
 *
 *   hosts:
 *     columns:                       # key of ours: column of theirs
 *       name: node
 *       memory: {column: ram_bytes, unit: B}   # appended to plain numbers
 *       rack: {column: rack, with: site}       # "site-rack"
 *       tags: [cluster, {column: warranty_end, prefix: warranty-, length: 4,
 *              ignore: [1970-01-01]}]          # several: joined by spaces
 *     constants: {hypervisor: qemu}
 *     where: {arch: x86_64}          # rows that are taken
 *     skip: {retired: [yes, "True"]} # rows that are not
 *
 * Without a mapping, columns that have our names are taken as they are, common
 * other spellings (memory_mib, vm, hostname) are known, and so is the form of
 * the Grid'5000 and Chameleon tables (columns node, cpu_model, ram_bytes). */

#include "model/base/diag.h"
#include "model/io/csv.h"

#define DCP_IMPORT_FIELDS_MAX 128
#define DCP_IMPORT_TESTS_MAX  32

struct dcp_import_field {
    const char *key;
    uint32_t column; /* UINT32_MAX: constant. */
    uint32_t with;   /* UINT32_MAX: none. */
    const char *constant, *unit, *prefix;
    const struct dcp_yaml *ignore; /* May be NULL. */
    uint32_t length;               /* 0: whole. */
};
struct dcp_import_test { /* Of a row. */
    uint32_t column;
    const struct dcp_yaml *values;
    bool skip; /* Skip where one matches; else where none does. */
};
struct dcp_import_map {
    struct dcp_import_field fields[DCP_IMPORT_FIELDS_MAX];
    uint32_t n_fields;
    struct dcp_import_test tests[DCP_IMPORT_TESTS_MAX];
    uint32_t n_tests;
    bool known_form; /* A built-in mapping was used. */
};

/* The mapping of one table ("hosts" or "vms"), by the tree of the mapping file
 * or, with NULL, by the header alone.  Problems go to 'diag' (false then). */
bool dcp_import_map_make(struct dcp_import_map *, struct dcp_arena *,
                         const char *table, const struct dcp_csv *,
                         const struct dcp_yaml *mapping, struct dcp_diag *diag);

/* The value of 'key' in the current record, "" where there is none; in
 * 'arena'.  NULL: no memory. */
const char *dcp_import_value(const struct dcp_import_map *, struct dcp_arena *,
                             const struct dcp_csv *, const char *key);
bool dcp_import_has(const struct dcp_import_map *, const char *key);
/* NULL: the record is taken; else why not ("arch is not x86_64"), in 'out'. */
const char *dcp_import_refuses(const struct dcp_import_map *,
                               const struct dcp_csv *, char out[120]);

#endif /* model/io/import_map.h */
