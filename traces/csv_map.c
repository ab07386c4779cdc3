/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "traces/csv_map.h"

#include "model/base/text.h"
#include "model/base/units.h"
#include "model/io/file.h"
#include "model/io/yaml.h"
#include "traces/lines.h"

#include <stdio.h>
#include <string.h>

/* --- Units -------------------------------------------------------------- */

enum quantity { CPU, MEMORY, RATE, READY, COUNT };

static const struct unit {
    const char *name;
    enum quantity quantity;
    double factor; /* To MHz, MiB, KiB/s, a share of 1. */
    enum dcp_csv_of of;
} units[] = {
    { "MHz", CPU, 1, DCP_CSV_ABSOLUTE },
    { "GHz", CPU, 1000, DCP_CSV_ABSOLUTE },
    { "Hz", CPU, 1e-6, DCP_CSV_ABSOLUTE },
    { "cores", CPU, 1, DCP_CSV_OF_CORE },
    { "percent", CPU, 0.01, DCP_CSV_OF_CAPACITY },
    { "share", CPU, 1, DCP_CSV_OF_CAPACITY },
    { "MiB", MEMORY, 1, DCP_CSV_ABSOLUTE },
    { "KiB", MEMORY, 1.0 / 1024, DCP_CSV_ABSOLUTE },
    { "GiB", MEMORY, 1024, DCP_CSV_ABSOLUTE },
    { "B", MEMORY, 1.0 / 1048576, DCP_CSV_ABSOLUTE },
    { "kB", MEMORY, 1e3 / 1048576, DCP_CSV_ABSOLUTE },
    { "MB", MEMORY, 1e6 / 1048576, DCP_CSV_ABSOLUTE },
    { "GB", MEMORY, 1e9 / 1048576, DCP_CSV_ABSOLUTE },
    { "percent", MEMORY, 0.01, DCP_CSV_OF_CAPACITY },
    { "share", MEMORY, 1, DCP_CSV_OF_CAPACITY },
    { "KiB/s", RATE, 1, DCP_CSV_ABSOLUTE },
    { "MiB/s", RATE, 1024, DCP_CSV_ABSOLUTE },
    { "B/s", RATE, 1.0 / 1024, DCP_CSV_ABSOLUTE },
    { "kB/s", RATE, 1e3 / 1024, DCP_CSV_ABSOLUTE },
    { "MB/s", RATE, 1e6 / 1024, DCP_CSV_ABSOLUTE },
    { "kbit/s", RATE, 125.0 / 1024, DCP_CSV_ABSOLUTE },
    { "Mbit/s", RATE, 125e3 / 1024, DCP_CSV_ABSOLUTE },
    { "share", READY, 1, DCP_CSV_ABSOLUTE },
    { "percent", READY, 0.01, DCP_CSV_ABSOLUTE },
};

static const enum quantity quantity_of[DCP_METRICS] = {
    [DCP_METRIC_CPU_MHZ] = CPU,          [DCP_METRIC_MEM_MIB] = MEMORY,
    [DCP_METRIC_NET_RX_KIB_S] = RATE,    [DCP_METRIC_NET_TX_KIB_S] = RATE,
    [DCP_METRIC_DISK_READ_KIB_S] = RATE, [DCP_METRIC_DISK_WRITE_KIB_S] = RATE,
    [DCP_METRIC_READY_FRAC] = READY,
};

static const char *const metric_key[DCP_METRICS] = {
    [DCP_METRIC_CPU_MHZ] = "cpu",
    [DCP_METRIC_MEM_MIB] = "mem",
    [DCP_METRIC_NET_RX_KIB_S] = "net_rx",
    [DCP_METRIC_NET_TX_KIB_S] = "net_tx",
    [DCP_METRIC_DISK_READ_KIB_S] = "disk_read",
    [DCP_METRIC_DISK_WRITE_KIB_S] = "disk_write",
    [DCP_METRIC_READY_FRAC] = "ready",
};

