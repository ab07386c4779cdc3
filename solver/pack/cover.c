/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A pattern's worth is kept for what is still left of its items, so it falls as
 * others are chosen; a pattern may be chosen as long as what it then wastes is
 * within the rest of the allowance. */

#define _GNU_SOURCE 1 /* qsort_r */

#include "solver/pack/cover.h"

#include "model/base/rng.h"
#include "solver/pack/clock.h"
#include "solver/pack/columns.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_BINS = 4000, STEPS_PER_LOOK = 1024, FIRST_RUN = 400 };

/* Of the item type, how many copies pattern 'pattern' has. */
struct use {
    uint32_t pattern, copies;
};

struct search {
    const struct dcp_pack_instance *in;
    const struct dcp_pack_cover *q;
    struct dcp_pack_patterns all;
    int64_t *price;        /* [n] */
    int64_t *upper, *toll; /* [m] */
    int64_t scale;
    struct use *use;     /* By item: who uses it. */
    uint32_t *first_use; /* [n + 1] */
    uint32_t *left;      /* [n] */
    int64_t *worth;      /* [patterns] of what is left. */
    uint32_t *used;      /* [m] */
    uint32_t *chosen;    /* Patterns, one for each bin. */
    uint32_t n_chosen, n_left;
    int64_t allowance, all_waste; /* What is left of it; all. */
    double *rarity;               /* [n] */
    double *rating;               /* [patterns] the least first. */
    double noise;
    struct dcp_rng rng;
    uint64_t steps, run_end;
    struct dcp_pack_draft *out;
    uint32_t *stack; /* Candidates of all levels. */
    uint32_t stack_n, stack_capacity;
    bool stopped, failed;
};

static void
search_finish(struct search *s)
{
    dcp_pack_patterns_finish(&s->all);
    free(s->price);
    free(s->upper);
    free(s->toll);
    free(s->use);
    free(s->first_use);
    free(s->left);
    free(s->rarity);
    free(s->rating);
    free(s->worth);
    free(s->used);
    free(s->chosen);
    free(s->stack);
}

/* Prices of at least 1, and what patterns are worth at most at these. */
static bool
set_prices(struct search *s, struct dcp_pack_pricer *pricer, bool *known)
{
    const struct dcp_pack_instance *in = s->in;
    struct dcp_pack_patterns found = { 0 };
    bool ok = true;

    *known = true;
    for (uint32_t i = 0; i < in->n; i++) {
        s->price[i] = s->q->price[i];
        if (s->price[i] < 1 && !in->negative[i]) {
            s->price[i] = 1;
        }
    }
    for (uint32_t b = 0; ok && b < in->m; b++) {
        struct dcp_pack_question q = {
            .bin = b,
            .price = s->price,
            .above = s->q->scale * in->cost[b],
            .max_nodes = s->q->max_nodes,
            .deadline_s = s->q->deadline_s,
        };
        struct dcp_pack_reply reply;

        if (!in->limit[b]) {
            continue;
        }
        ok = dcp_pack_price(pricer, &q, &found, &reply);
        dcp_pack_patterns_clear(&found);
        s->upper[b] = ok ? reply.upper : 0;
        *known &= reply.exact;
    }
    dcp_pack_patterns_finish(&found);
    return ok;
}

/* What all bins together may waste; negative: nothing reaches the target. */
static dcp_pack_wide
allowance_of(struct search *s)
{
    const struct dcp_pack_instance *in = s->in;
    dcp_pack_wide sum = 0;

    (void)dcp_pack_price_bound(in, s->price, s->q->scale, s->upper, s->toll,
                               &s->scale);
    for (uint32_t i = 0; i < in->n; i++) {
        sum -= (dcp_pack_wide)s->price[i] * in->demand[i];
    }
    for (uint32_t b = 0; b < in->m; b++) {
        if (s->toll[b]) {
            sum += (dcp_pack_wide)s->toll[b] * in->limit[b];
        }
    }
    return sum + (dcp_pack_wide)s->scale * (int64_t)s->q->target;
}

static int64_t
full_worth(const struct search *s, uint32_t b)
{
    return s->scale * s->in->cost[b] + s->toll[b];
}

