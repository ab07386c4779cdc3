/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Bins keep copies of their items' sizes, one after the other, so that a scan
 * over all places reads memory in order. */

#define _GNU_SOURCE 1 /* qsort_r */

#include "solver/pack/shift.h"

#include "model/base/rng.h"
#include "solver/pack/shift_parts.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST_PLACES = 1 << 22,
    STEPS_PER_LOOK = 256,
    REPACK_EVERY = 2,
    STALE = 6000, /* Steps without progress until it is shaken. */
};

/* --- State ---------------------------------------------------------------- */

/* How many items a bin can hold at most. */
static uint32_t
most_in_bin(const struct dcp_pack_instance *in)
{
    uint64_t most = in->n_items;

    for (uint32_t k = 0; k < in->d; k++) {
        int32_t least = INT32_MAX;

        for (uint32_t i = 0; i < in->n; i++) {
            int32_t s = dcp_pack_size(in, i)[k];

            least = s < least ? s : least;
        }
        if (least > 0) {
            uint64_t fit = (uint64_t)dcp_pack_room(in, 0)[k] / (uint64_t)least;

            most = fit < most ? fit : most;
        }
    }
    return (uint32_t)most + 1;
}

static void
shift_finish(struct dcp_pack_shift_state *s)
{
    free(s->type);
    free(s->weight);
    free(s->tabu);
    free(s->count);
    free(s->room);
    free(s->item);
    free(s->size);
    free(s->out);
    free(s->pool);
    free(s->fill);
    free(s->fill_best);
}

static bool
shift_init(struct dcp_pack_shift_state *s, const struct dcp_pack_instance *in,
           uint32_t n_bins)
{
    size_t n = in->n_items + 1u, places;

    s->in = in;
    s->w = in->w;
    s->n = in->n_items;
    s->most = most_in_bin(in);
    places = (size_t)(n_bins + 1) * s->most;
    s->type = calloc(n, sizeof *s->type);
    s->weight = calloc(n, sizeof *s->weight);
    s->tabu = calloc(n, sizeof *s->tabu);
    s->count = calloc(n_bins + 1u, sizeof *s->count);
    s->room = calloc((n_bins + 1u) * (size_t)in->w, sizeof *s->room);
    s->item = calloc(places, sizeof *s->item);
    s->size = calloc(places * in->w, sizeof *s->size);
    s->out = calloc(n, sizeof *s->out);
    s->pool = calloc(n, sizeof *s->pool);
    s->fill = calloc(n, sizeof *s->fill);
    s->fill_best = calloc(n, sizeof *s->fill_best);
    return s->type && s->weight && s->tabu && s->count && s->room && s->item &&
           s->size && s->out && s->pool && s->fill && s->fill_best;
}

/* An item weighs its shares of a bin, of scarce dimensions more. */
static void
weigh(struct dcp_pack_shift_state *s)
{
    const struct dcp_pack_instance *in = s->in;
    double scarcity[DCP_PACK_MAX_DIMS];
    uint32_t n = 0;

    for (uint32_t k = 0; k < in->d; k++) {
        double room = dcp_pack_room(in, 0)[k] + 1e-9;

        scarcity[k] = (double)in->total[k] / room / (s->n_bins + 1.0) / room;
    }
    for (uint32_t i = 0; i < in->n; i++) {
        double sum = 0;

        for (uint32_t k = 0; k < in->d; k++) {
            sum += scarcity[k] * dcp_pack_size(in, i)[k];
        }
        for (uint32_t c = 0; c < in->demand[i]; c++) {
            s->type[n] = i;
            s->weight[n++] = 1 + (int64_t)(sum > 0 ? 1e6 * sum : 0);
        }
    }
}

void
dcp_pack_shift_put(struct dcp_pack_shift_state *s, uint32_t bin, uint32_t e)
{
    size_t place = (size_t)bin * s->most + s->count[bin]++;
    const int32_t *size = dcp_pack_size(s->in, s->type[e]);

    s->item[place] = e;
    memcpy(s->size + place * s->w, size, s->w * sizeof *size);
    dcp_pack_take(s->room + (size_t)bin * s->w, size, s->w);
}

