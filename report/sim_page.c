/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The data object of report/assets/sim/sim.js, and the page around it.  Points
 * of charts are the picture's columns, means over the samples of each. */

#include "report/sim_page.h"

#include "model/base/units.h"
#include "report/template.h"
#include "report/work.h"

#include <math.h>
#include <stdlib.h>

struct page {
    const struct dcp_sim_page *in;
    struct dcp_rows rows;
};

/* --- Columns ------------------------------------------------------------ */

typedef double (*slice_value)(const struct dcp_sim_slice *);

static double
hosts_on(const struct dcp_sim_slice *s)
{
    return s->hosts_on;
}

static double
meter_kw(const struct dcp_sim_slice *s)
{
    return s->meter_w / 1000;
}

static double
migrating(const struct dcp_sim_slice *s)
{
    return s->migrating;
}

static void
write_columns(const struct page *p, struct dcp_json *w, const char *key,
              const struct dcp_sim_result *r, slice_value value)
{
    uint32_t per = p->in->picture->samples_per_column;

    dcp_json_karray(w, key);
    for (uint32_t c = 0; c < p->in->picture->n_columns; c++) {
        double sum = 0, ms = 0;

        for (uint32_t i = c * per; i < (c + 1) * per && i < r->n_slices; i++) {
            double length_ms =
                (double)(r->slices[i].end_ms - r->slices[i].start_ms);

            sum += value(&r->slices[i]) * length_ms;
            ms += length_ms;
        }
        dcp_json_double(w, dcp_report_round(ms > 0 ? sum / ms : NAN, 3));
    }
    dcp_json_end(w, ']');
}

/* --- Runs --------------------------------------------------------------- */

static void
write_failures(struct dcp_json *w, const struct dcp_availability *a)
{
    dcp_json_kdouble(w, "availability_frac", a->availability_frac);
    dcp_json_kdouble(w, "down_vm_s", a->down_vm_s);
    dcp_json_kdouble(w, "homeless_vm_s", a->homeless_vm_s);
    dcp_json_ku64(w, "interruptions", a->n_interruptions);
    dcp_json_ku64(w, "interruptions_open", a->n_open);
    dcp_json_kdouble(w, "recovery_p50_s", a->recovery_p50_s);
    dcp_json_kdouble(w, "recovery_p99_s", a->recovery_p99_s);
    dcp_json_karray(w, "recoveries");
    for (uint32_t i = 0; i < DCP_RECOVERY_BINS; i++) {
        dcp_json_u64(w, a->recoveries[i]);
    }
    dcp_json_end(w, ']');
}

static void
write_run(const struct page *p, struct dcp_json *w,
          const struct dcp_sim_page_run *run)
{
    const struct dcp_sim_result *r = run->result;

    dcp_json_begin(w, '{');
    dcp_json_kstring(w, "name", run->name);
    dcp_json_kdouble(w, "hosts_on_mean", r->hosts_on_mean);
    dcp_json_kdouble(w, "kwh", r->meter_kwh);
    dcp_json_kdouble(w, "cost", r->energy_cost);
    dcp_json_kdouble(w, "carbon_kg", r->carbon_kg);
    dcp_json_kdouble(w, "overload_host_s", r->overload_host_s);
    dcp_json_kdouble(
        w, "unmet_frac",
        r->requested_mhz_s > 0 ? r->unmet_cpu_mhz_s / r->requested_mhz_s : 0);
    dcp_json_ku64(w, "migrations", r->migrations);
    dcp_json_ku64(w, "migrations_failed", r->migrations_failed);
    dcp_json_ku64(w, "host_shutdowns", r->host_shutdowns);
    if (run->availability) {
        write_failures(w, run->availability);
    }
    write_columns(p, w, "hosts_on", r, hosts_on);
    write_columns(p, w, "kw", r, meter_kw);
    write_columns(p, w, "migrating", r, migrating);
    dcp_json_end(w, '}');
}

/* --- Heat map ----------------------------------------------------------- */

static uint8_t
cell(const struct page *p, uint32_t row, uint32_t column)
{
    const struct dcp_picture_data *d = p->in->picture;
    const float *load = d->load + (size_t)column * d->n_hosts;
    double sum = 0;
    uint32_t n = 0;

    for (uint32_t i = p->rows.first[row]; i < p->rows.first[row + 1]; i++) {
        float one = load[p->rows.hosts[i]];

        if (!isnan(one)) {
            sum += (double)one;
            n++;
        }
    }
    if (!n) {
        return DCP_HEAT_OFF;
    }
    return dcp_heat_cell(sum / n);
}

