/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/assign/explorer.h"

#include <math.h>
#include <string.h>

/* Shares and work of the phases. */
#define N_SURVEY   DCP_ASSIGN_STEPS
#define N_ROAM     96u
#define N_SETTLE   16u
#define N_RESPLIT  (DCP_ASSIGN_SHARES - N_SURVEY - N_ROAM - N_SETTLE)
#define SURVEY_END 0.08
#define ROAM_END   0.76
#define SETTLE_END 0.80

/* Of the roaming time, when no host may be over any more. */
#define STRICT_FROM 0.7
#define RISE_FROM   0.95 /* When prices only rise. */
#define DEARER      1.25
#define CHEAPER     0.87
#define LITTLE      1e-5 /* Of the start's cost: does not matter any more. */
/* Settling begins at the temperature of this part of the cooling. */
#define SETTLE_FROM 0.6

/* --- temperatures --------------------------------------------------------- */

/* What an item adds to the load cost where there is no room for it at all. */
static double
mean_weight(const struct dcp_assign_problem *p)
{
    double sum = 0;

    for (uint32_t i = 0; i < p->n_items; i++) {
        for (uint32_t r = 0; r < p->n_resources; r++) {
            sum += (double)p->demand[(size_t)i * p->n_resources + r] *
                   (double)p->load_weight[r];
        }
    }
    for (uint32_t b = 0; b < p->n_balances; b++) {
        const struct dcp_assign_balance *x = &p->balance[b];

        for (uint32_t i = 0; i < p->n_items; i++) {
            const int64_t *d = &p->demand[(size_t)i * p->n_resources];

            sum +=
                (double)x->weight * ((double)x->target * (double)d[x->first] +
                                     (double)d[x->second]);
        }
    }
    return sum / (p->n_items ? p->n_items : 1);
}

static void
set_temperatures(struct dcp_assign_explorer *e)
{
    const struct dcp_assign_problem *p = e->strict->state->c->p;
    double hot = fmax(0.5 * mean_weight(p), 100);

    dcp_assign_cooling_init(&e->cooling, hot, fmax(1e-7 * hot, 0.2));
}

/* --- life ------------------------------------------------------------------
 */

bool
dcp_assign_explorer_init(struct dcp_assign_explorer *e, struct dcp_arena *arena,
                         const struct dcp_assign_columns *strict,
                         uint32_t max_moves, uint64_t seed, uint32_t index,
                         struct dcp_error *err)
{
    *e = (struct dcp_assign_explorer){
        .bound = dcp_assign_bound_simple(strict->p),
        .crowding = index % 2 ? 0.1 : 0.05,
    };
    e->strict =
        dcp_assign_walk_create(strict, max_moves, seed, 2u * index, err);
    e->relaxed_columns = dcp_assign_columns_make(arena, strict->p, true, err);
    if (!e->strict || !e->relaxed_columns) {
        return false;
    }
    e->relaxed = dcp_assign_walk_create(e->relaxed_columns, max_moves, seed,
                                        2u * index + 1, err);
    if (!e->relaxed) {
        return false;
    }
    e->start_cost = e->strict->best_cost;
    set_temperatures(e);
    e->resplit = dcp_assign_resplit_create(e->strict, err);
    return e->resplit != NULL;
}

void
dcp_assign_explorer_finish(struct dcp_assign_explorer *e)
{
    dcp_assign_resplit_destroy(e->resplit);
    dcp_assign_walk_destroy(e->strict);
    dcp_assign_walk_destroy(e->relaxed);
}

/* --- phases ----------------------------------------------------------------
 */

/* Of all work, after 'done' of 'n' shares of a phase. */
static double
within(double from, double to, double done, uint32_t n)
{
    return from + (to - from) * done / n;
}

double
dcp_assign_explorer_until(uint32_t share)
{
    double done = share + 1.0;

    if (share < N_SURVEY) {
        return within(0, SURVEY_END, done, N_SURVEY);
    }
    done -= N_SURVEY;
    if (share < N_SURVEY + N_ROAM) {
        return within(SURVEY_END, ROAM_END, done, N_ROAM);
    }
    done -= N_ROAM;
    if (share < N_SURVEY + N_ROAM + N_SETTLE) {
        return within(ROAM_END, SETTLE_END, done, N_SETTLE);
    }
    return within(SETTLE_END, 1, done - N_SETTLE, N_RESPLIT);
}

