/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/io/placement_file.h"

#include "model/base/units.h"
#include "model/io/csv.h"
#include "model/io/plan_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
dcp_serial_parse(const char *text, uint64_t *out)
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

/* --- Reading -------------------------------------------------------------- */

struct rows {
    struct dcp_csv csv;
    struct dcp_model *model;
    struct dcp_diag *diag;
    uint32_t n_gone;
    struct dcp_volume *volumes; /* The inventory's, where some were moved. */
    struct dcp_vm *vms; /* The inventory's, once one has another size. */
};

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
    if (!dcp_serial_parse(rows->csv.field[4], &vcpus) ||
        !dcp_serial_parse(rows->csv.field[5], &mem_mib) || !vcpus || !mem_mib ||
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
        rows->volumes =
            dcp_arena_array(inv->arena, struct dcp_volume, inv->n_volumes);
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
        return dcp_serial_parse(name, &model->serial)
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

    if ((rows->csv.n_columns != 4 && !sizes) ||
        dcp_csv_column(&rows->csv, "kind") != 0 ||
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

bool
dcp_placement_file_read(struct dcp_model *model, const char *path, char *bytes,
                        size_t length, struct dcp_diag *diag,
                        struct dcp_error *err)
{
    DCP_FREE struct rows *rows = calloc(1, sizeof *rows);

    if (!rows) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the placement");
    }
    rows->model = model;
    rows->diag = diag;
    return read_rows(rows, path, bytes, length, err);
}

/* --- Printing ------------------------------------------------------------- */

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

void
dcp_placement_file_print(const struct dcp_model *model,
                         const struct dcp_placement *now, uint64_t serial,
                         struct dcp_text *out)
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
