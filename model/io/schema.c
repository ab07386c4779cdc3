/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/io/schema.h"

#include <stdio.h>
#include <string.h>

const struct dcp_schema_section *
dcp_schema_find(const char *name)
{
    for (uint32_t i = 0; i < dcp_schema_n_sections; i++) {
        if (!strcmp(dcp_schema_sections[i]->name, name)) {
            return dcp_schema_sections[i];
        }
    }
    return NULL;
}

const struct dcp_schema_section *
dcp_schema_of_kind(enum dcp_kind kind)
{
    for (uint32_t i = 0; kind != DCP_KIND_NONE && i < dcp_schema_n_sections;
         i++) {
        if (dcp_schema_sections[i]->kind == kind) {
            return dcp_schema_sections[i];
        }
    }
    return NULL;
}

const struct dcp_schema_row *
dcp_schema_row(const struct dcp_schema_section *section, const char *key)
{
    for (uint32_t i = 0; i < section->n_rows; i++) {
        if (!strcmp(section->rows[i].key, key)) {
            return &section->rows[i];
        }
    }
    return NULL;
}

const struct dcp_schema_row *
dcp_schema_nearest(const struct dcp_schema_section *section, const char *key)
{
    const char *keys[64];
    uint32_t n = section->n_rows < 64 ? section->n_rows : 64;

    for (uint32_t i = 0; i < n; i++) {
        keys[i] = section->rows[i].key;
    }
    uint32_t i = dcp_text_nearest(key, keys, n);

    return i == UINT32_MAX ? NULL : &section->rows[i];
}

uint32_t
dcp_schema_choice(const char *choices, const char *text)
{
    size_t length = strlen(text);

    for (uint32_t i = 0;; i++) {
        size_t n = strcspn(choices, "|");

        if (n == length && !strncmp(choices, text, n)) {
            return i;
        }
        if (!choices[n]) {
            return UINT32_MAX;
        }
        choices += n + 1;
    }
}

void
dcp_schema_choice_name(const char *choices, uint32_t position, char out[32])
{
    for (; position; position--) {
        size_t n = strcspn(choices, "|");

        if (!choices[n]) {
            choices = "";
            break;
        }
        choices += n + 1;
    }
    (void)snprintf(out, 32, "%.*s", (int)strcspn(choices, "|"), choices);
}