/* --- Reading keys ------------------------------------------------------- */

struct reader {
    struct dcp_arena *arena;
    struct dcp_error *err;
};

static bool
wrong(struct reader *r, const struct dcp_yaml *node, const char *what)
{
    return dcp_fail_at(r->err, DCP_E_PARSE, node->pos, "%s", what);
}

/* Every key of 'map' is in 'known' (NULL-ended). */
static bool
check_keys(struct reader *r, const struct dcp_yaml *map,
           const char *const known[])
{
    uint32_t n = 0;

    while (known[n]) {
        n++;
    }
    if (map->kind != DCP_YAML_MAPPING) {
        return wrong(r, map, "a mapping `key: value` is wanted here");
    }
    for (uint32_t i = 0; i < map->n; i++) {
        const struct dcp_yaml_entry *e = &map->entries[i];
        uint32_t k = 0;

        while (k < n && strcmp(known[k], e->key) != 0) {
            k++;
        }
        if (k < n) {
            continue;
        }
        k = dcp_text_nearest(e->key, known, n);
        return dcp_fail_at(r->err, DCP_E_PARSE, e->pos,
                           "there is no key '%s' here%s%s%s", e->key,
                           k < n ? "; did you mean '" : "",
                           k < n ? known[k] : "", k < n ? "'?" : "");
    }
    return true;
}

/* The text of 'key', or NULL where it is not there. */
static bool
get_text(struct reader *r, const struct dcp_yaml *map, const char *key,
         const char **out)
{
    const struct dcp_yaml *node = dcp_yaml_get(map, key);

    *out = NULL;
    if (node && node->kind != DCP_YAML_SCALAR) {
        return wrong(r, node, "plain text is wanted here");
    }
    *out = node ? node->text : NULL;
    return true;
}

static bool
get_character(struct reader *r, const struct dcp_yaml *map, const char *key,
              const char *allowed, char *io)
{
    const char *text;

    if (!get_text(r, map, key, &text) || !text) {
        return !dcp_yaml_get(map, key);
    }
    char c = !strcmp(text, "tab") ? '\t' : text[0];

    if (!c || (c != '\t' && text[1]) || !strchr(allowed, c)) {
        return wrong(r, dcp_yaml_get(map, key),
                     "one of , ; | tab is wanted for the separator, one of "
                     ". , for the decimal point (in quotes)");
    }
    *io = c;
    return true;
}

static bool
get_flag(struct reader *r, const struct dcp_yaml *map, const char *key,
         const char *if_true, const char *if_false, bool *io)
{
    const char *text;

    if (!get_text(r, map, key, &text) || !text) {
        return !dcp_yaml_get(map, key);
    }
    if (strcmp(text, if_true) != 0 && strcmp(text, if_false) != 0) {
        return dcp_fail_at(r->err, DCP_E_PARSE, dcp_yaml_get(map, key)->pos,
                           "'%s' is '%s' or '%s', not '%.40s'", key, if_true,
                           if_false, text);
    }
    *io = !strcmp(text, if_true);
    return true;
}

static bool
set_unit(struct reader *r, const struct dcp_yaml *node, const char *unit,
         enum quantity quantity, struct dcp_csv_field *out)
{
    char known[160] = "";
    size_t n = 0;

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (units[i].quantity != quantity) {
            continue;
        }
        if (unit && !strcmp(units[i].name, unit)) {
            out->factor = units[i].factor;
            out->of = units[i].of;
            return true;
        }
        n +=
            (size_t)snprintf(known + n, sizeof known - n, " %s", units[i].name);
    }
    return dcp_fail_at(r->err, DCP_E_PARSE, node->pos,
                       unit ? "unit '%.20s' is not known; known are:%s"
                            : "%.0sa unit is wanted, one of:%s",
                       unit ? unit : "", known);
}