uint32_t
dcp_pack_shift_pull(struct dcp_pack_shift_state *s, uint32_t bin, uint32_t x)
{
    size_t first = (size_t)bin * s->most, last = first + --s->count[bin];
    uint32_t e = s->item[first + x];

    dcp_pack_give(s->room + (size_t)bin * s->w, s->size + (first + x) * s->w,
                  s->w);
    s->item[first + x] = s->item[last];
    memmove(s->size + (first + x) * s->w, s->size + last * s->w,
            s->w * sizeof *s->size);
    return e;
}

static void
leave_out(struct dcp_pack_shift_state *s, uint32_t e)
{
    s->out[s->n_out++] = e;
    s->out_weight += s->weight[e];
}

static void
let_in(struct dcp_pack_shift_state *s, uint32_t x)
{
    s->out_weight -= s->weight[s->out[x]];
    s->out[x] = s->out[--s->n_out];
}

/* Bin 'bin' is no more; its items are out. */
static void
drop_bin(struct dcp_pack_shift_state *s, uint32_t bin)
{
    uint32_t last = --s->n_bins;

    while (s->count[bin]) {
        leave_out(s, dcp_pack_shift_pull(s, bin, s->count[bin] - 1));
    }
    if (bin != last) {
        while (s->count[last]) {
            dcp_pack_shift_put(
                s, bin, dcp_pack_shift_pull(s, last, s->count[last] - 1));
        }
    }
}

static void
load(struct dcp_pack_shift_state *s, const struct dcp_pack_draft *d,
     uint32_t *next)
{
    const struct dcp_pack_instance *in = s->in;

    s->n_bins = d->n_bins;
    s->n_out = 0;
    s->out_weight = 0;
    memset(s->count, 0, d->n_bins * sizeof *s->count);
    memset(s->tabu, 0, s->n * sizeof *s->tabu);
    for (uint32_t b = 0; b < d->n_bins; b++) {
        memcpy(s->room + (size_t)b * s->w, dcp_pack_room(in, 0),
               s->w * sizeof *s->room);
    }
    next[0] = 0;
    for (uint32_t i = 0; i + 1 < in->n; i++) {
        next[i + 1] = next[i] + in->demand[i];
    }
    for (uint32_t e = 0; e < d->n_placed; e++) {
        dcp_pack_shift_put(s, d->in_bin[e], next[d->item[e]]++);
    }
}

static void
save(const struct dcp_pack_shift_state *s, struct dcp_pack_draft *d)
{
    d->n_bins = s->n_bins;
    d->n_placed = 0;
    for (uint32_t b = 0; b < s->n_bins; b++) {
        d->bin_type[b] = 0;
        for (uint32_t x = 0; x < s->count[b]; x++) {
            d->item[d->n_placed] = s->type[s->item[(size_t)b * s->most + x]];
            d->in_bin[d->n_placed++] = b;
        }
    }
}

/* --- Moves ---------------------------------------------------------------- */

/* Out items x (and y) against places p (and q) of a bin; UINT32_MAX: none. */
struct move {
    int64_t change; /* Of the weight that is out. */
    uint32_t bin, x, y, p, q;
};

/* need = size of what comes in - room. */
static void
need_of(const struct dcp_pack_shift_state *s, uint32_t bin, uint32_t x,
        uint32_t y, int32_t *need)
{
    const int32_t *room = s->room + (size_t)bin * s->w;
    const int32_t *a = dcp_pack_size(s->in, s->type[s->out[x]]);

    for (uint32_t k = 0; k < s->w; k++) {
        need[k] = a[k] - room[k];
    }
    if (y != UINT32_MAX) {
        dcp_pack_give(need, dcp_pack_size(s->in, s->type[s->out[y]]), s->w);
    }
}

static void
consider(struct dcp_pack_shift_state *s, struct move *best, struct move m,
         uint32_t *ties)
{
    if (m.change < best->change) {
        *best = m;
        *ties = 1;
    } else if (m.change == best->change && !dcp_rng_below(&s->rng, ++*ties)) {
        *best = m;
    }
}

static bool
may_leave(const struct dcp_pack_shift_state *s, uint32_t e, int64_t change)
{
    return s->tabu[e] <= s->step || s->out_weight + change < s->least_weight;
}

