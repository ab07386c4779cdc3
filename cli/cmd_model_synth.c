/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/ui.h"
#include "model/io/invent.h"
#include "model/io/model_dir.h"
#include "traces/synth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct options {
    uint64_t hosts, vms, days;
    int64_t start_ms;
};

#define O(MEMBER) offsetof(struct options, MEMBER)
static const struct dcp_opt rows[] = {
    { "hosts", 0, DCP_OPT_UINT, O(hosts), "N", NULL, "60", "hosts" },
    { "vms", 0, DCP_OPT_UINT, O(vms), "M", NULL, "900", "VMs" },
    { "days", 0, DCP_OPT_UINT, O(days), "D", NULL, "0",
      "also D days of usage in usage.h5; 0: only profiles" },
    { "start", 0, DCP_OPT_INSTANT, O(start_ms), "TIME", NULL,
      "2026-01-04T23:00:00Z", "where the usage begins" },
};
static const struct dcp_opt_group groups[] = {
    { rows, sizeof rows / sizeof rows[0], 0 }
};

static void
show_progress(void *context, double done_frac)
{
    dcp_ui_progress(context, "inventing usage", done_frac);
}

static bool
write_usage(const struct dcp_globals *g, const struct options *o,
            const char *dir, struct dcp_error *err)
{
    struct dcp_model model = { 0 };
    struct dcp_diag diag = { 0 };
    struct dcp_globals context = *g;
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);
    size_t path_size = strlen(dir) + 16;
    DCP_FREE char *path = malloc(path_size);
    struct dcp_synth_vm *vms = NULL;
    uint32_t n = 0;
    bool ok = arena && path;

    if (!ok) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for usage");
    }
    (void)snprintf(path, path_size, "%s/usage.h5", dir);
    ok = dcp_model_open(dir, NULL, &diag, &model, err);
    if (ok) {
        struct dcp_synth_options options = {
            .seed = g->seed,
            .start_ms = o->start_ms,
            .interval_ms = 300000,
            .days = (uint32_t)o->days,
            .zone = model.inventory->zone,
            .threads = (uint32_t)g->threads,
            .progress = show_progress,
            .progress_context = &context,
        };

        vms = dcp_synth_vms_of(arena, g->seed, model.inventory, &n);
        ok = vms ? dcp_synth_write(path, vms, n, &options, err)
                 : dcp_fail(err, DCP_E_NOMEM, "no memory for usage");
        dcp_ui_progress_end(g);
    }
    dcp_model_finish(&model);
    dcp_diag_finish(&diag);
    return ok;
}

static int
print_result(const struct dcp_globals *g, const struct options *o,
             const char *dir, struct dcp_error *err)
{
    struct dcp_json w;

    if (!g->json) {
        dcp_ui_say(g,
                   "made %s: %llu hosts, %llu VMs%s\nnext: dcplan -C %s model "
                   "check",
                   dir, (unsigned long long)o->hosts,
                   (unsigned long long)o->vms, o->days ? ", usage.h5" : "",
                   dir);
        return 0;
    }
    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/model-synth/1");
    dcp_json_kstring(&w, "path", dir);
    dcp_json_ku64(&w, "hosts", o->hosts);
    dcp_json_ku64(&w, "vms", o->vms);
    dcp_json_ku64(&w, "days", o->days);
    dcp_json_kobject(&w, "run");
    dcp_ui_run_members(g, &w);
    dcp_json_end(&w, '}');
    dcp_json_end(&w, '}');
    return dcp_ui_json(&w, 0, err);
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    const struct options *o = options;
    struct dcp_invent_options invent = {
        .n_hosts = o->hosts > UINT32_MAX ? UINT32_MAX : (uint32_t)o->hosts,
        .n_vms = o->vms > UINT32_MAX ? UINT32_MAX : (uint32_t)o->vms,
        .seed = g->seed,
    };

    (void)n_args;
    if (o->days > DCP_SYNTH_DAYS_MAX) {
        (void)dcp_fail(err, DCP_E_USAGE, "--days: at most %d",
                       DCP_SYNTH_DAYS_MAX);
        return -1;
    }
    if (mkdir(args[0], 0777) != 0 && errno != EEXIST) {
        (void)dcp_fail(err, DCP_E_IO, "cannot make directory '%.300s': %s",
                       args[0], strerror(errno));
        return -1;
    }
    if (!dcp_invent_model(&invent, args[0], err) ||
        (o->days && !write_usage(g, o, args[0], err))) {
        return -1;
    }
    return print_result(g, o, args[0], err);
}

const struct dcp_command dcp_cmd_model_synth = {
    .name = "model synth",
    .summary = "invent a plausible datacenter",
    .synopsis = "[--hosts N] [--vms M] [--days D] DIR",
    .details =
        "Makes DIR with a model of N hosts of five real machines in racks "
        "with A and B\nfeeds, and M VMs of log-normal sizes scattered over "
        "them, with tiers, tenants,\nlicences, hourly profiles and one rule "
        "per 50 VMs.  It is an invention, not a\nmeasurement; the same "
        "--seed makes the same files.\n\nExamples:\n"
        "  dcplan model synth --hosts 60 --vms 900 --days 30 --seed 7 demo\n"
        "  dcplan model synth --hosts 10000 --vms 100000 big\n",
    .groups = groups,
    .n_groups = 1,
    .options_size = sizeof(struct options),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
