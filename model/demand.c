/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/demand.h"

#include "model/capacity.h"

#include <math.h>
#include <string.h>

/* The share of its CPU that 'profile' gives at the instant. */
static double
profile_frac(const struct dcp_inventory *inv, const struct dcp_profile *profile,
             const struct dcp_zone *zone, int64_t utc_ms)
{
    struct dcp_local local = dcp_zone_local(zone, utc_ms);
    uint32_t day_class = dcp_calendar_class(&inv->calendar, local.day);
    uint32_t hour = (uint32_t)(local.ms_of_day / DCP_HOUR_MS);

    return profile->cpu_frac[day_class * 24 + hour];
}

enum dcp_demand_source
dcp_demand_row_from_model(const struct dcp_inventory *inv, dcp_vm_id id,
                          const struct dcp_slot *slots, uint32_t n_slots,
                          uint32_t out_cpu_mhz[])
{
    const struct dcp_vm *vm = &inv->vms[id.ix];
    uint32_t ceiling_mhz = dcp_vm_ceiling_mhz(inv, id, vm->host);

    if (dcp_profile_is_none(vm->profile)) {
        for (uint32_t s = 0; s < n_slots; s++) {
            out_cpu_mhz[s] = ceiling_mhz;
        }
        return DCP_DEMAND_ALLOCATION;
    }
    const struct dcp_profile *profile = &inv->profiles[vm->profile.ix];
    const struct dcp_zone *zone =
        dcp_host_is_none(vm->host) ? inv->zone : dcp_host_zone(inv, vm->host);
    double margin = 1 + inv->tiers[vm->tier.ix].margin_frac;

    for (uint32_t s = 0; s < n_slots; s++) {
        /* Slots are hours of the model's zone; where the site's zone is half
         * an hour off, one touches two hours. */
        double frac =
            fmax(profile_frac(inv, profile, zone, slots[s].start_ms),
                 profile_frac(inv, profile, zone, slots[s].end_ms - 1));
        double mhz = fmin(fmax(frac, 0), 1) * ceiling_mhz * margin;

        out_cpu_mhz[s] =
            mhz >= 4294967295.0 ? UINT32_MAX : (uint32_t)ceil(mhz - 1e-6);
    }
    return DCP_DEMAND_PROFILE;
}

struct dcp_demand *
dcp_demand_create(uint32_t n_vms, const struct dcp_slot *slots,
                  uint32_t n_slots, bool with_net, bool with_mem,
                  struct dcp_demand_rows *out, struct dcp_error *err)
{
    struct dcp_arena *arena = dcp_arena_create(0);
    struct dcp_demand *d =
        arena ? dcp_arena_new(arena, struct dcp_demand) : NULL;

    if (d) {
        uint64_t stride = ((uint64_t)n_slots + 7) / 8 * 8;
        uint64_t cells = stride * n_vms;
        struct dcp_slot *copy =
            dcp_arena_array(arena, struct dcp_slot, n_slots);

        *out = (struct dcp_demand_rows){ 0 };
        if (stride <= UINT32_MAX && cells <= SIZE_MAX / sizeof(uint32_t)) {
            out->cpu_mhz = dcp_arena_array(arena, uint32_t, (size_t)cells);
        }
        out->source = dcp_arena_array(arena, uint8_t, n_vms);
        if (with_net && out->cpu_mhz) {
            out->net_kib_s = dcp_arena_array(arena, uint32_t, (size_t)cells);
        }
        if (with_mem) {
            out->mem_active_mib = dcp_arena_array(arena, uint32_t, n_vms);
        }
        if (copy && out->cpu_mhz && out->source &&
            (!with_net || out->net_kib_s) &&
            (!with_mem || out->mem_active_mib)) {
            memcpy(copy, slots, n_slots * sizeof *copy);
            d->arena = arena;
            d->n_vms = n_vms;
            d->n_slots = n_slots;
            d->stride = (uint32_t)stride;
            d->slots = copy;
            d->cpu_mhz = out->cpu_mhz;
            d->net_kib_s = out->net_kib_s;
            d->mem_active_mib = out->mem_active_mib;
            d->source = out->source;
            return d;
        }
    }
    dcp_arena_destroy(arena);
    (void)dcp_fail(err, DCP_E_NOMEM,
                   "no memory for the demand of %u VMs in %u slots", n_vms,
                   n_slots);
    return NULL;
}

bool
dcp_demand_add_disk(struct dcp_demand *d, struct dcp_demand_rows *rows,
                    struct dcp_error *err)
{
    size_t n_parts = (size_t)d->n_vms * DCP_DAY_PARTS;

    rows->disk_kib_s = dcp_arena_array(d->arena, uint32_t, d->n_vms);
    rows->disk_part_kib_s = dcp_arena_array(d->arena, uint32_t, n_parts);
    if (!rows->disk_kib_s || !rows->disk_part_kib_s) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the demand of disks");
    }
    for (uint32_t v = 0; v < d->n_vms; v++) {
        rows->disk_kib_s[v] = UINT32_MAX;
    }
    for (size_t k = 0; k < n_parts; k++) {
        rows->disk_part_kib_s[k] = UINT32_MAX;
    }
    d->disk_kib_s = rows->disk_kib_s;
    d->disk_part_kib_s = rows->disk_part_kib_s;
    return true;
}

