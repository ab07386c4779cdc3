/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/pack/columns.h"

#include "solver/pack/clock.h"
#include "solver/pack/columns_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    PRICE_BITS = 20, /* The dearest bin is worth about 2^20. */
    ARTIFICIAL = 20, /* Times the dearest bin. */
    QUOTA = 200,     /* Columns a round, of one bin type. */
    FIRST_NODES = 80000,
    ROOT_NODES = 120, /* Of these for each first item. */
};
static const double tolerance = 1e-6;

/* --- Creation ---------------------------------------------------------------
 */

static struct dcp_lp_live *
make_program(struct dcp_pack_columns *c, struct dcp_error *err)
{
    const struct dcp_pack_instance *in = c->in;
    DCP_AUTO(dcp_lp) struct dcp_lp *lp = dcp_lp_create(err);
    uint32_t dearest = 1;
    bool ok = lp;

    for (uint32_t b = 0; b < in->m; b++) {
        dearest = in->cost[b] > dearest ? in->cost[b] : dearest;
    }
    for (uint32_t i = 0; ok && i < in->n; i++) {
        double low = in->demand[i];
        uint32_t row =
            dcp_lp_add_row(lp, low, in->negative[i] ? low : DCP_LP_INF);
        uint32_t col =
            dcp_lp_add_col(lp, 0, DCP_LP_INF, ARTIFICIAL * dearest, false);

        ok = row != UINT32_MAX && col != UINT32_MAX &&
             dcp_lp_set(lp, row, col, 1);
    }
    c->n_rows = in->n;
    for (uint32_t b = 0; ok && b < in->m; b++) {
        c->limit_row[b] = UINT32_MAX;
        if (in->limit[b] != UINT32_MAX) {
            c->limit_row[b] = c->n_rows++;
            ok = dcp_lp_add_row(lp, -DCP_LP_INF, in->limit[b]) != UINT32_MAX;
        }
    }
    if (!ok) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a linear program");
        return NULL;
    }
    c->scale = ((INT64_C(1) << PRICE_BITS) + dearest - 1) / dearest;
    return dcp_lp_live_create(lp, err);
}

/* The center starts at prices by size: what L1 is the value of. */
static void
start_center(struct dcp_pack_columns *c)
{
    const struct dcp_pack_instance *in = c->in;
    double most = 0;
    uint32_t best = 0;

    for (uint32_t k = 0; k < in->d; k++) {
        double room = dcp_pack_room(in, 0)[k] + 1e-9;

        if ((double)in->total[k] / room > most) {
            most = (double)in->total[k] / room;
            best = k;
        }
    }
    for (uint32_t i = 0; i < in->n; i++) {
        double room = dcp_pack_room(in, 0)[best] + 1e-9;

        c->center[i] =
            fmax(0, fmin(1, dcp_pack_size(in, i)[best] / room)) * in->cost[0];
    }
}

struct dcp_pack_columns *
dcp_pack_columns_create(const struct dcp_pack_instance *in,
                        struct dcp_error *err)
{
    DCP_AUTO(dcp_pack_columns)
    struct dcp_pack_columns *c = calloc(1, sizeof *c);
    size_t n = in->n + 1u, m = in->m;

    if (c) {
        c->in = in;
        c->left = calloc(n, sizeof *c->left);
        c->duals = calloc(n + m, sizeof *c->duals);
        c->center = calloc(n + m, sizeof *c->center);
        c->mixed = calloc(n + m, sizeof *c->mixed);
        c->limit_row = calloc(m, sizeof *c->limit_row);
        c->price = calloc(n, sizeof *c->price);
        c->upper = calloc(m, sizeof *c->upper);
        c->toll = calloc(m, sizeof *c->toll);
        c->entry = calloc(n + m, sizeof *c->entry);
        c->row = calloc(n + m, sizeof *c->row);
        c->best_price = calloc(n, sizeof *c->best_price);
        c->best_toll = calloc(m, sizeof *c->best_toll);
    }
    if (!c || !c->left || !c->duals || !c->center || !c->mixed ||
        !c->limit_row || !c->price || !c->upper || !c->toll || !c->entry ||
        !c->row || !c->best_price || !c->best_toll) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for columns");
        return NULL;
    }
    c->pricer = dcp_pack_pricer_create(in, err);
    c->lp = c->pricer ? make_program(c, err) : NULL;
    if (!c->lp) {
        return NULL;
    }
    memcpy(c->left, in->demand, in->n * sizeof *c->left);
    c->whole = true;
    c->best_scale = 1;
    c->mix = 0.6;
    start_center(c);
    return DCP_STEAL(c);
}

