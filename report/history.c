/* SPDX-License-Identifier: GPL-3.0-or-later */

/* One pass over the samples in time order.  The night's joint loads are kept
 * per host on and sample, since a percentile needs them all; the rest is
 * summed on the way. */

#include "report/history.h"

#include "model/capacity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct pass {
    const struct dcp_report_input *in;
    const struct dcp_rows *rows;
    const struct dcp_timeline *tl;
    struct dcp_history *out;
    const struct dcp_placement *night, *day; /* With the plan. */
    struct dcp_window window;                /* Local hours of the night. */
    bool has_window;
    bool *has_samples;         /* By VM. */
    uint32_t slot_of_hour[24]; /* The plan's slot at that local hour. */
    double *capacity_mhz;      /* By host. */
    double *mhz[2];            /* By host, of this sample. */
    uint32_t *place;           /* By host: position in out->hosts. */
    double *planned;           /* [position * n_slots + slot]: load. */
    float *kept;               /* [position * n_night + sample] */
    uint32_t n_night;          /* Samples in the night's hours. */
    double *hour_mhz[2], *hour_capacity[2]; /* [row] */
    uint64_t n_compared, n_above;
};

static struct dcp_local
local_at(const struct pass *p, int64_t ms)
{
    return dcp_zone_local(p->in->inventory->zone, ms);
}

static bool
is_night(const struct pass *p, int64_t ms)
{
    return p->has_window &&
           dcp_window_contains(&p->window, local_at(p, ms).ms_of_day);
}

/* The hours in which the night's placement holds. */
static void
set_window(struct pass *p)
{
    const struct dcp_plan *plan = p->in->plan;
    int64_t from = p->tl->leg_end_ms[0];
    int64_t to = plan->n_legs > 1 ? plan->legs[plan->n_legs - 1].start_ms
                                  : p->tl->end_ms;

    p->night = plan->legs[0].after;
    p->day = plan->legs[plan->n_legs - 1].after;
    p->has_window = to > from;
    if (to - from >= DCP_DAY_MS) {
        p->window = (struct dcp_window){ 0, 1440 };
        return;
    }
    p->window.from_min = (int32_t)(local_at(p, from).ms_of_day / 60000);
    p->window.to_min = (int32_t)(local_at(p, to).ms_of_day / 60000);
    p->has_window = p->has_window && p->window.from_min != p->window.to_min;
}

static void
set_slots(struct pass *p)
{
    const struct dcp_demand *d = p->in->demand;

    for (uint32_t h = 0; h < 24; h++) {
        p->slot_of_hour[h] = p->tl->first_slot;
    }
    /* Backwards, so that the first slot of an hour counts. */
    for (uint32_t i = p->tl->n_slots; i-- > 0;) {
        uint32_t s = p->tl->first_slot + i;
        struct dcp_local l = local_at(p, d->slots[s].start_ms);

        p->slot_of_hour[l.ms_of_day / DCP_HOUR_MS] = s;
    }
}

static void
find_traced(struct pass *p)
{
    const struct dcp_samples *s = p->in->samples;

    for (uint32_t t = 0; t < s->n_times; t++) {
        const float *row = s->value + (size_t)t * s->n_vms;

        for (uint32_t vm = 0; vm < s->n_vms; vm++) {
            p->has_samples[vm] |= !isnan(row[vm]);
        }
    }
    for (uint32_t vm = 0; vm < s->n_vms; vm++) {
        p->out->n_without_samples += !p->has_samples[vm];
    }
}

/* The hosts that are on in the night and their planned load by slot. */
static bool
make_hosts(struct pass *p, struct dcp_arena *arena)
{
    const struct dcp_inventory *inv = p->in->inventory;
    const struct dcp_demand *d = p->in->demand;
    uint32_t n = 0;

    p->out->hosts =
        dcp_arena_array(arena, struct dcp_history_host, inv->n_hosts);
    p->place = dcp_arena_array(arena, uint32_t, inv->n_hosts);
    p->planned =
        dcp_arena_array(arena, double, (size_t)inv->n_hosts * p->tl->n_slots);
    if (!p->out->hosts || !p->place || !p->planned) {
        return false;
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        p->place[h] = DCP_IX_NONE;
        if (p->night->on[h] && p->capacity_mhz[h] > 0) {
            p->out->hosts[n].host = h;
            p->place[h] = n++;
        }
    }
    p->out->n_hosts = n;
    for (uint32_t vm = 0; vm < inv->n_vms; vm++) {
        uint32_t h = p->night->host[vm].ix;

        if (h == DCP_IX_NONE || p->place[h] == DCP_IX_NONE) {
            continue;
        }
        double *row = p->planned + (size_t)p->place[h] * p->tl->n_slots;
        const uint32_t *mhz = d->cpu_mhz + (size_t)vm * d->stride;

        for (uint32_t s = 0; s < p->tl->n_slots; s++) {
            row[s] += mhz[p->tl->first_slot + s] / p->capacity_mhz[h];
        }
    }
    return true;
}

