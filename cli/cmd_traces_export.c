/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/ui.h"
#include "model/base/units.h"
#include "traces/out_file.h"
#include "traces/store.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct options {
    const char *output, *metric;
    int64_t from_ms, to_ms;
    bool wide;
};

static const char *const metric_names[] = {
    "cpu_mhz",         "mem_mib",          "net_rx_kib_s", "net_tx_kib_s",
    "disk_read_kib_s", "disk_write_kib_s", "ready_frac",   NULL,
};

static const struct dcp_opt rows[] = {
    { "output", 'o', DCP_OPT_FILE, offsetof(struct options, output), "FILE",
      NULL, "-", "Write there; - is standard output." },
    { "wide", 0, DCP_OPT_FLAG, offsetof(struct options, wide), NULL, NULL, NULL,
      "One line per time, one column per VM, of one metric." },
    { "metric", 0, DCP_OPT_CHOICE, offsetof(struct options, metric), "NAME",
      metric_names, "cpu_mhz", "The metric of --wide." },
    { "from", 0, DCP_OPT_INSTANT, offsetof(struct options, from_ms), "TIME",
      NULL, NULL, "Leave out what is before." },
    { "to", 0, DCP_OPT_INSTANT, offsetof(struct options, to_ms), "TIME", NULL,
      NULL, "Leave out what begins then or later." },
};
static const struct dcp_opt_group groups[] = {
    { rows, sizeof rows / sizeof rows[0], 0 },
};

enum { BLOCK_VMS = 256, BAND_TIMES = 288 };

struct export
{
    struct dcp_store *store;
    FILE *out;
    uint32_t first, n_times; /* Cells to write. */
    float *value[DCP_METRICS];
};

/* RFC 4180: quoted where it must be. */
static void
put_name(FILE *out, const char *name)
{
    if (!strpbrk(name, ",\"")) {
        fputs(name, out);
        return;
    }
    putc('"', out);
    for (const char *p = name; *p; p++) {
        if (*p == '"') {
            putc('"', out);
        }
        putc(*p, out);
    }
    putc('"', out);
}

static void
put_value(FILE *out, float value)
{
    putc(',', out);
    if (!isnan(value)) {
        fprintf(out, "%.7g", (double)value);
    }
}

static void
put_time(const struct export *e, uint32_t cell)
{
    char text[32];

    dcp_print_instant(dcp_store_start_ms(e->store) +
                          (int64_t)cell * dcp_store_interval_ms(e->store),
                      text);
    fputs(text, e->out);
}

static void
put_long_vm(const struct export *e, uint32_t vm, uint32_t row)
{
    for (uint32_t t = 0; t < e->n_times; t++) {
        bool any = false;

        for (int m = 0; m < DCP_METRICS; m++) {
            any = any || (e->value[m] &&
                          !isnan(e->value[m][(size_t)row * e->n_times + t]));
        }
        if (!any) {
            continue; /* No line: as if nothing was measured. */
        }
        put_name(e->out, dcp_store_vm_name(e->store, vm));
        putc(',', e->out);
        put_time(e, e->first + t);
        for (int m = 0; m < DCP_METRICS; m++) {
            if (e->value[m]) {
                put_value(e->out, e->value[m][(size_t)row * e->n_times + t]);
            }
        }
        putc('\n', e->out);
    }
}

static bool
write_long(struct export *e, struct dcp_error *err)
{
    uint32_t n_vms = dcp_store_n_vms(e->store), vms[BLOCK_VMS];

    fputs("vm,time", e->out);
    for (int m = 0; m < DCP_METRICS; m++) {
        if (e->value[m]) {
            fprintf(e->out, ",%s", dcp_metric_name((enum dcp_metric)m));
        }
    }
    putc('\n', e->out);
    for (uint32_t v = 0; v < n_vms; v += BLOCK_VMS) {
        uint32_t n = n_vms - v < BLOCK_VMS ? n_vms - v : BLOCK_VMS;

        for (uint32_t i = 0; i < n; i++) {
            vms[i] = v + i;
        }
        for (int m = 0; m < DCP_METRICS; m++) {
            if (e->value[m] &&
                !dcp_store_read(e->store, (enum dcp_metric)m, vms, n, e->first,
                                e->n_times, e->value[m], err)) {
                return false;
            }
        }
        for (uint32_t i = 0; i < n; i++) {
            put_long_vm(e, v + i, i);
        }
    }
    return true;
}

static bool
write_wide(struct export *e, enum dcp_metric m, struct dcp_error *err)
{
    uint32_t n_vms = dcp_store_n_vms(e->store);
    DCP_FREE uint32_t *vms = calloc(n_vms, sizeof *vms);
    DCP_FREE float *value = calloc((size_t)n_vms * BAND_TIMES, sizeof *value);

    if (!vms || !value) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u VMs", n_vms);
    }
    fputs("time", e->out);
    for (uint32_t v = 0; v < n_vms; v++) {
        vms[v] = v;
        putc(',', e->out);
        put_name(e->out, dcp_store_vm_name(e->store, v));
    }
    putc('\n', e->out);
    for (uint32_t t = 0; t < e->n_times; t += BAND_TIMES) {
        uint32_t k = e->n_times - t < BAND_TIMES ? e->n_times - t : BAND_TIMES;

        if (!dcp_store_read(e->store, m, vms, n_vms, e->first + t, k, value,
                            err)) {
            return false;
        }
        for (uint32_t i = 0; i < k; i++) {
            put_time(e, e->first + t + i);
            for (uint32_t v = 0; v < n_vms; v++) {
                put_value(e->out, value[(size_t)v * k + i]);
            }
            putc('\n', e->out);
        }
    }
    return true;
}

