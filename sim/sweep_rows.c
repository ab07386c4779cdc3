/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/sweep_rows.h"

#include "model/capacity.h"
#include "traces/columns.h"
#include "traces/parallel.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS_A_PIECE = 4, FLOAT_ROWS_A_PIECE = 1024, ROOMS_MAX = 32 };

static bool
no_memory(const struct sweep_rows *r, struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_NOMEM, "no memory for a day of %u VMs", r->n);
}

/* --- Grid --------------------------------------------------------------- */

bool
dcp_sweep_rows_fit(const struct dcp_sweep_input *in, struct dcp_error *err)
{
    int64_t start_ms =
        in->store ? dcp_store_start_ms(in->store) : in->cpu->start_ms;
    int64_t interval_ms =
        in->store ? dcp_store_interval_ms(in->store) : in->cpu->interval_ms;
    int64_t n_times =
        in->store ? dcp_store_n_times(in->store) : in->cpu->n_times;

    return (interval_ms > 0 && in->from_ms < in->to_ms &&
            in->from_ms >= start_ms &&
            in->to_ms <= start_ms + n_times * interval_ms) ||
           dcp_fail(err, DCP_E_ARGUMENT, "the samples do not cover the window");
}

static void
init_grid(struct sweep_rows *r)
{
    const struct dcp_sweep_input *in = r->in;

    r->start_ms = in->store ? dcp_store_start_ms(in->store) : in->cpu->start_ms;
    r->interval_ms =
        in->store ? dcp_store_interval_ms(in->store) : in->cpu->interval_ms;
    r->first_cell = (uint32_t)((in->from_ms - r->start_ms) / r->interval_ms);
    r->last_cell = (uint32_t)((in->to_ms - r->start_ms - 1) / r->interval_ms);
    r->first_stripe = r->first_cell / SWEEP_TIMES;
    r->last_stripe = r->last_cell / SWEEP_TIMES;
}

/* The times of the stripe that are in the window: [*from, *to). */
static void
times_of(const struct sweep_rows *r, uint32_t stripe, uint32_t *from,
         uint32_t *to)
{
    uint32_t first = stripe * SWEEP_TIMES;

    *from = stripe == r->first_stripe ? r->first_cell - first : 0;
    *to = stripe == r->last_stripe ? r->last_cell - first + 1 : SWEEP_TIMES;
}

void
dcp_sweep_rows_seconds(const struct sweep_rows *r, uint32_t stripe,
                       double seconds[SWEEP_TIMES])
{
    for (uint32_t t = 0; t < SWEEP_TIMES; t++) {
        int64_t start_ms =
            r->start_ms + ((int64_t)stripe * SWEEP_TIMES + t) * r->interval_ms;
        int64_t end_ms = start_ms + r->interval_ms;

        start_ms = start_ms > r->in->from_ms ? start_ms : r->in->from_ms;
        end_ms = end_ms < r->in->to_ms ? end_ms : r->in->to_ms;
        seconds[t] = start_ms < end_ms ? (double)(end_ms - start_ms) / 1000 : 0;
    }
}

/* --- Rows --------------------------------------------------------------- */

static bool
init_rooms(struct sweep_rows *r, struct dcp_error *err)
{
    uint32_t n = r->in->n_threads > 1 ? r->in->n_threads : 1;

    n = n < ROOMS_MAX ? n : ROOMS_MAX;
    r->rooms = calloc(n, sizeof *r->rooms);
    if (!r->rooms) {
        return no_memory(r, err);
    }
    for (; r->n_rooms < n; r->n_rooms++) {
        if (!dcp_cells_room_init(&r->rooms[r->n_rooms], r->source, err)) {
            return false;
        }
    }
    return true;
}

static bool
init_columns(struct sweep_rows *r, const uint32_t row_of_vm[],
             struct dcp_error *err)
{
    const struct dcp_inventory *inv = r->in->inventory;
    struct dcp_columns map;

