/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/io/csv.h"

#include "model/base/strmap.h"
#include "model/base/text.h"

#include <stdlib.h>
#include <string.h>

static bool
fail_line(const struct dcp_csv *csv, uint32_t line, struct dcp_error *err,
          const char *text)
{
    return dcp_fail_at(err, DCP_E_PARSE, (struct dcp_pos){ csv->path, line, 0 },
                       "%s", text);
}

/* Cuts one field at csv->at, unquoted in place; *out_last: it ended its line.
 * False: a quote never ends. */
static bool
cut_field(struct dcp_csv *csv, char **out_field, bool *out_last)
{
    char *p = csv->at, *field = p, *write = p;

    if (p < csv->end && *p == '"') {
        field = write = ++p;
        for (;; p++) {
            if (p >= csv->end) {
                return false;
            }
            if (*p == '"') {
                if (p + 1 >= csv->end || p[1] != '"') {
                    break;
                }
                p++;
            }
            csv->line += *p == '\n';
            *write++ = *p;
        }
        p++;
    }
    while (p < csv->end && *p != csv->separator && *p != '\n') {
        *write++ = *p++;
    }
    *out_last = p >= csv->end || *p == '\n';
    csv->line += p < csv->end && *p == '\n';
    csv->at = p < csv->end ? p + 1 : p;
    if (*out_last && write > field && write[-1] == '\r') {
        write--;
    }
    *write = '\0';
    *out_field = field;
    return true;
}

bool
dcp_csv_next(struct dcp_csv *csv, bool *out_more, struct dcp_error *err)
{
    while (csv->at < csv->end && (*csv->at == '\n' || *csv->at == '\r')) {
        csv->line += *csv->at == '\n';
        csv->at++;
    }
    csv->n_fields = 0;
    *out_more = csv->at < csv->end;
    csv->record_line = csv->line;
    const char *line_start = csv->at;

    for (bool last = !*out_more; !last;) {
        if (csv->n_fields == DCP_CSV_COLUMNS_MAX) {
            return fail_line(csv, csv->record_line, err,
                             "more than 512 columns");
        }
        uint32_t i = csv->n_fields++;

        csv->field_column[i] = (uint32_t)(csv->at - line_start) + 1;
        if (!cut_field(csv, &csv->field[i], &last)) {
            return fail_line(csv, csv->record_line, err,
                             "a quoted field that begins on this line never "
                             "ends");
        }
        if (!last && csv->at >= csv->end) {
            break; /* The file ends after a separator: an empty field. */
        }
    }
    return true;
}

static char *
trim(char *text)
{
    while (*text == ' ' || *text == '\t') {
        text++;
    }
    for (size_t n = strlen(text);
         n && (text[n - 1] == ' ' || text[n - 1] == '\t');) {
        text[--n] = '\0';
    }
    return text;
}

static char
guess_separator(const char *text)
{
    bool quoted = false;

    for (; *text && (quoted || *text != '\n'); text++) {
        quoted ^= *text == '"';
        if (!quoted &&
            (*text == ',' || *text == ';' || *text == '|' || *text == '\t')) {
            return *text;
        }
    }
    return ',';
}

static bool
check_utf8(const char *text, size_t length, const char *path,
           struct dcp_error *err)
{
    size_t good = dcp_text_utf8(text, length);
    struct dcp_pos pos = { path, 1, 1 };

    if (good == length) {
        return true;
    }
    for (size_t i = 0; i < good; i++) {
        pos.column = text[i] == '\n' ? 1 : pos.column + 1;
        pos.line += text[i] == '\n';
    }
    return dcp_fail_at(err, DCP_E_PARSE, pos,
                       "this byte is not UTF-8; save the table as UTF-8");
}

bool
dcp_csv_open(struct dcp_csv *csv, const char *path, char *text, size_t length,
             struct dcp_error *err)
{
    bool more;