static void
write_heat(const struct page *p, struct dcp_json *w)
{
    uint32_t n = p->in->picture->n_columns;
    size_t size = (size_t)p->rows.n * n;
    DCP_FREE uint8_t *cells = malloc(size + 1);

    dcp_json_kobject(w, "heat");
    dcp_json_ku64(w, "per_unit", DCP_HEAT_PER_UNIT);
    dcp_json_ku64(w, "off", DCP_HEAT_OFF);
    dcp_report_write_rows(p->in->inventory, &p->rows, w);
    w->text.failed |= !cells;
    for (size_t i = 0; cells && i < size; i++) {
        cells[i] = cell(p, (uint32_t)(i / n), (uint32_t)(i % n));
    }
    if (cells) {
        dcp_report_write_base64(w, "cells", cells, size);
    }
    dcp_json_end(w, '}');
}

/* --- VMs ---------------------------------------------------------------- */

struct ranked {
    double value;
    uint32_t vm;
};

/* Largest first, then by the model's order. */
static int
by_value(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->value != y->value) {
        return x->value > y->value ? -1 : 1;
    }
    return x->vm < y->vm ? -1 : 1;
}

/* The DCP_SIM_PAGE_VMS largest above 'floor': [name, sign x value], and where
 * 'waits' the 99th percentile of how much of a sample the VM waited. */
static void
write_vms(const struct page *p, struct dcp_json *w, const char *key,
          struct ranked *ranked, double floor, double sign,
          const struct dcp_sim_result *waits)
{
    uint32_t n = p->in->picture->n_vms;

    qsort(ranked, n, sizeof *ranked, by_value);
    dcp_json_karray(w, key);
    for (uint32_t i = 0;
         i < n && i < DCP_SIM_PAGE_VMS && ranked[i].value > floor; i++) {
        dcp_json_begin(w, '[');
        dcp_json_string(w, p->in->inventory->vms[ranked[i].vm].name);
        dcp_json_double(w, sign * ranked[i].value);
        if (waits) {
            dcp_json_double(w,
                            dcp_sim_vm_ready_frac(waits, ranked[i].vm, 0.99));
        }
        dcp_json_end(w, ']');
    }
    dcp_json_end(w, ']');
}

static void
write_ranks(const struct page *p, struct dcp_json *w)
{
    const struct dcp_picture_data *d = p->in->picture;
    DCP_FREE struct ranked *ranked =
        calloc((size_t)d->n_vms + 1, sizeof *ranked);
    double sum = 0;
    uint32_t n_less = 0;

    w->text.failed |= !ranked;
    for (uint32_t v = 0; ranked && v < d->n_vms; v++) {
        ranked[v] = (struct ranked){ d->wait_frac[v], v };
    }
    if (ranked) {
        write_vms(p, w, "waiting", ranked, 0, 1,
                  p->in->runs[p->in->n_runs - 1].result);
    }
    for (uint32_t v = 0; ranked && v < d->n_vms; v++) {
        double served = d->window_s > 0 ? d->served_s[v] / d->window_s : 0;

        ranked[v] = (struct ranked){ -served, v };
        sum += served;
        n_less += served < 1;
    }
    if (ranked) {
        write_vms(p, w, "served", ranked, -1, -1, NULL);
    }
    dcp_json_ku64(w, "not_always_served", n_less);
    dcp_json_kdouble(w, "served_mean_frac", d->n_vms ? sum / d->n_vms : 1);
}

/* --- Availability ------------------------------------------------------- */

