/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What changes by the hour: chart series, heat maps, use of hosts, risk,
 * a replay. */

#include "report/base64.h"
#include "report/work.h"

#include "model/capacity.h"

#include <math.h>

static void
write_series(struct dcp_json *w, const char *key, const float value[],
             uint32_t n, double factor, int decimals)
{
    dcp_json_karray(w, key);
    for (uint32_t i = 0; i < n; i++) {
        dcp_json_double(w,
                        dcp_report_round((double)value[i] * factor, decimals));
    }
    dcp_json_end(w, ']');
}

static void
write_night(const struct dcp_report_work *r, struct dcp_json *w)
{
    const struct dcp_timeline *t = &r->tl;

    dcp_json_kobject(w, "night");
    dcp_json_ki64(w, "start", t->start_ms);
    dcp_json_ki64(w, "end", t->end_ms);
    dcp_json_ki64(w, "step", t->interval_ms);
    write_series(w, "on_before", t->hosts_on[0], t->n_points, 1, 0);
    write_series(w, "on_after", t->hosts_on[1], t->n_points, 1, 0);
    write_series(w, "kw_before", t->meter_w[0], t->n_points, 1e-3, 3);
    write_series(w, "kw_after", t->meter_w[1], t->n_points, 1e-3, 3);
    write_series(w, "cost_before", t->cost_per_h[0], t->n_points, 1, 3);
    write_series(w, "cost_after", t->cost_per_h[1], t->n_points, 1, 3);
    dcp_json_kdouble(w, "kwh_before", dcp_report_round(t->kwh[0], 2));
    dcp_json_kdouble(w, "kwh_after", dcp_report_round(t->kwh[1], 2));
    dcp_json_end(w, '}');
}

void
dcp_report_write_base64(struct dcp_json *w, const char *key, const uint8_t *data,
             size_t size)
{
    struct dcp_text text = { 0 };

    dcp_base64_add(&text, data, size);
    dcp_json_kstring(w, key, dcp_text_get(&text));
    w->text.failed |= text.failed;
    dcp_text_finish(&text);
}

void
dcp_report_write_rows(const struct dcp_inventory *inv,
                      const struct dcp_rows *rows, struct dcp_json *w)
{
    dcp_json_karray(w, "rows");
    for (uint32_t i = 0; i < rows->n; i++) {
        const struct dcp_host *first = &inv->hosts[rows->hosts[rows->first[i]]];
        const struct dcp_host *last =
            &inv->hosts[rows->hosts[rows->first[i + 1] - 1]];
        struct dcp_text label = { 0 };

        dcp_text_puts(&label, first->name);
        if (last != first) {
            dcp_text_puts(&label, " to ");
            dcp_text_puts(&label, last->name);
        }
        dcp_json_begin(w, '[');
        dcp_json_string(w, dcp_text_get(&label));
        dcp_json_i64(
            w, dcp_rack_is_none(first->rack) ? -1 : (int64_t)first->rack.ix);
        dcp_json_u64(w, rows->first[i + 1] - rows->first[i]);
        dcp_json_u64(w, rows->hosts[rows->first[i]]);
        dcp_json_end(w, ']');
        w->text.failed |= label.failed;
        dcp_text_finish(&label);
    }
    dcp_json_end(w, ']');
}

static void
write_heat(const struct dcp_report_work *r, struct dcp_json *w)
{
    const struct dcp_timeline *t = &r->tl;
    size_t cells = (size_t)r->rows.n * t->n_slots;

    dcp_json_kobject(w, "heat");
    dcp_json_ku64(w, "per_unit", DCP_HEAT_PER_UNIT);
    dcp_json_ku64(w, "off", DCP_HEAT_OFF);
    dcp_report_write_rows(r->in->inventory, &r->rows, w);
    dcp_json_kobject(w, "plan");
    dcp_json_karray(w, "hours");
    for (uint32_t s = 0; s < t->n_slots; s++) {
        dcp_json_i64(w, r->in->demand->slots[t->first_slot + s].start_ms);
    }
    dcp_json_end(w, ']');
    dcp_report_write_base64(w, "before", t->heat[0], cells);
    dcp_report_write_base64(w, "after", t->heat[1], cells);
    dcp_json_end(w, '}');
    dcp_json_key(w, "past");
    if (r->history.present) {
        cells = (size_t)r->rows.n * r->history.n_hours;
        dcp_json_begin(w, '{');
        dcp_json_ki64(w, "start", r->history.start_ms);
        dcp_json_ku64(w, "n", r->history.n_hours);
        dcp_report_write_base64(w, "before", r->history.heat[0], cells);
        dcp_report_write_base64(w, "after", r->history.heat[1], cells);
        dcp_json_end(w, '}');
    } else {
        dcp_json_null(w);
    }
    dcp_json_end(w, '}');
}

/* [host, CPU %, memory %] of each host that is on in the night. */
static void
write_use(const struct dcp_report_work *r, struct dcp_json *w, int k,
          const uint64_t mem[])
{
    const struct dcp_inventory *inv = r->in->inventory;

    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        double mem_mib =
            dcp_host_capacity(inv, (dcp_host_id){ h }).scalar[DCP_SCALAR_MEM];

        if (isnan(r->tl.night_cpu_frac[k][h])) {
            continue;
        }
        dcp_json_begin(w, '[');
        dcp_json_u64(w, h);
        dcp_json_double(
            w, dcp_report_round((double)r->tl.night_cpu_frac[k][h] * 100, 1));
        dcp_json_double(
            w, mem_mib > 0 ? dcp_report_round((double)mem[h] / mem_mib * 100, 1)
                           : 0);
        dcp_json_end(w, ']');
    }
}

