/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_STORE_PRIVATE_H
#define DCP_TRACES_STORE_PRIVATE_H 1

/* The open store, shared by store_open.c (which checks it) and store.c (which
 * reads it). */

#include "model/base/sha256.h"
#include "model/base/strmap.h"
#include "traces/h5.h"

struct dcp_store_metric {
    hid_t data; /* Negative: not in the store. */
    double *scale;
    uint16_t missing;
};

struct dcp_store {
    const char *path;
    struct dcp_arena *arena;
    hid_t file;
    uint32_t n_vms, n_times;
    int64_t start_ms, interval_ms;
    const char **name;
    uint32_t *vcpus;
    double *cpu_capacity_mhz, *mem_capacity_mib;
    struct dcp_strmap index;
    struct dcp_store_metric metric[DCP_METRICS];
    char mem_basis[32];
    struct dcp_vm_stats *stats;
    struct dcp_store_source *sources;
    uint32_t n_sources;
    char digest[DCP_DIGEST_TEXT_SIZE];
};

#endif /* traces/store_private.h */