/* Hosts above their capacity of 'resource'. */
static uint32_t
n_over(const struct dcp_assign_walk *w, uint32_t resource)
{
    const struct dcp_assign_columns *c = w->state->c;
    uint32_t n = 0;

    for (uint32_t h = 0; h < c->p->n_hosts; h++) {
        n += w->state
                 ->term[(size_t)h * c->term_stride + c->hard_from + resource] >
             0;
    }
    return n;
}

/* What a price is multiplied by when so many hosts are over, of this resource
 * and of all.  Once none may be, a resource that holds waits for the others:
 * all prices fall together, or legal assignments would hardly ever be met.
 * Towards the end they only rise. */
static double
price_factor(uint32_t over, uint32_t over_any, double allowed, double done_frac)
{
    if (over > allowed) {
        return DEARER;
    }
    return allowed > 0 || (!over_any && done_frac < RISE_FROM) ? CHEAPER : 1;
}

/* Prices after 'done_frac' of a phase. */
static void
reprice(struct dcp_assign_explorer *e, double done_frac)
{
    struct dcp_assign_columns *c = e->relaxed_columns;
    const struct dcp_assign_problem *p = c->p;
    double allowed =
        e->crowding * p->n_hosts * fmax(1 - done_frac / STRICT_FROM, 0);
    uint32_t over_any = 0;

    for (uint32_t r = 0; r < p->n_resources; r++) {
        over_any += n_over(e->relaxed, r);
    }
    for (uint32_t r = 0; r < p->n_resources; r++) {
        double now = (double)c->relax_weight[r];

        now *=
            price_factor(n_over(e->relaxed, r), over_any, allowed, done_frac);
        c->relax_weight[r] = (int64_t)fmin(fmax(now, DCP_ASSIGN_CHEAP),
                                           (double)c->relax_most[r]);
    }
    dcp_assign_columns_refill(c);
    dcp_assign_walk_jump(e->relaxed, e->relaxed->state->at);
}

static void
keep_best(struct dcp_assign_explorer *e)
{
    if (e->relaxed->best_cost < e->strict->best_cost) {
        dcp_assign_walk_jump(e->strict, e->relaxed->best);
    }
}

static void
roam(struct dcp_assign_explorer *e, uint32_t k, uint32_t n,
     const struct dcp_assign_slice *slice)
{
    struct dcp_assign_stretch stretch = { &e->cooling, k / (double)n,
                                          (k + 1.0) / n };

    if (k > 0) {
        reprice(e, stretch.from_frac);
    }
    dcp_assign_anneal(e->relaxed, &stretch, slice);
    keep_best(e);
}

static void
survey(struct dcp_assign_explorer *e, uint32_t k,
       const struct dcp_assign_slice *slice)
{
    const struct dcp_assign_state *s = e->relaxed->state;

    roam(e, k, N_SURVEY, slice);
    e->above[k + 1] = (double)(s->cost - s->hard_cost - e->bound);
    e->above[0] = k == 0 ? e->above[1] : e->above[0];
    if (k + 1 == N_SURVEY) {
        dcp_assign_cooling_learn(&e->cooling, e->above,
                                 LITTLE * (double)e->start_cost);
    }
}

static void
settle(struct dcp_assign_explorer *e, uint32_t k,
       const struct dcp_assign_slice *slice)
{
    struct dcp_assign_stretch stretch = {
        &e->cooling,
        within(SETTLE_FROM, 1, k, N_SETTLE),
        within(SETTLE_FROM, 1, k + 1.0, N_SETTLE),
    };

    if (k == 0) {
        dcp_assign_walk_jump(e->strict, e->strict->best);
    }
    dcp_assign_anneal(e->strict, &stretch, slice);
}

void
dcp_assign_explorer_run(struct dcp_assign_explorer *e, uint32_t share,
                        const struct dcp_assign_slice *slice)
{
    uint32_t settle_from = N_SURVEY + N_ROAM;

    if (share < N_SURVEY) {
        survey(e, share, slice);
    } else if (share < settle_from) {
        roam(e, share - N_SURVEY, N_ROAM, slice);
    } else if (share < settle_from + N_SETTLE) {
        settle(e, share - settle_from, slice);
    } else {
        if (share == settle_from + N_SETTLE) {
            dcp_assign_walk_jump(e->strict, e->strict->best);
        }
        dcp_assign_resplit_run(e->resplit, slice);
    }
}

void
dcp_assign_explorer_learn(struct dcp_assign_explorer *e, uint32_t share,
                          const struct dcp_assign_walk *other)
{
    if (share + 1 == N_SURVEY + N_ROAM &&
        other->best_cost < e->strict->best_cost) {
        dcp_assign_walk_jump(e->strict, other->best);
    }
}
