/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Three courses of the same hours are walked side by side in small cells of
 * time: without the plan, with it, and with the last leg's placement held all
 * along.  Per course a host's load is the sum over its VMs, recomputed when a
 * slot begins and adjusted by each move; so a cell costs one look at each
 * host. */

#include "report/timeline.h"
#include "model/capacity.h"
#include "model/course.h"
#include "model/plan_times.h"
#include "model/power.h"

#include <math.h>

#define CELLS_PER_POINT 5
#define POINT_MS        (5 * INT64_C(60000))
#define POINTS_MAX      1500
#define MS_PER_HOUR     3600000.0

enum { HELD = 2, COURSES };
struct host_fact {
    const struct dcp_hardware *hw;
    double cpu_mhz, pue, pue_marginal;
    uint32_t site; /* n_sites: none. */
};

struct walk {
    const struct dcp_report_input *in;
    const struct dcp_rows *rows;
    struct dcp_timeline *out;
    struct host_fact *facts;
    double *vm_mhz;  /* By VM: planned, in the slot at hand. */
    double *price;   /* By site; the last: of hosts without a site. */
    double *fixed_w; /* By site: what draws the same whatever runs where; at
                      * the meter. */
    struct dcp_course course[COURSES];
    struct dcp_plan_event *events;
    uint32_t n_events, next_event;
    uint32_t slot;
    double *heat_mhz[2], *heat_capacity[2]; /* Like heat. */
    double *night_load[2];
    uint32_t *night_cells[2];
};

uint8_t
dcp_heat_cell(double load_frac)
{
    double cell = round(load_frac * DCP_HEAT_PER_UNIT);

    return cell >= DCP_HEAT_MISSING ? DCP_HEAT_MISSING - 1
           : cell > 0               ? (uint8_t)cell
                                    : 0;
}

static void
apply_event(struct walk *w, const struct dcp_plan_event *e)
{
    const struct dcp_step *step = &w->in->plan->steps[e->step];
    uint32_t host = step->object.ix;

    dcp_course_step(&w->course[DCP_WITH], step, e->is_end);
    if (step->kind == DCP_STEP_HOST_ON && !e->is_end) {
        w->out->off_until_ms[host] = e->at_ms;
    } else if (step->kind == DCP_STEP_HOST_OFF && e->is_end) {
        w->out->off_from_ms[host] = e->at_ms;
        w->out->off_until_ms[host] = w->out->end_ms;
    }
}

static double
host_watts(const struct host_fact *f, const struct dcp_course *c, uint32_t host)
{
    return dcp_course_watts(c, f->hw, f->cpu_mhz, host);
}

static void
add_heat(struct walk *w, uint32_t host)
{
    size_t cell = (size_t)w->rows->row_of_host[host] * w->out->n_slots +
                  (w->slot - w->out->first_slot);

    for (int k = 0; k < 2; k++) {
        if (w->course[k].power[host] == DCP_COURSE_ON) {
            w->heat_mhz[k][cell] += w->course[k].mhz[host];
            w->heat_capacity[k][cell] += w->facts[host].cpu_mhz;
        }
    }
}

static void
add_night(struct walk *w, int64_t at_ms, uint32_t host)
{
    const struct dcp_plan *plan = w->in->plan;
    int64_t until = plan->n_legs > 1 ? plan->legs[plan->n_legs - 1].start_ms
                                     : w->out->end_ms;

    if (at_ms < w->out->leg_end_ms[0] || at_ms >= until) {
        return;
    }
    for (int k = 0; k < 2; k++) {
        if (w->course[k].power[host] == DCP_COURSE_ON &&
            w->facts[host].cpu_mhz > 0) {
            w->night_load[k][host] +=
                w->course[k].mhz[host] / w->facts[host].cpu_mhz;
            w->night_cells[k][host]++;
        }
    }
}

