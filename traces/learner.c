/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "traces/learner.h"

#include "model/base/arena.h"
#include "traces/columns.h"
#include "traces/fit_rows.h"
#include "traces/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BYTES ((uint64_t)2 << 30)
#define STEP_CELLS 288 /* Read at one time: a day of 5 min. */
#define FEW        64  /* Samples that are sorted to find one of them. */

struct bucket { /* Of one VM and metric. */
    double mean, square;
    uint32_t n;
    float peak;
};

/* How many of the largest a bucket keeps, and where; the last one is that of
 * all samples of active memory. */
struct layout {
    double percentile;
    uint32_t *most; /* Arena. */
    size_t *first;  /* n_buckets + 1. */
};

enum { CPU, NET, METRICS };

struct dcp_learner {
    struct dcp_store *store;
    const struct dcp_inventory *inv;
    const struct dcp_placement *start;
    struct dcp_arena *arena;
    struct dcp_columns columns;
    uint32_t n_buckets, n_times, n_known; /* Cells. */
    const struct dcp_samples *seen; /* In place of the store's CPU; or NULL. */
    int64_t first_seen;             /* Its first cell. */
    uint32_t *bucket_of;            /* By cell; arena, as all below. */
    struct layout *of_tier;
    struct layout mem;
    bool with[METRICS], with_mem, with_moments;
    struct dcp_fit_history *history; /* By pair: CPU. */
    uint8_t *traced;                 /* By VM. */
    uint32_t *n_mem;                 /* By pair. */
    struct bucket *buckets[METRICS]; /* [pair][bucket]. */
    float **top[METRICS];            /* By pair. */
    float **top_mem;
    float *rows[2];
    float *scratch;
    double *bucket_want, *slot_want;
    uint32_t slots_capacity;
};

/* --- The largest samples ------------------------------------------------ */

/* The smallest is at the root of 'heap', which has room for 'most'. */
static void
keep(float heap[], uint32_t n, uint32_t most, float x)
{
    uint32_t at = n;

    if (n < most) {
        for (; at > 0 && heap[(at - 1) / 2] > x; at = (at - 1) / 2) {
            heap[at] = heap[(at - 1) / 2];
        }
        heap[at] = x;
        return;
    }
    if (!most || x <= heap[0]) {
        return;
    }
    at = 0;
    for (uint32_t child; (child = 2 * at + 1) < most; at = child) {
        child += child + 1 < most && heap[child + 1] < heap[child];
        if (heap[child] >= x) {
            break;
        }
        heap[at] = heap[child];
    }
    heap[at] = x;
}

/* From the top: 1 is the largest. As dcp_percentile(). */
static uint32_t
rank_from_top(uint32_t n, double percentile)
{
    double rank = ceil(percentile * n - 1e-9);

    rank = rank < 1 ? 1 : rank > n ? n : rank;
    return n - (uint32_t)rank + 1;
}

/* The smallest first: still a heap, and next time nearly in order. */
static void
sort(float heap[], uint32_t n)
{
    for (uint32_t k = 1; k < n; k++) {
        float x = heap[k];
        uint32_t at = k;

        for (; at > 0 && heap[at - 1] > x; at--) {
            heap[at] = heap[at - 1];
        }
        heap[at] = x;
    }
}

/* Of 'n' samples, of which the largest are in 'heap'. */
static float
percentile_of(float heap[], uint32_t n, uint32_t most, double percentile,
              float scratch[])
{
    uint32_t kept = n < most ? n : most;
    uint32_t from_top = rank_from_top(n, percentile);

    if (kept <= FEW) {
        sort(heap, kept);
        return heap[kept - from_top];
    }
    memcpy(scratch, heap, kept * sizeof *scratch);
    return dcp_percentile(scratch, kept, (double)(kept - from_top + 1) / kept);
}

/* --- Building ----------------------------------------------------------- */

