/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/assign/anneal.h"

#include "solver/assign/delta.h"

#include <math.h>

/* -ln of numbers spread evenly over (0, 1): how far up a candidate may go, in
 * temperatures. */
#define N_LOGS 4096u

struct anneal {
    struct dcp_assign_walk *w;
    double temperature;
    int64_t slack; /* What may come back as fewer moves within a group. */
    double log[N_LOGS];
    /* Swaps lead home more often than by chance.  Only when it is so cold that
     * costs of moves count: before, they would hold items where they are. */
    bool homeward;
};

/* Whole numbers below 'n', from 32 random bits. */
DCP_INLINE uint32_t
pick(uint32_t bits, uint32_t n)
{
    return (uint32_t)(((uint64_t)bits * n) >> 32);
}

DCP_INLINE int64_t
allowance(const struct anneal *a, uint32_t bits)
{
    return (int64_t)(a->temperature * a->log[bits % N_LOGS]);
}

/* An item: any, or one of the costliest of a few hosts, because what is left
 * to gain is mostly there. */
DCP_INLINE uint32_t
pick_item(const struct anneal *a, uint64_t bits, bool costly)
{
    const struct dcp_assign_state *s = a->w->state;
    const struct dcp_assign_problem *p = s->c->p;

    if (!costly) {
        return pick((uint32_t)bits, p->n_items);
    }
    uint32_t best = pick((uint32_t)(bits & 0xffff) << 16, p->n_hosts);

    for (uint32_t k = 1; k < 3; k++) {
        uint32_t h =
            pick((uint32_t)((bits >> (16 * k)) & 0xffff) << 16, p->n_hosts);

        best = s->host_cost[h] > s->host_cost[best] ? h : best;
    }
    const struct dcp_assign_list *list = &s->list[best];

    return list->n ? list->item[pick((uint32_t)(bits >> 48) << 16, list->n)]
                   : pick((uint32_t)bits, p->n_items);
}

DCP_INLINE void
try_shift(struct anneal *a, uint64_t bits, uint64_t more)
{
    struct dcp_assign_state *s = a->w->state;
    const struct dcp_assign_problem *p = s->c->p;
    uint32_t item = pick_item(a, bits, more & 32);
    uint32_t from = s->at[item];
    uint32_t to = pick((uint32_t)more & ~0x3fu, p->n_hosts);

    if (more % 8 == 0) {
        to = s->c->item[item].start;
    }
    if (to == from) {
        return;
    }
    int64_t most = allowance(a, (uint32_t)(more >> 32));

    if (dcp_assign_shift_delta(s, item, to, most + a->slack) <= most) {
        dcp_assign_walk_put(a->w, item, to);
        dcp_assign_walk_note(a->w);
    }
}

DCP_INLINE void
try_swap(struct anneal *a, uint64_t bits, uint64_t more)
{
    struct dcp_assign_state *s = a->w->state;
    const struct dcp_assign_problem *p = s->c->p;
    uint32_t i = pick_item(a, bits, more & 32);
    uint32_t j = pick((uint32_t)more & ~0x3fu, p->n_items);
    const struct dcp_assign_list *home = &s->list[s->c->item[i].start];

    if (more % 8 == 0 && a->homeward && home->n) {
        j = home->item[pick((uint32_t)more & ~0x3fu, home->n)];
    }
    uint32_t from = s->at[i], to = s->at[j];

    if (to == from) {
        return;
    }
    int64_t most = allowance(a, (uint32_t)(more >> 32));

    if (dcp_assign_swap_delta(s, i, j, most + a->slack) <= most) {
        dcp_assign_walk_put(a->w, i, to);
        dcp_assign_walk_put(a->w, j, from);
        dcp_assign_walk_note(a->w);
    }
}

DCP_INLINE int
many(struct anneal *a, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++) {
        uint64_t bits = dcp_rng_u64(&a->w->rng);
        uint64_t more = dcp_rng_u64(&a->w->rng);

        if (more & 16) {
            try_shift(a, bits, more);
        } else {
            try_swap(a, bits, more);
        }
    }
    a->w->evaluations += n;
    return 0;
}

DCP_FOR_VECTORS(int, many_tries, many, (struct anneal * a, uint32_t n),
                       (a, n))

/* What it costs in the mean that an item moves, wherever it goes. */
static double
mean_away_cost(const struct dcp_assign_columns *c)
{
    double sum = 0;

    for (uint32_t i = 0; i < c->p->n_items; i++) {
        sum += (double)c->item[i].away_cost;
    }
    return sum / c->p->n_items;
}

/* How much of the slice is done. */
static double
done_frac(const struct dcp_assign_slice *slice, uint64_t evaluations)
{
    double done = 0;

    if (slice->evaluations != UINT64_MAX) {
        done = (double)evaluations / (double)slice->evaluations;
    }
    if (slice->until_s > 0) {
        double of_time = (dcp_assign_now_s() - slice->from_s) /
                         fmax(slice->until_s - slice->from_s, 1e-9);

        done = fmax(done, of_time);
    }
    return done;
}

void
dcp_assign_anneal(struct dcp_assign_walk *w,
                  const struct dcp_assign_stretch *stretch,
                  const struct dcp_assign_slice *slice)
{
    struct anneal a = { .w = w };
    const struct dcp_assign_problem *p = w->state->c->p;
    uint64_t from = w->evaluations;
    double done;

    a.slack = 2 * p->group_move_weight;
    for (uint32_t k = 0; k < N_LOGS; k++) {
        a.log[k] = -log((k + 0.5) / N_LOGS);
    }
    if (p->n_items == 0 || p->n_hosts < 2) {
        return;
    }
    double homeward_below = 10 * mean_away_cost(w->state->c);

    while (!w->failed && (done = done_frac(slice, w->evaluations - from)) < 1) {
        uint64_t left = slice->evaluations == UINT64_MAX
                            ? UINT64_MAX
                            : slice->evaluations - (w->evaluations - from);

        a.temperature = dcp_assign_cooling_at(
            stretch->cooling,
            stretch->from_frac +
                (stretch->to_frac - stretch->from_frac) * done);
        a.homeward = a.temperature < homeward_below;
        (void)many_tries(&a, left < 2048 ? (uint32_t)left : 2048);
    }
}
