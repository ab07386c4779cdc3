/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_STORE_H
#define DCP_TRACES_STORE_H 1

/* The usage store, HDF5, schema "dcplan/usage/1" (docs/traces.md): samples on
 * one regular grid, [time][vm] 16-bit with a scale per VM, chunked.
 *
 * The reader trusts nothing: every dimension, type and range is checked
 * before use.  Not thread-safe: one store, one thread. */

#include "model/base/arena.h"
#include "model/base/error.h"

#include <stddef.h>
#include <stdint.h>

enum dcp_metric {
    DCP_METRIC_CPU_MHZ,
    DCP_METRIC_MEM_MIB, /* Basis: see dcp_store_mem_basis(). */
    DCP_METRIC_NET_RX_KIB_S,
    DCP_METRIC_NET_TX_KIB_S,
    DCP_METRIC_DISK_READ_KIB_S,
    DCP_METRIC_DISK_WRITE_KIB_S,
    DCP_METRIC_READY_FRAC,
};
#define DCP_METRICS (DCP_METRIC_READY_FRAC + 1)
const char *dcp_metric_name(enum dcp_metric); /* "cpu_mhz" ... */

struct dcp_store;

struct dcp_store *
dcp_store_open(const char *path, struct dcp_error *err) DCP_CHECKED;
void dcp_store_destroy(struct dcp_store *);
DCP_DEFINE_AUTO(dcp_store)

uint32_t dcp_store_n_vms(const struct dcp_store *);
uint32_t dcp_store_n_times(const struct dcp_store *);
int64_t dcp_store_start_ms(const struct dcp_store *);
int64_t dcp_store_interval_ms(const struct dcp_store *);
const char *dcp_store_vm_name(const struct dcp_store *, uint32_t vm);
uint32_t dcp_store_vm_vcpus(const struct dcp_store *, uint32_t vm);
/* The last capacity that is not 0; 0: not known (float: MHz wobble). */
double dcp_store_vm_cpu_capacity_mhz(const struct dcp_store *, uint32_t vm);
double dcp_store_vm_mem_capacity_mib(const struct dcp_store *, uint32_t vm);
/* UINT32_MAX: no VM of that name. */
uint32_t dcp_store_find(const struct dcp_store *, const char *name);
bool dcp_store_has(const struct dcp_store *, enum dcp_metric);
const char *dcp_store_mem_basis(const struct dcp_store *); /* "active" ... */
/* SHA-256 of the store's content as "sha256:..."; reads it once, keeps it. */
bool dcp_store_digest(struct dcp_store *, char out[72],
                      struct dcp_error *err) DCP_CHECKED;

/* Samples of the VMs 'vms' (n of them) at the grid cells
 * [first, first + n_times), as out[i * n_times + t]; NaN: missing. */
bool dcp_store_read(struct dcp_store *, enum dcp_metric, const uint32_t vms[],
                    uint32_t n, uint32_t first, uint32_t n_times, float *out,
                    struct dcp_error *err) DCP_CHECKED;

/* The cell that holds 'ms' (may be outside 0..n_times: below 0 gives -1). */
int64_t dcp_store_cell(const struct dcp_store *, int64_t ms);

/* What an import found in the source rows of one VM, before the grid.  Counts
 * and figures are over the kept rows (first of each timestamp) unless said
 * otherwise; figures are NaN where the source has none. */
struct dcp_vm_stats {
    uint64_t rows;                   /* All rows read. */
    uint64_t unique;                 /* Kept: distinct timestamps. */
    uint64_t duplicate_rows;         /* rows - unique. */
    uint64_t conflicting_duplicates; /* Those that differ from the kept row. */
    uint64_t zero_capacity_rows;     /* VM absent: missing on the grid. */
    uint64_t above_capacity_rows;    /* CPU use above capacity: kept. */
    uint64_t above_memory_rows;      /* Memory use above provisioned: kept. */
    uint64_t out_of_order;           /* Older than the row before it in its
                                      * file: sorted. */
    uint64_t gaps;                   /* Steps over 1.5 nominal steps. */
    int64_t max_gap_ms;              /* The longest of these; 0: none. */
    int64_t first_ms, last_ms;       /* Instants of the first and last row. */
    double mean_cpu_mhz, p95_cpu_mhz, max_cpu_mhz;    /* p95: nearest rank. */
    double mean_cpu_frac, p95_cpu_frac, max_cpu_frac; /* Of the capacity. */
    double mean_mem_mib, max_mem_mib;
};

/* One per VM; NULL: the store was not imported from rows. */
const struct dcp_vm_stats *dcp_store_stats(const struct dcp_store *);

/* Where the samples came from. */
struct dcp_store_source {
    const char *kind;     /* "bitbrains", "synth", ... */
    const char *path;     /* As it was given; "" for none. */
    const char *sha256;   /* 64 hex digits of the source's text; "" for none. */
    const char *importer; /* Name and version of the program. */
};
uint32_t dcp_store_n_sources(const struct dcp_store *);
const struct dcp_store_source *
dcp_store_source(const struct dcp_store *, uint32_t i);

/* Limits of the format, for readers and writers. */
#define DCP_STORE_VMS_MAX     UINT32_C(4000000)
#define DCP_STORE_TIMES_MAX   UINT32_C(4000000)
#define DCP_STORE_NAME_MAX    255 /* Bytes of a VM's name. */
#define DCP_STORE_SOURCES_MAX 10000
/* What wrote a store, for struct dcp_store_source. */
#define DCP_IMPORTER "dcplan 0.1.0"

#endif /* traces/store.h */
