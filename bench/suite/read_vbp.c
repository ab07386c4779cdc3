/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "bench/suite/read_vbp.h"

#include "bench/suite/numbers.h"

#include <stdlib.h>

void
dcp_bench_packing_finish(struct dcp_bench_packing *b)
{
    free(b->size);
    free(b->capacity);
    free(b->demand);
    *b = (struct dcp_bench_packing){ 0 };
}

/* Room for d dimensions and n types.  Each number takes two bytes of the file,
 * so what the file cannot hold is refused before memory is asked for. */
static bool
make_room(struct dcp_bench_packing *b, int64_t d, int64_t n, size_t length,
          struct dcp_pos pos, struct dcp_error *err)
{
    if ((uint64_t)n * (uint64_t)d > length) {
        return dcp_fail_at(err, DCP_E_PARSE, pos,
                           "%lld items are more than the file holds",
                           (long long)n);
    }
    b->size = calloc((size_t)(n * d + 1), sizeof *b->size);
    b->demand = calloc((size_t)n + 1, sizeof *b->demand);
    if (!b->size || !b->demand) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %lld items",
                        (long long)n);
    }
    b->problem = (struct dcp_pack_problem){
        .n_dims = (uint32_t)d,
        .n_items = (uint32_t)n,
        .n_bins = 1,
        .size = b->size,
        .demand = b->demand,
        .capacity = b->capacity,
    };
    return true;
}

static bool
read_demand(struct dcp_numbers *in, struct dcp_bench_packing *b, uint32_t item,
            struct dcp_error *err)
{
    int64_t x = 0;

    if (!dcp_numbers_next(in, "a demand", 0, DCP_PACK_MAX_ITEMS, &x, err)) {
        return false;
    }
    b->demand[item] = (uint32_t)x;
    b->n_items += (uint64_t)x;
    if (b->n_items > DCP_PACK_MAX_ITEMS) {
        return dcp_fail_at(err, DCP_E_PARSE, in->pos, "over %d items",
                           DCP_PACK_MAX_ITEMS);
    }
    return true;
}

static bool
read_vbp(struct dcp_numbers *in, size_t length, struct dcp_bench_packing *b,
         struct dcp_error *err)
{
    int64_t d = 0, n = 0, x = 0;

    if (!dcp_numbers_next(in, "the number of dimensions", 1, DCP_PACK_MAX_DIMS,
                          &d, err)) {
        return false;
    }
    b->capacity = calloc((size_t)d, sizeof *b->capacity);
    if (!b->capacity) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a bin");
    }
    for (int64_t k = 0; k < d; k++) {
        if (!dcp_numbers_next(in, "a capacity", 0, DCP_PACK_MAX_SIZE, &x,
                              err)) {
            return false;
        }
        b->capacity[k] = (int32_t)x;
    }
    if (!dcp_numbers_next(in, "the number of items", 0, DCP_PACK_MAX_TYPES, &n,
                          err) ||
        !make_room(b, d, n, length, in->pos, err)) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        for (int64_t k = 0; k < d; k++) {
            if (!dcp_numbers_next(in, "a size", -DCP_PACK_MAX_SIZE,
                                  DCP_PACK_MAX_SIZE, &x, err)) {
                return false;
            }
            b->size[i * d + k] = (int32_t)x;
        }
        if (!read_demand(in, b, i, err)) {
            return false;
        }
    }
    return dcp_numbers_end(in, err);
}

bool
dcp_read_vbp(const char *path, const char *text, size_t length,
             struct dcp_bench_packing *out, struct dcp_error *err)
{
    struct dcp_numbers in = { text, text + length, { path, 1, 0 } };

    *out = (struct dcp_bench_packing){ 0 };
    if (!read_vbp(&in, length, out, err)) {
        dcp_bench_packing_finish(out);
        return false;
    }
    return true;
}

/* --- One dimension ---------------------------------------------------------
 */

/* How many numbers the text has after the first two. */
static uint64_t
count_numbers(const char *text, size_t length)
{
    uint64_t n = 0;
    bool inside = false;

    for (size_t i = 0; i < length; i++) {
        bool space = text[i] == ' ' || text[i] == '\t' || text[i] == '\r' ||
                     text[i] == '\n';

        n += !space && !inside;
        inside = !space;
    }
    return n < 2 ? 0 : n - 2;
}

