/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Reading what store_open.c has checked. */

#include "traces/store_private.h"

#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BAND_CELLS = 1 << 20 }; /* Samples read at once. */

static bool
no_memory(const struct dcp_store *s, struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_NOMEM, "no memory to read '%s'", s->path);
}

/* --- Facts -------------------------------------------------------------- */

uint32_t
dcp_store_n_vms(const struct dcp_store *s)
{
    return s->n_vms;
}

uint32_t
dcp_store_n_times(const struct dcp_store *s)
{
    return s->n_times;
}

int64_t
dcp_store_start_ms(const struct dcp_store *s)
{
    return s->start_ms;
}

int64_t
dcp_store_interval_ms(const struct dcp_store *s)
{
    return s->interval_ms;
}

const char *
dcp_store_vm_name(const struct dcp_store *s, uint32_t vm)
{
    return s->name[vm];
}

uint32_t
dcp_store_vm_vcpus(const struct dcp_store *s, uint32_t vm)
{
    return s->vcpus[vm];
}

double
dcp_store_vm_cpu_capacity_mhz(const struct dcp_store *s, uint32_t vm)
{
    return s->cpu_capacity_mhz[vm];
}

double
dcp_store_vm_mem_capacity_mib(const struct dcp_store *s, uint32_t vm)
{
    return s->mem_capacity_mib[vm];
}

uint32_t
dcp_store_find(const struct dcp_store *s, const char *name)
{
    return dcp_strmap_find(&s->index, name);
}

bool
dcp_store_has(const struct dcp_store *s, enum dcp_metric m)
{
    return s->metric[m].data >= 0;
}

const char *
dcp_store_mem_basis(const struct dcp_store *s)
{
    return s->mem_basis;
}

const struct dcp_vm_stats *
dcp_store_stats(const struct dcp_store *s)
{
    return s->stats;
}

uint32_t
dcp_store_n_sources(const struct dcp_store *s)
{
    return s->n_sources;
}

const struct dcp_store_source *
dcp_store_source(const struct dcp_store *s, uint32_t i)
{
    return &s->sources[i];
}

int64_t
dcp_store_cell(const struct dcp_store *s, int64_t ms)
{
    return ms < s->start_ms ? -1 : (ms - s->start_ms) / s->interval_ms;
}

/* --- Samples ------------------------------------------------------------ */

struct wanted {
    uint32_t vm, place; /* 'place': index in the caller's list. */
};

static int
compare_wanted(const void *a, const void *b)
{
    const struct wanted *x = a, *y = b;

    if (x->vm != y->vm) {
        return x->vm < y->vm ? -1 : 1;
    }
    return (x->place > y->place) - (x->place < y->place);
}

static bool
read_rectangle(const struct dcp_store *s, enum dcp_metric m, uint32_t first,
               uint32_t n_times, uint32_t first_vm, uint32_t n_vms,
               uint16_t out[], struct dcp_error *err)
{
    hsize_t from[2] = { first, first_vm }, size[2] = { n_times, n_vms };
    DCP_HID memory = H5Screate_simple(2, size, NULL);
    DCP_HID space = H5Dget_space(s->metric[m].data);

    if (memory < 0 || space < 0 ||
        H5Sselect_hyperslab(space, H5S_SELECT_SET, from, NULL, size, NULL) <
            0 ||
        H5Dread(s->metric[m].data, H5T_NATIVE_UINT16, memory, space,
                H5P_DEFAULT, out) < 0) {
        return dcp_h5_fail(err, DCP_E_PARSE,
                           "'%s': samples of %s cannot be read", s->path,
                           dcp_metric_name(m));
    }
    return true;
}

/* The VMs 'w' (n of them, ascending, all in one block of columns). */
static bool
read_block(const struct dcp_store *s, enum dcp_metric m,
           const struct wanted w[], uint32_t n, uint32_t first,
           uint32_t n_times, uint16_t cells[], float *out,
           struct dcp_error *err)
{
    const struct dcp_store_metric *metric = &s->metric[m];
    uint32_t width = w[n - 1].vm - w[0].vm + 1;
    uint32_t band = BAND_CELLS / width;

    for (uint32_t t0 = 0; t0 < n_times;) {
        uint32_t to = (first + t0 + band) / DCP_CHUNK_TIMES * DCP_CHUNK_TIMES;
        uint32_t k = to > first + t0 ? to - first - t0 : band;

        k = k < n_times - t0 ? k : n_times - t0;
        if (!read_rectangle(s, m, first + t0, k, w[0].vm, width, cells, err)) {
            return false;
        }
        for (uint32_t i = 0; i < n; i++) {
            const uint16_t *cell = cells + (w[i].vm - w[0].vm);
            float *row = out + (size_t)w[i].place * n_times + t0;
            double scale = metric->scale[w[i].vm];

            for (uint32_t t = 0; t < k; t++) {
                uint16_t c = cell[(size_t)t * width];

                row[t] = c == metric->missing ? NAN : (float)(c * scale);
            }
        }
        t0 += k;
    }
    return true;
}