/* One cell of time: every host's watts in each course. */
static void
do_cell(struct walk *w, int64_t at_ms, double hours, uint32_t point)
{
    struct dcp_timeline *out = w->out;
    const struct dcp_inventory *inv = w->in->inventory;
    double on[2] = { 0, 0 }, watts[2] = { 0, 0 }, money[2] = { 0, 0 };

    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        const struct host_fact *f = &w->facts[h];
        double price = w->price[f->site];
        double plain = host_watts(f, &w->course[DCP_WITHOUT], h);
        double saved =
            (plain - host_watts(f, &w->course[DCP_WITH], h)) * f->pue_marginal;
        double held =
            (plain - host_watts(f, &w->course[HELD], h)) * f->pue_marginal;

        watts[0] += plain * f->pue;
        watts[1] += plain * f->pue - saved;
        money[0] += plain * f->pue * price / 1000;
        money[1] += (plain * f->pue - saved) * price / 1000;
        out->host_saved_kwh[h] += saved * hours / 1000;
        out->host_saved_cost[h] += saved * price * hours / 1000;
        if (w->course[DCP_WITH].power[h] != DCP_COURSE_ON) {
            out->host_off_kwh[h] += saved * hours / 1000;
            out->host_off_cost[h] += saved * price * hours / 1000;
        }
        out->packing_kwh += held * hours / 1000;
        out->packing_cost += held * price * hours / 1000;
        for (int k = 0; k < 2; k++) {
            on[k] += w->course[k].power[h] != DCP_COURSE_OFF;
        }
        add_heat(w, h);
        add_night(w, at_ms, h);
    }
    for (uint32_t s = 0; s <= inv->n_sites; s++) {
        for (int k = 0; k < 2; k++) {
            watts[k] += w->fixed_w[s];
            money[k] += w->fixed_w[s] * w->price[s] / 1000;
        }
    }
    for (int k = 0; k < 2; k++) {
        out->kwh[k] += watts[k] * hours / 1000;
        out->cost[k] += money[k] * hours;
        out->meter_w[k][point] += (float)(watts[k] / CELLS_PER_POINT);
        out->cost_per_h[k][point] += (float)(money[k] / CELLS_PER_POINT);
        if (out->hosts_on[k][point] < on[k]) {
            out->hosts_on[k][point] = (float)on[k];
        }
    }
}

static void
walk_all(struct walk *w)
{
    struct dcp_timeline *out = w->out;
    const struct dcp_demand *demand = w->in->demand;
    const struct dcp_inventory *inv = w->in->inventory;
    int64_t cell_ms = out->interval_ms / CELLS_PER_POINT;
    bool begins = true;

    w->slot = out->first_slot;
    for (int64_t t = out->start_ms; t < out->end_ms; t += cell_ms) {
        while (demand->slots[w->slot].end_ms <= t &&
               w->slot + 1 < out->first_slot + out->n_slots) {
            w->slot++;
            begins = true;
        }
        for (uint32_t v = 0; begins && v < demand->n_vms; v++) {
            w->vm_mhz[v] =
                demand->cpu_mhz[(size_t)v * demand->stride + w->slot];
        }
        for (int k = 0; begins && k < COURSES; k++) {
            dcp_course_load(&w->course[k], w->vm_mhz);
        }
        begins = false;
        for (;
             w->next_event < w->n_events && w->events[w->next_event].at_ms <= t;
             w->next_event++) {
            apply_event(w, &w->events[w->next_event]);
        }
        for (uint32_t s = 0; s <= inv->n_sites; s++) {
            w->price[s] = dcp_energy_price(
                inv, s < inv->n_sites ? (dcp_site_id){ s } : dcp_site_none(),
                t);
        }
        int64_t left = out->end_ms - t < cell_ms ? out->end_ms - t : cell_ms;

        do_cell(w, t, (double)left / MS_PER_HOUR,
                (uint32_t)((t - out->start_ms) / out->interval_ms));
    }
}

