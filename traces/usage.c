/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "traces/usage.h"

#include "model/capacity.h"
#include "model/demand.h"
#include "traces/columns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AT_LIMIT_FRAC 0.98

struct measure {
    struct dcp_store *store;
    const struct dcp_inventory *inv;
    const struct dcp_placement *start;
    uint32_t first_cell, n_cells;
    float *rows;   /* DCP_STRIPE_COLUMNS x n_cells. */
    float *values; /* n_cells: of the VM at hand. */
    struct dcp_vm_usage *out;
};

static void
choose_cells(struct measure *m, int64_t from_ms, int64_t until_ms)
{
    int64_t start_ms = dcp_store_start_ms(m->store);
    int64_t step_ms = dcp_store_interval_ms(m->store);
    int64_t most = dcp_store_n_times(m->store), first = 0, end = most;

    if (from_ms > start_ms) {
        first = (from_ms - start_ms + step_ms - 1) / step_ms;
    }
    if (until_ms < start_ms + most * step_ms) {
        end = until_ms > start_ms ? (until_ms - start_ms) / step_ms : 0;
    }
    m->first_cell = first < end ? (uint32_t)first : 0;
    m->n_cells = first < end ? (uint32_t)(end - first) : 0;
}

/* Present samples x factor, and how many are at the limit (0: none known). */
static uint32_t
collect(struct measure *m, const float *raw, double factor, double limit,
        double *out_peak, double *out_at_limit)
{
    uint32_t n = 0, n_at_limit = 0;

    *out_peak = 0;
    for (uint32_t c = 0; c < m->n_cells; c++) {
        float x = raw[c] * (float)factor;

        if (isnan(x)) {
            continue;
        }
        m->values[n++] = x;
        n_at_limit += limit > 0 && x >= (float)(AT_LIMIT_FRAC * limit);
        *out_peak = x > *out_peak ? (double)x : *out_peak;
    }
    *out_at_limit = n ? (double)n_at_limit / n : 0;
    return n;
}

static void
measure_cpu(struct measure *m, const struct dcp_column *pair, const float *raw)
{
    struct dcp_vm_usage *u = &m->out[pair->vm];
    dcp_vm_id vm = { pair->vm };
    dcp_host_id host = m->start->host[pair->vm];
    double factor =
        dcp_host_is_none(host) ? 1 : dcp_host_speed_factor(m->inv, host);
    uint32_t n = collect(m, raw, factor, dcp_vm_ceiling_mhz(m->inv, vm, host),
                         &u->cpu_peak_mhz, &u->cpu_at_limit_frac);

    u->cpu_history_ms = n * dcp_store_interval_ms(m->store);
    u->cpu_mhz = n ? (double)dcp_percentile(m->values, n,
                                            m->inv->rightsize.cpu_percentile)
                   : 0;
}

static void
measure_mem(struct measure *m, const struct dcp_column *pair, const float *raw)
{
    struct dcp_vm_usage *u = &m->out[pair->vm];
    uint32_t n = collect(m, raw, 1, (double)m->inv->vms[pair->vm].mem_mib,
                         &u->mem_peak_mib, &u->mem_at_limit_frac);

    u->mem_history_ms = n * dcp_store_interval_ms(m->store);
    u->mem_mib = n ? (double)dcp_percentile(m->values, n,
                                            m->inv->rightsize.mem_percentile)
                   : 0;
}

static bool
measure_metric(struct measure *m, const struct dcp_stripe *stripe,
               enum dcp_metric metric, struct dcp_error *err)
{
    uint32_t row = 0;

    if (!dcp_store_read(m->store, metric, stripe->column, stripe->n_columns,
                        m->first_cell, m->n_cells, m->rows, err)) {
        return false;
    }
    for (uint32_t i = 0; i < stripe->n_pairs; i++) {
        const struct dcp_column *pair = &stripe->pairs[i];

        while (stripe->column[row] != pair->column) {
            row++;
        }
        const float *raw = m->rows + (size_t)row * m->n_cells;

        if (metric == DCP_METRIC_CPU_MHZ) {
            measure_cpu(m, pair, raw);
        } else {
            measure_mem(m, pair, raw);
        }
    }
    return true;
}

static bool
measure_all(struct measure *m, struct dcp_error *err)
{
    bool cpu = dcp_store_has(m->store, DCP_METRIC_CPU_MHZ);
    bool mem = dcp_store_has(m->store, DCP_METRIC_MEM_MIB) &&
               strcmp(dcp_store_mem_basis(m->store), "allocated") != 0;
    struct dcp_columns columns;
    struct dcp_stripe stripe;
    uint32_t at = 0;
    bool ok = dcp_columns_map(m->store, m->inv, &columns, err);

    while (ok && dcp_columns_next(&columns, &at, &stripe)) {
        ok = (!cpu || measure_metric(m, &stripe, DCP_METRIC_CPU_MHZ, err)) &&
             (!mem || measure_metric(m, &stripe, DCP_METRIC_MEM_MIB, err));
    }
    dcp_columns_finish(&columns);
    return ok;
}

struct dcp_vm_usage *
dcp_usage_measure(struct dcp_store *store, const struct dcp_inventory *inv,
                  const struct dcp_placement *start, int64_t from_ms,
                  int64_t until_ms, struct dcp_error *err)
{
    struct measure m = { .store = store, .inv = inv, .start = start };
    DCP_FREE struct dcp_vm_usage *out = calloc(inv->n_vms + 1u, sizeof *out);

    choose_cells(&m, from_ms, until_ms);
    DCP_FREE float *rows =
        malloc(((size_t)DCP_STRIPE_COLUMNS * m.n_cells + 1) * sizeof *rows);
    DCP_FREE float *values = malloc((m.n_cells + 1u) * sizeof *values);

    if (!out || !rows || !values) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to measure %u VMs",
                       inv->n_vms);
        return NULL;
    }
    m.out = out;
    m.rows = rows;
    m.values = values;
    if (m.n_cells && !measure_all(&m, err)) {
        return NULL;
    }
    return DCP_STEAL(out);
}
