/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_IMPORT_WORK_H
#define DCP_MODEL_IO_IMPORT_WORK_H 1

/* Private to model/io/import_csv.c and import_hosts.c: an import at work. */

#include "model/base/strmap.h"
#include "model/io/import_csv.h"
#include "model/io/import_map.h"
#include "model/io/import_target.h"
#include "model/io/model_dir.h"
#include "model/io/spec_curves.h"

#define N_NEW 4

struct dcp_import_machine { /* A group of identical hosts. */
    const char *key, *name, *cpu, *clock, *memory, *disk, *nic, *arch;
    uint32_t sockets, cores_per_socket, n_hosts;
};

struct dcp_import {
    const struct dcp_import_options *options;
    struct dcp_import_result *result;
    struct dcp_diag *diag;
    struct dcp_error *err;
    struct dcp_arena *arena;
    const struct dcp_yaml *mapping; /* NULL: none. */
    struct dcp_model model;         /* As it is before; empty: it has errors. */
    struct dcp_yaml main_tree;      /* Of dc.yaml. */
    struct dcp_yaml old_tree[2];    /* Of import/hosts.yaml and vms.yaml. */
    struct dcp_import_target target;
    struct dcp_spec_curves *curves; /* NULL: none. */
    struct dcp_import_machine *machines;
    uint32_t n_machines, machine_capacity;
    struct dcp_strmap machine_by_key, machine_names, names;
    /* Referenced, and not in the model: racks, tenants, tiers, applications. */
    struct dcp_strmap seen[N_NEW];
    struct dcp_text fresh[N_NEW];
};

struct dcp_import_table {
    struct dcp_csv csv;
    struct dcp_import_map map;
};

bool dcp_import_no_memory(struct dcp_import *);
/* Counts a row that is not taken. */
void dcp_import_skip(struct dcp_import *, const char *why);
/* Notes that the tables name a rack (0), tenant, tier or application; defines
 * it where the model does not. */
bool dcp_import_need(struct dcp_import *, uint32_t kind, const char *name);
/* Whether the model defines this hardware elsewhere than in the file that this
 * import replaces. */
bool dcp_import_has_hardware(const struct dcp_import *, const char *name);
/* Opens the table and makes its mapping. */
bool dcp_import_open(struct dcp_import *, struct dcp_import_table *,
                     const char *name, const char *path);
/* Whether the name is the first of its kind; else the row is counted. */
bool dcp_import_is_new(struct dcp_import *, const char *name);
/* The value of 'key' in the record, "" where there is none. */
const char *dcp_import_cell(struct dcp_import *,
                            const struct dcp_import_table *, const char *key);
void dcp_import_put_quoted(struct dcp_text *, const char *);

/* The table of hosts (model/io/import_hosts.c), and their machines as YAML. */
bool dcp_import_hosts(struct dcp_import *, struct dcp_import_table *);
void dcp_import_print_machines(struct dcp_import *);

#endif /* model/io/import_work.h */