static void
finish_heat(struct walk *w, struct dcp_timeline *out)
{
    size_t cells = (size_t)w->rows->n * out->n_slots;

    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < cells; i++) {
            out->heat[k][i] =
                w->heat_capacity[k][i] > 0
                    ? dcp_heat_cell(w->heat_mhz[k][i] / w->heat_capacity[k][i])
                    : DCP_HEAT_OFF;
        }
        for (uint32_t h = 0; h < w->in->inventory->n_hosts; h++) {
            uint32_t n = w->night_cells[k][h];

            out->night_cpu_frac[k][h] =
                n ? (float)(w->night_load[k][h] / n) : NAN;
        }
    }
}

static uint32_t
rack_site(const struct dcp_inventory *inv, dcp_rack_id rack)
{
    if (dcp_rack_is_none(rack) || dcp_room_is_none(inv->racks[rack.ix].room)) {
        return inv->n_sites == 1 ? 0 : inv->n_sites;
    }
    dcp_site_id site = inv->rooms[inv->racks[rack.ix].room.ix].site;

    return dcp_site_is_none(site) ? inv->n_sites : site.ix;
}

static void
add_fixed(struct walk *w, dcp_rack_id rack, double watts)
{
    const struct dcp_inventory *inv = w->in->inventory;
    uint32_t site = rack_site(inv, rack);
    dcp_site_id id =
        site < inv->n_sites ? (dcp_site_id){ site } : dcp_site_none();

    w->fixed_w[site] += watts * dcp_site_pue(inv, id);
}

static bool
make_facts(struct walk *w, struct dcp_arena *arena)
{
    const struct dcp_inventory *inv = w->in->inventory;

    w->facts = dcp_arena_array(arena, struct host_fact, inv->n_hosts);
    w->price = dcp_arena_array(arena, double, (size_t)inv->n_sites + 1);
    w->fixed_w = dcp_arena_array(arena, double, (size_t)inv->n_sites + 1);
    w->vm_mhz = dcp_arena_array(arena, double, inv->n_vms);
    if (!w->vm_mhz || !w->facts || !w->price || !w->fixed_w) {
        return false;
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        dcp_host_id id = { h };
        dcp_site_id site = dcp_host_site(inv, id);

        w->facts[h] = (struct host_fact){
            .hw = &inv->hardware[inv->hosts[h].hardware.ix],
            .cpu_mhz = dcp_host_capacity(inv, id).cpu_mhz,
            .pue = dcp_site_pue(inv, site),
            .pue_marginal = dcp_site_pue_marginal(inv, site),
            .site = dcp_site_is_none(site) ? inv->n_sites : site.ix,
        };
    }
    for (uint32_t i = 0; i < inv->n_switches; i++) {
        add_fixed(w, inv->switches[i].rack, inv->switches[i].power_w);
    }
    for (uint32_t i = 0; i < inv->n_arrays; i++) {
        add_fixed(w, inv->arrays[i].rack, inv->arrays[i].power_w);
    }
    for (uint32_t i = 0; i < inv->n_servers; i++) {
        add_fixed(w, inv->servers[i].rack, inv->servers[i].power_w);
    }
    return true;
}

/* The hours shown: from the first leg to the last bucket any leg is judged
 * in. */
static bool
set_span(const struct dcp_report_input *in, struct dcp_timeline *out,
         struct dcp_error *err)
{
    const struct dcp_demand *d = in->demand;
    const struct dcp_plan *plan = in->plan;

    if (plan->n_legs == 0) {
        return dcp_fail(err, DCP_E_ARGUMENT, "the plan has no legs");
    }
    out->start_ms = plan->legs[0].start_ms;
    out->end_ms = plan->legs[plan->n_legs - 1].buckets_until_ms;
    uint32_t first = 0, last = d->n_slots;

    while (first < last && d->slots[first].end_ms <= out->start_ms) {
        first++;
    }
    while (last > first && d->slots[last - 1].start_ms >= out->end_ms) {
        last--;
    }
    if (first == last || d->slots[first].start_ms > out->start_ms ||
        d->slots[last - 1].end_ms < out->end_ms) {
        return dcp_fail(err, DCP_E_ARGUMENT,
                        "planned demand does not cover the plan's hours");
    }
    out->first_slot = first;
    out->n_slots = last - first;
    int64_t span = out->end_ms - out->start_ms;
    int64_t factor = span / (POINT_MS * POINTS_MAX) + 1;

