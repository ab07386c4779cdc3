/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "traces/grid.h"

#include "model/base/units.h"

#include <gsl/gsl_sort_float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void
dcp_rows_finish(struct dcp_rows *r)
{
    free(r->time_ms);
    free(r->value);
    free(r->cpu_frac);
    free(r->flags);
    *r = (struct dcp_rows){ .n_columns = r->n_columns };
}

static bool
grow(void **array, size_t n, size_t size)
{
    void *grown =
        size && n > SIZE_MAX / size ? NULL : realloc(*array, n * size);

    if (grown) {
        *array = grown;
    }
    return grown != NULL;
}

static bool
reserve(struct dcp_rows *r)
{
    size_t n = r->capacity ? r->capacity + r->capacity / 2 : 256;
    size_t width = (size_t)r->n_columns * sizeof *r->value;

    if (!grow((void **)&r->time_ms, n, sizeof *r->time_ms) ||
        !grow((void **)&r->value, n, width) ||
        !grow((void **)&r->cpu_frac, n, sizeof *r->cpu_frac) ||
        !grow((void **)&r->flags, n, sizeof *r->flags)) {
        return false;
    }
    r->capacity = n;
    return true;
}

bool
dcp_rows_add(struct dcp_rows *r, int64_t time_ms, const float value[],
             float cpu_frac, uint32_t flags)
{
    if (r->n == r->capacity && !reserve(r)) {
        return false;
    }
    r->time_ms[r->n] = time_ms;
    memcpy(r->value + r->n * r->n_columns, value, r->n_columns * sizeof *value);
    r->cpu_frac[r->n] = cpu_frac;
    r->flags[r->n] = (uint8_t)flags;
    r->n++;
    return true;
}

struct key {
    int64_t time_ms;
    size_t row;
};

static int
compare_keys(const void *a, const void *b)
{
    const struct key *x = a, *y = b;

    if (x->time_ms != y->time_ms) {
        return x->time_ms < y->time_ms ? -1 : 1;
    }
    return (x->row > y->row) - (x->row < y->row);
}

/* Rearranges all columns by time; ties keep the order of reading. */
static bool
sort_rows(struct dcp_rows *r)
{
    bool sorted = true;

    for (size_t i = 1; i < r->n && sorted; i++) {
        sorted = r->time_ms[i] >= r->time_ms[i - 1];
    }
    if (sorted) {
        return true;
    }
    struct dcp_rows to = { .n_columns = r->n_columns,
                           .n_out_of_order = r->n_out_of_order };
    struct key *keys =
        r->n > SIZE_MAX / sizeof *keys ? NULL : malloc(r->n * sizeof *keys);
    bool ok = keys != NULL;

    for (size_t i = 0; ok && i < r->n; i++) {
        keys[i] = (struct key){ r->time_ms[i], i };
    }
    if (ok) {
        qsort(keys, r->n, sizeof *keys, compare_keys);
    }
    for (size_t i = 0; ok && i < r->n; i++) {
        size_t j = keys[i].row;

        ok = dcp_rows_add(&to, r->time_ms[j], r->value + j * r->n_columns,
                          r->cpu_frac[j], r->flags[j]);
    }
    free(keys);
    if (!ok) {
        dcp_rows_finish(&to);
        return false;
    }
    dcp_rows_finish(r);
    *r = to;
    return true;
}

static bool
same_row(const struct dcp_rows *r, size_t a, size_t b)
{
    size_t width = r->n_columns * sizeof *r->value;

    return r->flags[a] == r->flags[b] &&
           !memcmp(r->value + a * r->n_columns, r->value + b * r->n_columns,
                   width) &&
           !memcmp(&r->cpu_frac[a], &r->cpu_frac[b], sizeof *r->cpu_frac);
}

static void
drop_repeated(struct dcp_rows *r, struct dcp_vm_stats *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < r->n; i++) {
        if (kept && r->time_ms[i] == r->time_ms[kept - 1]) {
            s->duplicate_rows++;
            s->conflicting_duplicates += !same_row(r, i, kept - 1);
            continue;
        }
        if (kept != i) {
            r->time_ms[kept] = r->time_ms[i];
            memcpy(r->value + kept * r->n_columns, r->value + i * r->n_columns,
                   r->n_columns * sizeof *r->value);
            r->cpu_frac[kept] = r->cpu_frac[i];
            r->flags[kept] = r->flags[i];
        }
        kept++;
    }
    r->n = kept;
}

struct summary {
    double mean, p95, max;
};

/* Of one column's values that are numbers; nearest-rank p95.  'first' is the
 * column of the first of n >= 1 rows; 'sorted' is scratch. */
static struct summary
summarise(const float first[], size_t n, size_t stride, float sorted[])
{
    size_t m = 0;
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        float v = first[i * stride];

        if (!isnan(v)) {
            sum += (double)v;
            sorted[m++] = v;
        }
    }
    if (!m) {
        return (struct summary){ NAN, NAN, NAN };
    }
    gsl_sort_float(sorted, 1, m);
    return (struct summary){ sum / (double)m,
                             (double)sorted[(95 * m + 99) / 100 - 1],
                             (double)sorted[m - 1] };
}

static void
count_gaps(const struct dcp_rows *r, int64_t step_ms, struct dcp_vm_stats *s)
{
    for (size_t i = 1; i < r->n; i++) {
        int64_t gap = r->time_ms[i] - r->time_ms[i - 1];

        if (gap > step_ms + step_ms / 2) {
            s->gaps++;
            s->max_gap_ms = gap > s->max_gap_ms ? gap : s->max_gap_ms;
        }
    }
}