/* The cells that begin in [from, to). */
static bool
choose_cells(struct export *e, const struct options *o, struct dcp_error *err)
{
    int64_t start = dcp_store_start_ms(e->store);
    int64_t step = dcp_store_interval_ms(e->store);
    int64_t first = 0, end = dcp_store_n_times(e->store);

    if (o->from_ms != DCP_INSTANT_NONE && o->from_ms > start) {
        first = (o->from_ms - start + step - 1) / step;
    }
    if (o->to_ms != DCP_INSTANT_NONE) {
        int64_t to =
            o->to_ms > start ? (o->to_ms - start + step - 1) / step : 0;

        end = to < end ? to : end;
    }
    if (first >= end) {
        return dcp_fail(err, DCP_E_USAGE,
                        "the store has nothing between --from and --to");
    }
    e->first = (uint32_t)first;
    e->n_times = (uint32_t)(end - first);
    return true;
}

static bool
write_all(struct export *e, const struct options *o, struct dcp_error *err)
{
    bool ok = choose_cells(e, o, err);

    if (ok && o->wide) {
        enum dcp_metric m = DCP_METRIC_CPU_MHZ;

        while (strcmp(dcp_metric_name(m), o->metric) != 0) {
            m++;
        }
        return dcp_store_has(e->store, m)
                   ? write_wide(e, m, err)
                   : dcp_fail(err, DCP_E_NOT_FOUND, "the store has no %s",
                              o->metric);
    }
    for (int m = 0; ok && m < DCP_METRICS; m++) {
        if (!dcp_store_has(e->store, (enum dcp_metric)m)) {
            continue;
        }
        e->value[m] =
            calloc((size_t)e->n_times * BLOCK_VMS, sizeof *e->value[m]);
        ok = e->value[m] || dcp_fail(err, DCP_E_NOMEM, "no memory to export");
    }
    return ok && write_long(e, err);
}

/* Standard output, a device or a pipe; else a file that appears whole or not
 * at all. */
static FILE *
open_output(const char *path, struct dcp_out_file *aside, struct dcp_error *err)
{
    struct stat st;
    FILE *out = NULL;

    *aside = (struct dcp_out_file){ .fd = -1 };
    if (!strcmp(path, "-")) {
        return stdout;
    }
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        out = fopen(path, "we");
    } else if (dcp_out_file_open(path, aside, err)) {
        int fd = fcntl(aside->fd, F_DUPFD_CLOEXEC, 0);

        out = fd >= 0 ? fdopen(fd, "w") : NULL;
    } else {
        return NULL;
    }
    if (!out) {
        (void)dcp_fail(err, DCP_E_IO, "cannot write '%s': %s", path,
                       strerror(errno));
    }
    return out;
}

static bool
close_output(const char *path, FILE *out, struct dcp_out_file *aside, bool ok,
             struct dcp_error *err)
{
    if (out != stdout) {
        bool whole = !ferror(out);

        whole = fclose(out) == 0 && whole;
        if (ok && !whole) {
            ok = dcp_fail(err, DCP_E_IO, "cannot write '%s': %s", path,
                          strerror(errno));
        }
    }
    if (ok && aside->fd >= 0) {
        ok = dcp_out_file_commit(aside, err);
    }
    dcp_out_file_finish(aside);
    return ok;
}

static int
print_json(const struct dcp_globals *g, const struct export *e,
           const char *output, struct dcp_error *err)
{
    struct dcp_json w;

    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/traces-export/1");
    dcp_json_kstring(&w, "output", output);
    dcp_json_ku64(&w, "vms", dcp_store_n_vms(e->store));
    dcp_json_ku64(&w, "times", e->n_times);
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
    char path[4096];

    if (g->json && !strcmp(o->output, "-")) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "--json: the samples go to standard output; name a "
                       "file for them with -o");
        return -1;
    }
    if (n_args) {
        (void)snprintf(path, sizeof path, "%s", args[0]);
    } else {
        (void)snprintf(path, sizeof path, "%s/usage.h5", g->dir);
    }
    DCP_AUTO(dcp_store) struct dcp_store *store = dcp_store_open(path, err);
    if (!store) {
        return -1;
    }
    struct dcp_out_file aside;
    struct export e = { .store = store,
                        .out = open_output(o->output, &aside, err) };

    if (!e.out) {
        dcp_out_file_finish(&aside);
        return -1;
    }
    bool ok = write_all(&e, o, err);

    for (int m = 0; m < DCP_METRICS; m++) {
        free(e.value[m]);
    }
    if (!close_output(o->output, e.out, &aside, ok, err)) {
        return -1;
    }
    return g->json ? print_json(g, &e, o->output, err) : 0;
}

const struct dcp_command dcp_cmd_traces_export = {
    .name = "traces export",
    .summary = "write a store's samples as CSV",
    .synopsis = "[U.h5] [--wide [--metric NAME]] [--from T] [--to T] "
                "[-o FILE]",
    .details =
        "Long form: vm,time and a column per metric; times without any sample "
        "have no line.\nWide form: a line per time, a column per VM; a missing "
        "sample is an empty field.\n'traces import csv' reads both back.\n\n"
        "Examples:\n"
        "  dcplan traces export usage.h5 -o usage.csv\n"
        "  dcplan traces export usage.h5 --wide --metric mem_mib | head\n",
    .groups = groups,
    .n_groups = 1,
    .options_size = sizeof(struct options),
    .max_args = 1,
    .run = run,
};