    r->source = dcp_cells_create(r->in->store, DCP_METRIC_CPU_MHZ, err);
    if (!r->source) {
        return false;
    }
    r->cell_size = dcp_cells_size(r->source);
    r->missing = dcp_cells_missing(r->source);
    if (!init_rooms(r, err) || !dcp_columns_map(r->in->store, inv, &map, err)) {
        return false;
    }
    uint32_t n_blocks = dcp_cells_n_blocks(r->source), block = 0;

    r->columns = calloc((size_t)map.n + 1, sizeof *r->columns);
    r->block_start = calloc((size_t)n_blocks + 1, sizeof *r->block_start);
    r->block_missing = calloc(n_blocks, sizeof *r->block_missing);
    r->cells = malloc(((size_t)r->n + 1) * SWEEP_TIMES * r->cell_size);
    if (!r->columns || !r->block_start || !r->block_missing || !r->cells) {
        dcp_columns_finish(&map);
        return no_memory(r, err);
    }
    for (uint32_t i = 0; i < map.n; i++) {
        uint32_t row = row_of_vm[map.pairs[i].vm], vm = map.pairs[i].vm;
        dcp_host_id host = r->in->measured->host[vm];

        r->columns[i] = (struct sweep_column){ map.pairs[i].column, row };
        r->rows[row].kind = SWEEP_CELLS;
        r->rows[row].scale = dcp_cells_scale(r->source)[map.pairs[i].column];
        r->rows[row].factor = dcp_host_is_none(host)
                                  ? 1
                                  : (float)dcp_host_speed_factor(inv, host);
        r->rows[row].last = r->missing;
        while (block < map.pairs[i].column / DCP_CELLS_VMS) {
            r->block_start[++block] = i;
        }
    }
    while (block < n_blocks) {
        r->block_start[++block] = map.n;
    }
    r->n_columns = map.n;
    dcp_columns_finish(&map);
    return true;
}

bool
dcp_sweep_rows_init(struct sweep_rows *r, const struct dcp_sweep_input *in,
                    const uint32_t order[], uint32_t n, struct dcp_error *err)
{
    *r = (struct sweep_rows){ .in = in, .n = n };
    init_grid(r);
    DCP_FREE uint32_t *row_of_vm = calloc((size_t)n + 1, sizeof *row_of_vm);

    r->rows = calloc((size_t)n + 1, sizeof *r->rows);
    if (!row_of_vm || !r->rows) {
        return no_memory(r, err);
    }
    for (uint32_t i = 0; i < n; i++) {
        r->rows[i] = (struct sweep_row){ .vm = order[i], .kind = SWEEP_FLOATS };
        row_of_vm[order[i]] = i;
    }
    return !in->store || init_columns(r, row_of_vm, err);
}

void
dcp_sweep_rows_finish(struct sweep_rows *r)
{
    for (uint32_t i = 0; i < r->n_rooms; i++) {
        dcp_cells_room_finish(&r->rooms[i]);
    }
    free(r->rooms);
    dcp_cells_destroy(r->source);
    free(r->rows);
    free(r->cells);
    free(r->columns);
    free(r->block_start);
    free(r->block_missing);
    free(r->floats);
    free(r->float_vms);
    *r = (struct sweep_rows){ 0 };
}

/* --- Cells -------------------------------------------------------------- */

static uint16_t
cell_at(const uint8_t *cells, uint32_t size, uint32_t t)
{
    uint16_t word;

    if (size == 1) {
        return cells[t];
    }
    memcpy(&word, cells + (size_t)2 * t, sizeof word);
    return word;
}

static void
set_cell(uint8_t *cells, uint32_t size, uint32_t t, uint16_t cell)
{
    if (size == 1) {
        cells[t] = (uint8_t)cell;
    } else {
        memcpy(cells + (size_t)2 * t, &cell, sizeof cell);
    }
}

