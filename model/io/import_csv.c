/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Tables in, files out: see import_csv.h.  Hosts are import_hosts.c. */

#include "model/io/import_csv.h"

#include "model/io/file.h"
#include "model/io/import_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_MAX_BYTES ((size_t)512 << 20)

static const struct {
    const char *key, *section;
} fresh_kinds[N_NEW] = {
    { "rack", "racks" },
    { "tenant", "tenants" },
    { "tier", "tiers" },
    { "application", "applications" },
};

bool
dcp_import_no_memory(struct dcp_import *im)
{
    return dcp_fail(im->err, DCP_E_NOMEM, "no memory for the import");
}

void
dcp_import_skip(struct dcp_import *im, const char *why)
{
    struct dcp_import_result *r = im->result;

    for (uint32_t i = 0; i < r->n_reasons; i++) {
        if (!strcmp(r->reasons[i].text, why)) {
            r->reasons[i].n++;
            return;
        }
    }
    if (r->n_reasons == DCP_IMPORT_REASONS_MAX) {
        r->reasons[DCP_IMPORT_REASONS_MAX - 1].n++;
        return;
    }
    bool last = r->n_reasons == DCP_IMPORT_REASONS_MAX - 1;

    (void)snprintf(r->reasons[r->n_reasons].text, 120, "%s",
                   last ? "other reasons" : why);
    r->reasons[r->n_reasons++].n = 1;
}

/* --- Names that the model does not have --------------------------------- */

static bool
tree_has(const struct dcp_yaml *tree, const char *section, const char *name)
{
    const struct dcp_yaml *entries = dcp_yaml_get(tree, section);

    return entries && dcp_yaml_get(entries, name);
}

static bool
in_inventory(const struct dcp_inventory *inv, uint32_t kind, const char *name)
{
    uint32_t n[N_NEW] = { inv->n_racks, inv->n_tenants, inv->n_tiers,
                          inv->n_applications };

    for (uint32_t i = 0; i < n[kind]; i++) {
        const char *have = kind == 0   ? inv->racks[i].name
                           : kind == 1 ? inv->tenants[i].name
                           : kind == 2 ? inv->tiers[i].name
                                       : inv->applications[i].name;

        if (!strcmp(have, name)) {
            return true;
        }
    }
    return false;
}

/* Whether the model defines it elsewhere than in the file that this import
 * replaces. */
static bool
in_model(const struct dcp_import *im, uint32_t kind, const char *name)
{
    const char *section = fresh_kinds[kind].section;

    if (tree_has(&im->old_tree[kind != 0], section, name)) {
        return false;
    }
    return im->model.inventory ? in_inventory(im->model.inventory, kind, name)
                               : tree_has(&im->main_tree, section, name);
}

bool
dcp_import_has_hardware(const struct dcp_import *im, const char *name)
{
    const struct dcp_inventory *inv = im->model.inventory;

    if (tree_has(&im->old_tree[0], "hardware", name)) {
        return false;
    }
    for (uint32_t i = 0; inv && i < inv->n_hardware; i++) {
        if (!strcmp(inv->hardware[i].name, name)) {
            return true;
        }
    }
    return tree_has(&im->main_tree, "hardware", name);
}

void
dcp_import_put_quoted(struct dcp_text *out, const char *text)
{
    dcp_text_add(out, "\"", 1);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            dcp_text_add(out, "\\", 1);
        }
        dcp_text_add(out, text, 1);
    }
    dcp_text_add(out, "\"", 1);
}

/* Notes that 'name' of such a kind is needed; defines it where it is not. */
bool
dcp_import_need(struct dcp_import *im, uint32_t kind, const char *name)
{
    uint32_t old;
    const char *copy = dcp_arena_strdup(im->arena, name);

    if (!copy) {
        return dcp_import_no_memory(im);
    }
    if (!dcp_strmap_add(&im->seen[kind], copy, 0, &old)) {
        return old != DCP_STRMAP_NONE ? true : dcp_import_no_memory(im);
    }
    if (in_model(im, kind, name)) {
        return true;
    }
    dcp_text_puts(&im->fresh[kind], "  ");
    dcp_import_put_quoted(&im->fresh[kind], name);
    dcp_text_puts(&im->fresh[kind], ": {}\n");
    return true;
}

/* --- Rows ------------------------------------------------------------- */