static bool
make_layout(struct dcp_learner *l, const uint32_t n_cells[], double percentile,
            struct layout *out)
{
    out->percentile = percentile;
    out->most = dcp_arena_array(l->arena, uint32_t, l->n_buckets + 1u);
    out->first = dcp_arena_array(l->arena, size_t, l->n_buckets + 1u);
    if (!out->most || !out->first) {
        return false;
    }
    for (uint32_t b = 0; b < l->n_buckets; b++) {
        out->most[b] = n_cells[b] ? rank_from_top(n_cells[b], percentile) : 0;
        out->first[b + 1] = out->first[b] + out->most[b];
    }
    return true;
}

static bool
make_layouts(struct dcp_learner *l)
{
    const struct dcp_policy *policy = &l->inv->policy;
    uint32_t *n_cells = dcp_arena_array(l->arena, uint32_t, l->n_buckets + 1u);
    bool tops = policy->predictor == DCP_PREDICT_PERCENTILE ||
                policy->predictor == DCP_PREDICT_MAX;

    l->bucket_of = dcp_arena_array(l->arena, uint32_t, l->n_times);
    l->of_tier = dcp_arena_array(l->arena, struct layout, l->inv->n_tiers);
    if (!n_cells || !l->bucket_of || !l->of_tier) {
        return false;
    }
    for (uint32_t c = 0; c < l->n_times; c++) {
        int64_t at_ms = dcp_store_start_ms(l->store) +
                        (int64_t)c * dcp_store_interval_ms(l->store);

        l->bucket_of[c] = dcp_bucket_at(policy->buckets, &l->inv->calendar,
                                        l->inv->zone, at_ms);
        n_cells[l->bucket_of[c]]++;
    }
    /* Network always asks for a percentile. */
    tops = tops || l->with[NET];
    for (uint32_t b = 0; !tops && b < l->n_buckets; b++) {
        n_cells[b] = 0;
    }
    for (uint32_t t = 0; t < l->inv->n_tiers; t++) {
        if (!make_layout(l, n_cells, l->inv->tiers[t].percentile,
                         &l->of_tier[t])) {
            return false;
        }
    }
    return true;
}

static const struct layout *
layout_of(const struct dcp_learner *l, uint32_t pair)
{
    return &l->of_tier[l->inv->vms[l->columns.pairs[pair].vm].tier.ix];
}

static uint32_t
most_mem(const struct dcp_learner *l)
{
    return rank_from_top(l->n_times, DCP_FIT_MEM_PERCENTILE);
}

/* What all of it would take. */
static uint64_t
bytes(const struct dcp_learner *l)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < l->columns.n; i++) {
        uint64_t one = layout_of(l, i)->first[l->n_buckets] * sizeof(float) +
                       l->n_buckets * sizeof(struct bucket);

        sum += one * ((uint64_t)l->with[CPU] + l->with[NET]);
        sum += l->with_mem ? most_mem(l) * sizeof(float) : 0;
    }
    return sum;
}

static bool
make_rooms(struct dcp_learner *l)
{
    uint32_t n = l->columns.n;
    bool ok = true;

    l->history = dcp_arena_array(l->arena, struct dcp_fit_history, n + 1u);
    l->traced = dcp_arena_array(l->arena, uint8_t, l->inv->n_vms + 1u);
    l->n_mem = dcp_arena_array(l->arena, uint32_t, n + 1u);
    l->top_mem = dcp_arena_array(l->arena, float *, n + 1u);
    for (uint32_t m = 0; m < METRICS; m++) {
        l->top[m] = dcp_arena_array(l->arena, float *, n + 1u);
        l->buckets[m] =
            dcp_arena_array(l->arena, struct bucket,
                            l->with[m] ? (size_t)n * l->n_buckets + 1 : 1);
        ok = ok && l->top[m] && l->buckets[m];
    }
    ok = ok && l->history && l->traced && l->n_mem && l->top_mem;
    for (uint32_t i = 0; ok && i < n; i++) {
        size_t room = layout_of(l, i)->first[l->n_buckets] + 1;

        for (uint32_t m = 0; ok && m < METRICS; m++) {
            l->top[m][i] =
                dcp_arena_array(l->arena, float, l->with[m] ? room : 1);
            ok = l->top[m][i] != NULL;
        }
        l->top_mem[i] =
            dcp_arena_array(l->arena, float, l->with_mem ? most_mem(l) : 1);
        ok = ok && l->top_mem[i];
    }
    size_t cells = (size_t)DCP_STRIPE_COLUMNS * STEP_CELLS;

    l->rows[0] = dcp_arena_array(l->arena, float, cells);
    l->rows[1] = dcp_arena_array(l->arena, float, cells);
    l->scratch = dcp_arena_array(l->arena, float, l->n_times + 1u);
    l->bucket_want = dcp_arena_array(l->arena, double, l->n_buckets + 1u);
    return ok && l->rows[0] && l->rows[1] && l->scratch && l->bucket_want;
}