typedef uint16_t words8 __attribute__((vector_size(16)));

/* A missing cell is all ones in both sizes. */
static bool
any_missing(const uint8_t *cells, uint32_t size, uint32_t from, uint32_t to)
{
    if (size == 1) {
        return memchr(cells + from, 0xff, to - from) != NULL;
    }
    words8 found = { 0 };
    uint16_t any = 0;
    uint32_t t = from;

    for (; t + 8 <= to; t += 8) {
        words8 w;

        memcpy(&w, cells + (size_t)2 * t, sizeof w);
        found |= (words8)(w == UINT16_MAX);
    }
    for (int i = 0; i < 8; i++) {
        any |= found[i];
    }
    for (; t < to; t++) {
        any |= cell_at(cells, size, t) == UINT16_MAX;
    }
    return any != 0;
}

/* The first known cell of a column in the stripe, or the last; missing: none.
 */
static uint16_t
known_in(const struct sweep_rows *r, const struct dcp_cells_room *room,
         uint32_t column, uint32_t from, uint32_t to, bool first)
{
    const uint8_t *cells = room->rows + (size_t)(column % DCP_CELLS_VMS) *
                                            SWEEP_TIMES * r->cell_size;
    uint16_t known = r->missing;

    for (uint32_t t = from; t < to; t++) {
        uint16_t cell = cell_at(cells, r->cell_size, t);

        if (cell != r->missing) {
            known = cell;
            if (first) {
                break;
            }
        }
    }
    return known;
}

/* Columns of a block that have no known cell yet: looks in 'stripe' for one. */
static bool
seek_in(struct sweep_rows *r, uint32_t block, uint32_t stripe, uint32_t from,
        uint32_t to, bool back, struct dcp_cells_room *room, uint32_t *n_sought,
        struct dcp_error *err)
{
    if (!dcp_cells_read(r->source, stripe, block, room, err)) {
        return false;
    }
    for (uint32_t i = r->block_start[block]; i < r->block_start[block + 1];
         i++) {
        struct sweep_row *row = &r->rows[r->columns[i].row];

        if (row->last != r->missing) {
            continue;
        }
        row->last = known_in(r, room, r->columns[i].column, from, to, !back);
        if (row->last != r->missing) {
            row->looked_back = back;
            (*n_sought)--;
        }
    }
    return true;
}

/* A cell for each column to begin the window with: the first known one in it,
 * else the last before it, else none. */
static bool
seek_first(struct sweep_rows *r, uint32_t block, struct dcp_cells_room *room,
           struct dcp_error *err)
{
    uint32_t n_sought = r->block_start[block + 1] - r->block_start[block];
    uint32_t from, to;

    for (uint32_t s = r->first_stripe; n_sought && s <= r->last_stripe; s++) {
        times_of(r, s, &from, &to);
        if (!seek_in(r, block, s, from, to, false, room, &n_sought, err)) {
            return false;
        }
    }
    for (uint32_t s = r->first_stripe + 1; n_sought && s-- > 0;) {
        to = s == r->first_stripe ? r->first_cell % SWEEP_TIMES : SWEEP_TIMES;
        if (!seek_in(r, block, s, 0, to, true, room, &n_sought, err)) {
            return false;
        }
    }
    return true;
}

/* Puts the column's cells at its row, filled. */
static void
take_row(struct sweep_rows *r, const struct sweep_column *c,
         const struct dcp_cells_room *room, uint32_t from, uint32_t to,
         uint64_t *n_missing)
{
    struct sweep_row *row = &r->rows[c->row];
    uint32_t size = r->cell_size;
    size_t bytes = (size_t)SWEEP_TIMES * size;
    uint8_t *cells = r->cells + c->row * bytes;

    memcpy(cells, room->rows + (c->column % DCP_CELLS_VMS) * bytes, bytes);
    memset(cells, 0, (size_t)from * size);
    memset(cells + (size_t)to * size, 0, (size_t)(SWEEP_TIMES - to) * size);
    if (row->last == r->missing) {
        return; /* The model's. */
    }
    if (any_missing(cells, size, from, to)) {
        for (uint32_t t = from; t < to; t++) {
            uint16_t cell = cell_at(cells, size, t);

            if (cell == r->missing) {
                set_cell(cells, size, t, row->last);
                (*n_missing)++;
            } else {
                row->last = cell;
            }
        }
    }
    row->last = cell_at(cells, size, to - 1);
}

