/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_SCHEMA_H
#define DCP_MODEL_IO_SCHEMA_H 1

/* Every key of dc.yaml, once: where it stands, what its value is, its unit,
 * range and default, where it is stored, and one sentence for people.  The
 * same rows validate a model, suggest a key that was mistyped, print the JSON
 * Schema and print the key reference of docs/model.md.
 *
 * A *section* is a mapping with fixed keys.  Rows of a nested section that is
 * read in place ("policy.target") are stored in the same struct as its parent,
 * so offsets are always from the struct of the table.
 *
 * Constant data: thread-safe. */

#include "model/base/text.h"
#include "model/base/units.h"

#include <stddef.h>
#include <stdint.h>

/* Tables whose entries have names that others refer to. */
enum dcp_kind {
    DCP_KIND_NONE,
    DCP_KIND_TARIFF,
    DCP_KIND_SITE,
    DCP_KIND_ROOM,
    DCP_KIND_FEED,
    DCP_KIND_RACK,
    DCP_KIND_HARDWARE,
    DCP_KIND_HYPERVISOR,
    DCP_KIND_SWITCH,
    DCP_KIND_LINK,
    DCP_KIND_VLAN,
    DCP_KIND_HOST,
    DCP_KIND_SERVER,
    DCP_KIND_ARRAY,
    DCP_KIND_POOL,
    DCP_KIND_TENANT,
    DCP_KIND_APPLICATION,
    DCP_KIND_TIER,
    DCP_KIND_PROFILE,
    DCP_KIND_FLAVOUR,
    DCP_KIND_LICENCE,
    DCP_KIND_VM,
};
#define DCP_KINDS (DCP_KIND_VM + 1)

enum dcp_value {
    DCP_VALUE_TEXT,
    DCP_VALUE_BOOL,
    DCP_VALUE_QUANTITY,   /* In 'dimension'. */
    DCP_VALUE_CHOICE,     /* One of 'of', "a|b|c". */
    DCP_VALUE_REFERENCE,  /* The name of an entry of 'target'. */
    DCP_VALUE_WINDOW,     /* 22:00-06:00 */
    DCP_VALUE_PRICE,      /* A number and 'of': 0.28/kWh */
    DCP_VALUE_PERCENTILE, /* p95 */
    DCP_VALUE_DATE,       /* 2026-12-25 */
    DCP_VALUE_GOALS,      /* cost+0.02*moves; names in 'of', "a|b|c". */
    DCP_VALUE_SELECTOR,   /* A name, a glob, or tag:, tier:, rack: ... */
    DCP_VALUE_SECTION,    /* A mapping: section 'of'. */
    DCP_VALUE_TABLE,      /* CSV file for a table: see 'include'. */
};
enum dcp_shape {
    DCP_SHAPE_ONE,
    DCP_SHAPE_LIST,
    DCP_SHAPE_MAP,       /* Names -> values. */
    DCP_SHAPE_MAP_LISTS, /* Names -> lists of values. */
};
enum dcp_store {                 /* C type at 'offset'. */
                 DCP_STORE_NONE, /* Code takes it from the tree. */
                 DCP_STORE_TEXT,
                 DCP_STORE_BOOL,
                 DCP_STORE_U32, /* Also every enum. */
                 DCP_STORE_U64,
                 DCP_STORE_I64,
                 DCP_STORE_DOUBLE,
                 DCP_STORE_ID,
                 DCP_STORE_IDS,
};

struct dcp_schema_row {
    const char *key;
    enum dcp_value value;
    enum dcp_shape shape;
    enum dcp_store store;
    enum dcp_dimension dimension;
    enum dcp_kind target;
    const char *of;
    size_t offset;
    double min, max; /* In the inside unit; max 0: no limit. */
    bool required;
    const char *fallback; /* Default as written; NULL: none. */
    const char *help;
};

struct dcp_schema_section {
    const char *name; /* "vms", "policy.target"; "" is the top. */
    const char *one;  /* "vm": how messages call an entry. */
    enum dcp_kind kind;
    size_t size; /* Of its struct; 0: stored in its parent's. */
    const struct dcp_schema_row *rows;
    uint32_t n_rows;
    const char *help;
};

extern const struct dcp_schema_section *const dcp_schema_sections[];
extern const uint32_t dcp_schema_n_sections;

const struct dcp_schema_section *dcp_schema_find(const char *name);
const struct dcp_schema_section *dcp_schema_of_kind(enum dcp_kind);
const struct dcp_schema_row *
dcp_schema_row(const struct dcp_schema_section *, const char *key);
/* The row nearest to a mistyped key; NULL: none is near. */
const struct dcp_schema_row *
dcp_schema_nearest(const struct dcp_schema_section *, const char *key);
/* Position of 'text' in "a|b|c"; UINT32_MAX: not in it. */
uint32_t dcp_schema_choice(const char *choices, const char *text);
/* The choice at that position into 'out' ("" when there is none). */
void
dcp_schema_choice_name(const char *choices, uint32_t position, char out[32]);

/* The JSON Schema (draft 2020-12) of a model file, and the key reference in
 * Markdown. */
void dcp_schema_print_json(struct dcp_text *out);
void dcp_schema_print_markdown(struct dcp_text *out);

#endif /* model/io/schema.h */