static bool
can(const struct dcp_learner *l)
{
    bool disk = l->inv->n_pools && l->inv->n_volumes &&
                (dcp_store_has(l->store, DCP_METRIC_DISK_READ_KIB_S) ||
                 dcp_store_has(l->store, DCP_METRIC_DISK_WRITE_KIB_S));

    return !l->inv->policy.overload && !disk;
}

bool
dcp_learner_create(struct dcp_store *store, const struct dcp_inventory *inv,
                   const struct dcp_placement *start, struct dcp_learner **out,
                   struct dcp_error *err)
{
    DCP_AUTO(dcp_learner)
    struct dcp_learner *l = calloc(1, sizeof *l);
    enum dcp_predictor predictor = inv->policy.predictor;

    *out = NULL;
    if (!l || !(l->arena = dcp_arena_create(0))) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to learn demand");
    }
    l->store = store;
    l->inv = inv;
    l->start = start;
    l->n_times = dcp_store_n_times(store);
    l->n_buckets = dcp_bucket_count(inv->policy.buckets, &inv->calendar);
    l->with[CPU] = dcp_store_has(store, DCP_METRIC_CPU_MHZ);
    l->with[NET] = dcp_store_has(store, DCP_METRIC_NET_RX_KIB_S) ||
                   dcp_store_has(store, DCP_METRIC_NET_TX_KIB_S);
    l->with_mem = dcp_fit_has_active_memory(store);
    l->with_moments =
        predictor == DCP_PREDICT_NSIGMA || predictor == DCP_PREDICT_MAX;
    if (!can(l)) {
        return true;
    }
    if (!dcp_columns_map(store, inv, &l->columns, err)) {
        return false;
    }
    if (!make_layouts(l)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to learn demand");
    }
    if (bytes(l) > MOST_BYTES) {
        return true;
    }
    if (!make_rooms(l)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to learn demand");
    }
    *out = DCP_STEAL(l);
    return true;
}

void
dcp_learner_destroy(struct dcp_learner *l)
{
    if (l) {
        dcp_columns_finish(&l->columns);
        dcp_arena_destroy(l->arena);
        free(l);
    }
}

/* --- Samples ------------------------------------------------------------ */

void
dcp_learner_see(struct dcp_learner *l, const struct dcp_samples *cpu)
{
    l->seen = cpu;
    l->first_seen =
        (cpu->start_ms - dcp_store_start_ms(l->store)) / cpu->interval_ms;
}

/* Samples of cells of one bucket; NaN: missing. */
static void
add_run(const struct dcp_learner *l, uint32_t metric, uint32_t pair, uint32_t b,
        const float x[], uint32_t n)
{
    const struct layout *layout = layout_of(l, pair);
    struct bucket *of = &l->buckets[metric][(size_t)pair * l->n_buckets + b];
    float *heap = l->top[metric][pair] + layout->first[b], peak = of->peak;
    uint32_t most = layout->most[b], known = of->n;

    for (uint32_t i = 0; i < n; i++) {
        if (isnan(x[i])) {
            continue;
        }
        keep(heap, known < most ? known : most, most, x[i]);
        peak = x[i] > peak ? x[i] : peak;
        if (l->with_moments) {
            double step = x[i] - of->mean;

            of->mean += step / (known + 1);
            of->square += step * (x[i] - of->mean); /* Welford. */
        }
        known++;
    }
    of->n = known;
    of->peak = peak;
}

