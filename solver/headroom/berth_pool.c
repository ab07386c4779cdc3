/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/headroom/berth_pool.h"

#include "model/base/sort.h"

#include <stdlib.h>
#include <string.h>

/* Sizes of berths that are tried, as shares of an average host. */
static const double shares[] = { 1.0 / 4,  1.0 / 8, 1.0 / 2,
                                 1.0 / 16, 1.0,     1.0 / 32 };

/* --- Room ----------------------------------------------------------------- */

/* What the host has after a loss (or, 'used', what is used of it), cell by
 * cell. */
static void
host_row(const struct dcp_state *s, uint32_t host, bool used, uint32_t *out)
{
    const struct dcp_problem *p = s->p;
    size_t at = (size_t)host * p->stride;
    uint32_t n = 0;

    for (uint32_t t = 0; t < p->n_slots; t++) {
        out[n++] = used ? s->cpu_mhz[at + t] : p->full_cpu_mhz[host];
    }
    for (uint32_t t = 0; s->net_kib_s && t < p->n_slots; t++) {
        out[n++] = used ? s->net_kib_s[at + t] : p->full_net_kib_s[host];
    }
    for (uint32_t r = 0; r < p->n_scalars; r++) {
        size_t cell = (size_t)r * p->n_hosts + host;

        out[n++] = used ? s->used[cell] : p->full[cell];
    }
}

static void
add_item(const struct dcp_state *s, uint32_t item, uint32_t *row)
{
    const struct dcp_problem *p = s->p;
    size_t at = (size_t)item * p->stride;
    uint32_t n = 0;

    for (uint32_t t = 0; t < p->n_slots; t++) {
        row[n++] += p->cpu_mhz[at + t];
    }
    for (uint32_t t = 0; s->net_kib_s && t < p->n_slots; t++) {
        row[n++] += p->net_kib_s[at + t];
    }
    for (uint32_t r = 0; r < p->n_scalars; r++) {
        row[n++] += dcp_problem_request(p, item, s->host[item], r);
    }
}

bool
dcp_berth_room_init(struct dcp_berth_room *room, const struct dcp_loss_play *g,
                    struct dcp_arena *arena, const uint32_t *object,
                    uint32_t n_objects, uint32_t at_once)
{
    const struct dcp_state *s = g->s;
    const struct dcp_problem *p = s->p;
    uint32_t n_cells = p->n_slots * (s->net_kib_s ? 2 : 1) + p->n_scalars;

    *room = (struct dcp_berth_room){
        .s = s,
        .arena = arena,
        .n_cells = n_cells,
        .row = dcp_arena_array(arena, uint32_t, p->n_hosts + 1u),
        .left =
            dcp_arena_array(arena, uint32_t, (size_t)g->n_roomy * n_cells + 1),
        .n_rows = g->n_roomy,
        .object = object,
        .n_objects = n_objects,
        .at_once = at_once,
    };
    uint32_t *used = dcp_arena_array(arena, uint32_t, n_cells + 1u);

    if (!room->row || !room->left || !used) {
        return false;
    }
    for (uint32_t k = 0; k < g->n_roomy; k++) {
        uint32_t h = g->roomy[k].host;
        uint32_t *left = room->left + (size_t)k * n_cells;

        room->row[h] = k;
        host_row(s, h, false, left);
        host_row(s, h, true, used);
        for (uint32_t c = 0; c < n_cells; c++) {
            left[c] = left[c] > used[c] ? left[c] - used[c] : 0;
        }
    }
    return true;
}

/* --- Parts ---------------------------------------------------------------- */

struct packing {
    const struct dcp_berth_room *room;
    const uint32_t *items; /* By object, then largest first. */
    uint32_t n;
    uint32_t *rows;   /* What each of them asks for. */
    uint32_t *load;   /* By part. */
    uint32_t *part;   /* Of each. */
    uint32_t *object; /* By part. */
    uint32_t n_parts;
};

static bool
is_within(const uint32_t *load, const uint32_t *more, const uint32_t *limit,
          uint32_t n)
{
    bool ok = true;

    for (uint32_t c = 0; ok && c < n; c++) {
        ok = (uint64_t)load[c] + more[c] <= limit[c];
    }
    return ok;
}

static uint32_t
object_at(const struct packing *k, uint32_t i)
{
    return k->room->object[k->room->s->host[k->items[i]]];
}

/* First fit of those that are 'large' or those that are not, each object's
 * items into parts of its own. */
