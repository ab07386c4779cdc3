/* SPDX-License-Identifier: GPL-3.0-or-later */

/* One pass over the store in stripes of columns; per VM one pass over its
 * samples for what concerns all of them (how many, at the limit, highest),
 * then one selection per bucket that a slot asks for (traces/series.h).
 *
 * One thread: 100,000 VMs x 2,016 samples are 200 million samples, and a
 * sample costs a few nanoseconds, most of them the store's. */

#include "traces/fit.h"

#include "traces/columns.h"
#include "traces/fit_joint.h"
#include "traces/fit_rows.h"
#include "traces/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct fit {
    struct dcp_store *store;
    const struct dcp_inventory *inv;
    const struct dcp_placement *start;
    struct dcp_demand *demand;
    struct dcp_demand_rows rows;
    int64_t min_history_ms;
    struct dcp_joint_fit joint; /* Where policy.overload asks for it. */

    uint32_t first_cell, n_cells;
    struct dcp_series series; /* Of the VM at hand. */
    double *slot_want;        /* Of the VM at hand, by slot. */
    uint8_t *part_of_cell;    /* Of the local day; where disks are fitted. */

    float *stripe_rows[2]; /* DCP_STRIPE_COLUMNS x n_cells each. */
};

/* Whole cells in [from_ms, until_ms): no sample of the future, not even a
 * part of one, may have a say. */
static void
choose_cells(struct fit *f, int64_t from_ms, int64_t until_ms)
{
    int64_t start_ms = dcp_store_start_ms(f->store);
    int64_t step_ms = dcp_store_interval_ms(f->store);
    int64_t first = 0, end = 0;

    if (from_ms > start_ms) {
        int64_t late_ms = from_ms - start_ms;

        first = late_ms / step_ms + (late_ms % step_ms != 0);
    }
    if (until_ms > start_ms) {
        end = (until_ms - start_ms) / step_ms;
    }
    if (end > dcp_store_n_times(f->store)) {
        end = dcp_store_n_times(f->store);
    }
    f->first_cell = first < end ? (uint32_t)first : 0;
    f->n_cells = first < end ? (uint32_t)(end - first) : 0;
}

static uint32_t
trace_want(struct fit *f, const struct dcp_wish *wish)
{
    return dcp_series_fit(&f->series, f->demand->slots, f->demand->n_slots,
                          wish, f->slot_want);
}

static void
flat_want(struct fit *f, double want)
{
    for (uint32_t s = 0; s < f->demand->n_slots; s++) {
        f->slot_want[s] = want;
    }
}

/* For their means alone. */
static void
look_at_samples(struct fit *f)
{
    (void)trace_want(f, &(struct dcp_wish){ DCP_PREDICT_PEAK, 0, 0 });
}

static void
write_means(struct fit *f, uint32_t vm)
{
    const struct dcp_demand *d = f->demand;
    uint32_t *row = f->rows.cpu_mean_mhz + (size_t)vm * d->stride;

    dcp_series_means(&f->series, d->slots, d->n_slots, f->slot_want);
    for (uint32_t s = 0; s < d->n_slots; s++) {
        row[s] = f->slot_want[s] >= UINT32_MAX
                     ? UINT32_MAX
                     : (uint32_t)(f->slot_want[s] + 0.5);
    }
}

static void
write_row(const struct fit *f, double scale, double most, uint32_t row[])
{
    dcp_fit_write_row(f->slot_want, f->demand->n_slots, scale, most, row);
}

/* --- CPU ---------------------------------------------------------------- */

/* Puts a VM's samples, in reference MHz, into 'series'; those at its limit
 * are lower bounds of what it wanted, and are raised. */
static struct dcp_fit_history
load_cpu(struct fit *f, const float *raw, const struct dcp_fit_vm *of)
{
    struct dcp_fit_history h = { 0 };

    for (uint32_t c = 0; c < f->n_cells; c++) {
        f->series.value[c] = dcp_fit_count(of, c, raw[c], &h);
    }
    return h;
}

