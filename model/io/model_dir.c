/* SPDX-License-Identifier: GPL-3.0-or-later */

/* placement.csv is the one file that says how things are: its first record,
 * `serial,N,,`, carries the serial, so that placement and serial change by one
 * rename; `.dcplan/serial` is a copy of it for people and scripts.  A VM that
 * is in no row came into dc.yaml since, and is where dc.yaml says. */

#include "model/io/model_dir.h"

#include "model/io/file.h"
#include "model/io/model_file.h"
#include "model/io/placement_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACEMENT_MAX_BYTES ((size_t)1 << 30)

static char *
join(const char *dir, const char *name)
{
    size_t size = strlen(dir) + strlen(name) + 2;
    char *path = malloc(size);

    if (path) {
        /* "." is left out: positions then read dc.yaml:1:1. */
        (void)snprintf(path, size, "%s%s%s", strcmp(dir, ".") ? dir : "",
                       strcmp(dir, ".") ? "/" : "", name);
    }
    return path;
}

/* --- The model's files -------------------------------------------------- */

static int
compare_text(const void *pa, const void *pb)
{
    return strcmp(*(char *const *)pa, *(char *const *)pb);
}

static bool
is_yaml(const char *name)
{
    size_t n = strlen(name);

    return n > 5 && name[0] != '.' && !strcmp(name + n - 5, ".yaml");
}

struct paths {
    char **items;
    uint32_t n;
};

static void
free_paths(struct paths *paths)
{
    for (uint32_t i = 0; i < paths->n; i++) {
        free(paths->items[i]);
    }
    free(paths->items);
}

/* Appends 'path', taking it over. */
static bool
add_path(struct paths *paths, char *path)
{
    char **items =
        path ? realloc(paths->items, (paths->n + 1) * sizeof *items) : NULL;

    if (!items) {
        free(path);
        return false;
    }
    items[paths->n++] = path;
    paths->items = items;
    return true;
}

static bool
list_parts(const char *dir, struct paths *out, struct dcp_error *err)
{
    DCP_FREE char *parts = join(dir, "dc.d");
    DIR *d = parts ? opendir(parts) : NULL;
    bool ok = true;

    if (!d) {
        return true;
    }
    for (struct dirent *e; ok && (e = readdir(d));) {
        ok = !is_yaml(e->d_name) || add_path(out, join(parts, e->d_name));
    }
    (void)closedir(d);
    if (out->n > 1) {
        qsort(out->items, out->n, sizeof *out->items, compare_text);
    }
    return ok ? true
              : dcp_fail(err, DCP_E_NOMEM, "no memory for the file list");
}

static bool
list_files(const char *dir, struct paths *out, struct dcp_error *err)
{
    char *main_file = join(dir, "dc.yaml");

    if (!main_file) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the file list");
    }
    if (access(main_file, F_OK) == 0) {
        return add_path(out, main_file)
                   ? true
                   : dcp_fail(err, DCP_E_NOMEM, "no memory");
    }
    free(main_file);
    if (!list_parts(dir, out, err)) {
        return false;
    }
    if (!out->n) {
        return dcp_fail(err, DCP_E_NOT_FOUND,
                        "'%.200s' is no model directory: it has neither "
                        "dc.yaml nor dc.d/*.yaml; `dcplan init` makes one",
                        dir);
    }
    return true;
}

/* --- placement.csv ------------------------------------------------------ */

/* Serial of a directory that was made before placement.csv had it. */
static bool
read_serial_file(const char *dir, uint64_t *out, struct dcp_error *err)
{
    DCP_FREE char *path = join(dir, ".dcplan/serial");
    struct dcp_error why = { 0 };
    size_t length;
    DCP_FREE char *text = path ? dcp_file_read(path, 64, &length, &why) : NULL;

    *out = 0;
    if (!text) {
        return why.code == DCP_E_NOT_FOUND
                   ? true
                   : dcp_fail(err, path ? why.code : DCP_E_NOMEM, "%s",
                              path ? why.message : "no memory");
    }
    text[strcspn(text, "\n")] = '\0';
    return dcp_serial_parse(text, out)
               ? true
               : dcp_fail(err, DCP_E_PARSE,
                          ".dcplan/serial: '%.40s' is not a serial", text);
}

static bool
read_placement(const char *dir, struct dcp_model *model, struct dcp_diag *diag,
               struct dcp_error *err)
{
    DCP_FREE char *path = join(dir, ".dcplan/placement.csv");
    struct dcp_error why = { 0 };
    size_t length = 0;
    DCP_FREE char *bytes =
        path ? dcp_file_read(path, PLACEMENT_MAX_BYTES, &length, &why) : NULL;

    if (!read_serial_file(dir, &model->serial, err)) {
        return false;
    }
    if (!bytes) {
        return path && why.code == DCP_E_NOT_FOUND
                   ? true
                   : dcp_fail(err, path ? why.code : DCP_E_NOMEM, "%s",
                              path ? why.message : "no memory");
    }
    bool ok = dcp_placement_file_read(model, path, bytes, length, diag, err);

    if (!ok && err && err->pos.path) {
        /* The path dies with this function. */
        struct dcp_pos pos = err->pos;

        pos.path = dcp_arena_strdup(model->inventory->arena, path);
        dcp_diag_add(diag, DCP_ERROR, pos, "%s", err->message);
        err->pos.path = NULL;
        (void)dcp_fail_in(err, "%.200s:%u", path, pos.line);
    }
    return ok;
}

