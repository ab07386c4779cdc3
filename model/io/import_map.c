/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/io/import_map.h"

#include "model/base/text.h"
#include "model/base/units.h"
#include "model/io/schema.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The tables of Grid'5000 and Chameleon; see their SOURCE. */
static const char testbed_map[] =
    "hosts:\n"
    "  columns:\n"
    "    name: node\n"
    "    chassis: chassis_model\n"
    "    cpu: cpu_model\n"
    "    clock: {column: cpu_mhz, unit: MHz}\n"
    "    sockets: sockets\n"
    "    cores: cores\n"
    "    threads: threads\n"
    "    memory: {column: ram_bytes, unit: B}\n"
    "    disk: {column: disk_bytes, unit: B}\n"
    "    nics: {column: max_nic_bps, unit: bit}\n"
    "    arch: arch\n"
    "    rack: {column: rack, with: site}\n"
    "    tags: [site, cluster, {column: warranty_end, prefix: warranty-,\n"
    "      length: 4, ignore: [1970-01-01]}]\n"
    "  constants: {hypervisor: qemu}\n"
    "  skip: {retired_or_exotic: \"True\"}\n";

/* Other spellings of our keys. */
static const struct {
    const char *column, *key, *unit;
} spellings[] = {
    { "vm", "name", NULL },
    { "vm_name", "name", NULL },
    { "host_name", "name", NULL },
    { "hostname", "name", NULL },
    { "node", "name", NULL },
    { "server", "name", NULL },
    { "host", "name", NULL },
    { "cpus", "vcpus", NULL },
    { "vcpu", "vcpus", NULL },
    { "mem", "memory", NULL },
    { "ram", "memory", NULL },
    { "memory_mib", "memory", "MiB" },
    { "mem_mib", "memory", "MiB" },
    { "memory_mb", "memory", "MiB" },
    { "mem_mb", "memory", "MiB" },
    { "memory_gib", "memory", "GiB" },
    { "mem_gib", "memory", "GiB" },
    { "memory_gb", "memory", "GiB" },
    { "ram_gb", "memory", "GiB" },
    { "ram_gib", "memory", "GiB" },
    { "ram_mb", "memory", "MiB" },
    { "ram_mib", "memory", "MiB" },
    { "mem_gb", "memory", "GiB" },
    { "memory_bytes", "memory", "B" },
    { "ram_bytes", "memory", "B" },
    { "mhz", "clock", "MHz" },
    { "ghz", "clock", "GHz" },
    { "clock_ghz", "clock", "GHz" },
    { "cpu_ghz", "clock", "GHz" },
    { "clock_mhz", "clock", "MHz" },
    { "cpu_mhz", "clock", "MHz" },
    { "disk_gib", "disk", "GiB" },
    { "disk_bytes", "disk", "B" },
    { "cpu_model", "cpu", NULL },
    { "model", "hardware", NULL },
    { "vlan", "vlans", NULL },
    { "customer", "tenant", NULL },
    { "owner", "tenant", NULL },
    { "guest_os", "os", NULL },
};

/* Keys of a table: those of its sections, and what is only for importing. */
static bool
is_key(const char *table, const char *key)
{
    static const char *const host_only[] = { "name", "cores", "threads",
                                             "chassis" };
    const char *dot = strchr(key, '.');
    const struct dcp_schema_section *own = dcp_schema_find(table);

    if (!strcmp(key, "name") || dcp_schema_row(own, key)) {
        return true;
    }
    if (dot) { /* extras.gpu */
        char head[40];

        (void)snprintf(head, sizeof head, "%.*s", (int)(dot - key), key);
        return is_key(table, head);
    }
    if (strcmp(table, "hosts") != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof host_only / sizeof host_only[0]; i++) {
        if (!strcmp(key, host_only[i])) {
            return true;
        }
    }
    return dcp_schema_row(dcp_schema_find("hardware"), key) != NULL;
}

