/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Tables in, files out: see import_csv.h.  Hosts without a `hardware` column
 * are grouped: rows that agree in all that makes a machine are one model. */

#include "model/io/import_csv.h"

#include "model/base/strmap.h"
#include "model/base/units.h"
#include "model/io/file.h"
#include "model/io/import_map.h"
#include "model/io/import_target.h"
#include "model/io/model_dir.h"
#include "model/io/schema.h"
#include "model/io/spec_curves.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_MAX_BYTES ((size_t)512 << 20)
#define N_NEW           4

struct machine_model { /* A group of identical hosts. */
    const char *key, *name, *cpu, *clock, *memory, *disk, *nic, *arch;
    uint32_t sockets, cores_per_socket, n_hosts;
};

struct import {
    const struct dcp_import_options *options;
    struct dcp_import_result *result;
    struct dcp_diag *diag;
    struct dcp_error *err;
    struct dcp_arena *arena;
    const struct dcp_yaml *mapping; /* NULL: none. */
    struct dcp_model model;         /* As it is before; empty: it has errors. */
    struct dcp_yaml main_tree;      /* Of dc.yaml. */
    struct dcp_yaml old_tree[2];    /* Of import/hosts.yaml and vms.yaml. */
    struct dcp_import_target target;
    struct dcp_spec_curves *curves; /* NULL: none. */
    struct machine_model *machines;
    uint32_t n_machines, machine_capacity;
    struct dcp_strmap machine_by_key, machine_names, names;
    /* Referenced, and not in the model: racks, tenants, tiers, applications. */
    struct dcp_strmap seen[N_NEW];
    struct dcp_text fresh[N_NEW];
};

static const struct {
    const char *key, *section;
} fresh_kinds[N_NEW] = {
    { "rack", "racks" },
    { "tenant", "tenants" },
    { "tier", "tiers" },
    { "application", "applications" },
};

static bool
no_memory(struct import *im)
{
    return dcp_fail(im->err, DCP_E_NOMEM, "no memory for the import");
}

static void
skip(struct import *im, const char *why)
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
in_model(const struct import *im, uint32_t kind, const char *name)
{
    const char *section = fresh_kinds[kind].section;

    if (tree_has(&im->old_tree[kind != 0], section, name)) {
        return false;
    }
    return im->model.inventory ? in_inventory(im->model.inventory, kind, name)
                               : tree_has(&im->main_tree, section, name);
}

static void
put_quoted(struct dcp_text *out, const char *text)
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
static bool
need_name(struct import *im, uint32_t kind, const char *name)
{
    uint32_t old;
    const char *copy = dcp_arena_strdup(im->arena, name);

    if (!copy) {
        return no_memory(im);
    }
    if (!dcp_strmap_add(&im->seen[kind], copy, 0, &old)) {
        return old != DCP_STRMAP_NONE ? true : no_memory(im);
    }
    if (in_model(im, kind, name)) {
        return true;
    }
    dcp_text_puts(&im->fresh[kind], "  ");
    put_quoted(&im->fresh[kind], name);
    dcp_text_puts(&im->fresh[kind], ": {}\n");
    return true;
}

/* --- Hosts -------------------------------------------------------------- */

struct host_row {
    const char *name, *cpu, *arch, *memory, *disk, *nic, *chassis, *hardware;
    char clock[32];
    uint32_t sockets, cores;
};

static uint32_t
whole(const char *text)
{
    double value;
    const char *end = dcp_scan_double(text, &value);

    return end && !*end && value >= 1 && value < 1e6 ? (uint32_t)value : 0;
}

/* "24-Core" in the name of the CPU; 0: not there. */
static uint32_t
cores_in_name(const char *cpu)
{
    const char *word = strstr(cpu, "-Core");

    while (word && word > cpu && isdigit((unsigned char)word[-1])) {
        word--;
    }
    return word ? (uint32_t)strtoul(word, NULL, 10) : 0;
}