bool
dcp_rows_settle(struct dcp_rows *r, int64_t step_ms, uint32_t cpu_column,
                uint32_t mem_column, struct dcp_vm_stats *out)
{
    struct dcp_vm_stats s = { .rows = r->n, .out_of_order = r->n_out_of_order };

    if (!sort_rows(r)) {
        return false;
    }
    drop_repeated(r, &s);
    float *scratch = malloc((r->n + 1) * sizeof *scratch);

    if (!scratch) {
        return false;
    }
    s.unique = r->n;
    s.first_ms = r->n ? r->time_ms[0] : 0;
    s.last_ms = r->n ? r->time_ms[r->n - 1] : 0;
    count_gaps(r, step_ms, &s);
    for (size_t i = 0; i < r->n; i++) {
        s.zero_capacity_rows += (r->flags[i] & DCP_ROW_ABSENT) != 0;
        s.above_capacity_rows += (r->flags[i] & DCP_ROW_ABOVE_CPU) != 0;
        s.above_memory_rows += (r->flags[i] & DCP_ROW_ABOVE_MEMORY) != 0;
    }
    struct summary none = { NAN, NAN, NAN };
    struct summary cpu = none, mem = none;
    struct summary share = none;

    if (r->n) {
        share = summarise(r->cpu_frac, r->n, 1, scratch);
    }
    if (r->n && cpu_column != UINT32_MAX) {
        cpu = summarise(r->value + cpu_column, r->n, r->n_columns, scratch);
    }
    if (r->n && mem_column != UINT32_MAX) {
        mem = summarise(r->value + mem_column, r->n, r->n_columns, scratch);
    }
    free(scratch);
    s.mean_cpu_mhz = cpu.mean;
    s.p95_cpu_mhz = cpu.p95;
    s.max_cpu_mhz = cpu.max;
    s.mean_cpu_frac = share.mean;
    s.p95_cpu_frac = share.p95;
    s.max_cpu_frac = share.max;
    s.mean_mem_mib = mem.mean;
    s.max_mem_mib = mem.max;
    r->settled = true;
    *out = s;
    return true;
}

/* Adds 'value' to the cells that [from, to) touches, 'to' and 'from' in ms
 * since cell 0 and inside the grid. */
static void
add_span(const struct dcp_grid *g, int64_t from, int64_t to, double value,
         double weight[], float out[])
{
    for (int64_t cell = from / g->interval_ms; from < to; cell++) {
        int64_t stop = (cell + 1) * g->interval_ms;
        int64_t until = to < stop ? to : stop;
        double w = (double)(until - from) / (double)g->interval_ms;
        double sum = (double)out[cell] + w * value;

        out[cell] = (float)sum;
        weight[cell] += w;
        from = until;
    }
}

void
dcp_grid_fill(const struct dcp_grid *g, const struct dcp_rows *r,
              uint32_t column, double weight[], float out[])
{
    int64_t end = (int64_t)g->n_times * g->interval_ms;
    int64_t hold = g->step_ms + g->step_ms / 2;

    memset(weight, 0, g->n_times * sizeof *weight);
    memset(out, 0, g->n_times * sizeof *out);
    for (size_t i = 0; i < r->n; i++) {
        float value = r->value[i * r->n_columns + column];

        if (isnan(value) || (r->flags[i] & DCP_ROW_ABSENT)) {
            continue;
        }
        int64_t from = r->time_ms[i] - g->start_ms, to = from + hold;

        if (i + 1 < r->n && r->time_ms[i + 1] - g->start_ms < to) {
            to = r->time_ms[i + 1] - g->start_ms;
        }
        from = from < 0 ? 0 : from;
        to = to > end ? end : to;
        if (from < to) {
            add_span(g, from, to, (double)value, weight, out);
        }
    }
    for (uint32_t t = 0; t < g->n_times; t++) {
        /* Weights are sums of fractions: allow for their rounding. */
        out[t] =
            weight[t] < 0.5 - 1e-9 ? NAN : (float)((double)out[t] / weight[t]);
    }
}

bool
dcp_grid_span(int64_t first_ms, int64_t last_ms, int64_t start_ms,
              int64_t interval_ms, int64_t step_ms, struct dcp_grid *out,
              struct dcp_error *err)
{
    char a[32], b[32];
    int64_t start = start_ms;

    if (start == INT64_MIN) {
        start = first_ms / interval_ms * interval_ms;
        start -= start > first_ms ? interval_ms : 0;
    }
    dcp_print_instant(start, a);
    dcp_print_instant(last_ms, b);
    if (last_ms < start) {
        return dcp_fail(err, DCP_E_USAGE,
                        "the last reading is of %s, before the start %s: "
                        "nothing to keep",
                        b, a);
    }
    int64_t length = last_ms - start + step_ms;
    int64_t n = length / interval_ms + (length % interval_ms != 0);

    if (n > DCP_GRID_TIMES_MAX) {
        return dcp_fail(err, DCP_E_PARSE,
                        "readings from %s to %s make %lld cells, over the "
                        "limit of %u: is a timestamp wrong?",
                        a, b, (long long)n, DCP_GRID_TIMES_MAX);
    }
    *out = (struct dcp_grid){ .start_ms = start,
                              .interval_ms = interval_ms,
                              .step_ms = step_ms,
                              .n_times = (uint32_t)n };
    return true;
}