struct maker {
    struct dcp_import_map *map;
    struct dcp_arena *arena;
    const char *table;
    const struct dcp_csv *csv;
    struct dcp_diag *diag;
    bool ok;
};

static void complain(struct maker *m, struct dcp_pos pos, const char *format,
                     ...) DCP_PRINTF(3, 4);

static void
complain(struct maker *m, struct dcp_pos pos, const char *format, ...)
{
    char text[300];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    dcp_diag_add(m->diag, DCP_ERROR, pos, "mapping of %s: %s", m->table, text);
    m->ok = false;
}

static uint32_t
column_named(struct maker *m, const struct dcp_yaml *node)
{
    uint32_t i = UINT32_MAX;

    if (node && node->kind == DCP_YAML_SCALAR) {
        i = dcp_csv_column(m->csv, node->text);
        if (i == UINT32_MAX) {
            complain(m, node->pos, "the table has no column '%.80s'",
                     node->text);
        }
    }
    return i;
}

static void
add_field(struct maker *m, const struct dcp_import_field *field)
{
    if (m->map->n_fields == DCP_IMPORT_FIELDS_MAX) {
        complain(m, (struct dcp_pos){ 0 }, "more than %d columns",
                 DCP_IMPORT_FIELDS_MAX);
        return;
    }
    m->map->fields[m->map->n_fields++] = *field;
}

static const char *
text_of(const struct dcp_yaml *map, const char *key)
{
    const struct dcp_yaml *node = dcp_yaml_get(map, key);

    return node && node->kind == DCP_YAML_SCALAR ? node->text : NULL;
}

static void
read_field(struct maker *m, const char *key, const struct dcp_yaml *node)
{
    static const char *const words[] = { "column", "with",   "unit",
                                         "prefix", "ignore", "length" };
    struct dcp_import_field field = { .key = key,
                                      .column = UINT32_MAX,
                                      .with = UINT32_MAX };
    double length = 0;

    if (node->kind == DCP_YAML_SEQUENCE) {
        for (uint32_t i = 0; i < node->n; i++) {
            read_field(m, key, &node->items[i]);
        }
        return;
    }
    if (node->kind == DCP_YAML_SCALAR) {
        field.column = column_named(m, node);
    } else {
        for (uint32_t i = 0; i < node->n; i++) {
            if (dcp_text_nearest(node->entries[i].key, words, 6) ==
                    UINT32_MAX ||
                strcmp(words[dcp_text_nearest(node->entries[i].key, words, 6)],
                       node->entries[i].key) != 0) {
                complain(m, node->entries[i].pos,
                         "'%.40s' is none of column, with, unit, prefix, "
                         "ignore, length",
                         node->entries[i].key);
            }
        }
        field.column = column_named(m, dcp_yaml_get(node, "column"));
        field.with = column_named(m, dcp_yaml_get(node, "with"));
        field.unit = text_of(node, "unit");
        field.prefix = text_of(node, "prefix");
        field.ignore = dcp_yaml_get(node, "ignore");
        if (text_of(node, "length") &&
            dcp_scan_double(text_of(node, "length"), &length) && length > 0) {
            field.length = (uint32_t)length;
        }
        if (!dcp_yaml_get(node, "column")) {
            complain(m, node->pos, "'column' is missing for '%.40s'", key);
        }
    }
    add_field(m, &field);
}

static void
read_tests(struct maker *m, const struct dcp_yaml *node, bool skip)
{
    for (uint32_t i = 0; node && node->kind == DCP_YAML_MAPPING && i < node->n;
         i++) {
        const struct dcp_yaml_entry *entry = &node->entries[i];
        struct dcp_yaml name = { .kind = DCP_YAML_SCALAR,
                                 .pos = entry->pos,
                                 .text = entry->key };
        uint32_t column = column_named(m, &name);

        if (column != UINT32_MAX && m->map->n_tests < DCP_IMPORT_TESTS_MAX) {
            m->map->tests[m->map->n_tests++] =
                (struct dcp_import_test){ column, &entry->value, skip };
        }
    }
}