bool
dcp_demand_add_means(struct dcp_demand *d, struct dcp_demand_rows *rows,
                     struct dcp_error *err)
{
    rows->cpu_mean_mhz =
        dcp_arena_array(d->arena, uint32_t, (size_t)d->n_vms * d->stride);
    if (!rows->cpu_mean_mhz) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for expected demand");
    }
    d->cpu_mean_mhz = rows->cpu_mean_mhz;
    return true;
}

/* By slot, the one of 'd' that it lies in. */
static bool
find_slots(const struct dcp_demand *d, const struct dcp_slot slots[],
           uint32_t n_slots, uint32_t out[], struct dcp_error *err)
{
    uint32_t k = 0;

    for (uint32_t s = 0; s < n_slots; s++) {
        while (k < d->n_slots && d->slots[k].end_ms <= slots[s].start_ms) {
            k++;
        }
        if (k == d->n_slots || d->slots[k].start_ms > slots[s].start_ms ||
            d->slots[k].end_ms < slots[s].end_ms ||
            d->slots[k].bucket != slots[s].bucket) {
            return dcp_fail(err, DCP_E_ARGUMENT,
                            "slot %u is not part of this demand", s);
        }
        out[s] = k;
    }
    return true;
}

static void
copy_rows(const struct dcp_demand *from, const uint32_t *at,
          struct dcp_demand *to, struct dcp_demand_rows *rows)
{
    for (uint32_t v = 0; v < to->n_vms; v++) {
        for (uint32_t s = 0; s < to->n_slots; s++) {
            size_t cell = (size_t)v * to->stride + s;
            size_t of = (size_t)v * from->stride + at[s];

            rows->cpu_mhz[cell] = from->cpu_mhz[of];
            if (from->cpu_mean_mhz) {
                rows->cpu_mean_mhz[cell] = from->cpu_mean_mhz[of];
            }
            if (from->net_kib_s) {
                rows->net_kib_s[cell] = from->net_kib_s[of];
            }
        }
    }
    memcpy(rows->source, from->source, from->n_vms);
    if (from->mem_active_mib) {
        memcpy(rows->mem_active_mib, from->mem_active_mib,
               from->n_vms * sizeof *rows->mem_active_mib);
    }
    if (from->disk_kib_s) {
        memcpy(rows->disk_kib_s, from->disk_kib_s,
               from->n_vms * sizeof *rows->disk_kib_s);
    }
    if (from->disk_part_kib_s) {
        memcpy(rows->disk_part_kib_s, from->disk_part_kib_s,
               (size_t)from->n_vms * DCP_DAY_PARTS *
                   sizeof *rows->disk_part_kib_s);
    }
}

struct dcp_demand *
dcp_demand_part(const struct dcp_demand *d, const struct dcp_slot slots[],
                uint32_t n_slots, struct dcp_error *err)
{
    struct dcp_demand_rows rows;
    DCP_AUTO(dcp_demand)
    struct dcp_demand *part =
        dcp_demand_create(d->n_vms, slots, n_slots, d->net_kib_s != NULL,
                          d->mem_active_mib != NULL, &rows, err);
    uint32_t *at =
        part ? dcp_arena_array(part->arena, uint32_t, n_slots) : NULL;

    if (part && !at) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a demand");
    }
    if (!at || !find_slots(d, slots, n_slots, at, err) ||
        (d->cpu_mean_mhz && !dcp_demand_add_means(part, &rows, err)) ||
        (d->disk_kib_s && !dcp_demand_add_disk(part, &rows, err))) {
        return NULL;
    }
    copy_rows(d, at, part, &rows);
    memcpy(part->n_by_source, d->n_by_source, sizeof part->n_by_source);
    part->n_vms_at_limit = d->n_vms_at_limit;
    part->n_samples_at_limit = d->n_samples_at_limit;
    part->at_limit_raise_frac = d->at_limit_raise_frac;
    part->n_vms_partial = d->n_vms_partial;
    part->n_vms_above_hosts = d->n_vms_above_hosts;
    part->n_class_fallback = d->n_class_fallback;
    part->from_ms = d->from_ms;
    part->until_ms = d->until_ms;
    memcpy(part->traces_digest, d->traces_digest, sizeof part->traces_digest);
    return DCP_STEAL(part);
}

struct dcp_demand *
dcp_demand_from_model(const struct dcp_inventory *inv,
                      const struct dcp_slot *slots, uint32_t n_slots,
                      struct dcp_error *err)
{
    struct dcp_demand_rows rows;
    struct dcp_demand *d =
        dcp_demand_create(inv->n_vms, slots, n_slots, false, false, &rows, err);