static void
add(const struct dcp_learner *l, uint32_t metric, uint32_t pair, uint32_t first,
    const float x[], uint32_t n)
{
    const uint32_t *bucket_of = l->bucket_of + first;

    for (uint32_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && bucket_of[end] == bucket_of[i]; end++) {
        }
        add_run(l, metric, pair, bucket_of[i], x + i, end - i);
    }
}

static bool
read_rows(struct dcp_learner *l, enum dcp_metric metric,
          const struct dcp_stripe *stripe, uint32_t first, uint32_t n,
          uint32_t into, struct dcp_error *err)
{
    if (dcp_store_has(l->store, metric)) {
        return dcp_store_read(l->store, metric, stripe->column,
                              stripe->n_columns, first, n, l->rows[into], err);
    }
    for (size_t i = 0; i < (size_t)stripe->n_columns * n; i++) {
        l->rows[into][i] = NAN;
    }
    return true;
}

enum part { PART_CPU, PART_NET, PART_MEM };

/* What a VM used of CPU, by what was seen where that has the cell. */
static float
count_cpu(struct dcp_learner *l, uint32_t pair, const struct dcp_fit_vm *of,
          uint32_t cell, float raw)
{
    const struct dcp_samples *s = l->seen;
    struct dcp_fit_vm plain = *of;
    int64_t t = (int64_t)cell - l->first_seen;

    if (!s || t < 0 || t >= s->n_times) {
        return dcp_fit_count(of, cell, raw, &l->history[pair]);
    }
    plain.factor = 1;
    return dcp_fit_count(
        &plain, cell,
        s->value[(size_t)t * s->n_vms + l->columns.pairs[pair].vm],
        &l->history[pair]);
}

/* Rows are left as they are: a column may be that of several VMs. */
static void
add_pair(struct dcp_learner *l, enum part part, uint32_t pair, uint32_t first,
         uint32_t n, const float *a, const float *b)
{
    struct dcp_fit_vm of =
        dcp_fit_vm(l->store, l->inv, l->start, &l->columns.pairs[pair]);

    if (part == PART_MEM) {
        uint32_t most = most_mem(l);

        for (uint32_t i = 0; i < n; i++) {
            if (!isnan(a[i])) {
                uint32_t kept = l->n_mem[pair]++;

                keep(l->top_mem[pair], kept < most ? kept : most, most, a[i]);
            }
        }
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        l->scratch[i] = part == PART_CPU
                            ? count_cpu(l, pair, &of, first + i, a[i])
                            : fmaxf(a[i], b[i]);
    }
    add(l, part == PART_CPU ? CPU : NET, pair, first, l->scratch, n);
}

static void
add_part(struct dcp_learner *l, enum part part, const struct dcp_stripe *stripe,
         uint32_t first, uint32_t n)
{
    uint32_t row = 0;

    for (uint32_t i = 0; i < stripe->n_pairs; i++) {
        while (stripe->column[row] != stripe->pairs[i].column) {
            row++;
        }
        add_pair(l, part, (uint32_t)(&stripe->pairs[i] - l->columns.pairs),
                 first, n, l->rows[0] + (size_t)row * n,
                 l->rows[1] + (size_t)row * n);
    }
}

