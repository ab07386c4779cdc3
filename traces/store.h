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

struct dcp_store *dcp_store_open(const char *path,
                                 struct dcp_error *err) DCP_CHECKED;
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
bool dcp_store_read(struct dcp_store *, enum dcp_metric,
                    const uint32_t vms[], uint32_t n, uint32_t first,
                    uint32_t n_times, float *out,
                    struct dcp_error *err) DCP_CHECKED;

/* The cell that holds 'ms' (may be outside 0..n_times: below 0 gives -1). */
int64_t dcp_store_cell(const struct dcp_store *, int64_t ms);

#endif /* traces/store.h */
