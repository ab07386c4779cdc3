/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_IMPORT_H
#define DCP_TRACES_IMPORT_H 1

/* Usage as others wrote it -> the store (docs/traces.md).
 *
 * Each kind of source is one file, traces/import_<kind>.c, that turns text
 * into rows of VMs; ordering, repairs, the grid rule and the writing are
 * shared.  Input that cannot be read stops the import with file and line;
 * what can be repaired is repaired and counted, or refused with 'strict'.
 * Text files may be gzip.  The store's bytes do not depend on the number of
 * threads.
 *
 * One import, one thread: it starts and joins its own helpers. */

#include "traces/grid.h"

struct dcp_import_options {
    int64_t interval_ms; /* Of the grid; 0: 5 minutes. */
    int64_t start_ms;    /* INT64_MIN: not given.  The instant that relative
                          * times count from; for absolute times, where the
                          * grid begins. */
    const char *prefix;  /* Before each VM's name; NULL: none. */
    bool strict; /* Refuse what would be repaired: conflicting duplicates, rows
                  * out of order, a last line without its end. */
    uint32_t threads;                    /* 0: 1. */
    uint32_t deflate_level, sample_bits; /* See store_writer.h. */
    const char *vm_size_path; /* planetlab: CSV "vm,vcpus,mhz,memory". */
    double core_mhz;          /* MHz per vCPU where the source has none; 0:
                               * not given. */
    const char *map_path;     /* csv: the mapping. */
    /* Called from the caller's thread with the share of input read; may be
     * NULL. */
    void (*progress)(void *context, double done_frac);
    void *progress_context;
};

struct dcp_import_summary {
    uint32_t n_vms, n_times;
    int64_t start_ms, interval_ms;
    uint64_t rows, unique, duplicate_rows, conflicting_duplicates,
        zero_capacity_rows, above_capacity_rows, above_memory_rows,
        out_of_order;
    uint64_t unknown_vm_rows; /* Readings of VMs that no table lists. */
    uint64_t error_values;    /* Values that the source marks as errors. */
};

struct dcp_import;

/* 'kind': "bitbrains", "planetlab", ...; NULL with DCP_E_USAGE for others. */
struct dcp_import *
dcp_import_create(const char *kind, const struct dcp_import_options *,
                  struct dcp_error *err) DCP_CHECKED;
/* The positions of errors borrow from the import: print them before. */
void dcp_import_destroy(struct dcp_import *);
DCP_DEFINE_AUTO(dcp_import)

/* Reads all sources and writes the store 'out_path'; on failure there is no
 * such file that was not there before. */
bool dcp_import_run(struct dcp_import *, const char *const sources[],
                    uint32_t n_sources, const char *out_path,
                    struct dcp_import_summary *out,
                    struct dcp_error *err) DCP_CHECKED;

/* NULL-ended. */
extern const char *const dcp_import_kinds[];

#endif /* traces/import.h */
