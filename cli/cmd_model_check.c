/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/ui.h"
#include "model/base/units.h"
#include "model/capacity.h"
#include "model/io/model_dir.h"

#include <stdio.h>

static void
print_diag_json(struct dcp_json *w, struct dcp_diag *diag)
{
    static const char *const words[] = { "note", "warning", "error" };

    dcp_diag_sort(diag);
    dcp_json_karray(w, "diagnostics");
    for (size_t i = 0; i < diag->n; i++) {
        const struct dcp_diagnostic *d = &diag->items[i];

        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "severity", words[d->severity]);
        dcp_json_kstring(w, "path", d->path);
        dcp_json_ku64(w, "line", d->line);
        dcp_json_ku64(w, "column", d->column);
        dcp_json_kstring(w, "message", d->message);
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

static int
print_json(const struct dcp_globals *g, const struct dcp_model *model,
           struct dcp_diag *diag, int status, struct dcp_error *err)
{
    struct dcp_json w;

    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/model-check/1");
    dcp_json_kstring(&w, "status", model ? "pass" : "fail");
    dcp_json_ku64(&w, "errors", diag->n_errors);
    dcp_json_ku64(&w, "warnings", diag->n_warnings);
    if (model) {
        const struct dcp_inventory *inv = model->inventory;

        dcp_json_kstring(&w, "lineage", inv->lineage);
        dcp_json_ku64(&w, "serial", model->serial);
        dcp_json_kstring(&w, "digest", inv->digest);
        dcp_json_ku64(&w, "hosts", inv->n_hosts);
        dcp_json_ku64(&w, "vms", inv->n_vms);
        dcp_json_ku64(&w, "rules", inv->n_rules);
    }
    print_diag_json(&w, diag);
    dcp_json_kobject(&w, "run");
    dcp_ui_run_members(g, &w);
    dcp_json_end(&w, '}');
    dcp_json_end(&w, '}');
    return dcp_ui_json(&w, status, err);
}

static void
print_human(const struct dcp_globals *g, const struct dcp_model *model,
            const struct dcp_diag *diag)
{
    const struct dcp_inventory *inv = model->inventory;
    double cores = 0, mem_mib = 0;
    char memory[32];

    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        const struct dcp_hardware *hw =
            &inv->hardware[inv->hosts[h].hardware.ix];

        cores += (double)hw->sockets * hw->cores_per_socket;
        mem_mib += (double)hw->mem_mib;
    }
    dcp_print_human(DCP_DIM_SIZE, mem_mib, memory, sizeof memory);
    printf("ok: %u hosts (%u on; %.0f cores, %s), %u VMs, %u rules, "
           "%zu warning%s\n",
           inv->n_hosts, dcp_placement_n_on(model->placement), cores, memory,
           inv->n_vms, inv->n_rules, diag->n_warnings,
           diag->n_warnings == 1 ? "" : "s");
    if (g->verbose) {
        printf("lineage %s\nserial  %llu\ndigest  %s\n", inv->lineage,
               (unsigned long long)model->serial, inv->digest);
    }
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    struct dcp_diag diag = { 0 };
    struct dcp_model model = { 0 };
    const char *dir = n_args ? args[0] : g->dir;
    bool ok = dcp_model_open(dir, g->policy_file, &diag, &model, err);
    bool said = !ok && diag.n_errors > 0;
    int status = ok ? 0 : said ? 2 : -1;

    (void)options;
    if (g->json && (ok || said)) {
        status = print_json(g, ok ? &model : NULL, &diag, status, err);
    } else {
        dcp_ui_diag(g, &diag);
        if (ok) {
            print_human(g, &model, &diag);
        } else if (said) {
            dcp_ui_error(g, err);
        }
    }
    dcp_model_finish(&model);
    dcp_diag_finish(&diag);
    return status;
}

const struct dcp_command dcp_cmd_model_check = {
    .name = "model check",
    .summary = "find everything that is wrong with the model",
    .synopsis = "[DIR]",
    .details =
        "Reads the model and reports all problems at once, each as\n"
        "file:line:column: object: problem; remedy.  Exit status 0 without "
        "errors\n(warnings are fine), 2 with.\n\nExamples:\n"
        "  dcplan model check\n  dcplan -C night model check --json\n",
    .max_args = 1,
    .run = run,
};
