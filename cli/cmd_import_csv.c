/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/ui.h"
#include "model/io/import_csv.h"
#include "model/io/model_dir.h"
#include "model/io/spec_curves.h"

#include <stdio.h>

#define O(MEMBER) offsetof(struct dcp_import_options, MEMBER)
static const struct dcp_opt rows[] = {
    { "hosts", 0, DCP_OPT_FILE, O(hosts), "H.csv", NULL, NULL,
      "table of hosts" },
    { "vms", 0, DCP_OPT_FILE, O(vms), "V.csv", NULL, NULL, "table of VMs" },
    { "map", 0, DCP_OPT_FILE, O(map), "M.yaml", NULL, NULL,
      "which column is which key (docs/import.md); else by the headers" },
    { "power-curves", 0, DCP_OPT_FILE, O(curves), "S.csv", NULL, NULL,
      "SPECpower results, joined by CPU model" },
    { "force", 0, DCP_OPT_FLAG, O(force), NULL, NULL, NULL,
      "replace an earlier import" },
};
static const struct dcp_opt_group groups[] = {
    { rows, sizeof rows / sizeof rows[0], 0 }
};

static void
print_human(const struct dcp_globals *g,
            const struct dcp_import_options *options,
            const struct dcp_import_result *r)
{
    if (options->hosts) {
        dcp_ui_say(g, "hosts: %u of %u rows taken, %u models of machines",
                   r->hosts_taken, r->hosts_read, r->hardware);
    }
    if (options->vms) {
        dcp_ui_say(g, "VMs: %u of %u rows taken", r->vms_taken, r->vms_read);
    }
    for (uint32_t i = 0; i < r->n_reasons; i++) {
        dcp_ui_say(g, "  skipped %u: %s", r->reasons[i].n, r->reasons[i].text);
    }
    if (r->n_cores_assumed) {
        dcp_ui_say(g,
                   "  %u hosts do not give their cores: taken as half their "
                   "threads",
                   r->n_cores_assumed);
    }
    if (options->curves) {
        dcp_ui_say(g,
                   "power curves: %u models (%u hosts) by CPU, %u (%u) by CPU "
                   "family, %u (%u) not found\nspeed_factor 1 is a %s",
                   r->curves[DCP_SPEC_EXACT], r->curve_hosts[DCP_SPEC_EXACT],
                   r->curves[DCP_SPEC_FAMILY], r->curve_hosts[DCP_SPEC_FAMILY],
                   r->curves[DCP_SPEC_NONE], r->curve_hosts[DCP_SPEC_NONE],
                   DCP_SPEC_REFERENCE_NAME);
    }
}

static void
json_count(struct dcp_json *w, const char *key, uint32_t read, uint32_t taken)
{
    dcp_json_key(w, key);
    dcp_json_begin_line(w, '{');
    dcp_json_ku64(w, "read", read);
    dcp_json_ku64(w, "taken", taken);
    dcp_json_end(w, '}');
}

static int
print_json(const struct dcp_globals *g, const struct dcp_import_result *r,
           const struct dcp_diag *after, int status, struct dcp_error *err)
{
    static const char *const names[] = { "none", "family", "exact" };
    struct dcp_json w;

    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/import-csv/1");
    json_count(&w, "hosts", r->hosts_read, r->hosts_taken);
    json_count(&w, "vms", r->vms_read, r->vms_taken);
    dcp_json_ku64(&w, "hardware", r->hardware);
    dcp_json_ku64(&w, "cores_assumed", r->n_cores_assumed);
    dcp_json_karray(&w, "skipped");
    for (uint32_t i = 0; i < r->n_reasons; i++) {
        dcp_json_begin_line(&w, '{');
        dcp_json_kstring(&w, "reason", r->reasons[i].text);
        dcp_json_ku64(&w, "rows", r->reasons[i].n);
        dcp_json_end(&w, '}');
    }
    dcp_json_end(&w, ']');
    dcp_json_kobject(&w, "power_curves");
    for (int m = DCP_SPEC_EXACT; m >= DCP_SPEC_NONE; m--) {
        dcp_json_key(&w, names[m]);
        dcp_json_begin_line(&w, '{');
        dcp_json_ku64(&w, "hardware", r->curves[m]);
        dcp_json_ku64(&w, "hosts", r->curve_hosts[m]);
        dcp_json_end(&w, '}');
    }
    dcp_json_end(&w, '}');
    dcp_json_ku64(&w, "errors", after->n_errors);
    dcp_json_ku64(&w, "warnings", after->n_warnings);
    dcp_json_kobject(&w, "run");
    dcp_ui_run_members(g, &w);
    dcp_json_end(&w, '}');
    dcp_json_end(&w, '}');
    return dcp_ui_json(&w, status, err);
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    const struct dcp_import_options *o = options;
    struct dcp_import_result result;
    struct dcp_diag diag = { 0 }, after = { 0 };
    struct dcp_model model = { 0 };

    (void)n_args;
    (void)args;
    if (!o->hosts && !o->vms) {
        (void)dcp_fail(err, DCP_E_USAGE, "give --hosts, --vms or both");
        return -1;
    }
    int lock = dcp_model_lock(g->dir, err);

    if (lock < 0) {
        return -1;
    }
    bool ok = dcp_import_csv(g->dir, o, &result, &diag, err);

    dcp_model_unlock(lock);
    dcp_ui_diag(g, &diag);
    dcp_diag_finish(&diag);
    if (!ok) {
        return -1;
    }
    /* What the model says to it: references that nobody defines. */
    bool right = dcp_model_open(g->dir, NULL, &after, &model, err);
    int status = right ? 0 : 2;

    dcp_model_finish(&model);
    if (!right) {
        dcp_ui_diag(g, &after);
    }
    if (g->json) {
        status = print_json(g, &result, &after, status, err);
    } else {
        print_human(g, o, &result);
        dcp_ui_say(g, right ? "next: dcplan model check"
                            : "the files are written, but the model has "
                              "errors; correct them");
    }
    dcp_diag_finish(&after);
    return status;
}

const struct dcp_command dcp_cmd_import_csv = {
    .name = "import csv",
    .summary = "bring tables of hosts and VMs into the model",
    .synopsis = "[--hosts H.csv] [--vms V.csv] [--map M.yaml] "
                "[--power-curves S.csv] [--force]",
    .details =
        "Writes import/ and adds it to the include list of dc.yaml.  Hosts "
        "that are alike\nbecome one model of machine; power curves and speed "
        "factors are joined by CPU\nmodel.  Rows that cannot be used are "
        "counted by reason.\n\nExamples:\n"
        "  dcplan import csv --hosts hosts.csv --vms vms.csv\n"
        "  dcplan import csv --hosts nodes.csv --map map.yaml --power-curves "
        "spec_curves.csv\n",
    .groups = groups,
    .n_groups = 1,
    .options_size = sizeof(struct dcp_import_options),
    .run = run,
};
