/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Sections by their rows: see model_reader.h. */

#include "model/io/model_reader.h"

#include <math.h>
#include <string.h>

static void *
member(void *base, const struct dcp_schema_row *row)
{
    return (char *)base + row->offset;
}

static void
store_number(const struct dcp_schema_row *row, void *base, double value)
{
    void *at = member(base, row);

    switch (row->store) {
    case DCP_STORE_U32:
        *(uint32_t *)at =
            value >= 4294967295.0 ? UINT32_MAX : (uint32_t)llround(value);
        break;
    case DCP_STORE_U64:
        *(uint64_t *)at = value >= 9007199254740992.0
                              ? UINT64_C(1) << 53
                              : (uint64_t)llround(value);
        break;
    case DCP_STORE_I64:
        *(int64_t *)at =
            value >= 9007199254740992.0 ? INT64_C(1) << 53 : llround(value);
        break;
    case DCP_STORE_DOUBLE:
        *(double *)at = value;
        break;
    case DCP_STORE_NONE:
    case DCP_STORE_TEXT:
    case DCP_STORE_BOOL:
    case DCP_STORE_ID:
    case DCP_STORE_IDS:
        break;
    }
}

static void
read_ids(struct dcp_reader *r, const struct dcp_schema_row *row,
         const struct dcp_yaml *node, void *base)
{
    uint32_t n, kept = 0;
    const struct dcp_yaml *items = dcp_reader_items(r, node, &n);
    uint32_t *ix = dcp_arena_array(r->scratch, uint32_t, n);

    r->no_memory |= !ix;
    for (uint32_t i = 0; ix && i < n; i++) {
        ix[kept] = dcp_reader_refer(r, row->target, row->key, &items[i]);
        kept += ix[kept] != DCP_IX_NONE;
    }
    if (ix) {
        *(struct dcp_ids *)member(base, row) = dcp_reader_ids(r, ix, kept);
    }
}

/* A value that goes into the struct by its row. */
static void
read_stored(struct dcp_reader *r, const struct dcp_schema_row *row,
            const struct dcp_yaml *node, void *base)
{
    double number;
    uint32_t choice;

    if (row->store == DCP_STORE_IDS) {
        read_ids(r, row, node, base);
        return;
    }
    switch (row->value) {
    case DCP_VALUE_TEXT:
        if (dcp_reader_scalar(r, row->key, node)) {
            *(const char **)member(base, row) = dcp_reader_text(r, node->text);
        }
        break;
    case DCP_VALUE_BOOL:
        (void)dcp_reader_bool(r, row->key, node, member(base, row));
        break;
    case DCP_VALUE_QUANTITY:
    case DCP_VALUE_PRICE:
    case DCP_VALUE_PERCENTILE:
        if (dcp_reader_number(r, row, node, &number)) {
            store_number(row, base, number);
        }
        break;
    case DCP_VALUE_CHOICE:
        if (dcp_reader_choice(r, row, node, &choice)) {
            store_number(row, base, choice);
        }
        break;
    case DCP_VALUE_REFERENCE:
        *(uint32_t *)member(base, row) =
            dcp_reader_refer(r, row->target, row->key, node);
        break;
    case DCP_VALUE_WINDOW:
    case DCP_VALUE_DATE:
    case DCP_VALUE_GOALS:
    case DCP_VALUE_SELECTOR:
    case DCP_VALUE_SECTION:
    case DCP_VALUE_TABLE:
        break;
    }
}

static bool
is_nothing(const struct dcp_yaml *node)
{
    return node->kind == DCP_YAML_SCALAR && !node->quoted && !*node->text;
}

/* Whether the row's mapping is stored in the same struct as its parent. */
static bool
in_place(const struct dcp_schema_row *row)
{
    return row->value == DCP_VALUE_SECTION && row->shape == DCP_SHAPE_ONE &&
           dcp_schema_find(row->of)->size == 0;
}

static void
read_row(struct dcp_reader *r, const struct dcp_schema_row *row,
         const struct dcp_yaml *node, void *base)
{
    bool map = row->shape == DCP_SHAPE_MAP || row->shape == DCP_SHAPE_MAP_LISTS;

    if (is_nothing(node)) {
        return; /* `key:` alone: as if it were not there. */
    }
    if (map && node->kind != DCP_YAML_MAPPING && !node->cell) {
        dcp_reader_error(r, node->pos, "%s: %s where a mapping is needed",
                         row->key, dcp_yaml_kind_name(node->kind));
    } else if (in_place(row)) {
        (void)dcp_reader_section(r, dcp_schema_find(row->of), node, base);
    } else if (row->store != DCP_STORE_NONE) {
        read_stored(r, row, node, base);
    }
}