/* `key: {column: C, unit: U}`. */
static bool
get_field(struct reader *r, const struct dcp_yaml *map, const char *key,
          enum quantity quantity, bool with_column, struct dcp_csv_field *out)
{
    static const char *const known[] = { "column", "unit", NULL };
    const struct dcp_yaml *node = dcp_yaml_get(map, key);
    const char *unit;

    if (!node) {
        return true;
    }
    out->pos = node->pos;
    if (!check_keys(r, node, known) ||
        !get_text(r, node, "column", &out->column) ||
        !get_text(r, node, "unit", &unit)) {
        return false;
    }
    if (with_column ? !out->column || !*out->column : out->column != NULL) {
        return wrong(r, node,
                     with_column ? "which column? (`column: NAME`)"
                                 : "in a wide table every other column is a "
                                   "VM: no `column` here");
    }
    out->column = with_column ? out->column : "";
    out->factor = 1;
    return quantity == COUNT || set_unit(r, node, unit, quantity, out);
}

static bool
get_offset(struct reader *r, const struct dcp_yaml *map, int64_t *out_ms)
{
    const char *t;

    if (!get_text(r, map, "utc_offset", &t) || !t) {
        return !dcp_yaml_get(map, "utc_offset");
    }
    bool ok = strlen(t) == 6 && (t[0] == '+' || t[0] == '-') && t[3] == ':';

    for (int i = 1; ok && i < 6; i++) {
        ok = i == 3 || (t[i] >= '0' && t[i] <= '9');
    }
    if (!ok) {
        return wrong(r, dcp_yaml_get(map, "utc_offset"),
                     "an offset such as +01:00 is wanted");
    }
    int64_t minutes = ((t[1] - '0') * 10 + (t[2] - '0')) * 60 +
                      (t[4] - '0') * 10 + (t[5] - '0');

    *out_ms = (t[0] == '-' ? -minutes : minutes) * 60000;
    return true;
}

static bool
get_time(struct reader *r, const struct dcp_yaml *root, struct dcp_csv_map *m)
{
    static const char *const known[] = { "column", "format", "utc_offset",
                                         NULL };
    static const struct {
        const char *name;
        double factor;
    } scales[] = { { "s", 1 }, { "ms", 1e-3 }, { "us", 1e-6 }, { "ns", 1e-9 } };
    const struct dcp_yaml *node = dcp_yaml_get(root, "time");
    const char *format;

    if (!node) {
        return wrong(r, root,
                     "which column is the time? (`time: {column: "
                     "NAME, format: rfc3339}`)");
    }
    if (!check_keys(r, node, known) ||
        !get_text(r, node, "column", &m->time_column) ||
        !get_text(r, node, "format", &format) ||
        !get_offset(r, node, &m->time_offset_ms)) {
        return false;
    }
    if (!m->time_column || !*m->time_column) {
        return wrong(r, node, "which column? (`column: NAME`)");
    }
    m->time_form = DCP_CSV_RFC3339;
    if (!format || !strcmp(format, "rfc3339")) {
        return true;
    }
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        if (!strcmp(format, scales[i].name)) {
            m->time_form = DCP_CSV_SECONDS;
            m->time_factor = scales[i].factor;
            return true;
        }
    }
    m->time_form = DCP_CSV_PATTERN;
    m->time_pattern = format;
    return strstr(format, "%Y") || wrong(r, node,
                                         "format is rfc3339, s, ms, us, ns or "
                                         "a pattern of %Y %m %d %H %M %S");
}

static bool
get_missing(struct reader *r, const struct dcp_yaml *root,
            struct dcp_csv_map *m)
{
    const struct dcp_yaml *node = dcp_yaml_get(root, "missing");

    if (!node) {
        return true;
    }
    if (node->kind != DCP_YAML_SEQUENCE || node->n > DCP_CSV_MISSING_MAX) {
        return wrong(r, node, "a list of at most 16 texts is wanted");
    }
    for (uint32_t i = 0; i < node->n; i++) {
        if (node->items[i].kind != DCP_YAML_SCALAR) {
            return wrong(r, &node->items[i], "plain text is wanted here");
        }
        m->missing[m->n_missing++] = node->items[i].text;
    }
    return true;
}