bool
dcp_model_open(const char *dir, const char *policy_path,
               struct dcp_diag *diag, struct dcp_model *out,
               struct dcp_error *err)
{
    struct paths paths = { 0 };
    struct dcp_model model = { 0 };

    bool ok = list_files(dir, &paths, err);

    if (ok) {
        model.inventory = dcp_model_read((const char *const *)paths.items,
                                         paths.n, policy_path, diag, err);
        model.stated_vms = model.inventory ? model.inventory->vms : NULL;
        model.placement =
            model.inventory ? dcp_placement_start(model.inventory, err) : NULL;
        ok = model.placement && read_placement(dir, &model, diag, err);
    }
    free_paths(&paths);
    if (!ok) {
        dcp_model_finish(&model);
        return false;
    }
    *out = model;
    return true;
}

void
dcp_model_finish(struct dcp_model *model)
{
    dcp_placement_destroy(model->placement);
    dcp_inventory_destroy(model->inventory);
    *model = (struct dcp_model){ 0 };
}

/* --- Writing ------------------------------------------------------------ */

static bool
make_own_dir(const char *dir, struct dcp_error *err)
{
    DCP_FREE char *path = join(dir, ".dcplan");

    if (!path) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory");
    }
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        return dcp_fail(err, DCP_E_IO, "cannot make '%.300s': %s", path,
                        strerror(errno));
    }
    return true;
}

/* The serial that is stored now; the caller holds the lock. */
static bool
stored_serial(const char *dir, uint64_t *out, struct dcp_error *err)
{
    DCP_FREE char *path = join(dir, ".dcplan/placement.csv");
    struct dcp_error why = { 0 };
    size_t length;
    DCP_FREE char *bytes =
        path ? dcp_file_read(path, PLACEMENT_MAX_BYTES, &length, &why) : NULL;

    if (!read_serial_file(dir, out, err)) {
        return false;
    }
    if (!bytes) {
        return path && why.code == DCP_E_NOT_FOUND
                   ? true
                   : dcp_fail(err, DCP_E_IO, "%s", why.message);
    }
    const char *row = strstr(bytes, "\nserial,");

    if (row) {
        char digits[24];

        (void)snprintf(digits, sizeof digits, "%.*s",
                       (int)strspn(row + 8, "0123456789"), row + 8);
        (void)dcp_serial_parse(digits, out);
    }
    return true;
}

bool
dcp_model_commit(const char *dir, struct dcp_model *model,
                 const struct dcp_placement *now, struct dcp_error *err)
{
    DCP_FREE char *path = join(dir, ".dcplan/placement.csv");
    DCP_FREE char *serial_path = join(dir, ".dcplan/serial");
    uint64_t stored, next = model->serial + 1;
    struct dcp_text text = { 0 };
    char line[32];

    if (!path || !serial_path) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the placement");
    }
    if (!make_own_dir(dir, err) || !stored_serial(dir, &stored, err)) {
        return false;
    }
    if (stored != model->serial) {
        return dcp_fail(err, DCP_E_STALE,
                        "the model changed meanwhile (serial %llu, read at "
                        "%llu); nothing was written, start again",
                        (unsigned long long)stored,
                        (unsigned long long)model->serial);
    }
    struct dcp_placement *copy = dcp_placement_copy(now, err);

    if (!copy) {
        return false;
    }
    dcp_placement_file_print(model, now, next, &text);
    bool ok = !text.failed
                  ? dcp_file_write(path, dcp_text_get(&text), text.length, err)
                  : dcp_fail(err, DCP_E_NOMEM, "no memory for the placement");

    dcp_text_finish(&text);
    if (!ok) {
        dcp_placement_destroy(copy);
        return false;
    }
    dcp_placement_destroy(model->placement);
    model->placement = copy;
    model->serial = next;
    int n = snprintf(line, sizeof line, "%llu\n", (unsigned long long)next);

    /* What counts is written; the copy for people may lag. */
    bool copied = dcp_file_write(serial_path, line, (size_t)n, NULL);

    (void)copied;
    return true;
}

/* --- The lock ----------------------------------------------------------- */

static int
fail_locked(int fd, const char *path, struct dcp_error *err)
{
    char pid[24] = "";
    ssize_t n = pread(fd, pid, sizeof pid - 1, 0);

    if (n > 0) {
        pid[strspn(pid, "0123456789")] = '\0';
    }
    (void)dcp_fail(err, DCP_E_LOCKED,
                   "'%.200s' is held by process %s, which changes this model; "
                   "wait for it to end",
                   path, n > 0 && *pid ? pid : "?");
    (void)close(fd);
    return -1;
}

int
dcp_model_lock(const char *dir, struct dcp_error *err)
{
    DCP_FREE char *path = join(dir, ".dcplan/lock");
    char pid[24];

    if (!path) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory");
        return -1;
    }
    if (!make_own_dir(dir, err)) {
        return -1;
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

    if (fd < 0) {
        (void)dcp_fail(err, DCP_E_IO, "cannot open '%.300s': %s", path,
                       strerror(errno));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            return fail_locked(fd, path, err);
        }
        (void)dcp_fail(err, DCP_E_IO, "cannot lock '%.300s': %s", path,
                       strerror(errno));
        (void)close(fd);
        return -1;
    }
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());

    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)n, 0) != n) {
        (void)dcp_fail(err, DCP_E_IO, "cannot write '%.300s': %s", path,
                       strerror(errno));
        (void)close(fd);
        return -1;
    }
    return fd;
}

void
dcp_model_unlock(int lock)
{
    if (lock >= 0) {
        (void)close(lock);
    }
}
