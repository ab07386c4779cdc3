/* SPDX-License-Identifier: GPL-3.0-or-later */

/* placement.csv is the one file that says how things are: its first record,
 * `serial,N,,`, carries the serial, so that placement and serial change by one
 * rename; `.dcplan/serial` is a copy of it for people and scripts.  A VM that
 * is in no row came into dc.yaml since, and is where dc.yaml says. */

#include "model/io/model_dir.h"

#include "model/base/text.h"
#include "model/base/units.h"
#include "model/io/csv.h"
#include "model/io/file.h"
#include "model/io/model_file.h"
#include "model/io/plan_text.h"

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

struct rows {
    struct dcp_csv csv;
    struct dcp_model *model;
    struct dcp_diag *diag;
    uint32_t n_gone;
    struct dcp_volume *volumes; /* The inventory's, where some were moved. */
    struct dcp_vm *vms; /* The inventory's, once one has another size. */
};

static bool
parse_serial(const char *text, uint64_t *out)
{
    double value;
    const char *end = dcp_scan_double(text, &value);

    if (!end || *end || value < 0 || value > 9007199254740992.0 ||
        value != (double)(uint64_t)value) {
        return false;
    }
    *out = (uint64_t)value;
    return true;
}

/* The size that a plan gave it, which dc.yaml does not know. */
static bool
take_size(struct rows *rows, uint32_t vm, struct dcp_pos pos,
          struct dcp_error *err)
{
    struct dcp_inventory *inv = rows->model->inventory;
    uint64_t vcpus, mem_mib;

    if (rows->csv.n_fields < 6 ||
        (!*rows->csv.field[4] && !*rows->csv.field[5])) {
        return true;
    }
    if (!parse_serial(rows->csv.field[4], &vcpus) ||
        !parse_serial(rows->csv.field[5], &mem_mib) || !vcpus || !mem_mib ||
        vcpus > 4096 || mem_mib > UINT32_MAX) {
        return dcp_fail_at(err, DCP_E_PARSE, pos,
                           "'%.20s' vCPUs, '%.20s' MiB are no size of a VM",
                           rows->csv.field[4], rows->csv.field[5]);
    }
    if (!rows->vms) {
        rows->vms = dcp_arena_array(inv->arena, struct dcp_vm, inv->n_vms);
        if (!rows->vms) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for sizes");
        }
        memcpy(rows->vms, inv->vms, inv->n_vms * sizeof *rows->vms);
        inv->vms = rows->vms;
    }
    rows->vms[vm].vcpus = (uint32_t)vcpus;
    rows->vms[vm].mem_mib = mem_mib;
    return true;
}

static bool
take_vm_row(struct rows *rows, struct dcp_pos pos, struct dcp_error *err)
{
    const struct dcp_inventory *inv = rows->model->inventory;
    const char *name = rows->csv.field[1], *at = rows->csv.field[2];
    dcp_vm_id vm = dcp_inventory_find_vm(inv, name);

    if (dcp_vm_is_none(vm)) {
        rows->n_gone++;
        return true;
    }
    if (!take_size(rows, vm.ix, pos, err)) {
        return false;
    }
    if (!*at) {
        rows->model->placement->host[vm.ix] = dcp_host_none();
        return true;
    }
    dcp_host_id host = dcp_inventory_find_host(inv, at);

    if (dcp_host_is_none(host)) {
        return dcp_fail_at(err, DCP_E_STALE, pos,
                           "vm '%.80s' is on host '%.80s', which is not in the "
                           "model; put it back into dc.yaml",
                           name, at);
    }
    rows->model->placement->host[vm.ix] = host;
    return true;
}