static void
read_mapping(struct maker *m, const struct dcp_yaml *mapping)
{
    const struct dcp_yaml *mine = dcp_yaml_get(mapping, m->table);
    const struct dcp_yaml *columns =
        mine ? dcp_yaml_get(mine, "columns") : NULL;
    const struct dcp_yaml *constants =
        mine ? dcp_yaml_get(mine, "constants") : NULL;

    if (!columns || columns->kind != DCP_YAML_MAPPING) {
        complain(m, mapping->pos, "'columns' is missing under '%s'", m->table);
        return;
    }
    for (uint32_t i = 0; i < columns->n; i++) {
        if (!is_key(m->table, columns->entries[i].key)) {
            complain(m, columns->entries[i].pos,
                     "'%.60s' is no key of this table; docs/model.md lists "
                     "them",
                     columns->entries[i].key);
        }
        read_field(m, columns->entries[i].key, &columns->entries[i].value);
    }
    for (uint32_t i = 0;
         constants && i < constants->n && constants->kind == DCP_YAML_MAPPING;
         i++) {
        const struct dcp_yaml_entry *entry = &constants->entries[i];

        if (entry->value.kind != DCP_YAML_SCALAR ||
            !is_key(m->table, entry->key)) {
            complain(m, entry->pos, "'%.60s' is no key with one value",
                     entry->key);
            continue;
        }
        add_field(m,
                  &(struct dcp_import_field){ .key = entry->key,
                                              .column = UINT32_MAX,
                                              .with = UINT32_MAX,
                                              .constant = entry->value.text });
    }
    read_tests(m, dcp_yaml_get(mine, "where"), false);
    read_tests(m, dcp_yaml_get(mine, "skip"), true);
}

/* By the header alone. */
static void
guess(struct maker *m)
{
    for (uint32_t i = 0; i < m->csv->n_columns; i++) {
        struct dcp_import_field field = { .key = m->csv->column[i],
                                          .column = i,
                                          .with = UINT32_MAX };
        bool known = is_key(m->table, field.key);

        for (size_t s = 0; !known && s < sizeof spellings / sizeof spellings[0];
             s++) {
            if (!strcmp(spellings[s].column, m->csv->column[i]) &&
                is_key(m->table, spellings[s].key) &&
                !dcp_import_has(m->map, spellings[s].key)) {
                field.key = spellings[s].key;
                field.unit = spellings[s].unit;
                known = true;
            }
        }
        if (known) {
            add_field(m, &field);
        } else {
            dcp_diag_add(m->diag, DCP_WARNING,
                         (struct dcp_pos){ m->csv->path, 1, 0 },
                         "column '%.60s' is not used; --map says what it is",
                         m->csv->column[i]);
        }
    }
}

bool
dcp_import_map_make(struct dcp_import_map *map, struct dcp_arena *arena,
                    const char *table, const struct dcp_csv *csv,
                    const struct dcp_yaml *mapping, struct dcp_diag *diag)
{
    struct maker m = { map, arena, table, csv, diag, true };
    struct dcp_yaml *known = dcp_arena_new(arena, struct dcp_yaml);
    struct dcp_error err;

    *map = (struct dcp_import_map){ 0 };
    if (!known) {
        return false;
    }
    if (!mapping && !strcmp(table, "hosts") &&
        dcp_csv_column(csv, "node") != UINT32_MAX &&
        dcp_csv_column(csv, "cpu_model") != UINT32_MAX &&
        dcp_csv_column(csv, "ram_bytes") != UINT32_MAX &&
        dcp_yaml_parse(arena, NULL, testbed_map, sizeof testbed_map - 1, diag,
                       known, &err)) {
        map->known_form = true;
        mapping = known;
    }
    if (mapping && dcp_yaml_get(mapping, table)) {
        read_mapping(&m, mapping);
    } else {
        guess(&m);
    }
    if (m.ok && !dcp_import_has(map, "name")) {
        complain(&m, (struct dcp_pos){ csv->path, 1, 0 },
                 "nothing says which column is 'name'");
    }
    return m.ok;
}