/* [name, promised or null, VMs, availability by run], of those with VMs. */
static void
write_promise(const struct page *p, struct dcp_json *w, uint32_t i,
              bool is_tier)
{
    const struct dcp_inventory *inv = p->in->inventory;
    const struct dcp_availability *last =
        p->in->runs[p->in->n_runs - 1].availability;
    const struct dcp_availability_of *of =
        is_tier ? &last->tiers[i] : &last->applications[i];

    if (!of->n_vms) {
        return;
    }
    dcp_json_begin(w, '[');
    dcp_json_string(w,
                    is_tier ? inv->tiers[i].name : inv->applications[i].name);
    dcp_json_double(w, of->promised_frac > 0 ? of->promised_frac : NAN);
    dcp_json_u64(w, of->n_vms);
    for (uint32_t r = 0; r < p->in->n_runs; r++) {
        const struct dcp_availability *a = p->in->runs[r].availability;

        dcp_json_double(w, is_tier ? a->tiers[i].availability_frac
                                   : a->applications[i].availability_frac);
    }
    dcp_json_end(w, ']');
}

static void
write_availability(const struct page *p, struct dcp_json *w)
{
    const struct dcp_availability *a =
        p->in->runs[p->in->n_runs - 1].availability;

    if (!a) {
        return;
    }
    dcp_json_karray(w, "tiers");
    for (uint32_t i = 0; i < a->n_tiers; i++) {
        write_promise(p, w, i, true);
    }
    dcp_json_end(w, ']');
    dcp_json_karray(w, "applications");
    for (uint32_t i = 0; i < a->n_applications; i++) {
        write_promise(p, w, i, false);
    }
    dcp_json_end(w, ']');
    dcp_json_karray(w, "recovery_limits_s");
    for (uint32_t i = 0; i + 1 < DCP_RECOVERY_BINS; i++) {
        dcp_json_double(w, dcp_recovery_limits_s[i]);
    }
    dcp_json_end(w, ']');
}

/* --- All of it ---------------------------------------------------------- */

static void
write_picture(const struct page *p, struct dcp_json *w)
{
    const struct dcp_picture_data *d = p->in->picture;

    dcp_json_karray(w, "columns");
    for (uint32_t c = 0; c < d->n_columns; c++) {
        dcp_json_i64(w, d->column_ms[c]);
    }
    dcp_json_end(w, ']');
    dcp_json_karray(w, "column_mib");
    for (uint32_t c = 0; c < d->n_columns; c++) {
        dcp_json_double(w, d->column_mib[c]);
    }
    dcp_json_end(w, ']');
    dcp_json_karray(w, "load_host_s");
    for (uint32_t i = 0; i < DCP_PICTURE_LOADS; i++) {
        dcp_json_double(w, dcp_report_round(d->load_host_s[i], 1));
    }
    dcp_json_end(w, ']');
    dcp_json_karray(w, "waits");
    for (uint32_t i = 0; i < DCP_PICTURE_WAITS; i++) {
        dcp_json_u64(w, d->waits[i]);
    }
    dcp_json_end(w, ']');
    dcp_json_karray(w, "sample_waits");
    for (uint32_t i = 0; i < DCP_PICTURE_WAITS; i++) {
        dcp_json_u64(w, d->sample_waits[i]);
    }
    dcp_json_end(w, ']');
    dcp_json_karray(w, "wait_limits");
    for (uint32_t i = 0; i + 1 < DCP_PICTURE_WAITS; i++) {
        dcp_json_double(w, dcp_picture_wait_limits[i]);
    }
    dcp_json_end(w, ']');
    write_ranks(p, w);
}

/* [what, is it a share, [mean, low, high] of each column]. */
static void
write_sure_row(struct dcp_json *w, const struct dcp_sim_page_sure_row *row,
               uint32_t n_columns)
{
    dcp_json_begin(w, '[');
    dcp_json_string(w, row->what);
    dcp_json_bool(w, row->is_share);
    for (uint32_t c = 0; c < n_columns; c++) {
        dcp_json_begin(w, '[');
        dcp_json_double(w, row->of[c].mean);
        dcp_json_double(w, row->of[c].low);
        dcp_json_double(w, row->of[c].high);
        dcp_json_end(w, ']');
    }
    dcp_json_end(w, ']');
}

static void
write_sure(const struct dcp_sim_page_sure *sure, struct dcp_json *w)
{
    if (!sure || !sure->n_replications) {
        return;
    }
    dcp_json_kobject(w, "sure");
    dcp_json_ku64(w, "n", sure->n_replications);
    dcp_json_karray(w, "names");
    for (uint32_t v = 0; v < sure->n_variants; v++) {
        dcp_json_string(w, sure->names[v]);
    }
    dcp_json_end(w, ']');
    dcp_json_karray(w, "rows");
    for (uint32_t i = 0; i < sure->n_rows; i++) {
        const struct dcp_sim_page_sure_row *row = &sure->rows[i];

        write_sure_row(w, row,
                       row->is_share ? sure->n_variants
                                     : 2 * sure->n_variants - 1);
    }
    dcp_json_end(w, ']');
    dcp_json_end(w, '}');
}