    out->interval_ms = POINT_MS * factor;
    out->n_points =
        (uint32_t)((span + out->interval_ms - 1) / out->interval_ms);
    return true;
}

static bool
make_room(struct walk *w, struct dcp_arena *arena)
{
    struct dcp_timeline *out = w->out;
    uint32_t n_hosts = w->in->inventory->n_hosts;
    size_t cells = (size_t)w->rows->n * out->n_slots;
    bool ok = true;

    for (int k = 0; k < 2; k++) {
        out->hosts_on[k] = dcp_arena_array(arena, float, out->n_points);
        out->meter_w[k] = dcp_arena_array(arena, float, out->n_points);
        out->cost_per_h[k] = dcp_arena_array(arena, float, out->n_points);
        out->heat[k] = dcp_arena_array(arena, uint8_t, cells);
        out->night_cpu_frac[k] = dcp_arena_array(arena, float, n_hosts);
        w->heat_mhz[k] = dcp_arena_array(arena, double, cells);
        w->heat_capacity[k] = dcp_arena_array(arena, double, cells);
        w->night_load[k] = dcp_arena_array(arena, double, n_hosts);
        w->night_cells[k] = dcp_arena_array(arena, uint32_t, n_hosts);
        ok = ok && out->hosts_on[k] && out->meter_w[k] && out->cost_per_h[k] &&
             out->heat[k] && out->night_cpu_frac[k] && w->heat_mhz[k] &&
             w->heat_capacity[k] && w->night_load[k] && w->night_cells[k];
    }
    out->host_saved_kwh = dcp_arena_array(arena, double, n_hosts);
    out->host_saved_cost = dcp_arena_array(arena, double, n_hosts);
    out->host_off_kwh = dcp_arena_array(arena, double, n_hosts);
    out->host_off_cost = dcp_arena_array(arena, double, n_hosts);
    out->off_from_ms = dcp_arena_array(arena, int64_t, n_hosts);
    out->off_until_ms = dcp_arena_array(arena, int64_t, n_hosts);
    return ok && out->host_saved_kwh && out->host_saved_cost &&
           out->host_off_kwh && out->host_off_cost && out->off_from_ms &&
           out->off_until_ms;
}

bool
dcp_timeline_make(const struct dcp_report_input *in,
                  const struct dcp_rows *rows, struct dcp_arena *arena,
                  struct dcp_timeline *out, struct dcp_error *err)
{
    const struct dcp_plan *plan = in->plan;
    struct walk w = { .in = in, .rows = rows, .out = out };

    *out = (struct dcp_timeline){ 0 };
    if (!set_span(in, out, err)) {
        return false;
    }
    out->step_start_ms = dcp_arena_array(arena, int64_t, plan->n_steps);
    out->step_end_ms = dcp_arena_array(arena, int64_t, plan->n_steps);
    out->leg_end_ms = dcp_arena_array(arena, int64_t, plan->n_legs);
    if (out->step_start_ms && out->step_end_ms && out->leg_end_ms &&
        !dcp_plan_times(in->inventory, plan, arena, out->step_start_ms,
                        out->step_end_ms, out->leg_end_ms, err)) {
        return false;
    }
    if (out->step_start_ms && out->step_end_ms && out->leg_end_ms) {
        w.events =
            dcp_plan_events(plan, out->step_start_ms, out->step_end_ms, arena);
        w.n_events = 2 * plan->n_steps;
    }
    if (!w.events || !make_facts(&w, arena) || !make_room(&w, arena) ||
        !dcp_course_init(&w.course[DCP_WITHOUT], plan->before, arena) ||
        !dcp_course_init(&w.course[DCP_WITH], plan->before, arena) ||
        !dcp_course_init(&w.course[HELD], plan->legs[plan->n_legs - 1].after,
                         arena)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the plan's hours");
    }
    walk_all(&w);
    finish_heat(&w, out);
    return true;
}
