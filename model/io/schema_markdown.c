/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The rows as the key reference of docs/model.md. */

#include "model/io/schema.h"

#include <stdio.h>
#include <string.h>

static const char *const dimension_words[] = {
    [DCP_DIM_CPU] = "clock (`2.4GHz`)",
    [DCP_DIM_SIZE] = "size (`64GiB`)",
    [DCP_DIM_RATE] = "rate (`10Gbit`, `40MiB/s`)",
    [DCP_DIM_TIME] = "time (`15min`)",
    [DCP_DIM_POWER] = "power (`1.2kW`)",
    [DCP_DIM_SHARE] = "share (`80%`)",
    [DCP_DIM_EMISSION] = "emission (`210g/kWh`)",
    [DCP_DIM_HEIGHT] = "height (`42U`)",
    [DCP_DIM_TEMPERATURE] = "temperature (`22C`)",
    [DCP_DIM_NUMBER] = "number",
};

static void
put_choices(struct dcp_text *out, const char *list)
{
    char name[32];

    for (uint32_t i = 0; dcp_schema_choice_name(list, i, name), *name; i++) {
        dcp_text_printf(out, "%s`%s`", i ? ", " : "", name);
    }
}

static void
put_value(struct dcp_text *out, const struct dcp_schema_row *row)
{
    switch (row->value) {
    case DCP_VALUE_TEXT:
        dcp_text_puts(out, "text");
        break;
    case DCP_VALUE_BOOL:
        dcp_text_puts(out, "`true` or `false`");
        break;
    case DCP_VALUE_QUANTITY:
        dcp_text_puts(out, dimension_words[row->dimension]);
        break;
    case DCP_VALUE_CHOICE:
        put_choices(out, row->of);
        break;
    case DCP_VALUE_REFERENCE:
        dcp_text_printf(out, "name in `%s`",
                        dcp_schema_of_kind(row->target)->name);
        break;
    case DCP_VALUE_WINDOW:
        dcp_text_puts(out, "hours (`22:00-06:00`)");
        break;
    case DCP_VALUE_PRICE:
        dcp_text_printf(out, "price (`0.28%s`)", row->of);
        break;
    case DCP_VALUE_PERCENTILE:
        dcp_text_puts(out, "percentile (`p95`)");
        break;
    case DCP_VALUE_GOALS:
        dcp_text_puts(out, "goal or sum (`cost+0.02*moves`)");
        break;
    case DCP_VALUE_DATE:
        dcp_text_puts(out, "date (`2026-12-25`)");
        break;
    case DCP_VALUE_SELECTOR:
        dcp_text_puts(out, "selector");
        break;
    case DCP_VALUE_SECTION:
        dcp_text_printf(out, "see `%s`", row->of);
        break;
    case DCP_VALUE_TABLE:
        dcp_text_puts(out, "path of a CSV file");
        break;
    }
}

static void
put_range(struct dcp_text *out, const struct dcp_schema_row *row)
{
    char low[40], high[40];

    if (row->value != DCP_VALUE_QUANTITY || row->max <= 0 || row->max >= 4e9) {
        return;
    }
    dcp_print_quantity(row->dimension, row->min, low, sizeof low);
    dcp_print_quantity(row->dimension, row->max, high, sizeof high);
    dcp_text_printf(out, ", %s to %s", low, high);
}

static void
put_row(struct dcp_text *out, const struct dcp_schema_row *row)
{
    static const char *const shapes[] = {
        [DCP_SHAPE_ONE] = "",
        [DCP_SHAPE_LIST] = "list: ",
        [DCP_SHAPE_MAP] = "names to: ",
        [DCP_SHAPE_MAP_LISTS] = "names to lists: ",
    };

    dcp_text_printf(out, "| `%s` | %s", row->key, shapes[row->shape]);
    put_value(out, row);
    put_range(out, row);
    if (row->fallback) {
        dcp_text_printf(out, " | `%s` | ", row->fallback);
    } else {
        dcp_text_puts(out, row->required ? " | needed | " : " | | ");
    }
    for (const char *p = row->help; *p; p++) {
        dcp_text_add(out, *p == '|' ? "\\|" : p, *p == '|' ? 2 : 1);
    }
    dcp_text_puts(out, " |\n");
}

void
dcp_schema_print_markdown(struct dcp_text *out)
{
    for (uint32_t i = 0; i < dcp_schema_n_sections; i++) {
        const struct dcp_schema_section *section = dcp_schema_sections[i];

        dcp_text_printf(out, "### %s%s%s\n\n%s\n\n",
                        *section->name ? "`" : "Top level", section->name,
                        *section->name ? "`" : "", section->help);
        dcp_text_puts(out, "| key | value | default | meaning |\n"
                           "|---|---|---|---|\n");
        for (uint32_t k = 0; k < section->n_rows; k++) {
            put_row(out, &section->rows[k]);
        }
        dcp_text_puts(out, "\n");
    }
}
