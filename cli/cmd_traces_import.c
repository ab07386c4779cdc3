/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/ui.h"
#include "traces/import.h"

#include <stdio.h>

struct options {
    const char *output, *prefix, *map, *vm_size;
    int64_t interval_ms, start_ms;
    uint64_t core_mhz, deflate, sample_bits;
    bool strict;
};

static const struct dcp_opt rows[] = {
    { "output", 'o', DCP_OPT_FILE, offsetof(struct options, output), "U.h5",
      NULL, NULL, "Write the store there (required)." },
    { "interval", 0, DCP_OPT_TIME_MS, offsetof(struct options, interval_ms),
      "TIME", NULL, "5min", "Length of a cell of the grid." },
    { "start", 0, DCP_OPT_INSTANT, offsetof(struct options, start_ms), "TIME",
      NULL, NULL,
      "What relative times count from; else where the grid begins." },
    { "prefix", 0, DCP_OPT_TEXT, offsetof(struct options, prefix), "TEXT", NULL,
      NULL, "Put TEXT before every VM's name." },
    { "strict", 0, DCP_OPT_FLAG, offsetof(struct options, strict), NULL, NULL,
      NULL, "Refuse what would be repaired." },
    { "map", 0, DCP_OPT_FILE, offsetof(struct options, map), "M.yaml", NULL,
      NULL, "csv: which column is what (docs/traces.md)." },
    { "vm-size", 0, DCP_OPT_FILE, offsetof(struct options, vm_size), "FILE",
      NULL, NULL,
      "planetlab: CSV vm,vcpus,core_mhz,mem_mib; vm * is all others." },
    { "core-mhz", 0, DCP_OPT_UINT, offsetof(struct options, core_mhz), "MHZ",
      NULL, NULL, "MHz of a core where the source names none (default 2400)." },
    { "deflate", 0, DCP_OPT_UINT, offsetof(struct options, deflate), "LEVEL",
      NULL, NULL, "Compress the store, 1 to 9 (default: not)." },
    { "sample-bits", 0, DCP_OPT_UINT, offsetof(struct options, sample_bits),
      "N", NULL, "16",
      "8: a byte a sample, in steps of the VM's highest / 254." },
};
static const struct dcp_opt_group groups[] = {
    { rows, sizeof rows / sizeof rows[0], 0 },
};

struct shown {
    const struct dcp_globals *g;
    int percent; /* What the terminal shows. */
};

/* All is read at 100 %; the rest of the time goes into the grid. */
static void
progress(void *context, double done_frac)
{
    struct shown *shown = context;
    int percent = (int)(100 * done_frac + 0.5);

    if (percent == shown->percent) {
        return;
    }
    shown->percent = percent;
    if (done_frac < 1) {
        dcp_ui_progress(shown->g, "reading", done_frac);
    } else {
        dcp_ui_progress(shown->g, "writing the store", -1);
    }
}

static int
print_json(const struct dcp_globals *g, const char *path,
           const struct dcp_import_summary *s, struct dcp_error *err)
{
    struct dcp_json w;

    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/traces-import/1");
    dcp_json_kstring(&w, "store", path);
    dcp_json_ku64(&w, "vms", s->n_vms);
    dcp_json_kinstant(&w, "start", s->start_ms);
    dcp_json_kinstant(&w, "end",
                      s->start_ms + (int64_t)s->n_times * s->interval_ms);
    dcp_json_kdouble(&w, "interval_seconds", (double)s->interval_ms / 1000);
    dcp_json_ku64(&w, "rows_read", s->rows);
    dcp_json_kobject(&w, "repaired");
    dcp_json_ku64(&w, "duplicate_rows", s->duplicate_rows);
    dcp_json_ku64(&w, "conflicting_duplicates", s->conflicting_duplicates);
    dcp_json_ku64(&w, "zero_capacity_rows", s->zero_capacity_rows);
    dcp_json_ku64(&w, "above_capacity_rows", s->above_capacity_rows);
    dcp_json_ku64(&w, "above_memory_rows", s->above_memory_rows);
    dcp_json_ku64(&w, "out_of_order", s->out_of_order);
    dcp_json_ku64(&w, "unknown_vm_rows", s->unknown_vm_rows);
    dcp_json_ku64(&w, "error_values", s->error_values);
    dcp_json_end(&w, '}');
    dcp_json_kobject(&w, "run");
    dcp_ui_run_members(g, &w);
    dcp_json_end(&w, '}');
    dcp_json_end(&w, '}');
    return dcp_ui_json(&w, 0, err);
}