static bool
add_stripe(struct dcp_learner *l, const struct dcp_stripe *s, uint32_t first,
           uint32_t n, struct dcp_error *err)
{
    if (l->with[CPU]) {
        if (!read_rows(l, DCP_METRIC_CPU_MHZ, s, first, n, 0, err)) {
            return false;
        }
        add_part(l, PART_CPU, s, first, n);
    }
    if (l->with[NET]) {
        if (!read_rows(l, DCP_METRIC_NET_RX_KIB_S, s, first, n, 0, err) ||
            !read_rows(l, DCP_METRIC_NET_TX_KIB_S, s, first, n, 1, err)) {
            return false;
        }
        add_part(l, PART_NET, s, first, n);
    }
    if (l->with_mem) {
        if (!read_rows(l, DCP_METRIC_MEM_MIB, s, first, n, 0, err)) {
            return false;
        }
        add_part(l, PART_MEM, s, first, n);
    }
    return true;
}

/* All whole cells before 'until_ms'. */
static bool
catch_up(struct dcp_learner *l, int64_t until_ms, struct dcp_error *err)
{
    int64_t end = (until_ms - dcp_store_start_ms(l->store)) /
                  dcp_store_interval_ms(l->store);

    end = until_ms <= dcp_store_start_ms(l->store) ? 0 : end;
    end = end > l->n_times ? l->n_times : end;
    while (l->n_known < end) {
        uint32_t n = (uint32_t)end - l->n_known, at = 0;
        struct dcp_stripe stripe;

        n = n < STEP_CELLS ? n : STEP_CELLS;
        while (dcp_columns_next(&l->columns, &at, &stripe)) {
            if (!add_stripe(l, &stripe, l->n_known, n, err)) {
                return false;
            }
        }
        l->n_known += n;
    }
    return true;
}

/* --- Demand ------------------------------------------------------------- */

/* What a VM asks for by slot, of its samples of one metric; returns as
 * dcp_series_fit(). */
static uint32_t
trace_want(struct dcp_learner *l, uint32_t metric, uint32_t pair,
           enum dcp_predictor predictor, const struct dcp_slot slots[],
           uint32_t n_slots)
{
    const struct layout *layout = layout_of(l, pair);
    struct dcp_series s = { .n_buckets = l->n_buckets,
                            .bucket_want = l->bucket_want };
    struct dcp_wish wish = { predictor, layout->percentile,
                             l->inv->policy.predict_sigmas };
    bool asks = dcp_wish_asks_percentile(&wish);

    for (uint32_t b = 0; b < l->n_buckets; b++) {
        const struct bucket *of =
            &l->buckets[metric][(size_t)pair * l->n_buckets + b];
        struct dcp_wish_figures figures = { of->n, of->peak, of->mean,
                                            of->square, 0 };

        if (asks && of->n) {
            figures.at_percentile =
                percentile_of(l->top[metric][pair] + layout->first[b], of->n,
                              layout->most[b], layout->percentile, l->scratch);
        }
        l->bucket_want[b] =
            dcp_wish_of(&wish, &figures, l->inv->policy.peak_factor);
    }
    return dcp_series_slots(&s, slots, n_slots, l->slot_want);
}

static void
flat_want(struct dcp_learner *l, uint32_t n_slots, double want)
{
    for (uint32_t s = 0; s < n_slots; s++) {
        l->slot_want[s] = want;
    }
}

static void
cpu_row(struct dcp_learner *l, uint32_t pair, struct dcp_demand *d,
        struct dcp_demand_rows *rows)
{
    const struct dcp_fit_history *h = &l->history[pair];
    const struct dcp_policy *policy = &l->inv->policy;
    uint32_t vm = l->columns.pairs[pair].vm;
    struct dcp_fit_vm of =
        dcp_fit_vm(l->store, l->inv, l->start, &l->columns.pairs[pair]);
    double scale = 1 + l->inv->tiers[l->inv->vms[vm].tier.ix].margin_frac;

    if (!h->n) {
        return; /* Its row from the model stays. */
    }
    struct dcp_fit_span span = { l->n_known, dcp_store_interval_ms(l->store),
                                 policy->min_history_ms };
    double flat = dcp_fit_cpu_flat(l->inv, vm, &of, h, &span, d, rows);

