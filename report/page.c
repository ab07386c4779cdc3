/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Fills a plan's page. */

#include "report/report.h"

#include "report/template.h"
#include "report/work.h"

#include <math.h>
#include <string.h>

static void
add_words(const struct dcp_report_work *r, struct dcp_text *out)
{
    const char *lead = "";

    for (uint32_t part = 0;; part++) {
        struct dcp_text words = { 0 };

        if (!dcp_report_write_words(r, part, &lead, &words)) {
            break;
        }
        dcp_text_puts(out, *lead ? "<p><b>" : "<p class=\"first\">");
        dcp_template_escape(out, lead);
        dcp_text_puts(out, *lead ? "</b> " : "");
        dcp_template_escape(out, dcp_text_get(&words));
        dcp_text_puts(out, "</p>\n");
        out->failed |= words.failed;
        dcp_text_finish(&words);
    }
}

static void
add_title(const struct dcp_report_work *r, struct dcp_text *out)
{
    struct dcp_text title = { 0 };

    dcp_report_write_title(r, &title);
    dcp_template_escape(out, dcp_text_get(&title));
    out->failed |= title.failed;
    dcp_text_finish(&title);
}

static void
add_data(const struct dcp_report_work *r, struct dcp_text *out)
{
    struct dcp_json w;

    dcp_json_init(&w, false);
    dcp_report_write_data(r, &w);
    out->failed |= w.text.failed;
    dcp_template_json(out, dcp_json_text(&w));
    dcp_json_finish(&w);
}

static bool
add_mark(const void *user, const char *mark, size_t length,
         struct dcp_text *out)
{
    const struct dcp_report_work *r = user;

    if (dcp_template_is(mark, length, "title")) {
        add_title(r, out);
    } else if (dcp_template_is(mark, length, "words")) {
        add_words(r, out);
    } else if (dcp_template_is(mark, length, "data")) {
        add_data(r, out);
    } else {
        return dcp_template_frame(mark, length, &dcp_asset_script, out);
    }
    return true;
}

/* The plan's own figures are before against after; of these the packing part
 * is what the last leg's placement would save if it were held all along.  A
 * plan that brings nothing back is packing and nothing else. */
static void
set_savings(struct dcp_report_work *r)
{
    const struct dcp_plan *plan = r->in->plan;
    const struct dcp_plan_prediction *p = &plan->predicted;
    const struct dcp_plan_expectation *e = &plan->expected;
    struct dcp_report_savings *s = &r->savings;
    double before = p->energy_kwh_before;
    double kwh = p->energy_kwh_before - p->energy_kwh_after;
    double cost = p->energy_cost_before - p->energy_cost_after;
    double packing_kwh = r->tl.packing_kwh, packing_cost = r->tl.packing_cost;
    bool comes_back = plan->n_legs > 1;

    if (!(p->energy_kwh_before > 0)) { /* Not predicted: our own sum. */
        before = r->tl.kwh[DCP_WITHOUT];
        kwh = before - r->tl.kwh[DCP_WITH];
        cost = r->tl.cost[DCP_WITHOUT] - r->tl.cost[DCP_WITH];
    }
    s->planned_packing_kwh = comes_back ? packing_kwh : kwh;
    s->planned_night_kwh = kwh - s->planned_packing_kwh;
    s->expected = isfinite(e->energy_kwh_before);
    if (s->expected) {
        before = e->energy_kwh_before;
        kwh = e->energy_kwh_before - e->energy_kwh_after;
        cost = e->energy_cost_before - e->energy_cost_after;
        packing_kwh = e->packing_kwh;
        packing_cost = e->packing_cost;
    }
    s->before_kwh = before;
    s->packing_kwh = comes_back ? packing_kwh : kwh;
    s->packing_cost = comes_back ? packing_cost : cost;
    s->night_kwh = kwh - s->packing_kwh;
    s->night_cost = cost - s->packing_cost;
}

static bool
count_steps(struct dcp_report_work *r, struct dcp_arena *arena,
            struct dcp_error *err)
{
    const struct dcp_plan *plan = r->in->plan;
    bool *moved = dcp_arena_array(arena, bool, r->in->inventory->n_vms);

    if (!moved) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the report");
    }
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const struct dcp_step *s = &plan->steps[i];

        if (s->kind == DCP_STEP_MIGRATE) {
            r->leg_moves[s->leg]++;
            r->n_vms_moved += !moved[s->object.ix];
            moved[s->object.ix] = true;
        }
        r->n_hosts_off += s->kind == DCP_STEP_HOST_OFF;
    }
    return true;
}

bool
dcp_report_html(const struct dcp_report_input *in, struct dcp_text *out,
                struct dcp_error *err)
{
    struct dcp_report_work r = { .in = in };
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);

    if (!arena) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the report");
    }
    if (!dcp_rows_make(in->inventory, arena, &r.rows, err) ||
        !dcp_timeline_make(in, &r.rows, arena, &r.tl, err) ||
        !dcp_history_make(in, &r.rows, &r.tl, arena, &r.history, err) ||
        !count_steps(&r, arena, err)) {
        return false;
    }
    set_savings(&r);
    return dcp_template_fill(&dcp_asset_page, add_mark, &r, out, err);
}
