/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Single values: from a node's text to a number, a choice, a reference. */

#include "model/io/model_reader.h"

#include "model/base/sort.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
report(struct dcp_reader *r, enum dcp_severity severity, struct dcp_pos pos,
       const char *format, va_list args)
{
    char text[480];

    (void)vsnprintf(text, sizeof text, format, args);
    if (r->kind && r->name) {
        dcp_diag_add(r->diag, severity, pos, "%s '%.80s': %s", r->kind, r->name,
                     text);
    } else if (r->kind) {
        dcp_diag_add(r->diag, severity, pos, "%s: %s", r->kind, text);
    } else {
        dcp_diag_add(r->diag, severity, pos, "%s", text);
    }
}

void
dcp_reader_error(struct dcp_reader *r, struct dcp_pos pos, const char *format,
                 ...)
{
    va_list args;

    va_start(args, format);
    report(r, DCP_ERROR, pos, format, args);
    va_end(args);
}

void
dcp_reader_warn(struct dcp_reader *r, struct dcp_pos pos, const char *format,
                ...)
{
    va_list args;

    va_start(args, format);
    report(r, DCP_WARNING, pos, format, args);
    va_end(args);
}

void
dcp_reader_object(struct dcp_reader *r, const char *kind, const char *name)
{
    r->kind = kind;
    r->name = name;
}

void *
dcp_reader_array(struct dcp_reader *r, size_t n, size_t size)
{
    void *p = r->no_memory ? NULL : dcp_arena_calloc(r->inv->arena, n, size);

    r->no_memory = !p;
    return p;
}

/* The value of 'text' in 'map', which numbers its names from 0 and keeps them
 * in 'names'; DCP_IX_NONE: no memory. */
static uint32_t
intern(struct dcp_reader *r, struct dcp_strmap *map, struct dcp_names *names,
       const char *text)
{
    uint32_t ix = dcp_strmap_find(map, text);

    if (ix != DCP_STRMAP_NONE) {
        return ix;
    }
    if (map->n == names->capacity) {
        uint32_t capacity = names->capacity ? 2 * names->capacity : 64;
        const char **items = realloc(names->items, capacity * sizeof *items);

        if (!items) {
            r->no_memory = true;
            return DCP_IX_NONE;
        }
        names->items = items;
        names->capacity = capacity;
    }
    ix = map->n;
    names->items[ix] = dcp_arena_strdup(r->inv->arena, text);
    if (!names->items[ix] || !dcp_strmap_add(map, names->items[ix], ix, NULL)) {
        r->no_memory = true;
        return DCP_IX_NONE;
    }
    return ix;
}

const char *
dcp_reader_text(struct dcp_reader *r, const char *text)
{
    uint32_t ix = intern(r, &r->texts, &r->text_names, text);

    return ix == DCP_IX_NONE ? "" : r->text_names.items[ix];
}

/* 'text' cut at spaces, as scalars at its position. */
static const struct dcp_yaml *
split_cell(struct dcp_reader *r, const struct dcp_yaml *node, uint32_t *out_n)
{
    uint32_t n = 0;

    for (const char *p = node->text; *p;) {
        p += strspn(p, " ");
        n += *p != '\0';
        p += strcspn(p, " ");
    }
    struct dcp_yaml *items = dcp_arena_array(r->scratch, struct dcp_yaml, n);
    uint32_t i = 0;

    for (const char *p = node->text; items && i < n;) {
        p += strspn(p, " ");
        size_t length = strcspn(p, " ");

        items[i] = *node;
        items[i].pos.column += (uint32_t)(p - node->text);
        items[i].text = dcp_arena_strndup(r->scratch, p, length);
        if (!items[i].text) {
            items = NULL;
            break;
        }
        i++;
        p += length;
    }
    *out_n = items ? n : 0;
    r->no_memory |= !items;
    return items;
}

const struct dcp_yaml *
dcp_reader_items(struct dcp_reader *r, const struct dcp_yaml *node,
                 uint32_t *out_n)
{
    *out_n = 0;
    if (!node) {
        return NULL;
    }
    if (node->kind == DCP_YAML_SEQUENCE) {
        *out_n = node->n;
        return node->items;
    }
    if (node->kind == DCP_YAML_SCALAR && node->cell) {
        return strchr(node->text, ' ') ? split_cell(r, node, out_n)
                                       : (*out_n = 1, node);
    }
    *out_n = node->kind != DCP_YAML_SCALAR || node->quoted || *node->text;
    return node;
}

bool
dcp_reader_scalar(struct dcp_reader *r, const char *key,
                  const struct dcp_yaml *node)
{
    if (node->kind == DCP_YAML_SCALAR) {
        return true;
    }
    dcp_reader_error(r, node->pos, "%s: %s where one value is needed", key,
                     dcp_yaml_kind_name(node->kind));
    return false;
}

