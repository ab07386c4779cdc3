/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/ui.h"
#include "traces/store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/text.h"
#include "model/base/units.h"

struct options {
    bool vms;
};

static const struct dcp_opt rows[] = {
    { "vms", 0, DCP_OPT_FLAG, offsetof(struct options, vms), NULL, NULL, NULL,
      "One CSV line per VM, from its source rows." },
};
static const struct dcp_opt_group groups[] = {
    { rows, sizeof rows / sizeof rows[0], 0 },
};

struct count {
    uint64_t cells, missing;
};

/* Of the first metric, which is CPU where there is any. */
static bool
count_missing(struct dcp_store *s, struct count *out, struct dcp_error *err)
{
    uint32_t n_times = dcp_store_n_times(s), n_vms = dcp_store_n_vms(s);
    uint32_t band = n_times < 288 ? n_times : 288, vms[256];
    DCP_FREE float *value = calloc((size_t)band * 256, sizeof *value);
    enum dcp_metric m = DCP_METRIC_CPU_MHZ;
    struct count c = { 0, 0 };

    if (!value) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to count samples");
    }
    while (!dcp_store_has(s, m)) {
        m++; /* A store has at least one metric. */
    }
    for (uint32_t v = 0; v < n_vms; v += 256) {
        uint32_t n = n_vms - v < 256 ? n_vms - v : 256;

        for (uint32_t i = 0; i < n; i++) {
            vms[i] = v + i;
        }
        for (uint32_t t = 0; t < n_times; t += band) {
            uint32_t k = n_times - t < band ? n_times - t : band;

            if (!dcp_store_read(s, m, vms, n, t, k, value, err)) {
                return false;
            }
            for (size_t i = 0; i < (size_t)n * k; i++) {
                c.missing += isnan(value[i]) != 0;
            }
            c.cells += (uint64_t)n * k;
        }
    }
    *out = c;
    return true;
}

static struct dcp_vm_stats
total(const struct dcp_store *s)
{
    const struct dcp_vm_stats *v = dcp_store_stats(s);
    struct dcp_vm_stats sum = { 0 };

    for (uint32_t i = 0; v && i < dcp_store_n_vms(s); i++) {
        sum.rows += v[i].rows;
        sum.unique += v[i].unique;
        sum.duplicate_rows += v[i].duplicate_rows;
        sum.conflicting_duplicates += v[i].conflicting_duplicates;
        sum.zero_capacity_rows += v[i].zero_capacity_rows;
        sum.above_capacity_rows += v[i].above_capacity_rows;
        sum.above_memory_rows += v[i].above_memory_rows;
        sum.out_of_order += v[i].out_of_order;
        sum.gaps += v[i].gaps;
    }
    return sum;
}