    if (!d) {
        return NULL;
    }
    for (dcp_vm_id vm = { 0 }; vm.ix < inv->n_vms; vm.ix++) {
        enum dcp_demand_source source = dcp_demand_row_from_model(
            inv, vm, slots, n_slots, rows.cpu_mhz + (size_t)vm.ix * d->stride);

        rows.source[vm.ix] = (uint8_t)source;
        d->n_by_source[source]++;
    }
    return d;
}

/* The same of a VM's joint samples, whose means are its row. */
static bool
cap_scenarios(const struct dcp_demand *d, uint32_t vm, uint32_t most_mhz,
              uint32_t *cpu_mhz)
{
    const struct dcp_scenarios *s = d->scenarios;
    bool above = false;

    if (!s) {
        return false;
    }
    uint32_t *row = (uint32_t *)(size_t)s->cpu_mhz + (size_t)vm * s->stride;

    for (uint32_t c = 0; c < s->n; c++) {
        above |= row[c] > most_mhz;
        row[c] = row[c] > most_mhz ? most_mhz : row[c];
    }
    if (above) {
        dcp_scenarios_means(s, d->n_slots, row,
                            cpu_mhz + (size_t)vm * d->stride);
    }
    return above;
}

void
dcp_demand_cap(struct dcp_demand *d, const struct dcp_inventory *inv)
{
    uint32_t *cpu = (uint32_t *)(size_t)d->cpu_mhz; /* Just made: not shared. */
    uint32_t most_mhz = 0;

    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        uint32_t mhz = dcp_host_usable(inv, (dcp_host_id){ h }).cpu_mhz;

        if (inv->hosts[h].state != DCP_HOST_MAINTENANCE && mhz > most_mhz) {
            most_mhz = mhz;
        }
    }
    d->n_vms_above_hosts = 0;
    for (uint32_t v = 0; most_mhz && v < d->n_vms; v++) {
        bool above = cap_scenarios(d, v, most_mhz, cpu);

        for (uint32_t t = 0; t < d->n_slots; t++) {
            uint32_t *cell = &cpu[(size_t)v * d->stride + t];

            above |= *cell > most_mhz;
            *cell = *cell > most_mhz ? most_mhz : *cell;
        }
        d->n_vms_above_hosts += above;
    }
}

const char *
dcp_demand_rule(const struct dcp_inventory *inv, const struct dcp_demand *d)
{
    static const char *const rules[] = {
        [DCP_PREDICT_PERCENTILE] = "sum of per-VM percentiles",
        [DCP_PREDICT_PEAK] = "sum of per-VM peaks",
        [DCP_PREDICT_NSIGMA] = "sum of per-VM means and sigmas",
        [DCP_PREDICT_RATIO] = "sum of shares of what VMs were given",
        [DCP_PREDICT_MAX] =
            "sum of per-VM percentiles, or means and sigmas where more",
    };

    return d->scenarios ? "joint history" : rules[inv->policy.predictor];
}

void
dcp_demand_destroy(struct dcp_demand *d)
{
    if (d) {
        dcp_arena_destroy(d->arena);
    }
}

#define FEW_LARGEST 16

/* The m-th largest, for small m: one comparison per value that is rarely true.
 * High percentiles of an hour's samples are of this kind. */
static float
mth_largest(const float values[], uint32_t n, uint32_t m)
{
    float top[FEW_LARGEST]; /* Descending. */
    uint32_t n_top = 0;

    for (uint32_t i = 0; i < n; i++) {
        float x = values[i];

        if (n_top == m && !(x > top[m - 1])) {
            continue;
        }
        uint32_t at = n_top < m ? n_top++ : m - 1;

        for (; at > 0 && top[at - 1] < x; at--) {
            top[at] = top[at - 1];
        }
        top[at] = x;
    }
    return top[m - 1];
}

/* Hoare's quickselect with the median of three as pivot: no extra memory, and
 * runs of equal values (idle VMs) split evenly. */
float
dcp_percentile(float values[], uint32_t n, double p)
{
    /* 1e-9: 0.95 x 20 is 19, however it rounds. */
    double rank = ceil(p * n - 1e-9);
    uint32_t k = rank < 1 ? 0 : rank > n ? n - 1 : (uint32_t)rank - 1;
    int64_t low = 0, high = (int64_t)n - 1;

    if (n - k <= FEW_LARGEST) {
        return mth_largest(values, n, n - k);
    }

    while (low < high) {
        float a = values[low], b = values[low + (high - low) / 2];
        float c = values[high];
        float pivot = a < b ? (b < c   ? b
                               : a < c ? c
                                       : a)
                            : (a < c   ? a
                               : b < c ? c
                                       : b);
        int64_t i = low, j = high;

        while (i <= j) {
            while (values[i] < pivot) {
                i++;
            }
            while (pivot < values[j]) {
                j--;
            }
            if (i <= j) {
                float swapped = values[i];

                values[i++] = values[j];
                values[j--] = swapped;
            }
        }
        if (k <= j) {
            high = j;
        } else if (k >= i) {
            low = i;
        } else {
            break; /* Between: equal to the pivot. */
        }
    }
    return values[k];
}
