/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "traces/series.h"

#include <math.h>

static uint32_t
cell_bucket(const struct dcp_store *store, const struct dcp_inventory *inv,
            uint32_t cell)
{
    int64_t at_ms = dcp_store_start_ms(store) +
                    (int64_t)cell * dcp_store_interval_ms(store);

    return dcp_bucket_at(inv->policy.buckets, &inv->calendar, inv->zone, at_ms);
}

/* Counting sort of the cells by bucket. */
static void
group_cells(struct dcp_series *s, const uint32_t *bucket_of_cell)
{
    uint32_t *first = s->bucket_first;

    for (uint32_t c = 0; c < s->n_cells; c++) {
        first[bucket_of_cell[c] + 1]++;
    }
    for (uint32_t b = 0; b < s->n_buckets; b++) {
        first[b + 1] += first[b];
    }
    for (uint32_t c = 0; c < s->n_cells; c++) {
        s->cells[first[bucket_of_cell[c]]++] = c;
    }
    for (uint32_t b = s->n_buckets; b > 0; b--) {
        first[b] = first[b - 1];
    }
    first[0] = 0;
}

bool
dcp_series_init(struct dcp_series *out, struct dcp_arena *arena,
                const struct dcp_store *store, const struct dcp_inventory *inv,
                uint32_t first_cell, uint32_t n_cells, struct dcp_error *err)
{
    struct dcp_series s = {
        .n_cells = n_cells,
        .n_buckets = dcp_bucket_count(inv->policy.buckets, &inv->calendar),
        .most = INFINITY,
        .peak_factor = inv->policy.peak_factor,
    };
    uint32_t *bucket_of_cell = dcp_arena_array(arena, uint32_t, n_cells);

    s.value = dcp_arena_array(arena, float, n_cells);
    s.scratch = dcp_arena_array(arena, float, n_cells);
    s.bucket_first = dcp_arena_array(arena, uint32_t, (size_t)s.n_buckets + 1);
    s.cells = dcp_arena_array(arena, uint32_t, n_cells);
    s.bucket_want = dcp_arena_array(arena, double, s.n_buckets);
    s.bucket_mean = dcp_arena_array(arena, double, s.n_buckets);
    if (!bucket_of_cell || !s.value || !s.scratch || !s.bucket_first ||
        !s.cells || !s.bucket_want || !s.bucket_mean) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to fit %u samples a VM",
                        n_cells);
    }
    for (uint32_t c = 0; c < n_cells; c++) {
        bucket_of_cell[c] = cell_bucket(store, inv, first_cell + c);
    }
    group_cells(&s, bucket_of_cell);
    *out = s;
    return true;
}

bool
dcp_wish_asks_percentile(const struct dcp_wish *wish)
{
    return wish->predictor == DCP_PREDICT_PERCENTILE ||
           wish->predictor == DCP_PREDICT_MAX;
}

bool
dcp_wish_asks_moments(const struct dcp_wish *wish)
{
    return wish->predictor == DCP_PREDICT_NSIGMA ||
           wish->predictor == DCP_PREDICT_MAX;
}

double
dcp_wish_of(const struct dcp_wish *wish, const struct dcp_wish_figures *f,
            double peak_factor)
{
    double sigmas =
        f->mean + wish->sigmas * sqrt(f->n > 1 ? f->square / (f->n - 1) : 0);

    if (!f->n) {
        return NAN;
    }
    switch (wish->predictor) {
    case DCP_PREDICT_PEAK:
        return f->peak;
    case DCP_PREDICT_NSIGMA:
        return sigmas;
    case DCP_PREDICT_MAX:
        return fmax(f->at_percentile, sigmas);
    case DCP_PREDICT_PERCENTILE:
    case DCP_PREDICT_RATIO:
        break;
    }
    return fmax(f->at_percentile, peak_factor * f->peak);
}

/* Of the samples in 'scratch', by Welford's sums. */
static void
find_moments(const struct dcp_series *s, struct dcp_wish_figures *f)
{
    for (uint32_t i = 0; i < f->n; i++) {
        double step = s->scratch[i] - f->mean;

        f->mean += step / (i + 1);
        f->square += step * (s->scratch[i] - f->mean);
    }
}

