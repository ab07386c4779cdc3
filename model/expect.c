/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Of three courses (nothing done, the plan, its last placement held all along)
 * only the plan's changes within a slot, and there only the hosts of a step: so
 * each event settles what its hosts drew since they were last looked at.  In a
 * slot with events the plan's course starts anew for each instant. */

#include "model/expect.h"

#include "model/capacity.h"
#include "model/cost.h"
#include "model/course.h"
#include "model/plan_times.h"
#include "model/power.h"

#include <math.h>
#include <string.h>

#define MS_PER_HOUR 3600000.0
#define CELLS_MAX   (UINT64_C(16) << 20) /* Instants x VMs, of all slots. */

enum { PLAIN, PLANNED, HELD, COURSES };

struct walk {
    const struct dcp_inventory *inv;
    const struct dcp_demand *demand;
    const struct dcp_plan *plan;
    const struct dcp_samples *cpu; /* NULL: means only. */
    struct dcp_course course[COURSES];
    const struct dcp_plan_event *events;
    uint32_t n_events;
    uint32_t *bucket;        /* By cell of 'cpu'. */
    uint32_t *instants;      /* Of the slot at hand: cells. */
    uint32_t n_instants_max; /* Of a slot. */
    double *vm_mhz;          /* At the instant at hand. */
    uint32_t *site;          /* By host; n_sites: none. */
    double *cpu_mhz;         /* By host. */
    int64_t *since_ms;       /* By host: PLANNED is settled until then. */
    uint32_t *kept_host;     /* PLANNED as the slot began. */
    uint8_t *kept_power;
    double *it_kwh[COURSES]; /* By site, of the slot at hand. */
};

static void
settle(struct walk *w, int course, uint32_t host, int64_t from_ms,
       int64_t to_ms)
{
    const struct dcp_hardware *hw =
        &w->inv->hardware[w->inv->hosts[host].hardware.ix];

    w->it_kwh[course][w->site[host]] +=
        dcp_course_watts(&w->course[course], hw, w->cpu_mhz[host], host) *
        (double)(to_ms - from_ms) / MS_PER_HOUR / 1000;
}

static void
settle_planned(struct walk *w, uint32_t host, int64_t to_ms)
{
    if (host < w->inv->n_hosts && to_ms > w->since_ms[host]) {
        settle(w, PLANNED, host, w->since_ms[host], to_ms);
        w->since_ms[host] = to_ms;
    }
}

static void
do_event(struct walk *w, const struct dcp_plan_event *e)
{
    const struct dcp_step *s = &w->plan->steps[e->step];

    if (s->object.kind == DCP_OBJECT_HOST) {
        settle_planned(w, s->object.ix, e->at_ms);
    } else if (s->object.kind == DCP_OBJECT_VM && e->is_end) {
        settle_planned(w, w->course[PLANNED].host[s->object.ix], e->at_ms);
        if (s->to.kind == DCP_OBJECT_HOST) {
            settle_planned(w, s->to.ix, e->at_ms);
        }
    }
    dcp_course_step(&w->course[PLANNED], s, e->is_end);
}

/* The cells of the slot's bucket, evenly chosen where they are too many. */
static uint32_t
choose_instants(struct walk *w, uint32_t slot)
{
    uint32_t want = w->demand->slots[slot].bucket, have = 0, n = 0, k = 0;

    for (uint32_t t = 0; w->cpu && t < w->cpu->n_times; t++) {
        have += w->bucket[t] == want;
    }
    uint32_t most = have < w->n_instants_max ? have : w->n_instants_max;

    for (uint32_t t = 0; n < most; t++) {
        if (w->bucket[t] == want) {
            /* The n-th chosen is the one in the middle of its share. */
            if (k == (2 * (uint64_t)n + 1) * have / (2 * (uint64_t)most)) {
                w->instants[n++] = t;
            }
            k++;
        }
    }
    return n;
}

/* 'instant' UINT32_MAX: the means. */
static void
set_loads(struct walk *w, uint32_t slot, uint32_t instant)
{
    const struct dcp_demand *d = w->demand;
    const float *row = instant == UINT32_MAX
                           ? NULL
                           : w->cpu->value + (size_t)instant * d->n_vms;

    for (uint32_t v = 0; v < d->n_vms; v++) {
        w->vm_mhz[v] = row && !isnan(row[v])
                           ? row[v]
                           : d->cpu_mean_mhz[(size_t)v * d->stride + slot];
    }
    for (int k = 0; k < COURSES; k++) {
        dcp_course_load(&w->course[k], w->vm_mhz);
    }
}