static void
write_util(const struct dcp_report_work *r, struct dcp_json *w)
{
    const struct dcp_inventory *inv = r->in->inventory;
    const struct dcp_placement *state[2] = { r->in->plan->before,
                                             r->in->plan->legs[0].after };
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);
    uint64_t *mem =
        arena ? dcp_arena_array(arena, uint64_t, inv->n_hosts) : NULL;

    dcp_json_kobject(w, "util");
    dcp_json_kdouble(w, "target_cpu_frac", inv->policy.target_cpu_frac);
    dcp_json_kdouble(w, "target_mem_frac", inv->policy.target_mem_frac);
    if (!mem) {
        w->text.failed = true;
    }
    for (int k = 0; mem && k < 2; k++) {
        for (uint32_t h = 0; h < inv->n_hosts; h++) {
            mem[h] = 0;
        }
        for (uint32_t vm = 0; vm < inv->n_vms; vm++) {
            uint32_t need[DCP_SCALARS_MAX];
            uint32_t h = state[k]->host[vm].ix;

            if (h != DCP_IX_NONE) {
                dcp_vm_request_at(inv, (dcp_vm_id){ vm },
                                  dcp_placement_size(inv, state[k], vm),
                                  inv->hosts[h].hypervisor, need);
                mem[h] += need[DCP_SCALAR_MEM];
            }
        }
        dcp_json_karray(w, k ? "after" : "before");
        write_use(r, w, k, mem);
        dcp_json_end(w, ']');
    }
    dcp_json_end(w, '}');
}

static void
write_risk(const struct dcp_report_work *r, struct dcp_json *w)
{
    const struct dcp_history *p = &r->history;

    dcp_json_key(w, "risk");
    if (!p->present || !p->n_samples) {
        dcp_json_null(w);
        return;
    }
    dcp_json_begin(w, '{');
    dcp_json_kbool(w, "in_sample", p->in_sample);
    dcp_json_ku64(w, "nights", p->n_nights);
    dcp_json_ku64(w, "samples", p->n_samples);
    dcp_json_ki64(w, "interval_ms", p->interval_ms);
    dcp_json_kdouble(w, "over_s_before", p->over_host_s[0]);
    dcp_json_kdouble(w, "over_s_after", p->over_host_s[1]);
    dcp_json_kdouble(w, "night_s_before", p->night_host_s[0]);
    dcp_json_kdouble(w, "night_s_after", p->night_host_s[1]);
    dcp_json_kdouble(w, "above_plan_frac",
                     dcp_report_round(p->above_plan_frac, 5));
    dcp_json_ku64(w, "without_samples", p->n_without_samples);
    /* [host, planned, joint p95, joint peak (%), seconds above capacity] */
    dcp_json_karray(w, "hosts");
    for (uint32_t i = 0; i < p->n_hosts; i++) {
        const struct dcp_history_host *h = &p->hosts[i];

        dcp_json_begin(w, '[');
        dcp_json_u64(w, h->host);
        dcp_json_double(w, dcp_report_round(h->planned_frac * 100, 1));
        dcp_json_double(w, dcp_report_round(h->p95_frac * 100, 1));
        dcp_json_double(w, dcp_report_round(h->peak_frac * 100, 1));
        dcp_json_double(w, h->over_s);
        dcp_json_end(w, ']');
    }
    dcp_json_end(w, ']');
    dcp_json_end(w, '}');
}

/* [[without the plan...], [with it...]] */
static void
write_both(struct dcp_json *w, const char *key, const double *const value[2],
           uint32_t n, double factor, int decimals)
{
    dcp_json_karray(w, key);
    for (int k = 0; k < 2; k++) {
        dcp_json_begin(w, '[');
        for (uint32_t i = 0; i < n; i++) {
            dcp_json_double(w,
                            dcp_report_round(value[k][i] * factor, decimals));
        }
        dcp_json_end(w, ']');
    }
    dcp_json_end(w, ']');
}

static void
write_pair(struct dcp_json *w, const char *key, const double value[2],
           int decimals)
{
    dcp_json_karray(w, key);
    dcp_json_double(w, dcp_report_round(value[0], decimals));
    dcp_json_double(w, dcp_report_round(value[1], decimals));
    dcp_json_end(w, ']');
}

static void
write_replay(const struct dcp_report_work *r, struct dcp_json *w)
{
    const struct dcp_report_replay *p = r->in->replay;

    dcp_json_key(w, "replay");
    if (!p) {
        dcp_json_null(w);
        return;
    }
    dcp_json_begin(w, '{');
    dcp_json_kbool(w, "in_sample", p->in_sample);
    dcp_json_kbool(w, "partial", p->partial);
    dcp_json_ki64(w, "start", p->start_ms);
    dcp_json_ki64(w, "step", p->interval_ms);
    write_both(w, "hosts_on", p->hosts_on, p->n, 1, 2);
    write_both(w, "kw", p->meter_w, p->n, 1e-3, 3);
    write_pair(w, "kwh", p->meter_kwh, 2);
    write_pair(w, "cost", p->cost, 3);
    write_pair(w, "over_s", p->overload_host_s, 1);
    dcp_json_ku64(w, "migrations", p->migrations);
    dcp_json_ku64(w, "migrations_failed", p->migrations_failed);
    dcp_json_end(w, '}');
}

void
dcp_report_write_hours(const struct dcp_report_work *r, struct dcp_json *w)
{
    write_night(r, w);
    write_heat(r, w);
    write_util(r, w);
    write_risk(r, w);
    write_replay(r, w);
}
