/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_FAKE_STORE_H
#define DCP_TESTS_FAKE_STORE_H 1

/* traces/store.h over plain arrays, so that fitting is tested on samples that
 * a test wrote itself.  Defines the store's whole interface: a program that
 * includes this links none of the real one. */

#include "traces/store.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct dcp_store {
    uint32_t n_vms, n_times;
    int64_t start_ms, interval_ms;
    const char *const *names;
    const double *cpu_capacity_mhz; /* NULL: not known. */
    const char *mem_basis;
    float *metric[DCP_METRICS]; /* [vm * n_times + t]; NULL: none. */
    uint32_t max_columns;       /* Widest read so far. */
};

const char *
dcp_metric_name(enum dcp_metric metric)
{
    (void)metric;
    return "fake";
}

struct dcp_store *
dcp_store_open(const char *path, struct dcp_error *err)
{
    (void)dcp_fail(err, DCP_E_UNSUPPORTED, "%s: a fake", path);
    return NULL;
}

void
dcp_store_destroy(struct dcp_store *store)
{
    for (uint32_t m = 0; store && m < DCP_METRICS; m++) {
        free(store->metric[m]);
    }
    free(store);
}

uint32_t
dcp_store_n_vms(const struct dcp_store *store)
{
    return store->n_vms;
}

uint32_t
dcp_store_n_times(const struct dcp_store *store)
{
    return store->n_times;
}

int64_t
dcp_store_start_ms(const struct dcp_store *store)
{
    return store->start_ms;
}

int64_t
dcp_store_interval_ms(const struct dcp_store *store)
{
    return store->interval_ms;
}

const char *
dcp_store_vm_name(const struct dcp_store *store, uint32_t vm)
{
    return store->names[vm];
}

uint32_t
dcp_store_vm_vcpus(const struct dcp_store *store, uint32_t vm)
{
    (void)store;
    (void)vm;
    return 0;
}

double
dcp_store_vm_cpu_capacity_mhz(const struct dcp_store *store, uint32_t vm)
{
    return store->cpu_capacity_mhz ? store->cpu_capacity_mhz[vm] : 0;
}

double
dcp_store_vm_mem_capacity_mib(const struct dcp_store *store, uint32_t vm)
{
    (void)store;
    (void)vm;
    return 0;
}

uint32_t
dcp_store_find(const struct dcp_store *store, const char *name)
{
    for (uint32_t i = 0; i < store->n_vms; i++) {
        if (!strcmp(store->names[i], name)) {
            return i;
        }
    }
    return UINT32_MAX;
}

bool
dcp_store_has(const struct dcp_store *store, enum dcp_metric metric)
{
    return store->metric[metric] != NULL;
}

const char *
dcp_store_mem_basis(const struct dcp_store *store)
{
    return store->mem_basis;
}

bool
dcp_store_digest(struct dcp_store *store, char out[72], struct dcp_error *err)
{
    (void)store;
    (void)err;
    strcpy(out, "sha256:fake");
    return true;
}

bool
dcp_store_read(struct dcp_store *store, enum dcp_metric metric,
               const uint32_t vms[], uint32_t n, uint32_t first,
               uint32_t n_times, float *out, struct dcp_error *err)
{
    (void)err;
    ck_assert_ptr_nonnull(store->metric[metric]);
    ck_assert_uint_le(first + n_times, store->n_times);
    store->max_columns = n > store->max_columns ? n : store->max_columns;
    for (uint32_t i = 0; i < n; i++) {
        ck_assert_uint_lt(vms[i], store->n_vms);
        memcpy(out + (size_t)i * n_times,
               store->metric[metric] + (size_t)vms[i] * store->n_times + first,
               n_times * sizeof *out);
    }
    return true;
}

int64_t
dcp_store_cell(const struct dcp_store *store, int64_t ms)
{
    return ms < store->start_ms ? -1
                                : (ms - store->start_ms) / store->interval_ms;
}

/* 'n_times' cells of five minutes for VMs "v0", "v1", ...; no metric yet. */
static inline struct dcp_store *
fake_store_create(uint32_t n_vms, uint32_t n_times, int64_t start_ms,
                  const char *const *names)
{
    struct dcp_store *store = calloc(1, sizeof *store);

    ck_assert_ptr_nonnull(store);
    store->n_vms = n_vms;
    store->n_times = n_times;
    store->start_ms = start_ms;
    store->interval_ms = 300000;
    store->names = names;
    store->mem_basis = "active";
    return store;
}

/* The metric's cells, all missing. */
static inline float *
fake_store_metric(struct dcp_store *store, enum dcp_metric metric)
{
    size_t n = (size_t)store->n_vms * store->n_times;

    store->metric[metric] = malloc((n + 1) * sizeof(float));
    ck_assert_ptr_nonnull(store->metric[metric]);
    for (size_t i = 0; i < n; i++) {
        store->metric[metric][i] = NAN;
    }
    return store->metric[metric];
}

#endif /* tests/unit/fake_store.h */