/* One instant of the slot, with the events [first, last). */
static void
walk_instant(struct walk *w, const struct dcp_slot *slot, uint32_t first,
             uint32_t last)
{
    for (uint32_t h = 0; h < w->inv->n_hosts; h++) {
        settle(w, PLAIN, h, slot->start_ms, slot->end_ms);
        settle(w, HELD, h, slot->start_ms, slot->end_ms);
        w->since_ms[h] = slot->start_ms;
    }
    for (uint32_t e = first; e < last; e++) {
        do_event(w, &w->events[e]);
    }
    for (uint32_t h = 0; h < w->inv->n_hosts; h++) {
        settle_planned(w, h, slot->end_ms);
    }
}

/* Puts the means over its instants into 'it_kwh'; the first event after the
 * slot. */
static uint32_t
walk_slot(struct walk *w, uint32_t slot, uint32_t first)
{
    struct dcp_course *planned = &w->course[PLANNED];
    const struct dcp_slot *at = &w->demand->slots[slot];
    uint32_t n = choose_instants(w, slot), last = first;
    uint32_t times = n ? n : 1;

    for (int k = 0; k < COURSES; k++) {
        memset(w->it_kwh[k], 0,
               ((size_t)w->inv->n_sites + 1) * sizeof *w->it_kwh[k]);
    }
    while (last < w->n_events && w->events[last].at_ms < at->end_ms) {
        last++;
    }
    memcpy(w->kept_host, planned->host, planned->n_vms * sizeof(uint32_t));
    memcpy(w->kept_power, planned->power, planned->n_hosts);
    for (uint32_t i = 0; i < times; i++) {
        if (i && last > first) {
            memcpy(planned->host, w->kept_host,
                   planned->n_vms * sizeof(uint32_t));
            memcpy(planned->power, w->kept_power, planned->n_hosts);
        }
        set_loads(w, slot, n ? w->instants[i] : UINT32_MAX);
        walk_instant(w, at, first, last);
    }
    for (int k = 0; k < COURSES; k++) {
        for (uint32_t s = 0; s <= w->inv->n_sites; s++) {
            w->it_kwh[k][s] /= times;
        }
    }
    return last;
}

/* What the slot takes, at the meter and in money, and what is saved of it. */
static void
count_slot(const struct walk *w, const struct dcp_slot *slot,
           struct dcp_plan_expectation *out)
{
    const struct dcp_inventory *inv = w->inv;

    for (uint32_t s = 0; s <= inv->n_sites; s++) {
        dcp_site_id site =
            s < inv->n_sites ? (dcp_site_id){ s } : dcp_site_none();
        double share = dcp_site_pue_marginal(inv, site), price, carbon_g;
        double plain = w->it_kwh[PLAIN][s] * dcp_site_pue(inv, site);
        double saved = (w->it_kwh[PLAIN][s] - w->it_kwh[PLANNED][s]) * share;
        double packing = (w->it_kwh[PLAIN][s] - w->it_kwh[HELD][s]) * share;

        dcp_energy_price_mean(inv, site, slot->start_ms, slot->end_ms, &price,
                              &carbon_g);
        out->energy_kwh_before += plain;
        out->energy_cost_before += plain * price;
        out->energy_kwh_after += plain - saved;
        out->energy_cost_after += (plain - saved) * price;
        out->packing_kwh += packing;
        out->packing_cost += packing * price;
    }
}

/* What draws the same whatever runs where: the ledger of no host at all. */
static void
count_fixed(const struct walk *w, struct dcp_plan_expectation *out)
{
    struct dcp_inventory rest = *w->inv;

    rest.n_hosts = 0;
    struct dcp_energy_sum fixed = dcp_energy_planned(
        &rest, w->demand, w->plan->before, 0, w->demand->n_slots);

    out->energy_kwh_before += fixed.meter_kwh;
    out->energy_kwh_after += fixed.meter_kwh;
    out->energy_cost_before += fixed.cost;
    out->energy_cost_after += fixed.cost;
}

