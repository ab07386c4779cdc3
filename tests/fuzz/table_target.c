/* SPDX-License-Identifier: GPL-3.0-or-later */

/* CSV tables: whatever the bytes, records with as many fields as are there,
 * all inside the buffer; and as a tree, rows with names. */

#include "model/io/csv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_records(char *text, size_t size)
{
    struct dcp_csv *csv = malloc(sizeof *csv);
    bool more = true;

    if (csv && dcp_csv_open(csv, "table", text, size, NULL)) {
        while (dcp_csv_next(csv, &more, NULL) && more) {
            for (uint32_t i = 0; i < csv->n_fields; i++) {
                if (csv->field[i] < text ||
                    csv->field[i] + strlen(csv->field[i]) > text + size) {
                    abort();
                }
            }
        }
    }
    free(csv);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct dcp_arena *arena = dcp_arena_create(0);
    struct dcp_diag diag = { 0 };
    struct dcp_yaml tree;

    if (text && arena) {
        memcpy(text, data, size);
        text[size] = '\0';
        read_records(text, size);
        memcpy(text, data, size);
        text[size] = '\0';
        if (dcp_csv_tree(arena, "table", text, size, &diag, &tree, NULL)) {
            for (uint32_t i = 0; i < tree.n; i++) {
                if (!*tree.entries[i].key ||
                    tree.entries[i].value.kind != DCP_YAML_MAPPING) {
                    abort();
                }
            }
        }
    }
    dcp_diag_finish(&diag);
    dcp_arena_destroy(arena);
    free(text);
    return 0;
}