static bool
enumerate(struct search *s, struct dcp_pack_pricer *pricer, bool *complete)
{
    *complete = true;
    for (uint32_t b = 0; b < s->in->m && *complete; b++) {
        int64_t above = full_worth(s, b) - s->allowance - 1;
        struct dcp_pack_question q = {
            .bin = b,
            .price = s->price,
            .above = above > 0 ? above : 0,
            .all = s->q->max_patterns,
            .max_nodes = s->q->max_nodes,
            .deadline_s = s->q->deadline_s,
        };
        struct dcp_pack_reply reply;

        if (!s->in->limit[b]) {
            continue;
        }
        if (!dcp_pack_price(pricer, &q, &s->all, &reply)) {
            return false;
        }
        *complete = reply.exact && s->all.n < s->q->max_patterns;
    }
    return true;
}

/* --- The cover ----------------------------------------------------------- */

static bool
prepare(struct search *s)
{
    const struct dcp_pack_instance *in = s->in;
    const struct dcp_pack_patterns *all = &s->all;
    DCP_FREE uint32_t *next = calloc(in->n + 1u, sizeof *next);

    s->use = calloc(all->n_entries + 1u, sizeof *s->use);
    s->first_use = calloc(in->n + 2u, sizeof *s->first_use);
    s->left = calloc(in->n + 1u, sizeof *s->left);
    s->worth = calloc(all->n + 1u, sizeof *s->worth);
    s->used = calloc(in->m, sizeof *s->used);
    s->rarity = calloc(in->n + 1u, sizeof *s->rarity);
    s->rating = calloc(all->n + 1u, sizeof *s->rating);
    s->chosen = calloc(MOST_BINS, sizeof *s->chosen);
    if (!next || !s->use || !s->first_use || !s->left || !s->worth ||
        !s->used || !s->chosen || !s->rarity || !s->rating) {
        return false;
    }
    for (uint32_t x = 0; x < all->n_entries; x++) {
        s->first_use[all->item[x] + 1]++;
    }
    for (uint32_t i = 0; i < in->n; i++) {
        s->first_use[i + 1] += s->first_use[i];
        next[i] = s->first_use[i];
        s->left[i] = in->demand[i];
        s->n_left += in->demand[i];
    }
    for (uint32_t p = 0; p < all->n; p++) {
        for (uint32_t x = all->first[p]; x < all->first[p + 1]; x++) {
            uint32_t i = all->item[x];

            if (next[i] > s->first_use[i] && s->use[next[i] - 1].pattern == p) {
                s->use[next[i] - 1].copies++;
            } else {
                s->use[next[i]++] = (struct use){ p, 1 };
            }
            s->worth[p] += s->price[i];
        }
    }
    /* Copies share a row: the rows end early, with copies 0. */
    for (uint32_t i = 0; i < in->n; i++) {
        uint32_t n = 0;

        for (uint32_t x = s->first_use[i]; x < s->first_use[i + 1]; x++) {
            n += s->use[x].copies > 0;
        }
        s->rarity[i] = 1.0 / (n + 1);
    }
    return true;
}

static uint32_t
least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void
set_left(struct search *s, uint32_t item, uint32_t left)
{
    uint32_t before = s->left[item];

    for (uint32_t x = s->first_use[item]; x < s->first_use[item + 1]; x++) {
        const struct use *u = &s->use[x];

        if (!u->copies) {
            break;
        }
        s->worth[u->pattern] +=
            s->price[item] * ((int64_t)least(u->copies, left) -
                              (int64_t)least(u->copies, before));
    }
    s->n_left = s->n_left - before + left;
    s->left[item] = left;
}

static int64_t
waste(const struct search *s, uint32_t p)
{
    return full_worth(s, s->all.bin[p]) - s->worth[p];
}

/* A lender cannot be left out of its pattern. */
static bool
lenders_left(const struct search *s, uint32_t p)
{
    const struct dcp_pack_patterns *all = &s->all;

    for (uint32_t x = all->first[p]; x < all->first[p + 1]; x++) {
        uint32_t i = all->item[x], copies = 0;

        for (uint32_t y = all->first[p]; y < all->first[p + 1]; y++) {
            copies += all->item[y] == i;
        }
        if (s->in->negative[i] && copies > s->left[i]) {
            return false;
        }
    }
    return true;
}