    *csv = (struct dcp_csv){
        .at = text, .end = text + length, .path = path, .line = 1
    };
    if (memchr(text, '\0', length)) {
        return fail_line(csv, 0, err, "holds NUL bytes: not a text file");
    }
    if (!check_utf8(text, length, path, err)) {
        return false;
    }
    if (length >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
        csv->at += 3;
    }
    csv->separator = guess_separator(csv->at);
    if (!dcp_csv_next(csv, &more, err)) {
        return false;
    }
    if (!more) {
        return fail_line(csv, 0, err, "is empty; a header line is needed");
    }
    csv->n_columns = csv->n_fields;
    for (uint32_t i = 0; i < csv->n_columns; i++) {
        csv->column[i] = trim(csv->field[i]);
        if (!*csv->column[i]) {
            return dcp_fail_at(err, DCP_E_PARSE,
                               (struct dcp_pos){ path, csv->record_line,
                                                 csv->field_column[i] },
                               "column %u of the header has no name", i + 1);
        }
        for (uint32_t j = 0; j < i; j++) {
            if (!strcmp(csv->column[i], csv->column[j])) {
                return dcp_fail_at(err, DCP_E_PARSE,
                                   (struct dcp_pos){ path, csv->record_line,
                                                     csv->field_column[i] },
                                   "column '%.60s' stands twice",
                                   csv->column[i]);
            }
        }
    }
    return true;
}

uint32_t
dcp_csv_column(const struct dcp_csv *csv, const char *name)
{
    for (uint32_t i = 0; i < csv->n_columns; i++) {
        if (!strcmp(csv->column[i], name)) {
            return i;
        }
    }
    return UINT32_MAX;
}

/* What a column becomes: group NULL for plain ones. */
struct column {
    const char *group, *key;
    uint32_t n_in_group; /* At the first column of a group: how many follow. */
};

static bool
split_columns(const struct dcp_csv *csv, struct dcp_arena *arena,
              struct column columns[])
{
    for (uint32_t i = 0; i < csv->n_columns; i++) {
        const char *dot = strchr(csv->column[i], '.');

        columns[i] = (struct column){ .key = csv->column[i] };
        if (dot && dot > csv->column[i] && dot[1]) {
            columns[i].group = dcp_arena_strndup(
                arena, csv->column[i], (size_t)(dot - csv->column[i]));
            columns[i].key = dot + 1;
            if (!columns[i].group) {
                return false;
            }
        }
    }
    for (uint32_t i = 0; i < csv->n_columns; i++) {
        uint32_t j = i;

        while (columns[i].group && j < csv->n_columns && columns[j].group &&
               !strcmp(columns[i].group, columns[j].group)) {
            j++;
        }
        columns[i].n_in_group = j - i;
        i += j > i ? j - i - 1 : 0;
    }
    return true;
}

static struct dcp_yaml_entry
cell_entry(const struct dcp_csv *csv, uint32_t i, const char *key)
{
    struct dcp_pos pos = { csv->path, csv->record_line, csv->field_column[i] };

    return (struct dcp_yaml_entry){
        .key = key,
        .pos = pos,
        .value = { .kind = DCP_YAML_SCALAR,
                   .cell = true,
                   .pos = pos,
                   .text = csv->field[i] },
    };
}

/* The cells [first, last) of the record that hold something, as entries. */
static const struct dcp_yaml_entry *
plain_cells(const struct dcp_csv *csv, struct dcp_arena *arena,
            const struct column columns[], uint32_t first, uint32_t last,
            uint32_t *out_n)
{
    struct dcp_yaml_entry *entries =
        dcp_arena_array(arena, struct dcp_yaml_entry, last - first);
    uint32_t n = 0;

    for (uint32_t i = first; entries && i < last; i++) {
        if (*csv->field[i]) {
            entries[n++] = cell_entry(csv, i, columns[i].key);
        }
    }
    *out_n = n;
    return entries;
}

static bool
record_tree(const struct dcp_csv *csv, struct dcp_arena *arena,
            const struct column columns[], uint32_t name_column,
            struct dcp_yaml *out)
{
    uint32_t n_filled = 0, n = 0;

    for (uint32_t i = 0; i < csv->n_fields; i++) {
        n_filled += *csv->field[i] != '\0';
    }
    struct dcp_yaml_entry *entries =
        dcp_arena_array(arena, struct dcp_yaml_entry, n_filled);

    if (!entries) {
        return false;
    }
    for (uint32_t i = 0; i < csv->n_fields; i++) {
        if (columns[i].n_in_group) {
            uint32_t last = i + columns[i].n_in_group;
            struct dcp_yaml group = { .kind = DCP_YAML_MAPPING };

            group.entries = plain_cells(csv, arena, columns, i, last, &group.n);
            group.pos = (struct dcp_pos){ csv->path, csv->record_line,
                                          csv->field_column[i] };
            if (!group.entries) {
                return false;
            }
            if (group.n) {
                entries[n++] = (struct dcp_yaml_entry){ columns[i].group,
                                                        group.pos, group };
            }
            i = last - 1;
        } else if (i != name_column && *csv->field[i]) {
            entries[n++] = cell_entry(csv, i, columns[i].key);
        }
    }
    out->entries = entries;
    out->n = n;
    return true;
}

