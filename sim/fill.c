/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/sim.h"

#include <math.h>
#include <stdlib.h>

/* Each missing cell takes the cell of the row before it; what is still missing
 * lies before the VM's first known value and takes the row after it. */
static uint64_t
carry(struct dcp_samples *s)
{
    uint64_t n = 0;

    for (uint32_t t = 1; t < s->n_times; t++) {
        const float *before = s->value + (size_t)(t - 1) * s->n_vms;
        float *row = s->value + (size_t)t * s->n_vms;

        for (uint32_t v = 0; v < s->n_vms; v++) {
            if (isnan(row[v]) && !isnan(before[v])) {
                row[v] = before[v];
                n++;
            }
        }
    }
    for (uint32_t t = s->n_times; t-- > 1;) {
        const float *after = s->value + (size_t)t * s->n_vms;
        float *row = s->value + (size_t)(t - 1) * s->n_vms;

        for (uint32_t v = 0; v < s->n_vms; v++) {
            if (isnan(row[v]) && !isnan(after[v])) {
                row[v] = after[v];
                n++;
            }
        }
    }
    return n;
}

/* The model's slots of a time; the caller frees both arrays. */
struct model_slots {
    struct dcp_slot *slots;
    uint32_t *mhz;
    uint32_t n;
};

static bool
make_slots(const struct dcp_inventory *inv, int64_t start_ms, int64_t end_ms,
           struct model_slots *out, struct dcp_error *err)
{
    uint32_t n = dcp_slots_between(inv->policy.buckets, &inv->calendar,
                                   inv->zone, start_ms, end_ms, NULL, 0);

    *out = (struct model_slots){
        .slots = calloc(n + 1u, sizeof *out->slots),
        .mhz = calloc(n + 1u, sizeof *out->mhz),
        .n = n,
    };
    if (!out->slots || !out->mhz) {
        free(out->slots);
        free(out->mhz);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u slots", n);
    }
    (void)dcp_slots_between(inv->policy.buckets, &inv->calendar, inv->zone,
                            start_ms, end_ms, out->slots, n);
    return true;
}

/* What the model expects, without the margin that planning adds: the value at
 * t goes to out[t * step]. */
static void
fill_vm(const struct dcp_inventory *inv, uint32_t vm,
        const struct model_slots *m, int64_t start_ms, int64_t interval_ms,
        uint32_t n_times, size_t step, float *out)
{
    double margin_frac = inv->tiers[inv->vms[vm].tier.ix].margin_frac;
    uint32_t at = 0;

    (void)dcp_demand_row_from_model(inv, (dcp_vm_id){ vm }, m->slots, m->n,
                                    m->mhz);
    for (uint32_t t = 0; t < n_times; t++) {
        int64_t ms = start_ms + t * interval_ms;

        while (at + 1 < m->n && m->slots[at].end_ms <= ms) {
            at++;
        }
        out[t * step] = (float)(m->mhz[at] / (1 + margin_frac));
    }
}

bool
dcp_sim_model_rows(const struct dcp_inventory *inv, const uint32_t vms[],
                   uint32_t n, int64_t start_ms, int64_t interval_ms,
                   uint32_t n_times, size_t width, float *out,
                   struct dcp_error *err)
{
    struct model_slots m;

    if (!n || !n_times) {
        return true;
    }
    if (!make_slots(inv, start_ms, start_ms + n_times * interval_ms, &m, err)) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        fill_vm(inv, vms[i], &m, start_ms, interval_ms, n_times, 1,
                out + i * width);
    }
    free(m.slots);
    free(m.mhz);
    return true;
}

bool
dcp_sim_fill(const struct dcp_inventory *inv, struct dcp_samples *s,
             struct dcp_sim_fill *out, struct dcp_error *err)
{
    struct dcp_sim_fill counts = { .n_missing = carry(s) };
    int64_t end_ms = s->start_ms + s->n_times * s->interval_ms;
    struct model_slots m;

    if (!make_slots(inv, s->start_ms, end_ms, &m, err)) {
        return false;
    }
    for (uint32_t v = 0; s->n_times && v < s->n_vms; v++) {
        if (isnan(s->value[v])) {
            fill_vm(inv, v, &m, s->start_ms, s->interval_ms, s->n_times,
                    s->n_vms, s->value + v);
            counts.n_vms_no_trace++;
        }
    }
    free(m.slots);
    free(m.mhz);
    *out = counts;
    return true;
}
