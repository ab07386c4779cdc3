/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The rows as a JSON Schema (draft 2020-12).  Scalars may come as text or as
 * what a YAML reader makes of them, so most take both. */

#include "model/io/json_writer.h"
#include "model/io/schema.h"

#include <stdio.h>
#include <string.h>

#define NUMBER "[-+]?[0-9]*\\.?[0-9]+([eE][-+]?[0-9]+)?"

/* Units as model/base/units.c reads them; tests/unit/test_schema.c tries each
 * against it. */
static const char *const units[] = {
    [DCP_DIM_CPU] = "MHz|GHz",
    [DCP_DIM_SIZE] = "MiB|GiB|TiB|PiB|KiB|MB|GB|TB",
    [DCP_DIM_RATE] = "KiB/s|MiB/s|GiB/s|kbit|Mbit|Gbit|Gbit/s|Mbit/s",
    [DCP_DIM_TIME] = "ms|s|min|h|d|w",
    [DCP_DIM_POWER] = "W|kW|MW",
    [DCP_DIM_SHARE] = "%|",
    [DCP_DIM_EMISSION] = "g/kWh|kg/kWh",
    [DCP_DIM_HEIGHT] = "U",
    [DCP_DIM_TEMPERATURE] = "C",
    [DCP_DIM_NUMBER] = "",
};

static void
begin(struct dcp_json *w)
{
    dcp_json_begin_line(w, '{');
}

static void
text_types(struct dcp_json *w)
{
    begin(w);
    dcp_json_karray(w, "type");
    dcp_json_string(w, "string");
    dcp_json_string(w, "number");
    dcp_json_string(w, "boolean");
    dcp_json_end(w, ']');
    dcp_json_end(w, '}');
}

static void
text_pattern(struct dcp_json *w, const char *pattern)
{
    begin(w);
    dcp_json_kstring(w, "type", "string");
    dcp_json_kstring(w, "pattern", pattern);
    dcp_json_end(w, '}');
}

/* A number with a unit; 0 needs none, and nor do shares and plain numbers. */
static void
quantity(struct dcp_json *w, const struct dcp_schema_row *row)
{
    char pattern[200];
    bool plain =
        row->dimension == DCP_DIM_NUMBER || row->dimension == DCP_DIM_SHARE;

    (void)snprintf(pattern, sizeof pattern, "^(" NUMBER " ?(%s)|0)$",
                   units[row->dimension]);
    begin(w);
    dcp_json_karray(w, "anyOf");
    text_pattern(w, pattern);
    begin(w);
    if (plain) {
        dcp_json_kstring(w, "type", "number");
        dcp_json_kdouble(w, "minimum", row->min);
        if (row->max > 0) {
            dcp_json_kdouble(w, "maximum", row->max);
        }
    } else {
        dcp_json_ku64(w, "const", 0);
    }
    dcp_json_end(w, '}');
    dcp_json_end(w, ']');
    dcp_json_end(w, '}');
}

static void
choices(struct dcp_json *w, const char *list)
{
    char name[32];

    begin(w);
    dcp_json_karray(w, "enum");
    for (uint32_t i = 0; dcp_schema_choice_name(list, i, name), *name; i++) {
        dcp_json_string(w, name);
    }
    dcp_json_end(w, ']');
    dcp_json_end(w, '}');
}

/* Names from the list, each with a weight or not, added up. */
static void
goals(struct dcp_json *w, const char *list)
{
    char term[200], pattern[500];

    (void)snprintf(term, sizeof term, "([0-9.eE+-]+\\*)?(%s)", list);
    (void)snprintf(pattern, sizeof pattern, "^%s([+,]%s)*$", term, term);
    text_pattern(w, pattern);
}

static void
flag(struct dcp_json *w)
{
    begin(w);
    dcp_json_karray(w, "enum");
    dcp_json_bool(w, true);
    dcp_json_bool(w, false);
    dcp_json_string(w, "true");
    dcp_json_string(w, "false");
    dcp_json_string(w, "yes");
    dcp_json_string(w, "no");
    dcp_json_end(w, ']');
    dcp_json_end(w, '}');
}

static void
reference(struct dcp_json *w, const char *section)
{
    char at[80];

    (void)snprintf(at, sizeof at, "#/$defs/%s", section);
    begin(w);
    dcp_json_kstring(w, "$ref", at);
    dcp_json_end(w, '}');
}

static void
price(struct dcp_json *w, const char *per)
{
    char pattern[120];

    (void)snprintf(pattern, sizeof pattern, "^(" NUMBER "%s|0)$", per);
    begin(w);
    dcp_json_karray(w, "anyOf");
    text_pattern(w, pattern);
    begin(w);
    dcp_json_ku64(w, "const", 0);
    dcp_json_end(w, '}');
    dcp_json_end(w, ']');
    dcp_json_end(w, '}');
}