static double
bucket_want(struct dcp_series *s, uint32_t bucket, const struct dcp_wish *wish)
{
    double want = s->bucket_want[bucket];
    struct dcp_wish_figures f = { 0 };
    double sum = 0;

    if (!(want < 0)) {
        return want;
    }
    for (uint32_t i = s->bucket_first[bucket]; i < s->bucket_first[bucket + 1];
         i++) {
        float x = s->value[s->cells[i]];

        if (!isnan(x)) {
            s->scratch[f.n++] = x;
            f.peak = x > f.peak ? x : f.peak;
            sum += x < s->most ? x : s->most;
        }
    }
    if (dcp_wish_asks_moments(wish)) {
        find_moments(s, &f);
    }
    if (f.n && dcp_wish_asks_percentile(wish)) { /* Reorders them. */
        f.at_percentile = dcp_percentile(s->scratch, f.n, wish->percentile);
    }
    want = dcp_wish_of(wish, &f, s->peak_factor);
    s->bucket_want[bucket] = want;
    s->bucket_mean[bucket] = f.n ? sum / f.n : NAN;
    return want;
}

/* A bucket without history: the most of any known class (or day of the week)
 * at that hour, else the most of any bucket. */
static double
fallback_want(struct dcp_series *s, uint32_t bucket,
              const struct dcp_wish *wish)
{
    double most = NAN; /* fmax() ignores NaN. */

    if (s->n_buckets > 24) {
        for (uint32_t b = bucket % 24; b < s->n_buckets; b += 24) {
            most = fmax(most, bucket_want(s, b, wish));
        }
    }
    if (isnan(most)) {
        for (uint32_t b = 0; b < s->n_buckets; b++) {
            most = fmax(most, bucket_want(s, b, wish));
        }
    }
    return most;
}

static uint32_t
fill_slots(struct dcp_series *s, const struct dcp_slot slots[],
           uint32_t n_slots, const struct dcp_wish *wish, double out_want[])
{
    uint32_t fallback_classes = 0, n = 0;

    for (uint32_t i = 0; i < n_slots; i++) {
        double want = bucket_want(s, slots[i].bucket, wish);

        if (isnan(want)) {
            uint32_t bit = 1u << slots[i].bucket / 24 % 32;

            n += !(fallback_classes & bit);
            fallback_classes |= bit;
            want = fallback_want(s, slots[i].bucket, wish);
        }
        out_want[i] = want;
    }
    return n;
}

uint32_t
dcp_series_fit(struct dcp_series *s, const struct dcp_slot slots[],
               uint32_t n_slots, const struct dcp_wish *wish, double out_want[])
{
    for (uint32_t b = 0; b < s->n_buckets; b++) {
        s->bucket_want[b] = -1;
    }
    return fill_slots(s, slots, n_slots, wish, out_want);
}

uint32_t
dcp_series_slots(struct dcp_series *s, const struct dcp_slot slots[],
                 uint32_t n_slots, double out_want[])
{
    return fill_slots(s, slots, n_slots, NULL, out_want);
}

/* Over the buckets [first, n_buckets) by 'step' that are known to have samples;
 * NaN: none has. */
static double
mean_of_means(const struct dcp_series *s, uint32_t first, uint32_t step)
{
    double sum = 0;
    uint32_t n = 0;

    for (uint32_t b = first; b < s->n_buckets; b += step) {
        if (s->bucket_want[b] >= 0) {
            sum += s->bucket_mean[b];
            n++;
        }
    }
    return n ? sum / n : NAN;
}

void
dcp_series_means(const struct dcp_series *s, const struct dcp_slot slots[],
                 uint32_t n_slots, double out_mean[])
{
    for (uint32_t i = 0; i < n_slots; i++) {
        uint32_t bucket = slots[i].bucket;

        out_mean[i] = s->bucket_mean[bucket];
        if (isnan(s->bucket_want[bucket])) {
            double hour = mean_of_means(s, bucket % 24, 24);

            out_mean[i] = isnan(hour) ? mean_of_means(s, 0, 1) : hour;
        }
    }
}
