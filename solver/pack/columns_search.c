/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/pack/columns_search.h"

#include "solver/pack/columns.h"
#include "solver/pack/cover.h"
#include "solver/pack/fill.h"

#include <stdlib.h>
#include <string.h>

enum {
    SEEDS = 12,
    WASTE_PATTERNS = 50000,
    WASTE_NODES = 20000000,
    WASTE_STEPS = 60000,
    COVER_PATTERNS = 20000,
    COVER_NODES = 1000000,
    COVER_STEPS = 10000,
    COVER_TRIES = 4,
    MOST_ROWS = 20000, /* More are beyond the linear program. */
};

struct work {
    const struct dcp_pack_instance *in;
    const struct dcp_pack_effort *e;
    struct dcp_pack_draft *best, draft;
    struct dcp_pack_columns_result *r;
    struct dcp_pack_pricer *pricer;
    struct dcp_pack_patterns kept;
    int64_t *price;    /* [n] */
    uint64_t cover_at; /* The target that covers were last tried at. */
    uint32_t tries;
    uint64_t next_cover; /* After so many dives. */
};

static bool
no_memory(struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_NOMEM, "no memory to pack");
}

static void
take_better(struct work *s)
{
    if (s->draft.cost < s->best->cost) {
        dcp_pack_draft_copy(s->best, &s->draft);
        dcp_pack_tell_cost(s->e, s->best->cost);
    }
}

static void
take_bound(struct work *s, uint64_t bound, enum dcp_pack_bound_kind kind)
{
    if (bound > s->r->bound) {
        s->r->bound = bound;
        s->r->kind = kind;
        dcp_pack_tell_bound(s->e, bound);
    }
}

static bool
done(const struct work *s)
{
    return dcp_pack_done(s->e, s->best->cost, s->r->bound);
}

static bool
cover(struct work *s, struct dcp_pack_cover *q, struct dcp_error *err)
{
    enum dcp_pack_cover_end end;

    q->deadline_s = s->e->deadline_s;
    q->seed = s->e->seed;
    if (!dcp_pack_cover_run(s->in, s->pricer, q, &s->draft, &end, err)) {
        return false;
    }
    if (end == DCP_PACK_COVER_FOUND) {
        take_better(s);
    } else if (end == DCP_PACK_COVER_NONE) {
        take_bound(s, q->target + 1, DCP_PACK_BOUND_EXHAUSTED);
    }
    return true;
}

/* At prices by size, summed over the dimensions that the bound leaves hardly
 * any room in: where all of them are used up (triplets), few patterns are full
 * enough. */
static bool
cover_by_size(struct work *s, struct dcp_error *err)
{
    const struct dcp_pack_instance *in = s->in;
    struct dcp_pack_cover q = {
        .price = s->price,
        .target = s->r->bound,
        .max_patterns = WASTE_PATTERNS,
        .max_nodes = WASTE_NODES,
        .max_steps = WASTE_STEPS,
        .keep = &s->kept,
    };
    int64_t waste = 0;

    if (!in->uniform) {
        return true;
    }
    memset(s->price, 0, in->n * sizeof *s->price);
    for (uint32_t k = 0; k < in->d; k++) {
        int64_t room = dcp_pack_room(in, 0)[k];
        int64_t rest = room * (int64_t)s->r->bound - in->total[k];

        if (rest >= 0 && 2 * rest < room && q.scale + room < 1 << 26) {
            q.scale += room;
            waste += rest;
            for (uint32_t i = 0; i < in->n; i++) {
                s->price[i] += dcp_pack_size(in, i)[k];
            }
        }
    }
    return !q.scale || 4 * waste > q.scale || cover(s, &q, err);
}

/* At the prices of the bound, with more effort at each try. */
static bool
cover_by_duals(struct work *s, struct dcp_pack_columns *c,
               struct dcp_error *err)
{
    struct dcp_pack_certificate own = dcp_pack_columns_certificate(c);
    struct dcp_pack_cover q = {
        .price = own.price,
        .scale = own.scale,
        .target = s->r->bound,
    };

    if (s->cover_at != q.target) {
        s->cover_at = q.target;
        s->tries = 0;
    }
    if (!own.bound || s->tries >= COVER_TRIES) {
        return true;
    }
    uint32_t shift = 2 * s->tries++;

    q.max_patterns = (uint32_t)COVER_PATTERNS << shift;
    q.max_nodes = (uint64_t)COVER_NODES << shift;
    q.max_steps = (uint64_t)COVER_STEPS << shift;
    return cover(s, &q, err);
}