static void
report_unknown(struct dcp_reader *r, const struct dcp_schema_section *section,
               const struct dcp_yaml_entry *entry)
{
    const struct dcp_schema_row *near = dcp_schema_nearest(section, entry->key);
    const char *of = *section->name ? section->name : "the top level";

    if (near) {
        dcp_reader_error(r, entry->pos,
                         "there is no key '%.60s' in %s; did you mean '%s'?",
                         entry->key, of, near->key);
    } else {
        dcp_reader_error(r, entry->pos,
                         "there is no key '%.60s' in %s; docs/model.md lists "
                         "them",
                         entry->key, of);
    }
}

bool
dcp_reader_section(struct dcp_reader *r,
                   const struct dcp_schema_section *section,
                   const struct dcp_yaml *node, void *base)
{
    if (node->kind != DCP_YAML_MAPPING) {
        if (is_nothing(node)) {
            static const struct dcp_yaml empty = { .kind = DCP_YAML_MAPPING };
            struct dcp_yaml there = empty;

            there.pos = node->pos;
            return dcp_reader_section(r, section, &there, base);
        }
        dcp_reader_error(r, node->pos, "%s where a mapping of %s is needed",
                         dcp_yaml_kind_name(node->kind), section->name);
        return false;
    }
    for (uint32_t i = 0; i < node->n; i++) {
        const struct dcp_yaml_entry *entry = &node->entries[i];
        const struct dcp_schema_row *row = dcp_schema_row(section, entry->key);

        if (row) {
            read_row(r, row, &entry->value, base);
        } else {
            report_unknown(r, section, entry);
        }
    }
    for (uint32_t i = 0; i < section->n_rows; i++) {
        const struct dcp_schema_row *row = &section->rows[i];

        if (row->required && !dcp_yaml_get(node, row->key)) {
            dcp_reader_error(r, node->pos, "'%s' is missing: %s", row->key,
                             row->help);
        }
    }
    return true;
}

void
dcp_reader_defaults(struct dcp_reader *r,
                    const struct dcp_schema_section *section, void *base)
{
    for (uint32_t i = 0; i < section->n_rows; i++) {
        const struct dcp_schema_row *row = &section->rows[i];

        if (in_place(row)) {
            dcp_reader_defaults(r, dcp_schema_find(row->of), base);
        }
        if (row->store == DCP_STORE_ID) {
            *(uint32_t *)member(base, row) = DCP_IX_NONE;
        } else if (row->store == DCP_STORE_TEXT) {
            *(const char **)member(base, row) = "";
        }
        if (row->store != DCP_STORE_NONE && row->fallback) {
            struct dcp_yaml node = { .kind = DCP_YAML_SCALAR,
                                     .text = row->fallback };

            read_stored(r, row, &node, base);
        }
    }
}

void
dcp_reader_table(struct dcp_reader *r, enum dcp_kind kind, void *out_table,
                 uint32_t *out_n,
                 void (*finish)(struct dcp_reader *, uint32_t ix, void *entry,
                                const struct dcp_yaml *node))
{
    const struct dcp_schema_section *section = dcp_schema_of_kind(kind);
    const struct dcp_entries *t = &r->tables[kind];
    char *entries = dcp_reader_array(r, t->n, section->size);
    void *base = dcp_arena_calloc(r->scratch, 1, section->size);

    r->no_memory |= !base;
    if (r->no_memory) {
        return;
    }
    dcp_reader_object(r, section->one, NULL);
    dcp_reader_defaults(r, section, base);
    for (uint32_t i = 0; i < t->n && !r->no_memory; i++) {
        char *entry = entries + (size_t)i * section->size;

        memcpy(entry, base, section->size);
        memcpy(entry, &t->items[i].name, sizeof t->items[i].name);
        dcp_reader_object(r, section->one, t->items[i].name);
        if (t->items[i].node &&
            !dcp_reader_section(r, section, t->items[i].node, entry)) {
            continue;
        }
        if (finish) {
            finish(r, i, entry, t->items[i].node);
        }
    }
    memcpy(out_table, &entries, sizeof entries);
    *out_n = t->n;
    dcp_reader_object(r, NULL, NULL);
}