static bool
in_range(struct dcp_reader *r, const struct dcp_schema_row *row,
         const struct dcp_yaml *node, double value)
{
    char low[40], high[40];

    if (value >= row->min && (row->max == 0 || value <= row->max)) {
        return true;
    }
    if (row->value == DCP_VALUE_PRICE) {
        (void)snprintf(low, sizeof low, "%g", row->min);
        (void)snprintf(high, sizeof high, "%g", row->max);
    } else {
        dcp_print_quantity(row->dimension, row->min, low, sizeof low);
        dcp_print_quantity(row->dimension, row->max, high, sizeof high);
    }
    if (row->max == 0) {
        dcp_reader_error(r, node->pos, "%s: '%.40s' is below %s", row->key,
                         node->text, low);
    } else {
        dcp_reader_error(r, node->pos, "%s: '%.40s' is not within %s to %s",
                         row->key, node->text, low, high);
    }
    return false;
}

static bool
parse_price(const struct dcp_schema_row *row, const char *text, double *out,
            struct dcp_error *err)
{
    const char *rest = dcp_scan_double(text, out);

    if (rest && (!strcmp(rest, row->of) || (!*rest && *out == 0))) {
        return true;
    }
    return dcp_fail(err, DCP_E_PARSE, "'%.40s' is not a price such as 0.28%s",
                    text, row->of);
}

static bool
parse_percentile(const char *text, double *out, struct dcp_error *err)
{
    const char *rest = *text == 'p' ? dcp_scan_double(text + 1, out) : NULL;

    if (rest && !*rest && *out > 0 && *out <= 100) {
        *out /= 100;
        return true;
    }
    return dcp_fail(err, DCP_E_PARSE, "'%.40s' is not a percentile such as p95",
                    text);
}

bool
dcp_reader_number(struct dcp_reader *r, const struct dcp_schema_row *row,
                  const struct dcp_yaml *node, double *out)
{
    struct dcp_error err = { 0 };
    bool ok;

    if (!dcp_reader_scalar(r, row->key, node)) {
        return false;
    }
    if (row->value == DCP_VALUE_PRICE) {
        ok = parse_price(row, node->text, out, &err);
    } else if (row->value == DCP_VALUE_PERCENTILE) {
        ok = parse_percentile(node->text, out, &err);
    } else {
        ok = dcp_parse_quantity(row->dimension, node->text, out, &err);
    }
    if (!ok) {
        dcp_reader_error(r, node->pos, "%s: %s", row->key, err.message);
    }
    return ok && in_range(r, row, node, *out);
}

bool
dcp_reader_choice(struct dcp_reader *r, const struct dcp_schema_row *row,
                  const struct dcp_yaml *node, uint32_t *out)
{
    if (!dcp_reader_scalar(r, row->key, node)) {
        return false;
    }
    uint32_t i = dcp_schema_choice(row->of, node->text);

    if (i != UINT32_MAX) {
        *out = i;
        return true;
    }
    char list[200];
    size_t n = 0;

    for (const char *p = row->of; *p && n + 2 < sizeof list; p++) {
        list[n++] = *p == '|' ? ',' : *p;
        if (*p == '|') {
            list[n++] = ' ';
        }
    }
    list[n] = '\0';
    dcp_reader_error(r, node->pos, "%s: '%.40s' is not one of %s", row->key,
                     node->text, list);
    return false;
}

uint32_t
dcp_reader_bits(struct dcp_reader *r, const struct dcp_schema_row *row,
                const struct dcp_yaml *list)
{
    uint32_t n, choice, bits = 0;
    const struct dcp_yaml *items = dcp_reader_items(r, list, &n);

    for (uint32_t i = 0; i < n; i++) {
        if (dcp_reader_choice(r, row, &items[i], &choice)) {
            bits |= UINT32_C(1) << choice;
        }
    }
    return bits;
}

bool
dcp_reader_bool(struct dcp_reader *r, const char *key,
                const struct dcp_yaml *node, bool *out)
{
    if (!dcp_reader_scalar(r, key, node)) {
        return false;
    }
    uint32_t i = dcp_schema_choice("false|no|true|yes", node->text);

    if (i == UINT32_MAX) {
        dcp_reader_error(r, node->pos, "%s: '%.40s' is not true or false", key,
                         node->text);
        return false;
    }
    *out = i >= 2;
    return true;
}

void
dcp_reader_instant(struct dcp_reader *r, const char *key,
                   const struct dcp_yaml *node, int64_t *out)
{
    struct dcp_error err = { 0 };

    if (node && dcp_reader_scalar(r, key, node) &&
        !dcp_parse_instant(node->text, out, &err)) {
        dcp_reader_error(r, node->pos, "%s: %.200s", key, err.message);
    }
}