void
dcp_pack_columns_destroy(struct dcp_pack_columns *c)
{
    if (c) {
        dcp_lp_live_destroy(c->lp);
        dcp_pack_pricer_destroy(c->pricer);
        dcp_pack_patterns_finish(&c->patterns);
        dcp_pack_patterns_finish(&c->found);
        free(c->seen);
        free(c->left);
        free(c->x);
        free(c->duals);
        free(c->center);
        free(c->mixed);
        free(c->limit_row);
        free(c->price);
        free(c->upper);
        free(c->toll);
        free(c->entry);
        free(c->row);
        free(c->best_price);
        free(c->best_toll);
        free(c);
    }
}

/* --- Columns ------------------------------------------------------------- */

static int
ascending(const void *a, const void *b)
{
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;

    return i < j ? -1 : i > j;
}

static uint64_t
hash(uint32_t bin, uint32_t n, const uint32_t *items)
{
    uint64_t h = 0x9e3779b97f4a7c15u ^ bin;

    for (uint32_t x = 0; x < n; x++) {
        h = (h ^ items[x]) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    return h ? h : 1;
}

/* False: no memory.  *is_new: it was not there. */
static bool
remember(struct dcp_pack_columns *c, uint64_t h, bool *is_new)
{
    if (2 * (c->patterns.n + 1) > c->seen_capacity) {
        uint32_t capacity = c->seen_capacity ? 2 * c->seen_capacity : 4096;
        uint64_t *more = calloc(capacity, sizeof *more);

        if (!more) {
            return false;
        }
        for (uint32_t x = 0; x < c->seen_capacity; x++) {
            if (c->seen[x]) {
                uint32_t at = (uint32_t)c->seen[x] & (capacity - 1);

                while (more[at]) {
                    at = (at + 1) & (capacity - 1);
                }
                more[at] = c->seen[x];
            }
        }
        free(c->seen);
        c->seen = more;
        c->seen_capacity = capacity;
    }
    uint32_t at = (uint32_t)h & (c->seen_capacity - 1);

    while (c->seen[at] && c->seen[at] != h) {
        at = (at + 1) & (c->seen_capacity - 1);
    }
    *is_new = !c->seen[at];
    c->seen[at] = h;
    return true;
}

bool
dcp_pack_columns_add(struct dcp_pack_columns *c, uint32_t bin, uint32_t n,
                     uint32_t *items, bool *added, struct dcp_error *err)
{
    uint32_t n_rows = 0;

    qsort(items, n, sizeof *items, ascending);
    if (!remember(c, hash(bin, n, items), added)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for columns");
    }
    if (!*added) {
        return true;
    }
    for (uint32_t x = 0; x < n; x++) {
        if (x && items[x] == items[x - 1]) {
            c->entry[n_rows - 1] += 1;
        } else {
            c->row[n_rows] = items[x];
            c->entry[n_rows++] = 1;
        }
    }
    if (c->limit_row[bin] != UINT32_MAX) {
        c->row[n_rows] = c->limit_row[bin];
        c->entry[n_rows++] = 1;
    }
    if (!dcp_pack_patterns_add(&c->patterns, bin, n, items)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for columns");
    }
    return dcp_lp_live_add_col(c->lp, 0, DCP_LP_INF, c->in->cost[bin], n_rows,
                               c->row, c->entry, err);
}

bool
dcp_pack_columns_seed(struct dcp_pack_columns *c,
                      const struct dcp_pack_draft *d, struct dcp_error *err)
{
    DCP_FREE uint32_t *first = calloc(d->n_bins + 2u, sizeof *first);
    DCP_FREE uint32_t *item = calloc(d->n_placed + 1u, sizeof *item);
    bool ok = true, added;

    if (!first || !item) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for columns");
    }
    for (uint32_t e = 0; e < d->n_placed; e++) {
        first[d->in_bin[e] + 2]++;
    }
    for (uint32_t b = 0; b < d->n_bins; b++) {
        first[b + 1] += first[b];
    }
    first[d->n_bins + 1] = d->n_placed;
    for (uint32_t e = 0; e < d->n_placed; e++) {
        item[first[d->in_bin[e] + 1]++] = d->item[e];
    }
    for (uint32_t b = 0; ok && b < d->n_bins; b++) {
        ok = dcp_pack_columns_add(c, d->bin_type[b], first[b + 1] - first[b],
                                  item + first[b], &added, err);
    }
    return ok;
}

