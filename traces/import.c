/* SPDX-License-Identifier: GPL-3.0-or-later */

/* read (per kind) -> sort VMs by name -> settle rows (threads) -> one grid for
 * all -> columns, a block of VMs at a time, into the store. */

#include "traces/import.h"

#include "model/base/text.h"
#include "traces/importer.h"
#include "traces/store_writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct dcp_importer *const importers[] = {
    &dcp_importer_bitbrains,       &dcp_importer_planetlab,
    &dcp_importer_azure_v1,        &dcp_importer_azure_v2,
    &dcp_importer_alibaba_machine, &dcp_importer_csv,
};

const char *const dcp_import_kinds[] = {
    "bitbrains",       "planetlab", "azure-v1", "azure-v2",
    "alibaba-machine", "csv",       NULL,
};

struct dcp_import *
dcp_import_create(const char *kind, const struct dcp_import_options *options,
                  struct dcp_error *err)
{
    const struct dcp_importer *found = NULL;

    for (size_t i = 0; i < sizeof importers / sizeof importers[0]; i++) {
        found = !strcmp(importers[i]->kind, kind) ? importers[i] : found;
    }
    if (!found) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "'%s' is not a kind of source: see 'dcplan traces "
                       "import --help'",
                       kind);
        return NULL;
    }
    struct dcp_import *imp = calloc(1, sizeof *imp);

    if (imp) {
        imp->kind = *found;
        imp->o = *options;
        imp->o.interval_ms =
            options->interval_ms ? options->interval_ms : 300000;
        imp->o.threads = options->threads ? options->threads : 1;
        imp->arena = dcp_arena_create(0);
    }
    if (!imp || !imp->arena) {
        free(imp);
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for an import");
        return NULL;
    }
    return imp;
}

void
dcp_import_destroy(struct dcp_import *imp)
{
    if (!imp) {
        return;
    }
    for (uint32_t i = 0; i < imp->n_vms; i++) {
        dcp_rows_finish(&imp->vms[i].rows);
    }
    dcp_strmap_finish(&imp->index);
    free(imp->vms);
    free(imp->files);
    free(imp->sources);
    free(imp->stats);
    free(imp->sizes);
    dcp_strmap_finish(&imp->size_index);
    dcp_arena_destroy(imp->arena);
    free(imp);
}

static int
compare_vms(const void *a, const void *b)
{
    const struct dcp_import_vm *x = a, *y = b;

    return dcp_text_compare(x->name, y->name);
}

static uint32_t
column_of(const struct dcp_importer *kind, enum dcp_metric m)
{
    for (uint32_t i = 0; i < kind->n_metrics; i++) {
        if (kind->metric[i] == m) {
            return i;
        }
    }
    return UINT32_MAX;
}

static bool
settle_vm(struct dcp_import *imp, uint32_t i, struct dcp_error *err)
{
    struct dcp_vm_stats *s = &imp->stats[i];
    const char *name = imp->vms[i].name;

    if (!dcp_rows_settle(&imp->vms[i].rows, imp->kind.step_ms,
                         column_of(&imp->kind, DCP_METRIC_CPU_MHZ),
                         column_of(&imp->kind, DCP_METRIC_MEM_MIB), s)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the rows of '%s'",
                        name);
    }
    if (imp->o.strict && s->conflicting_duplicates) {
        return dcp_fail(err, DCP_E_PARSE,
                        "VM '%s': %llu rows repeat a timestamp with other "
                        "values (without --strict the first is kept)",
                        name, (unsigned long long)s->conflicting_duplicates);
    }
    return true;
}

static bool
settle(struct dcp_import *imp, struct dcp_grid *grid, struct dcp_error *err)
{
    int64_t first = INT64_MAX, last = INT64_MIN;

    if (!imp->n_vms) {
        return dcp_fail(err, DCP_E_PARSE, "no readings in the sources");
    }
    /* The index of names is of no use in the new order. */
    qsort(imp->vms, imp->n_vms, sizeof *imp->vms, compare_vms);
    dcp_strmap_finish(&imp->index);
    imp->stats = calloc((size_t)imp->n_vms + 1, sizeof *imp->stats);
    if (!imp->stats) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for an import");
    }
    if (!dcp_import_parallel(imp, imp->n_vms, settle_vm, err)) {
        return false;
    }
    for (uint32_t i = 0; i < imp->n_vms; i++) {
        const struct dcp_vm_stats *s = &imp->stats[i];

        if (s->rows) {
            first = s->first_ms < first ? s->first_ms : first;
            last = s->last_ms > last ? s->last_ms : last;
        }
    }
    if (first > last) {
        return dcp_fail(err, DCP_E_PARSE, "no readings in the sources");
    }
    return dcp_grid_span(first, last,
                         imp->kind.relative ? INT64_MIN : imp->o.start_ms,
                         imp->o.interval_ms, imp->kind.step_ms, grid, err);
}