static bool
usable(const struct search *s, uint32_t p)
{
    return waste(s, p) <= s->allowance &&
           s->used[s->all.bin[p]] < s->in->limit[s->all.bin[p]] &&
           (!s->in->n_negative || lenders_left(s, p));
}

/* The item with the fewest patterns; *out_n of these. */
static uint32_t
hardest(const struct search *s, uint32_t *out_n)
{
    uint32_t best = UINT32_MAX, fewest = UINT32_MAX;

    for (uint32_t i = 0; i < s->in->n && fewest > 1; i++) {
        uint32_t n = 0;

        if (!s->left[i]) {
            continue;
        }
        for (uint32_t x = s->first_use[i];
             x < s->first_use[i + 1] && s->use[x].copies && n < fewest; x++) {
            n += usable(s, s->use[x].pattern);
        }
        if (n < fewest) {
            fewest = n;
            best = i;
        }
    }
    *out_n = fewest;
    return best;
}

/* Little waste, and items that few patterns have; a little at random. */
static void
rate(struct search *s, uint32_t p)
{
    const struct dcp_pack_patterns *all = &s->all;
    double rare = 0;

    for (uint32_t x = all->first[p]; x < all->first[p + 1]; x++) {
        uint32_t i = all->item[x];

        rare += s->left[i] ? s->rarity[i] : 0;
    }
    s->rating[p] = 2 * (double)waste(s, p) / ((double)s->all_waste + 1) -
                   rare * (1 + s->noise * dcp_rng_unit(&s->rng));
}

static int
by_rating(const void *a, const void *b, void *context)
{
    const struct search *s = context;
    uint32_t p = *(const uint32_t *)a, q = *(const uint32_t *)b;

    if (s->rating[p] < s->rating[q] || s->rating[p] > s->rating[q]) {
        return s->rating[p] < s->rating[q] ? -1 : 1;
    }
    return p < q ? -1 : p > q;
}

/* Puts the candidates for 'item' on the stack; false: no memory. */
static bool
push(struct search *s, uint32_t item, uint32_t n)
{
    if (s->stack_n + n > s->stack_capacity) {
        uint32_t capacity = 2 * (s->stack_n + n) + 256;
        uint32_t *more = realloc(s->stack, capacity * sizeof *more);

        if (!more) {
            return false;
        }
        s->stack = more;
        s->stack_capacity = capacity;
    }
    uint32_t from = s->stack_n;

    for (uint32_t x = s->first_use[item];
         x < s->first_use[item + 1] && s->use[x].copies; x++) {
        if (usable(s, s->use[x].pattern)) {
            rate(s, s->use[x].pattern);
            s->stack[s->stack_n++] = s->use[x].pattern;
        }
    }
    if (s->stack_n > from) {
        qsort_r(s->stack + from, s->stack_n - from, sizeof *s->stack, by_rating,
                s);
    }
    return true;
}

/* Takes what is left of the pattern's items; 'taken' of each entry. */
static void
take(struct search *s, uint32_t p, bool give_back)
{
    const struct dcp_pack_patterns *all = &s->all;
    struct dcp_pack_draft *out = s->out;

    if (give_back) {
        s->n_chosen--;
        s->used[all->bin[p]]--;
        while (out->n_placed && out->in_bin[out->n_placed - 1] == s->n_chosen) {
            uint32_t i = out->item[--out->n_placed];

            set_left(s, i, s->left[i] + 1);
        }
        s->allowance += waste(s, p);
        return;
    }
    s->allowance -= waste(s, p);
    for (uint32_t x = all->first[p]; x < all->first[p + 1]; x++) {
        uint32_t i = all->item[x];

        if (s->left[i]) {
            set_left(s, i, s->left[i] - 1);
            out->item[out->n_placed] = i;
            out->in_bin[out->n_placed++] = s->n_chosen;
        }
    }
    out->bin_type[s->n_chosen] = all->bin[p];
    s->used[all->bin[p]]++;
    s->chosen[s->n_chosen++] = p;
}