static bool
pass_init(struct pass *p, struct dcp_arena *arena)
{
    const struct dcp_inventory *inv = p->in->inventory;
    const struct dcp_samples *s = p->in->samples;
    bool ok = true;

    set_window(p);
    set_slots(p);
    p->has_samples = dcp_arena_array(arena, bool, inv->n_vms);
    p->capacity_mhz = dcp_arena_array(arena, double, inv->n_hosts);
    for (int k = 0; k < 2; k++) {
        p->mhz[k] = dcp_arena_array(arena, double, inv->n_hosts);
        p->hour_mhz[k] = dcp_arena_array(arena, double, p->rows->n);
        p->hour_capacity[k] = dcp_arena_array(arena, double, p->rows->n);
        p->out->heat[k] = dcp_arena_array(arena, uint8_t,
                                          (size_t)p->rows->n * p->out->n_hours);
        ok = ok && p->mhz[k] && p->hour_mhz[k] && p->hour_capacity[k] &&
             p->out->heat[k];
    }
    if (!ok || !p->has_samples || !p->capacity_mhz) {
        return false;
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        p->capacity_mhz[h] = dcp_host_capacity(inv, (dcp_host_id){ h }).cpu_mhz;
    }
    find_traced(p);
    for (uint32_t t = 0; t < s->n_times; t++) {
        p->n_night += is_night(p, s->start_ms + t * s->interval_ms);
    }
    if (!make_hosts(p, arena)) {
        return false;
    }
    size_t n_kept = (size_t)p->n_night * p->out->n_hosts;

    p->kept = dcp_arena_array(arena, float, n_kept);
    return p->kept != NULL;
}

static void
sum_sample(struct pass *p, const float row[], const struct dcp_placement *with,
           uint32_t slot)
{
    const struct dcp_inventory *inv = p->in->inventory;
    const struct dcp_demand *d = p->in->demand;

    memset(p->mhz[0], 0, inv->n_hosts * sizeof *p->mhz[0]);
    memset(p->mhz[1], 0, inv->n_hosts * sizeof *p->mhz[1]);
    for (uint32_t vm = 0; vm < inv->n_vms; vm++) {
        double mhz = isnan(row[vm]) ? 0 : (double)row[vm];
        uint32_t before = p->in->plan->before->host[vm].ix;
        uint32_t after = with->host[vm].ix;

        if (!p->has_samples[vm]) {
            mhz = d->cpu_mhz[(size_t)vm * d->stride + slot];
        }
        if (before != DCP_IX_NONE) {
            p->mhz[0][before] += mhz;
        }
        if (after != DCP_IX_NONE) {
            p->mhz[1][after] += mhz;
        }
    }
}

static void
add_night_sample(struct pass *p, uint32_t sample, uint32_t slot)
{
    double seconds = (double)p->in->samples->interval_ms / 1000;
    uint32_t n_hosts = p->in->inventory->n_hosts;

    for (uint32_t h = 0; h < n_hosts; h++) {
        double capacity = p->capacity_mhz[h];

        if (p->in->plan->before->on[h]) {
            p->out->night_host_s[0] += seconds;
            p->out->over_host_s[0] += p->mhz[0][h] > capacity ? seconds : 0;
        }
        uint32_t at = p->place[h];

        if (at == DCP_IX_NONE) {
            continue;
        }
        double load = p->mhz[1][h] / capacity;
        double planned =
            p->planned[(size_t)at * p->tl->n_slots + slot - p->tl->first_slot];

        p->kept[(size_t)at * p->n_night + sample] = (float)load;
        p->out->night_host_s[1] += seconds;
        p->out->over_host_s[1] += load > 1 ? seconds : 0;
        p->out->hosts[at].over_s += load > 1 ? seconds : 0;
        p->n_compared++;
        p->n_above += load > planned;
        if (p->out->hosts[at].planned_frac < planned) {
            p->out->hosts[at].planned_frac = planned;
        }
    }
}