static bool
take_volume_row(struct rows *rows, struct dcp_pos pos, struct dcp_error *err)
{
    struct dcp_inventory *inv = rows->model->inventory;
    struct dcp_object volume, pool;

    if (!dcp_plan_read_name(inv, DCP_OBJECT_VOLUME, rows->csv.field[1],
                            &volume)) {
        rows->n_gone++;
        return true;
    }
    if (!dcp_plan_read_name(inv, DCP_OBJECT_POOL, rows->csv.field[2], &pool)) {
        return dcp_fail_at(err, DCP_E_STALE, pos,
                           "volume '%.80s' is in pool '%.80s', which is not in "
                           "the model; put it back into dc.yaml",
                           rows->csv.field[1], rows->csv.field[2]);
    }
    if (!rows->volumes) {
        rows->volumes = dcp_arena_array(inv->arena, struct dcp_volume,
                                        inv->n_volumes);
        if (!rows->volumes) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for %u volumes",
                            inv->n_volumes);
        }
        memcpy(rows->volumes, inv->volumes,
               inv->n_volumes * sizeof *rows->volumes);
        inv->volumes = rows->volumes;
    }
    rows->volumes[volume.ix].pool = (dcp_pool_id){ pool.ix };
    return true;
}

static bool
take_row(struct rows *rows, struct dcp_error *err)
{
    struct dcp_model *model = rows->model;
    struct dcp_pos pos = { rows->csv.path, rows->csv.record_line, 1 };
    const char *kind = rows->csv.field[0], *name = rows->csv.field[1];

    if (rows->csv.n_fields != rows->csv.n_columns) {
        return dcp_fail_at(err, DCP_E_PARSE, pos, "a row needs %u fields",
                           (unsigned)rows->csv.n_columns);
    }
    if (!strcmp(kind, "serial")) {
        return parse_serial(name, &model->serial)
                   ? true
                   : dcp_fail_at(err, DCP_E_PARSE, pos,
                                 "'%.40s' is not a serial", name);
    }
    if (!strcmp(kind, "vm")) {
        return take_vm_row(rows, pos, err);
    }
    if (!strcmp(kind, "volume")) {
        return take_volume_row(rows, pos, err);
    }
    if (strcmp(kind, "host") != 0) {
        return dcp_fail_at(err, DCP_E_PARSE, pos,
                           "'%.40s' is none of serial, vm, host, volume", kind);
    }
    dcp_host_id host = dcp_inventory_find_host(model->inventory, name);

    if (dcp_host_is_none(host)) {
        rows->n_gone++;
    } else if (model->inventory->hosts[host.ix].state != DCP_HOST_MAINTENANCE) {
        model->placement->on[host.ix] = strcmp(rows->csv.field[3], "off") != 0;
    }
    return true;
}

static bool
read_rows(struct rows *rows, const char *path, char *bytes, size_t length,
          struct dcp_error *err)
{
    if (!dcp_csv_open(&rows->csv, path, bytes, length, err)) {
        return false;
    }
    bool sizes = rows->csv.n_columns == 6 &&
                 dcp_csv_column(&rows->csv, "vcpus") == 4 &&
                 dcp_csv_column(&rows->csv, "mem_mib") == 5;

    if ((rows->csv.n_columns != 4 && !sizes) || dcp_csv_column(&rows->csv, "kind") != 0 ||
        dcp_csv_column(&rows->csv, "name") != 1 ||
        dcp_csv_column(&rows->csv, "host") != 2 ||
        dcp_csv_column(&rows->csv, "state") != 3) {
        return dcp_fail_at(err, DCP_E_PARSE, (struct dcp_pos){ path, 1, 1 },
                           "the columns must be kind,name,host,state, or these "
                           "and vcpus,mem_mib");
    }
    for (bool more = true;;) {
        if (!dcp_csv_next(&rows->csv, &more, err)) {
            return false;
        }
        if (!more) {
            break;
        }
        if (!take_row(rows, err)) {
            return false;
        }
    }
    if (rows->n_gone) {
        dcp_diag_add(rows->diag, DCP_WARNING, (struct dcp_pos){ path, 0, 0 },
                     "%u VMs or hosts in it are not in dc.yaml any more",
                     rows->n_gone);
    }
    return true;
}

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
    return parse_serial(text, out)
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
    struct rows *rows = calloc(1, sizeof *rows);

    if (!rows) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the placement");
    }
    rows->model = model;
    rows->diag = diag;
    bool ok = read_rows(rows, path, bytes, length, err);

    free(rows);
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

