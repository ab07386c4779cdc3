/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_IMPORTER_H
#define DCP_TRACES_IMPORTER_H 1

/* What the importers of each kind share; included by traces/import*.c and
 * their tests only. */

#include "model/base/sha256.h"
#include "model/base/strmap.h"
#include "traces/csv_map.h"
#include "traces/import.h"
#include "traces/lines.h"

#include <stdatomic.h>

struct dcp_import_vm {
    const char *name;
    uint32_t vcpus;
    double cpu_capacity_mhz, mem_capacity_mib;
    int64_t size_ms; /* Time of the row that the sizes are from. */
    struct dcp_rows rows;
    uint32_t first_file, last_file; /* Into files; UINT32_MAX: none. */
    int64_t previous_ms;            /* Row before, in last_file. */
    bool unlisted;                  /* In no table of VMs. */
};

struct dcp_import_file {
    const char *path;
    const char *inner;         /* The path inside its source, for the digest. */
    uint32_t vm, source, next; /* next: of the same VM. */
    uint64_t size;
    uint8_t hash[32];
};

struct dcp_import_source {
    const char *path;
    struct dcp_sha256 hash;
};

/* Of --vm-size. */
struct dcp_import_sizes {
    uint32_t vcpus;
    double cpu_capacity_mhz, mem_mib;
};

/* One kind of source. */
struct dcp_importer {
    const char *kind;
    uint32_t n_metrics;
    enum dcp_metric metric[DCP_METRICS]; /* Ascending; CPU first. */
    int64_t step_ms;                     /* Nominal; 0: the grid's interval. */
    bool relative;          /* Times count from options.start_ms. */
    bool cpu_whole_percent; /* See store_writer.h. */
    const char *mem_basis;  /* NULL: no memory. */
    /* Fills vms, rows and sources. May block, may fail. */
    bool (*read)(struct dcp_import *, const char *const sources[],
                 uint32_t n_sources, struct dcp_error *err);
};

extern const struct dcp_importer dcp_importer_bitbrains;
extern const struct dcp_importer dcp_importer_planetlab;
extern const struct dcp_importer dcp_importer_azure_v1;
extern const struct dcp_importer dcp_importer_azure_v2;
extern const struct dcp_importer dcp_importer_alibaba_machine;
extern const struct dcp_importer dcp_importer_csv;

struct dcp_import {
    struct dcp_importer kind; /* A copy: a mapping may change it. */
    struct dcp_import_options o;
    struct dcp_arena *arena; /* Paths and names. */
    struct dcp_import_vm *vms;
    uint32_t n_vms, vms_capacity;
    struct dcp_strmap index;
    bool (*parse_file)(struct dcp_import *, struct dcp_import_file *,
                       struct dcp_import_vm *, struct dcp_error *err);
    struct dcp_import_file *files;
    uint32_t n_files, files_capacity;
    struct dcp_import_source *sources;
    uint32_t n_sources;
    struct dcp_vm_stats *stats; /* In the order of vms, once sorted. */
    struct dcp_import_sizes *sizes;
    uint32_t n_sizes;
    struct dcp_strmap size_index; /* By VM name. */
    uint64_t unknown_vm_rows;
    _Atomic uint64_t error_values;
    uint64_t bytes_total;
    _Atomic uint64_t bytes_done;
};

/* The VM of that name (the prefix is put before), made where it is new;
 * UINT32_MAX: out of memory. */
uint32_t dcp_import_vm(struct dcp_import *, const char *name, size_t length);

/* Notes a VM's sizes as of 'time_ms': the latest that are not 0 stay. */
void dcp_import_size(struct dcp_import_vm *, int64_t time_ms, uint32_t vcpus,
                     double cpu_capacity_mhz, double mem_capacity_mib);

/* Reads --vm-size where it was given. */
bool
dcp_import_read_sizes(struct dcp_import *, struct dcp_error *err) DCP_CHECKED;
/* Sets a VM's sizes from --vm-size, else one vCPU of --core-mhz. */
bool dcp_import_size_of(const struct dcp_import *, struct dcp_import_vm *,
                        struct dcp_error *err) DCP_CHECKED;

/* For readings of many VMs in one file: the row before of this VM, in this
 * file, for dcp_import_row(). */
int64_t *dcp_import_previous(struct dcp_import_vm *, uint32_t file);

/* A table of any size for csv: which column is what; in import_csv.c. */
bool dcp_import_csv_lines(struct dcp_import *, const struct dcp_csv_map *,
                          struct dcp_lines *, uint32_t file,
                          struct dcp_error *err) DCP_CHECKED;

/* Drops the VMs for which 'drop' says so, with their rows. */
void dcp_import_drop_vms(struct dcp_import *,
                         bool (*drop)(const struct dcp_import_vm *));

/* A share in percent; NaN: an empty field.  False: not a number, or below 0
 * ('io_errors' counts the values -1 and 101, which are NaN too). */
bool dcp_scan_percent(const struct dcp_lines *, const char *text,
                      uint32_t column, const char *name, uint64_t *io_errors,
                      double *out, struct dcp_error *err) DCP_CHECKED;

/* The files of all sources, in natural order within each: a source that is a
 * file, or all files below one that is a directory for which 'wanted' says
 * so.  Hidden files are left out. */
bool dcp_import_list(struct dcp_import *, const char *const sources[],
                     uint32_t n_sources, bool (*wanted)(const char *name),
                     struct dcp_error *err) DCP_CHECKED;

/* The file's name without directory, ".gz" and 'suffix'. */
const char *dcp_import_stem(const struct dcp_import_file *, const char *suffix,
                            size_t *out_length);

/* One VM per file, after dcp_import_list(): names come from stems; 'parse'
 * reads the file into the VM and may be called from several threads, for one
 * VM by one at a time. */
bool
dcp_import_files(struct dcp_import *, const char *suffix,
                 bool (*parse)(struct dcp_import *, struct dcp_import_file *,
                               struct dcp_import_vm *, struct dcp_error *err),
                 struct dcp_error *err) DCP_CHECKED;

/* After the last line of a file: notes its digest and progress, and refuses a
 * cut last line when strict. */
bool dcp_import_end_file(struct dcp_import *, struct dcp_import_file *,
                         const struct dcp_lines *,
                         struct dcp_error *err) DCP_CHECKED;

/* Adds a row after the checks that strict makes. */
bool dcp_import_row(struct dcp_import *, struct dcp_import_vm *,
                    const struct dcp_lines *, int64_t *io_previous_ms,
                    int64_t time_ms, const float value[], float cpu_frac,
                    uint32_t flags, struct dcp_error *err) DCP_CHECKED;

/* Calls fn(context, i) for 0 <= i < n on o.threads threads; the caller's own
 * is one of them.  Of several failures the one of the lowest i is returned. */
bool dcp_import_parallel(struct dcp_import *, uint32_t n,
                         bool (*fn)(struct dcp_import *, uint32_t i,
                                    struct dcp_error *err),
                         struct dcp_error *err) DCP_CHECKED;

/* Tells the caller's progress function; from its own thread only. */
void dcp_import_progress(const struct dcp_import *);

/* Instants outside 1970..2100 are refused: a wrong unit, most likely. */
bool dcp_import_seconds(const struct dcp_lines *, double seconds,
                        int64_t *out_ms, struct dcp_error *err) DCP_CHECKED;

#endif /* traces/importer.h */
