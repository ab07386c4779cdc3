/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "traces/cells.h"

#include "traces/store_private.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { TILE_CELLS = DCP_CELLS_TIMES * DCP_CELLS_VMS };
_Static_assert((int)DCP_CELLS_TIMES == DCP_CHUNK_TIMES &&
                   (int)DCP_CELLS_VMS == DCP_CHUNK_VMS,
               "a tile is a chunk");

struct dcp_cells {
    const struct dcp_store *store;
    const struct dcp_store_metric *metric;
    enum dcp_metric id;
    uint32_t size;
    bool raw, deflated, shuffled;
    uint32_t chunk_times, chunk_vms; /* Smaller than a tile in small stores. */
    pthread_mutex_t hdf5;
};

static bool
no_memory(const struct dcp_cells *c, struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_NOMEM, "no memory to read '%s'", c->store->path);
}

static bool
unreadable(const struct dcp_cells *c, struct dcp_error *err)
{
    return dcp_h5_fail(err, DCP_E_PARSE, "'%s': samples of %s cannot be read",
                       c->store->path, dcp_metric_name(c->id));
}

/* --- Layout ------------------------------------------------------------- */

/* Nothing, deflate, or shuffle and deflate: what dcplan writes. */
static bool
known_filters(struct dcp_cells *c, hid_t plist)
{
    int n = H5Pget_nfilters(plist);

    for (int i = 0; i < n; i++) {
        unsigned flags, config;
        size_t n_values = 0;
        char name[1];
        H5Z_filter_t id = H5Pget_filter2(plist, (unsigned)i, &flags, &n_values,
                                         NULL, sizeof name, name, &config);

        if (id == H5Z_FILTER_SHUFFLE && i == 0 && n == 2) {
            c->shuffled = true;
        } else if (id == H5Z_FILTER_DEFLATE && i == n - 1) {
            c->deflated = true;
        } else {
            return false;
        }
    }
    return n >= 0;
}

static bool
is_raw(struct dcp_cells *c, hid_t type)
{
    DCP_HID plist = H5Dget_create_plist(c->metric->data);
    hsize_t chunk[2] = { 0, 0 };
    uint32_t times = c->store->n_times, vms = c->store->n_vms;

    c->chunk_times = times < DCP_CELLS_TIMES ? times : DCP_CELLS_TIMES;
    c->chunk_vms = vms < DCP_CELLS_VMS ? vms : DCP_CELLS_VMS;
    return plist >= 0 && H5Pget_layout(plist) == H5D_CHUNKED &&
           H5Pget_chunk(plist, 2, chunk) == 2 && chunk[0] == c->chunk_times &&
           chunk[1] == c->chunk_vms && known_filters(c, plist) &&
           (c->size == 1 || H5Tequal(type, H5T_NATIVE_UINT16) > 0);
}

struct dcp_cells *
dcp_cells_create(struct dcp_store *s, enum dcp_metric m, struct dcp_error *err)
{
    if (!dcp_store_has(s, m)) {
        (void)dcp_fail(err, DCP_E_ARGUMENT, "no %s in '%s'", dcp_metric_name(m),
                       s->path);
        return NULL;
    }
    DCP_AUTO(dcp_cells) struct dcp_cells *c = calloc(1, sizeof *c);

    if (!c) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to read '%s'", s->path);
        return NULL;
    }
    (void)pthread_mutex_init(&c->hdf5, NULL);
    c->store = s;
    c->metric = &s->metric[m];
    c->id = m;
    c->size = c->metric->missing == 255 ? 1 : 2;
    DCP_HID type = H5Dget_type(c->metric->data);

    if (type < 0) {
        (void)unreadable(c, err);
        return NULL;
    }
    c->raw = is_raw(c, type);
    return DCP_STEAL(c);
}

void
dcp_cells_destroy(struct dcp_cells *c)
{
    if (c) {
        (void)pthread_mutex_destroy(&c->hdf5);
        free(c);
    }
}

uint32_t
dcp_cells_size(const struct dcp_cells *c)
{
    return c->size;
}

uint16_t
dcp_cells_missing(const struct dcp_cells *c)
{
    return c->metric->missing;
}

const double *
dcp_cells_scale(const struct dcp_cells *c)
{
    return c->metric->scale;
}

uint32_t
dcp_cells_n_stripes(const struct dcp_cells *c)
{
    return (c->store->n_times - 1) / DCP_CELLS_TIMES + 1;
}

uint32_t
dcp_cells_n_blocks(const struct dcp_cells *c)
{
    return (c->store->n_vms - 1) / DCP_CELLS_VMS + 1;
}

bool
dcp_cells_are_raw(const struct dcp_cells *c)
{
    return c->raw;
}

/* --- Rooms -------------------------------------------------------------- */