    if (isnan(flat)) {
        d->n_class_fallback +=
            trace_want(l, CPU, pair, policy->predictor, d->slots, d->n_slots);
    } else {
        flat_want(l, d->n_slots, flat);
    }
    dcp_fit_write_row(l->slot_want, d->n_slots, scale, of.ceiling_mhz * scale,
                      rows->cpu_mhz + (size_t)vm * d->stride);
}

static void
net_row(struct dcp_learner *l, uint32_t pair, const struct dcp_demand *d,
        struct dcp_demand_rows *rows)
{
    uint32_t vm = l->columns.pairs[pair].vm, n = 0;
    const struct bucket *of = &l->buckets[NET][(size_t)pair * l->n_buckets];
    float peak = 0;

    for (uint32_t b = 0; b < l->n_buckets; b++) {
        n += of[b].n;
        peak = of[b].peak > peak ? of[b].peak : peak;
    }
    if (!n) {
        return;
    }
    if ((int64_t)n * dcp_store_interval_ms(l->store) <
        l->inv->policy.min_history_ms) {
        flat_want(l, d->n_slots, peak);
    } else {
        (void)trace_want(l, NET, pair, DCP_PREDICT_PERCENTILE, d->slots,
                         d->n_slots);
    }
    dcp_fit_write_row(l->slot_want, d->n_slots,
                      1 + l->inv->tiers[l->inv->vms[vm].tier.ix].margin_frac,
                      INFINITY, rows->net_kib_s + (size_t)vm * d->stride);
}

static void
mem_row(struct dcp_learner *l, uint32_t pair, struct dcp_demand_rows *rows)
{
    uint32_t vm = l->columns.pairs[pair].vm;

    if (l->n_mem[pair]) {
        rows->mem_active_mib[vm] = dcp_fit_active_mib(
            l->inv, vm,
            percentile_of(l->top_mem[pair], l->n_mem[pair], most_mem(l),
                          DCP_FIT_MEM_PERCENTILE, l->scratch));
    }
}

static void
all_rows(struct dcp_learner *l, struct dcp_demand *d,
         struct dcp_demand_rows *rows)
{
    d->from_ms = dcp_store_start_ms(l->store);
    d->until_ms = d->from_ms + l->n_known * dcp_store_interval_ms(l->store);
    for (uint32_t i = 0; i < l->columns.n; i++) {
        if (l->with[CPU]) {
            cpu_row(l, i, d, rows);
        }
        if (l->with[NET]) {
            net_row(l, i, d, rows);
        }
        if (l->with_mem) {
            mem_row(l, i, rows);
        }
    }
}

struct dcp_demand *
dcp_learner_demand(struct dcp_learner *l, int64_t until_ms,
                   const struct dcp_slot slots[], uint32_t n_slots,
                   struct dcp_error *err)
{
    struct dcp_demand_rows rows;

    if (!dcp_fit_slots_check(l->inv, slots, n_slots, err)) {
        return NULL;
    }
    if (n_slots > l->slots_capacity || !l->slot_want) {
        l->slot_want = dcp_arena_array(l->arena, double, n_slots + 1u);
        l->slots_capacity = l->slot_want ? n_slots : 0;
    }
    DCP_AUTO(dcp_demand)
    struct dcp_demand *d = dcp_demand_create(
        l->inv->n_vms, slots, n_slots, l->with[NET], l->with_mem, &rows, err);

    if (d && !l->slot_want) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to learn demand");
    }
    if (!d || !l->slot_want || !catch_up(l, until_ms, err)) {
        return NULL;
    }
    d->at_limit_raise_frac = DCP_FIT_AT_LIMIT_RAISE_FRAC;
    for (uint32_t i = 0; i < l->columns.n; i++) {
        l->traced[l->columns.pairs[i].vm] = l->history[i].n > 0;
    }
    dcp_fit_from_model(l->inv, l->traced, d, &rows);
    if (l->n_known) {
        all_rows(l, d, &rows);
    }
    return dcp_store_digest(l->store, d->traces_digest, err) ? DCP_STEAL(d)
                                                             : NULL;
}