static struct dcp_store_writer *
create_writer(struct dcp_import *imp, const struct dcp_grid *grid,
              const char *path, struct dcp_error *err)
{
    DCP_FREE struct dcp_store_vm *vms = calloc(imp->n_vms, sizeof *vms);
    struct dcp_store_writer_options o = {
        .start_ms = grid->start_ms,
        .interval_ms = grid->interval_ms,
        .n_times = grid->n_times,
        .n_vms = imp->n_vms,
        .vms = vms,
        .mem_basis = imp->kind.mem_basis,
        .deflate_level = imp->o.deflate_level,
        .sample_bits = imp->o.sample_bits,
        /* Cells that mix two values are not whole. */
        .cpu_whole_percent =
            imp->kind.cpu_whole_percent && grid->interval_ms == grid->step_ms,
    };

    if (!vms) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for an import");
        return NULL;
    }
    for (uint32_t i = 0; i < imp->n_vms; i++) {
        vms[i] = (struct dcp_store_vm){
            .name = imp->vms[i].name,
            .vcpus = imp->vms[i].vcpus,
            .cpu_capacity_mhz = imp->vms[i].cpu_capacity_mhz,
            .mem_capacity_mib = imp->vms[i].mem_capacity_mib,
        };
    }
    for (uint32_t i = 0; i < imp->kind.n_metrics; i++) {
        o.has[imp->kind.metric[i]] = true;
    }
    return dcp_store_writer_create(path, &o, err);
}

/* VMs per call of the writer: its fast size. */
enum { BLOCK_VMS = 256 };

static bool
write_samples(struct dcp_import *imp, const struct dcp_grid *grid,
              struct dcp_store_writer *w, struct dcp_error *err)
{
    DCP_FREE double *weight = calloc(grid->n_times, sizeof *weight);
    uint32_t most = DCP_STORE_BLOCK_CELLS / grid->n_times;

    most = most < BLOCK_VMS ? most : BLOCK_VMS;
    most = most < imp->n_vms ? most : imp->n_vms;
    most = most ? most : 1;
    DCP_FREE float *block = calloc((size_t)grid->n_times * most, sizeof *block);

    if (!weight || !block) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for an import");
    }
    for (uint32_t first = 0; first < imp->n_vms; first += most) {
        uint32_t n = imp->n_vms - first;

        n = n < most ? n : most;
        for (uint32_t c = 0; c < imp->kind.n_metrics; c++) {
            for (uint32_t i = 0; i < n; i++) {
                dcp_grid_fill(grid, &imp->vms[first + i].rows, c, weight,
                              block + (size_t)i * grid->n_times);
            }
            if (!dcp_store_writer_put(w, imp->kind.metric[c], first, n, block,
                                      err)) {
                return false;
            }
        }
    }
    return dcp_store_writer_put_stats(w, imp->stats, err);
}

/* A source's digest is that of its only file, or of the list of the files
 * below it: "HEX  PATH\n" each. */
static bool
write_sources(struct dcp_import *imp, struct dcp_store_writer *w,
              struct dcp_error *err)
{
    for (uint32_t i = 0; i < imp->n_sources; i++) {
        struct dcp_import_source *source = &imp->sources[i];
        char digest[DCP_DIGEST_TEXT_SIZE];
        struct dcp_store_source row = {
            .kind = imp->kind.kind,
            .path = source->path,
            .importer = DCP_IMPORTER,
        };

        dcp_sha256_init(&source->hash);
        for (uint32_t k = 0; k < imp->n_files; k++) {
            const struct dcp_import_file *f = &imp->files[k];
            char line[72];

            if (f->source != i) {
                continue;
            }
            for (int b = 0; b < 32; b++) {
                (void)snprintf(line + 2 * b, 3, "%02x", f->hash[b]);
            }
            dcp_sha256_add(&source->hash, line, 64);
            dcp_sha256_add(&source->hash, "  ", 2);
            dcp_sha256_add(&source->hash, f->inner, strlen(f->inner));
            dcp_sha256_add(&source->hash, "\n", 1);
        }
        dcp_sha256_end_text(&source->hash, digest);
        row.sha256 = digest + strlen("sha256:");
        if (!dcp_store_writer_add_source(w, &row, err)) {
            return false;
        }
    }
    return true;
}

static void
summarise(const struct dcp_import *imp, const struct dcp_grid *grid,
          struct dcp_import_summary *out)
{
    struct dcp_import_summary s = {
        .n_vms = imp->n_vms,
        .n_times = grid->n_times,
        .start_ms = grid->start_ms,
        .interval_ms = grid->interval_ms,
        .unknown_vm_rows = imp->unknown_vm_rows,
        .error_values = imp->error_values,
    };

    for (uint32_t i = 0; i < imp->n_vms; i++) {
        const struct dcp_vm_stats *v = &imp->stats[i];

        s.rows += v->rows;
        s.unique += v->unique;
        s.duplicate_rows += v->duplicate_rows;
        s.conflicting_duplicates += v->conflicting_duplicates;
        s.zero_capacity_rows += v->zero_capacity_rows;
        s.above_capacity_rows += v->above_capacity_rows;
        s.above_memory_rows += v->above_memory_rows;
        s.out_of_order += v->out_of_order;
    }
    *out = s;
}

bool
dcp_import_run(struct dcp_import *imp, const char *const sources[],
               uint32_t n_sources, const char *out_path,
               struct dcp_import_summary *out, struct dcp_error *err)
{
    struct dcp_grid grid;

    if (n_sources > DCP_STORE_SOURCES_MAX) {
        return dcp_fail(err, DCP_E_USAGE,
                        "over %d sources: name their directory instead",
                        DCP_STORE_SOURCES_MAX);
    }
    if (!imp->kind.read(imp, sources, n_sources, err)) {
        return false;
    }
    if (!imp->kind.step_ms) {
        imp->kind.step_ms = imp->o.interval_ms;
    }
    if (!settle(imp, &grid, err)) {
        return false;
    }
    DCP_AUTO(dcp_store_writer)
    struct dcp_store_writer *w = create_writer(imp, &grid, out_path, err);
    if (!w || !write_samples(imp, &grid, w, err) ||
        !write_sources(imp, w, err) || !dcp_store_writer_commit(w, err)) {
        return false;
    }
    summarise(imp, &grid, out);
    return true;
}