bool
dcp_pack_columns_add_all(struct dcp_pack_columns *c,
                         struct dcp_pack_patterns *p, struct dcp_error *err)
{
    bool added;

    for (uint32_t x = 0; x < p->n; x++) {
        if (!dcp_pack_columns_add(c, p->bin[x], p->first[x + 1] - p->first[x],
                                  p->item + p->first[x], &added, err)) {
            return false;
        }
    }
    return true;
}

bool
dcp_pack_columns_set_left(struct dcp_pack_columns *c, const uint32_t *left,
                          struct dcp_error *err)
{
    const struct dcp_pack_instance *in = c->in;
    bool ok = true;

    c->whole = true;
    for (uint32_t i = 0; ok && i < in->n; i++) {
        if (left[i] != c->left[i]) {
            double low = left[i];

            c->left[i] = left[i];
            c->moved = true;
            ok = dcp_lp_live_set_row(c->lp, i, low,
                                     in->negative[i] ? low : DCP_LP_INF, err);
        }
        c->whole &= left[i] == in->demand[i];
    }
    return ok;
}

bool
dcp_pack_columns_solve(struct dcp_pack_columns *c, double deadline_s,
                       bool *out_solved, struct dcp_error *err)
{
    uint32_t n = dcp_lp_live_n_cols(c->lp);
    struct dcp_lp_live_options o = { .dual = c->moved };
    struct dcp_lp_answer a;

    if (n > c->x_capacity) {
        free(c->x);
        c->x_capacity = 2 * n;
        c->x = calloc(c->x_capacity, sizeof *c->x);
        if (!c->x) {
            c->x_capacity = 0;
            return dcp_fail(err, DCP_E_NOMEM, "no memory for columns");
        }
    }
    if (deadline_s < DCP_PACK_NO_DEADLINE) {
        o.time_limit_s = fmax(deadline_s - dcp_pack_now(), 1e-3);
    }
    if (!dcp_lp_live_solve(c->lp, &o, &a, c->x, c->duals, err)) {
        return false;
    }
    *out_solved = a.status == DCP_LP_OPTIMAL;
    if (*out_solved) {
        c->value = a.value;
        c->moved = false;
    }
    return true;
}

/* --- Bounds -------------------------------------------------------------- */

/* (sum of price * demand - sum of toll * limit) / scale, as it is. */
static double
worth_of_all(const struct dcp_pack_instance *in, const int64_t *price,
             const int64_t *toll, int64_t scale, uint64_t *out_bound)
{
    dcp_pack_wide sum = 0;

    for (uint32_t i = 0; i < in->n; i++) {
        sum += (dcp_pack_wide)price[i] * in->demand[i];
    }
    for (uint32_t b = 0; b < in->m; b++) {
        if (toll[b]) {
            sum -= (dcp_pack_wide)toll[b] * in->limit[b];
        }
    }
    *out_bound = sum > 0 ? (uint64_t)((sum + scale - 1) / scale) : 0;
    return (double)sum / (double)scale;
}

/* Fills the tolls that 'scale' needs. */
static void
set_tolls(const struct dcp_pack_instance *in, const int64_t *upper,
          int64_t scale, int64_t *toll)
{
    for (uint32_t b = 0; b < in->m; b++) {
        int64_t over = in->limit[b] ? upper[b] - scale * in->cost[b] : 0;

        toll[b] = over > 0 ? over : 0;
    }
}

