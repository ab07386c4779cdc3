/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/assign/search.h"

#include "solver/assign/anneal.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define N_WALKS  2u
#define N_SHARES 40u /* The walks meet so often. */

struct search {
    const struct dcp_assign_problem *p;
    const struct dcp_assign_options *o;
    const struct dcp_assign_columns *c;
    struct dcp_assign_walk *walk[N_WALKS];
    uint32_t n_walks;
    double from_s;
    int64_t bound, told;
};

/* What one walk does in one share. */
struct share {
    struct dcp_assign_walk *walk;
    struct dcp_assign_anneal_options temperature;
    struct dcp_assign_slice slice;
};

static void *
run_share(void *argument)
{
    struct share *share = argument;

    dcp_assign_anneal(share->walk, &share->temperature, &share->slice);
    return NULL;
}

/* Both walks, on one thread or two: the result is the same. */
static void
run_shares(struct search *s, struct share share[])
{
    pthread_t thread;
    bool two = s->o->threads > 1 && s->n_walks > 1 &&
               !pthread_create(&thread, NULL, run_share, &share[1]);

    (void)run_share(&share[0]);
    if (two) {
        (void)pthread_join(thread, NULL);
    } else if (s->n_walks > 1) {
        (void)run_share(&share[1]);
    }
}

static struct dcp_assign_walk *
best_walk(const struct search *s)
{
    struct dcp_assign_walk *best = s->walk[0];

    for (uint32_t k = 1; k < s->n_walks; k++) {
        best = s->walk[k]->best_cost < best->best_cost ? s->walk[k] : best;
    }
    return best;
}

static uint64_t
evaluations(const struct search *s)
{
    uint64_t n = 0;

    for (uint32_t k = 0; k < s->n_walks; k++) {
        n += s->walk[k]->evaluations;
    }
    return n;
}

static void
tell(struct search *s)
{
    int64_t cost = best_walk(s)->best_cost;

    if (s->o->progress && cost < s->told) {
        s->o->progress(s->o->context,
                       &(struct dcp_assign_progress){
                           .seconds = dcp_assign_now_s() - s->from_s,
                           .cost = cost,
                           .lower_bound = s->bound,
                           .evaluations = evaluations(s),
                       });
        s->told = cost;
    }
}

/* Share 'k' of the work of each walk. */
static struct dcp_assign_slice
slice_of(const struct search *s, uint32_t k)
{
    const struct dcp_assign_options *o = s->o;
    uint64_t each = o->iterations / s->n_walks;
    struct dcp_assign_slice slice = { .evaluations = UINT64_MAX };

    if (o->iterations) {
        slice.evaluations = each / N_SHARES + (k < each % N_SHARES);
    }
    if (o->time_limit_s > 0) {
        slice.from_s = s->from_s + o->time_limit_s * k / N_SHARES;
        slice.until_s = s->from_s + o->time_limit_s * (k + 1) / N_SHARES;
    }
    return slice;
}

static bool
walk_all(struct search *s, struct dcp_error *err)
{
    double hot = 1e7, cold = 10;

    tell(s);
    for (uint32_t k = 0; k < N_SHARES && best_walk(s)->best_cost > s->bound;
         k++) {
        struct share share[N_WALKS];

        for (uint32_t w = 0; w < s->n_walks; w++) {
            share[w] = (struct share){
                .walk = s->walk[w],
                .temperature = { hot * pow(cold / hot, k / (double)N_SHARES),
                                 hot * pow(cold / hot, (k + 1.0) / N_SHARES) },
                .slice = slice_of(s, k),
            };
        }
        run_shares(s, share);
        for (uint32_t w = 0; w < s->n_walks; w++) {
            if (s->walk[w]->failed) {
                return dcp_fail(err, DCP_E_NOMEM, "no memory to assign items");
            }
        }
        tell(s);
    }
    return true;
}

static void
finish(struct search *s)
{
    for (uint32_t k = 0; k < N_WALKS; k++) {
        dcp_assign_walk_destroy(s->walk[k]);
    }
}

bool
dcp_assign_search(const struct dcp_assign_problem *p,
                  const struct dcp_assign_options *o, uint32_t at[],
                  struct dcp_assign_result *out, struct dcp_error *err)
{
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);
    struct search s = { .p = p,
                        .o = o,
                        .from_s = dcp_assign_now_s(),
                        .bound = dcp_assign_bound_simple(p),
                        .told = INT64_MAX };
    struct dcp_assign_cost cost;

    if (!arena) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to assign items");
    }
    if (!o->iterations && !(o->time_limit_s > 0)) {
        return dcp_fail(err, DCP_E_ARGUMENT,
                        "a search needs a limit of time or iterations");
    }
    if (!dcp_assign_measure(p, p->start, &cost, err)) {
        return dcp_fail_in(err, "the start is not legal");
    }
    s.c = dcp_assign_columns_make(arena, p, err);
    if (!s.c) {
        return false;
    }
    bool ok = true;

    s.n_walks = o->iterations || o->threads > 1 ? N_WALKS : 1;
    for (uint32_t k = 0; ok && k < s.n_walks; k++) {
        s.walk[k] = dcp_assign_walk_create(s.c, o->max_moves, o->seed, k, err);
        ok = s.walk[k] != NULL;
    }
    ok = ok && walk_all(&s, err);
    if (ok) {
        const struct dcp_assign_walk *best = best_walk(&s);

        memcpy(at, best->best, p->n_items * sizeof *at);
        *out = (struct dcp_assign_result){
            .cost = best->best_cost,
            .lower_bound = s.bound,
            .evaluations = evaluations(&s),
            .seconds = dcp_assign_now_s() - s.from_s,
        };
    }
    finish(&s);
    return ok;
}