static void
json_sources(struct dcp_json *w, const struct dcp_store *s)
{
    dcp_json_karray(w, "sources");
    for (uint32_t i = 0; i < dcp_store_n_sources(s); i++) {
        const struct dcp_store_source *source = dcp_store_source(s, i);

        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "kind", source->kind);
        dcp_json_kstring(w, "path", source->path);
        dcp_json_kstring(w, "sha256", source->sha256);
        dcp_json_kstring(w, "importer", source->importer);
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

static int
print_json(struct dcp_store *s, const struct count *c, const char *digest,
           struct dcp_error *err)
{
    struct dcp_vm_stats sum = total(s);
    int64_t interval = dcp_store_interval_ms(s), start = dcp_store_start_ms(s);
    struct dcp_json w;

    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/traces-info/1");
    dcp_json_ku64(&w, "vms", dcp_store_n_vms(s));
    dcp_json_key(&w, "metrics");
    dcp_json_begin_line(&w, '[');
    for (int m = 0; m < DCP_METRICS; m++) {
        if (dcp_store_has(s, (enum dcp_metric)m)) {
            dcp_json_string(&w, dcp_metric_name((enum dcp_metric)m));
        }
    }
    dcp_json_end(&w, ']');
    dcp_json_kinstant(&w, "start", start);
    dcp_json_kinstant(&w, "end",
                      start + interval * (int64_t)dcp_store_n_times(s));
    dcp_json_kdouble(&w, "interval_seconds", (double)interval / 1000);
    dcp_json_ku64(&w, "samples", c->cells - c->missing);
    dcp_json_kdouble(&w, "missing_frac", (double)c->missing / (double)c->cells);
    if (dcp_store_has(s, DCP_METRIC_MEM_MIB)) {
        dcp_json_kstring(&w, "mem_basis", dcp_store_mem_basis(s));
    } else {
        dcp_json_knull(&w, "mem_basis");
    }
    dcp_json_ku64(&w, "rows_read", sum.rows);
    dcp_json_kobject(&w, "repaired");
    dcp_json_ku64(&w, "duplicate_rows", sum.duplicate_rows);
    dcp_json_ku64(&w, "conflicting_duplicates", sum.conflicting_duplicates);
    dcp_json_ku64(&w, "zero_capacity_rows", sum.zero_capacity_rows);
    dcp_json_ku64(&w, "above_capacity_rows", sum.above_capacity_rows);
    dcp_json_ku64(&w, "out_of_order", sum.out_of_order);
    dcp_json_ku64(&w, "above_memory_rows", sum.above_memory_rows);
    dcp_json_end(&w, '}');
    dcp_json_ku64(&w, "gaps", sum.gaps);
    json_sources(&w, s);
    dcp_json_kstring(&w, "digest", digest);
    dcp_json_end(&w, '}');
    return dcp_ui_json(&w, 0, err);
}

static void
print_text(struct dcp_store *s, const char *path, const struct count *c,
           const char *digest)
{
    struct dcp_vm_stats sum = total(s);
    int64_t interval = dcp_store_interval_ms(s), start = dcp_store_start_ms(s);
    char from[32], to[32], every[64];

    dcp_print_instant(start, from);
    dcp_print_instant(start + interval * (int64_t)dcp_store_n_times(s), to);
    dcp_print_quantity(DCP_DIM_TIME, (double)interval, every, sizeof every);
    printf("%s: %u VMs, %s to %s, a sample every %s\n", path,
           dcp_store_n_vms(s), from, to, every);
    printf("metrics:");
    for (int m = 0; m < DCP_METRICS; m++) {
        if (dcp_store_has(s, (enum dcp_metric)m)) {
            printf(" %s", dcp_metric_name((enum dcp_metric)m));
            if (m == DCP_METRIC_MEM_MIB) {
                printf(" (%s)", dcp_store_mem_basis(s));
            }
        }
    }
    printf("\nsamples: %llu per metric, %.2f %% missing\n",
           (unsigned long long)(c->cells - c->missing),
           100 * (double)c->missing / (double)c->cells);
    if (sum.rows) {
        printf("source rows: %llu; %llu repeat a timestamp (%llu differ), "
               "%llu out of order,\n  %llu of zero capacity, %llu above the "
               "CPU capacity, %llu above the memory;\n  %llu gaps\n",
               (unsigned long long)sum.rows,
               (unsigned long long)sum.duplicate_rows,
               (unsigned long long)sum.conflicting_duplicates,
               (unsigned long long)sum.out_of_order,
               (unsigned long long)sum.zero_capacity_rows,
               (unsigned long long)sum.above_capacity_rows,
               (unsigned long long)sum.above_memory_rows,
               (unsigned long long)sum.gaps);
    }
    for (uint32_t i = 0; i < dcp_store_n_sources(s); i++) {
        const struct dcp_store_source *source = dcp_store_source(s, i);

        printf("source: %s %s\n", source->kind, source->path);
    }
    printf("digest: %s\n", digest);
}

/* RFC 4180: quoted where it must be. */
static void
put_name(const char *name)
{
    if (!strpbrk(name, ",\"")) {
        fputs(name, stdout);
        return;
    }
    putchar('"');
    for (const char *p = name; *p; p++) {
        if (*p == '"') {
            putchar('"');
        }
        putchar(*p);
    }
    putchar('"');
}

static void
put_double(double value)
{
    char text[32];

    dcp_text_double(text, value);
    printf(",%s", isnan(value) ? "" : text);
}

/* What was a float in the source rows: the shortest that reads back. */
static void
put_float(double value)
{
    float want = (float)value;
    char text[32] = "";

    for (int digits = 6; !isnan(value) && digits <= 9; digits++) {
        double again;

        (void)snprintf(text, sizeof text, "%.*g", digits, (double)want);
        if (dcp_scan_double(text, &again) && (float)again == want) {
            break;
        }
    }
    printf(",%s", text);
}

static void
print_vm(const struct dcp_store *s, uint32_t i)
{
    const struct dcp_vm_stats *v = &dcp_store_stats(s)[i];
    char first[32] = "", last[32] = "";

    if (v->rows) {
        dcp_print_instant(v->first_ms, first);
        dcp_print_instant(v->last_ms, last);
    }
    put_name(dcp_store_vm_name(s, i));
    printf(",%llu,%llu,%llu,%llu,%lld,%s,%s", (unsigned long long)v->rows,
           (unsigned long long)v->unique, (unsigned long long)v->duplicate_rows,
           (unsigned long long)v->gaps, (long long)(v->max_gap_ms / 1000),
           first, last);
    put_double(v->mean_cpu_mhz);
    put_float(v->p95_cpu_mhz);
    put_float(v->max_cpu_mhz);
    put_double(100 * v->mean_cpu_frac);
    put_float(100 * v->p95_cpu_frac);
    put_float(100 * v->max_cpu_frac);
    put_double(v->mean_mem_mib);
    put_float(v->max_mem_mib);
    printf(",%llu,%llu,%llu,%llu,%llu,%u",
           (unsigned long long)v->conflicting_duplicates,
           (unsigned long long)v->zero_capacity_rows,
           (unsigned long long)v->above_capacity_rows,
           (unsigned long long)v->above_memory_rows,
           (unsigned long long)v->out_of_order, dcp_store_vm_vcpus(s, i));
    put_double(dcp_store_vm_cpu_capacity_mhz(s, i));
    put_double(dcp_store_vm_mem_capacity_mib(s, i));
    putchar('\n');
}

static int
print_vms(const struct dcp_store *s, const char *path, struct dcp_error *err)
{
    if (!dcp_store_stats(s)) {
        (void)dcp_fail(err, DCP_E_NOT_FOUND,
                       "'%s' was not imported from rows: it has no figures "
                       "per VM",
                       path);
        return -1;
    }
    puts("vm,rows,unique,dup,gaps,max_gap_s,first,last,mean_cpu_mhz,"
         "p95_cpu_mhz,max_cpu_mhz,mean_cpu_pct,p95_cpu_pct,max_cpu_pct,"
         "mean_mem_mib,max_mem_mib,conflicting_dup,zero_capacity_rows,"
         "above_capacity_rows,above_memory_rows,out_of_order,vcpus,"
         "cpu_capacity_mhz,mem_capacity_mib");
    for (uint32_t i = 0; i < dcp_store_n_vms(s); i++) {
        print_vm(s, i);
    }
    return 0;
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    const struct options *o = options;
    char path[4096], digest[72];
    struct count c = { 0, 0 };

    if (n_args) {
        (void)snprintf(path, sizeof path, "%s", args[0]);
    } else {
        (void)snprintf(path, sizeof path, "%s/usage.h5", g->dir);
    }
    DCP_AUTO(dcp_store) struct dcp_store *s = dcp_store_open(path, err);
    if (!s) {
        return -1;
    }
    if (o->vms) {
        return print_vms(s, path, err);
    }
    if (!count_missing(s, &c, err) || !dcp_store_digest(s, digest, err)) {
        return -1;
    }
    if (g->json) {
        return print_json(s, &c, digest, err);
    }
    print_text(s, path, &c, digest);
    return 0;
}

const struct dcp_command dcp_cmd_traces_info = {
    .name = "traces info",
    .summary = "what a store holds, and what the import repaired",
    .synopsis = "[U.h5] [--vms]",
    .details = "Without U.h5: usage.h5 of the model directory.  The columns of "
               "--vms are computed\nfrom the source rows (docs/traces.md).\n\n"
               "Examples:\n  dcplan traces info usage.h5\n"
               "  dcplan traces info usage.h5 --vms > vms.csv\n",
    .groups = groups,
    .n_groups = 1,
    .options_size = sizeof(struct options),
    .max_args = 1,
    .run = run,
};
