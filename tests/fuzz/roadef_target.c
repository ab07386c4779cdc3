/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The reader of machine reassignment files: the input is model and assignment,
 * one after the other, parted by '|'.  What it takes, it can be counted and,
 * where the start is legal, searched, and the answer is legal. */

#include "bench/suite/read_roadef.h"
#include "solver/assign/search.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
search(const struct dcp_assign_problem *p)
{
    struct dcp_assign_options o = {
        .seed = 1, .iterations = 2000, .threads = 1, .max_moves = UINT32_MAX
    };
    uint32_t *at = calloc(p->n_items + 1u, sizeof *at);
    struct dcp_assign_result found;
    struct dcp_assign_cost cost;
    struct dcp_error err = { 0 };

    if (at && dcp_assign_search(p, &o, at, &found, &err)) {
        if (!dcp_assign_measure(p, at, &cost, &err) ||
            cost.total != found.cost || found.cost < found.lower_bound) {
            abort();
        }
    } else if (!err.message[0]) {
        abort();
    }
    free(at);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *bar = size ? memchr(text, '|', size) : NULL;
    size_t first = bar ? (size_t)(bar - text) : size;
    struct dcp_roadef_text model = { "model", text, first };
    struct dcp_roadef_text initial = { "initial", bar ? bar + 1 : text + size,
                                       bar ? size - first - 1 : 0 };
    struct dcp_arena *arena = dcp_arena_create((size_t)64 << 20);
    struct dcp_assign_problem p;
    struct dcp_error err = { 0 };

    if (arena) {
        if (dcp_roadef_parse(arena, &model, &initial, &p, &err)) {
            search(&p);
        } else if (err.code == DCP_OK || !err.message[0]) {
            abort();
        }
    }
    dcp_arena_destroy(arena);
    return 0;
}
