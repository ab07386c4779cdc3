/* SPDX-License-Identifier: GPL-3.0-or-later */

#define _GNU_SOURCE 1 /* qsort_r */

#include "solver/pack/price.h"

#include "solver/pack/clock.h"
#include "solver/pack/price_parts.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST_TABLES = DCP_PACK_MOST_TABLES,
    MOST_DEPTH = 4096,
    NODES_PER_LOOK = 8192, /* At the clock. */
};

/* --- Pricer -------------------------------------------------------------- */

struct dcp_pack_pricer *
dcp_pack_pricer_create(const struct dcp_pack_instance *in,
                       struct dcp_error *err)
{
    DCP_AUTO(dcp_pack_pricer) struct dcp_pack_pricer *p = calloc(1, sizeof *p);
    size_t n = in->n + 1u, w = in->w;

    if (p) {
        p->in = in;
        p->item = calloc(n, sizeof *p->item);
        p->size = calloc(n * w, sizeof *p->size);
        p->price = calloc(n, sizeof *p->price);
        p->most = calloc(n, sizeof *p->most);
        p->density = calloc(n, sizeof *p->density);
        p->rank = calloc(n, sizeof *p->rank);
        p->lent = calloc((in->n_negative + 1u) * w, sizeof *p->lent);
        p->room = calloc((MOST_DEPTH + 1u) * w, sizeof *p->room);
        p->path = calloc(MOST_DEPTH + 1u, sizeof *p->path);
        p->copies = calloc(MOST_DEPTH + 1u, sizeof *p->copies);
    }
    if (!p || !p->item || !p->size || !p->price || !p->most || !p->density ||
        !p->rank || !p->lent || !p->room || !p->path || !p->copies) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to price patterns");
        return NULL;
    }
    for (uint32_t x = 0; x < MOST_TABLES; x++) {
        p->table[x].weight = calloc(w, sizeof *p->table[x].weight);
        if (!p->table[x].weight) {
            (void)dcp_fail(err, DCP_E_NOMEM, "no memory to price patterns");
            return NULL;
        }
    }
    return DCP_STEAL(p);
}

void
dcp_pack_pricer_destroy(struct dcp_pack_pricer *p)
{
    if (p) {
        for (uint32_t x = 0; x < MOST_TABLES; x++) {
            free(p->table[x].weight);
            free(p->table[x].worth);
        }
        free(p->item);
        free(p->size);
        free(p->price);
        free(p->most);
        free(p->density);
        free(p->rank);
        free(p->lent);
        free(p->line);
        free(p->room);
        free(p->path);
        free(p->copies);
        free(p->entries);
        free(p);
    }
}

/* --- Positions --------------------------------------------------------------
 */

static int
branch_order(const void *a, const void *b, void *context)
{
    const struct dcp_pack_pricer *p = context;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;

    if (p->in->negative[i] != p->in->negative[j]) {
        return p->in->negative[i] ? -1 : 1;
    }
    if (p->density[i] < p->density[j] || p->density[i] > p->density[j]) {
        return p->density[i] > p->density[j] ? -1 : 1;
    }
    return i < j ? -1 : i > j;
}

/* Price per share of the bin, summed over dimensions. */
static double
density(const struct dcp_pack_pricer *p, uint32_t i)
{
    const int32_t *room = dcp_pack_room(p->in, p->q->bin);
    double share = 1e-9;

    for (uint32_t k = 0; k < p->in->d; k++) {
        share += (double)dcp_pack_size(p->in, i)[k] / (room[k] + 1.0);
    }
    return (double)p->q->price[i] / (share > 1e-9 ? share : 1e-9);
}

/* Whether one alone fits, where lenders give all they have. */
static bool
fits_bin(const struct dcp_pack_pricer *p, uint32_t i)
{
    const int32_t *room = dcp_pack_room(p->in, p->q->bin);

    for (uint32_t k = 0; k < p->in->d; k++) {
        if (dcp_pack_size(p->in, i)[k] > room[k] + p->in->lent[k]) {
            return false;
        }
    }
    return true;
}

static void
choose_positions(struct dcp_pack_pricer *p)
{
    const struct dcp_pack_instance *in = p->in;

    p->n = 0;
    p->n_lenders = 0;
    for (uint32_t i = 0; i < in->n; i++) {
        uint32_t most = p->q->most ? p->q->most[i] : in->demand[i];

        if (most && (p->q->price[i] > 0 || in->negative[i]) &&
            dcp_pack_allowed(in, p->q->bin, i) && fits_bin(p, i)) {
            p->density[i] = density(p, i);
            p->n_lenders += in->negative[i];
            p->item[p->n++] = i;
        }
    }
    qsort_r(p->item, p->n, sizeof *p->item, branch_order, p);
    for (uint32_t t = 0; t < p->n; t++) {
        uint32_t i = p->item[t];

        memcpy(p->size + (size_t)t * in->w, dcp_pack_size(in, i),
               in->w * sizeof *p->size);
        p->price[t] = p->q->price[i];
        p->most[t] = p->q->most ? p->q->most[i] : in->demand[i];
    }
    memset(p->lent + (size_t)p->n_lenders * in->w, 0, in->w * sizeof *p->lent);
    for (uint32_t t = p->n_lenders; t-- > 0;) {
        for (uint32_t k = 0; k < in->d; k++) {
            int32_t s = p->size[(size_t)t * in->w + k];

            p->lent[(size_t)t * in->w + k] =
                p->lent[(size_t)(t + 1) * in->w + k] -
                (s < 0 ? (int64_t)s * p->most[t] : 0);
        }
    }
}