bool
dcp_import_has(const struct dcp_import_map *map, const char *key)
{
    for (uint32_t i = 0; i < map->n_fields; i++) {
        if (!strcmp(map->fields[i].key, key)) {
            return true;
        }
    }
    return false;
}

static bool
listed(const struct dcp_yaml *values, const char *text)
{
    if (values->kind == DCP_YAML_SCALAR) {
        return !strcmp(values->text, text);
    }
    for (uint32_t i = 0; values->kind == DCP_YAML_SEQUENCE && i < values->n;
         i++) {
        if (values->items[i].kind == DCP_YAML_SCALAR &&
            !strcmp(values->items[i].text, text)) {
            return true;
        }
    }
    return false;
}

/* A plain number with its unit, in one that the model reads: bytes become
 * MiB, bits become Mbit. */
static const char *
with_unit(struct dcp_arena *arena, const char *text, const char *unit)
{
    double value;
    const char *end = dcp_scan_double(text, &value);
    char number[32];

    if (!end || *end) {
        return text; /* It has one, or is for the model to refuse. */
    }
    bool bytes = !strcmp(unit, "B"), bits = !strcmp(unit, "bit");

    value = bytes ? floor(value / 1048576) : bits ? value / 1e6 : value;
    dcp_text_double(number, value);
    return dcp_arena_printf(arena, "%s%s", number,
                            bytes  ? "MiB"
                            : bits ? "Mbit"
                                   : unit);
}

static const char *
field_value(const struct dcp_import_field *f, struct dcp_arena *arena,
            const struct dcp_csv *csv)
{
    if (f->column == UINT32_MAX) {
        return f->constant ? f->constant : "";
    }
    const char *text = f->column < csv->n_fields ? csv->field[f->column] : "";

    if (!*text || (f->ignore && listed(f->ignore, text))) {
        return "";
    }
    if (f->length && strlen(text) > f->length) {
        text = dcp_arena_strndup(arena, text, f->length);
    }
    if (text && f->unit) {
        text = with_unit(arena, text, f->unit);
    }
    if (text && f->prefix) {
        text = dcp_arena_printf(arena, "%s%s", f->prefix, text);
    }
    if (text && f->with < csv->n_fields) {
        text = dcp_arena_printf(arena, "%s-%s", csv->field[f->with], text);
    }
    return text;
}

const char *
dcp_import_value(const struct dcp_import_map *map, struct dcp_arena *arena,
                 const struct dcp_csv *csv, const char *key)
{
    const char *all = "";

    for (uint32_t i = 0; i < map->n_fields && all; i++) {
        if (strcmp(map->fields[i].key, key) != 0) {
            continue;
        }
        const char *one = field_value(&map->fields[i], arena, csv);

        if (!one) {
            return NULL;
        }
        if (*one) {
            all = *all ? dcp_arena_printf(arena, "%s %s", all, one) : one;
        }
    }
    return all;
}

const char *
dcp_import_refuses(const struct dcp_import_map *map, const struct dcp_csv *csv,
                   char out[120])
{
    for (uint32_t i = 0; i < map->n_tests; i++) {
        const struct dcp_import_test *t = &map->tests[i];
        const char *text =
            t->column < csv->n_fields ? csv->field[t->column] : "";

        if (listed(t->values, text) != t->skip) {
            continue;
        }
        (void)snprintf(out, 120, "%.50s is '%.50s'", csv->column[t->column],
                       text);
        return out;
    }
    return NULL;
}