/* What leaves 'bin' for out item x (and y, if not UINT32_MAX). */
static void
scan_bin(struct dcp_pack_shift_state *s, uint32_t bin, uint32_t x, uint32_t y,
         bool pairs, struct move *best, uint32_t *ties)
{
    int32_t need[DCP_PACK_MAX_DIMS], rest[DCP_PACK_MAX_DIMS];
    size_t first = (size_t)bin * s->most;
    int64_t in =
        s->weight[s->out[x]] + (y == UINT32_MAX ? 0 : s->weight[s->out[y]]);

    need_of(s, bin, x, y, need);
    for (uint32_t p = 0; p < s->count[bin]; p++) {
        const int32_t *size = s->size + (first + p) * s->w;
        uint32_t e = s->item[first + p];
        struct move m = { s->weight[e] - in, bin, x, y, p, UINT32_MAX };

        if (dcp_pack_fits(size, need, s->w)) {
            if (m.change <= best->change && may_leave(s, e, m.change)) {
                consider(s, best, m, ties);
            }
            continue;
        }
        if (!pairs || m.change > best->change) {
            continue;
        }
        for (uint32_t k = 0; k < s->w; k++) {
            rest[k] = need[k] - size[k];
        }
        for (m.q = p + 1; m.q < s->count[bin]; m.q++) {
            uint32_t f = s->item[first + m.q];

            m.change = s->weight[e] + s->weight[f] - in;
            if (m.change <= best->change &&
                dcp_pack_fits(s->size + (first + m.q) * s->w, rest, s->w) &&
                may_leave(s, e, m.change) && may_leave(s, f, m.change)) {
                consider(s, best, m, ties);
            }
        }
    }
}

static void
apply(struct dcp_pack_shift_state *s, const struct move *m)
{
    uint32_t in[2] = { s->out[m->x],
                       m->y == UINT32_MAX ? UINT32_MAX : s->out[m->y] };
    uint64_t tenure = 5 + dcp_rng_below(&s->rng, 10) + s->n_out / 2;

    /* The later place and the later out item first: the last one moves. */
    if (m->q != UINT32_MAX) {
        leave_out(s, dcp_pack_shift_pull(s, m->bin, m->q));
    }
    leave_out(s, dcp_pack_shift_pull(s, m->bin, m->p));
    if (m->y != UINT32_MAX && m->y > m->x) {
        let_in(s, m->y);
        let_in(s, m->x);
    } else {
        let_in(s, m->x);
        if (m->y != UINT32_MAX) {
            let_in(s, m->y);
        }
    }
    for (int c = 0; c < 2; c++) {
        if (in[c] != UINT32_MAX) {
            dcp_pack_shift_put(s, m->bin, in[c]);
            s->tabu[in[c]] = s->step + tenure;
        }
    }
}

/* Puts in whatever fits somewhere. */
static void
insert_all(struct dcp_pack_shift_state *s)
{
    for (uint32_t x = 0; x < s->n_out;) {
        uint32_t e = s->out[x], b = 0;
        const int32_t *size = dcp_pack_size(s->in, s->type[e]);

        while (b < s->n_bins &&
               !dcp_pack_fits(s->room + (size_t)b * s->w, size, s->w)) {
            b++;
        }
        if (b < s->n_bins) {
            let_in(s, x);
            dcp_pack_shift_put(s, b, e);
        } else {
            x++;
        }
    }
}

/* One swap: the best that is allowed, up or down. */
static void
swap(struct dcp_pack_shift_state *s)
{
    struct move best = { .change = INT64_MAX };
    uint32_t ties = 0, x = (uint32_t)dcp_rng_below(&s->rng, s->n_out);
    bool pairs = !dcp_rng_below(&s->rng, 4);

    for (uint32_t b = 0; b < s->n_bins; b++) {
        scan_bin(s, b, x, UINT32_MAX, pairs, &best, &ties);
    }
    for (uint32_t y = 0; y < s->n_out && s->n_out <= 12; y++) {
        if (y != x && (best.change >= 0 || s->n_out <= 4)) {
            for (uint32_t b = 0; b < s->n_bins; b++) {
                scan_bin(s, b, x, y, false, &best, &ties);
            }
        }
    }
    if (best.change != INT64_MAX) {
        apply(s, &best);
    }
}

