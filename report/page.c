/* SPDX-License-Identifier: GPL-3.0-or-later */

/* report/assets/page.html is a page with {{marks}}; each is replaced by what
 * it names.  The policy's hashes are taken from the very bytes that stand
 * between the tags, so the page can never disagree with its own policy. */

#include "report/report.h"

#include "model/base/sha256.h"
#include "report/assets.h"
#include "report/base64.h"
#include "report/work.h"

#include <string.h>

static void
add_escaped(struct dcp_text *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        switch (*p) {
        case '&':
            dcp_text_puts(out, "&amp;");
            break;
        case '<':
            dcp_text_puts(out, "&lt;");
            break;
        case '>':
            dcp_text_puts(out, "&gt;");
            break;
        case '"':
            dcp_text_puts(out, "&quot;");
            break;
        default:
            dcp_text_add(out, p, 1);
        }
    }
}

static void
add_hash(struct dcp_text *out, const struct dcp_asset *asset)
{
    struct dcp_sha256 sha;
    uint8_t hash[32];

    dcp_sha256_init(&sha);
    dcp_sha256_add(&sha, asset->text, asset->length);
    dcp_sha256_end(&sha, hash);
    dcp_text_puts(out, " 'sha256-");
    dcp_base64_add(out, hash, sizeof hash);
    dcp_text_puts(out, "'");
}

static void
add_policy(struct dcp_text *out)
{
    dcp_text_puts(out, "default-src 'none'; script-src");
    add_hash(out, &dcp_asset_uplot);
    add_hash(out, &dcp_asset_script);
    dcp_text_puts(out, "; style-src");
    add_hash(out, &dcp_asset_style);
    dcp_text_puts(out, "; base-uri 'none'; form-action 'none'");
}

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
        add_escaped(out, lead);
        dcp_text_puts(out, *lead ? "</b> " : "");
        add_escaped(out, dcp_text_get(&words));
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
    add_escaped(out, dcp_text_get(&title));
    out->failed |= title.failed;
    dcp_text_finish(&title);
}

/* A '<' can only stand inside a string of the data; as an escape it can end
 * neither the element nor start a comment (HTML, 4.12.1.3). */
static void
add_data(const struct dcp_report_work *r, struct dcp_text *out)
{
    struct dcp_json w;

    dcp_json_init(&w, false);
    dcp_report_write_data(r, &w);
    const char *data = dcp_json_text(&w);

    out->failed |= !data || w.text.failed;
    while (data && *data) {
        size_t plain = strcspn(data, "<");

        dcp_text_add(out, data, plain);
        data += plain;
        if (*data) {
            dcp_text_puts(out, "\\u003c");
            data++;
        }
    }
    dcp_json_finish(&w);
}

static bool
mark_is(const char *mark, size_t length, const char *name)
{
    return strlen(name) == length && !memcmp(mark, name, length);
}

static bool
add_mark(const struct dcp_report_work *r, const char *mark, size_t length,
         struct dcp_text *out)
{
    if (mark_is(mark, length, "policy")) {
        add_policy(out);
    } else if (mark_is(mark, length, "title")) {
        add_title(r, out);
    } else if (mark_is(mark, length, "words")) {
        add_words(r, out);
    } else if (mark_is(mark, length, "data")) {
        add_data(r, out);
    } else if (mark_is(mark, length, "style")) {
        dcp_text_add(out, dcp_asset_style.text, dcp_asset_style.length);
    } else if (mark_is(mark, length, "uplot")) {
        dcp_text_add(out, dcp_asset_uplot.text, dcp_asset_uplot.length);
    } else if (mark_is(mark, length, "script")) {
        dcp_text_add(out, dcp_asset_script.text, dcp_asset_script.length);
    } else {
        return false;
    }
    return true;
}

static bool
fill_page(const struct dcp_report_work *r, struct dcp_text *out,
          struct dcp_error *err)
{
    const char *at = dcp_asset_page.text;

    for (;;) {
        const char *mark = strstr(at, "{{");
        const char *end = mark ? strstr(mark, "}}") : NULL;

        if (!end) {
            break;
        }
        dcp_text_add(out, at, (size_t)(mark - at));
        mark += 2;
        if (!add_mark(r, mark, (size_t)(end - mark), out)) {
            return dcp_fail(err, DCP_E_BUG, "page.html: unknown mark '%.*s'",
                            (int)(end - mark), mark);
        }
        at = end + 2;
    }
    dcp_text_puts(out, at);
    return !out->failed ||
           dcp_fail(err, DCP_E_NOMEM, "no memory for the report");
}

/* The plan's own figures are before against after; of these the packing part
 * is what the last leg's placement would save if it were held all along.  A
 * plan that brings nothing back is packing and nothing else. */
static void
set_savings(struct dcp_report_work *r)
{
    const struct dcp_plan *plan = r->in->plan;
    const struct dcp_plan_prediction *p = &plan->predicted;
    double kwh = p->energy_kwh_before - p->energy_kwh_after;
    double cost = p->energy_cost_before - p->energy_cost_after;
    bool comes_back = plan->n_legs > 1;

    if (!(p->energy_kwh_before > 0)) { /* Not predicted: our own sum. */
        kwh = r->tl.kwh[DCP_WITHOUT] - r->tl.kwh[DCP_WITH];
        cost = r->tl.cost[DCP_WITHOUT] - r->tl.cost[DCP_WITH];
    }
    r->savings.packing_kwh = comes_back ? r->tl.packing_kwh : kwh;
    r->savings.packing_cost = comes_back ? r->tl.packing_cost : cost;
    r->savings.night_kwh = kwh - r->savings.packing_kwh;
    r->savings.night_cost = cost - r->savings.packing_cost;
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
    return fill_page(&r, out, err);
}