/* --- Search -----------------------------------------------------------------
 */

static void
keep(struct dcp_pack_pricer *p, uint32_t depth, int64_t value)
{
    uint32_t n = 0;

    for (uint32_t x = 0; x < depth; x++) {
        n += p->copies[x];
    }
    if (n > p->entry_capacity) {
        uint32_t *more = realloc(p->entries, 2u * n * sizeof *more);

        if (!more) {
            p->failed = p->stopped = true;
            return;
        }
        p->entries = more;
        p->entry_capacity = 2 * n;
    }
    n = 0;
    for (uint32_t x = 0; x < depth; x++) {
        for (uint32_t c = 0; c < p->copies[x]; c++) {
            p->entries[n++] = p->item[p->path[x]];
        }
    }
    if (!dcp_pack_patterns_add(p->found, p->q->bin, n, p->entries)) {
        p->failed = p->stopped = true;
        return;
    }
    p->n_kept++;
    p->best = value > p->best ? value : p->best;
    p->above = p->n_kept >= p->q->quota ? p->best : value;
    if (p->q->all) {
        p->above = p->q->above;
        p->stopped |= p->n_kept >= p->q->all;
    }
}

static bool
count_node(struct dcp_pack_pricer *p)
{
    p->nodes++;
    if (p->q->max_nodes && p->nodes > p->q->max_nodes) {
        p->stopped = true;
    } else if (p->nodes % NODES_PER_LOOK == 0 &&
               dcp_pack_now() > p->q->deadline_s) {
        p->stopped = true;
    }
    p->skip = p->nodes > p->root_end;
    return !p->stopped && !p->skip;
}

/* How many copies of position t go into 'room'. */
static uint32_t
copies_that_fit(const struct dcp_pack_pricer *p, const int32_t *room,
                uint32_t t)
{
    const int32_t *size = p->size + (size_t)t * p->in->w;
    int32_t most = (int32_t)(p->most[t] < INT32_MAX ? p->most[t] : INT32_MAX);

    if (!dcp_pack_fits(room, size, p->in->w)) {
        return 0;
    }
    for (uint32_t k = 0; most > 1 && k < p->in->d; k++) {
        if (size[k] > 0 && room[k] / size[k] < most) {
            most = room[k] / size[k];
        }
    }
    return (uint32_t)most;
}

/* Where the tables' rows for the room at 'depth' begin. */
static void
look_up(const struct dcp_pack_pricer *p, uint32_t depth,
        const uint32_t *row[MOST_TABLES])
{
    const int32_t *room = p->room + (size_t)depth * p->in->w;

    for (uint32_t x = 0; x < p->n_tables; x++) {
        const struct dcp_pack_table *b = &p->table[x];
        int64_t r = dcp_pack_scaled_size(p, b, room) >> b->shift;

        row[x] = b->worth + (size_t)r * (p->n + 1);
    }
}

static inline bool
hopeless(const struct dcp_pack_pricer *p, const uint32_t *const row[],
         uint32_t t, int64_t value)
{
    for (uint32_t x = 0; x < p->n_tables; x++) {
        if (row[x][t] != UINT32_MAX && value + row[x][t] <= p->above) {
            return true;
        }
    }
    return false;
}

/* All patterns that extend the path by positions from 't' on.  True: one was
 * kept. */
static bool
extend(struct dcp_pack_pricer *p, uint32_t depth, uint32_t t, int64_t value)
{
    const uint32_t w = p->in->w;
    const int32_t *room = p->room + (size_t)depth * w;
    int32_t *next = p->room + (size_t)(depth + 1) * w;
    const uint32_t *row[MOST_TABLES];
    bool kept = false;

    if (!count_node(p)) {
        return false;
    }
    look_up(p, depth, row);
    for (uint32_t j = t; j < p->n && !hopeless(p, row, j, value); j++) {
        uint32_t copies = copies_that_fit(p, room, j);

        if (copies && depth == MOST_DEPTH - 1) {
            p->deep = true;
            break;
        }
        for (uint32_t c = copies; c && !p->stopped && !p->skip; c--) {
            for (uint32_t k = 0; k < w; k++) {
                next[k] = room[k] - p->size[(size_t)j * w + k] * (int32_t)c;
            }
            p->path[depth] = j;
            p->copies[depth] = c;
            kept |= extend(p, depth + 1, j + 1, value + p->price[j] * c);
        }
        if (p->stopped || p->skip) {
            return kept;
        }
    }
    if (!kept && value > p->above) {
        keep(p, depth, value);
        kept = true;
    }
    return kept;
}