static void
fit_cpu(struct fit *f, const struct dcp_column *pair, const float *raw)
{
    struct dcp_demand *d = f->demand;
    dcp_vm_id vm = { pair->vm };
    const struct dcp_tier *tier = &f->inv->tiers[f->inv->vms[vm.ix].tier.ix];
    struct dcp_fit_vm of = dcp_fit_vm(f->store, f->inv, f->start, pair);
    struct dcp_fit_history h = load_cpu(f, raw, &of);

    if (h.n == 0) {
        return; /* Its row from the model stays. */
    }
    struct dcp_fit_span span = { f->n_cells, dcp_store_interval_ms(f->store),
                                 f->min_history_ms };
    double flat = dcp_fit_cpu_flat(f->inv, vm.ix, &of, &h, &span, d, &f->rows);

    f->series.most = of.ceiling_mhz;
    if (isnan(flat)) {
        struct dcp_wish wish = { f->inv->policy.predictor, tier->percentile,
                                 f->inv->policy.predict_sigmas };

        d->n_class_fallback += trace_want(f, &wish);
    } else {
        look_at_samples(f);
        flat_want(f, flat);
    }
    double scale = 1 + tier->margin_frac;
    uint32_t *row = f->rows.cpu_mhz + (size_t)vm.ix * d->stride;

    write_row(f, scale, of.ceiling_mhz * scale, row);
    if (d->scenarios && f->rows.source[vm.ix] == DCP_DEMAND_TRACE) {
        dcp_joint_fit_vm(&f->joint, &f->series, d, vm.ix, scale,
                         of.ceiling_mhz * scale, row);
    }
    write_means(f, vm.ix);
}

/* --- Network and memory ------------------------------------------------- */

static void
fit_net(struct fit *f, const struct dcp_column *pair, const float *rx,
        const float *tx)
{
    const struct dcp_tier *tier = &f->inv->tiers[f->inv->vms[pair->vm].tier.ix];
    uint32_t n = 0;
    float peak = 0;

    f->series.most = INFINITY;
    for (uint32_t c = 0; c < f->n_cells; c++) {
        float x = fmaxf(rx[c], tx[c]); /* NaN only where both are. */

        f->series.value[c] = x;
        if (!isnan(x)) {
            n++;
            peak = x > peak ? x : peak;
        }
    }
    if (n == 0) {
        return;
    }
    if ((int64_t)n * dcp_store_interval_ms(f->store) < f->min_history_ms) {
        flat_want(f, peak);
    } else {
        (void)trace_want(f, &(struct dcp_wish){ DCP_PREDICT_PERCENTILE,
                                                tier->percentile, 0 });
    }
    write_row(f, 1 + tier->margin_frac, INFINITY,
              f->rows.net_kib_s + (size_t)pair->vm * f->demand->stride);
}

static void
fit_mem(struct fit *f, const struct dcp_column *pair, const float *raw)
{
    uint32_t n = 0;

    for (uint32_t c = 0; c < f->n_cells; c++) {
        if (!isnan(raw[c])) {
            f->series.scratch[n++] = raw[c];
        }
    }
    if (n == 0) {
        return;
    }
    f->rows.mem_active_mib[pair->vm] = dcp_fit_active_mib(
        f->inv, pair->vm,
        dcp_percentile(f->series.scratch, n, DCP_FIT_MEM_PERCENTILE));
}

/* --- All VMs ------------------------------------------------------------ */

static bool
read_rows(struct fit *f, enum dcp_metric metric,
          const struct dcp_stripe *stripe, uint32_t into, struct dcp_error *err)
{
    if (!dcp_store_has(f->store, metric)) {
        for (size_t i = 0; i < (size_t)stripe->n_columns * f->n_cells; i++) {
            f->stripe_rows[into][i] = NAN;
        }
        return true;
    }
    return dcp_store_read(f->store, metric, stripe->column, stripe->n_columns,
                          f->first_cell, f->n_cells, f->stripe_rows[into], err);
}

/* The tier's percentile of the samples that were gathered, with its margin. */
static uint32_t
percentile_of(struct fit *f, const struct dcp_tier *tier, uint32_t n)
{
    double kib_s = (1 + tier->margin_frac) *
                   dcp_percentile(f->series.scratch, n, tier->percentile);

    return kib_s >= 4294967294.0 ? UINT32_MAX - 1
                                 : (uint32_t)ceil(kib_s - 1e-6);
}

/* Reads and writes together, of one part of the day or (DCP_DAY_PARTS) of all;
 * how many. */