bool
dcp_reader_date(struct dcp_reader *r, const char *key,
                const struct dcp_yaml *node, int64_t *out_day)
{
    char text[40];
    int64_t ms;

    if (!dcp_reader_scalar(r, key, node)) {
        return false;
    }
    (void)snprintf(text, sizeof text, "%.12sT00:00:00Z", node->text);
    if (!dcp_parse_instant(text, &ms, NULL)) {
        dcp_reader_error(r, node->pos,
                         "%s: '%.40s' is not a date such as 2026-12-25", key,
                         node->text);
        return false;
    }
    *out_day = ms / DCP_DAY_MS - (ms % DCP_DAY_MS < 0);
    return true;
}

const char *
dcp_reader_suggest(struct dcp_reader *r, enum dcp_kind kind, const char *name,
                   char out[120])
{
    const struct dcp_entries *t = &r->tables[kind];
    const char **names = NULL;

    out[0] = '\0';
    /* A nearest name in a large table takes milliseconds: not a thousand
     * times. */
    if (t->n > 1000 && r->n_suggestions++ >= 20) {
        return out;
    }
    if (t->n) {
        names = malloc(t->n * sizeof *names);
    }
    for (uint32_t i = 0; names && i < t->n; i++) {
        names[i] = t->items[i].name;
    }
    uint32_t near = names ? dcp_text_nearest(name, names, t->n) : UINT32_MAX;

    if (near != UINT32_MAX) {
        (void)snprintf(out, 120, "; did you mean '%.80s'?", names[near]);
    } else {
        const struct dcp_schema_section *s = dcp_schema_of_kind(kind);

        (void)snprintf(out, 120, "; add it under '%s'", s ? s->name : "");
    }
    free(names);
    return out;
}

uint32_t
dcp_reader_refer(struct dcp_reader *r, enum dcp_kind kind, const char *key,
                 const struct dcp_yaml *node)
{
    char hint[120];

    if (!dcp_reader_scalar(r, key, node)) {
        return DCP_IX_NONE;
    }
    uint32_t ix = dcp_strmap_find(&r->tables[kind].by_name, node->text);

    if (ix == DCP_STRMAP_NONE) {
        dcp_reader_error(r, node->pos, "%s: %s '%.80s' is not defined%s", key,
                         dcp_schema_of_kind(kind)->one, node->text,
                         dcp_reader_suggest(r, kind, node->text, hint));
        return DCP_IX_NONE;
    }
    return ix;
}

struct dcp_ids
dcp_reader_ids(struct dcp_reader *r, uint32_t ix[], uint32_t n)
{
    uint32_t kept = 0;

    dcp_sort_u32(ix, n);
    for (uint32_t i = 0; i < n; i++) {
        if (!kept || ix[i] != ix[kept - 1]) {
            ix[kept++] = ix[i];
        }
    }
    uint32_t *copy = dcp_reader_array(r, kept, sizeof *copy);

    if (!copy) {
        return (struct dcp_ids){ 0 };
    }
    if (kept) {
        memcpy(copy, ix, kept * sizeof *copy);
    }
    return (struct dcp_ids){ copy, kept };
}

struct dcp_ids
dcp_reader_tags(struct dcp_reader *r, const struct dcp_yaml *node)
{
    uint32_t n, kept = 0;
    const struct dcp_yaml *items = dcp_reader_items(r, node, &n);
    uint32_t *ix = dcp_arena_array(r->scratch, uint32_t, n);

    r->no_memory |= !ix;
    for (uint32_t i = 0; ix && i < n; i++) {
        if (dcp_reader_scalar(r, "tags", &items[i])) {
            uint32_t tag = intern(r, &r->tags, &r->tag_names, items[i].text);

            ix[kept] = tag;
            kept += tag != DCP_IX_NONE;
        }
    }
    return ix ? dcp_reader_ids(r, ix, kept) : (struct dcp_ids){ 0 };
}

void
dcp_reader_extras(struct dcp_reader *r, const struct dcp_yaml *node,
                  uint32_t out[DCP_EXTRAS_MAX])
{
    static const struct dcp_schema_row row = {
        .key = "extras",
        .value = DCP_VALUE_QUANTITY,
        .dimension = DCP_DIM_NUMBER,
        .max = 4294967295.0,
    };
    struct dcp_inventory *inv = r->inv;

    for (uint32_t i = 0; node && node->kind == DCP_YAML_MAPPING && i < node->n;
         i++) {
        const struct dcp_yaml_entry *entry = &node->entries[i];
        uint32_t e = 0;
        double value;

        while (e < inv->n_extras && strcmp(inv->extra_name[e], entry->key)) {
            e++;
        }
        if (e == DCP_EXTRAS_MAX) {
            dcp_reader_error(r, entry->pos,
                             "extras: '%.40s' is one name too many; a model "
                             "has at most %d",
                             entry->key, DCP_EXTRAS_MAX);
            continue;
        }
        if (!dcp_reader_number(r, &row, &entry->value, &value)) {
            continue;
        }
        if (e == inv->n_extras) {
            inv->extra_name[inv->n_extras++] = dcp_reader_text(r, entry->key);
        }
        out[e] = (uint32_t)value;
    }
}