bool
dcp_cells_room_init(struct dcp_cells_room *room, const struct dcp_cells *c,
                    struct dcp_error *err)
{
    size_t size = (size_t)TILE_CELLS * c->size;

    *room = (struct dcp_cells_room){
        .rows = malloc(size),
        .chunk = malloc(size),
        .stored = malloc(c->deflated ? size : 1),
        .stored_size = c->deflated ? size : 1,
    };
    if (!room->rows || !room->chunk || !room->stored) {
        dcp_cells_room_finish(room);
        return no_memory(c, err);
    }
    return true;
}

void
dcp_cells_room_finish(struct dcp_cells_room *room)
{
    free(room->rows);
    free(room->chunk);
    free(room->stored);
    *room = (struct dcp_cells_room){ 0 };
}

/* --- Reading ------------------------------------------------------------ */

enum got { GOT_FAILED, GOT_CHUNK, GOT_NOTHING, GOT_OTHER };

/* The chunk as it lies in the file, into 'stored', or into 'chunk' where it
 * is not compressed.  Under the mutex. */
static enum got
take_chunk(const struct dcp_cells *c, const hsize_t at[2],
           struct dcp_cells_room *room, size_t *out_size, struct dcp_error *err)
{
    size_t whole = (size_t)c->chunk_times * c->chunk_vms * c->size;
    hid_t set = c->metric->data;
    hsize_t size = 0;
    uint32_t skipped = 0;

    if (H5Dget_chunk_storage_size(set, at, &size) < 0) {
        (void)H5Eclear2(H5E_DEFAULT);
        return GOT_OTHER;
    }
    if (size == 0) {
        return GOT_NOTHING;
    }
    if (!c->deflated && size != whole) {
        return GOT_OTHER;
    }
    if (c->deflated && size > room->stored_size) {
        /* Deflate adds a little at most: more is no honest chunk. */
        if (size > 2 * whole + 1024) {
            return GOT_OTHER;
        }
        free(room->stored);
        room->stored = malloc((size_t)size);
        room->stored_size = room->stored ? (size_t)size : 0;
        if (!room->stored) {
            (void)no_memory(c, err);
            return GOT_FAILED;
        }
    }
    if (H5Dread_chunk(set, H5P_DEFAULT, at, &skipped,
                      c->deflated ? room->stored : room->chunk) < 0) {
        (void)unreadable(c, err);
        return GOT_FAILED;
    }
    *out_size = (size_t)size;
    return skipped ? GOT_OTHER : GOT_CHUNK;
}

/* Any layout, through HDF5, as a chunk of a whole tile.  Under the mutex. */
static bool
read_rectangle(const struct dcp_cells *c, const hsize_t at[2], uint8_t *chunk,
               struct dcp_error *err)
{
    hsize_t tile[2] = { DCP_CELLS_TIMES, DCP_CELLS_VMS }, zero[2] = { 0, 0 };
    hsize_t left[2] = { c->store->n_times - at[0], c->store->n_vms - at[1] };
    hsize_t n[2] = { left[0] < tile[0] ? left[0] : tile[0],
                     left[1] < tile[1] ? left[1] : tile[1] };
    DCP_HID memory = H5Screate_simple(2, tile, NULL);
    DCP_HID space = H5Dget_space(c->metric->data);

    return (memory >= 0 && space >= 0 &&
            H5Sselect_hyperslab(memory, H5S_SELECT_SET, zero, NULL, n, NULL) >=
                0 &&
            H5Sselect_hyperslab(space, H5S_SELECT_SET, at, NULL, n, NULL) >=
                0 &&
            H5Dread(c->metric->data,
                    c->size == 1 ? H5T_NATIVE_UINT8 : H5T_NATIVE_UINT16, memory,
                    space, H5P_DEFAULT, chunk) >= 0) ||
           unreadable(c, err);
}

static bool
inflate_chunk(const struct dcp_cells *c, struct dcp_cells_room *room,
              size_t size, struct dcp_error *err)
{
    size_t whole = (size_t)c->chunk_times * c->chunk_vms * c->size;
    bool planes = c->shuffled && c->size == 2;
    uLongf n = (uLongf)whole;

    /* 'rows' is free until the end: the bytes of shuffled cells go there. */
    if (uncompress(planes ? room->rows : room->chunk, &n, room->stored,
                   (uLong)size) != Z_OK ||
        n != whole) {
        return dcp_fail(err, DCP_E_PARSE,
                        "'%s': samples of %s are damaged: a chunk does not "
                        "inflate to %zu bytes",
                        c->store->path, dcp_metric_name(c->id), whole);
    }
    if (planes) {
        const uint8_t *low = room->rows, *high = room->rows + whole / 2;

        for (size_t i = 0; i < whole / 2; i++) {
            room->chunk[2 * i] = low[i];
            room->chunk[2 * i + 1] = high[i];
        }
    }
    return true;
}

/* --- Turning ------------------------------------------------------------ */