static void
say_one(const struct dcp_globals *g, uint64_t n, const char *what)
{
    if (n) {
        dcp_ui_say(g, "  %llu %s", (unsigned long long)n, what);
    }
}

static void
say(const struct dcp_globals *g, const char *path,
    const struct dcp_import_summary *s)
{
    dcp_ui_say(g, "%s: %u VMs, %u cells each, %llu rows read in %.1f s", path,
               s->n_vms, s->n_times, (unsigned long long)s->rows,
               dcp_ui_wall_seconds(g));
    say_one(g, s->duplicate_rows, "rows repeat a timestamp: the first is kept");
    say_one(g, s->conflicting_duplicates, "of them differ from it");
    say_one(g, s->out_of_order, "rows out of order: sorted");
    say_one(g, s->zero_capacity_rows,
            "rows of zero capacity: the VM was not there");
    say_one(g, s->above_capacity_rows, "rows above the CPU capacity: kept");
    say_one(g, s->above_memory_rows, "rows above the provisioned memory: kept");
    say_one(g, s->unknown_vm_rows,
            s->unknown_vm_rows == s->rows
                ? "readings of VMs not in the table: kept, at one core each"
                : "readings of VMs not in the table: left out");
    say_one(g, s->error_values,
            "values that the source marks as errors: left out");
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    const struct options *o = options;
    struct dcp_import_summary summary;

    if (!o->output) {
        (void)dcp_fail(err, DCP_E_USAGE, "say where the store goes: -o U.h5");
        return -1;
    }
    if (o->interval_ms < 1000 || o->interval_ms > 86400000) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "--interval is between 1s and 1d, such as 5min");
        return -1;
    }
    if (o->sample_bits != 8 && o->sample_bits != 16) {
        (void)dcp_fail(err, DCP_E_USAGE, "--sample-bits is 8 or 16");
        return -1;
    }
    if (o->deflate > 9 || o->core_mhz > 1000000) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "--deflate is at most 9, --core-mhz at most 1000000");
        return -1;
    }
    struct shown shown = { g, -1 };
    struct dcp_import_options io = {
        .interval_ms = o->interval_ms,
        .start_ms = o->start_ms,
        .prefix = o->prefix,
        .strict = o->strict,
        .threads = (uint32_t)(g->threads > 64 ? 64 : g->threads),
        .deflate_level = (uint32_t)o->deflate,
        .sample_bits = (uint32_t)o->sample_bits,
        .vm_size_path = o->vm_size,
        .core_mhz = (double)o->core_mhz,
        .map_path = o->map,
        .progress = progress,
        .progress_context = &shown,
    };
    DCP_AUTO(dcp_import)
    struct dcp_import *imp = dcp_import_create(args[0], &io, err);
    if (!imp) {
        return -1;
    }
    bool ok = dcp_import_run(imp, (const char *const *)(args + 1), n_args - 1,
                             o->output, &summary, err);

    dcp_ui_progress_end(g);
    if (!ok) {
        dcp_ui_error(g, err); /* Its position dies with the import. */
        return dcp_code_exit_status(err->code);
    }
    if (g->json) {
        return print_json(g, o->output, &summary, err);
    }
    say(g, o->output, &summary);
    return 0;
}

const struct dcp_command dcp_cmd_traces_import = {
    .name = "traces import",
    .summary = "bring usage histories into a store",
    .synopsis = "KIND SRC... -o U.h5",
    .details =
        "KIND SRC is one of\n"
        "  bitbrains DIR|FILE...           GWA-T-12: a file per VM and "
        "month\n"
        "  planetlab DIR...                CPU %, a file per VM; DIR is "
        "called YYYYMMDD\n"
        "  azure-v1|azure-v2 VMTABLE READINGS...\n"
        "  alibaba-machine META USAGE...   machines of cluster-trace-v2018\n"
        "  csv FILE... [--map M.yaml]      long or wide tables; without --map "
        "those of\n"
        "                                  'traces export'\n"
        "\n"
        "Files may be .gz.  One name in two sources is one VM, merged by "
        "time.\n"
        "The grid rule, the repairs and their counters: docs/traces.md.\n\n"
        "Examples:\n"
        "  dcplan traces import bitbrains rnd/2013-8 -o usage.h5\n"
        "  dcplan traces import planetlab 20110303 --core-mhz 2400 -o "
        "usage.h5\n",
    .groups = groups,
    .n_groups = 1,
    .options_size = sizeof(struct options),
    .min_args = 2,
    .max_args = UINT32_MAX,
    .run = run,
};