static void
pack(struct packing *k, const uint32_t *unit, const uint8_t *is_large,
     bool large)
{
    uint32_t n_cells = k->room->n_cells, begin = 0;

    k->n_parts = 0;
    for (uint32_t i = 0; i < k->n; i++) {
        const uint32_t *row = k->rows + (size_t)i * n_cells;
        uint32_t to;

        if (i == 0 || object_at(k, i) != object_at(k, i - 1)) {
            begin = k->n_parts;
        }
        if (is_large[i] != large) {
            continue;
        }
        for (to = begin; to < k->n_parts; to++) {
            if (is_within(k->load + (size_t)to * n_cells, row, unit, n_cells)) {
                break;
            }
        }
        uint32_t *load = k->load + (size_t)to * n_cells;

        if (to == k->n_parts) {
            memset(load, 0, n_cells * sizeof *load);
            k->object[k->n_parts++] = object_at(k, i);
        }
        for (uint32_t c = 0; c < n_cells; c++) {
            load[c] += row[c];
        }
        k->part[i] = to;
    }
}

/* As many as of the largest part in each cell. */
static void
largest_part(const struct packing *k, uint32_t *out)
{
    uint32_t n_cells = k->room->n_cells;

    memset(out, 0, n_cells * sizeof *out);
    for (uint32_t i = 0; i < k->n_parts; i++) {
        const uint32_t *load = k->load + (size_t)i * n_cells;

        for (uint32_t c = 0; c < n_cells; c++) {
            out[c] = load[c] > out[c] ? load[c] : out[c];
        }
    }
}

/* Writes the parts down. */
static bool
write_parts(const struct packing *k, const uint8_t *is_large, bool large,
            struct dcp_berth_pool *out)
{
    struct dcp_arena *arena = k->room->arena;
    uint32_t n = 0;

    out->n_parts = k->n_parts;
    out->first = dcp_arena_array(arena, uint32_t, k->n_parts + 2u);
    out->object = dcp_arena_array(arena, uint32_t, k->n_parts + 1u);
    out->items = dcp_arena_array(arena, uint32_t, k->n + 1u);
    if (!out->first || !out->object || !out->items) {
        return false;
    }
    for (uint32_t i = 0; i < k->n; i++) {
        out->first[k->part[i] + 2] += is_large[i] == large;
    }
    for (uint32_t i = 0; i < k->n_parts; i++) {
        n += out->first[i + 2];
        out->first[i + 2] = n;
        out->object[i] = k->object[i];
    }
    for (uint32_t i = 0; i < k->n; i++) {
        if (is_large[i] == large) {
            out->items[out->first[k->part[i] + 1]++] = k->items[i];
        }
    }
    return true;
}

/* --- Berths --------------------------------------------------------------- */

static bool
has_bit(const uint64_t *bits, uint32_t h)
{
    return bits[h / 64] >> (h % 64) & 1;
}

/* Berths of that size that the host has room for. */
static uint32_t
count_room(const struct dcp_berth_room *room, uint32_t host,
           const uint32_t *size, uint32_t most)
{
    const uint32_t *left = room->left + (size_t)room->row[host] * room->n_cells;
    uint32_t n = most;

    for (uint32_t c = 0; n && c < room->n_cells; c++) {
        if (size[c] && left[c] / size[c] < n) {
            n = left[c] / size[c];
        }
    }
    return n;
}

/* The sum of the k largest. */
static uint64_t
sum_largest(const uint32_t *all, uint32_t n, uint32_t k, uint32_t *top)
{
    uint64_t sum = 0;

    memset(top, 0, k * sizeof *top);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t value = all[i];

        for (uint32_t t = 0; t < k && value; t++) {
            if (value > top[t]) {
                uint32_t less = top[t];

                top[t] = value;
                value = less;
            }
        }
    }
    for (uint32_t t = 0; t < k; t++) {
        sum += top[t];
    }
    return sum;
}

struct filling {
    uint32_t *room;  /* By host: berths that there is room for. */
    uint32_t *spare; /* By object: the same. */
    uint32_t *parts; /* By object. */
    uint32_t *both;  /* By object: parts and berths filled up to a level. */
    uint32_t *top;
    uint64_t safe; /* Berths that are lost with no object. */
};

static uint32_t
filled_to(const struct filling *f, uint32_t o, uint32_t level)
{
    uint32_t n = level > f->parts[o] ? level - f->parts[o] : 0;

    return n < f->spare[o] ? n : f->spare[o];
}

/* The lowest level that does; UINT32_MAX: none does. */
static uint32_t
find_level(const struct dcp_berth_room *room, struct filling *f)
{
    uint32_t highest = 0;

    for (uint32_t o = 0; o < room->n_objects; o++) {
        uint32_t n = f->parts[o] + f->spare[o];

        highest = n > highest ? n : highest;
    }
    for (uint32_t level = 0; level <= highest; level++) {
        uint64_t have = f->safe;

        for (uint32_t o = 0; o < room->n_objects; o++) {
            uint32_t n = filled_to(f, o, level);

            have += n;
            f->both[o] = n + f->parts[o];
        }
        if (sum_largest(f->both, room->n_objects, room->at_once, f->top) <=
            have) {
            return level;
        }
    }
    return UINT32_MAX;
}