static uint32_t
gather_disk(struct fit *f, const float *reads, const float *writes,
            uint32_t part)
{
    uint32_t n = 0;

    for (uint32_t c = 0; c < f->n_cells; c++) {
        if ((!isnan(reads[c]) || !isnan(writes[c])) &&
            (part == DCP_DAY_PARTS || f->part_of_cell[c] == part)) {
            f->series.scratch[n++] = (isnan(reads[c]) ? 0 : reads[c]) +
                                     (isnan(writes[c]) ? 0 : writes[c]);
        }
    }
    return n;
}

static void
fit_disk(struct fit *f, const struct dcp_column *pair, const float *reads,
         const float *writes)
{
    const struct dcp_tier *tier = &f->inv->tiers[f->inv->vms[pair->vm].tier.ix];

    for (uint32_t part = 0; part <= DCP_DAY_PARTS; part++) {
        uint32_t n = gather_disk(f, reads, writes, part);
        uint32_t *to =
            part < DCP_DAY_PARTS
                ? &f->rows
                       .disk_part_kib_s[(size_t)pair->vm * DCP_DAY_PARTS + part]
                : &f->rows.disk_kib_s[pair->vm];

        if (n) {
            *to = percentile_of(f, tier, n);
        }
    }
}

enum part { PART_CPU, PART_NET, PART_MEM, PART_DISK };

static void
fit_stripe_part(struct fit *f, const struct dcp_stripe *stripe, enum part part)
{
    uint32_t row = 0;

    for (uint32_t i = 0; i < stripe->n_pairs; i++) {
        const struct dcp_column *pair = &stripe->pairs[i];

        while (stripe->column[row] != pair->column) {
            row++;
        }
        const float *a = f->stripe_rows[0] + (size_t)row * f->n_cells;
        const float *b = f->stripe_rows[1] + (size_t)row * f->n_cells;

        switch (part) {
        case PART_CPU:
            fit_cpu(f, pair, a);
            break;
        case PART_NET:
            fit_net(f, pair, a, b);
            break;
        case PART_MEM:
            fit_mem(f, pair, a);
            break;
        case PART_DISK:
            fit_disk(f, pair, a, b);
            break;
        }
    }
}

static bool
fit_stripes(struct fit *f, struct dcp_error *err)
{
    struct dcp_columns columns;
    struct dcp_stripe stripe;
    uint32_t at = 0;
    bool ok = dcp_columns_map(f->store, f->inv, &columns, err);

    while (ok && dcp_columns_next(&columns, &at, &stripe)) {
        if (dcp_store_has(f->store, DCP_METRIC_CPU_MHZ)) {
            ok = read_rows(f, DCP_METRIC_CPU_MHZ, &stripe, 0, err);
            if (ok) {
                fit_stripe_part(f, &stripe, PART_CPU);
            }
        }
        if (ok && f->rows.net_kib_s) {
            ok = read_rows(f, DCP_METRIC_NET_RX_KIB_S, &stripe, 0, err) &&
                 read_rows(f, DCP_METRIC_NET_TX_KIB_S, &stripe, 1, err);
            if (ok) {
                fit_stripe_part(f, &stripe, PART_NET);
            }
        }
        if (ok && f->rows.mem_active_mib) {
            ok = read_rows(f, DCP_METRIC_MEM_MIB, &stripe, 0, err);
            if (ok) {
                fit_stripe_part(f, &stripe, PART_MEM);
            }
        }
        if (ok && f->rows.disk_kib_s) {
            ok = read_rows(f, DCP_METRIC_DISK_READ_KIB_S, &stripe, 0, err) &&
                 read_rows(f, DCP_METRIC_DISK_WRITE_KIB_S, &stripe, 1, err);
            if (ok) {
                fit_stripe_part(f, &stripe, PART_DISK);
            }
        }
    }
    dcp_columns_finish(&columns);
    return ok;
}

static bool
find_day_parts(struct fit *f, struct dcp_arena *scratch)
{
    int64_t step_ms = dcp_store_interval_ms(f->store);

    f->part_of_cell = dcp_arena_array(scratch, uint8_t, f->n_cells);
    for (uint32_t c = 0; f->part_of_cell && c < f->n_cells; c++) {
        int64_t at_ms = dcp_store_start_ms(f->store) +
                        ((int64_t)f->first_cell + c) * step_ms;

        f->part_of_cell[c] = (uint8_t)dcp_day_part(
            dcp_zone_local(f->inv->zone, at_ms).ms_of_day);
    }
    return f->part_of_cell != NULL;
}