static bool
get_step(struct reader *r, const struct dcp_yaml *root, struct dcp_csv_map *m)
{
    struct dcp_error inner;
    const char *text;
    double ms = 0;

    if (!get_text(r, root, "step", &text) || !text) {
        return !dcp_yaml_get(root, "step");
    }
    if (!dcp_parse_quantity(DCP_DIM_TIME, text, &ms, &inner) ||
        !(ms >= 1 && ms <= 86400000)) {
        return wrong(r, dcp_yaml_get(root, "step"),
                     "a time between 1ms and 1d is wanted, such as 5min");
    }
    m->step_ms = (int64_t)ms;
    return true;
}

static bool
get_basis(struct reader *r, const struct dcp_yaml *root, struct dcp_csv_map *m)
{
    const char *text;

    if (!get_text(r, root, "mem_basis", &text) || !text) {
        return !dcp_yaml_get(root, "mem_basis");
    }
    if (strcmp(text, "active") != 0 && strcmp(text, "consumed") != 0 &&
        strcmp(text, "allocated") != 0) {
        return wrong(r, dcp_yaml_get(root, "mem_basis"),
                     "mem_basis is active, consumed or allocated");
    }
    m->mem_basis = text;
    return true;
}

static bool
get_skip(struct reader *r, const struct dcp_yaml *root, struct dcp_csv_map *m)
{
    const char *text, *end;
    int64_t n = 0;

    if (!get_text(r, root, "skip", &text) || !text) {
        return !dcp_yaml_get(root, "skip");
    }
    end = dcp_scan_i64(text, &n);
    if (!end || *end || n < 0 || n > 1000) {
        return wrong(r, dcp_yaml_get(root, "skip"),
                     "a number of lines up to 1000 is wanted");
    }
    m->skip = (uint32_t)n;
    return true;
}

static bool
get_columns(struct reader *r, const struct dcp_yaml *root,
            struct dcp_csv_map *m)
{
    uint32_t n_metrics = 0;

    for (uint32_t i = 0; i < DCP_METRICS; i++) {
        if (!get_field(r, root, metric_key[i], quantity_of[i], !m->wide,
                       &m->metric[i])) {
            return false;
        }
        n_metrics += m->metric[i].column != NULL;
    }
    if (!get_field(r, root, "vcpus", COUNT, true, &m->vcpus) ||
        !get_field(r, root, "cpu_capacity", CPU, true, &m->cpu_capacity) ||
        !get_field(r, root, "mem_capacity", MEMORY, true, &m->mem_capacity)) {
        return false;
    }
    if (m->cpu_capacity.of == DCP_CSV_OF_CAPACITY ||
        m->mem_capacity.of == DCP_CSV_OF_CAPACITY) {
        return wrong(r, root, "a capacity cannot be a share of itself");
    }
    if (m->wide && (n_metrics != 1 || m->vm_column || m->vcpus.column ||
                    m->cpu_capacity.column || m->mem_capacity.column)) {
        return wrong(r, root,
                     "a wide table holds one metric and nothing "
                     "else besides the time");
    }
    return n_metrics || wrong(r, root,
                              "no metric: cpu, mem, net_rx, net_tx, "
                              "disk_read, disk_write or ready");
}

static bool
get_vm(struct reader *r, const struct dcp_yaml *root, struct dcp_csv_map *m)
{
    static const char *const known[] = { "column", "file", NULL };
    const struct dcp_yaml *node = dcp_yaml_get(root, "vm");
    const char *file;

    if (m->wide) {
        return !node || wrong(r, node,
                              "in a wide table the columns' names "
                              "are the VMs'");
    }
    if (!node) {
        return wrong(r, root,
                     "which column is the VM? (`vm: {column: NAME}`, "
                     "or `vm: {file: name}`)");
    }
    if (!check_keys(r, node, known) ||
        !get_text(r, node, "column", &m->vm_column) ||
        !get_text(r, node, "file", &file)) {
        return false;
    }
    if (m->vm_column && !*m->vm_column) {
        return wrong(r, node, "which column? (`column: NAME`)");
    }
    return (m->vm_column != NULL) != (file && !strcmp(file, "name")) ||
           wrong(r, node, "either `column: NAME` or `file: name`");
}

