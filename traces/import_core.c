/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What importers share while they read: names of VMs, lists of files, helper
 * threads, the checks of --strict. */

#define _GNU_SOURCE 1 /* DT_DIR and friends. */

#include "model/base/text.h"
#include "traces/importer.h"
#include "traces/parallel.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool
no_memory(struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_NOMEM, "no memory for an import");
}

/* --- VMs ---------------------------------------------------------------- */

static bool
grow_vms(struct dcp_import *imp)
{
    uint32_t capacity = imp->vms_capacity ? 2 * imp->vms_capacity : 256;

    if (imp->n_vms >= DCP_STORE_VMS_MAX) {
        return false;
    }
    struct dcp_import_vm *grown =
        realloc(imp->vms, (size_t)capacity * sizeof *grown);

    if (grown) {
        imp->vms = grown;
        imp->vms_capacity = capacity;
    }
    return grown != NULL;
}

uint32_t
dcp_import_vm(struct dcp_import *imp, const char *name, size_t length)
{
    const char *prefix = imp->o.prefix ? imp->o.prefix : "";

    /* Names in the index have the prefix; without one this is one lookup. */
    if (!prefix[0]) {
        uint32_t found = dcp_strmap_find_n(&imp->index, name, length);

        if (found != DCP_STRMAP_NONE) {
            return found;
        }
    }
    const char *whole =
        dcp_arena_printf(imp->arena, "%s%.*s", prefix, (int)length, name);

    if (!whole) {
        return UINT32_MAX;
    }
    uint32_t found = dcp_strmap_find(&imp->index, whole);

    if (found != DCP_STRMAP_NONE) {
        return found;
    }
    if ((imp->n_vms == imp->vms_capacity && !grow_vms(imp)) ||
        !dcp_strmap_add(&imp->index, whole, imp->n_vms, NULL)) {
        return UINT32_MAX;
    }
    imp->vms[imp->n_vms] = (struct dcp_import_vm){
        .name = whole,
        .size_ms = INT64_MIN,
        .rows = { .n_columns = imp->kind.n_metrics },
        .first_file = UINT32_MAX,
        .last_file = UINT32_MAX,
    };
    return imp->n_vms++;
}

void
dcp_import_size(struct dcp_import_vm *vm, int64_t time_ms, uint32_t vcpus,
                double cpu_capacity_mhz, double mem_capacity_mib)
{
    if (time_ms < vm->size_ms) {
        return;
    }
    vm->size_ms = time_ms;
    vm->vcpus = vcpus ? vcpus : vm->vcpus;
    vm->cpu_capacity_mhz =
        cpu_capacity_mhz > 0 ? cpu_capacity_mhz : vm->cpu_capacity_mhz;
    vm->mem_capacity_mib =
        mem_capacity_mib > 0 ? mem_capacity_mib : vm->mem_capacity_mib;
}

int64_t *
dcp_import_previous(struct dcp_import_vm *vm, uint32_t file)
{
    if (vm->last_file != file) {
        vm->last_file = file;
        vm->previous_ms = INT64_MIN;
    }
    return &vm->previous_ms;
}

void
dcp_import_drop_vms(struct dcp_import *imp,
                    bool (*drop)(const struct dcp_import_vm *))
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < imp->n_vms; i++) {
        if (drop(&imp->vms[i])) {
            dcp_rows_finish(&imp->vms[i].rows);
        } else {
            imp->vms[kept++] = imp->vms[i];
        }
    }
    imp->n_vms = kept;
    dcp_strmap_finish(&imp->index); /* Its indices are old. */
}

bool
dcp_scan_percent(const struct dcp_lines *l, const char *text, uint32_t column,
                 const char *name, uint64_t *io_errors, double *out,
                 struct dcp_error *err)
{
    const char *end = text;

    *out = NAN;
    if (!*text) {
        return true;
    }
    end = dcp_scan_number(text, out);
    if (end && !*end && io_errors && (*out == -1 || *out == 101)) {
        ++*io_errors;
        *out = NAN;
        return true;
    }
    if (!end || *end || !(*out >= 0 && *out <= 1e6)) {
        return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, column),
                           "'%.20s' is not a percentage for %s", text, name);
    }
    return true;
}

/* --- Files -------------------------------------------------------------- */

