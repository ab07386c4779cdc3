/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Packing in two halves.  Islands (solver/search/islands.h) share nothing, so
 * those of one half are packed on one thread, those of the other half on
 * another, each by a search of its own on a state of its own; then what the
 * second did is done again where the first is.  On one thread one half is
 * packed after the other, which is the same. */

#include "solver/run/pair.h"
#include "solver/search/parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STREAM 64u /* Of random numbers, of the second half. */

struct half {
    struct search *x;
    bool ok;
    struct dcp_error err;
};

static void
pack_half(void *task)
{
    struct half *h = task;

    h->ok = dcp_search_with_reserves(h->x, &h->err);
    if (h->ok && h->x->in.trail.failed) {
        h->ok = dcp_fail(&h->err, DCP_E_NOMEM, "no memory for a search");
    }
}

/* Whether islands are worth it, and may be parted: what all hosts together must
 * keep is then kept by the bound, which no legal packing is below. */
static bool
may_part(const struct search *x)
{
    return x->islands.n > 1 && !x->s->n_unplaced &&
           x->bound->hosts > x->p->q->inventory->policy.keep_on;
}

/* Parts islands so that both halves have about as many items: the largest
 * first, each to the lighter half.  'second': by region, 1 = of the second. */
static bool
part(const struct search *x, uint8_t *first, uint8_t *second)
{
    const struct dcp_islands *all = &x->islands;
    uint32_t weight[2] = { 0, 0 };
    DCP_FREE uint32_t *n_items = calloc(all->n + 1u, sizeof *n_items);
    DCP_FREE uint8_t *side = calloc(all->n + 1u, 1);

    if (!n_items || !side) {
        return false;
    }
    for (uint32_t i = 0; i < x->p->n_items; i++) {
        n_items[all->of_host[x->s->host[i]]]++;
    }
    for (uint32_t k = 0; k < all->n; k++) {
        uint32_t largest = DCP_IX_NONE;

        for (uint32_t j = 0; j < all->n; j++) {
            if (n_items[j] != UINT32_MAX &&
                (largest == DCP_IX_NONE || n_items[j] > n_items[largest])) {
                largest = j;
            }
        }
        side[largest] = weight[1] < weight[0];
        weight[side[largest]] += n_items[largest];
        n_items[largest] = UINT32_MAX;
    }
    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        bool is_second = side[all->of_host[h]];

        second[x->bound->region[h]] = is_second;
        first[x->bound->region[h]] = !is_second;
    }
    return true;
}

/* What regions that are not the search's own would save if they came down to
 * what the bound's program has on; where only hosts count. */
static double
expected_elsewhere(const struct search *x)
{
    const struct dcp_problem *p = x->p;
    double n = 0, all = 0;

    for (uint32_t k = 0; k < x->bound->n_regions * p->n_types; k++) {
        all += ceil(x->bound->type_on[k] - 1e-6);
    }
    /* Without a whole answer of the bound's program nothing is expected. */
    if (!dcp_pricing_counts_hosts_alone(p) || all < x->bound->hosts) {
        return 0;
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        n += x->s->on[h] && !x->own_regions[x->bound->region[h]];
    }
    for (uint32_t k = 0; k < x->bound->n_regions * p->n_types; k++) {
        n -= x->own_regions[k / p->n_types] ? 0
                                            : ceil(x->bound->type_on[k] - 1e-6);
    }
    return fmax(n, 0) * p->pricing->level[0].per_host;
}

/* Does in 'to' what 'from' has in the regions marked. */
static void
take_over(struct dcp_state *to, const struct dcp_state *from,
          const uint8_t *region, const uint8_t *marked)
{
    const struct dcp_problem *p = to->p;

    for (uint32_t i = 0; i < p->n_items; i++) {
        if (marked[region[to->host[i]]] && from->host[i] != to->host[i]) {
            dcp_state_remove(to, i);
        }
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (marked[region[h]] && to->on[h] != from->on[h]) {
            dcp_state_power(to, h, from->on[h]);
        }
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        if (to->host[i] == DCP_IX_NONE) {
            dcp_state_place(to, i, from->host[i]);
        }
    }
}

static bool
pack_both(struct search *x, struct search *y, const uint8_t *first,
          const uint8_t *second, struct dcp_error *err)
{
    struct half a = { .x = x }, b = { .x = y };

    y->told = -INFINITY; /* Only one thread may tell. */
    y->relieved = x->relieved;
    y->again = x->again;
    x->own_regions = first;
    y->own_regions = second;
    x->saved_elsewhere = expected_elsewhere(x);
    y->saved_elsewhere = expected_elsewhere(y);
    dcp_run_pair(pack_half, &a, &b, x->options->threads > 1);
    x->own_regions = NULL;
    x->saved_elsewhere = 0;
    x->out_of_time |= y->out_of_time;
    x->consistent_steps += y->consistent_steps;
    if (!a.ok || !b.ok) {
        const struct dcp_error *e = a.ok ? &b.err : &a.err;

        return dcp_fail(err, e->code, "%s", e->message);
    }
    take_over(x->s, y->s, x->bound->region, second);
    /* Each half may be shown to survive by another form. */
    memset(x->s->loss_form, DCP_LOSS_UNKNOWN, sizeof x->s->loss_form);
    return true;
}

bool
dcp_search_in_halves(struct search *x, struct dcp_error *err)
{
    uint32_t n = x->bound->n_regions;

    if (!may_part(x)) {
        return dcp_search_with_reserves(x, err);
    }
    DCP_FREE uint8_t *marked = calloc(2 * (size_t)n + 1, 1);
    DCP_AUTO(dcp_state) struct dcp_state *s = dcp_state_create(x->p, err);
    struct search y;

    if (!s || !marked || !part(x, marked, marked + n)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    dcp_state_assign(s, x->s);
    bool ok = dcp_search_begin(&y, s, x->bound, x->options, STREAM, err) &&
              pack_both(x, &y, marked, marked + n, err);

    dcp_search_end(&y);
    return ok;
}
