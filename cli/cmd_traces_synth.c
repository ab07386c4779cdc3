/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/ui.h"
#include "model/calendar.h"
#include "model/io/model_dir.h"
#include "traces/synth.h"

#include <stdio.h>

struct options {
    const char *output;
    uint64_t vms, days, sample_bits, deflate;
    int64_t interval_ms, start_ms;
    bool no_net;
};

static const struct dcp_opt rows[] = {
    { "output", 'o', DCP_OPT_FILE, offsetof(struct options, output), "U.h5",
      NULL, NULL,
      "Write the store there (default: usage.h5 of the model directory)." },
    { "vms", 0, DCP_OPT_UINT, offsetof(struct options, vms), "N", NULL, NULL,
      "Invent N VMs instead of taking the model's." },
    { "days", 0, DCP_OPT_UINT, offsetof(struct options, days), "D", NULL, "31",
      "Length in days." },
    { "start", 0, DCP_OPT_INSTANT, offsetof(struct options, start_ms), "TIME",
      NULL, "2013-08-01T00:00:00Z", "Begin then." },
    { "interval", 0, DCP_OPT_TIME_MS, offsetof(struct options, interval_ms),
      "TIME", NULL, "5min", "Time between samples." },
    { "no-net", 0, DCP_OPT_FLAG, offsetof(struct options, no_net), NULL, NULL,
      NULL, "CPU and memory only." },
    { "sample-bits", 0, DCP_OPT_UINT, offsetof(struct options, sample_bits),
      "N", NULL, "16",
      "8: a byte a sample, in steps of the VM's highest / 254." },
    { "deflate", 0, DCP_OPT_UINT, offsetof(struct options, deflate), "LEVEL",
      NULL, NULL, "Compress the store, 1 to 9 (default: not)." },
};
static const struct dcp_opt_group groups[] = {
    { rows, sizeof rows / sizeof rows[0], 0 },
};

static void
progress(void *globals, double done_frac)
{
    dcp_ui_progress(globals, "inventing usage", done_frac);
}

/* Where to: -o, else usage.h5 of the model directory. */
static const char *
target(const struct dcp_globals *g, const struct options *o, char *room,
       size_t size)
{
    if (o->output) {
        return o->output;
    }
    (void)snprintf(room, size, "%s/usage.h5", g->dir);
    return room;
}

static int
print_result(const struct dcp_globals *g, const char *path, uint32_t n,
             const struct dcp_synth_options *o, struct dcp_error *err)
{
    struct dcp_json w;

    if (!g->json) {
        dcp_ui_say(g, "%s: %u VMs, %u days, seed %llu", path, n, o->days,
                   (unsigned long long)o->seed);
        return 0;
    }
    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/traces-synth/1");
    dcp_json_kstring(&w, "store", path);
    dcp_json_ku64(&w, "vms", n);
    dcp_json_kinstant(&w, "start", o->start_ms);
    dcp_json_kinstant(&w, "end", o->start_ms + o->days * DCP_DAY_MS);
    dcp_json_kdouble(&w, "interval_seconds", (double)o->interval_ms / 1000);
    dcp_json_ku64(&w, "seed", o->seed);
    dcp_json_kobject(&w, "run");
    dcp_ui_run_members(g, &w);
    dcp_json_end(&w, '}');
    dcp_json_end(&w, '}');
    return dcp_ui_json(&w, 0, err);
}

static int
make(const struct dcp_globals *g, const struct options *o,
     const struct dcp_synth_vm vms[], uint32_t n,
     const struct dcp_synth_options *so, struct dcp_error *err)
{
    char room[4096];
    const char *path = target(g, o, room, sizeof room);

    if (!vms) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for %u VMs", n);
        return -1;
    }
    return dcp_synth_write(path, vms, n, so, err)
               ? print_result(g, path, n, so, err)
               : -1;
}

static int
drawn(const struct dcp_globals *g, const struct options *o,
      const struct dcp_synth_options *so, struct dcp_error *err)
{
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);
    uint32_t n = (uint32_t)o->vms;

    if (!o->output) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "invented VMs are of no model: say where with -o U.h5");
        return -1;
    }
    return make(g, o, arena ? dcp_synth_draw_vms(arena, g->seed, n) : NULL, n,
                so, err);
}

static int
of_model(const struct dcp_globals *g, const struct options *o,
         struct dcp_synth_options *so, struct dcp_error *err)
{
    struct dcp_model model;
    struct dcp_diag diag = { 0 };
    bool ok = dcp_model_open(g->dir, NULL, &diag, &model, err);

    /* The only error is 'err', which the caller prints. */
    if (ok || diag.n_errors > 1) {
        dcp_ui_diag(g, &diag);
    }
    if (!ok && diag.n_errors > 1) {
        (void)dcp_fail(err, DCP_E_PARSE, "the model has %zu errors",
                       diag.n_errors);
    }
    dcp_diag_finish(&diag);
    if (!ok) {
        return -1;
    }
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);
    uint32_t n = 0;
    const struct dcp_synth_vm *vms =
        arena ? dcp_synth_vms_of(arena, g->seed, model.inventory, &n) : NULL;

    so->zone = model.inventory->zone;
    int status = make(g, o, vms, n, so, err);

    dcp_model_finish(&model);
    return status;
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    const struct options *o = options;
    struct dcp_globals copy = *g;

    (void)n_args;
    (void)args;
    if (!o->days || o->days > DCP_SYNTH_DAYS_MAX ||
        o->vms > DCP_STORE_VMS_MAX) {
        (void)dcp_fail(err, DCP_E_USAGE, "--days is 1 to %d, --vms at most %u",
                       DCP_SYNTH_DAYS_MAX, DCP_STORE_VMS_MAX);
        return -1;
    }
    if ((o->sample_bits != 8 && o->sample_bits != 16) || o->deflate > 9) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "--sample-bits is 8 or 16, --deflate at most 9");
        return -1;
    }
    struct dcp_synth_options so = {
        .seed = g->seed,
        .start_ms = o->start_ms,
        .interval_ms = o->interval_ms,
        .days = (uint32_t)o->days,
        .zone = &dcp_zone_utc,
        .threads = (uint32_t)(g->threads > 64 ? 64 : g->threads),
        .cpu_and_memory_only = o->no_net,
        .sample_bits = (uint32_t)o->sample_bits,
        .deflate_level = (uint32_t)o->deflate,
        .progress = progress,
        .progress_context = &copy,
    };
    int status = o->vms ? drawn(g, o, &so, err) : of_model(g, o, &so, err);

    dcp_ui_progress_end(g);
    return status;
}

const struct dcp_command dcp_cmd_traces_synth = {
    .name = "traces synth",
    .summary = "invent a usage history with day and week rhythm",
    .synopsis = "[--vms N] [--days D] [-o U.h5]",
    .details =
        "Office hours, evening web, night batch, flat and bursty VMs, with "
        "noise; the same\nseed gives the same bytes.  Names and sizes are "
        "those of the model's VMs; a tag\n'office', 'evening', 'batch', "
        "'flat' or 'bursty' chooses.  How: docs/traces.md.\n\n"
        "Examples:\n"
        "  dcplan -C night traces synth --days 31 --seed 7\n"
        "  dcplan traces synth --vms 200 --days 14 --seed 7 -o usage.h5\n",
    .groups = groups,
    .n_groups = 1,
    .options_size = sizeof(struct options),
    .run = run,
};