static bool
add_file(struct dcp_import *imp, const char *path, const char *inner,
         uint32_t source, struct dcp_error *err)
{
    struct stat st;

    if (imp->n_files == imp->files_capacity) {
        uint32_t capacity = imp->files_capacity ? 2 * imp->files_capacity : 64;
        struct dcp_import_file *grown =
            capacity < imp->files_capacity
                ? NULL
                : realloc(imp->files, (size_t)capacity * sizeof *grown);

        if (!grown) {
            return no_memory(err);
        }
        imp->files = grown;
        imp->files_capacity = capacity;
    }
    if (stat(path, &st) != 0) {
        return dcp_fail(err, errno == ENOENT ? DCP_E_USAGE : DCP_E_IO,
                        "cannot open '%s': %s", path, strerror(errno));
    }
    imp->files[imp->n_files++] = (struct dcp_import_file){
        .path = path,
        .inner = inner,
        .vm = UINT32_MAX,
        .source = source,
        .next = UINT32_MAX,
        .size = (uint64_t)st.st_size,
    };
    imp->bytes_total += (uint64_t)st.st_size;
    return true;
}

struct listing {
    struct dcp_import *imp;
    const char *root;
    uint32_t source;
    bool (*wanted)(const char *name);
};

enum { DEPTH_MAX = 8 };

static bool list_directory(const struct listing *, const char *path,
                           uint32_t depth, struct dcp_error *err);

static bool
list_entry(const struct listing *l, const char *dir, const char *name,
           uint32_t depth, struct dcp_error *err)
{
    struct stat st;
    const char *path = dcp_arena_printf(
        l->imp->arena, "%s%s%s", dir,
        dir[0] && dir[strlen(dir) - 1] == '/' ? "" : "/", name);

    if (!path) {
        return no_memory(err);
    }
    if (stat(path, &st) != 0) {
        return dcp_fail(err, DCP_E_IO, "cannot open '%s': %s", path,
                        strerror(errno));
    }
    if (S_ISDIR(st.st_mode)) {
        return depth >= DEPTH_MAX
                   ? dcp_fail(err, DCP_E_USAGE,
                              "'%s': directories too deep to search", path)
                   : list_directory(l, path, depth + 1, err);
    }
    if (!S_ISREG(st.st_mode) || !l->wanted(name)) {
        return true;
    }
    const char *inner = path + strlen(l->root);

    inner += *inner == '/';
    return add_file(l->imp, path, inner, l->source, err);
}

static bool
list_directory(const struct listing *l, const char *path, uint32_t depth,
               struct dcp_error *err)
{
    DIR *dir = opendir(path);
    bool ok = true;

    if (!dir) {
        return dcp_fail(err, DCP_E_IO, "cannot open '%s': %s", path,
                        strerror(errno));
    }
    for (const struct dirent *e; ok && (e = readdir(dir));) {
        ok = e->d_name[0] == '.' || list_entry(l, path, e->d_name, depth, err);
    }
    (void)closedir(dir);
    return ok;
}

static int
compare_files(const void *a, const void *b)
{
    const struct dcp_import_file *x = a, *y = b;

    return dcp_text_compare(x->inner, y->inner);
}

bool
dcp_import_list(struct dcp_import *imp, const char *const sources[],
                uint32_t n_sources, bool (*wanted)(const char *name),
                struct dcp_error *err)
{
    imp->sources = calloc((size_t)n_sources + 1, sizeof *imp->sources);
    if (!imp->sources) {
        return no_memory(err);
    }
    imp->n_sources = n_sources;
    for (uint32_t i = 0; i < n_sources; i++) {
        const char *path = dcp_arena_strdup(imp->arena, sources[i]);
        struct stat st;
        uint32_t before = imp->n_files;

        if (!path) {
            return no_memory(err);
        }
        imp->sources[i].path = path;
        if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
            const char *slash = strrchr(path, '/');

            if (!add_file(imp, path, slash ? slash + 1 : path, i, err)) {
                return false;
            }
            continue;
        }
        struct listing l = { imp, path, i, wanted };

        if (!list_directory(&l, path, 0, err)) {
            return false;
        }
        if (imp->n_files == before) {
            return dcp_fail(err, DCP_E_USAGE,
                            "'%s' holds no file that looks like a %s trace",
                            path, imp->kind.kind);
        }
        qsort(imp->files + before, imp->n_files - before, sizeof *imp->files,
              compare_files);
    }
    return true;
}

static bool
drop_suffix(const char *name, size_t *length, const char *suffix)
{
    size_t n = strlen(suffix);
    bool ends = *length > n && !memcmp(name + *length - n, suffix, n);

    *length -= ends ? n : 0;
    return ends;
}

