/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Gathers what the page tells: the plan, the demand it was made with, the
 * checker's judgement, the history, and a rehearsal by the simulator. */

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/help.h"
#include "cli/replay.h"
#include "cli/ui.h"
#include "model/io/file.h"
#include "model/io/plan_file.h"
#include "report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Samples of the history that are looked at: 400 MB; longer or wider histories
 * count with their latest days. */
#define HISTORY_CELLS_MAX (UINT64_C(100) * 1000 * 1000)

struct options {
    const char *output, *traces;
    int64_t from_ms;
};

static const struct dcp_opt rows[] = {
    { "output", 'o', DCP_OPT_FILE, offsetof(struct options, output), "FILE",
      NULL, NULL, "Write the page there; - is standard output." },
    { "traces", 0, DCP_OPT_FILE, offsetof(struct options, traces), "FILE", NULL,
      NULL,
      "Usage store; default: usage.h5 of the model, where there is one." },
    { "from", 0, DCP_OPT_INSTANT, offsetof(struct options, from_ms), "TIME",
      NULL, NULL,
      "Rehearse on the first such night from then on; default: the plan's own "
      "night where the store has it, else the last night that it has." },
};
static const struct dcp_opt_group groups[] = {
    { rows, sizeof rows / sizeof rows[0], 0 },
};

/* All that the page is made of, and who owns it. */
struct gathered {
    struct dcp_context context;
    struct dcp_plan *plan;
    struct dcp_demand *demand;
    struct dcp_check_result check;
    struct dcp_samples history;
    struct dcp_replay replay;
    bool has_replay;
    double *series[2][2]; /* [without, with][hosts on, watts] */
    struct dcp_report_replay night;
};

static void
gathered_finish(struct gathered *a)
{
    for (int k = 0; k < 4; k++) {
        free(a->series[k / 2][k % 2]);
    }
    dcp_replay_finish(&a->replay);
    dcp_samples_finish(&a->history);
    dcp_check_result_finish(&a->check);
    dcp_demand_destroy(a->demand);
    dcp_plan_destroy(a->plan);
    dcp_context_close(&a->context);
}

static int64_t
store_end_ms(const struct dcp_store *s)
{
    return dcp_store_start_ms(s) +
           dcp_store_n_times(s) * dcp_store_interval_ms(s);
}

static bool
load_history(struct gathered *a, struct dcp_error *err)
{
    const struct dcp_inventory *inv = a->context.model.inventory;
    struct dcp_store *s = a->context.store;

    if (!s || !dcp_store_has(s, DCP_METRIC_CPU_MHZ) || !inv->n_vms) {
        return true;
    }
    int64_t from_ms = dcp_store_start_ms(s), to_ms = store_end_ms(s);

    if (a->plan->traces_until_ms > a->plan->traces_from_ms) {
        from_ms = a->plan->traces_from_ms;
        to_ms = a->plan->traces_until_ms;
    }
    int64_t most_ms =
        (int64_t)(HISTORY_CELLS_MAX / inv->n_vms) * dcp_store_interval_ms(s);

    if (to_ms - from_ms > most_ms) {
        from_ms = to_ms - most_ms;
    }
    return dcp_samples_load(s, DCP_METRIC_CPU_MHZ, inv, a->context.measured,
                            from_ms, to_ms, &a->history, err);
}

/* False: the store has no whole such night, so there is nothing to rehearse. */
static bool
choose_night(const struct gathered *a, int64_t *from_ms)
{
    const struct dcp_store *s = a->context.store;
    int64_t start_ms = a->plan->legs[0].start_ms;
    int64_t end_ms = a->plan->legs[a->plan->n_legs - 1].buckets_until_ms;

    if (*from_ms != DCP_INSTANT_NONE) {
        return true;
    }
    if (!s) {
        return false;
    }
    if (dcp_store_start_ms(s) <= start_ms && end_ms <= store_end_ms(s)) {
        return true;
    }
    *from_ms = store_end_ms(s) - (end_ms - start_ms) - DCP_DAY_MS;
    return *from_ms >= dcp_store_start_ms(s);
}

static bool
set_series(struct gathered *a, struct dcp_error *err)
{
    const struct dcp_sim_result *result[2] = { &a->replay.without,
                                               &a->replay.with };
    struct dcp_report_replay *n = &a->night;

    n->in_sample = a->replay.in_sample;
    n->partial = a->replay.partial;
    n->start_ms = a->replay.with.from_ms;
    n->interval_ms = a->replay.cpu.interval_ms;
    n->n = a->replay.with.n_slices;
    n->migrations = a->replay.with.migrations;
    n->migrations_failed = a->replay.with.migrations_failed;
    for (int k = 0; k < 2; k++) {
        double *on = calloc((size_t)n->n + 1, sizeof *on);
        double *watts = calloc((size_t)n->n + 1, sizeof *watts);

        a->series[k][0] = on;
        a->series[k][1] = watts;
        if (!on || !watts) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for the rehearsal");
        }
        for (uint32_t i = 0; i < n->n; i++) {
            on[i] = result[k]->slices[i].hosts_on;
            watts[i] = result[k]->slices[i].meter_w;
        }
        n->hosts_on[k] = on;
        n->meter_w[k] = watts;
        n->meter_kwh[k] = result[k]->meter_kwh;
        n->cost[k] = result[k]->energy_cost;
        n->overload_host_s[k] = result[k]->overload_host_s;
    }
    return true;
}