const char *
dcp_import_cell(struct dcp_import *im, const struct dcp_import_table *t,
                const char *key)
{
    const char *text = dcp_import_value(&t->map, im->arena, &t->csv, key);

    return text ? text : "";
}

bool
dcp_import_is_new(struct dcp_import *im, const char *name)
{
    uint32_t old;
    const char *copy = dcp_arena_strdup(im->arena, name);

    if (copy && dcp_strmap_add(&im->names, copy, 0, &old)) {
        return true;
    }
    dcp_import_skip(im, "a row of that name came before");
    return false;
}

/* --- VMs ---------------------------------------------------------------- */

static bool
take_vm(struct dcp_import *im, const struct dcp_import_table *t,
        const char *const keys[], uint32_t n_keys)
{
    char why[120];
    const char *refused = dcp_import_refuses(&t->map, &t->csv, why);
    const char *name = dcp_import_cell(im, t, "name");

    im->result->vms_read++;
    if (refused || !*name) {
        dcp_import_skip(im, refused ? refused : "no name");
        return true;
    }
    if (!dcp_import_is_new(im, name)) {
        return true;
    }
    im->result->vms_taken++;
    dcp_csv_put(&im->target.vms, name);
    for (uint32_t i = 0; i < n_keys; i++) {
        const char *cell = dcp_import_cell(im, t, keys[i]);

        dcp_text_puts(&im->target.vms, ",");
        dcp_csv_put(&im->target.vms, cell);
        for (uint32_t k = 1; k < N_NEW; k++) {
            if (*cell && !strcmp(keys[i], fresh_kinds[k].key) &&
                !dcp_import_need(im, k, cell)) {
                return false;
            }
        }
    }
    dcp_text_puts(&im->target.vms, "\n");
    return true;
}

/* The distinct keys of a mapping but `name`, in its order. */
static uint32_t
list_keys(const struct dcp_import_map *map,
          const char *keys[DCP_IMPORT_FIELDS_MAX])
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < map->n_fields; i++) {
        bool again = !strcmp(map->fields[i].key, "name");

        for (uint32_t k = 0; k < n; k++) {
            again |= !strcmp(keys[k], map->fields[i].key);
        }
        if (!again) {
            keys[n++] = map->fields[i].key;
        }
    }
    return n;
}

/* --- Tables ------------------------------------------------------------- */

bool
dcp_import_open(struct dcp_import *im, struct dcp_import_table *t,
                const char *name, const char *path)
{
    size_t length;
    DCP_FREE char *text =
        dcp_file_read(path, TABLE_MAX_BYTES, &length, im->err);
    char *copy = text ? dcp_arena_calloc(im->arena, length + 1, 1) : NULL;

    if (!copy) {
        return text ? dcp_import_no_memory(im) : false;
    }
    memcpy(copy, text, length);
    if (!dcp_csv_open(&t->csv, path, copy, length, im->err)) {
        return false;
    }
    return dcp_import_map_make(&t->map, im->arena, name, &t->csv, im->mapping,
                               im->diag)
               ? true
               : dcp_fail(im->err, DCP_E_PARSE,
                          "the %s table cannot be mapped; nothing was written",
                          name);
}

static bool
read_vms(struct dcp_import *im, struct dcp_import_table *t)
{
    const char *keys[DCP_IMPORT_FIELDS_MAX];

    if (!dcp_import_open(im, t, "vms", im->options->vms)) {
        return false;
    }
    dcp_strmap_finish(&im->names);
    uint32_t n = list_keys(&t->map, keys);

    dcp_text_puts(&im->target.vms, "name");
    for (uint32_t i = 0; i < n; i++) {
        dcp_text_printf(&im->target.vms, ",%s", keys[i]);
    }
    dcp_text_puts(&im->target.vms, "\n");
    for (bool more = true;;) {
        if (!dcp_csv_next(&t->csv, &more, im->err)) {
            return false;
        }
        if (!more) {
            return true;
        }
        if (!take_vm(im, t, keys, n)) {
            return false;
        }
    }
}

/* --- base.yaml ---------------------------------------------------------- */