static void
one_value(struct dcp_json *w, const struct dcp_schema_row *row)
{
    switch (row->value) {
    case DCP_VALUE_TEXT:
    case DCP_VALUE_REFERENCE:
    case DCP_VALUE_SELECTOR:
        text_types(w);
        break;
    case DCP_VALUE_BOOL:
        flag(w);
        break;
    case DCP_VALUE_QUANTITY:
        quantity(w, row);
        break;
    case DCP_VALUE_CHOICE:
        choices(w, row->of);
        break;
    case DCP_VALUE_WINDOW:
        text_pattern(w, "^[0-9]{1,2}:[0-9]{2}-[0-9]{1,2}:[0-9]{2}$");
        break;
    case DCP_VALUE_PRICE:
        price(w, row->of);
        break;
    case DCP_VALUE_PERCENTILE:
        text_pattern(w, "^p[0-9.]+$");
        break;
    case DCP_VALUE_GOALS:
        goals(w, row->of);
        break;
    case DCP_VALUE_DATE:
        text_pattern(w, "^[0-9]{4}-[0-9]{2}-[0-9]{2}$");
        break;
    case DCP_VALUE_SECTION:
        reference(w, row->of);
        break;
    case DCP_VALUE_TABLE:
        text_pattern(w, "^[^/].*$");
        break;
    }
}

/* A list of values, or a lone one. */
static void
list_of(struct dcp_json *w, const struct dcp_schema_row *row)
{
    begin(w);
    dcp_json_karray(w, "anyOf");
    begin(w);
    dcp_json_kstring(w, "type", "array");
    dcp_json_key(w, "items");
    if (!strcmp(row->key, "include")) { /* Also the path of a YAML file. */
        begin(w);
        dcp_json_karray(w, "anyOf");
        one_value(w, row);
        text_pattern(w, "^[^/].*$");
        dcp_json_end(w, ']');
        dcp_json_end(w, '}');
    } else {
        one_value(w, row);
    }
    dcp_json_end(w, '}');
    one_value(w, row);
    dcp_json_end(w, ']');
    dcp_json_end(w, '}');
}

static void
map_of(struct dcp_json *w, const struct dcp_schema_row *row)
{
    begin(w);
    dcp_json_karray(w, "type");
    dcp_json_string(w, "object");
    dcp_json_string(w, "null");
    dcp_json_end(w, ']');
    dcp_json_key(w, "additionalProperties");
    if (row->shape == DCP_SHAPE_MAP_LISTS) {
        list_of(w, row);
    } else {
        one_value(w, row);
    }
    dcp_json_end(w, '}');
}

static void
print_row(struct dcp_json *w, const struct dcp_schema_row *row)
{
    dcp_json_kobject(w, row->key);
    dcp_json_kstring(w, "description", row->help);
    if (row->fallback) {
        dcp_json_kstring(w, "default", row->fallback);
    }
    dcp_json_karray(w, "allOf");
    switch (row->shape) {
    case DCP_SHAPE_ONE:
        one_value(w, row);
        break;
    case DCP_SHAPE_LIST:
        list_of(w, row);
        break;
    case DCP_SHAPE_MAP:
    case DCP_SHAPE_MAP_LISTS:
        map_of(w, row);
        break;
    }
    dcp_json_end(w, ']');
    dcp_json_end(w, '}');
}

/* The members of an object schema. */
static void
print_section(struct dcp_json *w, const struct dcp_schema_section *section)
{
    bool any = false;

    dcp_json_kstring(w, "description", section->help);
    dcp_json_kstring(w, "type", "object");
    dcp_json_kobject(w, "properties");
    for (uint32_t i = 0; i < section->n_rows; i++) {
        print_row(w, &section->rows[i]);
        any |= section->rows[i].required;
    }
    dcp_json_end(w, '}');
    dcp_json_kbool(w, "additionalProperties", false);
    if (any) {
        dcp_json_karray(w, "required");
        for (uint32_t i = 0; i < section->n_rows; i++) {
            if (section->rows[i].required) {
                dcp_json_string(w, section->rows[i].key);
            }
        }
        dcp_json_end(w, ']');
    }
}

void
dcp_schema_print_json(struct dcp_text *out)
{
    struct dcp_json w;

    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "$schema",
                     "https://json-schema.org/draft/2020-12/schema");
    dcp_json_kstring(&w, "title", "dcplan model file");
    print_section(&w, dcp_schema_find(""));
    dcp_json_kobject(&w, "$defs");
    for (uint32_t i = 0; i < dcp_schema_n_sections; i++) {
        const struct dcp_schema_section *section = dcp_schema_sections[i];

        if (*section->name) {
            dcp_json_kobject(&w, section->name);
            print_section(&w, section);
            dcp_json_end(&w, '}');
        }
    }
    dcp_json_end(&w, '}');
    dcp_json_end(&w, '}');
    dcp_text_puts(out, dcp_json_text(&w) ? dcp_json_text(&w) : "");
    out->failed |= !dcp_json_text(&w);
    dcp_json_finish(&w);
}