/* Physical cores: as given, else from the CPU's name, else half the threads
 * of an x86 machine.  0: not to be known. */
static uint32_t
cores_of(struct import *im, const struct host_row *row, const char *given,
         const char *threads)
{
    if (whole(given)) {
        return whole(given);
    }
    if (cores_in_name(row->cpu)) {
        return cores_in_name(row->cpu) * row->sockets;
    }
    if (!strcmp(row->arch, "x86_64") && whole(threads) % 2 == 0 &&
        whole(threads)) {
        im->result->n_cores_assumed++;
        return whole(threads) / 2;
    }
    return 0;
}

/* The base clock: after '@' in the CPU's name, else the column. */
static void
clock_of(const char *cpu, const char *given, char out[32])
{
    const char *at = strchr(cpu, '@');
    double ghz, mhz;
    const char *end;

    if (at && (end = dcp_scan_double(at + 1 + strspn(at + 1, " "), &ghz)) &&
        ghz > 0.1 && !strncmp(end, "GHz", 3)) {
        (void)snprintf(out, 32, "%.0fMHz", ghz * 1000);
    } else if (dcp_parse_quantity(DCP_DIM_CPU, given, &mhz, NULL) &&
               mhz >= 100) {
        (void)snprintf(out, 32, "%.0fMHz", mhz);
    } else {
        out[0] = '\0';
    }
}

static const char *
value(struct import *im, const struct dcp_import_map *map,
      const struct dcp_csv *csv, const char *key)
{
    const char *text = dcp_import_value(map, im->arena, csv, key);

    return text ? text : "";
}

/* False: the row cannot be used, and was counted. */
static bool
read_host(struct import *im, const struct dcp_import_map *map,
          const struct dcp_csv *csv, struct host_row *row)
{
    double number;

    *row = (struct host_row){
        .name = value(im, map, csv, "name"),
        .hardware = value(im, map, csv, "hardware"),
        .cpu = value(im, map, csv, "cpu"),
        .arch = value(im, map, csv, "arch"),
        .memory = value(im, map, csv, "memory"),
        .disk = value(im, map, csv, "disk"),
        .nic = value(im, map, csv, "nics"),
        .chassis = value(im, map, csv, "chassis"),
    };
    if (!*row->name) {
        skip(im, "no name");
        return false;
    }
    if (*row->hardware) {
        return true;
    }
    row->arch = *row->arch ? row->arch : "x86_64";
    row->sockets = whole(value(im, map, csv, "sockets"));
    row->sockets = row->sockets ? row->sockets : 1;
    row->cores = cores_of(im, row, value(im, map, csv, "cores"),
                          value(im, map, csv, "threads"));
    if (!row->cores) {
        row->cores =
            row->sockets * whole(value(im, map, csv, "cores_per_socket"));
    }
    clock_of(row->cpu, value(im, map, csv, "clock"), row->clock);
    const char *why = NULL;

    if (!row->cores) {
        why = "physical cores are not given";
    } else if (!row->clock[0]) {
        why = "the clock is not given";
    } else if (!dcp_parse_quantity(DCP_DIM_SIZE, row->memory, &number, NULL) ||
               number < 1) {
        why = "the memory is not given";
    } else if (row->cores % row->sockets) {
        why = "cores are no multiple of sockets";
    }
    if (why) {
        skip(im, why);
    }
    return !why;
}

static void
slug(const char *text, char out[64])
{
    size_t n = 0;

    for (; *text && n < 40; text++) {
        if (isalnum((unsigned char)*text)) {
            out[n++] = (char)tolower((unsigned char)*text);
        } else if (n && out[n - 1] != '-') {
            out[n++] = '-';
        }
    }
    while (n && out[n - 1] == '-') {
        n--;
    }
    out[n] = '\0';
}