/* Empties a few bins at random. */
static void
shake(struct dcp_pack_shift_state *s)
{
    uint32_t n = 1 + (uint32_t)dcp_rng_below(&s->rng, 2 + s->n_bins / 20);

    while (n--) {
        uint32_t bin = (uint32_t)dcp_rng_below(&s->rng, s->n_bins);

        while (s->count[bin]) {
            leave_out(s, dcp_pack_shift_pull(s, bin, s->count[bin] - 1));
        }
    }
    for (uint32_t x = s->n_out; x > 1; x--) { /* Fisher and Yates. */
        uint32_t y = (uint32_t)dcp_rng_below(&s->rng, x);
        uint32_t e = s->out[x - 1];

        s->out[x - 1] = s->out[y];
        s->out[y] = e;
    }
    insert_all(s);
    s->least_weight = s->out_weight;
}

/* The other thread has a packing of no more bins. */
static bool
overtaken(const struct dcp_pack_shift_state *s, const struct dcp_pack_effort *e)
{
    return dcp_pack_best_cost(e, UINT64_MAX) <=
           (uint64_t)s->n_bins * s->in->cost[0];
}

static void
search(struct dcp_pack_shift_state *s, const struct dcp_pack_effort *e,
       uint64_t most_steps, uint64_t bound)
{
    uint64_t progress = s->step;

    s->least_weight = s->out_weight;
    while (s->n_out && s->step < most_steps) {
        s->step++;
        if (s->step % STEPS_PER_LOOK == 0 &&
            (dcp_pack_done(e, UINT64_MAX - 1, bound) || overtaken(s, e))) {
            return;
        }
        if (s->step % REPACK_EVERY == 0 && s->n_bins > 1) {
            dcp_pack_shift_repack(s);
        } else {
            swap(s);
        }
        insert_all(s);
        if (s->out_weight < s->least_weight) {
            s->least_weight = s->out_weight;
            progress = s->step;
        } else if (s->step - progress > STALE) {
            shake(s);
            progress = s->step;
        }
    }
}

/* --- Whole ------------------------------------------------------------------
 */

static uint32_t
lightest(const struct dcp_pack_shift_state *s)
{
    int64_t least = INT64_MAX;
    uint32_t best = 0;

    for (uint32_t b = 0; b < s->n_bins; b++) {
        int64_t sum = 0;

        for (uint32_t x = 0; x < s->count[b]; x++) {
            sum += s->weight[s->item[(size_t)b * s->most + x]];
        }
        if (sum < least) {
            least = sum;
            best = b;
        }
    }
    return best;
}

bool
dcp_pack_shift(const struct dcp_pack_instance *in,
               const struct dcp_pack_effort *e, uint64_t bound,
               struct dcp_pack_draft *best, uint64_t *out_steps,
               struct dcp_error *err)
{
    struct dcp_pack_shift_state s = {
        .rng = dcp_rng_stream(e->seed, "shift", 0),
    };
    uint64_t most_steps = e->iterations && e->iterations < UINT64_MAX / 1000
                              ? 1000 * e->iterations
                              : UINT64_MAX;

    *out_steps = 0;
    if (in->m > 1 || best->cost == UINT64_MAX || best->n_bins < 2 ||
        (uint64_t)(best->n_bins + 1) * most_in_bin(in) > MOST_PLACES) {
        return true;
    }
    DCP_FREE uint32_t *next = calloc(in->n + 1u, sizeof *next);
    bool ok = next && shift_init(&s, in, best->n_bins);

    if (ok) {
        s.n_bins = best->n_bins;
        weigh(&s);
        load(&s, best, next);
    }
    while (ok && s.step < most_steps && s.n_bins > 1 &&
           !dcp_pack_done(e, best->cost, bound)) {
        uint64_t cost = dcp_pack_best_cost(e, best->cost);

        do {
            drop_bin(&s, lightest(&s));
        } while ((uint64_t)s.n_bins * in->cost[0] >= cost && s.n_bins > 1);
        insert_all(&s);
        search(&s, e, most_steps, bound);
        if (s.n_out) {
            continue; /* It is over, or fewer bins are wanted. */
        }
        save(&s, best);
        ok = dcp_pack_draft_settle(best, in);
        dcp_pack_tell_cost(e, best->cost);
    }
    *out_steps = s.step;
    shift_finish(&s);
    return ok || dcp_fail(err, DCP_E_NOMEM, "no memory to search packings");
}