/* Of a whole column: the first may begin within a sample. */
static double
column_s(const struct dcp_picture_data *d)
{
    uint32_t first = d->n_columns > 2 ? 1 : 0;

    return d->n_columns > 1
               ? (double)(d->column_ms[first + 1] - d->column_ms[first]) / 1000
               : d->window_s;
}

static void
write_sim(const struct page *p, struct dcp_json *w)
{
    const struct dcp_sim_page *in = p->in;
    const struct dcp_sim_result *main = in->runs[in->n_runs - 1].result;
    const struct dcp_picture_data *d = in->picture;

    dcp_json_kobject(w, "sim");
    dcp_json_ki64(w, "from", main->from_ms);
    dcp_json_ki64(w, "to", main->to_ms);
    dcp_json_ku64(w, "vms", main->n_vms);
    dcp_json_ku64(w, "hosts", main->n_hosts);
    dcp_json_kbool(w, "partial", in->partial);
    dcp_json_kbool(w, "stopped", main->stopped);
    dcp_json_kbool(w, "in_sample", in->in_sample);
    dcp_json_kdouble(w, "column_s", column_s(d));
    dcp_json_karray(w, "runs");
    for (uint32_t i = 0; i < in->n_runs; i++) {
        write_run(p, w, &in->runs[i]);
    }
    dcp_json_end(w, ']');
    write_picture(p, w);
    write_availability(p, w);
    write_sure(in->sure, w);
    dcp_json_end(w, '}');
}

static void
add_data(const struct page *p, struct dcp_text *out)
{
    const struct dcp_sim_page *in = p->in;
    const struct dcp_sim_result *main = in->runs[in->n_runs - 1].result;
    struct dcp_json w;

    dcp_json_init(&w, false);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/sim-page-data/1");
    dcp_json_kobject(&w, "meta");
    dcp_json_kstring(&w, "version", in->tool_version);
    dcp_json_kstring(&w, "currency", in->inventory->currency);
    dcp_report_write_zone(&w, in->inventory->zone, main->from_ms, main->to_ms);
    dcp_json_end(&w, '}');
    dcp_report_write_hosts(in->inventory, &w);
    dcp_json_kobject(&w, "util");
    dcp_json_kdouble(&w, "target_cpu_frac",
                     in->inventory->policy.target_cpu_frac);
    dcp_json_end(&w, '}');
    write_heat(p, &w);
    write_sim(p, &w);
    dcp_json_end(&w, '}');
    out->failed |= w.text.failed;
    dcp_template_json(out, dcp_json_text(&w));
    dcp_json_finish(&w);
}

static void
add_title(const struct page *p, struct dcp_text *out)
{
    const struct dcp_sim_page *in = p->in;
    const struct dcp_sim_result *main = in->runs[in->n_runs - 1].result;
    struct dcp_local from = dcp_zone_local(in->inventory->zone, main->from_ms);
    uint32_t month, day;
    int64_t year;

    dcp_civil_from_days(from.day, &year, &month, &day);
    dcp_template_escape(out, in->runs[in->n_runs - 1].name);
    dcp_text_printf(out, ", %04d-%02u-%02u", (int)year, month, day);
}

static bool
add_mark(const void *user, const char *mark, size_t length,
         struct dcp_text *out)
{
    const struct page *p = user;

    if (dcp_template_is(mark, length, "title")) {
        add_title(p, out);
    } else if (dcp_template_is(mark, length, "data")) {
        add_data(p, out);
    } else {
        return dcp_template_frame(mark, length, &dcp_asset_sim_script, out);
    }
    return true;
}

bool
dcp_sim_page_html(const struct dcp_sim_page *in, struct dcp_text *out,
                  struct dcp_error *err)
{
    struct page p = { .in = in };
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);

    if (!arena) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the report");
    }
    return dcp_rows_make(in->inventory, arena, &p.rows, err) &&
           dcp_template_fill(&dcp_asset_sim_page, add_mark, &p, out, err);
}