static void
keep(struct dcp_berth_room *room, uint32_t host, const uint32_t *size,
     uint32_t n, bool whole)
{
    uint32_t *left = room->left + (size_t)room->row[host] * room->n_cells;

    for (uint32_t c = 0; c < room->n_cells; c++) {
        left[c] = whole ? 0 : left[c] - n * size[c];
    }
}

/* Berths for the parts packed; false in *out_enough: there are too few. */
static bool
find_berths(struct dcp_berth_room *room, const struct packing *k,
            const uint64_t *hosts, const uint32_t *size, bool whole,
            struct dcp_berth_pool *out, bool *out_enough)
{
    uint32_t n_hosts = room->s->p->n_hosts, n_objects = room->n_objects;
    DCP_FREE uint32_t *rows = calloc(
        n_hosts + 3 * (size_t)n_objects + room->at_once + 1, sizeof *rows);
    struct filling f = { .room = rows };

    out->n_at = dcp_arena_array(room->arena, uint32_t, n_hosts + 1u);
    if (!rows || !out->n_at) {
        return false;
    }
    f.spare = rows + n_hosts;
    f.parts = f.spare + n_objects;
    f.both = f.parts + n_objects;
    f.top = f.both + n_objects;
    for (uint32_t i = 0; i < k->n_parts; i++) {
        f.parts[k->object[i]]++;
    }
    for (uint32_t h = 0; h < n_hosts; h++) {
        if (has_bit(hosts, h)) {
            uint32_t most = whole ? 1 : k->n_parts;

            f.room[h] = count_room(room, h, size, most);
            if (room->object[h] == DCP_IX_NONE) {
                f.safe += f.room[h];
            } else {
                f.spare[room->object[h]] += f.room[h];
            }
        }
    }
    uint32_t level = find_level(room, &f);

    *out_enough = level != UINT32_MAX;
    for (uint32_t o = 0; *out_enough && o < n_objects; o++) {
        f.both[o] = filled_to(&f, o, level);
    }
    for (uint32_t h = 0; *out_enough && h < n_hosts; h++) {
        uint32_t o = room->object[h], n = f.room[h];

        if (n && o != DCP_IX_NONE) {
            n = n < f.both[o] ? n : f.both[o];
            f.both[o] -= n;
        }
        out->n_at[h] = n;
        if (n) {
            keep(room, h, size, n, whole);
        }
    }
    return true;
}

/* --- Pools ---------------------------------------------------------------- */

static bool
packing_init(struct packing *k, const struct dcp_berth_room *room,
             const uint32_t *items, uint32_t n)
{
    size_t n_rows = ((size_t)n + 1) * room->n_cells;

    *k = (struct packing){ .room = room,
                           .items = items,
                           .n = n,
                           .rows = calloc(n_rows, sizeof *k->rows),
                           .load = calloc(n_rows, sizeof *k->load),
                           .part = calloc(n + 1u, sizeof *k->part),
                           .object = calloc(n + 1u, sizeof *k->object) };
    if (!k->rows || !k->load || !k->part || !k->object) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        add_item(room->s, items[i], k->rows + (size_t)i * room->n_cells);
    }
    return true;
}

static void
packing_finish(struct packing *k)
{
    free(k->rows);
    free(k->load);
    free(k->part);
    free(k->object);
}

/* What hosts have on average, cell by cell. */
static void
mean_host(const struct dcp_berth_room *room, const uint64_t *hosts,
          uint32_t *row, double *out)
{
    const struct dcp_problem *p = room->s->p;
    uint32_t n = 0;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (has_bit(hosts, h)) {
            host_row(room->s, h, false, row);
            for (uint32_t c = 0; c < room->n_cells; c++) {
                out[c] += row[c];
            }
            n++;
        }
    }
    for (uint32_t c = 0; n && c < room->n_cells; c++) {
        out[c] /= n;
    }
}

/* Marks items that are larger than the unit in some cell; raises 'most' to
 * what these ask for. */