static bool
prepare(struct fit *f, struct dcp_arena *scratch, struct dcp_error *err)
{
    uint64_t stripe = (uint64_t)f->n_cells * DCP_STRIPE_COLUMNS;

    f->slot_want = dcp_arena_array(scratch, double, f->demand->n_slots);
    if (stripe <= SIZE_MAX / sizeof(float)) {
        f->stripe_rows[0] = dcp_arena_array(scratch, float, (size_t)stripe);
        f->stripe_rows[1] =
            f->rows.net_kib_s || f->rows.disk_kib_s
                ? dcp_arena_array(scratch, float, (size_t)stripe)
                : f->stripe_rows[0];
    }
    if (!f->slot_want || !f->stripe_rows[0] || !f->stripe_rows[1] ||
        (f->rows.disk_kib_s && !find_day_parts(f, scratch))) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to fit %u samples a VM",
                        f->n_cells);
    }
    return dcp_series_init(&f->series, scratch, f->store, f->inv, f->first_cell,
                           f->n_cells, err) &&
           (!f->inv->policy.overload ||
            dcp_joint_fit_init(&f->joint, scratch, &f->series, &f->inv->policy,
                               dcp_store_interval_ms(f->store),
                               f->min_history_ms, f->demand, err));
}

struct dcp_demand *
dcp_fit(struct dcp_store *store, const struct dcp_inventory *inv,
        const struct dcp_placement *start, const struct dcp_slot slots[],
        uint32_t n_slots, int64_t from_ms, int64_t until_ms,
        struct dcp_error *err)
{
    bool with_net = dcp_store_has(store, DCP_METRIC_NET_RX_KIB_S) ||
                    dcp_store_has(store, DCP_METRIC_NET_TX_KIB_S);
    struct fit f = {
        .store = store,
        .inv = inv,
        .start = start,
        .min_history_ms = from_ms == INT64_MIN ? inv->policy.min_history_ms : 0,
    };

    if (!dcp_fit_slots_check(inv, slots, n_slots, err)) {
        return NULL;
    }
    choose_cells(&f, from_ms, until_ms);
    DCP_AUTO(dcp_arena) struct dcp_arena *scratch = dcp_arena_create(0);
    DCP_AUTO(dcp_demand)
    struct dcp_demand *d =
        dcp_demand_create(inv->n_vms, slots, n_slots, with_net,
                          dcp_fit_has_active_memory(store), &f.rows, err);

    if (!d) {
        return NULL;
    }
    if (!scratch) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to fit demand");
        return NULL;
    }
    /* Read only where a VM has volumes in pools: else nobody asks. */
    if (inv->n_pools && inv->n_volumes &&
        (dcp_store_has(store, DCP_METRIC_DISK_READ_KIB_S) ||
         dcp_store_has(store, DCP_METRIC_DISK_WRITE_KIB_S)) &&
        !dcp_demand_add_disk(d, &f.rows, err)) {
        return NULL;
    }
    f.demand = d;
    d->at_limit_raise_frac = DCP_FIT_AT_LIMIT_RAISE_FRAC;
    dcp_fit_from_model(inv, NULL, d, &f.rows);
    if (f.n_cells) {
        if (!dcp_demand_add_means(d, &f.rows, err)) {
            return NULL;
        }
        memcpy(f.rows.cpu_mean_mhz, d->cpu_mhz,
               (size_t)d->n_vms * d->stride * sizeof *d->cpu_mhz);
        d->from_ms = dcp_store_start_ms(store) +
                     f.first_cell * dcp_store_interval_ms(store);
        d->until_ms = d->from_ms + f.n_cells * dcp_store_interval_ms(store);
        if (!prepare(&f, scratch, err) || !fit_stripes(&f, err)) {
            return NULL;
        }
        for (uint32_t v = 0; d->scenarios && v < d->n_vms; v++) {
            if (f.rows.source[v] != DCP_DEMAND_TRACE) {
                dcp_scenarios_fill_flat(
                    d, v, f.joint.cpu_mhz + (size_t)v * d->scenarios->stride);
            }
        }
    }
    if (!dcp_store_digest(store, d->traces_digest, err)) {
        return NULL;
    }
    return DCP_STEAL(d);
}