/* Covers are rare beside dives, and each tries harder than the one before.  A
 * gap of several bins is left to dives, but for one try. */
static bool
worth_covering(struct work *s, uint64_t index)
{
    bool one_bin = !s->in->uniform || s->best->cost == s->r->bound + 1;

    if (index < s->next_cover || (index && !one_bin)) {
        return false;
    }
    s->next_cover = 2 * index + 2;
    return true;
}

static bool
seed(struct work *s, struct dcp_pack_columns *c, struct dcp_error *err)
{
    for (uint32_t r = 0; r < SEEDS && r < dcp_pack_n_fills(s->in); r++) {
        if (r && dcp_pack_now() >= s->e->deadline_s) {
            break;
        }
        if (!dcp_pack_fill(s->in, r, &s->draft)) {
            return no_memory(err);
        }
        take_better(s);
        if (s->draft.cost != UINT64_MAX &&
            !dcp_pack_columns_seed(c, &s->draft, err)) {
            return false;
        }
    }
    if (s->best->cost != UINT64_MAX &&
        !dcp_pack_columns_seed(c, s->best, err)) {
        return false;
    }
    return dcp_pack_columns_add_all(c, &s->kept, err);
}

static bool
root(struct work *s, struct dcp_pack_columns *c, struct dcp_error *err)
{
    struct dcp_pack_columns_limits limits = {
        .max_rounds = s->e->iterations ? s->e->iterations : UINT64_MAX,
        .max_nodes = DCP_PACK_PRICING_NODES,
        .deadline_s = s->e->deadline_s,
        .board = s->e->board,
        .cutoff = DCP_PACK_NO_DEADLINE,
    };
    enum dcp_pack_columns_end end;

    if (!dcp_pack_columns_run(c, &limits, &end, err)) {
        return false;
    }
    s->r->value = dcp_pack_columns_value(c);
    s->r->done = end <= DCP_PACK_COLUMNS_ROUNDED;
    take_bound(s, dcp_pack_columns_bound(c), DCP_PACK_BOUND_COLUMNS);
    return true;
}

static bool
dive(struct work *s, struct dcp_pack_columns *c, uint64_t index,
     struct dcp_error *err)
{
    uint64_t cost = dcp_pack_best_cost(s->e, s->best->cost);
    struct dcp_pack_dive d = {
        .target = cost == UINT64_MAX ? cost : cost - 1,
        .noise = index ? 0.5 : 0,
        .seed = s->e->seed,
        .index = index,
        .rounds_per_step = 8,
        .board = s->e->board,
        .deadline_s = s->e->deadline_s,
    };

    if (!dcp_pack_columns_dive(c, &d, &s->draft, err)) {
        return false;
    }
    take_better(s);
    return true;
}

static bool
generate(struct work *s, struct dcp_error *err)
{
    DCP_AUTO(dcp_pack_columns)
    struct dcp_pack_columns *c = dcp_pack_columns_create(s->in, err);

    if (!c || !seed(s, c, err) || !root(s, c, err)) {
        return false;
    }
    for (uint64_t index = 0;
         !done(s) && (!s->e->iterations || index < s->e->iterations); index++) {
        if (!dive(s, c, index, err)) {
            return false;
        }
        if (!done(s) && s->r->done && worth_covering(s, index) &&
            !cover_by_duals(s, c, err)) {
            return false;
        }
    }
    s->r->rounds = dcp_pack_columns_rounds(c);
    return true;
}

bool
dcp_pack_columns_search(const struct dcp_pack_instance *in,
                        const struct dcp_pack_effort *e,
                        struct dcp_pack_draft *best,
                        struct dcp_pack_columns_result *r,
                        struct dcp_error *err)
{
    DCP_AUTO(dcp_pack_pricer)
    struct dcp_pack_pricer *pricer = dcp_pack_pricer_create(in, err);
    DCP_FREE int64_t *price = calloc(in->n + 1u, sizeof *price);
    struct work s = {
        .in = in,
        .e = e,
        .best = best,
        .r = r,
        .pricer = pricer,
        .price = price,
        .cover_at = UINT64_MAX,
    };
    bool ok = pricer && price && dcp_pack_draft_init(&s.draft, in);

    if (!ok) {
        (void)no_memory(err);
    }
    ok = ok && (done(&s) || cover_by_size(&s, err)) &&
         (done(&s) || in->n > MOST_ROWS || generate(&s, err));
    dcp_pack_draft_finish(&s.draft);
    dcp_pack_patterns_finish(&s.kept);
    return ok;
}
