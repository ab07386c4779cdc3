/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "traces/fit_rows.h"

#include "model/base/units.h"
#include "model/capacity.h"

#include <math.h>
#include <string.h>

struct dcp_fit_vm
dcp_fit_vm(const struct dcp_store *store, const struct dcp_inventory *inv,
           const struct dcp_placement *start, const struct dcp_column *pair)
{
    dcp_vm_id vm = { pair->vm };
    dcp_host_id host = start->host[vm.ix];
    struct dcp_fit_vm of = {
        .factor = dcp_host_is_none(host) ? 1 : dcp_host_speed_factor(inv, host),
        .ceiling_mhz = dcp_vm_ceiling_mhz(inv, vm, host),
    };

    of.limit_mhz =
        dcp_store_vm_cpu_capacity_mhz(store, pair->column) * of.factor;
    if (of.limit_mhz <= 0 || of.limit_mhz > of.ceiling_mhz) {
        of.limit_mhz = of.ceiling_mhz;
    }
    return of;
}

float
dcp_fit_count(const struct dcp_fit_vm *of, uint32_t c, float raw,
              struct dcp_fit_history *h)
{
    float x = raw * (float)of->factor;

    if (!isnan(x)) {
        if (h->n++ == 0) {
            h->first = c;
        }
        h->last = c;
        if (of->limit_mhz > 0 &&
            x >= (float)(DCP_FIT_AT_LIMIT_FRAC * of->limit_mhz)) {
            h->n_at_limit++;
            x *= (float)(1 + DCP_FIT_AT_LIMIT_RAISE_FRAC);
        }
        h->peak = x > h->peak ? x : h->peak;
    }
    return x;
}

bool
dcp_fit_is_partial(const struct dcp_fit_history *h, uint32_t n_cells,
                   int64_t step_ms)
{
    return (int64_t)h->first * step_ms > DCP_DAY_MS ||
           (int64_t)(n_cells - 1 - h->last) * step_ms > DCP_DAY_MS;
}

double
dcp_fit_cpu_flat(const struct dcp_inventory *inv, uint32_t vm,
                 const struct dcp_fit_vm *of, const struct dcp_fit_history *h,
                 const struct dcp_fit_span *span, struct dcp_demand *d,
                 struct dcp_demand_rows *rows)
{
    bool by_ratio = inv->policy.predictor == DCP_PREDICT_RATIO;
    bool is_short =
        !by_ratio && (int64_t)h->n * span->step_ms < span->min_history_ms;

    d->n_vms_at_limit += h->n_at_limit > 0;
    d->n_samples_at_limit += h->n_at_limit;
    d->n_vms_partial += dcp_fit_is_partial(h, span->n_cells, span->step_ms);
    d->n_by_source[rows->source[vm]]--;
    rows->source[vm] = is_short ? DCP_DEMAND_SHORT : DCP_DEMAND_TRACE;
    d->n_by_source[rows->source[vm]]++;
    return by_ratio   ? of->ceiling_mhz * inv->policy.predict_ratio_frac
           : is_short ? h->peak
                      : NAN;
}

bool
dcp_fit_slots_check(const struct dcp_inventory *inv,
                    const struct dcp_slot slots[], uint32_t n_slots,
                    struct dcp_error *err)
{
    uint32_t n_buckets = dcp_bucket_count(inv->policy.buckets, &inv->calendar);

    for (uint32_t s = 0; s < n_slots; s++) {
        if (slots[s].bucket >= n_buckets) {
            return dcp_fail(err, DCP_E_ARGUMENT,
                            "slot %u: bucket %u of %u in this policy", s,
                            slots[s].bucket, n_buckets);
        }
    }
    return true;
}

void
dcp_fit_write_row(const double want[], uint32_t n_slots, double scale,
                  double most, uint32_t row[])
{
    for (uint32_t s = 0; s < n_slots; s++) {
        double value = fmin(want[s] * scale, most);

        /* 1e-6: what is whole but for rounding stays so. */
        row[s] =
            value >= 4294967295.0 ? UINT32_MAX : (uint32_t)ceil(value - 1e-6);
    }
}

uint32_t
dcp_fit_active_mib(const struct dcp_inventory *inv, uint32_t ix,
                   double percentile_mib)
{
    const struct dcp_vm *vm = &inv->vms[ix];
    double mib = ceil(percentile_mib);

    mib = fmax(mib, (double)vm->balloon_floor_mib);
    mib = fmax(mib, (double)vm->mem_reservation_mib);
    mib = fmin(mib, (double)vm->mem_mib);
    return mib >= 4294967295.0 ? UINT32_MAX : (uint32_t)mib;
}

void
dcp_fit_from_model(const struct dcp_inventory *inv, const uint8_t traced[],
                   struct dcp_demand *d, struct dcp_demand_rows *rows)
{
    for (dcp_vm_id vm = { 0 }; vm.ix < d->n_vms; vm.ix++) {
        enum dcp_demand_source source =
            traced && traced[vm.ix]
                ? DCP_DEMAND_TRACE
                : dcp_demand_row_from_model(inv, vm, d->slots, d->n_slots,
                                            rows->cpu_mhz +
                                                (size_t)vm.ix * d->stride);

        rows->source[vm.ix] = (uint8_t)source;
        d->n_by_source[source]++;
        if (rows->mem_active_mib) {
            uint64_t mib = inv->vms[vm.ix].mem_mib;

            rows->mem_active_mib[vm.ix] =
                mib < UINT32_MAX ? (uint32_t)mib : UINT32_MAX;
        }
    }
}

bool
dcp_fit_has_active_memory(const struct dcp_store *store)
{
    return dcp_store_has(store, DCP_METRIC_MEM_MIB) &&
           strcmp(dcp_store_mem_basis(store), "allocated") != 0;
}