struct tree {
    struct dcp_csv csv;
    struct column columns[DCP_CSV_COLUMNS_MAX];
    struct dcp_yaml_entry *rows;
    size_t n, capacity;
};

static bool
add_record(struct tree *t, struct dcp_arena *arena, uint32_t name_column,
           struct dcp_diag *diag, struct dcp_error *err)
{
    const struct dcp_csv *csv = &t->csv;
    struct dcp_pos pos = { csv->path, csv->record_line, 1 };

    if (csv->n_fields != csv->n_columns) {
        dcp_diag_add(diag, DCP_ERROR, pos,
                     "%u fields where the header has %u; quote fields that "
                     "hold a '%c'",
                     csv->n_fields, csv->n_columns, csv->separator);
        return true;
    }
    if (!*csv->field[name_column]) {
        dcp_diag_add(diag, DCP_ERROR, pos, "a row without a name; fill it in");
        return true;
    }
    if (t->n == t->capacity) {
        size_t capacity = t->capacity ? 2 * t->capacity : 1024;
        struct dcp_yaml_entry *rows = realloc(t->rows, capacity * sizeof *rows);

        if (!rows) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for a table");
        }
        t->rows = rows;
        t->capacity = capacity;
    }
    struct dcp_yaml_entry row = {
        .key = csv->field[name_column],
        .pos = pos,
        .value = { .kind = DCP_YAML_MAPPING, .pos = pos },
    };
    if (!record_tree(csv, arena, t->columns, name_column, &row.value)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a table");
    }
    t->rows[t->n++] = row;
    return true;
}

static bool
read_tree(struct tree *t, struct dcp_arena *arena, const char *path, char *text,
          size_t length, struct dcp_diag *diag, struct dcp_error *err)
{
    if (!dcp_csv_open(&t->csv, path, text, length, err)) {
        return false;
    }
    uint32_t name_column = dcp_csv_column(&t->csv, "name");

    if (name_column == UINT32_MAX) {
        return fail_line(&t->csv, 1, err,
                         "has no column 'name'; rename the one that holds it");
    }
    if (!split_columns(&t->csv, arena, t->columns)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a table");
    }
    for (bool more = true;;) {
        if (!dcp_csv_next(&t->csv, &more, err)) {
            return false;
        }
        if (!more) {
            return true;
        }
        if (!add_record(t, arena, name_column, diag, err)) {
            return false;
        }
    }
}

bool
dcp_csv_tree(struct dcp_arena *arena, const char *path, char *text,
             size_t length, struct dcp_diag *diag, struct dcp_yaml *out,
             struct dcp_error *err)
{
    struct tree *t = calloc(1, sizeof *t);
    bool ok = t ? read_tree(t, arena, path, text, length, diag, err)
                : dcp_fail(err, DCP_E_NOMEM, "no memory for a table");

    if (ok) {
        struct dcp_yaml_entry *rows =
            dcp_arena_array(arena, struct dcp_yaml_entry, t->n);

        ok = rows && t->n <= UINT32_MAX
                 ? true
                 : dcp_fail(err, DCP_E_NOMEM, "no memory for a table");
        if (ok && t->n) {
            memcpy(rows, t->rows, t->n * sizeof *rows);
        }
        *out = (struct dcp_yaml){ .kind = DCP_YAML_MAPPING,
                                  .pos = { path, 1, 1 },
                                  .n = (uint32_t)t->n,
                                  .entries = rows };
    }
    if (t) {
        free(t->rows);
    }
    free(t);
    return ok;
}

void
dcp_csv_put(struct dcp_text *out, const char *field)
{
    if (!strpbrk(field, ",;|\t\"\r\n") && *field != ' ') {
        dcp_text_puts(out, field);
        return;
    }
    dcp_text_add(out, "\"", 1);
    for (const char *p = field; *p; p++) {
        if (*p == '"') {
            dcp_text_add(out, "\"", 1);
        }
        dcp_text_add(out, p, 1);
    }
    dcp_text_add(out, "\"", 1);
}
