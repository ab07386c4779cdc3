/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/arena.h"
#include "model/capacity.h"
#include "traces/columns.h"
#include "traces/fit.h"

#include <math.h>
#include <stdlib.h>

/* Cells whose start is in [from_ms, to_ms), within the store. */
static void
cells_between(const struct dcp_store *store, int64_t from_ms, int64_t to_ms,
              uint32_t *out_first, uint32_t *out_n)
{
    int64_t start_ms = dcp_store_start_ms(store);
    int64_t step_ms = dcp_store_interval_ms(store);
    int64_t n_times = dcp_store_n_times(store);
    int64_t first = 0, end = n_times;

    if (from_ms > start_ms) {
        int64_t late_ms = from_ms - start_ms;

        first = late_ms / step_ms + (late_ms % step_ms != 0);
    }
    if (to_ms <= start_ms) {
        end = 0;
    } else if ((to_ms - start_ms - 1) / step_ms + 1 < n_times) {
        end = (to_ms - start_ms - 1) / step_ms + 1;
    }
    *out_first = first < end ? (uint32_t)first : 0;
    *out_n = first < end ? (uint32_t)(end - first) : 0;
}

/* Copies a stripe's rows of time into the columns of its VMs; what is there
 * already and larger stays.  NaN is less than any. */
static void
scatter(const struct dcp_stripe *stripe, const float *rows,
        const float *factor_of_vm, struct dcp_samples *out)
{
    for (uint32_t t = 0; t < out->n_times; t++) {
        float *line = out->value + (size_t)t * out->n_vms;
        uint32_t row = 0;

        for (uint32_t i = 0; i < stripe->n_pairs; i++) {
            uint32_t vm = stripe->pairs[i].vm;

            while (stripe->column[row] != stripe->pairs[i].column) {
                row++;
            }
            float x = rows[(size_t)row * out->n_times + t] * factor_of_vm[vm];

            line[vm] = x > line[vm] || isnan(line[vm]) ? x : line[vm];
        }
    }
}

static bool
load_stripes(struct dcp_store *store, enum dcp_metric metric,
             const struct dcp_columns *columns, uint32_t first,
             const float *factor_of_vm, struct dcp_samples *out,
             struct dcp_error *err)
{
    struct dcp_stripe stripe;
    uint32_t at = 0;
    float *rows =
        calloc((size_t)out->n_times * DCP_STRIPE_COLUMNS, sizeof *rows);

    if (!rows) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u samples a VM",
                        out->n_times);
    }
    while (dcp_columns_next(columns, &at, &stripe)) {
        if (!dcp_store_read(store, metric, stripe.column, stripe.n_columns,
                            first, out->n_times, rows, err)) {
            free(rows);
            return false;
        }
        scatter(&stripe, rows, factor_of_vm, out);
    }
    free(rows);
    return true;
}

static float *
factors(const struct dcp_inventory *inv, const struct dcp_placement *start,
        enum dcp_metric metric)
{
    float *factor = calloc((size_t)inv->n_vms + 1, sizeof *factor);

    for (uint32_t vm = 0; factor && vm < inv->n_vms; vm++) {
        dcp_host_id host = start->host[vm];

        factor[vm] = metric == DCP_METRIC_CPU_MHZ && !dcp_host_is_none(host)
                         ? (float)dcp_host_speed_factor(inv, host)
                         : 1;
    }
    return factor;
}

bool
dcp_samples_load(struct dcp_store *store, enum dcp_metric metric,
                 const struct dcp_inventory *inv,
                 const struct dcp_placement *start, int64_t from_ms,
                 int64_t to_ms, struct dcp_samples *out, struct dcp_error *err)
{
    struct dcp_samples s = { .interval_ms = dcp_store_interval_ms(store),
                             .n_vms = inv->n_vms };
    uint32_t first;

    cells_between(store, from_ms, to_ms, &first, &s.n_times);
    s.start_ms = dcp_store_start_ms(store) + first * s.interval_ms;

    uint64_t n = (uint64_t)s.n_times * s.n_vms;

    if (n <= SIZE_MAX / sizeof *s.value - 1) {
        s.value = malloc((size_t)(n + 1) * sizeof *s.value);
    }
    if (!s.value) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u samples of %u VMs",
                        s.n_times, s.n_vms);
    }
    for (uint64_t i = 0; i < n; i++) {
        s.value[i] = NAN;
    }
    if (!dcp_samples_raise(store, metric, inv, start, &s, err)) {
        free(s.value);
        return false;
    }
    *out = s;
    return true;
}

bool
dcp_samples_raise(struct dcp_store *store, enum dcp_metric metric,
                  const struct dcp_inventory *inv,
                  const struct dcp_placement *start, struct dcp_samples *s,
                  struct dcp_error *err)
{
    struct dcp_columns columns = { 0 };
    uint32_t first = (uint32_t)dcp_store_cell(store, s->start_ms);

    if (!s->n_times || !s->n_vms || !dcp_store_has(store, metric)) {
        return true;
    }
    DCP_FREE float *factor = factors(inv, start, metric);

    if (!factor) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u VMs", s->n_vms);
    }
    bool ok = dcp_columns_map(store, inv, &columns, err) &&
              load_stripes(store, metric, &columns, first, factor, s, err);

    dcp_columns_finish(&columns);
    return ok;
}

void
dcp_samples_finish(struct dcp_samples *samples)
{
    free(samples->value);
    *samples = (struct dcp_samples){ 0 };
}

/* --- Before the window -------------------------------------------------- */

static bool
has_sample(const struct dcp_samples *s, uint32_t vm)
{
    bool has = false;

    for (uint32_t t = 0; !has && t < s->n_times; t++) {
        has = !isnan(s->value[(size_t)t * s->n_vms + vm]);
    }
    return has;
}

/* The VM's last known value of 'past'; NaN: none. */
static float
last_known(const struct dcp_samples *past, uint32_t vm)
{
    float value = NAN;

    for (uint32_t t = past->n_times; isnan(value) && t-- > 0;) {
        value = past->value[(size_t)t * past->n_vms + vm];
    }
    return value;
}

bool
dcp_samples_look_back(struct dcp_store *store, const struct dcp_inventory *inv,
                      const struct dcp_placement *start, struct dcp_samples *s,
                      struct dcp_error *err)
{
    int64_t until_ms = s->start_ms;
    uint32_t n = 0;
    DCP_FREE uint32_t *sought = calloc(s->n_vms + 1u, sizeof *sought);

    if (!sought) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for samples");
    }
    for (uint32_t v = 0; s->n_times && v < s->n_vms; v++) {
        if (!has_sample(s, v)) {
            sought[n++] = v;
        }
    }
    while (n && until_ms > dcp_store_start_ms(store)) {
        struct dcp_samples past = { 0 };
        uint32_t n_left = 0;

        if (!dcp_samples_load(store, DCP_METRIC_CPU_MHZ, inv, start,
                              until_ms - DCP_DAY_MS, until_ms, &past, err)) {
            return false;
        }
        for (uint32_t i = 0; i < n; i++) {
            s->value[sought[i]] = last_known(&past, sought[i]);
            if (isnan(s->value[sought[i]])) {
                sought[n_left++] = sought[i];
            }
        }
        n = n_left;
        until_ms -= DCP_DAY_MS;
        dcp_samples_finish(&past);
    }
    return true;
}