static const char *
name_machine(struct import *im, const struct host_row *row)
{
    char normal[80], cpu[64], chassis[64], name[192];
    double mem_mib = 0;
    uint32_t old = 0;

    dcp_spec_normalise(row->cpu, normal);
    slug(normal, cpu);
    slug(row->chassis, chassis);
    if (!dcp_parse_quantity(DCP_DIM_SIZE, row->memory, &mem_mib, NULL)) {
        return NULL; /* Was checked by read_host(). */
    }
    for (uint32_t k = 1; k < 1000; k++) {
        int n = snprintf(name, sizeof name, "%s%s%s-%.0fg", chassis,
                         *chassis && *cpu ? "-" : "", cpu, mem_mib / 1024);

        if (k > 1) {
            (void)snprintf(name + n, sizeof name - (size_t)n, "-%u", k);
        }
        const char *copy =
            dcp_arena_strdup(im->arena, *name == '-' ? name + 1 : name);

        if (!copy) {
            return NULL;
        }
        if (dcp_strmap_add(&im->machine_names, copy, 0, &old)) {
            return copy;
        }
    }
    return NULL;
}

/* The model of machine the row is one of, made where it is the first. */
static const char *
machine_of(struct import *im, const struct host_row *row)
{
    const char *key =
        dcp_arena_printf(im->arena, "%s|%s|%s|%u|%u|%s|%s|%s|%s", row->chassis,
                         row->cpu, row->clock, row->sockets, row->cores,
                         row->memory, row->disk, row->nic, row->arch);
    uint32_t at = key ? dcp_strmap_find(&im->machine_by_key, key) : 0;

    if (!key) {
        return NULL;
    }
    if (at != DCP_STRMAP_NONE) {
        im->machines[at].n_hosts++;
        return im->machines[at].name;
    }
    if (im->n_machines == im->machine_capacity) {
        uint32_t capacity =
            im->machine_capacity ? 2 * im->machine_capacity : 64;
        struct machine_model *more =
            realloc(im->machines, capacity * sizeof *more);

        if (!more) {
            return NULL;
        }
        im->machines = more;
        im->machine_capacity = capacity;
    }
    struct machine_model *m = &im->machines[im->n_machines];

    *m = (struct machine_model){
        .key = key,
        .name = name_machine(im, row),
        .cpu = row->cpu,
        .clock = dcp_arena_strdup(im->arena, row->clock),
        .memory = row->memory,
        .disk = row->disk,
        .nic = row->nic,
        .arch = row->arch,
        .sockets = row->sockets,
        .cores_per_socket = row->cores / row->sockets,
        .n_hosts = 1,
    };
    if (!m->name || !m->clock ||
        !dcp_strmap_add(&im->machine_by_key, key, im->n_machines, NULL)) {
        return NULL;
    }
    im->n_machines++;
    return m->name;
}

static const char *const host_columns[] = { "rack",  "unit",      "hypervisor",
                                            "state", "power_off", "ports",
                                            "tags" };
#define N_HOST_COLUMNS (sizeof host_columns / sizeof host_columns[0])

static bool
is_new_name(struct import *im, const char *name)
{
    uint32_t old;
    const char *copy = dcp_arena_strdup(im->arena, name);

    if (copy && dcp_strmap_add(&im->names, copy, 0, &old)) {
        return true;
    }
    skip(im, "a row of that name came before");
    return false;
}

static bool
take_host(struct import *im, const struct dcp_import_map *map,
          const struct dcp_csv *csv)
{
    struct host_row row;
    char why[120];
    const char *refused = dcp_import_refuses(map, csv, why);

    im->result->hosts_read++;
    if (refused) {
        skip(im, refused);
        return true;
    }
    if (!read_host(im, map, csv, &row) || !is_new_name(im, row.name)) {
        return true;
    }
    const char *hardware = *row.hardware ? row.hardware : machine_of(im, &row);
    struct dcp_text *out = &im->target.hosts;

    if (!hardware) {
        return no_memory(im);
    }
    im->result->hosts_taken++;
    dcp_csv_put(out, row.name);
    dcp_text_puts(out, ",");
    dcp_csv_put(out, hardware);
    for (size_t i = 0; i < N_HOST_COLUMNS; i++) {
        const char *cell = value(im, map, csv, host_columns[i]);

        if (!dcp_import_has(map, host_columns[i])) {
            continue;
        }
        dcp_text_puts(out, ",");
        dcp_csv_put(out, cell);
        if (i == 0 && *cell && !need_name(im, 0, cell)) {
            return false;
        }
    }
    dcp_text_puts(out, "\n");
    return true;
}