const char *
dcp_import_stem(const struct dcp_import_file *f, const char *suffix,
                size_t *out_length)
{
    const char *slash = strrchr(f->path, '/');
    const char *name = slash ? slash + 1 : f->path;
    size_t length = strlen(name);

    (void)drop_suffix(name, &length, ".gz");
    (void)drop_suffix(name, &length, suffix);
    *out_length = length;
    return name;
}

/* --- Threads ------------------------------------------------------------ */

struct piecework {
    struct dcp_import *imp;
    bool (*fn)(struct dcp_import *, uint32_t, struct dcp_error *);
};

static bool
run_piece(void *piecework, uint32_t i, struct dcp_error *err)
{
    const struct piecework *w = piecework;

    return w->fn(w->imp, i, err);
}

void
dcp_import_progress(const struct dcp_import *imp)
{
    if (imp->o.progress && imp->bytes_total) {
        imp->o.progress(imp->o.progress_context,
                        (double)atomic_load(&imp->bytes_done) /
                            (double)imp->bytes_total);
    }
}

static void
tick(void *piecework)
{
    const struct piecework *w = piecework;

    dcp_import_progress(w->imp);
}

bool
dcp_import_parallel(struct dcp_import *imp, uint32_t n,
                    bool (*fn)(struct dcp_import *, uint32_t,
                               struct dcp_error *),
                    struct dcp_error *err)
{
    struct piecework w = { imp, fn };
    struct dcp_parallel p = {
        .n_threads = imp->o.threads,
        .run = run_piece,
        .tick = tick,
        .context = &w,
    };

    return dcp_parallel_run(&p, n, err);
}

/* --- One VM per file ---------------------------------------------------- */

/* One VM's files, in order, by one thread. */
static bool
parse_vm(struct dcp_import *imp, uint32_t i, struct dcp_error *err)
{
    struct dcp_import_vm *vm = &imp->vms[i];

    for (uint32_t k = vm->first_file; k != UINT32_MAX; k = imp->files[k].next) {
        if (!imp->parse_file(imp, &imp->files[k], vm, err)) {
            return false;
        }
    }
    return true;
}

bool
dcp_import_files(struct dcp_import *imp, const char *suffix,
                 bool (*parse)(struct dcp_import *, struct dcp_import_file *,
                               struct dcp_import_vm *, struct dcp_error *),
                 struct dcp_error *err)
{
    for (uint32_t k = 0; k < imp->n_files; k++) {
        struct dcp_import_file *f = &imp->files[k];
        size_t length;
        const char *stem = dcp_import_stem(f, suffix, &length);

        f->vm = dcp_import_vm(imp, stem, length);
        if (f->vm == UINT32_MAX) {
            return no_memory(err);
        }
        struct dcp_import_vm *vm = &imp->vms[f->vm];

        if (vm->first_file == UINT32_MAX) {
            vm->first_file = k;
        } else {
            imp->files[vm->last_file].next = k;
        }
        vm->last_file = k;
    }
    imp->parse_file = parse;
    return dcp_import_parallel(imp, imp->n_vms, parse_vm, err);
}

bool
dcp_import_end_file(struct dcp_import *imp, struct dcp_import_file *f,
                    const struct dcp_lines *l, struct dcp_error *err)
{
    dcp_lines_hash(l, f->hash);
    atomic_fetch_add(&imp->bytes_done, f->size);
    if (imp->o.strict && dcp_lines_cut(l)) {
        return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 0),
                           "the last line has no end: was the file cut? "
                           "(accepted without --strict)");
    }
    return true;
}

bool
dcp_import_row(struct dcp_import *imp, struct dcp_import_vm *vm,
               const struct dcp_lines *l, int64_t *io_previous_ms,
               int64_t time_ms, const float value[], float cpu_frac,
               uint32_t flags, struct dcp_error *err)
{
    if (time_ms < *io_previous_ms) {
        if (imp->o.strict) {
            return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 1),
                               "a row older than the one before it (sorted "
                               "without --strict)");
        }
        vm->rows.n_out_of_order++;
    }
    *io_previous_ms = time_ms;
    return dcp_rows_add(&vm->rows, time_ms, value, cpu_frac, flags) ||
           no_memory(err);
}

bool
dcp_import_seconds(const struct dcp_lines *l, double seconds, int64_t *out_ms,
                   struct dcp_error *err)
{
    if (!(seconds >= 0 && seconds < 4102444800.0)) {
        return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 1),
                           "%.17g is not a time in seconds between 1970 and "
                           "2100",
                           seconds);
    }
    *out_ms = (int64_t)(seconds * 1000 + 0.5);
    return true;
}
