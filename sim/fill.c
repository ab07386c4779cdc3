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

/* What the model expects, without the margin that planning adds. */
static void
fill_vm(const struct dcp_inventory *inv, uint32_t vm,
        const struct dcp_slot slots[], uint32_t n_slots, uint32_t mhz[],
        struct dcp_samples *s)
{
    double margin_frac = inv->tiers[inv->vms[vm].tier.ix].margin_frac;
    uint32_t at = 0;

    (void)dcp_demand_row_from_model(inv, (dcp_vm_id){ vm }, slots, n_slots,
                                    mhz);
    for (uint32_t t = 0; t < s->n_times; t++) {
        int64_t ms = s->start_ms + t * s->interval_ms;

        while (at + 1 < n_slots && slots[at].end_ms <= ms) {
            at++;
        }
        s->value[(size_t)t * s->n_vms + vm] =
            (float)(mhz[at] / (1 + margin_frac));
    }
}

bool
dcp_sim_fill(const struct dcp_inventory *inv, struct dcp_samples *s,
             struct dcp_sim_fill *out, struct dcp_error *err)
{
    struct dcp_sim_fill counts = { .n_missing = carry(s) };
    int64_t end_ms = s->start_ms + s->n_times * s->interval_ms;
    uint32_t n_slots =
        dcp_slots_between(inv->policy.buckets, &inv->calendar, inv->zone,
                          s->start_ms, end_ms, NULL, 0);
    DCP_FREE struct dcp_slot *slots = calloc(n_slots + 1u, sizeof *slots);
    DCP_FREE uint32_t *mhz = calloc(n_slots + 1u, sizeof *mhz);

    if (!slots || !mhz) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u slots", n_slots);
    }
    (void)dcp_slots_between(inv->policy.buckets, &inv->calendar, inv->zone,
                            s->start_ms, end_ms, slots, n_slots);
    for (uint32_t v = 0; s->n_times && v < s->n_vms; v++) {
        if (isnan(s->value[v])) {
            fill_vm(inv, v, slots, n_slots, mhz, s);
            counts.n_vms_no_trace++;
        }
    }
    *out = counts;
    return true;
}