static void
print_base(struct dcp_import *im)
{
    dcp_import_print_machines(im);
    for (uint32_t k = 0; k < N_NEW; k++) {
        struct dcp_text *out =
            k ? &im->target.vms_base : &im->target.hosts_base;
        if (im->fresh[k].length) {
            dcp_text_printf(out, "%s:\n%s", fresh_kinds[k].section,
                            dcp_text_get(&im->fresh[k]));
            out->failed |= im->fresh[k].failed;
        }
    }
}

/* --- All of it ---------------------------------------------------------- */

static bool
read_mapping(struct dcp_import *im)
{
    size_t length;
    struct dcp_yaml *tree = dcp_arena_new(im->arena, struct dcp_yaml);
    DCP_FREE char *text =
        dcp_file_read(im->options->map, DCP_YAML_MAX_BYTES, &length, im->err);

    if (!text || !tree) {
        return text ? dcp_import_no_memory(im) : false;
    }
    im->mapping = tree;
    return dcp_yaml_parse(im->arena, im->options->map, text, length, im->diag,
                          tree, im->err);
}

/* A YAML file of the model as a tree; an empty one where it is not to be
 * read. */
static void
read_tree(struct dcp_import *im, const char *dir, const char *name,
          struct dcp_yaml *out)
{
    struct dcp_diag diag = { 0 };
    struct dcp_error err;
    size_t length = 0;
    const char *path = dcp_arena_printf(im->arena, "%s/%s", dir, name);
    DCP_FREE char *text =
        path ? dcp_file_read(path, DCP_YAML_MAX_BYTES, &length, &err) : NULL;

    if (!text ||
        !dcp_yaml_parse(im->arena, NULL, text, length, &diag, out, &err)) {
        *out = (struct dcp_yaml){ .kind = DCP_YAML_MAPPING };
    }
    dcp_diag_finish(&diag);
}

/* What the model has already.  One with errors can be imported into again
 * with force: perhaps the errors are an earlier import's. */
static bool
read_before(struct dcp_import *im, const char *dir)
{
    struct dcp_diag diag = { 0 };
    bool ok = dcp_model_open(dir, NULL, &diag, &im->model, im->err);
    bool wrong = !ok && diag.n_errors > 0;

    dcp_diag_finish(&diag);
    if (!ok && !(wrong && im->options->force)) {
        return wrong ? dcp_fail_in(im->err, "before the import (see dcplan "
                                            "model check; --force imports "
                                            "all the same)")
                     : false;
    }
    read_tree(im, dir, "dc.yaml", &im->main_tree);
    read_tree(im, dir, "import/hosts.yaml", &im->old_tree[0]);
    read_tree(im, dir, "import/vms.yaml", &im->old_tree[1]);
    return true;
}

static bool
import(struct dcp_import *im, const char *dir)
{
    struct dcp_import_table *t =
        dcp_arena_new(im->arena, struct dcp_import_table);

    if (!t) {
        return dcp_import_no_memory(im);
    }
    if (!read_before(im, dir)) {
        return false;
    }
    if (im->options->map && !read_mapping(im)) {
        return false;
    }
    if (im->options->curves) {
        im->curves =
            dcp_spec_curves_read(im->arena, im->options->curves, im->err);
        if (!im->curves) {
            return false;
        }
    }
    if ((im->options->hosts && !dcp_import_hosts(im, t)) ||
        (im->options->vms && !read_vms(im, t))) {
        return false;
    }
    print_base(im);
    return dcp_import_target_write(&im->target, im->err);
}

bool
dcp_import_csv(const char *dir, const struct dcp_import_options *options,
               struct dcp_import_result *out, struct dcp_diag *diag,
               struct dcp_error *err)
{
    struct dcp_import im = {
        .options = options,
        .result = out,
        .diag = diag,
        .err = err,
        .arena = dcp_arena_create(0),
        .target = { .dir = dir, .force = options->force },
    };

    *out = (struct dcp_import_result){ 0 };
    bool ok = im.arena ? import(&im, dir) : dcp_import_no_memory(&im);

    free(im.machines);
    dcp_strmap_finish(&im.machine_by_key);
    dcp_strmap_finish(&im.machine_names);
    dcp_strmap_finish(&im.names);
    for (uint32_t k = 0; k < N_NEW; k++) {
        dcp_strmap_finish(&im.seen[k]);
        dcp_text_finish(&im.fresh[k]);
    }
    dcp_import_target_finish(&im.target);
    dcp_model_finish(&im.model);
    dcp_arena_destroy(im.arena);
    return ok;
}