static bool
read_block(struct sweep_rows *r, uint32_t stripe, uint32_t block,
           struct dcp_cells_room *room, struct dcp_error *err)
{
    uint32_t from, to;

    if (r->block_start[block] == r->block_start[block + 1]) {
        return true;
    }
    if ((stripe == r->first_stripe && !seek_first(r, block, room, err)) ||
        !dcp_cells_read(r->source, stripe, block, room, err)) {
        return false;
    }
    times_of(r, stripe, &from, &to);
    for (uint32_t i = r->block_start[block]; i < r->block_start[block + 1];
         i++) {
        take_row(r, &r->columns[i], room, from, to, &r->block_missing[block]);
    }
    return true;
}

struct read_job {
    struct sweep_rows *rows;
    uint32_t stripe;
};

/* There are as many as threads: one is free. */
static uint32_t
take_room(struct sweep_rows *r)
{
    for (uint32_t i = 0;; i = (i + 1) % r->n_rooms) {
        uint32_t bit = UINT32_C(1) << i;

        if (!(atomic_fetch_or(&r->rooms_taken, bit) & bit)) {
            return i;
        }
    }
}

static bool
read_blocks(void *context, uint32_t piece, struct dcp_error *err)
{
    const struct read_job *job = context;
    struct sweep_rows *r = job->rows;
    uint32_t n_blocks = dcp_cells_n_blocks(r->source), i = take_room(r);
    bool ok = true;

    for (uint32_t k = 0; ok && k < BLOCKS_A_PIECE; k++) {
        uint32_t block = piece * BLOCKS_A_PIECE + k;

        ok = block >= n_blocks ||
             read_block(r, job->stripe, block, &r->rooms[i], err);
    }
    (void)atomic_fetch_and(&r->rooms_taken, ~(UINT32_C(1) << i));
    return ok;
}

/* --- Floats ------------------------------------------------------------- */

/* Once it is known which VMs the store has nothing of. */
static bool
init_floats(struct sweep_rows *r, struct dcp_error *err)
{
    for (uint32_t i = 0; i < r->n; i++) {
        struct sweep_row *row = &r->rows[i];

        if (row->kind == SWEEP_CELLS && row->last == r->missing) {
            row->kind = SWEEP_FLOATS;
        }
        if (row->kind == SWEEP_FLOATS) {
            row->float_row = r->n_floats++;
        }
    }
    r->floats =
        calloc((size_t)r->n_floats * SWEEP_TIMES + 1, sizeof *r->floats);
    r->float_vms = calloc((size_t)r->n_floats + 1, sizeof *r->float_vms);
    if (!r->floats || !r->float_vms) {
        return no_memory(r, err);
    }
    for (uint32_t i = 0; i < r->n; i++) {
        if (r->rows[i].kind == SWEEP_FLOATS) {
            r->float_vms[r->rows[i].float_row] = r->rows[i].vm;
        }
    }
    return true;
}