uint64_t
dcp_pack_price_bound(const struct dcp_pack_instance *in, const int64_t *price,
                     int64_t scale, const int64_t *upper, int64_t *toll,
                     int64_t *out_scale)
{
    int64_t least = scale, best_scale = scale;
    uint64_t best = 0, bound;

    for (uint32_t b = 0; b < in->m; b++) {
        if (in->limit[b] && upper[b] == INT64_MAX) {
            return 0;
        }
        if (in->limit[b] == UINT32_MAX) { /* No toll can be charged. */
            int64_t needed = (upper[b] + in->cost[b] - 1) / in->cost[b];

            least = needed > least ? needed : least;
        }
    }
    /* The least scale, or one at which one more type needs no toll. */
    for (uint32_t b = 0; b <= in->m; b++) {
        int64_t at = least;

        if (b < in->m) {
            at = in->limit[b] ? (upper[b] + in->cost[b] - 1) / in->cost[b] : 0;
        }
        if (at >= least) {
            set_tolls(in, upper, at, toll);
            (void)worth_of_all(in, price, toll, at, &bound);
            if (bound > best) {
                best_scale = at;
                best = bound;
            }
        }
    }
    best_scale = best_scale > least ? best_scale : least;
    set_tolls(in, upper, best_scale, toll);
    *out_scale = best_scale;
    return best;
}

static void
note_bound(struct dcp_pack_columns *c)
{
    const struct dcp_pack_instance *in = c->in;
    int64_t scale;
    uint64_t bound = dcp_pack_price_bound(in, c->price, c->scale, c->upper,
                                          c->toll, &scale),
             same;

    if (!bound) {
        return;
    }
    double value = worth_of_all(in, c->price, c->toll, scale, &same);

    if (value > c->best_value) {
        c->best_value = value;
        c->bound = bound;
        c->best_scale = scale;
        memcpy(c->best_price, c->price, in->n * sizeof *c->price);
        memcpy(c->best_toll, c->toll, in->m * sizeof *c->toll);
    }
}

/* --- Rounds -------------------------------------------------------------- */

static double
dual_worth(const struct dcp_pack_columns *c, uint32_t pattern)
{
    const struct dcp_pack_patterns *f = &c->found;
    uint32_t row = c->limit_row[f->bin[pattern]];
    double sum = row == UINT32_MAX ? 0 : c->duals[row];

    for (uint32_t x = f->first[pattern]; x < f->first[pattern + 1]; x++) {
        sum += c->duals[f->item[x]];
    }
    return sum;
}

/* Prices every bin type at 'prices'; what it adds counts in *out_added;
 * *out_exact: and there is nothing else that is worth more. */
static bool
price_all(struct dcp_pack_columns *c, const double *prices, uint64_t max_nodes,
          double deadline_s, uint32_t *out_added, bool *out_exact,
          struct dcp_error *err)
{
    const struct dcp_pack_instance *in = c->in;
    struct dcp_pack_reply reply;
    bool added;

    *out_added = 0;
    *out_exact = true;
    for (uint32_t i = 0; i < in->n; i++) {
        c->price[i] = (int64_t)floor(prices[i] * (double)c->scale);
    }
    dcp_pack_patterns_clear(&c->found);
    for (uint32_t b = 0; b < in->m; b++) {
        uint32_t row = c->limit_row[b];
        int64_t toll =
            row == UINT32_MAX
                ? 0
                : (int64_t)ceil(fmax(0, -prices[row]) * (double)c->scale);
        struct dcp_pack_question q = {
            .bin = b,
            .price = c->price,
            .most = c->left,
            .above = c->scale * in->cost[b] + toll,
            .quota = in->m > 4 ? QUOTA / 4 : QUOTA,
            .max_nodes = max_nodes,
            .root_nodes = max_nodes == FIRST_NODES ? ROOT_NODES : 0,
            .deadline_s = deadline_s,
        };

        if (!in->limit[b]) {
            continue;
        }
        if (!dcp_pack_price(c->pricer, &q, &c->found, &reply)) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory to price patterns");
        }
        c->upper[b] = reply.upper;
        *out_exact &= reply.exact;
    }
    for (uint32_t f = 0; f < c->found.n; f++) {
        uint32_t from = c->found.first[f], to = c->found.first[f + 1];

        if (dual_worth(c, f) <= in->cost[c->found.bin[f]] + tolerance) {
            continue;
        }
        if (!dcp_pack_columns_add(c, c->found.bin[f], to - from,
                                  c->found.item + from, &added, err)) {
            return false;
        }
        *out_added += added;
    }
    return true;
}