static void
add_hour(struct pass *p, const struct dcp_placement *with)
{
    const struct dcp_placement *state[2] = { p->in->plan->before, with };

    for (uint32_t h = 0; h < p->in->inventory->n_hosts; h++) {
        uint32_t row = p->rows->row_of_host[h];

        for (int k = 0; k < 2; k++) {
            if (state[k]->on[h]) {
                p->hour_mhz[k][row] += p->mhz[k][h];
                p->hour_capacity[k][row] += p->capacity_mhz[h];
            }
        }
    }
}

static void
end_hour(struct pass *p, uint32_t hour)
{
    for (int k = 0; k < 2; k++) {
        for (uint32_t r = 0; r < p->rows->n; r++) {
            double capacity = p->hour_capacity[k][r];

            p->out->heat[k][(size_t)r * p->out->n_hours + hour] =
                capacity > 0 ? dcp_heat_cell(p->hour_mhz[k][r] / capacity)
                             : DCP_HEAT_OFF;
            p->hour_mhz[k][r] = p->hour_capacity[k][r] = 0;
        }
    }
}

static void
run_pass(struct pass *p)
{
    const struct dcp_samples *s = p->in->samples;
    uint32_t hour = 0, sample = 0;
    bool was_night = false;

    for (uint32_t t = 0; t < s->n_times; t++) {
        int64_t ms = s->start_ms + t * s->interval_ms;
        bool night = is_night(p, ms);
        uint32_t slot =
            p->slot_of_hour[local_at(p, ms).ms_of_day / DCP_HOUR_MS];
        const struct dcp_placement *with = night ? p->night : p->day;

        while (hour + 1 < p->out->n_hours &&
               ms >= p->out->start_ms + (hour + 1) * DCP_HOUR_MS) {
            end_hour(p, hour++);
        }
        sum_sample(p, s->value + (size_t)t * s->n_vms, with, slot);
        add_hour(p, with);
        if (night) {
            add_night_sample(p, sample++, slot);
        }
        p->out->n_nights += night && !was_night;
        was_night = night;
    }
    end_hour(p, hour);
}

static void
finish(struct pass *p)
{
    for (uint32_t i = 0; p->n_night && i < p->out->n_hosts; i++) {
        struct dcp_history_host *host = &p->out->hosts[i];
        float *loads = p->kept + (size_t)i * p->n_night;

        host->p95_frac = (double)dcp_percentile(loads, p->n_night, 0.95);
        host->peak_frac = (double)dcp_percentile(loads, p->n_night, 1);
    }
    p->out->n_samples = p->n_night;
    p->out->above_plan_frac =
        p->n_compared ? (double)p->n_above / (double)p->n_compared : 0;
}

bool
dcp_history_make(const struct dcp_report_input *in, const struct dcp_rows *rows,
                 const struct dcp_timeline *tl, struct dcp_arena *arena,
                 struct dcp_history *out, struct dcp_error *err)
{
    const struct dcp_samples *s = in->samples;
    struct pass p = { .in = in, .rows = rows, .tl = tl, .out = out };

    *out = (struct dcp_history){ 0 };
    if (!s || s->n_times == 0 || s->interval_ms <= 0) {
        return true;
    }
    if (s->n_vms != in->inventory->n_vms) {
        return dcp_fail(err, DCP_E_ARGUMENT,
                        "samples of %u VMs for a model of %u", s->n_vms,
                        in->inventory->n_vms);
    }
    int64_t end_ms = s->start_ms + s->n_times * s->interval_ms;

    out->present = true;
    out->in_sample = in->demand->until_ms > s->start_ms;
    out->interval_ms = s->interval_ms;
    out->start_ms = s->start_ms - (s->start_ms % DCP_HOUR_MS);
    out->n_hours =
        (uint32_t)((end_ms - out->start_ms + DCP_HOUR_MS - 1) / DCP_HOUR_MS);
    if (!pass_init(&p, arena)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the history");
    }
    run_pass(&p);
    finish(&p);
    return true;
}