static bool
rehearse(const struct dcp_globals *g, const struct options *o,
         struct gathered *a, struct dcp_error *err)
{
    struct dcp_replay_options how = DCP_REPLAY_DEFAULT;
    struct dcp_error why = { 0 };

    how.from_ms = o->from_ms;
    if (!a->plan->n_steps || !choose_night(a, &how.from_ms)) {
        return true;
    }
    if (!dcp_replay_run(&a->context, a->plan, &how, &a->replay, &why)) {
        if (o->from_ms == DCP_INSTANT_NONE && why.code != DCP_E_NOMEM) {
            dcp_ui_warn(g, "no rehearsal in the report: %s", why.message);
            return true;
        }
        *err = why;
        return false;
    }
    a->has_replay = true;
    return set_series(a, err);
}

static bool
gather(const struct dcp_globals *g, const struct options *o, const char *path,
       struct gathered *a, struct dcp_error *err)
{
    if (!dcp_context_open(g, o->traces, &a->context, err)) {
        return false;
    }
    const struct dcp_inventory *inv = a->context.model.inventory;

    a->plan = dcp_plan_load(inv, path, err);
    if (!a->plan) {
        return false;
    }
    if (strcmp(a->plan->lineage, inv->lineage) != 0) {
        return dcp_fail(err, DCP_E_STALE,
                        "the plan was made for another model (lineage %.40s)",
                        a->plan->lineage);
    }
    if (strcmp(a->plan->model_digest, inv->digest) != 0) {
        dcp_ui_warn(g,
                    "the model has changed since '%s' was made; the report "
                    "judges the plan on the model as it is now",
                    path);
    }
    dcp_ui_progress(g, "report: demand", 0.1);
    a->demand = dcp_context_plan_demand(&a->context, a->plan, err);
    if (!a->demand) {
        return false;
    }
    dcp_ui_progress(g, "report: check", 0.3);
    if (!dcp_check_plan(inv, a->demand, a->plan, &a->check, err)) {
        return false;
    }
    dcp_ui_progress(g, "report: history", 0.5);
    if (!load_history(a, err)) {
        return false;
    }
    dcp_ui_progress(g, "report: rehearsal", 0.7);
    return rehearse(g, o, a, err);
}

static bool
write_page(const char *path, const struct dcp_text *page, struct dcp_error *err)
{
    if (strcmp(path, "-") != 0) {
        return dcp_file_write(path, page->data, page->length, err);
    }
    /* Its errors are told at the end of the command. */
    (void)fwrite(page->data, 1, page->length, stdout);
    return true;
}

static int
print_result(const struct dcp_globals *g, const struct options *o,
             const struct gathered *a, size_t n_bytes, struct dcp_error *err)
{
    if (g->json && strcmp(o->output, "-") != 0) {
        struct dcp_json w;

        dcp_json_init(&w, true);
        dcp_json_begin(&w, '{');
        dcp_json_kstring(&w, "schema", "dcplan/report/1");
        dcp_json_kstring(&w, "plan", a->plan->uuid);
        dcp_json_kstring(&w, "output", o->output);
        dcp_json_ku64(&w, "bytes", n_bytes);
        dcp_json_kbool(&w, "check_pass", a->check.pass);
        dcp_json_kbool(&w, "history", a->history.n_times > 0);
        dcp_json_kbool(&w, "rehearsal", a->has_replay);
        dcp_json_kobject(&w, "run");
        dcp_ui_run_members(g, &w);
        dcp_json_end(&w, '}');
        dcp_json_end(&w, '}');
        return dcp_ui_json(&w, 0, err);
    }
    dcp_ui_say(g, "wrote %s (%zu KiB)",
               strcmp(o->output, "-") ? o->output : "the report",
               (n_bytes + 1023) / 1024);
    return 0;
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    const struct options *o = options;
    struct gathered a = { 0 };
    struct dcp_text page = { 0 };

    (void)n_args;
    if (!o->output) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "where to? give -o R.html, or -o - for standard "
                       "output");
        return -1;
    }
    bool ok = gather(g, o, args[0], &a, err);

    if (ok) {
        struct dcp_report_input in = {
            .inventory = a.context.model.inventory,
            .plan = a.plan,
            .demand = a.demand,
            .check = &a.check,
            .samples = a.history.n_times ? &a.history : NULL,
            .replay = a.has_replay ? &a.night : NULL,
            .tool_version = DCP_VERSION,
        };

        dcp_ui_progress(g, "report: page", 0.9);
        ok = dcp_report_html(&in, &page, err);
    }
    dcp_ui_progress_end(g);
    ok = ok && write_page(o->output, &page, err);
    int status = ok ? print_result(g, o, &a, page.length, err) : -1;

    dcp_text_finish(&page);
    gathered_finish(&a);
    return status;
}

const struct dcp_command dcp_cmd_report = {
    .name = "report",
    .summary = "one offline page about a plan",
    .synopsis = "PLAN -o R.html [--traces U.h5] [--from T]",
    .details =
        "Writes one HTML file that needs no network: what the plan does, what "
        "it saves, what it\nrisks and how sure that is, with the reasons of "
        "every step.  The checker judges the\nplan again, and the simulator "
        "rehearses it on a night of the store.\n\nExamples:\n"
        "  dcplan report plan.json -o report.html\n"
        "  dcplan report plan.json -o report.html --from "
        "2013-08-22T00:00:00Z\n",
    .groups = groups,
    .n_groups = 1,
    .options_size = sizeof(struct options),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
