/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_STORE_WRITER_H
#define DCP_TRACES_STORE_WRITER_H 1

/* Makes a usage store (traces/store.h).
 *
 * The file has no name until dcp_store_writer_commit() puts the whole of it,
 * synced, in place of what stood there: a process killed before leaves
 * nothing behind (on file systems without unnamed files, a "NAME.tmp-PID").
 * Its disk space is reserved at the start, so a full disk is told early.
 * Equal calls give equal bytes.
 *
 * Not thread-safe, and HDF5 is not: one thread at a time. */

#include "traces/store.h"

struct dcp_store_vm {
    const char *name; /* Unique; at most DCP_STORE_NAME_MAX bytes. */
    uint32_t vcpus;   /* 0: not known. */
    double cpu_capacity_mhz, mem_capacity_mib; /* 0: not known. */
};

struct dcp_store_writer_options {
    int64_t start_ms, interval_ms;
    uint32_t n_times, n_vms;
    const struct dcp_store_vm *vms; /* Copied. */
    bool has[DCP_METRICS];
    bool cpu_whole_percent; /* CPU samples are whole percents of the VM's
                             * capacity: one byte each, exact. */
    uint32_t sample_bits;   /* 8: all other metrics, too, take one byte a
                             * sample, in steps of the VM's maximum / 254; 0
                             * and 16: two. */
    const char *mem_basis;  /* "active", "consumed", "allocated". */
    uint32_t deflate_level; /* 0: uncompressed; to 9. */
};

struct dcp_store_writer;

/* Samples that are best put at once at most, to bound memory. */
#define DCP_STORE_BLOCK_CELLS (UINT32_C(64) << 20)

/* Sizes and names are checked (DCP_E_ARGUMENT, DCP_E_PARSE). */
struct dcp_store_writer *
dcp_store_writer_create(const char *path,
                        const struct dcp_store_writer_options *,
                        struct dcp_error *err) DCP_CHECKED;
/* Before commit: drops what was written. */
void dcp_store_writer_destroy(struct dcp_store_writer *);
DCP_DEFINE_AUTO(dcp_store_writer)

/* All samples of the VMs [first, first + n), value[i * n_times + t], NaN
 * missing.  Each VM is stored in steps of its maximum / 65534 (or 254, see
 * sample_bits), or of 1 where all its values are whole and below.  Whole blocks of 256 VMs are the fastest. */
bool dcp_store_writer_put(struct dcp_store_writer *, enum dcp_metric,
                          uint32_t first, uint32_t n, const float value[],
                          struct dcp_error *err) DCP_CHECKED;
/* One per VM. */
bool dcp_store_writer_put_stats(struct dcp_store_writer *,
                                const struct dcp_vm_stats[],
                                struct dcp_error *err) DCP_CHECKED;
bool dcp_store_writer_add_source(struct dcp_store_writer *,
                                 const struct dcp_store_source *,
                                 struct dcp_error *err) DCP_CHECKED;
/* Every VM of every metric was put: sync and name the file. */
bool dcp_store_writer_commit(struct dcp_store_writer *,
                             struct dcp_error *err) DCP_CHECKED;

#endif /* traces/store_writer.h */