static bool
read_bpp(struct dcp_numbers *in, size_t length, struct dcp_bench_packing *b,
         struct dcp_error *err)
{
    bool demands = false;
    int64_t n = 0, c = 0, x = 0;

    uint64_t n_numbers = count_numbers(in->at, length);

    if (!dcp_numbers_next(in, "the number of items", 0, DCP_PACK_MAX_TYPES, &n,
                          err) ||
        !dcp_numbers_next(in, "the capacity", 0, DCP_PACK_MAX_SIZE, &c, err)) {
        return false;
    }
    b->capacity = calloc(1, sizeof *b->capacity);
    if (!b->capacity) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a bin");
    }
    b->capacity[0] = (int32_t)c;
    demands = n_numbers != (uint64_t)n;
    if (!make_room(b, 1, n, length, in->pos, err)) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!dcp_numbers_next(in, "a size", 0, DCP_PACK_MAX_SIZE, &x, err)) {
            return false;
        }
        b->size[i] = (int32_t)x;
        b->demand[i] = 1;
        if (!demands) {
            b->n_items++;
        } else if (!read_demand(in, b, i, err)) {
            return false;
        }
    }
    return dcp_numbers_end(in, err);
}

bool
dcp_read_bpp(const char *path, const char *text, size_t length,
             struct dcp_bench_packing *out, struct dcp_error *err)
{
    struct dcp_numbers in = { text, text + length, { path, 1, 0 } };

    *out = (struct dcp_bench_packing){ 0 };
    if (!read_bpp(&in, length, out, err)) {
        dcp_bench_packing_finish(out);
        return false;
    }
    return true;
}

/* --- Solutions --------------------------------------------------------------
 */

static bool
read_bin(struct dcp_numbers *in, const struct dcp_bench_packing *b,
         const uint32_t *type, uint8_t *seen, struct dcp_error *err)
{
    uint32_t d = b->problem.n_dims;
    int64_t load[DCP_PACK_MAX_DIMS] = { 0 }, k = 0, i = 0;

    if (!dcp_numbers_next(in, "how many items a bin holds", 0,
                          (int64_t)b->n_items, &k, err)) {
        return false;
    }
    while (k--) {
        if (!dcp_numbers_next(in, "an item", 1, (int64_t)b->n_items, &i, err)) {
            return false;
        }
        if (seen[i - 1]++) {
            return dcp_fail_at(err, DCP_E_PARSE, in->pos,
                               "item %lld is there twice", (long long)i);
        }
        for (uint32_t x = 0; x < d; x++) {
            load[x] += b->size[(size_t)type[i - 1] * d + x];
        }
    }
    for (uint32_t x = 0; x < d; x++) {
        if (load[x] > b->capacity[x]) {
            return dcp_fail_at(err, DCP_E_PARSE, in->pos,
                               "dimension %u holds %lld, capacity is %d", x + 1,
                               (long long)load[x], b->capacity[x]);
        }
    }
    return true;
}

bool
dcp_read_bins(const char *path, const char *text, size_t length,
              const struct dcp_bench_packing *b, uint64_t *out_bins,
              struct dcp_error *err)
{
    struct dcp_numbers in = { text, text + length, { path, 1, 0 } };
    DCP_FREE uint32_t *type = calloc(b->n_items + 1, sizeof *type);
    DCP_FREE uint8_t *seen = calloc(b->n_items + 1, 1);
    uint64_t n = 0;
    int64_t bins = 0;

    if (!type || !seen) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to count a solution");
    }
    for (uint32_t i = 0; i < b->problem.n_items; i++) {
        for (uint32_t k = 0; k < b->demand[i]; k++) {
            type[n++] = i;
        }
    }
    if (!dcp_numbers_next(&in, "the number of bins", 0, DCP_PACK_MAX_ITEMS,
                          &bins, err)) {
        return false;
    }
    for (int64_t j = 0; j < bins; j++) {
        if (!read_bin(&in, b, type, seen, err)) {
            return false;
        }
    }
    for (uint64_t i = 0; i < n; i++) {
        if (!seen[i]) {
            return dcp_fail_at(err, DCP_E_PARSE, in.pos,
                               "item %llu is in no bin",
                               (unsigned long long)i + 1);
        }
    }
    *out_bins = (uint64_t)bins;
    return dcp_numbers_end(&in, err);
}