bool
dcp_store_read(struct dcp_store *s, enum dcp_metric m, const uint32_t vms[],
               uint32_t n, uint32_t first, uint32_t n_times, float *out,
               struct dcp_error *err)
{
    if (!dcp_store_has(s, m) || first > s->n_times ||
        n_times > s->n_times - first) {
        return dcp_fail(err, DCP_E_ARGUMENT, "no such samples in '%s'",
                        s->path);
    }
    DCP_FREE struct wanted *w = calloc((size_t)n + 1, sizeof *w);
    DCP_FREE uint16_t *cells = calloc(BAND_CELLS, sizeof *cells);

    if (!w || !cells) {
        return no_memory(s, err);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (vms[i] >= s->n_vms) {
            return dcp_fail(err, DCP_E_ARGUMENT, "no VM %u in '%s'", vms[i],
                            s->path);
        }
        w[i] = (struct wanted){ vms[i], i };
    }
    qsort(w, n, sizeof *w, compare_wanted);
    for (uint32_t i = 0, j; i < n; i = j) {
        uint32_t block = w[i].vm / DCP_CHUNK_VMS;

        for (j = i + 1; j < n && w[j].vm / DCP_CHUNK_VMS == block; j++) {
        }
        if (!read_block(s, m, w + i, j - i, first, n_times, cells, out, err)) {
            return false;
        }
    }
    return true;
}

/* --- Digest ------------------------------------------------------------- */

static void
add_u64(struct dcp_sha256 *h, uint64_t value)
{
    uint8_t bytes[8];

    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
    dcp_sha256_add(h, bytes, sizeof bytes);
}

static void
add_double(struct dcp_sha256 *h, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    add_u64(h, bits);
}

static bool
add_metric(struct dcp_store *s, enum dcp_metric m, struct dcp_sha256 *h,
           uint16_t cells[], struct dcp_error *err)
{
    dcp_sha256_add(h, dcp_metric_name(m), strlen(dcp_metric_name(m)) + 1);
    add_u64(h, s->metric[m].missing);
    for (uint32_t v = 0; v < s->n_vms; v++) {
        add_double(h, s->metric[m].scale[v]);
    }
    for (uint32_t v = 0; v < s->n_vms; v += DCP_CHUNK_VMS) {
        uint32_t width =
            s->n_vms - v < DCP_CHUNK_VMS ? s->n_vms - v : DCP_CHUNK_VMS;

        for (uint32_t t = 0; t < s->n_times; t += DCP_CHUNK_TIMES) {
            uint32_t k = s->n_times - t < DCP_CHUNK_TIMES ? s->n_times - t
                                                          : DCP_CHUNK_TIMES;
            size_t n = (size_t)k * width;

            if (!read_rectangle(s, m, t, k, v, width, cells, err)) {
                return false;
            }
            for (size_t i = 0; i < n; i++) {
                cells[i] = htole16(cells[i]);
            }
            dcp_sha256_add(h, cells, n * sizeof *cells);
        }
    }
    return true;
}

bool
dcp_store_digest(struct dcp_store *s, char out[72], struct dcp_error *err)
{
    if (!s->digest[0]) {
        struct dcp_sha256 h;
        DCP_FREE uint16_t *cells =
            calloc((size_t)DCP_CHUNK_TIMES * DCP_CHUNK_VMS, sizeof *cells);

        if (!cells) {
            return no_memory(s, err);
        }
        dcp_sha256_init(&h);
        dcp_sha256_add(&h, DCP_STORE_SCHEMA, sizeof DCP_STORE_SCHEMA);
        add_u64(&h, (uint64_t)s->start_ms);
        add_u64(&h, (uint64_t)s->interval_ms);
        add_u64(&h, s->n_times);
        add_u64(&h, s->n_vms);
        for (uint32_t i = 0; i < s->n_vms; i++) {
            dcp_sha256_add(&h, s->name[i], strlen(s->name[i]) + 1);
            add_u64(&h, s->vcpus[i]);
            add_double(&h, s->cpu_capacity_mhz[i]);
            add_double(&h, s->mem_capacity_mib[i]);
        }
        dcp_sha256_add(&h, s->mem_basis, strlen(s->mem_basis) + 1);
        for (int m = 0; m < DCP_METRICS; m++) {
            if (s->metric[m].data >= 0 &&
                !add_metric(s, (enum dcp_metric)m, &h, cells, err)) {
                return false;
            }
        }
        dcp_sha256_end_text(&h, s->digest);
    }
    memcpy(out, s->digest, sizeof s->digest);
    return true;
}