static bool
read_root(struct reader *r, const struct dcp_yaml *root, struct dcp_csv_map *m)
{
    static const char *const known[] = {
        "layout",     "header",    "skip",   "separator",    "decimal",
        "step",       "mem_basis", "time",   "vm",           "missing",
        "cpu",        "mem",       "net_rx", "net_tx",       "disk_read",
        "disk_write", "ready",     "vcpus",  "cpu_capacity", "mem_capacity",
        NULL
    };

    return check_keys(r, root, known) &&
           get_flag(r, root, "layout", "wide", "long", &m->wide) &&
           get_flag(r, root, "header", "true", "false", &m->header) &&
           get_skip(r, root, m) &&
           get_character(r, root, "separator", ",;|\t", &m->separator) &&
           get_character(r, root, "decimal", ".,", &m->decimal) &&
           get_step(r, root, m) && get_basis(r, root, m) &&
           get_time(r, root, m) && get_vm(r, root, m) &&
           get_missing(r, root, m) && get_columns(r, root, m);
}

bool
dcp_csv_map_parse(struct dcp_arena *arena, const char *path, const char *text,
                  size_t length, struct dcp_csv_map *out, struct dcp_error *err)
{
    struct dcp_diag diag = { 0 };
    struct dcp_yaml root;
    struct reader r = { arena, err };
    struct dcp_csv_map m = {
        .header = true,
        .decimal = '.',
        .mem_basis = "active",
    };
    bool ok = dcp_yaml_parse(arena, path, text, length, &diag, &root, err);

    dcp_diag_finish(&diag);
    if (!ok || !read_root(&r, &root, &m)) {
        return false;
    }
    if (!m.header && m.wide) {
        return wrong(&r, &root,
                     "a wide table needs a header: it names the "
                     "VMs");
    }
    *out = m;
    return true;
}

bool
dcp_csv_map_read(struct dcp_arena *arena, const char *path,
                 struct dcp_csv_map *out, struct dcp_error *err)
{
    size_t length;
    DCP_FREE char *text = dcp_file_read(path, DCP_YAML_MAX_BYTES, &length, err);

    return text && dcp_csv_map_parse(arena, path, text, length, out, err);
}

/* --- What export writes ------------------------------------------------- */

bool
dcp_csv_map_guess(const char *header, struct dcp_pos pos,
                  struct dcp_csv_map *out, struct dcp_error *err)
{
    bool is_long = !strncmp(header, "vm,time,", 8);

    if (!is_long && strncmp(header, "time,", 5) != 0) {
        return dcp_fail_at(err, DCP_E_PARSE, pos,
                           "the header is not one of 'traces export' "
                           "(vm,time,... or time,VM,...): say with --map what "
                           "the columns are");
    }
    *out = (struct dcp_csv_map){
        .wide = !is_long,
        .header = true,
        .separator = ',',
        .decimal = '.',
        .mem_basis = "active",
        .time_column = "time",
        .time_form = DCP_CSV_RFC3339,
        .vm_column = is_long ? "vm" : NULL,
    };
    for (int i = 0; i < DCP_METRICS; i++) {
        const char *name = dcp_metric_name((enum dcp_metric)i);
        const char *at = is_long ? strstr(header, name) : NULL;
        char after = at ? at[strlen(name)] : 'x';

        if (is_long ? at && at[-1] == ',' && (!after || after == ',')
                    : i == DCP_METRIC_CPU_MHZ) {
            out->metric[i] =
                (struct dcp_csv_field){ .column = name, .factor = 1 };
        }
    }
    return true;
}