/* What a pattern has to be worth more than where a chain begins. */
static int64_t
base(const struct dcp_pack_pricer *p)
{
    return p->n_kept >= p->q->quota && !p->q->all ? p->best : p->q->above;
}

/* At the root each first item is given its own chain of better patterns until
 * the quota is reached.  Fills what is proved of the rest when it stops. */
static void
search_from(struct dcp_pack_pricer *p, uint32_t depth, int64_t value,
            int64_t *upper)
{
    const uint32_t w = p->in->w;
    const int32_t *room = p->room + (size_t)depth * w;
    int32_t *next = p->room + (size_t)(depth + 1) * w;
    const uint32_t *row[MOST_TABLES];
    uint32_t before = p->n_kept;

    look_up(p, depth, row);
    for (uint32_t j = p->n_lenders; j < p->n && !p->stopped; j++) {
        int64_t rest = INT64_MAX;

        p->above = base(p);
        for (uint32_t x = 0; x < p->n_tables; x++) {
            if (row[x][j] != UINT32_MAX && value + row[x][j] < rest) {
                rest = value + row[x][j];
            }
        }
        if (rest <= p->above) {
            break;
        }
        p->skip = false;
        p->root_end = p->q->root_nodes && p->n_kept < p->q->quota
                          ? p->nodes + p->q->root_nodes
                          : UINT64_MAX;
        for (uint32_t c = copies_that_fit(p, room, j);
             c && !p->stopped && !p->skip; c--) {
            for (uint32_t k = 0; k < w; k++) {
                next[k] = room[k] - p->size[(size_t)j * w + k] * (int32_t)c;
            }
            p->path[depth] = j;
            p->copies[depth] = c;
            (void)extend(p, depth + 1, j + 1, value + p->price[j] * c);
        }
        if ((p->stopped || p->skip) && rest > *upper) {
            *upper = rest;
        }
        p->partial |= p->skip;
    }
    p->above = base(p);
    if (p->n_kept == before && value > p->above) {
        keep(p, depth, value);
    }
}

/* Every choice of lenders, then the rest. */
static void
lend(struct dcp_pack_pricer *p, uint32_t depth, uint32_t t, int64_t value,
     int64_t *upper)
{
    const uint32_t w = p->in->w;
    int32_t *room = p->room + (size_t)depth * w;
    const int32_t *size = p->size + (size_t)t * w;

    for (uint32_t k = 0; k < p->in->d; k++) {
        if (room[k] + p->lent[(size_t)t * w + k] < 0) {
            return;
        }
    }
    if (t == p->n_lenders) {
        search_from(p, depth, value, upper);
        return;
    }
    if (!count_node(p) || depth >= MOST_DEPTH - 1) {
        p->deep |= !p->stopped;
        return;
    }
    for (uint32_t c = p->most[t] + 1; c-- > 0 && !p->stopped;) {
        int64_t worst = 0;

        for (uint32_t k = 0; k < w; k++) {
            int64_t left = room[k] - (int64_t)size[k] * c;

            worst = left < worst ? left : worst;
            room[w + k] = (int32_t)left;
        }
        if (worst < -(INT64_C(1) << 30)) {
            continue;
        }
        p->path[depth] = t;
        p->copies[depth] = c;
        lend(p, depth + 1, t + 1, value + p->price[t] * c, upper);
    }
}

bool
dcp_pack_price(struct dcp_pack_pricer *p, const struct dcp_pack_question *q,
               struct dcp_pack_patterns *found, struct dcp_pack_reply *out)
{
    int64_t upper = q->above;

    p->q = q;
    p->found = found;
    p->above = p->best = q->above;
    p->n_kept = 0;
    p->nodes = 0;
    p->stopped = p->failed = p->deep = p->partial = p->skip = false;
    p->root_end = UINT64_MAX;
    choose_positions(p);
    if (!dcp_pack_make_tables(p)) {
        return false;
    }
    memcpy(p->room, dcp_pack_room(p->in, q->bin), p->in->w * sizeof *p->room);
    lend(p, 0, 0, 0, &upper);
    out->best = p->best;
    out->nodes = p->nodes;
    out->exact = !p->stopped && !p->deep && !p->partial;
    if (p->deep || (!out->exact && p->n_lenders)) {
        upper = INT64_MAX;
    }
    out->upper = out->exact || p->best > upper ? p->best : upper;
    return !p->failed;
}