/* True: a packing is in the draft. */
static bool
cover(struct search *s)
{
    uint32_t n, from = s->stack_n;

    if (!s->n_left) {
        s->out->n_bins = s->n_chosen;
        return true;
    }
    if (++s->steps > s->run_end || s->n_chosen == MOST_BINS ||
        (s->steps % STEPS_PER_LOOK == 0 && dcp_pack_now() > s->q->deadline_s)) {
        s->stopped = true;
        return false;
    }
    uint32_t item = hardest(s, &n);

    if (!push(s, item, n)) {
        s->failed = s->stopped = true;
        return false;
    }
    uint32_t to = s->stack_n;

    for (uint32_t x = from; x < to && !s->stopped; x++) {
        uint32_t p = s->stack[x];

        take(s, p, false);
        if (cover(s)) {
            return true;
        }
        take(s, p, true);
    }
    s->stack_n = from;
    return false;
}

/* Runs that are cut short are begun anew with other dice, each longer than the
 * one before (Luby, Sinclair & Zuckerman, Inf. Process. Lett. 47, 1993, say
 * why); one that ends by itself has tried everything. */
static bool
search_all(struct search *s, enum dcp_pack_cover_end *end)
{
    uint64_t run = FIRST_RUN;

    s->all_waste = s->allowance;
    for (uint64_t r = 0; s->steps < s->q->max_steps && !s->failed; r++) {
        s->rng = dcp_rng_stream(s->q->seed, "cover", r);
        s->noise = r ? 0.8 : 0;
        s->run_end =
            s->steps + run < s->q->max_steps ? s->steps + run : s->q->max_steps;
        s->stopped = false;
        s->out->n_bins = 0;
        s->out->n_placed = 0;
        if (cover(s)) {
            *end = DCP_PACK_COVER_FOUND;
            return dcp_pack_draft_settle(s->out, s->in);
        }
        if (!s->stopped) {
            *end = DCP_PACK_COVER_NONE;
            return true;
        }
        if (dcp_pack_now() > s->q->deadline_s) {
            break;
        }
        s->stack_n = 0;
        run += run / 2;
    }
    return !s->failed;
}

static bool
keep(const struct search *s)
{
    const struct dcp_pack_patterns *all = &s->all;

    for (uint32_t p = 0; p < all->n; p++) {
        if (!dcp_pack_patterns_add(s->q->keep, all->bin[p],
                                   all->first[p + 1] - all->first[p],
                                   all->item + all->first[p])) {
            return false;
        }
    }
    return true;
}

static bool
run(struct search *s, struct dcp_pack_pricer *pricer,
    enum dcp_pack_cover_end *end)
{
    bool known, complete;

    *end = DCP_PACK_COVER_LIMIT;
    if (!set_prices(s, pricer, &known)) {
        return false;
    }
    dcp_pack_wide allowance = known ? allowance_of(s) : 0;

    if (!known || allowance > INT64_C(1) << 60) {
        return true;
    }
    if (allowance < 0) {
        *end = DCP_PACK_COVER_NONE;
        return true;
    }
    s->allowance = (int64_t)allowance;
    if (!enumerate(s, pricer, &complete)) {
        return false;
    }
    if (!complete) {
        return true;
    }
    if (!prepare(s) || (s->q->keep && !keep(s))) {
        return false;
    }
    return search_all(s, end);
}

bool
dcp_pack_cover_run(const struct dcp_pack_instance *in,
                   struct dcp_pack_pricer *pricer,
                   const struct dcp_pack_cover *q, struct dcp_pack_draft *out,
                   enum dcp_pack_cover_end *end, struct dcp_error *err)
{
    struct search s = {
        .in = in,
        .q = q,
        .out = out,
        .price = calloc(in->n + 1u, sizeof *s.price),
        .upper = calloc(in->m, sizeof *s.upper),
        .toll = calloc(in->m, sizeof *s.toll),
    };
    bool ok = s.price && s.upper && s.toll && run(&s, pricer, end);

    search_finish(&s);
    return ok || dcp_fail(err, DCP_E_NOMEM, "no memory to search a cover");
}