/* From time-major samples to rows, in squares that stay in the cache. */
static void
turn_samples(struct sweep_rows *r, uint32_t stripe, uint32_t first, uint32_t n)
{
    enum { SQUARE = 16 };
    const struct dcp_samples *cpu = r->in->cpu;
    uint32_t from, to;

    times_of(r, stripe, &from, &to);
    for (uint32_t i = first; i < first + n; i += SQUARE) {
        uint32_t end = i + SQUARE < first + n ? i + SQUARE : first + n;

        for (uint32_t t = from; t < to; t++) {
            const float *line =
                cpu->value + ((size_t)stripe * SWEEP_TIMES + t) * cpu->n_vms;

            for (uint32_t k = i; k < end; k++) {
                r->floats[(size_t)k * SWEEP_TIMES + t] = line[r->float_vms[k]];
            }
        }
        for (uint32_t k = i; k < end; k++) {
            float *row = r->floats + (size_t)k * SWEEP_TIMES;

            memset(row, 0, from * sizeof *row);
            memset(row + to, 0, (SWEEP_TIMES - to) * sizeof *row);
        }
    }
}

static bool
read_floats(void *context, uint32_t piece, struct dcp_error *err)
{
    const struct read_job *job = context;
    struct sweep_rows *r = job->rows;
    uint32_t first = piece * FLOAT_ROWS_A_PIECE, from, to;
    uint32_t n = r->n_floats - first;

    n = n < FLOAT_ROWS_A_PIECE ? n : FLOAT_ROWS_A_PIECE;
    if (!r->in->store) {
        turn_samples(r, job->stripe, first, n);
        return true;
    }
    times_of(r, job->stripe, &from, &to);
    float *out = r->floats + (size_t)first * SWEEP_TIMES;

    memset(out, 0, (size_t)n * SWEEP_TIMES * sizeof *out);
    return dcp_sim_model_rows(
        r->in->inventory, r->float_vms + first, n,
        r->start_ms +
            ((int64_t)job->stripe * SWEEP_TIMES + from) * r->interval_ms,
        r->interval_ms, to - from, SWEEP_TIMES, out + from, err);
}

/* --- Reading ------------------------------------------------------------ */

bool
dcp_sweep_rows_read(struct sweep_rows *r, uint32_t stripe,
                    struct dcp_error *err)
{
    struct read_job job = { r, stripe };
    struct dcp_parallel p = { .n_threads =
                                  r->n_rooms ? r->n_rooms : r->in->n_threads,
                              .run = read_blocks,
                              .context = &job };

    if (r->source &&
        !dcp_parallel_run(
            &p, (dcp_cells_n_blocks(r->source) - 1) / BLOCKS_A_PIECE + 1,
            err)) {
        return false;
    }
    if (!r->floats && !init_floats(r, err)) {
        return false;
    }
    p.run = read_floats;
    return dcp_parallel_run(
        &p, (r->n_floats + FLOAT_ROWS_A_PIECE - 1) / FLOAT_ROWS_A_PIECE, err);
}

void
dcp_sweep_rows_count(const struct sweep_rows *r, struct dcp_sim_fill *out)
{
    *out = (struct dcp_sim_fill){ 0 };
    if (!r->source) {
        return;
    }
    for (uint32_t b = 0; b < dcp_cells_n_blocks(r->source); b++) {
        out->n_missing += r->block_missing[b];
    }
    /* What was found before the window is the first sample in it. */
    for (uint32_t i = 0; i < r->n; i++) {
        out->n_missing -= r->rows[i].looked_back;
    }
    out->n_vms_no_trace = r->n_floats;
}

void
dcp_sweep_rows_add(const struct sweep_rows *r, const struct sweep_kernel *k,
                   uint32_t i, double mhz[SWEEP_TIMES])
{
    const struct sweep_row *row = &r->rows[i];

    if (row->kind == SWEEP_FLOATS) {
        k->add_floats(r->floats + (size_t)row->float_row * SWEEP_TIMES, mhz);
        return;
    }
    const uint8_t *cells = r->cells + (size_t)i * SWEEP_TIMES * r->cell_size;

    if (r->cell_size == 1) {
        k->add_bytes(cells, row->scale, row->factor, mhz);
    } else {
        k->add_words((const uint16_t *)(const void *)cells, row->scale,
                     row->factor, mhz);
    }
}