/* Transposition of small squares by interleaving halves, in GCC's vectors: the
 * compiler makes of it what the machine has. */
typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef uint16_t words8 __attribute__((vector_size(16)));

static void
turn_bytes(const uint8_t *in, size_t in_width, uint8_t *out)
{
    bytes16 a[16], b[16];

    for (int i = 0; i < 16; i++) {
        memcpy(&a[i], in + (size_t)i * in_width, sizeof a[i]);
    }
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 8; i++) {
            b[2 * i] =
                __builtin_shufflevector(a[i], a[i + 8], 0, 16, 1, 17, 2, 18, 3,
                                        19, 4, 20, 5, 21, 6, 22, 7, 23);
            b[2 * i + 1] =
                __builtin_shufflevector(a[i], a[i + 8], 8, 24, 9, 25, 10, 26,
                                        11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
        memcpy(a, b, sizeof a);
    }
    for (int i = 0; i < 16; i++) {
        memcpy(out + (size_t)i * DCP_CELLS_TIMES, &a[i], sizeof a[i]);
    }
}

static void
turn_words(const uint16_t *in, size_t in_width, uint16_t *out)
{
    words8 a[8], b[8];

    for (int i = 0; i < 8; i++) {
        memcpy(&a[i], in + (size_t)i * in_width, sizeof a[i]);
    }
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++) {
            b[2 * i] = __builtin_shufflevector(a[i], a[i + 4], 0, 8, 1, 9, 2,
                                               10, 3, 11);
            b[2 * i + 1] = __builtin_shufflevector(a[i], a[i + 4], 4, 12, 5, 13,
                                                   6, 14, 7, 15);
        }
        memcpy(a, b, sizeof a);
    }
    for (int i = 0; i < 8; i++) {
        memcpy(out + (size_t)i * DCP_CELLS_TIMES, &a[i], sizeof a[i]);
    }
}

/* [time][VM] of 'times' x 'vms' to [VM][time] of a whole tile. */
static void
turn(const struct dcp_cells *c, const uint8_t *chunk, uint32_t times,
     uint32_t vms, uint8_t *rows)
{
    uint32_t step = c->size == 1 ? 16 : 8;
    uint32_t whole_t = times / step * step, whole_v = vms / step * step;

    for (uint32_t v = 0; v < whole_v; v += step) {
        for (uint32_t t = 0; t < whole_t; t += step) {
            size_t from = (size_t)t * vms + v;
            size_t to = (size_t)v * DCP_CELLS_TIMES + t;

            if (c->size == 1) {
                turn_bytes(chunk + from, vms, rows + to);
            } else {
                turn_words((const uint16_t *)(const void *)chunk + from, vms,
                           (uint16_t *)(void *)rows + to);
            }
        }
    }
    for (uint32_t v = 0; v < vms; v++) {
        for (uint32_t t = v < whole_v ? whole_t : 0; t < times; t++) {
            memcpy(rows + ((size_t)v * DCP_CELLS_TIMES + t) * c->size,
                   chunk + ((size_t)t * vms + v) * c->size, c->size);
        }
    }
}

bool
dcp_cells_read(struct dcp_cells *c, uint32_t stripe, uint32_t block,
               struct dcp_cells_room *room, struct dcp_error *err)
{
    hsize_t at[2] = { (hsize_t)stripe * DCP_CELLS_TIMES,
                      (hsize_t)block * DCP_CELLS_VMS };
    size_t tile = (size_t)TILE_CELLS * c->size, size = 0;

    if (stripe >= dcp_cells_n_stripes(c) || block >= dcp_cells_n_blocks(c)) {
        return dcp_fail(err, DCP_E_ARGUMENT, "no such samples in '%s'",
                        c->store->path);
    }
    (void)pthread_mutex_lock(&c->hdf5);
    enum got got = c->raw ? take_chunk(c, at, room, &size, err) : GOT_OTHER;

    if (got == GOT_OTHER && !read_rectangle(c, at, room->chunk, err)) {
        got = GOT_FAILED;
    }
    (void)pthread_mutex_unlock(&c->hdf5);
    if (got == GOT_FAILED || (got == GOT_CHUNK && c->deflated &&
                              !inflate_chunk(c, room, size, err))) {
        return false;
    }
    uint32_t left = c->store->n_times - (uint32_t)at[0];

    left = left < DCP_CELLS_TIMES ? left : DCP_CELLS_TIMES;
    if (got == GOT_NOTHING || left < DCP_CELLS_TIMES) {
        memset(room->rows, 0xff, tile);
    }
    if (got == GOT_CHUNK) {
        turn(c, room->chunk, left, c->chunk_vms, room->rows);
    } else if (got == GOT_OTHER) {
        turn(c, room->chunk, left, DCP_CELLS_VMS, room->rows);
    }
    return true;
}