/* One cell of two texts. */
static void
put_with(struct dcp_text *out, const char *name, const char *rest)
{
    struct dcp_text both = { 0 };

    dcp_text_puts(&both, name);
    dcp_text_puts(&both, rest);
    out->failed |= both.failed;
    dcp_csv_put(out, both.failed ? "" : dcp_text_get(&both));
    dcp_text_finish(&both);
}

/* Where a VM has another size than dc.yaml states; else nothing. */
static void
print_size(const struct dcp_model *model, const struct dcp_placement *now,
           uint32_t vm, struct dcp_text *out)
{
    const struct dcp_vm *stated = &model->stated_vms[vm];
    struct dcp_vm_size is = dcp_placement_size(model->inventory, now, vm);

    if (is.vcpus == stated->vcpus && is.mem_mib == stated->mem_mib) {
        dcp_text_puts(out, ",,");
    } else {
        dcp_text_printf(out, ",%u,%llu", is.vcpus,
                        (unsigned long long)is.mem_mib);
    }
}

static bool
any_size(const struct dcp_model *model, const struct dcp_placement *now)
{
    bool any = false;

    for (uint32_t v = 0; model->stated_vms && v < now->n_vms; v++) {
        struct dcp_vm_size is = dcp_placement_size(model->inventory, now, v);

        any |= is.vcpus != model->stated_vms[v].vcpus ||
               is.mem_mib != model->stated_vms[v].mem_mib;
    }
    return any;
}

static void
print_placement(const struct dcp_model *model, const struct dcp_placement *now,
                uint64_t serial, struct dcp_text *out)
{
    const struct dcp_inventory *inv = model->inventory;
    bool sizes = any_size(model, now);
    const char *rest = sizes ? ",,\n" : "\n";

    dcp_text_printf(out, "kind,name,host,state%s\nserial,%llu,,%s",
                    sizes ? ",vcpus,mem_mib" : "", (unsigned long long)serial,
                    rest);
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        bool placed = !dcp_host_is_none(now->host[v]);

        dcp_text_puts(out, "vm,");
        dcp_csv_put(out, inv->vms[v].name);
        dcp_text_puts(out, ",");
        if (placed) {
            dcp_csv_put(out, inv->hosts[now->host[v].ix].name);
        }
        dcp_text_puts(out, placed ? ",running" : ",absent");
        if (sizes) {
            print_size(model, now, v, out);
        }
        dcp_text_puts(out, "\n");
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        const struct dcp_host *host = &inv->hosts[h];

        /* On is written only where dc.yaml says otherwise. */
        if (host->state == DCP_HOST_MAINTENANCE ||
            now->on[h] == (host->state == DCP_HOST_UP)) {
            continue;
        }
        dcp_text_puts(out, "host,");
        dcp_csv_put(out, host->name);
        dcp_text_puts(out, now->on[h] ? ",,on" : ",,off");
        dcp_text_puts(out, rest);
    }
    for (uint32_t i = 0; i < inv->n_volumes; i++) {
        dcp_pool_id pool = dcp_placement_pool(now, inv, i);
        const struct dcp_vm *vm = &inv->vms[inv->volumes[i].vm.ix];
        char number[16];

        if (dcp_pool_is_none(pool) ||
            pool.ix == inv->volumes[i].given_pool.ix) {
            continue;
        }
        (void)snprintf(number, sizeof number, "/%u", i - vm->first_volume);
        dcp_text_puts(out, "volume,");
        put_with(out, vm->name, number);
        dcp_text_puts(out, ",");
        dcp_csv_put(out, inv->pools[pool.ix].name);
        dcp_text_puts(out, ",");
        dcp_text_puts(out, rest);
    }
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
        (void)parse_serial(digits, out);
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
    print_placement(model, now, next, &text);
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
