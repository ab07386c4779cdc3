/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "traces/fit_joint.h"

#include <math.h>
#include <stdlib.h>

/* The earlier slot of the same bucket, or 'slot' itself. */
static uint32_t
same_bucket(const struct dcp_demand *d, uint32_t slot)
{
    uint32_t t = 0;

    while (d->slots[t].bucket != d->slots[slot].bucket) {
        t++;
    }
    return t;
}

static uint32_t
n_cells_of(const struct dcp_series *s, uint32_t bucket)
{
    return s->bucket_first[bucket + 1] - s->bucket_first[bucket];
}

/* Days that the bucket has cells of, counted from the first cell of all. */
static uint32_t
n_days_of(const struct dcp_series *s, uint32_t bucket, int64_t interval_ms)
{
    uint32_t n = 0;
    int64_t last = -1;

    for (uint32_t i = s->bucket_first[bucket]; i < s->bucket_first[bucket + 1];
         i++) {
        int64_t day = s->cells[i] * interval_ms / DCP_DAY_MS;

        n += day != last;
        last = day;
    }
    return n;
}

bool
dcp_joint_fit_init(struct dcp_joint_fit *j, struct dcp_arena *scratch,
                   const struct dcp_series *s, const struct dcp_policy *policy,
                   int64_t interval_ms, int64_t min_history_ms,
                   struct dcp_demand *d, struct dcp_error *err)
{
    uint32_t *first = dcp_arena_array(scratch, uint32_t, d->n_slots);
    uint32_t *count = dcp_arena_array(scratch, uint32_t, d->n_slots);
    uint32_t n = 0;

    j->few = dcp_arena_array(scratch, uint8_t, d->n_slots);
    if (!first || !count || !j->few) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for joint samples");
    }
    for (uint32_t t = 0; t < d->n_slots; t++) {
        uint32_t twin = same_bucket(d, t);
        uint32_t have = n_cells_of(s, d->slots[t].bucket);

        if (twin < t) {
            first[t] = first[twin];
            count[t] = count[twin];
            j->few[t] = j->few[twin];
            continue;
        }
        first[t] = n;
        count[t] =
            have < policy->overload_samples ? have : policy->overload_samples;
        j->few[t] = n_days_of(s, d->slots[t].bucket, interval_ms) <
                    min_history_ms / DCP_DAY_MS;
        count[t] = count[t] == 0 || j->few[t] ? 1 : count[t];
        n += count[t];
    }
    j->cell = dcp_arena_array(scratch, uint32_t, n);
    if (!j->cell) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for joint samples");
    }
    for (uint32_t t = 0; t < d->n_slots; t++) {
        uint32_t bucket = d->slots[t].bucket, have = n_cells_of(s, bucket);

        for (uint32_t k = 0; k < count[t]; k++) {
            uint64_t at = (2 * (uint64_t)k + 1) * have / (2 * count[t]);

            j->cell[first[t] + k] =
                have ? s->cells[s->bucket_first[bucket] + at] : UINT32_MAX;
        }
    }
    return dcp_scenarios_attach(d, first, count, n, &j->cpu_mhz, err);
}

/* NaN: none. */
static float
highest(const struct dcp_series *s, uint32_t bucket)
{
    float most = NAN;

    for (uint32_t i = s->bucket_first[bucket]; i < s->bucket_first[bucket + 1];
         i++) {
        most = fmaxf(most, s->value[s->cells[i]]);
    }
    return most;
}

void
dcp_joint_fit_vm(const struct dcp_joint_fit *j, const struct dcp_series *s,
                 const struct dcp_demand *d, uint32_t vm, double scale,
                 double most_mhz, uint32_t mhz[])
{
    const struct dcp_scenarios *out = d->scenarios;
    uint32_t *row = j->cpu_mhz + (size_t)vm * out->stride;

    for (uint32_t t = 0; t < d->n_slots; t++) {
        for (uint32_t k = 0; k < out->count[t]; k++) {
            uint32_t c = out->first[t] + k, cell = j->cell[c];
            float x = j->few[t]            ? highest(s, d->slots[t].bucket)
                      : cell == UINT32_MAX ? NAN
                                           : s->value[cell];
            double value = fmin((double)x * scale, most_mhz);

            /* 1e-6: what is whole but for rounding stays so. */
            row[c] = isnan(x)                ? mhz[t]
                     : value >= 4294967295.0 ? UINT32_MAX
                                             : (uint32_t)ceil(value - 1e-6);
        }
    }
    dcp_scenarios_means(out, d->n_slots, row, mhz);
}