static bool
prepare_hosts(struct walk *w, struct dcp_arena *arena)
{
    const struct dcp_inventory *inv = w->inv;

    w->site = dcp_arena_array(arena, uint32_t, inv->n_hosts);
    w->cpu_mhz = dcp_arena_array(arena, double, inv->n_hosts);
    w->since_ms = dcp_arena_array(arena, int64_t, inv->n_hosts);
    w->kept_power = dcp_arena_array(arena, uint8_t, inv->n_hosts);
    if (!w->site || !w->cpu_mhz || !w->since_ms || !w->kept_power) {
        return false;
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        dcp_site_id site = dcp_host_site(inv, (dcp_host_id){ h });

        w->site[h] = dcp_site_is_none(site) ? inv->n_sites : site.ix;
        w->cpu_mhz[h] = dcp_host_capacity(inv, (dcp_host_id){ h }).cpu_mhz;
    }
    return true;
}

static bool
prepare(struct walk *w, struct dcp_arena *arena)
{
    const struct dcp_plan *plan = w->plan;
    const struct dcp_inventory *inv = w->inv;
    const struct dcp_demand *d = w->demand;
    uint32_t n_times = w->cpu ? w->cpu->n_times : 0;
    uint64_t per_instant = (uint64_t)d->n_slots * d->n_vms + 1;
    uint64_t most = CELLS_MAX / per_instant + 1;
    const struct dcp_placement *start[COURSES] = {
        plan->before, plan->before, plan->legs[plan->n_legs - 1].after
    };

    w->n_instants_max = most < DCP_EXPECT_INSTANTS_MAX
                            ? (uint32_t)most
                            : DCP_EXPECT_INSTANTS_MAX;
    w->bucket = dcp_arena_array(arena, uint32_t, n_times);
    w->instants = dcp_arena_array(arena, uint32_t, w->n_instants_max);
    w->vm_mhz = dcp_arena_array(arena, double, d->n_vms);
    w->kept_host = dcp_arena_array(arena, uint32_t, d->n_vms);
    for (int k = 0; k < COURSES; k++) {
        w->it_kwh[k] = dcp_arena_array(arena, double, (size_t)inv->n_sites + 1);
        if (!w->it_kwh[k] || !dcp_course_init(&w->course[k], start[k], arena)) {
            return false;
        }
    }
    for (uint32_t t = 0; w->bucket && t < n_times; t++) {
        w->bucket[t] =
            dcp_bucket_at(inv->policy.buckets, &inv->calendar, inv->zone,
                          w->cpu->start_ms + t * w->cpu->interval_ms);
    }
    return w->bucket && w->instants && w->vm_mhz && w->kept_host &&
           prepare_hosts(w, arena);
}

static bool
set_clock(struct walk *w, struct dcp_arena *arena, struct dcp_error *err)
{
    const struct dcp_plan *plan = w->plan;
    int64_t *start = dcp_arena_array(arena, int64_t, plan->n_steps);
    int64_t *end = dcp_arena_array(arena, int64_t, plan->n_steps);
    int64_t leg_end[DCP_LEGS_MAX];

    if (!start || !end) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the plan's clock");
    }
    if (!dcp_plan_times(w->inv, plan, arena, start, end, leg_end, err)) {
        return false;
    }
    w->events = dcp_plan_events(plan, start, end, arena);
    w->n_events = 2 * plan->n_steps;
    return w->events ||
           dcp_fail(err, DCP_E_NOMEM, "no memory for the plan's clock");
}

bool
dcp_expect(const struct dcp_inventory *inv, const struct dcp_demand *demand,
           const struct dcp_plan *plan, const struct dcp_samples *cpu,
           struct dcp_plan_expectation *out, struct dcp_error *err)
{
    struct walk w = { .inv = inv, .demand = demand, .plan = plan, .cpu = cpu };
    uint32_t event = 0;

    *out = dcp_plan_expectation_none();
    if (!demand->cpu_mean_mhz || !plan->n_legs) {
        return true;
    }
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);

    if (!arena || !prepare(&w, arena)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for what to expect");
    }
    if (!set_clock(&w, arena, err)) {
        return false;
    }
    *out = (struct dcp_plan_expectation){ 0 };
    for (uint32_t s = 0; s < demand->n_slots; s++) {
        event = walk_slot(&w, s, event);
        count_slot(&w, &demand->slots[s], out);
    }
    count_fixed(&w, out);
    return true;
}