/* --- VMs ---------------------------------------------------------------- */

static bool
take_vm(struct import *im, const struct dcp_import_map *map,
        const struct dcp_csv *csv, const char *const keys[], uint32_t n_keys)
{
    char why[120];
    const char *refused = dcp_import_refuses(map, csv, why);
    const char *name = value(im, map, csv, "name");

    im->result->vms_read++;
    if (refused || !*name) {
        skip(im, refused ? refused : "no name");
        return true;
    }
    if (!is_new_name(im, name)) {
        return true;
    }
    im->result->vms_taken++;
    dcp_csv_put(&im->target.vms, name);
    for (uint32_t i = 0; i < n_keys; i++) {
        const char *cell = value(im, map, csv, keys[i]);

        dcp_text_puts(&im->target.vms, ",");
        dcp_csv_put(&im->target.vms, cell);
        for (uint32_t k = 1; k < N_NEW; k++) {
            if (*cell && !strcmp(keys[i], fresh_kinds[k].key) &&
                !need_name(im, k, cell)) {
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

struct table {
    struct dcp_csv csv;
    struct dcp_import_map map;
};

static bool
open_table(struct import *im, struct table *t, const char *name,
           const char *path)
{
    size_t length;
    DCP_FREE char *text =
        dcp_file_read(path, TABLE_MAX_BYTES, &length, im->err);
    char *copy = text ? dcp_arena_calloc(im->arena, length + 1, 1) : NULL;

    if (!copy) {
        return text ? no_memory(im) : false;
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
read_hosts(struct import *im, struct table *t)
{
    if (!open_table(im, t, "hosts", im->options->hosts)) {
        return false;
    }
    dcp_text_puts(&im->target.hosts, "name,hardware");
    for (size_t i = 0; i < N_HOST_COLUMNS; i++) {
        if (dcp_import_has(&t->map, host_columns[i])) {
            dcp_text_printf(&im->target.hosts, ",%s", host_columns[i]);
        }
    }
    dcp_text_puts(&im->target.hosts, "\n");
    for (bool more = true;;) {
        if (!dcp_csv_next(&t->csv, &more, im->err)) {
            return false;
        }
        if (!more) {
            return true;
        }
        if (!take_host(im, &t->map, &t->csv)) {
            return false;
        }
    }
}

static bool
read_vms(struct import *im, struct table *t)
{
    const char *keys[DCP_IMPORT_FIELDS_MAX];

    if (!open_table(im, t, "vms", im->options->vms)) {
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
        if (!take_vm(im, &t->map, &t->csv, keys, n)) {
            return false;
        }
    }
}

/* --- base.yaml ---------------------------------------------------------- */

static void
print_curve(struct import *im, const struct machine_model *m)
{
    struct dcp_text *out = &im->target.hosts_base;
    struct dcp_spec_answer answer = { 0 };
    char number[32];

    if (im->curves) {
        dcp_spec_curves_find(im->curves, m->cpu, m->sockets,
                             m->cores_per_socket, &answer);
    }
    im->result->curves[answer.match]++;
    im->result->curve_hosts[answer.match] += m->n_hosts;
    if (answer.match == DCP_SPEC_NONE) {
        return;
    }
    (void)snprintf(number, sizeof number, "%.3f", answer.speed_factor);
    dcp_text_printf(out, ",\n     speed_factor: %s, power: [", number);
    for (uint32_t i = 0; i < DCP_POWER_POINTS; i++) {
        dcp_text_double(number, answer.power_w[i]);
        dcp_text_printf(out, "%s%sW", i ? ", " : "", number);
    }
    dcp_text_puts(out, "],\n     source: ");
    const char *source = dcp_arena_printf(
        im->arena, "SPECpower_ssj2008, line %u, %s (%s)", answer.row,
        answer.cpu_name,
        answer.match == DCP_SPEC_EXACT ? "this CPU" : "same CPU family");

    put_quoted(out, source ? source : "");
}

static void
print_machine(struct import *im, const struct machine_model *m)
{
    struct dcp_text *out = &im->target.hosts_base;
    char normal[80];

    dcp_text_puts(out, "  ");
    put_quoted(out, m->name);
    dcp_text_printf(out,
                    ":\n    {sockets: %u, cores_per_socket: %u, clock: %s, "
                    "memory: %s, disk: %s, nics: [%s], arch: %s",
                    m->sockets, m->cores_per_socket, m->clock, m->memory,
                    *m->disk ? m->disk : "0", *m->nic ? m->nic : "1Gbit",
                    m->arch);
    dcp_spec_normalise(m->cpu, normal);
    const char *generation = dcp_spec_generation(dcp_spec_family(normal));

    if (*generation) {
        dcp_text_printf(out, ", cpu_generation: %s", generation);
    }
    if (*m->cpu) {
        dcp_text_puts(out, ",\n     cpu: ");
        put_quoted(out, m->cpu);
    }
    print_curve(im, m);
    dcp_text_puts(out, "}\n");
}

static void
print_base(struct import *im)
{
    struct dcp_text *out = &im->target.hosts_base;

    im->result->hardware = im->n_machines;
    if (im->n_machines) {
        dcp_text_puts(out, "# Made by `dcplan import csv`.  speed_factor 1 is "
                           "a " DCP_SPEC_REFERENCE_NAME ".\nhardware:\n");
    }
    for (uint32_t i = 0; i < im->n_machines; i++) {
        print_machine(im, &im->machines[i]);
    }
    for (uint32_t k = 0; k < N_NEW; k++) {
        out = k ? &im->target.vms_base : &im->target.hosts_base;
        if (im->fresh[k].length) {
            dcp_text_printf(out, "%s:\n%s", fresh_kinds[k].section,
                            dcp_text_get(&im->fresh[k]));
            out->failed |= im->fresh[k].failed;
        }
    }
}

/* --- All of it ---------------------------------------------------------- */

static bool
read_mapping(struct import *im)
{
    size_t length;
    struct dcp_yaml *tree = dcp_arena_new(im->arena, struct dcp_yaml);
    DCP_FREE char *text =
        dcp_file_read(im->options->map, DCP_YAML_MAX_BYTES, &length, im->err);

    if (!text || !tree) {
        return text ? no_memory(im) : false;
    }
    im->mapping = tree;
    return dcp_yaml_parse(im->arena, im->options->map, text, length, im->diag,
                          tree, im->err);
}

/* A YAML file of the model as a tree; an empty one where it is not to be
 * read. */
static void
read_tree(struct import *im, const char *dir, const char *name,
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
read_before(struct import *im, const char *dir)
{
    struct dcp_diag diag = { 0 };
    bool ok = dcp_model_open(dir, &diag, &im->model, im->err);
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
import(struct import *im, const char *dir)
{
    struct table *t = dcp_arena_new(im->arena, struct table);

    if (!t) {
        return no_memory(im);
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
    if ((im->options->hosts && !read_hosts(im, t)) ||
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
    struct import im = {
        .options = options,
        .result = out,
        .diag = diag,
        .err = err,
        .arena = dcp_arena_create(0),
        .target = { .dir = dir, .force = options->force },
    };

    *out = (struct dcp_import_result){ 0 };
    bool ok = im.arena ? import(&im, dir) : no_memory(&im);

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