/* The least whole cost that a value stands for. */
static double
whole(double value)
{
    return ceil(value - tolerance);
}

/* Columns at the mixed prices, else at the duals with more and more nodes.
 * *out_added 0: there are none, or (not *out_exact) none was found. */
static bool
find_columns(struct dcp_pack_columns *c,
             const struct dcp_pack_columns_limits *limits, uint32_t *out_added,
             bool *out_exact, struct dcp_error *err)
{
    double mix = c->whole ? c->mix : 0;
    uint64_t nodes = FIRST_NODES;

    for (;;) {
        for (uint32_t r = 0; r < c->n_rows; r++) {
            c->mixed[r] = mix * c->center[r] + (1 - mix) * c->duals[r];
        }
        if (limits->max_nodes && nodes > limits->max_nodes) {
            nodes = limits->max_nodes;
        }
        if (!price_all(c, c->mixed, nodes, limits->deadline_s, out_added,
                       out_exact, err)) {
            return false;
        }
        if (c->whole) {
            note_bound(c);
            memcpy(c->center, c->mixed, c->n_rows * sizeof *c->mixed);
        }
        if (*out_added || (mix <= 0 && *out_exact) ||
            dcp_pack_now() > limits->deadline_s) {
            return true;
        }
        if (c->whole && whole(c->value) <= (double)c->bound) {
            return true;
        }
        if (mix > 0) { /* The mix led astray. */
            mix = mix > 0.3 ? mix - 0.3 : 0;
        } else if (nodes == limits->max_nodes) {
            return true;
        } else {
            nodes *= 16;
        }
    }
}

static bool
closed(const struct dcp_pack_board *board)
{
    return board && atomic_load(&board->cost) <= atomic_load(&board->bound);
}

bool
dcp_pack_columns_run(struct dcp_pack_columns *c,
                     const struct dcp_pack_columns_limits *limits,
                     enum dcp_pack_columns_end *out, struct dcp_error *err)
{
    *out = DCP_PACK_COLUMNS_LIMIT;
    for (uint64_t round = 0;; round++) {
        uint32_t added;
        bool exact, solved;

        if (!dcp_pack_columns_solve(c, limits->deadline_s, &solved, err)) {
            return false;
        }
        if (!solved || round >= limits->max_rounds ||
            dcp_pack_now() > limits->deadline_s || closed(limits->board)) {
            return true;
        }
        if (c->whole && whole(c->value) <= (double)c->bound) {
            *out = DCP_PACK_COLUMNS_ROUNDED;
            return true;
        }
        if (c->whole && (double)c->bound > limits->cutoff) {
            *out = DCP_PACK_COLUMNS_CUTOFF;
            return true;
        }
        if (!c->whole && whole(c->value) <= limits->cutoff) {
            *out = DCP_PACK_COLUMNS_ROUNDED;
            return true;
        }
        c->rounds++;
        if (!find_columns(c, limits, &added, &exact, err)) {
            return false;
        }
        if (!added) {
            if (exact && c->whole && whole(c->value) <= (double)c->bound) {
                *out = DCP_PACK_COLUMNS_ROUNDED;
            } else if (exact) {
                *out = DCP_PACK_COLUMNS_OPTIMAL;
            }
            return true;
        }
    }
}

double
dcp_pack_columns_value(const struct dcp_pack_columns *c)
{
    return c->value;
}

uint64_t
dcp_pack_columns_rounds(const struct dcp_pack_columns *c)
{
    return c->rounds;
}

uint64_t
dcp_pack_columns_bound(const struct dcp_pack_columns *c)
{
    return c->bound;
}

struct dcp_pack_certificate
dcp_pack_columns_certificate(const struct dcp_pack_columns *c)
{
    return (struct dcp_pack_certificate){ c->in->n,      c->in->m,
                                          c->best_price, c->best_toll,
                                          c->best_scale, c->bound };
}

const struct dcp_pack_patterns *
dcp_pack_columns_patterns(const struct dcp_pack_columns *c)
{
    return &c->patterns;
}