static bool
mark_large(const struct packing *k, const uint32_t *unit, uint8_t *is_large,
           uint32_t *most)
{
    uint32_t n_cells = k->room->n_cells;
    bool any = false;

    memcpy(most, unit, n_cells * sizeof *most);
    for (uint32_t i = 0; i < k->n; i++) {
        const uint32_t *row = k->rows + (size_t)i * n_cells;

        is_large[i] = 0;
        for (uint32_t c = 0; c < n_cells; c++) {
            is_large[i] |= row[c] > unit[c];
        }
        for (uint32_t c = 0; is_large[i] && c < n_cells; c++) {
            most[c] = row[c] > most[c] ? row[c] : most[c];
        }
        any |= is_large[i];
    }
    return any;
}

struct trial {
    struct dcp_berth_room *room;
    struct packing k;
    const uint64_t *hosts;
    double *mean;
    uint32_t *unit, *most, *size; /* Cells. */
    uint8_t *is_large;
};

/* Larger items, or the others, in a pool of their own. */
static bool
make_pool(struct trial *t, bool large, struct dcp_berth_pool *out,
          bool *out_enough)
{
    pack(&t->k, large ? t->most : t->unit, t->is_large, large);
    largest_part(&t->k, t->size);
    return find_berths(t->room, &t->k, t->hosts, t->size, false, out,
                       out_enough) &&
           (!*out_enough || write_parts(&t->k, t->is_large, large, out));
}

/* Pools with berths of one share of a host, larger items apart. */
static bool
try_share(struct trial *t, double share, struct dcp_berth_pool out[2],
          uint32_t *out_n)
{
    bool enough = true;

    *out_n = 0;
    for (uint32_t c = 0; c < t->room->n_cells; c++) {
        t->unit[c] = (uint32_t)(share * t->mean[c]);
    }
    if (mark_large(&t->k, t->unit, t->is_large, t->most)) {
        if (!make_pool(t, true, &out[(*out_n)++], &enough)) {
            return false;
        }
    }
    if (enough && !make_pool(t, false, &out[(*out_n)++], &enough)) {
        return false;
    }
    *out_n = enough ? *out_n : 0;
    return true;
}

bool
dcp_berth_pools_make(struct dcp_berth_room *room, const uint32_t *items,
                     uint32_t n, const uint64_t *hosts,
                     struct dcp_berth_pool out[2], uint32_t *out_n)
{
    size_t n_left = (size_t)room->n_rows * room->n_cells;
    uint32_t n_cells = room->n_cells;
    DCP_FREE uint32_t *left = malloc((n_left + 1) * sizeof *left);
    DCP_FREE uint32_t *rows = calloc(3 * (size_t)n_cells + 1, sizeof *rows);
    DCP_FREE double *mean = calloc(n_cells + 1u, sizeof *mean);
    DCP_FREE uint8_t *is_large = calloc(n + 1u, 1);
    struct trial t = { .room = room,
                       .hosts = hosts,
                       .mean = mean,
                       .unit = rows,
                       .is_large = is_large };
    bool memory =
        packing_init(&t.k, room, items, n) && left && rows && mean && is_large;

    *out_n = 0;
    if (memory) {
        t.most = rows + n_cells;
        t.size = t.most + n_cells;
        mean_host(room, hosts, rows, mean);
        memcpy(left, room->left, n_left * sizeof *left);
    }
    for (size_t i = 0; memory && !*out_n && i < sizeof shares / sizeof *shares;
         i++) {
        memory = try_share(&t, shares[i], out, out_n);
        if (!*out_n) {
            memcpy(room->left, left, n_left * sizeof *left);
        }
    }
    packing_finish(&t.k);
    return memory;
}

bool
dcp_berth_pool_whole(struct dcp_berth_room *room, const uint32_t *items,
                     uint32_t n, const uint64_t *hosts,
                     struct dcp_berth_pool *out, bool *out_made)
{
    DCP_FREE uint32_t *size = calloc(room->n_cells + 1u, sizeof *size);
    DCP_FREE uint8_t *is_large = calloc(n + 1u, 1);
    struct packing k;
    bool memory = packing_init(&k, room, items, n) && size && is_large;

    for (uint32_t i = 0; memory && i < n; i++) { /* By host: one part each. */
        uint32_t host = room->s->host[items[i]];
        bool same = i && room->s->host[items[i - 1]] == host;
        uint32_t *load;

        k.n_parts += !same;
        k.part[i] = k.n_parts - 1;
        k.object[k.part[i]] = room->object[host];
        load = k.load + (size_t)k.part[i] * room->n_cells;
        for (uint32_t c = 0; c < room->n_cells; c++) {
            load[c] += k.rows[(size_t)i * room->n_cells + c];
        }
    }
    if (memory) {
        largest_part(&k, size);
        memory = find_berths(room, &k, hosts, size, true, out, out_made) &&
                 (!*out_made || write_parts(&k, is_large, false, out));
    }
    packing_finish(&k);
    return memory;
}
